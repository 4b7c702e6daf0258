"""OKX v5. Newest rows first; both ends of a period are exclusive.

The newest bars are at ``candles``, older ones at ``history-candles``; statistics reach 1440 periods
back.
"""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from .truth import DAY_MS, HOUR_MS, MINUTE_MS, amount, cents, draw, fine, rate

if TYPE_CHECKING:
    from .server import ExchangeServer

_BARS = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "1H": HOUR_MS, "1Dutc": DAY_MS}
_RATIOS = {
    "long-short-account-ratio-contract": "accounts",
    "long-short-account-ratio-contract-top-trader": "top_accounts",
    "long-short-position-ratio-contract-top-trader": "top_positions",
}
NEWEST = 1440
"""So many bars ``candles`` has, and so many periods the statistics."""
HISTORY_LAG = 3
"""So many closed bars ``history-candles`` does not have yet."""
CONTRACT = 100
"""Contracts per unit of the base currency."""


def urls(base: str) -> dict[str, str]:
    """ccxt's addresses."""
    return {"rest": base}


def add_routes(app: web.Application, server: "ExchangeServer") -> None:
    """All addresses of OKX."""

    def world() -> Any:
        return server.world

    def answered(rows: list[Any]) -> web.Response:
        return web.json_response({"code": "0", "msg": "", "data": rows})

    def period(request: web.Request, low: str, high: str) -> tuple[int, int]:
        first = int(request.query.get(low, -1)) + 1
        last = int(request.query.get(high, world().now_ms + 1)) - 1
        return first, last

    async def clock(_: web.Request) -> web.Response:
        return answered([{"ts": str(world().now_ms)}])

    async def instruments(request: web.Request) -> web.Response:
        kind = request.query["instType"]
        rows = [_instrument(base, quote, kind) for base, quote in server.symbols]
        return answered(server.page(request, rows))

    def bars(request: web.Request, first_ms: int, last_ms: int) -> web.Response:
        name, step_ms = request.query["instId"], _BARS[request.query["bar"]]
        low, high = period(request, "before", "after")
        times = world().times(max(low, first_ms), min(high, last_ms), step_ms)
        rows = []
        for t in reversed(times[-server.limit(request, 100, 300) :]):
            bar = world().bar(_symbol(name), t, step_ms)
            prices = [cents(cell) for cell in (bar.open, bar.high, bar.low, bar.close)]
            contracts = str(bar.volume * CONTRACT)
            base, quote = cents(bar.volume), cents(bar.quote_volume)
            flows = [contracts, base, quote] if name.endswith("SWAP") else [base, quote, quote]
            rows.append([str(t), *prices, *flows, "1" if t + step_ms <= world().now_ms else "0"])
        return answered(server.page(request, rows))

    async def candles(request: web.Request) -> web.Response:
        kept_ms = NEWEST * _BARS[request.query["bar"]]
        return bars(request, world().now_ms - kept_ms, world().now_ms)

    async def history_candles(request: web.Request) -> web.Response:
        lag_ms = (1 + HISTORY_LAG) * _BARS[request.query["bar"]]
        return bars(request, 0, world().now_ms - lag_ms)

    def statistics(request: web.Request) -> list[int]:
        step_ms = _BARS[request.query["period"]]
        first, last = period(request, "begin", "end")
        times = world().times(max(first, world().now_ms - NEWEST * step_ms), last, step_ms)
        return times[-server.limit(request, 100, 100) :][::-1]

    async def funding(request: web.Request) -> web.Response:
        name = request.query["instId"]
        first, last = period(request, "before", "after")
        # OKX keeps about three months.
        times = world().settlements(max(first, world().now_ms - 92 * DAY_MS), last)
        rows = [
            {
                "instType": "SWAP",
                "instId": name,
                "fundingRate": fine(rate(_symbol(name), t) + 1),
                "realizedRate": fine(rate(_symbol(name), t)),
                "fundingTime": str(t),
            }
            for t in reversed(times[-server.limit(request, 100, 100) :])
        ]
        return answered(server.page(request, rows))

    async def open_interest(request: web.Request) -> web.Response:
        name = request.query["instId"]
        rows = []
        for t in statistics(request):
            base = amount(_symbol(name), "oi", t)
            rows.append([str(t), fine(base * CONTRACT, 4), fine(base, 4), fine(base * 7, 4)])
        return answered(server.page(request, rows))

    def ratio(label: str) -> Any:
        async def answer(request: web.Request) -> web.Response:
            name = request.query["instId"]
            rows = [[str(t), fine(amount(_symbol(name), label, t), 4)] for t in statistics(request)]
            return answered(server.page(request, rows))

        return answer

    async def trades(request: web.Request) -> web.Response:
        name, limit = request.query["instId"], server.limit(request, 100, 100)
        last = min(world().last_trade_id, int(request.query.get("after", 10**15)) - 1)
        first = max(world().first_kept_trade_id, last + 1 - limit)
        rows = []
        for number in range(last, first - 1, -1):
            time_ms, number, cost, size, is_maker = world().trade(_symbol(name), number)
            rows.append(
                {
                    "instId": name,
                    "side": "sell" if is_maker else "buy",
                    "sz": str(size) if name.endswith("SWAP") else cents(size),
                    "px": cents(cost),
                    "tradeId": str(number),
                    "ts": str(time_ms),
                }
            )
        return answered(server.page(request, rows))

    app.router.add_get("/api/v5/public/time", clock)
    app.router.add_get("/api/v5/public/instruments", instruments)
    app.router.add_get("/api/v5/public/funding-rate-history", funding)
    app.router.add_get("/api/v5/market/candles", candles)
    app.router.add_get("/api/v5/market/history-candles", history_candles)
    app.router.add_get("/api/v5/market/history-trades", trades)
    rubik = "/api/v5/rubik/stat/contracts"
    app.router.add_get(f"{rubik}/open-interest-history", open_interest)
    for address, label in _RATIOS.items():
        app.router.add_get(f"{rubik}/{address}", ratio(label))


def _symbol(name: str) -> str:
    base, quote = name.split("-")[:2]
    return f"{base}{quote}"


def _instrument(base: str, quote: str, kind: str) -> dict[str, Any]:
    is_swap = kind == "SWAP"
    return {
        "instType": kind,
        "instId": f"{base}-{quote}" + ("-SWAP" if is_swap else ""),
        "instIdCode": draw(base, quote, kind) % 10_000,
        "baseCcy": "" if is_swap else base,
        "quoteCcy": "" if is_swap else quote,
        "settleCcy": quote if is_swap else "",
        "uly": f"{base}-{quote}" if is_swap else "",
        "instFamily": f"{base}-{quote}" if is_swap else "",
        "ctVal": "0.01" if is_swap else "",
        "ctValCcy": base if is_swap else "",
        "ctType": "linear" if is_swap else "",
        "state": "live",
        "listTime": "1548133413000",
        "lotSz": "1",
        "minSz": "1",
        "tickSz": "0.1",
        "lever": "10",
    }
