"""Liquidations: orders of an exchange's stream, on-chain calls, and sums per day."""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, DataError, Int1D

from ...findings import Finding, RefusedFileError
from ...kinds import EVENT_STEP
from ..rows import SourceRows, taken
from ..rows.trades import order_within_time
from .layout import TidyLayout
from .naming import FUTURES
from .series import (
    TidyFile,
    TidySeries,
    adding,
    noting_empty,
    taken_periods,
    without_open_period,
)

_ORDER_COLUMNS: Final = (
    "coin", "side", "order_type", "time_in_force", "orig_qty", "price", "avg_price", "status",
    "last_filled_qty", "filled_accumulated_qty", "trade_time", "usd_notional", "capture",
)  # fmt: skip
_COIN: Final = re.compile(r"(?P<base>[A-Z0-9]+)(?P<expiry>_[0-9]{6})?")
_QUOTES: Final = ("USDT", "USDC", "BUSD")
_SIDES: Final = {"BUY": "buy", "SELL": "sell"}
_ROUNDING: Final = 1e-6


def _read_orders(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    unreadable: list[Finding] = []
    groups: dict[tuple[str, str], list[TidySeries]] = {}
    for one in tidy.split(("coin",)):
        name = _contract(one.names[0], market)
        if name is None:
            unreadable.append(_no_symbol(one))
        elif tidy.request.symbol in (None, name[1]):
            groups.setdefault(name, []).append(one)
    if not groups:
        raise RefusedFileError(
            "unreadable", f"{tidy.file.path}: no rows for symbol={tidy.request.symbol}"
        )
    for (contract_market, symbol), parts in sorted(groups.items()):
        one = _joined(parts)
        key = tidy.key("liquidations", venue, contract_market, symbol, EVENT_STEP)
        rows = _orders(tidy, one, key.kind, (venue, contract_market, symbol))
        if one.names[0] != symbol:
            rows = rows.noting(
                "mixed_symbol_spelling",
                f"the file writes {', '.join(sorted({p.names[0] for p in parts}))}",
            )
        yield adding(rows, unreadable)
        unreadable = []


def _contract(coin: str, market: str) -> tuple[str, str] | None:
    """Market and symbol of a coin: ``BTC`` is BTCUSDT, ``BTC_250627`` its future; None for none."""
    match = _COIN.fullmatch(coin)
    if match is None:
        return None
    base, expiry = match["base"], match["expiry"] or ""
    complete = market == "cm_perp" or any(
        base.endswith(quote) and base != quote for quote in _QUOTES
    )
    symbol = base if complete else f"{base}USDT"
    return (FUTURES.get(market, market) if expiry else market), symbol + expiry


def _no_symbol(one: TidySeries) -> Finding:
    return Finding(
        defect="mixed_symbol_spelling",
        action="dropped",
        subject=one.names[0],
        count=len(one.places),
        message=f"{len(one.places)} rows dropped: coin={one.names[0]!r} is no symbol",
        lines=tuple(f"row {place}" for place in one.places[:10]),
    )


def _joined(parts: list[TidySeries]) -> TidySeries:
    places = np.concatenate([part.places for part in parts])
    order = np.argsort(places)
    table = pa.concat_tables([part.table for part in parts]).take(pa.array(order))
    return TidySeries(parts[0].names, places[order], table)


def _orders(tidy: TidyFile, one: TidySeries, kind: str, name: tuple[str, str, str]) -> SourceRows:
    time_ns = tidy.times(one, "trade_time")
    price, quantity = tidy.floats(one, "price"), tidy.floats(one, "orig_qty")
    notional = tidy.floats(one, "usd_notional")
    copies = _repeats(one.table, [c for c in one.table.column_names if c != "capture"])
    # The recorder worked the notional out itself, in dollars or, at times, in millions of them.
    other_unit = ~(np.abs(notional - price * quantity) <= _ROUNDING * np.abs(notional))
    content = [c for c in one.table.column_names if c not in ("capture", "usd_notional")]
    restated = _repeats(one.table, content, last=other_unit) & ~copies
    keep = np.flatnonzero(~(copies | restated))
    order = keep[np.argsort(time_ns[keep], kind="stable")]
    sequence = np.zeros(len(time_ns), dtype=np.int64)
    sequence[order] = order_within_time(time_ns[order])
    columns = {
        "event_time": pa.array(time_ns),
        "sequence": pa.array(sequence),
        "side": _sides(tidy, one),
        "price": pa.array(price),
        "quantity": pa.array(quantity),
        "notional": pa.array(np.where(other_unit, np.nan, notional)),
    }
    rows = tidy.rows(tidy.key(kind, *name, EVENT_STEP), columns, one.places)
    rows = noting_empty(rows, {"avg_price": np.isnan(tidy.floats(one, "avg_price"))})
    rows = rows.found("duplicate", "dropped", copies, "recorded by several captures")
    late = np.zeros(len(time_ns), dtype=np.bool_)
    late[1:] = np.diff(time_ns) < 0
    rows = rows.found("unsorted", "moved", late, "captures stand behind each other, sorted by time")
    rows = rows.found(
        "incomparable_unit",
        "dropped",
        other_unit & restated,
        "usd_notional is not price times quantity, and the order stands again with one that is",
    )
    rows = rows.found(
        "incomparable_unit",
        "kept",
        other_unit & ~restated & ~copies,
        "usd_notional is not price times quantity and is left empty",
    )
    return taken(rows.taking(order)).noting(
        "sampled",
        "captures of minutes from a stream that sends at most one order per symbol and second",
    )


def _repeats(table: pa.Table, names: list[str], last: Bool1D | None = None) -> Bool1D:
    """True for rows whose cells in ``names`` equal those of another: of equals the first stays.

    Rows marked in ``last`` count as later than all others.
    """
    codes = np.zeros(len(table), dtype=np.int64)
    for name in names:
        encoded = table[name].combine_chunks().dictionary_encode(null_encoding="encode")
        values = codes * (len(encoded.dictionary) + 1) + np.asarray(encoded.indices)
        codes = np.unique(values, return_inverse=True)[1].astype(np.int64)
    place = np.arange(len(codes)) if last is None else np.lexsort((np.arange(len(codes)), last))
    repeated = np.ones(len(codes), dtype=np.bool_)
    repeated[place[np.unique(codes[place], return_index=True)[1]]] = False
    return repeated


def _sides(tidy: TidyFile, one: TidySeries) -> pa.Array:
    words = tidy.texts("side", one.table).to_pylist()
    return pa.array(
        [
            tidy.looked_up("side", word, _SIDES, one.places[row : row + 1])
            for row, word in enumerate(words)
        ],
        pa.string(),
    )


def _read_calls(tidy: TidyFile) -> Iterator[SourceRows]:
    venue = tidy.request.venue or "aave"
    names = ("aave_version", "collateral_asset_symbol")
    for one in tidy.split(names, (None, tidy.request.symbol)):
        version, symbol = one.names
        if symbol != "WBTC":
            raise RefusedFileError(
                "contradiction",
                f"{tidy.file.path} row {one.places[0]}: collateral_asset_symbol={symbol!r}, but "
                "the amounts are collateral_amount_wbtc",
            )
        key = tidy.key("liquidations", f"{venue}_{version.lower()}", "lending", symbol, EVENT_STEP)
        time_ns = tidy.times(one, "time")
        quantity = tidy.floats(one, "collateral_amount_wbtc")
        usd = tidy.floats(one, "collateral_amount_usd")
        order = np.argsort(time_ns, kind="stable")
        sequence: Int1D = np.zeros(len(time_ns), dtype=np.int64)
        sequence[order] = order_within_time(time_ns[order])
        price = np.divide(usd, quantity, out=np.full(len(usd), np.nan), where=quantity > 0)
        columns = {
            "event_time": pa.array(time_ns),
            "sequence": pa.array(sequence),
            "side": pa.array(["sell"] * len(time_ns)),
            "price": pa.array(price),
            "quantity": pa.array(quantity),
            "notional": pa.array(usd),
        }
        rows = taken(tidy.rows(key, columns, one.places))
        ties = len(time_ns) - len(np.unique(time_ns))
        if ties:
            rows = rows.noting(
                "tied_times",
                "several calls of one block share its time; sequence is their order",
                ties,
            )
        yield rows.noting("derived_value", "price is the USD amount divided by the WBTC amount")


def _read_sums(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    newest_ns = tidy.newest_ns("time")
    for one in tidy.split(("coin",), (tidy.request.symbol,)):
        key = tidy.key("liquidation_volume", venue, market, one.names[0], "1d")
        long_usd, short_usd = tidy.floats(one, "long_usd"), tidy.floats(one, "short_usd")
        columns = {
            "event_time": one.table["time"],
            "long_usd": pa.array(long_usd),
            "short_usd": pa.array(short_usd),
            "liquidations": _whole(tidy, one, "liq_count"),
        }
        total = tidy.floats(one, "total_usd")
        rows = tidy.rows(key, columns, one.places).found(
            "derived_value",
            "kept",
            np.abs(total - long_usd - short_usd) > _ROUNDING * np.abs(total),
            "total_usd is not long_usd + short_usd; it is not stored",
        )
        yield without_open_period(taken_periods(rows), newest_ns)


def _whole(tidy: TidyFile, one: TidySeries, name: str) -> pa.ChunkedArray:
    values = one.table[name]
    if not pa.types.is_integer(values.type):
        raise DataError(f"{tidy.file.path}: column {name} has type {values.type}; it must count")
    return pc.cast(values, pa.int64())


LAYOUTS: Final = (
    TidyLayout(
        name="liquidation_orders",
        title="Liquidation orders recorded from Binance's forceOrder stream",
        kinds=("liquidations",),
        required=_ORDER_COLUMNS,
        read=_read_orders,
        holds=(
            "A coin without a quote currency is its contract in USDT (BTC is BTCUSDT, BTC_250627 "
            "the future BTCUSDT_250627). orig_qty is the quantity. Orders that several captures "
            "recorded stand once; a notional in another unit than dollars is left empty. Rows "
            "whose coin is no symbol are dropped."
        ),
    ),
    TidyLayout(
        name="aave_liquidations",
        title="Liquidation calls of Aave with WBTC as collateral",
        kinds=("liquidations",),
        required=(
            "time", "block_number", "aave_version", "market_name", "collateral_asset_symbol",
            "collateral_amount_wbtc", "collateral_amount_usd",
        ),
        read=_read_calls,
        holds=(
            "One data set per version, venue aave_v2 or aave_v3, market lending. Seized collateral "
            "is sold: side is sell; price is the USD amount divided by the coins; sequence is the "
            "order within the block."
        ),
    ),
    TidyLayout(
        name="liquidation_sums",
        title="Liquidated notional per day",
        kinds=("liquidation_volume",),
        required=("coin", "time", "total_usd", "long_usd", "short_usd", "liq_count"),
        read=_read_sums,
        holds=(
            "long_usd and short_usd are kept, total_usd is not. Venue and market from the file "
            "name or the options. Last days as for ohlcv_bars; days without data stay absent."
        ),
    ),
)  # fmt: skip
