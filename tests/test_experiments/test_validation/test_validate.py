"""Validation end to end on a small sweep, and its parts against slower ways to the same numbers."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import Store, time_text
from engine import ConfigError, DataError
from engine.metrics import bar_returns
from experiments import run
from experiments.cli import main
from experiments.config_file import resolved
from experiments.market_data import load_market_data
from experiments.record import load_run
from experiments.splits.ranges import BarRange, block_edges
from experiments.sweeps.best import sweep_config, top_trials, trial_config
from experiments.sweeps.config import Constraint, sweep_config_of
from experiments.sweeps.evaluate import Evaluator, View
from experiments.sweeps.holdout import openings, record_opening
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.run import run_sweep
from experiments.sweeps.space import Space, space_of
from experiments.validation.content import validation_json
from experiments.validation.keeping import readable_validations
from experiments.validation.selection import Accounts
from experiments.validation.shifts import shift_test
from experiments.validation.trials import (
    daily_returns,
    good_of,
    screened_points,
    values_of_points,
)
from experiments.validation.validate import Validation, validate_run, validate_sweep

SHIFTS = 19


def few(shifts: int = 1, permutations: int = 0) -> list[str]:
    """Overrides for a validation that takes seconds."""
    return [
        f"validation.shifts={shifts}",
        "validation.trials=32",
        f"validation.permutations={permutations}",
    ]


@pytest.fixture(scope="module")
def evaluator(swept: tuple[Ledger, Path], store: Store) -> Evaluator:
    space = space_of(sweep_config(swept[0]))
    return Evaluator(space, load_market_data(space.base, store))


@pytest.fixture(scope="module")
def found(swept: tuple[Ledger, Path], store: Store) -> Validation:
    ledger, _ = swept
    return validate_sweep(ledger, store=store, overrides=few(SHIFTS))


def values_of(swept: tuple[Ledger, Path], evaluator: Evaluator) -> list[Any]:
    space = evaluator.space
    return values_of_points(space, screened_points(sweep_config(swept[0]), space, 32))


def test_the_random_stage_is_that_of_the_ledger(
    swept: tuple[Ledger, Path], evaluator: Evaluator
) -> None:
    rows = swept[0].trials().to_pylist()[:32]
    assert [json.loads(row["values"]) for row in rows] == values_of(swept, evaluator)


def test_daily_returns_are_those_of_the_runs(
    swept: tuple[Ledger, Path], evaluator: Evaluator, store: Store
) -> None:
    values = values_of(swept, evaluator)[:6]
    daily = daily_returns(evaluator, values, evaluator(values))
    for k, one in enumerate(values):
        alone = run(evaluator.space.config(one), store=store, runs=None)
        returns = bar_returns(alone.replay.equity, alone.config.initial_cash)
        days = alone.panel.open_time // 86_400_000_000_000
        by_day = [returns[days == day].sum() for day in np.unique(days)]
        np.testing.assert_allclose(daily[:, k], by_day, rtol=0, atol=1e-13)


def test_blocks_are_accounts_of_their_own(swept: tuple[Ledger, Path], evaluator: Evaluator) -> None:
    values = values_of(swept, evaluator)
    edges = block_edges(len(evaluator.data.panel), 4, equal=True)
    sums = Accounts(evaluator, values, evaluator(values)).of_blocks(edges)
    third = evaluator(values, View(BarRange(int(edges[2]), int(edges[3]))))
    assert np.array_equal(sums[:, 2], third.sums[:, -1])
    assert sums.shape == (32, 4, 5)


def test_the_primary_test_by_hand(swept: tuple[Ledger, Path], evaluator: Evaluator) -> None:
    section = sweep_config(swept[0]).sweep
    values = values_of(swept, evaluator)
    test = shift_test(
        section, evaluator, values, evaluator(values), shifts=5, least_days=10, seed=3
    )
    bars = len(evaluator.data.panel)
    drawn = np.random.default_rng(np.random.SeedSequence([3, 1])).integers(240, bars - 239, size=5)
    bests = []
    for shift in drawn.tolist():
        view = View(BarRange(0, bars), shift_bars=shift)
        bests.append(max(good_of(section, evaluator([one], view))[0] for one in values))
    assert test.null.tolist() == bests
    assert test.best == max(good_of(section, evaluator([one]))[0] for one in values)
    assert test.p_value == (1 + sum(one >= test.best for one in bests)) / 6


def test_a_failure_under_a_shift_is_no_bad_result(
    swept: tuple[Ledger, Path], evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, values = sweep_config(swept[0]).sweep, values_of(swept, evaluator)[:4]
    whole = evaluator(values)

    def failing(*_: Any) -> Any:
        raise MemoryError("no room")

    monkeypatch.setattr(evaluator, "_swept", failing)
    with pytest.raises(DataError, match=r"votes shifted by .* trial 0 .* MemoryError: no room"):
        shift_test(section, evaluator, values, whole, shifts=3, least_days=10, seed=3)
    with pytest.raises(DataError, match="returns by day: trial 0"):
        daily_returns(evaluator, values, whole)
    with pytest.raises(DataError, match="bars 0 to 99: trial 0"):
        Accounts(evaluator, values, whole).of_blocks(np.array([0, 100, 200]))


def test_a_short_market_cannot_be_shifted(swept: tuple[Ledger, Path], evaluator: Evaluator) -> None:
    section = sweep_config(swept[0]).sweep
    with pytest.raises(ConfigError, match="shifts=0"):
        shift_test(section, evaluator, [{}], evaluator([{}]), shifts=0, least_days=10, seed=1)
    with pytest.raises(ConfigError, match="trials=16 must be at least 32"):
        screened_points(sweep_config(swept[0]), evaluator.space, 16)


def test_everything_is_said_about_a_small_sweep(found: Validation) -> None:
    tree = validation_json(found)
    assert json.loads(json.dumps(tree, allow_nan=True))["verdict"]["word"] == found.verdict.word
    assert found.family is not None
    assert found.family.trials == found.findings.trials == 40
    assert tree["shifted_votes"]["shifts"] == SHIFTS
    assert tree["permuted_bars"] is None
    assert any("Bars were not permuted" in one for one in found.verdict.unknown)
    assert 0 < found.shifts.p_value <= 1
    assert found.selection is not None
    assert found.selection.overfitting.blocks == 16
    assert found.brittleness is not None
    assert len(found.brittleness.losses) == len(found.brittleness.axes) == 12
    assert (found.brittleness.losses >= 0).all()
    year = np.sqrt(365)
    assert found.findings.sharpe_annual == pytest.approx(found.chosen.record.sharpe_per_bar * year)
    assert found.findings.interval[0] == pytest.approx(found.chosen.interval.low * year)
    assert found.chosen.random_entries is not None
    middle = np.median(found.chosen.random_entries.null_sharpes_per_bar) * np.sqrt(365 * 24)
    assert found.findings.random_median == pytest.approx(middle)
    assert found.findings.interval[0] < found.findings.sharpe_annual < found.findings.interval[1]
    assert found.verdict.unknown[0] == "The holdout from 2021-02-05 on has not been opened."


def test_distributions_are_those_that_the_numbers_come_from(
    found: Validation, swept: tuple[Ledger, Path], evaluator: Evaluator, store: Store
) -> None:
    tree = validation_json(found)
    shifted = tree["shifted_votes"]
    reached = sum(value >= shifted["best"] for value in shifted["null_values"])
    assert shifted["p_value"] == (1 + reached) / (1 + SHIFTS)
    chosen, selection = tree["chosen"], tree["selection"]
    logits = np.repeat(selection["logits"]["values"], selection["logits"]["halvings"])
    assert len(logits) == selection["halvings_sampled"]["of"] == math.comb(16, 8)
    assert (logits < 0).mean() == selection["pbo_strict"]
    assert (logits <= 1e-12).mean() == selection["pbo"]
    assert np.quantile(selection["pbo_null_values"], 0.05) == selection["pbo_null"][0]
    assert np.quantile(selection["path_sharpes"], 0.05) == selection["path_sharpe"][0]
    assert len(selection["path_sharpes"]) == 15
    random = chosen["random_entries"]
    better = sum(value >= random["sharpe_annual"] for value in random["null_sharpes_annual"])
    assert random["p_sharpe"] == (1 + better) / (1 + len(random["null_sharpes_annual"]))
    spa = tree["snooping"]
    beyond = sum(value >= spa["spa_statistic"] for value in spa["spa_null_values"])
    assert spa["spa_p_consistent"] == (1 + beyond) / (1 + len(spa["spa_null_values"]))
    assert chosen["sharpe_per_day"] * np.sqrt(365) == pytest.approx(chosen["sharpe_annual_by_days"])
    assert tree["ledger_trials"] == 40
    holds = [rule["holds"] for rule in tree["rules"]]
    assert all(holds) == (found.verdict.word == "evidence")
    assert [rule["text"] for rule in tree["rules"]] == list(found.verdict.because[: len(holds)])
    assert tree["objective"] == "sharpe"


def test_each_fold_states_its_days_and_what_was_chosen_on_them(
    found: Validation, swept: tuple[Ledger, Path], evaluator: Evaluator
) -> None:
    """The trial of a fold, evaluated alone on the days that the fold states."""
    folds = validation_json(found)["selection"]["walk_forward_folds"]
    panel, values = evaluator.data.panel, values_of(swept, evaluator)
    opened = [time_text(int(moment)) for moment in panel.open_time]
    closed = [time_text(int(moment)) for moment in panel.close_time]
    assert len(folds) == 12
    for fold in folds[::5]:
        assert fold["values"] == values[fold["trial"]]
        part = BarRange(opened.index(fold["test_start"]), closed.index(fold["test_end"]) + 1)
        assert opened.index(fold["test_start"]) == closed.index(fold["train_end"]) + 1
        alone = evaluator([fold["values"]], View(part)).metrics
        sharpe = float(np.nan_to_num(alone["sharpe"][0]))
        assert fold["out_of_sample_sharpe_annual"] == pytest.approx(sharpe, rel=1e-9, abs=1e-12)
        assert set(fold["places"]) == {axis.name for axis in evaluator.space.axes}
    assert folds[-1]["test_end"] == closed[-1]


def test_the_leaders_are_the_best_trials_with_intervals_of_their_own_days(
    found: Validation, swept: tuple[Ledger, Path], evaluator: Evaluator
) -> None:
    leaders = validation_json(found)["leaders"]
    rows = top_trials(swept[0], 10).to_pylist()
    assert [one["trial"] for one in leaders] == [row["trial"] for row in rows]
    first = leaders[0]
    assert first["trial"] == found.chosen_trial
    assert first["sharpe_annual_by_days"] == pytest.approx(found.findings.sharpe_annual)
    values = [json.loads(row["values"]) for row in rows]
    daily = daily_returns(evaluator, values, evaluator(values))
    for column, one in enumerate(leaders):
        sharpe = daily[:, column].mean() / daily[:, column].std(ddof=1) * np.sqrt(365)
        assert one["sharpe_annual_by_days"] == pytest.approx(sharpe)
        low, high = one["sharpe_interval_annual"]
        assert low < sharpe < high


def test_threads_change_nothing(
    swept: tuple[Ledger, Path], store: Store, found: Validation
) -> None:
    ledger, _ = swept
    again = validate_sweep(ledger, store=store, overrides=few(SHIFTS), threads=2)
    assert repr(validation_json(again)) == repr(validation_json(found))


def test_openings_of_the_holdout_are_told(
    swept: tuple[Ledger, Path], store: Store, found: Validation
) -> None:
    ledger, runs = swept
    family = ledger.sweep["family"]
    for _ in range(2):
        record_opening(runs, family, {"by": "a test"})
    again = validate_sweep(ledger, store=store, overrides=few())
    assert "has been opened 2 times" in again.verdict.unknown[0]


def test_the_holdout_is_recorded_and_then_looked_at(
    swept: tuple[Ledger, Path], store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, runs = swept
    before = len(openings(runs, ledger.sweep["family"]))
    where = [
        "--store",
        str(store.root),
        "--runs",
        str(runs),
        "--shifts",
        "1",
        "--trials",
        "32",
        "--permutations",
        "0",
    ]
    assert main(["validate", ledger.sweep_id, *where, "--open-holdout", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    kept = readable_validations(ledger.folder)[0][-1]
    assert tree.pop("kept") == str(kept.path)
    assert {**kept.content, **tree} == kept.content
    assert tree["holdout"]["opening"] == before + 1
    known = openings(runs, ledger.sweep["family"])
    assert known[-1]["trial"] == tree["chosen_trial"]
    # 40 days from 1 January on: the holdout from 5 February on has five of them.
    assert tree["holdout"]["bars"] == 5 * 24
    config = sweep_config(ledger)
    data = load_market_data(config.with_holdout, store)
    assert len(data.panel) == 40 * 24
    row = ledger.trials().to_pylist()[tree["chosen_trial"]]
    whole = Evaluator(Space(config.with_holdout, space_of(config).axes), data)
    alone = whole([json.loads(row["values"])], View(BarRange(35 * 24, 40 * 24)))
    assert tree["holdout"]["metrics"]["final_equity"] == alone.metrics["final_equity"][0]
    assert "On its 120 bars" in tree["verdict"]["unknown"][0]


def test_another_number_than_the_ledgers_is_an_error(
    swept: tuple[Ledger, Path], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _ = swept
    real = Ledger.trials

    def doctored(self: Ledger, *arguments: Any) -> Any:
        table = real(self, *arguments)
        if "sharpe" not in table.column_names:
            return table
        at = table.column_names.index("final_equity")
        import pyarrow.compute as pc

        return table.set_column(at, "final_equity", pc.add(table["final_equity"], 1.0))

    monkeypatch.setattr(Ledger, "trials", doctored)
    with pytest.raises(DataError, match="has final_equity="):
        validate_sweep(ledger, store=store, overrides=few())


def test_the_command_fits_eighty_columns_and_writes_its_object(
    swept: tuple[Ledger, Path],
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ledger, runs = swept
    out = tmp_path / "validation.json"
    where = [
        "--store",
        str(store.root),
        "--runs",
        str(runs),
        "--shifts",
        "3",
        "--trials",
        "32",
        "--permutations",
        "2",
    ]
    assert main(["validate", ledger.sweep_id, *where, "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert "not known:" in told
    assert json.loads(out.read_text())["subject"] == ledger.sweep_id
    assert "of 2 orders of bars" in told
    assert main(["validate", ledger.sweep_id, *where, "-s", "validation.cscv.blocks=5"]) == 2
    assert "validation.cscv.blocks=5 must be even" in capsys.readouterr().err
    assert main(["validate", "nothing", *where]) == 3
    assert "there is no sweep 'nothing'" in capsys.readouterr().err


def test_a_run_is_validated_without_a_search(
    store: Store, small_config: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(small_config, store=store, runs=tmp_path)
    where = [
        "--store",
        str(store.root),
        "--runs",
        str(tmp_path),
        "--shifts",
        "19",
        "--permutations",
        "3",
        "--json",
    ]
    assert main(["validate", result.run_id, *where]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["selection"] is None
    assert tree["findings"]["trials"] == 1
    assert tree["permuted_bars"]["permutations"] == 3
    assert tree["permuted_bars"]["best"] == result.metrics["sharpe"]
    assert tree["verdict"]["word"] in ("evidence", "no evidence", "inconclusive")
    assert tree["shifted_votes"]["best"] == result.metrics["sharpe"]
    assert result.run_dir is not None
    assert [one.content["subject"] for one in readable_validations(result.run_dir)[0]] == [
        result.run_id
    ]
    assert main(["runs", "rm", result.run_id, "--yes", "--runs", str(tmp_path)]) == 0
    assert not result.run_dir.exists()


def test_a_validation_that_cannot_be_kept_is_told_all_the_same(
    swept: tuple[Ledger, Path],
    store: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: Any) -> None:
        raise DataError("validations: cannot be written: No space left on device")

    monkeypatch.setattr("experiments.validation.keeping.keep_validation", refused)
    ledger, runs = swept
    where = ["--store", str(store.root), "--runs", str(runs), "--shifts", "1", "--trials", "32"]
    for more in (["--json"], []):
        assert main(["validate", ledger.sweep_id, *where, "--permutations", "0", *more]) == 3
        told = capsys.readouterr()
        assert "No space left" in told.err
        assert "not known:" in told.out if not more else json.loads(told.out)["kept"] is None


def test_a_swept_winner_is_not_validated_as_if_it_were_the_only_one(
    swept: tuple[Ledger, Path], store: Store, tmp_path: Path
) -> None:
    ledger, _ = swept
    result = run(trial_config(ledger, 3), store=store, runs=tmp_path)
    assert result.run_dir is not None
    with pytest.raises(ConfigError, match=f"trial 3 of the sweep {ledger.sweep_id}"):
        validate_run(load_run(result.run_dir), runs=tmp_path, store=store)


def test_every_sweep_of_the_family_counts(
    swept: tuple[Ledger, Path], store: Store, found: Validation, tmp_path: Path
) -> None:
    first = sweep_config(swept[0])
    for seed in (7, 8):
        tree = {**resolved(first), "seed": seed}
        tree["data"]["simulated"]["seed"] = 7
        ledger = run_sweep(sweep_config_of(tree), store=store, runs=tmp_path).ledger
    twice = validate_sweep(ledger, store=store, overrides=few())
    assert twice.findings.sweeps == 2
    assert twice.findings.trials == 80
    assert twice.chosen.deflation.raw_trials == 80 if twice.chosen.deflation else False
    assert twice.chosen.deflation is not None
    assert found.chosen.deflation is not None
    once = validate_sweep(
        run_sweep(sweep_config_of(tree), store=store, runs=tmp_path / "alone").ledger,
        store=store, overrides=few(),
    )  # fmt: skip
    assert once.chosen.deflation is not None
    assert twice.findings.effective_trials == 2 * once.chosen.deflation.effective_trials
    assert "for the best of the family's 2 sweeps" in twice.verdict.because[0]


def test_ties_count_against_the_best_and_constraints_bind(
    swept: tuple[Ledger, Path], evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, values = sweep_config(swept[0]).sweep, values_of(swept, evaluator)
    whole = evaluator(values)
    monkeypatch.setattr(Evaluator, "__call__", lambda *_: whole)
    assert (
        shift_test(section, evaluator, values, whole, shifts=9, least_days=10, seed=1).p_value
        == 1.0
    )
    trades = float(np.nanmedian(whole.metrics["trades"]))
    bound = section.model_copy(
        update={"constraints": (Constraint(metric="trades", at_least=trades + 0.5),)}
    )
    free, bound_good = good_of(section, whole), good_of(bound, whole)
    few = whole.metrics["trades"] <= trades
    assert np.isneginf(bound_good[few]).all()
    assert np.array_equal(bound_good[~few], free[~few])
