"""Bands and channels around price: Bollinger, Keltner, Donchian, acceleration bands, the squeeze.

``position`` and ``percent_b`` place the close: 0 at the lower line, 1 at the upper, 0.5 where the
lines meet.
"""

import numpy as np

from engine import Float1D, kernel

from .linear_regression import linear_fit
from .moving_average import (
    exponential_stable_rows,
    wilder_stable_rows,
)
from .place import place_between
from .rolling import rolling_max, rolling_mean, rolling_min, rolling_moments
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import true_range


@kernel(nogil=True)
def _bollinger_kernel(
    values: Float1D, middle: Float1D, deviation: Float1D, multiple: float
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    """Upper and lower band, place of the value and width; the upper band takes ``deviation``'s memory."""
    upper, lower = deviation, np.empty(len(middle))
    percent, width = np.empty(len(middle)), np.empty(len(middle))
    for t in range(len(middle)):
        reach = multiple * deviation[t]
        high, low = middle[t] + reach, middle[t] - reach
        spread = high - low
        percent[t] = 0.5 + 0.0 * values[t] if spread <= 0.0 else (values[t] - low) / spread
        width[t] = spread / middle[t]
        upper[t], lower[t] = high, low
    return upper, lower, percent, width


@kernel(nogil=True)
def _keltner_kernel(
    high: Float1D, low: Float1D, close: Float1D, length: int, atr_length: int, multiple: float
) -> tuple[Float1D, Float1D, Float1D]:
    first = max(length - 1, atr_length)
    upper, middle, lower = np.empty(len(close)), np.empty(len(close)), np.empty(len(close))
    upper[:first], middle[:first], lower[:first] = np.nan, np.nan, np.nan
    if len(close) <= first:
        return upper, middle, lower
    start, atr_start = first - length + 1, first - atr_length + 1
    anchor = (high[start] + low[start] + close[start]) / 3.0
    mean, spread, total = anchor, 0.0, 0.0
    for t in range(start, first + 1):
        total += (high[t] + low[t] + close[t]) / 3.0 - anchor
    mean = anchor + total / length
    for t in range(atr_start, first + 1):
        spread += (max(high[t], close[t - 1]) - min(low[t], close[t - 1])) / atr_length
    alpha, atr_alpha = 2.0 / (length + 1.0), 1.0 / atr_length
    for t in range(first, len(close)):
        if t > first:
            mean += ((high[t] + low[t] + close[t]) / 3.0 - mean) * alpha
            true_range = max(high[t], close[t - 1]) - min(low[t], close[t - 1])
            spread += (true_range - spread) * atr_alpha
        upper[t], middle[t], lower[t] = mean + multiple * spread, mean, mean - multiple * spread
    return upper, middle, lower


@kernel(nogil=True)
def _middle_kernel(upper: Float1D, lower: Float1D) -> Float1D:
    out = np.empty(len(upper))
    for t in range(len(upper)):
        out[t] = 0.5 * (upper[t] + lower[t])
    return out


@kernel(nogil=True)
def _accelerated_kernel(high: Float1D, low: Float1D) -> tuple[Float1D, Float1D]:
    upper, lower = np.empty(len(high)), np.empty(len(high))
    for t in range(len(high)):
        width = 4.0 * (high[t] - low[t]) / (high[t] + low[t])
        upper[t], lower[t] = high[t] * (1.0 + width), low[t] * (1.0 - width)
    return upper, lower


@kernel(nogil=True)
def _squeeze_kernel(
    momentum: Float1D, deviation: Float1D, spread: Float1D, deviations: float, multiple: float
) -> tuple[Float1D, Float1D]:
    on, release = np.full(len(momentum), np.nan), np.zeros(len(momentum))
    for t in range(len(momentum)):
        if np.isnan(momentum[t]) or np.isnan(deviation[t]) or np.isnan(spread[t]):
            momentum[t] = np.nan
            continue
        on[t] = 1.0 if deviations * deviation[t] < multiple * spread[t] else 0.0
        if t > 0 and on[t - 1] == 1.0 and on[t] == 0.0:
            release[t] = np.sign(momentum[t])
    return on, release


def keltner_channel(
    high: Float1D, low: Float1D, close: Float1D, length: int, atr_length: int, multiple: float
) -> tuple[Float1D, Float1D, Float1D]:
    """Upper, middle and lower line: EMA of the typical price plus and minus ``multiple`` ATR.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for ``max(length - 1, atr_length)`` rows.
    Both means are seeded so that they begin on the same row, as in TA-Lib.
    """
    return _keltner_kernel(high, low, close, length, atr_length, multiple)


def donchian_channel(high: Float1D, low: Float1D, length: int) -> tuple[Float1D, Float1D, Float1D]:
    """Highest high, middle and lowest low of the last ``length`` rows, row *t* included.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for ``length - 1`` rows.
    """
    upper, lower = rolling_max(high, length), rolling_min(low, length)
    return upper, _middle_kernel(upper, lower), lower


def acceleration_bands(
    high: Float1D, low: Float1D, close: Float1D, length: int
) -> tuple[Float1D, Float1D, Float1D]:
    """Acceleration bands (Headley 2002): means of high, close and low, spread by the bar's range.

    ``h (1 + w)``, ``c`` and ``l (1 - w)`` with ``w = 4 (h - l) / (h + l)`` are averaged. Arrays
    ``(T,)`` in price units; known at close *t*; NaN for ``length - 1`` rows.
    """
    upper, lower = _accelerated_kernel(high, low)
    return rolling_mean(upper, length), rolling_mean(close, length), rolling_mean(lower, length)


def squeeze(
    high: Float1D,
    low: Float1D,
    close: Float1D,
    length: int,
    deviations: float,
    multiple: float,
) -> tuple[Float1D, Float1D, Float1D]:
    """Squeeze (Carter 2005): whether it is on, the momentum, and the side on which it ended.

    On is 1 where the Bollinger bands lie inside the simple mean of the close plus and minus
    ``multiple`` simple means of the true range, else 0. The momentum, in price units, is the end of the
    least-squares line through the last ``length`` differences between close and middle, the mean of
    the Donchian middle and the simple mean (LazyBear's form). The side is the sign of the momentum on
    the first row after a squeeze, else 0. Arrays ``(T,)``, all 0 when flat; known at close *t*; NaN
    for ``2 (length - 1)`` rows, so that no row reads the first true range, which knows no previous
    close.
    """
    _, middle, _ = donchian_channel(high, low, length)
    mean, deviation = rolling_moments(close, length)
    momentum, _ = linear_fit(close - _middle_kernel(middle, mean), length)
    spread = rolling_mean(true_range(high, low, close), length)
    on, release = _squeeze_kernel(momentum, deviation, spread, deviations, multiple)
    return on, momentum, release


def _bollinger(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    middle, deviation = rolling_moments(close, int(parameters["length"]))
    upper, lower, percent, width = _bollinger_kernel(
        close, middle, deviation, parameters["deviations"]
    )
    return upper, middle, lower, percent, width


BOLLINGER = Indicator(
    name="bollinger",
    text="Bollinger bands of the close (deviation with ddof 0).",
    inputs=("close",),
    parameters=(
        Parameter("length", 20, 5, 200),
        Parameter("deviations", 2.0, 0.5, 5.0, integer=False),
    ),
    outputs=(
        Output("upper", "value", "price", "upper band"),
        Output("middle", "value", "price", "simple mean"),
        Output("lower", "value", "price", "lower band"),
        Output("percent_b", "value", "share", "0 at the lower band, 1 at the upper, 0.5 when flat"),
        Output("bandwidth", "value", "fraction of the middle", "(upper - lower) / middle", low=0.0),
    ),
    compute=_bollinger,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _keltner(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    upper, middle, lower = keltner_channel(
        columns["high"],
        columns["low"],
        close,
        int(parameters["length"]),
        int(parameters["atr_length"]),
        parameters["multiple"],
    )
    return upper, middle, lower, place_between(close, lower, upper)


KELTNER = Indicator(
    name="keltner",
    text="Keltner channel: EMA of the typical price with ATR bands.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 20, 5, 200),
        Parameter("atr_length", 10, 2, 200),
        Parameter("multiple", 2.0, 0.5, 5.0, integer=False),
    ),
    outputs=(
        Output("upper", "value", "price", "upper line"),
        Output("middle", "value", "price", "EMA of the typical price"),
        Output("lower", "value", "price", "lower line"),
        Output("position", "value", "share", "0 at the lower line, 1 at the upper, 0.5 when flat"),
    ),
    compute=_keltner,
    lookback=lambda parameters: int(max(parameters["length"] - 1, parameters["atr_length"])),
    stable=lambda parameters: max(
        exponential_stable_rows(int(parameters["length"]), 1, 1e-8),
        wilder_stable_rows(int(parameters["atr_length"]), 1, 1e-8),
    ),
)


def _donchian(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    upper, middle, lower = donchian_channel(
        columns["high"], columns["low"], int(parameters["length"])
    )
    return upper, middle, lower, place_between(columns["close"], lower, upper)


DONCHIAN = Indicator(
    name="donchian",
    text="Donchian channel; it includes row t, so a breakout is tested against row t - 1.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 400),),
    outputs=(
        Output("upper", "value", "price", "highest high"),
        Output("middle", "value", "price", "middle of the channel"),
        Output("lower", "value", "price", "lowest low"),
        Output(
            "position", "value", "share", "0 at the low, 1 at the high, 0.5 when flat", 0.0, 1.0
        ),
    ),
    compute=_donchian,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _acceleration_bands(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    upper, middle, lower = acceleration_bands(high, low, close, int(parameters["length"]))
    return upper, middle, lower, place_between(close, lower, upper)


ACCELERATION_BANDS = Indicator(
    name="acceleration_bands",
    text="Acceleration bands (Headley): means of prices spread by four times the bar's range.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 200),),
    outputs=(
        Output("upper", "value", "price", "upper band"),
        Output("middle", "value", "price", "simple mean of the close"),
        Output("lower", "value", "price", "lower band"),
        Output("position", "value", "share", "0 at the lower band, 1 at the upper, 0.5 when flat"),
    ),
    compute=_acceleration_bands,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _squeeze(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return squeeze(
        columns["high"],
        columns["low"],
        columns["close"],
        int(parameters["length"]),
        parameters["deviations"],
        parameters["multiple"],
    )


def _squeeze_lookback(parameters: Parameters) -> int:
    return 2 * (int(parameters["length"]) - 1)


SQUEEZE = Indicator(
    name="squeeze",
    text="Squeeze (Carter): Bollinger bands inside the Keltner channel, and where price leans then.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 20, 2, 200),
        Parameter("deviations", 2.0, 0.5, 5.0, integer=False),
        Parameter("multiple", 1.5, 0.5, 5.0, integer=False),
    ),
    outputs=(
        Output("on", "value", "flag", "1 while the bands lie inside the channel, else 0", 0.0, 1.0),
        Output("momentum", "value", "price", "where the fitted distance from the middle ends"),
        Output(
            "release",
            "signal",
            "side",
            "sign of the momentum on the first row after a squeeze",
            firing_rate=(0.005, 0.06),
        ),
    ),
    compute=_squeeze,
    lookback=_squeeze_lookback,
    stable=lambda parameters: _squeeze_lookback(parameters) + 1,
)

INDICATORS = (BOLLINGER, KELTNER, DONCHIAN, ACCELERATION_BANDS, SQUEEZE)
