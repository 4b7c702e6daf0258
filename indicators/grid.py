"""One indicator for many sets of parameters at once, equal to the last bit to the single calls.

Three things make it faster than a loop. Kernels release the interpreter's lock, so that sets run on
several threads. What is kept lies in one block of memory, which a system hands out in pages of megabytes;
of hundreds of arrays it would clear each few kilobytes anew, which takes longer than the indicator. And a
recursion waits for its own last result on every row: lanes carry eight lengths side by side through one
pass over the values, whose waits overlap. ``LANES`` names the indicators that are computed so.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np

from engine import ConfigError, DataError, Float1D, Float2D, Int1D, kernel

from .linear_regression import LINREG, linear_fit_rows_kernel
from .momentum import RSI, strength_rows_kernel
from .moving_average import EMA, RMA, recursive_rows_kernel
from .spec import Columns, Indicator, Parameters
from .volatility import ATR, true_range

LANE_COUNT: Final = 8

Outputs: TypeAlias = tuple[Float1D, ...]
LaneFunction: TypeAlias = Callable[[Columns, Sequence[Parameters]], list[Outputs]]


@kernel(nogil=True)
def _lanes_kernel(
    values: Float1D, lengths: Int1D, alphas: Float1D, start: int, out: Float2D
) -> None:
    """Recursive means of ``LANE_COUNT`` lengths into the rows of ``out``."""
    longest = start + lengths.max()
    common = min(longest, len(values))
    seeds = np.zeros(LANE_COUNT)
    for lane in range(LANE_COUNT):
        rows = out[lane, :common]
        seeds[lane] = recursive_rows_kernel(values, lengths[lane], start, alphas[lane], rows)
    # Names, not an array: the compiler keeps them in registers.
    keeps = 1.0 - alphas
    keep_1, keep_2, keep_3, keep_4 = keeps[0], keeps[1], keeps[2], keeps[3]
    keep_5, keep_6, keep_7, keep_8 = keeps[4], keeps[5], keeps[6], keeps[7]
    gap_1, gap_2, gap_3, gap_4 = seeds[0], seeds[1], seeds[2], seeds[3]
    gap_5, gap_6, gap_7, gap_8 = seeds[4], seeds[5], seeds[6], seeds[7]
    line_1, line_2, line_3, line_4 = out[0], out[1], out[2], out[3]
    line_5, line_6, line_7, line_8 = out[4], out[5], out[6], out[7]
    for t in range(common, len(values)):
        value, step = values[t], values[t] - values[t - 1]
        gap_1 = (gap_1 + step) * keep_1
        gap_2 = (gap_2 + step) * keep_2
        gap_3 = (gap_3 + step) * keep_3
        gap_4 = (gap_4 + step) * keep_4
        gap_5 = (gap_5 + step) * keep_5
        gap_6 = (gap_6 + step) * keep_6
        gap_7 = (gap_7 + step) * keep_7
        gap_8 = (gap_8 + step) * keep_8
        line_1[t], line_2[t] = value - gap_1, value - gap_2
        line_3[t], line_4[t] = value - gap_3, value - gap_4
        line_5[t], line_6[t] = value - gap_5, value - gap_6
        line_7[t], line_8[t] = value - gap_7, value - gap_8


@kernel(nogil=True)
def _strength_lanes_kernel(close: Float1D, lengths: Int1D, out: Float2D) -> None:
    """The relative strength of ``LANE_COUNT`` lengths into the rows of ``out``."""
    common = min(lengths.max() + 1, len(close))
    gains, losses = np.zeros(LANE_COUNT), np.zeros(LANE_COUNT)
    alphas = 1.0 / lengths
    for lane in range(LANE_COUNT):
        rows = out[lane, :common]
        gains[lane], losses[lane] = strength_rows_kernel(close, lengths[lane], 100.0, 0.0, rows)
    for t in range(common, len(close)):
        step = close[t] - close[t - 1]
        up, down = 0.5 * (abs(step) + step), 0.5 * (abs(step) - step)
        for lane in range(LANE_COUNT):
            gain = gains[lane] + (up - gains[lane]) * alphas[lane]
            loss = losses[lane] + (down - losses[lane]) * alphas[lane]
            gains[lane], losses[lane] = gain, loss
            both = gain + loss
            out[lane, t] = 100.0 * (gain / both if both != 0.0 else 0.5) + 0.0


def recursive_means(
    values: Float1D, lengths: Sequence[int], alphas: Sequence[float], start: int = 0
) -> Float2D:
    """``exponential_mean`` or ``wilder_mean`` for at most ``LANE_COUNT`` lengths, each with its alpha.

    Array ``(T,)`` in, one like it out for each length, ``(lengths, T)`` in the units of ``values``; the
    first ``start`` rows are not read; known at close *t*; NaN for ``start + length - 1`` rows.
    """
    lanes = np.arange(LANE_COUNT).clip(max=len(lengths) - 1)
    out = np.empty((LANE_COUNT, len(values)))
    _lanes_kernel(values, np.array(lengths)[lanes], np.array(alphas)[lanes], start, out)
    return out[: len(lengths)]


def _lengths(parameter_sets: Sequence[Parameters]) -> list[int]:
    return [int(parameters["length"]) for parameters in parameter_sets]


def _exponential(columns: Columns, parameter_sets: Sequence[Parameters]) -> list[Outputs]:
    close, lengths = columns["close"], _lengths(parameter_sets)
    means = recursive_means(close, lengths, [2.0 / (length + 1.0) for length in lengths])
    return list(zip(means, close - means, strict=True))


def _wilder(columns: Columns, parameter_sets: Sequence[Parameters]) -> list[Outputs]:
    close, lengths = columns["close"], _lengths(parameter_sets)
    means = recursive_means(close, lengths, [1.0 / length for length in lengths])
    return list(zip(means, close - means, strict=True))


def _true_ranges(columns: Columns, parameter_sets: Sequence[Parameters]) -> list[Outputs]:
    close, lengths = columns["close"], _lengths(parameter_sets)
    spread = true_range(columns["high"], columns["low"], close)
    means = recursive_means(spread, lengths, [1.0 / length for length in lengths], 1)
    return list(zip(means, means / close, strict=True))


def _strength(columns: Columns, parameter_sets: Sequence[Parameters]) -> list[Outputs]:
    close, lengths = columns["close"], np.array(_lengths(parameter_sets))
    out = np.empty((LANE_COUNT, len(close)))
    _strength_lanes_kernel(close, lengths[np.arange(LANE_COUNT).clip(max=len(lengths) - 1)], out)
    return [(line,) for line in out[: len(lengths)]]


def _lines(columns: Columns, parameter_sets: Sequence[Parameters]) -> list[Outputs]:
    close = columns["close"]
    out = np.empty((len(parameter_sets), 2, len(close)))
    for (end, slope), length in zip(out, _lengths(parameter_sets), strict=True):
        linear_fit_rows_kernel(close, length, end, slope)
        np.subtract(close, end, out=slope)
    return [(end, distance) for end, distance in out]


LANES: Final[Mapping[Indicator, LaneFunction]] = {
    EMA: _exponential,
    RMA: _wilder,
    ATR: _true_ranges,
    RSI: _strength,
    LINREG: _lines,
}


def indicator_grid(
    indicator: Indicator,
    columns: Columns,
    parameter_sets: Sequence[Parameters],
    *,
    threads: int = 2,
) -> list[Outputs]:
    """The outputs of ``indicator`` for each of ``parameter_sets``, in their order.

    ``columns`` holds every input, ``(T,)`` each; a set names the parameters that differ from their
    defaults. Equal to ``indicator.compute`` for each set, to the last bit, whatever the number of
    ``threads``. The arrays are parts of common blocks, which live as long as one of them does. Raises
    ConfigError for a parameter or number of threads amiss and DataError for a missing column.
    """
    if threads < 1:
        raise ConfigError(f"threads={threads} must be at least 1")
    missing = [name for name in indicator.inputs if name not in columns]
    if missing:
        raise DataError(
            f"indicator {indicator.name} reads column {missing[0]!r}; given are {sorted(columns)}"
        )
    resolved = [indicator.resolved(given) for given in parameter_sets]
    in_lanes = LANES.get(indicator)
    size = 1 if in_lanes is None else LANE_COUNT
    chunks = [
        range(first, min(first + size, len(resolved))) for first in range(0, len(resolved), size)
    ]
    rows = len(columns[indicator.inputs[0]])
    count = 0 if in_lanes is not None else len(resolved)
    block = np.empty((count, len(indicator.outputs), rows))

    def computed(chunk: range) -> list[Outputs]:
        if in_lanes is not None:
            return in_lanes(columns, [resolved[place] for place in chunk])
        for place in chunk:
            for kept, output in zip(
                block[place], indicator.compute(columns, resolved[place]), strict=True
            ):
                kept[:] = output
        return [tuple(block[place]) for place in chunk]

    if threads == 1:
        return [outputs for chunk in chunks for outputs in computed(chunk)]
    with ThreadPoolExecutor(threads) as pool:
        return [outputs for part in pool.map(computed, chunks) for outputs in part]
