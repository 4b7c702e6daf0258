"""Rolling primitives that several families compose: sum, mean, deviation, score, rank, extremes.

No running total is carried from row to row, so one huge value leaves no trace once it has left the
window. A NaN anywhere in a window makes that row NaN, and only the rows whose window holds it.
"""

import numpy as np

from engine import Float1D, kernel


@kernel
def _rolling_sum_kernel(values: Float1D, length: int) -> Float1D:
    count = len(values)
    out = np.full(count, np.nan)
    tails = np.zeros(length)
    head = 0.0
    for t in range(count):
        position = t % length
        head = values[t] if position == 0 else head + values[t]
        if t >= length - 1:
            out[t] = head if position == length - 1 else head + tails[position + 1]
        if position == length - 1:
            total = 0.0
            for back in range(length):
                total += values[t - back]
                tails[length - 1 - back] = total
    return out


@kernel
def _centred_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        total = 0.0
        for i in range(t - length + 1, t + 1):
            total += values[t] - values[i]
        out[t] = total / length
    return out


@kernel
def _rolling_std_kernel(values: Float1D, centred: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        squares = 0.0
        for i in range(t - length + 1, t + 1):
            squares += (values[i] - values[t] + centred[t]) ** 2
        out[t] = np.sqrt(squares / length)
    return out


@kernel
def _rolling_max_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        best = values[t]
        for i in range(t - length + 1, t):
            if values[i] > best or np.isnan(values[i]):
                best = values[i]
        out[t] = best
    return out


@kernel
def _percent_rank_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length, len(values)):
        if np.isnan(values[t]):
            continue
        below, known = 0, 0
        for i in range(t - length, t):
            if np.isnan(values[i]):
                break
            known += 1
            if values[i] <= values[t]:
                below += 1
        if known == length:
            out[t] = 100.0 * below / length
    return out


def rolling_sum(values: Float1D, length: int) -> Float1D:
    """Sum of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows or on any NaN.

    Rows are cut into blocks of ``length``; a window is the tail of one block plus the head of the
    next, both summed afresh, so the cost does not grow with ``length`` and nothing drifts.
    """
    return _rolling_sum_kernel(values, length)


def rolling_mean(values: Float1D, length: int) -> Float1D:
    """Mean of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows or on any NaN.

    Taken around the newest value, so it is exactly that value where all rows are equal.
    """
    return values - _centred_kernel(values, length)


def rolling_std(values: Float1D, length: int) -> Float1D:
    """Standard deviation (ddof 0) of the last ``length`` rows; NaN for ``length - 1`` rows.

    Taken around the newest value, so it is exactly 0 where all rows of the window are equal.
    """
    return _rolling_std_kernel(values, _centred_kernel(values, length), length)


def rolling_max(values: Float1D, length: int) -> Float1D:
    """Largest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return _rolling_max_kernel(values, length)


def rolling_min(values: Float1D, length: int) -> Float1D:
    """Smallest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return -_rolling_max_kernel(-values, length)


def rolling_z_score(values: Float1D, length: int) -> Float1D:
    """``(x - mean) / std`` over the last ``length`` rows (ddof 0); 0 where the deviation is 0."""
    centred = _centred_kernel(values, length)
    deviation = _rolling_std_kernel(values, centred, length)
    return np.where(deviation > 0, centred / np.where(deviation > 0, deviation, 1.0), centred * 0.0)


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
    missing = whole == 0
    return np.where(missing, empty + 0.0 * part, part / np.where(missing, 1.0, whole))
