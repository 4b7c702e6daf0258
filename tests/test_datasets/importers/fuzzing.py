"""Broken files for every importer, and the promise each importer makes about them.

An importer may refuse whatever bytes it is given, but only with DataError (RefusedFileError is one),
in one line. What it takes must be what a slow reference parser of plain Python reads from the same
bytes, row for row. A format's test calls :func:`assert_refused_or_exact` under Hypothesis with
``corrupted(valid_bytes)`` and with ``arbitrary_bytes()``.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from datasets.importers.format import Format
from datasets.importers.reading.source_file import SourceFile
from datasets.importers.report import Request
from datasets.importers.rows import SourceRows
from engine import DataError

Row = dict[str, Any]
"""One row by canonical column name, without empty cells; times as int nanoseconds UTC.

``available_at`` is compared where the reference states it, and left out where it follows the kind.
"""
Series = Mapping[str, Sequence[Row]]
"""Rows in store order by ``str(key)`` of their data set."""
Builder = Callable[[bytes], SourceFile]
Reference = Callable[[bytes], Series]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ODD_BYTES = b"0123456789.-+eE,;\"'\n\r\t \x00\xff[]{}:nNtTuU"
_ODD_CELLS = (
    b"", b"0", b"-1", b"1e3", b"1.5E+12", b"nan", b"inf", b"-inf", b"NULL", b"null", b"None", b"1_0",
    b"true", b"False", b"0x10", b'"1"', b"'1'", b" 1 ", b"99999999999999999999", b"9223372036854775807",
    b"-9223372036854775808", b"1609459200", b"1609459200000", b"1609459200000000", b"2021-01-01",
    b"2021-01-01 00:00:00", b"2021-02-30 00:00:00", b"\xc3\xa9", b"\xff\xfe", b"1,2", b"\n",
)  # fmt: skip


class ReferenceRefusal(Exception):  # noqa: N818 - it is an outcome of the reference, not a fault
    """The reference parser says that the bytes are not a file of the format."""


def in_memory(name: str) -> Builder:
    """A builder of files called ``name`` that hold the bytes it is given and were never packed."""

    def build(data: bytes) -> SourceFile:
        return SourceFile(Path(name), Path(name).name, data, hashlib.sha256(data).hexdigest)

    return build


def arbitrary_bytes() -> st.SearchStrategy[bytes]:
    """Bytes that were never a file: noise, and text of the characters that parsers react to."""
    pieces = st.sampled_from(
        [bytes([byte]) for byte in _ODD_BYTES] + [c + b"," for c in _ODD_CELLS]
    )
    return st.one_of(st.binary(max_size=300), st.lists(pieces, max_size=120).map(b"".join))


def corrupted(data: bytes) -> st.SearchStrategy[bytes]:
    """``data`` after one to three accidents: bytes changed, cut or inserted, lines and cells too."""
    return st.lists(_accidents(), min_size=1, max_size=3).map(
        lambda accidents: _after(data, accidents)
    )


Accident = Callable[[bytes], bytes]


def _after(data: bytes, accidents: Iterable[Accident]) -> bytes:
    for accident in accidents:
        data = accident(data)
    return data


def _accidents() -> st.SearchStrategy[Accident]:
    where = st.floats(0.0, 1.0, allow_nan=False, exclude_max=True)
    few = st.integers(1, 12)
    odd = st.lists(st.sampled_from(_ODD_BYTES), min_size=1, max_size=4).map(bytes)
    text = st.one_of(odd, st.binary(min_size=1, max_size=8))
    return st.one_of(
        st.builds(_flip, where, st.integers(0, 7)),
        st.builds(_overwrite, where, text),
        st.builds(_insert, where, text),
        st.builds(_delete, where, few),
        st.builds(_truncate, where),
        st.builds(_swap_lines, where, where),
        st.builds(_repeat_line, where, where),
        st.builds(_delete_line, where),
        st.builds(_replace_cell, where, where, st.sampled_from(_ODD_CELLS)),
        st.builds(_copy_cell, where, where, where),
    )


def _at(data: Sequence[object] | bytes, share: float) -> int:
    return int(len(data) * share)


def _flip(share: float, bit: int) -> Accident:
    def flip(data: bytes) -> bytes:
        if not data:
            return data
        place = _at(data, share)
        return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return flip


def _overwrite(share: float, text: bytes) -> Accident:
    return lambda data: data[: _at(data, share)] + text + data[_at(data, share) + len(text) :]


def _insert(share: float, text: bytes) -> Accident:
    return lambda data: data[: _at(data, share)] + text + data[_at(data, share) :]


def _delete(share: float, count: int) -> Accident:
    return lambda data: data[: _at(data, share)] + data[_at(data, share) + count :]


def _truncate(share: float) -> Accident:
    return lambda data: data[: _at(data, share)]


def _on_lines(change: Callable[[list[bytes]], None]) -> Accident:
    def accident(data: bytes) -> bytes:
        lines = data.split(b"\n")
        change(lines)
        return b"\n".join(lines)

    return accident


def _swap_lines(first: float, second: float) -> Accident:
    def swap(lines: list[bytes]) -> None:
        a, b = _at(lines, first), _at(lines, second)
        lines[a], lines[b] = lines[b], lines[a]

    return _on_lines(swap)


def _repeat_line(line: float, place: float) -> Accident:
    return _on_lines(lambda lines: lines.insert(_at(lines, place), lines[_at(lines, line)]))


def _delete_line(line: float) -> Accident:
    return _on_lines(lambda lines: lines.__delitem__(_at(lines, line)))


def _replace_cell(line: float, column: float, cell: bytes) -> Accident:
    def replace(lines: list[bytes]) -> None:
        row = _at(lines, line)
        cells = lines[row].split(b",")
        cells[_at(cells, column)] = cell
        lines[row] = b",".join(cells)

    return _on_lines(replace)


def _copy_cell(source: float, target: float, column: float) -> Accident:
    """A cell of one line in another: two rows of one time, a price of another day."""

    def copy(lines: list[bytes]) -> None:
        cells = lines[_at(lines, target)].split(b",")
        place = _at(cells, column)
        others = lines[_at(lines, source)].split(b",")
        if place < len(others):
            cells[place] = others[place]
            lines[_at(lines, target)] = b",".join(cells)

    return _on_lines(copy)


def assert_refused_or_exact(
    layout: Format, build: Builder, reference: Reference, data: bytes, request: Request
) -> bool:
    """The promise of every importer for ``data``; True when the file was taken.

    ``build`` makes the file (it may refuse, too). ``reference`` reads the same bytes in plain Python
    and raises ReferenceRefusal for bytes that no importer may take. The reading is tried whether the
    format recognises the file or not: a caller may name the format.
    """
    try:
        file = build(data)
        assert layout.recognises(file) in (True, False)
        series = list(layout.read(file, request))
    except DataError as error:
        refusal = str(error)
    else:
        return _assert_exact(series, reference, data)
    assert "\n" not in refusal.strip()
    return False


def _assert_exact(series: Sequence[SourceRows], reference: Reference, data: bytes) -> bool:
    try:
        expected = reference(data)
    except ReferenceRefusal as error:
        raise AssertionError(f"taken, although the reference refuses it: {error}") from error
    timed = any("available_at" in row for rows in expected.values() for row in rows)
    taken = {str(rows.key): rows_of(rows.table, with_availability=timed) for rows in series}
    assert len(taken) == len(series), "two series of one file have one key"
    assert taken.keys() == expected.keys(), (sorted(taken), sorted(expected))
    for key, rows in expected.items():
        wrong = [pair for pair in zip(taken[key], rows, strict=False) if pair[0] != pair[1]]
        assert not wrong, f"{key}: taken {wrong[0][0]}, the reference reads {wrong[0][1]}"
        assert len(taken[key]) == len(rows), f"{key}: {len(taken[key])} rows, not {len(rows)}"
    return True


def rows_of(table: Any, *, with_availability: bool = False) -> list[Row]:
    """Rows of an Arrow table as the reference writes them; ``available_at`` only when asked for."""
    return [
        {
            name: _plain(value)
            for name, value in row.items()
            if value is not None and (with_availability or name != "available_at")
        }
        for row in table.to_pylist()
    ]


def _plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    # Store times are UTC without a zone; integers because a float loses the microseconds.
    passed = value.replace(tzinfo=UTC) - _EPOCH
    return ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000


def in_store_order(rows: Iterable[Row], identity: Sequence[str]) -> list[Row]:
    """Rows sorted by ``identity``, equal ones once; ReferenceRefusal where two contradict."""
    ordered: list[Row] = []
    for row in sorted(rows, key=lambda row: tuple(row[name] for name in identity)):
        if ordered and all(ordered[-1][name] == row[name] for name in identity):
            if ordered[-1] != row:
                raise ReferenceRefusal(f"two rows of one identity differ: {ordered[-1]} and {row}")
            continue
        ordered.append(row)
    return ordered
