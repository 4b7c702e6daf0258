"""Running a sweep: screen, search, and a ledger that holds every batch before the next begins."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from datasets import Store, time_text
from engine import DataError

from ..config_file import config_hash, resolved
from ..config_section import midnight_ns
from ..market_data import load_market_data
from ..provenance import versions
from .batches import SCREEN, SEARCH, Batch, judged_batch, plan_of
from .checked_files import checked_files
from .config import SweepConfig
from .executors import THIS_PROCESS, Executor, Workers, evaluated_by, executor_of
from .holdout import check_holdout
from .identity import SweepIdentity
from .ledger import Ledger
from .objectives import best_trials, violations_of
from .parts import COMPLETE, values_json
from .ranking import ranked_trials
from .search import Searcher, Told
from .space import Space, sobol_points, space_of
from .trial_metrics import DIRECTIONS

DECIDING: Final = ("optuna", "cmaes", "scipy", "numpy")
"""Distributions that decide which points are asked; torch does where the sampler is ``gp``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepProgress:
    """Where a sweep stands after a batch: trials done of all, those of this call, its seconds, the best."""

    stage: str
    done: int
    planned: int
    evaluated: int
    seconds: float
    best: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SweepOutcome:
    """What a call of ``run_sweep`` leaves.

    ``resumed_from`` counts the trials that were there before, ``retries`` the chunks of trials that were
    evaluated anew because their worker was lost.
    """

    ledger: Ledger
    resumed_from: int
    is_finished: bool
    retries: int


Watch = Callable[[SweepProgress], None]


def run_sweep(
    config: SweepConfig,
    *,
    store: Store | Path | str = "data",
    runs: Path | str = "runs",
    overrides: tuple[str, ...] = (),
    workers: Workers = THIS_PROCESS,
    watch: Watch = lambda _progress: None,
    should_stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda _text: None,
) -> SweepOutcome:
    """Run the sweep of ``config``, or go on with it where its ledger ends; docs/tuning.md is the norm.

    ``workers`` evaluate the trials, ``watch`` hears of every batch, ``should_stop`` is asked after each.
    Raises ConfigError for a space that does not fit or workers that cannot begin, DataError when the store
    lacks data or the ledger is locked, broken or of another sweep.
    """
    space = space_of(config)
    checked_files(space)
    searcher = Searcher(config, space)
    say("loading data")
    held = store if isinstance(store, Store) else Store(store)
    data = load_market_data(space.base, held)
    check_holdout(config, Path(runs), int(data.panel.open_time[-1]))
    locked = config.sweep.holdout_from
    if locked is not None and int(data.panel.close_time[-1]) < midnight_ns(locked):
        say(
            f"the data end at {time_text(int(data.panel.close_time[-1]))}: sweep.holdout_from={locked} "
            "locks only days that are still to come"
        )
    identity = SweepIdentity(
        family=config.family,
        name=config.name,
        config=resolved(config),
        config_hash=config_hash(config),
        data_fingerprint=data.fingerprint,
        overrides=overrides,
    )
    ledger = Ledger.create(
        Path(runs),
        identity,
        datetime.now(UTC),
        metrics=tuple(DIRECTIONS),
        objectives={one.metric: one.direction for one in config.sweep.objectives},
    )
    executor = executor_of(workers, config, space, data, held.root)
    with ledger.writing(), closing(executor):
        return _Writer(config, space, searcher, ledger, executor).run(watch, should_stop)


