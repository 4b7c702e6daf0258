"""One indicator for many sets of parameters at once, equal to the last bit to the single calls.

Two things make it faster than a loop. Kernels release the interpreter's lock, so that sets run on
several threads. And a recursion waits for its own last result on every row: ``recursive_means`` carries
eight lengths side by side through one pass over the values, whose waits overlap. ``LANES`` names the
indicators that are computed so; every other one gains from threads alone.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

import numpy as np

from engine import ConfigError, DataError, Float1D, Float2D, Int1D, kernel

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


LANES: Final[Mapping[Indicator, LaneFunction]] = {
    EMA: _exponential,
    RMA: _wilder,
    ATR: _true_ranges,
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
    ``threads``. Raises ConfigError for a parameter or number of threads amiss and DataError for a
    missing column.
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
    chunks = [resolved[first : first + size] for first in range(0, len(resolved), size)]

    def computed(chunk: Sequence[Parameters]) -> list[Outputs]:
        if in_lanes is not None:
            return in_lanes(columns, chunk)
        return [indicator.compute(columns, parameters) for parameters in chunk]

    if threads == 1:
        return [outputs for chunk in chunks for outputs in computed(chunk)]
    with ThreadPoolExecutor(threads) as pool:
        return [outputs for part in pool.map(computed, chunks) for outputs in part]
