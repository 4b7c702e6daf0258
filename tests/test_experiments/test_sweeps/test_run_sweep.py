"""Sweeps end to end: resumed as undisturbed, every trial kept, the best written out and run again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import experiments.sweeps.run as run_module
from datasets import Store
from engine import ConfigError, DataError
from experiments import config_of, run
from experiments.sweeps.best import config_yaml, sweep_config, top_trials, trial_config
from experiments.sweeps.config import SweepConfig
from experiments.sweeps.ranking import ranked_trials, why_nothing_is_feasible
from experiments.sweeps.run import SweepOutcome, run_sweep

from .conftest import SPACE, SweepOf

DATA = {"simulated": {"symbols": ["AAASIM", "BBBSIM"], "days": 40, "mode": "null"}}
RANGES = {path: one for path, one in SPACE.items() if one["kind"] != "choice"}


def after(batches: int) -> Callable[[], bool]:
    left = [batches]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return should_stop


def same(one: pa.Table, other: pa.Table) -> bool:
    """Equal to the last bit, NaN equal to itself."""
    return one.schema == other.schema and all(
        repr(one[name].to_pylist()) == repr(other[name].to_pylist()) for name in one.column_names
    )


def interrupted(config: SweepConfig, store: Store, runs: Path) -> SweepOutcome:
    """A sweep that stops after each batch once and after two once."""
    for batches in (1, 2, 1):
        outcome = run_sweep(config, store=store, runs=runs, should_stop=after(batches))
    assert not outcome.is_finished or outcome.ledger.count == config.sweep.planned_trials
    return run_sweep(config, store=store, runs=runs)


@pytest.mark.parametrize(
    ("sampler", "objectives", "neighbours"),
    [
        ("tpe", ("sharpe",), 0),
        ("tpe", ("sharpe",), 3),
        ("tpe", ("sharpe", "max_drawdown"), 0),
        ("cmaes", ("sortino",), 0),
        ("nsgaii", ("sharpe", "traded_notional"), 0),
        ("random", ("total_return",), 0),
    ],
)
def test_a_resumed_sweep_is_the_undisturbed_one(
    sweep_of: SweepOf,
    store: Store,
    tmp_path: Path,
    sampler: str,
    objectives: tuple[str, ...],
    neighbours: int,
) -> None:
    config = sweep_of(
        space=RANGES,
        objectives=[{"metric": name} for name in objectives],
        constraints=[{"metric": "trades", "at_least": 5}],
        search={
            "sampler": sampler,
            "trials": 24,
            "batch": 8,
            "seeds": 16,
            "neighbours": neighbours,
        },
    )
    whole = run_sweep(config, store=store, runs=tmp_path / "whole")
    resumed = interrupted(config, store, tmp_path / "resumed")
    assert whole.is_finished
    assert resumed.is_finished
    assert resumed.resumed_from > 0
    trials = whole.ledger.trials()
    assert len(trials) == config.sweep.planned_trials == 16 + 24 * (1 + neighbours)
    assert same(trials, resumed.ledger.trials())
    # A sampler that repeats itself within a batch has lost its place in the sequence of its seeds.
    points = {tuple(point) for point in trials["coordinates"].to_pylist()}
    assert len(points) >= (len(trials) if sampler != "nsgaii" else len(trials) - 4)


def test_a_finished_sweep_is_not_begun_again(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    config = sweep_of(search={"trials": 0})
    first = run_sweep(config, store=store, runs=tmp_path)
    again = run_sweep(config, store=store, runs=tmp_path)
    assert again.resumed_from == first.ledger.count == 16
    assert same(first.ledger.trials(), again.ledger.trials())


def test_the_best_written_out_gives_its_number_again(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    config = sweep_of(constraints=[{"metric": "trades", "at_least": 3}], holdout_from="2021-02-01")
    ledger = run_sweep(config, store=store, runs=tmp_path).ledger
    best = top_trials(ledger, 1).to_pylist()[0]
    assert best["trades"] >= 3
    import yaml

    text = config_yaml(trial_config(ledger, best["trial"]), "the best")
    again = run(config_of(yaml.safe_load(text)), store=store, runs=None)
    assert again.metrics["sharpe"] == best["sharpe"] == best["score"][0]
    assert again.panel.close_time[-1] <= np.datetime64("2021-02-01").astype(
        "datetime64[ns]"
    ).astype(int)
    feasible = [
        row["sharpe"]
        for row in ledger.trials().to_pylist()
        if row["state"] == "complete" and row["score"] != [None]
    ]
    assert best["sharpe"] == max(feasible)


def test_the_holdout_hides_its_days_from_every_trial(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    locked = run_sweep(
        sweep_of(holdout_from="2021-01-25", search={"trials": 0}), store=store, runs=tmp_path / "a"
    )
    ended = run_sweep(
        sweep_of(
            base={"data": {**DATA, "end": "2021-01-24"}},
            search={"trials": 0},
        ),
        store=store,
        runs=tmp_path / "b",
    )
    assert same(locked.ledger.trials(), ended.ledger.trials())


def test_a_cloud_is_judged_by_its_low_quantile(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    config = sweep_of(
        space=RANGES,
        search={"trials": 8, "batch": 8, "neighbours": 4, "quantile": 0.25, "radius": 0.1},
    )
    ledger = run_sweep(config, store=store, runs=tmp_path).ledger
    rows = ledger.trials().to_pylist()
    parents = [row for row in rows if row["stage"] == "search" and row["parent"] is None]
    assert len(parents) == 8
    for parent in parents:
        cloud = [parent, *(row for row in rows if row["parent"] == parent["trial"])]
        assert len(cloud) == 5
        sharpes = [row["sharpe"] for row in cloud]
        if np.isnan(sharpes).any():
            continue
        assert parent["score"][0] == pytest.approx(np.quantile(sharpes, 0.25), rel=1e-12)
    ranked = ranked_trials(config, ledger.trials())
    assert set(ranked["trial"].to_pylist()) <= {row["trial"] for row in parents}


def test_a_constraint_that_nobody_meets_is_named(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    config = sweep_of(
        constraints=[
            {"metric": "trades", "at_least": 1e6},
            {"metric": "max_drawdown", "at_most": 0.9},
        ],
        search={"trials": 8, "batch": 8},
    )
    ledger = run_sweep(config, store=store, runs=tmp_path).ledger
    assert set(ledger.trials()["state"].to_pylist()) == {"infeasible"}
    with pytest.raises(DataError, match="24 of 24 trials miss the constraint trades at least 1e"):
        top_trials(ledger, 3)
    assert "trades" in why_nothing_is_feasible(sweep_config(ledger), ledger.trials())


def test_the_front_of_two_objectives_dominates_the_rest(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    config = sweep_of(
        objectives=[{"metric": "sharpe"}, {"metric": "max_drawdown"}], search={"trials": 0}
    )
    trials = run_sweep(config, store=store, runs=tmp_path).ledger.trials()
    front = ranked_trials(config, trials).to_pylist()
    scored = [row for row in trials.to_pylist() if None not in row["score"]]
    on_front = {row["trial"] for row in front}
    assert front
    for row in scored:
        beaten = any(
            other["sharpe"] >= row["sharpe"]
            and other["max_drawdown"] <= row["max_drawdown"]
            and (other["sharpe"], other["max_drawdown"]) != (row["sharpe"], row["max_drawdown"])
            for other in scored
        )
        assert beaten == (row["trial"] not in on_front)


def test_values_of_the_ledger_are_those_of_the_trial(
    sweep_of: SweepOf, store: Store, tmp_path: Path
) -> None:
    ledger = run_sweep(sweep_of(search={"trials": 0}), store=store, runs=tmp_path).ledger
    for row in ledger.trials().to_pylist():
        values: dict[str, Any] = json.loads(row["values"])
        config = trial_config(ledger, row["trial"])
        assert config.exits.stop_atr == values["exits.stop_atr"]
        assert config.consensus.quorum == values["consensus.quorum"]


def test_cma_es_refuses_choices(sweep_of: SweepOf, store: Store, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"consensus\.hold_bars is one"):
        run_sweep(sweep_of(search={"sampler": "cmaes"}), store=store, runs=tmp_path)


def test_a_holdout_after_the_data_is_told(sweep_of: SweepOf, store: Store, tmp_path: Path) -> None:
    few = {"screen": {"trials": 2, "batch": 2}, "search": {"trials": 0}}
    for first, told in (("2021-02-05", False), ("2021-02-11", True)):
        said: list[str] = []
        config = sweep_of(**few, family=f"from-{first}", holdout_from=first)
        run_sweep(config, store=store, runs=tmp_path, say=said.append)
        assert any("locks only days that are still to come" in text for text in said) is told


def test_a_family_keeps_its_holdout_locked(sweep_of: SweepOf, store: Store, tmp_path: Path) -> None:
    locked = sweep_of(holdout_from="2021-01-25", search={"trials": 0})
    run_sweep(locked, store=store, runs=tmp_path)
    for later in ("2021-01-26", None):
        with pytest.raises(ConfigError, match="has a holdout from 2021-01-25 on"):
            run_sweep(
                sweep_of(holdout_from=later, search={"trials": 0}), store=store, runs=tmp_path
            )
    earlier = sweep_of(holdout_from="2021-01-24", search={"trials": 0})
    with pytest.raises(ConfigError, match="has searched that day already"):
        run_sweep(earlier, store=store, runs=tmp_path)
    again = sweep_of(holdout_from="2021-01-25", search={"trials": 8})
    assert run_sweep(again, store=store, runs=tmp_path).is_finished
    other = sweep_of(family="another", search={"trials": 0})
    assert run_sweep(other, store=store, runs=tmp_path).is_finished
    late = sweep_of(family="another", holdout_from="2021-01-25", search={"trials": 0})
    with pytest.raises(ConfigError, match="has searched that day already"):
        run_sweep(late, store=store, runs=tmp_path)


def test_another_version_or_another_arithmetic_does_not_go_on(
    sweep_of: SweepOf, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = sweep_of()
    run_sweep(config, store=store, runs=tmp_path, should_stop=after(2))
    real = run_module.versions()
    monkeypatch.setattr(run_module, "versions", lambda: {**real, "optuna": "4.0.0"})
    with pytest.raises(DataError, match=r"was made with optuna .* \(now 4\.0\.0\)"):
        run_sweep(config, store=store, runs=tmp_path)
    monkeypatch.undo()
    evaluated = run_module.evaluated_by

    def off_by_a_bit(executor: Any, values: Any) -> Any:
        found = evaluated(executor, values)
        found.metrics["fees"][:] = np.nextafter(found.metrics["fees"], np.inf)
        return found

    monkeypatch.setattr(run_module, "evaluated_by", off_by_a_bit)
    with pytest.raises(DataError, match="trial 15 has fees="):
        run_sweep(config, store=store, runs=tmp_path)
    monkeypatch.undo()
    assert run_sweep(config, store=store, runs=tmp_path).is_finished
