"""Stops at every durable step of a sweep's writing, real kills, and two writers at once."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from datasets import durable
from engine import ContractError, DataError
from experiments.sweeps import ledger as ledger_module
from experiments.sweeps.holdout import openings, record_opening
from experiments.sweeps.ledger import Ledger
from tests.forked_writer import Writer, writer_server
from tests.power_cut import PowerCutError, power_cut
from tests.test_experiments.test_sweeps.ledger_cases import batch_of, filled, made_ledger
from tests.test_experiments.test_sweeps.ledger_writer import BATCHES, ROWS, SERVER

KILLS = 20
MANY_STEPS = 100


@pytest.fixture(scope="module")
def server() -> "Iterator[subprocess.Popen[bytes]]":
    with writer_server(SERVER) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return filled(tmp_path_factory.mktemp("runs"), BATCHES, ROWS)


@pytest.fixture(autouse=True)
def _known_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking git takes longer than everything else here."""
    monkeypatch.setattr(ledger_module, "revision", lambda: {"commit": None, "dirty": None})


def unfinished(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".tmp-")]


def runs_of(ledger: Ledger) -> Path:
    return ledger.folder.parents[2]


def part_names(ledger: Ledger) -> list[str]:
    return [path.name for path in ledger.parts()]


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_stop_at_every_step_loses_at_most_the_batch_in_flight(tmp_path: Path, moment: str):
    whole = part_names(filled(tmp_path / "whole", 3))
    for step in range(MANY_STEPS):
        runs = tmp_path / "cut"
        appended = 0
        with power_cut(step, moment) as passed, suppress(PowerCutError):
            ledger = made_ledger(runs)
            with ledger.writing():
                for batch in range(3):
                    ledger.append(batch_of(8 * batch, 8, batch))
                    appended += 1
            assert len(passed) == step
            break
        if appended:
            left = part_names(Ledger.open(ledger.folder))
            assert left in (whole[:appended], whole[: appended + 1])
            assert Ledger.open(ledger.folder).count == 8 * len(left)
        again = filled(runs, 3)
        assert part_names(again) == whole
        assert again.count == 24
        assert not unfinished(again.folder)
        shutil.rmtree(runs)
    else:
        pytest.fail(f"more than {MANY_STEPS} durable steps")
    assert step > 3 * 4


def test_every_part_is_synced_before_it_gets_its_name_and_the_name_before_the_next(tmp_path: Path):
    with power_cut(10**6, "before") as passed:
        filled(tmp_path, 3)
    renames = [place for place, (name, _) in enumerate(passed) if name == "rename"]
    assert len(renames) == 4
    for place in renames:
        path = passed[place][1]
        assert passed[place - 1] == ("sync", path)
        assert passed[place + 1] == ("sync", path.parent)


def test_a_killed_sweep_loses_at_most_the_batch_in_flight(
    tmp_path: Path, server: "subprocess.Popen[bytes]", undisturbed: Ledger
):
    steps = 0
    begun = Writer(server, "write", tmp_path / "whole")
    for sign in begun.signs():
        steps += sign == "."
    assert begun.reap() == ("", 0)
    draw = Random(5)
    killed = attempts = 0
    while killed < KILLS:
        attempts += 1
        assert attempts < 5 * KILLS
        runs = tmp_path / f"killed-{attempts}"
        writer = Writer(server, "write", runs)
        said, place = "", draw.randrange(steps)
        for sign in writer.signs():
            said += sign
            if said.count(".") > place:
                writer.kill()
                break
        rest, code = writer.reap()
        killed += code < 0
        told = (said + rest).count("+")
        if (folder := runs / "sweeps" / "ideas" / undisturbed.sweep_id / "sweep.json").is_file():
            kept = Ledger.open(folder.parent)
            assert told <= len(kept.parts()) <= told + 1
            assert kept.count == ROWS * len(kept.parts())
        else:
            assert told == 0
        again = Writer(server, "write", runs)
        list(again.signs())
        assert again.reap() == ("", 0)
        assert part_names(Ledger.open(folder.parent)) == part_names(undisturbed)
        assert not unfinished(folder.parent)


