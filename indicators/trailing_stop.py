"""Lines that trail the price and change sides when it crosses them: SuperTrend, parabolic SAR.

Both are recursions on prices, as ATR is, and go on through missing bars. Two starts agree once they
have changed sides together, on a row that depends on the data.
"""

import numpy as np

from engine import ConfigError, Float1D, kernel

from .moving_average import wilder_stable_rows
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in differences of averages, whose errors weigh more than in prices."""
SUPERTREND_SETTLING_ROWS = 1000
"""Rows allowed for both SuperTrend bands to be crossed; 120 starts on null hourly bars took 129."""
PARABOLIC_SETTLING_ROWS = 500
"""Rows allowed for two parabolic stops to meet; 120 starts on null hourly bars took 80."""


@kernel(nogil=True)
def _supertrend_kernel(
    high: Float1D, low: Float1D, close: Float1D, atr: Float1D, multiple: float, start: int
) -> tuple[Float1D, Float1D, Float1D]:
    count = len(close)
    line, side, flip = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count)
    upper, lower, direction = 0.0, 0.0, 1.0
    for t in range(start, count):
        middle, reach = (high[t] + low[t]) / 2.0, multiple * atr[t]
        top, bottom = middle + reach, middle - reach
        if t == start:
            upper, lower = top, bottom
        else:
            previous_upper, previous_lower = upper, lower
            if top < upper or close[t - 1] > upper:
                upper = top
            if bottom > lower or close[t - 1] < lower:
                lower = bottom
            if direction < 0 and close[t] > previous_upper:
                direction = flip[t] = 1.0
            elif direction > 0 and close[t] < previous_lower:
                direction = flip[t] = -1.0
        line[t] = lower if direction > 0 else upper
        side[t] = direction
    return line, side, flip


@kernel(inlined=True)
def _beyond_kernel(stop: float, side: float, high: Float1D, low: Float1D, t: int) -> float:
    """``stop`` moved out of the ranges of rows *t* and *t - 1*; row 0 only gave the first stop."""
    before = max(t - 1, 1)
    below: float = min(stop, low[before], low[t])
    above: float = max(stop, high[before], high[t])
    return below if side > 0 else above


@kernel(nogil=True)
def _parabolic_kernel(
    high: Float1D, low: Float1D, acceleration: float, fastest: float
) -> tuple[Float1D, Float1D, Float1D]:
    count = len(high)
    line, sides, flip = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count)
    if count < 2:
        return line, sides, flip
    down = low[0] - low[1]
    side = -1.0 if down > 0.0 and down > high[1] - high[0] else 1.0
    stop, extreme = (low[0], high[1]) if side > 0 else (high[0], low[1])
    speed = acceleration
    for t in range(1, count):
        if (side > 0 and low[t] <= stop) or (side < 0 and high[t] >= stop):
            side = flip[t] = -side
            line[t] = _beyond_kernel(extreme, side, high, low, t)
            extreme = high[t] if side > 0 else low[t]
            speed = acceleration
        else:
            line[t] = stop
            reached = high[t] if side > 0 else low[t]
            if side * (reached - extreme) > 0.0:
                extreme = reached
                speed = min(speed + acceleration, fastest)
        sides[t] = side
        stop = _beyond_kernel(line[t] + speed * (extreme - line[t]), side, high, low, t)
    return line, sides, flip


def supertrend(
    high: Float1D, low: Float1D, close: Float1D, length: int, multiple: float
) -> tuple[Float1D, Float1D, Float1D]:
    """SuperTrend (Seban): the trailing line in price units, the side of it, and the change of side.

    Arrays ``(T,)``; line and side (1 or -1) are NaN for ``length`` rows, the change is 0 or the new
    side. A band at median price plus or minus ``multiple`` ATR only tightens until a close crosses it;
    ``side[t]`` uses ``close[t]``, and the stop for the next bar is ``line[t]``. It starts on side 1.
    """
    atr = average_true_range(high, low, close, length)
    return _supertrend_kernel(high, low, close, atr, multiple, length)


def parabolic_stop(
    high: Float1D, low: Float1D, acceleration: float, fastest: float
) -> tuple[Float1D, Float1D, Float1D]:
    """Parabolic stop and reverse (Wilder 1978): the stop in price units, its side, the change of side.

    Arrays ``(T,)``; stop and side (1: below the price, -1: above) are NaN for one row, the change is 0
    or the new side. The stop of row *t* was known at close *t - 1*, except on a row that reaches it:
    there the side changes and the stop is the extreme of the trend that ended. It runs after the
    extreme at ``acceleration`` per row, more by as much for every further extreme, ``fastest`` at most,
    and never into the ranges of the last two bars. The first side is that of the larger directional
    movement from row 0 to row 1, upwards when equal.
    """
    return _parabolic_kernel(high, low, acceleration, fastest)


def _supertrend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    return supertrend(high, low, close, int(parameters["length"]), parameters["multiple"])


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


def _sar(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    acceleration, fastest = parameters["acceleration"], parameters["fastest"]
    if acceleration > fastest:
        raise ConfigError(
            f"indicator sar: acceleration={acceleration:g} must not be more than fastest={fastest:g}"
        )
    return parabolic_stop(columns["high"], columns["low"], acceleration, fastest)


SAR = Indicator(
    name="sar",
    text=(
        "Parabolic stop and reverse (Wilder): stop, side and change of side. It goes on through missing "
        "bars. Two starts agree once they changed sides together."
    ),
    inputs=("high", "low"),
    parameters=(
        Parameter("acceleration", 0.02, 0.005, 0.1, integer=False),
        Parameter("fastest", 0.2, 0.05, 0.5, integer=False),
    ),
    outputs=(
        Output("sar", "value", "price", "the stop"),
        Output("side", "value", "side", "1 when the stop is below, -1 when above", -1.0, 1.0),
        Output(
            "flip", "signal", "side", "the new side, on its first row", firing_rate=(0.04, 0.15)
        ),
    ),
    compute=_sar,
    lookback=lambda parameters: 1,
    stable=lambda parameters: PARABOLIC_SETTLING_ROWS,
)

INDICATORS = (SUPERTREND, SAR)
