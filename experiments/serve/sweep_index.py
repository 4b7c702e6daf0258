"""The sweeps under a runs folder and how far each is."""

import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from datasets.durable import names_in
from engine import ConfigError, DataError

from ..sweeps.ledger import SWEEP_NAME, Ledger, sweeps_folder
from ..sweeps.parts import PREFIX
from .summaries import Signature, signature_of
from .sweep_watch import SweepState, SweepWatch

MOST_WATCHED: Final = 16
"""Ledgers whose scores are kept in memory; of others the last known state is."""
_QUIET: Final = ("finished", "stopped")

Place = tuple[str, str]
"""Family and id of a sweep: the names of its two folders."""
Version = tuple[Signature, int, str]
"""What a state was computed from: sweep.json, how many parts, the name of the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """A sweep of the list; ``state`` is None where there is a ``problem`` or it was not read yet."""

    family: str
    sweep_id: str
    problem: str = ""
    created_at: str = ""
    objectives: tuple[str, ...] = ()
    state: SweepState | None = None


@dataclass(slots=True)
class SweepIndex:
    """Sweeps under ``runs`` by family and id; folders that are links are not entered."""

    runs: Path
    _rows: dict[Place, tuple[Version, SweepRow]] = field(default_factory=dict)
    _watches: OrderedDict[Place, tuple[Signature, SweepWatch]] = field(default_factory=OrderedDict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def listed(self, *, patience_seconds: float = 0.25) -> tuple[tuple[SweepRow, ...], int]:
        """Every sweep, the newest first, and how many were not read yet.

        Of ledgers that nobody read before at least one is read, and others until the patience has ended.
        """
        deadline = time.monotonic() + patience_seconds
        rows, waiting, was_read = [], 0, False
        with self._lock:
            there = dict(places_of(self.runs))
            for gone in [place for place in self._rows if place not in there]:
                del self._rows[gone]
                self._watches.pop(gone, None)
            for place, folder in there.items():
                try:
                    version = _version(folder)
                except DataError:
                    # It was taken away since its name was read.
                    continue
                is_known = place in self._rows and self._rows[place][0] == version
                if not is_known and was_read and time.monotonic() > deadline:
                    rows.append(SweepRow(family=place[0], sweep_id=place[1]))
                    waiting += 1
                    continue
                was_read = was_read or not is_known
                rows.append(self._row(place, folder, version))
        return tuple(sorted(rows, key=_newest_first, reverse=True)), waiting

    def find(self, family: str, sweep_id: str) -> SweepWatch | None:
        """The ledger in the folders of exactly these names; None where there is none.

        Raises DataError for one that is broken or was moved.
        """
        with self._lock:
            folder = dict(places_of(self.runs)).get((family, sweep_id))
            return None if folder is None else self._watch((family, sweep_id), folder)

    def _row(self, place: Place, folder: Path, version: Version) -> SweepRow:
        known = self._rows.get(place)
        if known is not None and known[0] == version and _stays(known[1]):
            return known[1]
        family, sweep_id = place
        try:
            watch = self._watch(place, folder)
            state, _ = watch.look()
            row = SweepRow(
                family=family,
                sweep_id=sweep_id,
                created_at=str(watch.ledger.sweep["created_at"]),
                objectives=tuple(watch.ledger.objectives),
                state=state,
            )
        except (DataError, ConfigError, OSError) as error:
            row = SweepRow(family=family, sweep_id=sweep_id, problem=str(error))
        except (KeyError, TypeError, ValueError) as error:
            row = SweepRow(family=family, sweep_id=sweep_id, problem=f"{folder}: {error!r}")
        self._rows[place] = (version, row)
        return row

    def _watch(self, place: Place, folder: Path) -> SweepWatch:
        signature = _signature(folder)
        kept = self._watches.get(place)
        if kept is not None and kept[0] == signature:
            self._watches.move_to_end(place)
            return kept[1]
        ledger = Ledger.open(folder)
        if (ledger.sweep.get("family"), ledger.sweep_id) != place:
            raise DataError(
                f"{folder}: holds the sweep {ledger.sweep_id} of the family "
                f"{ledger.sweep.get('family')}: the folder was renamed, copied or moved"
            )
        watch = SweepWatch(ledger)
        self._watches[place] = (signature, watch)
        while len(self._watches) > MOST_WATCHED:
            self._watches.popitem(last=False)
        return watch


def _stays(row: SweepRow) -> bool:
    """Whether a state holds as long as no part is added: that of a running sweep ends by itself."""
    return row.state is None or row.state.words in _QUIET


def places_of(runs: Path) -> list[tuple[Place, Path]]:
    """Folders that hold a description of a sweep, by family and id."""
    root = sweeps_folder(runs)
    found = []
    for family in names_in(root):
        folder = root / family
        if family.startswith(".") or os.path.islink(folder) or os.path.islink(root):
            continue
        for name in names_in(folder):
            inner = folder / name
            if not os.path.islink(inner) and signature_of(inner / SWEEP_NAME) is not None:
                found.append(((family, name), inner))
    return found


def _signature(folder: Path) -> Signature:
    found = signature_of(folder / SWEEP_NAME)
    if found is None:
        raise DataError(f"{folder / SWEEP_NAME}: is gone")
    return found


def _version(folder: Path) -> Version:
    parts = [name for name in names_in(folder) if name.startswith(PREFIX)]
    return (_signature(folder), len(parts), parts[-1] if parts else "")


def _newest_first(row: SweepRow) -> tuple[str, str]:
    return (row.created_at, row.sweep_id)
