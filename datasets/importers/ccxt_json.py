"""JSON as ccxt's unified methods return it: candles, trades, funding rates, open interest.

* ``fetch_ohlcv``: a list of ``[ms, open, high, low, close, volume]``. It says nothing about itself,
  so that venue, market and symbol must be given; the step is the usual distance of the rows, or
  ``--timeframe``. The same lists under a name of freqtrade (``XRP_ETH-5m.json``) are freqtrade's.
  ccxt returns the bar that is still open as the last one; it is dropped, because nothing in the
  file proves that it had closed.
* ``fetch_trades``: dicts with ``timestamp``, ``id``, ``symbol``, ``side``, ``price`` and
  ``amount``; ``side`` is the taker's.
* ``fetch_funding_rate_history``: dicts with ``timestamp``, ``symbol`` and ``fundingRate``.
* ``fetch_open_interest_history``: dicts with ``timestamp``, ``symbol``, ``openInterestAmount`` and
  ``openInterestValue``.

Times are milliseconds. Symbols are ccxt's (``BTC/USDT``, ``BTC/USDT:USDT``) and become the venue's
own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from engine import Int1D

from ..findings import RefusedFileError
from ..keys import DatasetKey
from ..kinds import EVENT_STEP, KINDS
from .format import Format
from .reading.json_columns import (
    check_rows_of,
    first_item,
    float_column,
    json_list,
    text_column,
    time_column,
)
from .reading.pairs import Pair, letters, store_venue, unified_pair
from .reading.source_file import SourceFile
from .reading.stated import agreed, agreed_kind, stated
from .report import Request
from .rows import SourceRows, common_step, source_rows, taken, taken_bars
from .rows.funding import taken_funding
from .rows.trades import TradeColumns, check_base_unit, taken_trades
from .rows.units import counts_coins, noting_volume

NAME: Final = "ccxt"
_CANDLE: Final = ("open_time", "open", "high", "low", "close", "volume")
_PRICE_KINDS: Final = ("ohlcv", "mark_price", "index_price", "premium_index")
_Items = Sequence[Mapping[str, Any]]


def _kind_of(item: Mapping[str, Any]) -> str | None:
    if "timestamp" not in item or "symbol" not in item:
        return None
    if "fundingRate" in item:
        return "funding"
    if "openInterestAmount" in item or "openInterestValue" in item:
        return "metrics"
    return "trades" if {"side", "price", "amount"} <= item.keys() else None


def _recognises(file: SourceFile) -> bool:
    from .freqtrade.files import FORMATS as FREQTRADE

    item = first_item(file)
    if isinstance(item, dict):
        return _kind_of(item) is not None
    is_candle = isinstance(item, list) and len(item) == len(_CANDLE)
    return is_candle and not any(layout.recognises(file) for layout in FREQTRADE)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    items = json_list(file)
    if isinstance(items[0], list):
        yield _candles(file, request, items)
        return
    kind = _kind_of(items[0]) if isinstance(items[0], dict) else None
    if kind is None:
        raise RefusedFileError(
            "unreadable",
            f"{file.path} item 0: is none of ccxt's candles, trades, funding rates and open "
            "interest",
        )
    agreed_kind(file, request, kind)
    for number, item in enumerate(items):
        if not isinstance(item, dict) or _kind_of(item) != kind:
            raise RefusedFileError(
                "unreadable", f"{file.path} item {number}: is not {kind} as the items above it"
            )
    groups = _by_symbol(file, items)
    if request.symbol is not None and len(groups) > 1:
        groups = _chosen(file, request, groups)
    for symbol, places in groups:
        pair = unified_pair(symbol, file.path)
        venue = store_venue(stated(file, "venue", request.venue, None))
        market = agreed(file, "market", request.market, pair.market(venue))
        name = _symbol(file, request, pair, venue)
        if request.symbol in (None, name, symbol):
            chosen = [items[place] for place in places]
            rows = _READERS[kind](file, request, (venue, market, name), chosen, places)
            if not letters(name).startswith(letters(symbol.partition(":")[0])):
                rows = rows.noting(
                    "mixed_symbol_spelling",
                    f"the file writes {symbol}; that {venue} calls it {name} is the caller's word",
                )
            yield rows


def _chosen(
    file: SourceFile, request: Request, groups: list[tuple[str, Int1D]]
) -> list[tuple[str, Int1D]]:
    """Of several symbols those that may be the requested one; RefusedFileError where none can be."""
    asked = letters(request.symbol or "")
    chosen = [
        (symbol, places)
        for symbol, places in groups
        if asked in (letters(symbol), letters(symbol.partition(":")[0]))
        or _spelled(file, request, symbol) == request.symbol
    ]
    if not chosen:
        raise RefusedFileError(
            "mixed_symbol_spelling",
            f"{file.path}: nothing in it is certain to be symbol={request.symbol}; it holds "
            f"{', '.join(symbol for symbol, _ in groups)[:300]}: give one of these, or split the file",
        )
    return chosen


def _spelled(file: SourceFile, request: Request, symbol: str) -> str | None:
    """The symbol as the venue spells it, None where that is not known."""
    try:
        venue = store_venue(stated(file, "venue", request.venue, None))
        return unified_pair(symbol, file.path).symbol(venue, file.path)
    except RefusedFileError:
        return None


def _symbol(file: SourceFile, request: Request, pair: Pair, venue: str) -> str:
    try:
        return pair.symbol(venue, file.path)
    except RefusedFileError:
        if request.symbol is None:
            raise
        return request.symbol


def _by_symbol(file: SourceFile, items: _Items) -> list[tuple[str, Int1D]]:
    symbols = text_column(file, items, "symbol", "symbol")
    places: dict[str, list[int]] = {}
    for number, symbol in enumerate(symbols):
        places.setdefault(str(symbol), []).append(number)
    return [(symbol, np.array(places[symbol], dtype=np.int64)) for symbol in sorted(places)]


def _candles(file: SourceFile, request: Request, items: list[Any]) -> SourceRows:
    check_rows_of(file, items, len(_CANDLE))
    kind = request.kind or "ohlcv"
    if kind not in _PRICE_KINDS:
        raise RefusedFileError(
            "contradiction", f"{file.path}: holds candles, not {kind}; leave the kind out"
        )
    time_ns = time_column(file, items, 0, "open_time")
    venue = store_venue(stated(file, "venue", request.venue, None))
    market = stated(file, "market", request.market, None, venue=request.venue)
    symbol = stated(file, "symbol", request.symbol, None)
    step = request.timeframe or common_step([time_ns], file.path)
    key = DatasetKey(kind, venue, market, symbol, step, request.source or NAME)
    names = _CANDLE[1:] if kind == "ohlcv" else _CANDLE[1:-1]
    columns = {KINDS[kind].time_column: pa.array(time_ns)}
    columns |= {name: float_column(file, items, _CANDLE.index(name), name) for name in names}
    places = np.arange(len(items), dtype=np.int64)
    rows = source_rows(file.path, NAME, key, columns, places, "item")
    return noting_volume(taken_bars(rows, is_capture=True))


_Owner = tuple[str, str, str]
"""Venue, market and symbol."""


def _trades(
    file: SourceFile, request: Request, owner: _Owner, items: _Items, places: Int1D
) -> SourceRows:
    key = DatasetKey("trades", *owner, EVENT_STEP, request.source or NAME)
    trades = TradeColumns(
        time_column(file, items, "timestamp", "timestamp", places=places),
        pa.array(text_column(file, items, "id", "id", optional=True, places=places), pa.string()),
        pa.array(text_column(file, items, "side", "side", places=places), pa.string()),
        float_column(file, items, "price", "price", places=places),
        float_column(file, items, "amount", "amount", places=places),
        places,
        "item",
    )
    cost = float_column(file, items, "cost", "cost", optional=True, places=places)
    check_base_unit(file, trades, cost)
    rows = taken_trades(file, NAME, key, trades)
    return rows if not cost.null_count else _with_unit_finding(rows)


def _with_unit_finding(rows: SourceRows) -> SourceRows:
    if counts_coins(rows):
        return rows
    return rows.noting(
        "unstated_unit",
        "ccxt counts contracts of the venue's own size, which the file does not state",
    )


def _funding(
    file: SourceFile, request: Request, owner: _Owner, items: _Items, places: Int1D
) -> SourceRows:
    step = request.timeframe or KINDS["funding"].native_step
    key = DatasetKey("funding", *owner, step, request.source or NAME)
    columns = {
        "event_time": pa.array(time_column(file, items, "timestamp", "timestamp", places=places)),
        "rate": float_column(file, items, "fundingRate", "fundingRate", places=places),
    }
    return taken_funding(source_rows(file.path, NAME, key, columns, places, "item"))


def _open_interest(
    file: SourceFile, request: Request, owner: _Owner, items: _Items, places: Int1D
) -> SourceRows:
    time_ns = time_column(file, items, "timestamp", "timestamp", places=places)
    step = request.timeframe or common_step([time_ns], file.path)
    key = DatasetKey("metrics", *owner, step, request.source or NAME)
    columns = {"event_time": pa.array(time_ns)}
    for name, field in (
        ("sum_open_interest", "openInterestAmount"),
        ("sum_open_interest_value", "openInterestValue"),
    ):
        columns[name] = float_column(file, items, field, field, optional=True, places=places)
    rows = source_rows(file.path, NAME, key, columns, places, "item")
    return taken(_with_unit_finding(rows))


_Reader = Callable[[SourceFile, Request, _Owner, _Items, Int1D], SourceRows]
_READERS: Final[Mapping[str, _Reader]] = {
    "trades": _trades,
    "funding": _funding,
    "metrics": _open_interest,
}

FORMATS: Final = (
    Format(
        NAME,
        "JSON of ccxt: candles, trades, funding rates, open interest",
        (*_PRICE_KINDS, "trades", "funding", "metrics"),
        _recognises,
        _read,
        "a JSON list of candles [ms, open, high, low, close, volume] or of ccxt's dicts",
        "one data set per symbol; needs --venue, and for candles --market and --symbol",
    ),
)
