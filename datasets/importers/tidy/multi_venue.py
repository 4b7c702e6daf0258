"""Tables of one coin on several venues: bars, funding and open interest of perpetuals."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from ...findings import RefusedFileError
from ..rows import SourceRows, taken, taken_bars
from ..rows.funding import taken_funding
from .funding import settlement_step
from .layout import TidyLayout
from .series import TidyFile, TidySeries, without_open_period

MARKETS: Final = {
    "binance": "um_perp",
    "bybit": "linear_perp",
    "dydx": "linear_perp",
    "hyperliquid": "linear_perp",
    "kraken": "linear_perp",
    "lighter": "linear_perp",
    "okx": "linear_perp",
}
"""The market of a coin's perpetual in dollars at each venue."""
_SYMBOL: Final = "The symbol is the coin as the file writes it, not the venue's own."


def _wanted(tidy: TidyFile) -> Iterator[tuple[str, str, TidySeries]]:
    request = tidy.request
    found = False
    for one in tidy.split(("venue", "coin"), (request.venue, request.symbol)):
        venue = one.names[0]
        market = tidy.looked_up("venue", venue, MARKETS, one.places)
        if request.market in (None, market):
            found = True
            yield venue, market, one
    if not found:
        raise RefusedFileError(
            "unreadable",
            f"{tidy.file.path}: nothing in it is of market={request.market}; it has "
            + ", ".join(f"{venue}/{market}" for venue, market in MARKETS.items()),
        )


def _read_bars(tidy: TidyFile) -> Iterator[SourceRows]:
    step = tidy.step(tidy.split(("venue", "coin")), "open_time")
    newest_ns = tidy.newest_ns("open_time")
    for venue, market, one in _wanted(tidy):
        key = tidy.key("ohlcv", venue, market, one.names[1], step)
        names = ("open_time", "open", "high", "low", "close", "volume")
        rows = tidy.rows(key, {name: one.table[name] for name in names}, one.places)
        rows = without_open_period(taken_bars(rows), newest_ns)
        yield rows.noting(
            "incomparable_unit",
            f"volume is in units of {venue}, coins or contracts, and cannot be compared with "
            "other venues",
        )


def _read_funding(tidy: TidyFile) -> Iterator[SourceRows]:
    for venue, market, one in _wanted(tidy):
        key = tidy.key("funding", venue, market, one.names[1], settlement_step(tidy, one))
        columns = {"event_time": one.table["funding_time"], "rate": one.table["funding_rate"]}
        yield taken_funding(tidy.rows(key, columns, one.places))


def _read_open_interest(tidy: TidyFile) -> Iterator[SourceRows]:
    step = tidy.step(tidy.split(("venue", "coin")), "time")
    for venue, market, one in _wanted(tidy):
        key = tidy.key("metrics", venue, market, one.names[1], step)
        columns = {"event_time": one.table["time"], "sum_open_interest_value": one.table["oi_usd"]}
        rows = taken(tidy.rows(key, columns, one.places))
        if len(np.unique(rows.time_ns())) == 1:
            rows = rows.noting("single_snapshot", "one moment only, this is no history")
        yield rows


LAYOUTS: Final = (
    TidyLayout(
        name="multi_venue_bars",
        title="Bars of the same coin on several venues",
        kinds=("ohlcv",),
        required=("venue", "coin", "open_time", "open", "high", "low", "close", "volume"),
        read=_read_bars,
        holds=(
            "One data set per venue and coin, in the market um_perp at Binance and linear_perp "
            "elsewhere. "
            f"{_SYMBOL} Volume is kept in each venue's own unit. Last bars as for ohlcv_bars."
        ),
    ),
    TidyLayout(
        name="multi_venue_funding",
        title="Funding of the same coin on several venues",
        kinds=("funding",),
        required=("venue", "coin", "funding_time", "funding_rate"),
        read=_read_funding,
        holds=(
            "A fraction per interval of the venue; the step of a data set is the distance that "
            "most of its "
            f"settlements have. {_SYMBOL} Stamps up to a second late move to their hour."
        ),
    ),
    TidyLayout(
        name="multi_venue_open_interest",
        title="Open interest of the same coin on several venues",
        kinds=("metrics",),
        required=("venue", "coin", "time", "oi_usd"),
        read=_read_open_interest,
        holds=f"oi_usd becomes sum_open_interest_value, in USD. {_SYMBOL}",
    ),
)
