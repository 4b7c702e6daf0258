"""Locks by file: one holder among all threads and processes of a machine."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from engine import DataError

from .durable import make_folder

_POLL_SECONDS: Final = 0.02
_open_here: set[int] = set()
"""Descriptors of lock files that this process opened itself."""


@contextmanager
def exclusive_lock(path: Path, deadline: float, refusal: Callable[[str], str]) -> Iterator[None]:
    """Be the only one inside the block that locks ``path``, among all threads and processes.

    The file is made where it is missing and never removed. The system frees the lock when its holder
    dies, also when processes that the holder forked live on. When it is still taken at ``deadline``
    (seconds of ``time.monotonic``), raises DataError with the text that ``refusal`` makes of the
    holder's process number; DataError too when the system refuses the file.
    """
    descriptor = _opened(path)
    _open_here.add(descriptor)
    try:
        while not _taken(descriptor):
            rest = deadline - time.monotonic()
            if rest <= 0:
                raise DataError(refusal(_holder(descriptor)))
            time.sleep(min(_POLL_SECONDS, rest))
        _sign(descriptor, path)
        yield
    finally:
        if descriptor in _open_here:
            _open_here.remove(descriptor)
            os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        make_folder(path.parent)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"


def _sign(descriptor: int, path: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from error


def _close_in_child() -> None:
    """A lock lasts as long as any copy of its descriptor, those of forked processes included."""
    for descriptor in _open_here:
        os.close(descriptor)
    _open_here.clear()


os.register_at_fork(after_in_child=_close_in_child)
