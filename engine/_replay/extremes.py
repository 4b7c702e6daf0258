"""Highest and lowest prices of the last existing bars, for trailing stops."""

import numpy as np

from ..arrays import Bool2D, Float2D
from ..jit import kernel


@kernel
def rolling_extremes_kernel(values: Float2D, exists: Bool2D, count: int, side: float) -> Float2D:
    """Highest (``side`` 1) or lowest (−1) of the last ``count`` existing values up to each bar, ``(T, S)``.

    NaN before the first existing bar. A queue holds the bars that can still become the extreme.
    """
    bars, symbols = values.shape
    extremes = np.full((bars, symbols), np.nan)
    queue = np.empty(bars, dtype=np.int64)
    place = np.empty(bars, dtype=np.int64)
    for s in range(symbols):
        head, tail, seen = 0, 0, 0
        for t in range(bars):
            if exists[t, s]:
                while tail > head and side * values[queue[tail - 1], s] <= side * values[t, s]:
                    tail -= 1
                queue[tail] = t
                place[tail] = seen
                tail += 1
                seen += 1
                if place[head] <= seen - 1 - count:
                    head += 1
            if tail > head:
                extremes[t, s] = values[queue[head], s]
    return extremes
