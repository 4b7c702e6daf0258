"""Kept validations: whole or not at all, in order, never changed, and known to whoever removes runs."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from engine import ContractError, DataError
from experiments.record import RunRecord
from experiments.records.removal import remove_run
from experiments.sweeps.families import list_sweeps
from experiments.validation import keeping
from experiments.validation.keeping import (
    KeptValidation,
    check_keepable,
    is_only_validations,
    keep_validation,
    readable_validations,
    validations_folder,
)
from tests.forked_writer import Writer, writer_server
from tests.power_cut import PowerCutError, power_cut
from tests.test_experiments.test_sweeps.ledger_cases import filled
from tests.test_experiments.test_validation.keeping_writer import NEEDED, ROUNDS, SERVER, tree_of

AT = datetime(2024, 1, 31, 13, 5, tzinfo=UTC)
MANY_STEPS = 60
KILLS = 8


@pytest.fixture(autouse=True)
def _known_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking git takes longer than everything else here."""
    monkeypatch.setattr(keeping, "revision", lambda: {"commit": None, "dirty": None})


@pytest.fixture(scope="module")
def server() -> "Iterator[subprocess.Popen[bytes]]":
    with writer_server(SERVER) as running:
        yield running


def kept_in(folder: Path) -> tuple[KeptValidation, ...]:
    found, unread = readable_validations(folder)
    assert unread == ()
    return found


def numbers(folder: Path) -> list[int]:
    return [one.content["number"] for one in kept_in(folder)]


def refusal(folder: Path) -> str:
    """What is wrong with the one file of ``folder`` that cannot be read."""
    _, (told,) = readable_validations(folder)
    return told


def test_they_are_listed_from_the_oldest_on_with_when_and_by_what(tmp_path: Path):
    assert kept_in(tmp_path) == ()
    paths = [
        keep_validation(tmp_path, tree_of(number), AT + timedelta(hours=number))
        for number in range(3)
    ]
    assert numbers(tmp_path) == [0, 1, 2]
    first = kept_in(tmp_path)[0]
    assert first.path == paths[0]
    assert first.path.name.startswith("20240131T130500.000000Z-")
    assert first.validated_at == AT
    assert first.content["validated_at"] == "2024-01-31T13:05:00.000000Z"
    assert "python" in first.content["versions"]
    assert {**first.content, **tree_of(0)} == first.content


def test_a_clock_that_goes_back_does_not_change_the_order(tmp_path: Path):
    for number, hours in enumerate((5, 1, 5, 0)):
        keep_validation(tmp_path, tree_of(number), AT + timedelta(hours=hours))
    assert numbers(tmp_path) == [0, 1, 2, 3]


def test_numbers_that_json_cannot_hold_are_null(tmp_path: Path):
    tree = {**tree_of(0), "null_values": [1.0, float("-inf"), float("nan")]}
    keep_validation(tmp_path, tree, AT)
    assert kept_in(tmp_path)[0].content["null_values"] == [1.0, None, None]


def test_what_was_changed_renamed_or_is_of_another_schema_is_refused(tmp_path: Path):
    path = keep_validation(tmp_path, tree_of(0), AT)
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"number": 0', b'"number": 7'))
    assert "SHA-256 is not the one in its name" in refusal(tmp_path)
    path.write_bytes(data)
    copy = path.with_name("best.json")
    copy.write_bytes(data)
    with pytest.raises(DataError, match=r"best.json: is not the name of a validation"):
        readable_validations(tmp_path)
    wrong = copy.rename(path.with_name(f"20241399T000000.000000Z-{path.stem[-8:]}.json"))
    with pytest.raises(DataError, match="is not the name of a validation"):
        readable_validations(tmp_path)
    wrong.unlink()
    (path.parent / "notes.txt").write_text("mine")
    assert numbers(tmp_path) == [0]
    keep_validation(tmp_path, {**tree_of(1), "schema_version": 1}, AT)
    assert "schema_version=1, this version reads 3" in refusal(tmp_path)
    assert [one.content["number"] for one in readable_validations(tmp_path)[0]] == [0]


@pytest.mark.parametrize("key", NEEDED)
def test_a_file_without_what_every_validation_states_is_refused(tmp_path: Path, key: str):
    tree = tree_of(0)
    del tree[key]
    keep_validation(tmp_path, tree, AT)
    assert re.search(f"lacks {key}, .* validate again", refusal(tmp_path))


