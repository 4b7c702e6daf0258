"""Confirmed pivots ``P(left, right)``: candidates by a few comparisons, then the whole neighbourhood."""

from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Int1D, kernel

_BLOCK_ROWS: Final = 1024
"""Rows whose candidates are gathered at a time: they stay in the fastest cache."""


@kernel(nogil=True)
def _candidates_kernel(
    values: Float1D, first: int, left: int, right: int, side: float, flags: Bool1D, out: Int1D
) -> int:
    """Rows of the block from ``first`` on that the three rows on each side of them do not rule out.

    As many rows as ``flags`` has are looked at. Neither loop has a branch that could be guessed wrong.
    """
    middle, after_1 = values[first:], values[first + 1 :]
    before_1, before_2 = values[first - 1 :], values[first - min(2, left) :]
    before_3, after_2 = values[first - min(3, left) :], values[first + min(2, right) :]
    after_3 = values[first + min(3, right) :]
    for i in range(len(flags)):
        value = side * middle[i]
        flags[i] = (
            (value > side * before_1[i])
            & (value > side * before_2[i])
            & (value > side * before_3[i])
            & (value >= side * after_1[i])
            & (value >= side * after_2[i])
            & (value >= side * after_3[i])
        )
    count = 0
    for i in range(len(flags)):
        out[count] = first + i
        count += flags[i]
    return count


@kernel(nogil=True)
def _is_pivot_kernel(
    values: Float1D, j: int, left: int, right: int, strict: bool, side: float
) -> bool:
    """Whether row ``j`` is a pivot high for ``side`` 1, a pivot low for -1."""
    value = side * values[j]
    for i in range(1, left + 1):
        if not value > side * values[j - i]:
            return False
    for i in range(1, right + 1):
        other = side * values[j + i]
        if not value >= other or (strict and not value > other):
            return False
    return True


@kernel(nogil=True)
def confirmed_pivot_kernel(
    values: Float1D, left: int, right: int, strict: bool, side: float
) -> Float1D:
    """Pivot highs for ``side`` 1 and lows for -1, on the row where they are known; NaN elsewhere."""
    out = np.full(len(values), np.nan)
    flags, candidates = np.empty(_BLOCK_ROWS, dtype=np.bool_), np.empty(_BLOCK_ROWS, dtype=np.int64)
    last = len(values) - right
    for first in range(left, last, _BLOCK_ROWS):
        block = flags[: min(_BLOCK_ROWS, last - first)]
        count = _candidates_kernel(values, first, left, right, side, block, candidates)
        for j in candidates[:count]:
            if _is_pivot_kernel(values, j, left, right, strict, side):
                out[j + right] = values[j]
    return out


@kernel(nogil=True)
def held_turns_kernel(pivot_high: Float1D, pivot_low: Float1D) -> Float1D:
    """1 on a pivot low, -1 on a pivot high, 0 on neither or both; each pivot is then held, in place."""
    turns = np.zeros(len(pivot_high))
    newest_high, newest_low = np.nan, np.nan
    for t in range(len(turns)):
        is_high, is_low = pivot_high[t] == pivot_high[t], pivot_low[t] == pivot_low[t]
        turns[t] = 1.0 * is_low - 1.0 * is_high
        newest_high = pivot_high[t] if is_high else newest_high
        newest_low = pivot_low[t] if is_low else newest_low
        pivot_high[t], pivot_low[t] = newest_high, newest_low
    return turns
