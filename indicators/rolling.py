"""Rolling primitives that several families compose: mean, deviation, score, rank, extremes.

Each window is summed afresh, so one huge value leaves no trace once it has left the window.
"""

import numpy as np

from engine import Float1D, kernel


@kernel
def _rolling_mean_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        total = 0.0
        for i in range(t - length + 1, t + 1):
            total += values[i]
        out[t] = total / length
    return out


@kernel
def _rolling_std_kernel(values: Float1D, length: int) -> Float1D:
    out = np.full(len(values), np.nan)
    for t in range(length - 1, len(values)):
        total = 0.0
        for i in range(t - length + 1, t + 1):
            total += values[i]
        mean = total / length
        squares = 0.0
        for i in range(t - length + 1, t + 1):
            squares += (values[i] - mean) ** 2
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


def rolling_mean(values: Float1D, length: int) -> Float1D:
    """Mean of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows or on any NaN."""
    return _rolling_mean_kernel(values, length)


def rolling_std(values: Float1D, length: int) -> Float1D:
    """Standard deviation (ddof 0) of the last ``length`` rows; NaN for ``length - 1`` rows."""
    return _rolling_std_kernel(values, length)


def rolling_max(values: Float1D, length: int) -> Float1D:
    """Largest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return _rolling_max_kernel(values, length)


def rolling_min(values: Float1D, length: int) -> Float1D:
    """Smallest of the last ``length`` rows, row *t* included; NaN for ``length - 1`` rows."""
    return -_rolling_max_kernel(-values, length)


def rolling_z_score(values: Float1D, length: int) -> Float1D:
    """``(x - mean) / std`` over the last ``length`` rows (ddof 0); 0 where the deviation is 0."""
    deviation = _rolling_std_kernel(values, length)
    centred = values - _rolling_mean_kernel(values, length)
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
    before[1:] = _rolling_mean_kernel(values, length)[:-1]
    ratio = values / np.where(before > 0, before, 1.0)
    return np.where(before > 0, ratio, np.where(np.isnan(before), np.nan, 0.0))
