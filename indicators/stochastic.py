"""Stochastics: where a value stands in its own range, and what is made of that place.

In a flat window, where the place is 0 / 0, it is the middle of the range.
"""

import numpy as np

from engine import Float1D, kernel

from .momentum import TIGHT, relative_strength_index, smoothed_ratio
from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_mean,
    wilder_stable_rows,
)
from .place import place_between
from .rolling import rolling_max, rolling_mean, rolling_min
from .spec import Columns, Indicator, Output, Parameter, Parameters

SMALLEST_RSI_RANGE = 1e-6
"""Points of RSI below which its window is flat: a market that stands still leaves only rounding."""
FISHER_LIMIT = 0.999
"""Where Ehlers cuts the value before the logarithm, once it is beyond 0.99."""
KDJ_SMOOTHING_STAGES = 2


@kernel(nogil=True)
def _fisher_kernel(place: Float1D, start: int) -> Float1D:
    out = np.full(len(place), np.nan)
    value, fisher = 0.0, 0.0
    for t in range(start, len(place)):
        value = 0.66 * (place[t] - 0.5) + 0.67 * value
        if value > 0.99:
            value = FISHER_LIMIT
        elif value < -0.99:
            value = -FISHER_LIMIT
        fisher = 0.5 * np.log((1.0 + value) / (1.0 - value)) + 0.5 * fisher
        out[t] = fisher
    return out


@kernel(nogil=True)
def _distance_from_middle_kernel(
    close: Float1D, highest: Float1D, lowest: Float1D
) -> tuple[Float1D, Float1D]:
    distance, half = np.empty(len(close)), np.empty(len(close))
    for t in range(len(close)):
        distance[t] = close[t] - 0.5 * (highest[t] + lowest[t])
        half[t] = 0.5 * (highest[t] - lowest[t])
    return distance, half


@kernel(nogil=True)
def _confine_kernel(line: Float1D, signal: Float1D, low: float, high: float) -> None:
    """Cut both to their range in place, and let the line begin where the signal does."""
    for t in range(len(line)):
        if np.isnan(signal[t]):
            line[t] = np.nan
        else:
            line[t] = min(max(line[t], low), high)
            signal[t] = min(max(signal[t], low), high)


@kernel(nogil=True)
def _second_difference_kernel(k: Float1D, d: Float1D) -> Float1D:
    out = np.empty(len(k))
    for t in range(len(k)):
        out[t] = 3.0 * k[t] - 2.0 * d[t]
    return out


def range_position(
    high: Float1D,
    low: Float1D,
    close: Float1D,
    length: int,
    *,
    scale: float = 1.0,
    shift: float = 0.0,
) -> Float1D:
    """Place of the close in the range of ``length`` rows, 0 to 1, times ``scale`` plus ``shift``.

    Array ``(T,)``; the place is 0.5 when flat; known at close *t*; NaN for ``length - 1`` rows.
    """
    lowest, highest = rolling_min(low, length), rolling_max(high, length)
    return place_between(close, lowest, highest, scale=scale, shift=shift)


def stochastic_strength(
    close: Float1D, length: int, range_length: int, d_smoothing: int
) -> tuple[Float1D, Float1D]:
    """Stochastic RSI (Chande and Kroll 1994): the RSI in its own range, and the mean of that.

    Two arrays ``(T,)``, 0 to 100, 50 where the RSI did not move; known at close *t*; NaN for
    ``length + range_length + d_smoothing - 2`` rows.
    """
    strength = relative_strength_index(close, length)
    lowest, highest = rolling_min(strength, range_length), rolling_max(strength, range_length)
    k = place_between(strength, lowest, highest, scale=100.0, least=SMALLEST_RSI_RANGE)
    d = rolling_mean(k, d_smoothing)
    _confine_kernel(k, d, 0.0, 100.0)
    return k, d


def stochastic_momentum(
    high: Float1D, low: Float1D, close: Float1D, length: int, fast: int, slow: int
) -> Float1D:
    """SMI (Blau 1993): twice smoothed distance from the middle of the range over half its size.

    Array ``(T,)``, -100 to 100, 0 when flat; known at close *t*; NaN for
    ``length + slow + fast - 3`` rows. The slow EMA comes first.
    """
    highest, lowest = rolling_max(high, length), rolling_min(low, length)
    distance, half = _distance_from_middle_kernel(close, highest, lowest)
    return smoothed_ratio(distance, half, slow, fast, length - 1)


def fisher_transform(high: Float1D, low: Float1D, length: int) -> Float1D:
    """Fisher transform (Ehlers 2002) of the place of the median price in its range.

    ``v = 0.66 (place - 1/2) + 0.67 v`` cut to +-0.999, ``f = ln((1 + v) / (1 - v)) / 2 + f / 2``,
    both from 0. Array ``(T,)``, within +-7.6; the place is 1/2 in a flat window, so that both fade
    to 0; known at close *t*; NaN for ``length - 1`` rows.
    """
    median = (high + low) / 2.0
    return _fisher_kernel(range_position(median, median, median, length), length - 1)


