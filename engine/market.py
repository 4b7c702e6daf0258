"""What is known about one instrument: its bars, the slow series around it, and other coins."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .arrays import Float1D, Float2D, Int1D
from .bars import Bars
from .errors import DataError


def _check_rows(
    owner: str,
    event_time: Int1D,
    available_at: Int1D,
    columns: Mapping[str, Float1D] | Mapping[str, Float2D],
) -> None:
    """DataError unless events strictly increase, availability follows them, and values are sound."""
    rules = (
        ("event_time must strictly increase", np.diff(event_time) <= 0, 1),
        ("available_at must not decrease", np.diff(available_at) < 0, 1),
        ("available_at must not precede event_time", available_at < event_time, 0),
        *(
            (f"{label} must not be infinite", np.isinf(column), 0)
            for label, column in columns.items()
        ),
    )
    for rule, broken, offset in rules:
        if broken.any():
            row = int(np.argwhere(broken)[0][0]) + offset
            raise DataError(f"{owner}: row {row}: {rule}")


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
        _check_rows(f"series {self.name}", self.event_time, self.available_at, self.columns)

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
class MarketPanel:
    """What was known about S coins on N rows of one common step, for features across symbols.

    Shapes: ``event_time`` and ``available_at`` ``(N,)`` int64 ns UTC, with the rules of a
    :class:`Series`; each column ``(N, S)`` float64, not infinite, NaN where nothing is known. ``close``
    is always there. ``own`` is the column of the coin whose market holds the panel, None where the
    panel lacks it; ``benchmark`` the column that all are compared with. A row older than
    ``max_age_ns`` (measured from its event) is no longer shown. Raises DataError otherwise.
    """

    name: str
    symbols: tuple[str, ...]
    own: int | None
    benchmark: int
    max_age_ns: int
    event_time: Int1D
    available_at: Int1D
    columns: Mapping[str, Float2D]

    def __post_init__(self) -> None:
        owner = f"panel {self.name}"
        count = len(self.symbols)
        if len(set(self.symbols)) < count:
            raise DataError(f"{owner}: a symbol stands in two columns of {self.symbols}")
        for label, column_index in (("own", self.own), ("benchmark", self.benchmark)):
            if column_index is not None and not 0 <= column_index < count:
                raise DataError(f"{owner}: {label}={column_index} is none of its {count} columns")
        if "close" not in self.columns:
            raise DataError(f"{owner}: it has no column close, only {sorted(self.columns)}")
        shape = (len(self.event_time), count)
        for label, column in self.columns.items():
            if column.shape != shape:
                raise DataError(f"{owner}: column {label} has shape {column.shape}, not {shape}")
        _check_rows(owner, self.event_time, self.available_at, self.columns)

    def known_at(self, time_ns: int) -> "MarketPanel":
        """The rows whose ``available_at`` is not after ``time_ns``."""
        count = int(np.searchsorted(self.available_at, time_ns, side="right"))
        return replace(
            self,
            event_time=self.event_time[:count],
            available_at=self.available_at[:count],
            columns={label: column[:count] for label, column in self.columns.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The bars that signals are computed from, and everything known around them.

    ``series`` maps a series name (``funding``, ``metrics``, ``fear_greed`` …) to its rows, ``panels`` a
    name (``universe``, ``benchmark``) to rows of many coins. What the store lacks is absent from the
    mappings: heads that need it abstain.
    """

    bars: Bars
    series: Mapping[str, Series] = field(default_factory=dict)
    panels: Mapping[str, MarketPanel] = field(default_factory=dict)

    def prefix(self, count: int) -> "Market":
        """Everything that was known at the close of bar ``count - 1``, and nothing else."""
        bars = self.bars.prefix(count)
        now = int(bars.close_time[-1])
        return Market(
            bars=bars,
            series={name: series.known_at(now) for name, series in self.series.items()},
            panels={name: panel.known_at(now) for name, panel in self.panels.items()},
        )
