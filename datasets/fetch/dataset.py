"""Fetching one data set: page after page into the store, each followed by its checkpoint."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import pyarrow as pa

from engine import DAY_NS, ConfigError, DataError, timeframe_ns

from ..conflicts import Conflict, OnConflict
from ..findings import Action, Finding
from ..keys import DatasetKey
from ..kinds import EVENT_STEP, KINDS
from ..store import Store
from ..timestamps import time_text
from .answers import Asker, StoppedError
from .checkpoint import Checkpoint, fetching, read_checkpoint, write_checkpoint
from .jobs import FetchReport, OnProgress, Progress, Status
from .pager import Healed, Pager
from .rows import joined, table_of, unknown_rows
from .series import MS_NS, TRADE_COLUMNS, Row, Series
from .trade_pager import TradePager

_SETTLING_MS: Final = 900_000
"""So long after it is due a row may still be published."""
APPENDS_PER_COMPACTION: Final = 100
"""Small parts make manifests long: so many are joined while a long fetch goes on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Canonical rows of one step of a fetch, and up to which moment (ms, exclusive) all was asked."""

    table: pa.Table
    asked_to_ms: int


Batches: TypeAlias = Callable[[int, int], AsyncIterator[Batch]]
"""Reads one period (ms, from the first to before the second) batch after batch."""


@dataclass(slots=True)
class DatasetFetch:
    """One data set being fetched; ``now_ms`` is the clock of the exchange when the fetch began."""

    name: str
    key: DatasetKey
    store: Store
    asker: Asker
    now_ms: int
    on_conflict: OnConflict
    on_progress: OnProgress
    healed: Healed = field(default_factory=Healed)
    rows: int = 0
    added_rows: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    _appends: int = 0

    async def run(
        self,
        batches: Batches,
        first_ms: int,
        end_ms: int,
        provenance: Mapping[str, Any],
        *,
        again: bool,
    ) -> FetchReport:
        """Fetch [``first_ms``, ``end_ms``), all but what the checkpoint says was asked before.

        With ``again`` the checkpoint does not count. An error becomes part of the report; everything
        up to the last checkpoint is safe then.
        """
        end_ms = max(first_ms, min(end_ms, self._known_end_ms()))
        status: Status = "complete"
        error: str | None = None
        try:
            with fetching(self.store.root, [self.key]):
                await self._run(batches, first_ms, end_ms, provenance, again=again)
        except StoppedError:
            status = "interrupted"
        except (ConfigError, DataError) as problem:
            status, error = "failed", f"{problem}; {self._what_is_safe()}"
        return FetchReport(
            name=self.name,
            key=self.key,
            status=status,
            rows=self.rows,
            added_rows=self.added_rows,
            first_ns=first_ms * MS_NS,
            last_ns=end_ms * MS_NS,
            requests=self.asker.counts.requests,
            repeated=self.asker.counts.repeated,
            findings=tuple(self._healed_findings()),
            conflicts=tuple(self.conflicts),
            error=error,
        )

    async def _run(
        self,
        batches: Batches,
        first_ms: int,
        end_ms: int,
        provenance: Mapping[str, Any],
        *,
        again: bool,
    ) -> None:
        checkpoint = self._checkpoint()
        whole = Checkpoint() if again else checkpoint
        open_periods = whole.open_periods(first_ms, end_ms)
        total = end_ms - first_ms
        done = total - sum(high - low for low, high in open_periods)
        self.on_progress(Progress(self.name, self.rows, done, total))
        for low, high in open_periods:
            cursor = low
            async for batch in batches(low, high):
                has_rows = self._stored(batch.table, provenance)
                # Rows first: a stop between the two repeats a batch and loses none.
                checkpoint = checkpoint.after(cursor, batch.asked_to_ms, has_rows=has_rows)
                write_checkpoint(self.store.root, self.key, checkpoint)
                done += batch.asked_to_ms - cursor
                cursor = batch.asked_to_ms
                self.on_progress(Progress(self.name, self.rows, done, total))
        self.on_progress(Progress(self.name, self.rows, total, total))
        if (self.store.root / self.key.manifest).exists():
            self.store.compact([self.key])

    def _stored(self, table: pa.Table, provenance: Mapping[str, Any]) -> bool:
        """Put one batch into the store; True when it had rows."""
        has_rows = len(table) > 0
        self.rows += len(table)
        table = unknown_rows(self.store, self.key, table)
        if not len(table):
            return has_rows
        result = self.store.append(
            self.key,
            table,
            provenance=provenance,
            on_conflict=self.on_conflict,
            revised_at_ns=self.now_ms * MS_NS,
        )
        self.added_rows += result.added_rows
        self.conflicts += result.conflicts
        self._appends += 1
        if self._appends % APPENDS_PER_COMPACTION == 0:
            self.store.compact([self.key])
        return has_rows

    def _known_end_ms(self) -> int:
        """What happens at or after this moment is not known at ``now_ms``: no open bar is taken.

        Nor is a snapshot of which the period of its step has not ended: it may still change.
        """
        kind = KINDS[self.key.kind]
        step_ns = 0 if self.key.step == EVENT_STEP else timeframe_ns(self.key.step)
        delay_ns = kind.lag_steps * step_ns + kind.lag_ns
        if self.key.kind == "metrics":
            delay_ns = max(delay_ns, step_ns)
        delay_ms = delay_ns // MS_NS
        return self.now_ms - delay_ms + 1

    def _checkpoint(self) -> Checkpoint:
        found = read_checkpoint(self.store.root, self.key)
        is_removed = found.has_rows and not (self.store.root / self.key.manifest).exists()
        return Checkpoint() if is_removed else found

    def _what_is_safe(self) -> str:
        asked = read_checkpoint(self.store.root, self.key).asked
        if not asked:
            return f"nothing of {self.key} was stored by a fetch yet"
        periods = ", ".join(
            f"{time_text(low * MS_NS)} to {time_text(high * MS_NS)}" for low, high in asked[-3:]
        )
        return f"{self.key} is safe for {periods}, the same command goes on from there"

    def _healed_findings(self) -> list[Finding]:
        healed: tuple[tuple[str, int, Action, str], ...] = (
            ("duplicate", self.healed.duplicate, "dropped", "rows came twice"),
            ("unsorted", self.healed.unsorted, "moved", "rows came out of order"),
            (
                "contradiction",
                self.healed.contradiction,
                "dropped",
                "times had two values in one answer",
            ),
        )
        return [
            Finding(
                defect=defect,
                action=action,
                subject=str(self.key),
                count=count,
                message=f"{count} {what}; asked again where it mattered",
            )
            for defect, count, action, what in healed
            if count
        ]


def series_batches(
    key: DatasetKey, series: Sequence[Series], asker: Asker, healed: Healed, now_ms: int
) -> Batches:
    """Batches of one data set from the series that make it up, read side by side.

    Rows that could be published at ``now_ms`` and are missing at the end do not count as asked for.
    """
    pagers = [Pager(one, asker, healed) for one in series]
    span_ms = min(one.limit * one.spacing_ms for one in series)

    async def batches(first_ms: int, end_ms: int) -> AsyncIterator[Batch]:
        cursor = first_ms
        while cursor < end_ms:
            upto = min(end_ms, cursor + span_ms)
            parts = [(p.series.columns, await p.complete(cursor, upto)) for p in pagers]
            if upto < end_ms and not any(rows for _, rows in parts):
                starts = [await pager.next_row_ms(upto, end_ms) for pager in pagers]
                upto = min((start for start in starts if start is not None), default=end_ms)
            columns, rows = joined(parts)
            asked_to = max(cursor, min(upto, _settled_ms(series, parts, now_ms)))
            rows = [row for row in rows if int(row[0] or 0) < asked_to]
            yield Batch(table_of(key, columns, rows), asked_to)
            cursor = upto

    return batches


def _settled_ms(
    series: Sequence[Series], parts: Sequence[tuple[Sequence[str], Sequence[Row]]], now_ms: int
) -> int:
    """Up to which moment no row will follow that the exchange has not published at ``now_ms``."""
    found: list[int] = []
    for one, (_, rows) in zip(series, parts, strict=True):
        due_after_ms = one.spacing_ms if one.on_grid else 0
        settled_ms = now_ms - due_after_ms - _SETTLING_MS
        if rows:
            last_ms = int(rows[-1][0] or 0)
            settled_ms = max(settled_ms, last_ms + (one.spacing_ms if one.on_grid else 1))
        found.append(settled_ms)
    return min(found)


def trade_batches(key: DatasetKey, pager: TradePager) -> Batches:
    """Batches of one data set of trades."""

    async def batches(first_ms: int, end_ms: int) -> AsyncIterator[Batch]:
        async for page in pager.pages(first_ms, end_ms):
            yield Batch(table_of(key, TRADE_COLUMNS, page.rows), page.asked_to_ms)

    return batches


def kept_from_ms(series: Iterable[Series], now_ms: int) -> int | None:
    """The first moment of which the exchange promises all of ``series``, None for any."""
    series = tuple(series)
    kept = [one.kept_ms for one in series if one.kept_ms is not None]
    if not kept:
        return None
    # The edge moves while requests are on their way.
    return now_ms - min(kept) + max(one.spacing_ms for one in series)


def not_offered(
    key: DatasetKey, asked_ms: int, offered_ms: int, *, was_asked: bool = False
) -> Finding:
    """The finding about a period that the exchange no longer has.

    ``was_asked`` says that the exchange was asked for that period and may have had some of it.
    """
    days = (offered_ms - asked_ms) * MS_NS / DAY_NS
    start = time_text(offered_ms * MS_NS)
    what = (
        f"promises nothing before {start}: rows of {days:.1f} days may be missing"
        if was_asked
        else f"has nothing before {start} any more ({days:.1f} days are missing)"
    )
    return Finding(
        defect="gap",
        action="kept",
        subject=str(key),
        count=1,
        message=f"asked from {time_text(asked_ms * MS_NS)}; the exchange {what}",
        first_ns=asked_ms * MS_NS,
        last_ns=offered_ms * MS_NS,
    )


def numbers_missing(key: DatasetKey, count: int) -> Finding:
    """The finding about numbers of trades that the exchange does not have."""
    return Finding(
        defect="gap",
        action="kept",
        subject=str(key),
        count=count,
        message=f"{count} numbers between the trades are of no trade, also when asked for singly",
    )
