"""CSV into Arrow tables: fast when all is well, and a line, a column and a cell when it is not."""

import csv as slow_csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from engine import Int1D

from ...findings import RefusedFileError
from .source_file import SourceFile

NULL_WORDS: Final = ("", "NULL", "null", "None", "NaN", "nan")
_BLOCK_BYTES: Final = 4 << 20
"""Blocks are parsed in parallel; smaller ones cost more than they bring."""
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_SCIENTIFIC: Final = re.compile(r"\s*[0-9.]+[eE]\+?[0-9]+\s*")
_WHOLE: Final = re.compile(r"[ \t]*-?[0-9]+[ \t]*")
_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class _Columns:
    types: Mapping[str, pa.DataType]
    optional: Sequence[str]
    unused: Sequence[str]


def csv_table(
    file: SourceFile,
    names: Sequence[str],
    types: Mapping[str, pa.DataType],
    *,
    skip_lines: int,
    optional: Sequence[str] = (),
    unused: Sequence[str] = (),
) -> tuple[pa.Table, Int1D]:
    """Columns ``names`` of a CSV whose first ``skip_lines`` lines are no data, and the line of each row.

    A column has the type that ``types`` gives (int64, float64, bool), else text. Only ``optional``
    columns may have empty cells (also spelt NULL, None or NaN). Columns that are ``unused`` may hold
    anything and are left out. Cells may be quoted, but may hold no line break. Raises RefusedFileError
    naming the line, the column and the cell.
    """
    wanted = {name: types.get(name, pa.string()) for name in names}
    used = [name for name in names if name not in unused]
    # Looking every cell up among the words costs a sixth of the time; numbers are told apart anyway.
    all_numbers = not optional and all(not pa.types.is_string(wanted[name]) for name in used)
    text = _without_tail(file.data)
    columns = _Columns(wanted, optional, unused)
    _check_text(file, text, columns, skip_lines)
    try:
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(text)),
            read_options=csv.ReadOptions(
                column_names=list(names), skip_rows=skip_lines, block_size=_BLOCK_BYTES
            ),
            parse_options=csv.ParseOptions(
                ignore_empty_lines=False, quote_char='"' if b'"' in file.data else False
            ),
            convert_options=csv.ConvertOptions(
                column_types=wanted,
                include_columns=used,
                null_values=[""] if all_numbers else list(NULL_WORDS),
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, UnicodeError) as error:
        fault = _first_fault(file, text, columns, skip_lines)
        if fault is not None:
            raise fault from error
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: not a readable CSV file ({_one_line(error)}); download it again",
        ) from error
    places = np.arange(skip_lines + 1, skip_lines + 1 + len(table), dtype=np.int64)
    _check_cells(file, table, places, optional)
    return table.combine_chunks(), places


def _check_cells(file: SourceFile, table: pa.Table, places: Int1D, optional: Sequence[str]) -> None:
    """Every cell that must have a value has one, and every number is finite."""
    for name in table.column_names:
        column = table[name]
        if name not in optional and column.null_count:
            row = int(np.flatnonzero(np.asarray(column.is_null()))[0])
            raise RefusedFileError(
                "missing_value",
                f"{file.path} line {places[row]}: {name} is empty; the file may be truncated, download "
                "it again",
            )
        if pa.types.is_floating(column.type):
            finite = pc.is_finite(column)
            if not pc.all(finite, min_count=0).as_py():
                row = int(np.flatnonzero(~np.asarray(pc.fill_null(finite, True)))[0])
                value = column[row].as_py()
                raise RefusedFileError(
                    "missing_value" if np.isnan(value) else "unreadable",
                    f"{file.path} line {places[row]}: {name}={value} is not a finite number",
                )


def _without_tail(data: bytes) -> memoryview:
    """``data`` without the white space at its end, which may be half a file: not copied."""
    end = len(data)
    while end and data[end - 1] in b"\r\n \t":
        end -= 1
    return memoryview(data)[:end]


