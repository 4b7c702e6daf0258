"""Averages made of averages, for less lag or more smoothness: DEMA, TEMA, T3, TRIMA, HMA, ZLEMA.

Each indicator gives the average in price units and ``distance``, the close less the average.
"""

import numpy as np

from engine import Float1D, kernel

from .moving_average import (
    average_indicator,
    exponential_mean,
    exponential_stable_rows,
    recursive_rows_kernel,
    weighted_mean,
)
from .rolling import rolling_mean
from .spec import Columns, Indicator, Output, Parameter, Parameters

HALF_STAGES = 3


@kernel(nogil=True)
def _three_stages_kernel(
    values: Float1D,
    first: int,
    alpha: float,
    weights: Float1D,
    means: Float1D,
    gaps: Float1D,
    out: Float1D,
    third: Float1D,
) -> None:
    """The weighted sum of three chained means into ``out`` from row ``first`` on, whose ``means`` and
    gaps (recursive_rows_kernel) are given; the last of them into ``third`` unless that is ``out``."""
    one, two, three = means[0], means[1], means[2]
    gap_1, gap_2, gap_3 = gaps[0], gaps[1], gaps[2]
    of_1, of_2, of_3 = weights[0], weights[1], weights[2]
    keep = 1.0 - alpha
    third[first] = three
    out[first] = of_1 * one + of_2 * two + of_3 * three
    for t in range(first + 1, len(values)):
        before_1, before_2 = one, two
        gap_1 = (gap_1 + (values[t] - values[t - 1])) * keep
        one = values[t] - gap_1
        gap_2 = (gap_2 + (one - before_1)) * keep
        two = one - gap_2
        gap_3 = (gap_3 + (two - before_2)) * keep
        three = two - gap_3
        third[t] = three
        out[t] = of_1 * one + of_2 * two + of_3 * three


@kernel(nogil=True)
def _cascade_kernel(
    values: Float1D, length: int, start: int, alpha: float, weights: Float1D, stages: int
) -> Float1D:
    """Three stages in the first pass, three more, for whoever asks for them, in a second."""
    out = np.empty(len(values))
    third = np.empty(len(values)) if stages > HALF_STAGES else out
    first = start + stages * (length - 1)
    if len(values) <= first:
        out[:] = np.nan
        return out
    out[:first] = np.nan
    means, gaps = np.zeros(2 * HALF_STAGES), np.zeros(2 * HALF_STAGES)
    line = values[: first + 1]
    for stage in range(stages):
        rows = np.empty(first + 1)
        gaps[stage] = recursive_rows_kernel(line, length, start + stage * (length - 1), alpha, rows)
        means[stage], line = rows[first], rows
    _three_stages_kernel(values, first, alpha, weights, means, gaps, out, third)
    if stages > HALF_STAGES:
        later = np.zeros(len(values))
        rest = weights[HALF_STAGES:], means[HALF_STAGES:], gaps[HALF_STAGES:]
        _three_stages_kernel(third, first, alpha, *rest, later, later)
        for t in range(first, len(values)):
            out[t] += later[t]
    return out


