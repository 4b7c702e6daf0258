"""Spellings of a symbol: what a person writes, and which market of an exchange it means."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine import ConfigError

QUOTES: Final = (
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDD", "USD1", "DAI", "USD",
    "EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "RUB", "UAH", "ZAR", "PLN", "ARS", "IDR",
    "BTC", "ETH", "BNB", "TRX", "XRP", "SOL",
)  # fmt: skip
"""Currencies that prices are stated in; they end a symbol written without a separator."""
ALIASES: Final[Mapping[str, str]] = {"XBT": "BTC", "XDG": "DOGE"}
"""Codes that some exchanges use for a currency that everyone else calls otherwise."""
_SEPARATORS: Final = re.compile(r"[/_-]")
_PERPETUAL_WORDS: Final = ("SWAP", "PERP", "PERPETUAL")
_CONTRACT_TYPES: Final = ("swap",)
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True, order=True)
class Spelling:
    """One reading of a written symbol: currencies in upper case.

    ``settle`` is the currency of profit and margin where the spelling says it; ``is_perpetual`` is
    None where the spelling does not say whether spot or a perpetual is meant.
    """

    base: str
    quote: str
    settle: str | None = None
    is_perpetual: bool | None = None

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}" + (f":{self.settle}" if self.settle else "")


def spellings(text: str) -> tuple[Spelling, ...]:
    """Every reading of ``text``: BTC/USDT, BTC-USDT, BTC_USDT, btcusdt, BTC/USDT:USDT, BTC-USDT-SWAP.

    Only a symbol without a separator can have several readings (BTUSD is BT/USD or B/TUSD). A slash
    without a settlement currency means spot, as everywhere in ccxt. Raises ConfigError for a text
    that has no reading.
    """
    word = text.strip().upper()
    pair, colon, settle = word.partition(":")
    parts = _SEPARATORS.split(pair)
    perpetual = True if colon else (False if "/" in pair else None)
    if len(parts) > 2 and parts[-1] in _PERPETUAL_WORDS:
        parts, perpetual = parts[:-1], True
    elif len(parts) == 2 and parts[-1] in _PERPETUAL_WORDS and "/" not in pair:
        parts, perpetual = parts[:1], True
    if not all(part.isalnum() for part in parts) or (colon and not settle.isalnum()):
        raise _unreadable(text)
    if len(parts) == 1:
        pairs = _split(parts[0])
    elif len(parts) == 2:
        pairs = [(parts[0], parts[1])]
    else:
        pairs = []
    if not pairs:
        raise _unreadable(text)
    settled = ALIASES.get(settle, settle) or None
    return tuple(
        Spelling(ALIASES.get(base, base), ALIASES.get(quote, quote), settled, perpetual)
        for base, quote in pairs
    )


def _split(word: str) -> list[tuple[str, str]]:
    return [
        (word[: -len(quote)], quote)
        for quote in QUOTES
        if word.endswith(quote) and len(word) > len(quote)
    ]


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        f"symbol {text!r} cannot be read; write BTC/USDT for spot, BTC/USDT:USDT for a perpetual, or "
        "the name that the exchange uses"
    )


def market_of(
    markets: Mapping[str, Mapping[str, Any]], text: str, exchange: str, wanted: str | None = None
) -> Mapping[str, Any]:
    """The one spot or perpetual market of ``markets`` (as ccxt describes them) that ``text`` names.

    ``wanted`` narrows the choice to ``spot``, ``linear`` or ``inverse`` markets. A spelling that ccxt
    or the exchange itself uses wins over another reading. Raises ConfigError when no market fits,
    naming similar ones, or when several do, naming all of them.
    """
    known = [market for market in markets.values() if _is_offered(market, wanted)]
    exact = [m for m in known if m["symbol"].upper() == text.strip().upper()]
    fitting = exact or [m for m in known if str(m["id"]).upper() == text.strip().upper()]
    if not fitting:
        # A slash means spot, except where there is no spot market to mean.
        has_spot = any(market.get("spot") for market in known)
        fitting = [m for m in known if any(_fits(m, r, has_spot) for r in spellings(text))]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(sorted(market["symbol"] for market in fitting))
        raise ConfigError(
            f"{exchange}: symbol {text!r} may be {names}; write one of these, or say which market"
        )
    kinds = f"{wanted} markets" if wanted else "spot and perpetual markets"
    raise ConfigError(
        f"{exchange}: there is no {text!r} among its {len(known)} {kinds}{_similar(known, text)}"
    )


def _is_offered(market: Mapping[str, Any], wanted: str | None) -> bool:
    if market.get("spot"):
        return wanted in (None, "spot")
    if market.get("type") not in _CONTRACT_TYPES:
        return False
    return wanted is None or bool(market.get(wanted))


def _fits(market: Mapping[str, Any], reading: Spelling, has_spot: bool) -> bool:
    if (market["base"], market["quote"]) != (reading.base, reading.quote):
        return False
    if reading.is_perpetual and market.get("spot"):
        return False
    if reading.is_perpetual is False and has_spot and not market.get("spot"):
        return False
    return reading.settle is None or market.get("settle") == reading.settle


def _similar(known: Iterable[Mapping[str, Any]], text: str) -> str:
    names = {market["symbol"].upper(): market["symbol"] for market in known}
    try:
        asked = [str(reading) for reading in spellings(text)]
    except ConfigError:
        asked = [text.upper()]
    same_pair = [s for n, s in sorted(names.items()) if any(n.startswith(a) for a in asked)]
    near = same_pair or [
        names[name] for name in difflib.get_close_matches(asked[0], list(names), n=3, cutoff=0.6)
    ]
    return f"; did you mean {', '.join(near[:_SHOWN])}?" if near else ""
