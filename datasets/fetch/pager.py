"""Reading a period completely from an exchange that answers in pages, and not always whole ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from engine import DataError

from ..timestamps import time_text
from .answers import Asker, BrokenAnswerError
from .series import MS_NS, Row, Series

Stretch: TypeAlias = tuple[int, int]
"""A closed period, ms UTC."""
_DENIALS: Final = 2
"""So many answers must lack a row before it is believed not to exist."""
_TORN_ANSWERS: Final = 6
_PROBE_GROWTH: Final = 8
_LOOSE: Final = 1.5
"""Rows off a grid count as complete while neighbours are closer than this many usual distances."""
_LATE_MS: Final = 60_000
"""By so much a row off a grid may be late."""


@dataclass(slots=True)
class Healed:
    """How many rows of the answers were odd: repeated, out of order, or stating two values."""

    duplicate: int = 0
    unsorted: int = 0
    contradiction: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in time order, and the moment (ms, exclusive) up to which everything has been asked."""

    rows: list[Row]
    asked_to_ms: int


@dataclass(slots=True)
class Pager:
    """Reads one series. Nothing is believed to be absent before two answers lacked it.

    ``complete`` raises DataError when the exchange goes on stating two values for one time.
    """

    series: Series
    asker: Asker
    healed: Healed = field(default_factory=Healed)
    largest_answer: int = 0

    async def complete(self, first_ms: int, end_ms: int) -> list[Row]:
        """The rows of [``first_ms``, ``end_ms``), at most about ``series.limit`` of them.

        An answer may lack rows because they do not exist, because more fit than the exchange gives at
        once, or by mistake. What is missing is asked for again until two answers have denied it.
        """
        window = _Window(self.series, first_ms, end_ms)
        asked: Stretch | None = (first_ms, end_ms - 1)
        while asked is not None:
            answer = await self._ask(*asked)
            self.largest_answer = max(self.largest_answer, len(answer))
            # Exchanges cut an answer at a length of theirs; a shorter one has not been cut.
            is_uncut = len(answer) < self.largest_answer
            window.take(answer, asked, is_uncut, self.healed)
            asked = window.next_to_ask()
            if window.torn_for_good is not None:
                raise self._two_values(window.torn_for_good)
        return [window.found[time_ms] for time_ms in sorted(window.found)]

    async def next_row_ms(self, first_ms: int, end_ms: int) -> int | None:
        """A moment in [``first_ms``, ``end_ms``) with no row before it and one soon after it.

        None when the period holds no row. Windows that grow find where rows begin again; where the
        exchange prefers the newest rows of a window, halving comes near the first of them.
        """
        span = self._span_ms()
        low = first_ms
        while low < end_ms:
            span *= _PROBE_GROWTH
            high = min(end_ms, low + span)
            earliest = await self._earliest(low, high)
            if earliest is not None and self.series.oldest_first:
                return await self._first_before(low, earliest)
            if earliest is not None:
                return await self._near(low, earliest)
            low = high
        return None

    async def _first_before(self, low: int, known: int) -> int:
        """``known``, or an earlier row of [``low``, ``known``) that the answer had lost."""
        while known > low:
            earlier = await self._earliest(low, known)
            if earlier is None:
                break
            known = earlier
        return known

    async def _near(self, low: int, known: int) -> int:
        while known - low > self._span_ms():
            middle = (low + known) // 2
            earlier = await self._earliest(low, middle)
            if earlier is None:
                low = middle
            else:
                known = earlier
        return low

    def _span_ms(self) -> int:
        return self.series.limit * self.series.spacing_ms

    async def _earliest(self, first_ms: int, end_ms: int) -> int | None:
        for _ in range(_DENIALS):
            answer = await self._ask(first_ms, end_ms - 1)
            times = [time_ms for time_ms in _times(answer) if first_ms <= time_ms < end_ms]
            if times:
                return min(times)
        return None

    async def _ask(self, first_ms: int, last_ms: int) -> list[Row]:
        what = f"{self.series.name} {time_text(first_ms * MS_NS)} to {time_text(last_ms * MS_NS)}"

        async def request() -> list[Row]:
            answer = await self.series.ask(first_ms, last_ms)
            newest_ms = max(_times(answer), default=last_ms)
            if self.series.ends_where_asked and newest_ms > last_ms + self.series.spacing_ms:
                # Whoever ignores the period would seem to have nothing in it.
                raise BrokenAnswerError(
                    f"the answer has a row of {time_text(newest_ms * MS_NS)}, later than asked for"
                )
            return answer

        return await self.asker.ask(what, request)

    def _two_values(self, rows: tuple[Row, Row]) -> DataError:
        one, other = rows
        column, a, b = next(
            (name, a, b)
            for name, a, b in zip(self.series.columns, one[1:], other[1:], strict=True)
            if a != b
        )
        return DataError(
            f"{self.asker.name}: the exchange states two values for "
            f"{time_text(int(one[0] or 0) * MS_NS)}: {column} is {a!r} and {b!r} in one answer, "
            f"{_TORN_ANSWERS} times; nothing says which is right, repeat the command later"
        )


