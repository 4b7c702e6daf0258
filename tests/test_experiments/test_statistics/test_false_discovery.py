"""False discovery rates of tests on Sharpe ratios."""

import jsharpe
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from experiments.statistics.false_discovery import (
    discovery_test,
    observed_false_discovery,
    planned_false_discovery,
)
from experiments.statistics.sharpe import power_h0
from experiments.statistics.track_record import TrackRecord

FUND = TrackRecord(bars=24, sharpe_per_bar=0.036 / 0.079, skew=-2.448, kurtosis=10.164)
GAUSSIAN = TrackRecord(bars=24, sharpe_per_bar=0.3, skew=0.0, kurtosis=3.0)


def test_numbers_of_the_paper_of_2025():
    # zoonek/2025-sharpe-ratio, functions.py.
    planned = planned_false_discovery(skill_prior=0.05, significance=0.05, power=1 - 0.315)
    assert planned == pytest.approx(0.581, abs=5e-4)
    observed = observed_false_discovery(FUND, alternative_per_bar=0.5, skill_prior=0.05)
    assert observed == pytest.approx(0.306, abs=5e-4)


@given(st.floats(0.01, 0.99), st.floats(0.02, 0.6), st.integers(10, 300), st.integers(1, 50))
def test_jsharpe_agrees(prior: float, alternative: float, bars: int, trials: int):
    record = TrackRecord(bars=bars, sharpe_per_bar=0.2, skew=-0.5, kurtosis=4.0)
    theirs = jsharpe.oFDR(0.2, 0, alternative, bars, prior, gamma3=-0.5, gamma4=4.0)
    found = observed_false_discovery(record, alternative_per_bar=alternative, skill_prior=prior)
    assert found == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    power = power_h0(record, alternative_per_bar=alternative)
    found = planned_false_discovery(skill_prior=prior, significance=0.05, power=power)
    assert found == pytest.approx(jsharpe.pFDR(prior, 0.05, 1 - power), rel=1e-9)
    more = observed_false_discovery(
        record, alternative_per_bar=alternative, skill_prior=min(prior + 0.005, 0.995)
    )
    assert more <= observed_false_discovery(
        record, alternative_per_bar=alternative, skill_prior=prior
    )


@pytest.mark.parametrize("trials", [1, 10])
def test_the_test_for_a_rate(trials: int):
    found = discovery_test(
        GAUSSIAN, alternative_per_bar=0.5, skill_prior=0.1, rate=0.25, trials=trials
    )
    significance, miss, critical, _ = jsharpe.control_for_FDR(
        0.25, SR0=0, SR1=0.5, p_H1=0.1, T=24, K=trials
    )
    assert found.critical_per_bar == pytest.approx(critical, rel=1e-4)
    assert found.significance == pytest.approx(significance, rel=1e-3)
    assert found.miss_probability == pytest.approx(miss, rel=1e-3)
    planned = planned_false_discovery(
        skill_prior=0.1, significance=found.significance, power=1 - found.miss_probability
    )
    assert planned == pytest.approx(0.25, rel=1e-9)


def test_a_simulated_world_has_the_rate():
    """Draw skill, draw a track record, test it: a quarter of what the test accepts is luck."""
    found = discovery_test(GAUSSIAN, alternative_per_bar=0.5, skill_prior=0.1, rate=0.25)
    random = np.random.default_rng(2)
    skilled = random.random(400_000) < 0.1
    truth = np.where(skilled, 0.5, 0.0)
    deviation = np.sqrt((1 + truth**2 / 2) / 24)
    accepted = random.normal(truth, deviation) > found.critical_per_bar
    assert (~skilled[accepted]).mean() == pytest.approx(0.25, abs=0.01)


def test_what_is_refused():
    with pytest.raises(ConfigError, match="power=0"):
        planned_false_discovery(skill_prior=0.1, significance=0.05, power=0)
    with pytest.raises(ConfigError, match="skill_prior=1"):
        observed_false_discovery(FUND, alternative_per_bar=0.5, skill_prior=1)
    with pytest.raises(ConfigError, match=r"alternative_per_bar=0\.0"):
        observed_false_discovery(FUND, alternative_per_bar=0.0, skill_prior=0.1)
    with pytest.raises(ConfigError, match=r"rate=0\.95: no critical"):
        discovery_test(GAUSSIAN, alternative_per_bar=0.5, skill_prior=0.1, rate=0.95)
