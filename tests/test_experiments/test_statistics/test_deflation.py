"""Expected maxima, deflated Sharpe ratios and the minimum length of a backtest."""

import dataclasses
import math

import jsharpe
import numpy as np
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import norm

from engine.errors import ConfigError
from experiments.statistics.deflation import (
    deflate,
    dsr_2014,
    dsr_h0,
    luck_per_bar,
    minimum_backtest_years,
)
from experiments.statistics.effective_trials import TrialSpread
from experiments.statistics.maximum import (
    exact_expected_maximum,
    expected_maximum,
    variance_of_maximum,
)
from experiments.statistics.sharpe import psr_2012, psr_h0
from experiments.statistics.track_record import TrackRecord

# The example of the paper of 2014: 1,250 days of a Sharpe ratio of 2.5 a year, V[SR] ½ a year.
PAPER = TrackRecord(bars=1250, sharpe_per_bar=2.5 / math.sqrt(250), skew=-3.0, kurtosis=10.0)
VARIANCE = 0.5 / 250
# That of the paper of 2025.
FUND = TrackRecord(bars=24, sharpe_per_bar=0.036 / 0.079, skew=-2.448, kurtosis=10.164)


def test_the_example_of_the_paper_of_2014():
    # pypbo, tests/pbo_tests.py.
    assert luck_per_bar(100, VARIANCE) == pytest.approx(0.11317200186513214, rel=1e-12)
    found = dsr_2014(PAPER, trials=100, sharpe_variance=VARIANCE)
    assert found == pytest.approx(0.9003968344493903, rel=1e-12)


def test_as_many_trials_as_the_paper_of_2014_allows():
    # It prints 0.9505 for both.
    found = dsr_2014(PAPER, trials=46, sharpe_variance=VARIANCE)
    assert found == pytest.approx(0.9505017068755787, rel=1e-12)
    normal = dataclasses.replace(PAPER, skew=0.0, kurtosis=3.0)
    found = dsr_2014(normal, trials=88, sharpe_variance=VARIANCE)
    assert found == pytest.approx(0.9504908166760139, rel=1e-12)


@pytest.mark.parametrize(
    ("trials", "approximate", "exact"),
    [
        (10, 1.57459830134575, 1.5388),
        (100, 2.5306028932016846, 2.5076),
        (1000, 3.255121513652723, 3.2414),
    ],
)
def test_expected_maxima(trials: int, approximate: float, exact: float):
    assert expected_maximum(trials) == pytest.approx(approximate, rel=1e-12)
    assert exact_expected_maximum(trials) == pytest.approx(exact, abs=5e-5)


@pytest.mark.parametrize("trials", [1, 1.5, 2, 7, 250, 1e5, 1e9])
def test_moments_of_the_maximum_by_adaptive_quadrature(trials: float):
    def density(z: float) -> float:
        return trials * norm.pdf(z) * math.exp((trials - 1) * norm.logcdf(z))

    peak = norm.ppf(1 - 1 / (trials + 1))
    options = {"points": [peak - 1, peak, peak + 1], "limit": 400, "epsabs": 1e-12}
    mean = integrate.quad(lambda z: z * density(z), -9, 12, **options)[0]
    variance = integrate.quad(lambda z: (z - mean) ** 2 * density(z), -9, 12, **options)[0]
    assert exact_expected_maximum(trials) == pytest.approx(mean, abs=1e-9)
    assert variance_of_maximum(trials) == pytest.approx(variance, abs=1e-9)


def test_moments_of_the_maximum_in_closed_form():
    assert exact_expected_maximum(1) == pytest.approx(0.0, abs=1e-13)
    assert variance_of_maximum(1) == pytest.approx(1.0, abs=1e-13)
    assert exact_expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-13)
    assert variance_of_maximum(2) == pytest.approx(1 - 1 / math.pi, rel=1e-13)
    assert exact_expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-13)


@given(st.floats(1.0, 1e6), st.floats(0.001, 10.0))
def test_more_trials_have_more_luck(trials: float, more: float):
    assert 0.0 <= expected_maximum(trials) <= expected_maximum(trials + more)
    assert exact_expected_maximum(trials) <= exact_expected_maximum(trials + more) + 1e-12
    if trials >= 3:
        assert 0 < expected_maximum(trials) / exact_expected_maximum(trials) - 1 < 0.026


