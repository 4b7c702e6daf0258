"""Probability of backtest overfitting: oracles, peers, properties, null."""

import math
from itertools import combinations, pairwise

import numpy as np
import purgedcv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine import return_sums
from engine.errors import ConfigError, DataError
from experiments.splits.ranges import block_edges
from experiments.statistics.overfitting import (
    block_sums_of,
    overfitting,
    overfitting_of_returns,
    overfitting_probability,
)
from experiments.statistics.overfitting_null import (
    normal_block_sums,
    null_band,
    sign_flip_band,
)


def waves(bars: int, configurations: int) -> np.ndarray:
    t = np.arange(1, bars + 1)[:, None]
    n = np.arange(1, configurations + 1)
    return 0.01 * np.sin(t * np.sqrt(n + 1)) + 0.0002 * np.cos(1.7 * n)


def sharpe(returns: np.ndarray) -> np.ndarray:
    deviation = returns.std(axis=0, ddof=1)
    return np.where(deviation > 1e-15, returns.mean(axis=0) / np.maximum(deviation, 1e-15), 0.0)


def brute_force(returns: np.ndarray, blocks: int, performance=sharpe) -> dict[str, np.ndarray]:
    """The paper's steps with whole matrices of returns."""
    cut = returns[len(returns) % blocks :]
    parts = np.split(cut, blocks)
    rows = []
    anyone = []
    for half in combinations(range(blocks), blocks // 2):
        inside = performance(np.concatenate([parts[b] for b in half]))
        outside = performance(np.concatenate([parts[b] for b in range(blocks) if b not in half]))
        best = int(np.argmax(inside))
        omega = stats.rankdata(outside)[best] / (returns.shape[1] + 1)
        rows.append((best, inside[best], outside[best], math.log(omega / (1 - omega))))
        anyone.append(outside)
    chosen, inside, outside, logits = np.array(rows).T
    return {
        "chosen": chosen,
        "in_sample": inside,
        "out_of_sample": outside,
        "logits": logits,
        "anyone": np.concatenate(anyone),
    }


@pytest.mark.parametrize(
    ("bars", "configurations", "blocks", "pbo", "median", "slope", "loss"),
    [
        (240, 20, 8, 0.1142857142857143, 0.9162907318741551, -0.5903579383509362, 0.1714),
        (480, 50, 10, 0.9722222222222222, -3.912023005428146, -0.9269171509078157, 0.9683),
        (120, 7, 6, 0.60, 0.0, -1.130461453004236, 0.40),
    ],
)
def test_deterministic_waves(
    bars: int,
    configurations: int,
    blocks: int,
    pbo: float,
    median: float,
    slope: float,
    loss: float,
):
    found = overfitting_of_returns(waves(bars, configurations), blocks)
    assert found.pbo == pytest.approx(pbo, rel=1e-12)
    assert found.median_logit == pytest.approx(median, rel=1e-12, abs=1e-12)
    assert found.degradation_slope == pytest.approx(slope, rel=1e-12)
    assert found.loss_probability == pytest.approx(loss, abs=5e-5)
    assert (found.bars, found.blocks, found.configurations) == (bars, blocks, configurations)


@given(
    st.integers(0, 10_000),
    st.sampled_from([2, 4, 6]),
    st.integers(2, 9),
    st.integers(0, 5),
    st.booleans(),
)
@settings(max_examples=40)
def test_the_steps_of_the_paper(
    seed: int, blocks: int, configurations: int, over: int, by_mean: bool
):
    random = np.random.default_rng(seed)
    returns = random.normal(0.02, 1.0, (blocks * 8 + over, configurations))
    found = overfitting_of_returns(
        returns, blocks, performance="mean_return" if by_mean else "sharpe"
    )
    expected = brute_force(returns, blocks, (lambda r: r.mean(axis=0)) if by_mean else sharpe)
    assert found.chosen.tolist() == expected["chosen"].tolist()
    for name in ("in_sample", "out_of_sample", "logits"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-9, abs=1e-9)
    assert found.pbo == (expected["logits"] <= 0).mean()
    assert found.pbo_strict == (expected["logits"] < 0).mean()
    anyone = expected["anyone"]
    shares = [(anyone <= x).mean() for x in found.dominance.grid[1:-1]]
    assert found.dominance.any_share[1:-1] == pytest.approx(shares, abs=1.5 / len(anyone))


@pytest.mark.parametrize("seed", range(3))
def test_purgedcv_agrees_where_no_rank_is_the_median(seed: int):
    returns = np.random.default_rng(seed).normal(0.02, 1.0, (160, 8))
    found = overfitting_of_returns(returns, 8)
    theirs = purgedcv.probability_of_backtest_overfitting(returns.T, 8)
    assert found.pbo == theirs.pbo
    assert found.degradation_slope == pytest.approx(theirs.slope, rel=1e-9)
    # They list the blocks out of sample in order, and these the blocks in sample.
    assert found.logits[::-1] == pytest.approx(theirs.logits, rel=1e-9, abs=1e-12)


def test_purgedcv_does_not_count_the_median_as_overfitting():
    """An odd number of configurations has a median; the paper counts λ = 0, purgedcv does not."""
    returns = waves(120, 7)
    found = overfitting_of_returns(returns, 6)
    theirs = purgedcv.probability_of_backtest_overfitting(returns.T, 6)
    assert found.pbo == pytest.approx(0.60, rel=1e-12)
    assert found.pbo_strict == pytest.approx(0.35, rel=1e-12)
    assert theirs.pbo == found.pbo_strict


def test_bars_that_do_not_fill_the_blocks_go_at_the_start():
    returns = np.random.default_rng(0).normal(size=(105, 6))
    one, other = overfitting_of_returns(returns, 8), overfitting_of_returns(returns[1:], 8)
    assert one.bars == 104
    assert one.logits.tolist() == other.logits.tolist()
    last = overfitting_of_returns(returns[:-1], 8)
    assert last.out_of_sample.tolist() != one.out_of_sample.tolist()


def test_an_edge_in_twenty_of_two_hundred():
    """An edge of 0.15 a bar: PBO .001 in the controlled study of pbo.marketmaker.cc; null .476 ± .137."""
    edges, nulls = [], []
    for seed in range(12):
        returns = np.random.default_rng(seed).normal(size=(1_000, 200))
        nulls.append(overfitting_of_returns(returns).pbo)
        returns[:, :20] += 0.15
        edges.append(overfitting_of_returns(returns).pbo)
    assert np.mean(edges) < 0.01
    assert np.mean(nulls) == pytest.approx(0.476, abs=4 * 0.137 / math.sqrt(12))
    assert np.std(nulls) == pytest.approx(0.137, abs=0.08)


def test_configurations_of_equal_performance_are_overfitted_by_construction():
    """The R package's vignette: whoever is ahead in sample is behind out of sample."""
    returns = np.random.default_rng(5).normal(size=(800, 40))
    returns = (returns - returns.mean(axis=0)) / returns.std(axis=0, ddof=1) * 0.01 + 0.0005
    assert overfitting_of_returns(returns, 8).pbo == 1.0


@given(st.integers(0, 1000), st.floats(1e-6, 1e3))
@settings(max_examples=30)
def test_neither_order_nor_scale_nor_copies_of_columns_matter(seed: int, scale: float):
    random = np.random.default_rng(seed)
    returns = random.normal(0.01, 1.0, (64, 9))
    found = overfitting_of_returns(returns, 8)
    order = random.permutation(9)
    shuffled = overfitting_of_returns(returns[:, order], 8)
    assert order[shuffled.chosen].tolist() == found.chosen.tolist()
    assert shuffled.logits.tolist() == found.logits.tolist()
    assert shuffled.out_of_sample.tolist() == found.out_of_sample.tolist()
    scaled = overfitting_of_returns(returns * scale, 8)
    assert scaled.pbo == found.pbo
    assert scaled.degradation_slope == pytest.approx(found.degradation_slope, rel=1e-6, abs=1e-9)
    copied = overfitting_of_returns(np.concatenate([returns, returns], axis=1), 8)
    assert copied.chosen.tolist() == found.chosen.tolist()
    assert copied.out_of_sample.tolist() == found.out_of_sample.tolist()
    # Each rank r becomes the mean of 2r − 1 and 2r, and N + 1 becomes 2N + 1.
    ranks = 10 / (1 + np.exp(-found.logits))
    omega = (2 * ranks - 0.5) / 19
    assert copied.logits == pytest.approx(np.log(omega / (1 - omega)), rel=1e-9, abs=1e-9)


def test_sums_of_the_engine_and_blocks_of_unequal_length():
    random = np.random.default_rng(2)
    bars = 203
    returns = random.normal(0.0005, 0.01, (bars, 12))
    equity = 100.0 * np.cumprod(1.0 + returns, axis=0)
    edges = block_edges(bars, 10)
    sums = np.stack(
        [np.diff(return_sums(equity[:, k], 100.0, edges), axis=0) for k in range(returns.shape[1])]
    )
    found = overfitting(sums, np.diff(edges))
    parts = [returns[a:b] for a, b in pairwise(edges)]
    half = (0, 1, 4, 7, 9)
    index = list(combinations(range(10), 5)).index(half)
    inside = sharpe(np.concatenate([parts[b] for b in half]))
    outside = sharpe(np.concatenate([parts[b] for b in range(10) if b not in half]))
    assert found.chosen[index] == np.argmax(inside)
    assert found.in_sample[index] == pytest.approx(inside.max(), rel=1e-9)
    assert found.out_of_sample[index] == pytest.approx(outside[np.argmax(inside)], rel=1e-9)
    assert overfitting_probability(sums, np.diff(edges)) == found.pbo


def test_configurations_that_never_trade_count_as_zero():
    returns = np.random.default_rng(2).normal(0.0, 0.01, (80, 4))
    returns[:, 1] = 0.0
    returns[:, [0, 2, 3]] -= 0.01
    found = overfitting_of_returns(returns, 4)
    assert (found.chosen == 1).all()
    assert (found.out_of_sample == 0.0).all()
    assert found.loss_probability == 0.0
    assert math.isnan(found.degradation_slope)


def test_dominance():
    random = np.random.default_rng(3)
    returns = random.normal(size=(400, 30))
    skilled = returns.copy()
    skilled[:, 0] += 2.0
    found = overfitting_of_returns(skilled, 8)
    assert found.dominance.first_order
    assert found.dominance.second_order
    mirrored = overfitting_of_returns(waves(480, 50), 10)
    assert not mirrored.dominance.second_order


def test_null_bands_hold_what_is_drawn_without_skill():
    """Both bands against fresh samples: independent configurations, and ones with much in common."""
    random = np.random.default_rng(7)
    bars = np.full(8, 50)
    alone = [overfitting_of_returns(random.normal(size=(400, 30)), 8).pbo for _ in range(200)]
    band = null_band(30, bars, repetitions=300, seed=1)
    assert band.median == pytest.approx(0.5, abs=0.06)
    assert stats.ks_2samp(alone, band.pbos).pvalue > 0.001
    shares, p_values = [], []
    for _ in range(60):
        common = random.normal(size=(400, 1)) + 0.5 * random.normal(size=(400, 30))
        sums, bars = block_sums_of(common, 8)
        flips = sign_flip_band(sums, bars, repetitions=39, seed=random.integers(1 << 30))
        pbo = overfitting_probability(sums, bars)
        shares.append(flips.low <= pbo <= flips.high)
        p_values.append(flips.p_value(pbo))
    assert np.mean(shares) == pytest.approx(0.9, abs=0.13)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_drawn_sums_are_those_of_normal_returns():
    random = np.random.default_rng(6)
    bars = np.array([2, 9])
    drawn = normal_block_sums(20_000, bars, random)
    for block, count in enumerate(bars):
        returns = random.standard_normal((20_000, count))
        for power in (0, 1):
            summed = (returns ** (power + 1)).sum(axis=1)
            assert stats.ks_2samp(drawn[:, block, power], summed).pvalue > 0.001
        around = drawn[:, block, 1] - drawn[:, block, 0] ** 2 / count
        expected = count * returns.var(axis=1)
        assert stats.ks_2samp(around, expected).pvalue > 0.001


def test_an_edge_lies_below_the_band():
    returns = np.random.default_rng(3).normal(size=(800, 40))
    returns[:, :4] += 0.2
    sums, bars = block_sums_of(returns, 8)
    pbo = overfitting_probability(sums, bars)
    band = sign_flip_band(sums, bars, repetitions=99, seed=1)
    assert pbo < band.low
    assert band.p_value(pbo) == pytest.approx(0.01)
    assert null_band(40, bars, repetitions=50, seed=2).p_value(pbo) == pytest.approx(1 / 51)


def test_bands_are_the_seed_and_nothing_else():
    bars = np.full(6, 20)
    one, other = (null_band(5, bars, repetitions=9, seed=4) for _ in range(2))
    assert one.pbos.tolist() == other.pbos.tolist()
    assert null_band(5, bars, repetitions=9, seed=5).pbos.tolist() != one.pbos.tolist()


def test_what_is_refused():
    returns = np.random.default_rng(0).normal(size=(40, 5))
    sums, bars = block_sums_of(returns, 4)
    with pytest.raises(ConfigError, match="blocks=41"):
        block_sums_of(returns, 41)
    with pytest.raises(ConfigError, match="5 blocks: an even number"):
        overfitting_of_returns(returns, 5)
    with pytest.raises(ConfigError, match="22 blocks: an even number from 2 to 20"):
        overfitting_of_returns(returns, 22)
    with pytest.raises(ConfigError, match="1 configuration"):
        overfitting(sums[:1], bars)
    with pytest.raises(ConfigError, match="bars_of_block"):
        overfitting(sums, bars[:3])
    with pytest.raises(ConfigError, match="bars_of_block"):
        overfitting(sums, bars * 0)
    with pytest.raises(ConfigError, match="performance='calmar'"):
        overfitting(sums, bars, performance="calmar")
    with pytest.raises(ConfigError, match="configurations, blocks, 5"):
        overfitting(sums[:, :, 0], bars)
    with pytest.raises(ConfigError, match="repetitions=0"):
        null_band(5, bars, repetitions=0, seed=1)
    with pytest.raises(ConfigError, match="configurations=1"):
        null_band(1, bars, seed=1)
    returns[7, 2] = np.inf
    with pytest.raises(DataError, match=r"returns\[7, 2\]=inf"):
        overfitting_of_returns(returns, 4)
    sums[1, 3, 0] = np.nan
    with pytest.raises(DataError, match=r"block_sums\[1, 3\]"):
        overfitting(sums, bars)
