"""Momentum: oscillators of the close and of its place in the range.

In a flat window, where an oscillator is 0 / 0, each takes the middle of its range. TA-Lib writes 0
there, which would be the bottom for RSI and the top for Williams %R: an opinion out of nothing.
"""

import numpy as np

from engine import ConfigError, Float1D, kernel

from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_mean,
    wilder_stable_rows,
)
from .rolling import percent_rank, quotient, rolling_max, rolling_mean, rolling_min, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in ratios of small differences, whose errors weigh more than in prices."""


@kernel
def _mean_deviation_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        total = 0.0
        for i in range(t - length + 1, t + 1):
            total += values[t] - values[i]
        centred = total / length
        deviation = 0.0
        for i in range(t - length + 1, t + 1):
            deviation += abs(values[i] - values[t] + centred)
        out[t] = deviation / length
    return out


def change(values: Float1D, length: int) -> Float1D:
    """``x_t - x_{t - length}``; NaN for ``length`` rows."""
    out = np.full(len(values), np.nan)
    out[length:] = values[length:] - values[:-length]
    return out


def relative_strength_index(close: Float1D, length: int) -> Float1D:
    """RSI (Wilder 1978): 100 x mean gain / (mean gain + mean loss), Wilder's means; 50 when flat.

    Array ``(T,)``, 0 to 100; known at close *t*; NaN for ``length`` rows.
    """
    step = change(close, 1)
    gain = wilder_mean(np.maximum(step, 0.0), length, 1)
    loss = wilder_mean(np.maximum(-step, 0.0), length, 1)
    return 100.0 * quotient(gain, gain + loss, 0.5)


def cutler_strength_index(close: Float1D, length: int) -> Float1D:
    """Cutler's RSI: plain sums of gains and losses over ``length`` steps; 50 when flat."""
    step = change(close, 1)
    gain = rolling_sum(np.maximum(step, 0.0), length)
    loss = rolling_sum(np.maximum(-step, 0.0), length)
    return 100.0 * quotient(gain, gain + loss, 0.5)


def range_position(high: Float1D, low: Float1D, close: Float1D, length: int) -> Float1D:
    """Place of the close in the range of ``length`` rows, 0 to 1; 0.5 when flat."""
    lowest = rolling_min(low, length)
    return quotient(close - lowest, rolling_max(high, length) - lowest, 0.5)


def commodity_channel_index(high: Float1D, low: Float1D, close: Float1D, length: int) -> Float1D:
    """CCI (Lambert 1980): typical price less its mean over 0.015 mean deviations; 0 when flat.

    Array ``(T,)``, unbounded; known at close *t*; NaN for ``length - 1`` rows.
    """
    typical = (high + low + close) / 3.0
    deviation = _mean_deviation_kernel(typical, length)
    return quotient(typical - rolling_mean(typical, length), 0.015 * deviation, 0.0)


def true_strength_index(close: Float1D, first: int, second: int) -> Float1D:
    """TSI (Blau 1991): 100 x twice smoothed change / twice smoothed |change|; 0 when flat.

    Array ``(T,)``, -100 to 100; known at close *t*; NaN for ``first + second - 1`` rows.
    """
    step = change(close, 1)

    def smoothed(values: Float1D) -> Float1D:
        return exponential_mean(exponential_mean(values, first, 1), second, first)

    ratio = quotient(smoothed(step), smoothed(np.abs(step)), 0.0)
    return 100.0 * np.clip(ratio, -1.0, 1.0)


def ultimate_oscillator(
    high: Float1D, low: Float1D, close: Float1D, short: int, middle: int, long: int
) -> Float1D:
    """Ultimate oscillator (Williams 1985): buying pressure over true range, weights 4, 2 and 1.

    Array ``(T,)``, 0 to 100, 50 when flat; known at close *t*; NaN for ``long`` rows.
    """
    previous = np.full(len(close), np.nan)
    previous[1:] = close[:-1]
    pressure = close - np.minimum(low, previous)
    spread = np.where(np.isnan(previous), np.nan, true_range(high, low, close))

    def ratio(length: int) -> Float1D:
        return quotient(rolling_sum(pressure, length), rolling_sum(spread, length), 0.5)

    weighted = (4.0 * ratio(short) + 2.0 * ratio(middle) + ratio(long)) / 7.0
    return 100.0 * np.clip(weighted, 0.0, 1.0)


def triple_smoothed_change(close: Float1D, length: int) -> Float1D:
    """TRIX: percent change over one bar of the close smoothed by three EMAs.

    Array ``(T,)`` in percent; known at close *t*; NaN for ``3 (length - 1) + 1`` rows.
    """
    smoothed = close
    for stage in range(3):
        smoothed = exponential_mean(smoothed, length, stage * (length - 1))
    out = np.full(len(close), np.nan)
    out[1:] = 100.0 * (smoothed[1:] / smoothed[:-1] - 1.0)
    return out


