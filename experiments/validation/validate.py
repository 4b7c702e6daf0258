"""``validate``: all tests of a sweep or a run in one call, and the verdict."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from datasets import Store
from engine import ConfigError, DataError, Float2D

from ..config_file import config_of
from ..config_validation import ValidationConfig, with_overrides
from ..market_data import load_market_data
from ..pipeline import RunResult, run
from ..record import RunRecord
from ..statistics.snooping import (
    SnoopingTest,
    reality_check,
    stepwise_superiority,
    superior_predictive_ability,
)
from ..sweeps.best import sweep_config, top_trials
from ..sweeps.config import SweepSection
from ..sweeps.evaluate import Evaluated, Evaluator
from ..sweeps.families import FamilyCount, family_trials
from ..sweeps.ledger import Ledger
from ..sweeps.objectives import oriented
from ..sweeps.space import Space, space_of
from .chosen import Brittleness, Chosen, brittleness_of, chosen_of
from .findings import findings_of, holdout_text
from .holdout import Holdout, open_holdout
from .leading import LEADING_TRIALS, Leader, leaders_of
from .permutations import PermutedBars, batches_done, permutation_test_of, searched_again, single
from .selection import Selection, selection_of
from .shifts import ShiftTest, shift_test
from .trials import (
    Values,
    daily_returns,
    day_edges,
    screened_points,
    section_of_a_run,
    values_of_points,
)
from .verdict import Findings, Verdict, verdict_of

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snooping:
    """Tests of the best of the random stage's returns by day, and how many trials stand up one by one."""

    spa: SnoopingTest
    reality_check: SnoopingTest
    stepwise_superior: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """Everything that was found about a sweep, or about a single run (then the rest is None).

    ``settings`` are what the tests were made with, ``overrides`` those that were changed after the search;
    ``ledger_trials`` were in the ledger then. ``points`` ``(K, axes)`` are those of the random stage, None
    for a run. ``objective`` is the metric that trials were chosen by.
    """

    subject: str
    settings: ValidationConfig
    overrides: tuple[str, ...]
    family: FamilyCount | None
    ledger_trials: int | None
    chosen_trial: int | None
    objective: str
    space: Space | None
    points: Float2D | None
    leaders: tuple[Leader, ...]
    result: RunResult
    shifts: ShiftTest
    permuted: PermutedBars | None
    chosen: Chosen
    selection: Selection | None
    snooping: Snooping | None
    brittleness: Brittleness | None
    holdout: Holdout | None
    findings: Findings
    verdict: Verdict


def validate_sweep(
    ledger: Ledger,
    *,
    store: Store,
    overrides: Sequence[str] = (),
    threads: int = 1,
    opens_holdout: bool = False,
    say: Say = lambda _text: None,
) -> Validation:
    """Put the best of a sweep, and the search that found it, to every test.

    They are those of the section ``validation`` of the sweep's configuration, changed by ``overrides``
    (``validation.KEY=VALUE``). ``opens_holdout`` looks at the days that no trial saw, after everything
    else, and leaves a record. Raises ConfigError for an override that does not fit, DataError when no trial
    can be chosen, the store's data are not those of the sweep, or the best does not give its number again.
    """
    config, runs = sweep_config(ledger), ledger.runs
    settings = with_overrides(config.validation, overrides)
    leading = [
        {**row, "values": json.loads(row["values"])}
        for row in top_trials(ledger, LEADING_TRIALS).to_pylist()
    ]
    best, held = leading[0], ledger.count
    space = space_of(config)
    say("loading data")
    data = load_market_data(space.base, store)
    _check_same_data(ledger, data.fingerprint)
    settings.check_bars(len(data.panel))
    count = family_trials(runs, config.family)
    say(f"running trial {best['trial']} again")
    result = run(space.config(best["values"]), store=store, runs=None)
    _check_same_number(ledger, best, result)
    evaluator = Evaluator(space, data, threads=threads)
    points = screened_points(config, space, settings.trials)
    values = values_of_points(space, points)
    say(f"{len(values)} trials of the random stage by day and on blocks")
    whole = evaluator(values)
    daily = daily_returns(evaluator, values, whole)
    selection = selection_of(evaluator, values, whole, daily, validation=settings)
    snooping = _snooping(daily, settings)
    chosen = _chosen(result, daily, settings, trials=count.trials, sweeps=count.sweeps)
    brittleness = brittleness_of(config.sweep, space, evaluator, best["coordinates"])
    leaders = leaders_of(leading, evaluator, settings)
    say(f"{settings.shifts} shifts of the votes, the random stage made anew on each")
    test = _shifted(config.sweep, evaluator, values, whole, settings)
    plan = batches_done(config, ledger)
    permuted = permutation_test_of(
        partial(searched_again, config, space, plan),
        evaluator,
        float(oriented(config.sweep.objectives, np.array([best["score"]]))[0, 0]),
        settings,
        say,
    )
    holdout = None
    if opens_holdout:
        holdout = open_holdout(
            config, space, best["values"], sweep_id=ledger.sweep_id, trial=best["trial"],
            runs=runs, store=store,
        )  # fmt: skip
    told = holdout_text(config, runs, holdout)
    findings = findings_of(test, permuted, chosen, selection, count, result, told)
    planned = config.sweep.planned_trials
    if held < planned:
        text = f"The sweep is not finished: {held:,} of {planned:,} trials were run."
        findings = replace(findings, unfinished=text)
    return Validation(
        subject=ledger.sweep_id,
        settings=settings,
        overrides=tuple(overrides),
        family=count,
        ledger_trials=held,
        chosen_trial=best["trial"],
        objective=config.sweep.objectives[0].metric,
        space=space,
        points=points,
        leaders=leaders,
        result=result,
        shifts=test,
        permuted=permuted,
        chosen=chosen,
        selection=selection,
        snooping=snooping,
        brittleness=brittleness,
        holdout=holdout,
        findings=findings,
        verdict=verdict_of(findings),
    )


