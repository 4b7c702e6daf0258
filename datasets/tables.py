"""Rows of one data set as an Arrow table in the one form that the store keeps."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, DataError, Int1D

from .kinds import AVAILABLE_AT, TIME_TYPE, Column, Kind
from .timestamps import US_NS, column_ns, time_text

if TYPE_CHECKING:
    from hashlib import _Hash


def canonical_table(kind: Kind, step: str, table: pa.Table, label: str) -> pa.Table:
    """``table`` with the columns of ``kind`` in their order and types, optional ones empty if absent.

    Times may be timestamps of any unit (UTC or without a zone) or int64 ns. Without a column
    ``available_at`` it follows the rule of the kind for data of ``step``; an empty cell of it does
    too. NaN in an optional column becomes empty; -0.0 becomes 0.0, so that equal rows have equal
    bytes. The rows stay in their order. Raises DataError naming ``label`` for a missing or unknown
    column or a type that does not fit.
    """
    known = {kind.time_column, AVAILABLE_AT, *(column.name for column in kind.columns)}
    missing = [n for n in (kind.time_column, *kind.required) if n not in table.column_names]
    if missing:
        raise DataError(f"{label}: column {missing[0]!r} is missing; {kind.name} needs it")
    unknown = [name for name in table.column_names if name not in known]
    if unknown:
        raise DataError(
            f"{label}: column {unknown[0]!r} is unknown to kind {kind.name}; its columns are "
            f"{', '.join(sorted(known))}"
        )
    time_ns = column_ns(table[kind.time_column], f"{label}, column {kind.time_column}")
    arrays = [
        _time_array(time_ns, kind.time_column, label),
        _availability(kind, step, table, time_ns, label),
    ]
    arrays += [
        _canonical_column(column, table[column.name], label)
        if column.name in table.column_names
        else pa.nulls(len(table), column.arrow_type)
        for column in kind.columns
    ]
    return pa.Table.from_arrays(arrays, schema=_nullable(kind.schema))


def with_times(kind: Kind, table: pa.Table, time_ns: Int1D, known_ns: Int1D) -> pa.Table:
    """The canonical ``table`` at other times, known from ``known_ns`` on (both int64 ns UTC)."""
    table = table.set_column(0, table.schema.field(0), _time_array(time_ns, kind.time_column, ""))
    return table.set_column(1, table.schema.field(1), _time_array(known_ns, AVAILABLE_AT, ""))


def _time_array(time_ns: Int1D, name: str, label: str) -> pa.Array:
    finer = np.flatnonzero(time_ns % US_NS)
    if finer.size:
        row = int(finer[0])
        raise DataError(
            f"{label}: row {row}: {name}={time_text(int(time_ns[row]))} is finer than a "
            "microsecond, the unit of the store"
        )
    return pa.array(time_ns // US_NS, type=pa.int64()).cast(TIME_TYPE)


def _availability(kind: Kind, step: str, table: pa.Table, time_ns: Int1D, label: str) -> pa.Array:
    known_ns = kind.available_ns(time_ns, step)
    if AVAILABLE_AT in table.column_names:
        column = table[AVAILABLE_AT]
        stated = np.asarray(column.is_valid())
        if stated.any():
            known_ns = known_ns.copy()
            known_ns[stated] = column_ns(column.drop_null(), f"{label}, column {AVAILABLE_AT}")
    # What is known within a microsecond is shown at its end, never before.
    return _time_array(-(-known_ns // US_NS) * US_NS, AVAILABLE_AT, label)


def _nullable(schema: pa.Schema) -> pa.Schema:
    # An empty cell in a required column is found, and named by its row, by the checks.
    return pa.schema([field.with_nullable(True) for field in schema])


def _canonical_column(column: Column, values: pa.ChunkedArray, label: str) -> pa.Array:
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_null(values.type):
        return values.cast(column.arrow_type)
    if column.is_number:
        return _canonical_numbers(column, values, label)
    if column.type == "time":
        if pa.types.is_int64(values.type):
            values = values.cast(pa.timestamp("ns"))
        if not pa.types.is_timestamp(values.type) or values.type.tz not in (None, "UTC", "+00:00"):
            raise DataError(
                f"{label}: column {column.name} has type {values.type}; it must hold times in UTC"
            )
        try:
            return values.cast(pa.timestamp(values.type.unit)).cast(TIME_TYPE)
        except pa.ArrowInvalid as error:
            raise DataError(f"{label}: column {column.name}: {error}") from error
    fits = pa.types.is_boolean if column.type == "flag" else _is_text
    if not fits(values.type):
        wanted = "true or false" if column.type == "flag" else "text"
        raise DataError(
            f"{label}: column {column.name} has type {values.type}; it must hold {wanted}"
        )
    return values.cast(column.arrow_type)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_dictionary(kind)
    )


def _canonical_numbers(column: Column, values: pa.Array, label: str) -> pa.Array:
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise DataError(
            f"{label}: column {column.name} has type {values.type}; it must hold numbers"
        )
    if pa.types.is_floating(values.type) and not column.required:
        wide = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(wide), None, wide)
    try:
        values = values.cast(column.arrow_type)
    except pa.ArrowInvalid as error:
        wanted = "whole numbers" if column.type == "int" else "numbers that float64 holds exactly"
        raise DataError(f"{label}: column {column.name} must hold {wanted}: {error}") from error
    return values if column.type == "int" else pc.add(values, 0.0)


def floats_of(table: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A number column as float64 ``(N,)``, NaN where a cell is empty."""
    column = table[name]
    if pa.types.is_integer(column.type):
        # Numbers of trades may lie beyond 2**53; as float64 they are rounded, not refused.
        column = column.cast(pa.float64(), safe=False)
    values = np.asarray(column.fill_null(np.nan) if column.null_count else column)
    return values.astype(np.float64, copy=False)


