"""Trades of the archive: single ones, and those aggregated by taker order and price."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from ...kinds import EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from .layout import FLAG, FLAG_CELL, NUMBER, NUMBER_CELL, STAMP_CELL, WHOLE, WHOLE_CELL, Layout
from .names import ARCHIVE, archive_key, refuse_coin_margined
from .stamps import refuse_contract_microseconds, stamps_ns

_AGGREGATED: Final = "binance_agg_trades"
_AGGREGATED_LAYOUT: Final = Layout(
    columns={
        "trade_id": WHOLE,
        "price": NUMBER,
        "quantity": NUMBER,
        "first_trade_id": WHOLE,
        "last_trade_id": WHOLE,
        "time": WHOLE,
        "is_buyer_maker": FLAG,
        "is_best_match": FLAG,
    },
    spellings={
        "aggtradeid": "trade_id",
        "aggregatetradeid": "trade_id",
        "transacttime": "time",
        "timestamp": "time",
        "firsttradeid": "first_trade_id",
        "lasttradeid": "last_trade_id",
        "wasthebuyerthemaker": "is_buyer_maker",
        "wasthetradethebestpricematch": "is_best_match",
    },
    absent=("is_best_match",),
    first_line=(
        WHOLE_CELL, NUMBER_CELL, NUMBER_CELL, WHOLE_CELL, WHOLE_CELL, STAMP_CELL, FLAG_CELL, FLAG_CELL,
    ),
)  # fmt: skip
_SINGLE: Final = "binance_trades"
_SINGLE_SOURCE: Final = f"{ARCHIVE}_trades"
_SINGLE_LAYOUT: Final = Layout(
    columns={
        "trade_id": WHOLE,
        "price": NUMBER,
        "quantity": NUMBER,
        "other_quantity": NUMBER,
        "time": WHOLE,
        "is_buyer_maker": FLAG,
        "is_best_match": FLAG,
    },
    spellings={
        "id": "trade_id",
        "qty": "quantity",
        "quoteqty": "other_quantity",
        "baseqty": "other_quantity",
    },
    absent=("is_best_match",),
    first_line=(
        WHOLE_CELL, NUMBER_CELL, NUMBER_CELL, NUMBER_CELL, STAMP_CELL, FLAG_CELL, FLAG_CELL,
    ),
)  # fmt: skip


def _read_aggregated(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _AGGREGATED_LAYOUT.read(file)
    key = archive_key(file, request, "trades", step=EVENT_STEP)
    refuse_coin_margined(file, key, "quantity", "; import the file of single trades, which does")
    (time_ns,) = stamps_ns(file, table, places, "time")
    refuse_contract_microseconds(file, table, places, "time", key.market)
    # The archive keeps numbers of aggregates that hold no trade; ids of trades are 0 and above.
    empty = np.asarray(table["first_trade_id"]) < 0
    rows = source_rows(
        file.path, _AGGREGATED, key, _columns(table, time_ns, "quantity"), places, "line"
    )
    yield taken(rows.without(empty, "missing_value", "an aggregate that holds no trade"))


def _read_single(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _SINGLE_LAYOUT.read(file)
    key = archive_key(file, request, "trades", step=EVENT_STEP, source=_SINGLE_SOURCE)
    (time_ns,) = stamps_ns(file, table, places, "time")
    refuse_contract_microseconds(file, table, places, "time", key.market)
    inverse = key.market.startswith("cm_")
    quantity = "other_quantity" if inverse else "quantity"
    rows = source_rows(file.path, _SINGLE, key, _columns(table, time_ns, quantity), places, "line")
    if inverse:
        rows = rows.noting(
            "incomparable_unit",
            "quantities of coin-margined contracts are in contracts; the base quantity is taken",
        )
    yield taken(rows)


def _columns(table: pa.Table, time_ns: object, quantity: str) -> dict[str, pa.ChunkedArray]:
    return {
        "event_time": pa.array(time_ns),
        "trade_id": table["trade_id"],
        "price": table["price"],
        "quantity": table[quantity],
        "is_buyer_maker": table["is_buyer_maker"],
    }


def _format(
    name: str,
    title: str,
    layout: Layout,
    read: Callable[[SourceFile, Request], Iterator[SourceRows]],
    hint: str,
    holds: str,
) -> Format:
    return Format(name, title, ("trades",), layout.recognises, read, hint, holds)


FORMATS: Final = (
    _format(
        _AGGREGATED,
        "Binance archive aggregated trades",
        _AGGREGATED_LAYOUT,
        _read_aggregated,
        "7 columns (futures) or 8 (spot), from the id of the aggregate to is_buyer_maker",
        "trades; those of coin-margined contracts are refused, their quantity is in contracts",
    ),
    _format(
        _SINGLE,
        "Binance archive trades",
        _SINGLE_LAYOUT,
        _read_single,
        "6 columns (futures) or 7 (spot), from the id of the trade to is_buyer_maker",
        f"trades, by default under the source {_SINGLE_SOURCE}: ids of aggregates are other ids",
    ),
)
