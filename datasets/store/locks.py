"""The lock that keeps the writers of one data set apart."""

from contextlib import AbstractContextManager
from pathlib import Path

from ..file_lock import exclusive_lock
from ..keys import DatasetKey


def lock_path(root: Path, key: DatasetKey) -> Path:
    """The lock file of a data set: hidden, beside its manifest. It is never removed."""
    manifest = root / key.manifest
    return manifest.with_name(f".{key.source}.lock")


def writer_lock(root: Path, key: DatasetKey, deadline: float) -> AbstractContextManager[None]:
    """Be the only writer of a data set inside the block, among all threads and processes.

    The system frees the lock when its holder dies. Raises DataError naming the holder's process
    when it is still taken at ``deadline`` (seconds of ``time.monotonic``).
    """
    return exclusive_lock(
        lock_path(root, key),
        deadline,
        lambda holder: (
            f"{root}: another writer (process {holder}) holds the lock of {key}; wait until it "
            "has finished and repeat the command"
        ),
    )
