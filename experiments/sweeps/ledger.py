"""The ledger of a sweep: every trial in immutable parts, one for each batch; docs/tuning.md."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datasets.durable import TEMPORARY_PREFIX, names_in, remove_files, replace_file
from datasets.file_lock import exclusive_lock
from engine import ConfigError, ContractError, DataError

from ..provenance import revision, versions
from ..record import check_runs_folder, json_text
from .identity import SweepIdentity, differences, sweep_id
from .parts import checked_rows, encoded, part_files, read_part, trial_schema

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION: Final = 1
SWEEP_NAME: Final = "sweep.json"
LOCK_NAME: Final = ".lock"
DIRECTIONS: Final = ("maximize", "minimize")
_CREATION_SECONDS: Final = 10.0
_DIFFERENCES_TOLD: Final = 5


@dataclass(slots=True)
class _End:
    """Where the next part goes, and the process that may put it there."""

    parts: int
    trials: int
    process: int


@dataclass(slots=True, eq=False)
class Ledger:
    """The trials of one sweep in ``folder``; ``sweep`` is the content of sweep.json."""

    folder: Path
    sweep: Mapping[str, Any]
    schema: "pa.Schema" = field(repr=False)
    _end: _End | None = field(default=None, repr=False)

    @classmethod
    def create(
        cls,
        runs: Path,
        identity: SweepIdentity,
        created_at: datetime,
        *,
        metrics: Sequence[str],
        objectives: Mapping[str, str],
    ) -> "Ledger":
        """The ledger of ``identity`` under ``runs``, made where there is none.

        ``metrics`` are those that each trial states, ``objectives`` say by metric which way is better
        (``maximize`` or ``minimize``), in the order of the scores. Both are fixed for the sweep.
        Raises DataError when the folder cannot be written or holds another sweep, saying what
        differs; ConfigError or ContractError for arguments that make no ledger.
        """
        _check_objectives(objectives)
        trial_schema(metrics)
        if created_at.tzinfo is None:
            raise ContractError(f"created_at={created_at} must state its zone")
        asked = _identity_content(identity) | {
            "metrics": list(metrics),
            "objectives": dict(objectives),
        }
        folder = family_folder(runs, identity.family) / identity.sweep_id
        check_runs_folder(folder)
        if not (folder / SWEEP_NAME).exists():
            with exclusive_lock(
                folder / LOCK_NAME, time.monotonic() + _CREATION_SECONDS, _refusal(folder)
            ):
                _write_sweep(folder, identity, created_at, asked)
        ledger = cls.open(folder)
        ledger._check_same({key: value for key, value in asked.items() if key != "metrics"})
        changed = sorted(set(ledger.metrics) ^ set(metrics))
        if ledger.metrics != tuple(metrics):
            raise DataError(
                f"{folder}: was made by another version of Ninefold, whose trials state other metrics "
                f"({', '.join(changed) or 'in another order'}); go on with that version, or begin a "
                "sweep under another name"
            )
        return ledger

    @classmethod
    def open(cls, folder: Path) -> "Ledger":
        """The ledger in ``folder``, which may lie anywhere; DataError unless sweep.json is sound."""
        path = folder / SWEEP_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content["schema_version"]
            if found != SCHEMA_VERSION:
                raise DataError(
                    f"{path}: schema_version={found}, this version reads {SCHEMA_VERSION}; sweep again"
                )
            stated = content["sweep_id"]
            made = sweep_id(content["name"], content["config"], content["data_fingerprint"])
            schema = trial_schema(content["metrics"])
            _check_objectives(content["objectives"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{path}: is not the description of a sweep ({error!r})") from None
        if stated != made:
            raise DataError(
                f"{path}: its configuration and data belong to sweep {made}, not to {stated}: the "
                "file was changed; put it back as it was, or begin a sweep of its own"
            )
        return cls(folder, content, schema)

    @property
    def runs(self) -> Path:
        """The folder of runs that the family of this ledger lies in."""
        return self.folder.resolve().parents[2]

    @property
    def sweep_id(self) -> str:
        """``<name>-<digits>``; see :class:`SweepIdentity`."""
        return str(self.sweep["sweep_id"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that each trial states, in the order of their columns."""
        return tuple(self.sweep["metrics"])

    @property
    def objectives(self) -> Mapping[str, str]:
        """``maximize`` or ``minimize`` by metric, in the order of a trial's scores."""
        return dict(self.sweep["objectives"])

    def check_identity(self, identity: SweepIdentity) -> None:
        """DataError that says what differs unless this ledger is that of ``identity``."""
        self._check_same(_identity_content(identity))

    def parts(self) -> tuple[Path, ...]:
        """Files of the parts by number; DataError for a gap, a number twice or a foreign name."""
        return tuple(part.path for part in part_files(self.folder))

    def trials(self, columns: Sequence[str] | None = None) -> "pa.Table":
        """Every trial in order, or some ``columns`` of them; docs/tuning.md lists the columns.

        Every part is verified: its digest, its columns, its place and the order of its rows. Raises
        DataError naming the file, ContractError for an unknown column.
        """
        import pyarrow as pa

        names = self.schema.names if columns is None else list(columns)
        unknown = [name for name in names if name not in self.schema.names]
        if unknown:
            raise ContractError(
                f"columns: {unknown[0]!r} is none of {', '.join(self.schema.names)}"
            )
        tables = [pa.schema([self.schema.field(name) for name in names]).empty_table()]
        trials = 0
        for part in part_files(self.folder):
            table = read_part(part, self.schema, names, trials)
            tables.append(table)
            trials += table.num_rows
        return pa.concat_tables(tables)

    @property
    def count(self) -> int:
        """How many trials there are; inside :meth:`writing` without reading them again."""
        if self._end is not None:
            return self._end.trials
        return int(self.trials(["trial"]).num_rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer inside the block.

        Verifies the parts and removes what a killed writer left unfinished. Raises DataError at
        once when another process or thread is writing, naming its process.
        """
        with exclusive_lock(self.folder / LOCK_NAME, time.monotonic(), _refusal(self.folder)):
            remove_files(
                self.folder / name
                for name in names_in(self.folder)
                if name.startswith(TEMPORARY_PREFIX)
            )
            trials = self.count
            self._end = _End(len(self.parts()), trials, os.getpid())
            try:
                yield
            finally:
                self._end = None

    def append(self, table: "pa.Table") -> Path:
        """Keep one batch as the next part, on the disk when this returns; the part's path.

        Only inside :meth:`writing`. Raises ContractError when ``table`` breaks the rules of its
        columns; DataError when the disk refuses: everything before is kept, and the ledger has to
        be opened for writing again.
        """
        end = self._end
        if end is None or end.process != os.getpid():
            raise ContractError(
                f"{self.folder}: trials are appended inside `with ledger.writing()`, by the process "
                "that entered it, and after a failed write only when entered again"
            )
        rows = checked_rows(table, self.schema, len(self.objectives), end.trials)
        name, data = encoded(rows, end.parts + 1)
        # A write that fails may have put the part in place all the same: nothing goes after it
        # until the folder was read again.
        self._end = None
        replace_file(self.folder / name, data)
        self._end = _End(end.parts + 1, end.trials + rows.num_rows, end.process)
        return self.folder / name

    def _check_same(self, asked: Mapping[str, Any]) -> None:
        there = {key: self.sweep.get(key) for key in asked}
        told = list(differences(there, asked))
        if told:
            more = len(told) - _DIFFERENCES_TOLD
            raise DataError(
                f"{self.folder}: holds another sweep: {'; '.join(told[:_DIFFERENCES_TOLD])}"
                f"{f'; and {more} more' if more > 0 else ''}; go on with the configuration and the "
                "data that made it, or begin a sweep of its own"
            )


def sweeps_folder(runs: Path) -> Path:
    """Where the families of sweeps lie under ``runs``."""
    return runs / "sweeps"


def family_folder(runs: Path, family: str) -> Path:
    """Where the sweeps of ``family`` lie under ``runs``."""
    return sweeps_folder(runs) / family


def _write_sweep(
    folder: Path, identity: SweepIdentity, created_at: datetime, asked: Mapping[str, Any]
) -> None:
    """Another creator may have come first: its file stays."""
    path = folder / SWEEP_NAME
    if path.exists():
        return
    parts = part_files(folder)
    if parts:
        raise DataError(
            f"{path}: is missing, but there are {len(parts)} parts of trials; put it back, or move "
            "the folder away"
        )
    content = {
        "schema_version": SCHEMA_VERSION,
        "sweep_id": identity.sweep_id,
        "created_at": f"{created_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        **asked,
        "config_hash": identity.config_hash,
        "overrides": list(identity.overrides),
        "code": revision(),
        "versions": versions(),
    }
    replace_file(path, f"{json_text(content)}\n".encode())


def _identity_content(identity: SweepIdentity) -> dict[str, Any]:
    return {
        "family": identity.family,
        "name": identity.name,
        "data_fingerprint": identity.data_fingerprint,
        "config": identity.config,
    }


def _check_objectives(objectives: Mapping[str, str]) -> None:
    if not objectives:
        raise ConfigError("objectives: there is none; a sweep needs something to make better")
    for metric, direction in objectives.items():
        if direction not in DIRECTIONS:
            raise ConfigError(
                f"objectives.{metric}={direction!r} must be {' or '.join(DIRECTIONS)}"
            )


def _refusal(folder: Path) -> Callable[[str], str]:
    return lambda holder: (
        f"{folder}: locked ledger: process {holder} is writing; wait until it has finished, or end "
        "it, and repeat the command"
    )