def awesome_oscillator(high: Float1D, low: Float1D, fast: int, slow: int) -> Float1D:
    """AO (Williams): simple mean of the median price over ``fast`` rows less that over ``slow``.

    Array ``(T,)`` in price units; known at close *t*; NaN for ``slow - 1`` rows.
    """
    median = (high + low) / 2.0
    return rolling_mean(median, fast) - rolling_mean(median, slow)


def check_order(indicator: str, shorter: str, longer: str, parameters: Parameters) -> None:
    """Raise ConfigError unless the parameter ``shorter`` is less than ``longer``."""
    if parameters[shorter] >= parameters[longer]:
        raise ConfigError(
            f"indicator {indicator}: {shorter}={parameters[shorter]:g} must be less than "
            f"{longer}={parameters[longer]:g}"
        )


def _rsi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (relative_strength_index(columns["close"], int(parameters["length"])),)


def _cutler(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (cutler_strength_index(columns["close"], int(parameters["length"])),)


def _stochastic(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    raw = 100.0 * range_position(high, low, close, int(parameters["length"]))
    k = np.clip(rolling_mean(raw, int(parameters["k_smoothing"])), 0.0, 100.0)
    d = np.clip(rolling_mean(k, int(parameters["d_smoothing"])), 0.0, 100.0)
    return np.where(np.isnan(d), np.nan, k), d


def _stochastic_lookback(parameters: Parameters) -> int:
    return int(parameters["length"] + parameters["k_smoothing"] + parameters["d_smoothing"]) - 3


def _williams_r(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    return (100.0 * range_position(high, low, close, int(parameters["length"])) - 100.0,)


def _cci(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    return (commodity_channel_index(high, low, close, int(parameters["length"])),)


def _momentum(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (change(columns["close"], int(parameters["length"])),)


def _roc(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close, length = columns["close"], int(parameters["length"])
    out = np.full(len(close), np.nan)
    out[length:] = 100.0 * (close[length:] / close[:-length] - 1.0)
    return (out,)


def _cmo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close, length = columns["close"], int(parameters["length"])
    return (
        2.0 * relative_strength_index(close, length) - 100.0,
        2.0 * cutler_strength_index(close, length) - 100.0,
    )


def _tsi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    first, second = int(parameters["first"]), int(parameters["second"])
    return (true_strength_index(columns["close"], first, second),)


def _ultimate(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ultimate_oscillator", "short", "middle", parameters)
    check_order("ultimate_oscillator", "middle", "long", parameters)
    lengths = [int(parameters[name]) for name in ("short", "middle", "long")]
    return (ultimate_oscillator(columns["high"], columns["low"], columns["close"], *lengths),)


def _ppo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ppo", "fast", "slow", parameters)
    close, fast, slow = columns["close"], int(parameters["fast"]), int(parameters["slow"])
    slow_mean = exponential_mean(close, slow)
    return (100.0 * (exponential_mean(close, fast) - slow_mean) / slow_mean,)


def _trix(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (triple_smoothed_change(columns["close"], int(parameters["length"])),)


def _ao(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ao", "fast", "slow", parameters)
    fast, slow = int(parameters["fast"]), int(parameters["slow"])
    return (awesome_oscillator(columns["high"], columns["low"], fast, slow),)


def _ao_score(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    (oscillator,) = _ao(columns, parameters)
    atr = average_true_range(high, low, close, int(parameters["atr_length"]))
    level = 50.0 + 50.0 * np.tanh(quotient(oscillator, atr, 0.0) / 0.5)
    turn = 50.0 + 50.0 * np.tanh(quotient(change(oscillator, 1), atr, 0.0) / 0.1)
    rank = percent_rank(oscillator, int(parameters["window"]))
    return (0.5 * level + 0.3 * turn + 0.2 * rank,)


_LENGTH = Parameter("length", 14, 2, 200)

RSI = Indicator(
    name="rsi",
    text="Relative strength index (Wilder); 50 when flat.",
    inputs=("close",),
    parameters=(_LENGTH,),
    outputs=(Output("rsi", "value", "0 to 100", "relative strength", 0.0, 100.0),),
    compute=_rsi,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, TIGHT),
)
RSI_CUTLER = Indicator(
    name="rsi_cutler",
    text="Relative strength index of plain sums (Cutler); 50 when flat.",
    inputs=("close",),
    parameters=(_LENGTH,),
    outputs=(Output("rsi_cutler", "value", "0 to 100", "relative strength", 0.0, 100.0),),
    compute=_cutler,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
STOCHASTIC = Indicator(
    name="stochastic",
    text="Slow stochastic (Lane): the close in its range, smoothed twice; 50 when flat.",
    inputs=("high", "low", "close"),
    parameters=(_LENGTH, Parameter("k_smoothing", 3, 1, 50), Parameter("d_smoothing", 3, 1, 50)),
    outputs=(
        Output("k", "value", "0 to 100", "%K", 0.0, 100.0),
        Output("d", "value", "0 to 100", "%D, the mean of %K", 0.0, 100.0),
    ),
    compute=_stochastic,
    lookback=_stochastic_lookback,
    stable=_stochastic_lookback,
)
WILLIAMS_R = Indicator(
    name="williams_r",
    text="Williams %R: the close in its range; -50 when flat.",
    inputs=("high", "low", "close"),
    parameters=(_LENGTH,),
    outputs=(Output("williams_r", "value", "-100 to 0", "%R", -100.0, 0.0),),
    compute=_williams_r,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)
CCI = Indicator(
    name="cci",
    text="Commodity channel index (Lambert); 0 when flat.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 200),),
    outputs=(Output("cci", "value", "mean deviations / 0.015", "commodity channel index"),),
    compute=_cci,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)
MOMENTUM = Indicator(
    name="momentum",
    text="Change of the close.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 1, 400),),
    outputs=(Output("momentum", "value", "price", "close less the close length bars ago"),),
    compute=_momentum,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
ROC = Indicator(
    name="roc",
    text="Rate of change of the close.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 1, 400),),
    outputs=(Output("roc", "value", "percent", "percent change over length bars"),),
    compute=_roc,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
CMO = Indicator(
    name="cmo",
    text="Chande momentum oscillator, smoothed by Wilder's mean (2 RSI - 100) and as published.",
    inputs=("close",),
    parameters=(_LENGTH,),
    outputs=(
        Output("cmo", "value", "-100 to 100", "smoothed as RSI is", -100.0, 100.0),
        Output("cmo_unsmoothed", "value", "-100 to 100", "plain sums (Chande)", -100.0, 100.0),
    ),
    compute=_cmo,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, TIGHT),
)
TSI = Indicator(
    name="tsi",
    text="True strength index (Blau); 0 when flat.",
    inputs=("close",),
    parameters=(Parameter("first", 25, 2, 100), Parameter("second", 13, 2, 100)),
    outputs=(Output("tsi", "value", "-100 to 100", "true strength", -100.0, 100.0),),
    compute=_tsi,
    lookback=lambda parameters: int(parameters["first"] + parameters["second"]) - 1,
    stable=lambda parameters: exponential_stable_rows(
        int(max(parameters["first"], parameters["second"])), 2, TIGHT
    ),
)
ULTIMATE_OSCILLATOR = Indicator(
    name="ultimate_oscillator",
    text="Ultimate oscillator (Williams); 50 when flat.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("short", 7, 2, 50),
        Parameter("middle", 14, 3, 100),
        Parameter("long", 28, 4, 200),
    ),
    outputs=(Output("ultimate_oscillator", "value", "0 to 100", "oscillator", 0.0, 100.0),),
    compute=_ultimate,
    lookback=lambda parameters: int(parameters["long"]),
    stable=lambda parameters: int(parameters["long"]),
)
PPO = Indicator(
    name="ppo",
    text="Percentage price oscillator of two EMAs.",
    inputs=("close",),
    parameters=(Parameter("fast", 12, 2, 100), Parameter("slow", 26, 3, 400)),
    outputs=(Output("ppo", "value", "percent", "(fast - slow) / slow"),),
    compute=_ppo,
    lookback=lambda parameters: int(parameters["slow"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["slow"]), 1, TIGHT),
)
TRIX = Indicator(
    name="trix",
    text="One-bar percent change of a triple EMA.",
    inputs=("close",),
    parameters=(Parameter("length", 15, 2, 100),),
    outputs=(Output("trix", "value", "percent", "change of the triple EMA"),),
    compute=_trix,
    lookback=lambda parameters: int(3 * (parameters["length"] - 1)) + 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 3, TIGHT) + 1,
)
_AO_LENGTHS = (Parameter("fast", 5, 2, 50), Parameter("slow", 34, 3, 200))
AO = Indicator(
    name="ao",
    text="Awesome oscillator (Williams).",
    inputs=("high", "low"),
    parameters=_AO_LENGTHS,
    outputs=(Output("ao", "value", "price", "fast less slow mean of the median price"),),
    compute=_ao,
    lookback=lambda parameters: int(parameters["slow"]) - 1,
    stable=lambda parameters: int(parameters["slow"]) - 1,
)


def _ao_score_lookback(parameters: Parameters) -> int:
    return int(max(parameters["slow"] - 1 + parameters["window"], parameters["atr_length"]))


AO_SCORE = Indicator(
    name="ao_score",
    text="Awesome oscillator scored: half its level, 0.3 its last change, 0.2 its percent rank.",
    inputs=("high", "low", "close"),
    parameters=(
        *_AO_LENGTHS,
        Parameter("atr_length", 14, 2, 200),
        Parameter("window", 100, 10, 500),
    ),
    outputs=(Output("ao_score", "value", "0 to 100", "50 neutral", 0.0, 100.0),),
    compute=_ao_score,
    lookback=_ao_score_lookback,
    stable=lambda parameters: max(
        _ao_score_lookback(parameters),
        wilder_stable_rows(int(parameters["atr_length"]), 1, TIGHT),
    ),
)

INDICATORS = (
    RSI,
    RSI_CUTLER,
    STOCHASTIC,
    WILLIAMS_R,
    CCI,
    MOMENTUM,
    ROC,
    CMO,
    TSI,
    ULTIMATE_OSCILLATOR,
    PPO,
    TRIX,
    AO,
    AO_SCORE,
)
