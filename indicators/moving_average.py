"""Moving averages: simple, exponential, weighted, Wilder, and the compounds made of them.

Each indicator gives the average in price units and ``distance``, the close less the average.
"""

from collections.abc import Callable

import numpy as np

from engine import Float1D, kernel

from .rolling import quotient, rolling_mean, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel
def _recursive_mean_kernel(values: Float1D, length: int, start: int, alpha: float) -> Float1D:
    out = np.full(len(values), np.nan)
    first = start + length - 1
    if start < 0 or len(values) <= first:
        return out
    total = 0.0
    for t in range(start, first + 1):
        total += values[t] - values[start]
    average = values[start] + total / length
    out[first] = average
    for t in range(first + 1, len(values)):
        average = average + (values[t] - average) * alpha
        out[t] = average
    return out


@kernel
def _weighted_mean_kernel(values: Float1D, length: int, start: int) -> Float1D:
    out = np.full(len(values), np.nan)
    divisor = length * (length + 1) / 2.0
    for t in range(start + length - 1, len(values)):
        total = 0.0
        for back in range(length):
            total += values[t - back] * (length - back)
        out[t] = total / divisor
    return out


def exponential_mean(values: Float1D, length: int, start: int = 0) -> Float1D:
    """EMA with ``alpha = 2 / (length + 1)``, seeded with the mean of the first ``length`` rows.

    Array ``(T,)`` in and out, in the units of ``values``, whose first ``start`` rows are not read.
    Known at close *t*; NaN for ``start + length - 1`` rows. Seeded as TA-Lib does.
    """
    return _recursive_mean_kernel(values, length, start, 2.0 / (length + 1.0))


def wilder_mean(values: Float1D, length: int, start: int = 0) -> Float1D:
    """Wilder's mean: ``alpha = 1 / length``, seeded with the mean of the first ``length`` rows.

    Array ``(T,)`` in and out; the first ``start`` rows are not read; known at close *t*; NaN for
    ``start + length - 1`` rows.
    """
    return _recursive_mean_kernel(values, length, start, 1.0 / length)


def weighted_mean(values: Float1D, length: int, start: int = 0) -> Float1D:
    """WMA: weights ``length`` for row *t* down to 1; NaN for ``start + length - 1`` rows."""
    return _weighted_mean_kernel(values, length, start)


def double_exponential_mean(values: Float1D, length: int) -> Float1D:
    """DEMA (Mulloy 1994): ``2 EMA - EMA(EMA)``; NaN for ``2 (length - 1)`` rows."""
    once = exponential_mean(values, length)
    return 2.0 * once - exponential_mean(once, length, length - 1)


def triple_exponential_mean(values: Float1D, length: int) -> Float1D:
    """TEMA (Mulloy 1994): ``3 EMA1 - 3 EMA2 + EMA3``; NaN for ``3 (length - 1)`` rows."""
    once = exponential_mean(values, length)
    twice = exponential_mean(once, length, length - 1)
    thrice = exponential_mean(twice, length, 2 * (length - 1))
    return 3.0 * once - 3.0 * twice + thrice


def hull_lookback(length: int) -> int:
    """NaN rows of ``hull_mean``: ``length - 1`` plus ``floor(sqrt(length)) - 1``."""
    return length + int(np.sqrt(length)) - 2


