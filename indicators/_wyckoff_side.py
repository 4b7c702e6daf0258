"""Both sides of Wyckoff's method over the columns of a market: what the loops found, and where."""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D

from . import _wyckoff_birth as birth_kernels
from . import _wyckoff_range as range_kernels
from . import _wyckoff_record as of
from .pivot import alternating_pivots, confirmed_pivots, long_gaps
from .rolling import (
    percent_rank,
    previous_mean_ratio,
    quotient,
    rolling_max,
    rolling_mean,
    rolling_min,
)
from .shared_work import shared
from .spec import Columns, Parameters
from .volatility import average_true_range

ATR_LENGTH = 20
TREND_LENGTH = 100
RALLY_SIDE = 3

FACTS = ("anchor", "price", "support", "resistance", "target")
"""What is kept of an event beside its row; prices are times the sign of the side."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of the method yields, prices times ``sign``; every array ``(T,)`` or ``(rows, T)``.

    ``preliminary``: row of the preliminary bar on the row of its climax, -1 elsewhere. ``born_of``:
    row of the climax on the row where its range is known, ``given_up``: on the row where none can come
    of it any more, -1 elsewhere. ``events`` and ``facts`` (by
    ``FACTS``): ``EventArrays`` by the rows of ``_wyckoff_record``. ``leading``, ``ranges`` and
    ``changes`` as ``_wyckoff_range`` describes them.
    """

    sign: float
    low: Float1D
    relative_volume: Float1D
    preliminary: Int1D
    climax: Bool1D
    born_of: Int1D
    given_up: Int1D
    events: Float2D
    facts: tuple[Float2D, ...]
    leading: Float2D
    ranges: Float2D
    changes: Float2D


@dataclass(frozen=True, slots=True)
class _Origins:
    """What one side sees before its ranges live: packed bars, climaxes and births."""

    bars: Float2D
    preliminary: Int1D
    climax: Bool1D
    born_of: Int1D
    given_up: Int1D


def _newest_pivot(price: Float2D, kind: Float2D, side: float) -> Float1D:
    """Price of the newest pivot of one kind in the alternating list, NaN when there is none."""
    second = np.where(kind[:, 1] == side, price[:, 1], np.nan)
    return np.where(kind[:, 0] == side, price[:, 0], second)


def _origins(columns: Columns, parameters: Parameters, sign: float, resets: Bool1D) -> _Origins:
    """Accumulation for ``sign`` 1; for -1 distribution, as accumulation of the negated prices."""
    up = sign > 0
    open_, close = sign * columns["open"], sign * columns["close"]
    high = columns["high"] if up else -columns["low"]
    low = columns["low"] if up else -columns["high"]
    volume, rows = columns["volume"], len(close)
    right = int(parameters["pivot_right"])
    atr = average_true_range(columns["high"], columns["low"], columns["close"], ATR_LENGTH)
    relative_volume = previous_mean_ratio(volume, 20)
    spread = quotient(high - low, atr, 0.0)
    close_location = quotient(close - low, high - low, 0.5)
    wide, strong = spread >= 1.5, (spread >= 1.2) & (relative_volume >= 1.2)
    if parameters["seed_thresholds"] > 0:
        share = quotient(high - low, columns["close"], 0.0)
        wide, strong = share >= 0.02, (share >= 0.015) & (relative_volume >= 1.5)

    fallen = rolling_max(high, TREND_LENGTH) - low >= parameters["trend_atr"] * atr
    before = fallen & (close < rolling_mean(close, 50))
    heavy = relative_volume >= parameters["climax_volume"]
    heavy |= percent_rank(volume, 100) >= 97.0
    climax = before & heavy & wide & ((close < open_) | (close_location <= 0.6))
    climax &= low == rolling_min(low, 50)
    preliminary = before & (relative_volume >= 1.5) & (spread >= 1.2) & (close_location >= 0.4)
    preliminary &= low == rolling_min(low, 20)

    pivot_high, pivot_low = confirmed_pivots(high, low, right, right)
    price, _, kind = alternating_pivots(pivot_high, pivot_low, right, 2, is_gap=columns["is_gap"])
    rally_high, _ = confirmed_pivots(high, low, RALLY_SIDE, RALLY_SIDE)
    bars = np.empty((of.BAR_ROWS, rows))
    for row, column in (
        (of.BAR_HIGH, high),
        (of.BAR_LOW, low),
        (of.BAR_CLOSE, close),
        (of.BAR_VOLUME, volume),
        (of.BAR_ATR, atr),
        (of.BAR_RELATIVE_VOLUME, relative_volume),
        (of.BAR_SPREAD, spread),
        (of.BAR_STRONG, strong & (close_location >= 0.6)),
        (of.BAR_LEG_LOW, _newest_pivot(price, kind, -1.0)),
        (of.BAR_PIVOT_LOW, pivot_low),
    ):
        bars[row] = column
    born_of, given_up = birth_kernels.birth_kernel(
        climax, low, atr, _newest_pivot(price, kind, 1.0), rally_high, RALLY_SIDE, resets
    )
    return _Origins(
        bars,
        birth_kernels.preliminary_kernel(preliminary, climax, resets),
        climax,
        born_of,
        given_up,
    )


def _side(
    own: _Origins, other: _Origins, parameters: Parameters, sign: float, resets: Bool1D
) -> Side:
    found, leading, ranges, changes = range_kernels.life_kernel(
        own.bars,
        own.born_of,
        other.born_of,
        RALLY_SIDE,
        resets,
        int(parameters["max_range_bars"]),
        int(parameters["pivot_right"]),
        parameters["spring_depth"],
    )
    events, *facts = found
    return Side(
        sign=sign,
        low=own.bars[of.BAR_LOW],
        relative_volume=own.bars[of.BAR_RELATIVE_VOLUME],
        preliminary=own.preliminary,
        climax=own.climax,
        born_of=own.born_of,
        given_up=own.given_up,
        events=events,
        facts=tuple(facts),
        leading=leading,
        ranges=ranges,
        changes=changes,
    )


@shared
def both_sides(columns: Columns, parameters: Parameters) -> tuple[Side, Side]:
    """Accumulation and distribution, each with the second readings of the other's ranges."""
    resets = long_gaps(columns["is_gap"], len(columns["close"]))
    long = _origins(columns, parameters, 1.0, resets)
    short = _origins(columns, parameters, -1.0, resets)
    return (
        _side(long, short, parameters, 1.0, resets),
        _side(short, long, parameters, -1.0, resets),
    )
