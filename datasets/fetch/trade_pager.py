"""Reading trades: by their numbers where the exchange has them, else what it still shows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from engine import DataError

from ..timestamps import time_text
from .answers import Asker
from .pager import Healed, Page
from .series import MS_NS, Row, TradeHistory

_ASKED_TWICE: Final = 2


@dataclass(slots=True)
class TradePager:
    """Reads the trades of one market; ``skipped`` counts numbers that the exchange does not have."""

    history: TradeHistory
    asker: Asker
    healed: Healed = field(default_factory=Healed)
    skipped: int = 0
    offered_from_ms: int | None = None
    _span: int = field(init=False)

    def __post_init__(self) -> None:
        self._span = self.history.limit

    async def pages(self, first_ms: int, end_ms: int) -> AsyncIterator[Page]:
        """All trades with a time in [``first_ms``, ``end_ms``), oldest first, page after page.

        ``offered_from_ms`` is set when the exchange has no trades as old as ``first_ms`` any more.
        """
        if self.history.from_id is None:
            yield await self._recent(first_ms, end_ms)
            return
        newest = await self._newest_id()
        next_id = None if newest is None else await self._first_id(first_ms, newest)
        while next_id is not None and newest is not None and next_id <= newest:
            rows = await self._page(next_id)
            next_id = int(rows[-1][1] or 0) + 1 if rows else next_id + self._span
            inside = [row for row in rows if first_ms <= int(row[0] or 0) < end_ms]
            if rows and int(rows[-1][0] or 0) >= end_ms:
                yield Page(inside, end_ms)
                return
            if inside:
                # More trades of the last millisecond may follow on the next page.
                yield Page(inside, int(inside[-1][0] or 0))
        yield Page([], end_ms)

    async def _page(self, trade_id: int) -> list[Row]:
        """Trades numbered from ``trade_id`` on, without a hole that asking again would fill."""
        end_id = trade_id + self._span
        found: dict[int, Row] = {}
        denied: dict[int, int] = {}
        wanted: int | None = trade_id
        while wanted is not None:
            fresh: dict[int, Row] = {}
            answer = await self._ask_from(wanted, self._span)
            for row in answer:
                number = int(row[1] or 0)
                if not trade_id <= number < end_id:
                    continue
                self.healed.duplicate += number in fresh
                if found.get(number, row) != row:
                    raise self._two_values(found[number], row)
                found[number] = fresh[number] = row
            if wanted not in found:
                denied[wanted] = denied.get(wanted, 0) + 1
                if answer and denied[wanted] >= _ASKED_TWICE:
                    # An exchange that gives fewer rows than asked for may give the last of them.
                    self._span = max(1, self._span // 2)
            elif not denied and len(answer) >= self._span:
                self._span = min(self.history.limit, self._span * 2)
            wanted = next(
                (
                    number
                    for number in range(trade_id, max(found, default=trade_id) + 1)
                    if number not in found and denied.get(number, 0) < self._denials()
                ),
                None,
            )
        numbers = sorted(found)
        if numbers:
            self.skipped += numbers[-1] - trade_id + 1 - len(numbers)
        return [found[number] for number in numbers]

    def _denials(self) -> int:
        """So many answers must lack a number: enough to halve a page down to one trade."""
        return _ASKED_TWICE + self.history.limit.bit_length()

    async def _newest_id(self) -> int | None:
        assert self.history.latest is not None
        for _ in range(_ASKED_TWICE):
            rows = await self.asker.ask("latest trades", self.history.latest)
            if rows:
                return max(int(row[1] or 0) for row in rows)
        return None

    async def _first_id(self, first_ms: int, newest: int) -> int:
        """Number of the first trade at or after ``first_ms`` that the exchange still has."""
        low, high = 0, newest + 1
        oldest: Row | None = None
        is_gone_before = False
        while low < high:
            middle = (low + high) // 2
            row = await self._at(middle)
            if row is None:
                low, is_gone_before = middle + 1, True
            elif int(row[0] or 0) < first_ms:
                low, is_gone_before = max(middle, int(row[1] or 0)) + 1, False
            else:
                high, oldest = min(middle, int(row[1] or 0)), row
        if is_gone_before and oldest is not None:
            self.offered_from_ms = int(oldest[0] or 0)
        return low

    async def _at(self, trade_id: int) -> Row | None:
        """The trade of this number or the nearest one that the exchange gives for it."""
        for _ in range(_ASKED_TWICE):
            rows = await self._ask_from(trade_id, 1)
            if rows:
                return rows[0]
        return None

    async def _ask_from(self, trade_id: int, count: int) -> list[Row]:
        from_id = self.history.from_id
        assert from_id is not None
        what = f"trades from number {trade_id}"
        return await self.asker.ask(what, lambda: from_id(trade_id, count))

    async def _recent(self, first_ms: int, end_ms: int) -> Page:
        recent: Callable[[], Awaitable[list[Row]]] | None = self.history.recent
        assert recent is not None
        rows: list[Row] = []
        for _ in range(_ASKED_TWICE):
            rows = rows or await self.asker.ask("recent trades", recent)
        oldest_ms = min((int(row[0] or 0) for row in rows), default=end_ms)
        if len(rows) >= self.history.limit:
            # Trades of the oldest millisecond may have been cut off.
            oldest_ms += 1
        if oldest_ms > first_ms:
            self.offered_from_ms = oldest_ms
        ordered = sorted(
            (row for row in reversed(rows) if oldest_ms <= int(row[0] or 0)),
            key=lambda row: int(row[0] or 0),
        )
        numbered: list[Row] = []
        for row in ordered:
            is_next = bool(numbered) and numbered[-1][0] == row[0]
            number = int(numbered[-1][1] or 0) + 1 if is_next else 0
            numbered.append((row[0], number, *row[2:]))
        return Page([r for r in numbered if first_ms <= int(r[0] or 0) < end_ms], end_ms)

    def _two_values(self, one: Row, other: Row) -> DataError:
        return DataError(
            f"{self.asker.name}: the exchange states two trades numbered {one[1]}: at "
            f"{time_text(int(one[0] or 0) * MS_NS)} {one[2]!r} x {one[3]!r}, and at "
            f"{time_text(int(other[0] or 0) * MS_NS)} {other[2]!r} x {other[3]!r}; nothing says which is "
            "right, repeat the command later"
        )
