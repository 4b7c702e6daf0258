"""The series of a tidy file: split by what names them, keyed, and noted where all share a defect."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from engine import DAY_NS, Bool1D, DataError, Float1D, Int1D, timeframe_ns

from ...checks import off_grid
from ...findings import Finding, RefusedFileError
from ...keys import DatasetKey
from ...kinds import KINDS
from ...timestamps import column_ns, time_text
from ..reading.source_file import SourceFile
from ..reading.stated import stated
from ..report import Request
from ..rows import SourceRows, common_step, source_rows, taken
from .naming import UNSTATED, named_market, named_venue

_Value = TypeVar("_Value")
WORD: Final = "row"
CAPTURE_SPAN_NS: Final = DAY_NS
"""A capture of many symbols one after the other takes at most so long."""


@dataclass(frozen=True, slots=True)
class TidySeries:
    """Rows of one series in the order of the file: what names it, and the numbers of its rows."""

    names: tuple[str, ...]
    places: Int1D
    table: pa.Table


@dataclass(frozen=True, slots=True)
class TidyFile:
    """A tidy file that is being read, and what the caller says about it."""

    file: SourceFile
    format: str
    table: pa.Table
    request: Request

    def venue(self) -> str:
        """The venue that the caller or the name of the file states, else RefusedFileError."""
        return stated(self.file, "venue", self.request.venue, named_venue(self.file))

    def market(self) -> str:
        """The market that the caller or the name of the file states, else RefusedFileError."""
        return stated(
            self.file,
            "market",
            self.request.market,
            named_market(self.file),
            venue=self.request.venue or named_venue(self.file),
        )

    def vendor(self) -> str:
        """The venue of a series that nobody trades; ``unstated`` where nothing names it."""
        return self.request.venue or named_venue(self.file) or UNSTATED

    def key(self, kind: str, venue: str, market: str, symbol: str, step: str) -> DatasetKey:
        """The data set of a series, from the source that the caller names or the format's own."""
        source = self.request.source or self.format
        return DatasetKey(kind, venue, market, symbol, step, source)

    def rows(
        self, key: DatasetKey, columns: Mapping[str, pa.Array | pa.ChunkedArray], places: Int1D
    ) -> SourceRows:
        """Rows of one series from columns that have their canonical names."""
        return source_rows(self.file.path, self.format, key, columns, places, WORD)

    def step(self, series: Sequence[TidySeries], column: str) -> str:
        """The step that the caller states, else the distance that most neighbouring rows have."""
        if self.request.timeframe is not None:
            timeframe_ns(self.request.timeframe)
            return self.request.timeframe
        times = [np.sort(self.times(one, column)) for one in series]
        return common_step(times, self.file.path)

    def times(self, series: TidySeries, column: str) -> Int1D:
        """A time column of one series, int64 ns UTC; DataError for an empty cell."""
        return column_ns(series.table[column], f"{self.file.path}, column {column}")

    def newest_ns(self, column: str) -> int:
        """The newest time in the whole file, whichever series are asked for."""
        return int(column_ns(self.table[column], f"{self.file.path}, column {column}").max())

    def oldest_ns(self, column: str) -> int:
        """The oldest time in the whole file, whichever series are asked for."""
        return int(column_ns(self.table[column], f"{self.file.path}, column {column}").min())

    def floats(self, series: TidySeries, column: str) -> Float1D:
        """A number column of one series, float64, NaN where a cell is empty; DataError for text."""
        values = series.table[column]
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            raise DataError(
                f"{self.file.path}: column {column} has type {values.type}; it must hold numbers"
            )
        return np.asarray(values.cast(pa.float64(), safe=False).fill_null(np.nan)).astype(float)

    def texts(self, column: str, table: pa.Table | None = None) -> pa.Array:
        """A text column, every cell filled; RefusedFileError naming the first row that is not."""
        values = (self.table if table is None else table)[column].combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
            raise DataError(
                f"{self.file.path}: column {column} has type {values.type}; it must be text"
            )
        empty = np.asarray(values.is_null())
        if empty.any():
            raise RefusedFileError(
                "missing_value",
                f"{self.file.path} row {int(np.argmax(empty))}: {column} is empty; every row "
                "needs one",
            )
        return values.cast(pa.string())

    def split(
        self, names: tuple[str, ...], wanted: tuple[str | None, ...] | None = None
    ) -> list[TidySeries]:
        """The series told apart by the columns ``names``, in alphabetical order.

        ``wanted`` keeps only the series whose names equal its entries that are not None.
        """
        codes = np.zeros(len(self.table), dtype=np.int64)
        spellings: list[list[str]] = []
        for name in names:
            encoded = self.texts(name).dictionary_encode()
            spellings.append(encoded.dictionary.to_pylist())
            codes = codes * len(spellings[-1]) + np.asarray(encoded.indices)
        order = np.argsort(codes, kind="stable")
        found_codes, begins = np.unique(codes[order], return_index=True)
        found = []
        for code, places in zip(found_codes, np.split(order, begins[1:]), strict=True):
            rest, identity = int(code), []
            for values in reversed(spellings):
                rest, position = divmod(rest, len(values))
                identity.append(values[position])
            identity.reverse()
            if wanted is None or all(
                want in (None, have) for want, have in zip(wanted, identity, strict=True)
            ):
                found.append((tuple(identity), places))
        if not found:
            have = ", ".join(sorted(set(spellings[-1])))
            asked = "/".join(want or "*" for want in wanted or ())
            raise DataError(f"{self.file.path}: no rows for {asked}; its {names[-1]}s are {have}")
        return [
            TidySeries(identity, places.astype(np.int64), self.table.take(pa.array(places)))
            for identity, places in sorted(found)
        ]

    def looked_up(
        self, column: str, name: str, known: Mapping[str, _Value], places: Int1D
    ) -> _Value:
        """What ``known`` says about ``name``; RefusedFileError naming the column and a row."""
        if name not in known:
            raise RefusedFileError(
                "unreadable",
                f"{self.file.path} row {int(places[0])}: {column}={name[:60]!r} is unknown; it "
                "must be one "
                f"of {', '.join(known)}",
            )
        return known[name]


