"""Cells of a mapped file, text or typed, into numbers, times, flags and words."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, Int1D

from ...findings import RefusedFileError
from ...kinds import Column
from ..reading.source_file import SourceFile
from .schema import CsvOptions, TimeColumn
from .times import TimeFault, counted_ns, instants_ns, written_ns

_FIRST_NS: Final = 365 * 86_400 * 10**9
"""1971: seconds taken for milliseconds, or milliseconds for microseconds, end up before it."""
_WHOLE: Final = r"^[+-]?(?:[0-9]{1,18}|[1-8][0-9]{18})$"
"""Whole numbers that int64 holds."""
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns of one file under their own names, and where their rows stand.

    ``key`` in the methods is the key of the mapping that names the column; messages point at it.
    """

    file: SourceFile
    table: pa.Table
    places: Int1D
    word: str
    options: CsvOptions

    def name(self, row: int) -> str:
        """Where a row stands: ``oi.csv line 17``."""
        return f"{self.file.path} {self.word} {self.places[row]}"

    def numbers(self, source: str, key: str, column: Column, factor: float) -> pa.Array:
        """Numbers as float64, or int64 where the kind has whole ones; empty cells stay empty."""
        values = self._column(source, key)
        if _is_text(values.type):
            values = self._parsed_numbers(values, source)
        elif pa.types.is_decimal(values.type):
            values = values.cast(pa.float64())
        elif not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            raise self._misfit(source, key, values, "numbers")
        if column.type == "int":
            return values
        try:
            scaled = values.cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise RefusedFileError(
                "unreadable",
                f"{self.file.path}: column {source!r} ({key}) holds whole numbers beyond 2**53, which "
                f"decimal numbers cannot hold exactly ({error})",
            ) from error
        return scaled if factor == 1.0 else pc.multiply(scaled, factor)

    def flags(self, source: str, key: str) -> pa.Array:
        """True and false, also written as text or as 1 and 0."""
        values = self._column(source, key)
        if pa.types.is_boolean(values.type):
            return values
        found = [
            None if cell is None else _FLAGS.get(str(cell).strip().lower(), cell)
            for cell in values.to_pylist()
        ]
        for row, cell in enumerate(found):
            if cell is not None and not isinstance(cell, bool):
                raise self._odd(row, source, cell, "is neither true nor false; give words for it")
        return pa.array(found, pa.bool_())

    def texts(self, source: str, key: str) -> pa.Array:
        """Texts as they stand, without blanks around them."""
        values = self._column(source, key)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if not _is_text(values.type):
            raise self._misfit(source, key, values, "texts")
        return pc.utf8_trim_whitespace(values.cast(pa.string()))

    def words(self, source: str, key: str, meanings: dict[str, Any], column: Column) -> pa.Array:
        """Words of the file replaced by what they mean; a word without a meaning is refused."""
        found = []
        for row, cell in enumerate(self._column(source, key).to_pylist()):
            word = None if cell is None else str(cell).strip()
            if word is not None and word not in meanings:
                known = ", ".join(meanings)
                raise self._odd(row, source, word, f"is none of the words of the mapping ({known})")
            found.append(None if word is None else meanings[word])
        return self._typed(found, key, column)

    def constant(self, value: object, column: Column) -> pa.Array:
        """One value in every row."""
        return self._typed([value] * len(self.places), f"constants.{column.name}", column)

    def times(self, times: TimeColumn, key: str) -> Int1D:
        """Times, int64 ns UTC, ``(N,)``; RefusedFileError for an empty or unreadable one."""
        values = self._column(times.column, key)
        if values.null_count:
            row = int(np.argmax(np.asarray(values.is_null())))
            raise RefusedFileError(
                "missing_time", f"{self.name(row)}: {times.column} is empty; every row needs a time"
            )
        try:
            time_ns = self._times_ns(values, times, key)
        except TimeFault as fault:
            cell = _shown(values, fault.row)
            raise self._odd(fault.row, times.column, cell, fault.reason) from fault
        except RefusedFileError:
            raise
        # pandas raises KeyError for a zone that nobody knows.
        except (ValueError, TypeError, OverflowError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise RefusedFileError(
                "mixed_time_format",
                f"{self.file.path}: column {times.column} cannot be read as times ({reason}); correct "
                f"{key}",
            ) from error
        early = time_ns < _FIRST_NS
        if early.any():
            row = int(np.argmax(early))
            reason = "is a time before 1971; correct its unit or format"
            raise self._odd(row, times.column, _shown(values, row), reason)
        return time_ns

    def moments(self, times: TimeColumn, key: str) -> pa.Array:
        """Times as int64 ns UTC; empty cells stay empty."""
        stated = np.flatnonzero(np.asarray(self._column(times.column, key).is_valid()))
        moments = np.zeros(len(self.places), dtype=np.int64)
        if stated.size:
            some = replace(
                self, table=self.table.take(pa.array(stated)), places=self.places[stated]
            )
            moments[stated] = some.times(times, key)
        empty = np.ones(len(self.places), dtype=np.bool_)
        empty[stated] = False
        return pa.array(moments, mask=empty)

    def _times_ns(self, values: pa.Array, times: TimeColumn, key: str) -> Int1D:
        is_stamp = pa.types.is_timestamp(values.type) or pa.types.is_date(values.type)
        if is_stamp and times.unit is None and times.format is None:
            return instants_ns(values, times)
        if times.unit is not None:
            if _is_text(values.type):
                values = self._parsed_numbers(values, times.column)
            if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
                return counted_ns(values, times.unit)
        elif _is_text(values.type):
            return written_ns(values, times)
        raise self._misfit(times.column, key, values, "times as its unit or format says")

    def _column(self, source: str, key: str) -> pa.Array:
        if source not in self.table.column_names:
            raise RefusedFileError(
                "missing_value",
                f"{self.file.path}: column {source!r}, which the mapping names in {key}, is "
                f"missing; {_had(self.table.column_names)}",
            )
        values = self.table[source].combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks)
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def _parsed_numbers(self, values: pa.Array, source: str) -> pa.Array:
        text = pc.utf8_trim_whitespace(values.cast(pa.string()))
        self._check_numbers(text, source)
        if self.options.thousands is not None:
            text = pc.replace_substring(text, self.options.thousands, "")
        text = pc.replace_substring(text, self.options.decimal, ".")
        text = pc.replace_substring_regex(text, r"^\+", "")
        if pc.all(pc.match_substring_regex(text, _WHOLE)).as_py():
            return text.cast(pa.int64())
        return text.cast(pa.float64())

    def _check_numbers(self, text: pa.Array, source: str) -> None:
        decimal = re.escape(self.options.decimal)
        whole = "[0-9]+"
        if self.options.thousands is not None:
            whole = rf"(?:[0-9]+|[0-9]{{1,3}}(?:{re.escape(self.options.thousands)}[0-9]{{3}})+)"
        pattern = (
            rf"^[+-]?(?:{whole}(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?$"
        )
        odd = _is_false(pc.match_substring_regex(text, pattern))
        if odd.any():
            row = int(np.argmax(odd))
            raise self._odd(
                row,
                source,
                text[row].as_py(),
                f"is not a number with the decimal mark {self.options.decimal!r}"
                + (f" and thousands {self.options.thousands!r}" if self.options.thousands else ""),
            )

    def _typed(self, values: list[Any], key: str, column: Column) -> pa.Array:
        try:
            return pa.array(values, column.arrow_type)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise RefusedFileError(
                "unreadable",
                f"{self.file.path}: {key} of the mapping does not fit {column.name}, which is of "
                f"type {column.type} ({error})",
            ) from error

    def _odd(self, row: int, source: str, cell: object, reason: str) -> RefusedFileError:
        return RefusedFileError(
            "unreadable", f"{self.name(row)}: {source}={str(cell)[:60]!r} {reason}"
        )

    def _misfit(self, source: str, key: str, values: pa.Array, wanted: str) -> RefusedFileError:
        return RefusedFileError(
            "unreadable",
            f"{self.file.path}: column {source!r} ({key}) has type {values.type}; the mapping "
            f"wants {wanted}",
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _shown(values: pa.Array, row: int) -> object:
    """A cell for a message; Python has no times before the year 1 and after 9999."""
    try:
        return values[row].as_py()
    except (OverflowError, ValueError):
        return values.slice(row, 1).cast(pa.int64())[0].as_py()


def _is_false(answers: pa.Array) -> Bool1D:
    """True where an answer is false; an empty cell is not false."""
    wrong: Bool1D = ~np.asarray(pc.fill_null(answers, True)).astype(np.bool_)
    return wrong


def _had(names: list[str]) -> str:
    """The columns of a file; one name that holds another delimiter was read with the wrong one."""
    listed = f"the file has {', '.join(names)[:300]}"
    marks = [mark for mark in (";", "\t", "|", ",") if len(names) == 1 and mark in names[0]]
    return f"{listed}: one column, so set csv.delimiter to {marks[0]!r}" if marks else listed
