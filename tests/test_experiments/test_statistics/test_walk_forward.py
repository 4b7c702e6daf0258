"""Walk-forward efficiency by hand, decay against scipy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress, rankdata, spearmanr

from engine.errors import ConfigError, DataError
from experiments.statistics.walk_forward import (
    average_ranks,
    in_to_out_of_sample_decay,
    walk_forward_efficiency,
)


def test_efficiency_by_hand():
    found = walk_forward_efficiency(
        np.array([0.20, 0.10, -0.05]),
        np.array([0.02, -0.01, 0.01]),
        np.array([400, 400, 200]),
        np.array([100, 100, 50]),
        bars_per_year=1000.0,
    )
    np.testing.assert_allclose(found.in_sample_per_year, [0.5, 0.25, -0.25])
    np.testing.assert_allclose(found.out_of_sample_per_year, [0.2, -0.1, 0.2])
    np.testing.assert_allclose(found.by_fold, [0.4, -0.4, np.nan])
    # 0.02 in 250 bars are 0.08 a year, 0.25 in 1,000 bars 0.25.
    assert found.efficiency == pytest.approx(0.08 / 0.25)
    assert found.profitable_share == pytest.approx(2 / 3)


def test_a_loss_in_sample_has_no_efficiency():
    found = walk_forward_efficiency(
        np.array([-0.1]), np.array([-0.2]), np.array([10]), np.array([10]), bars_per_year=10.0
    )
    assert np.isnan(found.efficiency)
    assert np.isnan(found.by_fold).all()


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=3, max_size=40),
    st.floats(0.01, 10),
)
def test_decay_is_that_of_scipy(pairs, scale):
    x, y = (scale * np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    np.testing.assert_array_equal(average_ranks(x), rankdata(x))
    found = in_to_out_of_sample_decay(x, y)
    if np.ptp(x) == 0:
        assert np.isnan([found.slope, found.intercept, found.rank_correlation]).all()
        return
    line = linregress(x, y)
    assert found.slope == pytest.approx(line.slope, abs=1e-9)
    assert found.intercept == pytest.approx(line.intercept, abs=1e-8)
    if np.ptp(y) == 0:
        assert np.isnan(found.rank_correlation)
        return
    peer = spearmanr(x, y, alternative="greater")
    assert found.rank_correlation == pytest.approx(peer.statistic, abs=1e-12)
    if len(x) <= 6:
        # Spearman's own way: the sum of squared differences of ranks is as small or smaller.
        ranks, others = rankdata(x).tolist(), rankdata(y).tolist()
        distances = [
            sum((p - q) ** 2 for p, q in zip(ranks, order, strict=True))
            for order in itertools.permutations(others)
        ]
        expected = np.mean([distance <= distances[0] for distance in distances])
        assert found.rank_p_value == pytest.approx(expected, abs=1e-12)
    elif len(x) > 8 and abs(peer.statistic) < 1 - 1e-9:
        assert found.rank_p_value == pytest.approx(peer.pvalue, abs=1e-9)


def test_what_is_kept():
    kept = in_to_out_of_sample_decay(np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 1.5]))
    assert (kept.slope, kept.kept_share) == pytest.approx((0.5, 0.5))
    assert kept.rank_correlation == 1.0
    assert kept.rank_p_value == pytest.approx(1 / 6)
    turned = in_to_out_of_sample_decay(np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0]))
    assert turned.rank_p_value == 1.0


def test_wrong_arguments_are_named():
    one = np.array([1.0])
    with pytest.raises(DataError, match="out_of_sample_bars"):
        walk_forward_efficiency(one, one, one, np.array([0]), bars_per_year=1.0)
    with pytest.raises(DataError, match="out_of_sample_sum has shape"):
        walk_forward_efficiency(one, np.ones(2), one, one, bars_per_year=1.0)
    with pytest.raises(ConfigError, match="bars_per_year=0"):
        walk_forward_efficiency(one, one, one, one, bars_per_year=0)
    with pytest.raises(DataError, match="N from 3"):
        in_to_out_of_sample_decay(np.ones(2), np.ones(2))
    with pytest.raises(DataError, match="row 1"):
        in_to_out_of_sample_decay(np.array([1, np.nan, 2]), np.ones(3))
