"""Opening files: packed or not, with a checksum beside them or without."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.importers.reading.source_file import open_source
from engine import DataError
from tests.test_datasets.importers.fuzzing import corrupted
from tests.test_datasets.importers.reading import write

TEXT = b"a,b\n1,2\n"


def gzipped(content: bytes) -> bytes:
    """``content`` in a gzip file without a moment, so that its bytes are the same in every process."""
    return gzip.compress(content, mtime=0)


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            # Without a moment either: the bytes are part of the names of tests.
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(member, data, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def with_checksum(path: Path, sha256: str) -> Path:
    path.with_name(path.name + ".CHECKSUM").write_text(f"{sha256}  {path.name}\n")
    return path


def test_a_plain_file_is_its_bytes(tmp_path: Path) -> None:
    file = open_source(write(tmp_path / "x.CSV", TEXT))
    assert (file.data, file.name, file.suffix) == (TEXT, "x.CSV", ".csv")
    assert file.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert file.checksum_held is None
    assert file.head == ("a,b", "1,2")


@pytest.mark.parametrize(
    ("data", "head"),
    [
        (b"a\r\nb\nc", ("a", "b", "c")),
        (b"\xef\xbb\xbfa\x1cb\n\nc\n", ("a\x1cb", "", "c")),
        (b"a" * 70_000, ("a" * 65_536,)),
        (b"a\n" + b"b" * 70_000, ("a",)),
    ],
)
def test_the_head_has_whole_lines(tmp_path: Path, data: bytes, head: tuple[str, ...]) -> None:
    assert open_source(write(tmp_path / "x.csv", data)).head == head


def test_zip_and_gzip_are_unpacked_by_content(tmp_path: Path) -> None:
    packed = zipped(("folder/x.csv", TEXT))
    file = open_source(write(tmp_path / "other.zip", packed))
    assert (file.data, file.name) == (TEXT, "x.csv")
    assert file.sha256 == hashlib.sha256(packed).hexdigest()
    file = open_source(write(tmp_path / "x.csv.gz", gzipped(TEXT)))
    assert (file.data, file.name) == (TEXT, "x.csv")
    assert open_source(write(tmp_path / "named_wrongly.csv", packed)).data == TEXT


def test_a_checksum_that_holds_is_reported(tmp_path: Path) -> None:
    path = with_checksum(write(tmp_path / "x.csv", TEXT), hashlib.sha256(TEXT).hexdigest().upper())
    assert open_source(path).checksum_held is True


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.csv", b"", "the file is empty"),
        ("x.csv", b" \r\n\t", "the file is empty"),
        ("x.csv.gz", gzipped(b"\n"), "the file is empty"),
        ("x.zip", TEXT, "is not a .zip file although its name says so"),
        ("x.csv.gz", TEXT, "is not a .gz file"),
        ("x.zip", b"PK\x03\x04garbage", "not a readable zip file"),
        (
            "x.zip",
            zipped(("a.csv", TEXT), ("b.csv", TEXT)),
            r"^(?!.*not a readable).*x.zip: holds 2 files",
        ),
        ("x.zip", zipped(("folder/", b"")), r"^(?!.*not a readable).*x.zip: holds 0 files"),
        ("x.zip", zipped(("x.csv", TEXT))[:40], "not a readable zip file"),
        ("x.csv.gz", gzipped(TEXT)[:-9], "not a readable gzip file"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = write(tmp_path / name, data)
    with pytest.raises(DataError, match=message) as caught:
        open_source(path)
    assert str(path) in str(caught.value)


def test_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "absent.csv")
    with pytest.raises(DataError, match="is a folder"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("sha256", "message"),
    [("0" * 64, "SHA-256 is .* x.csv.CHECKSUM says 000.* damaged"), ("none", "holds no SHA-256")],
)
def test_a_checksum_that_does_not_hold_refuses(tmp_path: Path, sha256: str, message: str) -> None:
    path = with_checksum(write(tmp_path / "x.csv", TEXT), sha256)
    with pytest.raises(DataError, match=message):
        open_source(path)


@given(st.one_of(corrupted(zipped(("x.csv", TEXT))), corrupted(gzipped(TEXT))))
def test_broken_archives_are_refused_or_give_what_was_packed(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "broken.bin", data)
    try:
        file = open_source(path)
    except DataError:
        return
    # Both formats carry a CRC of what was packed; bytes that are no archive stay as they are.
    assert file.data in (TEXT, data)


@pytest.mark.parametrize(
    ("name", "data", "reader"),
    [
        ("x.zip", zipped(("x.csv", TEXT)), "zipfile.ZipFile.read"),
        ("x.csv.gz", gzipped(TEXT), "gzip.GzipFile.read"),
    ],
)
def test_a_file_that_does_not_fit_into_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, reader: str
) -> None:
    def too_much(*_: object) -> bytes:
        raise MemoryError

    path = write(tmp_path / name, data)
    monkeypatch.setattr(reader, too_much)
    with pytest.raises(DataError, match=name):
        open_source(path)