def test_a_second_writer_is_refused_and_readers_are_not(
    tmp_path: Path, server: "subprocess.Popen[bytes]"
):
    ledger = filled(tmp_path, 2)
    writer = Writer(server, "hold", tmp_path)
    assert "h" in writer.signs()
    with (
        pytest.raises(
            DataError, match=rf"locked ledger: process {writer.pid} is writing; wait until it has"
        ),
        ledger.writing(),
    ):
        pytest.fail("two writers")
    assert made_ledger(tmp_path).count == 16
    # The worker that the holder forked lives on, and the lock must not.
    writer.kill()
    writer.reap()
    assert filled(tmp_path, 3).count == 24


def test_two_processes_that_race_for_one_sweep_write_it_once(tmp_path: Path, undisturbed: Ledger):
    turn = refused = 0
    with writer_server(SERVER) as left, writer_server(SERVER) as right:
        while turn < 5 or not refused:
            turn += 1
            assert turn < 60, "the two were never there at once"
            runs = tmp_path / str(turn)
            begun = filled(runs, 1, ROWS) if turn % 2 else None
            racers = [Writer(server, "write", runs) for server in (left, right)]
            for racer in racers:
                list(racer.signs())
            codes = sorted(racer.reap()[1] for racer in racers)
            assert codes in ([0, 0], [0, 1])
            refused += codes[1]
            kept = begun or Ledger.open(runs / undisturbed.folder.relative_to(runs_of(undisturbed)))
            assert part_names(kept) == part_names(undisturbed)


def test_threads_of_one_process_keep_each_other_out(tmp_path: Path):
    ledger = filled(tmp_path, 1)
    rival = Ledger.open(ledger.folder)
    with ledger.writing():
        for other in (ledger, rival):
            with (
                pytest.raises(DataError, match=f"process {os.getpid()} is writing"),
                other.writing(),
            ):
                pytest.fail("two writers")
        ledger.append(batch_of(8, 8, 1))
    with rival.writing():
        rival.append(batch_of(16, 8, 2))
    assert ledger.count == 24


def test_a_forked_process_cannot_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ledger = filled(tmp_path, 1)
    with ledger.writing():
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ContractError, match="by the process that entered it"):
            ledger.append(batch_of(8, 8, 1))


def test_an_interrupt_ends_the_block_and_leaves_whole_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ledger = filled(tmp_path, 2)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with ledger.writing(), monkeypatch.context() as patch:
        patch.setattr(durable, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ledger.append(batch_of(16, 8, 2))
    assert not unfinished(ledger.folder)
    assert filled(tmp_path, 3).count == 24


def test_many_creators_make_one_sweep(tmp_path: Path):
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: made_ledger(tmp_path), range(12)))
    assert len({ledger.folder for ledger in made}) == 1
    assert all(ledger.sweep == made[0].sweep for ledger in made)


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_stop_while_an_opening_is_recorded_leaves_the_others(tmp_path: Path, moment: str):
    for step in range(MANY_STEPS):
        runs = tmp_path / str(step)
        record_opening(runs, "ideas", {"by": "first"})
        with power_cut(step, moment) as passed, suppress(PowerCutError):
            record_opening(runs, "ideas", {"by": "second"})
            assert len(passed) == step
            break
        kept = [opening["by"] for opening in openings(runs, "ideas")]
        assert kept in (["first"], ["first", "second"])
        assert record_opening(runs, "ideas", {"by": "third"}) == len(kept) + 1
    assert step > 3


def test_openings_of_many_threads_are_all_counted(tmp_path: Path):
    with ThreadPoolExecutor(6) as pool:
        numbers = list(
            pool.map(lambda turn: record_opening(tmp_path, "ideas", {"turn": turn}), range(24))
        )
    assert sorted(numbers) == list(range(1, 25))
    kept = openings(tmp_path, "ideas")
    assert {opening["turn"] for opening in kept} == set(range(24))
    assert all(numbers[opening["turn"]] == opening["number"] for opening in kept)
