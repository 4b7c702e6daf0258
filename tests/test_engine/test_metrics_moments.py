"""Statistics from power sums: against numpy and scipy on the returns, and bit for bit across shapes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine import return_sums
from engine.metrics import (
    bar_returns,
    deviation_from_sums,
    kurtosis_from_sums,
    max_drawdown,
    mean_from_sums,
    sharpe_from_sums,
    skew_from_sums,
    sortino_from_sums,
    volatility_from_sums,
)
from tests.metric_cases import CASH, evaluation, random_equity, values_of

PERIODS = 8760.0

ANNUAL = (volatility_from_sums, sharpe_from_sums, sortino_from_sums)
PLAIN = (mean_from_sums, deviation_from_sums, skew_from_sums, kurtosis_from_sums)


def sums_of(returns: np.ndarray) -> np.ndarray:
    """Power sums in plain order."""
    return np.array(
        [(returns**k).sum() for k in (1, 2, 3, 4)] + [(np.minimum(returns, 0) ** 2).sum()]
    )


def test_sharpe_of_a_published_series():
    # Twelve yearly returns and a 5 % benchmark: 0.8343639209671241 (pypbo, tests/test_metrics).
    returns = np.array(
        [0.259, 0.198, 0.364, -0.081, 0.057, 0.055, 0.188, 0.317, 0.24, 0.184, -0.01, 0.526]
    )
    sharpe = sharpe_from_sums(sums_of(returns - 0.05), 12, 1.0)
    assert sharpe == pytest.approx(0.8343639209671241, rel=1e-12)


def test_sortino_of_a_published_series():
    # pypbo, tests/test_metrics: 4.417261 with target 0.
    returns = np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04])
    assert sortino_from_sums(sums_of(returns), 8, 1.0) == pytest.approx(4.417261, abs=5e-7)


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(2, 400),
    volatility=st.floats(1e-6, 0.1),
    drift=st.floats(-5.0, 5.0),
)
def test_formulas_on_random_returns(seed: int, rows: int, volatility: float, drift: float):
    equity = random_equity(rows, seed, volatility=volatility, drift=drift * volatility)
    returns = bar_returns(equity, CASH)
    sums = return_sums(equity, CASH)[-1]
    assert mean_from_sums(sums, rows) == pytest.approx(returns.mean(), rel=1e-9, abs=1e-16)
    deviation = returns.std(ddof=1)
    assert deviation_from_sums(sums, rows) == pytest.approx(deviation, rel=1e-8)
    sharpe = returns.mean() / deviation * math.sqrt(PERIODS)
    assert sharpe_from_sums(sums, rows, PERIODS) == pytest.approx(sharpe, rel=1e-8, abs=1e-8)
    downside = math.sqrt((np.minimum(returns, 0) ** 2).mean())
    sortino = returns.mean() / downside * math.sqrt(PERIODS) if downside else math.nan
    assert sortino_from_sums(sums, rows, PERIODS) == pytest.approx(
        sortino, rel=1e-8, abs=1e-8, nan_ok=True
    )
    assert skew_from_sums(sums, rows) == pytest.approx(stats.skew(returns), rel=1e-6, abs=1e-6)
    kurtosis = stats.kurtosis(returns, fisher=False)
    assert kurtosis_from_sums(sums, rows) == pytest.approx(kurtosis, rel=1e-6)


@given(seed=st.integers(0, 10_000), configurations=st.integers(1, 40))
def test_one_row_and_many_give_the_same_bits(seed: int, configurations: int):
    generator = np.random.default_rng(seed)
    equities = [random_equity(60, seed + k) for k in range(configurations)]
    sums = np.array([return_sums(equity, CASH)[-1] for equity in equities])
    lengths = generator.integers(1, 61, size=configurations).astype(np.float64)
    sums[generator.random(configurations) < 0.2] = 0.0
    for function in PLAIN:
        together = function(sums, lengths)
        for row, n, value in zip(sums, lengths, together, strict=True):
            np.testing.assert_array_equal(function(row, float(n)), value)
    for function in ANNUAL:
        together = function(sums, lengths, PERIODS)
        for row, n, value in zip(sums, lengths, together, strict=True):
            np.testing.assert_array_equal(function(row, float(n), PERIODS), value)


def test_a_run_has_the_numbers_that_a_sweep_makes_of_its_sums():
    equity = random_equity(777, 5)
    sums = np.tile(return_sums(equity, CASH)[-1], (3, 1))
    values = values_of(evaluation(equity))
    assert values["sharpe"] == sharpe_from_sums(sums, 777, PERIODS)[1]
    assert values["annual_volatility"] == volatility_from_sums(sums, 777, PERIODS)[1]
    assert values["sortino"] == sortino_from_sums(sums, 777, PERIODS)[1]
    assert values["skew"] == skew_from_sums(sums, 777)[1]
    assert values["kurtosis"] == kurtosis_from_sums(sums, 777)[1]
    peak, deepest = CASH, 0.0
    for value in equity:
        peak = max(peak, value)
        deepest = max(deepest, 1.0 - value / peak)
    assert values["max_drawdown"] == max_drawdown(equity, CASH) == deepest


def test_blocks_are_differences_of_sums():
    equity = random_equity(300, 8)
    edges = np.array([0, 90, 91, 300])
    blocks = np.diff(return_sums(equity, CASH, edges), axis=0)
    returns = bar_returns(equity, CASH)
    sharpe = sharpe_from_sums(blocks, np.diff(edges), PERIODS)
    for value, start, end in zip(sharpe, edges, edges[1:], strict=False):
        part = returns[start:end]
        expected = (
            part.mean() / part.std(ddof=1) * math.sqrt(PERIODS) if end - start > 1 else np.nan
        )
        assert value == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("constant", [0.0, 0.01, -0.003, 1e-9])
def test_constant_returns_have_no_deviation_and_no_ratio(constant: float):
    sums = sums_of(np.full(1000, constant))
    assert deviation_from_sums(sums, 1000) == 0.0
    assert volatility_from_sums(sums, 1000, PERIODS) == 0.0
    for value in (
        sharpe_from_sums(sums, 1000, PERIODS),
        skew_from_sums(sums, 1000),
        kurtosis_from_sums(sums, 1000),
    ):
        assert np.isnan(value)
    assert np.isnan(sortino_from_sums(sums, 1000, PERIODS)) == (constant >= 0)


def test_no_bars_and_one_bar_are_undefined():
    for n, sums in ((0, np.zeros(5)), (1, sums_of(np.array([0.02])))):
        assert np.isnan(deviation_from_sums(sums, n))
        assert np.isnan(sharpe_from_sums(sums, n, PERIODS))
        assert np.isnan(skew_from_sums(sums, n))
        assert np.isnan(kurtosis_from_sums(sums, n))
    assert np.isnan(mean_from_sums(np.zeros(5), 0))


def test_higher_moments_are_withheld_where_the_sums_no_longer_carry_them():
    generator = np.random.default_rng(2)
    returns = 0.5 + 1e-4 * generator.standard_normal(1000)
    sums = sums_of(returns)
    assert deviation_from_sums(sums, 1000) == pytest.approx(returns.std(ddof=1), rel=1e-6)
    assert np.isnan(skew_from_sums(sums, 1000))
    assert np.isnan(kurtosis_from_sums(sums, 1000))
