"""What each component adds to a head's score: the table behind one number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np

from engine import ContractError, Float1D, Float2D

from .base import NEUTRAL_SCORE, Head, HeadInputs

HIGHEST_SCORE: Final = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """One component of a head's score on every bar; arrays are ``(T,)``, row *t* is known at close *t*.

    ``score`` in [0, 100], 50 neutral, NaN where the component is not known: it then drops out and the
    weights of the others are scaled up. ``weight`` is not negative; its unit is the head's own.
    ``adjustment`` is what divergences add, in points: score and adjustment are summed, clipped to
    [0, 100], and only then weighted. ``group`` names the part of the head, empty where there is one
    part only.
    """

    name: str
    group: str
    score: Float1D
    weight: Float1D
    adjustment: Float1D


@dataclass(frozen=True, slots=True, eq=False)
class ContributionTable:
    """C components on T bars: arrays ``(T, C)``, one column for each of ``names``.

    ``adjusted`` is ``clip(score + adjustment, 0, 100)``, NaN where unknown; ``share`` the weight over
    the sum of the known weights, 0 where unknown; ``impact = share * adjusted``, so that the impacts
    of a row add up to ``total`` ``(T,)``, which is the head's score (50 where nothing is known).
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    score: Float2D
    adjustment: Float2D
    adjusted: Float2D
    share: Float2D
    impact: Float2D
    total: Float1D


@runtime_checkable
class ScoredHead(Head, Protocol):
    """A head whose score is a weighted mean of components, and which says what they are."""

    def contributions(self, inputs: HeadInputs) -> tuple[Contribution, ...]:
        """Every component on every bar; their table's ``total`` is the score that ``vote`` gives."""
        ...


def contribution_table(contributions: Sequence[Contribution]) -> ContributionTable:
    """Adjust, clip, weight and add up. Raises ContractError for a value outside its range."""
    for one in contributions:
        known = one.score[~np.isnan(one.score)]
        if ((known < 0) | (known > HIGHEST_SCORE)).any():
            raise ContractError(f"component {one.name}: a score lies outside [0, 100]")
        if not (np.isfinite(one.weight).all() and (one.weight >= 0).all()):
            raise ContractError(f"component {one.name}: a weight is negative or not finite")
        if not np.isfinite(one.adjustment).all():
            raise ContractError(f"component {one.name}: an adjustment is not finite")
    score = np.column_stack([one.score for one in contributions])
    adjustment = np.column_stack([one.adjustment for one in contributions])
    known = ~np.isnan(score)
    adjusted = np.clip(score + adjustment, 0.0, HIGHEST_SCORE)
    weight = np.where(known, np.column_stack([one.weight for one in contributions]), 0.0)
    whole = weight.sum(axis=1, keepdims=True)
    share = np.where(whole > 0, weight / np.where(whole > 0, whole, 1.0), 0.0)
    impact = share * np.where(known, adjusted, 0.0)
    total = np.where(whole[:, 0] > 0, impact.sum(axis=1), NEUTRAL_SCORE)
    return ContributionTable(
        names=tuple(one.name for one in contributions),
        groups=tuple(one.group for one in contributions),
        score=score,
        adjustment=adjustment,
        adjusted=adjusted,
        share=share,
        impact=impact,
        total=total,
    )


def known_share(contributions: Sequence[Contribution]) -> Float1D:
    """The weight of the components that are known over that of all, ``(T,)`` in [0, 1]: a coverage."""
    weight = np.column_stack([one.weight for one in contributions])
    known = np.column_stack([~np.isnan(one.score) for one in contributions])
    whole = weight.sum(axis=1)
    part = np.where(known, weight, 0.0).sum(axis=1)
    return np.clip(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), 0.0), 0.0, 1.0)
