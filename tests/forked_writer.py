"""A process that pays for the imports once and forks a writer for every request.

A request is a line ``<act> <folder>``. The writer's process number comes first; then one byte for every
durable step just before it happens, whatever its act writes itself, and ``!`` at the end, also after an
error. The next line that is read lets the server reap the writer, whose exit code comes after ``#``.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from datasets import durable
from tests.power_cut import STEPS

ROOT = Path(__file__).resolve().parents[1]


class Writer:
    """A writer in a process of its own."""

    def __init__(self, server: "subprocess.Popen[bytes]", act: str, folder: Path) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._in, self._out = server.stdin, server.stdout
        self._in.write(f"{act} {folder}\n".encode())
        self.pid = int(self._out.readline())

    def signs(self) -> Iterator[str]:
        """What it says as it goes on, a point for a durable step; ends when it is done."""
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
def writer_server(module: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A running server, ``module`` being one that calls :func:`serve`."""
    with subprocess.Popen(
        [sys.executable, "-m", module],
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


def serve(acts: Mapping[str, Callable[[Path], object]], *, silent: tuple[str, ...] = ()) -> None:
    """Answer requests until the input ends; acts in ``silent`` do not tell their steps."""
    for line in sys.stdin:
        act, folder = line.split()
        child = os.fork()
        if child == 0:
            os.write(1, f"{os.getpid()}\n".encode())
            status = 1
            try:
                if act not in silent:
                    for name in STEPS:
                        setattr(durable, name, _telling(getattr(durable, name)))
                acts[act](Path(folder))
                status = 0
            finally:
                os.write(1, b"!")
                os._exit(status)
        sys.stdin.readline()
        _, ended = os.waitpid(child, 0)
        os.write(1, f"#{os.waitstatus_to_exitcode(ended)}\n".encode())


def _telling(real: Callable[..., object]) -> Callable[..., object]:
    def step(*arguments: object) -> object:
        os.write(1, b".")
        return real(*arguments)

    return step
