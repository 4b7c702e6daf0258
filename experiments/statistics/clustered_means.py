"""Means of many groups of clustered values, with intervals that hold for all of them at once.

Values that fall into one cluster (a calendar week, say) may depend on each other in any way; clusters
are independent. What is judged together is judged by the largest of its studentised means.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.arrays import Bool1D, Float1D, Float2D
from engine.errors import DataError

REPETITIONS: Final = 9_999
_CHUNK: Final = 256
_FEWEST_CLUSTERS: Final = 2
_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredMeans:
    """Means of K groups; every array ``(K,)``, NaN for a group with values in fewer than two clusters.

    ``standard_error`` is that of the clusters. ``low`` and ``high`` hold all means at once with the
    asked confidence, ``own_low`` and ``own_high`` each by itself. ``p_value`` is of each by itself,
    two-sided; ``p_adjusted`` is stepped down over all groups: with a chance of at most its level, any
    mean that is 0 has one as small. ``critical`` is the half width of the joint intervals in standard
    errors, NaN without a group.
    """

    mean: Float1D
    standard_error: Float1D
    clusters: Float1D
    low: Float1D
    high: Float1D
    own_low: Float1D
    own_high: Float1D
    p_value: Float1D
    p_adjusted: Float1D
    critical: float


def clustered_means(
    sums: Float2D,
    counts: Float2D,
    *,
    confidence: float = 0.95,
    repetitions: int = REPETITIONS,
    seed: int = 0,
) -> ClusteredMeans:
    """Means of the groups whose values add up to ``sums`` and number ``counts``, each ``(W, K)``.

    Row w is one cluster, column k one group; a group may be absent from a cluster. The mean is the sum
    of its column over its count. Wild cluster bootstrap (Cameron, Gelbach and Miller 2008): residual
    sums of whole clusters change sign together in all groups, each draw is studentised by its own
    standard error, and joint intervals take the quantile of the largest of the K (Westfall and Young
    1993); adjusted p values are stepped down (Romano and Wolf 2005). Raises DataError for tables of
    other shapes, values that are not finite, or negative counts.
    """
    sums, counts = _checked(sums, counts)
    total, seen = counts.sum(axis=0), (counts > 0).sum(axis=0)
    judged = seen >= _FEWEST_CLUSTERS
    groups = sums.shape[1]
    mean = np.full(groups, np.nan)
    mean[judged] = sums.sum(axis=0)[judged] / total[judged]
    error = np.full(groups, np.nan)
    residual = sums - counts * np.where(judged, mean, 0.0)
    error[judged] = _errors(residual[:, judged], total[judged], seen[judged])
    # Values that cancel in every cluster leave nothing but their rounding.
    judged &= error > _ROUNDING * np.abs(sums).sum(axis=0) / np.maximum(total, 1.0)
    draws = _draws(residual[:, judged], counts[:, judged], repetitions, seed)
    observed = np.abs(mean[judged] / error[judged])
    critical = _quantile(draws.max(axis=1), confidence) if judged.any() else math.nan
    own = np.full(groups, np.nan)
    own[judged] = [_quantile(column, confidence) for column in draws.T]
    p_value, p_adjusted = np.full(groups, np.nan), np.full(groups, np.nan)
    p_value[judged] = (1.0 + (draws >= observed).sum(axis=0)) / (1.0 + repetitions)
    p_adjusted[judged] = _stepped_down(draws, observed)
    return ClusteredMeans(
        mean=mean,
        standard_error=error,
        clusters=seen.astype(np.float64),
        low=mean - critical * error,
        high=mean + critical * error,
        own_low=mean - own * error,
        own_high=mean + own * error,
        p_value=p_value,
        p_adjusted=p_adjusted,
        critical=critical,
    )


def _checked(sums: Float2D, counts: Float2D) -> tuple[Float2D, Float2D]:
    sums = np.ascontiguousarray(sums, dtype=np.float64)
    counts = np.ascontiguousarray(counts, dtype=np.float64)
    if sums.ndim != 2 or sums.shape != counts.shape:
        raise DataError(
            f"sums {sums.shape} and counts {counts.shape} must be two tables of one shape (W, K)"
        )
    if not (np.isfinite(sums).all() and np.isfinite(counts).all() and (counts >= 0).all()):
        raise DataError("sums must be finite and counts neither negative nor unknown")
    return sums, counts


def _errors(residual: Float2D, total: Float1D, seen: Float1D) -> Float1D:
    """Standard errors of the means: the residual sums of the clusters, as independent draws."""
    small_sample = seen / (seen - 1.0)
    errors: Float1D = np.sqrt(small_sample * (residual**2).sum(axis=0)) / total
    return errors


def _draws(residual: Float2D, counts: Float2D, repetitions: int, seed: int) -> Float2D:
    """Sizes of the studentised means of ``repetitions`` draws, ``(repetitions, K)``."""
    generator = np.random.default_rng(seed)
    total, seen = counts.sum(axis=0), (counts > 0).sum(axis=0)
    squares, cross = (residual**2).sum(axis=0), residual * counts
    weights, small_sample = (counts**2).sum(axis=0), seen / np.maximum(seen - 1.0, 1.0)
    out = np.empty((repetitions, residual.shape[1]))
    for first in range(0, repetitions, _CHUNK):
        size = min(_CHUNK, repetitions - first)
        signs = 2.0 * generator.integers(0, 2, (size, len(residual))) - 1.0
        mean = signs @ residual / total
        spread = squares - 2.0 * mean * (signs @ cross) + mean**2 * weights
        error = np.sqrt(small_sample * np.maximum(spread, 0.0)) / total
        with np.errstate(divide="ignore", invalid="ignore"):
            out[first : first + size] = np.where(error > 0, np.abs(mean / error), np.inf)
    return out


def _quantile(sizes: Float1D, confidence: float) -> float:
    """The smallest draw that at least ``confidence`` of one draw more than there are do not exceed."""
    rank = math.ceil(confidence * (len(sizes) + 1)) - 1
    return float(np.sort(sizes)[rank]) if rank < len(sizes) else math.inf


def _stepped_down(draws: Float2D, observed: Float1D) -> Float1D:
    order = np.argsort(-observed, kind="stable")
    adjusted = np.empty(len(observed))
    # The largest over a group and all that come after it, from the last to the first.
    largest = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    exceeded = (1.0 + (largest >= observed[order]).sum(axis=0)) / (1.0 + len(draws))
    adjusted[order] = np.maximum.accumulate(exceeded)
    return adjusted


def excludes_zero(means: ClusteredMeans) -> Bool1D:
    """Groups whose joint interval does not hold 0, bool ``(K,)``."""
    with np.errstate(invalid="ignore"):
        outside: Bool1D = (means.low > 0) | (means.high < 0)
    return outside
