"""WebSocket messages of Binance that somebody wrote down as CSV, without a header."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import Bool1D, Int1D

from ...findings import RefusedFileError
from ...kinds import AVAILABLE_AT, EVENT_STEP
from ..format import Format
from ..reading.source_file import SourceFile
from ..report import Request
from ..rows import SourceRows, source_rows, taken
from .layout import FLAG_CELL, NUMBER, NUMBER_CELL, STAMP_CELL, TEXT, WHOLE, WHOLE_CELL, Layout
from .liquidations import ORDER_COLUMNS, filled_orders, without_unfilled
from .names import LINEAR_QUOTES, archive_key, check_venue, refuse_coin_margined
from .stamps import stamps_ns
from .symbols import by_symbol

_SOURCE: Final = "binance_capture"
_FORCE_ORDERS: Final = "binance_force_orders"
_TRADES: Final = "binance_captured_trades"
_SYMBOL_CELL: Final = r"[^\W_]+(?:_[^\W_]+)?"
_WITH_QUOTE: Final = rf"^[^_]*({'|'.join(LINEAR_QUOTES)})(_|$)|USD_"
_NOTIONAL_TOLERANCE: Final = 0.01
"""The last column may be at another price of the same fill; millions for units are no rounding."""
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_FORCE_ORDERS_LAYOUT: Final = Layout(
    columns={"symbol": TEXT, **ORDER_COLUMNS, "trade_time": WHOLE, "notional": NUMBER},
    empty=("average_price",),
    first_line=(
        _SYMBOL_CELL, "BUY|SELL", "[A-Z_]+", "[A-Z]+", NUMBER_CELL, NUMBER_CELL,
        f"None|{NUMBER_CELL}", "[A-Z_]+", NUMBER_CELL, NUMBER_CELL, STAMP_CELL, NUMBER_CELL,
    ),
    headed=False,
)  # fmt: skip
_TRADES_LAYOUT: Final = Layout(
    columns={
        "event_time": WHOLE,
        "symbol": TEXT,
        "trade_id": WHOLE,
        "price": NUMBER,
        "quantity": NUMBER,
        "trade_time": TEXT,
        "is_buyer_maker": TEXT,
    },
    first_line=(
        STAMP_CELL, _SYMBOL_CELL, WHOLE_CELL, NUMBER_CELL, NUMBER_CELL, f"{STAMP_CELL}|{_CLOCK}",
        FLAG_CELL,
    ),
    headed=False,
)  # fmt: skip


def _read_force_orders(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _FORCE_ORDERS_LAYOUT.read(file)
    check_venue(file, request)
    (time_ns,) = stamps_ns(file, table, places, "trade_time")
    bare = ~np.asarray(pc.match_substring_regex(table["symbol"], _WITH_QUOTE))
    completed = pc.replace_substring_regex(table["symbol"], "^([^_]+)", r"\1USDT")
    whole = pc.if_else(pa.array(bare), completed, table["symbol"])
    for symbol, chosen in by_symbol(file, whole, request):
        part = table.take(pa.array(chosen))
        rows = _liquidations(file, request, symbol, part, time_ns[chosen], places[chosen])
        if bare[chosen].any():
            rows = rows.noting(
                "mixed_symbol_spelling",
                f"{int(bare[chosen].sum())} rows name the symbol without a quote currency; such a symbol "
                f"is taken for the USDT contract, {symbol}, and others stay as they are",
                int(bare[chosen].sum()),
            )
        yield taken(rows)


def _liquidations(
    file: SourceFile, request: Request, symbol: str, table: pa.Table, time_ns: Int1D, places: Int1D
) -> SourceRows:
    key = archive_key(
        file, request, "liquidations",
        symbol=symbol, step=EVENT_STEP, source=_SOURCE, only_futures=True,
    )  # fmt: skip
    refuse_coin_margined(file, key, "quantity")
    columns = filled_orders(table, "trade_time", time_ns)
    rows = source_rows(file.path, _FORCE_ORDERS, key, columns, places, "line")
    rows = rows.found(
        "missing_value",
        "kept",
        np.asarray(pc.fill_null(table["average_price"], 0.0)) == 0.0,
        "the average price is not stated; the price is that of the order",
    )
    notional = np.asarray(columns["notional"])
    unlike = np.abs(np.asarray(table["notional"]) - notional) > _NOTIONAL_TOLERANCE * notional
    rows = rows.found(
        "contradiction",
        "kept",
        unlike,
        "the stated notional is not price times quantity, the product is taken",
    )
    return without_unfilled(rows)


def _read_trades(file: SourceFile, request: Request) -> Iterator[SourceRows]:
    table, places = _TRADES_LAYOUT.read(file)
    check_venue(file, request)
    (sent_ns,) = stamps_ns(file, table, places, "event_time")
    traded_ns, is_clock = _trade_times(file, table, places)
    is_maker = _flags(file, table, places)
    symbols = pc.utf8_trim_whitespace(table["symbol"])
    for symbol, chosen in by_symbol(file, symbols, request):
        key = archive_key(file, request, "trades", symbol=symbol, step=EVENT_STEP, source=_SOURCE)
        part = table.take(pa.array(chosen))
        clock = is_clock[chosen]
        time_ns, seen_ns, borrowed = _one_time_per_trade(
            np.asarray(part["trade_id"]), traded_ns[chosen], sent_ns[chosen], clock
        )
        columns = {
            "event_time": pa.array(time_ns),
            AVAILABLE_AT: pa.array(np.maximum(seen_ns, time_ns)),
            "trade_id": part["trade_id"],
            "price": part["price"],
            "quantity": part["quantity"],
            "is_buyer_maker": pa.array(is_maker[chosen]),
        }
        rows = source_rows(file.path, _TRADES, key, columns, places[chosen], "line")
        yield taken(_with_clock_findings(rows, clock, borrowed))


def _with_clock_findings(rows: SourceRows, clock: Bool1D, borrowed: Bool1D) -> SourceRows:
    if clock.any() and not clock.all():
        rows = rows.noting(
            "mixed_time_format",
            f"the trade time is a stamp in {int((~clock).sum())} rows and the time of day of some local "
            f"clock in {int(clock.sum())}",
            int(clock.sum()),
        )
    rows = rows.found(
        "missing_time",
        "moved",
        borrowed,
        "no trade time but a local clock; the stamp of another line of the same trade is taken",
    )
    return rows.found(
        "missing_time",
        "moved",
        clock & ~borrowed,
        "no trade time but a local clock; the moment at which the exchange sent the message stands for "
        "it, which is some milliseconds later",
    )


def _one_time_per_trade(
    ids: Int1D, traded_ns: Int1D, sent_ns: Int1D, clock: Bool1D
) -> tuple[Int1D, Int1D, Bool1D]:
    """Time of each trade, when it was first sent, and whether another line of it gave the time."""
    _, trade = np.unique(ids, return_inverse=True)
    first_sent = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(first_sent, trade, sent_ns)
    stated = np.full(len(ids), -1)
    stated[trade[~clock]] = traded_ns[~clock]
    borrowed = clock & (stated[trade] >= 0)
    time_ns = np.where(clock, np.where(borrowed, stated[trade], first_sent[trade]), traded_ns)
    return time_ns, first_sent[trade], borrowed


def _trade_times(file: SourceFile, table: pa.Table, places: Int1D) -> tuple[Int1D, Bool1D]:
    """Trade times in ns, 0 where the cell is a clock, and where that is so."""
    texts = pc.utf8_trim_whitespace(table["trade_time"])
    clock = np.asarray(pc.match_substring_regex(texts, f"^{_CLOCK}$"))
    stamped = np.asarray(pc.match_substring_regex(texts, "^[0-9]{12,17}$"))
    _refuse(file, places, ~(clock | stamped), texts, "trade_time", "neither a stamp nor HH:MM:SS")
    time_ns = np.zeros(len(table), dtype=np.int64)
    if stamped.any():
        stamps = pa.table({"trade_time": texts.filter(pa.array(stamped)).cast(pa.int64())})
        (time_ns[stamped],) = stamps_ns(file, stamps, places[stamped], "trade_time")
    return time_ns, clock


def _flags(file: SourceFile, table: pa.Table, places: Int1D) -> Bool1D:
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(table["is_buyer_maker"]))
    is_maker = np.asarray(pc.equal(texts, "true"))
    wrong = ~is_maker & ~np.asarray(pc.equal(texts, "false"))
    _refuse(file, places, wrong, texts, "is_buyer_maker", "neither true nor false")
    return is_maker


def _refuse(
    file: SourceFile, places: Int1D, wrong: Bool1D, texts: pa.ChunkedArray, name: str, rule: str
) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise RefusedFileError(
            "unreadable",
            f"{file.path} line {places[row]}: {name}={texts[row].as_py()[:60]!r} is {rule}",
        )


FORMATS: Final = (
    Format(
        name=_FORCE_ORDERS,
        title="Binance forceOrder stream as CSV",
        kinds=("liquidations",),
        recognises=_FORCE_ORDERS_LAYOUT.recognises,
        read=_read_force_orders,
        hint="no header; symbol, BUY or SELL, order type, ... stamp, notional; venue as for REST answers",
        holds=f"liquidation orders (source {_SOURCE}); FLUX is read as FLUXUSDT, ETHUSDC as it is",
    ),
    Format(
        name=_TRADES,
        title="Binance aggregated trade stream as CSV",
        kinds=("trades",),
        recognises=_TRADES_LAYOUT.recognises,
        read=_read_trades,
        hint="no header; event stamp, symbol, id, price, quantity, trade stamp, true or false; venue as "
        "for REST answers, market from --market",
        holds=f"trades (source {_SOURCE}), known when the exchange sent them; a trade time that is the "
        "text of a clock is replaced and named",
    ),
)
