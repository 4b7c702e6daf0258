"""What the store must hold after a fetch: straight from the world that the servers tell of."""

from collections.abc import Mapping, Sequence
from typing import Any

from datasets import DatasetKey, Store
from datasets.fetch import FetchJob, FetchReport, FetchRules, RetryRules, fetch
from datasets.kinds import KINDS
from tests.exchange_servers import ExchangeServer, World
from tests.exchange_servers.truth import DAY_MS, HOUR_MS, STEPS_MS, amount, price, rate

MS_NS = 1_000_000
NOW_MS = 1_700_000_123_456
QUICK = RetryRules(attempts=8, first_wait_seconds=0.001, longest_wait_seconds=0.02)
"""Repetitions without waiting: the server forgives at once."""
SPELLED = {
    ("binance", "spot"): "BTC/USDT",
    ("binanceusdm", "um_perp"): "BTCUSDT",
    ("bybit", "spot"): "BTC/USDT",
    ("bybit", "linear_perp"): "BTC/USDT:USDT",
    ("okx", "spot"): "BTC-USDT",
    ("okx", "linear_perp"): "BTC-USDT-SWAP",
}
VENUES = {"binance": "binance", "binanceusdm": "binance", "bybit": "bybit", "okx": "okx"}
METRICS = {
    "binanceusdm": {
        "sum_open_interest": "oi",
        "sum_open_interest_value": "oi_value",
        "count_toptrader_long_short_ratio": "top_accounts",
        "sum_toptrader_long_short_ratio": "top_positions",
        "count_long_short_ratio": "accounts",
        "sum_taker_long_short_vol_ratio": "taker",
        "taker_buy_volume": "bought",
        "taker_sell_volume": "sold",
    },
    "okx": {
        "sum_open_interest": "oi",
        "count_long_short_ratio": "accounts",
        "count_toptrader_long_short_ratio": "top_accounts",
        "sum_toptrader_long_short_ratio": "top_positions",
    },
}


def small_world(**changes: Any) -> World:
    """A coin listed 40 days ago, off the grid, with an outage of a day and a short one."""
    given: dict[str, Any] = {
        "now_ms": NOW_MS,
        "listed_ms": NOW_MS - 40 * DAY_MS,
        "holes": (
            (NOW_MS - 20 * DAY_MS, NOW_MS - 19 * DAY_MS),
            (NOW_MS - 9 * HOUR_MS, NOW_MS - 6 * HOUR_MS),
        ),
    }
    return World(**(given | changes))


def job(exchange: str, place: str, kind: str, *, days: float, **changes: Any) -> FetchJob:
    """One data set of BTC/USDT over the last ``days``."""
    start_ms = NOW_MS - int(days * DAY_MS)
    given: dict[str, Any] = {
        "exchange": exchange,
        "symbols": (SPELLED[exchange, place],),
        "start_ns": start_ms * MS_NS,
        "kinds": (kind,),
        "metrics_timeframe": "1h",
    }
    return FetchJob(**(given | changes))


def fetched(
    server: ExchangeServer, store: Store, *jobs: FetchJob, **changes: Any
) -> tuple[FetchReport, ...]:
    """The reports of a fetch from ``server``."""
    names = {one.exchange for one in jobs}
    given: dict[str, Any] = {
        "settings": {name: server.settings(name) for name in names},
        "retry": QUICK,
        "archive_url": f"{server.base_url}/archive",
    }
    return fetch(store, jobs, FetchRules(**(given | changes)))


def stored(store: Store, key: DatasetKey) -> list[tuple[int, Mapping[str, Any]]]:
    """Stored rows as (time in ms, values), cells without a value left out."""
    kind = KINDS[key.kind]
    table = store.read(key)
    times = table[kind.time_column].cast("int64").to_pylist()
    rows = table.select([column.name for column in kind.columns]).to_pylist()
    return [
        (time // 1000, {name: cell for name, cell in row.items() if cell is not None})
        for time, row in zip(times, rows, strict=True)
    ]


def expected(
    world: World,
    exchange: str,
    kind: str,
    first_ms: int,
    *,
    step: str = "1h",
    end_ms: int | None = None,
    pair: str = "BTCUSDT",
) -> list[tuple[int, Mapping[str, Any]]]:
    """The rows of the truth in [``first_ms``, ``end_ms``) that are known at the world's present."""
    end_ms = world.now_ms + 1 if end_ms is None else end_ms
    if kind == "ohlcv":
        step_ms = STEPS_MS[step]
        last = min(end_ms - 1, world.now_ms - step_ms)
        return [
            (t, bar_values(world, exchange, pair, t, step_ms))
            for t in world.times(first_ms, last, step_ms)
        ]
    if kind == "funding":
        return [
            (t, funding_values(exchange, pair, t)) for t in world.settlements(first_ms, end_ms - 1)
        ]
    if kind == "metrics":
        # Known five minutes after the snapshot, but not before its period is over.
        last = min(end_ms - 1, world.now_ms - max(STEPS_MS[step], 5 * 60_000))
        times = world.times(first_ms, last, STEPS_MS[step])
        return [(t, metric_values(exchange, pair, t)) for t in times]
    moments = max(0, (first_ms - world.listed_ms) // world.trade_gap_ms)
    first_id = max(world.first_kept_trade_id, world.first_trade_id + 3 * moments)
    trades = (world.trade(pair, number) for number in range(first_id, world.last_trade_id + 1))
    return [
        (
            t,
            {"trade_id": n, "price": cost / 100, "quantity": size / 100, "is_buyer_maker": maker},
        )
        for t, n, cost, size, maker in trades
        if first_ms <= t < end_ms
    ]


def bar_values(
    world: World, exchange: str, pair: str, open_ms: int, step_ms: int
) -> dict[str, Any]:
    bar = world.bar(pair, open_ms, step_ms)
    found: dict[str, Any] = {
        "open": bar.open / 100,
        "high": bar.high / 100,
        "low": bar.low / 100,
        "close": bar.close / 100,
        "volume": bar.volume / 100,
        "quote_volume": bar.quote_volume / 100,
    }
    if exchange.startswith("binance"):
        found |= {
            "trades": bar.trades,
            "taker_buy_volume": bar.taker_volume / 100,
            "taker_buy_quote": bar.taker_quote / 100,
        }
    return found


def funding_values(exchange: str, pair: str, time_ms: int) -> dict[str, Any]:
    found = {"rate": rate(pair, time_ms) / 10**8}
    if exchange == "binanceusdm" and time_ms % (16 * HOUR_MS):
        found["mark_price"] = price(pair, time_ms) / 100
    return found


def metric_values(exchange: str, pair: str, time_ms: int) -> dict[str, Any]:
    if exchange == "bybit":
        longs = 4_000 + amount(pair, "accounts", time_ms) % 2_000
        shorts = 6_000 - amount(pair, "accounts", time_ms) % 2_000
        ratio = (longs / 10_000) / (shorts / 10_000)
        return {
            "sum_open_interest": amount(pair, "oi", time_ms) / 10**4,
            "count_long_short_ratio": ratio,
        }
    names = METRICS[exchange]
    return {column: amount(pair, label, time_ms) / 10**4 for column, label in names.items()}


def contents(root: Any, *, ignored: Sequence[str] = (".lock",)) -> dict[str, bytes]:
    """Every file below ``root`` but locks."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(tuple(ignored))
    }