class _Window:
    """What is known of one period while it is being read."""

    def __init__(self, series: Series, first_ms: int, end_ms: int) -> None:
        self.found: dict[int, Row] = {}
        self.torn_for_good: tuple[Row, Row] | None = None
        self._series = series
        self._period = (first_ms, end_ms - 1)
        self._torn: dict[int, int] = {}
        self._denied: list[Stretch] = []
        self._answers = 0

    def take(self, answer: list[Row], asked: Stretch, is_uncut: bool, healed: Healed) -> None:
        """Add the rows of an answer to those found, and note what it denies."""
        self._answers += 1
        rows = [row for row in answer if asked[0] <= int(row[0] or 0) <= asked[1]]
        healed.unsorted += _out_of_order(rows)
        fresh: dict[int, Row] = {}
        torn: dict[int, tuple[Row, Row]] = {}
        for row in rows:
            time_ms = int(row[0] or 0)
            if time_ms in fresh and fresh[time_ms] != row:
                torn[time_ms] = (fresh[time_ms], row)
            elif time_ms in fresh:
                healed.duplicate += 1
            fresh[time_ms] = row
        healed.contradiction += len(torn)
        new = [
            time_ms for time_ms in fresh if time_ms not in self.found and time_ms not in self._torn
        ]
        # An answer that lacked a row which is there proves nothing about others either.
        self._denied = [(a, b) for a, b in self._denied if not any(a <= t <= b for t in new)]
        for time_ms, row in fresh.items():
            if time_ms not in torn:
                self.found[time_ms] = row
                self._torn.pop(time_ms, None)
            elif time_ms not in self.found:
                self._torn[time_ms] = self._torn.get(time_ms, 0) + 1
                if self._torn[time_ms] >= _TORN_ANSWERS:
                    self.torn_for_good = torn[time_ms]
        if not fresh or is_uncut:
            self._denied.append(asked)
        else:
            self._denied.append((min(fresh), max(fresh)))

    def next_to_ask(self) -> Stretch | None:
        """The period to ask for next, None when everything is found or denied."""
        missing = [stretch for stretch in self._missing() if not self._is_denied(stretch)]
        if not missing and self._torn:
            time_ms = min(self._torn)
            return time_ms, time_ms
        if not missing:
            return None
        if self._answers == 1:
            return missing[0][0], missing[-1][1]
        # One by one: an answer about a stretch without a known row brings rows or denies it.
        return missing[0]

    def _is_denied(self, stretch: Stretch) -> bool:
        low, high = stretch
        return sum(a <= low and high <= b for a, b in self._denied) >= _DENIALS

    def _missing(self) -> list[Stretch]:
        first, last = self._period
        spacing = self._series.spacing_ms
        times = np.array(sorted(self.found), dtype=np.int64)
        if self._series.on_grid:
            origin = self._series.grid_ms
            start = origin - (origin - first) // spacing * spacing
            grid = np.arange(start, last + 1, spacing, dtype=np.int64)
            absent = np.setdiff1d(grid, times, assume_unique=True)
            breaks = np.flatnonzero(np.diff(absent) > spacing) + 1
            return [(int(run[0]), int(run[-1])) for run in np.split(absent, breaks) if run.size]
        usual = int(np.diff(times).min()) if len(times) > 1 else spacing
        edges = np.concatenate([[first - 1], times, [last + 1]])
        most = np.full(len(edges) - 1, usual * _LOOSE)
        most[[0, -1]] = usual + _LATE_MS
        wide = np.flatnonzero(np.diff(edges) > most)
        return [(int(edges[i]) + 1, int(edges[i + 1]) - 1) for i in wide]


def _times(answer: Iterable[Row]) -> list[int]:
    return [int(row[0] or 0) for row in answer]


def _out_of_order(rows: list[Row]) -> int:
    """Rows that break the order of the answer, oldest or newest first, whichever fits better."""
    steps = np.diff(np.array(_times(rows), dtype=np.int64))
    return int(min((steps < 0).sum(), (steps > 0).sum()))
