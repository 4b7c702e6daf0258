"""Support and resistance: clusters of pivots, the extremes of yesterday and last week."""

import numpy as np

from engine import DAY_NS, WEEK_NS, Bool1D, Float1D, kernel

from .fair_value_gap import ATR_LENGTH, distance_atr
from .liquidity import MONDAY_NS, period_extremes
from .pivot import confirmed_pivots, held_level, long_gaps
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

AGE_DECAY_BARS = 100.0


@kernel(nogil=True)
def _level_kernel(
    close: Float1D,
    width: Float1D,
    pivot_high: Float1D,
    pivot_low: Float1D,
    extra: tuple[Float1D, Float1D, Float1D, Float1D],
    right: int,
    resets: Bool1D,
    window_bars: int,
    decay_bars: float,
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    rows = len(close)
    near, strength = np.zeros(rows), np.zeros(rows)
    above, below = np.full(rows, np.nan), np.full(rows, np.nan)
    # Two pivots a row at most, each of which stays while its anchor is within the window.
    price, row = np.empty(2 * window_bars + 2), np.empty(2 * window_bars + 2)
    count, first_valid_anchor = 0, 0
    for t in range(rows):
        if resets[t]:
            count, first_valid_anchor = 0, t + 1
            continue
        kept = 0
        for k in range(count):
            if t - row[k] < window_bars:
                price[kept], row[kept] = price[k], row[k]
                kept += 1
        count = kept
        if t - right >= first_valid_anchor and right < window_bars:
            for pivot in (pivot_high[t], pivot_low[t]):
                if np.isnan(pivot):
                    continue
                # Sorted by price, so that a cluster is a run of neighbours.
                slot = count
                while slot > 0 and price[slot - 1] > pivot:
                    price[slot], row[slot] = price[slot - 1], row[slot - 1]
                    slot -= 1
                price[slot], row[slot] = pivot, float(t - right)
                count += 1
        if np.isnan(width[t]):
            continue
        start = 0
        while start < count:
            end, total, weight = start, 0.0, 0.0
            while end < count and price[end] - price[start] <= width[t]:
                total += price[end]
                weight += np.exp(-(t - row[end]) / decay_bars)
                end += 1
            level = total / (end - start)
            if abs(close[t] - level) <= width[t]:
                near[t] += 1.0
                strength[t] = max(strength[t], weight)
            if level >= close[t]:
                above[t] = level - close[t] if np.isnan(above[t]) else above[t]
            else:
                below[t] = close[t] - level
            start = end
        for source in range(len(extra)):
            level = extra[source][t]
            if np.isnan(level):
                continue
            if abs(close[t] - level) <= width[t]:
                near[t] += 1.0
                strength[t] = max(strength[t], 1.0)
            if level >= close[t]:
                away = level - close[t]
                above[t] = away if np.isnan(above[t]) else min(above[t], away)
            else:
                away = close[t] - level
                below[t] = away if np.isnan(below[t]) else min(below[t], away)
    return near, strength, above, below


def _since_reset(level: Float1D, resets: Bool1D) -> Float1D:
    # A level from before a long hole in the data says nothing behind it.
    marked = np.where(resets, np.inf, level)
    held = held_level(marked)
    return np.where(np.isinf(held), np.nan, held)


def _support_resistance(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    left, right = int(parameters["left"]), int(parameters["right"])
    resets = long_gaps(columns["is_gap"], len(close))
    atr = average_true_range(high, low, close, ATR_LENGTH)
    pivot_high, pivot_low = confirmed_pivots(high, low, left, right)
    periods = (
        *period_extremes(columns, DAY_NS),
        *period_extremes(columns, WEEK_NS, MONDAY_NS),
    )
    day_high, day_low, week_high, week_low = (_since_reset(level, resets) for level in periods)
    near, strength, above, below = _level_kernel(
        close,
        parameters["width_atr"] * atr,
        pivot_high,
        pivot_low,
        (day_high, day_low, week_high, week_low),
        right,
        resets,
        int(parameters["window_bars"]),
        AGE_DECAY_BARS,
    )
    unknown = np.where(np.isnan(atr), np.nan, 0.0)
    return near, strength + unknown, distance_atr(above, atr), distance_atr(below, atr)


SUPPORT_RESISTANCE = Indicator(
    name="support_resistance",
    text=(
        "Pivots of the last bars clustered within width_atr ATR, and the extremes of the previous "
        "UTC day and week; a pivot is a level from its confirmation on."
    ),
    inputs=("open_time", "high", "low", "close", "is_gap"),
    parameters=(
        Parameter("left", 5, 1, 50),
        Parameter("right", 5, 1, 50),
        Parameter("window_bars", 200, 100, 1000),
        Parameter("width_atr", 0.5, 0.1, 2.0, integer=False),
    ),
    outputs=(
        Output("near_count", "state", "count", "levels within width_atr ATR of the close"),
        Output(
            "strength",
            "value",
            "touches",
            "of the strongest such level: sum of exp(-age / 100) of its pivots, 1 for an extreme",
            low=0.0,
        ),
        Output(
            "resistance_atr",
            "value",
            "ATR",
            "to the nearest level at or above the close, 10 when farther or none",
            low=0.0,
            high=10.0,
        ),
        Output(
            "support_atr",
            "value",
            "ATR",
            "to the nearest level below the close, 10 when farther or none",
            low=0.0,
            high=10.0,
        ),
    ),
    compute=_support_resistance,
    lookback=lambda parameters: ATR_LENGTH,
    # Two whole weeks of hourly bars, so that the previous week's extreme is there.
    stable=lambda parameters: (
        int(parameters["window_bars"]) + 336 + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDICATORS = (SUPPORT_RESISTANCE,)
