"""Indexes made of ranges and deviations: mass index, Chaikin, relative volatility, Ulcer."""

import numpy as np

from engine import Float1D, kernel

from .momentum import TIGHT
from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_stable_rows,
)
from .rolling import rolling_max, rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters

MOST_GAPS = 3
"""Missing bars in a row beyond which a state machine forgets."""
BULGE_SETTLING_ROWS = 500
"""Rows allowed for the index to fall below the firing level once; null hourly bars took at most 61."""


@kernel(nogil=True)
def _bulge_kernel(
    index: Float1D, is_gap: Float1D, arm: float, fire: float, most_gaps: int
) -> Float1D:
    out = np.zeros(len(index))
    armed, gaps = False, 0
    for t in range(len(index)):
        gaps = gaps + 1 if is_gap[t] > 0 else 0
        if gaps > most_gaps:
            armed = False
        elif index[t] > arm:
            armed = True
        elif armed and index[t] < fire:
            armed = False
            out[t] = 1.0
    return out


@kernel(nogil=True)
def _range_ratio_kernel(high: Float1D, low: Float1D, length: int) -> Float1D:
    out = np.empty(len(high))
    begin = 2 * (length - 1)
    out[:begin] = np.nan
    once, twice, alpha = 0.0, 0.0, 2.0 / (length + 1.0)
    for t in range(len(high)):
        spread = high[t] - low[t]
        if t < length:
            once += spread / length
        else:
            once += (spread - once) * alpha
        if length - 1 <= t <= begin:
            twice += once / length
        elif t > begin:
            twice += (once - twice) * alpha
        if t >= begin:
            out[t] = once / twice if twice != 0.0 else 1.0
    return out


@kernel(nogil=True)
def _growth_kernel(values: Float1D, length: int) -> Float1D:
    out = np.empty(len(values))
    out[:length] = np.nan
    for t in range(length, len(values)):
        before = values[t - length]
        out[t] = 100.0 * (values[t] - before) / before if before != 0.0 else 0.0
    return out


@kernel(nogil=True)
def _rising_share_kernel(close: Float1D, deviation: Float1D, length: int, start: int) -> Float1D:
    out = np.empty(len(close))
    begin = start + length - 1
    out[:begin] = np.nan
    rising, falling, alpha = 0.0, 0.0, 1.0 / length
    for t in range(start, len(close)):
        up = deviation[t] if close[t] > close[t - 1] else 0.0 * deviation[t]
        down = deviation[t] if close[t] < close[t - 1] else 0.0 * deviation[t]
        if t <= begin:
            rising += up / length
            falling += down / length
        else:
            rising += (up - rising) * alpha
            falling += (down - falling) * alpha
        if t >= begin:
            both = rising + falling
            out[t] = 100.0 * (rising / both if both != 0.0 else 0.5)
    return out


def mass_index(high: Float1D, low: Float1D, length: int, sum_length: int) -> Float1D:
    """Sum over ``sum_length`` rows of EMA(range) / EMA(EMA(range)) (Dorsey); 1 a row when all is flat.

    Array ``(T,)``, about ``sum_length``; known at close *t*; NaN for
    ``2 (length - 1) + sum_length - 1`` rows. It has no direction.
    """
    return rolling_sum(_range_ratio_kernel(high, low, length), sum_length)


def chaikin_volatility(high: Float1D, low: Float1D, length: int, roc_length: int) -> Float1D:
    """Percent change over ``roc_length`` rows of the EMA of high - low; 0 where that EMA was 0.

    Array ``(T,)`` in percent, at least -100; known at close *t*; NaN for ``length + roc_length - 1``
    rows.
    """
    return _growth_kernel(exponential_mean(high - low, length), roc_length)


def relative_volatility_index(close: Float1D, length: int, deviation_length: int) -> Float1D:
    """RVI (Dorsey 1993): share of Wilder's mean deviation that fell on rising closes.

    The deviation (ddof 0) over ``deviation_length`` rows counts as rising when the close rose over
    the last row, as falling when it fell, and as neither when it stood still. Array ``(T,)``, 0 to
    100, 50 when flat; known at close *t*; NaN for ``deviation_length + length - 2`` rows.
    """
    deviation = rolling_std(close, deviation_length)
    return _rising_share_kernel(close, deviation, length, deviation_length - 1)


