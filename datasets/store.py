"""The store: immutable Parquet parts under a manifest that is replaced last."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import DataError

from .checks import check_rows
from .durable import TEMPORARY_PREFIX, WriterLock, replace_file
from .keys import DatasetKey
from .kinds import KINDS, Kind
from .manifest import Gap, Manifest, Part, Provenance, gaps_between, read_manifest, write_manifest
from .tables import add_to_digest, canonical_table, digest_of, merged_table, times_ns
from .timestamps import time_text, year_of

ROW_GROUP_ROWS: Final = 131_072
_LOCK_FILE: Final = ".lock"
_REMEDY: Final = "delete {} in the store and import the data again"


class PartGoneError(DataError):
    """A part that the manifest names does not exist."""


@dataclass(frozen=True, slots=True)
class Write:
    """Rows to put into one data set, and where they come from."""

    key: DatasetKey
    table: pa.Table
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did: rows that were new, rows now stored, parts written; ``changed`` if any."""

    key: DatasetKey
    added_rows: int
    rows: int
    parts_written: int
    changed: bool


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What the store knows about one data set. Times are int64 ns UTC of its first and last row.

    ``sha256`` covers the bytes of every part; ``provenance`` has one entry per import.
    """

    key: DatasetKey
    rows: int
    first_ns: int
    last_ns: int
    gaps: tuple[Gap, ...]
    parts: tuple[Part, ...]
    sha256: str
    provenance: tuple[Provenance, ...]

    @property
    def missing_rows(self) -> int:
        """Steps between the first and the last row that have no row."""
        return sum(gap.missing_rows for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that ``verify`` found wrong: the data set, the file, and what the matter is."""

    key: str
    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.path}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Plan:
    manifest: Manifest
    new_parts: tuple[tuple[str, bytes], ...]
    result: WriteResult


