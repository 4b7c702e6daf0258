"""Combinatorial purged cross-validation: counts, paths, sums, purgedcv."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from experiments.splits.combinatorial import combinatorial_splits
from experiments.splits.ranges import BarRange
from experiments.statistics.overfitting import block_sums_of


@pytest.mark.parametrize(
    ("blocks", "test_blocks", "splits", "paths"),
    [(6, 2, 15, 5), (10, 2, 45, 9), (10, 8, 45, 36), (16, 8, 12870, 6435)],
)
def test_counts(blocks: int, test_blocks: int, splits: int, paths: int):
    found = combinatorial_splits(1000, blocks=blocks, test_blocks=test_blocks)
    assert found.tested.shape == (splits, test_blocks)
    assert found.paths.shape == (paths, blocks)
    assert paths == math.comb(blocks, test_blocks) * test_blocks // blocks


@given(st.integers(2, 8), st.data())
def test_each_path_is_the_data_once_and_each_test_is_used_once(blocks: int, data: st.DataObject):
    test_blocks = data.draw(st.integers(1, blocks - 1))
    found = combinatorial_splits(50, blocks=blocks, test_blocks=test_blocks)
    used = set()
    for path in found.paths:
        for block, split in enumerate(path):
            assert block in found.tested[split]
            used.add((block, int(split)))
    assert len(used) == found.paths.size == found.tested.size
    assert sorted(map(tuple, found.tested.tolist())) == list(
        combinations(range(blocks), test_blocks)
    )


@given(
    st.integers(12, 40),
    st.integers(3, 6),
    st.integers(0, 3),
    st.sampled_from([0, 2, 3]),
    st.data(),
)
def test_purgedcv_has_the_same_bars_and_paths(
    bars: int, blocks: int, holding: int, embargo: int, data: st.DataObject
):
    test_blocks = data.draw(st.integers(1, blocks - 1))
    times = pd.Series(pd.date_range("2024-01-01", periods=bars, freq="D"))
    theirs = purgedcv.CombinatorialPurgedCV(
        blocks,
        test_blocks,
        prediction_times=times,
        evaluation_times=times + pd.Timedelta(days=holding + 1),
        embargo=pd.Timedelta(days=embargo - 1) if embargo else None,
    )
    ours = combinatorial_splits(
        bars, blocks=blocks, test_blocks=test_blocks, holding_bars=holding, embargo_bars=embargo
    )
    folds = list(theirs.split(np.zeros((bars, 1))))
    assert len(folds) == len(ours.tested)
    for index, (train, test) in enumerate(folds):
        split = ours.split(index)
        assert [b for one in split.test for b in range(one.start, one.stop)] == test.tolist()
        assert [b for one in split.train for b in range(one.start, one.stop)] == train.tolist()
    of_fold = theirs.reconstruct_paths([np.full(len(test), i) for i, (_, test) in enumerate(folds)])
    of_block = np.repeat(ours.paths, np.diff(ours.edges), axis=1)
    assert of_fold.tolist() == of_block.tolist()


def test_neighbouring_blocks_of_a_test_are_one_range():
    found = combinatorial_splits(30, blocks=3, test_blocks=2, holding_bars=2, embargo_bars=3)
    first = found.split(0)
    assert first.test == (BarRange(0, 20),)
    assert first.purged == (BarRange(20, 22),)
    assert first.embargoed == (BarRange(22, 25),)
    middle = combinatorial_splits(30, blocks=3, test_blocks=2).split(1)
    assert middle.test == (BarRange(0, 10), BarRange(20, 30))
    assert middle.train == (BarRange(10, 20),)


def test_recombinations_are_sums_of_block_sums():
    random = np.random.default_rng(4)
    returns = random.normal(size=(60, 7))
    sums, _ = block_sums_of(returns, 6)
    found = combinatorial_splits(60, blocks=6, test_blocks=2)
    trained = np.stack([found.train_sums(one) for one in sums])
    chosen = np.argmax(trained[:, :, 0], axis=0)
    paths = found.path_sums(sums, chosen)
    for split in range(15):
        inside = np.repeat(~found.is_tested[split], 10)
        assert trained[:, split, 1] == pytest.approx((returns[inside] ** 2).sum(axis=0))
        assert chosen[split] == np.argmax(returns[inside].sum(axis=0))
    for path, of_blocks in enumerate(found.paths):
        joined = np.concatenate(
            [returns[10 * b : 10 * b + 10, chosen[split]] for b, split in enumerate(of_blocks)]
        )
        assert paths[path, 0] == pytest.approx(joined.sum())
        assert paths[path, 1] == pytest.approx((joined**2).sum())


def test_what_is_refused():
    with pytest.raises(ConfigError, match="test_blocks=6 must be less"):
        combinatorial_splits(60, blocks=6, test_blocks=6)
    with pytest.raises(ConfigError, match="more than 200000"):
        combinatorial_splits(60, blocks=30, test_blocks=15)
    with pytest.raises(ConfigError, match="embargo_bars=-1"):
        combinatorial_splits(60, blocks=6, test_blocks=2, embargo_bars=-1)
    with pytest.raises(ConfigError, match="bars=5"):
        combinatorial_splits(5, blocks=6, test_blocks=2)
    found = combinatorial_splits(60, blocks=6, test_blocks=2)
    with pytest.raises(ConfigError, match="5 blocks"):
        found.train_sums(np.zeros((5, 5)))
    with pytest.raises(ConfigError, match="give"):
        found.path_sums(np.zeros((7, 5, 5)), np.zeros(15, dtype=np.int64))
    with pytest.raises(ConfigError, match="chosen"):
        found.path_sums(np.zeros((7, 6, 5)), np.full(15, 7))
