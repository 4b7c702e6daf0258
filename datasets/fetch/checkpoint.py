"""How far a data set has been asked for: a small file that outlives a kill, and who is asking."""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from engine import DataError

from ..durable import make_folder, replace_file
from ..keys import DatasetKey

FOLDER: Final = "_fetch"
_VERSION: Final = 1
_NAMED_WITHIN_SECONDS: Final = 1.0
Period: TypeAlias = tuple[int, int]
"""From (inclusive) to (exclusive), ms UTC."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Periods of one data set for which the exchange has been asked completely, merged, oldest first.

    Asked does not mean that rows exist: before a listing there are none. ``has_rows`` says that the
    store got some.
    """

    asked: tuple[Period, ...] = ()
    has_rows: bool = False

    def after(self, first_ms: int, end_ms: int, *, has_rows: bool) -> "Checkpoint":
        """The same with one more period asked."""
        periods = sorted([*self.asked, (first_ms, end_ms)])
        merged: list[Period] = []
        for low, high in periods:
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            elif low < high:
                merged.append((low, high))
        return replace(self, asked=tuple(merged), has_rows=self.has_rows or has_rows)

    def open_periods(self, first_ms: int, end_ms: int) -> list[Period]:
        """What of [``first_ms``, ``end_ms``) has not been asked, oldest first."""
        rest: list[Period] = []
        low = first_ms
        for asked_low, asked_high in self.asked:
            if asked_low > low:
                rest.append((low, min(asked_low, end_ms)))
            low = max(low, asked_high)
        rest.append((low, end_ms))
        return [(a, b) for a, b in rest if a < b]


def checkpoint_path(root: Path, key: DatasetKey) -> Path:
    """The checkpoint of a data set."""
    return root / FOLDER / f"{key}.json"


def read_checkpoint(root: Path, key: DatasetKey) -> Checkpoint:
    """The checkpoint of a data set, an empty one when there is none; DataError when damaged."""
    path = checkpoint_path(root, key)
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            raise DataError(
                f"{path}: version {document['version']}, this program reads {_VERSION}; delete the file "
                "to fetch the data set from its beginning"
            )
        asked = tuple((int(low), int(high)) for low, high in document["asked_ms"])
        return Checkpoint(asked, bool(document["has_rows"]))
    except FileNotFoundError:
        return Checkpoint()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: the checkpoint cannot be read ({error}); delete the file to fetch the data set "
            "from its beginning"
        ) from error


def write_checkpoint(root: Path, key: DatasetKey, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint in one step."""
    document = {
        "version": _VERSION,
        "key": str(key),
        "asked_ms": [list(period) for period in checkpoint.asked],
        "has_rows": checkpoint.has_rows,
    }
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    replace_file(checkpoint_path(root, key), text.encode())


@contextmanager
def fetching(root: Path, keys: Sequence[DatasetKey]) -> Iterator[None]:
    """Be the only fetch of these data sets; DataError naming the process that is another one."""
    descriptors: list[int] = []
    try:
        for key in sorted(set(keys)):
            descriptors.append(_locked(root, key))
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _locked(root: Path, key: DatasetKey) -> int:
    path = checkpoint_path(root, key)
    path = path.with_name(f".{path.name}.lock")
    try:
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    except BlockingIOError as error:
        holder = _holder(descriptor)
        os.close(descriptor)
        raise DataError(
            f"{key}: process {holder} is fetching this data set; wait until it has finished"
        ) from error
    return descriptor


def _holder(descriptor: int) -> str:
    """The process that holds a lock; it writes its number right after it has taken the lock."""
    until = time.monotonic() + _NAMED_WITHIN_SECONDS
    while True:
        name = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        if name or time.monotonic() > until:
            return name or "unknown"
        time.sleep(0.01)
