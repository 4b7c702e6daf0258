"""Stops at every durable step of every operation, and real kills while they write."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from datasets import DatasetKey, Store, Write, durable
from engine import DataError
from tests.forked_writer import Writer, writer_server
from tests.power_cut import PowerCutError, power_cut
from tests.test_datasets.sample_files import BARS_KEY, bar_table, contents, utc_ns
from tests.test_datasets.store_writer import ACTS, OTHER_KEY, SERVER, first_write, scattered

NEW_YEAR = utc_ns("2021-12-31 12:00")
MANY_STEPS = 400
KILLS = 20
PLACES_APART = 7919
"""A prime, so that the kills are spread over all steps."""
Act = Callable[[Store], object]


def small(store: Store) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR).slice(0, 14), provenance={"file": "a"})


def small_scattered(store: Store) -> None:
    for first in range(0, 20, 5):
        table = bar_table(24, start_ns=NEW_YEAR).slice(first, 5)
        store.append(BARS_KEY, table, provenance={"file": "a"})
    store.record_quality(BARS_KEY, {"spikes": []})


def small_write(store: Store) -> None:
    table = bar_table(24, start_ns=NEW_YEAR)
    store.write_all([Write(BARS_KEY, table, {"file": "b"}), Write(OTHER_KEY, table, {"file": "b"})])


def small_append(store: Store) -> None:
    store.append(BARS_KEY, bar_table(24, start_ns=NEW_YEAR).slice(10), provenance={"file": "a"})


def small_remove(store: Store) -> None:
    # The repeat of a removal that was stopped after its last step has nothing left to do.
    keys = store.keys()
    if BARS_KEY in keys or store.leftovers():
        store.remove(BARS_KEY)


def nothing(_: Store) -> None:
    """A store that does not exist yet."""


def rows_of(store: Store) -> dict[DatasetKey, pa.Table]:
    keys = store.keys()
    return {key: store.read(key) for key in keys}


def assert_each_is_one_of(seen: Store, *states: Store) -> None:
    """Every data set is as it is in one of the states, its absence included."""
    now, known = rows_of(seen), [rows_of(state) for state in states]
    for key in {*now, *(key for state in known for key in state)}:
        assert any(
            (key in state) == (key in now) and (key not in now or state[key].equals(now[key]))
            for state in known
        ), key


OPERATIONS = {
    "first write": (nothing, small_write),
    "write": (small, small_write),
    "append": (small, small_append),
    "append to several parts": (small_scattered, small_append),
    "compact": (small_scattered, lambda store: store.compact()),
    "remove": (small_scattered, small_remove),
    "quality": (small, lambda store: store.record_quality(BARS_KEY, {"spikes": [1]})),
}


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_stop_at_every_step_leaves_old_or_new_and_a_repeat_completes(
    tmp_path: Path, name: str, moment: str
) -> None:
    prepare, act = OPERATIONS[name]
    old, new = Store(tmp_path / "old"), Store(tmp_path / "new")
    prepare(old)
    prepare(new)
    act(new)
    for step in range(MANY_STEPS):
        store = Store(tmp_path / "cut")
        prepare(store)
        with power_cut(step, moment) as passed, suppress(PowerCutError):
            act(store)
            assert len(passed) == step
            break
        after = Store(store.root)
        assert after.verify() == ()
        assert_each_is_one_of(after, old, new)
        act(after)
        assert after.verify() == after.leftovers() == ()
        assert contents(after.root) == contents(new.root)
        shutil.rmtree(store.root)
    else:
        pytest.fail(f"more than {MANY_STEPS} durable steps")
    assert step > 3


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_file_is_synced_before_it_gets_its_name_and_the_name_before_the_next_step(
    store: Store, name: str
) -> None:
    prepare, act = OPERATIONS[name]
    prepare(store)
    with power_cut(10**6, "before") as passed:
        act(store)
    for place, (step, path) in enumerate(passed):
        if step == "rename":
            assert passed[place - 1] == ("sync", path)
            assert passed[place + 1] == ("sync", path.parent)
        if step == "make_one_folder":
            assert passed[place + 1] == ("sync", path.parent)
        # A part goes only when the manifest that no longer names it is durable.
        if step == "unlink" and path.suffix == ".parquet":
            before, folder = passed[place - 1]
            assert before == "unlink" or (before == "sync" and "_manifest" in folder.parts)


@pytest.fixture(scope="module")
def server() -> "Iterator[subprocess.Popen[bytes]]":
    with writer_server(SERVER) as running:
        yield running


@pytest.mark.parametrize(
    ("act", "prepare"),
    [
        ("write", first_write),
        ("append", first_write),
        ("compact", scattered),
        ("remove", scattered),
    ],
)
def test_killed_writers_leave_a_sound_store_and_a_repeat_completes(
    tmp_path: Path, server: "subprocess.Popen[bytes]", act: str, prepare: Act
) -> None:
    old, new = Store(tmp_path / "old"), Store(tmp_path / "new")
    prepare(old)
    shutil.copytree(old.root, new.root)
    undisturbed = Writer(server, act, new.root)
    steps = sum(1 for _ in undisturbed.signs())
    assert undisturbed.reap() == ("", 0)
    killed = attempts = 0
    # A kill that comes too late, because the writer is done, is no kill: the next attempt makes up.
    while killed < KILLS:
        store = Store(tmp_path / "killed")
        shutil.copytree(old.root, store.root)
        writer = Writer(server, act, store.root)
        place = attempts * PLACES_APART % steps
        for number, _ in enumerate(writer.signs()):
            if number == place:
                writer.kill()
                break
        killed += writer.reap()[1] == -signal.SIGKILL
        assert store.verify() == ()
        if act != "append":
            assert_each_is_one_of(store, old, new)
        with suppress(DataError):
            ACTS[act](store)
        assert store.verify() == store.leftovers() == ()
        assert contents(store.root) == contents(new.root)
        shutil.rmtree(store.root)
        attempts += 1
        assert attempts < 5 * KILLS


def test_an_interrupt_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    small(store)
    before = contents(store.root)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(durable, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            small_write(store)
    assert contents(store.root) == before
    small_write(store)
