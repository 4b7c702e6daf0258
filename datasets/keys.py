"""Names of what the store holds: data sets, and the instruments that they describe."""

import re
from dataclasses import astuple, dataclass
from pathlib import PurePosixPath
from typing import Final

from engine import DataError

from .kinds import kind_named

_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _check_parts(owner: str, parts: dict[str, str]) -> None:
    for name, value in parts.items():
        if _PART.fullmatch(value) is None:
            raise DataError(
                f"{owner}: {name}={value!r} cannot be a folder name; write letters, digits, '.', '_' "
                "and '-', beginning with a letter or digit"
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
        kind_named(self.kind)
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
        return "/".join(astuple(self))

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
        return PurePosixPath("_manifest", *astuple(self)[:-1], f"{self.source}.json")


@dataclass(frozen=True, slots=True, order=True)
class Instrument:
    """Something that is quoted: ``binance/um_perp/BTCUSDT``, or ``global/daily/BTC`` for a series.

    ``source`` None means the only source the store has; where it has several, loading raises
    DataError listing them.
    """

    venue: str
    market: str
    symbol: str
    source: str | None = None

    def __post_init__(self) -> None:
        parts = {"venue": self.venue, "market": self.market, "symbol": self.symbol}
        _check_parts("instrument", parts | ({"source": self.source} if self.source else {}))

    def __str__(self) -> str:
        name = f"{self.venue}/{self.market}/{self.symbol}"
        return name if self.source is None else f"{name} from {self.source}"
