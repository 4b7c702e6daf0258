"""Checking stored bytes and rows against the manifest that lists them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from engine import DataError

from ..checks import check_rows
from ..durable import TEMPORARY_PREFIX, names_in, temporaries_of
from ..keys import DatasetKey
from ..kinds import KINDS
from ..manifest import Manifest, Part, manifest_at
from ..tables import digest_of
from ..timestamps import time_text
from .parts import by_period, decoded_bytes, part_of
from .records import Problem


def problems_of(root: Path, manifest: Manifest) -> Iterator[Problem]:
    """Hash every part again, check every row of it, and how the parts follow each other."""
    key, last_ns = manifest.key, None
    for part in manifest.parts:
        path = root / key.folder / part.file
        message, data = checked_bytes(path, part)
        message = message or _row_problem(path, manifest, part, data)
        if not message and last_ns is not None and part.first_ns <= last_ns:
            message = f"begins before {time_text(last_ns)}, where another part ends"
        if message:
            yield Problem(str(key), path, message)
        last_ns = part.last_ns


def checked_bytes(path: Path, part: Part) -> tuple[str, bytes]:
    """What is wrong with the bytes of a part (empty when nothing), and the bytes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}", b""
    if digest_of(data) != part.sha256:
        return f"SHA-256 is not {part.sha256}: the file was changed", b""
    return "", data


def _row_problem(path: Path, manifest: Manifest, part: Part, data: bytes) -> str:
    key = manifest.key
    kind = KINDS[key.kind]
    try:
        table = decoded_bytes(path, key, part, pa.BufferReader(data))
        check_rows(kind, key.step, table, lambda row: f"{path.name} row {row}")
    except DataError as error:
        return str(error)
    periods = [period for period, _ in by_period(kind, table)]
    if periods != [part.period]:
        return f"holds rows of {', '.join(periods)}, the manifest says {part.period}"
    said = replace(part_of(key, part.period, table, part.sha256, len(data)), file=part.file)
    return "" if said == part else "the manifest states other gaps than its rows have"


def superfluous_files(folder: Path, manifest: Manifest | None) -> list[Path]:
    """Files in the folder of a data set that no manifest names: what interrupted writers left."""
    named = {part.file for part in manifest.parts} if manifest is not None else set()
    return [
        folder / name
        for name in names_in(folder)
        if name not in named and name.startswith((TEMPORARY_PREFIX, "part-"))
    ]


def leftover_files(root: Path) -> tuple[Path, ...]:
    """Files that interrupted writers left in the store at ``root``.

    Where a manifest cannot be read nobody knows which parts are left over, so none of its folder are.
    """
    found = []
    for kind in KINDS:
        for folder in sorted({path.parent for path in (root / kind).rglob("*.parquet*")}):
            key = _key_of(root, folder)
            if key is None:
                continue
            try:
                manifest = manifest_at(root, key)
            except DataError:
                # Without a list of its parts nothing in the folder can be called superfluous.
                continue
            found += temporaries_of(root / key.manifest)
            found += superfluous_files(folder, manifest)
    return tuple(found)


def interrupted_keys(root: Path) -> set[DatasetKey]:
    """Data sets of which interrupted writers left files."""
    keys = {_key_of(root, path.parent) for path in leftover_files(root)}
    return {key for key in keys if key is not None}


def _key_of(root: Path, folder: Path) -> DatasetKey | None:
    """The data set whose parts lie in ``folder``; None when it is no such folder."""
    kind, *parts = folder.relative_to(root).parts
    try:
        key = DatasetKey.parse("/".join([kind, *(part.partition("=")[2] for part in parts)]))
    except DataError:
        return None
    return key if root / key.folder == folder else None
