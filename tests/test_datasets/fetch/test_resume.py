"""Stopping a fetch anywhere: nothing is lost, and a repetition ends in the same bytes."""

import errno
import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from datasets import DatasetKey, Store, durable
from datasets.fetch import FetchJob, dataset
from datasets.fetch.checkpoint import Checkpoint, checkpoint_path, fetching, read_checkpoint
from engine import DataError
from tests.exchange_servers import ExchangeServer
from tests.exchange_servers.binance import kline
from tests.exchange_servers.truth import DAY_MS, HOUR_MS
from tests.test_datasets.fetch.truth_tables import (
    MS_NS,
    NOW_MS,
    contents,
    expected,
    fetched,
    job,
    small_world,
    stored,
)

ROOT = Path(__file__).resolve().parents[3]
ONE = job("okx", "linear_perp", "ohlcv", days=30)
METRICS = job("bybit", "linear_perp", "metrics", days=20)
ARCHIVED = "data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2023-10-30.zip"
ARCHIVE = job(
    "binance",
    "spot",
    "ohlcv",
    days=0,
    start_ns=1_698_624_000_000 * MS_NS,
    end_ns=1_698_969_600_000 * MS_NS,
    archive=True,
)
"""Four days from 2023-10-30."""
KILLS = 20


class PowerCutError(BaseException):
    """The machine goes off: no handler may tidy up after it."""


@contextmanager
def power_cut(at_step: int) -> Iterator[list[str]]:
    """Go off at the given durable step; yields the steps that passed."""
    passed: list[str] = []

    def cutting(name: str, real: Any) -> Any:
        def step(*arguments: Any, **options: Any) -> Any:
            if len(passed) >= at_step:
                raise PowerCutError
            result = real(*arguments, **options)
            passed.append(name)
            return result

        return step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable.os, "replace", cutting("replace", os.replace))
        patch.setattr(durable.os, "fsync", cutting("fsync", os.fsync))
        yield passed


@pytest.fixture(scope="module")
def server() -> Iterator[ExchangeServer]:
    with ExchangeServer(small_world()) as running:
        archived(running)
        yield running