@dataclass(slots=True, eq=False)
class _Writer:
    """The state of a running sweep."""

    config: SweepConfig
    space: Space
    searcher: Searcher
    ledger: Ledger
    executor: Executor

    def run(self, watch: Watch, should_stop: Callable[[], bool]) -> SweepOutcome:
        plan = plan_of(self.config)
        told = _told_batches(self.config, self.ledger)
        resumed_from, finished = self.ledger.count, len(told)
        if 0 < finished < len(plan):
            self._check_goes_on()
        if finished > len(plan):
            raise DataError(
                f"{self.ledger.folder}: holds {finished} batches, the plan of its configuration has "
                f"{len(plan)}; the ledger is damaged"
            )
        points = sobol_points(len(self.space), self.config.sweep.screen.trials, self.config.seed)
        started, best = time.perf_counter(), self._best_so_far()
        screened = [one for batch in told[: _screens(plan)] for one in batch]
        has_told_screen = False
        for batch in plan:
            if batch.stage == SEARCH and not has_told_screen:
                self.searcher.tell_screened(screened)
                has_told_screen = True
            if batch.number < finished:
                if batch.stage == SEARCH:
                    self.searcher.tell_again(batch.number, told[batch.number])
                continue
            if should_stop():
                return self._outcome(resumed_from, is_finished=False)
            if batch.stage == SCREEN:
                asked = points[batch.first : batch.first + batch.count].tolist()
            else:
                asked = self.searcher.ask(batch.number, batch.count)
            results, table = self._evaluated(batch, asked)
            self.ledger.append(table)
            if batch.stage == SEARCH:
                self.searcher.tell(results)
            else:
                screened += results
            best = self._better(best, results)
            watch(
                SweepProgress(
                    stage=batch.stage,
                    done=self.ledger.count,
                    planned=self.config.sweep.planned_trials,
                    evaluated=self.ledger.count - resumed_from,
                    seconds=time.perf_counter() - started,
                    best=best,
                )
            )
        return self._outcome(resumed_from, is_finished=True)

    def _outcome(self, resumed_from: int, *, is_finished: bool) -> SweepOutcome:
        return SweepOutcome(
            ledger=self.ledger,
            resumed_from=resumed_from,
            is_finished=is_finished,
            retries=self.executor.retries,
        )

    def _evaluated(
        self, batch: Batch, asked: Sequence[Sequence[float]]
    ) -> tuple[list[Told], pa.Table]:
        """What became of the points asked, and the rows of the ledger with their neighbours."""
        first = self.ledger.count
        judged = judged_batch(
            self.config,
            self.space,
            batch,
            asked,
            partial(evaluated_by, self.executor),
            first_trial=first,
        )
        count, scores = len(judged.points), judged.scores.tolist()
        table = pa.Table.from_pydict(
            {
                "trial": np.arange(first, first + count),
                "batch": np.full(count, batch.number),
                "stage": [batch.stage] * count,
                "parent": pa.array(judged.parents, pa.int64()),
                "state": judged.states,
                "error": list(judged.errors),
                "values": [values_json(one) for one in judged.values],
                "coordinates": judged.points,
                "score": [[None if np.isnan(x) else x for x in row] for row in scores],
                **judged.metrics,
                "sums": judged.sums[:, -1].tolist(),
            },
            schema=self.ledger.schema,
        )
        return judged.told, table

    def _check_goes_on(self) -> None:
        """Refuse to go on with other samplers or another arithmetic than the ledger was made with."""
        now, then = versions(), self.ledger.sweep["versions"]
        deciding = DECIDING + (("torch",) if self.config.sweep.search.sampler == "gp" else ())
        changed = [name for name in deciding if now.get(name) != then.get(name)]
        if changed:
            stated = ", ".join(f"{name} {then.get(name)} (now {now.get(name)})" for name in changed)
            raise DataError(
                f"{self.ledger.folder}: was made with {stated}: what is asked next would not be what it "
                "would have asked; install those versions, or begin another sweep under another name"
            )
        trials = self.ledger.trials()
        last = trials.slice(len(trials) - 1).to_pylist()[0]
        found = evaluated_by(self.executor, [json.loads(last["values"])])
        for name, column in found.metrics.items():
            if not (column[0] == last[name] or (np.isnan(column[0]) and np.isnan(last[name]))):
                raise DataError(
                    f"{self.ledger.folder}: trial {last['trial']} has {name}={last[name]!r} and gives "
                    f"{float(column[0])!r} now: the code is not that of the sweep (sweep.json); go back to "
                    "it, or begin another sweep under another name"
                )

    def _best_so_far(self) -> tuple[float, ...] | None:
        ranked = ranked_trials(self.config, self.ledger.trials())
        return tuple(ranked["score"][0].as_py()) if len(ranked) else None

    def _better(
        self, best: tuple[float, ...] | None, results: Sequence[Told]
    ) -> tuple[float, ...] | None:
        objectives = self.config.sweep.objectives
        rows = [list(one.score) for one in results]
        states = [one.state for one in results]
        if best is not None:
            rows, states = [list(best), *rows], [COMPLETE, *states]
        ranked = best_trials(objectives, np.array(rows, dtype=np.float64), states)
        return tuple(rows[ranked[0]]) if ranked else None


def _screens(plan: Sequence[Batch]) -> int:
    return sum(batch.stage == SCREEN for batch in plan)


def _told_batches(config: SweepConfig, ledger: Ledger) -> list[list[Told]]:
    """The trials of the ledger by batch, without neighbours, as they were told."""
    trials = ledger.trials()
    if not len(trials):
        return []
    metrics = {name: trials[name].to_numpy() for name in DIRECTIONS}
    violations = violations_of(config.sweep.constraints, metrics)
    batches: list[list[Told]] = []
    for row, told in enumerate(_rows(trials)):
        if told["parent"] is not None:
            continue
        while len(batches) <= told["batch"]:
            batches.append([])
        batches[told["batch"]].append(
            Told(
                coordinates=told["coordinates"],
                score=[np.nan if x is None else x for x in told["score"]],
                state=told["state"],
                violations=violations[row].tolist(),
            )
        )
    return batches


def _rows(trials: pa.Table) -> Iterator[Mapping[str, Any]]:
    columns = ("batch", "parent", "coordinates", "score", "state")
    for row in zip(*(trials[name].to_pylist() for name in columns), strict=True):
        yield dict(zip(columns, row, strict=True))