@pytest.mark.parametrize(
    ("rho", "of_one", "of_ten"), [(0.0, 0.45068, 0.41636), (0.2, 0.45711, 0.42718)]
)
def test_the_best_of_ten_in_the_paper_of_2025(rho: float, of_one: float, of_ten: float):
    record = dataclasses.replace(FUND, autocorrelation=rho)
    benchmark = luck_per_bar(10, 0.1)
    assert benchmark == pytest.approx(0.49793170320847435, rel=1e-12)
    assert psr_h0(record, benchmark) == pytest.approx(of_one, abs=5e-6)
    assert dsr_h0(record, trials=10, sharpe_variance=0.1) == pytest.approx(of_ten, abs=5e-6)


@given(st.integers(2, 100_000), st.floats(0.0, 0.01))
def test_libraries_agree_on_what_luck_shows(trials: int, variance: float):
    found = luck_per_bar(trials, variance)
    theirs = jsharpe.expected_maximum_sharpe_ratio(trials, variance)
    assert found == pytest.approx(theirs, rel=1e-9, abs=1e-15)
    assert minimum_backtest_years(trials, 1.5) == pytest.approx(
        purgedcv.minimum_backtest_length(trials, 1.5), rel=1e-9
    )


def test_the_shortest_backtest():
    # pypbo, tests/pbo_tests.py, and the statement of the paper: 45 trials, five years.
    assert minimum_backtest_years(45) == pytest.approx(4.998087004443404, rel=1e-12)
    assert minimum_backtest_years(1) == 0.0
    for trials in (2, 10, 1000):
        assert minimum_backtest_years(trials, 2.0) < 2 * math.log(trials) / 4


def test_one_trial_needs_no_deflation():
    assert dsr_2014(PAPER, trials=1, sharpe_variance=VARIANCE) == psr_2012(PAPER)


def test_annual_numbers_are_refused_before_they_make_everything_certain():
    """With annual numbers the example of 2014 would be certain: 1.0000."""
    annual = 2.5 * math.sqrt(1249) / math.sqrt(1 + 3 * 2.5 + 9 / 4 * 2.5**2)
    assert norm.cdf(annual) > 0.9999
    with pytest.raises(ConfigError, match=r"sharpe_per_bar=2\.5"):
        dataclasses.replace(PAPER, sharpe_per_bar=2.5)
    with pytest.raises(ConfigError, match=r"sharpe_variance=0\.5 is no variance"):
        dsr_2014(PAPER, trials=100, sharpe_variance=0.5)


def test_excess_kurtosis_is_refused_or_shows():
    """Excess kurtosis moves the example by a thousandth only, 0.9004 to 0.9018: hence digits above."""
    with pytest.raises(ConfigError, match="not the excess"):
        dataclasses.replace(PAPER, kurtosis=7.0)
    sharpe, benchmark = PAPER.sharpe_per_bar, luck_per_bar(100, VARIANCE)
    wrong = math.sqrt((1 + 3 * sharpe + 6 / 4 * sharpe**2) / 1249)
    assert norm.cdf((sharpe - benchmark) / wrong) == pytest.approx(0.9018, abs=5e-5)


def test_deflation_by_raw_and_by_effective_trials():
    spread = TrialSpread(
        trials=64,
        sharpe_variance=VARIANCE,
        effective_trials=9.5,
        average_correlation_trials=20.0,
    )
    found = deflate(PAPER, spread, raw_trials=100)
    assert found.raw_dsr_2014 == pytest.approx(0.9003968344493903, rel=1e-12)
    assert found.effective_dsr_2014 > found.raw_dsr_2014
    assert found.effective_dsr_h0 > found.raw_dsr_h0
    assert found.effective_benchmark_per_bar == luck_per_bar(9.5, VARIANCE)
    with pytest.raises(ConfigError, match="raw_trials=63"):
        deflate(PAPER, spread, raw_trials=63)


def test_the_deflated_ratio_of_the_luckiest_is_even():
    """Without skill the best of N trials is above the deflated benchmark about half of the time."""
    random = np.random.default_rng(3)
    ratios = random.normal(0.0, 0.02, (2_000, 50)).max(axis=1)
    assert (ratios > luck_per_bar(50, 0.02**2)).mean() == pytest.approx(0.43, abs=0.05)


def test_impossible_numbers_of_trials():
    for trials in (0, 0.5, math.nan, math.inf):
        with pytest.raises(ConfigError, match="trials="):
            expected_maximum(trials)
    with pytest.raises(ConfigError, match="sharpe_annual=0"):
        minimum_backtest_years(10, 0)
    with pytest.raises(ConfigError, match="sharpe_variance=-1"):
        luck_per_bar(10, -1)
