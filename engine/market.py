"""What is known about one instrument: its bars and the slow series around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .arrays import Float1D, Int1D
from .bars import Bars
from .errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """A slow series in the order in which its rows became available.

    Shapes: ``event_time``, ``available_at`` and each column ``(N,)``. Times are int64 ns UTC.
    ``event_time`` is what the row is about, strictly increasing; ``available_at`` is the first
    moment at which the row may be used, never before its event and never decreasing. A value is a
    finite number, or NaN where the source states none. A row older than ``max_age_ns`` (measured
    from its event) is no longer shown: a series that ends is missing data, not a constant. Raises
    DataError otherwise.
    """

    name: str
    max_age_ns: int
    event_time: Int1D
    available_at: Int1D
    columns: Mapping[str, Float1D]

    def __post_init__(self) -> None:
        count = len(self.event_time)
        for label, column in (("available_at", self.available_at), *self.columns.items()):
            if column.shape != (count,):
                raise DataError(
                    f"series {self.name}: column {label} has shape {column.shape}, "
                    f"event_time has ({count},)"
                )
        rules = (
            ("event_time must strictly increase", np.diff(self.event_time) <= 0, 1),
            ("available_at must not decrease", np.diff(self.available_at) < 0, 1),
            ("available_at must not precede event_time", self.available_at < self.event_time, 0),
            *(
                (f"{label} must not be infinite", np.isinf(column), 0)
                for label, column in self.columns.items()
            ),
        )
        for rule, broken, offset in rules:
            if broken.any():
                row = int(np.flatnonzero(broken)[0]) + offset
                raise DataError(f"series {self.name}: row {row}: {rule}")

    def known_at(self, time_ns: int) -> "Series":
        """The rows whose ``available_at`` is not after ``time_ns``."""
        count = int(np.searchsorted(self.available_at, time_ns, side="right"))
        return Series(
            name=self.name,
            max_age_ns=self.max_age_ns,
            event_time=self.event_time[:count],
            available_at=self.available_at[:count],
            columns={label: column[:count] for label, column in self.columns.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The bars that signals are computed from, and every slow series known for them.

    ``series`` maps a series name (``funding``, ``metrics``, ``fear_greed`` …) to its rows. A series
    that the store lacks is absent from the mapping: heads that need it abstain.
    """

    bars: Bars
    series: Mapping[str, Series] = field(default_factory=dict)

    def prefix(self, count: int) -> "Market":
        """Everything that was known at the close of bar ``count - 1``, and nothing else."""
        bars = self.bars.prefix(count)
        now = int(bars.close_time[-1])
        return Market(
            bars=bars, series={name: series.known_at(now) for name, series in self.series.items()}
        )
