"""The bars that a page shows, and where on its time axis a moment stands."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from datasets import time_text
from engine import Bars, ConfigError, Float1D, Int1D

MAX_BARS: Final = 2_000
"""Candles that one page shows: more of them are a blur, and a page that is slow to move."""
DEFAULT_BARS: Final = 300
"""Bars before the end of the window where its beginning is not given."""
_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Rows ``first`` to ``stop - 1`` of ``bars``; x is the open of a bar in ms since 1970, UTC."""

    bars: Bars
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    @property
    def rows(self) -> slice:
        """The rows drawn."""
        return slice(self.first, self.stop)

    @property
    def start_ns(self) -> int:
        """When the first bar drawn opened."""
        return int(self.bars.open_time[self.first])

    @property
    def end_ns(self) -> int:
        """When the last bar drawn closed: what became known later is not shown."""
        return int(self.bars.close_time[self.stop - 1])

    @property
    def left(self) -> float:
        """x of the left edge, half a bar before the first."""
        return self.start_ns / _MS - self.step / 2.0

    @property
    def right(self) -> float:
        """x of the right edge, half a bar after the last."""
        return float(self.bars.open_time[self.stop - 1]) / _MS + self.step / 2.0

    @property
    def step(self) -> float:
        """Width of a bar, ms."""
        return self.bars.step_ns / _MS

    def x(self) -> Float1D:
        """Where the bars drawn stand, ``(rows,)``."""
        x: Float1D = self.bars.open_time[self.rows] / _MS
        return x

    def rows_at(self, known_ns: Int1D) -> Int1D:
        """The bar at whose close each moment had come: int64 rows of ``bars``, its length for later."""
        found: Int1D = np.searchsorted(self.bars.close_time, known_ns, side="left").astype(np.int64)
        return found

    def rows_holding(self, opened_ns: Int1D) -> Int1D:
        """The bar in which each moment lies, at least row 0."""
        found = np.searchsorted(self.bars.open_time, opened_ns, side="right") - 1
        return np.maximum(found, 0).astype(np.int64)

    def x_of(self, row: int) -> float:
        """Where a row of ``bars`` stands, drawn or not; rows beyond the last are spaced alike."""
        return float(self.bars.open_time[0] + row * self.bars.step_ns) / _MS

    def price_range(self) -> tuple[float, float]:
        """The lowest and the highest price drawn, with room around them."""
        low = float(self.bars.low[self.rows].min())
        high = float(self.bars.high[self.rows].max())
        room = 0.09 * (high - low) or 0.01 * abs(high) or 1.0
        return low - room, high + room


def window_of(bars: Bars, start_ns: int | None, end_ns: int | None) -> Window:
    """The bars that open at ``start_ns`` or later and are closed by ``end_ns``, int64 ns UTC.

    None ends with the data, and begins DEFAULT_BARS before the end. Raises ConfigError for a window
    without bars and for one of more than MAX_BARS.
    """
    stop = len(bars)
    if end_ns is not None:
        stop = int(np.searchsorted(bars.close_time, end_ns, side="right"))
    first = max(0, stop - DEFAULT_BARS)
    if start_ns is not None:
        first = int(np.searchsorted(bars.open_time, start_ns, side="left"))
    if first >= stop:
        raise ConfigError(
            f"--from and --to: no {bars.timeframe} bar of {bars.symbol} lies between them; there are "
            f"bars from {time_text(int(bars.open_time[0]))} to "
            f"{time_text(int(bars.close_time[-1]))} UTC"
        )
    if stop - first > MAX_BARS:
        since = time_text(int(bars.open_time[stop - MAX_BARS]))
        raise ConfigError(
            f"--from and --to: {stop - first:,} bars of {bars.timeframe} lie between them, a page shows "
            f'{MAX_BARS:,} at most; draw less, such as --from "{since}", or `ninefold events` lists all'
        )
    return Window(bars, first, stop)
