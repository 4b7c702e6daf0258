"""``validate``: all tests of a sweep or a run in one call, and the verdict."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from datasets import Store
from engine import ConfigError, DataError, Float2D

from ..config import RunConfig
from ..config_file import config_of
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
from ..sweeps.config import SweepConfig
from ..sweeps.evaluate import Evaluator
from ..sweeps.families import FamilyCount, family_trials
from ..sweeps.holdout import openings
from ..sweeps.ledger import Ledger
from ..sweeps.space import Space, space_of
from .chosen import Brittleness, Chosen, brittleness_of, chosen_of
from .holdout import Holdout, open_holdout
from .selection import Selection, selection_of
from .shifts import ShiftTest, shift_test
from .trials import daily_returns, day_edges, screened_values, section_of_a_run
from .verdict import Findings, Verdict, verdict_of

SHIFTS: Final = 200
TRIALS: Final = 256
SNOOPING_DRAWS: Final = 500
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snooping:
    """Tests of the best of the random stage's returns by day, and how many trials stand up one by one."""

    spa: SnoopingTest
    reality_check: SnoopingTest
    stepwise_superior: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """Everything that was found about a sweep, or about a single run (then the rest is None)."""

    subject: str
    family: FamilyCount | None
    chosen_trial: int | None
    result: RunResult
    shifts: ShiftTest
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
    shifts: int = SHIFTS,
    trials: int = TRIALS,
    seed: int = 7,
    threads: int = 1,
    opens_holdout: bool = False,
    say: Say = lambda _text: None,
) -> Validation:
    """Put the best of a sweep, and the search that found it, to every test.

    ``trials`` of the random stage are evaluated anew for each; ``opens_holdout`` looks at the days that
    no trial saw, after everything else, and leaves a record. Raises DataError when no trial can be
    chosen, the store's data are not those of the sweep, or the best does not give its number again.
    """
    config, runs = sweep_config(ledger), ledger.runs
    best = top_trials(ledger, 1).to_pylist()[0]
    space = space_of(config)
    say("loading data")
    data = load_market_data(space.base, store)
    _check_same_data(ledger, data.fingerprint)
    count = family_trials(runs, config.family)
    say(f"running trial {best['trial']} again")
    result = run(_config_of_trial(space, best), store=store, runs=None)
    _check_same_number(ledger, best, result)
    evaluator = Evaluator(space, data, threads=threads)
    values = screened_values(config, space, trials)
    say(f"{len(values)} trials of the random stage by day and on blocks")
    whole = evaluator(values)
    daily = daily_returns(evaluator, values, whole)
    selection = selection_of(evaluator, values, whole, daily, seed=seed)
    snooping = _snooping(daily, seed)
    chosen = _chosen(result, daily, trials=count.trials, sweeps=count.sweeps, seed=seed)
    brittleness = brittleness_of(config.sweep, space, evaluator, best["coordinates"])
    say(f"{shifts} shifts of the votes, the search made anew on each")
    test = shift_test(config.sweep, evaluator, values, whole, shifts=shifts, seed=seed)
    holdout = None
    if opens_holdout:
        values_of_best = json.loads(best["values"])
        holdout = open_holdout(
            config, space, values_of_best, sweep_id=ledger.sweep_id, trial=best["trial"],
            runs=runs, store=store,
        )  # fmt: skip
    told = _holdout_text(config, runs, holdout)
    findings = _findings(test, chosen, selection, count, result, told)
    planned = config.sweep.planned_trials
    if ledger.count < planned:
        text = f"The sweep is not finished: {ledger.count:,} of {planned:,} trials were run."
        findings = replace(findings, unfinished=text)
    return Validation(
        subject=ledger.sweep_id,
        family=count,
        chosen_trial=best["trial"],
        result=result,
        shifts=test,
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
    shifts: int = SHIFTS,
    seed: int = 7,
    threads: int = 1,
    say: Say = lambda _text: None,
) -> Validation:
    """Put a single run to the tests that need no search; its name's family says how many trials it took."""
    config = config_of(record.content["config"])
    if config.targets is not None:
        raise DataError(
            f"{record.run_id}: trades targets of its own; only votes can be shifted against prices"
        )
    if config.origin is not None:
        sweep = config.origin.sweep
        raise ConfigError(
            f"{record.run_id}: is trial {config.origin.trial} of the sweep {sweep}, chosen from many; "
            f"`ninefold validate {sweep}` knows how many"
        )
    result = run(config, store=store, runs=None)
    if result.data.fingerprint != record.content["data_fingerprint"]:
        raise DataError(
            f"{record.run_id}: the store's data differ from those of the run; put them back, or run again"
        )
    section = section_of_a_run()
    evaluator = Evaluator(Space(config, ()), result.data, threads=threads)
    count = family_trials(runs, config.name)
    chosen = _chosen(result, None, trials=max(1, count.trials), sweeps=1, seed=seed)
    say(f"{shifts} shifts of the votes")
    test = shift_test(section, evaluator, [{}], evaluator([{}]), shifts=shifts, seed=seed)
    findings = _findings(
        test, chosen, None, count, result, "A single run has no holdout of its own."
    )
    return Validation(
        subject=record.run_id,
        family=None,
        chosen_trial=None,
        result=result,
        shifts=test,
        chosen=chosen,
        selection=None,
        snooping=None,
        brittleness=None,
        holdout=None,
        findings=findings,
        verdict=verdict_of(findings),
    )


