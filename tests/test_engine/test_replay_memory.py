"""Memory that replays write into is lent again, and never shown by two results."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine._replay import memory
from engine._replay.memory import LENT_BYTES, MOST_KEPT, lent
from tests.replay_cases.case import ReplayCase, replay_of
from tests.replay_cases.quiet import quiet_case

BIG = LENT_BYTES.start // 8
"""The fewest float64 that are lent."""


@pytest.fixture(autouse=True)
def nothing_kept():
    gc.collect()
    memory._KEPT.clear()


def address(array):
    return array.ctypes.data


def test_a_block_comes_back_when_its_last_view_is_gone():
    first = lent(BIG, np.float64)
    at = address(first)
    part = first[BIG // 2 :][1:]
    del first
    assert not memory._KEPT, "a view still shows it"
    del part
    assert address(lent(BIG, np.float64)) == at


def test_two_loans_at_once_do_not_overlap():
    loans = [lent(BIG + 8 * k, np.float64) for k in range(20)]
    for number, loan in enumerate(loans):
        loan[:] = number
    assert all((loan == number).all() for number, loan in enumerate(loans))


def test_a_block_serves_another_type_and_a_smaller_size_but_not_half_of_it():
    record = np.dtype([("a", np.int64), ("b", np.int8)])
    block = lent(BIG * 2 - 1, np.float64)
    at = address(block)
    del block
    shown = lent(LENT_BYTES.start // record.itemsize + 1, record)
    assert address(shown) == at
    assert shown.dtype == record
    assert shown.flags.writeable
    del shown
    larger = lent(4 * BIG, np.float64)
    at = address(larger)
    del larger
    assert address(lent(2 * BIG, np.float64)) != at


def test_what_is_kept_is_bounded():
    loans = [lent(BIG, np.float64) for _ in range(3 * MOST_KEPT)]
    assert not memory._KEPT
    del loans
    assert len(memory._KEPT) == MOST_KEPT
    before = list(memory._KEPT)
    for count in (8, LENT_BYTES.stop // 8):
        lent(count, np.float64)
    assert [id(one) for one in memory._KEPT] == [id(one) for one in before]


@pytest.fixture(scope="module")
def long_case() -> ReplayCase:
    """A case whose equity is lent."""
    case = quiet_case(3, bars=BIG + 100)
    assert len(case.panel) * 8 in LENT_BYTES
    return case


def test_a_result_is_not_changed_by_the_replays_after_it(long_case: ReplayCase):
    first = replay_of(long_case)
    equity, fills, trades = first.equity.copy(), first.fills.copy(), first.trades.copy()
    for _ in range(3):
        replay_of(long_case).equity[:] = -1.0
    np.testing.assert_array_equal(first.equity, equity)
    np.testing.assert_array_equal(first.fills, fills)
    np.testing.assert_array_equal(first.trades, trades)


def test_threads_take_and_give_back_at_once():
    def own(number: int) -> bool:
        for _ in range(200):
            loan = lent(BIG + number, np.float64)
            loan[:] = number
            if not (loan == number).all():
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(own, range(8)))
