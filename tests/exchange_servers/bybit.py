"""Bybit v5. Newest rows first, and of a longer period only the newest."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .truth import DAY_MS, HOUR_MS, MINUTE_MS, amount, cents, fine, rate

if TYPE_CHECKING:
    from .server import ExchangeServer

_INTERVALS = {"1": MINUTE_MS, "5": 5 * MINUTE_MS, "60": HOUR_MS, "D": DAY_MS}
_PERIODS = {"5min": 5 * MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS}


def urls(base: str) -> dict[str, str]:
    """ccxt's addresses."""
    return {"public": base}


def add_routes(app: web.Application, server: "ExchangeServer") -> None:
    """All addresses of Bybit."""

    def world() -> Any:
        return server.world

    def answered(result: dict[str, Any]) -> web.Response:
        return web.json_response(
            {
                "retCode": 0,
                "retMsg": "OK",
                "result": result,
                "retExtInfo": {},
                "time": world().now_ms,
            }
        )

    def listed(request: web.Request, rows: list[Any]) -> web.Response:
        found: dict[str, Any] = {"list": server.page(request, rows)}
        # The rows of these name the symbol themselves.
        if not request.path.endswith(("account-ratio", "funding/history", "recent-trade")):
            found["symbol"] = request.query["symbol"]
        return answered(found)

    async def clock(_: web.Request) -> web.Response:
        now = world().now_ms
        return answered({"timeSecond": str(now // 1000), "timeNano": str(now * 10**6)})

    async def instruments(request: web.Request) -> web.Response:
        category = request.query["category"]
        rows = [_instrument(base, quote, category) for base, quote in server.symbols]
        return answered(
            {"category": category, "list": server.page(request, rows), "nextPageCursor": ""}
        )

    async def kline(request: web.Request) -> web.Response:
        query = request.query
        symbol, step_ms = query["symbol"], _INTERVALS[query["interval"]]
        times = world().times(
            int(query.get("start", 0)), int(query.get("end", world().now_ms)), step_ms
        )
        rows = []
        for t in reversed(times[-server.limit(request, 200, 1000) :]):
            bar = world().bar(symbol, t, step_ms)
            prices = [cents(cell) for cell in (bar.open, bar.high, bar.low, bar.close)]
            rows.append([str(t), *prices, cents(bar.volume), cents(bar.quote_volume)])
        return listed(request, rows)

    async def funding(request: web.Request) -> web.Response:
        query = request.query
        symbol = query["symbol"]
        if "startTime" in query and "endTime" not in query:
            return web.json_response(
                {"retCode": 10001, "retMsg": "endTime is required", "result": {}}
            )
        times = world().settlements(
            int(query.get("startTime", 0)), int(query.get("endTime", world().now_ms))
        )
        rows = [
            {"symbol": symbol, "fundingRate": fine(rate(symbol, t)), "fundingRateTimestamp": str(t)}
            for t in reversed(times[-server.limit(request, 200, 200) :])
        ]
        return listed(request, rows)

    async def open_interest(request: web.Request) -> web.Response:
        query = request.query
        symbol, step_ms = query["symbol"], _PERIODS[query["intervalTime"]]
        times = world().times(int(query.get("startTime", 0)), int(query["endTime"]), step_ms)
        rows = [
            {"openInterest": fine(amount(symbol, "oi", t), 4), "timestamp": str(t)}
            for t in reversed(times[-server.limit(request, 50, 200) :])
        ]
        return listed(request, rows)

    async def account_ratio(request: web.Request) -> web.Response:
        query = request.query
        symbol, step_ms = query["symbol"], _PERIODS[query["period"]]
        times = world().times(int(query.get("startTime", 0)), int(query["endTime"]), step_ms)
        rows = [
            {
                "symbol": symbol,
                "buyRatio": fine(4_000 + amount(symbol, "accounts", t) % 2_000, 4),
                "sellRatio": fine(6_000 - amount(symbol, "accounts", t) % 2_000, 4),
                "timestamp": str(t),
            }
            for t in reversed(times[-server.limit(request, 50, 500) :])
        ]
        return listed(request, rows)

    async def recent_trade(request: web.Request) -> web.Response:
        query = request.query
        symbol, last = query["symbol"], world().last_trade_id
        most = 60 if query["category"] == "spot" else 1000
        numbers = range(last, last - server.limit(request, most, most), -1)
        rows = []
        for time_ms, number, cost, size, is_maker in (world().trade(symbol, n) for n in numbers):
            rows.append(
                {
                    "execId": f"{number:08x}-uuid",
                    "symbol": symbol,
                    "price": cents(cost),
                    "size": cents(size),
                    "side": "Sell" if is_maker else "Buy",
                    "time": str(time_ms),
                }
            )
        return listed(request, rows)

    prefix = "/v5/market"
    app.router.add_get(f"{prefix}/time", clock)
    app.router.add_get(f"{prefix}/instruments-info", instruments)
    app.router.add_get(f"{prefix}/kline", kline)
    app.router.add_get(f"{prefix}/funding/history", funding)
    app.router.add_get(f"{prefix}/open-interest", open_interest)
    app.router.add_get(f"{prefix}/account-ratio", account_ratio)
    app.router.add_get(f"{prefix}/recent-trade", recent_trade)


def _instrument(base: str, quote: str, category: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "symbol": f"{base}{quote}",
        "baseCoin": base,
        "quoteCoin": quote,
        "status": "Trading",
        "priceFilter": {"tickSize": "0.01", "minPrice": "0.01", "maxPrice": "1999999.98"},
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.0000001",
            "minOrderQty": "0.001",
            "maxOrderQty": "100",
            "qtyStep": "0.001",
        },
    }
    if category == "linear":
        found |= {
            "contractType": "LinearPerpetual",
            "settleCoin": quote,
            "launchTime": "1584230400000",
            "deliveryTime": "0",
            "fundingInterval": 240,
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
        }
    return found
