"""The pager against every kind of exchange that keeps its word about single rows."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.fetch.answers import Asker, Places, RetryRules
from datasets.fetch.dataset import series_batches
from datasets.fetch.pager import Healed
from datasets.fetch.series import Row, Series
from datasets.keys import DatasetKey
from datasets.kinds import KINDS
from datasets.tables import times_ns

STEP_MS = 3_600_000
KEY = DatasetKey("metrics", "test", "linear_perp", "BTCUSDT", "1h", "api")


async def all_times(series: Series, first_ms: int, end_ms: int) -> list[int]:
    asker = Asker("test", Places(1), RetryRules(), asyncio.Event())
    found: list[int] = []
    reached = first_ms
    async for batch in series_batches(KEY, [series], asker, Healed(), 2 * 10**12)(first_ms, end_ms):
        assert batch.asked_to_ms > reached
        reached = batch.asked_to_ms
        found += [int(t) // 1_000_000 for t in times_ns(KINDS["metrics"], batch.table)]
    assert reached == end_ms
    return found


@given(
    rows=st.sets(st.integers(0, 400), max_size=120),
    limit=st.integers(1, 30),
    cap=st.integers(1, 30),
    oldest_first=st.booleans(),
    on_grid=st.booleans(),
    first=st.integers(0, 300),
    length=st.integers(1, 400),
    seed=st.integers(0, 10**6),
    loses=st.booleans(),
)
def test_every_row_is_found_once_whatever_a_page_holds(
    rows: set[int],
    limit: int,
    cap: int,
    oldest_first: bool,
    on_grid: bool,
    first: int,
    length: int,
    seed: int,
    loses: bool,
) -> None:
    """``cap`` may be below the promised limit; every other answer may lose rows or come untidy.

    Off the grid the promise must hold: there nothing says that a row is missing.
    """
    chance = random.Random(seed)
    if not on_grid:
        # Rows off a grid: regular, so that a hole shows.
        rows, loses, cap = set(range(min(rows, default=0), 401)), False, limit
    truth = sorted(n * STEP_MS for n in rows)
    answers = 0

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        nonlocal answers
        answers += 1
        inside = [(t, float(t)) for t in truth if first_ms <= t <= last_ms]
        size = min(limit, cap)
        page: list[Row] = list(inside[:size] if oldest_first else inside[-size:])
        if loses and answers % 2:
            page = [row for row in page if chance.random() < 0.5]
        chance.shuffle(page)
        return page

    series = Series("rows", ("sum_open_interest",), limit, STEP_MS, on_grid, ask, oldest_first)
    first_ms, end_ms = first * STEP_MS - 17, (first + length) * STEP_MS
    found = asyncio.run(all_times(series, max(0, first_ms), end_ms))
    assert found == [t for t in truth if first_ms <= t < end_ms]


def test_a_probe_that_loses_the_first_row_is_not_believed() -> None:
    truth = [300 * STEP_MS, 301 * STEP_MS, 302 * STEP_MS]
    answers = 0

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        nonlocal answers
        answers += 1
        # The third request is the first one beyond the empty page.
        known = truth[1:] if answers == 3 else truth
        return [(t, float(t)) for t in known if first_ms <= t <= last_ms]

    series = Series("rows", ("sum_open_interest",), 50, STEP_MS, True, ask, oldest_first=True)
    assert asyncio.run(all_times(series, 0, 400 * STEP_MS)) == truth


def test_a_row_off_the_grid_that_an_answer_lost_at_its_edge_is_asked_for_again() -> None:
    eight_ms = 8 * STEP_MS
    truth = [n * eight_ms for n in range(1, 20)]
    first_ms, end_ms = truth[0] - eight_ms // 4, truth[-1] + eight_ms // 4
    for lost in (truth[0], truth[-1]):
        answers = 0

        async def ask(first_ms: int, last_ms: int, lost: int = lost) -> list[Row]:
            nonlocal answers
            answers += 1
            known = [t for t in truth if t != lost] if answers == 1 else truth
            return [(t, float(t)) for t in known if first_ms <= t <= last_ms]

        series = Series("rows", ("sum_open_interest",), 100, eight_ms, False, ask)
        assert asyncio.run(all_times(series, first_ms, end_ms)) == truth


def test_two_stamps_of_one_moment_do_not_make_every_distance_a_hole() -> None:
    eight_ms = 8 * STEP_MS
    truth = sorted([*(n * eight_ms for n in range(1, 50)), 5 * eight_ms + 3])
    answers = 0

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        nonlocal answers
        answers += 1
        return [(t, float(t)) for t in truth if first_ms <= t <= last_ms]

    series = Series("rows", ("sum_open_interest",), 100, eight_ms, False, ask)
    assert asyncio.run(all_times(series, eight_ms, 50 * eight_ms)) == truth
    assert answers < 10


@pytest.mark.parametrize("limit", [3, 10, 100])
@pytest.mark.parametrize("oldest_first", [True, False])
def test_intervals_of_funding_that_become_shorter_lose_nothing(
    limit: int, oldest_first: bool
) -> None:
    eight, four, one = 8 * STEP_MS, 4 * STEP_MS, STEP_MS
    change, faster, end_ms = 40 * eight, 70 * eight, 90 * eight
    truth = [
        *range(eight, change, eight),
        *range(change, faster, four),
        *range(faster, end_ms, one),
    ]

    async def ask(first_ms: int, last_ms: int) -> list[Row]:
        inside: list[Row] = [(t, float(t)) for t in truth if first_ms <= t <= last_ms]
        return inside[:limit] if oldest_first else inside[-limit:]

    series = Series("rows", ("sum_open_interest",), limit, eight, False, ask, oldest_first)
    assert asyncio.run(all_times(series, 0, end_ms)) == truth
