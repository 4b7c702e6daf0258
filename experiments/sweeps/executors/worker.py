"""A worker process: loads the market that it is told, then answers chunk by chunk."""

import signal
from multiprocessing.connection import Connection
from typing import Any

from engine import BacktestError

from .assignment import Assignment


def work(descriptor: int) -> None:
    """Answer what comes through the open file ``descriptor`` until the driver closes it.

    The first thing that comes is an Assignment; None goes back when it is done, a text when it cannot be.
    Then each chunk of values is answered by what became of it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Connection(descriptor) as driver:
        assignment = _heard(driver)
        if not isinstance(assignment, Assignment):
            return
        try:
            evaluator = assignment.evaluator()
        except BacktestError as error:
            _say(driver, str(error))
            return
        _say(driver, None)
        while (chunk := _heard(driver)) is not None:
            _say(driver, evaluator(chunk))


def _heard(driver: Connection) -> Any:
    """What the driver sends, None when it is gone."""
    try:
        return driver.recv()
    except (EOFError, OSError):
        return None


def _say(driver: Connection, said: object) -> None:
    try:
        driver.send(said)
    except OSError:
        # The driver is gone, and nobody is left to tell.
        raise SystemExit(0) from None
