"""Parquet parts: the one encoding of rows, and reading them back."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import DataError, Int1D

from ..keys import DatasetKey
from ..kinds import AVAILABLE_AT, KINDS, Kind
from ..manifest import Part, gaps_between
from ..tables import digest_of, times_ns

ROW_GROUP_ROWS: Final = 131_072
_UNITS: Final = {"year": "Y", "month": "M"}


class PartGoneError(DataError):
    """A part that the manifest names does not exist."""


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """A part and the bytes of its file."""

    part: Part
    data: pa.Buffer


def by_period(kind: Kind, table: pa.Table) -> list[tuple[str, pa.Table]]:
    """The rows of each calendar period (UTC) that has any: ``2024`` or ``2024-05``, oldest first."""
    time_ns = times_ns(kind, table)
    unit = f"M8[{_UNITS[kind.parts_by]}]"
    oldest, newest = time_ns[[0, -1]].astype("datetime64[ns]").astype(unit)
    periods = np.arange(oldest, newest + 1)
    begins = np.searchsorted(time_ns, periods.astype("datetime64[ns]").astype(np.int64))
    cuts = pairwise((*begins.tolist(), len(table)))
    return [
        (str(period), table.slice(first, last - first))
        for period, (first, last) in zip(periods, cuts, strict=True)
        if last > first
    ]


def encoded(key: DatasetKey, period: str, rows: pa.Table) -> EncodedPart:
    """One part of the rows: equal rows have equal bytes, however they were put together."""
    data = parquet_bytes(KINDS[key.kind], rows)
    return EncodedPart(part_of(key, period, rows, digest_of(data), data.size), data)


def parquet_bytes(
    kind: Kind, rows: pa.Table, metadata: Mapping[bytes, bytes] | None = None
) -> pa.Buffer:
    """The rows in the encoding of the store, with ``metadata`` of the file where there is some."""
    # A column of one chunk: pages begin at the same rows for equal content.
    rows = rows.cast(kind.schema).combine_chunks()
    if metadata is not None:
        rows = rows.replace_schema_metadata(dict(metadata))
    whole = {
        field.name: "DELTA_BINARY_PACKED"
        for field in kind.schema
        if pa.types.is_timestamp(field.type) or pa.types.is_int64(field.type)
    }
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows,
        sink,
        version="2.6",
        compression="lz4",
        row_group_size=ROW_GROUP_ROWS,
        # Prices and amounts hardly repeat: a dictionary of them costs time and space.
        use_dictionary=[field.name for field in kind.schema if pa.types.is_string(field.type)],
        column_encoding=whole,
        write_statistics=True,
        write_page_checksum=True,
        sorting_columns=[pq.SortingColumn(0)],
    )
    return sink.getvalue()


def part_of(key: DatasetKey, period: str, rows: pa.Table, sha256: str, size: int) -> Part:
    """What the manifest says about a part with these rows."""
    time_ns = times_ns(KINDS[key.kind], rows)
    return Part(
        file=f"part-{sha256[:12]}.parquet",
        sha256=sha256,
        bytes=size,
        period=period,
        rows=len(rows),
        first_ns=int(time_ns[0]),
        last_ns=int(time_ns[-1]),
        gaps=tuple(gaps_between(time_ns, key.step)),
    )


def read_part(
    path: Path,
    key: DatasetKey,
    part: Part,
    start_ns: int | None = None,
    end_ns: int | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Rows of a part with ``start_ns <= time < end_ns``, all columns of the kind or ``columns``.

    Raises PartGoneError when there is no file, DataError when it is not the file that the manifest
    describes; page checksums are verified, the SHA-256 is not.
    """
    with _open_part(path, key) as source:
        return decoded_bytes(path, key, part, source, start_ns, end_ns, columns)


