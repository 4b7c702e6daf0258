"""Which of many trials are good, which are allowed, and which are best."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine import Float1D, Float2D

from .config import Constraint, Objective
from .parts import COMPLETE, FAILED, INFEASIBLE


def scores_of(objectives: Sequence[Objective], metrics: Mapping[str, Float1D]) -> Float2D:
    """The objectives' metrics, ``(K, objectives)``, NaN where undefined."""
    columns: Float2D = np.column_stack([metrics[one.metric] for one in objectives])
    return columns


def violations_of(constraints: Sequence[Constraint], metrics: Mapping[str, Float1D]) -> Float2D:
    """By how much each constraint is missed, ``(K, constraints)``: above 0 where it is.

    An undefined metric misses its constraint by infinity.
    """
    count = len(next(iter(metrics.values())))
    missed = np.empty((count, len(constraints)))
    for column, one in enumerate(constraints):
        found = metrics[one.metric]
        bound = one.at_least if one.at_least is not None else one.at_most
        sign = 1.0 if one.at_least is not None else -1.0
        missed[:, column] = np.where(np.isnan(found), np.inf, sign * (bound - found))  # type: ignore[operator]
    return missed


def states_of(errors: Sequence[str | None], violations: Float2D) -> list[str]:
    """What became of each trial, of ``parts.STATES``."""
    return [
        FAILED if error is not None else INFEASIBLE if (missed > 0).any() else COMPLETE
        for error, missed in zip(errors, violations, strict=True)
    ]


def oriented(objectives: Sequence[Objective], scores: Float2D) -> Float2D:
    """Scores of which more is better, minus infinity where undefined."""
    signs = np.array([1.0 if one.direction == "maximize" else -1.0 for one in objectives])
    found: Float2D = np.where(np.isnan(scores), -np.inf, scores * signs)
    return found


def low_quantile(objectives: Sequence[Objective], scores: Float2D, quantile: float) -> Float1D:
    """The score of a cloud of trials ``(m, objectives)``: each objective's quantile from its worse end.

    Linear interpolation between order statistics; NaN where it would rest on an undefined score.
    """
    good = np.sort(oriented(objectives, scores), axis=0)
    at = quantile * (len(good) - 1)
    lower = int(at)
    upper = min(lower + 1, len(good) - 1)
    share = at - lower
    low, high = good[lower], good[upper]
    known = np.isfinite(low)
    between = np.where(known, low, 0.0) + share * (
        np.where(known, high, 0.0) - np.where(known, low, 0.0)
    )
    signs = np.array([1.0 if one.direction == "maximize" else -1.0 for one in objectives])
    found: Float1D = np.where(known, between * signs, np.nan)
    return found


def best_trials(
    objectives: Sequence[Objective], scores: Float2D, states: Sequence[str]
) -> list[int]:
    """Feasible trials from the best on; with several objectives those that no other dominates.

    Of equal ones the earliest comes first; trials with an undefined score are left out.
    """
    good = oriented(objectives, scores)
    allowed = [
        k for k, state in enumerate(states) if state == COMPLETE and np.isfinite(good[k]).all()
    ]
    if len(objectives) == 1:
        return sorted(allowed, key=lambda k: (-good[k, 0], k))
    ranked = sorted(allowed, key=lambda k: (*(-good[k]).tolist(), k))
    front: list[int] = []
    for k in ranked:
        if not any((good[other] >= good[k]).all() for other in front):
            front.append(k)
    return front


def most_missed(constraints: Sequence[Constraint], metrics: Mapping[str, Float1D]) -> Any:
    """The constraint that most trials miss and how many do, or None without constraints."""
    if not constraints:
        return None
    missed = (violations_of(constraints, metrics) > 0).sum(axis=0)
    worst = int(np.argmax(missed))
    return constraints[worst], int(missed[worst])
