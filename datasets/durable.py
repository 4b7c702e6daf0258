"""Writing that survives a crash, and the lock that keeps writers apart."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from engine import DataError

TEMPORARY_PREFIX: Final = ".tmp-"


def replace_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a crash leaves the old file or the new one, never a mixture.

    A temporary file in the same folder is written and synced, then renamed over the target, then
    the folder is synced. Raises DataError when the disk refuses.
    """
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{path.name}"
    try:
        make_folder(path.parent)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def make_folder(path: Path) -> None:
    """Create ``path`` and its parents, each new name synced into the folder above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class WriterLock:
    """One writer per store: an advisory lock on a file, released by the system if we die.

    Threads of one ``WriterLock`` wait for each other; another process, or another store object,
    gets a DataError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock inside the block; yields True in the outermost block of this thread."""
        with self._threads:
            if self._depth:
                self._depth += 1
                try:
                    yield False
                finally:
                    self._depth -= 1
                return
            with self._opened() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    file.seek(0)
                    holder = file.read().strip() or "unknown"
                    raise DataError(
                        f"{self._path.parent}: another writer (process {holder}) holds the lock of "
                        "this store; wait until it has finished and repeat the command"
                    ) from error
                file.seek(0)
                file.truncate()
                file.write(f"{os.getpid()}\n")
                file.flush()
                self._depth = 1
                try:
                    yield True
                finally:
                    self._depth = 0

    def _opened(self) -> IO[str]:
        try:
            make_folder(self._path.parent)
            return self._path.open("a+", encoding="ascii")
        except OSError as error:
            raise DataError(f"{self._path}: cannot be written: {error.strerror}") from error
