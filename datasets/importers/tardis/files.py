"""CSV of Tardis: trades, liquidations, book changes, book snapshots.

Every file begins with ``exchange,symbol,timestamp,local_timestamp``, both times in microseconds:
``timestamp`` is the exchange's and becomes the event time, ``local_timestamp`` is the receipt and
becomes ``available_at`` (the event time where the receiving clock was behind). Trades and
liquidations have the same columns; the name of the file
(``bitmex_trades_2020-03-01_XBTUSD.csv.gz``) or ``--as`` tells them apart.

``incremental_book_L2`` is replayed and sampled every second (see ``order_book``; ``--timeframe``
sets a longer distance); ``book_snapshot_5`` and ``_25`` are taken as they stand. Contracts of
inverse perpetuals are worth dollars: quantities of their trades and liquidations are divided by the
price (``derived_value``), books stay in contracts (``unstated_unit``).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import Bool1D, Float1D, Int1D

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP
from ..format import Format
from ..order_book.rows import check_level
from ..reading.csv_table import csv_table
from ..reading.json_columns import FIRST_MS, LAST_MS
from ..reading.source_file import SourceFile
from ..reading.stated import agreed, stated
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from ..rows.trades import TradeColumns, sequence_in_time, taken_trades
from .book import LEVEL, NAME, book_snapshots, replayed_book
from .owners import Owner, owner_of

_WORD: Final = "line"
_OWNER: Final = ("exchange", "symbol", "timestamp", "local_timestamp")
_EVENTS: Final = (*_OWNER, "id", "side", "price", "amount")
_CHANGES: Final = (*_OWNER, "is_snapshot", "side", "price", "amount")
_EVENT_KINDS: Final = {"_trades_": "trades", "_liquidations_": "liquidations"}
_US_NS: Final = 1_000


def _header(file: SourceFile) -> tuple[str, ...]:
    return tuple(file.head[0].split(",")) if file.head else ()


def _depth(header: tuple[str, ...]) -> int:
    """Levels of a snapshot header, 0 where it is none."""
    depth, rest = divmod(len(header) - len(_OWNER), 4)
    expected = [
        f"{side}[{level}].{what}"
        for level in range(depth)
        for side in ("asks", "bids")
        for what in ("price", "amount")
    ]
    return depth if rest == 0 and list(header[len(_OWNER) :]) == expected else 0


def _recognises(file: SourceFile) -> bool:
    header = _header(file)
    if header[: len(_OWNER)] != _OWNER:
        return False
    return header in (_EVENTS, _CHANGES) or _depth(header) > 0


def _stated_by_name(file: SourceFile) -> dict[str, str | None]:
    """Trades and liquidations have the same columns; other files say what they hold."""
    if _header(file) != _EVENTS:
        return {"kind": None}
    return {"kind": next((kind for word, kind in _EVENT_KINDS.items() if word in file.name), None)}


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    header = _header(file)
    if not _recognises(file):
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: its header is none of Tardis's trades, liquidations, "
            "incremental_book_L2 and book_snapshot_N",
        )
    types = {name: pa.float64() for name in header if name.endswith(("price", "amount"))} | {
        "timestamp": pa.int64(),
        "local_timestamp": pa.int64(),
        "is_snapshot": pa.bool_(),
    }
    optional = [name for name in header if name == "id" or LEVEL.fullmatch(name)]
    table, places = csv_table(file, header, types, skip_lines=1, optional=optional)
    kind = "book_snapshot"
    if header == _EVENTS:
        kind = stated(file, "kind", request.kind, _stated_by_name(file)["kind"])
    agreed(file, "kind", request.kind, kind)
    for exchange, symbol, rows in _series(table):
        if request.symbol not in (None, symbol):
            continue
        owner = owner_of(exchange, symbol)
        key = _key(file, request, kind, owner, symbol)
        part, mine = table.take(pa.array(rows)), places[rows]
        time_ns, known_ns = (_time_ns(file, part, name, mine) for name in _OWNER[2:])
        behind = known_ns < time_ns
        if header == _CHANGES:
            series = replayed_book(file, request, key, part, time_ns, known_ns, mine)
        elif kind == "trades":
            series = _trades(file, key, owner, part, time_ns, known_ns, mine)
        elif kind == "liquidations":
            series = _liquidations(file, key, owner, part, time_ns, known_ns, mine)
        else:
            series = book_snapshots(file, key, part, time_ns, known_ns, mine)
        yield _with_findings(series, owner, behind)


def _series(table: pa.Table) -> list[tuple[str, str, Int1D]]:
    """Exchange and symbol of each series with the positions of its rows."""
    names = list(zip(table["exchange"].to_pylist(), table["symbol"].to_pylist(), strict=True))
    rows: dict[tuple[str, str], list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return [(*name, np.array(rows[name], dtype=np.int64)) for name in sorted(rows)]


def _key(file: SourceFile, request: Request, kind: str, owner: Owner, symbol: str) -> DatasetKey:
    if owner.market is not None:
        agreed(file, "market", request.market, owner.market)
    return DatasetKey(
        kind,
        agreed(file, "venue", request.venue, owner.venue),
        stated(file, "market", request.market, owner.market, venue=owner.venue),
        symbol,
        EVENT_STEP,
        request.source or NAME,
    )


def _time_ns(file: SourceFile, table: pa.Table, name: str, places: Int1D) -> Int1D:
    stamps = np.asarray(table[name]).astype(np.int64)
    odd = (stamps < FIRST_MS * 1_000) | (stamps >= LAST_MS * 1_000)
    if odd.any():
        row = int(np.argmax(odd))
        raise RefusedFileError(
            "unreadable",
            f"{file.path} {_WORD} {places[row]}: {name}={stamps[row]} is not in microseconds "
            "since 1970",
        )
    return stamps * _US_NS


def _quantity(file: SourceFile, owner: Owner, table: pa.Table, places: Int1D) -> Float1D:
    """Amounts in coins."""
    price, amount = np.asarray(table["price"]), np.asarray(table["amount"])
    for row, level in enumerate(zip(price.tolist(), amount.tolist(), strict=True)):
        check_level(file, f"{_WORD} {places[row]}", level)
    if owner.unit == "unstated":
        raise RefusedFileError(
            "unstated_unit",
            f"{file.path}: amounts at {owner.venue} count contracts whose size is not known here; "
            "give it as a factor with --mapping",
        )
    coins: Float1D = amount if owner.unit == "coin" else amount * owner.contract_usd / price
    return coins


def _trades(
    file: SourceFile,
    key: DatasetKey,
    owner: Owner,
    table: pa.Table,
    time_ns: Int1D,
    known_ns: Int1D,
    places: Int1D,
) -> SourceRows:
    trades = TradeColumns(
        time_ns,
        table["id"].combine_chunks(),
        table["side"].combine_chunks(),
        table["price"].combine_chunks(),
        pa.array(_quantity(file, owner, table, places)),
        places,
        _WORD,
        known_ns,
    )
    return taken_trades(file, NAME, key, trades)


def _liquidations(
    file: SourceFile,
    key: DatasetKey,
    owner: Owner,
    table: pa.Table,
    time_ns: Int1D,
    known_ns: Int1D,
    places: Int1D,
) -> SourceRows:
    quantity = _quantity(file, owner, table, places)
    columns = {
        "event_time": pa.array(time_ns),
        "available_at": pa.array(np.maximum(time_ns, known_ns)),
        "sequence": pa.array(sequence_in_time(table, "timestamp")),
        "side": table["side"],
        "price": table["price"],
        "quantity": pa.array(quantity),
        "notional": pa.array(quantity * np.asarray(table["price"])),
    }
    return taken(source_rows(file.path, NAME, key, columns, places, _WORD))


def _with_findings(rows: SourceRows, owner: Owner, behind: Bool1D) -> SourceRows:
    if behind.any():
        rows = rows.noting(
            "capture_time",
            f"{int(behind.sum())} lines were received before their own time: the receiving clock "
            "was behind; they count as known at their event time",
            int(behind.sum()),
        )
    if owner.unit == "coin":
        return rows
    if rows.key.kind == "book_snapshot":
        return rows.noting("unstated_unit", "amounts count contracts of the venue, not coins")
    return rows.noting(
        "derived_value",
        f"amounts count contracts of {owner.contract_usd:g} USD; quantity is their value divided "
        "by the price",
    )


FORMATS: Final = (
    Format(
        NAME,
        "CSV of Tardis",
        ("trades", "liquidations", "book_snapshot"),
        _recognises,
        _read,
        "CSV that begins with exchange,symbol,timestamp,local_timestamp",
        "trades and liquidations; snapshots as they stand; book changes as the book at whole "
        "seconds",
        _stated_by_name,
    ),
)
