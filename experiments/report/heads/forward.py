"""Returns after a moment of knowledge, and the clusters of time in which they may depend on each other."""

from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D
from engine.timeframe import DAY_NS

HORIZONS: Final = (1, 4, 24)
"""Bars over which forward returns are taken."""
WEEK_NS: Final = 7 * DAY_NS
MONDAY_NS: Final = 4 * DAY_NS
"""The first Monday after the epoch, which was a Thursday."""
FEWEST_HORIZONS: Final = 4
"""The longest horizon goes so many times into a cluster at least."""


def forward_returns(
    known_at: Int1D, open_time: Int1D, opens: Float1D, is_gap: Bool1D, step_ns: int
) -> Float2D:
    """Simple returns of the traded prices over each of ``HORIZONS``, ``(T, 3)``, a fraction.

    From the open at ``known_at`` ``(T,)``, the first price at which a decision of that row could be
    filled, to the open so many bars later. ``open_time``, ``opens`` and ``is_gap`` ``(N,)`` are the
    traded bars. NaN where one of the two bars does not exist or is a gap, and where the bar that ended at
    ``known_at`` is one: what is carried there is no observation.
    """
    out = np.full((len(known_at), len(HORIZONS)), np.nan)
    if not len(open_time):
        return out
    entry, exists = _places(open_time, known_at)
    exists &= ~is_gap[entry] & ~((entry > 0) & is_gap[entry - 1])
    for column, bars in enumerate(HORIZONS):
        end, known = _places(open_time, known_at + bars * step_ns)
        known &= exists & ~is_gap[end]
        out[known, column] = opens[end[known]] / opens[entry[known]] - 1.0
    return out


def _places(open_time: Int1D, moments: Int1D) -> tuple[Int1D, Bool1D]:
    """The bar that opens at each moment, and whether there is one."""
    place = np.minimum(np.searchsorted(open_time, moments), len(open_time) - 1)
    return place, np.asarray(open_time[place] == moments)


def cluster_ns(step_ns: int) -> int:
    """Length of a cluster: whole weeks, at least four times the longest horizon."""
    weeks = -(-FEWEST_HORIZONS * max(HORIZONS) * step_ns // WEEK_NS)
    return int(max(1, weeks)) * WEEK_NS


def clusters(moments: Int1D, first: int, length_ns: int) -> Int1D:
    """The cluster of each moment, from 0: they begin on the Monday (UTC) on or before ``first``."""
    origin = first - (first - MONDAY_NS) % WEEK_NS
    numbers: Int1D = (moments - origin) // length_ns
    return numbers


def grouped(
    values: Float1D, cluster: Int1D, group: Int1D, shape: tuple[int, int]
) -> tuple[Float2D, Float2D]:
    """Sums and counts of finite ``values`` by cluster and group, each of ``shape`` ``(W, K)``."""
    known = np.isfinite(values)
    cell = cluster[known] * shape[1] + group[known]
    size = shape[0] * shape[1]
    sums = np.bincount(cell, weights=values[known], minlength=size).astype(np.float64)
    counts = np.bincount(cell, minlength=size).astype(np.float64)
    return sums.reshape(shape), counts.reshape(shape)
