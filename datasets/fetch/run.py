"""All data sets of some jobs at once: one limiter per exchange, and no failure takes another along."""

import asyncio
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from engine import ConfigError, DataError

from ..findings import Finding
from ..importers.binance.names import ARCHIVE
from ..keys import DatasetKey
from ..kinds import EVENT_STEP
from ..store import Store
from .answers import Asker, OnWait, Places, StoppedError
from .archive_files import archive_name
from .client import Client, check_exchange, market_types, new_client
from .dataset import (
    DatasetFetch,
    kept_from_ms,
    not_offered,
    numbers_missing,
    series_batches,
    trade_batches,
)
from .exchanges import FETCHED_KINDS, series_of, trades_of, venue_and_market
from .jobs import FetchJob, FetchReport, FetchRules, OnProgress, Progress
from .series import MS_NS
from .trade_pager import TradePager

API_SOURCE = "api"
"""Source of data sets that come from the API of an exchange."""
FUNDING_STEP = "8h"


def fetch(
    store: Store,
    jobs: Sequence[FetchJob],
    rules: FetchRules | None = None,
    *,
    on_progress: OnProgress = lambda _: None,
) -> tuple[FetchReport, ...]:
    """Fetch every symbol and kind of ``jobs`` into ``store``; one report per data set, in their order.

    Rows are stored batch by batch and a repetition goes on where the last batch ended, so that it may
    be stopped at any moment, also by a kill. Ctrl-C ends after the batches at hand; their reports say
    ``interrupted``. A data set that fails leaves the others alone: its report has the error.

    Raises ConfigError for a job that makes no sense before anything is asked.
    """
    rules = rules or FetchRules()
    for job in jobs:
        _check(job)
    for name in {*rules.settings, *(job.exchange for job in jobs)}:
        check_exchange(name, rules.settings.get(name, {}))
    return asyncio.run(_fetch(store, jobs, rules, on_progress))


def _check(job: FetchJob) -> None:
    unknown = [kind for kind in job.kinds if kind not in FETCHED_KINDS]
    if unknown:
        raise ConfigError(
            f"{job.exchange}: kind {unknown[0]!r} cannot be fetched; it must be one of "
            f"{', '.join(FETCHED_KINDS)}"
        )
    if not job.symbols or not job.kinds:
        raise ConfigError(f"{job.exchange}: name at least one symbol and one kind")
    if job.end_ns is not None and job.end_ns <= job.start_ns:
        raise ConfigError(f"{job.exchange}: until must be after since")
    if job.archive and not job.exchange.startswith("binance"):
        raise ConfigError(f"{job.exchange}: has no bulk archive; only binance has one")
    if job.tail and not job.archive:
        raise ConfigError(f"{job.exchange}: a tail follows the archive; ask for the archive too")


