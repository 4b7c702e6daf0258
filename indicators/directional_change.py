"""The directional change: an extreme that a close has left behind by a multiple of the ATR is a turn."""

import numpy as np

from engine import Bool1D, ConfigError, Float1D, kernel

from .pivot import held_level, long_gaps
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows


@kernel(nogil=True)
def _extreme_row_kernel(values: Float1D, first: int, last: int, side: int) -> int:
    row = first
    for i in range(first + 1, last + 1):
        if side * values[i] > side * values[row]:
            row = i
    return row


@kernel(nogil=True)
def _directional_change_kernel(
    high: Float1D, low: Float1D, close: Float1D, threshold: Float1D, resets: Bool1D
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(close)
    pivot_high, pivot_low = np.full(rows, np.nan), np.full(rows, np.nan)
    anchor = np.full(rows, -1.0)
    leg, top, bottom = 0, -1, -1
    for t in range(rows):
        if resets[t]:
            leg, top, bottom = 0, -1, -1
            continue
        if leg >= 0 and (top < 0 or high[t] > high[top]):
            top = t
        if leg <= 0 and (bottom < 0 or low[t] < low[bottom]):
            bottom = t
        falls = leg >= 0 and top < t and high[top] - close[t] >= threshold[t]
        rises = leg <= 0 and bottom < t and close[t] - low[bottom] >= threshold[t]
        if falls and rises:
            falls, rises = top > bottom, bottom > top
        if falls:
            pivot_high[t], anchor[t] = high[top], float(top)
            leg, bottom = -1, _extreme_row_kernel(low, top + 1, t, -1)
        elif rises:
            pivot_low[t], anchor[t] = low[bottom], float(bottom)
            leg, top = 1, _extreme_row_kernel(high, bottom + 1, t, 1)
    return pivot_high, pivot_low, anchor


def directional_change_pivots(
    high: Float1D,
    low: Float1D,
    close: Float1D,
    atr: Float1D,
    multiple: float,
    *,
    is_gap: Float1D | None = None,
) -> tuple[Float1D, Float1D, Float1D]:
    """Turns confirmed by a close ``multiple * atr`` away from the running extreme of the leg.

    The high of an up-leg at row *e* is known at the first row ``t > e`` whose close lies that far
    below it; a bar that both extends and reverses extends first, so no order inside a bar is
    assumed. The next leg's extreme is sought in the bars after *e*. The first leg takes the side
    that turns first, and on a tie the one whose extreme is newer.

    Arrays ``(T,)`` in price units. Returns the pivot highs and lows (NaN where none is confirmed)
    and the row of the extreme (-1 where none is); nothing is confirmed while ``atr`` is NaN. Raises
    ConfigError unless ``multiple`` is positive.
    """
    if not multiple > 0:
        raise ConfigError(f"multiple={multiple} must be positive")
    high, low, close, atr = (
        np.ascontiguousarray(column, dtype=np.float64) for column in (high, low, close, atr)
    )
    return _directional_change_kernel(
        high, low, close, multiple * atr, long_gaps(is_gap, len(close))
    )


def _turns(pivot_high: Float1D, pivot_low: Float1D) -> Float1D:
    highs, lows = ~np.isnan(pivot_high), ~np.isnan(pivot_low)
    return lows.astype(np.float64) - highs


def _directional_change(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, int(parameters["atr_length"]))
    pivot_high, pivot_low, anchor = directional_change_pivots(
        high, low, close, atr, parameters["multiple"], is_gap=columns["is_gap"]
    )
    delay = np.where(anchor >= 0, np.arange(len(close)) - anchor, np.nan)
    turns = _turns(pivot_high, pivot_low)
    return held_level(pivot_high), held_level(pivot_low), turns, held_level(delay)


DIRECTIONAL_CHANGE = Indicator(
    name="directional_change",
    text="Causal zigzag: a turn is known when a close is multiple * ATR away from the extreme.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(
        Parameter("multiple", 2.5, 1.0, 6.0, integer=False),
        Parameter("atr_length", 14, 2, 200),
    ),
    outputs=(
        Output("high", "level", "price", "newest confirmed high", low=0.0),
        Output("low", "level", "price", "newest confirmed low", low=0.0),
        Output(
            "turn",
            "signal",
            "direction",
            "1 where a low is confirmed, -1 where a high is",
            firing_rate=(0.02, 0.10),
        ),
        Output("delay_bars", "level", "bars", "bars from the newest extreme to its confirmation"),
    ),
    compute=_directional_change,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 500 + wilder_stable_rows(int(parameters["atr_length"])),
)

INDICATORS = (DIRECTIONAL_CHANGE,)
