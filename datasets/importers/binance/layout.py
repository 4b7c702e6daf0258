"""Columns of a CSV that comes with a header in any spelling and order, or with none."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from engine import DataError, Int1D

from ...findings import RefusedFileError
from ..reading.csv_table import csv_table
from ..reading.source_file import SourceFile

WHOLE: Final = pa.int64()
NUMBER: Final = pa.float64()
FLAG: Final = pa.bool_()
TEXT: Final = pa.string()
STAMP_CELL: Final = r"\d[\d.eE+]{9,17}"
"""A stamp without a header above it; a spreadsheet's form of one too, to be refused by its name."""
NUMBER_CELL: Final = r"[-+]?[\d.]+(?:[eE][-+]?\d+)?"
WHOLE_CELL: Final = r"-?\d+"
FLAG_CELL: Final = r"(?i:true|false)"
_HEADER_CELL: Final = re.compile(r"[\s_]")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one format, in the order of a file without a header.

    ``spellings`` name columns by header cells in lower case without spaces and underscores, beyond
    the names themselves. A file may lack the columns in ``absent``; those in ``unused`` are not read;
    cells of those in ``empty`` may be empty. ``first_line`` are patterns of the cells of a first line
    without a header; a layout without them needs a header, and one that is not ``headed`` never has
    one. A header is recognised with up to ``slack`` columns missing, so that the one that is missing
    can be named.
    """

    columns: Mapping[str, pa.DataType]
    spellings: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    first_line: tuple[str, ...] = ()
    slack: int = 0
    headed: bool = True

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns that every file has."""
        return tuple(name for name in self.columns if name not in self.absent)

    def recognises(self, file: SourceFile) -> bool:
        """True where the first line is a header or a row of this layout."""
        cells = _first_cells(file)
        names = self._named(cells)
        missing = sum(name not in names for name in self.needed)
        return (self.headed and missing <= self.slack) or self._is_row(cells)

    def read(self, file: SourceFile) -> tuple[pa.Table, Int1D]:
        """The columns under their names, and the line of each row; RefusedFileError for other files."""
        cells = _first_cells(file)
        if self._is_row(cells):
            names = [*self.columns][: len(cells)]
        else:
            names = self._checked_header(file, cells)
        return csv_table(
            file,
            names,
            self.columns,
            skip_lines=0 if self._is_row(cells) else 1,
            optional=[name for name in names if name in self.empty],
            unused=[name for name in names if name in self.unused],
        )

    def _named(self, cells: list[str]) -> list[str]:
        known = {name.replace("_", ""): name for name in self.columns} | dict(self.spellings)
        return [known.get(_HEADER_CELL.sub("", cell.lower()), cell) for cell in cells]

    def _is_row(self, cells: list[str]) -> bool:
        lengths = range(len(self.needed), len(self.columns) + 1)
        return (
            bool(self.first_line)
            and len(cells) in lengths
            and all(
                re.fullmatch(pattern, cell)
                for pattern, cell in zip(self.first_line, cells, strict=False)
            )
        )

    def _checked_header(self, file: SourceFile, cells: list[str]) -> list[str]:
        names = self._named(cells)
        where = f"{file.path} line 1"
        missing = [name for name in self.needed if name not in names]
        if len(missing) > max(self.slack, 1) or not self.headed:
            raise RefusedFileError(
                "unreadable",
                f"{where}: {','.join(cells)[:80]!r} is neither a header nor a row of "
                f"{', '.join(self.columns)}",
            )
        if missing:
            raise DataError(f"{where}: column {missing[0]!r} is missing from the header")
        unknown = [name for name in names if name not in self.columns]
        if unknown or len(set(names)) != len(names):
            raise DataError(
                f"{where}: the header has columns twice or too many: {', '.join(cells)[:200]}"
            )
        return names


def _first_cells(file: SourceFile) -> list[str]:
    return [cell.strip() for cell in file.head[0].split(",")] if file.head else []
