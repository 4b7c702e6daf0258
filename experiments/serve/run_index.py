"""Summaries of all runs under a folder, kept in step with it by looking at the files' moments of change."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine import DataError

from ..record import RECORD_NAME
from .summaries import RunSummary, Signature, read_summary, signature_of

FRESH_SECONDS: Final = 1.0
"""A folder that was looked at so short ago is not looked at again."""
_TABLE_ENDING: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Listed:
    """The runs of which something is known, newest folder name first, and how many are still to be read."""

    runs: tuple[RunSummary, ...]
    waiting: int


@dataclass(slots=True)
class RunIndex:
    """Runs under ``folder`` by the names of their folders.

    A record is read when it is first seen and again only when its file was replaced; ``reads`` counts
    how often that was. Reading goes on in a thread of its own, so that a list can be shown before all
    records were read. Folders that are links are not entered: one that leads out of ``folder`` is a row
    that says so, one that stays inside shows a run that is listed already.
    """

    folder: Path
    reads: int = 0
    _rows: dict[str, RunSummary] = field(default_factory=dict)
    _waiting: dict[str, Signature] = field(default_factory=dict)
    _looked_at: float = -FRESH_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: threading.Event = field(default_factory=threading.Event)
    _reader: threading.Thread | None = None

    def listed(self, *, patience_seconds: float = 0.15) -> Listed:
        """What is known now, waiting so long at most for records that are still being read.

        Raises DataError when ``folder`` is a file.
        """
        self._look()
        self._done.wait(patience_seconds)
        with self._lock:
            rows = tuple(self._rows[name] for name in sorted(self._rows, reverse=True))
            return Listed(rows, len(self._waiting))

    def find(self, run_id: str) -> RunSummary | None:
        """The run in the folder called exactly ``run_id``, read now if it has not been; or None."""
        self._look()
        with self._lock:
            signature = self._waiting.get(run_id)
            if signature is None:
                return self._rows.get(run_id)
        summary = read_summary(self.folder / run_id, signature)
        with self._lock:
            self._keep(run_id, signature, summary)
        return summary

    def look_again(self) -> None:
        """Have the folder looked at when it is asked for next, however short ago that was."""
        with self._lock:
            self._looked_at = -FRESH_SECONDS

    def _look(self) -> None:
        """Forget runs that are gone, and have those read that are unknown or were replaced."""
        with self._lock:
            if time.monotonic() - self._looked_at < FRESH_SECONDS:
                return
            self._looked_at = time.monotonic()
            there, refused = _entries(self.folder)
            for name in [name for name in self._rows if name not in there and name not in refused]:
                del self._rows[name]
            self._rows.update(refused)
            self._waiting = {
                name: signature
                for name, signature in there.items()
                if name not in self._rows or self._rows[name].signature != signature
            }
            if not self._waiting:
                self._done.set()
                return
            self._done.clear()
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read, name="run-index", daemon=True)
                self._reader.start()

    def _read(self) -> None:
        """Read what waits, the newest names first."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._done.set()
                    self._reader = None
                    return
                name = max(self._waiting)
                signature = self._waiting[name]
            summary = read_summary(self.folder / name, signature)
            with self._lock:
                self._keep(name, signature, summary)

    def _keep(self, name: str, signature: Signature, summary: RunSummary) -> None:
        self.reads += 1
        if self._waiting.get(name) == signature:
            del self._waiting[name]
            self._rows[name] = summary


def _entries(folder: Path) -> tuple[Mapping[str, Signature], Mapping[str, RunSummary]]:
    """Folders of runs with the signature of their records, and rows of those that cannot be entered."""
    if folder.is_file():
        raise DataError(f"{folder}: is a file; give a folder for the runs with --runs")
    there: dict[str, Signature] = {}
    refused: dict[str, RunSummary] = {}
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return there, refused
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror}") from None
    root = folder.resolve()
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        if entry.is_symlink():
            if not _stays_inside(path, root):
                refused[entry.name] = _refused(
                    entry.name, "a link out of the runs folder, not followed", is_inside=False
                )
            continue
        if not entry.is_dir():
            continue
        signature = signature_of(path / RECORD_NAME)
        if signature is not None:
            there[entry.name] = signature
        elif os.path.lexists(path / RECORD_NAME):
            refused[entry.name] = _refused(
                entry.name, f"{RECORD_NAME} is a link or no file, not followed"
            )
        elif _has_tables(path):
            refused[entry.name] = _refused(entry.name, f"{RECORD_NAME} is missing")
    return there, refused


def _stays_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _refused(name: str, problem: str, *, is_inside: bool = True) -> RunSummary:
    return RunSummary(run_id=name, signature=(0, 0, 0), problem=problem, is_inside=is_inside)


def _has_tables(folder: Path) -> bool:
    try:
        return any(name.endswith(_TABLE_ENDING) for name in os.listdir(folder))
    except OSError:
        return False
