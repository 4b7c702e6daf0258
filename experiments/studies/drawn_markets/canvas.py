"""Bars drawn by hand: legs between turning points, and single bars where a rule asks for one."""

from collections.abc import Callable
from typing import Final

import numpy as np

from engine import ContractError, Float1D

SPAN: Final = 1.0
"""Height of every bar of a leg. Each opens at the close before it, so that its true range is its
height, and the average true range of any length is 1 wherever nothing but legs was drawn."""
END_WICK: Final = 0.8
"""Share of a leg's last bar outside its body that lies beyond the close: its extreme stands out."""
FIRST_WICK: Final = 0.35
SLOW: Final = 0.15
"""A leg of smaller steps keeps its first bar's wicks even, or its highs and lows would not be in order."""
STEEPEST: Final = 0.5
"""Steps up to half a bar overlap with the bar before the last: such a leg leaves no gap."""


class Canvas:
    """Bars in the order in which they are drawn; the first opens at ``price``.

    Prices are in units of the height of a bar, volume in units of an ordinary bar's.
    """

    def __init__(self, price: float) -> None:
        self.price = price
        self._rows: list[tuple[float, float, float, float, float]] = []

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def row(self) -> int:
        """The row drawn last."""
        return len(self._rows) - 1

    def open(self, row: int) -> float:
        """Open of ``row``."""
        return self._rows[row][0]

    def high(self, row: int) -> float:
        """High of ``row``."""
        return self._rows[row][1]

    def low(self, row: int) -> float:
        """Low of ``row``."""
        return self._rows[row][2]

    def close(self, row: int) -> float:
        """Close of ``row``."""
        return self._rows[row][3]

    def volume(self, row: int) -> float:
        """Volume of ``row``."""
        return self._rows[row][4]

    def bar(self, *, high: float, low: float, close: float, volume: float = 1.0) -> int:
        """One bar that opens at the close before it; the row. ContractError where that is no bar."""
        if not low <= min(self.price, close) <= max(self.price, close) <= high or low <= 0.0:
            raise ContractError(
                f"row {len(self)}: {low=} and {high=} must enclose the open {self.price} and {close=}"
            )
        self._rows.append((self.price, high, low, close, volume))
        self.price = close
        return self.row

    def leg(self, extreme: float, bars: int, volume: float = 1.0) -> int:
        """``bars`` equal steps to a turn whose high (or low, below the price) is ``extreme``; its row.

        Highs and lows are strictly in order along a leg, so that its ends are its only turning points.
        Raises ContractError for a leg steeper than ``STEEPEST``.
        """
        side = 1.0 if extreme > self.price else -1.0
        far = side * (extreme - self.price)
        # The last close lies END_WICK * (SPAN - step) short of the extreme, and is `bars` steps away.
        step = (far - END_WICK * SPAN) / (bars - END_WICK)
        if not 0.0 < step <= STEEPEST * SPAN:
            raise ContractError(
                f"row {len(self)}: a leg from {self.price} to {extreme} in {bars} bars has steps of "
                f"{step}; they must lie in (0, {STEEPEST * SPAN}]"
            )
        for number in range(bars - 1):
            beyond = 1.0 - FIRST_WICK if number == 0 and step > SLOW else 0.5
            self._step(side * step, beyond, volume)
        self._step(side * step, END_WICK, volume)
        return self._moved(**{"high" if side > 0.0 else "low": extreme})

    def leg_to_close(self, close: float, bars: int, volume: float = 1.0) -> int:
        """``bars`` equal steps to ``close``, first and last bar with even wicks; the last row."""
        return self.drift((close - self.price) / bars, bars, volume)

    def drift(self, step: float, bars: int, volume: float = 1.0) -> int:
        """``bars`` equal steps of ``step`` with even wicks, to be continued; the last row."""
        for _ in range(bars):
            self._step(step, 0.5, volume)
        return self.row

    def _step(self, step: float, beyond: float, volume: float) -> None:
        """A bar of height SPAN; ``beyond`` is the share of its wicks on the side it moves to."""
        wicks = SPAN - abs(step)
        ahead, behind = wicks * beyond, wicks * (1.0 - beyond)
        close = self.price + step
        top, bottom = max(self.price, close), min(self.price, close)
        up = step > 0.0
        self.bar(
            high=top + (ahead if up else behind),
            low=bottom - (behind if up else ahead),
            close=close,
            volume=volume,
        )

    def _moved(self, *, high: float | None = None, low: float | None = None) -> int:
        """The last bar with an extreme that is exactly the number asked for, not a sum of steps."""
        open_, high_, low_, close, volume = self._rows[-1]
        self._rows[-1] = (
            open_,
            high_ if high is None else high,
            low_ if low is None else low,
            close,
            volume,
        )
        return self.row

    def first(self, begin: int, holds: Callable[[int], bool]) -> int:
        """The first row from ``begin`` on for which ``holds``; ContractError where there is none."""
        for row in range(begin, len(self)):
            if holds(row):
                return row
        raise ContractError(f"no row from {begin} to {self.row} is as the drawing says")

    def turn_over(self, about: float) -> None:
        """Everything drawn so far upside down about the price ``about``; twice is as it was."""
        self._rows = [
            (
                2.0 * about - open_,
                2.0 * about - low,
                2.0 * about - high,
                2.0 * about - close,
                volume,
            )
            for open_, high, low, close, volume in self._rows
        ]
        self.price = 2.0 * about - self.price

    def columns(self) -> dict[str, Float1D]:
        """What was drawn: open, high, low, close and volume, ``(T,)`` each."""
        table = np.array(self._rows)
        names = ("open", "high", "low", "close", "volume")
        return {name: table[:, number].copy() for number, name in enumerate(names)}

    def atr(self, length: int) -> Float1D:
        """Wilder's average true range of ``length`` bars, ``(T,)``, NaN before its first mean."""
        spans = np.array([high - low for _open, high, low, _close, _volume in self._rows])
        averages = np.full(len(spans), np.nan)
        averages[length - 1] = spans[:length].mean()
        for row in range(length, len(spans)):
            averages[row] = averages[row - 1] + (spans[row] - averages[row - 1]) / length
        return averages
