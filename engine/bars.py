"""OHLCV bars of one symbol on a full grid."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np

from .arrays import Bool1D, Float1D, Int1D
from .errors import DataError
from .timeframe import grid_origin_ns, timeframe_ns

PRICE_COLUMNS: Final = ("open", "high", "low", "close")
FLOW_COLUMNS: Final = ("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote")
"""Columns that not every source has; absent columns are None, never filled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """Bars of one symbol, every grid step from the first to the last.

    Shapes: every array is ``(T,)``. Units: ``open_time`` int64 ns UTC, prices in quote currency,
    ``volume`` and ``taker_buy_volume`` in base units, ``quote_volume`` and ``taker_buy_quote`` in
    quote currency, ``trades`` a count. Row *t* is known at ``close_time[t] = open_time[t] + step``.
    A missing bar carries the previous close in all four prices, volume 0 and ``is_gap`` True.
    Prices and volumes are finite; an optional column is None where the source lacks it. Arrays are
    read-only.

    Raises DataError when the grid, a price relation or a column breaks these rules.
    """

    symbol: str
    timeframe: str
    open_time: Int1D
    open: Float1D
    high: Float1D
    low: Float1D
    close: Float1D
    volume: Float1D
    is_gap: Bool1D
    quote_volume: Float1D | None = None
    trades: Float1D | None = None
    taker_buy_volume: Float1D | None = None
    taker_buy_quote: Float1D | None = None

    def __post_init__(self) -> None:
        count = len(self.open_time)
        if count == 0:
            raise DataError(f"{self.symbol} {self.timeframe}: no bars at all; import data first")
        for field in fields(self):
            column = getattr(self, field.name)
            if not isinstance(column, np.ndarray):
                continue
            if column.shape != (count,):
                raise DataError(
                    f"{self.symbol} {self.timeframe}: column {field.name} has shape {column.shape}, "
                    f"open_time has ({count},)"
                )
            dtype = (
                np.int64
                if field.name == "open_time"
                else np.bool_
                if field.name == "is_gap"
                else np.float64
            )
            frozen: np.ndarray[Any, Any] = np.ascontiguousarray(column, dtype=dtype)
            if frozen.flags.writeable and frozen is column:
                frozen = column.copy()
            frozen.flags.writeable = False
            object.__setattr__(self, field.name, frozen)
        self._check_grid()
        self._check_values()

    def _check_grid(self) -> None:
        step = timeframe_ns(self.timeframe)
        if (self.open_time[0] - grid_origin_ns(self.timeframe)) % step:
            raise DataError(
                f"{self.symbol} {self.timeframe}: row 0 opens off the {self.timeframe} grid "
                f"({int(self.open_time[0])} ns)"
            )
        wrong = np.flatnonzero(np.diff(self.open_time) != step)
        if wrong.size:
            row = int(wrong[0]) + 1
            raise DataError(
                f"{self.symbol} {self.timeframe}: row {row} opens "
                f"{int(self.open_time[row] - self.open_time[row - 1])} ns after the row before it, "
                f"the step is {step} ns; missing bars must be marked as gaps, times strictly increase"
            )

    def _check_values(self) -> None:
        low, high = self.low, self.high
        for name, ok in (
            ("open", (self.open > 0) & (self.open >= low) & (self.open <= high)),
            ("close", (self.close > 0) & (self.close >= low) & (self.close <= high)),
            ("low", (low > 0) & (low <= high)),
            ("high", np.isfinite(high)),
            ("volume", (self.volume >= 0) & np.isfinite(self.volume)),
        ):
            if not ok.all():
                row = int(np.flatnonzero(~ok)[0])
                raise DataError(
                    f"{self.symbol} {self.timeframe}: row {row} has {name}={getattr(self, name)[row]} "
                    f"(open={self.open[row]}, high={high[row]}, low={low[row]}, "
                    f"close={self.close[row]}); prices must be positive with low <= open, close <= "
                    "high, volumes not negative"
                )
        for name in FLOW_COLUMNS:
            column = getattr(self, name)
            if column is not None and not (np.isfinite(column) & (column >= 0)).all():
                row = int(np.flatnonzero(~(np.isfinite(column) & (column >= 0)))[0])
                raise DataError(
                    f"{self.symbol} {self.timeframe}: row {row} has {name}={column[row]}; "
                    "it must be finite and not negative"
                )

    def __len__(self) -> int:
        return len(self.open_time)

    @property
    def step_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    @property
    def close_time(self) -> Int1D:
        """Moment at which each row becomes known: ``open_time + step``, int64 ns UTC, ``(T,)``."""
        return self.open_time + self.step_ns

    def columns(self) -> Mapping[str, Float1D]:
        """The numeric columns that exist, by canonical name, float64 ``(T,)``.

        ``is_gap`` appears as 0.0 or 1.0. ``open_time`` appears in ns as a float64: whole seconds are
        exact there until the year 2043, because 1e9 is a multiple of the spacing of such floats.
        """
        present: dict[str, Float1D] = {"open_time": self.open_time.astype(np.float64)}
        present |= {name: getattr(self, name) for name in PRICE_COLUMNS}
        present["volume"] = self.volume
        present["is_gap"] = self.is_gap.astype(np.float64)
        for name in FLOW_COLUMNS:
            column = getattr(self, name)
            if column is not None:
                present[name] = column
        return present

    def prefix(self, count: int) -> "Bars":
        """The first ``count`` bars: what was known at ``close_time[count - 1]``."""
        arrays: dict[str, Any] = {
            field.name: value[:count]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        return replace(self, **arrays)