class Store:
    """Data sets under one folder.

    ``<root>/<kind>/venue=../market=../symbol=../step=../source=../part-<sha12>.parquet`` holds the
    rows, one part per calendar year; ``<root>/_manifest/<key>.json`` lists the parts. Readers
    follow the manifest, so a file that no manifest names does not exist for them.

    Raises DataError when ``root`` is not a folder, or is absent and ``create`` is False.
    """

    def __init__(self, root: Path | str, *, create: bool = True) -> None:
        self.root = Path(root)
        if self.root.exists() and not self.root.is_dir():
            raise DataError(
                f"{self.root}: a store is a folder, this is a file; choose another path"
            )
        if not create and not self.root.is_dir():
            raise DataError(
                f"{self.root}: no store here; run `ninefold data import` or `ninefold data simulate`"
            )
        self._lock = WriterLock(self.root / _LOCK_FILE)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer inside the block; leftovers of interrupted writers are removed first.

        Raises DataError at once when another writer is active.
        """
        with self._lock.held() as outermost:
            if outermost:
                self._sweep()
            yield

    def write(self, key: DatasetKey, table: pa.Table, *, provenance: Provenance) -> WriteResult:
        """Add the rows of ``table`` to a data set; a row that is stored already stays as it is.

        ``table`` has the columns of the kind, rows in time order; see ``canonical_table`` for the
        types. Repeating a write changes nothing. Raises DataError, with the store untouched, when a
        row breaks a rule or contradicts a stored row.
        """
        return self.write_all([Write(key, table, provenance)])[0]

    def write_all(self, writes: Sequence[Write]) -> tuple[WriteResult, ...]:
        """Write several data sets; every rule is checked for all before the first is written."""
        with self.writing():
            plans = [self._plan(write) for write in writes]
            for plan in plans:
                self._commit(plan)
        return tuple(plan.result for plan in plans)

    def _plan(self, write: Write) -> _Plan:
        key, kind = write.key, KINDS[write.key.kind]
        table = canonical_table(kind, write.table, str(key))
        if len(table) == 0:
            raise DataError(f"{key}: there are no rows to write")
        check_rows(kind, key.step, table, lambda row: f"{key} row {row}")
        table = table.cast(kind.schema)
        current = self._manifest(key) or Manifest(key, (), ())
        parts = {part.year: part for part in current.parts}
        years = year_of(times_ns(kind, table))
        new_parts: list[tuple[str, bytes]] = []
        added = 0
        for year in np.unique(years):
            rows = table.filter(pa.array(years == year))
            stored = parts.get(int(year))
            if stored is not None:
                before = self._read_part(key, stored, kind)
                rows = merged_table(kind, before, rows, str(key))
                if len(rows) == stored.rows:
                    continue
                added -= stored.rows
            added += len(rows)
            part, data = _encoded(kind, key.step, int(year), rows)
            parts[int(year)] = part
            new_parts.append((part.file, data))
        provenance = current.provenance
        entry = json.loads(json.dumps(dict(write.provenance)))
        if entry not in provenance:
            provenance = (*provenance, entry)
        manifest = Manifest(key, tuple(parts[year] for year in sorted(parts)), provenance)
        changed = manifest.to_json() != current.to_json()
        result = WriteResult(key, added, manifest.rows, len(new_parts), changed)
        return _Plan(manifest, tuple(new_parts), result)

    def _commit(self, plan: _Plan) -> None:
        if not plan.result.changed:
            return
        folder = self.root / plan.manifest.key.folder
        for name, data in plan.new_parts:
            replace_file(folder / name, data)
        write_manifest(self.root, plan.manifest)

    def _sweep(self) -> None:
        for leftover in self.root.rglob(f"{TEMPORARY_PREFIX}*"):
            leftover.unlink(missing_ok=True)
        for path in self._manifest_paths():
            try:
                manifest = read_manifest(path)
            except DataError:
                # Without a list of its parts nothing in the folder can be called superfluous.
                continue
            named = {part.file for part in manifest.parts}
            for part in (self.root / manifest.key.folder).glob("part-*.parquet"):
                if part.name not in named:
                    part.unlink(missing_ok=True)

    def keys(self) -> tuple[DatasetKey, ...]:
        """Names of every data set in order, without reading their manifests."""
        folder = self.root / "_manifest"
        names = [path.relative_to(folder).with_suffix("") for path in self._manifest_paths()]
        return tuple(sorted(DatasetKey.parse(name.as_posix()) for name in names))

    def datasets(self) -> tuple[DatasetInfo, ...]:
        """Every data set in the order of the keys. Raises DataError for a damaged manifest."""
        infos = [_info(read_manifest(path)) for path in self._manifest_paths()]
        return tuple(sorted(infos, key=lambda info: info.key))

    def dataset(self, key: DatasetKey) -> DatasetInfo:
        """What is known about one data set; DataError when the store lacks it."""
        manifest = self._manifest(key)
        if manifest is None:
            raise DataError(
                f"{self.root}: no data set {key}; `ninefold data ls` lists what is there"
            )
        return _info(manifest)

    def part_paths(self, info: DatasetInfo) -> tuple[Path, ...]:
        """Files of a data set, oldest rows first."""
        return tuple(self.root / info.key.folder / part.file for part in info.parts)

    def read(
        self, key: DatasetKey, start_ns: int | None = None, end_ns: int | None = None
    ) -> pa.Table:
        """Rows with ``start_ns <= time < end_ns`` in time order, in the schema of the kind.

        Raises DataError when the store lacks the data set or a part is damaged.
        """
        kind = KINDS[key.kind]
        info = self.dataset(key)
        try:
            return self._read(info, kind, start_ns, end_ns)
        except PartGoneError:
            # A writer may have superseded the part between our two reads; the new manifest knows.
            latest = self.dataset(key)
            if latest.parts == info.parts:
                raise
            return self._read(latest, kind, start_ns, end_ns)

    def _read(
        self, info: DatasetInfo, kind: Kind, start_ns: int | None, end_ns: int | None
    ) -> pa.Table:
        tables = [
            self._read_part(info.key, part, kind)
            for part in info.parts
            if (end_ns is None or part.first_ns < end_ns)
            and (start_ns is None or part.last_ns >= start_ns)
        ]
        table = pa.concat_tables([kind.schema.empty_table(), *tables]).combine_chunks()
        time_ns = times_ns(kind, table)
        first = 0 if start_ns is None else int(np.searchsorted(time_ns, start_ns))
        last = len(time_ns) if end_ns is None else int(np.searchsorted(time_ns, end_ns))
        return table.slice(first, max(0, last - first))

    def fingerprint(
        self, keys: Iterable[DatasetKey], start_ns: int | None, end_ns: int | None
    ) -> str:
        """SHA-256 of the content of the rows in the period, the same however they were imported."""
        digest = hashlib.sha256()
        for key in sorted(set(keys)):
            digest.update(f"{key}\n".encode())
            add_to_digest(digest, self.read(key, start_ns, end_ns))
        return digest.hexdigest()

    def _read_part(self, key: DatasetKey, part: Part, kind: Kind) -> pa.Table:
        path = self.root / key.folder / part.file
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise PartGoneError(
                f"{path}: the manifest names this part but it is gone; {_REMEDY.format(key.manifest)}"
            ) from error
        if len(data) != part.bytes:
            raise DataError(
                f"{path}: {len(data)} bytes, the manifest says {part.bytes}: the file is damaged; "
                f"{_REMEDY.format(key.manifest)}"
            )
        return _decoded(data, path, kind, part, key)

    def verify(self) -> tuple[Problem, ...]:
        """Rehash and re-check every part of every data set; an empty answer means sound."""
        problems: list[Problem] = []
        for path in self._manifest_paths():
            name = str(path.relative_to(self.root / "_manifest").with_suffix(""))
            try:
                manifest = read_manifest(path)
            except DataError as error:
                problems.append(Problem(name, path, str(error)))
                continue
            if path != self.root / manifest.key.manifest:
                problems.append(Problem(name, path, f"the manifest is that of {manifest.key}"))
                continue
            problems += self._verify_dataset(manifest)
        return tuple(problems)

    def check_parts(self, info: DatasetInfo) -> None:
        """Hash every part of a data set again; DataError naming the first that was changed."""
        for problem in self._verify_bytes(read_manifest(self.root / info.key.manifest)):
            raise DataError(f"{problem.path}: {problem.message}; run `ninefold data verify`")

    def _verify_bytes(self, manifest: Manifest) -> Iterator[Problem]:
        for part in manifest.parts:
            path = self.root / manifest.key.folder / part.file
            try:
                data = path.read_bytes()
            except OSError as error:
                yield Problem(str(manifest.key), path, f"cannot be read: {error.strerror}")
                continue
            if digest_of(data) != part.sha256:
                text = f"SHA-256 is not {part.sha256}: the file was changed"
                yield Problem(str(manifest.key), path, text)

    def _verify_dataset(self, manifest: Manifest) -> Iterator[Problem]:
        key, kind = manifest.key, KINDS[manifest.key.kind]
        last_ns = None
        for part in manifest.parts:
            path = self.root / key.folder / part.file
            try:
                data = path.read_bytes()
            except OSError as error:
                yield Problem(str(key), path, f"cannot be read: {error.strerror}")
                continue
            if digest_of(data) != part.sha256:
                yield Problem(str(key), path, f"SHA-256 is not {part.sha256}: the file was changed")
                continue
            try:
                table = _decoded(data, path, kind, part, key)
                check_rows(kind, key.step, table, lambda row, path=path: f"{path.name} row {row}")  # type: ignore[misc]
            except DataError as error:
                yield Problem(str(key), path, str(error))
                continue
            if last_ns is not None and part.first_ns <= last_ns:
                yield Problem(
                    str(key), path, f"begins before {time_text(last_ns)}, where another ends"
                )
            last_ns = part.last_ns

    def _manifest(self, key: DatasetKey) -> Manifest | None:
        try:
            return read_manifest(self.root / key.manifest)
        except FileNotFoundError:
            return None

    def _manifest_paths(self) -> list[Path]:
        return sorted((self.root / "_manifest").rglob("[!.]*.json"))


def _encoded(kind: Kind, step: str, year: int, rows: pa.Table) -> tuple[Part, bytes]:
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.cast(kind.schema),
        sink,
        version="2.6",
        compression="zstd",
        compression_level=3,
        row_group_size=ROW_GROUP_ROWS,
        write_statistics=True,
        write_page_checksum=True,
        sorting_columns=[pq.SortingColumn(0)],
    )
    data = sink.getvalue().to_pybytes()
    sha256 = digest_of(data)
    time_ns = times_ns(kind, rows)
    part = Part(
        file=f"part-{sha256[:12]}.parquet",
        sha256=sha256,
        bytes=len(data),
        year=year,
        rows=len(rows),
        first_ns=int(time_ns[0]),
        last_ns=int(time_ns[-1]),
        gaps=tuple(gaps_between(time_ns, step)),
    )
    return part, data


def _decoded(data: bytes, path: Path, kind: Kind, part: Part, key: DatasetKey) -> pa.Table:
    remedy = _REMEDY.format(key.manifest)
    try:
        table = pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({error}); {remedy}") from error
    if not table.schema.equals(kind.schema):
        raise DataError(f"{path}: its columns are not those of kind {kind.name}; {remedy}")
    time_ns = times_ns(kind, table)
    facts = (len(table), *((int(time_ns[0]), int(time_ns[-1])) if len(table) else (0, 0)))
    if facts != (part.rows, part.first_ns, part.last_ns):
        raise DataError(
            f"{path}: {facts[0]} rows from {facts[1]} to {facts[2]} ns, the manifest says {part.rows} "
            f"from {part.first_ns} to {part.last_ns} ns; {remedy}"
        )
    return table


def _info(manifest: Manifest) -> DatasetInfo:
    digest = hashlib.sha256()
    for part in manifest.parts:
        digest.update(f"{part.sha256}\n".encode())
    return DatasetInfo(
        key=manifest.key,
        rows=manifest.rows,
        first_ns=manifest.parts[0].first_ns,
        last_ns=manifest.parts[-1].last_ns,
        gaps=manifest.gaps,
        parts=manifest.parts,
        sha256=digest.hexdigest(),
        provenance=manifest.provenance,
    )
