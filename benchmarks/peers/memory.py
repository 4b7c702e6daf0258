"""Peak resident memory of a piece of work, in a process of its own."""

import multiprocessing
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Peak resident megabytes up to the start of the work, and with it."""

    before_mb: float
    peak_mb: float


def _nothing() -> None:
    """Prepare nothing."""


def peak_memory(work: Callable[[], object], prepare: Callable[[], object] = _nothing) -> Memory:
    """Run ``prepare`` (imports, compilation) and then ``work``, both pickled, in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(work, prepare, theirs))
    process.start()
    theirs.close()
    try:
        memory: Memory = ours.recv()
    except EOFError as error:
        raise RuntimeError("the measured process ended early: its error is above") from error
    finally:
        process.join()
    return memory


def _measure(work: Callable[[], object], prepare: Callable[[], object], sent: Connection) -> None:
    prepare()
    before = _peak_mb()
    work()
    sent.send(Memory(before, _peak_mb()))


def _peak_mb() -> float:
    # Linux starts the resource usage of a new process with the peak of the one that made it.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
