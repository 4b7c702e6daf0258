"""Binance, spot and margined in stablecoins: candles with taker flow, funding, metrics, trades."""

from typing import Any, Final

from engine import DAY_NS, HOUR_NS, grid_origin_ns, timeframe_ns

from ..answers import listed, number
from ..series import MS_NS, Row, Series, TradeHistory
from .steps import interval_name, metric_step

_CANDLES: Final = 1000
_SETTLEMENTS: Final = 1000
_METRICS: Final = 500
_TRADES: Final = 1000
_METRICS_KEPT_MS: Final = 30 * DAY_NS // MS_NS
_METRIC_STEPS: Final = {
    step: step for step in ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
}
_CANDLE_COLUMNS: Final = (
    "open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume",
    "taker_buy_quote",
)  # fmt: skip
_METRIC_COLUMNS: Final = (
    (
        "OpenInterestHist",
        {"sum_open_interest": "sumOpenInterest", "sum_open_interest_value": "sumOpenInterestValue"},
    ),
    ("TopLongShortAccountRatio", {"count_toptrader_long_short_ratio": "longShortRatio"}),
    ("TopLongShortPositionRatio", {"sum_toptrader_long_short_ratio": "longShortRatio"}),
    ("GlobalLongShortAccountRatio", {"count_long_short_ratio": "longShortRatio"}),
    (
        "TakerlongshortRatio",
        {
            "sum_taker_long_short_vol_ratio": "buySellRatio",
            "taker_buy_volume": "buyVol",
            "taker_sell_volume": "sellVol",
        },
    ),
)
"""Address, and which of its fields is which canonical column."""


def series(client: Any, market: Any, kind: str, step: str, now_ms: int) -> tuple[Series, ...]:
    """Histories of ``kind``; Binance keeps metrics for 30 days."""
    if not (market.get("spot") or market.get("linear")):
        return ()
    if kind == "ohlcv":
        return (_candles(client, market, step),)
    if kind == "funding" and market.get("linear"):
        return (_funding(client, market),)
    if kind == "metrics" and market.get("linear"):
        return tuple(
            _metric(client, market, step, name, fields) for name, fields in _METRIC_COLUMNS
        )
    return ()


def _candles(client: Any, market: Any, step: str) -> Series:
    send = client.publicGetKlines if market.get("spot") else client.fapiPublicGetKlines
    interval = interval_name(client, step)

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await send(
            {
                "symbol": market["id"],
                "interval": interval,
                "startTime": first_ms,
                "endTime": last_ms,
                "limit": _CANDLES,
            }
        )
        return [
            (
                int(r[0]),
                *(float(cell) for cell in r[1:6]),
                float(r[7]),
                int(r[8]),
                float(r[9]),
                float(r[10]),
            )
            for r in listed(answer, "klines", 11)
        ]

    return Series(
        name="klines",
        columns=_CANDLE_COLUMNS,
        limit=_CANDLES,
        spacing_ms=timeframe_ns(step) // MS_NS,
        on_grid=True,
        ask=ask,
        oldest_first=True,
        grid_ms=grid_origin_ns(step) // MS_NS,
    )


def _funding(client: Any, market: Any) -> Series:
    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await client.fapiPublicGetFundingRate(
            {
                "symbol": market["id"],
                "startTime": first_ms,
                "endTime": last_ms,
                "limit": _SETTLEMENTS,
            }
        )
        return [
            (int(r["fundingTime"]), float(r["fundingRate"]), number(r.get("markPrice")) or None)
            for r in listed(answer, "funding")
        ]

    spacing = 8 * HOUR_NS // MS_NS
    columns = ("rate", "mark_price")
    return Series("funding", columns, _SETTLEMENTS, spacing, False, ask, oldest_first=True)


def _metric(client: Any, market: Any, step: str, name: str, fields: dict[str, str]) -> Series:
    send = getattr(client, f"fapiDataGet{name}")
    interval = metric_step(client, step, _METRIC_STEPS)

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await send(
            {
                "symbol": market["id"],
                "period": interval,
                "startTime": first_ms,
                "endTime": last_ms,
                "limit": _METRICS,
            }
        )
        return [
            (int(r["timestamp"]), *(number(r.get(field)) for field in fields.values()))
            for r in listed(answer, name)
        ]

    return Series(
        name=name,
        columns=tuple(fields),
        limit=_METRICS,
        spacing_ms=timeframe_ns(step) // MS_NS,
        on_grid=True,
        ask=ask,
        kept_ms=_METRICS_KEPT_MS,
        refuses_older=True,
    )


def trades(client: Any, market: Any) -> TradeHistory | None:
    """Aggregated trades, numbered by Binance."""
    if not (market.get("spot") or market.get("linear")):
        return None
    send = client.publicGetAggTrades if market.get("spot") else client.fapiPublicGetAggTrades

    async def ask(query: dict[str, int]) -> list[Row]:
        answer = await send({"symbol": market["id"], **query})
        return [
            (int(r["T"]), int(r["a"]), float(r["p"]), float(r["q"]), bool(r["m"]))
            for r in listed(answer, "aggTrades")
        ]

    async def latest() -> list[Row]:
        return await ask({"limit": 1})

    async def from_id(trade_id: int, count: int) -> list[Row]:
        return await ask({"fromId": trade_id, "limit": count})

    return TradeHistory(_TRADES, latest, from_id)