def validate_run(
    record: RunRecord,
    *,
    runs: Path,
    store: Store,
    overrides: Sequence[str] = (),
    threads: int = 1,
    say: Say = lambda _text: None,
) -> Validation:
    """Put a single run to the tests that need no search; its name's family says how many trials it took.

    ``overrides`` as in ``validate_sweep``, of the defaults: a run's configuration states no validation.
    """
    settings = with_overrides(ValidationConfig(), overrides)
    config = config_of(record.content["config"])
    if config.targets is not None:
        raise DataError(
            f"{record.run_id}: trades targets of its own; only votes can be shifted against prices"
        )
    if config.origin is not None:
        sweep = config.origin.sweep
        raise ConfigError(
            f"{record.run_id}: comes from trial {config.origin.trial} of the sweep {sweep}, chosen from "
            f"many; `ninefold validate {sweep}` knows how many"
        )
    result = run(config, store=store, runs=None)
    if result.data.fingerprint != record.content["data_fingerprint"]:
        raise DataError(
            f"{record.run_id}: the store's data differ from those of the run; put them back, or run again"
        )
    section, values = section_of_a_run(), dict[str, Any]()
    evaluator = Evaluator(Space(config, ()), result.data, threads=threads)
    count = family_trials(runs, config.name)
    chosen = _chosen(result, None, settings, trials=max(1, count.trials), sweeps=1)
    say(f"{settings.shifts} shifts of the votes")
    test = _shifted(section, evaluator, [values], evaluator([values]), settings)
    permuted = permutation_test_of(
        partial(single, section, values), evaluator, test.best, settings, say
    )
    findings = findings_of(
        test, permuted, chosen, None, count, result, "A single run has no holdout of its own."
    )
    return Validation(
        subject=record.run_id,
        settings=settings,
        overrides=tuple(overrides),
        family=None,
        ledger_trials=None,
        chosen_trial=None,
        objective=section.objectives[0].metric,
        space=None,
        points=None,
        leaders=(),
        result=result,
        shifts=test,
        permuted=permuted,
        chosen=chosen,
        selection=None,
        snooping=None,
        brittleness=None,
        holdout=None,
        findings=findings,
        verdict=verdict_of(findings),
    )


def _check_same_data(ledger: Ledger, fingerprint: str) -> None:
    if fingerprint != ledger.sweep["data_fingerprint"]:
        raise DataError(
            f"{ledger.sweep_id}: the store's data differ from those that were searched; put them back, or "
            "sweep again"
        )


def _check_same_number(ledger: Ledger, row: Mapping[str, Any], result: RunResult) -> None:
    for name in ("final_equity", "sharpe", "trades"):
        found = float(result.replay.equity[-1]) if name == "final_equity" else result.metrics[name]
        if not (found == row[name] or (np.isnan(found) and np.isnan(row[name]))):
            raise DataError(
                f"{ledger.sweep_id}: trial {row['trial']} has {name}={row[name]!r} in the ledger and gives "
                f"{found!r} now; the code is not that of the sweep, see sweep.json"
            )


def _chosen(
    result: RunResult,
    daily: Float2D | None,
    settings: ValidationConfig,
    *,
    trials: int,
    sweeps: int,
) -> Chosen:
    starts = day_edges(result.panel)[:-1].tolist()
    return chosen_of(
        result.replay,
        result.panel,
        result.config.initial_cash,
        starts,
        daily,
        trials=trials,
        sweeps=sweeps,
        is_inverse=result.config.rules().margin.contract == "inverse",
        validation=settings,
    )


def _shifted(
    section: SweepSection,
    evaluator: Evaluator,
    values: Sequence[Values],
    whole: Evaluated,
    settings: ValidationConfig,
) -> ShiftTest:
    return shift_test(
        section,
        evaluator,
        values,
        whole,
        shifts=settings.shifts,
        least_days=settings.least_shift_days,
        seed=settings.seed,
    )


def _snooping(daily: Float2D, settings: ValidationConfig) -> Snooping | None:
    if not (daily != 0).any():
        return None
    draws = settings.snooping_draws
    seeds = np.random.SeedSequence([settings.seed, 5]).spawn(3)
    stepwise = stepwise_superiority(daily, seed=seeds[2], draws=draws)
    return Snooping(
        spa=superior_predictive_ability(daily, seed=seeds[0], draws=draws),
        reality_check=reality_check(daily, seed=seeds[1], draws=draws),
        stepwise_superior=int(stepwise.superior().sum()),
    )