def _config_of_trial(space: Space, row: Mapping[str, Any]) -> RunConfig:
    return space.config(json.loads(row["values"]))


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
    result: RunResult, daily: Float2D | None, *, trials: int, sweeps: int, seed: int
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
        seed=seed,
    )


def _snooping(daily: Float2D, seed: int) -> Snooping | None:
    if not (daily != 0).any():
        return None
    seeds = np.random.SeedSequence([seed, 5]).spawn(3)
    stepwise = stepwise_superiority(daily, seed=seeds[2], draws=SNOOPING_DRAWS)
    return Snooping(
        spa=superior_predictive_ability(daily, seed=seeds[0], draws=SNOOPING_DRAWS),
        reality_check=reality_check(daily, seed=seeds[1], draws=SNOOPING_DRAWS),
        stepwise_superior=int(stepwise.superior().sum()),
    )


def _holdout_text(config: SweepConfig, runs: Path, seen: Holdout | None) -> str:
    first = config.sweep.holdout_from
    if first is None:
        return "There is no holdout: everything known has been looked at."
    opened = len(openings(runs, config.family))
    if opened == 0:
        return f"The holdout from {first} on has not been opened."
    times = "once" if opened == 1 else f"{opened} times"
    text = f"The holdout from {first} on has been opened {times}: it is not unseen any more."
    if seen is None:
        return text
    sharpe = seen.metrics["sharpe"]
    earned = "no Sharpe ratio" if np.isnan(sharpe) else f"a Sharpe ratio of {sharpe:.2f}"
    return (
        f"{text} On its {seen.bars:,} bars the chosen trial returned {seen.metrics['total_return']:.2%}, "
        f"{earned}, in {seen.metrics['trades']:.0f} trades."
    )


def _findings(
    test: ShiftTest,
    chosen: Chosen,
    selection: Selection | None,
    family: FamilyCount,
    result: RunResult,
    holdout: str,
) -> Findings:
    annual = (
        chosen.sharpe_annual / chosen.record.sharpe_per_bar if chosen.record.sharpe_per_bar else 1.0
    )
    random = chosen.random_entries
    bars_a_day = len(result.panel) / chosen.record.bars
    deflation = chosen.deflation
    return Findings(
        primary_p=test.p_value,
        shifts=len(test.null),
        sweeps=max(1, family.sweeps),
        trials=max(1, family.trials),
        effective_trials=None if deflation is None else deflation.effective_trials,
        sharpe_annual=chosen.sharpe_annual,
        interval=(chosen.interval.low * annual, chosen.interval.high * annual),
        dsr=None if deflation is None else deflation.effective_dsr_2014,
        dsr_raw=None if deflation is None else deflation.raw_dsr_2014,
        pbo=None if selection is None else selection.overfitting.pbo,
        pbo_null_low=None if selection is None else selection.null.low,
        days=chosen.record.bars,
        minimum_days=chosen.minimum_days_2012,
        random_p=None if random is None else random.p_sharpe,
        random_median=None
        if random is None
        else float(np.median(random.null_sharpes_per_bar)) * annual * bars_a_day**0.5,
        is_simulated=result.config.simulation is not None,
        holdout=holdout,
    )
