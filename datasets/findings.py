"""What is wrong with data, in one vocabulary: importers, checks, reports and tests share the names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from engine import DataError

Action = Literal["kept", "dropped", "moved", "refused"]
LINES_KEPT: Final = 50
"""So many single rows of one finding are listed; the rest is counted."""

DEFECTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gap": "rows are missing between stored ones",
        "duplicate": "the same row stands twice",
        "contradiction": "two rows of one time differ",
        "unsorted": "rows are not in time order",
        "off_grid": "a time is not on the grid of the step",
        "ohlc_contradiction": "open or close lies outside low to high, or low above high",
        "zero_volume_run": "bars in a row without a trade",
        "price_spike": "a price far from its neighbours, and back",
        "symbol_reuse": "after a hole the price is another one: two coins under one symbol",
        "stale_tail": "the last bars repeat one price without volume",
        "after_expiry": "rows after the contract had expired",
        "incomplete_last_bar": "the last bar was recorded before it had closed",
        "early_close_time": "close_time lies before the end of the bar: an outage cut it short",
        "close_before_open": "close_time lies before open_time",
        "flat_start": "equal flat bars at the very start: a listing price, nobody traded",
        "leading_zeros": "zeros before the series begins",
        "late_stamp": "times some milliseconds after the event they belong to",
        "interval_change": "the interval between settlements changes inside the series",
        "mixed_time_unit": "times of one file are in two units",
        "mixed_time_format": "times of one file are written in two ways",
        "scientific_notation": "times were rounded by a spreadsheet",
        "missing_time": "a row whose time is not known",
        "missing_value": "a cell that has no value",
        "revision": "a value was changed after it had been published",
        "capture_time": "the moment of capture stands for the moment of publication",
        "mixed_symbol_spelling": "one file spells symbols in several ways",
        "symbol_not_unique": "one ticker names two coins",
        "source_disagreement": "two sources state different values",
        "survivorship": "only symbols that were alive at the end are in the file",
        "unequal_periods": "symbols of one file begin or end at different times",
        "name_contradiction": "the name of a file says something else than its content or the caller",
        "unstated_unit": "the source does not state a unit",
        "unstated_zone": "times state neither an offset from UTC nor their zone",
        "unstated_venue": "the source does not state the venue",
        "incomparable_unit": "units differ between venues",
        "derived_value": "computed by the source, not observed",
        "sampled": "the source left rows out on purpose",
        "single_snapshot": "one moment only",
        "no_session": "no row on days without a session",
        "tied_times": "several rows share one time",
        "missing_numbers": "numbers of trades are missing between stored ones",
        "skipped_message": "messages of a capture that the store has no kind for",
        "unreadable": "bytes that are not of the format",
    }
)
"""Every defect by name; a finding has one of these names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One defect of one series: how often, where first and last (int64 ns UTC), what was done.

    ``defect`` is a name of :data:`DEFECTS`. ``message`` is one sentence a reader can act on.
    ``lines`` name single rows, at most ``LINES_KEPT`` of them; ``count`` counts all.
    """

    defect: str
    action: Action
    subject: str
    count: int
    message: str
    first_ns: int | None = None
    last_ns: int | None = None
    lines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.defect not in DEFECTS:
            raise DataError(
                f"defect={self.defect!r} is unknown; it must be one of {', '.join(DEFECTS)}"
            )

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {**asdict(self), "lines": list(self.lines)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Finding":
        """The inverse of :meth:`to_json`."""
        return cls(**{**document, "lines": tuple(document["lines"])})


class RefusedFileError(DataError):
    """A file that is not imported, and the defect that is the reason."""

    def __init__(self, defect: str, message: str) -> None:
        super().__init__(message)
        if defect not in DEFECTS:
            raise DataError(f"defect={defect!r} is unknown")
        self.defect = defect


def kept_lines(lines: Sequence[str]) -> tuple[str, ...]:
    """The first ``LINES_KEPT`` of ``lines``."""
    return tuple(lines[:LINES_KEPT])


def by_defect(findings: Iterable[Finding]) -> dict[str, int]:
    """Rows concerned by each defect, in the order of :data:`DEFECTS`."""
    counts = dict.fromkeys(DEFECTS, 0)
    for finding in findings:
        counts[finding.defect] += finding.count
    return {name: count for name, count in counts.items() if count}