def without_open_period(rows: SourceRows, newest_ns: int) -> SourceRows:
    """The rows without the last one where the series was still running when the file was made.

    Nothing in a capture proves that its last period had ended. A series counts as running when its last
    row is at most a day, or one step, older than ``newest_ns``, the newest row of any series in the file; a
    series that stopped earlier (a delisted coin) keeps its last row.
    """
    last_ns = int(rows.time_ns()[-1])
    if newest_ns - last_ns > max(CAPTURE_SPAN_NS, timeframe_ns(rows.key.step)):
        return rows
    last = np.zeros(len(rows.places), dtype=np.bool_)
    last[-1] = True
    return rows.without(
        last, "incomplete_last_bar", "last bar of a capture, nothing proves that it had closed"
    )


def taken_periods(rows: SourceRows) -> SourceRows:
    """The rows of a series on the grid of its step, checked; RefusedFileError for one off the grid."""
    rows = taken(rows)
    if KINDS[rows.key.kind].on_grid:
        wrong = off_grid(rows.time_ns(), rows.key.step)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise RefusedFileError(
                "off_grid",
                f"{rows.name(row)}: {time_text(int(rows.time_ns()[row]))} is off the "
                f"{rows.key.step} "
                "grid; correct the time or --timeframe",
            )
    return rows


def noting_empty(rows: SourceRows, empty: Mapping[str, Bool1D]) -> SourceRows:
    """The rows with a finding about every column that has empty cells and is not needed."""
    for name, cells in empty.items():
        rows = rows.found("missing_value", "kept", cells, f"{name} is empty")
    return rows


def noting_no_session(rows: SourceRows) -> SourceRows:
    """The rows with a finding about the days between them that have none."""
    days = rows.time_ns() // DAY_NS
    absent = np.setdiff1d(np.arange(days[0], days[-1] + 1), days)
    if not absent.size:
        return rows
    # Day 0 of the epoch is a Thursday, 3 when Monday is 0.
    weekend = int(np.isin((absent + 3) % 7, (5, 6)).sum())
    return rows.noting(
        "no_session",
        f"{len(absent)} days between the first and the last have no row, {weekend} of them Saturdays "
        "or Sundays",
        len(absent),
    )


def noting_vendor(rows: SourceRows) -> SourceRows:
    """The rows with a finding where nothing names the vendor."""
    if rows.key.venue != UNSTATED:
        return rows
    return rows.noting(
        "unstated_venue",
        "neither the file nor its name says who publishes it; --venue names the vendor",
    )


def adding(rows: SourceRows, findings: Iterable[Finding]) -> SourceRows:
    """The rows with findings that belong to no single series of their file."""
    return replace(rows, findings=(*rows.findings, *findings))