def moments_ns(table: pa.Table, name: str) -> Int1D:
    """A required time column of a canonical table, int64 ns UTC, ``(N,)``."""
    return _us(table[name]) * US_NS


def available_at_ns(table: pa.Table) -> Int1D:
    """``available_at`` of a canonical table, int64 ns UTC, ``(N,)``."""
    return _us(table[AVAILABLE_AT]) * US_NS


def _us(column: pa.ChunkedArray) -> Int1D:
    values: Int1D = np.asarray(column.cast(pa.int64())).astype(np.int64, copy=False)
    return values


def identity_order(kind: Kind, table: pa.Table) -> Int1D:
    """Positions of the rows in the order of the store: time, row key, ``available_at``; stable."""
    time_us, known_us = _us(table[kind.time_column]), _us(table[AVAILABLE_AT])
    if not kind.row_key and (np.diff(time_us) > 0).all():
        return np.arange(len(table), dtype=np.int64)
    keys = [known_us, *(_sortable(table[name]) for name in reversed(kind.row_key)), time_us]
    return np.lexsort(keys).astype(np.int64)


def _sortable(column: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    if _is_text(column.type):
        codes = column.combine_chunks().dictionary_encode()
        words = codes.dictionary.to_pylist()
        rank = np.argsort(np.argsort(np.array([word or "" for word in words], dtype=object)))
        ranked: np.ndarray[tuple[int], np.dtype[np.generic]] = rank[
            np.asarray(codes.indices.fill_null(0))
        ]
        return ranked
    if pa.types.is_timestamp(column.type) or pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    return np.asarray(column)


def same_identity(kind: Kind, table: pa.Table, *, same_moment: bool) -> Bool1D:
    """True where a row names the same value as the row before it, ``(N,)``; row 0 is False.

    With ``same_moment`` its ``available_at`` must be the same too. The rows are in store order.
    """
    same = np.zeros(len(table), dtype=np.bool_)
    if len(table) < 2:
        return same
    same[1:] = True
    names = (*kind.identity, AVAILABLE_AT) if same_moment else kind.identity
    for name in names:
        same[1:] &= _equal_to_previous(table[name])
        if not same.any():
            break
    return same


def _equal_to_previous(column: pa.ChunkedArray) -> Bool1D:
    if not column.null_count and not _is_text(column.type):
        values = _sortable(column)
        equal: Bool1D = values[1:] == values[:-1]
        return equal
    return _equal(column.slice(0, len(column) - 1), column.slice(1))


def _equal(a: pa.ChunkedArray, b: pa.ChunkedArray) -> Bool1D:
    same = pc.or_(pc.and_(pc.is_null(a), pc.is_null(b)), pc.fill_null(pc.equal(a, b), False))
    result: Bool1D = np.asarray(same).astype(np.bool_)
    return result


def repeated_rows(kind: Kind, table: pa.Table) -> Bool1D:
    """True where identity and ``available_at`` equal those of the row before, ``(N,)``."""
    return same_identity(kind, table, same_moment=True)


def equal_values(kind: Kind, table: pa.Table, rows: Int1D) -> Bool1D:
    """For each of ``rows``: are its values (all but identity and ``available_at``) those of the row
    before it? Same length as ``rows``."""
    same = np.ones(len(rows), dtype=np.bool_)
    if not len(rows):
        return same
    later, earlier = table.take(pa.array(rows)), table.take(pa.array(rows - 1))
    for column in kind.columns:
        if column.name not in kind.row_key:
            same &= _equal(earlier[column.name], later[column.name])
    return same


def first_difference(
    kind: Kind, table: pa.Table, again: Bool1D
) -> tuple[int, str, object, object] | None:
    """The first row marked in ``again`` that differs from the row before it.

    Gives the row, the column, the value before and the value of the row; None when none differs.
    """
    rows = np.flatnonzero(again)
    differing = rows[~equal_values(kind, table, rows)]
    if not differing.size:
        return None
    row = int(differing[0])
    for column in kind.columns:
        earlier, later = table[column.name][row - 1].as_py(), table[column.name][row].as_py()
        if column.name not in kind.row_key and earlier != later:
            return row, column.name, earlier, later
    return None


def times_ns(kind: Kind, table: pa.Table) -> Int1D:
    """Times of a canonical table, int64 ns UTC, ``(N,)``."""
    times: Int1D = np.asarray(table[kind.time_column].cast(pa.int64())).astype(np.int64) * US_NS
    return times


def add_to_digest(digest: "_Hash", table: pa.Table) -> None:
    """Feed the content of a canonical table to ``digest``, independent of chunks and of files."""
    for name in table.column_names:
        column = table[name].combine_chunks()
        digest.update(f"{name}:{column.type}:{len(column)};".encode())
        missing = np.asarray(column.is_null())
        digest.update(np.packbits(missing).tobytes())
        if _is_text(column.type):
            # Words in the order in which they first appear, then which one stands in each row.
            codes = column.fill_null("").dictionary_encode()
            for word in codes.dictionary.to_pylist():
                digest.update(f"{len(word)}:{word}".encode())
            digest.update(np.asarray(codes.indices).tobytes())
            continue
        if not pa.types.is_floating(column.type):
            column = column.cast(pa.int64())
        digest.update(np.asarray(column.fill_null(0)).tobytes())


def digest_of(data: bytes) -> str:
    """SHA-256 of ``data``, hexadecimal."""
    return hashlib.sha256(data).hexdigest()
