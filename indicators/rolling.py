"""Rolling primitives that several families compose: sum, mean, deviation, score, rank, extremes.

Rows are cut into blocks of the window's length; a window is the tail of one block plus the head of
the next, each summed afresh, so that the cost of a row does not grow with the length and no running
total is carried on: one huge value leaves no trace once it has left the window. Means and deviations
are sums of distances from an anchor, the last row of the block before, which every window holds that
reaches back over it: equal rows have exactly their own value as mean and no deviation, and squares
lose no more than a window's range can take.

A NaN anywhere in a window makes that row NaN, and only the rows whose window holds it.
"""

import numpy as np

from engine import Float1D, kernel


@kernel(nogil=True)
def rolling_sum_kernel(values: Float1D, length: int) -> Float1D:
    count = len(values)
    out = np.empty(count)
    tails = np.full(length + 1, np.nan)
    for start in range(0, count, length):
        block, answers = values[start : start + length], out[start : start + length]
        head = 0.0
        for i in range(len(block)):
            head += block[i]
            answers[i] = head + tails[i + 1]
        if len(block) == length:
            answers[length - 1] = head
            tail = 0.0
            for back in range(length):
                tail += block[length - 1 - back]
                tails[length - 1 - back] = tail
    return out


@kernel(nogil=True)
def _rolling_mean_kernel(values: Float1D, length: int) -> Float1D:
    count = len(values)
    out = np.empty(count)
    tails = np.full(length + 1, np.nan)
    anchor = 0.0
    for start in range(0, count, length):
        block, answers = values[start : start + length], out[start : start + length]
        head = 0.0
        for i in range(len(block)):
            head += block[i] - anchor
            answers[i] = anchor + (head + tails[i + 1]) / length
        if len(block) == length:
            anchor = block[length - 1]
            tail = 0.0
            for back in range(length):
                tail += block[length - 1 - back] - anchor
                tails[length - 1 - back] = tail
            answers[length - 1] = anchor + tail / length
    return out


@kernel(nogil=True)
def _rolling_moments_kernel(values: Float1D, length: int) -> tuple[Float1D, Float1D]:
    count, share = len(values), 1.0 / length
    means, deviations = np.empty(count), np.empty(count)
    tails, square_tails = np.full(length + 1, np.nan), np.full(length + 1, np.nan)
    anchor = 0.0
    for start in range(0, count, length):
        block = values[start : start + length]
        mean, deviation = means[start : start + length], deviations[start : start + length]
        head, square_head = 0.0, 0.0
        for i in range(len(block)):
            step = block[i] - anchor
            head += step
            square_head += step * step
            total, squares = head + tails[i + 1], square_head + square_tails[i + 1]
            mean[i] = anchor + total / length
            deviation[i] = np.sqrt(max((squares - total * total * share) * share, 0.0))
        if len(block) == length:
            anchor = block[length - 1]
            tail, square_tail = 0.0, 0.0
            for back in range(length):
                step = block[length - 1 - back] - anchor
                tail += step
                square_tail += step * step
                tails[length - 1 - back], square_tails[length - 1 - back] = tail, square_tail
            mean[length - 1] = anchor + tail / length
            variance = (square_tail - tail * tail * share) * share
            deviation[length - 1] = np.sqrt(max(variance, 0.0))
    return means, deviations


@kernel(nogil=True)
def rolling_extreme_kernel(values: Float1D, length: int, side: float) -> Float1D:
    """Largest row of every window for ``side`` 1, smallest for -1."""
    count = len(values)
    out = np.empty(count)
    tails = np.full(length + 1, -np.inf)
    known_from = length - 1
    for start in range(0, count, length):
        block, answers = values[start : start + length], out[start : start + length]
        head = -np.inf
        for i in range(len(block)):
            value = side * block[i]
            head = value if value > head else head
            best = tails[i + 1] if tails[i + 1] > head else head
            known_from = start + i + length if np.isnan(value) else known_from
            answers[i] = np.nan if start + i < known_from else side * best
        if len(block) == length:
            tail = -np.inf
            for back in range(length):
                value = side * block[length - 1 - back]
                tail = value if value > tail else tail
                tails[length - 1 - back] = tail
    return out


