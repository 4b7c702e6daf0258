"""Which parameters go with a trial being among the best."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine import Float1D, Float2D

from ..sweeps.places import axis_values
from ..sweeps.space import Space
from .reading import SweepReading

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

BEST_SHARE: Final = 0.1
FEWEST_BEST: Final = 5
"""Trials among the best that the method needs to say anything."""
FEWEST_SCREENED: Final = 64
MOST_TRIALS: Final = 2048
MOST_PERMUTATIONS: Final = 20
FEWEST_PERMUTATIONS: Final = 5
PERMUTED_CELLS: Final = 160_000
"""Trials times axes that all permutations together look at: about a second."""
_LUCK_SEED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Importance:
    """Shares of each axis ``(D,)``, together 1 (all 0 where no axis matters), of one objective.

    ``trials`` were looked at, of the screen alone where ``is_screen``. ``by_luck`` is the 95 % point of the
    largest share where results are dealt to the trials at random, over ``permutations`` such deals:
    shares add up to 1 where no axis matters, too.
    """

    shares: Float1D
    trials: int
    is_screen: bool
    by_luck: float
    permutations: int


def importance_of(reading: SweepReading, objective: int) -> Importance | None:
    """PED-ANOVA of one objective, in the space that was searched; None where too few trials are feasible.

    Watanabe, Bansal and Hutter (IJCAI 2023), by Optuna: how far the distribution of each axis among the
    best tenth of the trials lies from that among all of them. The trials are those of the screen where
    it has enough, since a sampler's trials crowd where it found something; infeasible, failed and
    undefined ones are left out, and of very many every so many are taken.
    """
    good = reading.good[:, objective]
    known = np.isfinite(good)
    screened = known & ~reading.is_search
    is_screen = int(screened.sum()) >= FEWEST_SCREENED
    rows = np.flatnonzero(screened if is_screen else known)
    rows = rows[:: max(1, -(-len(rows) // MOST_TRIALS))]
    if len(rows) * BEST_SHARE < FEWEST_BEST:
        return None
    cells = max(1, len(rows) * len(reading.space))
    permutations = int(np.clip(PERMUTED_CELLS // cells, FEWEST_PERMUTATIONS, MOST_PERMUTATIONS))
    shares, largest = ped_anova(
        reading.space, reading.coordinates[rows], good[rows], permutations=permutations
    )
    return Importance(
        shares=shares,
        trials=len(rows),
        is_screen=is_screen,
        by_luck=float(np.quantile(largest, 0.95)),
        permutations=permutations,
    )


def ped_anova(
    space: Space, coordinates: Float2D, good: Float1D, *, permutations: int = 0
) -> tuple[Float1D, Float1D]:
    """Optuna's importance of each axis, ``(D,)``, shares of their sum; more of ``good`` is better.

    Also the largest share of each of so many ``permutations`` of ``good``, drawn with a fixed seed.

    Of weights it is that of the coordinate, which is uniform in a screen: few shares are large, and the
    method takes the chance of one among the best for importance.
    """
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    distributions, values = space.distributions(), axis_values(space, coordinates)
    sampled: dict[str, list[float | int]] = {}
    for column, (name, distribution) in enumerate(distributions.items()):
        if isinstance(distribution, CategoricalDistribution | IntDistribution):
            sampled[name] = values[:, column].astype(np.int64).tolist()
        else:
            distributions[name] = FloatDistribution(0.0, 1.0)
            sampled[name] = coordinates[:, column].tolist()
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction="maximize")
        study.add_trials(
            optuna.trial.create_trial(
                params=dict(zip(sampled, row, strict=True)),
                distributions=distributions,
                value=float(value),
            )
            for row, value in zip(zip(*sampled.values(), strict=True), good, strict=True)
        )
        draw = np.random.default_rng(_LUCK_SEED)
        largest = [
            _shares(study, list(sampled), _loss_of(draw.permutation(good))).max()
            for _ in range(permutations)
        ]
        return _shares(study, list(sampled), _loss_of(good)), np.array(largest)
    finally:
        optuna.logging.set_verbosity(verbosity)


def _loss_of(good: Float1D) -> "Callable[[FrozenTrial], float]":
    return lambda trial: -float(good[trial.number])


def _shares(study: "Study", names: list[str], loss: "Callable[[FrozenTrial], float]") -> Float1D:
    """The importance of the axes ``names`` for being among the trials of least ``loss``."""
    import optuna

    with warnings.catch_warnings():
        # All trials equally good: the shares are 0, which is said. The loss is minimised, as is warned.
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(
            study,
            evaluator=optuna.importance.PedAnovaImportanceEvaluator(
                target_quantile=BEST_SHARE, evaluate_on_local=True
            ),
            target=loss,
            normalize=False,
        )
    raw = np.array([found.get(name, 0.0) for name in names])
    total = raw.sum()
    return np.asarray(raw / total if total > 0 else np.zeros_like(raw))
