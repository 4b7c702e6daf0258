"""Bars of the archive: trades, dated futures, mark price, index price and premium, twelve columns."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import DataError

from ...findings import RefusedFileError
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken_bars
from .layout import NUMBER, NUMBER_CELL, STAMP_CELL, TEXT, WHOLE, Layout
from .names import (
    ArchiveName,
    archive_key,
    archive_name,
    expiry_ns,
    is_archive_name,
    is_dated,
    stated_by_name,
)
from .stamps import refuse_contract_microseconds, stamps_ns

_NAME: Final = "binance_klines"
_LAYOUT: Final = Layout(
    columns={
        "open_time": WHOLE,
        "open": NUMBER,
        "high": NUMBER,
        "low": NUMBER,
        "close": NUMBER,
        "volume": NUMBER,
        "close_time": WHOLE,
        "quote_volume": NUMBER,
        "trades": WHOLE,
        "taker_buy_volume": NUMBER,
        "taker_buy_quote": NUMBER,
        "ignore": TEXT,
    },
    spellings={
        "quoteassetvolume": "quote_volume",
        "baseassetvolume": "quote_volume",
        "count": "trades",
        "numberoftrades": "trades",
        "takerbuybaseassetvolume": "taker_buy_volume",
        "takerbuybase": "taker_buy_volume",
        "takerbuyquoteassetvolume": "taker_buy_quote",
        "takerbuyquotevolume": "taker_buy_quote",
    },
    absent=("ignore",),
    unused=("ignore",),
    first_line=(STAMP_CELL, *[NUMBER_CELL] * 5, STAMP_CELL, *[NUMBER_CELL] * 4, ".*"),
    slack=2,
)
_PRICES: Final = ("open", "high", "low", "close")
_PRICE_KINDS: Final = {
    "markPriceKlines": "mark_price",
    "indexPriceKlines": "index_price",
    "premiumIndexKlines": "premium_index",
}
_KINDS: Final = ("ohlcv", "dated_futures", *_PRICE_KINDS.values())


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _LAYOUT.read(file)
    time_ns, close_ns = stamps_ns(file, table, places, "open_time", "close_time")
    kind = _kind(file, request, table)
    key = archive_key(file, request, kind, only_futures=kind not in ("ohlcv", "dated_futures"))
    refuse_contract_microseconds(file, table, places, "open_time", key.market)
    if is_dated(key.symbol) != (kind == "dated_futures") and kind in ("ohlcv", "dated_futures"):
        raise DataError(
            f"{file.path}: symbol {key.symbol} does not fit kind {kind}: bars of a contract with a "
            "date in its symbol are dated_futures, and no others are; leave --as out"
        )
    inverse = key.market.startswith("cm_")
    if kind in _PRICE_KINDS.values():
        columns = {"event_time": pa.array(time_ns)} | {name: table[name] for name in _PRICES}
    else:
        columns = {"open_time": pa.array(time_ns)} | _traded(table, inverse=inverse)
    if kind == "dated_futures":
        columns["expiry"] = pa.array(np.full(len(table), expiry_ns(key.symbol)))
    rows = source_rows(file.path, _NAME, key, columns, places, "line")
    if inverse and "volume" in columns:
        rows = rows.noting(
            "incomparable_unit",
            "volumes of coin-margined contracts are in contracts; the base volume of the file is taken, "
            "a quote volume is not stated",
        )
    # Answers of the REST interface have the same columns and end with the bar that is still open.
    yield taken_bars(rows, close_ns, is_capture=not is_archive_name(file))


def _traded(table: pa.Table, *, inverse: bool) -> dict[str, pa.ChunkedArray]:
    """Prices and flows; in an inverse file the columns named after the quote hold the base volume."""
    columns = {name: table[name] for name in (*_PRICES, "trades")}
    if inverse:
        return columns | {
            "volume": table["quote_volume"],
            "taker_buy_volume": table["taker_buy_quote"],
        }
    names = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote")
    return columns | {name: table[name] for name in names}


def _kind(file: SourceFile, request: Request, table: pa.Table) -> str:
    """The kind as requested, as the file or a folder is named, or as the columns prove it."""
    if request.kind is not None:
        return request.kind
    named = archive_name(file)
    price_kind = _named_price_kind(named)
    if price_kind is not None:
        return price_kind
    traded = any(_ever_positive(table[name]) for name in ("volume", "quote_volume"))
    if not traded:
        if any(pc.min(table[name]).as_py() < 0.0 for name in _PRICES):
            return "premium_index"
        moved = pc.min(table["low"]).as_py() != pc.max(table["high"]).as_py()
        if moved or _ever_positive(table["trades"]):
            raise RefusedFileError(
                "unstated_unit",
                f"{file.path}: prices move and every volume is zero: these may be mark or index prices, "
                "and the name does not say which; give --as mark_price, index_price, premium_index or "
                "ohlcv",
            )
    symbol = request.symbol or named.symbol
    return "dated_futures" if symbol and is_dated(symbol) else "ohlcv"


def _named_price_kind(named: ArchiveName) -> str | None:
    return next((kind for word, kind in _PRICE_KINDS.items() if named.says(word)), None)


def _stated_by_name(file: SourceFile) -> dict[str, str | None]:
    return {**stated_by_name(file), "kind": _named_price_kind(archive_name(file))}


def _ever_positive(column: pa.ChunkedArray) -> bool:
    return bool(pc.max(column).as_py() > 0)


FORMATS: Final = (
    Format(
        name=_NAME,
        title="Binance archive klines",
        kinds=_KINDS,
        recognises=_LAYOUT.recognises,
        read=_read,
        hint="12 columns from open_time to ignore, header or none, ms or us",
        holds="bars; markPriceKlines, indexPriceKlines and premiumIndexKlines by the name of the file "
        "or folder or by --as; contracts such as BTCUSDT_240628 are dated_futures; the last bar is left "
        "out where the file has another name than those of the archive",
        names=_stated_by_name,
    ),
)
