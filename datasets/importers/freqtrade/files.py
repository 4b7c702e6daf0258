"""freqtrade's data folder: candles, mark prices, funding rates and trades, as Feather or JSON.

The name of a file says the pair, the step and what it holds: ``XRP_ETH-5m``,
``BTC_USDT_USDT-1h-futures``, ``-8h-mark``, ``-8h-funding_rate``, ``XRP_ETH-trades``; the venue is
said by freqtrade's folder ``user_data/data/<exchange>`` or by the caller. Candles are ``[ms, open,
high, low, close, volume]``, trades ``[ms, id, type, side, price, amount, cost]``; ``side`` is the
taker's. Funding files keep the rate in ``open`` (later versions in ``funding_rate``) and are called
``8h`` whatever the interval is.

freqtrade drops the last candle of every download (``drop_incomplete`` in
``freqtrade/data/converter/converter.py``), and trades are complete when they are recorded, so the
last row counts as complete. ``UNITTEST`` is the made-up coin of freqtrade's own tests: such a file
is imported only under a symbol that the caller gives.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP, KINDS
from ..format import Format
from ..reading.csv_table import csv_table
from ..reading.feather_file import feather_columns, feather_table
from ..reading.json_columns import (
    first_item,
    json_list,
)
from ..reading.pairs import Pair, store_venue
from ..reading.source_file import SourceFile
from ..reading.stated import stated
from ..report import Request
from ..rows import SourceRows, common_step, source_rows, taken_bars
from ..rows.funding import taken_funding
from ..rows.trades import TradeColumns, check_base_unit, taken_trades
from ..rows.units import noting_volume
from .columns import (
    CANDLES,
    LAYOUTS,
    TRADES,
    Candles,
    candles_of_json,
    candles_of_table,
    trades_of_json,
    trades_of_table,
)

NAME: Final = "freqtrade"
_FILE_NAME: Final = re.compile(
    r"(?P<pair>[A-Za-z0-9]+(?:_[A-Za-z0-9]+){1,2})-"
    r"(?:(?P<step>[0-9]+[mhdw])(?:-(?P<type>[A-Za-z_]+))?|trades)\.(?:feather|json)"
)
_KINDS: Final = {
    None: "ohlcv",
    "futures": "ohlcv",
    "mark": "mark_price",
    "index": "index_price",
    "premiumIndex": "premium_index",
    "funding_rate": "funding",
}
_CSV_HEADER: Final = ("", *TRADES, "date")
_CSV_TYPES: Final = {
    "timestamp": pa.int64(),
    "price": pa.float64(),
    "amount": pa.float64(),
    "cost": pa.float64(),
}
_PLACEHOLDER: Final = "UNITTEST"


@dataclass(frozen=True, slots=True)
class _Name:
    """What the name of a file says; ``step`` is None for trades."""

    pair: Pair
    kind: str
    step: str | None


def _name(file: SourceFile) -> _Name | None:
    match = _FILE_NAME.fullmatch(file.name)
    if match is None:
        return None
    pair = Pair(*match["pair"].split("_"))
    if match["step"] is None:
        return _Name(pair, "trades", None)
    kind = _KINDS.get(match["type"])
    return None if kind is None else _Name(pair, kind, match["step"])


def _stated_by_name(file: SourceFile) -> dict[str, str | None]:
    named = _name(file)
    if named is None:
        return {"venue": _venue_of_folder(file)}
    pair = named.pair
    return {
        "venue": _venue_of_folder(file),
        "market": None if pair.settle else "spot",
        "symbol": None if pair.base == _PLACEHOLDER else f"{pair.base}{pair.quote}",
        # Funding is called 8h whatever its interval is.
        "timeframe": None if named.kind == "funding" else named.step,
    }


def _recognises(file: SourceFile) -> bool:
    columns = feather_columns(file)
    if columns:
        return columns in LAYOUTS
    item = first_item(file)
    if isinstance(item, list):
        named = _name(file)
        if len(item) == len(CANDLES):
            return named is not None and named.kind != "trades"
        return len(item) == len(TRADES) and item[3] in ("buy", "sell")
    return file.head[:1] == (",".join(_CSV_HEADER),)


def _read(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    columns = feather_columns(file)
    if columns in LAYOUTS:
        table = feather_table(file)
        if columns == TRADES:
            places = np.arange(len(table), dtype=np.int64)
            yield _trades(file, request, *trades_of_table(file, table, "row", places))
        else:
            yield _candles(file, request, candles_of_table(file, table))
    elif first_item(file) is not None:
        items = json_list(file)
        if isinstance(items[0], list) and len(items[0]) == len(TRADES):
            yield _trades(file, request, *trades_of_json(file, items))
        else:
            yield _candles(file, request, candles_of_json(file, items))
    elif file.head[:1] == (",".join(_CSV_HEADER),):
        table, places = csv_table(
            file, _CSV_HEADER, _CSV_TYPES, skip_lines=1, optional=("id", "type", "cost", "")
        )
        yield _trades(file, request, *trades_of_table(file, table, "line", places))
    else:
        raise RefusedFileError(
            "unreadable",
            f"{file.path}: is neither Feather nor JSON nor CSV as freqtrade writes it; download "
            "it again",
        )


def _candles(file: SourceFile, request: Request, candles: Candles) -> SourceRows:
    named = _name(file)
    kind = stated(file, "kind", named.kind if named else None, request.kind)
    if kind not in _KINDS.values() or request.kind not in (None, kind):
        raise RefusedFileError(
            "contradiction",
            f"{file.path}: holds candles named {kind}, not {request.kind or kind}; leave the kind "
            "out",
        )
    step = request.timeframe or (named and named.step) or common_step([candles.time_ns], file.path)
    if kind == "funding":
        step = request.timeframe or KINDS["funding"].native_step
    key = _key(file, request, kind, step)
    columns = {KINDS[kind].time_column: pa.array(candles.time_ns)}
    if kind == "funding":
        _check_rates(file, candles)
        columns["rate"] = candles.column(candles.rate)
    else:
        wanted = CANDLES[1:] if kind == "ohlcv" else CANDLES[1:-1]
        columns |= {name: candles.column(name) for name in wanted}
    if kind == "ohlcv" and request.kind is None:
        _check_traded(file, columns)
    rows = source_rows(file.path, NAME, key, columns, candles.places, candles.word)
    rows = _with_venue_finding(file, request, rows)
    return taken_funding(rows) if kind == "funding" else noting_volume(taken_bars(rows))


def _check_traded(file: SourceFile, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
    """Prices that move although nobody ever trades are mark or index prices under a wrong name."""
    volume, close = (
        np.asarray(columns[name].cast(pa.float64()).fill_null(np.nan))
        for name in ("volume", "close")
    )
    if not (volume > 0.0).any() and (close != close[0]).any():
        raise RefusedFileError(
            "contradiction",
            f"{file.path}: prices move and every volume is zero: these may be mark or index prices under "
            "a wrong name; give --as ohlcv where they are candles of trades",
        )


def _check_rates(file: SourceFile, candles: Candles) -> None:
    """A funding file has nothing but the rate; prices beside it mean that its name is wrong."""
    if candles.rate != "open":
        return
    for name in ("high", "low", "close"):
        values = np.asarray(candles.column(name).cast(pa.float64()).fill_null(0.0))
        filled = ~((values == 0.0) | np.isnan(values))
        if filled.any():
            row = int(np.argmax(filled))
            raise RefusedFileError(
                "contradiction",
                f"{file.path} {candles.word} {candles.places[row]}: {name}={values[row]:g}; a "
                "funding file "
                "holds the rate in open and nothing beside it: these are candles under a wrong "
                "name",
            )


def _trades(file: SourceFile, request: Request, trades: TradeColumns, cost: pa.Array) -> SourceRows:
    if request.kind not in (None, "trades"):
        raise RefusedFileError(
            "contradiction", f"{file.path}: holds trades, not {request.kind}; leave the kind out"
        )
    key = _key(file, request, "trades", EVENT_STEP)
    check_base_unit(file, trades, cost)
    return _with_venue_finding(file, request, taken_trades(file, NAME, key, trades))


def _key(file: SourceFile, request: Request, kind: str, step: str) -> DatasetKey:
    named = _name(file)
    venue = stated(file, "venue", request.venue, _venue_of_folder(file))
    if named is not None and named.pair.base == _PLACEHOLDER and request.symbol is None:
        raise RefusedFileError(
            "missing_value",
            f"{file.path}: {_PLACEHOLDER} is freqtrade's placeholder, not a coin; say which "
            "symbol this is with --symbol",
        )
    market = stated(
        file, "market", request.market, named.pair.market(venue) if named else None, venue=venue
    )
    symbol = request.symbol
    if symbol is None:
        spelling = named.pair.symbol(venue, file.path) if named else None
        symbol = stated(file, "symbol", None, spelling)
    return DatasetKey(kind, venue, market, symbol, step, request.source or NAME)


def _venue_of_folder(file: SourceFile) -> str | None:
    """The exchange in ``user_data/data/<exchange>/`` or ``user_data/data/<exchange>/futures/``."""
    folders = [part for part in file.path.parts[:-1] if part != "futures"]
    if folders[-3:-1] == ["user_data", "data"]:
        return store_venue(folders[-1])
    return None


def _with_venue_finding(file: SourceFile, request: Request, rows: SourceRows) -> SourceRows:
    if _venue_of_folder(file) is not None:
        return rows
    return rows.noting(
        "unstated_venue", f"the file does not say its venue; the caller said {rows.key.venue}"
    )


FORMATS: Final = (
    Format(
        NAME,
        "freqtrade candles, mark prices, funding rates and trades",
        ("ohlcv", "mark_price", "index_price", "premium_index", "funding", "trades"),
        _recognises,
        _read,
        "Feather or JSON with freqtrade's columns; candles in JSON also by a name such as "
        "BTC_USDT_USDT-1h-futures.json",
        "candles, funding and trades of the pair in the name; needs --venue outside "
        "user_data/data/<exchange>/",
        _stated_by_name,
    ),
)