def part_chunks(
    path: Path,
    key: DatasetKey,
    part: Part,
    start_ns: int | None = None,
    end_ns: int | None = None,
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """The rows of :func:`read_part`, at most ``ROW_GROUP_ROWS`` at a time; raises what it raises."""
    with _open_part(path, key) as source, _named_damage(path, key):
        if source.size() != part.bytes:
            raise _size_error(source, part)
        yield from _decoded_groups(source, KINDS[key.kind], part, start_ns, end_ns, columns)


def decoded_bytes(
    path: Path,
    key: DatasetKey,
    part: Part,
    source: pa.NativeFile,
    start_ns: int | None = None,
    end_ns: int | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """As :func:`read_part`, from the open file ``source``; ``path`` is its name in messages."""
    with _named_damage(path, key):
        if source.size() != part.bytes:
            raise _size_error(source, part)
        return _decoded(source, KINDS[key.kind], part, start_ns, end_ns, columns)


@contextmanager
def _open_part(path: Path, key: DatasetKey) -> Iterator[pa.NativeFile]:
    """The open file of a part; PartGoneError where there is none, DataError where it cannot be read."""
    try:
        with pa.OSFile(str(path)) as source:
            yield source
    except FileNotFoundError as error:
        raise PartGoneError(
            f"{path}: the manifest names this part but it is gone; {_remedy(key)}"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {_first_line(error)}; {_remedy(key)}") from error


@contextmanager
def _named_damage(path: Path, key: DatasetKey) -> Iterator[None]:
    """DataError that names ``path`` for whatever decoding a damaged file may raise."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        # ValueError: a damaged footer may name its columns in bytes that are no text.
        reason = f"not a readable Parquet file ({_first_line(error)})"
        raise DataError(f"{path}: {reason}; {_remedy(key)}") from error
    except _MismatchError as error:
        raise DataError(f"{path}: {error}; {_remedy(key)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _remedy(key: DatasetKey) -> str:
    return f"remove the data set (`ninefold data rm {key}`) and import the data again"


class _MismatchError(Exception):
    """A Parquet file that is not what the manifest says."""


def _size_error(source: pa.NativeFile, part: Part) -> _MismatchError:
    return _MismatchError(
        f"{source.size()} bytes, the manifest says {part.bytes}: the file is damaged"
    )


def _opened(source: pa.NativeFile, kind: Kind) -> pq.ParquetFile:
    file = pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=True)
    if not file.schema_arrow.equals(kind.schema):
        raise _MismatchError(f"its columns are not those of kind {kind.name}")
    return file


def _decoded_groups(
    source: pa.NativeFile,
    kind: Kind,
    part: Part,
    start_ns: int | None,
    end_ns: int | None,
    columns: Sequence[str] | None,
) -> Iterator[pa.Table]:
    file = _opened(source, kind)
    whole = _is_whole(part, start_ns, end_ns)
    rows, first_ns, last_ns = 0, 0, 0
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=columns if whole else [kind.time_column])
        time_ns = times_ns(kind, table)
        if not rows and len(time_ns):
            first_ns = int(time_ns[0])
        rows, last_ns = rows + len(time_ns), int(time_ns[-1]) if len(time_ns) else last_ns
        first, last = _bounds(time_ns, start_ns, end_ns)
        if whole:
            yield table
        elif last > first:
            yield file.read_row_group(group, columns=columns).slice(first, last - first)
    _check_rows(part, (rows, first_ns, last_ns))


def _is_whole(part: Part, start_ns: int | None, end_ns: int | None) -> bool:
    return (start_ns is None or start_ns <= part.first_ns) and (
        end_ns is None or part.last_ns < end_ns
    )


def _decoded(
    source: pa.NativeFile,
    kind: Kind,
    part: Part,
    start_ns: int | None,
    end_ns: int | None,
    columns: Sequence[str] | None,
) -> pa.Table:
    file = _opened(source, kind)
    whole = _is_whole(part, start_ns, end_ns)
    if whole or file.num_row_groups == 1:
        table = file.read(columns=columns)
        time_ns = times_ns(kind, table)
        _check_facts(part, time_ns)
        first, last = _bounds(time_ns, start_ns, end_ns)
        return table if whole else table.slice(first, last - first)
    # The times decide which row groups are needed: statistics have no checksum of their own.
    time_ns = times_ns(kind, file.read(columns=[kind.time_column]))
    _check_facts(part, time_ns)
    first, last = _bounds(time_ns, start_ns, end_ns)
    group, final = first // ROW_GROUP_ROWS, max(first, last - 1) // ROW_GROUP_ROWS
    groups = range(group, min(final + 1, file.num_row_groups))
    table = file.read_row_groups(list(groups), columns=columns)
    return table.slice(first - group * ROW_GROUP_ROWS, last - first)


def _bounds(time_ns: Int1D, start_ns: int | None, end_ns: int | None) -> tuple[int, int]:
    first = 0 if start_ns is None else int(np.searchsorted(time_ns, start_ns))
    last = len(time_ns) if end_ns is None else int(np.searchsorted(time_ns, end_ns))
    return first, max(first, last)


def _check_facts(part: Part, time_ns: Int1D) -> None:
    ends = (int(time_ns[0]), int(time_ns[-1])) if len(time_ns) else (0, 0)
    _check_rows(part, (len(time_ns), *ends))


def _check_rows(part: Part, facts: tuple[int, int, int]) -> None:
    if facts != (part.rows, part.first_ns, part.last_ns):
        raise _MismatchError(
            f"{facts[0]} rows from {facts[1]} to {facts[2]} ns, the manifest says {part.rows} "
            f"from {part.first_ns} to {part.last_ns} ns"
        )


def columns_read(kind: Kind, asked: Sequence[str] | None) -> list[str] | None:
    """Columns to decode: the identity of a row, ``available_at``, and those asked for; in kind order.

    None stands for every column. Raises DataError for a column that the kind lacks.
    """
    if asked is None:
        return None
    unknown = [name for name in asked if name not in kind.schema.names]
    if unknown:
        raise DataError(
            f"column {unknown[0]!r} is unknown to kind {kind.name}; its columns are "
            f"{', '.join(kind.schema.names)}"
        )
    wanted = {*kind.identity, AVAILABLE_AT, *asked}
    return [name for name in kind.schema.names if name in wanted]
