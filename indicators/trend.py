"""Trend: MACD, directional movement, Aroon, SuperTrend, crossings and the causal Ichimoku score."""

import numpy as np

from engine import Float1D, kernel

from .momentum import check_order
from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_mean,
    wilder_stable_rows,
)
from .rolling import quotient, rolling_max, rolling_min
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in differences of averages, whose errors weigh more than in prices."""
SUPERTREND_SETTLING_ROWS = 1000
"""Rows allowed for both SuperTrend bands to be crossed; 120 starts on null hourly bars took 129."""


@kernel
def _wilder_sum_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    if len(values) <= length:
        return out
    total = 0.0
    for t in range(1, length):
        total += values[t]
    for t in range(length, len(values)):
        total = total - total / length + values[t]
        out[t] = total
    return out


@kernel
def _rows_since_extreme_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length, len(values)):
        best, age = values[t], 0
        for back in range(1, length + 1):
            if values[t - back] > best:
                best, age = values[t - back], back
        out[t] = age
    return out


@kernel
def _supertrend_kernel(
    middle: Float1D, close: Float1D, reach: Float1D, start: int
) -> tuple[Float1D, Float1D]:
    line = np.full(len(close), np.nan)
    side = np.full(len(close), np.nan)
    upper, lower, direction = 0.0, 0.0, 1.0
    for t in range(start, len(close)):
        top, bottom = middle[t] + reach[t], middle[t] - reach[t]
        if t == start:
            upper, lower = top, bottom
        else:
            previous_upper, previous_lower = upper, lower
            if top < upper or close[t - 1] > upper:
                upper = top
            if bottom > lower or close[t - 1] < lower:
                lower = bottom
            if direction < 0 and close[t] > previous_upper:
                direction = 1.0
            elif direction > 0 and close[t] < previous_lower:
                direction = -1.0
        line[t] = lower if direction > 0 else upper
        side[t] = direction
    return line, side


def moving_average_convergence(
    close: Float1D, fast: int, slow: int, signal: int
) -> tuple[Float1D, Float1D, Float1D]:
    """MACD (Appel): EMA(fast) - EMA(slow), the EMA of that, and their difference.

    Arrays ``(T,)`` in price units; known at close *t*; all NaN for ``slow + signal - 2`` rows. Both
    EMAs are seeded so that they begin on the same row, as in TA-Lib.
    """
    line = exponential_mean(close, fast, slow - fast) - exponential_mean(close, slow)
    smooth = exponential_mean(line, signal, slow - 1)
    return line + 0.0 * smooth, smooth, line - smooth


def directional_movement(
    high: Float1D, low: Float1D, close: Float1D, length: int
) -> tuple[Float1D, Float1D, Float1D]:
    """ADX, +DI and -DI (Wilder 1978); 0 where nothing moved.

    Arrays ``(T,)``, 0 to 100; known at close *t*; the DI are NaN for ``length`` rows, ADX for
    ``2 length - 1``.
    """
    up, down = np.zeros(len(high)), np.zeros(len(low))
    up[1:], down[1:] = high[1:] - high[:-1], low[:-1] - low[1:]
    spread = _wilder_sum_kernel(true_range(high, low, close), length)
    rise = _wilder_sum_kernel(np.where((up > down) & (up > 0), up, 0.0), length)
    fall = _wilder_sum_kernel(np.where((down > up) & (down > 0), down, 0.0), length)
    plus, minus = 100.0 * quotient(rise, spread, 0.0), 100.0 * quotient(fall, spread, 0.0)
    index = 100.0 * quotient(np.abs(plus - minus), plus + minus, 0.0)
    return wilder_mean(index, length, length), plus, minus


def supertrend(
    high: Float1D, low: Float1D, close: Float1D, length: int, multiple: float
) -> tuple[Float1D, Float1D]:
    """SuperTrend (Seban): the trailing line in price units and the side of it, 1 or -1.

    Arrays ``(T,)``; NaN for ``length`` rows. A band at median price plus or minus ``multiple`` ATR
    only tightens until a close crosses it; ``side[t]`` uses ``close[t]``, and the stop for the next
    bar is ``line[t]``. It starts on side 1.
    """
    reach = multiple * average_true_range(high, low, close, length)
    return _supertrend_kernel((high + low) / 2.0, close, reach, length)


def ichimoku_score(
    high: Float1D,
    low: Float1D,
    close: Float1D,
    conversion: int,
    base: int,
    span: int,
    shift: int,
) -> Float1D:
    """50 + 10 x the sum of five signs: close against cloud, conversion against base, close against
    base, close against the close ``shift`` bars ago, and the two spans of the cloud to come.

    Array ``(T,)``, 0 to 100; NaN for ``max(conversion, base, span) - 1 + shift`` rows. The cloud at
    row *t* is made of spans of row ``t - shift``; no line is ever drawn back in time.
    """

    def middle(length: int) -> Float1D:
        return (rolling_max(high, length) + rolling_min(low, length)) / 2.0

    fast, slow, span_b = middle(conversion), middle(base), middle(span)
    span_a = (fast + slow) / 2.0
    top, bottom, past = (np.full(len(close), np.nan) for _ in range(3))
    top[shift:] = np.maximum(span_a, span_b)[:-shift]
    bottom[shift:] = np.minimum(span_a, span_b)[:-shift]
    past[shift:] = close[:-shift]
    above_cloud = (close > top).astype(np.float64) - (close < bottom)
    total = above_cloud + np.sign(fast - slow) + np.sign(close - slow)
    total = total + np.sign(close - past) + np.sign(span_a - span_b)
    return np.where(np.isnan(top), np.nan, 50.0 + 10.0 * total)


def _macd(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("macd", "fast", "slow", parameters)
    lengths = [int(parameters[name]) for name in ("fast", "slow", "signal")]
    return moving_average_convergence(columns["close"], *lengths)


MACD = Indicator(
    name="macd",
    text="Moving average convergence and divergence (Appel), seeds aligned as in TA-Lib.",
    inputs=("close",),
    parameters=(
        Parameter("fast", 12, 2, 100),
        Parameter("slow", 26, 3, 400),
        Parameter("signal", 9, 2, 100),
    ),
    outputs=(
        Output("macd", "value", "price", "EMA(fast) less EMA(slow)"),
        Output("signal", "value", "price", "EMA of the line"),
        Output("histogram", "value", "price", "line less signal"),
    ),
    compute=_macd,
    lookback=lambda parameters: int(parameters["slow"] + parameters["signal"]) - 2,
    stable=lambda parameters: exponential_stable_rows(
        int(max(parameters["slow"], parameters["signal"])), 2, TIGHT
    ),
)


def _adx(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    adx, plus, minus = directional_movement(
        columns["high"], columns["low"], columns["close"], int(parameters["length"])
    )
    unknown = np.isnan(adx)
    return adx, np.where(unknown, np.nan, plus), np.where(unknown, np.nan, minus)


ADX = Indicator(
    name="adx",
    text="Average directional index and the directional indicators (Wilder).",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 100),),
    outputs=(
        Output("adx", "value", "0 to 100", "strength of the trend", 0.0, 100.0),
        Output("plus_di", "value", "0 to 100", "upward movement", 0.0, 100.0),
        Output("minus_di", "value", "0 to 100", "downward movement", 0.0, 100.0),
    ),
    compute=_adx,
    lookback=lambda parameters: int(2 * parameters["length"]) - 1,
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 2, TIGHT),
)


def _aroon(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    up = 100.0 * (length - _rows_since_extreme_kernel(columns["high"], length)) / length
    down = 100.0 * (length - _rows_since_extreme_kernel(-columns["low"], length)) / length
    return up, down, up - down


AROON = Indicator(
    name="aroon",
    text="Aroon (Chande 1995): how recent the last extremes are; the newest of equal extremes counts.",
    inputs=("high", "low"),
    parameters=(Parameter("length", 25, 2, 200),),
    outputs=(
        Output("up", "value", "0 to 100", "100 when row t is the highest", 0.0, 100.0),
        Output("down", "value", "0 to 100", "100 when row t is the lowest", 0.0, 100.0),
        Output("oscillator", "value", "-100 to 100", "up less down", -100.0, 100.0),
    ),
    compute=_aroon,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)


def _supertrend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    line, side = supertrend(
        columns["high"],
        columns["low"],
        columns["close"],
        int(parameters["length"]),
        parameters["multiple"],
    )
    flip = np.zeros(len(side))
    flip[1:] = np.where(side[1:] * side[:-1] < 0, side[1:], 0.0)
    return line, side, flip


SUPERTREND = Indicator(
    name="supertrend",
    text=(
        "SuperTrend: trailing line, side and change of side. It is a recursion on prices, as ATR is, "
        "and goes on through missing bars. Two starts agree once both bands were crossed."
    ),
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 10, 2, 100),
        Parameter("multiple", 3.0, 0.5, 10.0, integer=False),
    ),
    outputs=(
        Output("line", "value", "price", "the stop for the next bar"),
        Output("side", "value", "side", "1 above the line, -1 below", -1.0, 1.0),
        Output(
            "flip", "signal", "side", "the new side, on its first row", firing_rate=(0.01, 0.06)
        ),
    ),
    compute=_supertrend,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: (
        wilder_stable_rows(int(parameters["length"]), 1, TIGHT) + SUPERTREND_SETTLING_ROWS
    ),
)


def _ema_cross(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ema_cross", "fast", "slow", parameters)
    close, fast, slow = columns["close"], int(parameters["fast"]), int(parameters["slow"])
    spread = exponential_mean(close, fast, slow - fast) - exponential_mean(close, slow)
    cross = np.zeros(len(close))
    cross[1:] = ((spread[1:] > 0) & (spread[:-1] <= 0)).astype(np.float64) - (
        (spread[1:] < 0) & (spread[:-1] >= 0)
    )
    return spread, cross


EMA_CROSS = Indicator(
    name="ema_cross",
    text="Fast less slow EMA, and the rows on which its sign changes.",
    inputs=("close",),
    parameters=(Parameter("fast", 12, 2, 100), Parameter("slow", 26, 3, 400)),
    outputs=(
        Output("spread", "value", "price", "fast less slow EMA"),
        Output(
            "cross", "signal", "side", "1 crossed upwards, -1 downwards", firing_rate=(0.01, 0.08)
        ),
    ),
    compute=_ema_cross,
    lookback=lambda parameters: int(parameters["slow"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["slow"]), 1, TIGHT),
)


def _ichimoku(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    lengths = [int(parameters[name]) for name in ("conversion", "base", "span", "shift")]
    return (ichimoku_score(columns["high"], columns["low"], columns["close"], *lengths),)


def _ichimoku_lookback(parameters: Parameters) -> int:
    return int(
        max(parameters["conversion"], parameters["base"], parameters["span"])
        - 1
        + parameters["shift"]
    )


ICHIMOKU = Indicator(
    name="ichimoku",
    text="Ichimoku in its causal form, scored by five signs.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("conversion", 9, 2, 50),
        Parameter("base", 26, 3, 120),
        Parameter("span", 52, 4, 240),
        Parameter("shift", 26, 1, 120),
    ),
    outputs=(Output("score", "value", "0 to 100", "50 neutral", 0.0, 100.0),),
    compute=_ichimoku,
    lookback=_ichimoku_lookback,
    stable=_ichimoku_lookback,
)

INDICATORS = (MACD, ADX, AROON, SUPERTREND, EMA_CROSS, ICHIMOKU)
