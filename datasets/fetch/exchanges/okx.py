"""OKX v5, spot and perpetual swaps: candles, funding, open interest with long/short, trades."""

from decimal import Decimal
from typing import Any, Final

from engine import DAY_NS, HOUR_NS, grid_origin_ns, timeframe_ns

from ..answers import BrokenAnswerError, listed, number
from ..series import MS_NS, Row, Series, TradeHistory
from .steps import interval_name, metric_step

_CANDLES: Final = 300
_ROWS: Final = 100
_NEWEST_CANDLES: Final = 1440
_FUNDING_KEPT_MS: Final = 92 * DAY_NS // MS_NS
_METRICS_KEPT: Final = 1440
"""So many periods are kept, whatever their length."""
_UTC_FROM_NS: Final = 6 * HOUR_NS
_METRIC_STEPS: Final = {
    "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H",
    "6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc",
}  # fmt: skip
_METRICS: Final = (
    ("OpenInterestHistory", "sum_open_interest", 2),
    ("LongShortAccountRatioContract", "count_long_short_ratio", 1),
    ("LongShortAccountRatioContractTopTrader", "count_toptrader_long_short_ratio", 1),
    ("LongShortPositionRatioContractTopTrader", "sum_toptrader_long_short_ratio", 1),
)
"""Address, canonical column, and which cell of a row it is. The value of the open interest is left
out: OKX states it in USD, not in the quote currency."""


def series(client: Any, market: Any, kind: str, step: str, now_ms: int) -> tuple[Series, ...]:
    """Histories of ``kind``; OKX keeps funding for about three months, metrics for 1440 periods."""
    if kind == "ohlcv":
        return (_candles(client, market, step, now_ms),)
    if kind == "funding" and market.get("swap"):
        return (_funding(client, market),)
    if kind == "metrics" and market.get("swap"):
        return tuple(_metric(client, market, step, *fields) for fields in _METRICS)
    return ()


def _bar(client: Any, step: str) -> str:
    name = interval_name(client, step)
    # Without the suffix long bars begin at midnight in Hong Kong.
    return name + "utc" if timeframe_ns(step) >= _UTC_FROM_NS else name


def _data(answer: Any, what: str, length: int = 0) -> list[Any]:
    if not isinstance(answer, dict):
        raise BrokenAnswerError(f"{what}: the answer is {str(answer)[:60]!r}, not an object")
    return listed(answer.get("data"), what, length)


def _candles(client: Any, market: Any, step: str, now_ms: int) -> Series:
    bar, spacing = _bar(client, step), timeframe_ns(step) // MS_NS
    newest_ms = now_ms - (_NEWEST_CANDLES - 1) * spacing
    # Contracts state their volume in contracts first, then in the base currency.
    volume, quote_volume = (5, 6) if market.get("spot") else (6, 7)

    async def page(send: Any, first_ms: int, last_ms: int) -> list[Row]:
        answer = await send(
            {
                "instId": market["id"],
                "bar": bar,
                "before": first_ms - 1,
                "after": last_ms + 1,
                "limit": _CANDLES,
            }
        )
        return [
            (int(r[0]), *(float(cell) for cell in r[1:5]), float(r[volume]), float(r[quote_volume]))
            for r in _data(answer, "candles", 9)
            if r[8] == "1"
        ]

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        # Nothing promises that the history has the newest bars, nor that these reach far back.
        rows: list[Row] = []
        if first_ms < newest_ms:
            rows = await page(client.publicGetMarketHistoryCandles, first_ms, last_ms)
        if not rows and last_ms >= newest_ms:
            rows = await page(client.publicGetMarketCandles, first_ms, last_ms)
        return rows

    columns = ("open", "high", "low", "close", "volume", "quote_volume")
    origin = grid_origin_ns(step) // MS_NS
    return Series("candles", columns, _CANDLES, spacing, True, ask, grid_ms=origin)


def _funding(client: Any, market: Any) -> Series:
    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        # With a beginning OKX gives the newest rows of all: page backwards from the end instead.
        answer = await client.publicGetPublicFundingRateHistory(
            {"instId": market["id"], "after": last_ms + 1, "limit": _ROWS}
        )
        return [
            (int(r["fundingTime"]), float(r.get("realizedRate") or r["fundingRate"]))
            for r in _data(answer, "funding-rate-history")
        ]

    spacing = 8 * HOUR_NS // MS_NS
    return Series("funding", ("rate",), _ROWS, spacing, False, ask, kept_ms=_FUNDING_KEPT_MS)


def _metric(client: Any, market: Any, step: str, name: str, column: str, cell: int) -> Series:
    send = getattr(client, f"publicGetRubikStatContracts{name}")
    period, spacing = metric_step(client, step, _METRIC_STEPS), timeframe_ns(step) // MS_NS

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        answer = await send(
            {
                "instId": market["id"],
                "period": period,
                "begin": first_ms - 1,
                "end": last_ms + 1,
                "limit": _ROWS,
            }
        )
        return [(int(r[0]), number(r[cell])) for r in _data(answer, name, cell + 1)]

    kept_ms = _METRICS_KEPT * spacing
    return Series(name, (column,), _ROWS, spacing, True, ask, kept_ms=kept_ms)


def trades(client: Any, market: Any) -> TradeHistory | None:
    """Trades of about three months, numbered by OKX; sizes in the base currency."""
    if market.get("inverse"):
        return None
    size = Decimal("1") if market.get("spot") else Decimal(str(market["contractSize"]))

    async def ask(query: dict[str, Any]) -> list[Row]:
        answer = await client.publicGetMarketHistoryTrades(
            {"instId": market["id"], "type": "1", **query}
        )
        return [
            (
                int(r["ts"]),
                int(r["tradeId"]),
                float(r["px"]),
                float(Decimal(r["sz"]) * size),
                r["side"] == "sell",
            )
            for r in _data(answer, "history-trades")
        ]

    async def latest() -> list[Row]:
        return await ask({"limit": 1})

    async def from_id(trade_id: int, count: int) -> list[Row]:
        # OKX pages by number only backwards: ask for what is below the end of the page.
        return await ask({"after": trade_id + count, "limit": count})

    return TradeHistory(_ROWS, latest, from_id)
