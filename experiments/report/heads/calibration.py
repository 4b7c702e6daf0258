"""What heads state and what came true: reliability, Brier score, expected calibration error."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, Int8Array1D

from ...statistics.clustered_shares import ClusteredShares, clustered_shares
from .forward import HORIZONS, grouped

BINS: Final = 20
"""Bins of stated numbers between 0 and 1."""
JUDGED: Final = HORIZONS.index(24)
"""The horizon over which reliability is shown; heads state none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Bins in which a head stated something: every array ``(K,)``, in rising order.

    ``stated`` is the mean of what it said, ``share`` how often its direction was right, ``low`` and
    ``high`` an interval that holds all bins of the head at once with 95 % (NaN: too few clusters).
    """

    stated: Float1D
    counts: Float1D
    share: Float1D
    low: Float1D
    high: Float1D

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of share from stated, bins by their counts."""
        if not len(self.counts):
            return float("nan")
        return float((self.counts * np.abs(self.share - self.stated)).sum() / self.counts.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCalibration:
    """One head, over bars on which it voted and the return that followed is known and not 0.

    ``probability`` and ``confidence`` are its reliability over 24 bars. ``stated`` is its mean
    probability, ``brier`` the mean squared distance of probability and outcome (1 right, 0 wrong), both
    over 24 bars. By horizon ``(3,)``: ``counts``, ``share`` right with an interval each by itself
    (``low``, ``high``, 95 %), and ``chance``, the share of as many longs and shorts at random bars
    on which the head had data.
    """

    probability: Reliability
    confidence: Reliability
    stated: float
    brier: float
    counts: Float1D
    share: Float1D
    low: Float1D
    high: Float1D
    chance: Float1D


@dataclass(slots=True)
class CalibrationSums:
    """Sums from which the calibration of one head follows; ``add`` takes one symbol after another."""

    weeks: int
    _stated: Float2D = field(init=False)
    _hits: list[Float2D] = field(init=False)
    _counts: list[Float2D] = field(init=False)
    _squares: float = 0.0
    _right: Float2D = field(init=False)
    _judged: Float2D = field(init=False)
    _longs: Float1D = field(init=False)
    _rose: Float1D = field(init=False)
    _moved: Float1D = field(init=False)

    def __post_init__(self) -> None:
        self._stated = np.zeros((2, BINS))
        self._hits = [np.zeros((self.weeks, BINS)) for _ in range(2)]
        self._counts = [np.zeros((self.weeks, BINS)) for _ in range(2)]
        self._right = np.zeros((self.weeks, len(HORIZONS)))
        self._judged = self._right.copy()
        self._longs, self._rose, self._moved = np.zeros((3, len(HORIZONS)))

    def add(
        self,
        direction: Int8Array1D,
        probability: Float1D,
        confidence: Float1D,
        has_data: Bool1D,
        forward: Float2D,
        cluster: Int1D,
    ) -> None:
        """Add the bars of one symbol: the head's votes ``(T,)``, returns ``(T, 3)``, clusters ``(T,)``."""
        of_head = forward[has_data]
        self._rose += (of_head > 0).sum(axis=0)
        self._moved += (np.isfinite(of_head) & (of_head != 0)).sum(axis=0)
        voted = np.flatnonzero(direction)
        side, moved, week = direction[voted], forward[voted], cluster[voted]
        # A return of exactly 0 proves neither side right.
        right = np.where(np.isfinite(moved) & (moved != 0), np.sign(moved) == side[:, None], np.nan)
        shape = (self.weeks, 1)
        nowhere = np.zeros(len(voted), dtype=np.int64)
        for column in range(len(HORIZONS)):
            hits, counts = grouped(right[:, column], week, nowhere, shape)
            self._right[:, column] += hits[:, 0]
            self._judged[:, column] += counts[:, 0]
            self._longs[column] += (side[np.isfinite(right[:, column])] > 0).sum()
        known = np.flatnonzero(np.isfinite(right[:, JUDGED]))
        outcome = right[known, JUDGED]
        for at, values in enumerate((probability, confidence)):
            said = values[voted[known]]
            # A number on an edge belongs above it, whatever its last digits say.
            position = np.clip(np.floor(said * BINS + 1e-9).astype(np.int64), 0, BINS - 1)
            hits, counts = grouped(outcome, week[known], position, (self.weeks, BINS))
            self._hits[at] += hits
            self._counts[at] += counts
            self._stated[at] += np.bincount(position, weights=said, minlength=BINS)
        self._squares += float(((probability[voted[known]] - outcome) ** 2).sum())

    def calibration(self) -> HeadCalibration:
        """What the bars that were added say."""
        overall = clustered_shares(self._right, self._judged, joint=False)
        total = self._judged.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            longs, rising = self._longs / total, self._rose / self._moved
            stated = float(self._stated[0].sum() / total[JUDGED])
            brier = float(self._squares / total[JUDGED])
        return HeadCalibration(
            probability=self._reliability(0),
            confidence=self._reliability(1),
            stated=stated,
            brier=brier,
            counts=total,
            share=overall.share,
            low=overall.low,
            high=overall.high,
            chance=longs * rising + (1.0 - longs) * (1.0 - rising),
        )

    def _reliability(self, at: int) -> Reliability:
        seen = self._counts[at].sum(axis=0) > 0
        found: ClusteredShares = clustered_shares(
            self._hits[at][:, seen], self._counts[at][:, seen]
        )
        return Reliability(
            stated=self._stated[at][seen] / found.counts,
            counts=found.counts,
            share=found.share,
            low=found.low,
            high=found.high,
        )