def test_a_file_that_is_no_object_is_refused(tmp_path: Path):
    for number, data in enumerate((b"[]", b"{")):
        place = validations_folder(tmp_path / str(number))
        place.mkdir(parents=True)
        digest = hashlib.sha256(data).hexdigest()[:8]
        (place / f"20240131T130500.000000Z-{digest}.json").write_bytes(data)
        assert "not a JSON object" in refusal(tmp_path / str(number))


def test_a_time_needs_a_zone_and_a_folder_must_take_files(tmp_path: Path):
    with pytest.raises(ContractError, match="must state its zone"):
        keep_validation(tmp_path, tree_of(0), datetime(2024, 1, 1))
    (tmp_path / "validations").write_text("a file")
    with pytest.raises(DataError, match="is a file"):
        check_keepable(tmp_path)


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_stop_at_every_step_leaves_all_or_nothing_of_the_last(tmp_path: Path, moment: str):
    for step in range(MANY_STEPS):
        folder = tmp_path / f"cut-{step}"
        folder.mkdir()
        kept = 0
        with power_cut(step, moment) as passed, suppress(PowerCutError):
            for number in range(2):
                keep_validation(folder, tree_of(number), AT)
                kept += 1
            assert len(passed) == step
            break
        assert numbers(folder) in ([0, 1][:kept], [0, 1][: kept + 1])
        again = len(numbers(folder))
        keep_validation(folder, tree_of(again), AT + timedelta(hours=9))
        assert numbers(folder) == list(range(again + 1))
        assert not [name for name in os.listdir(validations_folder(folder)) if ".tmp-" in name]
    else:
        pytest.fail(f"more than {MANY_STEPS} durable steps")
    assert step > 4


def test_two_at_once_keep_all_of_theirs(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        paths = list(
            pool.map(lambda number: keep_validation(tmp_path, tree_of(number), AT), range(24))
        )
    assert len(set(paths)) == 24
    assert sorted(numbers(tmp_path)) == list(range(24))


def test_killed_processes_leave_whole_files_only(tmp_path: Path, server: "subprocess.Popen[bytes]"):
    draw, killed, told, attempts = Random(3), 0, 0, 0
    while killed < KILLS:
        attempts += 1
        assert attempts < 5 * KILLS
        writer = Writer(server, "keep", tmp_path)
        place, steps = draw.randrange(6 * ROUNDS), 0
        for sign in writer.signs():
            steps += sign == "."
            told += sign == "+"
            if steps > place:
                writer.kill()
                break
        rest, code = writer.reap()
        told += rest.count("+")
        killed += code < 0
    found = kept_in(tmp_path)
    assert told <= len(found) <= told + killed
    assert [one.validated_at for one in found] == sorted(one.validated_at for one in found)


def test_a_run_goes_with_its_validations_and_with_nothing_else(tmp_path: Path):
    folder = tmp_path / "20240101T000000Z-a-1"
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    record = RunRecord(run_dir=folder, content={"run_id": folder.name, "artefacts": {}})
    keep_validation(folder, tree_of(0), AT)
    (folder / "validations" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="holds 'validations', which no run wrote"):
        remove_run(record)
    (folder / "validations" / "mine.txt").unlink()
    remove_run(record)
    assert not folder.exists()


def test_a_ledger_goes_on_beside_its_validations(tmp_path: Path):
    ledger = filled(tmp_path, 2)
    keep_validation(ledger.folder, tree_of(0), AT)
    (ledger.folder / "report.html").write_text("<!doctype html>")
    again = filled(tmp_path, 3)
    assert again.count == 24
    assert [one.count for one in list_sweeps(tmp_path, "ideas")] == [24]
    assert numbers(again.folder) == [0]


def test_only_validations_and_what_writing_leaves_may_go_with_a_run(tmp_path: Path):
    keep_validation(tmp_path, tree_of(0), AT)
    place = validations_folder(tmp_path)
    (place / ".tmp-left").write_text("")
    assert is_only_validations(place)
    assert not is_only_validations(tmp_path)
    (place / "inner").mkdir()
    assert not is_only_validations(place)
    (place / "inner").rmdir()
    (place / "notes.txt").write_text("mine")
    assert not is_only_validations(place)
    (place / "notes.txt").unlink()
    linked = tmp_path / "other"
    linked.mkdir()
    (linked / "validations").symlink_to(place)
    assert not is_only_validations(linked / "validations")
    assert json.loads(next(place.glob("2*.json")).read_text())["number"] == 0
