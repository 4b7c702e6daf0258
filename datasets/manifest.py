"""The list of parts that make up one data set: what readers see, replaced last by writers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine import DataError, Int1D, timeframe_ns

from .durable import replace_file
from .keys import DatasetKey
from .kinds import EVENT_STEP
from .tables import digest_of

MANIFEST_VERSION: Final = 2
Provenance = Mapping[str, Any]
"""Where rows came from: file name, SHA-256, format, what was dropped; JSON values."""
Quality = Mapping[str, Any]
"""What the quality checks found in the rows; JSON values."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing rows between two stored ones: the rows around the hole, and how many steps miss."""

    after_ns: int
    before_ns: int
    missing_rows: int


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable Parquet file: rows of one calendar period, ``2024`` or ``2024-05``.

    ``first_ns`` and ``last_ns`` are the times of its first and last row (int64 ns UTC); ``gaps`` are
    the holes between its own rows.
    """

    file: str
    sha256: str
    bytes: int
    period: str
    rows: int
    first_ns: int
    last_ns: int
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about one data set except its rows.

    ``parts`` are in time order, and every time lies in one part only: a part begins after the last
    time of the part before it. A period may have several. ``provenance`` has one entry per import
    that brought rows, in the order of the imports; ``quality`` describes exactly these rows.
    """

    key: DatasetKey
    parts: tuple[Part, ...]
    provenance: tuple[Provenance, ...]
    quality: Quality | None = None

    @property
    def rows(self) -> int:
        """Number of stored rows."""
        return sum(part.rows for part in self.parts)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Holes between stored rows, inside the parts and between them, in time order."""
        found = [gap for part in self.parts for gap in part.gaps]
        ends = np.array([part.last_ns for part in self.parts[:-1]], dtype=np.int64)
        starts = np.array([part.first_ns for part in self.parts[1:]], dtype=np.int64)
        found += _gaps(ends, starts, self.key.step)
        return tuple(sorted(found, key=lambda gap: gap.after_ns))

    def to_json(self) -> bytes:
        """The bytes on disk: equal content has equal bytes, and a changed byte does not go unseen."""
        document = {
            "version": MANIFEST_VERSION,
            "key": str(self.key),
            "parts": [
                {field.name: getattr(part, field.name) for field in fields(Part)}
                | {"gaps": [[g.after_ns, g.before_ns, g.missing_rows] for g in part.gaps]}
                for part in self.parts
            ],
            "provenance": [dict(entry) for entry in self.provenance],
        }
        if self.quality is not None:
            document["quality"] = dict(self.quality)
        text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return _sealed(text.encode() + b"\n")


def gaps_between(time_ns: Int1D, step: str) -> list[Gap]:
    """Holes in ascending times (equal ones are revisions), to the nearest step; events have none."""
    return _gaps(time_ns[:-1], time_ns[1:], step)


def _gaps(after_ns: Int1D, before_ns: Int1D, step: str) -> list[Gap]:
    if step == EVENT_STEP:
        return []
    step_ns = timeframe_ns(step)
    missing = (before_ns - after_ns + step_ns // 2) // step_ns - 1
    return [
        Gap(int(after_ns[row]), int(before_ns[row]), int(missing[row]))
        for row in np.flatnonzero(missing > 0)
    ]


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Replace the manifest of a data set in one step; the act that makes a write visible."""
    replace_file(root / manifest.key.manifest, manifest.to_json())


def manifest_at(root: Path, key: DatasetKey) -> Manifest | None:
    """The manifest of a data set in the store at ``root``; None when the store lacks it.

    Raises DataError naming the file when it is damaged or of another version.
    """
    path = root / key.manifest
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise DataError(f"{path}: the manifest cannot be read: {error.strerror}") from error
    return _parsed(path, key, data)


def _parsed(path: Path, key: DatasetKey, data: bytes) -> Manifest:
    try:
        document = json.loads(data)
        _check_version(path, document["version"])
        if data != _sealed(_opened(data)):
            raise ValueError("its bytes are not those that were written")
        if document["key"] != str(key):
            raise ValueError(f"it is that of {document['key']}")
        if not document["parts"]:
            raise ValueError("it lists no parts")
        return Manifest(
            key=key,
            parts=tuple(
                Part(**{**part, "gaps": tuple(Gap(*gap) for gap in part["gaps"])})
                for part in document["parts"]
            ),
            provenance=tuple(document["provenance"]),
            quality=document.get("quality"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: the manifest is damaged ({error}); remove the data set (`ninefold data rm {key}`) "
            "and import the data again"
        ) from error


def _check_version(path: Path, version: object) -> None:
    if not isinstance(version, int):
        raise TypeError(f"its version is {version!r}")
    if version > MANIFEST_VERSION:
        raise DataError(
            f"{path}: written by a newer Ninefold (format {version}, this one reads "
            f"{MANIFEST_VERSION}); update Ninefold"
        )
    if version < MANIFEST_VERSION:
        raise DataError(
            f"{path}: written by an older Ninefold (format {version}, this one reads "
            f"{MANIFEST_VERSION}); import the data again into a new store"
        )


def _sealed(text: bytes) -> bytes:
    # The digest is the first member and covers the others, as they are written.
    return b'{"sha256": "' + digest_of(text).encode() + b'", ' + text[1:]


def _opened(data: bytes) -> bytes:
    return b"{" + data[len(_sealed(b"{")) :]