def _stochastic(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    raw = range_position(high, low, close, int(parameters["length"]), scale=100.0)
    k = rolling_mean(raw, int(parameters["k_smoothing"]))
    d = rolling_mean(k, int(parameters["d_smoothing"]))
    _confine_kernel(k, d, 0.0, 100.0)
    return k, d


def _stochastic_lookback(parameters: Parameters) -> int:
    return int(parameters["length"] + parameters["k_smoothing"] + parameters["d_smoothing"]) - 3


_LENGTH = Parameter("length", 14, 2, 200)
_SMOOTHING = (Parameter("k_smoothing", 3, 1, 50), Parameter("d_smoothing", 3, 1, 50))

STOCHASTIC = Indicator(
    name="stochastic",
    text="Slow stochastic (Lane): the close in its range, smoothed twice; 50 when flat.",
    inputs=("high", "low", "close"),
    parameters=(_LENGTH, *_SMOOTHING),
    outputs=(
        Output("k", "value", "0 to 100", "%K", 0.0, 100.0),
        Output("d", "value", "0 to 100", "%D, the mean of %K", 0.0, 100.0),
    ),
    compute=_stochastic,
    lookback=_stochastic_lookback,
    stable=_stochastic_lookback,
)


def _williams_r(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    length = int(parameters["length"])
    return (range_position(high, low, close, length, scale=100.0, shift=-100.0),)


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


def _stochastic_rsi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    lengths = [int(parameters[name]) for name in ("length", "range_length", "d_smoothing")]
    return stochastic_strength(columns["close"], *lengths)


def _stochastic_rsi_windows(parameters: Parameters) -> int:
    return int(parameters["range_length"] + parameters["d_smoothing"]) - 2


STOCHASTIC_RSI = Indicator(
    name="stochastic_rsi",
    text="Stochastic RSI (Chande and Kroll): the RSI in its own range; 50 when the RSI stands still.",
    inputs=("close",),
    parameters=(_LENGTH, Parameter("range_length", 14, 2, 200), Parameter("d_smoothing", 3, 1, 50)),
    outputs=(
        Output("k", "value", "0 to 100", "place of the RSI in its range", 0.0, 100.0),
        Output("d", "value", "0 to 100", "mean of k", 0.0, 100.0),
    ),
    compute=_stochastic_rsi,
    lookback=lambda parameters: int(parameters["length"]) + _stochastic_rsi_windows(parameters),
    # The range of the RSI can be a small part of a point: its seed must be forgotten all the more.
    stable=lambda parameters: (
        wilder_stable_rows(int(parameters["length"]), 1, 1e-13)
        + _stochastic_rsi_windows(parameters)
    ),
)


def _kdj(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, k_smoothing = int(parameters["length"]), int(parameters["k_smoothing"])
    high, low, close = columns["high"], columns["low"], columns["close"]
    raw = range_position(high, low, close, length, scale=100.0)
    k = wilder_mean(raw, k_smoothing, length - 1)
    d = wilder_mean(k, int(parameters["d_smoothing"]), length + k_smoothing - 2)
    _confine_kernel(k, d, 0.0, 100.0)
    return k, d, _second_difference_kernel(k, d)


KDJ = Indicator(
    name="kdj",
    text="KDJ: the stochastic smoothed by Wilder's means, and 3 K - 2 D; 50 when flat.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 9, 2, 200), *_SMOOTHING),
    outputs=(
        Output("k", "value", "0 to 100", "place of the close in its range, smoothed", 0.0, 100.0),
        Output("d", "value", "0 to 100", "k smoothed once more", 0.0, 100.0),
        Output("j", "value", "-200 to 300", "3 k - 2 d", -200.0, 300.0),
    ),
    compute=_kdj,
    lookback=_stochastic_lookback,
    stable=lambda parameters: (
        int(parameters["length"])
        + wilder_stable_rows(
            int(max(parameters["k_smoothing"], parameters["d_smoothing"])),
            KDJ_SMOOTHING_STAGES,
            TIGHT,
        )
    ),
)


def _smi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, fast, slow = (int(parameters[name]) for name in ("length", "fast", "slow"))
    line = stochastic_momentum(
        columns["high"], columns["low"], columns["close"], length, fast, slow
    )
    signal = exponential_mean(line, int(parameters["signal"]), length + slow + fast - 3)
    _confine_kernel(line, signal, -100.0, 100.0)
    return line, signal


def _smi_lookback(parameters: Parameters) -> int:
    return int(sum(parameters[name] - 1 for name in ("length", "fast", "slow", "signal")))


SMI = Indicator(
    name="smi",
    text="Stochastic momentum index (Blau) and its signal line; 0 when flat.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 13, 2, 200),
        Parameter("fast", 2, 2, 50),
        Parameter("slow", 25, 2, 100),
        Parameter("signal", 9, 2, 50),
    ),
    outputs=(
        Output("smi", "value", "-100 to 100", "stochastic momentum", -100.0, 100.0),
        Output("signal", "value", "-100 to 100", "EMA of the index", -100.0, 100.0),
    ),
    compute=_smi,
    lookback=_smi_lookback,
    stable=lambda parameters: (
        int(parameters["length"])
        + exponential_stable_rows(
            int(max(parameters["fast"], parameters["slow"], parameters["signal"])), 3, TIGHT
        )
    ),
)


def _fisher(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (fisher_transform(columns["high"], columns["low"], int(parameters["length"])),)


FISHER = Indicator(
    name="fisher",
    text="Fisher transform (Ehlers) of the median price in its range; it fades to 0 when flat.",
    inputs=("high", "low"),
    parameters=(Parameter("length", 9, 2, 200),),
    outputs=(Output("fisher", "value", "half log odds", "Fisher transform", -7.7, 7.7),),
    compute=_fisher,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    # The value forgets at 0.67 a row and is magnified by up to 1 / (1 - 0.99^2) = 50.
    stable=lambda parameters: int(parameters["length"]) + 70,
)

INDICATORS = (STOCHASTIC, WILLIAMS_R, STOCHASTIC_RSI, KDJ, SMI, FISHER)
