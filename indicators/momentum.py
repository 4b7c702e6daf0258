"""Momentum: oscillators of the close alone.

In a flat window, where an oscillator is 0 / 0, each takes the middle of its range. TA-Lib writes 0
there, which would be the bottom for RSI and the top for Williams %R: an opinion out of nothing.
"""

import numpy as np

from engine import ConfigError, Float1D, kernel

from .linear_regression import linear_fit
from .moving_average import exponential_stable_rows, recursive_mean_kernel, wilder_stable_rows
from .rolling import rolling_sum_kernel
from .spec import Columns, Indicator, Output, Parameter, Parameters

TIGHT = 1e-8
"""Memory left at ``stable`` in ratios of small differences, whose errors weigh more than in prices."""


@kernel(nogil=True)
def strength_rows_kernel(
    close: Float1D, length: int, scale: float, shift: float, out: Float1D
) -> tuple[float, float]:
    """The first ``len(out)`` rows of the index into ``out``; the mean gain and loss on the last of them."""
    out[:length] = np.nan
    gain, loss, alpha = 0.0, 0.0, 1.0 / length
    for t in range(1, min(length + 1, len(close))):
        step = close[t] - close[t - 1]
        gain += 0.5 * (abs(step) + step)
        loss += 0.5 * (abs(step) - step)
    gain, loss = gain / length, loss / length
    for t in range(length, len(out)):
        if t > length:
            step = close[t] - close[t - 1]
            gain += (0.5 * (abs(step) + step) - gain) * alpha
            loss += (0.5 * (abs(step) - step) - loss) * alpha
        both = gain + loss
        out[t] = scale * (gain / both if both != 0.0 else 0.5) + shift
    return gain, loss


@kernel(nogil=True)
def _strength_kernel(close: Float1D, length: int, scale: float, shift: float) -> Float1D:
    out = np.empty(len(close))
    strength_rows_kernel(close, length, scale, shift, out)
    return out


@kernel(nogil=True)
def _plain_strength_kernel(close: Float1D, length: int, scale: float, shift: float) -> Float1D:
    gain, loss = np.empty(len(close)), np.empty(len(close))
    gain[:1], loss[:1] = np.nan, np.nan
    for t in range(1, len(close)):
        step = close[t] - close[t - 1]
        gain[t], loss[t] = 0.5 * (abs(step) + step), 0.5 * (abs(step) - step)
    gains, losses = rolling_sum_kernel(gain, length), rolling_sum_kernel(loss, length)
    for t in range(len(close)):
        both = gains[t] + losses[t]
        gain[t] = scale * (gains[t] / both if both != 0.0 else 0.5) + shift
    return gain


@kernel(nogil=True)
def _smoothed_ratio_kernel(
    part: Float1D, whole: Float1D, first: int, second: int, start: int
) -> Float1D:
    out = np.empty(len(part))
    begin = start + first + second - 2
    out[:begin] = np.nan
    if len(part) <= begin:
        return out
    alpha, beta = 2.0 / (first + 1.0), 2.0 / (second + 1.0)
    once_part, once_whole, twice_part, twice_whole = 0.0, 0.0, 0.0, 0.0
    for t in range(start, start + first):
        once_part += part[t] / first
        once_whole += whole[t] / first
    for t in range(start + first - 1, begin + 1):
        if t >= start + first:
            once_part += (part[t] - once_part) * alpha
            once_whole += (whole[t] - once_whole) * alpha
        twice_part += once_part / second
        twice_whole += once_whole / second
    for t in range(begin, len(part)):
        if t > begin:
            once_part += (part[t] - once_part) * alpha
            once_whole += (whole[t] - once_whole) * alpha
            twice_part += (once_part - twice_part) * beta
            twice_whole += (once_whole - twice_whole) * beta
        ratio = twice_part / twice_whole if twice_whole != 0.0 else 0.0
        out[t] = 100.0 * min(max(ratio, -1.0), 1.0)
    return out


@kernel(nogil=True)
def _forecast_error_kernel(close: Float1D, end: Float1D, slope: Float1D) -> Float1D:
    out = np.empty(len(close))
    out[:1] = np.nan
    for t in range(1, len(close)):
        out[t] = 100.0 * (close[t] - end[t - 1] - slope[t - 1]) / close[t]
    return out


@kernel(nogil=True)
def _percent_apart_kernel(close: Float1D, fast: int, slow: int) -> Float1D:
    out = recursive_mean_kernel(close, slow, 0, 2.0 / (slow + 1.0))
    above = recursive_mean_kernel(close, fast, 0, 2.0 / (fast + 1.0))
    for t in range(len(close)):
        out[t] = 100.0 * (above[t] - out[t]) / out[t]
    return out


def relative_strength_index(close: Float1D, length: int) -> Float1D:
    """RSI (Wilder 1978): 100 x mean gain / (mean gain + mean loss), Wilder's means; 50 when flat.

    Array ``(T,)``, 0 to 100; known at close *t*; NaN for ``length`` rows.
    """
    return _strength_kernel(close, length, 100.0, 0.0)


def cutler_strength_index(close: Float1D, length: int) -> Float1D:
    """Cutler's RSI: plain sums of gains and losses over ``length`` steps; 50 when flat."""
    return _plain_strength_kernel(close, length, 100.0, 0.0)


def smoothed_ratio(part: Float1D, whole: Float1D, first: int, second: int, start: int) -> Float1D:
    """100 x twice smoothed ``part`` / twice smoothed ``whole``, cut to +-100; 0 where the whole is 0.

    EMAs over ``first``, then ``second`` rows, seeded with simple means; the first ``start`` rows are
    not read. Array ``(T,)``; NaN for ``start + first + second - 2`` rows.
    """
    return _smoothed_ratio_kernel(part, whole, first, second, start)


def true_strength_index(close: Float1D, first: int, second: int) -> Float1D:
    """TSI (Blau 1991): 100 x twice smoothed change / twice smoothed |change|; 0 when flat.

    Array ``(T,)``, -100 to 100; known at close *t*; NaN for ``first + second - 1`` rows.
    """
    step = np.diff(close, prepend=np.nan)
    return smoothed_ratio(step, np.abs(step), first, second, 1)


def forecast_error(close: Float1D, length: int) -> Float1D:
    """Close less the value that the least-squares line of the ``length`` rows before it forecast.

    Array ``(T,)`` in percent of the close, exactly 0 where all rows are equal; known at close *t*; NaN
    for ``length`` rows.
    """
    return _forecast_error_kernel(close, *linear_fit(close, length))


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


def _cmo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close, length = columns["close"], int(parameters["length"])
    return (
        _strength_kernel(close, length, 200.0, -100.0),
        _plain_strength_kernel(close, length, 200.0, -100.0),
    )


def _tsi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    first, second = int(parameters["first"]), int(parameters["second"])
    return (true_strength_index(columns["close"], first, second),)


def _ppo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ppo", "fast", "slow", parameters)
    close, fast, slow = columns["close"], int(parameters["fast"]), int(parameters["slow"])
    return (_percent_apart_kernel(close, fast, slow),)


def _fosc(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (forecast_error(columns["close"], int(parameters["length"])),)


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
FOSC = Indicator(
    name="fosc",
    text="Forecast oscillator (Chande): the close less what a straight line forecast for it.",
    inputs=("close",),
    parameters=(Parameter("length", 5, 2, 200),),
    outputs=(Output("fosc", "value", "percent", "forecast error / close"),),
    compute=_fosc,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (RSI, RSI_CUTLER, CMO, TSI, PPO, FOSC)
