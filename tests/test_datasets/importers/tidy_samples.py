"""One small file of every tidy layout, and the two vendors' CSV, made up row by row.

Every sample has rows of two series where its layout has series, and times that begin at 2021-01-01.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.importers.report import Request

START_MS = 1_609_459_200_000
"""2021-01-01 00:00 UTC, a Friday."""
SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
TIMES = frozenset(
    {
        "open_time",
        "close_time",
        "date",
        "time",
        "as_of",
        "event_time",
        "trade_time",
        "funding_time",
        "expiry",
        "timestamp",
        "snapshot_date",
    }
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """A file of one layout: its name, its rows, and what the caller must say."""

    name: str
    rows: tuple[Row, ...]
    request: Request = field(default_factory=Request)

    def write(self, folder: Path, rows: Sequence[Row] | None = None) -> Path:
        path = folder / self.name
        path.write_bytes(parquet_bytes(self.rows if rows is None else rows))
        return path


def parquet_bytes(rows: Sequence[Mapping[str, Any]], compression: str = "zstd") -> bytes:
    """Rows as a Parquet file; columns named like times become timestamps in UTC milliseconds."""
    columns = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        kind = pa.timestamp("ms", tz="UTC") if name in TIMES else None
        columns[name] = pa.array(values, kind)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink, compression=compression)
    return sink.getvalue().to_pybytes()


def changed(rows: Sequence[Row], row: int, **cells: Any) -> list[Row]:
    """The rows with other cells in one of them."""
    return [{**one, **cells} if place == row else dict(one) for place, one in enumerate(rows)]


def bar(row: int, **more: Any) -> Row:
    """Prices and volume that differ from row to row and do not contradict themselves."""
    close = 100.0 + row % 7
    return {
        "open": 100.0 + (row + 3) % 7,
        "high": 107.5 + row % 3,
        "low": 99.25 - row % 3,
        "close": close,
        "volume": 10.5 + row,
        **more,
    }


def _bars(names: Sequence[Row], count: int, step: int, time: str = "open_time") -> tuple[Row, ...]:
    return tuple(
        {**name, time: START_MS + row * step, **bar(row + 2 * place)}
        for place, name in enumerate(names)
        for row in range(count)
    )


def _with(rows: tuple[Row, ...], **columns: Any) -> tuple[Row, ...]:
    return tuple(
        {**row, **{name: make(place) for name, make in columns.items()}}
        for place, row in enumerate(rows)
    )


_FLOWS: dict[str, Any] = {"quote_volume": lambda n: 1000.0 + n, "trades": lambda n: 3 + n}
_TAKER: dict[str, Any] = {
    "taker_buy_base": lambda n: 1.5 + n % 2,
    "taker_buy_quote": lambda n: 150.0 + n,
}
_TWO = ({"symbol": "BTCUSDT"}, {"symbol": "ETHUSDT"})
_VENUES = (
    {"venue": "binance", "coin": "BTC"},
    {"venue": "dydx", "coin": "BTC"},
)


def _series(
    names: Sequence[Row], count: int, step: int, time: str, **columns: Any
) -> tuple[Row, ...]:
    rows = tuple({**name, time: START_MS + row * step} for name in names for row in range(count))
    return _with(rows, **columns)


def _vintages(count: int, **columns: Any) -> tuple[Row, ...]:
    captured = START_MS + 12 * HOUR
    rows = _series([{"coin": "SOL"}], count, HOUR, "time")
    rows = tuple({**row, "as_of": captured + max(0, n - 6) * HOUR} for n, row in enumerate(rows))
    return _with(rows, **columns)


def _orders() -> tuple[Row, ...]:
    rows = []
    for place, (coin, side) in enumerate(
        [
            ("BTC", "BUY"),
            ("BTC", "SELL"),
            ("ETHUSDC", "SELL"),
            ("BTC_210326", "BUY"),
            ("ETHUSDC", "BUY"),
        ]
    ):
        price, quantity = 100.0 + place, 2.0 + place
        rows.append(
            {
                "coin": coin,
                "side": side,
                "order_type": "LIMIT",
                "time_in_force": "IOC",
                "orig_qty": quantity,
                "price": price,
                "avg_price": None,
                "status": "FILLED",
                "last_filled_qty": 1.0,
                "filled_accumulated_qty": quantity,
                "trade_time": START_MS + 1007 * place,
                "usd_notional": price * quantity,
                "capture": "a",
            }
        )
    return tuple(
        {**row, "avg_price": 0.0} if place == len(rows) - 1 else row
        for place, row in enumerate(rows)
    )


def _metric(time: str, names: Sequence[str]) -> tuple[Row, ...]:
    return _series([{"metric": name} for name in names], 4, DAY, time, value=lambda n: 0.5 + n)


MILLISECONDS = Request(market="um_perp")
SAMPLES: Mapping[str, Sample] = {
    "klines12": Sample(
        "binance_spot_klines12_1h.parquet", _with(_bars(_TWO, 12, HOUR), **_FLOWS, **_TAKER)
    ),
    "spot_and_perp": Sample(
        "binance_both.parquet",
        _bars([{"symbol": "BTCUSDT", "market": name} for name in ("spot", "perp")], 12, HOUR),
    ),
    "ohlcv_bars": Sample("binance_um_perp_15m.parquet", _bars(_TWO, 12, 15 * 60 * SECOND)),
    "daily_bars": Sample(
        "coinbase_spot_daily.parquet",
        _bars([{"symbol": f"{b}/USD", "base": b} for b in ("BTC", "ETH")], 4, DAY, "date"),
    ),
    "dated_futures_bars": Sample(
        "binance_um_quarterly.parquet",
        _bars([{"symbol": "BTCUSDT_210326", "expiry": START_MS + 84 * DAY}], 6, DAY),
    ),
    "multi_venue_bars": Sample("venues.parquet", _bars(_VENUES, 4, HOUR)),
    "multi_venue_funding": Sample(
        "venues_funding.parquet",
        _series(_VENUES, 4, HOUR, "funding_time", funding_rate=lambda n: 1e-5 * n),
    ),
    "multi_venue_open_interest": Sample(
        "venues_interest.parquet", _series(_VENUES, 4, HOUR, "time", oi_usd=lambda n: 1e6 + n)
    ),
    "funding_history": Sample(
        "funding.parquet",
        _series(
            [{"symbol": "BTCUSDT", "venue": name} for name in ("binance_um", "bybit_linear")],
            4,
            8 * HOUR,
            "funding_time",
            funding_rate=lambda n: 1e-5 * n,
            mark_price=lambda n: n % 2 * 90.0 or None,
        ),
    ),
    "funding_settlements": Sample(
        "binance_um_funding.parquet",
        _series(_TWO, 4, 4 * HOUR, "funding_time", funding_rate=lambda n: -1e-5 * n),
    ),
    "coinalyze_funding": Sample(
        "rates.parquet",
        _series(
            [{"coin_symbol": "BTC", "symbol": "BTCUSD_PERP.A"}],
            3,
            DAY,
            "date",
            funding_rate=lambda n: 0.01,
            fr_open=lambda n: 0.01,
            fr_high=lambda n: 0.01,
            fr_low=lambda n: 0.01,
        ),
    ),
    "open_interest": Sample(
        "binance_um_interest.parquet",
        _series(
            _TWO,
            4,
            4 * HOUR,
            "time",
            sum_open_interest=lambda n: 5.0 + n,
            sum_open_interest_value=lambda n: 50.0 + n,
        ),
    ),
    "coinalyze_open_interest": Sample(
        "interest.parquet",
        _series(
            [
                {"coin_symbol": "BTC", "symbol": "BTCUSD_PERP.A"},
                {"coin_symbol": "FTM", "symbol": "FTM.H"},
            ],
            4,
            DAY,
            "date",
            oi_open=lambda n: 1.0,
            oi_high=lambda n: 9.0,
            oi_low=lambda n: 1.0,
            oi_close=lambda n: 2.0 + n,
        ),
    ),
    "funding_vintages": Sample(
        "okx_sol.parquet",
        tuple(
            {
                "coin": "SOL",
                "time": START_MS + 8 * HOUR * n,
                "as_of": START_MS + 5 * DAY,
                "funding_rate": 1e-5 * n,
            }
            for n in range(4)
        ),
        Request(market="linear_perp"),
    ),
    "long_short_vintages": Sample(
        "okx_sol.parquet",
        _vintages(9, long_short_account_ratio=lambda n: 1.5 + n),
        Request(market="linear_perp"),
    ),
    "open_interest_vintages": Sample(
        "okx_sol.parquet",
        _vintages(
            9, open_interest_usd=lambda n: 1e6 + n, open_interest_value_usd=lambda n: 1e6 + n
        ),
        Request(market="linear_perp"),
    ),
    "taker_volume_vintages": Sample(
        "okx_sol.parquet",
        _vintages(9, taker_sell_volume=lambda n: 4.0, taker_buy_volume=lambda n: 2.0 + n),
        Request(market="linear_perp"),
    ),
    "aggregated_trades": Sample(
        "binance_um_trades.parquet",
        tuple(
            {
                "event_time": START_MS + 500 * n + 5,
                "symbol": ("BTCUSDT", "ETHUSDT")[n % 2],
                "agg_trade_id": 70 + n // 2,
                "price": 100.0 + n,
                "quantity": 1.0 + n,
                "trade_time": START_MS + 500 * n,
                "is_buyer_maker": n % 3 == 0,
            }
            for n in range(8)
        ),
    ),
    "one_sided_trades": Sample(
        "hyperliquid_trades.parquet",
        tuple(
            {
                "time": START_MS + SECOND * (n // 2),
                "coin": "BTC",
                "side": ("Ask", "Bid")[n % 2],
                "px": 100.0 + n,
                "sz": 1.0 + n,
                "crossed": n % 4 < 2,
            }
            for n in range(8)
        ),
    ),
    "liquidation_orders": Sample("binance_orders.parquet", _orders(), MILLISECONDS),
    "aave_liquidations": Sample(
        "calls.parquet",
        tuple(
            {
                "time": START_MS + SECOND * (n // 2),
                "block_number": 100 + n // 2,
                "aave_version": ("V2", "V3")[n // 4],
                "market_name": "m",
                "collateral_asset_symbol": "WBTC",
                "collateral_amount_wbtc": 0.5 + n,
                "collateral_amount_usd": 1000.0 + n,
            }
            for n in range(6)
        ),
    ),
    "liquidation_sums": Sample(
        "hyperliquid_liquidations.parquet",
        _series(
            [{"coin": "BTC"}, {"coin": "ETH"}],
            4,
            DAY,
            "time",
            total_usd=lambda n: 5.0 + n,
            long_usd=lambda n: 2.0 + n,
            short_usd=lambda n: 3.0,
            liq_count=lambda n: n,
        ),
    ),
    "book_spread_slippage": Sample(
        "book.parquet",
        _series(
            _TWO,
            4,
            HOUR,
            "time",
            mid_price=lambda n: 100.0 + n,
            spread=lambda n: 0.5,
            ask_slippage=lambda n: 1e-4,
            bid_slippage=lambda n: 2e-4,
        ),
        Request(venue="somewhere", market="spot"),
    ),
    "dvol_daily": Sample(
        "dvol.parquet", _series([{"coin": "BTC"}], 4, DAY, "time", dvol=lambda n: 55.5 + n)
    ),
    "fear_greed_daily": Sample(
        "mood.parquet",
        _series([{}], 4, DAY, "date", fear_greed=lambda n: 20 + n, classification=lambda n: "Fear"),
    ),
    "fx_daily": Sample(
        "usdkrw_daily.parquet",
        tuple(
            {
                "date": START_MS + DAY * n,
                "open": 1100.0,
                "high": 1110.0,
                "low": 1090.0,
                "close": 1100.0 + n,
            }
            for n in (0, 3, 4, 5)
        ),
    ),
    "kimchi_premium": Sample(
        "kimchi.parquet",
        tuple(
            {
                "date": START_MS + DAY * n,
                "upbit_btc_krw": 44_000_000 + n,
                "binance_btc_usdt": 39_000.0,
                "usdkrw": 1100.0,
                "kimchi_premium": 0.0256,
            }
            for n in (0, 3, 4, 5)
        ),
    ),
    "onchain_series": Sample(
        "chain.parquet",
        _metric("date", ("btc_exchange_reserves", "btc_sopr_ratio", "btc_funding_fee")),
    ),
    "social_series": Sample(
        "social.parquet", _metric("time", ("btc_postscreated", "gbtc", "total3"))
    ),
    "market_caps": Sample(
        "caps.parquet",
        _series(
            [{"symbol": "BTC"}, {"symbol": "ETH"}], 3, DAY, "date", market_cap=lambda n: 1e9 + n
        ),
    ),
    "market_cap_snapshots": Sample(
        "coinmarketcap_top.parquet",
        tuple(
            {
                "snapshot_date": START_MS + 31 * DAY * (n // 3),
                "rank": 1 + n % 3,
                "symbol": ("BTC", "BNX", "ETH")[n % 3],
                "name": ("Bitcoin", "BinaryX", "Ethereum")[n % 3],
                "market_cap_usd": 1e9 - n,
                "price_usd": 10.0 + n,
                "circulating_supply": 1e6,
                "volume_24h_usd": 1e5,
                "pct_1h": 0.1,
                "pct_24h": 0.2,
                "pct_7d": 0.3,
            }
            for n in range(6)
        ),
    ),
    "defi_tvl": Sample(
        "locked.parquet",
        _series(
            [{"scope": "total", "name": "all"}, {"scope": "protocol", "name": "maker"}],
            4,
            DAY,
            "date",
            tvlusd=lambda n: (n % 4) * 1000,
            tvleth=lambda n: (n % 4) * 1.5,
        ),
    ),
    "protocol_tvl": Sample(
        "defillama_now.parquet",
        tuple(
            {
                "protocol": name,
                "slug": slug,
                "symbol": "-",
                "category": category,
                "chains": "Ethereum,Base",
                "tvl": 1e9,
                "change_1h": 0.1,
                "change_1d": 0.2,
                "change_7d": 0.3,
                "mcap": mcap,
                "timestamp": START_MS + 4_559_405,
            }
            for name, slug, category, mcap in (
                ("Aave V3", "aave-v3", "Lending", 1e9),
                ("Big CEX", "big-cex", "CEX", None),
                ("A & B", "a-&-b", "Bridge", None),
            )
        ),
    ),
}
"""A sample of every layout, by the layout's name."""
