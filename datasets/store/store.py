"""The store as its users see it; the writing half is here."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine import DataError

from ..conflicts import OnConflict
from ..durable import remove_files, replace_file, sync_folder, temporaries_of
from ..keys import DatasetKey
from ..manifest import Provenance, manifest_at, write_manifest
from .locks import writer_lock
from .plan import Plan, as_json, plan_compaction, plan_write
from .reading import StoreReader
from .records import Write, WriteResult, parts_digest
from .soundness import interrupted_keys, superfluous_files


class Store(StoreReader):
    """Data sets under one folder.

    ``<root>/<kind>/venue=../market=../symbol=../step=../source=../part-<sha12>.parquet`` holds the
    rows, one part per calendar period and further small ones where rows were appended;
    ``<root>/_manifest/<key>.json`` lists the parts. Readers follow the manifest and take no lock: a
    file that no manifest names does not exist for them, and they see a data set as it was before a
    write or as it is after it. Writers lock the data sets that they write; one that finds a lock taken
    waits up to ``wait_seconds`` and is then refused. Any number of ``Store`` objects, threads and
    processes may work on one folder.

    Raises DataError when ``root`` is not a folder, or is absent and ``create`` is False.
    """

    def __init__(self, root: Path | str, *, create: bool = True, wait_seconds: float = 0.0) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise DataError(
                f"{self.root}: a store is a folder, this is a file; choose another path"
            )
        if not create and not self.root.is_dir():
            raise DataError(
                f"{self.root}: no store here; run `ninefold data import` or `ninefold data simulate`"
            )
        self._wait_seconds = wait_seconds
        self._held = threading.local()

    @contextmanager
    def writing(self, keys: Iterable[DatasetKey]) -> Iterator[None]:
        """Be the only writer of these data sets inside the block, which may write in several steps.

        What interrupted writers left in them is removed first. Raises DataError when another writer
        holds one of them longer than the store waits.
        """
        deadline = time.monotonic() + self._wait_seconds
        held: set[DatasetKey] = self._held.__dict__.setdefault("keys", set())
        with ExitStack() as stack:
            # In one order everywhere, so that two writers cannot wait for each other.
            for key in sorted(set(keys) - held):
                stack.enter_context(writer_lock(self.root, key, deadline))
                held.add(key)
                stack.callback(held.discard, key)
                self._sweep(key)
            yield

    def write(
        self,
        key: DatasetKey,
        table: pa.Table,
        *,
        provenance: Provenance,
        on_conflict: OnConflict = "refuse",
        revised_at_ns: int | None = None,
    ) -> WriteResult:
        """Add the rows of ``table`` to a data set; a row that is stored already stays as it is.

        ``table`` has the columns of the kind, rows in store order; see ``canonical_table`` for the
        types and ``merged_rows`` for what becomes of rows that contradict stored ones. Repeating a
        write changes nothing. Raises DataError, with the store untouched, when a row breaks a rule,
        contradicts a stored one and may not, or another writer holds the data set.
        """
        write = Write(key, table, provenance, revised_at_ns)
        return self.write_all([write], on_conflict=on_conflict)[0]

    def write_all(
        self, writes: Sequence[Write], *, on_conflict: OnConflict = "refuse"
    ) -> tuple[WriteResult, ...]:
        """Write several data sets; every rule is checked for all before the first is written."""
        return self._write_all(writes, on_conflict, whole_periods=True)

    def append(
        self,
        key: DatasetKey,
        table: pa.Table,
        *,
        provenance: Provenance,
        on_conflict: OnConflict = "refuse",
        revised_at_ns: int | None = None,
    ) -> WriteResult:
        """As :meth:`write`, with parts of their own for rows that come after the stored ones.

        Costs what the new rows and the parts that share times with them cost, however long the
        history is. Many small parts make reading slow: :meth:`compact` joins them.
        """
        write = Write(key, table, provenance, revised_at_ns)
        return self._write_all([write], on_conflict, whole_periods=False)[0]

    def _write_all(
        self, writes: Sequence[Write], on_conflict: OnConflict, *, whole_periods: bool
    ) -> tuple[WriteResult, ...]:
        keys = [write.key for write in writes]
        twice = [key for key in keys if keys.count(key) > 1] if len(set(keys)) < len(keys) else []
        if twice:
            raise DataError(f"{twice[0]}: stands twice in one write; join its rows first")
        with self.writing(keys):
            plans = [
                plan_write(
                    write,
                    manifest_at(self.root, write.key),
                    self._reader(write.key),
                    on_conflict=on_conflict,
                    whole_periods=whole_periods,
                )
                for write in writes
            ]
            for plan in plans:
                self._commit(plan)
        return tuple(plan.result for plan in plans)

    def compact(self, keys: Iterable[DatasetKey] | None = None) -> tuple[WriteResult, ...]:
        """Join the parts of each period of some data sets, or of all; no row changes.

        The files are then those that one undisturbed write of the same rows leaves, and what
        interrupted writers left is gone. Without ``keys``, data sets whose manifest cannot be read
        are left alone (see :meth:`problems`).
        """
        chosen = {info.key for info in self.datasets()} if keys is None else set(keys)
        unfinished = interrupted_keys(self.root) if keys is None else set()
        results = []
        for key in sorted(chosen | unfinished):
            with self.writing([key]):
                manifest = manifest_at(self.root, key) if keys is None else self._manifest(key)
                if manifest is None:
                    continue
                plan = plan_compaction(manifest, self._reader(key))
                self._commit(plan)
            results.append(plan.result)
        return tuple(results)

    def remove(self, key: DatasetKey) -> None:
        """Remove a data set, whatever state it is in. DataError when the store lacks it."""
        folder, path = self.root / key.folder, self.root / key.manifest
        # Only a look, so that a wrong name leaves no lock file behind.
        if not path.exists() and not superfluous_files(folder, None):
            raise self._absent(key)
        with self.writing([key]):
            remove_files([path])
            sync_folder(path.parent)
            remove_files(superfluous_files(folder, None))

    def record_quality(
        self, key: DatasetKey, document: Mapping[str, Any], *, sha256: str | None = None
    ) -> None:
        """Keep the report of the checks beside the rows that it is about; ``{}`` is a report too.

        The next write that changes rows drops it. ``sha256`` is that of the checked rows
        (``DatasetInfo.sha256``): DataError when the data set has changed since, or is absent.
        """
        content = as_json(key, "quality", document)
        # Only a look, so that a wrong name leaves no lock file behind.
        self._manifest(key)
        with self.writing([key]):
            manifest = self._manifest(key)
            if sha256 is not None and sha256 != parts_digest(manifest.parts):
                raise DataError(
                    f"{key}: its rows changed while they were checked; check them again"
                )
            if manifest.quality != content:
                write_manifest(self.root, replace(manifest, quality=content))

    def _commit(self, plan: Plan) -> None:
        if not plan.result.changed:
            return
        key = plan.manifest.key
        folder = self.root / key.folder
        for new in plan.new_parts:
            replace_file(folder / new.part.file, new.data)
        write_manifest(self.root, plan.manifest)
        # Readers that still follow the last manifest turn to this one when they miss a part.
        remove_files([folder / part.file for part in plan.superseded])

    def _sweep(self, key: DatasetKey) -> None:
        remove_files(temporaries_of(self.root / key.manifest))
        try:
            manifest = manifest_at(self.root, key)
        except DataError:
            # Without a list of its parts nothing in the folder can be called superfluous.
            return
        remove_files(superfluous_files(self.root / key.folder, manifest))
