"""The rebuilt order book against one that is replayed from the true changes for every sample."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import DatasetKey
from datasets.findings import RefusedFileError
from datasets.importers.order_book.replay import (
    MAX_SILENCE_NS,
    BookMessage,
    BookReplay,
    Level,
    Numbering,
)
from datasets.importers.order_book.rows import sampled_rows
from datasets.importers.reading.source_file import SourceFile

SECOND = 1_000_000_000
LEVELS = 3
KEY = DatasetKey("book_snapshot", "binance", "spot", "BTCUSDT", "event", "test")
FILE = SourceFile(Path("capture"), "capture", b"x", lambda: "0" * 64)
Change = tuple[str, float, float]
Book = dict[tuple[str, float], float]
Sample = dict[int, dict[str, list[Level]]]


@dataclass(frozen=True)
class Market:
    """What really happened: messages of changes, their times, and whether they were received."""

    messages: list[list[Change]]
    times: list[int]
    received: list[bool]

    def ids(self, message: int) -> tuple[int, int]:
        """First and last number of a message; change ``n`` of the market has number ``n + 1``."""
        before = sum(len(changes) for changes in self.messages[:message])
        return before + 1, before + len(self.messages[message])

    def book_after(self, number: int) -> Book:
        book: Book = {}
        changes = [change for message in self.messages for change in message]
        for side, price, quantity in changes[:number]:
            book[side, price] = quantity
        return {place: quantity for place, quantity in book.items() if quantity}

    def number_at(self, instant: int) -> int:
        """Number of the last change up to and including an instant."""
        return max(
            (self.ids(m)[1] for m, time in enumerate(self.times) if time <= instant), default=0
        )

    def change(self, message: int, numbering: Numbering) -> BookMessage:
        first, last = self.ids(message)
        levels = {
            side: [(p, q) for own, p, q in self.messages[message] if own == side] for side in "ab"
        }
        return BookMessage(
            message + 1,
            self.times[message],
            self.times[message] + 5,
            False,
            levels["b"],
            levels["a"],
            first,
            last,
            first - 1 if numbering == "previous" else None,
        )

    def snapshot(self, number: int, time_ns: int | None, place: int) -> BookMessage:
        book = self.book_after(number)
        bids = [(p, q) for (side, p), q in book.items() if side == "b"]
        asks = [(p, q) for (side, p), q in book.items() if side == "a"]
        return BookMessage(place, time_ns, None, True, bids, asks, number, number)


def top(book: Book, side: str) -> list[Level]:
    levels = [(p, q) for (own, p), q in book.items() if own == side]
    return sorted(levels, reverse=side == "b")[:LEVELS]


def is_crossed(book: Book) -> bool:
    bids, asks = top(book, "b"), top(book, "a")
    return bool(bids and asks and bids[0][0] >= asks[0][0])


def sampled(messages: list[BookMessage], numbering: Numbering) -> tuple[Sample, BookReplay]:
    """Samples that a replay wrote, by instant and side; samples of an empty book leave no rows."""
    replay = BookReplay(numbering, levels=LEVELS)
    for message in messages:
        replay.take(message)
    samples, found = replay.samples, Sample()
    rows = zip(
        samples.time_ns, samples.side, samples.level, samples.price, samples.quantity, strict=True
    )
    for time_ns, side, level, price, quantity in rows:
        levels = found.setdefault(time_ns, {"a": [], "b": []})[side[0]]
        assert level == len(levels)
        levels.append((price, quantity))
    return found, replay


@st.composite
def markets(draw: st.DrawFn) -> Market:
    change = st.tuples(
        st.sampled_from("ab"), st.integers(1, 6).map(float), st.integers(0, 3).map(float)
    )
    messages = draw(st.lists(st.lists(change, min_size=1, max_size=4), min_size=1, max_size=12))
    steps = draw(st.lists(st.integers(0, 5), min_size=len(messages), max_size=len(messages)))
    times = [10 * SECOND + sum(steps[: n + 1]) * SECOND // 2 for n in range(len(messages))]
    received = draw(
        st.lists(
            st.sampled_from([True, True, True, False]),
            min_size=len(messages),
            max_size=len(messages),
        )
    )
    return Market(messages, times, received)


def expected_beside_stream(market: Market, snapshots: list[tuple[int, int]], instant: int) -> bool:
    """Whether the book of an instant can be known: every change since a snapshot was received.

    ``snapshots`` are pairs of the number of messages that came before it and its own number.
    """
    later = [m for m, time in enumerate(market.times) if time > instant and market.received[m]]
    if not later or not any(
        market.received[m] for m, time in enumerate(market.times) if time <= instant
    ):
        return False
    following = later[0]
    needed_to = market.ids(following)[0] - 1
    for arrived, number in snapshots:
        earlier = [m for m in range(min(arrived, following)) if market.received[m]]
        newest = max((market.ids(m)[1] for m in earlier), default=0)
        since = [
            m
            for m in range(arrived, following)
            if market.received[m] and market.ids(m)[1] >= number
        ]
        # A snapshot ahead of the stream stands at a moment that only the next message tells.
        if arrived > following or number > needed_to or (newest < number and not since):
            continue
        have = set(range(1, number + 1))
        for message in range(following):
            if market.received[message]:
                first, last = market.ids(message)
                have |= set(range(first, last + 1))
        if have >= set(range(1, needed_to + 1)):
            return True
    return False


def known_range(market: Market, snapshots: list[tuple[int, int]]) -> tuple[float, float]:
    """Prices that no snapshot leaves out."""
    floor, ceiling = 0.0, 1e9
    for _, number in snapshots:
        book = market.book_after(number)
        floor = max(floor, min((p for side, p in book if side == "b"), default=0.0))
        ceiling = min(ceiling, max((p for side, p in book if side == "a"), default=1e9))
    return floor, ceiling


@settings(max_examples=400)
@given(market=markets(), numbering=st.sampled_from(["consecutive", "previous"]), data=st.data())
def test_snapshots_beside_the_stream_give_the_true_book_or_none(
    market: Market, numbering: Numbering, data: st.DataObject
) -> None:
    last = market.ids(len(market.messages) - 1)[1]
    snapshots = []
    for arrived in sorted(data.draw(st.lists(st.integers(0, len(market.messages)), max_size=3))):
        newest = market.ids(arrived - 1)[1] if arrived else 0
        number = newest + data.draw(st.integers(-3, 6))
        snapshots.append((arrived, min(max(number, 0), last)))
    messages: list[BookMessage] = []
    for arrived in range(len(market.messages) + 1):
        messages += [market.snapshot(n, None, 100) for a, n in snapshots if a == arrived]
        if arrived < len(market.messages) and market.received[arrived]:
            messages.append(market.change(arrived, numbering))
    found, _ = sampled(messages, numbering)
    for instant in range(10 * SECOND, market.times[-1] + SECOND, SECOND):
        book = market.book_after(market.number_at(instant))
        is_known = expected_beside_stream(market, snapshots, instant)
        if not is_known or is_crossed(book):
            assert instant not in found
            continue
        # A snapshot has only so many levels; those beyond it are left out, never wrong.
        if len(snapshots) > 1 and instant not in found:
            # A second snapshot that is ahead of the stream hides the book until the stream catches up.
            continue
        floor, ceiling = known_range(market, snapshots)
        for side in "ab":
            levels = found.get(instant, {"a": [], "b": []})[side]
            true_levels = top(book, side)
            assert levels == true_levels[: len(levels)]
            assert len(levels) >= sum(floor <= price <= ceiling for price, _ in true_levels)


@given(market=markets(), anew=st.sets(st.integers(0, 11)))
def test_snapshots_in_the_stream_give_the_true_book_at_every_instant_after_them(
    market: Market, anew: set[int]
) -> None:
    numbers = [m for m in range(len(market.messages)) if m in anew or market.received[m]]
    messages = [
        market.snapshot(market.ids(m)[1], market.times[m], m)
        if m in anew
        else market.change(m, "consecutive")
        for m in numbers
    ]
    found, _ = sampled(messages, "consecutive")
    for instant in range(10 * SECOND, market.times[-1] + SECOND, SECOND):
        book = market.book_after(market.number_at(instant))
        before = [m for m in numbers if market.times[m] <= instant]
        after = [m for m in numbers if market.times[m] > instant]
        started = [m for m in before if m in anew]
        is_known = bool(started and after) and after[0] not in anew
        if is_known:
            is_known = set(range(started[-1], after[0] + 1)) <= set(numbers)
        if not is_known or is_crossed(book):
            assert instant not in found
        else:
            empty: dict[str, list[Level]] = {"a": [], "b": []}
            assert found.get(instant, empty) == {side: top(book, side) for side in "ab"}


def change(place: int, second: float, first: int, last: int, **levels: list[Level]) -> BookMessage:
    time_ns = int(second * SECOND)
    bids, asks = levels.get("bids", []), levels.get("asks", [])
    return BookMessage(place, time_ns, time_ns + 7, False, bids, asks, first, last)


def snapshot(number: int, second: float | None, **levels: list[Level]) -> BookMessage:
    time_ns = None if second is None else int(second * SECOND)
    bids, asks = levels.get("bids", []), levels.get("asks", [])
    return BookMessage(1, time_ns, None, True, bids, asks, number, number)


START = snapshot(1, 1.0, bids=[(9.0, 1.0)], asks=[(10.0, 1.0)])


def test_a_sample_is_known_when_its_last_message_was_received() -> None:
    late = replace(change(2, 1.5, 2, 2, bids=[(9.0, 4.0)]), known_ns=9 * SECOND)
    _, replay = sampled([START, late, change(3, 2.5, 3, 3)], "consecutive")
    samples = replay.samples
    known = dict(zip(samples.time_ns, samples.known_ns, strict=True))
    assert known == {1 * SECOND: 1 * SECOND, 2 * SECOND: 9 * SECOND}


def test_the_instant_of_the_last_message_is_not_sampled_because_it_may_have_a_twin() -> None:
    twins = [START, change(2, 2.0, 2, 2, bids=[(9.0, 4.0)])]
    found, _ = sampled(twins, "consecutive")
    assert list(found) == [1 * SECOND]
    found, _ = sampled(
        [*twins, change(3, 2.0, 3, 3, bids=[(9.0, 5.0)]), change(4, 2.1, 4, 4)], "consecutive"
    )
    assert found[2 * SECOND]["b"] == [(9.0, 5.0)]


def test_a_missing_number_makes_the_book_unknown_until_the_next_snapshot() -> None:
    messages = [
        START,
        change(2, 2.0, 3, 3, asks=[(10.0, 0.0)]),
        change(3, 4.0, 4, 4),
        snapshot(9, 5.0, bids=[(8.0, 2.0)], asks=[(11.0, 2.0)]),
        change(4, 6.5, 10, 10),
    ]
    found, replay = sampled(messages, "consecutive")
    assert found[5 * SECOND] == found[6 * SECOND] == {"b": [(8.0, 2.0)], "a": [(11.0, 2.0)]}
    assert len(found) == 2
    rows = sampled_rows(FILE, "test", KEY, replay, "line")
    (gap,) = [finding for finding in rows.findings if finding.defect == "gap"]
    assert gap.count == 1
    assert "number 1 is followed by 3" in gap.message
    assert "unknown at 4 instants" in gap.message


def test_a_break_throughout_refuses_the_file() -> None:
    _, replay = sampled([START, change(2, 2.0, 3, 3)], "consecutive")
    with pytest.raises(RefusedFileError, match="number 1 is followed by 3") as refusal:
        sampled_rows(FILE, "test", KEY, replay, "line")
    assert refusal.value.defect == "gap"


def test_a_book_without_a_second_moment_is_refused() -> None:
    _, replay = sampled([START], "none")
    with pytest.raises(RefusedFileError, match="a longer file") as refusal:
        sampled_rows(FILE, "test", KEY, replay, "line")
    assert refusal.value.defect == "single_snapshot"


def test_long_silence_makes_the_book_unknown() -> None:
    silent = change(2, 1.0 + MAX_SILENCE_NS / SECOND + 1, 2, 2)
    found, replay = sampled([START, silent, change(3, 9e6, 3, 3)], "consecutive")
    assert found == {}
    assert replay.samples.unknown > 3600


def test_crossed_samples_are_left_out_and_emptied_sides_are_told() -> None:
    messages = [
        START,
        change(2, 1.5, 2, 2, bids=[(11.0, 1.0)]),
        change(3, 2.5, 3, 3, bids=[(11.0, 0.0), (9.0, 0.0)]),
        change(4, 3.5, 4, 4),
    ]
    found, replay = sampled(messages, "consecutive")
    assert list(found) == [1 * SECOND, 3 * SECOND]
    assert found[3 * SECOND] == {"a": [(10.0, 1.0)], "b": []}
    counts = {f.defect: f.count for f in sampled_rows(FILE, "test", KEY, replay, "line").findings}
    assert counts["contradiction"] == 1
    assert counts["missing_value"] == 1


def test_levels_beyond_a_snapshot_beside_the_stream_are_unknown() -> None:
    beside = snapshot(1, None, bids=[(9.0, 1.0), (8.0, 1.0)], asks=[(10.0, 1.0)])
    messages = [
        change(1, 1.0, 1, 1),
        beside,
        change(2, 2.0, 2, 2, bids=[(7.0, 3.0)], asks=[(12.0, 3.0)]),
        change(3, 3.5, 3, 3),
    ]
    found, replay = sampled(messages, "consecutive")
    assert found[3 * SECOND] == {"b": [(9.0, 1.0), (8.0, 1.0)], "a": [(10.0, 1.0)]}
    assert replay.samples.shortened == 2
