"""Writers of a ledger for ``tests.forked_writer``: ``+`` for each batch, ``h`` when the lock is held."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.forked_writer import serve
from tests.test_experiments.test_sweeps.ledger_cases import batch_of, made_ledger

SERVER = "tests.test_experiments.test_sweeps.ledger_writer"
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


if __name__ == "__main__":
    serve(ACTS)
