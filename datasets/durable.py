"""Writing that survives a crash.

Whatever changes a store goes through the small functions below, one system call each, so that a test
can stop the program at every one of them.
"""

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from engine import DataError

TEMPORARY_PREFIX: Final = ".tmp-"
_WRITE_BYTES: Final = 1 << 20
"""Written at a time; one call for tens of megabytes takes twice as long."""
_OWNER_MARK: Final = "~"
"""Stands between the name of the target and the writer, and in no name that the store gives."""


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Put ``data`` (bytes or any buffer) at ``path`` so that a crash leaves the old file or the new one.

    A temporary file in the same folder is written and synced, then renamed over the target, then
    the folder is synced. Raises DataError when the disk refuses; the target is as it was then.
    """
    writer = f"{os.getpid()}-{threading.get_ident()}"
    temporary = path.parent / f"{TEMPORARY_PREFIX}{path.name}{_OWNER_MARK}{writer}"
    try:
        make_folder(path.parent)
        try:
            descriptor = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666
            )
            try:
                _write_all(descriptor, memoryview(data).cast("B"))
                sync(descriptor)
            finally:
                os.close(descriptor)
            rename(temporary, path)
        except BaseException:
            unlink(temporary)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def temporaries_of(path: Path) -> list[Path]:
    """Files that interrupted calls of :func:`replace_file` for ``path`` left behind."""
    prefix = f"{TEMPORARY_PREFIX}{path.name}{_OWNER_MARK}"
    return [path.parent / name for name in names_in(path.parent) if name.startswith(prefix)]


def names_in(folder: Path) -> list[str]:
    """Names of what is directly in ``folder``, in order; none when it does not exist."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def remove_files(paths: Iterable[Path]) -> None:
    """Remove files that may be gone already; DataError when the system refuses."""
    for path in paths:
        try:
            unlink(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be removed: {error.strerror}") from error


def make_folder(path: Path) -> None:
    """Create ``path`` and its parents, each new name synced into the folder above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    make_one_folder(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[write(descriptor, data[:_WRITE_BYTES]) :]


def write(descriptor: int, data: memoryview) -> int:
    """Write some of ``data``; the number of bytes that went out."""
    return os.write(descriptor, data)


def sync(descriptor: int) -> None:
    """Wait until a file or folder is on the disk."""
    os.fsync(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file another name, in place of the file that has it."""
    os.replace(source, target)


def unlink(path: Path) -> None:
    """Remove a file if it is there."""
    path.unlink(missing_ok=True)


def make_one_folder(path: Path) -> None:
    """Create a folder in an existing one; another writer may have done so."""
    path.mkdir(exist_ok=True)
