"""What a tidy file holds, worked out row by row in plain Python: the oracle of the tidy importers."""

import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq

from datasets.importers.report import Request
from datasets.importers.tidy.metric_series import METRICS
from tests.test_datasets.importers.fuzzing import Reference, Row, in_store_order

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = {
    60: "1m", 180: "3m", 300: "5m", 900: "15m", 1800: "30m", 3600: "1h", 7200: "2h", 14400: "4h",
    21600: "6h", 28800: "8h", 43200: "12h", 86400: "1d", 259200: "3d", 604800: "1w",
}  # fmt: skip
Key = tuple[str, str, str, str]
"""Kind, venue, market and symbol."""
Placed = tuple[Key, Row]
_MARKETS = {"binance": "um_perp"}
_FUNDING_VENUES = {"binance_um": "binance", "bybit_linear": "bybit"}


def _ns(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return value


def _cells(row: Row, names: dict[str, str]) -> Row:
    """Cells under their canonical names, empty ones left out."""
    cells = {ours: row.get(theirs) for ours, theirs in names.items()}
    return {
        name: value
        for name, value in cells.items()
        if value is not None and not (isinstance(value, float) and math.isnan(value))
    }


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_OHLCV = _same("open", "high", "low", "close", "volume", "quote_volume", "trades")
_TAKER = {"taker_buy_volume": "taker_buy_base", "taker_buy_quote": "taker_buy_quote"}


def _perp(venue: str) -> str:
    return _MARKETS.get(venue, "linear_perp")


def _simple(key: Callable[[Row], Key], names: dict[str, str]) -> Callable[[Row], Placed]:
    return lambda row: (key(row), _cells(row, names))


def _fixed(kind: str, venue: str, market: str, symbol: str) -> Callable[[Row], Key]:
    return lambda row: (kind, venue, market, row.get(symbol, symbol))


def _metric(row: Row) -> Placed:
    metric = METRICS[row["metric"]]
    time = row["date"] if "date" in row else row["time"]
    cells = _cells({"t": time, "v": row["value"]}, {"event_time": "t", metric.column: "v"})
    return (metric.kind, "unstated", metric.market, metric.symbol or row["metric"]), cells


def _vintage(kind: str, names: dict[str, str]) -> Callable[[Row], Placed]:
    place = _simple(_fixed(kind, "okx", "linear_perp", "coin"), {"event_time": "time", **names})

    def placed(row: Row) -> Placed:
        key, cells = place(row)
        return key, {**cells, "available_at": row["as_of"]}

    return placed


def _taker_volume(row: Row) -> Placed:
    key, cells = _vintage("metrics", _same("taker_buy_volume", "taker_sell_volume"))(row)
    if row["taker_sell_volume"] and row["taker_buy_volume"] is not None:
        ratio = row["taker_buy_volume"] / row["taker_sell_volume"]
        if row["taker_sell_volume"] > 0 and math.isfinite(ratio):
            cells["sum_taker_long_short_vol_ratio"] = ratio
    return key, cells


def _expiring(row: Row) -> Placed:
    key = ("dated_futures", "binance", "um_future", row["symbol"])
    cells = _cells(row, {"open_time": "open_time", "expiry": "expiry", **_OHLCV})
    if cells["expiry"] % DAY == 0:
        cells["expiry"] += 8 * HOUR
    return key, cells


def _coinalyze(row: Row) -> Placed:
    inverse = row["symbol"].split(".")[0].endswith("USD_PERP")
    market = "inverse_perp" if inverse else "linear_perp"
    cells = _cells(row, {"event_time": "date", "sum_open_interest_value": "oi_close"})
    cells["event_time"] += DAY
    return ("metrics", "coinalyze", market, row["symbol"]), cells


def _folder(text: str) -> str:
    return "".join(c if c.isalnum() or c in "_.-" else "_" for c in text)


def _tvl_snapshot(row: Row) -> Placed:
    slug = _folder(row["slug"])
    cells = _cells(row, {"event_time": "timestamp", "tvl_usd": "tvl"})
    return ("tvl", "defillama", "protocol", slug), cells


def _market_cap(row: Row) -> Placed:
    cells = _cells(row, {"event_time": "date", "market_cap_usd": "market_cap"})
    return ("universe", "unstated", "coins", "all"), cells | {
        "asset": row["symbol"],
        "symbol": row["symbol"],
    }


_PLACED: dict[str, Callable[[Row], Placed]] = {
    "klines12": _simple(
        _fixed("ohlcv", "binance", "spot", "symbol"),
        {"open_time": "open_time", **_OHLCV, **_TAKER},
    ),
    "spot_and_perp": _simple(
        lambda r: (
            "ohlcv",
            "binance",
            {"spot": "spot", "perp": "um_perp"}[r["market"]],
            r["symbol"],
        ),
        {"open_time": "open_time", **_OHLCV},
    ),
    "ohlcv_bars": _simple(
        _fixed("ohlcv", "binance", "um_perp", "symbol"), {"open_time": "open_time", **_OHLCV}
    ),
    "daily_bars": _simple(
        lambda r: ("ohlcv", "coinbase", "spot", r["symbol"].replace("/", "-")),
        {"open_time": "date", **_OHLCV},
    ),
    "dated_futures_bars": _expiring,
    "multi_venue_bars": _simple(
        lambda r: ("ohlcv", r["venue"], _perp(r["venue"]), r["coin"]),
        {"open_time": "open_time", **_OHLCV},
    ),
    "multi_venue_funding": _simple(
        lambda r: ("funding", r["venue"], _perp(r["venue"]), r["coin"]),
        {"event_time": "funding_time", "rate": "funding_rate"},
    ),
    "multi_venue_open_interest": _simple(
        lambda r: ("metrics", r["venue"], _perp(r["venue"]), r["coin"]),
        {"event_time": "time", "sum_open_interest_value": "oi_usd"},
    ),
    "funding_history": _simple(
        lambda r: (
            "funding",
            _FUNDING_VENUES[r["venue"]],
            _perp(_FUNDING_VENUES[r["venue"]]),
            r["symbol"],
        ),
        {"event_time": "funding_time", "rate": "funding_rate", "mark_price": "mark_price"},
    ),
    "funding_settlements": _simple(
        _fixed("funding", "binance", "um_perp", "symbol"),
        {"event_time": "funding_time", "rate": "funding_rate"},
    ),
    "open_interest": _simple(
        _fixed("metrics", "binance", "um_perp", "symbol"),
        {"event_time": "time", **_same("sum_open_interest", "sum_open_interest_value")},
    ),
    "coinalyze_open_interest": _coinalyze,
    "funding_vintages": _vintage("funding", {"rate": "funding_rate"}),
    "long_short_vintages": _vintage(
        "metrics", {"count_long_short_ratio": "long_short_account_ratio"}
    ),
    "open_interest_vintages": _vintage(
        "metrics", {"sum_open_interest_value": "open_interest_value_usd"}
    ),
    "taker_volume_vintages": _taker_volume,
    "liquidation_sums": _simple(
        _fixed("liquidation_volume", "hyperliquid", "linear_perp", "coin"),
        {"event_time": "time", **_same("long_usd", "short_usd"), "liquidations": "liq_count"},
    ),
    "book_spread_slippage": _simple(
        _fixed("book_summary", "somewhere", "spot", "symbol"),
        {"event_time": "time", **_same("mid_price", "spread", "ask_slippage", "bid_slippage")},
    ),
    "dvol_daily": _simple(
        _fixed("implied_volatility", "deribit", "index", "coin"),
        {"event_time": "time", "dvol_close": "dvol"},
    ),
    "fear_greed_daily": _simple(
        _fixed("fear_greed", "unstated", "sentiment", "crypto"),
        {"event_time": "date", "value": "fear_greed"},
    ),
    "fx_daily": _simple(
        _fixed("fx", "unstated", "fx", "USDKRW"),
        {"event_time": "date", **_same("open", "high", "low", "close")},
    ),
    "kimchi_premium": _simple(
        _fixed("krw_premium", "upbit", "spot", "KRW-BTC"),
        {
            "event_time": "date", "krw_price": "upbit_btc_krw", "usd_price": "binance_btc_usdt",
            "usdkrw": "usdkrw", "premium": "kimchi_premium",
        },
    ),
    "onchain_series": _metric,
    "social_series": _metric,
    "market_caps": _market_cap,
    "market_cap_snapshots": _simple(
        _fixed("universe", "coinmarketcap", "coins", "all"),
        {
            "event_time": "snapshot_date", "asset": "name",
            **_same("symbol", "rank", "market_cap_usd", "price_usd"),
            **_same("circulating_supply", "volume_24h_usd"),
        },
    ),
    "defi_tvl": _simple(
        lambda r: ("tvl", "unstated", r["scope"], _folder(r["name"])),
        {"event_time": "date", "tvl_usd": "tvlusd", "tvl_eth": "tvleth"},
    ),
    "protocol_tvl": _tvl_snapshot,
}  # fmt: skip
_RUNNING = (
    "spot_and_perp", "ohlcv_bars", "daily_bars", "dated_futures_bars", "multi_venue_bars",
    "coinalyze_open_interest", "liquidation_sums", "book_spread_slippage",
)  # fmt: skip
"""Layouts whose last row goes while the series was running."""
_BARS = (
    "klines12",
    "spot_and_perp",
    "ohlcv_bars",
    "daily_bars",
    "dated_futures_bars",
    "multi_venue_bars",
)
_DAILY = (
    "coinalyze_open_interest", "liquidation_sums", "dvol_daily", "fear_greed_daily", "fx_daily",
    "kimchi_premium", "onchain_series", "social_series", "defi_tvl", "protocol_tvl",
)  # fmt: skip
_STEPPED = (*_BARS, "open_interest", "multi_venue_open_interest", "book_spread_slippage")
_EVENTS = ("market_caps", "market_cap_snapshots")
_IDENTITY = {"universe": ("event_time", "asset")}
_VALUES = {"onchain": "value", "social": "value", "etf": "price", "exchange_reserves": "reserve"}


def reference(name: str, request: Request) -> Reference:
    """The reference parser of the layout called ``name`` for files that the samples resemble."""
    del request

    def read(data: bytes) -> dict[str, list[Row]]:
        rows = [
            {column: _ns(value) for column, value in row.items()}
            for row in pq.read_table(io.BytesIO(data)).to_pylist()
        ]
        if name in _SPECIAL:
            return _SPECIAL[name](rows)
        return _taken(name, [_PLACED[name](row) for row in rows])

    return read


def _taken(name: str, placed: Iterable[Placed]) -> dict[str, list[Row]]:
    groups: dict[Key, list[Row]] = {}
    for key, cells in placed:
        groups.setdefault(key, []).append(cells)
    newest = max(_time(cells) for rows in groups.values() for cells in rows)
    common = _common_step(list(groups.values())) if name in _STEPPED else ""
    found = {}
    for key, rows in groups.items():
        step = "event" if name in _EVENTS else "1d" if name in _DAILY else common
        if key[0] == "funding":
            step = "8h" if name == "funding_vintages" else _interval(rows)
        if name.endswith("_vintages") and key[0] == "metrics":
            step = _common_step([rows])
        found["/".join((*key, step, name))] = _rows_of_series(name, key[0], rows, newest, step)
    return found


def _time(cells: Row) -> int:
    return int(cells["open_time"] if "open_time" in cells else cells["event_time"])


def _common_step(groups: list[list[Row]]) -> str:
    counts: Counter[int] = Counter()
    for rows in groups:
        times = sorted(_time(cells) for cells in rows)
        counts.update(
            after - before for before, after in itertools.pairwise(times) if after > before
        )
    most = max(counts.values())
    return _STEPS[min(gap for gap, count in counts.items() if count == most) // SECOND]


def _interval(rows: list[Row]) -> str:
    times = sorted(_time(cells) for cells in rows)
    counts = Counter(round((b - a) / HOUR) for a, b in itertools.pairwise(times))
    usual = {hours: counts[hours] for hours in (1, 2, 4, 8) if counts[hours]}
    return f"{max(usual, key=lambda hours: usual[hours])}h" if usual else "8h"


def _rows_of_series(name: str, kind: str, rows: list[Row], newest: int, step: str) -> list[Row]:
    if name == "taker_volume_vintages":
        rows = [cells for cells in rows if "sum_taker_long_short_vol_ratio" in cells]
    if name == "defi_tvl":
        rows = sorted(rows, key=_time)
        while rows and rows[0]["tvl_usd"] == 0:
            rows = rows[1:]
    if kind in _VALUES:
        rows = [cells for cells in rows if _VALUES[kind] in cells]
    if kind == "funding":
        rows = [{**cells, "event_time": _settlement(cells["event_time"])} for cells in rows]
    if name == "dated_futures_bars":
        rows = [cells for cells in rows if cells["open_time"] < cells["expiry"]]
    time = "open_time" if "open_time" in rows[0] else "event_time"
    identity = _IDENTITY.get(kind, (time,))
    if "available_at" in rows[0]:
        identity = (*identity, "available_at")
    ordered = in_store_order(rows, identity)
    if name in _BARS:
        ordered = _without_placeholders(ordered)
    longest = max(DAY, next((s * SECOND for s, word in _STEPS.items() if word == step), 0))
    # A coinalyze row stands a day later than in the file.
    last = newest
    running = name in _RUNNING and last - _time(ordered[-1]) <= longest
    if running and not ("expiry" in ordered[-1] and ordered[-1]["expiry"] <= newest):
        ordered.pop()
    return [{k: v for k, v in cells.items() if k != "available_at"} for cells in ordered]


def _settlement(time_ns: int) -> int:
    return time_ns - time_ns % HOUR if time_ns % HOUR <= SECOND else time_ns


def _without_placeholders(rows: list[Row]) -> list[Row]:
    run = 0
    first = rows[0]["open"]
    while run < len(rows) and all(
        rows[run][name] == first for name in ("open", "high", "low", "close")
    ):
        run += 1
    return rows[run:] if 2 <= run < len(rows) else rows


def _aggregated_trades(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        if row["trade_time"] is None:
            continue
        key = f"trades/binance/um_perp/{row['symbol']}/event/aggregated_trades"
        cells = _cells(row, _same("price", "quantity", "is_buyer_maker"))
        cells |= {"event_time": row["trade_time"], "trade_id": row["agg_trade_id"]}
        found.setdefault(key, {}).setdefault(row["agg_trade_id"], cells)
    return {
        key: sorted(trades.values(), key=lambda cells: (cells["event_time"], cells["trade_id"]))
        for key, trades in found.items()
    }


def _numbered(rows: list[Row], name: str) -> list[Row]:
    """Rows by time, each with its place among those of the same time."""
    ordered = sorted(rows, key=lambda cells: cells["event_time"])
    seen: Counter[int] = Counter()
    for cells in ordered:
        cells[name] = seen[cells["event_time"]]
        seen[cells["event_time"]] += 1
    return ordered


def _one_sided_trades(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        cells = _cells(row, {"event_time": "time", "price": "px", "quantity": "sz"})
        taker_sold = row["crossed"] if row["side"] == "Ask" else not row["crossed"]
        key = f"trades/hyperliquid/linear_perp/{row['coin']}/event/one_sided_trades"
        found.setdefault(key, []).append({**cells, "is_buyer_maker": taker_sold})
    return {key: _numbered(trades, "trade_id") for key, trades in found.items()}


def _aave(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        version = row["aave_version"].lower()
        cells = {
            "event_time": row["time"],
            "side": "sell",
            "quantity": row["collateral_amount_wbtc"],
            "notional": row["collateral_amount_usd"],
        }
        if row["collateral_amount_wbtc"]:
            cells["price"] = row["collateral_amount_usd"] / row["collateral_amount_wbtc"]
        key = f"liquidations/aave_{version}/lending/WBTC/event/aave_liquidations"
        found.setdefault(key, []).append(cells)
    return {key: _numbered(calls, "sequence") for key, calls in found.items()}


def _orders(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    seen: set[tuple[Any, ...]] = set()
    orders: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if _contract(row["coin"]) is None:
            continue
        content = tuple(
            value for name, value in row.items() if name not in ("capture", "usd_notional")
        )
        if (*content, row["usd_notional"]) in seen:
            continue
        seen.add((*content, row["usd_notional"]))
        amount, notional = row["price"] * row["orig_qty"], row["usd_notional"]
        right = notional is not None and abs(notional - amount) <= 1e-6 * abs(notional)
        if content not in orders or (right and not orders[content]["right"]):
            orders[content] = {**row, "right": right}
    for row in orders.values():
        cells = {
            "event_time": row["trade_time"],
            "side": {"BUY": "buy", "SELL": "sell"}[row["side"]],
            "price": row["price"],
            "quantity": row["orig_qty"],
        }
        if row["right"]:
            cells["notional"] = row["usd_notional"]
        key = f"liquidations/binance/{_contract(row['coin'])}/event/liquidation_orders"
        found.setdefault(key, []).append(cells)
    return {key: _numbered(orders_of_one, "sequence") for key, orders_of_one in found.items()}


def _contract(coin: str) -> str | None:
    base, _, expiry = coin.partition("_")
    if not base.isascii() or not base.isalnum() or base != base.upper():
        return None
    if "_" in coin and not (len(expiry) == 6 and expiry.isascii() and expiry.isdigit()):
        return None
    quoted = any(base.endswith(quote) and base != quote for quote in ("USDT", "USDC", "BUSD"))
    symbol = base if quoted else base + "USDT"
    return f"um_future/{symbol}_{expiry}" if expiry else f"um_perp/{symbol}"


_SPECIAL: dict[str, Callable[[list[Row]], dict[str, list[Row]]]] = {
    "aggregated_trades": _aggregated_trades,
    "one_sided_trades": _one_sided_trades,
    "aave_liquidations": _aave,
    "liquidation_orders": _orders,
}
