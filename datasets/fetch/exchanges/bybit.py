"""Bybit v5, spot and perpetuals: candles, funding, open interest with long/short accounts."""

from typing import Any, Final

from engine import MINUTE_NS, grid_origin_ns, timeframe_ns

from ..answers import BrokenAnswerError, listed, number
from ..series import MS_NS, Row, Series, TradeHistory
from .steps import interval_name, metric_step

_CANDLES: Final = 1000
_SETTLEMENTS: Final = 200
_OPEN_INTEREST: Final = 200
_RATIOS: Final = 500
_TRADES: Final = 1000
_SPOT_TRADES: Final = 60
_METRIC_STEPS: Final = {
    "5m": "5min", "15m": "15min", "30m": "30min", "1h": "1h", "4h": "4h", "1d": "1d",
}  # fmt: skip


def series(client: Any, market: Any, kind: str, step: str, now_ms: int) -> tuple[Series, ...]:
    """Histories of ``kind``; open interest of linear perpetuals is in the base currency."""
    if kind == "ohlcv":
        return (_candles(client, market, step),)
    if kind == "funding" and market.get("swap"):
        return (_funding(client, market),)
    if kind == "metrics" and market.get("linear"):
        return _open_interest(client, market, step), _long_short(client, market, step)
    return ()


def _category(market: Any) -> str:
    if market.get("spot"):
        return "spot"
    return "linear" if market.get("linear") else "inverse"


def _rows(answer: Any, market: Any, what: str, length: int = 0) -> list[Any]:
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict):
        raise BrokenAnswerError(f"{what}: the answer has no result but {str(answer)[:60]!r}")
    named = result.get("symbol", market["id"])
    if named not in (market["id"], ""):
        raise BrokenAnswerError(f"{what}: asked for {market['id']}, the answer is of {named}")
    return listed(result.get("list"), what, length)


def _candles(client: Any, market: Any, step: str) -> Series:
    interval = interval_name(client, step)
    # Volume of an inverse contract is in the quote currency, its turnover in the base.
    volume, turnover = (6, 5) if market.get("inverse") else (5, 6)

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await client.publicGetV5MarketKline(
            {
                "category": _category(market),
                "symbol": market["id"],
                "interval": interval,
                "start": first_ms,
                "end": last_ms,
                "limit": _CANDLES,
            }
        )
        return [
            (int(r[0]), *(float(cell) for cell in r[1:5]), float(r[volume]), float(r[turnover]))
            for r in _rows(answer, market, "kline", 7)
        ]

    columns = ("open", "high", "low", "close", "volume", "quote_volume")
    spacing, origin = timeframe_ns(step) // MS_NS, grid_origin_ns(step) // MS_NS
    return Series("kline", columns, _CANDLES, spacing, True, ask, grid_ms=origin)


def _funding(client: Any, market: Any) -> Series:
    minutes = int(market["info"].get("fundingInterval") or 480)

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await client.publicGetV5MarketFundingHistory(
            {
                "category": _category(market),
                "symbol": market["id"],
                # The start is exclusive at times: ask from before it, the pager leaves out the rest.
                "startTime": first_ms - 1,
                "endTime": last_ms,
                "limit": _SETTLEMENTS,
            }
        )
        return [
            (int(r["fundingRateTimestamp"]), float(r["fundingRate"]))
            for r in _rows(answer, market, "funding history")
        ]

    return Series("funding", ("rate",), _SETTLEMENTS, minutes * MINUTE_NS // MS_NS, False, ask)


def _open_interest(client: Any, market: Any, step: str) -> Series:
    interval = metric_step(client, step, _METRIC_STEPS)
    spacing = timeframe_ns(step) // MS_NS

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await client.publicGetV5MarketOpenInterest(
            {
                "category": _category(market),
                "symbol": market["id"],
                "intervalTime": interval,
                "startTime": first_ms - 1,
                "endTime": last_ms,
                "limit": _OPEN_INTEREST,
            }
        )
        return [
            (int(r["timestamp"]), number(r.get("openInterest")))
            for r in _rows(answer, market, "open interest")
        ]

    return Series("open interest", ("sum_open_interest",), _OPEN_INTEREST, spacing, True, ask)


def _long_short(client: Any, market: Any, step: str) -> Series:
    interval = metric_step(client, step, _METRIC_STEPS)
    spacing = timeframe_ns(step) // MS_NS

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        # ccxt's unified method leaves the period out; the address knows it.
        answer = await client.publicGetV5MarketAccountRatio(
            {
                "category": _category(market),
                "symbol": market["id"],
                "period": interval,
                "startTime": first_ms - 1,
                "endTime": last_ms,
                "limit": _RATIOS,
            }
        )
        return [
            (int(r["timestamp"]), _ratio(number(r.get("buyRatio")), number(r.get("sellRatio"))))
            for r in _rows(answer, market, "account ratio")
        ]

    return Series("account ratio", ("count_long_short_ratio",), _RATIOS, spacing, True, ask)


def _ratio(long_share: float | None, short_share: float | None) -> float | None:
    return long_share / short_share if long_share is not None and short_share else None


def trades(client: Any, market: Any) -> TradeHistory | None:
    """The last trades only: Bybit's API has no older ones."""
    limit = _SPOT_TRADES if market.get("spot") else _TRADES
    if market.get("inverse"):
        return None

    async def recent() -> list[Row]:
        answer = await client.publicGetV5MarketRecentTrade(
            {"category": _category(market), "symbol": market["id"], "limit": limit}
        )
        return [
            (int(r["time"]), None, float(r["price"]), float(r["size"]), r["side"] == "Sell")
            for r in _rows(answer, market, "recent trades")
        ]

    return TradeHistory(limit, recent=recent)