@kernel(nogil=True)
def _less_lag_kernel(values: Float1D, lag: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(lag, len(values)):
        out[t] = 2.0 * values[t] - values[t - lag]
    return out


def cascaded_mean(
    values: Float1D, length: int, weights: tuple[float, ...], start: int = 0
) -> Float1D:
    """``weights`` times the EMA, the EMA of the EMA and so on, summed; up to six of them in one pass.

    Array ``(T,)`` in and out, in the units of ``values`` where the weights add up to 1. Each stage is
    seeded with the mean of the first ``length`` rows of the one before, as in TA-Lib; the first
    ``start`` rows are not read. NaN for ``start + stages (length - 1)`` rows; known at close *t*.
    """
    padded = np.zeros(2 * HALF_STAGES)
    padded[: len(weights)] = weights
    return _cascade_kernel(values, length, start, 2.0 / (length + 1.0), padded, len(weights))


def double_exponential_mean(values: Float1D, length: int) -> Float1D:
    """DEMA (Mulloy 1994): ``2 EMA - EMA(EMA)``; NaN for ``2 (length - 1)`` rows."""
    return cascaded_mean(values, length, (2.0, -1.0))


def triple_exponential_mean(values: Float1D, length: int) -> Float1D:
    """TEMA (Mulloy 1994): ``3 EMA1 - 3 EMA2 + EMA3``; NaN for ``3 (length - 1)`` rows."""
    return cascaded_mean(values, length, (3.0, -3.0, 1.0))


def tillson_mean(values: Float1D, length: int, volume_factor: float) -> Float1D:
    """T3 (Tillson 1998): the generalised DEMA ``(1 + v) EMA - v EMA(EMA)`` applied three times.

    ``volume_factor`` *v* is 0 (three EMAs) to 1 (three DEMAs). Array ``(T,)`` in and out; known at
    close *t*; NaN for ``6 (length - 1)`` rows.
    """
    v, w = volume_factor, 1.0 + volume_factor
    return cascaded_mean(
        values, length, (0.0, 0.0, w * w * w, -3.0 * w * w * v, 3.0 * w * v * v, -v * v * v)
    )


def triangular_mean(values: Float1D, length: int) -> Float1D:
    """TRIMA: weights 1, 2, .. up to the middle and down again; NaN for ``length - 1`` rows.

    The mean over ``(length + 2) // 2`` rows of the mean over ``(length + 1) // 2`` rows.
    """
    return rolling_mean(rolling_mean(values, (length + 1) // 2), (length + 2) // 2)


def less_lag_mean(values: Float1D, length: int) -> Float1D:
    """ZLEMA (Ehlers and Way 2010): EMA of ``2 x_t - x_(t - lag)`` with ``lag = (length - 1) // 2``.

    Array ``(T,)`` in and out; known at close *t*; NaN for ``lag + length - 1`` rows.
    """
    lag = (length - 1) // 2
    return exponential_mean(_less_lag_kernel(values, lag), length, lag)


def hull_lookback(length: int) -> int:
    """NaN rows of ``hull_mean``: ``length - 1`` plus ``floor(sqrt(length)) - 1``."""
    return length + int(np.sqrt(length)) - 2


def hull_mean(values: Float1D, length: int) -> Float1D:
    """HMA (Hull 2005): ``WMA(2 WMA(length / 2) - WMA(length), sqrt(length))``, lengths rounded down.

    NaN for ``hull_lookback(length)`` rows.
    """
    raw = 2.0 * weighted_mean(values, length // 2) - weighted_mean(values, length)
    return weighted_mean(raw, int(np.sqrt(length)))


DEMA = average_indicator(
    "dema",
    "Double exponential mean of the close.",
    double_exponential_mean,
    lambda n: 2 * (n - 1),
    lambda n: exponential_stable_rows(n, 2, 1e-7),
)
TEMA = average_indicator(
    "tema",
    "Triple exponential mean of the close.",
    triple_exponential_mean,
    lambda n: 3 * (n - 1),
    lambda n: exponential_stable_rows(n, 3, 1e-7),
)
TRIMA = average_indicator(
    "trima",
    "Triangular mean of the close.",
    triangular_mean,
    lambda n: n - 1,
    lambda n: n - 1,
)
ZLEMA = average_indicator(
    "zlema",
    "Exponential mean of the close with its lag taken out.",
    less_lag_mean,
    lambda n: (n - 1) // 2 + n - 1,
    lambda n: (n - 1) // 2 + exponential_stable_rows(n, 1, 1e-7),
)
HMA = average_indicator(
    "hma", "Hull mean of the close.", hull_mean, hull_lookback, hull_lookback, low=4
)


def _t3(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    average = tillson_mean(close, int(parameters["length"]), parameters["volume_factor"])
    return average, close - average


T3 = Indicator(
    name="t3",
    text="Tillson's T3 of the close: the generalised DEMA applied three times.",
    inputs=("close",),
    parameters=(
        Parameter("length", 5, 2, 100),
        Parameter("volume_factor", 0.7, 0.0, 1.0, integer=False),
    ),
    outputs=(
        Output("t3", "value", "price", "Tillson's T3"),
        Output("distance", "value", "price", "close less the average"),
    ),
    compute=_t3,
    lookback=lambda parameters: int(6 * (parameters["length"] - 1)),
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 6, 1e-8),
)


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

INDICATORS = (DEMA, TEMA, T3, TRIMA, ZLEMA, HMA, HMA_SLOPE)