def archived(server: ExchangeServer) -> None:
    """Put the days of ARCHIVE into the archive."""
    for first_ms in range(ARCHIVE.start_ns // MS_NS, ARCHIVE.end_ns // MS_NS, DAY_MS):
        label = f"{datetime.fromtimestamp(first_ms / 1000, UTC):%Y-%m-%d}"
        hours = range(first_ms, first_ms + DAY_MS, HOUR_MS)
        rows = [",".join(map(str, kline(server.world, "BTCUSDT", t, HOUR_MS))) for t in hours]
        server.archive.add(ARCHIVED.replace("2023-10-30", label), rows)


@pytest.fixture(scope="module")
def whole(server: ExchangeServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    store = Store(tmp_path_factory.mktemp("whole") / "store")
    (report,) = fetched(server, store, ONE)
    assert stored(store, report.key) == expected(server.world, "okx", "ohlcv", NOW_MS - 30 * DAY_MS)
    return contents(store.root)


@pytest.mark.parametrize("one", [ONE, METRICS, ARCHIVE], ids=["bars", "metrics", "archive"])
def test_a_stop_at_every_durable_step_loses_nothing(
    server: ExchangeServer, one: FetchJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every second batch is followed by a compaction, which is among what is stopped.
    monkeypatch.setattr(dataset, "APPENDS_PER_COMPACTION", 2)
    undisturbed = Store(tmp_path / "undisturbed")
    (report,) = fetched(server, undisturbed, one)
    assert (report.status, report.error) == ("complete", None)
    whole = contents(undisturbed.root)
    steps = 0
    for step in itertools.count():
        store = Store(tmp_path / f"cut-{step}")
        with power_cut(step) as passed:
            try:
                fetched(server, store, one)
            except PowerCutError:
                pass
            else:
                steps = len(passed)
                break
        assert Store(store.root).verify() == ()
        (report,) = fetched(server, Store(store.root), one)
        assert report.status == "complete"
        assert contents(store.root) == whole, step
        shutil.rmtree(store.root)
    assert steps == step > 20


def test_a_full_disk_is_named_and_the_same_command_goes_on(
    server: ExchangeServer, whole: dict[str, bytes], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    others = job("bybit", "spot", "ohlcv", days=2)
    calls = 0

    def full(descriptor: int, data: memoryview) -> int:
        nonlocal calls
        calls += 1
        if calls > 8:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data[: len(data) // 2 + 1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "write", full)
        reports = fetched(server, store, ONE, others)
    assert {report.status for report in reports} == {"failed"}
    assert "No space left on device" in reports[0].error
    assert Store(store.root).verify() == ()
    (report, _) = fetched(server, store, ONE, others)
    assert report.status == "complete"
    ours = {name: data for name, data in contents(store.root).items() if "bybit" not in name}
    assert ours == whole


@pytest.mark.parametrize(
    ("address", "one"),
    [
        ("/api/v5/public/instruments", ONE),
        ("/api/v5/public/time", ONE),
        ("/api/v5/market/candles", ONE),
        ("/archive", ARCHIVE),
        (f"/archive/{ARCHIVED}", ARCHIVE),
    ],
)
def test_ctrl_c_ends_what_is_awaited_in_every_phase(
    address: str, one: FetchJob, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    with ExchangeServer(small_world(), slow_seconds=30.0) as server:
        archived(server)
        server.faults.script(address, ["slow"])
        settings = {
            name: server.settings(name) | {"timeout": 60_000} for name in ("okx", "binance")
        }
        waiting = threading.Thread(target=interrupted_when_asked, args=(server, address))
        waiting.start()
        began = time.monotonic()
        (report,) = fetched(server, store, one, settings=settings)
        assert time.monotonic() - began < 10
        waiting.join()
        assert (report.status, report.error) == ("interrupted", None)
        (report,) = fetched(server, store, one)
    assert report.status == "complete"


def interrupted_when_asked(server: ExchangeServer, address: str) -> None:
    until = time.monotonic() + 10
    while not server.requests[address] and time.monotonic() < until:
        time.sleep(0.01)
    if server.requests[address]:
        os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_ends_a_pause_before_a_repetition(tmp_path: Path) -> None:
    with ExchangeServer(small_world()) as server:
        address = "/api/v5/market/candles"
        server.retry_after = "60"
        server.faults.script(address, ["status_429"])
        waiting = threading.Thread(target=interrupted_when_asked, args=(server, address))
        waiting.start()
        began = time.monotonic()
        (report,) = fetched(server, Store(tmp_path / "store"), ONE)
        waiting.join()
    assert time.monotonic() - began < 10
    assert report.status == "interrupted"


NURSERY = """
import json, os, sys, time
import ccxt.async_support
from datasets import Store, durable
from datasets.fetch import FetchJob, FetchRules, RetryRules, fetch

for line in sys.stdin:
    told = json.loads(line)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print("gone", flush=True)
        continue
    calls = 0
    def slow(real):
        def step(*arguments):
            global calls
            calls += 1
            if calls == told["step"]:
                print(os.getpid(), flush=True)
                time.sleep(60)
            return real(*arguments)
        return step
    durable.os.replace, durable.os.fsync = slow(os.replace), slow(os.fsync)
    fetch(
        Store(told["store"]),
        [FetchJob(**told["job"])],
        FetchRules(settings=told["settings"], retry=RetryRules(first_wait_seconds=0.001)),
    )
    os._exit(0)
"""


def test_twenty_kills_while_it_writes(
    server: ExchangeServer, whole: dict[str, bytes], tmp_path: Path
) -> None:
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    try:
        for kill in range(KILLS):
            store = Store(tmp_path / f"kill-{kill}")
            told = {
                "store": str(store.root),
                "step": 1 + kill,
                "settings": {"okx": server.settings("okx")},
                "job": {
                    "exchange": ONE.exchange,
                    "symbols": ONE.symbols,
                    "start_ns": ONE.start_ns,
                    "kinds": ONE.kinds,
                },
            }
            nursery.stdin.write(json.dumps(told) + "\n")
            nursery.stdin.flush()
            os.kill(int(nursery.stdout.readline()), signal.SIGKILL)
            assert nursery.stdout.readline() == "gone\n"
            assert Store(store.root).verify() == ()
            fetched(server, store, ONE)
            assert contents(store.root) == whole, kill
    finally:
        nursery.kill()
        nursery.communicate()


def test_ctrl_c_finishes_the_batch_and_the_same_command_goes_on(
    server: ExchangeServer, whole: dict[str, bytes], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    seen: list[int] = []

    def interrupt(progress: Any) -> None:
        seen.append(progress.rows)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    from datasets.fetch import FetchRules, fetch

    rules = FetchRules(settings={"okx": server.settings("okx")})
    (report,) = fetch(store, [ONE], rules, on_progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert report.status == "interrupted"
    assert report.error is None
    assert 0 < report.rows == len(stored(store, report.key)) < 600
    asked = read_checkpoint(store.root, report.key).asked
    assert len(asked) == 1
    (report,) = fetched(server, store, ONE)
    assert report.status == "complete"
    assert contents(store.root) == whole


def test_what_was_asked_is_not_asked_again_and_a_longer_period_only_adds(
    server: ExchangeServer, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    middle = job("bybit", "spot", "ohlcv", days=10, end_ns=(NOW_MS - 5 * DAY_MS) * MS_NS)
    (first,) = fetched(server, store, middle)
    (again,) = fetched(server, store, middle)
    assert (again.status, again.requests, again.rows) == ("complete", 0, 0)
    (longer,) = fetched(server, store, job("bybit", "spot", "ohlcv", days=15))
    assert longer.added_rows == longer.rows
    assert len(stored(store, first.key)) == first.rows + longer.rows
    assert stored(store, first.key) == expected(
        server.world, "bybit", "ohlcv", NOW_MS - 15 * DAY_MS
    )
    assert len(read_checkpoint(store.root, first.key).asked) == 1


def test_a_removed_data_set_is_fetched_anew(server: ExchangeServer, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (first,) = fetched(server, store, ONE)
    store.remove(first.key)
    (again,) = fetched(server, store, ONE)
    assert again.rows == first.rows


def test_changed_values_are_revisions_known_from_the_fetch(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with ExchangeServer(small_world()) as server:
        (first,) = fetched(server, store, ONE)
        truth = stored(store, first.key)
        original = type(server.world).bar

        def changed(world: Any, symbol: str, open_ms: int, step_ms: int) -> Any:
            return original(
                world, f"{symbol}-revised" if open_ms % 7 == 0 else symbol, open_ms, step_ms
            )

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(server.world), "bar", changed)
            (second,) = fetched(server, store, ONE, again=True)
            (third,) = fetched(server, store, ONE, again=True)
    revised = [time for time, _ in truth if time % 7 == 0]
    assert second.added_rows == len(revised) > 0
    assert second.conflicts
    # Nothing has changed since: the revision is not stored a second time.
    assert (third.added_rows, third.conflicts) == (0, ())
    before = store.read(first.key, as_of_ns=NOW_MS * MS_NS - 1)
    assert len(before) == len(truth)
    assert len(store.read(first.key)) == len(truth) + len(revised)


def test_two_fetches_of_one_data_set_at_once(server: ExchangeServer, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    reports: list[Any] = []
    threads = [
        threading.Thread(target=lambda: reports.extend(fetched(server, Store(store.root), ONE)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.status for report in reports) in (
        ["complete", "complete"],
        ["complete", "failed"],
    )
    for report in reports:
        if report.status == "failed":
            assert f"process {os.getpid()} is fetching" in report.error
    complete = next(report for report in reports if report.status == "complete")
    truth = expected(server.world, "okx", "ohlcv", NOW_MS - 30 * DAY_MS)
    assert stored(store, complete.key) == truth


def test_a_second_fetch_is_refused_with_the_process_that_has_it(
    server: ExchangeServer, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    (first,) = fetched(server, store, ONE)
    with fetching(store.root, [first.key]):
        (second,) = fetched(server, store, ONE)
    assert second.status == "failed"
    assert f"process {os.getpid()} is fetching" in second.error


def test_the_process_is_named_also_in_the_moment_after_it_took_the_lock(tmp_path: Path) -> None:
    key = DatasetKey("ohlcv", "okx", "spot", "BTCUSDT", "1h", "api")
    path = checkpoint_path(tmp_path, key)
    path.parent.mkdir(parents=True)
    with path.with_name(f".{path.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        naming = threading.Timer(0.1, lambda: os.pwrite(held.fileno(), b"4711\n", 0))
        naming.start()
        with pytest.raises(DataError, match="process 4711 is fetching"), fetching(tmp_path, [key]):
            pass
        naming.join()


def test_a_damaged_checkpoint_is_refused(server: ExchangeServer, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (first,) = fetched(server, store, ONE)
    path = checkpoint_path(store.root, first.key)
    for text in ("", "{", "[]", '{"version": 9}', '{"version": 1}'):
        path.write_text(text)
        with pytest.raises(DataError, match="delete the file"):
            read_checkpoint(store.root, first.key)


def test_asked_periods_merge() -> None:
    found = Checkpoint().after(10, 20, has_rows=False).after(40, 50, has_rows=True)
    assert found.asked == ((10, 20), (40, 50))
    assert found.has_rows
    assert found.open_periods(0, 60) == [(0, 10), (20, 40), (50, 60)]
    assert found.open_periods(12, 45) == [(20, 40)]
    assert found.open_periods(12, 18) == []
    assert found.after(20, 40, has_rows=False).asked == ((10, 50),)
    assert found.after(5, 5, has_rows=False).asked == found.asked
