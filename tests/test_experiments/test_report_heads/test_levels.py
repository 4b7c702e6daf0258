"""Forward returns by level: means are those of pandas, intervals hold what is true."""

import numpy as np
import pandas as pd
import pytest

from experiments.report.heads.forward import HORIZONS
from experiments.report.heads.levels import (
    LevelReturns,
    LevelSums,
    agreement_levels,
    agreement_positions,
    score_levels,
    score_positions,
)

WEEKS, HOURS = 60, 168


def overlapping_returns(generator: np.random.Generator) -> np.ndarray:
    """Returns over 1, 4 and 24 bars of one path, which overlap as those of a run do."""
    rows = WEEKS * HOURS
    path = np.concatenate(([0.0], generator.normal(0.0, 0.01, rows + max(HORIZONS)).cumsum()))
    start = np.arange(rows)
    return np.column_stack([path[start + ahead] - path[start] for ahead in HORIZONS])


def held_levels(generator: np.random.Generator, levels: int) -> np.ndarray:
    """Levels that last for some hours each, as opinions do, and know nothing of the path."""
    blocks = generator.integers(0, levels, WEEKS * HOURS // 12)
    return np.repeat(blocks, 12)


def found_returns(position: np.ndarray, forward: np.ndarray, levels: int) -> LevelReturns:
    sums = LevelSums(np.arange(levels, dtype=np.float64), WEEKS)
    week = np.arange(len(position)) // HOURS
    half = len(position) // 2
    sums.add(position[:half], forward[:half], week[:half])
    sums.add(position[half:], forward[half:], week[half:])
    return sums.returns(seed=1)


def test_means_and_counts_are_those_of_pandas():
    generator = np.random.default_rng(5)
    forward, position = overlapping_returns(generator), held_levels(generator, 5)
    forward[generator.random(forward.shape) < 0.05] = np.nan
    found = found_returns(position, forward, 6)
    assert found.level.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    table = pd.DataFrame(forward).groupby(position)
    np.testing.assert_allclose(found.mean, table.mean(), rtol=1e-9)
    np.testing.assert_array_equal(found.counts, table.count())
    np.testing.assert_allclose(found.everything, np.nanmean(forward, axis=0), rtol=1e-9)
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()


def test_levels_that_know_nothing_hold_0_all_at_once():
    """Of 80 markets 95 % hold every mean; single t intervals of overlapping rows would lose most."""
    held, naive = [], []
    for seed in range(80):
        generator = np.random.default_rng(seed)
        forward, position = overlapping_returns(generator), held_levels(generator, 4)
        found = found_returns(position, forward, 4)
        held.append(bool(((found.low <= 0) & (found.high >= 0)).all()))
        error = pd.DataFrame(forward).groupby(position).sem().to_numpy()
        naive.append(bool((np.abs(found.mean) <= 1.96 * error).all()))
    # Two standard deviations of a share of 80 below 95 %.
    assert np.mean(held) >= 0.9
    assert np.mean(naive) < 0.2


def test_a_level_that_knows_something_is_found():
    generator = np.random.default_rng(9)
    forward, position = overlapping_returns(generator), held_levels(generator, 3)
    forward[position == 2] += 0.02
    found = found_returns(position, forward, 3)
    assert (found.low[2] > 0).all()
    assert (found.low[0] < 0).all()


def test_too_little_has_no_interval():
    position = np.zeros(WEEKS * HOURS, dtype=np.int64)
    position[:20] = 1
    position[HOURS : HOURS + 100] = 2
    found = found_returns(position, overlapping_returns(np.random.default_rng(2)), 3)
    assert np.isfinite(found.low[0]).all()
    assert np.isnan(found.low[1:]).all()
    assert np.isfinite(found.mean).all()


@pytest.mark.parametrize(
    ("score", "level"),
    [(0.0, 0.0), (0.1, 0.05), (0.1000001, 0.15), (-0.3, -0.25), (0.3, 0.25), (1.0, 0.95),
     (-1.0, -0.95), (1e-7, 0.05), (0.7, 0.65), (-0.70000000000000007, -0.65)],
)  # fmt: skip
def test_a_score_has_its_bin(score: float, level: float):
    found = score_levels()[score_positions(np.array([score]))]
    assert found[0] == pytest.approx(level)


def test_agreement_is_signed():
    side = np.array([1, -1, 0, 1], dtype=np.int64)
    votes = np.array([3, 9, 0, 1], dtype=np.int64)
    levels = agreement_levels(9)[agreement_positions(side, votes, 9)]
    assert levels.tolist() == [3.0, -9.0, 0.0, 1.0]
