"""Every validation beside what it judged: one file each, written once, never changed."""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from datasets.durable import TEMPORARY_PREFIX, names_in, remove_files, replace_file
from datasets.file_lock import exclusive_lock
from engine import ContractError, DataError

from ..provenance import revision, versions
from ..record import check_runs_folder, json_text

SCHEMA_VERSION: Final = 3
_NEEDED: Final = frozenset({"verdict", "rules", "findings", "shifted_votes", "chosen", "selection"})
VALIDATIONS_NAME: Final = "validations"
LOCK_NAME: Final = ".lock"
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{8})\.json")
_WAIT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptValidation:
    """A validation read back: ``content`` is that of ``validation_json``, with when and by which code."""

    path: Path
    validated_at: datetime
    content: Mapping[str, Any]


def validations_folder(folder: Path) -> Path:
    """Where the validations of the sweep or run in ``folder`` lie."""
    return folder / VALIDATIONS_NAME


def check_keepable(folder: Path) -> None:
    """DataError unless a validation can be kept in ``folder``; asked before anything is computed."""
    check_runs_folder(validations_folder(folder))


def keep_validation(folder: Path, tree: Mapping[str, Any], validated_at: datetime) -> Path:
    """Keep ``tree`` (of ``validation_json``) beside the sweep or run in ``folder``; the file's path.

    It is called ``<utc>-<first 8 digits of its SHA-256>.json`` and is on the disk when this returns, as a
    whole or not at all. A clock that went back does not change the order: a time is always later than
    that of the validation before. What a killed writer left is removed. Raises DataError when the disk
    refuses or another process holds the folder for long.
    """
    if validated_at.tzinfo is None:
        raise ContractError(f"validated_at={validated_at} must state its zone")
    place = validations_folder(folder)
    check_keepable(folder)
    with exclusive_lock(
        place / LOCK_NAME,
        time.monotonic() + _WAIT_SECONDS,
        lambda holder: f"{place}: locked: process {holder} is writing; repeat the command",
    ):
        names = names_in(place)
        remove_files(place / name for name in names if name.startswith(TEMPORARY_PREFIX))
        kept = _listed(place)
        moment = validated_at.astimezone(UTC)
        if kept:
            moment = max(moment, kept[-1][1] + timedelta(microseconds=1))
        stated = {
            "validated_at": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
            "code": revision(),
            "versions": versions(),
        }
        data = f"{json_text({**tree, **stated})}\n".encode()
        path = place / f"{moment.strftime(_STAMP)}-{_digest(data)}.json"
        replace_file(path, data)
    return path


def readable_validations(folder: Path) -> tuple[tuple[KeptValidation, ...], tuple[str, ...]]:
    """The validations beside the sweep or run in ``folder``, and what is wrong with each unreadable one.

    Both oldest first. A file cannot be read that was changed, that another version of the schema wrote,
    or that is no validation. Raises DataError where the folder cannot be listed, or holds a JSON file
    whose name is not that of a validation.
    """
    found, unread = [], []
    for listed in _listed(validations_folder(folder)):
        try:
            found.append(_read(*listed))
        except DataError as error:
            unread.append(str(error))
    return tuple(found), tuple(unread)


def _read(path: Path, moment: datetime, digest: str) -> KeptValidation:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if _digest(data) != digest:
        raise DataError(
            f"{path}: its SHA-256 is not the one in its name: it was changed after it was written; "
            "put it back as it was, or move it away and validate again"
        )
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise DataError(
            f"{path}: is not a JSON object, so it is no validation; move it away and validate again"
        )
    if content.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"{path}: schema_version={content.get('schema_version')}, this version reads "
            f"{SCHEMA_VERSION}; move it away and validate again"
        )
    if missing := sorted(_NEEDED - content.keys()):
        raise DataError(
            f"{path}: lacks {', '.join(missing)}, which every validation states; move it away and "
            "validate again"
        )
    return KeptValidation(path=path, validated_at=moment, content=content)


def is_only_validations(place: Path) -> bool:
    """Whether the folder ``place`` holds validations and what writing them leaves, nothing else."""
    return (
        place.name == VALIDATIONS_NAME
        and not place.is_symlink()
        and place.is_dir()
        and all(
            (_NAME.fullmatch(name) or name == LOCK_NAME or name.startswith(TEMPORARY_PREFIX))
            and (place / name).is_file()
            and not (place / name).is_symlink()
            for name in names_in(place)
        )
    )


def _listed(place: Path) -> list[tuple[Path, datetime, str]]:
    """Files by time with the digest that their names state; DataError for a JSON file of another name."""
    found = []
    for name in names_in(place):
        if not name.endswith(".json") or name.startswith("."):
            continue
        stated = _NAME.fullmatch(name)
        try:
            moment = datetime.strptime(stated[1], _STAMP).replace(tzinfo=UTC) if stated else None
        except ValueError:
            moment = None
        if stated is None or moment is None:
            raise DataError(
                f"{place / name}: is not the name of a validation (<utc>-<8 digits of its SHA-256>.json); "
                "it was renamed or is a copy: give it its name back or move it away"
            )
        found.append((place / name, moment, stated[2]))
    return sorted(found, key=lambda one: (one[1], one[2]))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]
