"""Evaluating in other processes of this machine."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Final

from ..evaluate import Evaluated
from .assignment import Assignment
from .dispatch import Answer, Lost, Ready, Refused, Report
from .protocol import Values

_PROGRAM: Final = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from experiments.sweeps.executors.worker import work; work(int(sys.argv[1]))"
)
_SECONDS_TO_END: Final = 10.0


@dataclass(slots=True, eq=False)
class _Worker:
    process: "subprocess.Popen[bytes]"
    connection: Connection


@dataclass(slots=True, eq=False)
class ProcessCrew:
    """Processes that begin from nothing: no thread, lock or open file of this one is copied.

    They import this module's package and never the program that runs the sweep, so it needs no guard
    around its main part. Each is in a process group of its own: Ctrl-C reaches the driver alone, which
    finishes the batch. A worker whose driver is gone ends after its chunk.
    """

    assignment: Assignment
    size: int
    _workers: dict[int, _Worker] = field(default_factory=dict, repr=False)

    def begin(self, place: int) -> None:
        """Start a process, which loads the market and says so."""
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), *sys.path],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                process_group=0,
            )
        self._workers[place] = _Worker(process, ours)
        with contextlib.suppress(OSError):  # one that is gone already is heard of in `hear`
            ours.send(self.assignment)

    def give(self, place: int, chunk: Values) -> None:
        """Send a chunk."""
        with contextlib.suppress(OSError):
            self._workers[place].connection.send(chunk)

    def hear(self) -> Sequence[Report]:
        """Wait for an answer, or for the end of a process."""
        places = {worker.connection: place for place, worker in self._workers.items()}
        return [self._report(places[one]) for one in wait(list(places)) if one in places]

    def end(self) -> None:
        """End every process and wait for it."""
        for worker in self._workers.values():
            worker.process.terminate()
        for worker in self._workers.values():
            self._reap(worker)
        self._workers.clear()

    def process_ids(self) -> tuple[int, ...]:
        """The processes by place."""
        return tuple(self._workers[place].process.pid for place in sorted(self._workers))

    def _report(self, place: int) -> Report:
        worker = self._workers[place]
        try:
            heard = worker.connection.recv()
        except (EOFError, OSError):
            del self._workers[place]
            return Lost(place, self._reap(worker))
        if isinstance(heard, Evaluated):
            return Answer(place, heard)
        return Ready(place) if heard is None else Refused(place, str(heard))

    @staticmethod
    def _reap(worker: _Worker) -> str:
        """Wait for a process that ends, by force if need be; how it ended, in words."""
        worker.connection.close()
        process = worker.process
        try:
            code = process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        if code < 0:
            return f"process {process.pid} was ended by {signal.Signals(-code).name}"
        return f"process {process.pid} ended with exit code {code}"
