"""Reading a store: its rows, its list of data sets, and what is wrong with it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from engine import DataError

from ..keys import DatasetKey
from ..kinds import KINDS, Kind
from ..manifest import Manifest, Part, manifest_at
from ..tables import add_to_digest
from .export import check_target, export_rows
from .parts import PartGoneError, columns_read, part_chunks, read_part
from .records import DatasetInfo, Problem, info_of
from .soundness import checked_bytes, leftover_files, problems_of
from .vintages import visible_rows

if TYPE_CHECKING:
    from hashlib import _Hash


Answer = TypeVar("Answer")
DIGEST_ROWS: Final = 4_194_304
"""Rows that a fingerprint looks at together; a larger data set enters block by block."""


def _digest_of_blocks(digest: "_Hash", kind: Kind, chunks: Iterable[pa.Table]) -> "_Hash":
    """``digest`` and the rows of ``chunks`` in blocks of ``DIGEST_ROWS``, however they are cut."""
    digest = digest.copy()
    waiting = [kind.schema.empty_table()]
    count, blocks = 0, 0
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk)
        while count >= DIGEST_ROWS:
            rows = pa.concat_tables(waiting)
            add_to_digest(digest, rows.slice(0, DIGEST_ROWS))
            waiting, count, blocks = [rows.slice(DIGEST_ROWS)], count - DIGEST_ROWS, blocks + 1
    if count or not blocks:
        add_to_digest(digest, pa.concat_tables(waiting))
    return digest


class StoreReader:
    """The reading half of a store, and what is wrong with it; nothing here changes a file of it."""

    root: Path

    def keys(self) -> tuple[DatasetKey, ...]:
        """Names of every data set in order, without reading their manifests."""
        return tuple(
            sorted(key for _, key in self._named_manifests() if isinstance(key, DatasetKey))
        )

    def datasets(self) -> tuple[DatasetInfo, ...]:
        """Every data set in the order of the keys.

        One whose manifest cannot be read is not among them: :meth:`problems` names it, and asking for
        it by its key raises DataError.
        """
        return tuple(info_of(manifest) for manifest, _ in self._manifests() if manifest is not None)

    def problems(self) -> tuple[Problem, ...]:
        """Manifests that cannot be read, of another version, or no data set's; reads no part."""
        strangers = [
            Problem(name, self.root / "_manifest" / f"{name}.json", key)
            for name, key in self._named_manifests()
            if isinstance(key, str)
        ]
        return (*strangers, *(problem for _, problem in self._manifests() if problem is not None))

    def dataset(self, key: DatasetKey) -> DatasetInfo:
        """What is known about one data set; DataError when the store lacks it."""
        return info_of(self._manifest(key))

    def manifest_bytes(self, key: DatasetKey) -> bytes:
        """The manifest of a data set as it is on disk; DataError when the store lacks it."""
        try:
            return (self.root / key.manifest).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise self._absent(key) from None

    def part_paths(self, info: DatasetInfo) -> tuple[Path, ...]:
        """Files of a data set, oldest rows first."""
        return tuple(self.root / info.key.folder / part.file for part in info.parts)

    def read(
        self,
        key: DatasetKey,
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        as_of_ns: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Rows with ``start_ns <= time < end_ns`` in store order, in the schema of the kind.

        Without ``as_of_ns`` every vintage; with it, of every value the last vintage that was known at
        that moment (``available_at <= as_of_ns``). ``columns`` limits the answer to these columns and
        those that identify a row (time, row key, ``available_at``).

        Raises DataError when the store lacks the data set or a part is damaged.
        """
        kind = KINDS[key.kind]
        wanted = columns_read(kind, columns)

        def rows_of(manifest: Manifest) -> pa.Table:
            tables = [
                read_part(self.root / key.folder / part.file, key, part, start_ns, end_ns, wanted)
                for part in manifest.parts
                if (end_ns is None or part.first_ns < end_ns)
                and (start_ns is None or part.last_ns >= start_ns)
            ]
            empty = kind.schema.empty_table()
            return pa.concat_tables(tables or [empty if wanted is None else empty.select(wanted)])

        table = self._followed(key, rows_of)
        return table if as_of_ns is None else visible_rows(kind, table, as_of_ns)

    def fold(
        self,
        key: DatasetKey,
        act: Callable[[Iterator[pa.Table]], Answer],
        start_ns: int | None = None,
        end_ns: int | None = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> Answer:
        """What ``act`` makes of the rows of :meth:`read`, of which it gets a small table at a time.

        For data sets that do not fit into memory, such as trades. Every vintage comes. Where a writer
        replaces parts meanwhile ``act`` begins again with the rows of the new ones, so it must keep
        nothing between two calls. Raises what :meth:`read` raises.
        """
        wanted = columns_read(KINDS[key.kind], columns)

        def chunks(manifest: Manifest) -> Iterator[pa.Table]:
            for part in manifest.parts:
                if (end_ns is None or part.first_ns < end_ns) and (
                    start_ns is None or part.last_ns >= start_ns
                ):
                    path = self.root / key.folder / part.file
                    yield from part_chunks(path, key, part, start_ns, end_ns, wanted)

        return self._followed(key, lambda manifest: act(chunks(manifest)))

    def export(
        self,
        key: DatasetKey,
        path: Path | str,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
        as_of_ns: int | None = None,
    ) -> int:
        """Write rows, chosen as by :meth:`read`, to a ``.parquet`` or ``.csv`` file; their number.

        A file of that name is replaced, in one step. Raises ConfigError for another ending.
        """
        check_target(Path(path))
        table = self.read(key, start_ns, end_ns, as_of_ns=as_of_ns)
        export_rows(key, table, Path(path))
        return len(table)

    def _followed(self, key: DatasetKey, act: Callable[[Manifest], Answer]) -> Answer:
        """``act`` on the manifest; again on the next one when its parts were superseded meanwhile."""
        manifest = self._manifest(key)
        while True:
            try:
                return act(manifest)
            except PartGoneError:
                latest = self._manifest(key)
                if latest.parts == manifest.parts:
                    raise
                manifest = latest

    def fingerprint(
        self, keys: Iterable[DatasetKey], start_ns: int | None, end_ns: int | None
    ) -> str:
        """SHA-256 of the content of the rows in the period, every vintage, however they lie in files."""
        digest = hashlib.sha256()
        for key in sorted(set(keys)):
            digest.update(f"{key}\n".encode())
            if sum(part.rows for part in self._manifest(key).parts) > DIGEST_ROWS:
                digest = self.fold(
                    key, partial(_digest_of_blocks, digest, KINDS[key.kind]), start_ns, end_ns
                )
            else:
                add_to_digest(digest, self.read(key, start_ns, end_ns))
        return digest.hexdigest()

    def verify(self) -> tuple[Problem, ...]:
        """Rehash and re-check every part of every data set; an empty answer means sound.

        What interrupted writers left behind harms nobody and is listed by :meth:`leftovers` instead.
        """
        problems = list(self.problems())
        for manifest, _ in self._manifests():
            if manifest is not None:
                problems += self._verified(manifest)
        return tuple(problems)

    def _verified(self, manifest: Manifest) -> list[Problem]:
        while True:
            found = list(problems_of(self.root, manifest))
            if not found:
                return []
            # A writer may have superseded the parts while they were checked.
            try:
                latest = manifest_at(self.root, manifest.key)
            except DataError as error:
                return [Problem(str(manifest.key), self.root / manifest.key.manifest, str(error))]
            if latest is None:
                return []
            if latest.parts == manifest.parts:
                return found
            manifest = latest

    def leftovers(self) -> tuple[Path, ...]:
        """Files that interrupted writers left behind; the next writer of the data set removes them.

        A writer that is at work while this looks makes some too.
        """
        return leftover_files(self.root)

    def check_parts(self, info: DatasetInfo) -> None:
        """Hash every part of a data set again; DataError naming the first that was changed."""
        for path, part in zip(self.part_paths(info), info.parts, strict=True):
            message, _ = checked_bytes(path, part)
            if message:
                raise DataError(f"{path}: {message}; run `ninefold data verify`")

    def _reader(self, key: DatasetKey) -> Callable[[Part], pa.Table]:
        return lambda part: read_part(self.root / key.folder / part.file, key, part)

    def _manifest(self, key: DatasetKey) -> Manifest:
        manifest = manifest_at(self.root, key)
        if manifest is None:
            raise self._absent(key)
        return manifest

    def _absent(self, key: DatasetKey) -> DataError:
        return DataError(f"{self.root}: no data set {key}; `ninefold data ls` lists what is there")

    def _manifests(self) -> Iterator[tuple[Manifest | None, Problem | None]]:
        for key in self.keys():
            try:
                manifest = manifest_at(self.root, key)
            except DataError as error:
                yield None, Problem(str(key), self.root / key.manifest, str(error))
                continue
            if manifest is not None:
                yield manifest, None

    def _named_manifests(self) -> list[tuple[str, DatasetKey | str]]:
        """Name and key of every manifest; instead of the key, why a name is none."""
        folder = self.root / "_manifest"
        named: list[tuple[str, DatasetKey | str]] = []
        for path in sorted(folder.rglob("[!.]*.json")):
            name = path.relative_to(folder).as_posix().removesuffix(".json")
            try:
                named.append((name, DatasetKey.parse(name)))
            except DataError as error:
                if path.is_dir():
                    # A symbol may end in .json: then its folder does.
                    continue
                named.append((name, f"not the manifest of a data set: {error}"))
        return named
