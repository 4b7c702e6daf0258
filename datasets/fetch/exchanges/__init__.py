"""What each exchange offers, one file per exchange, all of one shape.

A file has ``series(client, market, kind, step, now_ms)``, the histories of which a data set is made
(joined by time), and ``trades(client, market)``. ``client`` is an exchange of ccxt, ``market`` its
description of a market, ``now_ms`` the clock of the exchange.
Requests are made with ccxt's methods for single addresses where its unified ones drop columns or lose
rows.
"""

from types import ModuleType
from typing import Any, Final

from engine import ConfigError

from ..series import Series, TradeHistory
from . import binance, bybit, okx, unified

_MODULES: Final = {"binance": binance, "binanceusdm": binance, "bybit": bybit, "okx": okx}
"""Exchanges with a file of their own; all others go through ccxt's unified methods."""
FETCHED_KINDS: Final = ("ohlcv", "funding", "metrics", "trades")


def module_of(exchange: str) -> ModuleType:
    """The file that knows ``exchange``."""
    return _MODULES.get(exchange, unified)


def series_of(client: Any, market: Any, kind: str, step: str, now_ms: int) -> tuple[Series, ...]:
    """The histories that make up rows of ``kind``; ConfigError where the exchange offers none."""
    found: tuple[Series, ...] = module_of(client.id).series(client, market, kind, step, now_ms)
    if not found:
        raise ConfigError(
            f"{client.id}: offers no history of {kind} for {market['symbol']}"
            + ("; write a perpetual, such as BTC/USDT:USDT" if market.get("spot") else "")
        )
    return found


def trades_of(client: Any, market: Any) -> TradeHistory:
    """The trades of a market; ConfigError where the exchange offers none."""
    found: TradeHistory | None = module_of(client.id).trades(client, market)
    if found is None:
        raise ConfigError(f"{client.id}: offers no trades of {market['symbol']}")
    return found


def venue_and_market(client: Any, market: Any) -> tuple[str, str]:
    """How the store names the venue and the market of what ccxt describes as ``market``."""
    is_binance = client.id.startswith("binance")
    venue = "binance" if client.id in ("binance", "binanceusdm", "binancecoinm") else str(client.id)
    if market.get("spot"):
        return venue, "spot"
    if market.get("linear"):
        return venue, "um_perp" if is_binance else "linear_perp"
    return venue, "cm_perp" if is_binance else "inverse_perp"
