"""Arrays kept between runs: memory-mapped files under a key that names their whole origin."""

import fcntl
import hashlib
import json
import math
import mmap
import os
import secrets
import struct
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np

from engine import ConfigError

from .store import Store

DEFAULT_MAX_BYTES: Final = 8 * 2**30
Array: TypeAlias = np.ndarray[Any, Any]

_SUFFIX: Final = ".arrays"
_PARTIAL: Final = "partial-"
_MAGIC: Final = b"NINEFOLD arrays\n"
_PRELUDE: Final = struct.Struct("<16sQQ32s")
"""Magic, length of the header, length of the file, SHA-256 of the header."""
_HASHERS: Final = 2
"""Threads that hash while another one writes."""
_ALIGNMENT: Final = 64
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """What was kept under a key: ``facts`` (JSON values) and read-only arrays by name."""

    facts: Mapping[str, Any]
    arrays: Mapping[str, Array]


class ArrayCache:
    """Entries in one folder, together at most ``max_bytes``; the least recently used go first.

    A key must stand for everything that the arrays follow from, so that an entry is never out of date.
    An entry is one file: a JSON header, then the arrays, each at a multiple of 64 bytes, in
    the order of memory they had. It is read by mapping it, so its pages are shared between processes
    and cost nothing until they are touched.

    Any number of processes may use one folder. An entry appears in one step, by renaming. It is not
    synced to disk, which would cost more than what it saves; instead each array has a SHA-256, and the
    time of modification of its file is a seal that holds for this file, this content and this
    boot of the machine. Where the seal does not fit (after a restart or a power loss, or when
    someone wrote to the file) every SHA-256 is checked. A damaged entry is removed and counts as absent.
    A folder that cannot be written caches nothing; nothing here raises for the state of the disk.
    """

    def __init__(self, root: Path | str, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        if max_bytes < 0:
            raise ConfigError(f"max_bytes={max_bytes} of the cache must not be negative")
        self.root = Path(root)
        self.max_bytes = max_bytes

    @classmethod
    def of(cls, store: Store, *, max_bytes: int = DEFAULT_MAX_BYTES) -> "ArrayCache":
        """The cache inside the folder of a store."""
        return cls(store.root / "_cache", max_bytes=max_bytes)

    def get(self, key: str) -> CacheEntry | None:
        """The entry under ``key`` (hexadecimal), None where there is none that is whole."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                # An empty file cannot be mapped.
                content = (
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""
                )
        except OSError:
            return None
        entry = _entry_in(content, key, status)
        if entry is None:
            _remove(path)
            return None
        # The time of access says when an entry was last used; the seal stays. A cache of another
        # user cannot be marked, and an entry may just be evicted: its mapped pages are whole.
        with suppress(OSError):
            os.utime(path, ns=(time.time_ns(), _seal(content)))
        return entry

    def put(self, key: str, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> bool:
        """Keep arrays under ``key``; False where they do not fit or the disk refuses them."""
        described, data_bytes = _laid_out(arrays)
        nothing = [_digest(b"")] * len(described)
        size = _PRELUDE.size + len(_header(key, facts, described, nothing)) + data_bytes
        if size > self.max_bytes:
            return False
        partial = self.root / f"{_PARTIAL}{secrets.token_hex(8)}"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
            self._make_room(size, sparing=self._path(key))
            with partial.open("xb") as file:
                # Held while writing: a partial file without a holder is a leftover.
                fcntl.flock(file, fcntl.LOCK_EX)
                content = _write(file, key, facts, described, arrays)
                file.flush()
                os.replace(partial, self._path(key))
                os.utime(file.fileno(), ns=(time.time_ns(), _seal(content)))
            # Another process may have made room for an entry of its own at the same time.
            self._make_room(0)
        except OSError:
            _remove(partial)
            return False
        except BaseException:
            _remove(partial)
            raise
        return True

    def size(self) -> int:
        """Bytes of all entries together."""
        return sum(size for _, size, _ in self._entries())

    def clear(self) -> None:
        """Remove every entry; arrays that are in use stay whole."""
        self._remove_leftovers()
        for _, _, path in self._entries():
            _remove(path)

    def _path(self, key: str) -> Path:
        return self.root / f"{key}{_SUFFIX}"

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Time of last use, bytes and path of every entry, least recently used first."""
        found = []
        for path in self._files(_SUFFIX):
            try:
                status = path.stat()
            except OSError:
                # Another process has just removed it.
                continue
            found.append((status.st_atime_ns, status.st_size, path))
        return sorted(found)

    def _files(self, ending: str) -> list[Path]:
        try:
            return [Path(item.path) for item in os.scandir(self.root) if item.name.endswith(ending)]
        except OSError:
            # A cache that is not there, or not ours, is an empty one.
            return []

    def _make_room(self, size: int, *, sparing: Path | None = None) -> None:
        entries = [entry for entry in self._entries() if entry[2] != sparing]
        total = sum(entry[1] for entry in entries) + size
        for _, held, path in entries:
            if total <= self.max_bytes:
                return
            _remove(path)
            total -= held

    def _remove_leftovers(self) -> None:
        for path in self._files(""):
            if not path.name.startswith(_PARTIAL):
                continue
            with suppress(OSError), path.open("rb") as file:
                # Refused while the writer lives.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)


def _remove(path: Path) -> None:
    # One that another process removed is gone as wanted; one that stays is tried again next time.
    with suppress(OSError):
        path.unlink()


def _laid_out(arrays: Mapping[str, Array]) -> tuple[list[list[Any]], int]:
    """Name, type, shape, order of memory and offset in the data of each array; bytes of the data."""
    described: list[list[Any]] = []
    end = 0
    for name, array in arrays.items():
        order = "C" if array.flags.c_contiguous else "F"
        described.append([name, array.dtype.str, list(array.shape), order, end])
        end += _padded(array.nbytes)
    return described, end


def _header(
    key: str, facts: Mapping[str, Any], described: Sequence[Sequence[Any]], digests: Sequence[str]
) -> bytes:
    rows = [[*row, digest] for row, digest in zip(described, digests, strict=True)]
    document = {"key": key, "facts": dict(facts), "arrays": rows}
    header = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    return header + b" " * (_padded(_PRELUDE.size + len(header)) - _PRELUDE.size - len(header))


def _write(
    file: BinaryIO,
    key: str,
    facts: Mapping[str, Any],
    described: Sequence[Sequence[Any]],
    arrays: Mapping[str, Array],
) -> bytes:
    """Write a whole entry and give its prelude, which is written last."""
    with ThreadPoolExecutor(_HASHERS) as pool:
        digests = [pool.submit(_digest, _raw(array)) for array in arrays.values()]
        # Every digest has the same length, so the header has its length before they are known.
        space = len(_header(key, facts, described, [_digest(b"")] * len(described)))
        file.write(bytes(_PRELUDE.size + space))
        for array in arrays.values():
            file.write(_raw(array))
            file.write(bytes(_padded(array.nbytes) - array.nbytes))
        header = _header(key, facts, described, [digest.result() for digest in digests])
    size = file.tell()
    file.seek(0)
    prelude = _PRELUDE.pack(_MAGIC, len(header), size, hashlib.sha256(header).digest())
    file.write(prelude + header)
    return prelude


def _padded(count: int) -> int:
    return -(-count // _ALIGNMENT) * _ALIGNMENT


def _digest(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _raw(array: Array) -> memoryview:
    flat = array if array.flags.c_contiguous else array.T
    return np.ascontiguousarray(flat).reshape(-1).view(np.uint8).data


def _entry_in(content: mmap.mmap | bytes, key: str, status: os.stat_result) -> CacheEntry | None:
    """The entry in a mapped file, None unless it is whole and that of ``key``."""
    if len(content) < _PRELUDE.size:
        return None
    magic, header_bytes, size, digest = _PRELUDE.unpack_from(content)
    start = _PRELUDE.size + header_bytes
    if magic != _MAGIC or size != len(content):
        return None
    header = content[_PRELUDE.size : start]
    if hashlib.sha256(header).digest() != digest:
        return None
    document = json.loads(header)
    if document["key"] != key:
        return None
    arrays, digests = {}, []
    for name, dtype, shape, order, offset, of_array in document["arrays"]:
        flat = np.frombuffer(content, dtype, math.prod(shape), start + offset)
        arrays[name] = flat.reshape(shape, order=order)
        digests.append(of_array)
    if status.st_mtime_ns != _seal(content):
        with ThreadPoolExecutor(_HASHERS) as pool:
            if list(pool.map(_digest, map(_raw, arrays.values()))) != digests:
                return None
    return CacheEntry(document["facts"], arrays)


def _seal(content: mmap.mmap | bytes) -> int:
    """A time of modification that says: this content was whole since this boot of the machine.

    Any other writing sets the present time, which fits by chance once in 1e9.
    """
    text = _boot_id() + content[: _PRELUDE.size]
    fraction = int.from_bytes(hashlib.sha256(text).digest()[:8]) % _SECOND_NS
    return _SECOND_NS + fraction


@cache
def _boot_id() -> bytes:
    try:
        return _BOOT_ID.read_bytes()
    except OSError:
        # No such system file: every process checks an entry that it did not write itself.
        return secrets.token_bytes(16)
