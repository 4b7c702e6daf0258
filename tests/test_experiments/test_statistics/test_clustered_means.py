"""Joint intervals of clustered means: against loops, and by how often they are wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DataError
from experiments.statistics.clustered_means import clustered_means, excludes_zero


def by_loops(sums, counts, repetitions, seed):
    """Means, errors and the draws' sizes, cluster by cluster and group by group."""
    clusters, groups = sums.shape
    generator = np.random.default_rng(seed)
    signs = []
    while len(signs) < repetitions:
        size = min(256, repetitions - len(signs))
        signs.extend((2.0 * generator.integers(0, 2, (size, clusters)) - 1.0).tolist())

    def studentised(values, numbers):
        total = sum(numbers)
        mean = sum(values) / total
        seen = sum(1 for n in numbers if n > 0)
        squares = sum((v - mean * n) ** 2 for v, n in zip(values, numbers, strict=True))
        return mean, math.sqrt(squares * seen / (seen - 1)) / total

    means, errors, draws = [], [], []
    for k in range(groups):
        numbers = counts[:, k].tolist()
        mean, error = studentised(sums[:, k].tolist(), numbers)
        residual = [s - mean * n for s, n in zip(sums[:, k], numbers, strict=True)]
        sizes = []
        for flips in signs:
            drawn, its = studentised([f * r for f, r in zip(flips, residual, strict=True)], numbers)
            sizes.append(abs(drawn / its))
        means.append(mean)
        errors.append(error)
        draws.append(sizes)
    return means, errors, draws


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_equals_a_computation_by_loops(seed: int) -> None:
    draw = np.random.default_rng(seed)
    counts = draw.integers(0, 4, (9, 3)).astype(float)
    counts[:2] += 1
    sums = draw.normal(0.3, 1.0, (9, 3)) * (counts > 0)
    found = clustered_means(sums, counts, repetitions=300, seed=5)
    means, errors, draws = by_loops(sums, counts, 300, 5)
    np.testing.assert_allclose(found.mean, means, rtol=1e-12)
    np.testing.assert_allclose(found.standard_error, errors, rtol=1e-9)
    largest = sorted(max(one) for one in zip(*draws, strict=True))
    assert found.critical == pytest.approx(largest[math.ceil(0.95 * 301) - 1], rel=1e-9)
    t = [abs(m / e) for m, e in zip(means, errors, strict=True)]
    order = sorted(range(3), key=lambda k: -t[k])
    floor = 0.0
    for position, k in enumerate(order):
        later = order[position:]
        exceeding = sum(
            max(draws[j][b] for j in later) >= t[k] * (1 - 1e-12) for b in range(len(draws[0]))
        )
        floor = max(floor, (1 + exceeding) / 301)
        assert found.p_adjusted[k] == pytest.approx(floor, abs=1e-12)


def test_the_chance_of_any_wrong_interval_is_what_it_says() -> None:
    """Forty groups with fat tails and a shared shock in each of eighty weeks, none with a mean."""
    draw = np.random.default_rng(7)
    wrong = 0
    for market in range(200):
        shock = draw.standard_t(4, (80, 1))
        counts = draw.poisson(1.5, (80, 40)).astype(float)
        sums = counts * (0.7 * shock + draw.standard_t(4, (80, 40)))
        found = clustered_means(sums, counts, repetitions=399, seed=market)
        wrong += bool(excludes_zero(found).any())
    # Binomial(200, .05): 99.8 % lie within 2 and 20.
    assert 2 <= wrong <= 20


def test_values_of_one_cluster_are_not_taken_for_many() -> None:
    """The same value a hundred times in a week says no more than once."""
    draw = np.random.default_rng(3)
    counts = np.full((60, 1), 100.0)
    once = draw.normal(0.1, 1.0, (60, 1))
    found = clustered_means(100.0 * once, counts)
    single = clustered_means(once, np.ones((60, 1)))
    assert found.standard_error == pytest.approx(single.standard_error)
    assert found.critical == pytest.approx(single.critical)


def test_a_mean_that_is_there_is_found_and_the_others_are_not() -> None:
    draw = np.random.default_rng(4)
    counts = np.ones((150, 30))
    sums = draw.normal(0.0, 1.0, (150, 30))
    sums[:, 11] += 0.5
    found = clustered_means(sums, counts)
    assert np.flatnonzero(excludes_zero(found)).tolist() == [11]
    assert np.flatnonzero(found.p_adjusted < 0.05).tolist() == [11]
    assert (found.p_adjusted >= found.p_value).all()


def test_groups_that_say_nothing_have_no_interval() -> None:
    sums, counts = np.zeros((5, 3)), np.zeros((5, 3))
    sums[:, 0], counts[:, 0] = (1.0, 2.0, 3.0, 4.0, 5.0), 1.0
    sums[0, 1], counts[0, 1] = 3.0, 2.0
    found = clustered_means(sums, counts, repetitions=99)
    assert found.mean[0] == 3.0
    assert np.isnan(found.mean[1:]).all()
    assert np.isnan(found.low[1:]).all()
    assert math.isnan(clustered_means(sums[:, 2:], counts[:, 2:]).critical)


@pytest.mark.parametrize(
    ("sums", "counts", "told"),
    [
        (np.zeros((3, 2)), np.zeros((3, 1)), "one shape"),
        (np.full((3, 1), np.nan), np.ones((3, 1)), "finite"),
        (np.zeros((3, 1)), -np.ones((3, 1)), "negative"),
    ],
)
def test_tables_that_are_none_are_refused(sums, counts, told) -> None:
    with pytest.raises(DataError, match=told):
        clustered_means(sums, counts)
