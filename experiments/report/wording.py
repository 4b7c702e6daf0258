"""Phrases that several sections of a run's report share."""

from datetime import UTC, datetime
from typing import Final

from engine.timeframe import DAY_NS, DAYS_PER_YEAR, HOUR_NS, MINUTE_NS, SECOND_NS

from ..formats import counted as some
from ..formats import formatted
from ..pages.document import Number, Text
from ..pages.sampling import MAX_BUCKETS, bucket_rows

MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
MOST_DAYS: Final = 729
"""Up to here a length is told in days."""
UNITS: Final = (("day", DAY_NS), ("hour", HOUR_NS), ("minute", MINUTE_NS))


def said(value: float | None, unit: str) -> str:
    """A number in a sentence; n/a where it is undefined."""
    return Number(value, unit).text


def money_unit(*, is_inverse: bool) -> str:
    """What stands on an axis of money."""
    return "coins" if is_inverse else "settlement currency"


def moment(time_ns: int) -> str:
    """Day and minute, UTC."""
    return formatted(time_ns / SECOND_NS, "unix seconds")


def day(time_ns: int) -> str:
    """The UTC day in which the nanosecond before ``time_ns`` lies."""
    return f"{datetime.fromtimestamp((time_ns - 1) // SECOND_NS, tz=UTC):%Y-%m-%d}"


def length(nanoseconds: int) -> str:
    """A length of time in words, in the largest unit of which it has two."""
    if nanoseconds > MOST_DAYS * DAY_NS:
        return f"{nanoseconds / DAY_NS / DAYS_PER_YEAR:.1f} years"
    unit, size = next((one for one in UNITS if nanoseconds >= 2 * one[1]), UNITS[-1])
    count = nanoseconds / size
    text = f"{count:.0f}" if count >= 10 else f"{count:.3g}"
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def counted(count: int, one: str) -> str:
    """``3 trades``, ``1 trade``, ``no trades``."""
    return some(count, one) if count else f"no {one}s"


def too_few(what: str, needed: int, unit: str, have: int) -> Text:
    """What stands in the place of a picture that would show nothing."""
    return Text(paragraphs=(f"{what}: n/a, it needs {needed} {unit} and there are {have}.",))


def thinned(rows: int) -> str:
    """What a line of ``rows`` points leaves out."""
    if rows <= 4 * MAX_BUCKETS:
        return ""
    return (
        f"Lines are drawn through the first, lowest, highest and last of every {bucket_rows(rows)} "
        "points, so no extreme is hidden."
    )
