"""What the checks look at: the rows of one data set, and the outline that comparisons need."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from engine import DataError, Float1D, Int1D

from ..findings import Finding
from ..keys import DatasetKey
from ..kinds import KINDS, Kind
from ..tables import floats_of, identity_order, same_identity, times_ns
from .runs import runs_of

PRICES = ("open", "high", "low", "close")
STRETCHES = 200
"""Events that lie no further apart than this part of their period are drawn as one stretch."""


@dataclass(frozen=True)
class CheckedSeries:
    """Rows of one data set in any order, repeated ones included, as a canonical table.

    ``findings`` are those of the importer, which saw what the rows no longer show. Raises DataError
    where there are no rows.
    """

    key: DatasetKey
    table: pa.Table
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if len(self.table) == 0:
            raise DataError(f"{self.key}: has no rows; there is nothing to check")

    @property
    def kind(self) -> Kind:
        """The kind of the rows."""
        return KINDS[self.key.kind]

    @property
    def step_ns(self) -> int:
        """Length of the step; 0 for events."""
        return self.kind.step_ns(self.key.step)

    @cached_property
    def sorted_table(self) -> pa.Table:
        """Every row, in the order of the store."""
        order = identity_order(self.kind, self.table)
        in_order = bool((np.diff(order) > 0).all())
        return self.table if in_order else self.table.take(pa.array(order))

    @cached_property
    def ordered(self) -> pa.Table:
        """One row for each identity, the one that was known first, in the order of the store."""
        again = same_identity(self.kind, self.sorted_table, same_moment=False)
        return self.sorted_table.filter(pa.array(~again)) if again.any() else self.sorted_table

    @cached_property
    def time_ns(self) -> Int1D:
        """Times of :attr:`ordered`, int64 ns UTC, ``(N,)``."""
        return times_ns(self.kind, self.ordered)

    def numbers(self, name: str) -> Float1D:
        """A number column of :attr:`ordered` as float64 ``(N,)``, NaN where a cell is empty."""
        return floats_of(self.ordered, name)

    @cached_property
    def has_prices(self) -> bool:
        """True where every row has open, high, low and close above zero."""
        if any(name not in self.table.column_names for name in PRICES):
            return False
        return all(bool((self.numbers(name) > 0).all()) for name in PRICES)

    @property
    def has_volume(self) -> bool:
        """True for bars that say how much was traded."""
        return "volume" in self.table.column_names

    @property
    def stretches(self) -> tuple[tuple[int, int], ...]:
        """First and last time of events that lie close together; none for rows on a grid."""
        if not self.kind.is_event:
            return ()
        time_ns = self.time_ns
        far = np.diff(time_ns) > (time_ns[-1] - time_ns[0]) / STRETCHES
        starts = time_ns[np.concatenate([[True], far])]
        ends = time_ns[np.concatenate([far, [True]])]
        return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Hole:
    """Missing rows: from the first that is missing to the next that is there (int64 ns UTC)."""

    start_ns: int
    end_ns: int
    missing_rows: int

    def between(self, start_ns: int, end_ns: int) -> "Hole | None":
        """What of the hole lies between two times; None where no row is missing there."""
        start, end = max(start_ns, self.start_ns), min(end_ns, self.end_ns)
        if (start, end) == (self.start_ns, self.end_ns):
            return self
        step = (self.end_ns - self.start_ns) / self.missing_rows
        first = max(0, math.ceil((start - self.start_ns) / step))
        last = min(self.missing_rows, math.ceil((end - self.start_ns) / step))
        return Hole(start, end, last - first) if last > first and end > start else None


@dataclass(frozen=True, slots=True)
class Outline:
    """What is kept of a data set for comparisons with others, when its rows are gone.

    The data set has rows from ``first_ns`` to ``last_ns``; ``interval_ns`` is the distance of its
    rows (0 for events). ``last_volume_ratio`` is the volume of the last bar over the median of the 24
    before it, None where there is none. ``defects`` were found by the importer. ``fillers`` are
    stretches of flat bars without volume: a source writes them where it has no rows.
    """

    key: DatasetKey
    rows: int
    first_ns: int
    last_ns: int
    interval_ns: int
    holes: tuple[Hole, ...]
    last_volume_ratio: float | None
    defects: frozenset[str]
    fillers: tuple[Hole, ...] = ()

    @property
    def end_ns(self) -> int:
        """When the last row ends, int64 ns UTC."""
        return self.last_ns + self.interval_ns

    @property
    def is_single(self) -> bool:
        """True where all rows are of one moment."""
        return self.first_ns == self.last_ns

    def lacks(self, start_ns: int, end_ns: int) -> float:
        """Share of ``start_ns`` to ``end_ns`` that lies in holes of this data set, or was filled."""
        lost = sum(
            max(0, min(end_ns, hole.end_ns) - max(start_ns, hole.start_ns))
            for hole in (*self.holes, *self.fillers)
        )
        return lost / (end_ns - start_ns)


def outline_of(series: CheckedSeries, holes: tuple[Hole, ...]) -> Outline:
    """The outline of ``series``, whose holes are ``holes``."""
    time_ns = series.time_ns
    interval_ns = series.step_ns
    if series.key.kind == "funding" and len(time_ns) > 1:
        interval_ns = int(np.median(np.diff(time_ns)))
    return Outline(
        key=series.key,
        rows=len(series.table),
        first_ns=int(time_ns[0]),
        last_ns=int(time_ns[-1]),
        interval_ns=interval_ns,
        holes=holes,
        last_volume_ratio=_last_volume_ratio(series),
        defects=frozenset(finding.defect for finding in series.findings),
        fillers=fillers_of(series),
    )


def fillers_of(series: CheckedSeries) -> tuple[Hole, ...]:
    """Stretches of bars with one price and a volume of zero, as if their rows were missing."""
    if not {*PRICES, "volume"}.issubset(series.table.column_names):
        return ()
    flat = series.numbers("volume") == 0
    first = series.numbers(PRICES[0])
    for name in PRICES[1:]:
        flat &= series.numbers(name) == first
    time_ns = series.time_ns
    starts, lengths = runs_of(flat)
    found = []
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        # A run may go on behind a hole: what is missing there is counted as that hole.
        times = time_ns[start : start + length]
        breaks = np.flatnonzero(np.diff(times) > series.step_ns) + 1
        found += [
            Hole(int(part[0]), int(part[-1]) + series.step_ns, len(part))
            for part in np.split(times, breaks)
        ]
    return tuple(found)


def _last_volume_ratio(series: CheckedSeries) -> float | None:
    if not series.has_volume or len(series.time_ns) < 25:
        return None
    volume = series.numbers("volume")[-25:]
    usual = float(np.median(volume[:-1]))
    return float(volume[-1]) / usual if usual > 0 else None
