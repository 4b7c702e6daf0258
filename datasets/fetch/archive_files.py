"""Files of Binance's bulk archive: what they are called, and which of them hold a period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from engine import ConfigError

from ..symbols import spellings

DAY_MS: Final = 86_400_000
_FOLDERS: Final = {"spot": "spot", "um_perp": "futures/um"}
_TOPICS: Final = {
    "ohlcv": "klines",
    "trades": "aggTrades",
    "funding": "fundingRate",
    "metrics": "metrics",
}
_MONTHS_ONLY: Final = ("fundingRate",)
_DAYS_ONLY: Final = ("metrics",)


@dataclass(frozen=True, slots=True)
class ArchiveName:
    """What the archive calls one series: ``market`` of the store, ``topic`` and step of its files."""

    market: str
    topic: str
    symbol: str
    step: str

    def file(self, label: str) -> str:
        """Name of the zip of a month (2024-05) or a day (2024-05-17)."""
        middle = self.step if self.topic == "klines" else self.topic
        return f"{self.symbol}-{middle}-{label}.zip"

    def address(self, label: str) -> str:
        """Path of that zip below the address of the archive."""
        period = "monthly" if len(label) == len("2024-05") else "daily"
        step = f"/{self.step}" if self.topic == "klines" else ""
        folder = _FOLDERS[self.market]
        return f"data/{folder}/{period}/{self.topic}/{self.symbol}{step}/{self.file(label)}"


def archive_name(symbol: str, market: str | None, kind: str, step: str) -> ArchiveName:
    """How the archive names a series; ConfigError where it has none or the symbol is ambiguous."""
    readings = spellings(symbol)
    if len(readings) > 1:
        raise ConfigError(
            f"binance archive: symbol {symbol!r} may be {', '.join(map(str, readings))}; write one of these"
        )
    reading = readings[0]
    is_perpetual = market == "linear" or (market is None and reading.is_perpetual is True)
    if market == "inverse" or reading.settle not in (None, reading.quote):
        raise ConfigError(
            f"binance archive: {symbol!r}: contracts margined in a coin are not fetched"
        )
    if not is_perpetual and kind in ("funding", "metrics"):
        raise ConfigError(
            f"binance archive: {kind} of {symbol!r}: only perpetuals have it; write "
            f"{reading.base}/{reading.quote}:{reading.quote}"
        )
    store_market = "um_perp" if is_perpetual else "spot"
    return ArchiveName(store_market, _TOPICS[kind], f"{reading.base}{reading.quote}", step)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One zip: ``label`` is its month (2024-05) or day (2024-05-17), ``end_ms`` the end of that."""

    label: str
    end_ms: int

    @property
    def is_month(self) -> bool:
        """True for the file of a month."""
        return len(self.label) == len("2024-05")

    def days(self) -> "list[ArchiveFile]":
        """The files of the days of a month."""
        return [day_file(day) for day in _days_of(date.fromisoformat(f"{self.label}-01"))]


def day_file(day: date) -> ArchiveFile:
    """The file of one day."""
    return ArchiveFile(f"{day:%Y-%m-%d}", _ms_of(day) + DAY_MS)


def files_of(name: ArchiveName, first_ms: int, end_ms: int, now_ms: int) -> Iterator[ArchiveFile]:
    """The files that hold [``first_ms``, ``end_ms``): months that lie in it and have ended, else days."""
    day = datetime.fromtimestamp(first_ms // DAY_MS * DAY_MS / 1000, UTC).date()
    while _ms_of(day) < end_ms:
        month_end = _ms_of(_following(day))
        is_whole = day.day == 1 and month_end <= min(end_ms, now_ms)
        if name.topic in _MONTHS_ONLY or (is_whole and name.topic not in _DAYS_ONLY):
            yield ArchiveFile(f"{day:%Y-%m}", month_end)
            day = _following(day)
        else:
            yield day_file(day)
            day += timedelta(days=1)


def has_days(name: ArchiveName) -> bool:
    """True where the archive has files of single days too."""
    return name.topic not in _MONTHS_ONLY


def _following(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _days_of(first: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((_following(first) - first).days)]


def _ms_of(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
