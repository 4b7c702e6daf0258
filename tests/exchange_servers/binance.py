"""Binance: /api/v3, /fapi/v1 and /futures/data. Oldest rows first."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .truth import DAY_MS, STEPS_MS, amount, cents, fine, price, rate

if TYPE_CHECKING:
    from .server import ExchangeServer

_METRICS = {
    "openInterestHist": (("sumOpenInterest", "oi"), ("sumOpenInterestValue", "oi_value")),
    "topLongShortAccountRatio": (("longShortRatio", "top_accounts"),),
    "topLongShortPositionRatio": (("longShortRatio", "top_positions"),),
    "globalLongShortAccountRatio": (("longShortRatio", "accounts"),),
    "takerlongshortRatio": (("buySellRatio", "taker"), ("buyVol", "bought"), ("sellVol", "sold")),
}


def urls(base: str) -> dict[str, str]:
    """ccxt's addresses."""
    return {
        "public": f"{base}/api/v3",
        "fapiPublic": f"{base}/fapi/v1",
        "fapiData": f"{base}/futures/data",
    }


def kline(world: Any, symbol: str, open_ms: int, step_ms: int) -> list[Any]:
    """One row of twelve cells."""
    bar = world.bar(symbol, open_ms, step_ms)
    return [
        open_ms,
        cents(bar.open),
        cents(bar.high),
        cents(bar.low),
        cents(bar.close),
        cents(bar.volume),
        open_ms + step_ms - 1,
        cents(bar.quote_volume),
        bar.trades,
        cents(bar.taker_volume),
        cents(bar.taker_quote),
        "0",
    ]


def agg_trade(world: Any, symbol: str, number: int) -> dict[str, Any]:
    """One aggregated trade."""
    time_ms, number, cost, size, is_maker = world.trade(symbol, number)
    return {
        "a": number, "p": cents(cost), "q": cents(size), "f": number, "l": number,
        "T": time_ms, "m": is_maker, "M": True,
    }  # fmt: skip


def add_routes(app: web.Application, server: "ExchangeServer") -> None:
    """All addresses of Binance."""

    def world() -> Any:
        return server.world

    def refused(code: int, message: str) -> web.Response:
        return web.json_response({"code": code, "msg": message}, status=400)

    async def clock(_: web.Request) -> web.Response:
        return web.json_response({"serverTime": world().now_ms})

    def info(linear: bool) -> Any:
        async def answer(request: web.Request) -> web.Response:
            listed = [_symbol(base, quote, linear, world()) for base, quote in server.symbols]
            return web.json_response(
                {
                    "timezone": "UTC",
                    "serverTime": world().now_ms,
                    "symbols": server.page(request, listed),
                }
            )

        return answer

    async def klines(request: web.Request) -> web.Response:
        query = request.query
        if not server.pair(query["symbol"]):
            return refused(-1121, "Invalid symbol.")
        step_ms = STEPS_MS[query["interval"]]
        times = world().times(
            int(query.get("startTime", 0)), int(query.get("endTime", world().now_ms)), step_ms
        )
        rows = [
            kline(world(), query["symbol"], t, step_ms)
            for t in times[: server.limit(request, 500, 1000)]
        ]
        return web.json_response(server.page(request, rows))

    async def funding(request: web.Request) -> web.Response:
        query = request.query
        symbol = query["symbol"]
        start, end = int(query["startTime"]), int(query["endTime"])
        # The archive and the API stamp some settlements a few milliseconds late.
        late = {t: t + t // 3_600_000 % 7 for t in world().settlements(start - 7, end)}
        times = [t for t, stamp in late.items() if start <= stamp <= end]
        rows = [
            {
                "symbol": symbol,
                "fundingTime": late[t],
                "fundingRate": fine(rate(symbol, t)),
                "markPrice": cents(price(symbol, t)) if t % (16 * 3_600_000) else "",
            }
            for t in times[: server.limit(request, 100, 1000)]
        ]
        return web.json_response(server.page(request, rows))

    def metric(name: str) -> Any:
        async def answer(request: web.Request) -> web.Response:
            query = request.query
            start, end = int(query["startTime"]), int(query["endTime"])
            if start < world().now_ms - 30 * DAY_MS:
                return refused(-1130, "parameter 'startTime' is invalid.")
            times = world().times(start, end, STEPS_MS[query["period"]])
            symbol = query["symbol"]
            rows = [
                {"symbol": symbol, "timestamp": t}
                | {field: fine(amount(symbol, label, t), 4) for field, label in _METRICS[name]}
                for t in times[-server.limit(request, 30, 500) :]
            ]
            return web.json_response(server.page(request, rows))

        return answer

    async def trades(request: web.Request) -> web.Response:
        query, limit = request.query, server.limit(request, 500, 1000)
        symbol, last = query["symbol"], world().last_trade_id
        first = int(query.get("fromId", last + 1 - limit))
        first = max(first, world().first_kept_trade_id)
        numbers = range(first, min(last, first + limit - 1) + 1)
        rows = [agg_trade(world(), symbol, number) for number in numbers]
        return web.json_response(server.page(request, rows))

    for prefix, linear in (("/api/v3", False), ("/fapi/v1", True)):
        app.router.add_get(f"{prefix}/time", clock)
        app.router.add_get(f"{prefix}/exchangeInfo", info(linear))
        app.router.add_get(f"{prefix}/klines", klines)
        app.router.add_get(f"{prefix}/aggTrades", trades)
    app.router.add_get("/fapi/v1/fundingRate", funding)
    for name in _METRICS:
        app.router.add_get(f"/futures/data/{name}", metric(name))


def _symbol(base: str, quote: str, linear: bool, world: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "symbol": f"{base}{quote}",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"},
        ],
        "permissions": ["SPOT"],
        "isSpotTradingAllowed": True,
    }  # fmt: skip
    if linear:
        found |= {
            "pair": f"{base}{quote}",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": world.listed_ms,
            "marginAsset": quote,
            "underlyingType": "COIN",
        }
    return found
