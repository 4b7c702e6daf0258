"""Purged folds against a definition in plain loops, and against purgedcv."""

import numpy as np
import pandas as pd
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from experiments.splits.purged import purged_folds, purged_split, trains_on
from experiments.splits.ranges import BarRange, Split, mask_of

holdings = st.lists(st.integers(0, 6), min_size=12, max_size=40)


def bars_of(ranges: tuple[BarRange, ...]) -> set[int]:
    return {bar for one in ranges for bar in range(one.start, one.stop)}


def by_definition(holding: list[int], tested: set[int], embargo: int) -> tuple[set, set, set]:
    """Training, purged and embargoed bars: every pair of spans is compared."""
    bars = len(holding)
    spans = [range(t, min(t + held, bars - 1) + 1) for t, held in enumerate(holding)]
    purged = {
        t
        for t in range(bars)
        if t not in tested and any(set(spans[t]) & set(spans[u]) for u in tested)
    }
    embargoed = set()
    for u in tested:
        if u + 1 in tested:
            continue
        first = u
        while first - 1 in tested:
            first -= 1
        end = max(spans[v][-1] for v in range(first, u + 1))
        embargoed |= set(range(end + 1, min(end + embargo, bars - 1) + 1))
    embargoed -= tested | purged
    return set(range(bars)) - tested - purged - embargoed, purged, embargoed


@given(holdings, st.integers(2, 6), st.integers(0, 5))
def test_folds_by_definition(holding: list[int], folds: int, embargo: int):
    splits = purged_folds(
        len(holding), folds=folds, holding_bars=np.array(holding), embargo_bars=embargo
    )
    tested = [bars_of(split.test) for split in splits]
    assert set.union(*tested) == set(range(len(holding)))
    assert sum(map(len, tested)) == len(holding)
    for split in splits:
        train, purged, embargoed = by_definition(holding, bars_of(split.test), embargo)
        assert bars_of(split.train) == train
        assert bars_of(split.purged) == purged
        assert bars_of(split.embargoed) == embargoed


@given(st.integers(12, 50), st.integers(2, 5), st.integers(0, 6), st.integers(1, 5))
def test_purgedcv_trains_on_the_same_bars(bars: int, folds: int, holding: int, embargo: int):
    """Its spans are half-open, and its embargo in time closed: one bar more, and one less."""
    times = pd.Series(pd.date_range("2024-01-01", periods=bars, freq="D"))
    theirs = purgedcv.PurgedKFold(
        folds,
        prediction_times=times,
        evaluation_times=times + pd.Timedelta(days=holding + 1),
        embargo=pd.Timedelta(days=embargo - 1) if embargo > 1 else None,
    )
    ours = purged_folds(
        bars, folds=folds, holding_bars=holding, embargo_bars=embargo if embargo > 1 else 0
    )
    for (train, test), split in zip(theirs.split(np.zeros((bars, 1))), ours, strict=True):
        assert set(test.tolist()) == bars_of(split.test)
        assert set(train.tolist()) == bars_of(split.train)


def test_trades_are_learnt_from_when_they_touch_training_alone():
    split = purged_folds(30, folds=3, embargo_bars=2)[1]
    assert split == Split(
        train=(BarRange(0, 10), BarRange(22, 30)),
        test=(BarRange(10, 20),),
        embargoed=(BarRange(20, 22),),
    )
    entry = np.array([0, 5, 9, 8, 12, 19, 21, 22, 5])
    leave = np.array([3, 9, 9, 10, 15, 25, 23, 29, 25])
    expected = [True, True, True, False, False, False, False, True, False]
    assert trains_on(split, entry, leave).tolist() == expected


@given(holdings, st.integers(0, 5), st.data())
def test_no_trade_that_is_learnt_from_knows_the_test(
    holding: list[int], embargo: int, data: st.DataObject
):
    bars = len(holding)
    start = data.draw(st.integers(0, bars - 2))
    stop = data.draw(st.integers(start + 1, bars))
    entry = np.arange(bars)
    leave = np.minimum(entry + np.array(holding), bars - 1)
    split = purged_split(leave, (BarRange(start, stop),), embargo)
    known = trains_on(split, entry, leave)
    tested = mask_of(split.test, bars)
    for t in np.flatnonzero(known):
        assert not tested[t : leave[t] + 1].any()


def test_what_is_refused():
    with pytest.raises(ConfigError, match="folds=1"):
        purged_folds(10, folds=1)
    with pytest.raises(ConfigError, match="bars=3"):
        purged_folds(3, folds=4)
    with pytest.raises(ConfigError, match="embargo_bars=-1"):
        purged_folds(10, folds=2, embargo_bars=-1)
    with pytest.raises(ConfigError, match="holding_bars"):
        purged_folds(10, folds=2, holding_bars=-1)
    with pytest.raises(ConfigError, match="holding_bars"):
        purged_folds(10, folds=2, holding_bars=np.zeros(9, dtype=np.int64))
    with pytest.raises(ConfigError, match="holding_bars"):
        purged_folds(10, folds=2, holding_bars=1.5)
    split = purged_folds(10, folds=2)[0]
    with pytest.raises(ConfigError, match=r"entry_bar\[1\]=4, exit_bar\[1\]=3"):
        trains_on(split, np.array([1, 4]), np.array([1, 3]))
    with pytest.raises(ConfigError, match="must be alike"):
        trains_on(split, np.array([1, 4]), np.array([1]))
