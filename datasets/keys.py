"""Names of what the store holds: data sets, and the instruments that they describe."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from engine import DataError

from .kinds import EVENT_STEP, kind_named

_PART: Final = re.compile(r"[^\W_][\w.-]*")
MARKETS: Final = (
    "spot",
    "um_perp",
    "cm_perp",
    "linear_perp",
    "inverse_perp",
    "um_future",
    "cm_future",
    "linear_future",
    "inverse_future",
    "lending",
    "etf",
    "fx",
    "index",
    "exchanges",
    "network",
    "social",
    "sentiment",
    "coins",
    "total",
    "category",
    "chain",
    "protocol",
)
"""Words for the market of a data set: what is traded, or what a series is about. ``um`` and ``cm`` are
Binance's names for futures margined in a stablecoin and in the coin."""

SIMULATED_VENUE: Final = "simulated"
"""The venue of invented markets, each of which is a source of its own."""
_BINANCE: Final = ("binance", SIMULATED_VENUE)
_BINANCE_PREFIXES: Final = {"um_": "linear_", "cm_": "inverse_"}
"""Binance's words for margins, which the simulated market shares, and those of every other venue."""


def market_word(venue: str, market: str) -> str:
    """``market`` as it is called at ``venue``: Binance's ``um_perp`` is ``linear_perp`` elsewhere."""
    word = _BINANCE_PREFIXES.get(market[:3])
    return market if word is None or venue in _BINANCE else word + market[3:]


def _check_parts(owner: str, parts: dict[str, str]) -> None:
    for name, value in parts.items():
        if _PART.fullmatch(value) is None:
            raise DataError(
                f"{owner}: {name}={value!r} cannot be a folder name; write letters, digits, '.', '_' "
                "and '-', beginning with a letter or digit"
            )


def check_symbol(symbol: str, owner: str) -> None:
    """DataError unless ``symbol`` can be the name of a folder."""
    _check_parts(owner, {"symbol": symbol})


def check_market(market: str, owner: str) -> None:
    """DataError unless ``market`` is one of :data:`MARKETS`."""
    if market not in MARKETS:
        raise DataError(
            f"{owner}: market={market!r} is unknown; it must be one of {', '.join(MARKETS)}"
        )


@dataclass(frozen=True, slots=True, order=True)
class DatasetKey:
    """One data set: what it holds, of which instrument, at which step, from which source.

    Two sources of the same bars are two data sets; nothing mixes them.
    ``str(key)`` is ``ohlcv/binance/spot/BTCUSDT/1h/klines12``. Raises DataError for an unknown kind
    or a part that cannot be a folder name.
    """

    kind: str
    venue: str
    market: str
    symbol: str
    step: str
    source: str

    def __post_init__(self) -> None:
        if kind_named(self.kind).is_event != (self.step == EVENT_STEP):
            raise DataError(
                f"data set key: step={self.step!r} does not fit kind {self.kind}; its rows come "
                + ("when something happens" if self.step != EVENT_STEP else "on a grid")
                + f", write {EVENT_STEP if self.step != EVENT_STEP else kind_named(self.kind).native_step}"
            )
        check_market(self.market, "data set key")
        _check_parts(
            "data set key",
            {
                "venue": self.venue,
                "market": self.market,
                "symbol": self.symbol,
                "step": self.step,
                "source": self.source,
            },
        )

    def __str__(self) -> str:
        return "/".join(self._parts)

    @classmethod
    def parse(cls, text: str) -> "DatasetKey":
        """The key that ``text`` spells, the inverse of ``str(key)``."""
        parts = text.split("/")
        if len(parts) != 6:
            raise DataError(
                f"data set {text!r} must have six parts: kind/venue/market/symbol/step/source"
            )
        return cls(*parts)

    @property
    def folder(self) -> PurePosixPath:
        """Folder of the Parquet parts, relative to the store; DuckDB reads the columns from it."""
        return PurePosixPath(
            self.kind,
            f"venue={self.venue}",
            f"market={self.market}",
            f"symbol={self.symbol}",
            f"step={self.step}",
            f"source={self.source}",
        )

    @property
    def manifest(self) -> PurePosixPath:
        """The manifest that lists the parts, relative to the store."""
        return PurePosixPath("_manifest", *self._parts[:-1], f"{self.source}.json")

    @property
    def _parts(self) -> tuple[str, ...]:
        return (self.kind, self.venue, self.market, self.symbol, self.step, self.source)


@dataclass(frozen=True, slots=True, order=True)
class Instrument:
    """Something that is quoted: ``binance/um_perp/BTCUSDT``, or ``vendor/exchanges/BTC`` for a series.

    ``source`` None means the only source the store has; where it has several, loading raises
    DataError listing them. A tuple names several in order of precedence: the rows of the first that
    has them are taken, the others fill its holes.
    """

    venue: str
    market: str
    symbol: str
    source: str | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        parts = {"venue": self.venue, "market": self.market, "symbol": self.symbol}
        _check_parts("instrument", parts)
        for source in self.sources:
            _check_parts("instrument", {"source": source})
        if self.source == () or len(set(self.sources)) < len(self.sources):
            raise DataError(
                f"instrument: source={self.source!r} must name each source once; leave it out where "
                "the store has only one"
            )

    def __str__(self) -> str:
        name = f"{self.venue}/{self.market}/{self.symbol}"
        return f"{name} from {', '.join(self.sources)}" if self.sources else name

    @property
    def sources(self) -> tuple[str, ...]:
        """The named sources in order of precedence; empty where none is named."""
        if self.source is None:
            return ()
        return (self.source,) if isinstance(self.source, str) else self.source

    def manifests(self, kind: str) -> PurePosixPath:
        """Folder of the manifests of a kind of this instrument, ``<step>/<source>.json``, in the store."""
        return PurePosixPath("_manifest", kind, self.venue, self.market, self.symbol)
