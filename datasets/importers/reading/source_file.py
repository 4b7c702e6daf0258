"""A file to import: its bytes, unpacked, and whether its checksum holds."""

import gzip
import hashlib
import io
import re
import threading
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from engine import DataError

from ...findings import RefusedFileError

HEAD_BYTES: Final = 65_536
MAX_UNPACKED_BYTES: Final = 8 << 30
"""A packed file that grows beyond this is refused before it fills the memory."""
_PACKED_SUFFIXES: Final = (".zip", ".gz")
_CHECKSUM: Final = re.compile(r"\s*([0-9a-fA-F]{64})\b")


@dataclass(frozen=True)
class SourceFile:
    """One file: ``data`` are its bytes after unpacking; ``digest`` gives the SHA-256 of the file.

    ``name`` is the name of what was inside, without ``.gz`` or ``.zip``. ``checksum_held`` is True
    where a ``.CHECKSUM`` file stands beside it and agrees, None where there is none.
    """

    path: Path
    name: str
    data: bytes
    digest: Callable[[], str]
    checksum_held: bool | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the file on disk, hexadecimal."""
        return self.digest()

    @property
    def suffix(self) -> str:
        """Suffix of the unpacked file, lower case."""
        return Path(self.name).suffix.lower()

    @cached_property
    def head(self) -> tuple[str, ...]:
        """The first lines as text, without line ends; a last line cut off by the limit is left out."""
        text = self.data[:HEAD_BYTES].decode("utf-8-sig", "replace")
        # Text knows more line ends than files do: a form feed ends no row.
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if len(lines) > 1 and (not lines[-1] or len(self.data) > HEAD_BYTES):
            lines.pop()
        return tuple(lines)


def open_source(path: Path) -> SourceFile:
    """Read ``path``, check its ``.CHECKSUM`` where there is one, unpack zip and gzip.

    Raises DataError for a file that cannot be read, RefusedFileError for one that is empty,
    damaged, holds not exactly one file, or contradicts its checksum.
    """
    packed = _contents(path)
    digest = hashed_meanwhile(packed)
    held = _checksum_held(path, digest)
    name, data = path.name, packed
    if packed.startswith(b"PK\x03\x04"):
        name, data = _unzipped(path, packed)
    elif packed.startswith(b"\x1f\x8b"):
        name, data = path.name.removesuffix(".gz"), _gunzipped(path, packed)
    elif path.suffix.lower() in _PACKED_SUFFIXES:
        raise RefusedFileError(
            "unreadable",
            f"{path}: is not a {path.suffix.lower()} file although its name says so; download it again",
        )
    if not data or data.isspace():
        raise RefusedFileError("unreadable", f"{path}: the file is empty; download it again")
    return SourceFile(path, name, data, digest, held)


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder; give the files in it, such as {path}/*") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def hashed_meanwhile(data: bytes) -> Callable[[], str]:
    """Begin to hash ``data`` beside whatever is done next; the answer waits for the SHA-256."""
    digest = hashlib.sha256()
    thread = threading.Thread(target=digest.update, args=(data,), daemon=True)
    thread.start()

    def finished() -> str:
        thread.join()
        return digest.hexdigest()

    return finished


def _checksum_held(path: Path, digest: Callable[[], str]) -> bool | None:
    beside = path.with_name(path.name + ".CHECKSUM")
    if not beside.exists():
        return None
    stated = _CHECKSUM.match(_contents(beside).decode("utf-8", "replace"))
    if stated is None:
        raise RefusedFileError(
            "unreadable",
            f"{beside}: holds no SHA-256 in its first line; download it again or remove it",
        )
    if stated.group(1).lower() != digest():
        raise RefusedFileError(
            "unreadable",
            f"{path}: SHA-256 is {digest()}, {beside.name} says {stated.group(1).lower()}; the file is "
            "damaged, download it again",
        )
    return True


def _unzipped(path: Path, packed: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise RefusedFileError(
                    "unreadable",
                    f"{path}: holds {len(members)} files; a zip must hold exactly one, unpack it first",
                )
            _check_size(path, members[0].file_size)
            return Path(members[0].filename).name, archive.read(members[0])
    except RefusedFileError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        MemoryError,
    ) as error:
        raise RefusedFileError(
            "unreadable", f"{path}: not a readable zip file ({error}); download it again"
        ) from error


def _gunzipped(path: Path, packed: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            data = file.read(MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error, ValueError, MemoryError) as error:
        raise RefusedFileError(
            "unreadable", f"{path}: not a readable gzip file ({error}); download it again"
        ) from error
    _check_size(path, len(data))
    return data


def _check_size(path: Path, size: int) -> None:
    if size > MAX_UNPACKED_BYTES:
        raise RefusedFileError(
            "unreadable",
            f"{path}: unpacks to {size} bytes, more than {MAX_UNPACKED_BYTES}; unpack and split it",
        )
