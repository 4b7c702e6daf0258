"""Shares of clustered observations: Wilson's interval where they are independent, wider where not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from engine import ConfigError, DataError
from experiments.statistics.clustered_shares import clustered_shares


def of_one(hits: list[float], counts: list[float], **more: bool):
    return clustered_shares(
        np.array(hits, dtype=np.float64)[:, None],
        np.array(counts, dtype=np.float64)[:, None],
        **more,
    )


def test_independent_observations_have_the_interval_of_wilson():
    """Many clusters of one observation: Student's quantile is nearly the normal one."""
    hits = (np.random.default_rng(1).random(5_000) < 0.3).astype(np.float64)
    found = of_one(hits.tolist(), [1.0] * 5_000)
    expected = binomtest(int(hits.sum()), 5_000).proportion_ci(0.95, method="wilson")
    assert found.share[0] == hits.mean()
    assert found.low[0] == pytest.approx(expected.low, rel=1e-3)
    assert found.high[0] == pytest.approx(expected.high, rel=1e-3)


def test_copies_of_an_observation_add_nothing():
    hits = (np.random.default_rng(2).random(200) < 0.6).astype(np.float64)
    single, copies = of_one(hits.tolist(), [1.0] * 200), of_one((hits * 9).tolist(), [9.0] * 200)
    assert copies.effective[0] == pytest.approx(single.effective[0])
    assert copies.low[0] == pytest.approx(single.low[0])
    assert copies.high[0] == pytest.approx(single.high[0])


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Whole weeks that lean one way: 95 % of 2,000 intervals hold 0.5, where naive ones hold 6 in 10."""
    generator = np.random.default_rng(3)
    lean = generator.beta(3.0, 3.0, (60, 2_000))
    hits = generator.binomial(10, lean).astype(np.float64)
    counts = np.full(hits.shape, 10.0)
    each = clustered_shares(hits, counts, joint=False)
    held = ((each.low <= 0.5) & (each.high >= 0.5)).mean()
    # Three standard deviations of a share of 2,000.
    assert held == pytest.approx(0.95, abs=0.016)
    naive = 1.96 * np.sqrt(each.share * (1 - each.share) / 600)
    assert (np.abs(each.share - 0.5) <= naive).mean() < 0.8
    every = [
        clustered_shares(hits[:, k : k + 10], counts[:, k : k + 10]) for k in range(0, 2_000, 10)
    ]
    whole = [bool(((one.low <= 0.5) & (one.high >= 0.5)).all()) for one in every]
    assert np.mean(whole) > 0.9


def test_always_right_is_not_certain():
    found = of_one([5.0] * 8, [5.0] * 8)
    assert found.share[0] == 1.0
    assert found.effective[0] == 8.0
    assert 0.4 < found.low[0] < 0.75
    assert found.high[0] == 1.0


@pytest.mark.parametrize(
    ("clusters", "hits", "count"), [(10, 31, 59), (7, 1, 3), (49, 11, 49), (5, 0, 9), (6, 9, 9)]
)
def test_clusters_that_all_say_the_same_are_one_observation_each(
    clusters: int, hits: int, count: int
):
    """Also where their share has no end in binary, and the variance is 0 but for its last digit."""
    found = of_one([float(hits)] * clusters, [float(count)] * clusters)
    assert found.effective[0] == clusters
    sizes = np.arange(1, clusters + 1)
    found = of_one((hits * sizes).tolist(), (count * sizes).tolist())
    assert found.effective[0] == clusters


def test_too_few_clusters_and_empty_groups_have_no_interval():
    hits = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    found = clustered_shares(hits, np.array([[2.0, 0.0], [3.0, 0.0], [0.0, 0.0]]))
    assert found.share[0] == 0.6
    assert found.clusters.tolist() == [2.0, 0.0]
    assert np.isnan(found.share[1])
    assert np.isnan([*found.low, *found.high]).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda two: (min(two), max(two))),
        min_size=4,
        max_size=30,
    )
)
def test_bounds_lie_around_the_share_within_0_and_1(rows: list[tuple[int, int]]):
    found = of_one([float(hit) for hit, _ in rows], [float(count) for _, count in rows])
    if np.isfinite(found.low[0]):
        assert 0.0 <= found.low[0] <= found.share[0] + 1e-12
        assert found.share[0] - 1e-12 <= found.high[0] <= 1.0
        assert 0.0 < found.effective[0] <= found.counts[0]


def test_what_does_not_fit_is_told():
    with pytest.raises(DataError, match="two tables of one shape"):
        clustered_shares(np.zeros((3, 2)), np.zeros((2, 3)))
    with pytest.raises(ConfigError, match=r"confidence=1\.0"):
        clustered_shares(np.zeros((3, 2)), np.zeros((3, 2)), confidence=1.0)
