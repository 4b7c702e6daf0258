"""Returns by the hour and the weekday of a bar, UTC."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from engine import Float1D, Float2D, Int1D
from engine.arrays import Int2D
from engine.timeframe import DAY_NS, HOUR_NS

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeekCells:
    """Bars by weekday (rows, Monday first) and by the hour in which they open (columns).

    ``hours`` are the hours at which bars open, ``count`` ``(7, H)`` how many, ``mean`` their mean return
    (NaN without a bar). ``t`` is (mean − mean of all bars) ÷ (deviation ÷ √count), so that what every
    hour pays alike sets none apart; NaN below 30 bars or without variation.
    """

    hours: tuple[int, ...]
    count: Int2D
    mean: Float2D
    t: Float2D


FEWEST_IN_CELL: Final = 30


def week_cells(open_time: Int1D, returns: Float1D) -> WeekCells:
    """Cells of bar returns ``(T,)`` by open time, int64 ns UTC. Bars of a day or more have one column."""
    weekday = (open_time // DAY_NS + _EPOCH_WEEKDAY) % 7
    hour = open_time % DAY_NS // HOUR_NS
    hours, column = np.unique(hour, return_inverse=True)
    cell = weekday * len(hours) + column
    size, shape = 7 * len(hours), (7, len(hours))
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, weights=returns, minlength=size)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    away = returns - mean[cell]
    squares = np.bincount(cell, weights=away * away, minlength=size)
    many = (count >= FEWEST_IN_CELL) & (squares > 0)
    error = np.sqrt(
        np.divide(squares, (count - 1.0) * count, out=np.full(size, np.nan), where=many)
    )
    return WeekCells(
        hours=tuple(hours.tolist()),
        count=count.reshape(shape).astype(np.int64),
        mean=mean.reshape(shape),
        t=((mean - returns.mean()) / error).reshape(shape),
    )


def beyond_two(cells: WeekCells) -> tuple[int, float]:
    """Cells whose ``t`` lies beyond 2 on either side, and how many of those with a ``t`` would by chance.

    By chance t has Student's distribution with count − 1 degrees of freedom.
    """
    judged = np.isfinite(cells.t)
    expected = 2.0 * stdtr(cells.count[judged] - 1.0, -2.0)
    return int((np.abs(cells.t[judged]) > 2.0).sum()), float(expected.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clockwise:
    """Bars by one part of the clock: how many, their mean return, and what they compound to, ``(K,)``."""

    count: Int1D
    mean: Float1D
    compounded: Float1D


def grouped(keys: Int1D, size: int, returns: Float1D) -> Clockwise:
    """Bar returns ``(T,)`` by ``keys`` from 0 to ``size`` − 1; a return of −1 or less makes −1."""
    count = np.bincount(keys, minlength=size).astype(np.int64)
    total = np.bincount(keys, weights=returns, minlength=size)
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(1.0 + returns, 0.0))
    grown = np.bincount(keys, weights=logs, minlength=size)
    return Clockwise(
        count=count,
        mean=np.divide(total, count, out=np.full(size, np.nan), where=count > 0),
        compounded=np.expm1(grown),
    )


def weekdays(open_time: Int1D) -> Int1D:
    """Weekday of each open, 0 for Monday."""
    days: Int1D = (open_time // DAY_NS + _EPOCH_WEEKDAY) % 7
    return days
