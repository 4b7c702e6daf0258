"""The trials of a sweep as material for tests: its random stage again, and returns by day."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine import ConfigError, DataError, Float1D, Float2D, Int1D, Panel
from engine.timeframe import DAY_NS

from ..config_validation import FEWEST_TRIALS
from ..sweeps.config import Objective, SweepConfig, SweepSection
from ..sweeps.evaluate import Evaluated, Evaluator, View
from ..sweeps.objectives import oriented, scores_of, violations_of
from ..sweeps.space import Space, sobol_points

Values = Mapping[str, Any]


def screened_points(config: SweepConfig, space: Space, most: int) -> Float2D:
    """The first points of the sweep's screen ``(K, axes)``, at most ``most`` and a power of two.

    A sweep without a screen, or with a short one, is given points that its screen would have begun
    with: a Sobol sequence is a longer one's beginning. Raises ConfigError below ``FEWEST_TRIALS``.
    """
    if most < FEWEST_TRIALS:
        raise ConfigError(f"trials={most} must be at least {FEWEST_TRIALS}")
    count = max(config.sweep.screen.trials, FEWEST_TRIALS)
    count = min(count, 1 << (most.bit_length() - 1))
    return sobol_points(len(space), count, config.seed)


def values_of_points(space: Space, points: Float2D) -> list[Values]:
    """What each of ``points`` ``(K, axes)`` holds, by path."""
    return [space.values(point) for point in points.tolist()]


def good_of(section: SweepSection, evaluated: Evaluated) -> Float1D:
    """The first objective, more being better; minus infinity where a trial may not be chosen."""
    objectives = section.objectives
    good: Float1D = oriented(objectives, scores_of(objectives, evaluated.metrics))[:, 0]
    missed = violations_of(section.constraints, evaluated.metrics)
    failed = np.array([error is not None for error in evaluated.errors])
    return np.where(failed | (missed > 0).any(axis=1), -np.inf, good)


def require_sound(found: Evaluated, whole: Evaluated, where: str) -> Evaluated:
    """``found`` again; DataError where a trial failed in it that did not fail on the whole market.

    A failure must not count as a bad result: it would make whatever it is compared with look good.
    """
    for trial, (error, known) in enumerate(zip(found.errors, whole.errors, strict=True)):
        if error is not None and known is None:
            raise DataError(
                f"{where}: trial {trial} of the random stage failed there and not on the whole market: "
                f"{error}"
            )
    return found


def section_of_a_run() -> SweepSection:
    """What a single run is judged by: its Sharpe ratio, without constraints."""
    return SweepSection.model_construct(objectives=(Objective(metric="sharpe"),), constraints=())


def day_edges(panel: Panel) -> Int1D:
    """Bars at which UTC days begin, between the two ends of the panel."""
    days = panel.open_time // DAY_NS
    inner = np.flatnonzero(np.diff(days)) + 1
    return np.concatenate(([0], inner, [len(panel)])).astype(np.int64)


def daily_returns(evaluator: Evaluator, values: Sequence[Values], whole: Evaluated) -> Float2D:
    """Sum of the bar returns of each UTC day, ``(days, K)``; one that failed on the ``whole`` has zeros."""
    view = View(evaluator.whole.part, edges=day_edges(evaluator.data.panel))
    found = require_sound(evaluator(values, view), whole, "returns by day")
    sums = np.diff(found.sums[:, :, 0], axis=1)
    return np.ascontiguousarray(np.nan_to_num(sums, nan=0.0).T)
