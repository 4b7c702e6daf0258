"""What is said of coins by name: sectors, stable and wrapped coins, and renamings.

A table of this repository's own, kept by hand: the layers are those of the rotation that
``indicators/rotation.py`` measures, the others follow the categories under which coin lists (CoinGecko,
CoinMarketCap) show these coins. A coin that died stays in it, so that no index is one of survivors;
what is listed decides each day who counts. A coin that no line names is in no sector.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from engine import ConfigError

from .symbols import ALIASES, spellings
from .timestamps import time_ns_of

SECTORS: Final[Mapping[str, tuple[str, ...]]] = {
    "defi": (
        "1INCH", "AAVE", "ANC", "BAL", "BNT", "CAKE", "COMP", "CRV", "CVX", "DYDX", "ENA", "EPS",
        "GMX", "JST", "JUP", "KNC", "LDO", "LQTY", "MKR", "MORPHO", "OSMO", "PENDLE", "RAMP", "RPL",
        "RUNE", "SKY", "SNX", "SPELL", "SRM", "SUN", "SUSHI", "TRIBE", "UMA", "UNI", "WOO", "XVS",
        "YFI", "ZRX",
    ),
    "layer_1": ("ADA", "ALGO", "ATOM", "AVAX", "DOT", "ETH", "FTM", "LUNA", "NEAR", "S", "SOL"),
    "layer_2": ("ARB", "IMX", "LRC", "MATIC", "METIS", "OP", "POL"),
    "meme": (
        "BOME", "BONK", "BRETT", "DOGE", "DOGS", "FARTCOIN", "FLOKI", "MEME", "MOG", "NEIRO", "PEPE",
        "PNUT", "POPCAT", "SHIB", "SPX", "TRUMP", "TURBO", "WIF",
    ),
    "gaming": (
        "ALICE", "APE", "AXS", "BEAM", "BEAMX", "ENJ", "GALA", "GMT", "HIGH", "ILV", "MAGIC", "MANA",
        "PIXEL", "SAND", "SLP", "SUPER", "TLM", "VANRY", "YGG",
    ),
    "ai": (
        "AGIX", "AIXBT", "AKT", "ARKM", "CGPT", "COOKIE", "FET", "IO", "KAITO", "NMR", "OCEAN", "PHB",
        "RENDER", "RLC", "RNDR", "TAO", "VIRTUAL", "VVV", "WLD",
    ),
}  # fmt: skip
"""Base currencies of each sector; LUNA is both of the coins that have had that name."""
STABLE: Final = frozenset({
    "AEUR", "BUSD", "DAI", "EUR", "EURI", "FDUSD", "FRAX", "GUSD", "LUSD", "PAX", "PYUSD", "SUSD",
    "TUSD", "USD1", "USDC", "USDD", "USDE", "USDP", "USDS", "USDSB", "USDT", "UST", "USTC", "XUSD",
})  # fmt: skip
"""Coins that follow a currency, those that failed to included."""
WRAPPED: Final = frozenset({
    "BETH", "BNSOL", "CBBTC", "CBETH", "PAXG", "RETH", "STETH", "WBETH", "WBTC", "WEETH", "WETH", "WSTETH",
    "XAUT",
})  # fmt: skip
"""Coins that stand for another coin or for gold: wrapped, staked and asset-backed ones."""
_MULTIPLIER: Final = re.compile(r"^10{3,6}(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Rename:
    """A coin that was exchanged one for one: ``old`` until ``since_ns`` (int64 ns UTC), then ``new``."""

    old: str
    new: str
    since_ns: int


RENAMES: Final = (
    Rename("RNDR", "RENDER", time_ns_of("2024-07-26", "RENDER")),
    Rename("MATIC", "POL", time_ns_of("2024-09-13", "POL")),
    Rename("FTM", "S", time_ns_of("2025-01-16", "S")),
)
"""Days on which Binance opened the pairs of the new coin; those of the old one had closed."""


def base_of(symbol: str, quote: str) -> str:
    """The coin that ``symbol`` prices in ``quote``: 1000SHIBUSDT is of SHIB.

    Raises ConfigError for a symbol that cannot be read or is priced in something else.
    """
    word = symbol.strip().upper()
    if word.isalnum() and word.endswith(quote) and word != quote:
        bases = [word.removesuffix(quote)]
    else:
        bases = [one.base for one in spellings(symbol) if one.quote == quote]
    if not bases:
        raise ConfigError(
            f"symbol {symbol!r} is not priced in {quote}; leave it out, or name its quote currency"
        )
    return _MULTIPLIER.sub("", ALIASES.get(bases[0], bases[0]), count=1)


def renamed(base: str) -> str:
    """The name under which ``base`` goes on today."""
    return next((one.new for one in RENAMES if one.old == base), base)