def _check_text(
    file: SourceFile,
    text: memoryview,
    columns: _Columns,
    skip_lines: int,
) -> None:
    """Refuse what a fast parser would read without a word although it says something else."""
    data = file.data
    if not _has_rows(data, len(text), skip_lines):
        raise RefusedFileError(
            "unreadable", f"{file.path}: the file has a header but no rows; download it again"
        )
    if data.find(b"\r", 0, len(text)) >= 0 and data.replace(b"\r\n", b"").find(b"\r") >= 0:
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: holds a carriage return that ends no line; download it again",
        )
    if b'"' in data:
        for number, line in enumerate(_lines(text), start=1):
            if line.count(b'"') % 2:
                raise RefusedFileError(
                    "unreadable",
                    f"{file.path} line {number}: a quoted cell does not end on its line; a cell may "
                    "hold no line break",
                )
    # Whole numbers in hexadecimal are read as such; nobody publishes them. The search for one byte is
    # many times faster than that for two and settles the matter in most files.
    if (b"x" in data and b"0x" in data) or (b"X" in data and b"0X" in data):
        fault = _first_fault(file, text, columns, skip_lines)
        if fault is not None:
            raise fault


def _has_rows(data: bytes, end: int, skip_lines: int) -> bool:
    place = -1
    for _ in range(skip_lines):
        place = data.find(b"\n", place + 1, end)
        if place < 0:
            return False
    return True


def _lines(text: memoryview) -> list[bytes]:
    return _LINE_END.split(bytes(text))


def _first_fault(
    file: SourceFile,
    text: memoryview,
    columns: _Columns,
    skip_lines: int,
) -> RefusedFileError | None:
    """The first broken line or cell, found by reading slowly what could not be read fast."""
    lines = _lines(text)
    for number, cells in _cells(lines, skip_lines):
        if len(cells) != len(columns.types):
            where = "the file is truncated" if number == len(lines) else "the line is broken"
            return RefusedFileError(
                "unreadable",
                f"{file.path} line {number}: {len(cells)} of {len(columns.types)} columns, {where}; "
                "download it again",
            )
        for (name, wanted), cell in zip(columns.types.items(), cells, strict=True):
            if name in columns.unused or (name in columns.optional and cell in NULL_WORDS):
                continue
            fault = _fault(name, cell, wanted)
            if fault is not None:
                defect, reason = fault
                return RefusedFileError(
                    defect, f"{file.path} line {number}: {name}={cell[:60]!r} {reason}"
                )
    return None


def _cells(lines: list[bytes], skip_lines: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        if number > skip_lines:
            text = line.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
            yield number, next(slow_csv.reader(io.StringIO(text, newline="")), [])


def _fault(name: str, cell: str, wanted: pa.DataType) -> tuple[str, str] | None:
    if cell in NULL_WORDS:
        return "missing_value", "is empty; the file may be truncated, download it again"
    if pa.types.is_integer(wanted):
        return _fault_of_whole(name, cell)
    if pa.types.is_floating(wanted):
        try:
            float(cell)
        except ValueError:
            return "unreadable", "is not a number"
        return ("unreadable", "is not a number") if "_" in cell else None
    if pa.types.is_boolean(wanted) and cell.strip().lower() not in ("true", "false", "0", "1"):
        return "unreadable", "is neither true nor false"
    return None


def _fault_of_whole(name: str, cell: str) -> tuple[str, str] | None:
    if not cell.isascii() or not _WHOLE.fullmatch(cell):
        if "time" in name and _SCIENTIFIC.fullmatch(cell):
            return "scientific_notation", (
                "is in scientific notation: a spreadsheet has saved the file again and rounded the "
                "times, which cannot be recovered; download the original"
            )
        return "unreadable", "is not a whole number"
    digits = cell.strip().lstrip("-").lstrip("0")
    if len(digits) > 19 or int(cell.strip()) not in _INT64:
        return "unreadable", "is too large a number"
    return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
