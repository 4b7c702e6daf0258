"""An order book rebuilt from a snapshot and the changes after it, and sampled on a grid of
instants.

The book at an instant is what every message up to and including that instant makes of the last
snapshot; nothing of it is interpolated. Where messages carry update numbers, a missing one makes
the book unknown until the next snapshot: no sample is written meanwhile, and a finding says how
many breaks there were. A snapshot that comes late (a REST answer among a stream) is brought up to
date with the changes received before it, as the venue prescribes.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, Literal

from engine import HOUR_NS, SECOND_NS

LEVELS: Final = 20
"""So many levels of each side are kept of every sample."""
SAMPLE_NS: Final = SECOND_NS
"""Samples are this far apart, on the grid of UTC."""
MAX_SILENCE_NS: Final = HOUR_NS
"""After so long without a message nobody knows whether the stream still ran: the book is unknown.
"""
Level = tuple[float, float]
"""Price and quantity; a quantity of 0 removes the price."""
Numbering = Literal["consecutive", "previous", "none"]


@dataclass(frozen=True, slots=True)
class BookMessage:
    """One message of a stream: a whole book, or prices whose quantity has changed.

    ``time_ns`` is the event time of the venue. It is None for a snapshot that was asked for beside
    the stream and stands at its ``last_id``; such a snapshot has only so many levels, and what lies
    beyond them is unknown. ``known_ns`` is when the message was received, None where nobody wrote
    it down. ``first_id`` to ``last_id`` are the update numbers in it, ``previous_id`` the last
    number of the message before it where the venue states that. ``place`` is its row or line.
    """

    place: int
    time_ns: int | None
    known_ns: int | None
    is_snapshot: bool
    bids: Sequence[Level]
    asks: Sequence[Level]
    first_id: int = 0
    last_id: int = 0
    previous_id: int | None = None


@dataclass(slots=True)
class Samples:
    """Rows of ``book_snapshot`` as they are written, and what went wrong on the way."""

    time_ns: list[int] = field(default_factory=list)
    known_ns: list[int] = field(default_factory=list)
    side: list[str] = field(default_factory=list)
    level: list[int] = field(default_factory=list)
    price: list[float] = field(default_factory=list)
    quantity: list[float] = field(default_factory=list)
    place: list[int] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    unknown: int = 0
    crossed: list[int] = field(default_factory=list)
    one_sided: int = 0
    shortened: int = 0

    def add(self, time_ns: int, known_ns: int, place: int, side: str, levels: list[Level]) -> None:
        count = len(levels)
        self.time_ns += [time_ns] * count
        self.known_ns += [known_ns] * count
        self.side += [side] * count
        self.level += range(count)
        self.price += map(itemgetter(0), levels)
        self.quantity += map(itemgetter(1), levels)
        self.place += [place] * count


class BookReplay:
    """The book of one instrument: fed with messages in their order, it writes samples.

    ``numbering`` says how a message follows the one before it: ``consecutive`` update numbers
    (Binance spot, Bybit), the number of the ``previous`` one stated (Binance futures), or ``none``.
    """

    def __init__(
        self, numbering: Numbering, *, levels: int = LEVELS, sample_ns: int = SAMPLE_NS
    ) -> None:
        self.samples = Samples()
        self._numbering = numbering
        self._levels = levels
        self._sample_ns = sample_ns
        self._bids: dict[float, float] = {}
        self._asks: dict[float, float] = {}
        self._is_known = False
        self._is_ahead = False
        """True while a snapshot is newer than the changes seen: it stands once they catch up."""
        self._floor, self._ceiling = 0.0, math.inf
        """Prices between which the book is known."""
        self._last_id = 0
        self._follows_snapshot = False
        self._waiting: list[BookMessage] = []
        self._clock_ns: int | None = None
        self._known_ns = 0
        self._place = 0

    def take(self, message: BookMessage) -> None:
        """One more message; the instants before it are sampled once it shows that none is missing."""
        if message.time_ns is not None:
            reason = self._missing_before(message)
            if reason is not None:
                self._break(reason)
            self._advance(message.time_ns)
        self._known_ns = max(self._known_ns, message.known_ns or message.time_ns or 0)
        self._place = message.place
        if message.is_snapshot:
            self._restart(message)
        elif self._is_known:
            self._change(message)
        else:
            self._waiting.append(message)

    def _missing_before(self, message: BookMessage) -> str | None:
        """Why messages must be missing between the book and ``message``; None where none is."""
        if not self._is_known or message.time_ns is None:
            return None
        if message.is_snapshot:
            return "a snapshot begins the book anew"
        silence_ns = message.time_ns - (self._clock_ns or message.time_ns)
        if silence_ns > MAX_SILENCE_NS:
            return f"no message for {silence_ns / SECOND_NS:.0f} s"
        if self._numbering == "none" or self._is_old(message) or self._continues(message):
            return None
        return f"number {self._last_id} is followed by {message.first_id}"

    def _break(self, reason: str) -> None:
        self.samples.breaks.append(f"{self._place}: {reason}")
        self._is_known = False

    def _advance(self, time_ns: int) -> None:
        """Samples at every instant before ``time_ns``: the message of ``time_ns`` may have a twin."""
        begin = time_ns if self._clock_ns is None else self._clock_ns
        first = -(-begin // self._sample_ns) * self._sample_ns
        if self._is_known and not self._is_ahead:
            for instant in range(first, time_ns, self._sample_ns):
                self._sample(instant)
        else:
            self.samples.unknown += max(0, -((first - time_ns) // self._sample_ns))
        self._clock_ns = max(begin, time_ns)

    def _sample(self, instant: int) -> None:
        bids = heapq.nlargest(self._levels, self._bids.items())
        asks = heapq.nsmallest(self._levels, self._asks.items())
        if bids and asks and bids[0][0] >= asks[0][0]:
            self.samples.crossed.append(instant)
            return
        known_bids = [level for level in bids if level[0] >= self._floor]
        known_asks = [level for level in asks if level[0] <= self._ceiling]
        if len(known_bids) + len(known_asks) < len(bids) + len(asks):
            self.samples.shortened += 1
        if not (known_bids and known_asks):
            self.samples.one_sided += 1
        known_ns = max(instant, self._known_ns)
        self.samples.add(instant, known_ns, self._place, "ask", known_asks)
        self.samples.add(instant, known_ns, self._place, "bid", known_bids)

    def _restart(self, message: BookMessage) -> None:
        is_beside_stream = message.time_ns is None
        if is_beside_stream and self._is_known and message.last_id <= self._last_id:
            return
        waiting, self._waiting = self._waiting, []
        self._bids, self._asks = {}, {}
        _put(self._bids, message.bids)
        _put(self._asks, message.asks)
        self._floor, self._ceiling = 0.0, math.inf
        self._is_known, self._is_ahead, self._follows_snapshot = True, False, True
        self._last_id = message.last_id
        if not is_beside_stream:
            return
        self._floor, self._ceiling = min(self._bids, default=0.0), max(self._asks, default=math.inf)
        newest = max((change.last_id for change in waiting), default=0)
        self._is_ahead = newest < message.last_id
        for change in waiting:
            reason = self._missing_before(change)
            if reason is not None:
                self._break(reason)
            if self._is_known:
                self._change(change)
            else:
                self._waiting.append(change)

    def _change(self, message: BookMessage) -> None:
        if message.last_id >= self._last_id:
            self._is_ahead = False
        if self._numbering != "none" and self._is_old(message):
            return
        _put(self._bids, message.bids)
        _put(self._asks, message.asks)
        self._last_id = message.last_id
        self._follows_snapshot = False

    def _is_old(self, message: BookMessage) -> bool:
        """True for a change that the book has already: from before the snapshot, or sent twice."""
        return message.last_id <= self._last_id

    def _continues(self, message: BookMessage) -> bool:
        """True where no change is missing between the book and ``message``.

        Futures of Binance share one count: a message covers all numbers after ``previous_id``, and
        those before ``first_id`` belong to other instruments.
        """
        if self._numbering == "previous":
            previous = message.previous_id
            if previous is None:
                return False
            return (
                previous <= self._last_id if self._follows_snapshot else previous == self._last_id
            )
        if self._follows_snapshot:
            return message.first_id <= self._last_id + 1
        return message.first_id == self._last_id + 1


def _put(side: dict[float, float], levels: Iterable[Level]) -> None:
    for price, quantity in levels:
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)
