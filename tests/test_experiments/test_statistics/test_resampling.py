"""Resampled rows: the law of the blocks, the block length of arch, one stream for every size of piece."""

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length as arch_block_length
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from experiments.statistics import resampling as module
from experiments.statistics.resampling import (
    Resampling,
    automatic_resampling,
    automatic_table_resampling,
    optimal_block_length,
    resampled_rows,
    resampled_sums,
)


def autoregression(count: int, rho: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(count)
    for t in range(1, count):
        noise[t] += rho * noise[t - 1]
    return noise


@pytest.mark.parametrize(
    ("count", "rho"), [(12, 0.2), (50, 0.0), (200, 0.5), (1000, 0.9), (3000, -0.4), (500, 0.99)]
)
def test_the_block_length_is_that_of_arch(count: int, rho: float):
    for seed in range(5):
        values = 3.0 + autoregression(count, rho, seed)
        theirs = arch_block_length(values).iloc[0]
        ours = optimal_block_length(values)
        assert ours.stationary == pytest.approx(theirs["stationary"], rel=1e-10)
        assert ours.circular == pytest.approx(theirs["circular"], rel=1e-10)


def test_persistence_asks_for_longer_blocks():
    lengths = [
        np.mean([optimal_block_length(autoregression(800, rho, s)).stationary for s in range(20)])
        for rho in (0.0, 0.4, 0.8)
    ]
    assert lengths[0] < lengths[1] < lengths[2]
    assert automatic_resampling(np.resize([1.0, -1.0], 100)).block_length >= 1.0
    assert optimal_block_length(np.full(50, 0.25)).stationary == 1.0


@given(
    scheme=st.sampled_from(["stationary", "circular"]),
    shape=st.tuples(st.integers(2, 60), st.sampled_from([1, 2, 31, 32, 33, 70])),
    length=st.floats(1.0, 90.0),
    draws=st.integers(1, 300),
    seed=st.integers(0, 5),
)
def test_sums_are_those_of_the_rows(scheme, shape, length, draws, seed):
    how = Resampling(block_length=length, scheme=scheme)
    table = np.random.default_rng(seed).standard_normal(shape)
    rows = np.concatenate(list(resampled_rows(how, shape[0], draws, seed)))
    sums = np.concatenate(list(resampled_sums(how, table, draws, seed)))
    assert rows.shape == (draws, shape[0])
    assert rows.min() >= 0
    assert rows.max() < shape[0]
    np.testing.assert_allclose(sums, table[rows].sum(axis=1), atol=1e-11)


def test_a_table_takes_the_median_length_of_its_columns():
    table = np.column_stack(
        [autoregression(400, rho, 1) for rho in (0.0, 0.3, 0.8)] + [np.zeros(400)]
    )
    middle = sorted(automatic_resampling(table[:, k]).block_length for k in range(3))[1]
    assert automatic_table_resampling(table).block_length == middle
    many = np.random.default_rng(1).standard_normal((50, 1000))
    assert 1.0 <= automatic_table_resampling(many, "circular").block_length < 4.0
    assert automatic_table_resampling(np.zeros((50, 2))).block_length == 1.0


def test_stationary_blocks_are_geometric_and_start_anywhere():
    count, length = 200, 8.0
    rows = np.concatenate(list(resampled_rows(Resampling(block_length=length), count, 4000, 1)))
    continues = (rows[:, 1:] - rows[:, :-1]) % count == 1
    # A new block goes on by chance once in T.
    expected = (1 - 1 / length) + 1 / length / count
    assert continues.mean() == pytest.approx(expected, abs=5 * 0.33 / np.sqrt(continues.size))
    per_row = np.bincount(rows.ravel(), minlength=count) / rows.size
    assert abs(per_row - 1 / count).max() < 6 * np.sqrt(length / rows.size / count)
    one_by_one = np.concatenate(list(resampled_rows(Resampling(block_length=1.0), count, 500, 1)))
    lag = ((one_by_one[:, 1:] - one_by_one[:, :-1]) % count == 1).mean()
    assert lag == pytest.approx(1 / count, abs=0.002)


def test_circular_blocks_have_one_length():
    how = Resampling(block_length=6.5, scheme="circular")
    rows = np.concatenate(list(resampled_rows(how, 30, 200, 1)))
    steps = (rows[:, 1:] - rows[:, :-1]) % 30 == 1
    inside = np.arange(1, 30) % 7 != 0
    assert steps[:, inside].all()
    assert steps[:, ~inside].mean() < 0.1


@pytest.mark.parametrize("scheme", ["stationary", "circular"])
def test_pieces_do_not_change_the_draws(scheme, monkeypatch: pytest.MonkeyPatch):
    how = Resampling(block_length=4.0, scheme=scheme)
    whole = np.concatenate(list(resampled_rows(how, 37, 300, 9)))
    monkeypatch.setattr(module, "_DRAWS_AT_ONCE", 7)
    np.testing.assert_array_equal(np.concatenate(list(resampled_rows(how, 37, 300, 9))), whole)
    other = np.concatenate(list(resampled_rows(how, 37, 300, 10)))
    assert (other != whole).any()


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(ConfigError, match=r"block_length=0\.5"):
        Resampling(block_length=0.5)
    with pytest.raises(ConfigError, match="scheme='moving'"):
        Resampling(block_length=3.0, scheme="moving")
    with pytest.raises(ConfigError, match="draws=0"):
        next(resampled_rows(Resampling(block_length=3.0), 10, 0, 1))
    with pytest.raises(DataError, match=r"values\[3\]=nan"):
        optimal_block_length(np.where(np.arange(20) == 3, np.nan, 1.0))
    with pytest.raises(DataError, match="at least 10"):
        optimal_block_length(np.arange(5.0))
