"""Windows stated in days on clocks whose step is not fixed: score, rank, change and slope.

A window holds the rows of the last ``window_days``, and reaches further back only where a hole in
the series leaves fewer than ``FEWEST_ROWS`` in it. Results are NaN until the series is
``minimum_days`` long (and has that many rows), finite ever after: output kind ``level``.
``event_time`` is float64 ns UTC ``(T,)``, increasing; row *t* reads rows <= *t*.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D, Int1D, kernel

FEWEST_ROWS: Final = 20
_SMALLEST_DEVIATION: Final = 1e-12


@kernel(nogil=True)
def _window_start_kernel(
    event_time: Float1D, window_ns: float, keep_edge: bool, fewest: int
) -> Int1D:
    starts = np.empty(len(event_time), dtype=np.int64)
    cursor = 0
    for t in range(len(event_time)):
        edge = event_time[t] - window_ns
        while cursor < t and (
            event_time[cursor] < edge or (not keep_edge and event_time[cursor] == edge)
        ):
            cursor += 1
        starts[t] = max(0, min(cursor, t + 1 - fewest))
    return starts


@kernel(nogil=True)
def _moments_kernel(values: Float1D, starts: Int1D) -> tuple[Float1D, Float1D]:
    """Mean and deviation of rows ``starts[t]..t`` without subtracting anything from a sum.

    The window is a queue of two stacks: ``suffix_*[i]`` describes rows ``i..edge``, the running
    back part rows ``edge + 1..t``. A value that has left the window is in neither.
    """
    rows = len(values)
    means, deviations = np.empty(rows), np.empty(rows)
    suffix_mean, suffix_squares = np.empty(rows), np.empty(rows)
    edge = -1
    back_count, back_mean, back_squares = 0, 0.0, 0.0
    for t in range(rows):
        start = starts[t]
        back_count += 1
        step = values[t] - back_mean
        back_mean += step / back_count
        back_squares += step * (values[t] - back_mean)
        if start > edge:
            mean, squares = 0.0, 0.0
            for i in range(t, start - 1, -1):
                step = values[i] - mean
                mean += step / (t - i + 1)
                squares += step * (values[i] - mean)
                suffix_mean[i], suffix_squares[i] = mean, squares
            edge = t
            back_count, back_mean, back_squares = 0, 0.0, 0.0
        count = edge - start + 1
        mean, squares = suffix_mean[start], suffix_squares[start]
        if back_count > 0:
            total = count + back_count
            gap = back_mean - mean
            mean += gap * back_count / total
            squares += back_squares + gap * gap * count * back_count / total
            count = total
        means[t] = mean
        deviations[t] = np.sqrt(squares / count) if squares > 0 else 0.0
    return means, deviations


@kernel(nogil=True)
def _rank_kernel(order: Int1D, levels: int, starts: Int1D) -> Float1D:
    out = np.full(len(order), np.nan)
    tree = np.zeros(levels + 1, dtype=np.int64)
    first = 0
    for t in range(len(order)):
        while first < starts[t]:
            node = order[first]
            while node <= levels:
                tree[node] -= 1
                node += node & -node
            first += 1
        below, node = 0, order[t]
        while node > 0:
            below += tree[node]
            node -= node & -node
        if t > first:
            out[t] = 100.0 * below / (t - first)
        node = order[t]
        while node <= levels:
            tree[node] += 1
            node += node & -node
    return out


@kernel(nogil=True)
def _value_before_kernel(event_time: Float1D, values: Float1D, span_ns: float) -> Float1D:
    out = np.full(len(values), np.nan)
    cursor = -1
    for t in range(len(values)):
        while cursor + 1 < t and event_time[cursor + 1] <= event_time[t] - span_ns:
            cursor += 1
        if cursor >= 0:
            out[t] = values[cursor]
    return out


@kernel(nogil=True)
def _slope_kernel(event_time: Float1D, values: Float1D, starts: Int1D, unit_ns: float) -> Float1D:
    """Slope of rows ``starts[t]..t``, from two parts of each window and nothing ever subtracted.

    The rows before ``front`` are held as moments of every tail of theirs, those from it on as one
    running set; both are added up by Welford's steps and joined as Chan does. When a window has left
    the first part, its rows become the first part of the next ones.
    """
    rows = len(values)
    out = np.zeros(rows)
    tails = np.zeros((rows, 5))
    front = 0
    count, mean_time, mean, spread, together = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(rows):
        first = starts[t]
        if first >= front:
            back = np.zeros(5)
            for i in range(t, first - 1, -1):
                back[0] += 1.0
                step = (event_time[i] - event_time[0]) / unit_ns - back[1]
                rise = values[i] - back[2]
                back[1] += step / back[0]
                back[2] += rise / back[0]
                back[3] += step * ((event_time[i] - event_time[0]) / unit_ns - back[1])
                back[4] += step * (values[i] - back[2])
                tails[i] = back
            front = t + 1
            count, mean_time, mean, spread, together = 0.0, 0.0, 0.0, 0.0, 0.0
        else:
            count += 1.0
            step = (event_time[t] - event_time[0]) / unit_ns - mean_time
            rise = values[t] - mean
            mean_time += step / count
            mean += rise / count
            spread += step * ((event_time[t] - event_time[0]) / unit_ns - mean_time)
            together += step * (values[t] - mean)
        shared = tails[first, 0] * count / (tails[first, 0] + count)
        apart = mean_time - tails[first, 1]
        whole_spread = tails[first, 3] + spread + apart * apart * shared
        whole = tails[first, 4] + together + apart * (mean - tails[first, 2]) * shared
        out[t] = whole / whole_spread if whole_spread > 0.0 else 0.0
    return out


def _warm(event_time: Float1D, minimum_days: float, fewest: int) -> np.ndarray:
    long_enough = event_time - event_time[:1] >= minimum_days * DAY_NS
    return long_enough & (np.arange(len(event_time)) >= fewest - 1)


def window_moments(
    event_time: Float1D, values: Float1D, window_days: float, minimum_days: float
) -> tuple[Float1D, Float1D]:
    """Mean and standard deviation (ddof 0) over ``(t - window_days, t]``, row *t* included.

    Arrays ``(T,)``. NaN until the series is ``minimum_days`` long and has ``FEWEST_ROWS`` rows.
    """
    starts = _window_start_kernel(event_time, window_days * DAY_NS, False, FEWEST_ROWS)
    mean, deviation = _moments_kernel(values, starts)
    warm = _warm(event_time, minimum_days, FEWEST_ROWS)
    return np.where(warm, mean, np.nan), np.where(warm, deviation, np.nan)


def window_z_score(
    event_time: Float1D, values: Float1D, window_days: float, minimum_days: float
) -> Float1D:
    """``(x - mean) / deviation`` over the last ``window_days``; 0 where nothing in it differs.

    Arrays ``(T,)``, unit-free. NaN until the series is ``minimum_days`` long.
    """
    mean, deviation = window_moments(event_time, values, window_days, minimum_days)
    moved = deviation > _SMALLEST_DEVIATION * (1.0 + np.abs(mean))
    return np.where(moved, (values - mean) / np.where(moved, deviation, 1.0), mean * 0.0)


def window_percent_rank(
    event_time: Float1D, values: Float1D, window_days: float, minimum_days: float
) -> Float1D:
    """Percentage of the rows of the ``window_days`` before *t* that are <= row *t*, 0 to 100.

    The current value is not part of its own window (SPEC PR_w). Arrays ``(T,)``; NaN until the
    series is ``minimum_days`` long and ``FEWEST_ROWS`` rows precede the row. The values are replaced
    by their order first: that looks at later rows, but how many earlier ones are <= does not
    depend on them.
    """
    distinct, position = np.unique(values, return_inverse=True)
    starts = _window_start_kernel(event_time, window_days * DAY_NS, True, FEWEST_ROWS + 1)
    rank = _rank_kernel(position.astype(np.int64) + 1, len(distinct), starts)
    return np.where(_warm(event_time, minimum_days, FEWEST_ROWS + 1), rank, np.nan)


def value_before(event_time: Float1D, values: Float1D, days: float) -> Float1D:
    """The last value that is at least ``days`` older than row *t*; NaN while there is none.

    Arrays ``(T,)``. Across a hole the value is older than asked for.
    """
    return _value_before_kernel(event_time, values, days * DAY_NS)


def window_slope(event_time: Float1D, values: Float1D, window_days: float) -> Float1D:
    """Least-squares slope per day of the rows of the last ``window_days``, row *t* included.

    Arrays ``(T,)``. NaN until the series is ``window_days`` long; 0 where one row is alone.
    """
    starts = _window_start_kernel(event_time, window_days * DAY_NS, False, 2)
    slope = _slope_kernel(event_time, values, starts, float(DAY_NS))
    return np.where(_warm(event_time, window_days, 2), slope, np.nan)
