"""Exchanges of ccxt, made from settings, with answers that are checked and a clock that is theirs."""

import asyncio
import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

from engine import ConfigError

from ..symbols import market_of, spellings
from .answers import (
    Asker,
    BrokenAnswerError,
    FetchError,
    OnWait,
    Places,
    RetryRules,
    watch_answers,
)

_SANDBOX: Final = "sandbox"
_OPTION_MARKETS: Final = "fetchMarkets"
_MAPPINGS: Final = ("urls", "options", "headers", "has")
_NUMBERS: Final = ("timeout", "rateLimit")
_TYPES: Final[Mapping[str, tuple[str, str, str]]] = {
    "binance": ("spot", "linear", "inverse"),
    "bybit": ("spot", "linear", "inverse"),
    "okx": ("spot", "swap", "swap"),
}
"""What each exchange calls spot, linear and inverse markets when it is asked for their list."""


@dataclass(slots=True)
class Client:
    """One exchange: its ccxt object, and the places for requests at one time."""

    exchange: Any
    places: Places
    rules: RetryRules
    stop: asyncio.Event
    on_wait: OnWait = lambda _name, _why: None
    asker: Asker = field(init=False)
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.asker = self.asker_named(str(self.exchange.id))

    def asker_named(self, name: str) -> Asker:
        """Something to send the requests of one data set with."""
        return Asker(name, self.places, self.rules, self.stop, self.on_wait)

    async def load(self, symbols: Iterable[str], wanted: str | None) -> None:
        """Load the markets and the clock of the exchange.

        An answer that lost some of ``symbols`` is asked for once more before it is believed.
        """
        load = self.exchange.load_markets
        await self.asker.ask("list of markets", load)
        if any(self._is_unknown(symbol, wanted) for symbol in symbols):
            await self.asker.ask("list of markets", lambda: load(True))
        self.now_ms = await self.asker.ask("clock", self._clock)

    def market(self, symbol: str, wanted: str | None) -> Any:
        """The market that ``symbol`` names; ConfigError where that is none or several."""
        return market_of(self.exchange.markets or {}, symbol, self.exchange.id, wanted)

    def _is_unknown(self, symbol: str, wanted: str | None) -> bool:
        try:
            self.market(symbol, wanted)
        except ConfigError:
            return True
        return False

    async def _clock(self) -> int:
        if self.exchange.has.get("fetchTime") is True:
            now = await self.exchange.fetch_time()
            if not isinstance(now, int) or now <= 0:
                raise BrokenAnswerError(f"{self.exchange.id}: the clock says {now!r}")
            return now
        date = (self.exchange.last_response_headers or {}).get("Date")
        if date is None:
            raise FetchError(
                f"{self.exchange.id}: states no time, so nothing says which bar has closed; give the "
                "last moment with --until"
            )
        return int(parsedate_to_datetime(date).timestamp() * 1000)

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()


def new_client(
    name: str,
    settings: Mapping[str, Any],
    market_types: Iterable[str],
    *,
    places: int,
    rules: RetryRules,
    stop: asyncio.Event,
    on_wait: OnWait,
) -> Client:
    """The exchange ``name`` of ccxt with ``settings`` (whatever ccxt takes, and ``sandbox: true``).

    ``market_types`` are those of spot, linear and inverse that are needed: lists of others are not
    asked for. See :func:`check_exchange` for what must hold.
    """
    import ccxt.async_support as ccxt

    given = {key: value for key, value in settings.items() if key != _SANDBOX}
    try:
        exchange = getattr(ccxt, name)(given)
        if settings.get(_SANDBOX):
            exchange.set_sandbox_mode(True)
    except (ccxt.BaseError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise ConfigError(f"exchanges.{name}: ccxt refuses these settings: {error}") from error
    if name in _TYPES and _OPTION_MARKETS not in (settings.get("options") or {}):
        words = dict(zip(("spot", "linear", "inverse"), _TYPES[name], strict=True))
        exchange.options[_OPTION_MARKETS] = {
            "types": sorted({words[market_type] for market_type in market_types})
        }
    watch_answers(exchange)
    return Client(exchange, Places(places), rules, stop, on_wait)


def market_types(name: str, symbol: str, wanted: str | None) -> set[str]:
    """In which lists of markets (spot, linear, inverse) of the exchange ``symbol`` may stand."""
    if wanted is not None:
        return {wanted}
    found: set[str] = set()
    for reading in spellings(symbol):
        if reading.settle is not None:
            found.add("inverse" if reading.settle == reading.base else "linear")
        elif reading.is_perpetual:
            found.add("linear")
        elif reading.is_perpetual is False:
            found.add("spot")
        else:
            found |= {"spot", "linear"} if name != "binance" else {"spot"}
        if reading.is_perpetual and reading.quote == "USD":
            found.add("inverse")
    return found


def check_exchange(name: str, settings: Mapping[str, Any]) -> None:
    """ConfigError for an exchange or a setting that ccxt does not know, naming the nearest.

    Also for the settings everyone uses when their value is of the wrong type.
    """
    import ccxt.async_support as ccxt

    if name not in ccxt.exchanges:
        raise ConfigError(f"exchange={name!r} is unknown to ccxt{_near(name, ccxt.exchanges)}")
    made = getattr(ccxt, name)
    known = [w for w in dir(made) if not w.startswith("_") and not callable(getattr(made, w))]
    for key, value in settings.items():
        if key != _SANDBOX and key not in known:
            raise ConfigError(
                f"exchanges.{name}.{key}: ccxt has no such setting{_near(key, known)}"
            )
        if key in _MAPPINGS and not isinstance(value, Mapping):
            raise ConfigError(f"exchanges.{name}.{key}={value!r} must be a mapping")
        if key in _NUMBERS and (
            isinstance(value, bool) or not isinstance(value, int | float) or not value > 0
        ):
            raise ConfigError(f"exchanges.{name}.{key}={value!r} must be a number above 0")
        if key == _SANDBOX and not isinstance(value, bool):
            raise ConfigError(f"exchanges.{name}.{key}={value!r} must be true or false")


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""
