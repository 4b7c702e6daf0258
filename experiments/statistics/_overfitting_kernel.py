"""Performance of N configurations on both halves of the blocks, for many halvings.

Sums over half of the blocks are put together from tables of subsets of four blocks each, in one fixed
order, so that equal columns have equal sums to the last bit; a matrix product would add in an order that
depends on the column.
"""

import math
from typing import Final

import numpy as np

from engine.arrays import Float1D, Float2D, Int1D
from engine.jit import inner_kernel, kernel
from engine.metrics.moments import CONSTANT_MARGIN
from engine.sweep import Float3D

GROUP: Final = 4
"""Blocks in one table of subset sums."""


@inner_kernel
def _performance_kernel(
    half: int,
    returns: Float3D,
    squares: Float3D,
    counts: Float2D,
    is_sharpe: bool,
    square: Float1D,
    out: Float1D,
) -> None:
    """Write the performance of each configuration on the blocks of the bit mask ``half``."""
    subset = half & 15
    count = counts[0, subset]
    for j in range(len(out)):
        out[j] = returns[0, subset, j]
        square[j] = squares[0, subset, j]
    for group in range(1, len(returns)):
        subset = (half >> (GROUP * group)) & 15
        count += counts[group, subset]
        for j in range(len(out)):
            out[j] += returns[group, subset, j]
            square[j] += squares[group, subset, j]
    if not is_sharpe:
        for j in range(len(out)):
            out[j] /= count
        return
    for j in range(len(out)):
        total = out[j]
        deviation = math.sqrt((square[j] - total * total / count) / (count - 1.0))
        varies = count * square[j] > total * total * (1.0 + CONSTANT_MARGIN)
        out[j] = total / count / deviation if varies else 0.0


@inner_kernel
def _best_kernel(performance: Float1D) -> int:
    best = 0
    for j in range(1, len(performance)):
        if performance[j] > performance[best]:
            best = j
    return best


@inner_kernel
def _rank_kernel(performance: Float1D, one: int) -> float:
    """Rank from 1, the mean of the ranks of those that tie."""
    below, equal = 0, 0
    value = performance[one]
    for j in range(len(performance)):
        below += performance[j] < value
        equal += performance[j] == value
    return below + 0.5 * (equal + 1)


@kernel(nogil=True)
def cross_validate_kernel(
    halves: Int1D, blocks: int, returns: Float3D, squares: Float3D, counts: Float2D, is_sharpe: bool
) -> tuple[Int1D, Float1D, Float1D, Float1D]:
    """Chosen configuration, its performance in and out of sample, and its rank out of sample.

    ``halves`` ``(C/2,)`` bit masks; the answers are ``(C,)``: halving i and its complement C − 1 − i.
    ``returns`` and ``squares`` ``(groups, 16, N)`` and ``counts`` ``(groups, 16)`` over subsets.
    """
    both = 2 * len(halves)
    configurations = returns.shape[2]
    chosen = np.empty(both, dtype=np.int64)
    in_sample, out_of_sample = np.empty(both), np.empty(both)
    ranks = np.empty(both)
    first, second = np.empty(configurations), np.empty(configurations)
    square = np.empty(configurations)
    everything = (1 << blocks) - 1
    for i in range(len(halves)):
        _performance_kernel(halves[i], returns, squares, counts, is_sharpe, square, first)
        _performance_kernel(
            everything ^ halves[i], returns, squares, counts, is_sharpe, square, second
        )
        mirror = both - 1 - i
        best = _best_kernel(first)
        chosen[i], in_sample[i], out_of_sample[i] = best, first[best], second[best]
        ranks[i] = _rank_kernel(second, best)
        best = _best_kernel(second)
        chosen[mirror], in_sample[mirror], out_of_sample[mirror] = best, second[best], first[best]
        ranks[mirror] = _rank_kernel(first, best)
    return chosen, in_sample, out_of_sample, ranks


@kernel(nogil=True)
def out_of_sample_kernel(
    halves: Int1D, blocks: int, returns: Float3D, squares: Float3D, counts: Float2D, is_sharpe: bool
) -> Float1D:
    """Performance of every configuration on every half of ``halves`` and its complement, ``(2·H·N,)``."""
    configurations = returns.shape[2]
    values = np.empty(2 * len(halves) * configurations)
    square = np.empty(configurations)
    everything = (1 << blocks) - 1
    for i in range(len(halves)):
        for side in range(2):
            start = (2 * i + side) * configurations
            half = halves[i] if side == 0 else everything ^ halves[i]
            row = values[start : start + configurations]
            _performance_kernel(half, returns, squares, counts, is_sharpe, square, row)
    return values
