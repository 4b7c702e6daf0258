"""The mirror of a ledger, read by Optuna itself."""

import errno
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pyarrow as pa
import pytest

from datasets import durable
from engine import DataError
from experiments.sweeps.ledger import Ledger
from experiments.sweeps.mirror import write_mirror
from tests.test_experiments.test_sweeps.ledger_cases import (
    CONFIG,
    CREATED_AT,
    HEADS,
    METRICS,
    OBJECTIVES,
    batch_of,
    filled,
    identity_of,
    trial_values,
)


def study_at(path: Path) -> optuna.Study:
    (summary,) = optuna.get_all_study_names(storage_at(path))
    return optuna.load_study(study_name=summary, storage=storage_at(path))


def storage_at(path: Path) -> optuna.storages.JournalStorage:
    return optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))


def test_optuna_reads_what_the_ledger_holds(tmp_path: Path):
    ledger = filled(tmp_path, 5)
    path = write_mirror(ledger)
    assert path == ledger.folder / "study.log"
    study = study_at(path)
    assert study.study_name == ledger.sweep_id
    assert [way.name for way in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == list(OBJECTIVES)
    assert study.user_attrs["family"] == "ideas"
    assert study.user_attrs["constraints"] == ["trades at least 100", "max_drawdown at most 0.4"]
    rows = ledger.trials().to_pylist()
    assert len(study.trials) == len(rows) == 40
    for trial, row in zip(study.trials, rows, strict=True):
        values = trial_values(row["trial"])
        weights = values.pop("consensus.weights")
        assert trial.number == row["trial"]
        assert trial.params == values | {f"consensus.weights.{h}": weights[h] for h in HEADS}
        assert trial.user_attrs["parent"] == row["parent"]
        assert trial.user_attrs["stage"] == row["stage"]
        assert trial.user_attrs["error"] == row["error"]
        for name in METRICS:
            assert trial.user_attrs[name] == (None if row[name] != row[name] else row[name])
        if row["state"] == "failed":
            assert trial.state.name == "FAIL"
            assert trial.values is None
            assert trial.constraints == {}
        else:
            assert trial.state.name == "COMPLETE"
            assert trial.values == row["score"]
            feasible = all(missed <= 0 for missed in trial.constraints.values())
            assert feasible == (row["state"] == "complete")
            assert trial.constraints["0"] == 100 - row["trades"]
    best = {trial.number for trial in study.best_trials}
    assert best
    assert {rows[number]["state"] for number in best} == {"complete"}


def test_parameters_have_the_ranges_of_the_space(tmp_path: Path):
    trial = study_at(write_mirror(filled(tmp_path, 1))).trials[0]
    assert trial.distributions == {
        "consensus.quorum": optuna.distributions.IntDistribution(1, 2),
        "consensus.weights.sentiment": optuna.distributions.FloatDistribution(0.0, 1.0),
        "consensus.weights.technical": optuna.distributions.FloatDistribution(0.0, 1.0),
        "exits.stop_atr": optuna.distributions.FloatDistribution(1.0, 5.0, log=True),
        "exits.time_stop_bars": optuna.distributions.CategoricalDistribution((None, 24, 72)),
    }


def altered(space: Mapping[str, Any], objectives: Mapping[str, str]) -> dict[str, Any]:
    sweep = {
        "objectives": [{"metric": metric} for metric in objectives],
        "constraints": [],
        "space": dict(space),
    }
    return {**CONFIG, "sweep": {**CONFIG["sweep"], **sweep}}


def one_trial(
    runs: Path,
    space: Mapping[str, Any],
    values: Mapping[str, Any],
    score: float | None = 1.0,
    objectives: Mapping[str, str] | None = None,
) -> Ledger:
    objectives = objectives or {"sharpe": "maximize"}
    ledger = Ledger.create(
        runs,
        identity_of(altered(space, objectives)),
        CREATED_AT,
        metrics=METRICS,
        objectives=objectives,
    )
    table = batch_of(0, 1)
    for name, column in (
        ("values", pa.array([json.dumps(values)])),
        ("score", pa.array([[score] * len(objectives)])),
    ):
        table = table.set_column(table.column_names.index(name), name, column)
    with ledger.writing():
        ledger.append(table)
    return ledger


def test_an_undefined_score_is_the_worst_there_is(tmp_path: Path):
    space = {"consensus.quorum": CONFIG["sweep"]["space"]["consensus.quorum"]}
    ledger = one_trial(tmp_path, space, {"consensus.quorum": 1}, score=None, objectives=OBJECTIVES)
    (trial,) = study_at(write_mirror(ledger)).trials
    assert trial.values == [-float("inf"), float("inf")]
    assert trial.constraints == {}


def test_a_constraint_on_an_undefined_metric_is_missed_by_a_finite_number(tmp_path: Path):
    ledger = Ledger.create(
        tmp_path, identity_of(), CREATED_AT, metrics=METRICS, objectives=OBJECTIVES
    )
    table = batch_of(0, 1)
    place = table.column_names.index("trades")
    table = table.set_column(place, "trades", pa.array([float("nan")]))
    place = table.column_names.index("state")
    table = table.set_column(place, "state", pa.array(["infeasible"]))
    with ledger.writing():
        ledger.append(table)
    path = write_mirror(ledger)
    (trial,) = study_at(path).trials
    assert trial.constraints["0"] == 1e300
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("choices", "value", "shown"),
    [
        ([None, 24], 24, 24),
        ([None, 24], None, None),
        ([[1, 2], None], [1, 2], "[1,2]"),
        ([[1, 2], None], None, "null"),
        (["a", "b"], "b", "b"),
        ([1, 1.0, 2], 1.0, "1.0"),
        ([True, 1], 1, "1"),
    ],
)
def test_choices_of_any_kind_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choices: list[Any], value: Any, shown: Any
):
    space = {"exits.time_stop_bars": {"kind": "choice", "values": choices}}
    ledger = one_trial(tmp_path, space, {"exits.time_stop_bars": value})
    # No key of a configuration takes all of these.
    monkeypatch.setattr("experiments.sweeps.space._check_value", lambda *_: None)
    (trial,) = study_at(write_mirror(ledger)).trials
    assert trial.params["exits.time_stop_bars"] == shown
    assert type(trial.params["exits.time_stop_bars"]) is type(shown)


