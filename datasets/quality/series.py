"""What the checks look at: the rows of one data set, and the outline that comparisons need."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from engine import DataError, Float1D, Int1D

from ..findings import Finding
from ..keys import DatasetKey
from ..kinds import KINDS, Kind
from ..tables import floats_of, identity_order, same_identity, times_ns


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
        names = ("open", "high", "low", "close")
        if any(name not in self.table.column_names for name in names):
            return False
        return all(bool((self.numbers(name) > 0).all()) for name in names)

    @property
    def has_volume(self) -> bool:
        """True for bars that say how much was traded."""
        return "volume" in self.table.column_names


@dataclass(frozen=True, slots=True)
class Hole:
    """Missing rows: from the first that is missing to the next that is there (int64 ns UTC)."""

    start_ns: int
    end_ns: int
    missing_rows: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What is kept of a data set for comparisons with others, when its rows are gone.

    The data set has rows from ``first_ns`` to ``last_ns``; ``interval_ns`` is the distance of its
    rows (0 for events). ``last_volume_ratio`` is the volume of the last bar over the median of the 24
    before it, None where there is none. ``defects`` were found by the importer.
    """

    key: DatasetKey
    rows: int
    first_ns: int
    last_ns: int
    interval_ns: int
    holes: tuple[Hole, ...]
    last_volume_ratio: float | None
    defects: frozenset[str]

    @property
    def end_ns(self) -> int:
        """When the last row ends, int64 ns UTC."""
        return self.last_ns + self.interval_ns

    @property
    def is_single(self) -> bool:
        """True where all rows are of one moment."""
        return self.first_ns == self.last_ns

    def lacks(self, start_ns: int, end_ns: int) -> float:
        """Share of ``start_ns`` to ``end_ns`` that lies in holes of this data set."""
        lost = sum(
            max(0, min(end_ns, hole.end_ns) - max(start_ns, hole.start_ns)) for hole in self.holes
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
    )


def _last_volume_ratio(series: CheckedSeries) -> float | None:
    if not series.has_volume or len(series.time_ns) < 25:
        return None
    volume = series.numbers("volume")[-25:]
    usual = float(np.median(volume[:-1]))
    return float(volume[-1]) / usual if usual > 0 else None
