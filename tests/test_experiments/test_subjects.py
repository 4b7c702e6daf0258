"""Names that a run and a sweep may both have."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine import ConfigError, DataError
from experiments.record import RunRecord
from experiments.subjects import find_subject
from experiments.sweeps.ledger import Ledger
from tests.test_experiments.test_record import record_at
from tests.test_experiments.test_sweeps.ledger_cases import CREATED_AT
from tests.test_experiments.test_sweeps.test_ledger_families import sweep_of


def run_at(runs: Path, run_id: str, created_at: str = "2020-01-01T00:00:00Z") -> Path:
    folder = record_at(runs / run_id)
    record = folder / "run.json"
    content: dict[str, Any] = json.loads(record.read_text()) | {"created_at": created_at}
    record.write_text(json.dumps(content))
    return folder


def found(name: str, runs: Path) -> str:
    subject = find_subject(name, runs)
    if isinstance(subject, RunRecord):
        return subject.run_id
    return "sweep " + subject.sweep["name"]


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Ledger]:
    ledger = sweep_of(tmp_path, 20, 0, name="beta")
    run_at(tmp_path, "20200101T000000Z-beta-1")
    run_at(tmp_path, "20200102T000000Z-alone-2")
    return tmp_path, ledger


def test_each_is_found_and_a_shared_name_is_the_sweeps(both: tuple[Path, Ledger]):
    runs, ledger = both
    assert found("beta", runs) == "sweep beta"
    assert found(ledger.sweep_id, runs) == found(str(ledger.folder), runs) == "sweep beta"
    assert found("beta-1", runs) == "20200101T000000Z-beta-1"
    assert found("20200101", runs) == "20200101T000000Z-beta-1"
    assert found("alone", runs) == "20200102T000000Z-alone-2"
    assert found(str(runs / "20200102T000000Z-alone-2"), runs) == "20200102T000000Z-alone-2"


def test_latest_is_the_newest_of_both(both: tuple[Path, Ledger]):
    runs, _ = both
    assert found("latest", runs) == "sweep beta"
    later = f"{CREATED_AT.replace(year=CREATED_AT.year + 1):%Y%m%dT%H%M%SZ}-late-3"
    run_at(runs, later, f"{CREATED_AT.replace(year=CREATED_AT.year + 1):%Y-%m-%dT%H:%M:%SZ}")
    assert found("latest", runs) == later


def test_latest_of_one_kind(tmp_path: Path):
    run_at(tmp_path / "runs", "20200101T000000Z-a-1")
    assert found("latest", tmp_path / "runs") == "20200101T000000Z-a-1"
    sweep_of(tmp_path / "sweeps", 20, 0, name="beta")
    assert found("latest", tmp_path / "sweeps") == "sweep beta"


def test_what_is_not_there_is_told_of_both(both: tuple[Path, Ledger]):
    runs, _ = both
    with pytest.raises(
        DataError, match=r"there is no run 'x' in .*there is no sweep 'x' in .*beta-"
    ):
        find_subject("x", runs)
    with pytest.raises(DataError, match="run '2020' is the beginning of 2 runs"):
        find_subject("2020", runs)
    with pytest.raises(DataError, match=r"no run 'latest': .*no sweep 'latest': "):
        find_subject("latest", runs / "absent")
    with pytest.raises(ConfigError, match="is a file"):
        find_subject(str(runs / "20200102T000000Z-alone-2" / "run.json"), runs)
