"""Moving averages: simple, exponential, linearly weighted, Wilder's, volume-weighted.

Each indicator gives the average in price units and ``distance``, the close less the average.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from engine import Float1D, kernel

from .rolling import rolling_mean
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel(nogil=True)
def recursive_rows_kernel(
    values: Float1D, length: int, start: int, alpha: float, out: Float1D
) -> float:
    """Recursive mean into ``out``, as many rows as it has; the value less its mean on the last one.

    Carries that gap, which waits for one operation less than the mean does. On equal rows it fades to
    0, so that the mean becomes exactly their value.
    """
    first: int = start + length - 1
    out[:first] = np.nan
    if start < 0 or len(out) <= first:
        out[:] = np.nan
        return np.nan
    total = 0.0
    for t in range(start, first + 1):
        total += values[t] - values[start]
    out[first] = values[start] + total / length
    gap: float = values[first] - out[first]
    keep = 1.0 - alpha
    for t in range(first + 1, len(out)):
        gap = (gap + (values[t] - values[t - 1])) * keep
        out[t] = values[t] - gap
    return gap


@kernel(nogil=True)
def recursive_mean_kernel(values: Float1D, length: int, start: int, alpha: float) -> Float1D:
    out = np.empty(len(values))
    recursive_rows_kernel(values, length, start, alpha, out)
    return out


@kernel(nogil=True)
def _weighted_mean_kernel(values: Float1D, length: int) -> Float1D:
    """Distances from the last row of the block before, as in rolling.py: equal rows give their value.

    ``weighted_tails[i]`` is the sum from row ``i`` of the last block to its end, in which row ``i``
    counts once, the next twice and so on.
    """
    count = len(values)
    out = np.empty(count)
    weighted_tails = np.full(length + 1, np.nan)
    weights = length * (length + 1) / 2.0
    anchor = 0.0
    for start in range(0, count, length):
        block, answers = values[start : start + length], out[start : start + length]
        head, weighted_head = 0.0, 0.0
        for i in range(len(block)):
            step = block[i] - anchor
            head += step
            weighted_head += (i + 1) * step
            weighted = weighted_tails[i + 1] + (length - 1 - i) * head + weighted_head
            answers[i] = anchor + weighted / weights
        if len(block) == length:
            anchor = block[length - 1]
            tail, weighted_tail = 0.0, 0.0
            for back in range(length):
                tail += block[length - 1 - back] - anchor
                weighted_tail += tail
                weighted_tails[length - 1 - back] = weighted_tail
            answers[length - 1] = anchor + weighted_tail / weights
    return out


@kernel(nogil=True)
def _volume_weighted_mean_kernel(values: Float1D, volume: Float1D, length: int) -> Float1D:
    count = len(values)
    out = np.empty(count)
    tails, volume_tails = np.full(length + 1, np.nan), np.full(length + 1, np.nan)
    anchor = 0.0
    for start in range(0, count, length):
        block, traded = values[start : start + length], volume[start : start + length]
        answers = out[start : start + length]
        head, volume_head = 0.0, 0.0
        for i in range(len(block)):
            head += (block[i] - anchor) * traded[i]
            volume_head += traded[i]
            total, weight = tails[i + 1] + head, volume_tails[i + 1] + volume_head
            answers[i] = block[i] + 0.0 * total if weight == 0.0 else anchor + total / weight
        if len(block) == length:
            anchor = block[length - 1]
            tail, volume_tail = 0.0, 0.0
            for back in range(length):
                tail += (block[length - 1 - back] - anchor) * traded[length - 1 - back]
                volume_tail += traded[length - 1 - back]
                tails[length - 1 - back] = tail
                volume_tails[length - 1 - back] = volume_tail
            answers[length - 1] = anchor if volume_tail == 0.0 else anchor + tail / volume_tail
    return out


def exponential_mean(values: Float1D, length: int, start: int = 0) -> Float1D:
    """EMA with ``alpha = 2 / (length + 1)``, seeded with the mean of the first ``length`` rows.

    Array ``(T,)`` in and out, in the units of ``values``, whose first ``start`` rows are not read.
    Known at close *t*; NaN for ``start + length - 1`` rows. Seeded as TA-Lib does.
    """
    return recursive_mean_kernel(values, length, start, 2.0 / (length + 1.0))


def wilder_mean(values: Float1D, length: int, start: int = 0) -> Float1D:
    """Wilder's mean: ``alpha = 1 / length``, seeded with the mean of the first ``length`` rows.

    Array ``(T,)`` in and out; the first ``start`` rows are not read; known at close *t*; NaN for
    ``start + length - 1`` rows.
    """
    return recursive_mean_kernel(values, length, start, 1.0 / length)


def weighted_mean(values: Float1D, length: int) -> Float1D:
    """WMA: weights ``length`` for row *t* down to 1; NaN for ``length - 1`` rows or on any NaN.

    Array ``(T,)`` in and out, in the units of ``values``; known at close *t*.
    """
    return _weighted_mean_kernel(values, length)


def volume_weighted_mean(values: Float1D, volume: Float1D, length: int) -> Float1D:
    """VWMA: ``sum(x V) / sum(V)`` over ``length`` rows; ``x_t`` itself where no volume traded.

    Arrays ``(T,)``, in the units of ``values``; known at close *t*; NaN for ``length - 1`` rows.
    """
    return _volume_weighted_mean_kernel(values, volume, length)


@cache
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


def average_indicator(
    name: str,
    text: str,
    mean: Callable[[Float1D, int], Float1D],
    lookback: Callable[[int], int],
    stable: Callable[[int], int],
    *,
    default: int = 20,
    low: int = 2,
) -> Indicator:
    """An indicator of the close with one length: the average ``mean(close, length)`` and ``distance``."""

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


SMA = average_indicator(
    "sma", "Simple mean of the close.", rolling_mean, lambda n: n - 1, lambda n: n - 1
)
EMA = average_indicator(
    "ema",
    "Exponential mean of the close, seeded with the simple mean.",
    exponential_mean,
    lambda n: n - 1,
    lambda n: exponential_stable_rows(n, 1, 1e-8),
)
WMA = average_indicator(
    "wma", "Linearly weighted mean of the close.", weighted_mean, lambda n: n - 1, lambda n: n - 1
)
RMA = average_indicator(
    "rma",
    "Wilder's mean of the close.",
    wilder_mean,
    lambda n: n - 1,
    lambda n: wilder_stable_rows(n, 1, 1e-8),
    default=14,
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


@kernel(nogil=True)
def _stack_kernel(close: Float1D, fast: Float1D, middle: Float1D, slow: Float1D) -> Float1D:
    out = np.empty(len(close))
    for t in range(len(close)):
        signs = np.sign(close[t] - fast[t]) + np.sign(fast[t] - middle[t])
        out[t] = (signs + np.sign(middle[t] - slow[t])) / 3.0
    return out


def _ma_stack(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    fast, middle, slow = (
        rolling_mean(close, int(parameters[name])) for name in ("fast", "middle", "slow")
    )
    return (_stack_kernel(close, fast, middle, slow),)


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

INDICATORS = (SMA, EMA, WMA, RMA, VWMA, MA_STACK)
