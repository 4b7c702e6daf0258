"""A process that pays for the imports once and forks a writer of a ledger for every request.

A request is a line ``<act> <folder of the runs>``. The writer's process number comes first; then one
byte for every durable step just before it happens, ``+`` when a batch was appended, ``!`` at the end,
also after an error. The next line that is read lets the server reap the writer, whose exit code comes
after ``#``.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets import durable
from tests.power_cut import STEPS
from tests.test_experiments.test_sweeps.ledger_cases import batch_of, made_ledger

ROOT = Path(__file__).resolve().parents[3]
ROWS = 16
BATCHES = 6


def write(runs: Path) -> None:
    """Begin the ledger or go on with it until it has all of its batches."""
    ledger = made_ledger(runs)
    with ledger.writing():
        for batch in range(ledger.count // ROWS, BATCHES):
            ledger.append(batch_of(batch * ROWS, ROWS, batch))
            os.write(1, b"+")


def hold(runs: Path) -> None:
    """Hold the lock until killed, with a worker that lives on for a while."""
    with made_ledger(runs).writing():
        if os.fork() == 0:
            signal.pause()
        os.write(1, b"h")
        signal.pause()


ACTS: dict[str, Callable[[Path], None]] = {"write": write, "hold": hold}


class Writer:
    """A writer in a process of its own."""

    def __init__(self, server: "subprocess.Popen[bytes]", act: str, runs: Path) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._in, self._out = server.stdin, server.stdout
        self._in.write(f"{act} {runs}\n".encode())
        self.pid = int(self._out.readline())

    def signs(self) -> Iterator[str]:
        """What it says as it goes on; ends when it is done."""
        while (sign := self._out.read(1).decode()) != "!":
            yield sign

    def kill(self) -> None:
        """End it as the system does, whatever it is doing."""
        os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> tuple[str, int]:
        """Wait until it has ended: what else it said, and its exit code, negative for a signal."""
        self._in.write(b"reap\n")
        said = ""
        while (sign := self._out.read(1).decode()) != "#":
            assert sign, "the server died"
            said += sign
        return said, int(self._out.readline())


@contextmanager
def writer_server() -> "Iterator[subprocess.Popen[bytes]]":
    """A running server."""
    command = [sys.executable, "-m", "tests.test_experiments.test_sweeps.ledger_writer"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as server:
        try:
            yield server
        finally:
            # With every writer and worker that a failed test left behind.
            os.killpg(server.pid, signal.SIGKILL)


def _telling(real: Callable[..., object]) -> Callable[..., object]:
    def step(*arguments: object) -> object:
        os.write(1, b".")
        return real(*arguments)

    return step


def _serve() -> None:
    for name in STEPS:
        setattr(durable, name, _telling(getattr(durable, name)))
    for line in sys.stdin:
        act, runs = line.split()
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            status = 1
            try:
                ACTS[act](Path(runs))
                status = 0
            finally:
                os.write(1, b"!")
                os._exit(status)
        sys.stdin.readline()
        _, status = os.waitpid(child, 0)
        os.write(1, f"#{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    _serve()
