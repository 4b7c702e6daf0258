"""Plateaus: brute-force neighbours, ridges refused, cliffs felt, ablation in units of the range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from experiments.statistics.plateau import (
    ablation_losses,
    ablation_points,
    find_plateau,
    neighbourhoods,
    normalised,
)


@given(
    count=st.integers(2, 40),
    width=st.integers(1, 4),
    neighbours=st.integers(1, 8),
    quantile=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_scores_are_those_of_sorted_distances(count, width, neighbours, quantile, seed):
    generator = np.random.default_rng(seed)
    points = generator.random((count, width))
    objective = generator.standard_normal(count)
    objective[generator.random(count) < 0.2] = -np.inf
    neighbours = min(neighbours, count - 1)
    found = neighbourhoods(points, objective, neighbours=neighbours, quantile=quantile)
    for row in range(count):
        distance = ((points - points[row]) ** 2).sum(axis=1) ** 0.5
        order = sorted(range(count), key=lambda k: (distance[k], k))[: neighbours + 1]
        assert set(found.neighbours[row]) == set(order)
        assert found.neighbours[row, 0] == row
        assert found.radius[row] == pytest.approx(distance[order[-1]])
        values = sorted(objective[order])
        assert found.scores[row] == values[int(np.floor(quantile * neighbours))]


def test_equal_configurations_are_their_own_first_neighbours():
    points = np.zeros((30, 2))
    found = neighbourhoods(points, np.arange(30.0), neighbours=3)
    np.testing.assert_array_equal(found.neighbours[:, 0], np.arange(30))
    assert all(len(set(row)) == 4 for row in found.neighbours)


def test_a_broad_hill_wins_over_a_spike():
    generator = np.random.default_rng(3)
    points = generator.random((800, 2))
    hill = np.array([0.7, 0.6])
    objective = np.exp(-(((points - hill) / 0.2) ** 2).sum(axis=1))
    objective += 0.05 * generator.standard_normal(800)
    spike = int(((points - [0.15, 0.2]) ** 2).sum(axis=1).argmin())
    objective[spike] = 3.0
    around = neighbourhoods(points, objective)
    found = find_plateau(points, objective, around)
    assert found.best == spike
    assert not found.best_is_member
    assert np.linalg.norm(points[found.chosen] - hill) < 0.08
    assert found.chosen in found.members
    assert (around.scores[found.members] >= found.threshold).all()
    assert np.linalg.norm(points[found.members] - hill, axis=1).max() < 0.3
    members = points[found.members]
    sums = np.linalg.norm(members[:, None] - members[None], axis=2).sum(axis=1)
    assert found.chosen == found.members[sums.argmin()]


def test_two_hills_stay_apart():
    line = np.linspace(0, 1, 201)[:, None]
    objective = np.maximum(1 - 10 * np.abs(line[:, 0] - 0.2), 1.1 - 10 * np.abs(line[:, 0] - 0.8))
    found = find_plateau(
        line, objective, neighbourhoods(line, objective, neighbours=4), top_share=0.1
    )
    assert line[found.members].min() > 0.6
    assert line[found.chosen, 0] == pytest.approx(0.8, abs=0.01)


def test_beside_a_cliff_the_score_is_low():
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 1, 21)), axis=-1)
    points = grid.reshape(-1, 2)
    objective = np.where(points[:, 0] > 0.5, -np.inf, points[:, 0])
    scores = neighbourhoods(points, objective, quantile=0.1).scores
    edge = points[:, 0] == 0.5
    assert (scores[edge] == -np.inf).all()
    found = find_plateau(points, objective, neighbourhoods(points, objective, quantile=0.1))
    assert 0.3 < points[found.chosen, 0] < 0.5
    hopeless = np.full(len(points), -np.inf)
    around = neighbourhoods(points, hopeless)
    with pytest.raises(DataError, match="no configuration has an admissible neighbourhood"):
        find_plateau(points, hopeless, around)


def test_ranges_are_brought_to_one():
    low, high = np.array([10.0, -2.0, 5.0]), np.array([20.0, 2.0, 5.0])
    points = np.array([[10.0, 2.0, 5.0], [15.0, 0.0, 5.0]])
    np.testing.assert_allclose(normalised(points, low, high), [[0, 1, 0], [0.5, 0.5, 0]])
    with pytest.raises(DataError, match=r"points\[0, 1\]=3.0 lies outside"):
        normalised(np.array([[10.0, 3.0, 5.0]]), low, high)
    with pytest.raises(ConfigError, match="parameter 0"):
        normalised(points, high, low)


def test_ablation_moves_one_parameter_at_a_time():
    low, high = np.array([10.0, -2.0, 5.0]), np.array([20.0, 2.0, 5.0])
    point = np.array([19.5, 0.0, 5.0])
    found = ablation_points(point, low, high)
    np.testing.assert_array_equal(found.parameter, [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(found.points[:4, 0], [17.5, 18.5, 20.0, 20.0])
    np.testing.assert_allclose(found.points[4:, 1], [-0.8, -0.4, 0.4, 0.8])
    np.testing.assert_allclose(found.step_frac[:4], [-0.2, -0.1, 0.05, 0.05])
    assert (found.points[4:, 0] == 19.5).all()
    losses = ablation_losses(found, np.array([1, 2, 3, 4, 3.5, 2.5, 9, 8.0]), 3.0)
    np.testing.assert_allclose(losses, [2.0, 0.5, np.nan])
    at_the_end = ablation_points(np.array([20.0, 0.0, 5.0]), low, high, steps_frac=(0.1,))
    np.testing.assert_array_equal(at_the_end.parameter, [1])


def test_wrong_arguments_are_named():
    points, objective = np.random.default_rng(1).random((10, 2)), np.arange(10.0)
    with pytest.raises(ConfigError, match="neighbours=10"):
        neighbourhoods(points, objective, neighbours=10)
    with pytest.raises(ConfigError, match="quantile=25"):
        neighbourhoods(points, objective, quantile=25)
    with pytest.raises(DataError, match=r"objective\[9\]=nan"):
        neighbourhoods(points, np.where(objective == 9, np.nan, objective))
    with pytest.raises(ConfigError, match="top_share=0"):
        find_plateau(points, objective, neighbourhoods(points, objective), top_share=0)
    with pytest.raises(ConfigError, match=r"objective_at has shape \(1,\)"):
        ablation_losses(ablation_points(points[0], np.zeros(2), np.ones(2)), np.array([1.0]), 2.0)
