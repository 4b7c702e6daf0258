"""Effective number of trials, and the spread of Sharpe ratios of a search space."""

import jsharpe
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from experiments.statistics.effective_trials import (
    average_correlation_trials,
    effective_rank,
    sharpe_variance,
    trial_correlation,
    trial_spread,
)


def equal_correlation(trials: int, correlation: float) -> np.ndarray:
    matrix = np.full((trials, trials), correlation)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_ranks_in_closed_form():
    assert effective_rank(np.eye(7)) == pytest.approx(7.0, rel=1e-12)
    assert effective_rank(np.ones((7, 7))) == pytest.approx(1.0, rel=1e-9)
    clusters = np.kron(np.eye(4), np.ones((5, 5)))
    assert effective_rank(clusters) == pytest.approx(4.0, rel=1e-9)
    mirrored = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert effective_rank(mirrored) == pytest.approx(1.0, rel=1e-9)
    assert average_correlation_trials(equal_correlation(100, 0.3)) == pytest.approx(70.3)


@given(st.integers(2, 30), st.integers(0, 1000))
def test_jsharpe_agrees_and_the_order_of_trials_does_not_matter(trials: int, seed: int):
    random = np.random.default_rng(seed)
    correlation = trial_correlation(random.normal(size=(60, 1)) + random.normal(size=(60, trials)))
    rank = effective_rank(correlation)
    assert rank == pytest.approx(jsharpe.effective_rank(correlation), rel=1e-9)
    assert 1.0 <= rank <= trials
    order = random.permutation(trials)
    shuffled = correlation[np.ix_(order, order)]
    assert effective_rank(shuffled) == pytest.approx(rank, rel=1e-9)


def test_clusters_are_found_where_the_average_correlation_sees_none():
    """Five ideas in two hundred variants: five. The linear formula answers with 159."""
    random = np.random.default_rng(4)
    ideas = random.normal(size=(2_000, 5))
    returns = np.repeat(ideas, 40, axis=1) + 0.05 * random.normal(size=(2_000, 200))
    correlation = trial_correlation(returns)
    assert effective_rank(correlation) == pytest.approx(5.0, abs=0.5)
    assert average_correlation_trials(correlation) > 150


def test_correlation_is_that_of_numpy():
    returns = np.random.default_rng(1).normal(size=(300, 12))
    assert trial_correlation(returns) == pytest.approx(np.corrcoef(returns.T), abs=1e-12)


def test_only_the_random_stage_counts():
    """An optimiser's trials crowd at the top: their spread is a tenth of that of the space."""
    random = np.random.default_rng(8)
    means = np.concatenate([random.normal(0.0, 0.05, 200), random.normal(0.15, 0.005, 800)])
    returns = means + random.normal(size=(20_000, 1_000))
    drawn = np.arange(1_000) < 200
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    honest = sharpe_variance(ratios, drawn)
    assert honest == pytest.approx(0.05**2, rel=0.3)
    assert sharpe_variance(ratios, ~drawn) < honest / 10
    spread = trial_spread(returns, drawn)
    assert spread.trials == 200
    assert spread.sharpe_variance == pytest.approx(honest, rel=1e-12)
    assert spread.effective_trials == pytest.approx(200, rel=0.02)


def test_trials_that_never_traded_have_no_ratio():
    random = np.random.default_rng(8)
    returns = random.normal(size=(100, 20))
    returns[:, ::2] = 0.0
    spread = trial_spread(returns, np.ones(20, dtype=bool))
    assert spread.trials == 10
    ratios = np.full(20, np.nan)
    ratios[1::2] = returns[:, 1::2].mean(axis=0) / returns[:, 1::2].std(axis=0, ddof=1)
    found = sharpe_variance(ratios, np.ones(20, dtype=bool))
    assert spread.sharpe_variance == pytest.approx(found, rel=1e-12)


def test_what_is_refused():
    returns = np.random.default_rng(8).normal(size=(100, 20))
    few = np.arange(20) < 9
    with pytest.raises(ConfigError, match="leaves 9 trials"):
        trial_spread(returns, few)
    with pytest.raises(ConfigError, match="leaves 9 trials"):
        sharpe_variance(returns[0], few)
    with pytest.raises(ConfigError, match="one bool for each of 20"):
        trial_spread(returns, np.ones(20))
    with pytest.raises(ConfigError, match="one bool"):
        sharpe_variance(returns[0], np.ones(19, dtype=bool))
    with pytest.raises(DataError, match=r"returns\[0, 3\]=nan"):
        trial_correlation(np.where(np.arange(20) == 3, np.nan, returns))
    with pytest.raises(DataError, match="trial 2 do not vary"):
        trial_correlation(np.where(np.arange(20) == 2, 0.0, returns))
    with pytest.raises(ConfigError, match="square"):
        effective_rank(np.ones((2, 3)))
    with pytest.raises(ConfigError, match="diagonal"):
        effective_rank(np.full((2, 2), 2.0))
