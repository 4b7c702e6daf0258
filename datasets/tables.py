"""Rows of one data set as an Arrow table in the one form that the store keeps."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import DataError, Int1D

from .kinds import TIME_TYPE, Column, Kind
from .timestamps import US_NS, column_ns, time_text

if TYPE_CHECKING:
    from hashlib import _Hash


def canonical_table(kind: Kind, table: pa.Table, label: str) -> pa.Table:
    """``table`` with the columns of ``kind`` in their order and types, optional ones empty if absent.

    Times may be timestamps of any unit (UTC or without a zone) or int64 ns; NaN in an optional
    column becomes empty; -0.0 becomes 0.0, so that equal rows have equal bytes. Raises DataError
    naming ``label`` for a missing or unknown column or a type that does not fit.
    """
    known = {kind.time_column, *(column.name for column in kind.columns)}
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
    finer = np.flatnonzero(time_ns % US_NS)
    if finer.size:
        row = int(finer[0])
        raise DataError(
            f"{label}: row {row}: {kind.time_column}={time_text(int(time_ns[row]))} is finer than a "
            "microsecond, the unit of the store"
        )
    arrays = [pa.array(time_ns // US_NS, type=pa.int64()).cast(TIME_TYPE)]
    arrays += [
        _canonical_column(column, table[column.name], label)
        if column.name in table.column_names
        else pa.nulls(len(table), column.type)
        for column in kind.columns
    ]
    return pa.Table.from_arrays(arrays, schema=_nullable(kind.schema))


def _nullable(schema: pa.Schema) -> pa.Schema:
    # An empty cell in a required column is found, and named by its row, by the checks.
    return pa.schema([field.with_nullable(True) for field in schema])


def _canonical_column(column: Column, values: pa.ChunkedArray, label: str) -> pa.Array:
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if not (
        pa.types.is_integer(values.type)
        or pa.types.is_floating(values.type)
        or pa.types.is_null(values.type)
    ):
        raise DataError(
            f"{label}: column {column.name} has type {values.type}; it must hold numbers"
        )
    if pa.types.is_floating(values.type):
        wide = values.cast(pa.float64())
        values = pc.if_else(pc.is_nan(wide), None, wide) if not column.required else wide
    try:
        values = values.cast(column.type)
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{label}: column {column.name} must hold whole numbers: {error}"
        ) from error
    return values if column.integer else pc.add(values, 0.0)


def times_ns(kind: Kind, table: pa.Table) -> Int1D:
    """Times of a canonical table, int64 ns UTC, ``(N,)``."""
    times: Int1D = np.asarray(table[kind.time_column].cast(pa.int64())).astype(np.int64) * US_NS
    return times


def merged_table(kind: Kind, stored: pa.Table, new: pa.Table, label: str) -> pa.Table:
    """The rows of both canonical tables in time order, a row that both have once.

    Raises DataError when they disagree about a row, naming the row, the column and both values.
    """
    both = pa.concat_tables([stored, new]).combine_chunks()
    order = np.argsort(np.asarray(both[kind.time_column].cast(pa.int64())), kind="stable")
    both = both.take(pa.array(order))
    time_ns = times_ns(kind, both)
    again = np.flatnonzero(time_ns[1:] == time_ns[:-1]) + 1
    if again.size == 0:
        return both
    first, second = both.take(pa.array(again - 1)), both.take(pa.array(again))
    for column in kind.columns:
        a, b = first[column.name], second[column.name]
        same = pc.or_(pc.and_(pc.is_null(a), pc.is_null(b)), pc.fill_null(pc.equal(a, b), False))
        differing = np.flatnonzero(~np.asarray(same))
        if differing.size:
            row = int(differing[0])
            raise DataError(
                f"{label}: row {time_text(int(time_ns[again[row]]))}: {column.name} is "
                f"{a[row].as_py()!r} in the store and {b[row].as_py()!r} in the new data "
                f"({differing.size} rows of this column differ); a source may not contradict itself, "
                "so import the other version under its own name with --source"
            )
    keep = np.ones(len(time_ns), dtype=np.bool_)
    keep[again] = False
    return both.filter(pa.array(keep))


def add_to_digest(digest: "_Hash", table: pa.Table) -> None:
    """Feed the content of a canonical table to ``digest``, independent of chunks and of files."""
    for name in table.column_names:
        column = table[name].combine_chunks()
        digest.update(f"{name}:{column.type}:{len(column)};".encode())
        missing = np.asarray(column.is_null())
        digest.update(np.packbits(missing).tobytes())
        if not pa.types.is_floating(column.type):
            column = column.cast(pa.int64())
        digest.update(np.asarray(column.fill_null(0)).tobytes())


def digest_of(data: bytes) -> str:
    """SHA-256 of ``data``, hexadecimal."""
    return hashlib.sha256(data).hexdigest()
