"""Candles as TA-Lib measures them, and how far a candle may fall short of a gap."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from engine import Bool1D, Float1D

from .candlestick import finite_prices
from .rolling import rolling_mean
from .spec import Columns
from .volatility import average_true_range

ATR_LENGTH: Final = 14


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle of a pattern on every row at once: arrays ``(T,)``, and TA-Lib's yardsticks of it.

    ``colour`` is 1 for a close at or above the open, else -1; ``top`` and ``bottom`` are the ends of
    the body. ``mean_body`` and ``mean_range`` are those of the ten bars before it, ``recent_range``
    that of five. ``slack`` is by how much the candles after it may fall short of its levels, in price.
    """

    open: Float1D
    high: Float1D
    low: Float1D
    close: Float1D
    colour: Float1D
    body: Float1D
    top: Float1D
    bottom: Float1D
    mean_body: Float1D
    mean_range: Float1D
    recent_range: Float1D
    slack: Float1D

    @property
    def white(self) -> Bool1D:
        """The close is at or above the open."""
        return self.colour > 0

    @property
    def black(self) -> Bool1D:
        """The close is below the open."""
        return self.colour < 0

    @property
    def long(self) -> Bool1D:
        """The body is longer than its yardstick."""
        return self.body > self.mean_body

    @property
    def short(self) -> Bool1D:
        """The body is shorter than its yardstick."""
        return self.body < self.mean_body

    @property
    def not_long(self) -> Bool1D:
        """The body is at most as long as its yardstick."""
        return self.body <= self.mean_body

    @property
    def doji(self) -> Bool1D:
        """The body is at most a tenth of the mean range."""
        return self.body <= 0.1 * self.mean_range

    @property
    def upper_shadow(self) -> Float1D:
        """From the body up to the high."""
        return self.high - self.top

    @property
    def lower_shadow(self) -> Float1D:
        """From the low up to the body."""
        return self.bottom - self.low

    def tiny(self, shadow: Float1D) -> Bool1D:
        """``shadow`` is very short by this candle's yardstick."""
        return shadow < 0.1 * self.mean_range

    @property
    def full(self) -> Bool1D:
        """A marubozu: very short shadows on both ends."""
        return self.tiny(self.upper_shadow) & self.tiny(self.lower_shadow)


@dataclass(frozen=True, slots=True)
class Candles:
    """The candle of every row."""

    candle: Candle

    @classmethod
    def of(cls, columns: Columns, overlap_atr: float) -> Self:
        """Measured on open, high, low and close, each ``(T,)``; a bar without a price repeats a close.

        NaN yardsticks, which no comparison passes, until the bars before are enough; a NaN slack
        until ``overlap_atr`` times the ATR is known.
        """
        open_, high, low, close = finite_prices(columns)
        body, spread = np.abs(close - open_), high - low
        atr = average_true_range(high, low, close, ATR_LENGTH)
        return cls(
            Candle(
                open=open_,
                high=high,
                low=low,
                close=close,
                colour=np.where(close >= open_, 1.0, -1.0),
                body=body,
                top=np.maximum(open_, close),
                bottom=np.minimum(open_, close),
                mean_body=_before(rolling_mean(body, 10)),
                mean_range=_before(rolling_mean(spread, 10)),
                recent_range=_before(rolling_mean(spread, 5)),
                slack=overlap_atr * atr,
            )
        )

    @property
    def rows(self) -> int:
        """Rows of the market."""
        return len(self.candle.close)

    @property
    def close(self) -> Float1D:
        """Closes, ``(T,)``."""
        return self.candle.close

    def of_pattern(self, count: int) -> list[Candle]:
        """``count`` candles in order of time, each on the rows that end a run of ``count`` bars."""
        last = self.rows - count + 1
        return [
            Candle(
                **{
                    field.name: getattr(self.candle, field.name)[place : last + place]
                    for field in fields(Candle)
                }
            )
            for place in range(count)
        ]


def _before(means: Float1D) -> Float1D:
    return np.concatenate((np.full(min(len(means), 1), np.nan), means[:-1]))


def beyond(side: Float1D | float, value: Float1D, level: Float1D, slack: Float1D) -> Bool1D:
    """``value`` lies on ``side`` of ``level``, or short of it by less than ``slack``."""
    # The sign of a difference is exact, so that no slack is TA-Lib's strict comparison.
    return side * (value - level) > -slack


def gap_up(before: Candle, after: Candle) -> Bool1D:
    """The body of ``after`` lies above that of ``before``, within its slack."""
    return beyond(1.0, after.bottom, before.top, before.slack)


def gap_down(before: Candle, after: Candle) -> Bool1D:
    """The body of ``after`` lies below that of ``before``, within its slack."""
    return beyond(-1.0, after.top, before.bottom, before.slack)


def gap_onwards(before: Candle, after: Candle) -> Bool1D:
    """A gap on the side to which ``before`` moved."""
    return np.where(before.white, gap_up(before, after), gap_down(before, after))


def opens_within(after: Candle, before: Candle) -> Bool1D:
    """``after`` opens inside the body of ``before``, within its slack."""
    above = beyond(1.0, after.open, before.bottom, before.slack)
    return above & beyond(-1.0, after.open, before.top, before.slack)
