"""Bar steps: names such as ``15m`` or ``1h`` and their lengths in nanoseconds."""

import re
from typing import Final

from .errors import ConfigError

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
WEEK_NS: Final = 7 * DAY_NS
WEEK_ANCHOR_NS: Final = 4 * DAY_NS
"""Monday 1970-01-05 00:00 UTC, the origin of the weekly grid (the epoch was a Thursday)."""
DAYS_PER_YEAR: Final = 365

_UNITS: Final = {"m": MINUTE_NS, "h": HOUR_NS, "d": DAY_NS, "w": WEEK_NS}
_PATTERN: Final = re.compile(r"([1-9][0-9]*)([mhdw])")


def timeframe_ns(timeframe: str) -> int:
    """Length of a bar step in nanoseconds.

    Raises ConfigError unless ``timeframe`` is a positive count followed by ``m``, ``h``, ``d`` or
    ``w`` and divides a day, or is a whole number of days, or is exactly ``1w``.
    """
    match = _PATTERN.fullmatch(timeframe)
    if match is None:
        raise ConfigError(
            f"timeframe={timeframe!r} is not a bar step: write a count and a unit of m, h, d or w, "
            "such as 15m, 1h, 1d or 1w"
        )
    length = int(match.group(1)) * _UNITS[match.group(2)]
    if length != WEEK_NS and DAY_NS % length and length % DAY_NS:
        raise ConfigError(
            f"timeframe={timeframe!r} does not divide a day: bars would not start at 00:00 UTC"
        )
    return length


def grid_origin_ns(timeframe: str) -> int:
    """An open time on the grid of ``timeframe``: the epoch, or a Monday for weekly bars."""
    return WEEK_ANCHOR_NS if timeframe_ns(timeframe) == WEEK_NS else 0


def bars_per_year(timeframe: str) -> float:
    """Bars in a year of 365 days; crypto trades on all of them."""
    return DAYS_PER_YEAR * DAY_NS / timeframe_ns(timeframe)