def test_equal_ledgers_give_equal_mirrors_and_a_longer_one_goes_on(tmp_path: Path):
    short = write_mirror(filled(tmp_path / "a", 2)).read_bytes()
    assert write_mirror(filled(tmp_path / "b", 2)).read_bytes() == short
    assert write_mirror(filled(tmp_path / "b", 2), tmp_path / "other.log").read_bytes() == short
    longer = write_mirror(filled(tmp_path / "b", 4)).read_bytes()
    assert longer.startswith(short)
    assert len(longer) > len(short)


def test_a_dashboard_that_has_it_open_sees_what_comes_after(tmp_path: Path):
    ledger = filled(tmp_path, 2)
    study = study_at(write_mirror(ledger))
    assert len(study.trials) == 16
    write_mirror(filled(tmp_path, 3))
    assert len(study.trials) == 24
    assert [trial.number for trial in study.trials] == list(range(24))


def test_an_empty_ledger_has_an_empty_study(tmp_path: Path):
    assert study_at(write_mirror(filled(tmp_path, 0))).trials == []


def test_the_mirror_leaves_no_trace_in_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[logging.LogRecord] = []
    listener = SimpleNamespace(level=0, handle=said.append)
    monkeypatch.setattr(logging.getLogger("optuna"), "handlers", [listener])
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        write_mirror(filled(tmp_path, 1))
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
        assert said == []
        optuna.create_study()
        assert said, "nothing would have been heard"
    finally:
        optuna.logging.set_verbosity(verbosity)


def test_a_trial_outside_the_space_is_told(tmp_path: Path):
    space = {"consensus.quorum": CONFIG["sweep"]["space"]["consensus.quorum"]}
    for place, values in enumerate(({"consensus.quorum": 9}, {}, {"consensus.quorum": "x"}, [])):
        ledger = one_trial(tmp_path / str(place), space, values)
        with pytest.raises(DataError, match=r"trial 0 does not fit the space that sweep.json"):
            write_mirror(ledger)


def test_a_disk_that_refuses_leaves_the_mirror_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = write_mirror(filled(tmp_path, 1))
    before = path.read_bytes()
    ledger = filled(tmp_path, 2)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write", refuse)
        with pytest.raises(DataError, match=r"study.log: cannot be written: No space left"):
            write_mirror(ledger)
    assert path.read_bytes() == before
