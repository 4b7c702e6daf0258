"""Tidy Parquet tables: one long table of several symbols, recognised by their columns."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine import DataError, Int1D, timeframe_ns

from ..keys import DatasetKey
from ..timestamps import column_ns
from .report import Request
from .rows import SourceRows, common_step, source_rows, taken_bars, taken_settlements

_Value = TypeVar("_Value")
_FUNDING_STEP: Final = "8h"
_MARKETS: Final = {"spot": "spot", "perp": "um_perp"}
_VENUES: Final = {
    "binance_um": ("binance", "um_perp"),
    "bybit_linear": ("bybit", "linear_perp"),
}
_MARKET_IN_NAME: Final = re.compile(r"_(spot|um_perp|cm_perp)_")
_PRICES: Final = ("open", "high", "low", "close", "volume", "quote_volume", "trades")
_WORD: Final = "row"


@dataclass(frozen=True, slots=True)
class TidyFormat:
    """A layout of tidy Parquet files: its columns and how its series become data sets."""

    name: str
    kind: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    read: Callable[["TidyFormat", Path, pa.Table, Request], Iterator[SourceRows]]


def read_tidy(path: Path, data: bytes, request: Request) -> Iterator[SourceRows]:
    """The series of a tidy Parquet file, checked and cleaned.

    Raises DataError when the file is damaged, of no known layout, or breaks a rule.
    """
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: not a readable Parquet file, it is truncated or damaged ({error}); "
            "download it again"
        ) from error
    layout = _recognised(path, table)
    if request.kind not in (None, layout.kind):
        raise DataError(
            f"{path}: holds {layout.kind} ({layout.name}), not kind={request.kind}; leave the kind out"
        )
    if len(table) == 0:
        raise DataError(f"{path}: the file has columns but no rows; download it again")
    return layout.read(layout, path, table, request)


def _recognised(path: Path, table: pa.Table) -> TidyFormat:
    columns = set(table.column_names)
    for layout in TIDY_FORMATS:
        if set(layout.required) <= columns <= {*layout.required, *layout.optional}:
            return layout
    nearest = max(TIDY_FORMATS, key=lambda f: len(columns & set(f.required)) / len(f.required))
    missing = [name for name in nearest.required if name not in columns]
    unknown = sorted(columns - {*nearest.required, *nearest.optional})
    if len(missing) < len(nearest.required) / 2:
        faults = [f"column {name!r} is missing" for name in missing]
        faults += [f"column {name!r} is unknown" for name in unknown]
        raise DataError(f"{path}: looks like {nearest.name}, but {', '.join(faults)}")
    raise DataError(
        f"{path}: its columns ({', '.join(table.column_names)}) are of no known layout; known are "
        + "; ".join(f"{f.name} ({', '.join(f.required)})" for f in TIDY_FORMATS)
        + "; and Binance kline CSV"
    )


def _read_klines12(
    layout: TidyFormat, path: Path, table: pa.Table, request: Request
) -> Iterator[SourceRows]:
    market = request.market
    if market is None:
        named = _MARKET_IN_NAME.search(path.name)
        if named is None:
            raise DataError(
                f"{path}: neither the file nor its name says which market these bars are from; give "
                "--market spot or --market um_perp"
            )
        market = named.group(1)
    series = _split(path, table, ("symbol",), (request.symbol,))
    step = request.timeframe or _step_of(path, series, "open_time")
    for (symbol,), places, rows in series:
        key = _key(layout, request, request.venue or "binance", market, symbol, step)
        columns = {name: rows[name] for name in ("open_time", *_PRICES)}
        columns["taker_buy_volume"] = rows["taker_buy_base"]
        columns["taker_buy_quote"] = rows["taker_buy_quote"]
        close_ns = None
        if "close_time" in rows.column_names:
            close_ns = column_ns(rows["close_time"], f"{path}, column close_time")
        bars = source_rows(path, layout.name, key, columns, places, _WORD)
        yield taken_bars(bars, close_ns, is_capture=False)


def _read_spot_and_perp(
    layout: TidyFormat, path: Path, table: pa.Table, request: Request
) -> Iterator[SourceRows]:
    wanted = {market: name for name, market in _MARKETS.items()}.get(request.market or "")
    if request.market is not None and wanted is None:
        raise DataError(
            f"{path}: market={request.market!r} is not in this file; it has {_MARKETS['spot']} and "
            f"{_MARKETS['perp']}"
        )
    series = _split(path, table, ("symbol", "market"), (request.symbol, wanted))
    step = request.timeframe or _step_of(path, series, "open_time")
    for (symbol, name), places, rows in series:
        market = _looked_up(path, "market", name, _MARKETS, int(places[0]))
        key = _key(layout, request, request.venue or "binance", market, symbol, step)
        columns = {name: rows[name] for name in ("open_time", *_PRICES)}
        bars = source_rows(path, layout.name, key, columns, places, _WORD)
        yield taken_bars(bars, None, is_capture=True)


def _read_funding(
    layout: TidyFormat, path: Path, table: pa.Table, request: Request
) -> Iterator[SourceRows]:
    step = request.timeframe or _FUNDING_STEP
    found = False
    for (symbol, name), places, rows in _split(
        path, table, ("symbol", "venue"), (request.symbol, None)
    ):
        venue, market = _looked_up(path, "venue", name, _VENUES, int(places[0]))
        if request.venue not in (None, venue) or request.market not in (None, market):
            continue
        found = True
        key = _key(layout, request, venue, market, symbol, step)
        columns = {"event_time": rows["funding_time"], "rate": rows["funding_rate"]}
        if "mark_price" in rows.column_names:
            columns["mark_price"] = rows["mark_price"]
        yield taken_settlements(source_rows(path, layout.name, key, columns, places, _WORD))
    if not found:
        raise DataError(
            f"{path}: nothing in it is from venue={request.venue} market={request.market}; it has "
            + ", ".join("/".join(pair) for pair in _VENUES.values())
        )


TIDY_FORMATS: Final = (
    TidyFormat(
        "klines12",
        "ohlcv",
        ("symbol", "open_time", *_PRICES, "taker_buy_base", "taker_buy_quote"),
        ("close_time",),
        _read_klines12,
    ),
    TidyFormat(
        "spot_and_perp",
        "ohlcv",
        ("symbol", "market", "open_time", *_PRICES),
        (),
        _read_spot_and_perp,
    ),
    TidyFormat(
        "funding_history",
        "funding",
        ("symbol", "venue", "funding_time", "funding_rate"),
        ("mark_price",),
        _read_funding,
    ),
)
"""Layouts by their columns; the name is the default source of what they hold."""


def _key(
    layout: TidyFormat, request: Request, venue: str, market: str, symbol: str, step: str
) -> DatasetKey:
    timeframe_ns(step)
    return DatasetKey(layout.kind, venue, market, symbol, step, request.source or layout.name)


def _step_of(path: Path, series: list[tuple[tuple[str, ...], Int1D, pa.Table]], column: str) -> str:
    return common_step(
        [column_ns(rows[column], f"{path}, {column}") for _, _, rows in series], path
    )


def _split(
    path: Path, table: pa.Table, names: tuple[str, ...], wanted: tuple[str | None, ...]
) -> list[tuple[tuple[str, ...], Int1D, pa.Table]]:
    """Rows of each series in file order, with their row numbers, series in alphabetical order."""
    codes = np.zeros(len(table), dtype=np.int64)
    spellings: list[list[str]] = []
    for name in names:
        column = table[name].combine_chunks()
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise DataError(f"{path}: column {name} has type {column.type}, it must be text")
        if column.null_count:
            row = int(np.flatnonzero(np.asarray(column.is_null()))[0])
            raise DataError(f"{path} row {row}: {name} is empty; every row needs one")
        encoded = column.dictionary_encode()
        values = encoded.dictionary.to_pylist()
        codes = codes * len(values) + np.asarray(encoded.indices)
        spellings.append(values)
    found = []
    for code in np.unique(codes):
        rest, identity = int(code), []
        for values in reversed(spellings):
            rest, position = divmod(rest, len(values))
            identity.append(values[position])
        identity.reverse()
        if all(want in (None, have) for want, have in zip(wanted, identity, strict=True)):
            places = np.flatnonzero(codes == code)
            found.append((tuple(identity), places, table.take(pa.array(places))))
    if not found:
        have = ", ".join(sorted(set(spellings[0])))
        raise DataError(f"{path}: no rows for {'/'.join(w or '*' for w in wanted)}; it has {have}")
    return sorted(found, key=lambda item: item[0])


def _looked_up(path: Path, column: str, name: str, known: Mapping[str, _Value], row: int) -> _Value:
    if name not in known:
        raise DataError(
            f"{path} row {row}: {column}={name!r} is unknown; it must be one of {', '.join(known)}"
        )
    return known[name]
