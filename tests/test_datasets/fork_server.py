"""A process that pays for the imports once and forks a writer for every request.

A request is a line ``<act> <folder of the store>``. The writer's process number comes first, then one
byte for every durable step just before it happens, then ``!`` when the act is done. The next line
that is read lets the server reap the writer.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from datasets import DatasetKey, Store, Write, durable
from tests.power_cut import STEPS
from tests.test_datasets.sample_files import BARS_KEY, HOUR_NS, bar_table, utc_ns

ROOT = Path(__file__).resolve().parents[2]
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


class Writer:
    """A writer in a process of its own."""

    def __init__(self, server: "subprocess.Popen[bytes]", act: str, root: Path) -> None:
        self._server = server
        self._say(f"{act} {root}")
        assert server.stdout is not None
        self._out = server.stdout
        self.pid = int(self._out.readline())

    def steps(self) -> Iterator[str]:
        """Its durable steps as they come; ends when it is done, or dead."""
        while (step := self._out.read(1).decode()) not in ("!", "#"):
            yield step

    def reap(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""
        self._say("reap")
        while (byte := self._out.read(1)) != b"#":
            assert byte, "the fork server died"
        return int(self._out.readline())

    def _say(self, line: str) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(line.encode() + b"\n")


@contextmanager
def fork_server() -> "Iterator[subprocess.Popen[bytes]]":
    """A running server."""
    command = [sys.executable, "-m", "tests.test_datasets.fork_server"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as server:
        yield server


def _run(act: str, root: str) -> None:
    def told(real: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object) -> object:
            os.write(1, b".")
            return real(*arguments)

        return step

    if act != "rewrite":
        for name in STEPS:
            setattr(durable, name, told(getattr(durable, name)))
    ACTS[act](Store(root))
    os.write(1, b"!")


def _serve() -> None:
    for line in sys.stdin:
        act, root = line.split()
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            status = 1
            try:
                _run(act, root)
                status = 0
            finally:
                os._exit(status)
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        os.write(1, f"#{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    _serve()
