"""Prices of S symbols on one union grid, as the replay reads them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import Bool2D, Float2D, Int1D
from .bars import PRICE_COLUMNS, Bars
from .errors import DataError
from .timeframe import timeframe_ns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Traded prices of S symbols on T bars.

    Shapes: ``open_time`` ``(T,)`` int64 ns UTC on a full grid; prices ``(T, S)`` float64 in quote
    currency, finite and positive everywhere; ``listed`` and ``is_gap`` ``(T, S)``. Where a symbol is
    not listed its prices repeat the nearest listed close or open and are never traded on.
    Raises DataError when shapes, grid or prices break these rules.
    """

    symbols: tuple[str, ...]
    timeframe: str
    open_time: Int1D
    open: Float2D
    high: Float2D
    low: Float2D
    close: Float2D
    listed: Bool2D
    is_gap: Bool2D

    def __post_init__(self) -> None:
        shape = (len(self.open_time), len(self.symbols))
        if 0 in shape:
            raise DataError(f"panel of {shape[0]} bars and {shape[1]} symbols: it needs both")
        if (np.diff(self.open_time) != self.step_ns).any():
            raise DataError(f"panel: open_time must rise by {self.timeframe} from bar to bar")
        for name in (*PRICE_COLUMNS, "listed", "is_gap"):
            column = getattr(self, name)
            if column.shape != shape:
                raise DataError(f"panel: {name} has shape {column.shape}, expected {shape}")
        ok = (self.low > 0) & np.isfinite(self.high)
        for inner in (self.open, self.close):
            ok &= (inner >= self.low) & (inner <= self.high)
        if not ok.all():
            row, column = (int(index) for index in np.argwhere(~ok)[0])
            raise DataError(
                f"panel: {self.symbols[column]} bar {row}: prices must be finite and positive with "
                f"low <= open, close <= high; open={self.open[row, column]}, "
                f"high={self.high[row, column]}, low={self.low[row, column]}, "
                f"close={self.close[row, column]}"
            )

    @property
    def step_ns(self) -> int:
        """Length of one bar in nanoseconds."""
        return timeframe_ns(self.timeframe)

    @property
    def close_time(self) -> Int1D:
        """Moment at which each bar is complete, int64 ns UTC, ``(T,)``."""
        return self.open_time + self.step_ns

    def __len__(self) -> int:
        return len(self.open_time)

    @classmethod
    def from_bars(cls, bars_by_symbol: Mapping[str, Bars]) -> "Panel":
        """The union grid of several symbols' bars; a symbol is listed from its first to its last bar.

        Raises DataError when the timeframes differ.
        """
        timeframes = sorted({bars.timeframe for bars in bars_by_symbol.values()})
        if len(timeframes) != 1:
            raise DataError(f"a panel needs one timeframe, the bars have {timeframes}")
        step = timeframe_ns(timeframes[0])
        first = min(int(bars.open_time[0]) for bars in bars_by_symbol.values())
        last = max(int(bars.open_time[-1]) for bars in bars_by_symbol.values())
        open_time = np.arange(first, last + step, step, dtype=np.int64)
        shape = (len(open_time), len(bars_by_symbol))
        prices = {name: np.empty(shape) for name in PRICE_COLUMNS}
        listed, is_gap = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        for column, bars in enumerate(bars_by_symbol.values()):
            start = (int(bars.open_time[0]) - first) // step
            stop = start + len(bars)
            for name, table in prices.items():
                table[:start, column] = bars.open[0]
                table[start:stop, column] = getattr(bars, name)
                table[stop:, column] = bars.close[-1]
            listed[start:stop, column] = True
            is_gap[start:stop, column] = bars.is_gap
        return cls(
            symbols=tuple(bars_by_symbol),
            timeframe=timeframes[0],
            open_time=open_time,
            listed=listed,
            is_gap=is_gap,
            **prices,
        )

    def prefix(self, count: int) -> "Panel":
        """The first ``count`` bars."""
        return Panel(
            symbols=self.symbols,
            timeframe=self.timeframe,
            open_time=self.open_time[:count],
            **{name: getattr(self, name)[:count] for name in (*PRICE_COLUMNS, "listed", "is_gap")},
        )
