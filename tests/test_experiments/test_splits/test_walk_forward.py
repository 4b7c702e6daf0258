"""Walk-forward splits, by bars and by time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from engine.errors import ConfigError, DataError
from engine.timeframe import DAY_NS, HOUR_NS
from experiments.splits.ranges import BarRange, Split
from experiments.splits.walk_forward import walk_forward, walk_forward_by_time


def pairs(splits: tuple[Split, ...]) -> list[tuple[int, int, int, int]]:
    return [(s.train[0].start, s.train[0].stop, s.test[0].start, s.test[0].stop) for s in splits]


def test_rolling_and_anchored():
    assert pairs(walk_forward(10, train_bars=4, test_bars=2)) == [
        (0, 4, 4, 6),
        (2, 6, 6, 8),
        (4, 8, 8, 10),
    ]
    anchored = walk_forward(11, train_bars=4, test_bars=2, gap_bars=1, step_bars=3, anchored=True)
    assert pairs(anchored) == [(0, 4, 5, 7), (0, 7, 8, 10)]
    assert [split.purged for split in anchored] == [(BarRange(4, 5),), (BarRange(7, 8),)]


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 10),
    st.integers(0, 20),
    st.integers(0, 100),
    st.booleans(),
)
def test_nothing_of_a_test_is_known_before_it(
    train: int, test: int, gap: int, more: int, rest: int, anchored: bool
):
    bars = train + gap + test + rest
    step = test + more
    splits = walk_forward(
        bars, train_bars=train, test_bars=test, step_bars=step, gap_bars=gap, anchored=anchored
    )
    assert len(splits) == rest // step + 1
    for index, (start, train_stop, test_start, test_stop) in enumerate(pairs(splits)):
        assert start == (0 if anchored else index * step)
        assert train_stop + gap == test_start == train + gap + index * step
        assert test_stop - test_start == test
    by_time = walk_forward_by_time(
        np.arange(bars) * HOUR_NS + 5,
        bar_ns=HOUR_NS,
        train_ns=train * HOUR_NS,
        test_ns=test * HOUR_NS,
        step_ns=step * HOUR_NS,
        gap_ns=gap * HOUR_NS,
        anchored=anchored,
    )
    assert by_time == splits


@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 4), st.integers(2, 6), st.booleans())
def test_scikit_learn_has_the_same_splits(
    train: int, test: int, gap: int, count: int, anchored: bool
):
    """Its last test ends with the data, as here when the steps fill them."""
    bars = train + gap + count * test
    theirs = TimeSeriesSplit(
        count, test_size=test, gap=gap, max_train_size=None if anchored else train
    )
    expected = [
        (inside[0], inside[-1] + 1, outside[0], outside[-1] + 1)
        for inside, outside in theirs.split(np.zeros(bars))
    ]
    ours = walk_forward(bars, train_bars=train, test_bars=test, gap_bars=gap, anchored=anchored)
    assert pairs(ours) == expected


def test_time_skips_what_has_no_bars():
    days = np.array([0, 1, 2, 3, 10, 11, 12, 13], dtype=np.int64) * DAY_NS
    splits = walk_forward_by_time(days, bar_ns=DAY_NS, train_ns=3 * DAY_NS, test_ns=2 * DAY_NS)
    assert pairs(splits) == [(0, 3, 3, 4), (4, 5, 5, 7)]


def test_what_is_refused():
    with pytest.raises(ConfigError, match="judged twice"):
        walk_forward(100, train_bars=10, test_bars=5, step_bars=4)
    with pytest.raises(ConfigError, match="need more than the 10 bars"):
        walk_forward(10, train_bars=6, test_bars=4, gap_bars=1)
    with pytest.raises(ConfigError, match="train_bars=0"):
        walk_forward(10, train_bars=0, test_bars=4)
    with pytest.raises(ConfigError, match="gap_bars=-1"):
        walk_forward(10, train_bars=2, test_bars=4, gap_bars=-1)
    times = np.arange(10, dtype=np.int64)
    with pytest.raises(DataError, match=r"open_time\[4\]"):
        walk_forward_by_time(np.where(times == 4, 3, times), bar_ns=1, train_ns=2, test_ns=2)
    with pytest.raises(ConfigError, match="need more than the 10 ns"):
        walk_forward_by_time(times, bar_ns=1, train_ns=8, test_ns=3)
    with pytest.raises(ConfigError, match="step_ns=1 is less"):
        walk_forward_by_time(times, bar_ns=1, train_ns=2, test_ns=2, step_ns=1)
