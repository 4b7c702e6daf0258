"""Prices of S symbols on one union grid, as the replay reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from .arrays import Bool2D, Float2D, Int1D
from .bars import PRICE_COLUMNS, Bars
from .errors import DataError
from .timeframe import timeframe_ns

Bool3D: TypeAlias = np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkPrices:
    """Mark prices of S symbols on T bars, ``(T, S)`` float64 in quote currency, finite and positive."""

    open: Float2D
    high: Float2D
    low: Float2D
    close: Float2D

    def part(self, start: int, stop: int) -> "MarkPrices":
        """Bars ``start`` to ``stop`` − 1."""
        return MarkPrices(**{name: getattr(self, name)[start:stop] for name in PRICE_COLUMNS})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """Traded prices of S symbols on T bars.

    Shapes: ``open_time`` ``(T,)`` int64 ns UTC on a full grid; prices ``(T, S)`` float64 in quote
    currency, finite and positive everywhere; ``listed`` and ``is_gap`` ``(T, S)``. Where a symbol is
    not listed its prices repeat the nearest listed close or open and are never traded on.
    ``volume`` ``(T, S)`` is finite and not negative, 0 on missing bars, in base units (quote units for
    inverse contracts), or None. ``mark`` None means that the traded prices are the mark.
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
    volume: Float2D | None = None
    mark: MarkPrices | None = None

    def __post_init__(self) -> None:
        shape = (len(self.open_time), len(self.symbols))
        if 0 in shape:
            raise DataError(f"panel of {shape[0]} bars and {shape[1]} symbols: it needs both")
        twice = sorted({name for name in self.symbols if self.symbols.count(name) > 1})
        if twice:
            raise DataError(f"panel: symbol {twice[0]!r} stands in two columns; name each once")
        self._check_column("open_time", self.open_time, np.int64, shape[:1])
        steps = np.diff(self.open_time)
        if (steps != self.step_ns).any():
            row = int(np.flatnonzero(steps != self.step_ns)[0]) + 1
            raise DataError(
                f"panel: open_time[{row}]={self.open_time[row]} must lie {self.timeframe} after the row "
                f"above, {self.open_time[row - 1]}: sort the bars and fill the grid"
            )
        self._check_column("listed", self.listed, np.bool_, shape)
        self._check_column("is_gap", self.is_gap, np.bool_, shape)
        self._check_prices("", self)
        if self.mark is not None:
            self._check_prices("mark ", self.mark)
        if self.volume is not None:
            self._check_column("volume", self.volume, np.float64, shape)
            wrong = ~(np.isfinite(self.volume) & (self.volume >= 0))
            if wrong.any():
                row, column = (int(index) for index in np.argwhere(wrong)[0])
                raise DataError(
                    f"panel: {self.symbols[column]} bar {row}: volume={self.volume[row, column]} must "
                    "be finite and not negative"
                )

    def _check_column(
        self, name: str, column: np.ndarray[Any, Any], dtype: type, shape: tuple[int, ...]
    ) -> None:
        if not isinstance(column, np.ndarray) or column.dtype != dtype:
            kind = getattr(column, "dtype", type(column).__name__)
            raise DataError(f"panel: {name} must be a {np.dtype(dtype)} array, it is {kind}")
        if column.shape != shape:
            raise DataError(f"panel: {name} has shape {column.shape}, expected {shape}")

    def _check_prices(self, kind: str, prices: "Panel | MarkPrices") -> None:
        shape = (len(self.open_time), len(self.symbols))
        for name in PRICE_COLUMNS:
            self._check_column(f"{kind}{name}", getattr(prices, name), np.float64, shape)
        ok = (prices.low > 0) & np.isfinite(prices.high)
        for inner in (prices.open, prices.close):
            ok &= (inner >= prices.low) & (inner <= prices.high)
        if not ok.all():
            row, column = (int(index) for index in np.argwhere(~ok)[0])
            raise DataError(
                f"panel: {self.symbols[column]} bar {row}: {kind}prices must be finite and positive "
                f"with low <= open, close <= high; open={prices.open[row, column]}, "
                f"high={prices.high[row, column]}, low={prices.low[row, column]}, "
                f"close={prices.close[row, column]}"
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
        volume = np.zeros(shape)
        listed, is_gap = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
        for column, bars in enumerate(bars_by_symbol.values()):
            start = (int(bars.open_time[0]) - first) // step
            stop = start + len(bars)
            for name, table in prices.items():
                table[:start, column] = bars.open[0]
                table[start:stop, column] = getattr(bars, name)
                table[stop:, column] = bars.close[-1]
            volume[start:stop, column] = bars.volume
            listed[start:stop, column] = True
            is_gap[start:stop, column] = bars.is_gap
        return cls(
            symbols=tuple(bars_by_symbol),
            timeframe=timeframes[0],
            open_time=open_time,
            open=prices["open"],
            high=prices["high"],
            low=prices["low"],
            close=prices["close"],
            listed=listed,
            is_gap=is_gap,
            volume=volume,
        )

    def rebuilt_from(self, fine: "Panel") -> "Panel":
        """This panel with every bar that has finer bars inside it made of them.

        ``fine`` has the same symbols and listing on a shorter step that divides this one's, over the
        same span. A bar with existing finer bars gets their first open, highest high, lowest low and
        last close and is no gap; the others stay, and so does ``volume``. The mark, where both panels
        have one, is rebuilt likewise. Raises DataError when the grids do not fit.
        """
        count = sub_bars(self, fine)
        shape = (len(self), count, len(self.symbols))
        exists = ~fine.is_gap.reshape(shape) & fine.listed.reshape(shape)
        traded, mark = _aggregated(fine, exists, self), self.mark
        if mark is not None and fine.mark is not None:
            mark = MarkPrices(**_aggregated(fine.mark, exists, mark))
        return replace(
            self,
            open=traded["open"],
            high=traded["high"],
            low=traded["low"],
            close=traded["close"],
            mark=mark,
            is_gap=self.is_gap & ~exists.any(axis=1),
        )

    def prefix(self, count: int) -> "Panel":
        """The first ``count`` bars."""
        return self.part(0, count)

    def part(self, start: int, stop: int) -> "Panel":
        """Bars ``start`` to ``stop`` − 1; DataError when there is none."""
        rows = slice(start, stop)
        return Panel(
            symbols=self.symbols,
            timeframe=self.timeframe,
            open_time=self.open_time[rows],
            volume=None if self.volume is None else self.volume[rows],
            mark=None if self.mark is None else self.mark.part(start, stop),
            **{name: getattr(self, name)[rows] for name in (*PRICE_COLUMNS, "listed", "is_gap")},
        )


def sub_bars(panel: Panel, fine: Panel) -> int:
    """How many bars of ``fine`` lie inside one of ``panel``.

    Raises DataError when the symbols, the spans or the listings of the two differ, or the longer step
    is no multiple of the shorter one.
    """
    if fine.symbols != panel.symbols:
        raise DataError(f"finer bars are of {fine.symbols}, the panel of {panel.symbols}")
    count, rest = divmod(panel.step_ns, fine.step_ns)
    if rest or count < 2:
        raise DataError(f"finer bars of {fine.timeframe} do not divide bars of {panel.timeframe}")
    if fine.open_time[0] != panel.open_time[0] or len(fine) != count * len(panel):
        raise DataError(
            f"finer bars must cover the panel exactly: {count * len(panel)} bars from "
            f"{_date(panel)}; they are {len(fine)} from {_date(fine)}"
        )
    differs = fine.listed != np.repeat(panel.listed, count, axis=0)
    if differs.any():
        row, column = (int(index) for index in np.argwhere(differs)[0])
        raise DataError(
            f"finer bars: {fine.symbols[column]} bar {row}: listed={fine.listed[row, column]}, the bar "
            f"around it says {not fine.listed[row, column]}"
        )
    return count


def _date(panel: Panel) -> str:
    """The open time of the first bar in UTC, to the second."""
    return str(np.datetime64(int(panel.open_time[0]), "ns").astype("datetime64[s]"))


def _aggregated(
    fine: Panel | MarkPrices, exists: Bool3D, otherwise: Panel | MarkPrices
) -> dict[str, Float2D]:
    """Prices of the longer bars from the finer ones that exist, ``(T, S)``."""
    count = exists.shape[1]
    split = {name: getattr(fine, name).reshape(exists.shape) for name in PRICE_COLUMNS}
    some = exists.any(axis=1)
    first = exists.argmax(axis=1)[:, None, :]
    last = (count - 1 - exists[:, ::-1].argmax(axis=1))[:, None, :]
    found = {
        "open": np.take_along_axis(split["open"], first, axis=1)[:, 0],
        "high": np.where(exists, split["high"], -np.inf).max(axis=1),
        "low": np.where(exists, split["low"], np.inf).min(axis=1),
        "close": np.take_along_axis(split["close"], last, axis=1)[:, 0],
    }
    return {name: np.where(some, found[name], getattr(otherwise, name)) for name in PRICE_COLUMNS}
