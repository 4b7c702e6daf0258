"""Least squares over the last rows: where the line ends, how steep it is.

Only the end of the line and its slope are indicators. A line or channel that is drawn back over its
window is another one with every bar, and shows yesterday what only today knows.
"""

import numpy as np

from engine import Float1D, kernel

from .moving_average import wilder_stable_rows
from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in ratios of small differences, whose errors weigh more than in prices."""
_ATR_LENGTH = Parameter("atr_length", 14, 2, 200)


@kernel(nogil=True)
def linear_fit_rows_kernel(values: Float1D, length: int, ends: Float1D, slopes: Float1D) -> None:
    """``tails`` are sums from row ``i`` of the last block to its end, ``weighted_tails`` those in
    which row ``i`` counts once, the next twice and so on; heads are those of this block to row ``i``."""
    count = len(values)
    heads, weighted_heads = np.empty(length), np.empty(length)
    tails, weighted_tails = np.full(length + 1, np.nan), np.full(length + 1, np.nan)
    weights = length * (length + 1.0) / 2.0
    steepness = 6.0 / (length - 1.0)
    anchor = 0.0
    for start in range(0, count, length):
        block = values[start : start + length]
        end, slope = ends[start : start + length], slopes[start : start + length]
        head, weighted_head = 0.0, 0.0
        for i in range(len(block)):
            step = block[i] - anchor
            head += step
            weighted_head += (i + 1) * step
            heads[i], weighted_heads[i] = head, weighted_head
        # Apart from the sums, which wait for each other, so that several rows are divided at once.
        for i in range(len(block)):
            before = length - 1 - i
            weighted = weighted_tails[i + 1] + before * heads[i] + weighted_heads[i]
            mean = (tails[i + 1] + heads[i]) / length
            tilt = weighted / weights - mean
            slope[i] = steepness * tilt
            end[i] = anchor + (mean + 3.0 * tilt)
        if len(block) == length:
            anchor = block[length - 1]
            tail, weighted_tail = 0.0, 0.0
            for back in range(length):
                tail += block[length - 1 - back] - anchor
                weighted_tail += tail
                tails[length - 1 - back] = tail
                weighted_tails[length - 1 - back] = weighted_tail
            tilt = weighted_tail / weights - tail / length
            slope[length - 1] = steepness * tilt
            end[length - 1] = anchor + (tail / length + 3.0 * tilt)


def linear_fit(values: Float1D, length: int) -> tuple[Float1D, Float1D]:
    """The least-squares line through the last ``length`` rows: its value on row *t*, its slope per row.

    Arrays ``(T,)`` in the units of ``values`` (per row); known at close *t*; NaN for ``length - 1``
    rows or where the window holds a NaN; ``length`` is 2 or more. With the weighted mean W (weights 1
    to n, the newest weighs most) and the plain mean M, the slope is ``6 (W - M) / (n - 1)`` and the end
    ``3 W - 2 M``. Exactly 0 and the value itself where all rows are equal.
    """
    ends, slopes = np.empty(len(values)), np.empty(len(values))
    linear_fit_rows_kernel(values, length, ends, slopes)
    return ends, slopes


def _linreg(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    end, slope = linear_fit(close, int(parameters["length"]))
    return end, np.subtract(close, end, out=slope)


def _window(parameters: Parameters) -> int:
    return int(parameters["length"]) - 1


LINREG = Indicator(
    name="linreg",
    text="End of the least-squares line through the closes.",
    inputs=("close",),
    parameters=(Parameter("length", 20, 2, 400),),
    outputs=(
        Output("linreg", "value", "price", "the line on row t"),
        Output("distance", "value", "price", "close less the line"),
    ),
    compute=_linreg,
    lookback=_window,
    stable=_window,
)


def _slope(columns: Columns, parameters: Parameters) -> tuple[Float1D, Float1D]:
    """Slope of the close, and that over the ATR; both NaN until both are known."""
    high, low, close = columns["high"], columns["low"], columns["close"]
    _, slope = linear_fit(close, int(parameters["length"]))
    atr = average_true_range(high, low, close, int(parameters["atr_length"]))
    per_atr = quotient(slope, atr, 0.0)
    slope[: _slope_lookback(parameters)] = np.nan
    return slope, per_atr


def _slope_lookback(parameters: Parameters) -> int:
    return int(max(parameters["length"] - 1, parameters["atr_length"]))


def _slope_stable(parameters: Parameters) -> int:
    atr_rows = wilder_stable_rows(int(parameters["atr_length"]), 1, TIGHT)
    return max(_slope_lookback(parameters), atr_rows)


LINREG_SLOPE = Indicator(
    name="linreg_slope",
    text="Slope of the least-squares line through the closes, in prices and in ATR; 0 when flat.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 400), _ATR_LENGTH),
    outputs=(
        Output("slope", "value", "price per bar", "rise of the line over one bar"),
        Output("slope_atr", "value", "ATR per bar", "slope / ATR"),
    ),
    compute=_slope,
    lookback=_slope_lookback,
    stable=_slope_stable,
)


def _angle(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    slope, per_atr = _slope(columns, parameters)
    return np.degrees(np.arctan(slope)), np.degrees(np.arctan(per_atr))


LINREG_ANGLE = Indicator(
    name="linreg_angle",
    text=(
        "Angle of the least-squares line: of its slope in prices, as published, which depends on the "
        "size of a price, and in ATR, which does not. 0 when flat."
    ),
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 400), _ATR_LENGTH),
    outputs=(
        Output("angle", "value", "degrees, prices against bars", "arctan(slope)", -90.0, 90.0),
        Output("angle_atr", "value", "degrees", "arctan(slope / ATR)", -90.0, 90.0),
    ),
    compute=_angle,
    lookback=_slope_lookback,
    stable=_slope_stable,
)

INDICATORS = (LINREG, LINREG_SLOPE, LINREG_ANGLE)
