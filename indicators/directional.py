"""Direction from the reach of one bar beyond the last: ADX, Aroon, Vortex."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import wilder_stable_rows
from .rolling import rows_since_max, rows_since_min
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in differences of averages, whose errors weigh more than in prices."""


@kernel(nogil=True)
def _directional_movement_kernel(
    high: Float1D, low: Float1D, spread: Float1D, length: int
) -> tuple[Float1D, Float1D, Float1D]:
    count = len(high)
    adx, plus, minus = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    ranges, rise, fall = 0.0, 0.0, 0.0
    first_index, seed, average = 0.0, 0.0, 0.0
    for t in range(1, count):
        up, down = high[t] - high[t - 1], low[t - 1] - low[t]
        upward = up if up > down and up > 0.0 else 0.0
        downward = down if down > up and down > 0.0 else 0.0
        if t < length:
            ranges, rise, fall = ranges + spread[t], rise + upward, fall + downward
            continue
        ranges = ranges - ranges / length + spread[t]
        rise, fall = rise - rise / length + upward, fall - fall / length + downward
        if ranges != 0.0:
            plus[t], minus[t] = 100.0 * (rise / ranges), 100.0 * (fall / ranges)
        else:
            plus[t], minus[t] = 0.0, 0.0
        both = plus[t] + minus[t]
        index = 100.0 * (abs(plus[t] - minus[t]) / both) if both != 0.0 else 0.0
        if t < 2 * length:
            first_index = index if t == length else first_index
            seed += index - first_index
            average = first_index + seed / length
        else:
            average = average + (index - average) / length
        if t >= 2 * length - 1:
            adx[t] = average
    return adx, plus, minus


@kernel(nogil=True)
def _vortex_kernel(
    high: Float1D, low: Float1D, spread: Float1D, length: int
) -> tuple[Float1D, Float1D]:
    """Blocks as in rolling.py, three sums side by side; row 0 has no bar before it and no terms."""
    count = len(high)
    plus, minus = np.empty(count), np.empty(count)
    tails = np.full((length + 1, 3), np.nan)
    for start in range(1, count, length):
        stop = min(start + length, count)
        up, down, ranges = 0.0, 0.0, 0.0
        for t in range(start, stop):
            up += abs(high[t] - low[t - 1])
            down += abs(low[t] - high[t - 1])
            ranges += spread[t]
            tail = tails[t - start + 1]
            whole = tail[2] + ranges
            plus[t] = (tail[0] + up) / whole if whole != 0.0 else 0.0
            minus[t] = (tail[1] + down) / whole if whole != 0.0 else 0.0
        if stop == start + length:
            plus[stop - 1] = up / ranges if ranges != 0.0 else 0.0
            minus[stop - 1] = down / ranges if ranges != 0.0 else 0.0
            up, down, ranges = 0.0, 0.0, 0.0
            for t in range(stop - 1, start - 1, -1):
                up += abs(high[t] - low[t - 1])
                down += abs(low[t] - high[t - 1])
                ranges += spread[t]
                tails[t - start, 0], tails[t - start, 1], tails[t - start, 2] = up, down, ranges
    plus[:length], minus[:length] = np.nan, np.nan
    return plus, minus


def directional_movement(
    high: Float1D, low: Float1D, close: Float1D, length: int
) -> tuple[Float1D, Float1D, Float1D]:
    """ADX, +DI and -DI (Wilder 1978); 0 where nothing moved.

    Arrays ``(T,)``, 0 to 100; known at close *t*; the DI are NaN for ``length`` rows, ADX for
    ``2 length - 1``.
    """
    return _directional_movement_kernel(high, low, true_range(high, low, close), length)


def vortex(high: Float1D, low: Float1D, close: Float1D, length: int) -> tuple[Float1D, Float1D]:
    """Vortex lines (Botes and Siepman 2010): sums of |high - previous low| and of |low - previous high|
    over the sum of true ranges, each over ``length`` rows; both 0 where nothing moved.

    Arrays ``(T,)``, about 1; known at close *t*; NaN for ``length`` rows.
    """
    return _vortex_kernel(high, low, true_range(high, low, close), length)


def _adx(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    adx, plus, minus = directional_movement(
        columns["high"], columns["low"], columns["close"], length
    )
    plus[: 2 * length - 1], minus[: 2 * length - 1] = np.nan, np.nan
    return adx, plus, minus


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
    up = 100.0 * (length - rows_since_max(columns["high"], length)) / length
    down = 100.0 * (length - rows_since_min(columns["low"], length)) / length
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


def _vortex(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    plus, minus = vortex(high, low, close, int(parameters["length"]))
    return plus, minus, plus - minus


VORTEX = Indicator(
    name="vortex",
    text="Vortex lines (Botes and Siepman); both 0 when nothing moved.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(
        Output("plus", "value", "share of the true ranges", "upward movement", 0.0),
        Output("minus", "value", "share of the true ranges", "downward movement", 0.0),
        Output("spread", "value", "share of the true ranges", "plus less minus"),
    ),
    compute=_vortex,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (ADX, AROON, VORTEX)
