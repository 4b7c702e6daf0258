"""Support and resistance: clusters of pivots, the last day and week, its volume, round numbers.

Pivots are clustered as ``_level_kernel.py`` says, no cluster wider than ``width_atr`` ATR. Beside them
stand the high and the low of the UTC day and week that ended last, the point of control and the value
area of that day's volume profile (70 % of its volume, bins of .1 %), and round numbers: the multiples,
next above and below the close, of the smallest of 1, 2 and 5 times a power of ten that is at least
``round_percent`` percent of the close. In another unit of price, ten times as large, they are the same
levels. A close is at a level within ``width_atr`` ATR or ``near_percent`` percent, whichever is more.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, WEEK_NS, Bool1D, Float1D, Float2D

from ._level_kernel import level_kernel
from .bar_step import day_start
from .completed_range import MONDAY_NS, CompletedRanges, period_ranges
from .fair_value_gap import ATR_LENGTH, distance_atr
from .pivot import confirmed_pivots, held_level, long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows
from .volume_profile import profile_rows

PROFILE_BIN: Final = 0.001
PROFILE_PART: Final = 0.70
ROUND_DIGITS: Final = (1.0, 2.0, 5.0, 10.0)


def _since_reset(level: Float1D, resets: Bool1D) -> Float1D:
    # A level from before a long hole in the data says nothing behind it.
    marked = np.where(resets, np.inf, level)
    held = held_level(marked)
    return np.where(np.isinf(held), np.nan, held)


def round_step(price: Float1D, percent: float) -> Float1D:
    """Smallest of 1, 2 and 5 times a power of ten that is at least ``percent`` percent of ``price``.

    ``price`` ``(T,)``, taken without its sign; NaN where it is 0 or NaN.
    """
    least = percent / 100.0 * np.abs(price)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = 10.0 ** np.floor(np.log10(np.where(least > 0, least, np.nan)))
    # A step that is short by the rounding of a logarithm or a product is the step itself.
    short = least * (1.0 - 1e-9)
    step = np.full(len(price), np.nan)
    for digit in reversed(ROUND_DIGITS):
        step = np.where(digit * power >= short, digit * power, step)
    return step


def round_numbers(close: Float1D, percent: float) -> tuple[Float1D, Float1D]:
    """The round numbers at or above and below each close, ``(T,)``; NaN for a ``percent`` of 0."""
    step = round_step(close, percent)
    above = np.ceil(close / step) * step
    return above, above - step


def _value_area(columns: Columns, days: CompletedRanges) -> tuple[Float1D, ...]:
    """Point of control and value area of each day on the row where it is over, NaN elsewhere."""
    over = ~np.isnan(days.high)
    # A day whose last bar is missing from the series is over with the first bar behind it.
    is_behind = np.floor(columns["open_time"] / DAY_NS) != days.period
    last = np.maximum(np.arange(len(over)) - is_behind, 0)
    # The profile is read where a day is whole, and nowhere else.
    start = np.full(len(over), -1)
    start[last[over]] = day_start(columns["open_time"])[last[over]]
    rows, grid, _ = profile_rows(columns, start, PROFILE_BIN, PROFILE_PART)
    levels = (grid.price(bins) for bins in (rows.poc, rows.bottom, rows.top))
    return tuple(np.where(over, level[last], np.nan) for level in levels)


def _further_levels(columns: Columns, resets: Bool1D, round_percent: float) -> Float2D:
    days = period_ranges(columns, DAY_NS)
    weeks = period_ranges(columns, WEEK_NS, MONDAY_NS)
    of_periods = (days.high, days.low, weeks.high, weeks.low, *_value_area(columns, days))
    return np.stack(
        [
            *(_since_reset(level, resets) for level in of_periods),
            *round_numbers(columns["close"], round_percent),
        ]
    )


@shared
def levels_found(
    columns: Columns, parameters: Parameters
) -> tuple[Float2D, Float1D, Float2D, Float2D]:
    """What ``level_kernel`` returns for these columns and parameters, with the ATR behind its first."""
    high, low, close = columns["high"], columns["low"], columns["close"]
    right = int(parameters["right"])
    resets = long_gaps(columns["is_gap"], len(close))
    atr = average_true_range(high, low, close, ATR_LENGTH)
    width = parameters["width_atr"] * atr
    near, events, changes = level_kernel(
        close,
        width,
        np.maximum(width, parameters["near_percent"] / 100.0 * np.abs(close)),
        *confirmed_pivots(high, low, int(parameters["left"]), right),
        _further_levels(columns, resets, parameters["round_percent"]),
        right,
        resets,
        int(parameters["window_bars"]),
    )
    return near, atr, events, changes


def _support_resistance(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    (near, strength, above, below), atr, _, _ = levels_found(columns, parameters)
    unknown = np.where(np.isnan(atr), np.nan, 0.0)
    return near, strength + unknown, distance_atr(above, atr), distance_atr(below, atr)


SUPPORT_RESISTANCE = Indicator(
    name="support_resistance",
    text=(
        "Pivots of the last bars clustered within width_atr ATR, the extremes of the UTC day and week "
        "that ended last, that day's point of control and value area, and round numbers; a pivot is "
        "a level from its confirmation on."
    ),
    inputs=("open_time", "high", "low", "close", "volume", "is_gap"),
    parameters=(
        Parameter("left", 5, 1, 50),
        Parameter("right", 5, 1, 50),
        Parameter("window_bars", 200, 100, 1000),
        Parameter("width_atr", 0.5, 0.1, 2.0, integer=False),
        Parameter("near_percent", 0.0, 0.0, 2.0, integer=False),
        Parameter("round_percent", 5.0, 0.0, 20.0, integer=False),
    ),
    outputs=(
        Output("near_count", "state", "count", "levels that the close is at"),
        Output(
            "strength",
            "value",
            "touches",
            "of the strongest of them: sum of exp(-age / 100) of its pivots, 1 for any other level",
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
