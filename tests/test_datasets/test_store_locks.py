"""Several writers and readers of one store at once."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from datasets import DatasetKey, Store, sql
from engine import DataError
from tests.forked_writer import Writer, writer_server
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, START_NS, bar_table, contents
from tests.test_datasets.store_writer import INDEX_KEY, OTHER_KEY, REWRITES, SERVER, index_table


@pytest.fixture(scope="module")
def server() -> "Iterator[subprocess.Popen[bytes]]":
    with writer_server(SERVER) as running:
        yield running


def held_elsewhere(server: "subprocess.Popen[bytes]", store: Store) -> Writer:
    """Another process that holds the lock of the bars until it is killed."""
    writer = Writer(server, "hold", store.root)
    assert "h" in writer.signs()
    return writer


def test_a_second_writer_is_refused_at_once_and_everyone_else_is_not(
    store: Store, server: "subprocess.Popen[bytes]"
) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    holder = held_elsewhere(server, store)
    before = contents(store.root)
    began = time.monotonic()
    for act in (
        lambda: store.write(BARS_KEY, bar_table(5), provenance={}),
        lambda: store.append(BARS_KEY, bar_table(5), provenance={}),
        store.compact,
        lambda: store.remove(BARS_KEY),
        lambda: store.record_quality(BARS_KEY, {}),
    ):
        with pytest.raises(
            DataError, match=rf"process {holder.pid}\) holds the lock of {BARS_KEY}"
        ):
            act()
    assert time.monotonic() - began < 2
    assert contents(store.root) == before
    assert len(store.read(BARS_KEY, START_NS, START_NS + 3 * HOUR_NS)) == 3
    assert store.verify() == ()
    assert store.write(OTHER_KEY, bar_table(5), provenance={}).changed
    with pytest.raises(DataError, match=f"process {holder.pid}"):
        Store(store.root, wait_seconds=0.1).write(BARS_KEY, bar_table(5), provenance={})
    os.kill(holder.pid, signal.SIGKILL)
    holder.reap()
    store.write(BARS_KEY, bar_table(5), provenance={})


def test_a_writer_that_waits_gets_its_turn(store: Store, server: "subprocess.Popen[bytes]") -> None:
    store.write(BARS_KEY, bar_table(9).slice(0, 5), provenance={})
    holder = held_elsewhere(server, store)
    threading.Timer(0.2, os.kill, (holder.pid, signal.SIGKILL)).start()
    patient = Store(store.root, wait_seconds=30)
    assert patient.write(BARS_KEY, bar_table(9), provenance={}).added_rows == 4
    holder.reap()


def test_stores_of_one_process_lock_each_other_and_a_block_does_not_lock_itself(
    store: Store,
) -> None:
    rival = Store(store.root)
    with store.writing([BARS_KEY]):
        with pytest.raises(DataError, match=rf"process {os.getpid()}\) holds the lock"):
            rival.write(BARS_KEY, bar_table(5), provenance={})
        with ThreadPoolExecutor(1) as pool, pytest.raises(DataError, match="holds the lock"):
            pool.submit(store.write, BARS_KEY, bar_table(5), provenance={}).result()
        store.write(BARS_KEY, bar_table(5), provenance={})
        with store.writing([BARS_KEY, OTHER_KEY]):
            store.write(OTHER_KEY, bar_table(5), provenance={})
        rival.write(OTHER_KEY, bar_table(5), provenance={"file": "b"})
    assert rival.write(BARS_KEY, bar_table(5), provenance={"file": "b"}).changed


def test_the_lock_is_free_after_a_failed_write(store: Store) -> None:
    with pytest.raises(DataError, match="unsorted"):
        store.write(BARS_KEY, bar_table(5).take([1, 0]), provenance={})
    Store(store.root).write(BARS_KEY, bar_table(5), provenance={})


def test_threads_that_append_to_one_data_set_lose_nothing(store: Store) -> None:
    table = bar_table(60)
    patient = Store(store.root, wait_seconds=60)

    def append(place: int) -> None:
        patient.append(BARS_KEY, table.slice(3 * place, 3), provenance={})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(20)))
    patient.compact()
    assert store.verify() == store.leftovers() == ()
    once = Store(store.root.with_name("once"))
    once.write(BARS_KEY, table, provenance={})
    assert contents(store.root) == contents(once.root)


def test_writers_of_several_data_sets_in_opposite_orders_do_not_block_each_other(
    store: Store,
) -> None:
    keys = [
        DatasetKey("ohlcv", "binance", "spot", symbol, "1h", "test") for symbol in ("A", "B", "C")
    ]
    patient = Store(store.root, wait_seconds=60)

    def write(turn: int) -> None:
        order = keys if turn % 2 else keys[::-1]
        with patient.writing(order):
            for key in order:
                patient.write(key, bar_table(5), provenance={"turn": turn})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(16)))
    assert all(len(info.provenance) == 16 for info in store.datasets())


def test_readers_never_see_a_mixture_while_another_process_rewrites(
    store: Store, server: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    store.write(INDEX_KEY, index_table(0), provenance={})
    writer = Writer(server, "rewrite", store.root)
    done = threading.Event()
    queries = 0

    def read(columns: list[str] | None) -> tuple[int, int]:
        reads, latest = 0, 0.0
        while not done.is_set():
            seen = set(store.read(INDEX_KEY, columns=columns)["value"].to_pylist())
            assert len(seen) == 1, "two versions at once"
            (version,) = seen
            assert version >= latest, "an older version after a newer one"
            reads, latest = reads + 1, version
        return reads, int(latest)

    def check() -> int:
        rounds = 0
        while not done.is_set():
            assert store.verify() == ()
            store.export(INDEX_KEY, tmp_path / "rows.csv")
            low, high = sql(store, "SELECT min(value), max(value) FROM fear_greed").iloc[0]
            assert low == high
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read, None), pool.submit(read, ["value"])]
        queries = pool.submit(check)
        try:
            assert list(writer.signs()) == []
        finally:
            done.set()
        assert all(reader.result()[0] > 10 for reader in readers)
        assert queries.result() > 0
    assert writer.reap() == ("", 0)
    assert set(store.read(INDEX_KEY)["value"].to_pylist()) == {float(REWRITES)}
    assert store.leftovers() == ()
