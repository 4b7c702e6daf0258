"""The lock that keeps the writers of one data set apart."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine import DataError

from ..durable import make_folder
from ..keys import DatasetKey

_POLL_SECONDS: Final = 0.02


def lock_path(root: Path, key: DatasetKey) -> Path:
    """The lock file of a data set: hidden, beside its manifest. It is never removed."""
    manifest = root / key.manifest
    return manifest.with_name(f".{key.source}.lock")


@contextmanager
def writer_lock(root: Path, key: DatasetKey, deadline: float) -> Iterator[None]:
    """Be the only writer of a data set inside the block, among all threads and processes.

    The system frees the lock when its holder dies. Raises DataError naming the holder's process
    when it is still taken at ``deadline`` (seconds of ``time.monotonic``).
    """
    path = lock_path(root, key)
    descriptor = _opened(path)
    try:
        while not _taken(descriptor):
            rest = deadline - time.monotonic()
            if rest <= 0:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                raise DataError(
                    f"{root}: another writer (process {holder}) holds the lock of {key}; wait until it "
                    "has finished and repeat the command"
                )
            time.sleep(min(_POLL_SECONDS, rest))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> int:
    try:
        make_folder(path.parent)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error
