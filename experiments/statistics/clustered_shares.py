"""Shares of clustered observations, with intervals that stay within 0 and 1.

Observations that fall into one cluster (a calendar week, say) may depend on each other in any way;
clusters are independent.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from engine.arrays import Float1D, Float2D
from engine.errors import ConfigError, DataError

FEWEST_CLUSTERS: Final = 4
"""Clusters below which no interval is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusteredShares:
    """Shares of K groups; every array ``(K,)``.

    ``share`` is NaN for an empty group; ``low`` and ``high`` are NaN below ``FEWEST_CLUSTERS``.
    ``effective`` is how many independent observations the group is worth.
    """

    share: Float1D
    counts: Float1D
    clusters: Float1D
    effective: Float1D
    low: Float1D
    high: Float1D


def clustered_shares(
    hits: Float2D, counts: Float2D, *, confidence: float = 0.95, joint: bool = True
) -> ClusteredShares:
    """Share of ``hits`` among ``counts``, each ``(W, K)``: row w is one cluster, column k one group.

    Both are whole numbers.

    Wilson's interval (1927) at the effective number of observations p(1 − p) ÷ v (Korn and Graubard
    1998), v the variance of the share between clusters with the factor W ÷ (W − 1); the effective number
    is at most that of the observations, and that of the clusters where the share does not vary.
    Quantiles are Student's with W − 1 degrees. ``joint`` intervals hold for all groups at once
    (Bonferroni), otherwise each by itself. Raises DataError for tables of other shapes, ConfigError for a
    confidence outside (0, 1).
    """
    if hits.ndim != 2 or hits.shape != counts.shape:
        raise DataError(
            f"hits {hits.shape} and counts {counts.shape} must be two tables of one shape (W, K)"
        )
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"confidence={confidence}: a coverage lies between 0 and 1")
    right, total = hits.sum(axis=0), counts.sum(axis=0)
    seen = (counts > 0).sum(axis=0).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = right / total
        residual = hits - counts * np.nan_to_num(share)
        variance = seen / (seen - 1.0) * (residual**2).sum(axis=0) / total**2
        effective = np.minimum(share * (1.0 - share) / variance, total)
    # Nothing varies at 0 and 1, nor where every cluster says the same: products of whole numbers tell
    # that exactly, where a variance is seldom 0 to the last digit.
    unvaried = (hits * total == counts * right).all(axis=0)
    effective = np.where(total > 0, np.where(unvaried, np.minimum(seen, total), effective), 0.0)
    judged = seen >= FEWEST_CLUSTERS
    low, high = np.full(len(total), np.nan), np.full(len(total), np.nan)
    if judged.any():
        tail = (1.0 - confidence) / 2.0 / (int(judged.sum()) if joint else 1)
        quantile = stdtrit(seen[judged] - 1.0, 1.0 - tail)
        low[judged], high[judged] = _wilson(share[judged], effective[judged], quantile)
    return ClusteredShares(
        share=share, counts=total, clusters=seen, effective=effective, low=low, high=high
    )


def _wilson(share: Float1D, count: Float1D, quantile: Float1D) -> tuple[Float1D, Float1D]:
    squared = quantile**2
    middle = (share + squared / (2.0 * count)) / (1.0 + squared / count)
    half = (
        quantile
        / (1.0 + squared / count)
        * np.sqrt(share * (1.0 - share) / count + squared / (4.0 * count**2))
    )
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
