"""Joining a slower clock onto bars: each bar sees the last row that was known at its close."""

import numpy as np

from engine import Float1D, Int1D, kernel


@kernel
def _last_known_kernel(known_at: Int1D, available_at: Int1D) -> Int1D:
    rows = np.empty(len(known_at), dtype=np.int64)
    cursor = -1
    for t in range(len(known_at)):
        while cursor + 1 < len(available_at) and available_at[cursor + 1] <= known_at[t]:
            cursor += 1
        rows[t] = cursor
    return rows


def last_known_row(known_at: Int1D, available_at: Int1D) -> Int1D:
    """For each moment, the last row that was available by then; -1 where none was.

    Shapes: ``known_at`` ``(T,)`` and ``available_at`` ``(N,)``, both int64 ns UTC and not
    decreasing; the result ``(T,)``. Row *t* reads only rows with ``available_at <= known_at[t]``.
    """
    return _last_known_kernel(known_at, available_at)


def joined(
    values: Float1D, rows: Int1D, event_time: Int1D, known_at: Int1D, max_age_ns: int
) -> Float1D:
    """``values[rows]``, NaN where no row is known yet or the row's event is older than ``max_age_ns``.

    Shapes: ``values`` and ``event_time`` ``(N,)``; ``rows``, ``known_at`` and the result ``(T,)``.
    """
    result = np.full(len(rows), np.nan)
    found = rows >= 0
    found[found] = known_at[found] - event_time[rows[found]] <= max_age_ns
    result[found] = values[rows[found]]
    return result
