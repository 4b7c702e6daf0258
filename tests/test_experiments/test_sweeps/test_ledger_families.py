"""Sweeps of a family: listed, found, counted, and the openings of its holdout."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine import ConfigError, ContractError, DataError
from experiments.config_file import trial_hash
from experiments.sweeps.families import FamilyCount, family_trials, find_sweep, list_sweeps
from experiments.sweeps.holdout import openings, record_opening
from experiments.sweeps.ledger import Ledger
from tests.test_experiments.test_sweeps.ledger_cases import (
    CONFIG,
    CREATED_AT,
    METRICS,
    OBJECTIVES,
    batch_of,
    identity_of,
    made_ledger,
)


def sweep_of(runs: Path, rows: int, days: int, **stated: Any) -> Ledger:
    """A sweep begun so many days after the first, with one batch."""
    ledger = Ledger.create(
        runs,
        identity_of({**CONFIG, "seed": days}, **stated),
        CREATED_AT + timedelta(days=days),
        metrics=METRICS,
        objectives=OBJECTIVES,
    )
    if rows:
        with ledger.writing():
            ledger.append(batch_of(0, rows))
    return ledger


@pytest.fixture
def three(tmp_path: Path) -> list[Ledger]:
    (tmp_path / "sweeps" / "ideas" / "unfinished").mkdir(parents=True)
    (tmp_path / "sweeps" / "ideas" / "notes.txt").write_text("not a sweep")
    (tmp_path / "sweeps" / "ideas" / ".tmp-x").write_text("")
    return [
        sweep_of(tmp_path, 40, 0, name="zeta"),
        sweep_of(tmp_path, 20, 1, name="beta"),
        sweep_of(tmp_path, 0, 2, name="other", family="others"),
    ]


def test_sweeps_are_listed_oldest_first(tmp_path: Path, three: list[Ledger]):
    ids = [ledger.sweep_id for ledger in three]
    assert [ledger.sweep_id for ledger in list_sweeps(tmp_path)] == ids
    assert [ledger.sweep_id for ledger in list_sweeps(tmp_path, "ideas")] == ids[:2]
    assert list_sweeps(tmp_path, "unknown") == list_sweeps(tmp_path / "absent") == ()


def test_a_sweep_is_found_by_folder_id_beginning_or_latest(tmp_path: Path, three: list[Ledger]):
    zeta, _, other = three
    assert find_sweep(tmp_path, zeta.sweep_id).folder == zeta.folder
    assert find_sweep(tmp_path, "ze").folder == zeta.folder
    assert find_sweep(tmp_path, "latest").folder == other.folder
    assert find_sweep(tmp_path / "absent", str(zeta.folder)).folder == zeta.folder
    elsewhere = shutil.copytree(zeta.folder, tmp_path / "elsewhere")
    assert find_sweep(tmp_path, str(elsewhere)).count == 40


def test_a_sweep_that_is_not_there_is_told(tmp_path: Path, three: list[Ledger]):
    with pytest.raises(DataError, match=f"there is no sweep 'x' in .*: {three[0].sweep_id}, "):
        find_sweep(tmp_path, "x")
    sweep_of(tmp_path, 0, 3, name="zeta")
    with pytest.raises(DataError, match="sweep 'zeta' is the beginning of 2 sweeps: zeta-"):
        find_sweep(tmp_path, "zeta")
    with pytest.raises(DataError, match=r"no sweep 'latest': .* holds none yet"):
        find_sweep(tmp_path / "absent", "latest")


DATA = {"simulated": None, "start": "2021-01-01", "end": None}


def run_of(runs: Path, name: str, config_hash: str, origin: Any = None, version: int = 2) -> None:
    folder = runs / f"2024-{len(list(runs.iterdir())):03d}-{name}"
    folder.mkdir()
    content = {
        "schema_version": version,
        "name": name,
        "config_hash": config_hash,
        "config": {"data": DATA, "origin": origin},
    }
    (folder / "run.json").write_text(json.dumps(content), encoding="utf-8")


def test_runs_by_hand_are_counted_beside_the_trials(tmp_path: Path, three: list[Ledger]):
    run_of(tmp_path, "zeta", "a")
    run_of(tmp_path, "zeta", "a")
    run_of(tmp_path, "ideas", "b", version=1)
    trial = {"sweep": three[1].sweep_id, "trial": 3}
    run_of(tmp_path, "beta", "c", origin=trial, version=2)
    run_of(tmp_path, "beta", "f", origin={**trial, "trial_hash": trial_hash({"data": DATA})})
    run_of(tmp_path, "other", "d")
    run_of(tmp_path, "unknown", "e")
    found = family_trials(tmp_path, "ideas")
    assert (found.by_hand, found.trials) == (2, 60), "the same one twice is one; a trial is a trial"
    run_of(tmp_path, "beta", "g", origin={**trial, "trial_hash": "0" * 64})
    assert family_trials(tmp_path, "ideas").by_hand == 3, "a trial that was changed is none"
    assert family_trials(tmp_path, "others").by_hand == 1
    assert family_trials(tmp_path, "ideas").unreadable == 0
    run_of(tmp_path, "beta", "h")
    min(tmp_path.glob("*-beta/run.json")).write_text("{")
    found = family_trials(tmp_path, "ideas")
    assert (found.by_hand, found.unreadable) == (4, 1), "one of unknown name, told and not counted"
    assert family_trials(tmp_path, "unknown").by_hand == 1


def test_every_trial_of_a_family_counts(tmp_path: Path, three: list[Ledger]):
    states = [
        state for ledger in three[:2] for state in ledger.trials(["state"])["state"].to_pylist()
    ]
    failed = sum(1 for state in states if state == "failed")
    infeasible = sum(1 for state in states if state == "infeasible")
    assert family_trials(tmp_path, "ideas") == FamilyCount(2, 60, failed, infeasible)
    assert failed == 3
    assert family_trials(tmp_path, "others") == FamilyCount(0, 0, 0, 0)
    assert family_trials(tmp_path, "unknown") == FamilyCount(0, 0, 0, 0)
    with pytest.raises(ConfigError, match="family='a/b'"):
        family_trials(tmp_path, "a/b")


def test_a_copied_renamed_or_moved_sweep_is_not_counted_twice_or_elsewhere(
    tmp_path: Path, three: list[Ledger]
):
    zeta = three[0].folder
    for place in (zeta.with_name("copy"), tmp_path / "sweeps" / "others" / zeta.name):
        shutil.copytree(zeta, place)
        with pytest.raises(DataError, match=rf"{place}: .*renamed, copied or moved; .* {zeta}"):
            list_sweeps(tmp_path)
        shutil.rmtree(place)
    assert len(list_sweeps(tmp_path)) == 3


def test_a_broken_sweep_is_not_left_out_of_the_count(tmp_path: Path, three: list[Ledger]):
    path = three[1].parts()[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=f"{path.name}: its SHA-256"):
        family_trials(tmp_path, "ideas")
    (three[1].folder / "sweep.json").write_text("{")
    with pytest.raises(DataError, match=r"sweep.json: is not the description of a sweep"):
        family_trials(tmp_path, "ideas")


def test_openings_are_numbered_and_kept(tmp_path: Path):
    assert openings(tmp_path, "ideas") == ()
    assert record_opening(tmp_path, "ideas", {"by": "validate", "at": "2024"}) == 1
    assert record_opening(tmp_path, "ideas", {"by": "validate", "at": "2025"}) == 2
    assert record_opening(tmp_path, "others", {}) == 1
    assert openings(tmp_path, "ideas") == (
        {"number": 1, "by": "validate", "at": "2024"},
        {"number": 2, "by": "validate", "at": "2025"},
    )
    made_ledger(tmp_path)
    assert len(list_sweeps(tmp_path)) == 1


def test_an_opening_that_cannot_be_kept_is_refused(tmp_path: Path):
    with pytest.raises(ContractError, match="'number' is given by the record"):
        record_opening(tmp_path, "ideas", {"number": 7})
    with pytest.raises(ContractError, match="cannot be written as JSON"):
        record_opening(tmp_path, "ideas", {"x": float("nan")})
    with pytest.raises(ConfigError, match=r"family='\.\.' must"):
        record_opening(tmp_path, "..", {})
    assert not list(tmp_path.iterdir())


def test_a_broken_record_of_openings_is_never_begun_anew(tmp_path: Path):
    for turn in range(3):
        record_opening(tmp_path, "ideas", {"turn": turn})
    path = tmp_path / "sweeps" / "ideas" / "holdout.json"
    content = json.loads(path.read_text())
    fewer = {**content, "openings": content["openings"][1:]}
    for broken in (
        "",
        "[]",
        "{",
        json.dumps(fewer),
        json.dumps({**content, "openings": 3}),
        json.dumps({**content, "openings": ["x"]}),
        json.dumps({**content, "schema_version": 2}),
        json.dumps({**content, "family": "others"}),
    ):
        path.write_text(broken)
        for use in (
            lambda: openings(tmp_path, "ideas"),
            lambda: record_opening(tmp_path, "ideas", {}),
        ):
            with pytest.raises(DataError, match=r"holdout.json: .*put it back as it was"):
                use()
        assert path.read_text() == broken
