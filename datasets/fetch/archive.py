"""Reading the bulk archive of Binance: every file checked against its checksum."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from engine import DataError

from ..findings import Finding
from ..importers.files import read_file
from ..importers.report import Request
from ..keys import DatasetKey
from ..kinds import KINDS
from ..tables import times_ns
from .answers import Asker, BrokenAnswerError, FetchError, note_headers
from .archive_files import DAY_MS, ArchiveFile, ArchiveName, files_of, has_days
from .dataset import Batch
from .series import MS_NS

if TYPE_CHECKING:
    import aiohttp

_PUBLISHED_AFTER_MS: Final = 40 * DAY_MS
"""What ended longer ago than this has its file, if it will ever have one."""
_SHA256: Final = re.compile(r"\s*([0-9a-fA-F]{64})\b")
_PROXIES: Final = ("httpsProxy", "https_proxy", "httpProxy", "http_proxy", "aiohttp_proxy")
_SHOWN: Final = 5
_NOT_FOUND: Final = 404
_OK: Final = 200


@dataclass(slots=True)
class ArchiveReader:
    """Reads one series of the archive, file by file. ``findings`` are what the files had wrong."""

    session: "aiohttp.ClientSession"
    base_url: str
    name: ArchiveName
    key: DatasetKey
    asker: Asker
    now_ms: int
    findings: list[Finding] = field(default_factory=list)
    _lacking: list[str] = field(default_factory=list)
    _is_listed: bool = False

    async def batches(self, first_ms: int, end_ms: int) -> AsyncIterator[Batch]:
        """The rows of [``first_ms``, ``end_ms``), one file after the other.

        Ends before the first file that the archive may still get. A file that it will not get any
        more (before a listing, a hole) gives no rows.
        """
        for whole in files_of(self.name, first_ms, end_ms, self.now_ms):
            for file, table in await self._parts(whole):
                if table is None and self._may_come(file):
                    return
                inside = KINDS[self.key.kind].schema.empty_table()
                if table is not None:
                    inside = _inside(self.key, table, first_ms, end_ms)
                    self._is_listed = True
                elif self._is_listed:
                    self._lacking.append(file.label)
                yield Batch(inside, min(file.end_ms, end_ms))

    def missing(self) -> tuple[Finding, ...]:
        """The finding about files that the archive lacks although it has earlier ones."""
        if not self._lacking:
            return ()
        shown = ", ".join(self._lacking[:_SHOWN]) + (" …" if len(self._lacking) > _SHOWN else "")
        return (
            Finding(
                defect="gap",
                action="kept",
                subject=str(self.key),
                count=len(self._lacking),
                message=(
                    f"the archive has no file for {shown}; the API may have these rows: ask it "
                    f"for them with --again and -s fetch.0.source={self.key.source}"
                ),
            ),
        )

    async def _parts(self, file: ArchiveFile) -> list[tuple[ArchiveFile, pa.Table | None]]:
        table = await self._table(file)
        if table is not None or not file.is_month or not has_days(self.name):
            return [(file, table)]
        days = file.days()
        read = {}
        if not self._may_come(file):
            read = {day: await self._table(day) for day in (days[0], days[-1])}
            # Neither listed before its first day nor traded on its last: outside of the listing.
            if all(table is None for table in read.values()):
                return [(file, None)]
        return [(day, read[day] if day in read else await self._table(day)) for day in days]

    def _may_come(self, file: ArchiveFile) -> bool:
        return self.now_ms - file.end_ms < _PUBLISHED_AFTER_MS

    async def _table(self, file: ArchiveFile) -> pa.Table | None:
        name = self.name.file(file.label)
        # Nothing is believed to be absent before it was asked for twice.
        data = await self.asker.ask(name, lambda: self._download(file))
        if data is None:
            data = await self.asker.ask(name, lambda: self._download(file))
        return None if data is None else await asyncio.to_thread(self._read, name, data)

    async def _download(self, file: ArchiveFile) -> bytes | None:
        address = f"{self.base_url.rstrip('/')}/{self.name.address(file.label)}"
        data = await self._get(address)
        if data is None:
            return None
        checksum = await self._get(f"{address}.CHECKSUM")
        stated = _SHA256.match((checksum or b"").decode("ascii", "replace"))
        if stated is None:
            raise BrokenAnswerError(
                f"{address}.CHECKSUM holds no SHA-256, the file cannot be trusted"
            )
        found = hashlib.sha256(data).hexdigest()
        if found != stated.group(1).lower():
            raise BrokenAnswerError(
                f"{address}: SHA-256 is {found}, its CHECKSUM says {stated.group(1).lower()}"
            )
        return data

    async def _get(self, address: str) -> bytes | None:
        async with self.session.get(address) as response:
            note_headers(response.headers)
            if response.status == _NOT_FOUND:
                return None
            if response.status != _OK:
                raise BrokenAnswerError(f"{address}: status {response.status} {response.reason}")
            return await response.read()

    def _read(self, name: str, data: bytes) -> pa.Table:
        request = Request(
            kind=self.key.kind,
            venue=self.key.venue,
            market=self.key.market,
            symbol=self.key.symbol,
            timeframe=self.key.step if self.key.kind == "ohlcv" else None,
            source=self.key.source,
        )
        with tempfile.TemporaryDirectory(prefix="ninefold-") as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            try:
                series = read_file(path, request)[-1]
            except DataError as error:
                # The folder is gone when anyone reads this: name the file alone.
                raise DataError(str(error).replace(f"{folder}/", "")) from error
        if len(series) != 1 or series[0].key != self.key:
            held = ", ".join(str(rows.key) for rows in series)
            raise DataError(f"{name}: holds {held} instead of {self.key}")
        self.findings += series[0].findings
        return series[0].table


async def archive_now_ms(session: "aiohttp.ClientSession", base_url: str, asker: Asker) -> int:
    """The clock of the archive's server, ms UTC."""

    async def ask() -> int:
        async with session.head(base_url) as response:
            stated = response.headers.get("Date")
        if stated is None:
            raise FetchError(f"{base_url}: states no time, so nothing says which day is over")
        return int(parsedate_to_datetime(stated).timestamp() * 1000)

    return await asker.ask("clock", ask)


def archive_session(settings: Mapping[str, Any]) -> "aiohttp.ClientSession":
    """A session for downloads, with the time limit (ms) and the proxy of the exchange's settings."""
    import aiohttp

    seconds = float(settings.get("timeout", 60_000)) / 1000
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds)
    proxy = next((settings[name] for name in _PROXIES if settings.get(name)), None)
    trusts = bool(settings.get("aiohttp_trust_env"))
    return aiohttp.ClientSession(timeout=timeout, proxy=proxy, trust_env=trusts)


def _inside(key: DatasetKey, table: pa.Table, first_ms: int, end_ms: int) -> pa.Table:
    time_ns = pa.array(times_ns(KINDS[key.kind], table))
    inside = pc.and_(pc.greater_equal(time_ns, first_ms * MS_NS), pc.less(time_ns, end_ms * MS_NS))
    return table.filter(inside)
