"""Asking an Optuna sampler for batches of trials, so that the ledger is all its memory."""

import importlib
import importlib.util
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from engine import ConfigError, DataError

from ..statistics.walk_forward import average_ranks
from .config import Choice, SweepConfig
from .objectives import oriented
from .parts import COMPLETE, FAILED
from .space import Space

if TYPE_CHECKING:
    import optuna

_SEED_BOUND: Final = 2**31 - 1
_THREADS: Final = "OMP_NUM_THREADS"
CONSTRAINT: Final = "constraint"
FEWEST_SOURCES: Final = 20
"""Screened trials that CMA-ES takes its first mean and covariance from, at the least."""
FEWEST_SOLUTIONS: Final = 5
"""CMA-ES needs more than four in a generation."""
STATELESS: Final = ("tpe", "gp", "random")
"""Samplers whose next question follows from the trials of the study and the seed alone."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """A trial with what is told of it: its point, score (NaN undefined), state and missed constraints."""

    coordinates: Sequence[float]
    score: Sequence[float]
    state: str
    violations: Sequence[float]


@dataclass(slots=True, eq=False)
class Searcher:
    """A study in memory to which screened trials are told first, then batch by batch what was asked.

    Batch *b* is asked from a sampler seeded with (seed, b), so that what is asked follows from the trials
    told before and from nothing else.
    """

    config: SweepConfig
    space: Space
    study: "optuna.Study" = field(init=False)
    _seeded: list["optuna.trial.FrozenTrial"] = field(init=False, default_factory=list)
    _asked: list["optuna.Trial"] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        search = self.config.sweep.search
        if search.sampler == "gp" and search.trials:
            _import_torch()
        choices = [axis.path for axis in self.space.axes if isinstance(axis.parameter, Choice)]
        if search.sampler == "cmaes" and choices:
            raise ConfigError(
                f"sweep.search.sampler=cmaes has no choices, and sweep.space.{choices[0]} is one; take "
                "tpe, or state a range"
            )
        self.study = optuna.create_study(
            directions=[one.direction for one in self.config.sweep.objectives]
        )

    def tell_screened(self, screened: Sequence[Told]) -> None:
        """Tell some of the screen, at most ``search.seeds``: half the best, half spread over the rest."""
        chosen = self._seeds(screened)
        self._add(chosen)
        self._seeded = [
            trial
            for trial, one in zip(self.study.trials, chosen, strict=True)
            if one.state == COMPLETE and np.isfinite(trial.values).all()
        ]

    def ask(self, batch: int, count: int) -> list[list[float]]:
        """The points of the next ``count`` trials, coordinates in the order of the axes."""
        self.study.sampler = self._sampler(batch)
        distributions = self.space.distributions()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=_experimental())
            # What is undefined is told as infinitely bad, which the Gaussian process takes for its worst.
            warnings.filterwarnings("ignore", message="Clip non-finite values")
            # Where it is sure of one point, it divides the chances of all others, 0, by their sum.
            warnings.filterwarnings("ignore", message="invalid value", module=r"optuna\._gp")
            self._asked = [self.study.ask(distributions) for _ in range(count)]
        return [self.space.coordinates(trial.params) for trial in self._asked]

    def tell(self, results: Sequence[Told]) -> None:
        """What became of the trials asked last, in the order of asking."""
        import optuna

        for trial, result in zip(self._asked, results, strict=True):
            if result.state == FAILED:
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                continue
            if not self._has_only_scores:
                for name, missed in self._constraints(result).items():
                    trial.set_constraint(name, missed)
            self.study.tell(trial, self._values(result))
        self._asked = []

    def tell_again(self, batch: int, results: Sequence[Told]) -> None:
        """Tell a batch of the ledger as if it had just been evaluated.

        Samplers that keep a state of their own are asked for it again. Raises DataError when other points
        are asked than the ledger holds.
        """
        if self.config.sweep.search.sampler in STATELESS:
            self._add(results)
            return
        asked = self.ask(batch, len(results))
        for number, (point, result) in enumerate(zip(asked, results, strict=True)):
            if list(point) != list(result.coordinates):
                raise DataError(
                    f"batch {batch}, trial {number} of it: the sampler asks for another point than the "
                    "ledger holds; the sweep was made by another version of Optuna or of Ninefold. "
                    "Install the versions in sweep.json, or begin another sweep under another name"
                )
        self.tell(results)

    def _add(self, results: Sequence[Told]) -> None:
        """Put trials into the study that it did not ask for."""
        import optuna

        distributions = self.space.distributions()
        for one in results:
            failed = one.state == FAILED
            self.study.add_trial(
                optuna.trial.create_trial(
                    state=optuna.trial.TrialState.FAIL
                    if failed
                    else optuna.trial.TrialState.COMPLETE,
                    values=None if failed else self._values(one),
                    params=self.space.sampled(one.coordinates),
                    distributions=distributions,
                    constraints=None if failed else self._constraints(one),
                )
            )

    def _seeds(self, screened: Sequence[Told]) -> list[Told]:
        most = self.config.sweep.search.seeds
        if not screened or not most:
            return []
        good = oriented(
            self.config.sweep.objectives, np.array([list(one.score) for one in screened])
        )
        # Objectives have units of their own: what is averaged is the place in each.
        rank = np.mean([average_ranks(column) for column in good.T], axis=0)
        order = sorted(
            range(len(screened)), key=lambda k: (screened[k].state != COMPLETE, -rank[k], k)
        )
        best, rest = order[: -(-most // 2)], order[-(-most // 2) :]
        spread = np.unique(np.linspace(0, len(rest) - 1, min(most // 2, len(rest))).astype(int))
        return [screened[k] for k in (*best, *(rest[at] for at in spread))]

    def _values(self, one: Told) -> list[float]:
        """The score as Optuna takes it: undefined is the worst there is."""
        worst = [
            -np.inf if o.direction == "maximize" else np.inf for o in self.config.sweep.objectives
        ]
        if self._has_only_scores and one.state != COMPLETE:
            return worst
        return [w if np.isnan(s) else float(s) for s, w in zip(one.score, worst, strict=True)]

    @property
    def _has_only_scores(self) -> bool:
        """Whether the sampler knows no constraints: what misses one is then told as the worst there is."""
        return bool(self.config.sweep.search.sampler == "cmaes")

    def _constraints(self, one: Told) -> dict[str, float]:
        if self._has_only_scores:
            return {}
        return {f"{CONSTRAINT}_{at}": float(missed) for at, missed in enumerate(one.violations)}

    def _sampler(self, batch: int) -> "optuna.samplers.BaseSampler":
        import optuna

        search = self.config.sweep.search
        seed = (
            int(np.random.SeedSequence([self.config.seed, batch]).generate_state(1)[0])
            % _SEED_BOUND
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", category=_experimental())
            match search.sampler:
                case "tpe":
                    return optuna.samplers.TPESampler(seed=seed)
                case "cmaes":
                    return optuna.samplers.CmaEsSampler(
                        seed=seed,
                        source_trials=self._seeded if len(self._seeded) >= FEWEST_SOURCES else None,
                        popsize=max(search.batch, FEWEST_SOLUTIONS),
                        n_startup_trials=0,
                        warn_independent_sampling=False,
                    )
                case "gp":
                    return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
                case "nsgaii":
                    return optuna.samplers.NSGAIISampler(
                        seed=seed, population_size=max(search.batch, 2)
                    )
                case _:
                    return optuna.samplers.RandomSampler(seed=seed)


def _import_torch() -> None:
    """Import torch on one thread; ConfigError where it is missing.

    The matrices of a Gaussian process are small: several threads wait for one another five times as long
    as one computes. Torch reads their number from the environment once, when it is imported.
    """
    if importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "sweep.search.sampler=gp needs torch, which is not installed; install the extra "
            "(pip install 'ninefold[gp]'), or take tpe"
        )
    stated = os.environ.get(_THREADS)
    os.environ.setdefault(_THREADS, "1")
    try:
        importlib.import_module("torch")
    finally:
        if stated is None:
            del os.environ[_THREADS]


def _experimental() -> type[Warning]:
    from optuna.exceptions import ExperimentalWarning

    warning: type[Warning] = ExperimentalWarning
    return warning
