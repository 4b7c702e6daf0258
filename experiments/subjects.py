"""What a command that takes a run or a sweep is asked about."""

from pathlib import Path
from typing import Final

from engine import DataError

from .record import RunRecord, has_runs, load_run
from .sweeps.families import find_sweep, list_sweeps
from .sweeps.ledger import Ledger

LATEST: Final = "latest"


def find_subject(text: str, runs: Path | str = "runs") -> Ledger | RunRecord:
    """A sweep or a run: its folder, its id under ``runs``, a beginning, a run's name, or ``latest``.

    ``latest`` is the newest of both; another text that fits a sweep and a run is the sweep's. Raises
    DataError when nothing fits or several do, and ConfigError for a file.
    """
    folder = Path(runs)
    if text == LATEST:
        newest: list[Ledger | RunRecord] = [*list_sweeps(folder)[-1:]]
        if newest and has_runs(folder):
            newest.append(load_run(LATEST, folder))
        if newest:
            return max(newest, key=_created_at)
    try:
        return find_sweep(folder, text)
    except DataError as error:
        no_sweep = error
    try:
        return load_run(text, folder)
    except DataError as no_run:
        raise DataError(f"{no_run}; {no_sweep}") from None


def _created_at(subject: Ledger | RunRecord) -> str:
    """To the second: what a run's id and its record state."""
    stated = subject.sweep if isinstance(subject, Ledger) else subject.content
    return str(stated["created_at"])[:19]
