"""Pairs as ccxt and freqtrade name them, in the words of the store: a market and a venue's own
symbol.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...findings import RefusedFileError

_UNIFIED: Final = re.compile(
    r"(?P<base>[A-Za-z0-9]+)/(?P<quote>[A-Za-z0-9]+)(?::(?P<settle>[A-Za-z0-9]+))?"
)
_JOINED: Final = ("binance", "binanceus", "bybit")
"""Venues whose symbol is base and quote without anything between them."""
_VENUES: Final = {"binanceusdm": "binance", "binancecoinm": "binance"}
"""ccxt has several classes for one venue; the market tells their instruments apart."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``base/quote``, or with ``settle`` the perpetual ``base/quote:settle``."""

    base: str
    quote: str
    settle: str | None = None

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}" + (f":{self.settle}" if self.settle else "")

    def market(self, venue: str) -> str:
        """``spot``, or what the store calls a perpetual of this margin at ``venue``."""
        if self.settle is None:
            return "spot"
        linear = self.settle == self.quote
        if venue == "binance":
            return "um_perp" if linear else "cm_perp"
        return "linear_perp" if linear else "inverse_perp"

    def symbol(self, venue: str, path: Path) -> str:
        """The symbol as ``venue`` spells it; RefusedFileError where its spelling is not known here."""
        inverse = self.settle is not None and self.settle != self.quote
        if venue in _JOINED:
            suffix = "_PERP" if venue == "binance" and inverse else ""
            return f"{self.base}{self.quote}{suffix}"
        if venue == "okx":
            return f"{self.base}-{self.quote}" + ("-SWAP" if self.settle else "")
        raise RefusedFileError(
            "mixed_symbol_spelling",
            f"{path}: {self} has a spelling of its own at {venue}, which is not known here; give "
            "the venue's symbol with --symbol",
        )


def unified_pair(text: str, path: Path) -> Pair:
    """The pair that ccxt writes ``BTC/USDT`` or ``BTC/USDT:USDT``.

    RefusedFileError for another spelling, and for contracts with an expiry
    (``BTC/USDT:USDT-240329``).
    """
    match = _UNIFIED.fullmatch(text)
    if match is None:
        raise RefusedFileError(
            "mixed_symbol_spelling",
            f"{path}: symbol={text[:60]!r} is neither a pair such as BTC/USDT nor a perpetual "
            "such as BTC/USDT:USDT; contracts with an expiry need --mapping",
        )
    return Pair(match["base"], match["quote"], match["settle"])


def store_venue(exchange: str) -> str:
    """The venue of a ccxt exchange id: ``binanceusdm`` is ``binance``."""
    return _VENUES.get(exchange, exchange)


def letters(symbol: str) -> str:
    """The letters and digits of a symbol, upper case: ``BTC/USDT`` and ``btc-usdt`` are BTCUSDT."""
    return "".join(character for character in symbol.upper() if character.isalnum())
