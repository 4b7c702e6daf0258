"""Bars of one venue in one market, or of both spot and perpetual of one venue."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from ...findings import RefusedFileError
from ..rows import SourceRows, taken_bars
from .layout import TidyLayout
from .naming import named_venue
from .series import TidyFile, TidySeries, without_open_period

_PRICES: Final = ("open", "high", "low", "close", "volume")
_FLOWS: Final = ("quote_volume", "trades")
_MARKETS: Final = {"spot": "spot", "perp": "um_perp"}
_COUNTS_BASE: Final = ("binance", "coinbase", "upbit")
"""Venues whose candles state the volume in base currency."""
_LAST_BAR: Final = (
    "The last bar is dropped where a series was still running: it is at most a day, or one step, "
    "older than the newest bar of the file."
)


def volume_noted(rows: SourceRows) -> SourceRows:
    """The bars with a finding where nothing says what their volume counts."""
    if rows.key.venue in _COUNTS_BASE:
        return rows
    return rows.noting(
        "unstated_unit",
        "nothing says whether volume counts base currency, quote currency or contracts at "
        f"{rows.key.venue}; "
        "kept as it is",
    )


def _columns(series: TidySeries, time: str) -> dict[str, pa.Array | pa.ChunkedArray]:
    columns: dict[str, pa.Array | pa.ChunkedArray] = {"open_time": series.table[time]}
    for name in (*_PRICES, *_FLOWS):
        if name in series.table.column_names:
            columns[name] = series.table[name]
    return columns


def _read_ohlcv(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    series = tidy.split(("symbol",), (tidy.request.symbol,))
    step, newest_ns = tidy.step(series, "open_time"), tidy.newest_ns("open_time")
    for one in series:
        key = tidy.key("ohlcv", venue, market, one.names[0], step)
        rows = taken_bars(tidy.rows(key, _columns(one, "open_time"), one.places))
        yield volume_noted(without_open_period(rows, newest_ns))


def _read_daily(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    series = tidy.split(("symbol",))
    newest_ns = tidy.newest_ns("date")
    wanted = [one for one in series if tidy.request.symbol in (None, *_spellings(one.names[0]))]
    if not wanted:
        raise RefusedFileError(
            "unreadable",
            f"{tidy.file.path}: no rows for {tidy.request.symbol}; it has "
            + ", ".join(one.names[0] for one in series),
        )
    step = tidy.step(wanted, "date")
    for one in wanted:
        key = tidy.key("ohlcv", venue, market, _spellings(one.names[0])[-1], step)
        rows = taken_bars(tidy.rows(key, _columns(one, "date"), one.places))
        yield volume_noted(without_open_period(rows, newest_ns))


def _spellings(symbol: str) -> tuple[str, ...]:
    """As the file writes it, and with the dash that Coinbase has between base and quote."""
    return (symbol, symbol.replace("/", "-"))


def _read_klines12(tidy: TidyFile) -> Iterator[SourceRows]:
    venue, market = tidy.venue(), tidy.market()
    series = tidy.split(("symbol",), (tidy.request.symbol,))
    step = tidy.step(series, "open_time")
    for one in series:
        key = tidy.key("ohlcv", venue, market, one.names[0], step)
        columns = _columns(one, "open_time")
        columns["taker_buy_volume"] = one.table["taker_buy_base"]
        columns["taker_buy_quote"] = one.table["taker_buy_quote"]
        has_close = "close_time" in one.table.column_names
        close_ns = tidy.times(one, "close_time") if has_close else None
        yield taken_bars(tidy.rows(key, columns, one.places), close_ns)


def _read_spot_and_perp(tidy: TidyFile) -> Iterator[SourceRows]:
    venue = tidy.request.venue or named_venue(tidy.file) or tidy.venue()
    if venue != "binance":
        raise RefusedFileError(
            "unstated_unit",
            f"{tidy.file.path}: market=perp does not say how a perpetual of {venue} is margined; "
            "describe the file with --mapping",
        )
    wanted = {market: name for name, market in _MARKETS.items()}.get(tidy.request.market or "")
    if tidy.request.market is not None and wanted is None:
        raise RefusedFileError(
            "unreadable",
            f"{tidy.file.path}: market={tidy.request.market!r} is not in this file; it has "
            f"{' and '.join(_MARKETS.values())}",
        )
    series = tidy.split(("symbol", "market"), (tidy.request.symbol, wanted))
    step, newest_ns = tidy.step(series, "open_time"), tidy.newest_ns("open_time")
    for one in series:
        market = tidy.looked_up("market", one.names[1], _MARKETS, one.places)
        key = tidy.key("ohlcv", venue, market, one.names[0], step)
        rows = taken_bars(tidy.rows(key, _columns(one, "open_time"), one.places))
        yield without_open_period(rows, newest_ns)


LAYOUTS: Final = (
    TidyLayout(
        name="klines12",
        title="Binance klines with every column of the archive",
        kinds=("ohlcv",),
        required=("symbol", "open_time", *_PRICES, *_FLOWS, "taker_buy_base", "taker_buy_quote"),
        optional=("close_time",),
        read=_read_klines12,
        holds=(
            "Venue and market from the file name or the options. Last bars are kept: an archive is "
            "published after its period has ended. close_time is checked, not stored."
        ),
    ),
    TidyLayout(
        name="spot_and_perp",
        title="Bars of the same coins in the spot and the perpetual market of Binance",
        kinds=("ohlcv",),
        required=("symbol", "market", "open_time", *_PRICES),
        optional=_FLOWS,
        read=_read_spot_and_perp,
        holds=f"market spot becomes spot, perp becomes um_perp. {_LAST_BAR}",
    ),
    TidyLayout(
        name="ohlcv_bars",
        title="Bars of many symbols at one venue",
        kinds=("ohlcv",),
        required=("symbol", "open_time", *_PRICES),
        optional=_FLOWS,
        read=_read_ohlcv,
        holds=(
            f"Venue and market from the file name or the options. {_LAST_BAR} Volume is base "
            "currency at "
            f"{', '.join(_COUNTS_BASE)}; elsewhere it is kept and noted as of unstated unit."
        ),
    ),
    TidyLayout(
        name="daily_bars",
        title="Daily bars named by base and quote",
        kinds=("ohlcv",),
        required=("symbol", "base", "date", *_PRICES),
        read=_read_daily,
        holds=f"BTC/USD becomes the symbol BTC-USD. Venue and market as for ohlcv_bars. {_LAST_BAR}",
    ),
)
