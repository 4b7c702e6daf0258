"""Candles and trades as freqtrade writes them, in columns that no longer depend on the encoding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import Int1D

from ...findings import RefusedFileError
from ...timestamps import column_ns
from ..reading.json_columns import (
    FIRST_MS,
    LAST_MS,
    MS_NS,
    check_rows_of,
    float_column,
    text_column,
    time_column,
)
from ..reading.source_file import SourceFile
from ..rows.trades import TradeColumns

CANDLES: Final = ("date", "open", "high", "low", "close", "volume")
RATES: Final = ("date", "funding_rate")
TRADES: Final = ("timestamp", "id", "type", "side", "price", "amount", "cost")
LAYOUTS: Final = (CANDLES, RATES, TRADES)
"""Columns of the three sorts of files."""


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles in the order of the file: their times, one column by name, and where they stand.

    ``rate`` is the column that holds the rate where the file is one of funding.
    """

    time_ns: Int1D
    column: Callable[[str], pa.Array | pa.ChunkedArray]
    places: Int1D
    word: str
    rate: str


def candles_of_table(file: SourceFile, table: pa.Table) -> Candles:
    """Candles, or rates of later versions, in Feather."""
    time_ns = _date_ns(file, table["date"])
    rate = "funding_rate" if "funding_rate" in table.column_names else "open"

    def column(name: str) -> pa.ChunkedArray:
        if name not in table.column_names:
            raise RefusedFileError("missing_value", f"{file.path}: column {name!r} is missing")
        return table[name]

    return Candles(time_ns, column, np.arange(len(table), dtype=np.int64), "row", rate)


def _date_ns(file: SourceFile, dates: pa.ChunkedArray) -> Int1D:
    if pa.types.is_timestamp(dates.type):
        try:
            dates = dates.cast(pa.timestamp("ns", dates.type.tz))
        except pa.ArrowInvalid as error:
            raise RefusedFileError(
                "unreadable", f"{file.path}: column date has times beyond the year 2262"
            ) from error
    return column_ns(dates, f"{file.path}, column date")


def candles_of_json(file: SourceFile, items: list[Any]) -> Candles:
    """Candles as JSON lists of six."""
    check_rows_of(file, items, len(CANDLES))

    def column(name: str) -> pa.Array:
        return float_column(file, items, CANDLES.index(name), name)

    time_ns = time_column(file, items, 0, "date")
    return Candles(time_ns, column, np.arange(len(items), dtype=np.int64), "item", "open")


def trades_of_table(
    file: SourceFile, table: pa.Table, word: str, places: Int1D
) -> tuple[TradeColumns, pa.Array]:
    """Trades in Feather or CSV, and what each of them cost."""
    for name in ("id", "side"):
        if not pa.types.is_null(table[name].type) and not (
            pa.types.is_string(table[name].type) or pa.types.is_large_string(table[name].type)
        ):
            raise RefusedFileError(
                "unreadable",
                f"{file.path}: column {name} has type {table[name].type}, it must be text",
            )
    for name in ("price", "amount", "cost"):
        if not pa.types.is_floating(table[name].type):
            raise RefusedFileError(
                "unreadable", f"{file.path}: column {name} has type {table[name].type}, not float"
            )
    trades = TradeColumns(
        _stamps_ns(file, table["timestamp"], word, places),
        table["id"].combine_chunks().cast(pa.string()),
        table["side"].combine_chunks().cast(pa.string()),
        table["price"].combine_chunks(),
        table["amount"].combine_chunks(),
        places,
        word,
    )
    return trades, table["cost"].combine_chunks()


def _stamps_ns(file: SourceFile, column: pa.ChunkedArray, word: str, places: Int1D) -> Int1D:
    if not pa.types.is_int64(column.type) or column.null_count:
        raise RefusedFileError(
            "missing_time",
            f"{file.path}: column timestamp has type {column.type} with {column.null_count} empty "
            "cells; every trade needs whole milliseconds",
        )
    stamps = np.asarray(column).astype(np.int64)
    odd = (stamps < FIRST_MS) | (stamps >= LAST_MS)
    if odd.any():
        row = int(np.argmax(odd))
        raise RefusedFileError(
            "unreadable",
            f"{file.path} {word} {places[row]}: timestamp={stamps[row]} is not in milliseconds "
            "since 1970",
        )
    return stamps * MS_NS


def trades_of_json(file: SourceFile, items: Sequence[Any]) -> tuple[TradeColumns, pa.Array]:
    """Trades as JSON lists of seven, and what each of them cost."""
    check_rows_of(file, items, len(TRADES))
    trades = TradeColumns(
        time_column(file, items, 0, "timestamp"),
        pa.array(text_column(file, items, 1, "id", optional=True), pa.string()),
        pa.array(text_column(file, items, 3, "side"), pa.string()),
        float_column(file, items, 4, "price"),
        float_column(file, items, 5, "amount"),
        np.arange(len(items), dtype=np.int64),
        "item",
    )
    return trades, float_column(file, items, 6, "cost", optional=True)
