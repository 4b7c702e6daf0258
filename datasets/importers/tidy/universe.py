"""Lists of coins on a date."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from engine import Bool1D

from ...kinds import EVENT_STEP
from ..rows import SourceRows, taken
from .layout import TidyLayout
from .series import TidyFile, noting_vendor

_MARKET: Final = "coins"
LISTING: Final = "all"
"""The symbol of a data set that lists coins: every coin that the vendor's list has."""


def _read_caps(tidy: TidyFile) -> Iterator[SourceRows]:
    key = tidy.key("universe", tidy.vendor(), _MARKET, tidy.request.symbol or LISTING, EVENT_STEP)
    # The file has one coin after the other, the data set one day after the other.
    series = tidy.split(("symbol",))
    places = np.concatenate([one.places for one in series])
    by_day = np.argsort(np.concatenate([tidy.times(one, "date") for one in series]), kind="stable")
    table = pa.concat_tables([one.table for one in series]).take(pa.array(by_day))
    columns = {
        "event_time": table["date"],
        "asset": table["symbol"],
        "symbol": table["symbol"],
        "market_cap_usd": table["market_cap"],
    }
    rows = taken(tidy.rows(key, columns, places[by_day]))
    yield noting_vendor(
        rows.noting(
            "derived_value",
            "market caps alone, without price or supply: a source that computes them",
        )
    )


def _read_snapshots(tidy: TidyFile) -> Iterator[SourceRows]:
    key = tidy.key("universe", tidy.vendor(), _MARKET, tidy.request.symbol or LISTING, EVENT_STEP)
    columns = {
        "event_time": tidy.table["snapshot_date"],
        "asset": tidy.texts("name"),
        "symbol": tidy.texts("symbol"),
    }
    names = ("rank", "market_cap_usd", "price_usd", "circulating_supply", "volume_24h_usd")
    columns |= {name: tidy.table[name] for name in names}
    places = np.arange(len(tidy.table), dtype=np.int64)
    yield noting_vendor(symbols_noted(taken(tidy.rows(key, columns, places))))


def symbols_noted(rows: SourceRows) -> SourceRows:
    """A list of coins with findings about tickers that name several of them."""
    symbols, assets = rows.table["symbol"].to_pylist(), rows.table["asset"].to_pylist()
    rows = rows.found(
        "symbol_not_unique",
        "kept",
        _shared(rows, symbols),
        "one ticker stands for two coins of one date",
    )
    names: dict[str, set[str]] = {}
    for symbol, asset in zip(symbols, assets, strict=True):
        names.setdefault(symbol, set()).add(asset)
    several = sorted(symbol for symbol, found in names.items() if len(found) > 1)
    if not several:
        return rows
    shown = ", ".join(several[:8]) + (", …" if len(several) > 8 else "")
    return rows.noting(
        "symbol_not_unique",
        f"{len(several)} tickers have several names over time, renamed coins or other ones: "
        f"{shown}",
        len(several),
    )


def _shared(rows: SourceRows, symbols: list[str]) -> Bool1D:
    seen: dict[tuple[int, str], list[int]] = {}
    for row, name in enumerate(zip(rows.time_ns().tolist(), symbols, strict=True)):
        seen.setdefault(name, []).append(row)
    shared = np.zeros(len(symbols), dtype=np.bool_)
    for places in seen.values():
        if len(places) > 1:
            shared[places] = True
    return shared


LAYOUTS: Final = (
    TidyLayout(
        name="market_caps",
        title="Market cap per coin, daily",
        kinds=("universe",),
        required=("symbol", "date", "market_cap"),
        read=_read_caps,
        holds=(
            "One data set of all coins, market coins, symbol all. The ticker is the asset. Market "
            "caps without price and supply are taken as computed by the source."
        ),
    ),
    TidyLayout(
        name="market_cap_snapshots",
        title="Coins by market cap on dates (CoinMarketCap)",
        kinds=("universe",),
        required=(
            "snapshot_date", "rank", "symbol", "name", "market_cap_usd", "price_usd", "circulating_supply",
            "volume_24h_usd",
        ),
        optional=("pct_1h", "pct_24h", "pct_7d"),
        read=_read_snapshots,
        holds=(
            "One data set of all coins, market coins, symbol all. The name is the asset, because "
            "tickers are not unique; percentages are left out."
        ),
    ),
)  # fmt: skip
