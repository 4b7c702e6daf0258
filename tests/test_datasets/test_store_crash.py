"""Interrupts at every step of a write, real kills, and two writers at once."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datasets import DatasetKey, Store, Write, durable, import_files
from engine import DataError
from tests.test_datasets.sample_files import (
    BARS_KEY,
    FUNDING_KEY,
    HOUR_NS,
    bar_table,
    contents,
    funding_table,
    klines12,
    utc_ns,
    write_parquet,
)

ROOT = Path(__file__).resolve().parents[2]
NEW_YEAR = utc_ns("2021-12-31 12:00")
OTHER_KEY = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")
STEPS = 60


class PowerCutError(BaseException):
    """The machine goes off: no handler may tidy up after it."""


@contextmanager
def power_cut(at_step: int, *, before: bool) -> Iterator[list[str]]:
    """Go off at the given durable step, before or after it happens; yields the steps that passed."""
    passed: list[str] = []
    is_off = False

    def cutting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            nonlocal is_off
            if is_off:
                raise PowerCutError
            if len(passed) == at_step and before:
                is_off = True
                raise PowerCutError
            result = real(*arguments, **options)
            passed.append(name)
            if len(passed) > at_step:
                is_off = True
                raise PowerCutError
            return result

        return step

    def no_unlink(path: Path, *, missing_ok: bool = False) -> None:
        if is_off:
            raise PowerCutError
        os.unlink(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable.os, "replace", cutting("replace", os.replace))
        patch.setattr(durable.os, "fsync", cutting("fsync", os.fsync))
        patch.setattr(Path, "unlink", no_unlink)
        yield passed


def first_write(store: Store) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR).slice(0, 18), provenance={"file": "a"})


def second_write(store: Store) -> None:
    store.write_all(
        [
            Write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), {"file": "b"}),
            Write(OTHER_KEY, bar_table(24, start_ns=NEW_YEAR), {"file": "b"}),
        ]
    )


@pytest.mark.parametrize("before", [True, False])
def test_power_cut_at_every_step_leaves_old_or_new_and_a_repeat_completes(
    tmp_path: Path, before: bool
) -> None:
    whole = Store(tmp_path / "whole")
    first_write(whole)
    second_write(whole)
    with whole.writing():
        pass
    seen_rows: set[tuple[int, ...]] = set()
    for step in range(STEPS):
        store = Store(tmp_path / f"cut-{step}")
        first_write(store)
        finished = False
        with power_cut(step, before=before) as passed:
            try:
                second_write(store)
                finished = True
            except PowerCutError:
                pass
        if finished:
            assert len(passed) == step
            break
        after = Store(store.root)
        assert after.verify() == ()
        seen_rows.add(tuple(info.rows for info in after.datasets()))
        second_write(after)
        with after.writing():
            pass
        assert contents(after.root) == contents(whole.root)
    else:
        pytest.fail(f"the write takes more than {STEPS} durable steps")
    assert seen_rows == {(18,), (24,), (24, 24)}


def test_every_part_and_manifest_is_synced_before_its_name_and_the_folder_after(
    store: Store,
) -> None:
    with power_cut(10**6, before=True) as passed:
        first_write(store)
    text = " ".join(passed)
    # The file, the rename, the folder: two parts and, last, the manifest.
    assert text.endswith("fsync replace fsync")
    assert text.count("fsync replace fsync") == 2 + 1


CHILD = """
import os, signal, sys, time
# A test run in the background may have left us deaf to interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
from datasets import Store, durable, import_files
real, calls = os.replace, 0
def slow(a, b):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        print("here", flush=True)
        time.sleep(60)
    real(a, b)
durable.os.replace = slow
import_files(Store(sys.argv[1]), [sys.argv[2]])
"""


@contextmanager
def importer_held_at(store: Store, path: Path, rename: int) -> Iterator[subprocess.Popen[str]]:
    """An import in another process that waits just before its n-th rename."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(store.root), str(path), str(rename)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line == "here\n", child.communicate()[1]
        yield child
    finally:
        child.kill()
        child.communicate()


@pytest.mark.parametrize(("name", "rename"), [("SIGKILL", 2), ("SIGINT", 3)])
def test_killed_import_leaves_a_sound_store(tmp_path: Path, name: str, rename: int) -> None:
    path = write_parquet(
        tmp_path / "binance_spot_klines12_1h.parquet", klines12(("BTCUSDT", "ETHUSDT"))
    )
    store = Store(tmp_path / "store")
    with importer_held_at(store, path, rename) as child:
        with pytest.raises(DataError, match=rf"process {child.pid}\) holds the lock"):
            import_files(store, [path])
        child.send_signal(getattr(signal, name))
        child.wait(timeout=20)
        assert child.returncode != 0
    assert store.verify() == ()
    leftovers = [p for p in store.root.rglob("*") if p.name.startswith(".tmp-")]
    assert len(leftovers) == (1 if name == "SIGKILL" else 0)
    import_files(store, [path])
    whole = Store(tmp_path / "whole")
    import_files(whole, [path])
    assert contents(store.root) == contents(whole.root)
    assert store.verify() == ()


def test_a_second_writer_is_refused_at_once_and_readers_are_not(store: Store) -> None:
    first_write(store)
    rival = Store(store.root)
    with store.writing():
        with pytest.raises(DataError, match="another writer"):
            rival.write(OTHER_KEY, bar_table(5), provenance={})
        assert len(rival.read(BARS_KEY, NEW_YEAR, NEW_YEAR + 5 * HOUR_NS)) == 5
        assert rival.verify() == ()
        store.write(OTHER_KEY, bar_table(5), provenance={})
    rival.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), provenance={})
    assert [info.rows for info in store.datasets()] == [24, 5]


def test_a_full_disk_is_a_data_error_that_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_write(store)
    before = contents(store.root)

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "replace", full)
        with pytest.raises(DataError, match=r"part-.*parquet: cannot be written: No space left"):
            second_write(store)
    assert contents(store.root) == before
    (store.root / "funding").write_text("a file where a folder belongs")
    with pytest.raises(DataError, match="cannot be written"):
        store.write(FUNDING_KEY, funding_table([NEW_YEAR], [1e-4]), provenance={})


def test_the_lock_is_free_after_a_failed_write(store: Store) -> None:
    with pytest.raises(DataError, match="unsorted"):
        store.write(BARS_KEY, bar_table(5).take([1, 0]), provenance={})
    Store(store.root).write(BARS_KEY, bar_table(5), provenance={})
