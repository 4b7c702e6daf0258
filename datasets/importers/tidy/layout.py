"""Tidy Parquet: one long table of many series, whose layout its columns name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows
from .naming import named_market, named_venue
from .series import TidyFile

PARQUET: Final = b"PAR1"
"""The first bytes of a Parquet file."""
_LAST_SECOND: Final = 7_258_118_400
"""2200-01-01 00:00 UTC."""
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
DAMAGE: Final = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, MemoryError)
"""What pyarrow raises for bytes that are no Parquet file, or no longer one."""


@dataclass(frozen=True, slots=True)
class TidyLayout:
    """A layout of tidy Parquet files: the columns that name it and how its series become data sets.

    A file has the layout when it has every column of ``required`` and none beyond ``optional``.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    required: tuple[str, ...]
    read: Callable[[TidyFile], Iterator[SourceRows]]
    holds: str
    optional: tuple[str, ...] = ()

    def fits(self, columns: Sequence[str]) -> bool:
        """True where a file with these columns has this layout."""
        return set(self.required) <= set(columns) <= {*self.required, *self.optional}

    def format(self) -> Format:
        """The layout as one of the file formats."""
        optional = f" [{', '.join(self.optional)}]" if self.optional else ""
        return Format(
            name=self.name,
            title=self.title,
            kinds=self.kinds,
            recognises=lambda file: self.fits(parquet_columns(file)),
            read=self._series,
            hint=f"Parquet with the columns {', '.join(self.required)}{optional}",
            holds=self.holds,
            names=lambda file: {"venue": named_venue(file), "market": named_market(file)},
        )

    def _series(self, file: SourceFile, request: Request) -> Iterator[SourceRows]:
        table = parquet_table(file)
        if not self.fits(table.column_names):
            raise _misfit(file, self, table.column_names)
        seen: set[DatasetKey] = set()
        for rows in self.read(TidyFile(file, self.name, table, request)):
            if rows.key in seen:
                raise RefusedFileError(
                    "mixed_symbol_spelling",
                    f"{file.path}: two series of the file would be the data set {rows.key}; correct "
                    "their names",
                )
            seen.add(rows.key)
            yield rows


def parquet_columns(file: SourceFile) -> tuple[str, ...]:
    """Names of the columns of a Parquet file; empty for any other file."""
    if not file.data.startswith(PARQUET):
        return ()
    try:
        return tuple(pq.read_schema(pa.BufferReader(file.data)).names)
    except DAMAGE:
        return ()


def parquet_table(file: SourceFile) -> pa.Table:
    """A Parquet file as a table; RefusedFileError when it is damaged or holds no rows."""
    try:
        table = pq.read_table(pa.BufferReader(file.data))
        table.validate(full=True)
    except DAMAGE as error:
        reason = " ".join(str(error).split())
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: not a readable Parquet file, it is truncated or damaged ({reason}); "
            "download it again",
        ) from error
    if len(table) == 0:
        raise RefusedFileError(
            "unreadable", f"{file.path}: the file has columns but no rows; download it again"
        )
    _check_times(file, table)
    return table


def _check_times(file: SourceFile, table: pa.Table) -> None:
    """Times outside the years that nanoseconds can count would wrap around unseen."""
    for field in table.schema:
        if not pa.types.is_timestamp(field.type):
            continue
        counts = table[field.name].cast(pa.timestamp(field.type.unit)).cast(pa.int64())
        low, high = pc.min_max(counts).as_py().values()
        limit = _LAST_SECOND * _PER_SECOND[field.type.unit]
        if low is not None and not 0 <= low <= high < limit:
            raise RefusedFileError(
                "unreadable",
                f"{file.path}: column {field.name} holds times outside 1970 to 2199; the file is "
                "damaged, download it again",
            )


def refuse_unknown_layout(file: SourceFile, layouts: Sequence[TidyLayout]) -> None:
    """RefusedFileError for a Parquet file of none of ``layouts``, with the nearest one and why not.

    Returns for files that are no Parquet.
    """
    if not file.data.startswith(PARQUET):
        return
    columns = parquet_columns(file)
    if not columns:
        parquet_table(file)
    nearest = max(layouts, key=lambda layout: _likeness(layout, columns))
    missing = [name for name in nearest.required if name not in columns]
    unknown = sorted(set(columns) - {*nearest.required, *nearest.optional})
    if len(missing) < len(nearest.required) / 2:
        faults = [f"column {name!r} is missing" for name in missing]
        faults += [f"column {name!r} is unknown" for name in unknown]
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: looks like {nearest.name}, but {', '.join(faults)}; correct the "
            "columns or describe them with --mapping",
        )
    raise RefusedFileError(
        "unreadable",
        f"{file.path}: its columns ({', '.join(columns)}) are of no known layout; `ninefold data "
        "formats` lists those that are known, and --mapping describes any other",
    )


def _misfit(file: SourceFile, layout: TidyLayout, columns: Sequence[str]) -> RefusedFileError:
    missing = [name for name in layout.required if name not in columns]
    unknown = sorted(set(columns) - {*layout.required, *layout.optional})
    faults = [f"column {name!r} is missing" for name in missing]
    faults += [f"column {name!r} is unknown" for name in unknown]
    return RefusedFileError(
        "unreadable",
        f"{file.path}: looks like {layout.name}, but {', '.join(faults)}; correct the columns or "
        "describe them with --mapping",
    )


def _likeness(layout: TidyLayout, columns: Sequence[str]) -> tuple[float, int]:
    present = set(columns) & set(layout.required)
    unknown = set(columns) - {*layout.required, *layout.optional}
    return len(present) / len(layout.required), -len(unknown)
