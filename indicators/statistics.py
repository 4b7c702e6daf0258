"""Statistics of one or two series: rank, score, Hurst exponent, correlation and beta.

Moments are built from two parts, the end of one block of ``length`` rows and the head of the next,
each accumulated afresh and then combined: the cost of a row does not grow with ``length``, nothing
drifts, and equal rows give a deviation of exactly 0.
"""

import math

import numpy as np

from engine import Float1D, kernel

from .rolling import percent_rank, quotient, rolling_z_score
from .spec import Columns, Indicator, Output, Parameter, Parameters

SHORTEST_CHUNK = 6
"""Rows below which a rescaled range says too little; halving stops before it."""
CHUNK_SIZES = 3
"""Fewest sizes of chunks through which a line is worth fitting; the length allows for them."""


@kernel(nogil=True)
def _comoments_kernel(
    first: Float1D, second: Float1D, length: int
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(first)
    squares_first = np.full(rows, np.nan)
    squares_second = np.full(rows, np.nan)
    products = np.full(rows, np.nan)
    tails = np.zeros((length, 5))
    mean_x, mean_y, xx, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(rows):
        place = t % length
        if place == 0:
            mean_x, mean_y, xx, yy, xy = first[t], second[t], 0.0, 0.0, 0.0
        else:
            dx, dy = first[t] - mean_x, second[t] - mean_y
            mean_x += dx / (place + 1)
            mean_y += dy / (place + 1)
            xx += dx * (first[t] - mean_x)
            yy += dy * (second[t] - mean_y)
            xy += dx * (second[t] - mean_y)
        if t >= length - 1:
            if place == length - 1:
                squares_first[t], squares_second[t], products[t] = xx, yy, xy
            else:
                tail = tails[place + 1]
                dx, dy = mean_x - tail[0], mean_y - tail[1]
                weight = (place + 1.0) * (length - place - 1.0) / length
                squares_first[t] = xx + tail[2] + dx * dx * weight
                squares_second[t] = yy + tail[3] + dy * dy * weight
                products[t] = xy + tail[4] + dx * dy * weight
        if place == length - 1:
            back_x, back_y, bxx, byy, bxy = first[t], second[t], 0.0, 0.0, 0.0
            tails[length - 1, 0], tails[length - 1, 1] = back_x, back_y
            tails[length - 1, 2:] = 0.0
            for back in range(1, length):
                dx, dy = first[t - back] - back_x, second[t - back] - back_y
                back_x += dx / (back + 1)
                back_y += dy / (back + 1)
                bxx += dx * (first[t - back] - back_x)
                byy += dy * (second[t - back] - back_y)
                bxy += dx * (second[t - back] - back_y)
                tail = tails[length - 1 - back]
                tail[0], tail[1], tail[2], tail[3], tail[4] = back_x, back_y, bxx, byy, bxy
    return squares_first, squares_second, products


@kernel(nogil=True)
def _rescaled_range_kernel(values: Float1D, length: int, when_flat: float) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        first = t - length + 1
        total = 0.0
        for i in range(first, t + 1):
            total += values[i] - values[t]
        mean = values[t] + total / length
        squares, path, top, bottom = 0.0, 0.0, 0.0, 0.0
        for i in range(first, t + 1):
            step = values[i] - mean
            squares += step * step
            path += step
            top, bottom = max(top, path), min(bottom, path)
        deviation = np.sqrt(squares / length)
        if np.isnan(deviation):
            continue
        out[t] = (top - bottom) / deviation if deviation > 0 else when_flat
    return out


def rolling_correlation(first: Float1D, second: Float1D, length: int) -> Float1D:
    """Pearson's correlation of the last ``length`` rows of two series, usually of returns.

    Arrays ``(T,)``; -1 to 1, 0 where either series stands still; known when row *t* of both is; NaN
    for ``length - 1`` rows and wherever the window holds a NaN.
    """
    xx, yy, xy = _comoments_kernel(first, second, length)
    return np.clip(quotient(xy, np.sqrt(xx) * np.sqrt(yy), 0.0), -1.0, 1.0)


def rolling_beta(values: Float1D, benchmark: Float1D, length: int) -> Float1D:
    """Slope of ``values`` on ``benchmark`` over the last ``length`` rows: covariance over variance.

    Arrays ``(T,)``, usually of returns; 0 where the benchmark stands still; known when row *t* of
    both is; NaN for ``length - 1`` rows and wherever the window holds a NaN.
    """
    _, variance, covariance = _comoments_kernel(values, benchmark, length)
    return quotient(covariance, variance, 0.0)


def expected_rescaled_range(length: int) -> float:
    """Mean rescaled range of ``length`` independent normal steps (Anis and Lloyd 1976), ddof 0."""
    ratio = math.exp(math.lgamma((length - 1) / 2.0) - math.lgamma(length / 2.0))
    total = math.fsum(math.sqrt((length - i) / i) for i in range(1, length))
    return ratio / math.sqrt(math.pi) * total


def chunk_lengths(length: int) -> tuple[int, ...]:
    """``length`` halved, rounding down, as long as ``SHORTEST_CHUNK`` rows are left."""
    sizes = []
    while length >= SHORTEST_CHUNK:
        sizes.append(length)
        length //= 2
    return tuple(sizes)


def hurst_exponent(close: Float1D, length: int) -> Float1D:
    """Hurst exponent of the last ``length`` log returns by rescaled range (Hurst 1951).

    1/2 plus the slope of ``ln(R/S)`` less its expectation for independent steps (Anis and Lloyd 1976,
    as Weron 2002 corrects it) on the logarithm of the chunk length; the chunks are the window, its
    halves, quarters and so on, counted from its end. A chunk without any move counts as expected.
    Array ``(T,)``, 0 to 1, 1/2 without memory and when flat; known at close *t*; NaN for ``length``
    rows.
    """
    if len(close) <= length:
        return np.full(len(close), np.nan)
    returns = np.full(len(close), np.nan)
    returns[1:] = np.log(close[1:] / close[:-1])
    sizes = chunk_lengths(length)
    logs = np.log(np.array(sizes, dtype=np.float64))
    weights = (logs - logs.mean()) / np.sum((logs - logs.mean()) ** 2)
    slope = np.zeros(len(close))
    for size, weight in zip(sizes, weights, strict=True):
        expected = expected_rescaled_range(size)
        range_of_chunk = _rescaled_range_kernel(returns, size, expected)
        chunks = length // size
        total = np.full(len(close), np.nan)
        reach = (chunks - 1) * size
        total[reach:] = range_of_chunk[reach:]
        for chunk in range(1, chunks):
            total[reach:] += range_of_chunk[reach - chunk * size : len(close) - chunk * size]
        slope = slope + weight * np.log(total / (chunks * expected))
    slope[:length] = np.nan
    return np.clip(0.5 + slope, 0.0, 1.0)


PERCENT_RANK = Indicator(
    name="percent_rank",
    text="Percent rank of the close among the rows before it.",
    inputs=("close",),
    parameters=(Parameter("length", 100, 5, 1000),),
    outputs=(Output("percent_rank", "value", "percent", "percent rank", 0.0, 100.0),),
    compute=lambda columns, parameters: (
        percent_rank(columns["close"], int(parameters["length"])),
    ),
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
Z_SCORE = Indicator(
    name="z_score",
    text="Close less its simple mean, in standard deviations (ddof 0); 0 when flat.",
    inputs=("close",),
    parameters=(Parameter("length", 20, 2, 1000),),
    outputs=(Output("z", "value", "deviations", "z score"),),
    compute=lambda columns, parameters: (
        rolling_z_score(columns["close"], int(parameters["length"])),
    ),
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _hurst(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (hurst_exponent(columns["close"], int(parameters["length"])),)


HURST = Indicator(
    name="hurst",
    text="Hurst exponent by rescaled range: above 1/2 moves persist, below it they turn back.",
    inputs=("close",),
    parameters=(Parameter("length", 100, SHORTEST_CHUNK * 2 ** (CHUNK_SIZES - 1), 1000),),
    outputs=(Output("hurst", "value", "exponent", "1/2 without memory", 0.0, 1.0),),
    compute=_hurst,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (PERCENT_RANK, Z_SCORE, HURST)
