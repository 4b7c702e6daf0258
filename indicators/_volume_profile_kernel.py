"""Volume by price over a moving window: kept by adding and taking away, read in one pass a row."""

from typing import Final, NamedTuple

import numpy as np

from engine import Float1D, Int1D, kernel

_FLAT: Final = 1e-9
"""Steps of the smoothed profile below this share of its mean are level."""


class ProfileRows(NamedTuple):
    """What a profile says on each row, ``(T,)`` float64 each, in bins; NaN where there is none.

    ``poc`` is the middle of its bin, ``bottom`` and ``top`` are the outer edges of the value area,
    the four nodes the middles of the nearest runs of bins, NaN where there is none on that side.
    ``crossed`` is 1 or -1 where the close went up or down through a low-volume node of the row
    before, else 0.
    """

    poc: Float1D
    bottom: Float1D
    top: Float1D
    high_above: Float1D
    high_below: Float1D
    low_above: Float1D
    low_below: Float1D
    crossed: Float1D


@kernel(nogil=True)
def _spread_kernel(
    high_part: Float1D,
    low_part: Float1D,
    count: Int1D,
    first: int,
    last: int,
    share: float,
    by: int,
) -> None:
    # Each bin is the unevaluated sum of two floats, so what is taken away leaves nothing behind.
    for b in range(first, last + 1):
        count[b] += by
        if count[b] == 0:
            high_part[b], low_part[b] = 0.0, 0.0
            continue
        old = high_part[b]
        total = old + share
        back = total - old
        rest = (old - (total - back)) + (share - back) + low_part[b]
        high_part[b] = total + rest
        low_part[b] = rest - (high_part[b] - total)


@kernel(nogil=True)
def _point_of_control_kernel(profile: Float1D, first: int, last: int) -> int:
    middle = 0.5 * (first + last)
    best = first
    for b in range(first + 1, last + 1):
        nearer = abs(b - middle) < abs(best - middle)
        if profile[b] > profile[best] or (profile[b] == profile[best] and nearer):
            best = b
    return best


@kernel(nogil=True)
def _value_area_kernel(
    profile: Float1D, first: int, last: int, poc: int, part: float
) -> tuple[int, int]:
    total = 0.0
    for b in range(first, last + 1):
        total += profile[b]
    wanted = part * total * (1.0 - 1e-12)
    inside, bottom, top = profile[poc], poc, poc
    while inside < wanted and (bottom > first or top < last):
        above, below = 0.0, 0.0
        if top < last:
            above = profile[top + 1] + (profile[top + 2] if top + 2 <= last else 0.0)
        if bottom > first:
            below = profile[bottom - 1] + (profile[bottom - 2] if bottom - 2 >= first else 0.0)
        if top < last and (above >= below or bottom == first):
            inside, top = inside + above, min(top + 2, last)
        else:
            inside, bottom = inside + below, max(bottom - 2, first)
    return bottom, top


@kernel(nogil=True)
def _nodes_kernel(
    profile: Float1D, first: int, last: int, smooth: Float1D, peaks: Float1D, troughs: Float1D
) -> tuple[int, int]:
    size = last - first + 1
    mean = 0.0
    for b in range(first, last + 1):
        left = profile[b - 1] if b > first else 0.0
        right = profile[b + 1] if b < last else 0.0
        smooth[b] = (left + profile[b] + right) / 3.0
        mean += smooth[b]
    mean /= size
    squares = 0.0
    for b in range(first, last + 1):
        squares += (smooth[b] - mean) ** 2
    crowded = mean + 0.5 * np.sqrt(squares / size)
    peak_count, trough_count = 0, 0
    before, start, rising = 0.0, first, True
    for b in range(first, last + 2):
        value = smooth[b] if b <= last else 0.0
        turned = value - before
        before = value
        if abs(turned) <= _FLAT * mean:
            continue
        if turned < 0 and rising and smooth[start] >= crowded:
            peaks[peak_count] = 0.5 * (start + b)
            peak_count += 1
        elif turned > 0 and not rising and smooth[start] <= 0.5 * mean:
            troughs[trough_count] = 0.5 * (start + b)
            trough_count += 1
        start, rising = b, turned > 0
    kept = 0
    for i in range(trough_count):
        if peak_count > 0 and peaks[0] < troughs[i] < peaks[peak_count - 1]:
            troughs[kept] = troughs[i]
            kept += 1
    return peak_count, kept


@kernel(nogil=True)
def _nearest_kernel(nodes: Float1D, count: int, place: float) -> tuple[float, float]:
    above, below = np.nan, np.nan
    for i in range(count):
        if nodes[i] <= place:
            below = nodes[i]
        elif np.isnan(above):
            above = nodes[i]
    return above, below


@kernel(nogil=True)
def volume_profile_kernel(
    first_bin: Int1D, last_bin: Int1D, volume: Float1D, place: Float1D,
    window_start: Int1D, bins: int, part: float,
) -> ProfileRows:  # fmt: skip
    """``first_bin`` and ``last_bin`` of each bar in [0, bins), -1 for one without a place;
    ``place`` of its close on the same scale; the window of row *t* is ``[window_start[t], t]``.
    """
    rows = len(volume)
    out = np.full((7, rows), np.nan)
    crossed = np.zeros(rows)
    profile, rest, smooth = np.zeros(bins + 1), np.zeros(bins + 1), np.zeros(bins + 1)
    count = np.zeros(bins + 1, dtype=np.int64)
    peaks, troughs = np.zeros(bins + 1), np.zeros(bins + 1)
    low_nodes = 0
    lowest, highest, oldest = bins, -1, 0
    for t in range(rows):
        for i in range(low_nodes):
            if place[t - 1] < troughs[i] <= place[t]:
                crossed[t] = 1.0
            elif place[t] < troughs[i] <= place[t - 1]:
                crossed[t] = -1.0
        low_nodes = 0
        if volume[t] > 0 and first_bin[t] >= 0:
            share = volume[t] / (last_bin[t] - first_bin[t] + 1)
            _spread_kernel(profile, rest, count, first_bin[t], last_bin[t], share, 1)
            lowest, highest = min(lowest, first_bin[t]), max(highest, last_bin[t])
        for row in range(oldest, window_start[t]):
            if volume[row] > 0 and first_bin[row] >= 0:
                share = volume[row] / (last_bin[row] - first_bin[row] + 1)
                _spread_kernel(profile, rest, count, first_bin[row], last_bin[row], -share, -1)
        oldest = max(oldest, window_start[t])
        while lowest <= highest and count[lowest] == 0:
            lowest += 1
        while highest >= lowest and count[highest] == 0:
            highest -= 1
        if lowest > highest:
            lowest, highest = bins, -1
        if window_start[t] < 0 or np.isnan(place[t]):
            continue
        if highest < 0:
            out[:3, t] = place[t]
            continue
        poc = _point_of_control_kernel(profile, lowest, highest)
        bottom, top = _value_area_kernel(profile, lowest, highest, poc, part)
        high_nodes, low_nodes = _nodes_kernel(profile, lowest, highest, smooth, peaks, troughs)
        out[0, t], out[1, t], out[2, t] = poc + 0.5, float(bottom), top + 1.0
        out[3, t], out[4, t] = _nearest_kernel(peaks, high_nodes, place[t])
        out[5, t], out[6, t] = _nearest_kernel(troughs, low_nodes, place[t])
    return ProfileRows(out[0], out[1], out[2], out[3], out[4], out[5], out[6], crossed)
