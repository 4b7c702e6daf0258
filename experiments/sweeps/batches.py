"""Batches of a sweep: what is asked and evaluated at once, and what a sampler is told of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Float1D, Float2D

from .config import SweepConfig
from .evaluate import Evaluated
from .objectives import low_quantile, scores_of, states_of, violations_of
from .search import Told
from .space import Space, neighbours_of

SCREEN: Final = "screen"
SEARCH: Final = "search"

Evaluate = Callable[[Sequence[Mapping[str, Any]]], Evaluated]


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of the plan: its number, stage, first trial asked within the stage and their count."""

    number: int
    stage: str
    first: int
    count: int


def plan_of(config: SweepConfig) -> list[Batch]:
    """The batches of a sweep in order."""
    sweep = config.sweep
    plan: list[Batch] = []
    for stage, trials, size in (
        (SCREEN, sweep.screen.trials, sweep.screen.batch),
        (SEARCH, sweep.search.trials, sweep.search.batch),
    ):
        for first in range(0, trials, size):
            plan.append(Batch(len(plan), stage, first, min(size, trials - first)))
    return plan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedBatch:
    """What became of a batch: the points that were asked, each followed by its neighbours.

    ``parents`` hold the number of the trial that a neighbour belongs to, None for what was asked;
    ``scores`` ``(K, objectives)`` are those that trials are ranked by: with neighbours, a trial that was
    asked has the quantile of its cloud. ``values``, ``states``, ``errors``, ``metrics`` and ``sums`` have
    one entry for each point as well.
    """

    points: list[list[float]]
    parents: list[int | None]
    values: list[dict[str, Any]]
    states: list[str]
    errors: tuple[str | None, ...]
    scores: Float2D
    violations: Float2D
    metrics: Mapping[str, Float1D]
    sums: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def told(self) -> list[Told]:
        """What a sampler is told: the trials that were asked."""
        return [
            Told(
                coordinates=self.points[row],
                score=self.scores[row].tolist(),
                state=self.states[row],
                violations=self.violations[row].tolist(),
            )
            for row, parent in enumerate(self.parents)
            if parent is None
        ]


def judged_batch(
    config: SweepConfig,
    space: Space,
    batch: Batch,
    asked: Sequence[Sequence[float]],
    evaluate: Evaluate,
    *,
    first_trial: int,
) -> JudgedBatch:
    """Evaluate the points of a batch, in the search with their neighbours.

    ``first_trial`` is the number of the batch's first trial in its sweep: it seeds the neighbours.
    """
    sweep = config.sweep
    around = sweep.search.neighbours if batch.stage == SEARCH else 0
    points: list[list[float]] = []
    parents: list[int | None] = []
    for point in asked:
        parent = first_trial + len(points)
        points.append(list(point))
        parents.append(None)
        if around:
            seed = (config.seed, parent)
            near = neighbours_of(point, around, sweep.search.radius, seed).tolist()
            points += near
            parents += [parent] * around
    values = [space.values(point) for point in points]
    evaluated = evaluate(values)
    scores = scores_of(sweep.objectives, evaluated.metrics)
    violations = violations_of(sweep.constraints, evaluated.metrics)
    for row in range(0, len(points) if around else 0, around + 1):
        cloud = slice(row, row + around + 1)
        scores[row] = low_quantile(sweep.objectives, scores[cloud], sweep.search.quantile)
    return JudgedBatch(
        points=points,
        parents=parents,
        values=values,
        states=states_of(evaluated.errors, violations),
        errors=evaluated.errors,
        scores=scores,
        violations=violations,
        metrics=evaluated.metrics,
        sums=evaluated.sums,
    )
