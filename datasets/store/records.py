"""What goes into the store and what it answers."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ..conflicts import Conflict
from ..keys import DatasetKey
from ..manifest import Gap, Manifest, Part, Provenance, Quality


@dataclass(frozen=True, slots=True)
class Write:
    """Rows to put into one data set, and where they come from.

    ``revised_at_ns`` (int64 ns UTC) is the moment from which rows that contradict stored ones are
    known, where they are stored as revisions. ``is_checked`` says that ``table`` is canonical, in
    store order, and has passed ``check_values`` and ``check_availability`` already.
    """

    key: DatasetKey
    table: pa.Table
    provenance: Provenance
    revised_at_ns: int | None = None
    is_checked: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did: rows that were new, rows now stored, parts written; ``changed`` if any file.

    ``conflicts`` lists cells that contradicted stored ones (the first hundred);
    ``conflicting_rows`` counts all rows that had some.
    """

    key: DatasetKey
    added_rows: int
    rows: int
    parts_written: int
    changed: bool
    conflicts: tuple[Conflict, ...] = ()
    conflicting_rows: int = 0


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What the store knows about one data set. Times are int64 ns UTC of its first and last row.

    ``sha256`` covers the bytes of every part; ``provenance`` has one entry per import; ``quality`` is
    the last report of the checks, None when the rows changed since.
    """

    key: DatasetKey
    rows: int
    first_ns: int
    last_ns: int
    gaps: tuple[Gap, ...]
    parts: tuple[Part, ...]
    sha256: str
    provenance: tuple[Provenance, ...]
    quality: Quality | None = None

    @property
    def missing_rows(self) -> int:
        """Steps between the first and the last row that have no row."""
        return sum(gap.missing_rows for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the store: the data set, the file, and what the matter is."""

    key: str
    path: Path
    message: str

    def __str__(self) -> str:
        return f"{self.key}: {self.path}: {self.message}"


def info_of(manifest: Manifest) -> DatasetInfo:
    """What a manifest says about its data set."""
    return DatasetInfo(
        key=manifest.key,
        rows=manifest.rows,
        first_ns=manifest.parts[0].first_ns,
        last_ns=manifest.parts[-1].last_ns,
        gaps=manifest.gaps,
        parts=manifest.parts,
        sha256=parts_digest(manifest.parts),
        provenance=manifest.provenance,
        quality=manifest.quality,
    )


def parts_digest(parts: tuple[Part, ...]) -> str:
    """SHA-256 over the digests of the parts, hexadecimal."""
    return hashlib.sha256("".join(f"{part.sha256}\n" for part in parts).encode()).hexdigest()
