"""How much several voters say of each other: correlation, agreement, effective number."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.arrays import Bool2D, Float1D, Float2D, Int8Array2D

from .effective_trials import effective_rank

LEAST_VOTES: Final = 30
"""Bars on which both heads must vote before their agreement is stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteAgreement:
    """H heads; NaN where it cannot be said.

    ``correlation`` ``(H, H)``: Pearson's, of directions in -1, 0, 1, on bars where both heads have
    data. ``agree`` ``(H, H)``: share of the bars on which both vote where they vote alike, from
    ``LEAST_VOTES`` bars on. ``voting`` ``(H,)``: share of bars with a vote. ``effective``: exp of the
    entropy of the eigenvalues of the correlation of the heads that vote at all (``effective_rank``;
    pairs that never have data together count as uncorrelated), and how many these are.
    """

    correlation: Float2D
    agree: Float2D
    voting: Float1D
    effective: float
    heads: int


@dataclass(slots=True)
class VoteSums:
    """Sums over bars from which ``VoteAgreement`` follows; whole numbers, so that order is no matter.

    ``add`` takes part after part: markets, or stretches of one.
    """

    heads: int
    bars: int = 0
    _tables: Float2D = field(init=False)

    def __post_init__(self) -> None:
        self._tables = np.zeros((7, self.heads, self.heads))

    def add(self, direction: Int8Array2D, has_data: Bool2D) -> None:
        """Add bars: directions ``(T, H)`` and where a head has data ``(T, H)``."""
        known = np.ascontiguousarray(has_data, dtype=np.float64)
        up = np.where(has_data, direction > 0, False).astype(np.float64)
        down = np.where(has_data, direction < 0, False).astype(np.float64)
        vote, voted = up - down, up + down
        self.bars += len(direction)
        # (i, j): sums over the bars on which both have data, of i's column where one is meant.
        for at, (one, other) in enumerate(
            (
                (known, known),
                (vote, known),
                (voted, known),
                (vote, vote),
                (voted, voted),
                (up, up),
                (down, down),
            )
        ):
            self._tables[at] += one.T @ other

    def agreement(self) -> VoteAgreement:
        """What the bars that were added say."""
        count, vote, squares, product, both, up, down = self._tables
        with np.errstate(divide="ignore", invalid="ignore"):
            covariance = count * product - vote * vote.T
            spread = count * squares - vote * vote
            correlation = covariance / np.sqrt(spread * spread.T)
            agree = np.where(both >= LEAST_VOTES, (up + down) / both, np.nan)
        correlation = np.clip(
            np.where((spread > 0) & (spread.T > 0), correlation, np.nan), -1.0, 1.0
        )
        stands = ~np.isnan(np.diag(correlation))
        np.fill_diagonal(correlation, np.where(stands, 1.0, np.nan))
        kept = correlation[np.ix_(stands, stands)]
        rank = effective_rank(np.where(np.isnan(kept), 0.0, kept)) if stands.any() else np.nan
        voted = np.diag(both) / self.bars if self.bars else np.full(self.heads, np.nan)
        return VoteAgreement(
            correlation=correlation,
            agree=agree,
            voting=voted,
            effective=float(rank),
            heads=int(stands.sum()),
        )


def vote_agreement(direction: Int8Array2D, has_data: Bool2D) -> VoteAgreement:
    """The votes of one market: directions ``(T, H)``, and where each head has data ``(T, H)``."""
    sums = VoteSums(direction.shape[1])
    sums.add(direction, has_data)
    return sums.agreement()
