"""Oscillators of the whole bar: its typical or median price, its pressure, its extremes.

In a flat window, where an oscillator is 0 / 0, each takes the middle of its range.
"""

import numpy as np

from engine import Float1D, kernel

from .momentum import TIGHT, check_order
from .moving_average import exponential_mean, exponential_stable_rows, wilder_stable_rows
from .rolling import percent_rank, rolling_mean
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range


@kernel(nogil=True)
def _typical_price_kernel(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    out = np.empty(len(close))
    for t in range(len(close)):
        out[t] = (high[t] + low[t] + close[t]) / 3.0
    return out


@kernel(nogil=True)
def _channel_index_kernel(typical: Float1D, mean: Float1D, length: int) -> Float1D:
    out = np.empty(len(typical))
    out[: length - 1] = np.nan
    for t in range(length - 1, len(typical)):
        deviation = 0.0
        for i in range(t - length + 1, t + 1):
            deviation += abs(typical[i] - mean[t])
        deviation *= 0.015 / length
        out[t] = (typical[t] - mean[t]) / deviation if deviation != 0.0 else 0.0
    return out


@kernel(nogil=True, inlined=True)
def _pressure_kernel(high: Float1D, low: Float1D, close: Float1D, t: int) -> tuple[float, float]:
    bottom = min(low[t], close[t - 1])
    return close[t] - bottom, max(high[t], close[t - 1]) - bottom


@kernel(nogil=True)
def _ultimate_kernel(
    high: Float1D, low: Float1D, close: Float1D, short: int, middle: int, long: int
) -> Float1D:
    """Each window is the end of one block of its length and the head of the next, as in rolling.py."""
    rows = len(close)
    out = np.zeros(rows)
    out[:long] = np.nan
    tails = np.zeros((long + 1, 2))
    for length, weight in ((short, 4.0), (middle, 2.0), (long, 1.0)):
        tails[length] = 0.0
        part_head, whole_head = 0.0, 0.0
        for t in range(1, rows):
            place = (t - 1) % length
            if place == 0:
                part_head, whole_head = 0.0, 0.0
            part, whole = _pressure_kernel(high, low, close, t)
            part_head += part
            whole_head += whole
            if t >= long:
                if place == length - 1:
                    part, whole = part_head, whole_head
                else:
                    part = part_head + tails[place + 1, 0]
                    whole = whole_head + tails[place + 1, 1]
                out[t] += weight * (part / whole if whole != 0.0 else 0.5)
            if place == length - 1:
                part_tail, whole_tail = 0.0, 0.0
                for back in range(length):
                    part, whole = _pressure_kernel(high, low, close, t - back)
                    part_tail += part
                    whole_tail += whole
                    tails[length - 1 - back, 0] = part_tail
                    tails[length - 1 - back, 1] = whole_tail
    for t in range(long, rows):
        out[t] = 100.0 * min(max(out[t] / 7.0, 0.0), 1.0)
    return out


@kernel(nogil=True)
def _median_mean_kernel(
    high: Float1D, low: Float1D, length: int, out: Float1D, sign: float
) -> None:
    """Add ``sign`` times the rolling mean of the median price to ``out``."""
    rows = len(high)
    tails = np.full(length + 1, np.nan)
    anchor = 0.0
    for start in range(0, rows, length):
        head, size = 0.0, min(length, rows - start)
        for i in range(size):
            head += 0.5 * (high[start + i] + low[start + i]) - anchor
            if i < length - 1:
                out[start + i] += sign * (anchor + (head + tails[i + 1]) / length)
        if size == length:
            last = start + length - 1
            anchor = 0.5 * (high[last] + low[last])
            tail = 0.0
            for back in range(length):
                tail += 0.5 * (high[last - back] + low[last - back]) - anchor
                tails[length - 1 - back] = tail
            out[last] += sign * (anchor + tail / length)


@kernel(nogil=True)
def _awesome_kernel(high: Float1D, low: Float1D, fast: int, slow: int) -> Float1D:
    out = np.zeros(len(high))
    _median_mean_kernel(high, low, fast, out, 1.0)
    _median_mean_kernel(high, low, slow, out, -1.0)
    return out


@kernel(nogil=True)
def _over_kernel(line: Float1D, atr: Float1D) -> Float1D:
    """``line`` over ``atr``, 0 where that is 0; both are unknown where one is, ``line`` in place."""
    for t in range(len(line)):
        if np.isnan(line[t]) or np.isnan(atr[t]):
            line[t] = atr[t] = np.nan
        else:
            atr[t] = line[t] / atr[t] if atr[t] != 0.0 else 0.0
    return atr


@kernel(nogil=True)
def _awesome_score_kernel(line: Float1D, atr: Float1D, rank: Float1D) -> Float1D:
    out = np.empty(len(line))
    out[:1] = np.nan
    for t in range(1, len(line)):
        turn = line[t] - line[t - 1]
        level = line[t] / atr[t] if atr[t] != 0.0 else 0.0
        turn = turn / atr[t] if atr[t] != 0.0 else 0.0
        sides = 0.25 * (1.0 + np.tanh(level / 0.5)) + 0.15 * (1.0 + np.tanh(turn / 0.1))
        out[t] = 100.0 * sides + 0.2 * rank[t]
    return out


@kernel(nogil=True)
def _elder_kernel(high: Float1D, low: Float1D, average: Float1D) -> tuple[Float1D, Float1D]:
    bull, bear = np.empty(len(high)), average
    for t in range(len(high)):
        bull[t] = high[t] - average[t]
        bear[t] = low[t] - average[t]
    return bull, bear


@kernel(nogil=True)
def _less_mean_kernel(values: Float1D, mean: Float1D) -> Float1D:
    for t in range(len(values)):
        mean[t] = values[t] - mean[t]
    return mean


def commodity_channel_index(high: Float1D, low: Float1D, close: Float1D, length: int) -> Float1D:
    """CCI (Lambert 1980): typical price less its mean over 0.015 mean deviations; 0 when flat.

    Array ``(T,)``, unbounded; known at close *t*; NaN for ``length - 1`` rows.
    """
    typical = _typical_price_kernel(high, low, close)
    return _channel_index_kernel(typical, rolling_mean(typical, length), length)


def ultimate_oscillator(
    high: Float1D, low: Float1D, close: Float1D, short: int, middle: int, long: int
) -> Float1D:
    """Ultimate oscillator (Williams 1985): buying pressure over true range, weights 4, 2 and 1.

    Array ``(T,)``, 0 to 100, 50 when flat; known at close *t*; NaN for ``long`` rows.
    """
    return _ultimate_kernel(high, low, close, short, middle, long)


def awesome_oscillator(high: Float1D, low: Float1D, fast: int, slow: int) -> Float1D:
    """AO (Williams): simple mean of the median price over ``fast`` rows less that over ``slow``.

    Array ``(T,)`` in price units; known at close *t*; NaN for ``slow - 1`` rows.
    """
    return _awesome_kernel(high, low, fast, slow)


def _cci(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    return (commodity_channel_index(high, low, close, int(parameters["length"])),)


def _ultimate(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ultimate_oscillator", "short", "middle", parameters)
    check_order("ultimate_oscillator", "middle", "long", parameters)
    lengths = [int(parameters[name]) for name in ("short", "middle", "long")]
    return (ultimate_oscillator(columns["high"], columns["low"], columns["close"], *lengths),)


def _ao_line(columns: Columns, parameters: Parameters) -> Float1D:
    check_order("ao", "fast", "slow", parameters)
    fast, slow = int(parameters["fast"]), int(parameters["slow"])
    return awesome_oscillator(columns["high"], columns["low"], fast, slow)


def _average_true_range(columns: Columns, parameters: Parameters) -> Float1D:
    high, low, close = columns["high"], columns["low"], columns["close"]
    return average_true_range(high, low, close, int(parameters["atr_length"]))


def _ao(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    line = _ao_line(columns, parameters)
    return line, _over_kernel(line, _average_true_range(columns, parameters))


def _ao_score(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    line = _ao_line(columns, parameters)
    rank = percent_rank(line, int(parameters["window"]))
    return (_awesome_score_kernel(line, _average_true_range(columns, parameters), rank),)


def _ac(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    oscillator = _ao_line(columns, parameters)
    return (_less_mean_kernel(oscillator, rolling_mean(oscillator, int(parameters["signal"]))),)


def _eri(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    average = exponential_mean(columns["close"], int(parameters["length"]))
    return _elder_kernel(columns["high"], columns["low"], average)


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
_AO_LENGTHS = (Parameter("fast", 5, 2, 50), Parameter("slow", 34, 3, 200))
_ATR_LENGTH = Parameter("atr_length", 14, 2, 200)
AO = Indicator(
    name="ao",
    text="Awesome oscillator (Williams), in price units and in average true ranges.",
    inputs=("high", "low", "close"),
    parameters=(*_AO_LENGTHS, _ATR_LENGTH),
    outputs=(
        Output("ao", "value", "price", "fast less slow mean of the median price"),
        Output("ao_atr", "value", "ATR", "the same over the average true range, 0 when flat"),
    ),
    compute=_ao,
    lookback=lambda parameters: int(max(parameters["slow"] - 1, parameters["atr_length"])),
    stable=lambda parameters: max(
        int(parameters["slow"]), wilder_stable_rows(int(parameters["atr_length"]), 1, TIGHT)
    ),
)
AC = Indicator(
    name="ac",
    text="Acceleration oscillator (Williams): the awesome oscillator less its simple mean.",
    inputs=("high", "low"),
    parameters=(*_AO_LENGTHS, Parameter("signal", 5, 2, 50)),
    outputs=(Output("ac", "value", "price", "AO less its mean"),),
    compute=_ac,
    lookback=lambda parameters: int(parameters["slow"] + parameters["signal"]) - 2,
    stable=lambda parameters: int(parameters["slow"] + parameters["signal"]) - 2,
)


def _ao_score_lookback(parameters: Parameters) -> int:
    return int(max(parameters["slow"] - 1 + parameters["window"], parameters["atr_length"]))


AO_SCORE = Indicator(
    name="ao_score",
    text="Awesome oscillator scored: half its level, 0.3 its last change, 0.2 its percent rank.",
    inputs=("high", "low", "close"),
    parameters=(
        *_AO_LENGTHS,
        _ATR_LENGTH,
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
ERI = Indicator(
    name="eri",
    text="Elder ray: how far the bar reaches above and below the EMA of the close.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 13, 2, 200),),
    outputs=(
        Output("bull", "value", "price", "high less EMA"),
        Output("bear", "value", "price", "low less EMA"),
    ),
    compute=_eri,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 1, TIGHT),
)

INDICATORS = (CCI, ULTIMATE_OSCILLATOR, AO, AC, AO_SCORE, ERI)
