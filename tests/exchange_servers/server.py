"""One server for all exchanges, in a thread of its own, on a free port."""

import asyncio
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any

from aiohttp import web

from . import archive, binance, bybit, okx
from .faults import Faults
from .truth import World, draw

_FAULT = web.RequestKey("fault", str)
_STATUS = {"status_429": 429, "status_418": 418, "status_500": 500, "status_503": 503}
_KEPT = (
    "timestamp", "fundingTime", "fundingRateTimestamp", "symbol", "instId", "time", "T", "a", "ts",
    "tradeId", "execId", "side",
)  # fmt: skip
"""Cells that name a row; a torn page has other values for the same name."""
_HTML = "<html><head><title>Just a moment...</title></head><body>Checking</body></html>"


class ExchangeServer:
    """Answers as Binance, Bybit and OKX do about ``world``; ``faults`` may be changed at any time.

    ``symbols`` are pairs (base, quote) that are traded, on spot and as linear perpetual, everywhere.
    ``requests`` counts requests by address, ``arrivals`` has when each came. ``canned``
    gives the body of every answer of an address, ``retry_after`` is what refusals say, and
    ``most_at_once`` how many requests were open at one time. Used as a context manager.
    """

    def __init__(
        self,
        world: World,
        *,
        symbols: tuple[tuple[str, str], ...] = (("BTC", "USDT"), ("ETH", "USDT")),
        faults: Faults | None = None,
        page_rows: int | None = None,
        slow_seconds: float = 1.0,
    ) -> None:
        self.world = world
        self.symbols = symbols
        self.faults = faults or Faults()
        self.page_rows = page_rows
        self.slow_seconds = slow_seconds
        self.requests: Counter[str] = Counter()
        self.arrivals: list[tuple[float, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self.retry_after = "0.01"
        self.canned: dict[str, str] = {}
        self.queries: list[tuple[str, dict[str, str]]] = []
        self.archive = archive.Archive()
        self.base_url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> "ExchangeServer":
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _start(self) -> None:
        app = web.Application(middlewares=[self._counted, self._faulty])
        for module in (binance, bybit, okx, archive):
            module.add_routes(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}"

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        # An answer may still be kept back on purpose when its client has gone.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def settings(self, exchange: str) -> dict[str, Any]:
        """Settings of ccxt with which ``exchange`` is this server."""
        module = {"binance": binance, "binanceusdm": binance, "bybit": bybit, "okx": okx}[exchange]
        return {
            "urls": {"api": module.urls(self.base_url)},
            "rateLimit": 0.1,
            # Short only where it is to pass: a busy machine must not look like a slow exchange.
            "timeout": 400 if "slow" in self.faults.names else 20_000,
            "timeout_on_exit": 0,
        }

    @web.middleware
    async def _counted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            response: web.StreamResponse = await handler(request)
            return response
        finally:
            self._at_once -= 1

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests[request.path] += 1
        self.arrivals.append((time.monotonic(), request.path))
        query = dict(request.query)
        self.queries.append((request.path, query))
        symbol = query.get("symbol") or query.get("instId") or ""
        if request.path in self.canned:
            return web.Response(text=self.canned[request.path], content_type="application/json")
        fault = self.faults.next(request.path, symbol)
        request[_FAULT] = fault
        if fault in _STATUS:
            return web.Response(
                status=_STATUS[fault], text="slow down", headers={"Retry-After": self.retry_after}
            )
        if fault == "drop_before":
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if fault == "html":
            return web.Response(text=_HTML, content_type="text/html")
        if fault == "empty_body":
            return web.Response(text="", content_type="application/json")
        if fault == "slow":
            await asyncio.sleep(self.slow_seconds)
        response: web.StreamResponse = await handler(request)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            if fault == "truncated":
                cut = response.body[: max(1, len(response.body) // 2)]
                return web.Response(body=cut, content_type="application/json")
            if fault == "drop_body":
                return await self._dropped(request, response.body)
        return response

    async def _dropped(self, request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.content_length = len(body) + 10
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    def page(self, request: web.Request, rows: list[Any]) -> list[Any]:
        """``rows`` as they go out, spoilt if the fault of the request says so."""
        fault = request[_FAULT]
        if fault == "empty_page":
            return []
        if fault == "short_page" and len(rows) > 1:
            cut = draw(request.path_qs, "cut") % len(rows)
            return [*rows[:cut], *rows[cut + 1 + len(rows) // 3 :]]
        if fault == "torn_page" and rows:
            # The same row wherever it is asked for, so that asking again can meet it again.
            return [*rows, self._altered(min(rows, key=lambda row: draw(str(row))))]
        if fault == "duplicates":
            return [row for row in rows for _ in range(2)]
        if fault == "shuffled":
            return sorted(rows, key=lambda row: draw(str(row)))
        return rows

    def _altered(self, row: Any) -> Any:
        """The same row with other values, same time and number."""
        if isinstance(row, list):
            return [*row[:1], *("1.5" if isinstance(cell, str) else cell for cell in row[1:])]
        return {
            name: cell if name in _KEPT or not isinstance(cell, str) else "1.5"
            for name, cell in row.items()
        }

    def limit(self, request: web.Request, default: int, most: int) -> int:
        """Rows that one answer holds at most."""
        asked = int(request.query.get("limit", default))
        return min(asked, most if self.page_rows is None else min(most, self.page_rows))

    def pair(self, base_quote: str) -> bool:
        """True for the id of a traded pair, such as BTCUSDT."""
        return any(f"{base}{quote}" == base_quote for base, quote in self.symbols)