@dataclass(slots=True)
class Task:
    """One data set to fetch: a symbol of a job and a kind."""

    job: FetchJob
    symbol: str
    kind: str

    @property
    def name(self) -> str:
        """How progress and errors call it."""
        step = f" {self.step}" if self.kind in ("ohlcv", "metrics") else ""
        return f"{self.job.exchange} {self.symbol} {self.kind}{step}"

    @property
    def step(self) -> str:
        """Step of the data set."""
        steps = {
            "ohlcv": self.job.timeframe,
            "metrics": self.job.metrics_timeframe,
            "funding": FUNDING_STEP,
        }
        return steps.get(self.kind, EVENT_STEP)

    def period_ms(self, now_ms: int) -> tuple[int, int]:
        """What is asked for, ms UTC: from the first (inclusive) to the second (exclusive)."""
        end_ns = self.job.end_ns
        first_ms = -(-self.job.start_ns // MS_NS)
        return first_ms, now_ms + 1 if end_ns is None else -(-end_ns // MS_NS)

    def ended(self, error: Exception) -> FetchReport:
        """The report of a data set of which nothing could be fetched."""
        is_stopped = isinstance(error, StoppedError)
        return FetchReport(
            name=self.name,
            status="interrupted" if is_stopped else "failed",
            error=None if is_stopped else str(error),
        )


async def _fetch(
    store: Store, jobs: Sequence[FetchJob], rules: FetchRules, on_progress: OnProgress
) -> tuple[FetchReport, ...]:
    stop = asyncio.Event()
    tasks = [
        Task(job, symbol, kind) for job in jobs for symbol in job.symbols for kind in job.kinds
    ]
    by_exchange: dict[str, list[Task]] = {}
    for task in tasks:
        by_exchange.setdefault(task.job.exchange, []).append(task)
    with _stopping(stop):
        groups = await asyncio.gather(
            *(
                _fetch_exchange(store, name, group, rules, stop, on_progress)
                for name, group in by_exchange.items()
            )
        )
    reports = {id(task): report for group in groups for task, report in group}
    return tuple(reports[id(task)] for task in tasks)


@contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C asks to stop once; a second one interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = signal.getsignal(signal.SIGINT)

    def ask_to_stop() -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    loop.add_signal_handler(signal.SIGINT, ask_to_stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)


def _telling(on_progress: OnProgress) -> OnWait:
    return lambda name, why: on_progress(Progress(name, 0, 0, 0, waits=why))


async def _fetch_exchange(
    store: Store,
    name: str,
    tasks: Sequence[Task],
    rules: FetchRules,
    stop: asyncio.Event,
    on_progress: OnProgress,
) -> list[tuple[Task, FetchReport]]:
    archive_places = Places(rules.places)
    needs_api = [task for task in tasks if not task.job.archive or task.job.tail]
    client: Client | None = None
    try:
        if needs_api:
            settings = rules.settings.get(name, {})
            types = {
                word
                for task in needs_api
                for word in market_types(name, task.symbol, task.job.market)
            }
            client = new_client(
                name,
                settings,
                types,
                places=rules.places,
                rules=rules.retry,
                stop=stop,
                on_wait=_telling(on_progress),
            )
            for wanted in sorted({task.job.market for task in needs_api}, key=str):
                symbols = [task.symbol for task in needs_api if task.job.market == wanted]
                await client.load(symbols, wanted)
    except (ConfigError, DataError, StoppedError) as error:
        await _close(client)
        return [(task, task.ended(error)) for task in tasks]

    async def one(task: Task) -> FetchReport:
        try:
            if not task.job.archive:
                assert client is not None
                return await _fetch_api(store, task, client, rules, on_progress)
            report = await _fetch_archive(store, task, rules, archive_places, stop, on_progress)
            if not task.job.tail or report.status != "complete" or report.key is None:
                return report
            assert client is not None
            rest = await _fetch_api(store, task, client, rules, on_progress, report.key)
            return _both(report, rest)
        except (ConfigError, DataError, StoppedError) as error:
            return task.ended(error)

    try:
        reports = await asyncio.gather(*(one(task) for task in tasks))
    finally:
        await _close(client)
    return list(zip(tasks, reports, strict=True))


async def _close(client: Client | None) -> None:
    if client is not None:
        await client.close()


async def _fetch_api(
    store: Store,
    task: Task,
    client: Client,
    rules: FetchRules,
    on_progress: OnProgress,
    key: DatasetKey | None = None,
) -> FetchReport:
    market = client.market(task.symbol, task.job.market)
    venue, market_name = venue_and_market(client.exchange, market)
    symbol = f"{market['base']}{market['quote']}"
    source = task.job.source or API_SOURCE
    key = key or DatasetKey(task.kind, venue, market_name, symbol, task.step, source)
    one = DatasetFetch(
        name=task.name,
        key=key,
        store=store,
        asker=client.asker_named(f"{task.name} ({market['id']})"),
        now_ms=client.now_ms,
        on_conflict=rules.on_conflict,
        on_progress=on_progress,
    )
    first_ms, end_ms = task.period_ms(client.now_ms)
    provenance = {"fetched_from": str(client.exchange.id), "market": str(market["symbol"])}
    if task.kind == "trades":
        pager = TradePager(trades_of(client.exchange, market), one.asker, one.healed)
        report = await one.run(
            trade_batches(key, pager), first_ms, end_ms, provenance, again=rules.again
        )
        found = [numbers_missing(key, pager.skipped)] if pager.skipped else []
        if pager.offered_from_ms is not None:
            found.append(not_offered(key, first_ms, pager.offered_from_ms))
        return replace(report, findings=(*report.findings, *found))
    series = series_of(client.exchange, market, task.kind, task.step, client.now_ms)
    refused_ms = kept_from_ms((one for one in series if one.refuses_older), client.now_ms)
    asked_ms = first_ms if refused_ms is None else max(first_ms, min(refused_ms, end_ms))
    kept_ms = kept_from_ms(series, client.now_ms)
    batches = series_batches(key, series, one.asker, one.healed, client.now_ms)
    provenance["histories"] = ", ".join(history.name for history in series)
    report = await one.run(batches, asked_ms, end_ms, provenance, again=rules.again)
    missing: list[Finding] = []
    if asked_ms > first_ms:
        missing.append(not_offered(key, first_ms, asked_ms))
    elif kept_ms is not None and first_ms < (kept_ms := min(kept_ms, end_ms)):
        missing.append(not_offered(key, first_ms, kept_ms, was_asked=True))
    return replace(report, findings=(*report.findings, *missing))


async def _fetch_archive(
    store: Store,
    task: Task,
    rules: FetchRules,
    places: Places,
    stop: asyncio.Event,
    on_progress: OnProgress,
) -> FetchReport:
    from .archive import ArchiveReader, archive_now_ms, archive_session

    job = task.job
    name = archive_name(task.symbol, job.market, task.kind, task.step)
    key = DatasetKey(
        task.kind, "binance", name.market, name.symbol, task.step, job.source or ARCHIVE
    )
    asker = Asker(
        f"{task.name} (archive)", places, rules.retry, stop, on_wait=_telling(on_progress)
    )
    async with archive_session(rules.settings.get(job.exchange, {})) as session:
        now_ms = await archive_now_ms(session, rules.archive_url, asker)
        one = DatasetFetch(
            name=task.name,
            key=key,
            store=store,
            asker=asker,
            now_ms=now_ms,
            on_conflict=rules.on_conflict,
            on_progress=on_progress,
        )
        reader = ArchiveReader(session, rules.archive_url, name, key, asker, now_ms)
        first_ms, end_ms = task.period_ms(now_ms)
        provenance = {"fetched_from": "binance archive", "topic": name.topic}
        report = await one.run(reader.batches, first_ms, end_ms, provenance, again=rules.again)
    return replace(report, findings=(*report.findings, *reader.findings, *reader.missing()))


def _both(archive: FetchReport, tail: FetchReport) -> FetchReport:
    return replace(
        tail,
        rows=archive.rows + tail.rows,
        added_rows=archive.added_rows + tail.added_rows,
        first_ns=archive.first_ns,
        requests=archive.requests + tail.requests,
        repeated=archive.repeated + tail.repeated,
        findings=(*archive.findings, *tail.findings),
        conflicts=(*archive.conflicts, *tail.conflicts),
    )
