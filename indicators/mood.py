"""Mood of the market from its bars alone, and exhaustion of a trend.

The mood compares a day of returns with the past year, so its windows are measured on the time of
the bars and any step will do.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D, kernel

from .directional import directional_movement
from .momentum import relative_strength_index
from .moving_average import wilder_stable_rows
from .rolling import previous_mean_ratio, quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import log_returns
from .time_window import window_moments, window_percent_rank

MOST_GAPS: Final = 3
_SMALLEST_VOLUME_RATIO: Final = 0.01
_VOLUME_LENGTH: Final = 20
_ROWS_PER_DAY: Final = 24
_MONTH_DAYS: Final = 30
_QUARTER_DAYS: Final = 90


@kernel(nogil=True)
def _day_returns_kernel(
    open_time: Float1D, log_return: Float1D, day_ns: float
) -> tuple[Float1D, Float1D]:
    """Sum and root of the sum of squares of the returns of the bars opened in the last day."""
    total, size = np.zeros(len(log_return)), np.zeros(len(log_return))
    start = 0
    for t in range(len(log_return)):
        while start < t and open_time[start] <= open_time[t] - day_ns:
            start += 1
        moved, squares = 0.0, 0.0
        for i in range(start, t + 1):
            moved += log_return[i]
            squares += log_return[i] ** 2
        total[t], size[t] = moved, np.sqrt(squares)
    return total, size


@kernel(nogil=True)
def _run_kernel(
    close: Float1D, is_gap: Float1D, lag: int, most_gaps: int
) -> tuple[Float1D, Float1D]:
    """Lengths of the runs of closes above, and below, the close ``lag`` bars before."""
    above, below = np.zeros(len(close)), np.zeros(len(close))
    ups, downs, gaps, first_usable = 0, 0, 0, 0
    for t in range(len(close)):
        gaps = gaps + 1 if is_gap[t] > 0.5 else 0
        if gaps > most_gaps:
            first_usable = t + 1
        if t - lag < first_usable:
            ups, downs = 0, 0
            continue
        ups = ups + 1 if close[t] > close[t - lag] else 0
        downs = downs + 1 if close[t] < close[t - lag] else 0
        above[t], below[t] = ups, downs
    return above, below


def _mood(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    log_return = log_returns(columns["close"])
    moved, size = _day_returns_kernel(columns["open_time"], log_return, float(DAY_NS))
    rank = window_percent_rank(
        columns["open_time"],
        size,
        parameters["window_days"],
        min(parameters["minimum_days"], parameters["window_days"]),
    )
    adx, plus, minus = directional_movement(
        columns["high"], columns["low"], columns["close"], int(parameters["length"])
    )
    ratio = previous_mean_ratio(columns["volume"], _VOLUME_LENGTH)
    activity = np.log(np.maximum(ratio, _SMALLEST_VOLUME_RATIO)) * np.sign(log_return)
    pace = quotient(moved, size, 0.0)
    known = rank * 0.0 + adx * 0.0 + ratio * 0.0
    parts = (
        100.0 - rank,
        50.0 + 50.0 * np.tanh(pace / 1.5),
        50.0 + 50.0 * np.tanh(activity / 0.5),
        50.0 + 0.5 * adx * np.sign(plus - minus),
    )
    score = 0.3 * parts[0] + 0.3 * parts[1] + 0.2 * parts[2] + 0.2 * parts[3]
    return score + known, *(part + known for part in parts)


def _exhaustion(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    rsi = relative_strength_index(close, int(parameters["length"]))
    ratio = previous_mean_ratio(columns["volume"], _VOLUME_LENGTH)
    above, below = _run_kernel(close, columns["is_gap"], 4, MOST_GAPS)
    count, reach = parameters["count"], parameters["rsi_extreme"]
    busy = ratio > parameters["volume_ratio"]
    top = (above >= count) & (rsi > reach) & busy
    bottom = (below >= count) & (rsi < 100.0 - reach) & busy
    warm_up = _exhaustion_lookback(parameters)
    rsi[:warm_up] = np.nan
    ratio[:warm_up] = np.nan
    signal = bottom.astype(np.float64) - top
    signal[:warm_up] = 0.0
    return signal, rsi, ratio


def _fear_greed_of_bars(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time, close = columns["open_time"], columns["close"]
    log_return = log_returns(close)
    moved, size = _day_returns_kernel(open_time, log_return, float(DAY_NS))
    minimum_days = parameters["minimum_days"]

    def against_past(values: Float1D) -> Float1D:
        """The value over its means of a month and of a quarter, less 1; 0 where it never moves."""
        month, quarter = (
            quotient(
                values, window_moments(open_time, values, days, min(minimum_days, days))[0], 1.0
            )
            for days in (_MONTH_DAYS, _QUARTER_DAYS)
        )
        return 0.5 * (month + quarter) - 1.0

    activity, _ = _day_returns_kernel(open_time, columns["volume"], float(DAY_NS))
    loud = against_past(size)
    busy = against_past(activity)
    calm = 50.0 - 50.0 * np.tanh(loud / 0.5)
    pace = quotient(moved, size, 0.0) * np.clip(1.0 + busy, 0.5, 2.0)
    momentum = 50.0 + 50.0 * np.tanh(pace / 1.5)
    index = 0.5 * calm + 0.5 * momentum
    fear = parameters["fear"]
    extreme = (index < fear) | (index > 100.0 - fear)
    score = np.where(extreme, 100.0 - index, np.where(np.isnan(index), np.nan, 50.0))
    return index, score, calm, momentum


def _exhaustion_lookback(parameters: Parameters) -> int:
    return max(int(parameters["length"]), _VOLUME_LENGTH)


_MOOD_PARTS: Final = (
    ("calm", "100 - percent rank of the day's realised volatility in `window_days`"),
    ("pace", "50 + 50 tanh(return of a day / its volatility / 1.5)"),
    ("activity", "50 + 50 tanh(ln relative volume x sign of the return / 0.5)"),
    ("trend", "50 + ADX / 2 x sign(+DI - -DI)"),
)

MARKET_MOOD = Indicator(
    name="market_mood",
    text="Mood from bars: 0.3 calm + 0.3 pace + 0.2 activity + 0.2 trend.",
    inputs=("open_time", "high", "low", "close", "volume"),
    parameters=(
        Parameter("window_days", 365, 30, 730),
        Parameter("minimum_days", 90, 10, 365),
        Parameter("length", 14, 5, 50),
    ),
    outputs=(
        Output("score", "level", "score", "weighted mean of the four parts", 0.0, 100.0),
        *(Output(name, "level", "score", text, 0.0, 100.0) for name, text in _MOOD_PARTS),
    ),
    compute=_mood,
    lookback=lambda parameters: 0,
    stable=lambda parameters: max(
        int(parameters["window_days"] + 1) * _ROWS_PER_DAY + 1,
        wilder_stable_rows(int(parameters["length"]), 2),
    ),
)

TREND_EXHAUSTION = Indicator(
    name="trend_exhaustion",
    text="A count of nine closes beyond the close four bars before, an extreme RSI and high volume.",
    inputs=("close", "volume", "is_gap"),
    parameters=(
        Parameter("length", 14, 5, 50),
        Parameter("count", 9, 5, 13),
        Parameter("rsi_extreme", 75.0, 60.0, 90.0, integer=False),
        Parameter("volume_ratio", 2.0, 1.0, 5.0, integer=False),
    ),
    outputs=(
        Output(
            "signal",
            "signal",
            "",
            "-1 after an exhausted rise, 1 after an exhausted fall",
            firing_rate=(0.0002, 0.02),
        ),
        Output("rsi", "value", "", "Wilder's relative strength index", 0.0, 100.0),
        Output("relative_volume", "value", "", "volume over the mean of the 20 bars before", 0.0),
    ),
    compute=_exhaustion,
    lookback=_exhaustion_lookback,
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"])) + _VOLUME_LENGTH,
)

FEAR_GREED_OF_BARS = Indicator(
    name="fear_greed_of_bars",
    text="A fear and greed index from bars alone: calm and momentum of a day against 30 and 90 days.",
    inputs=("open_time", "close", "volume"),
    parameters=(
        Parameter("fear", 25, 5, 45),
        Parameter("minimum_days", 90, 10, 90),
    ),
    outputs=(
        Output("index", "level", "score", "0 extreme fear, 100 extreme greed", 0.0, 100.0),
        Output("score", "level", "score", "100 - index at an extreme, else 50", 0.0, 100.0),
        Output("calm", "level", "score", "volatility of a day against its past", 0.0, 100.0),
        Output("momentum", "level", "score", "return and volume of a day", 0.0, 100.0),
    ),
    compute=_fear_greed_of_bars,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (_QUARTER_DAYS + 1) * _ROWS_PER_DAY + 2,
)
"""SPEC H2.8: the published weights volatility 25 and momentum 25, scaled up; dominance is left to the
features across symbols, social media and surveys have no history."""

INDICATORS = (MARKET_MOOD, TREND_EXHAUSTION, FEAR_GREED_OF_BARS)
