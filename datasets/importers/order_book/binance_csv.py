"""Binance's historical order book of futures: ``…_depth_snap.csv`` and ``…_depth_update.csv``.

Columns ``symbol,timestamp,first_update_id,last_update_id,side,update_type,price,qty,pu``;
``update_type`` is ``snap`` for a level of a whole book and ``set`` for a changed level (0 removes
it). Only futures are published in this form; contracts margined in the coin have an underscore in
their symbol.

Snapshots become ``book_snapshot`` as they stand, all their levels. Changes need a snapshot to stand
on: a file with changes alone is refused, a file with both (the lines of the two files put together)
gives the book sampled every second.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import Int1D, timeframe_ns

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.csv_table import csv_table
from ..reading.json_columns import FIRST_MS, LAST_MS, MS_NS
from ..reading.source_file import SourceFile
from ..reading.stated import agreed
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from .replay import SAMPLE_NS, BookMessage, BookReplay
from .rows import check_level, sampled_rows

NAME: Final = "binance_book"
_VENUE: Final = "binance"
_COLUMNS: Final = (
    "symbol", "timestamp", "first_update_id", "last_update_id", "side", "update_type", "price",
    "qty", "pu",
)  # fmt: skip
_TYPES: Final = {
    "timestamp": pa.int64(),
    "first_update_id": pa.int64(),
    "last_update_id": pa.int64(),
    "price": pa.float64(),
    "qty": pa.float64(),
    "pu": pa.int64(),
}
_SIDES: Final = {"a": "ask", "b": "bid"}
_UPDATES: Final = ("snap", "set")


def _recognises(file: SourceFile) -> bool:
    return file.head[:1] == (",".join(_COLUMNS),)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    if not _recognises(file):
        raise RefusedFileError(
            "unreadable", f"{file.path}: does not begin with the header of this format"
        )
    table, places = csv_table(file, _COLUMNS, _TYPES, skip_lines=1)
    _check(file, table, places)
    updates = set(table["update_type"].to_pylist())
    for symbol in sorted(set(table["symbol"].to_pylist())):
        if request.symbol not in (None, symbol):
            continue
        mine = np.flatnonzero(np.asarray(pa.compute.equal(table["symbol"], symbol)))
        rows, key = table.take(pa.array(mine)), _key(file, request, symbol)
        if "set" not in updates:
            yield _snapshots(file, key, rows, places[mine])
            continue
        sample_ns = timeframe_ns(request.timeframe) if request.timeframe else SAMPLE_NS
        replay = BookReplay("previous", sample_ns=sample_ns)
        if "snap" not in updates:
            raise RefusedFileError(
                "gap",
                f"{file.path}: holds changes of the book and no snapshot for them to stand on; "
                "put the lines of the depth_snap file of the same day before them",
            )
        for message in _messages(rows, places[mine]):
            replay.take(message)
        yield sampled_rows(file, NAME, key, replay, "line")


def _check(file: SourceFile, table: pa.Table, places: Int1D) -> None:
    for name, words in (("side", tuple(_SIDES)), ("update_type", _UPDATES)):
        for row, word in enumerate(table[name].to_pylist()):
            if word not in words:
                raise RefusedFileError(
                    "unreadable",
                    f"{file.path} line {places[row]}: {name}={word!r} must be one of "
                    f"{', '.join(words)}",
                )
    stamps = np.asarray(table["timestamp"])
    odd = (stamps < FIRST_MS) | (stamps >= LAST_MS)
    if odd.any():
        row = int(np.argmax(odd))
        raise RefusedFileError(
            "unreadable",
            f"{file.path} line {places[row]}: timestamp={stamps[row]} is not in milliseconds "
            "since 1970",
        )
    levels = zip(table["price"].to_pylist(), table["qty"].to_pylist(), strict=True)
    for row, level in enumerate(levels):
        check_level(file, f"line {places[row]}", level)


def _key(file: SourceFile, request: Request, symbol: str) -> DatasetKey:
    _, underscore, suffix = symbol.partition("_")
    market = "um_perp"
    if underscore:
        # A date after the underscore is an expiry; it does not say the margin.
        market = "cm_perp" if suffix == "PERP" else request.market or "cm_future"
    return DatasetKey(
        "book_snapshot",
        agreed(file, "venue", request.venue, _VENUE),
        agreed(file, "market", request.market, market),
        symbol,
        EVENT_STEP,
        request.source or NAME,
    )


def _messages(table: pa.Table, places: Int1D) -> Iterator[BookMessage]:
    """Lines of one snapshot, or of one range of update numbers, are one message."""
    columns: dict[str, list[Any]] = {name: table[name].to_pylist() for name in _COLUMNS}
    names = ("timestamp", "first_update_id", "last_update_id", "update_type", "pu")
    heads = list(zip(*(columns[name] for name in names), strict=True))
    begin = 0
    for end in range(1, len(heads) + 1):
        if end < len(heads) and heads[end] == heads[begin]:
            continue
        stamp, first_id, last_id, update, previous_id = heads[begin]
        levels: dict[str, list[tuple[float, float]]] = {"a": [], "b": []}
        for row in range(begin, end):
            levels[columns["side"][row]].append((columns["price"][row], columns["qty"][row]))
        yield BookMessage(
            int(places[begin]),
            stamp * MS_NS,
            None,
            update == "snap",
            levels["b"],
            levels["a"],
            first_id,
            last_id,
            previous_id,
        )
        begin = end


def _snapshots(file: SourceFile, key: DatasetKey, table: pa.Table, places: Int1D) -> SourceRows:
    """Snapshots as they stand, levels numbered from the best price."""
    time_ns = np.asarray(table["timestamp"]) * MS_NS
    price, quantity = np.asarray(table["price"]), np.asarray(table["qty"])
    is_bid = np.array([side == "b" for side in table["side"].to_pylist()], dtype=np.bool_)
    order = np.lexsort((np.where(is_bid, -price, price), is_bid, time_ns))
    again = np.zeros(len(order), dtype=np.bool_)
    again[1:] = (np.diff(time_ns[order]) == 0) & (np.diff(price[order]) == 0)
    again[1:] &= is_bid[order][1:] == is_bid[order][:-1]
    if again.any():
        row = int(order[np.argmax(again)])
        raise RefusedFileError(
            "contradiction",
            f"{file.path} line {places[row]}: price={price[row]:g} stands twice on one side of "
            "one snapshot; remove one of the two lines",
        )
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (np.diff(time_ns[order]) != 0) | (is_bid[order][1:] != is_bid[order][:-1])
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(order)))
    columns = {
        "event_time": pa.array(time_ns[order]),
        "side": pa.array(["bid" if bid else "ask" for bid in is_bid[order]]),
        "level": pa.array(np.arange(len(order)) - np.repeat(starts, lengths)),
        "price": pa.array(price[order]),
        "quantity": pa.array(quantity[order]),
    }
    rows = source_rows(file.path, NAME, key, columns, places[order], "line")
    empty = quantity[order] == 0.0
    if empty.any():
        row = int(np.argmax(empty))
        raise RefusedFileError(
            "unreadable", f"{rows.name(row)}: qty=0 in a snapshot, nothing stands there"
        )
    rows = taken(rows)
    moments = len(np.unique(time_ns))
    if moments == 1:
        rows = rows.noting("single_snapshot", "the file holds the book of one moment")
    if is_bid.all() or not is_bid.any():
        rows = rows.noting(
            "missing_value", f"the file holds {'bids' if is_bid.all() else 'asks'} only", moments
        )
    return rows


FORMATS: Final = (
    Format(
        NAME,
        "historical order book of Binance futures",
        ("book_snapshot",),
        _recognises,
        _read,
        "CSV with the header " + ",".join(_COLUMNS),
        "snapshots as they stand, all levels; changes after a snapshot as the book at whole "
        "seconds",
    ),
)