def hull_mean(values: Float1D, length: int) -> Float1D:
    """HMA (Hull 2005): ``WMA(2 WMA(length / 2) - WMA(length), sqrt(length))``, lengths rounded down.

    NaN for ``hull_lookback(length)`` rows.
    """
    raw = 2.0 * weighted_mean(values, length // 2) - weighted_mean(values, length)
    return weighted_mean(raw, int(np.sqrt(length)), length - 1)


def volume_weighted_mean(values: Float1D, volume: Float1D, length: int) -> Float1D:
    """VWMA: ``sum(x V) / sum(V)`` over ``length`` rows; ``x_t`` itself where no volume traded."""
    traded = rolling_sum(volume, length)
    weighted = quotient(rolling_sum(values * volume, length), traded, 0.0)
    return np.where(traded == 0, values, weighted)


def forgetting_rows(alpha: float, stages: int = 1, tolerance: float = 1e-6) -> int:
    """Rows until a cascade of ``stages`` recursive means has forgotten all but ``tolerance``.

    The weight that such a cascade gives to what lies *n* or more rows back is the chance of fewer
    than ``stages`` successes in ``n + stages - 1`` trials of probability ``alpha``; the smallest *n*
    that brings it to ``tolerance`` is found by doubling and halving.
    """
    if alpha >= 1.0:
        return 1

    def remembered(trials: int) -> float:
        term = (1.0 - alpha) ** trials
        total = term
        for j in range(1, stages):
            term *= (trials - j + 1) / j * alpha / (1.0 - alpha)
            total += term
        return total

    high = stages
    while remembered(high) > tolerance:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if remembered(middle) > tolerance else (low, middle)
    return high - stages + 1


def exponential_stable_rows(length: int, stages: int = 1, tolerance: float = 1e-6) -> int:
    """Rows of the seeds of ``stages`` chained EMAs plus the rows in which they forget them."""
    return stages * length + forgetting_rows(2.0 / (length + 1.0), stages, tolerance)


def wilder_stable_rows(length: int, stages: int = 1, tolerance: float = 1e-6) -> int:
    """Rows of the seeds of ``stages`` chained Wilder means plus those in which they forget them."""
    return stages * length + forgetting_rows(1.0 / length, stages, tolerance)


def _average(
    name: str,
    text: str,
    mean: Callable[[Float1D, int], Float1D],
    lookback: Callable[[int], int],
    stable: Callable[[int], int],
    *,
    default: int = 20,
    low: int = 2,
) -> Indicator:
    def compute(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        close = columns["close"]
        average = mean(close, int(parameters["length"]))
        return average, close - average

    return Indicator(
        name=name,
        text=text,
        inputs=("close",),
        parameters=(Parameter("length", default, low, 400),),
        outputs=(
            Output(name, "value", "price", text),
            Output("distance", "value", "price", "close less the average"),
        ),
        compute=compute,
        lookback=lambda parameters: lookback(int(parameters["length"])),
        stable=lambda parameters: stable(int(parameters["length"])),
    )


SMA = _average("sma", "Simple mean of the close.", rolling_mean, lambda n: n - 1, lambda n: n - 1)
EMA = _average(
    "ema",
    "Exponential mean of the close, seeded with the simple mean.",
    exponential_mean,
    lambda n: n - 1,
    exponential_stable_rows,
)
WMA = _average(
    "wma", "Linearly weighted mean of the close.", weighted_mean, lambda n: n - 1, lambda n: n - 1
)
RMA = _average(
    "rma",
    "Wilder's mean of the close.",
    wilder_mean,
    lambda n: n - 1,
    wilder_stable_rows,
    default=14,
)
DEMA = _average(
    "dema",
    "Double exponential mean of the close.",
    double_exponential_mean,
    lambda n: 2 * (n - 1),
    lambda n: exponential_stable_rows(n, 2, 1e-7),
)
TEMA = _average(
    "tema",
    "Triple exponential mean of the close.",
    triple_exponential_mean,
    lambda n: 3 * (n - 1),
    lambda n: exponential_stable_rows(n, 3, 1e-7),
)
HMA = _average("hma", "Hull mean of the close.", hull_mean, hull_lookback, hull_lookback, low=4)


def _hma_slope(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    average = hull_mean(columns["close"], int(parameters["length"]))
    slope = np.full(len(average), np.nan)
    slope[1:] = average[1:] - average[:-1]
    return (slope,)


HMA_SLOPE = Indicator(
    name="hma_slope",
    text="Change of the Hull mean over the last bar.",
    inputs=("close",),
    parameters=(Parameter("length", 20, 4, 400),),
    outputs=(Output("hma_slope", "value", "price per bar", "Hull mean less the one a bar ago"),),
    compute=_hma_slope,
    lookback=lambda parameters: hull_lookback(int(parameters["length"])) + 1,
    stable=lambda parameters: hull_lookback(int(parameters["length"])) + 1,
)


def _vwma(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    average = volume_weighted_mean(close, columns["volume"], int(parameters["length"]))
    return average, close - average


VWMA = Indicator(
    name="vwma",
    text="Volume-weighted mean of the close; the close itself where the window has no volume.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 20, 2, 400),),
    outputs=(
        Output("vwma", "value", "price", "volume-weighted mean"),
        Output("distance", "value", "price", "close less the average"),
    ),
    compute=_vwma,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _ma_stack(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    fast, middle, slow = (
        rolling_mean(close, int(parameters[name])) for name in ("fast", "middle", "slow")
    )
    stack = np.sign(close - fast) + np.sign(fast - middle) + np.sign(middle - slow)
    return (stack / 3.0,)


def _longest(parameters: Parameters) -> int:
    return int(max(parameters["fast"], parameters["middle"], parameters["slow"])) - 1


MA_STACK = Indicator(
    name="ma_stack",
    text="Order of close, fast, middle and slow simple means: mean of the three signs.",
    inputs=("close",),
    parameters=(
        Parameter("fast", 20, 2, 100),
        Parameter("middle", 50, 5, 200),
        Parameter("slow", 200, 10, 400),
    ),
    outputs=(
        Output("ma_stack", "value", "share", "1 stacked upwards, -1 downwards", low=-1.0, high=1.0),
    ),
    compute=_ma_stack,
    lookback=_longest,
    stable=_longest,
)

INDICATORS = (SMA, EMA, WMA, RMA, DEMA, TEMA, HMA, HMA_SLOPE, VWMA, MA_STACK)
