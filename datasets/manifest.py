"""The list of parts that make up one data set: what readers see, replaced last by writers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine import DataError, Int1D, timeframe_ns

from .durable import replace_file
from .keys import DatasetKey

MANIFEST_VERSION: Final = 1
Provenance = Mapping[str, Any]
"""Where rows came from: file name, SHA-256, format, what was dropped; JSON values."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows between two stored ones: the rows around the hole, and how many steps miss."""

    after_ns: int
    before_ns: int
    missing_rows: int


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable Parquet file: the rows of one calendar year."""

    file: str
    sha256: str
    bytes: int
    year: int
    rows: int
    first_ns: int
    last_ns: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about one data set except its rows.

    ``parts`` are in time order and do not overlap; ``provenance`` has one entry per import that
    brought rows, in the order of the imports.
    """

    key: DatasetKey
    parts: tuple[Part, ...]
    provenance: tuple[Provenance, ...]

    @property
    def rows(self) -> int:
        """Number of stored rows."""
        return sum(part.rows for part in self.parts)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Holes between stored rows, inside the parts and between them, in time order."""
        found = [gap for part in self.parts for gap in part.gaps]
        for earlier, later in pairwise(self.parts):
            times = np.array([earlier.last_ns, later.first_ns], dtype=np.int64)
            found += gaps_between(times, self.key.step)
        return tuple(sorted(found, key=lambda gap: gap.after_ns))

    def to_json(self) -> bytes:
        """The text on disk: sorted keys, so that equal content has equal bytes."""
        document = {
            "version": MANIFEST_VERSION,
            "key": str(self.key),
            "parts": [
                {
                    "file": part.file,
                    "sha256": part.sha256,
                    "bytes": part.bytes,
                    "year": part.year,
                    "rows": part.rows,
                    "first_ns": part.first_ns,
                    "last_ns": part.last_ns,
                    "gaps": [[g.after_ns, g.before_ns, g.missing_rows] for g in part.gaps],
                }
                for part in self.parts
            ],
            "provenance": [dict(entry) for entry in self.provenance],
        }
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def gaps_between(time_ns: Int1D, step: str) -> list[Gap]:
    """Holes in strictly increasing times, to the nearest step."""
    step_ns = timeframe_ns(step)
    missing = (np.diff(time_ns) + step_ns // 2) // step_ns - 1
    return [
        Gap(int(time_ns[row]), int(time_ns[row + 1]), int(missing[row]))
        for row in np.flatnonzero(missing > 0)
    ]


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Replace the manifest of a data set in one step; the last act of a write."""
    replace_file(root / manifest.key.manifest, manifest.to_json())


def read_manifest(path: Path) -> Manifest:
    """Read one manifest; DataError naming the file when it is damaged or of another version."""
    try:
        document = json.loads(path.read_bytes())
        version = document["version"]
        if version != MANIFEST_VERSION:
            raise DataError(
                f"{path}: manifest version {version}, this program reads {MANIFEST_VERSION}; "
                "import the data again into a new store"
            )
        if not document["parts"]:
            raise ValueError("it lists no parts")
        return Manifest(
            key=DatasetKey.parse(document["key"]),
            parts=tuple(
                Part(**{**part, "gaps": tuple(Gap(*gap) for gap in part["gaps"])})
                for part in document["parts"]
            ),
            provenance=tuple(document["provenance"]),
        )
    except FileNotFoundError:
        raise
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: the manifest cannot be read ({error}); delete it and import the data again"
        ) from error
