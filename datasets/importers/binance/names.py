"""What the name of a Binance file and its folders say: symbol, step, market and kind of data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from engine import ConfigError, DataError, timeframe_ns

from ...findings import RefusedFileError
from ...keys import DatasetKey
from ...kinds import EVENT_STEP
from ..reading.source_file import SourceFile
from ..report import Request

ARCHIVE: Final = "binance_archive"
"""Source of everything that the public archive holds, so that bars and series of it go together."""
_NAME: Final = re.compile(
    r"(?P<symbol>[^\W_]+(?:_[^\W_]+)?)-(?:(?P<word>[a-zA-Z]{3,})-?)?(?P<step>[0-9]+[a-zA-Z]+)?"
    r"-[0-9]{4}(?:-[0-9]{2}){0,2}(?:_(?P<suffix>\w+))?"
)
"""``BTCUSDT-1h-2024-12``, ``BTCUSDT-aggTrades-2024-01-01``, ``BTCUSDT-markPriceKlines-1h-2024_um``."""
_DATED: Final = re.compile(r"[^\W_]+_(\d{6})")
_EXPIRY_HOUR: Final = 8
_SUFFIXES: Final = MappingProxyType({"um": "um_perp", "cm": "cm_perp", "spot": "spot"})
LINEAR_QUOTES: Final = ("USDT", "USDC", "BUSD")
"""Quote currencies of contracts that are margined in a stablecoin."""
_DATED_MARKETS: Final = MappingProxyType({"um_perp": "um_future", "cm_perp": "cm_future"})
_ADVICE: Final = MappingProxyType(
    {
        "symbol": "--symbol BTCUSDT",
        "timeframe": "--timeframe 1h",
        "market": "--market spot or --market um_perp",
    }
)


@dataclass(frozen=True, slots=True)
class ArchiveName:
    """What a file says by its place; None for what it does not say. ``words`` are all its names."""

    symbol: str | None
    step: str | None
    market: str | None
    words: tuple[str, ...]

    def says(self, word: str) -> bool:
        """True where the file or a folder above it is named after ``word``."""
        return any(word.lower() in name.lower() for name in self.words)


def archive_name(file: SourceFile) -> ArchiveName:
    """What the name of the file, of the file packed in it, and of the folders above it say.

    RefusedFileError where a packed file is named after something else than the file around it.
    """
    words = (*file.path.parts, file.name)
    found = [_NAME.fullmatch(name.split(".")[0]) for name in (file.path.name, file.name)]
    matches = [match for match in found if match is not None]
    if not matches:
        return ArchiveName(None, None, _market_of_folders(words), words)
    outer, inner = matches[0], matches[-1]
    for what in ("symbol", "step"):
        if outer[what] != inner[what]:
            raise RefusedFileError(
                "contradiction",
                f"{file.path}: is named after {outer[what]}, but the file packed in it, {file.name}, "
                f"after {inner[what]}; unpack it and import what it holds",
            )
    suffix = outer["suffix"] or ""
    market = _SUFFIXES.get(suffix.split("_")[0]) or _market_of_folders(words)
    return ArchiveName(outer["symbol"], outer["step"], market, words)


def stated_by_name(file: SourceFile) -> dict[str, str | None]:
    """What the name of a file of the archive says, for ``Format.names``."""
    named = archive_name(file)
    return {"symbol": named.symbol, "timeframe": named.step, "market": named.market}


def is_archive_name(file: SourceFile) -> bool:
    """True for a file called as those of the archive are, which are published complete."""
    named = archive_name(file)
    return named.symbol is not None and named.step is not None


def _market_of_folders(words: tuple[str, ...]) -> str | None:
    """The market of the deepest folder that is called as those of the archive are."""
    folders = words[:-2]
    for place in range(len(folders) - 1, -1, -1):
        if folders[place] == "spot":
            return "spot"
        if folders[place] in ("um", "cm") and "futures" in folders[place - 1 : place]:
            return _SUFFIXES[folders[place]]
    return None


def is_dated(symbol: str) -> bool:
    """True for a contract with an expiry in its symbol, such as ``BTCUSDT_240628``."""
    return _DATED.fullmatch(symbol) is not None


def expiry_ns(symbol: str) -> int:
    """Settlement of a dated contract, 08:00 UTC of the day in its symbol, int64 ns."""
    dated = _DATED.fullmatch(symbol)
    if dated is None:
        raise DataError(f"symbol={symbol!r} names no expiry, as BTCUSDT_240628 would")
    try:
        day = datetime.strptime(dated[1], "%y%m%d").replace(tzinfo=UTC, hour=_EXPIRY_HOUR)
    except ValueError as error:
        raise DataError(f"symbol={symbol!r}: {dated[1]} is not a day written YYMMDD") from error
    return int(day.timestamp()) * 1_000_000_000


def market_of(
    symbol: str, request: Request, named: str | None, *, only_futures: bool = False
) -> str | None:
    """The market of ``symbol``: as requested, as the symbol says, else as the name says.

    ``only_futures`` is for data that spot markets do not have: there the quote currency tells linear
    contracts from inverse ones.
    """
    if request.market is not None:
        return request.market
    market = named
    base, _, tail = symbol.partition("_")
    if tail or (market is None and only_futures):
        if base.endswith(LINEAR_QUOTES):
            market = "um_perp"
        elif base.endswith("USD") and tail:
            market = "cm_perp"
    return _DATED_MARKETS.get(market or "", market) if is_dated(symbol) else market


def archive_key(
    file: SourceFile,
    request: Request,
    kind: str,
    *,
    step: str | None = None,
    symbol: str | None = None,
    source: str = ARCHIVE,
    only_futures: bool = False,
) -> DatasetKey:
    """The data set of a file; what the request says goes before what the file and its name say.

    ``symbol`` and ``step`` are what the format itself says. Raises DataError naming the option for
    what nobody says, and for a market that does not fit the symbol.
    """
    named = archive_name(file)
    symbol = symbol or request.symbol or named.symbol
    said: Mapping[str, str | None] = {
        "symbol": symbol,
        "timeframe": step or request.timeframe or named.step,
        "market": market_of(symbol or "", request, named.market, only_futures=only_futures),
    }
    for label, value in said.items():
        if not value:
            raise DataError(
                f"{file.path}: its name does not say the {label}, as BTCUSDT-1h-2018_spot.csv or "
                f"futures/um/BTCUSDT-1h-2018.csv would; give {_ADVICE[label]}"
            )
    market, timeframe = str(said["market"]), str(said["timeframe"])
    if is_dated(str(symbol)) != market.endswith("_future"):
        raise DataError(
            f"{file.path}: symbol {symbol} does not fit market {market}: a contract with a date in its "
            "symbol is of um_future or cm_future, and no other is; correct --market or --symbol"
        )
    _check_step(file, timeframe)
    return DatasetKey(
        kind, request.venue or "binance", market, str(symbol), timeframe, request.source or source
    )


def check_venue(file: SourceFile, request: Request) -> None:
    """Refuse files whose columns any venue might have, unless somebody says that they are Binance's."""
    names = (*file.path.parts[-3:], file.name)
    if request.venue is None and not any("binance" in name.lower() for name in names):
        raise RefusedFileError(
            "unstated_venue",
            f"{file.path}: neither the file nor its folder is named after the venue; give --venue binance",
        )


def refuse_coin_margined(file: SourceFile, key: DatasetKey, what: str, remedy: str = "") -> None:
    """Refuse contracts that are margined in their coin: ``what`` of them is in contracts.

    For files that state no base quantity beside it; ``remedy`` goes on with what to do instead.
    """
    if key.market.startswith("cm_"):
        raise RefusedFileError(
            "incomparable_unit",
            f"{file.path}: the {what} of coin-margined contracts such as {key.symbol} is in contracts, "
            f"and the file does not state the base quantity{remedy}",
        )


def _check_step(file: SourceFile, step: str) -> None:
    if step == EVENT_STEP:
        return
    try:
        timeframe_ns(step)
    except ConfigError as error:
        raise DataError(f"{file.path}: {error}") from error