def ulcer_index(close: Float1D, length: int) -> Float1D:
    """Ulcer index (Martin 1987): root of the mean squared fall below the highest close so far.

    Each of the last ``length`` rows is measured in percent of the highest close of the ``length``
    rows that end with it. Array ``(T,)`` in percent, 0 where nothing fell; known at close *t*; NaN
    for ``2 (length - 1)`` rows.
    """
    highest = rolling_max(close, length)
    fall = 100.0 * (close - highest) / highest
    return np.sqrt(rolling_sum(fall * fall, length) / length)


def _mass_index(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, sum_length = int(parameters["length"]), int(parameters["sum_length"])
    index = mass_index(columns["high"], columns["low"], length, sum_length)
    bulge = _bulge_kernel(
        index, columns["is_gap"], parameters["arm"], parameters["fire"], MOST_GAPS
    )
    return index, bulge


MASS_INDEX = Indicator(
    name="mass_index",
    text="Mass index (Dorsey 1992); it has no direction.",
    inputs=("high", "low", "is_gap"),
    parameters=(
        Parameter("length", 9, 3, 50),
        Parameter("sum_length", 25, 5, 100),
        Parameter("arm", 27.0, 5.0, 200.0, integer=False),
        Parameter("fire", 26.5, 5.0, 200.0, integer=False),
    ),
    outputs=(
        Output("mass_index", "value", "sum of ratios", "mass index", low=0.0),
        Output(
            "bulge",
            "signal",
            "flag",
            "1 on the first row below `fire` after one above `arm`; forgotten over long gaps",
            firing_rate=(0.001, 0.03),
        ),
    ),
    compute=_mass_index,
    lookback=lambda parameters: int(2 * (parameters["length"] - 1) + parameters["sum_length"] - 1),
    stable=lambda parameters: (
        exponential_stable_rows(int(parameters["length"]), 2, 1e-8)
        + int(parameters["sum_length"])
        + BULGE_SETTLING_ROWS
    ),
)


def _cvi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, roc_length = int(parameters["length"]), int(parameters["roc_length"])
    return (chaikin_volatility(columns["high"], columns["low"], length, roc_length),)


CVI = Indicator(
    name="cvi",
    text="Chaikin volatility: rate of change of the EMA of the bar's range; 0 when flat.",
    inputs=("high", "low"),
    parameters=(Parameter("length", 10, 2, 200), Parameter("roc_length", 10, 1, 200)),
    outputs=(Output("cvi", "value", "percent", "change of the mean range", low=-100.0),),
    compute=_cvi,
    lookback=lambda parameters: int(parameters["length"] + parameters["roc_length"]) - 1,
    stable=lambda parameters: (
        exponential_stable_rows(int(parameters["length"]), 1, TIGHT) + int(parameters["roc_length"])
    ),
)


def _rvi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, deviation_length = int(parameters["length"]), int(parameters["deviation_length"])
    return (relative_volatility_index(columns["close"], length, deviation_length),)


RVI = Indicator(
    name="rvi",
    text="Relative volatility index (Dorsey): the RSI of deviations; 50 when flat.",
    inputs=("close",),
    parameters=(Parameter("length", 14, 2, 200), Parameter("deviation_length", 10, 2, 200)),
    outputs=(Output("rvi", "value", "0 to 100", "relative volatility", 0.0, 100.0),),
    compute=_rvi,
    lookback=lambda parameters: int(parameters["length"] + parameters["deviation_length"]) - 2,
    stable=lambda parameters: (
        wilder_stable_rows(int(parameters["length"]), 1, TIGHT)
        + int(parameters["deviation_length"])
    ),
)
ULCER = Indicator(
    name="ulcer",
    text="Ulcer index (Martin): depth of the falls below the highest close; 0 when flat.",
    inputs=("close",),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(Output("ulcer", "value", "percent", "root mean square fall", 0.0, 100.0),),
    compute=lambda columns, parameters: (ulcer_index(columns["close"], int(parameters["length"])),),
    lookback=lambda parameters: 2 * (int(parameters["length"]) - 1),
    stable=lambda parameters: 2 * (int(parameters["length"]) - 1),
)

INDICATORS = (MASS_INDEX, CVI, RVI, ULCER)