@kernel(nogil=True)
def _rows_since_extreme_kernel(values: Float1D, length: int, side: float) -> Float1D:
    count, window = len(values), length + 1
    out = np.empty(count)
    tails, tail_rows = np.full(window + 1, -np.inf), np.zeros(window + 1, dtype=np.int64)
    for start in range(0, count, window):
        block, answers = values[start : start + window], out[start : start + window]
        head, head_row = -np.inf, start
        for i in range(len(block)):
            value = side * block[i]
            head_row = start + i if value >= head else head_row
            head = value if value >= head else head
            row = tail_rows[i + 1] if tails[i + 1] > head else head_row
            answers[i] = start + i - row if start + i >= length else np.nan
        if len(block) == window:
            tail, row = -np.inf, start + length
            for back in range(window):
                value = side * block[length - back]
                row = start + length - back if value > tail else row
                tail = value if value > tail else tail
                tails[length - back], tail_rows[length - back] = tail, row
    return out


@kernel(nogil=True)
def _percent_rank_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    known = 0
    for t in range(len(values)):
        value = values[t]
        if known >= length and not np.isnan(value):
            # Rows of a slice are counted from 0 on, so that the compiler sees them lie in a row.
            window = values[t - length : t]
            below = 0
            for i in range(length):
                below += 1 if window[i] <= value else 0
            out[t] = 100.0 * below / length
        known = 0 if np.isnan(value) else known + 1
    return out


@kernel(nogil=True)
def _quotient_kernel(part: Float1D, whole: Float1D, empty: float) -> Float1D:
    out = np.empty(len(part))
    for t in range(len(part)):
        out[t] = empty + 0.0 * part[t] if whole[t] == 0.0 else part[t] / whole[t]
    return out


def rolling_sum(values: Float1D, length: int) -> Float1D:
    """Sum of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows or on any NaN."""
    return rolling_sum_kernel(values, length)


def rolling_mean(values: Float1D, length: int) -> Float1D:
    """Mean of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows or on any NaN.

    Exactly their value where all rows are equal.
    """
    return _rolling_mean_kernel(values, length)


def rolling_std(values: Float1D, length: int) -> Float1D:
    """Standard deviation (ddof 0) of the last ``length`` rows; NaN for ``length - 1`` rows.

    Exactly 0 where all rows of the window are equal.
    """
    return _rolling_moments_kernel(values, length)[1]


def rolling_moments(values: Float1D, length: int) -> tuple[Float1D, Float1D]:
    """``rolling_mean`` and ``rolling_std`` in one pass."""
    return _rolling_moments_kernel(values, length)


def rolling_max(values: Float1D, length: int) -> Float1D:
    """Largest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return rolling_extreme_kernel(values, length, 1.0)


def rolling_min(values: Float1D, length: int) -> Float1D:
    """Smallest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return rolling_extreme_kernel(values, length, -1.0)


def rows_since_max(values: Float1D, length: int) -> Float1D:
    """Rows since the largest of the last ``length + 1`` rows; the newest of equal ones counts.

    Array ``(T,)``, 0 to ``length``; NaN for ``length`` rows. ``values`` holds no NaN.
    """
    return _rows_since_extreme_kernel(values, length, 1.0)


def rows_since_min(values: Float1D, length: int) -> Float1D:
    """Rows since the smallest of the last ``length + 1`` rows; the newest of equal ones counts.

    Array ``(T,)``, 0 to ``length``; NaN for ``length`` rows. ``values`` holds no NaN.
    """
    return _rows_since_extreme_kernel(values, length, -1.0)


def rolling_z_score(values: Float1D, length: int) -> Float1D:
    """``(x - mean) / std`` over the last ``length`` rows (ddof 0); 0 where the deviation is 0."""
    mean, deviation = _rolling_moments_kernel(values, length)
    return _quotient_kernel(values - mean, deviation, 0.0)


def percent_rank(values: Float1D, length: int) -> Float1D:
    """Percentage of the ``length`` rows before *t* that are <= row *t*; NaN for ``length`` rows.

    The current value is not part of its own window (SPEC PR_w); range 0 to 100.
    """
    return _percent_rank_kernel(values, length)


def previous_mean_ratio(values: Float1D, length: int) -> Float1D:
    """``x_t`` over the mean of the ``length`` rows before it (RVOL); 0 where that mean is 0.

    NaN for ``length`` rows.
    """
    before = np.full(len(values), np.nan)
    before[1:] = rolling_mean(values, length)[:-1]
    ratio = values / np.where(before > 0, before, 1.0)
    return np.where(before > 0, ratio, np.where(np.isnan(before), np.nan, 0.0))


def quotient(part: Float1D, whole: Float1D, empty: float) -> Float1D:
    """``part / whole`` row by row, ``empty`` where the whole is exactly 0; NaN stays NaN."""
    return _quotient_kernel(part, whole, empty)
