"""Writers of a store for ``tests.forked_writer``: ``h`` when a lock is held."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa

from datasets import DatasetKey, Store, Write
from tests.forked_writer import serve
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, bar_table, utc_ns

SERVER = "tests.test_datasets.store_writer"
OTHER_KEY = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")
INDEX_KEY = DatasetKey("fear_greed", "alternative", "sentiment", "CRYPTO", "1d", "test")
BARS = bar_table(3 * 8766, start_ns=utc_ns("2019-06-01 00:00"))
REWRITES = 150


def first_write(store: Store) -> None:
    """The state before an act: half of the bars, in one part for each year."""
    store.write(BARS_KEY, BARS.slice(0, len(BARS) // 2), provenance={"file": "a"})


def write(store: Store) -> None:
    """What an import does: one data set grows, another begins, four periods change."""
    store.write_all([Write(BARS_KEY, BARS, {"file": "a"}), Write(OTHER_KEY, BARS, {"file": "b"})])


def scattered(store: Store) -> None:
    """The state before a compaction: many parts in every year."""
    for first in range(0, len(BARS), 2500):
        store.append(BARS_KEY, BARS.slice(first, 2500), provenance={"file": "a"})


def append(store: Store) -> None:
    """What a download does: the rest of the bars in several batches."""
    for first in range(len(BARS) // 2 - 10, len(BARS), 4000):
        store.append(BARS_KEY, BARS.slice(first, 4000), provenance={"file": "a"})


def index_table(version: int, days: int = 400) -> pa.Table:
    """Rows of two years that all state the same number."""
    stamps = [utc_ns("2020-12-01 00:00") + 24 * HOUR_NS * day for day in range(days)]
    return pa.table({"event_time": pa.array(stamps), "value": [float(version)] * days})


def rewrite(store: Store) -> None:
    """Replace every value of both years, again and again."""
    for version in range(1, REWRITES + 1):
        store.write(INDEX_KEY, index_table(version), provenance={}, on_conflict="replace")


def hold(store: Store) -> None:
    """Hold the lock of a data set until killed."""
    with store.writing([BARS_KEY]):
        os.write(1, b"h")
        signal.pause()


ACTS: dict[str, Callable[[Store], object]] = {
    "write": write,
    "append": append,
    "compact": lambda store: store.compact(),
    "remove": lambda store: store.remove(BARS_KEY),
    "rewrite": rewrite,
    "hold": hold,
}


def _at(act: Callable[[Store], object], folder: Path) -> None:
    act(Store(folder))


if __name__ == "__main__":
    serve({name: partial(_at, act) for name, act in ACTS.items()}, silent=("rewrite",))
