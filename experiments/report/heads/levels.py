"""What followed each level of the consensus: its signed score, and how many heads agreed."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import Float1D, Float2D, Int1D

from ...statistics.clustered_means import clustered_means
from .forward import HORIZONS, grouped

SCORE_BINS: Final = 10
"""Bins of the score on each side of 0, a tenth each."""
FEWEST_BARS: Final = 30
FEWEST_CLUSTERS: Final = 8
"""Bars and clusters below which no mean is given an interval."""
REPETITIONS: Final = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReturns:
    """Mean forward returns of K levels over the H horizons, fractions.

    ``level`` ``(K,)`` rises from the most short to the most long. ``counts``, ``mean``, ``low`` and
    ``high`` are ``(K, H)``: bars with a known return, their mean, and an interval that holds all means
    of the table at once with 95 % (NaN where there is too little). ``everything`` ``(H,)`` is the mean
    over all bars.
    """

    level: Float1D
    counts: Float2D
    mean: Float2D
    low: Float2D
    high: Float2D
    everything: Float1D


@dataclass(slots=True)
class LevelSums:
    """Sums of forward returns by cluster, level and horizon; ``add`` takes one symbol after another."""

    level: Float1D
    weeks: int
    _sums: Float2D = field(init=False)
    _counts: Float2D = field(init=False)

    def __post_init__(self) -> None:
        self._sums = np.zeros((self.weeks, len(self.level) * len(HORIZONS)))
        self._counts = self._sums.copy()

    def add(self, position: Int1D, forward: Float2D, cluster: Int1D) -> None:
        """Add bars: the position of their level ``(T,)``, returns ``(T, H)``, clusters ``(T,)``."""
        shape = (self.weeks, len(self.level))
        for column in range(len(HORIZONS)):
            sums, counts = grouped(forward[:, column], cluster, position, shape)
            self._sums[:, column :: len(HORIZONS)] += sums
            self._counts[:, column :: len(HORIZONS)] += counts

    def returns(self, seed: int) -> LevelReturns:
        """The means of levels that occurred, and their joint intervals."""
        shape = (len(self.level), len(HORIZONS))
        counts, total = self._counts.sum(axis=0), self._sums.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / counts
            everything = total.reshape(shape).sum(axis=0) / counts.reshape(shape).sum(axis=0)
        judged = (counts >= FEWEST_BARS) & ((self._counts > 0).sum(axis=0) >= FEWEST_CLUSTERS)
        low, high = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
        if judged.any():
            found = clustered_means(
                self._sums[:, judged],
                self._counts[:, judged],
                repetitions=REPETITIONS,
                seed=seed,
            )
            low[judged], high[judged] = found.low, found.high
        seen = counts.reshape(shape)[:, 0] > 0
        return LevelReturns(
            level=self.level[seen],
            counts=counts.reshape(shape)[seen],
            mean=mean.reshape(shape)[seen],
            low=low.reshape(shape)[seen],
            high=high.reshape(shape)[seen],
            everything=everything,
        )


def score_levels() -> Float1D:
    """Middles of the bins of the signed score: ten below 0, exactly 0, ten above."""
    above = (np.arange(SCORE_BINS) + 0.5) / SCORE_BINS
    return np.concatenate((-above[::-1], [0.0], above))


def score_positions(signed_score: Float1D) -> Int1D:
    """Positions in ``score_levels``; a bin holds its outer edge, and 0 is a level of its own."""
    # A score on an edge is one, whatever its last digits say.
    distance = np.ceil(np.abs(signed_score) * SCORE_BINS - 1e-9).astype(np.int64)
    positions: Int1D = SCORE_BINS + np.sign(signed_score).astype(np.int64) * np.minimum(
        distance, SCORE_BINS
    )
    return positions


def agreement_levels(heads: int) -> Float1D:
    """Signed numbers of agreeing heads: all for a fall, …, none or a tie, …, all for a rise."""
    return np.arange(-heads, heads + 1, dtype=np.float64)


def agreement_positions(side: Int1D, votes_for: Int1D, heads: int) -> Int1D:
    """Positions in ``agreement_levels``."""
    return heads + side.astype(np.int64) * votes_for.astype(np.int64)
