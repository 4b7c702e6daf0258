"""Exchanges and symbols as Tardis names them: venue and market of the store, and what an amount
counts.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["coin", "usd", "unstated"]
_SPOT: Final = {
    "binance": "binance",
    "binance-us": "binanceus",
    "bybit-spot": "bybit",
    "okex": "okx",
    "coinbase": "coinbase",
    "kraken": "kraken",
    "bitstamp": "bitstamp",
    "bitfinex": "bitfinex",
    "gemini": "gemini",
    "huobi": "huobi",
    "kucoin": "kucoin",
    "gate-io": "gateio",
    "upbit": "upbit",
}
_LINEAR: Final = re.compile(r".*(USDT|USDC|BUSD|PERP)")
_INVERSE: Final = re.compile(r"[A-Z0-9]+USD")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows these are: ``market`` is None where the symbol does not say it.

    ``unit`` says what an amount counts: coins, US dollars (contracts of ``contract_usd`` dollars),
    or contracts whose size is not known here.
    """

    venue: str
    market: str | None
    unit: Unit
    contract_usd: float = 1.0


def owner_of(exchange: str, symbol: str) -> Owner:
    """The owner of the rows of ``exchange`` and ``symbol``; an unknown exchange is a venue of its
    own.
    """
    if exchange in _SPOT:
        return Owner(_SPOT[exchange], "spot", "coin")
    derivatives = {
        "binance-futures": _binance_futures,
        "binance-delivery": _binance_delivery,
        "bybit": _bybit,
        "bitmex": _bitmex,
        "deribit": _deribit,
        "okex-swap": _okx_swap,
    }
    if exchange in derivatives:
        return derivatives[exchange](symbol)
    return Owner(exchange, None, "unstated")


def _binance_futures(symbol: str) -> Owner:
    return Owner("binance", "um_future" if "_" in symbol else "um_perp", "coin")


def _binance_delivery(symbol: str) -> Owner:
    market = "cm_perp" if symbol.endswith("_PERP") else "cm_future"
    return Owner("binance", market, "usd", 100.0 if symbol.startswith("BTCUSD_") else 10.0)


def _bybit(symbol: str) -> Owner:
    if "-" not in symbol and _LINEAR.fullmatch(symbol):
        return Owner("bybit", "linear_perp", "coin")
    if _INVERSE.fullmatch(symbol):
        return Owner("bybit", "inverse_perp", "usd")
    return Owner("bybit", None, "unstated")


def _bitmex(symbol: str) -> Owner:
    # Only this contract of BitMEX is worth one dollar; the others have sizes of their own.
    if symbol == "XBTUSD":
        return Owner("bitmex", "inverse_perp", "usd")
    return Owner("bitmex", None, "unstated")


def _deribit(symbol: str) -> Owner:
    if not symbol.endswith("-PERPETUAL"):
        return Owner("deribit", None, "unstated")
    if "_" in symbol:
        return Owner("deribit", "linear_perp", "coin")
    return Owner("deribit", "inverse_perp", "usd")


def _okx_swap(symbol: str) -> Owner:
    market = "inverse_perp" if symbol.endswith("-USD-SWAP") else "linear_perp"
    return Owner("okx", market, "unstated")
