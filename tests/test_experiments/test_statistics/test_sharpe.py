"""Probabilistic Sharpe ratio, its error, track record lengths and power, in both conventions."""

import dataclasses
import math

import jsharpe
import numpy as np
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError, DataError
from experiments.statistics.sharpe import (
    critical_sharpe_h0,
    minimum_track_record_2012,
    minimum_track_record_h0,
    power_h0,
    psr_2012,
    psr_h0,
    standard_error_2012,
    standard_error_h0,
)
from experiments.statistics.track_record import TrackRecord, track_record, track_record_from_sums

# Bailey and López de Prado 2012: 24 months of a hedge fund index; the paper of 2025 takes it over.
FUND = TrackRecord(bars=24, sharpe_per_bar=0.036 / 0.079, skew=-2.448, kurtosis=10.164)


def record_of(**changes: float) -> TrackRecord:
    return dataclasses.replace(FUND, **changes)


records = st.builds(
    lambda bars, sharpe, skew, above, rho: TrackRecord(
        bars=bars,
        sharpe_per_bar=sharpe,
        skew=skew,
        kurtosis=1.0 + skew * skew + above,
        autocorrelation=rho,
    ),
    st.integers(2, 100_000),
    st.floats(-0.9, 0.9),
    st.floats(-3.0, 3.0),
    st.floats(0.5, 20.0),
    st.floats(0.0, 0.5),
)


def test_psr_of_the_paper_of_2012():
    # pypbo, tests/pbo_tests.py; the paper prints 0.913 and 0.982.
    paper = record_of(sharpe_per_bar=1.585 / math.sqrt(12))
    assert psr_2012(paper) == pytest.approx(0.9132343068848602, rel=1e-12)
    assert psr_2012(record_of(sharpe_per_bar=0.458)) == pytest.approx(0.913, abs=5e-4)
    normal = record_of(sharpe_per_bar=0.458, skew=0.0, kurtosis=3.0)
    assert psr_2012(normal) == pytest.approx(0.982, abs=5e-4)


@pytest.mark.parametrize(
    ("sharpe", "skew", "kurtosis", "error", "years"),
    [(0.7079, -0.2250, 2.9570, 0.1028, 0.7152), (0.8183, -1.4455, 7.0497, 0.1550, 1.1593)],
)
def test_error_and_track_record_of_the_paper_of_2012(
    sharpe: float, skew: float, kurtosis: float, error: float, years: float
):
    # Printed in the paper for 134 months, 95 % (rubenbriones/Probabilistic-Sharpe-Ratio, tests).
    record = TrackRecord(bars=134, sharpe_per_bar=sharpe, skew=skew, kurtosis=kurtosis)
    assert standard_error_2012(record) == pytest.approx(error, abs=5e-5)
    assert minimum_track_record_2012(record) / 12 == pytest.approx(years, abs=5e-5)


@pytest.mark.parametrize(
    ("sharpe", "benchmark", "periods", "skew", "kurtosis", "years", "digits"),
    [
        (2.0, 1.0, 250, 0.0, 3.0, 2.7311878017281761, 1e-12),
        (2.0, 1.0, 52, 0.0, 3.0, 2.8288335869452368, 1e-12),
        (2.0, 1.0, 12, 0.0, 3.0, 3.2398007, 2e-8),
        (3.0, 2.5, 12, -0.72, 5.78, 27.352920196040301, 1e-12),
        (2.0, 1.0, 12, -0.72, 5.78, 4.9912582, 2e-8),
    ],
)
def test_minimum_track_records_of_the_paper_of_2012(
    sharpe: float,
    benchmark: float,
    periods: int,
    skew: float,
    kurtosis: float,
    years: float,
    digits: float,
):
    # pypbo, tests/pbo_tests.py; the third and the fifth are the paper's, recomputed.
    root = math.sqrt(periods)
    record = TrackRecord(bars=24, sharpe_per_bar=sharpe / root, skew=skew, kurtosis=kurtosis)
    found = minimum_track_record_2012(record, benchmark / root) / periods
    assert found == pytest.approx(years, rel=digits)


def test_numbers_of_the_paper_of_2025():
    # zoonek/2025-sharpe-ratio, functions.py: the authors' own checks, three digits.
    assert standard_error_h0(FUND, FUND.sharpe_per_bar) == pytest.approx(0.329, abs=5e-4)
    gaussian = record_of(skew=0.0, kurtosis=3.0)
    assert standard_error_h0(gaussian, FUND.sharpe_per_bar) == pytest.approx(0.214, abs=5e-4)
    assert psr_h0(FUND) == pytest.approx(0.987, abs=5e-4)
    assert psr_h0(FUND, 0.1) == pytest.approx(0.939, abs=5e-4)
    assert minimum_track_record_h0(FUND) == pytest.approx(13.029, abs=5e-4)
    assert 1 - power_h0(FUND, alternative_per_bar=0.5) == pytest.approx(0.315, abs=5e-4)


@pytest.mark.parametrize(
    ("rho", "least", "least_of_tenth", "critical", "power"),
    [(0.0, 7.909, 16.456, 0.2616, 0.7575), (0.2, 11.863, 23.899, 0.3204, 0.6763)],
)
def test_autocorrelated_numbers_of_the_paper_of_2025(
    rho: float, least: float, least_of_tenth: float, critical: float, power: float
):
    record = record_of(autocorrelation=rho)
    assert minimum_track_record_h0(record, significance=0.1) == pytest.approx(least, abs=5e-4)
    assert minimum_track_record_h0(record, 0.1, significance=0.1) == pytest.approx(
        least_of_tenth, abs=6e-4
    )
    assert critical_sharpe_h0(record, significance=0.1) == pytest.approx(critical, abs=5e-5)
    assert power_h0(record, alternative_per_bar=0.5, significance=0.1) == pytest.approx(
        power, abs=5e-5
    )


def test_the_two_conventions_differ_and_are_never_mixed():
    """Variance at the observed ratio and T − 1, or under the null hypothesis and T: 0.913 or 0.987."""
    assert psr_2012(FUND) == pytest.approx(0.9127, abs=5e-5)
    assert psr_h0(FUND) == pytest.approx(0.9872, abs=5e-5)
    at_observed = jsharpe.probabilistic_sharpe_ratio(
        FUND.sharpe_per_bar,
        0,
        variance=jsharpe.sharpe_ratio_variance(
            FUND.sharpe_per_bar, FUND.bars - 1, gamma3=FUND.skew, gamma4=FUND.kurtosis
        ),
    )
    assert psr_2012(FUND) == pytest.approx(at_observed, rel=1e-12)


@given(records, st.floats(-0.5, 0.5), st.integers(1, 1000))
def test_jsharpe_agrees_in_the_convention_of_2025(
    record: TrackRecord, benchmark: float, trials: int
):
    theirs = {"gamma3": record.skew, "gamma4": record.kurtosis, "rho": record.autocorrelation}
    variance = jsharpe.sharpe_ratio_variance(benchmark, record.bars, **theirs)
    if variance <= 0:
        return
    assert standard_error_h0(record, benchmark) ** 2 == pytest.approx(variance, rel=1e-9)
    of_best = jsharpe.sharpe_ratio_variance(benchmark, record.bars, K=trials, **theirs)
    # Their quadrature has 200 nodes: some 3e-5 off near a thousand trials, a third at a million.
    assert standard_error_h0(record, benchmark, trials=trials) ** 2 == pytest.approx(
        of_best, rel=1e-4
    )
    assert psr_h0(record, benchmark) == pytest.approx(
        jsharpe.probabilistic_sharpe_ratio(
            record.sharpe_per_bar, benchmark, T=record.bars, **theirs
        ),
        abs=1e-9,
    )
    assert critical_sharpe_h0(record, benchmark) == pytest.approx(
        jsharpe.critical_sharpe_ratio(benchmark, record.bars, **theirs), abs=1e-9
    )
    if record.sharpe_per_bar > benchmark + 1e-3:
        assert minimum_track_record_h0(record, benchmark) == pytest.approx(
            jsharpe.minimum_track_record_length(record.sharpe_per_bar, benchmark, **theirs),
            rel=1e-9,
        )


def test_power_of_the_best_of_many_uses_its_own_critical_value():
    """jsharpe takes the critical ratio of one trial and the variance of the best of K."""
    theirs = jsharpe.sharpe_ratio_power(0.1, 0.5, 24, K=10)
    record = record_of(skew=0.0, kurtosis=3.0)
    assert power_h0(record, 0.1, alternative_per_bar=0.5, trials=10) > theirs + 0.1
    one = power_h0(record, 0.1, alternative_per_bar=0.5)
    assert one == pytest.approx(jsharpe.sharpe_ratio_power(0.1, 0.5, 24), rel=1e-12)


def test_purgedcv_agrees_when_it_is_given_the_same_moments(monkeypatch: pytest.MonkeyPatch):
    """It takes ddof 0 and the sample's corrections of skew and kurtosis; the formula is the same."""
    returns = np.random.default_rng(1).standard_t(5, 500) * 0.01 + 0.002
    record = track_record(returns)
    theirs = purgedcv.probabilistic_sharpe_ratio(returns, 0.01)
    assert psr_2012(record, 0.01) == pytest.approx(theirs, rel=1e-2)
    assert psr_2012(record, 0.01) != pytest.approx(theirs, rel=1e-6)
    moments = (record.sharpe_per_bar, record.skew, record.kurtosis)
    monkeypatch.setattr("purgedcv._metrics._sharpe_moments", lambda _: moments)
    theirs = purgedcv.probabilistic_sharpe_ratio(returns, 0.01)
    assert psr_2012(record, 0.01) == pytest.approx(theirs, rel=1e-12)
    bars = purgedcv.min_track_record_length(
        record.sharpe_per_bar, 0.01, 0.05, record.skew, record.kurtosis
    )
    assert math.ceil(minimum_track_record_2012(record, 0.01)) == bars


@given(records, st.floats(-0.4, 0.4), st.floats(0.001, 0.2), st.integers(1, 1000))
def test_psr_grows_with_the_ratio_and_moves_away_from_one_half_with_time(
    record: TrackRecord, benchmark: float, more: float, bars: int
):
    better = dataclasses.replace(record, sharpe_per_bar=min(record.sharpe_per_bar + more, 1.0))
    longer = dataclasses.replace(record, bars=record.bars + bars)
    for psr in (psr_2012, psr_h0):
        try:
            of_record, of_longer = psr(record, benchmark), psr(longer, benchmark)
        except ConfigError:  # moments that leave no variance
            return
        assert 0.0 <= of_record <= 1.0
        assert abs(of_longer - 0.5) >= abs(of_record - 0.5) - 1e-12
    assert psr_h0(better, benchmark) >= psr_h0(record, benchmark)


@given(records)
def test_a_record_of_the_minimum_length_reaches_the_confidence(record: TrackRecord):
    if record.sharpe_per_bar < 0.05:
        assert math.isinf(minimum_track_record_2012(record, 0.05))
        assert math.isinf(minimum_track_record_h0(record, 0.05))
        return
    for least, psr in ((minimum_track_record_2012, psr_2012), (minimum_track_record_h0, psr_h0)):
        bars = least(record)
        assert psr(dataclasses.replace(record, bars=math.ceil(bars) + 1)) >= 0.95 - 1e-9
        if bars >= 4:
            assert psr(dataclasses.replace(record, bars=math.floor(bars) - 1)) <= 0.95 + 1e-9


@given(st.integers(0, 1000), st.floats(1e-6, 1e6), st.integers(10, 300))
def test_a_record_does_not_know_the_scale_of_returns(seed: int, scale: float, bars: int):
    returns = np.random.default_rng(seed).normal(0.05, 1.0, bars)
    one, other = track_record(returns), track_record(returns * scale)
    assert dataclasses.astuple(other) == pytest.approx(dataclasses.astuple(one), rel=1e-9, abs=1e-9)


def test_moments_come_from_returns_and_from_their_sums():
    returns = np.random.default_rng(5).standard_t(4, 2_000) * 0.01
    one = track_record(returns)
    sums = np.array(
        [(returns**k).sum() for k in (1, 2, 3, 4)] + [(np.minimum(returns, 0) ** 2).sum()]
    )
    other = track_record_from_sums(sums, 2_000, autocorrelation=one.autocorrelation)
    assert dataclasses.astuple(other) == pytest.approx(dataclasses.astuple(one), rel=1e-10)
    around = returns - returns.mean()
    assert one.autocorrelation == pytest.approx(
        sum(around[t] * around[t - 1] for t in range(1, 2_000)) / sum(a * a for a in around)
    )


def test_the_nominal_rate_holds_under_the_null_hypothesis():
    """Skewed, fat-tailed and autocorrelated returns without an edge: 5 % of tests reject at 5 %."""
    random = np.random.default_rng(11)
    rejected = {psr_2012: 0, psr_h0: 0}
    repetitions, rho = 800, 0.3
    for _ in range(repetitions):
        shocks = random.standard_gamma(4.0, 400) - 4.0
        returns = np.empty(400)
        returns[0] = shocks[0]
        for t in range(1, 400):
            returns[t] = rho * returns[t - 1] + shocks[t]
        record = track_record(returns)
        for psr in rejected:
            rejected[psr] += psr(record) > 0.95
    # Four standard errors of a binomial share around 5 %; the convention of 2012 has no ρ.
    assert 0.02 < rejected[psr_h0] / repetitions < 0.08
    assert rejected[psr_2012] / repetitions > 0.08


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bars": 1}, "bars=1"),
        ({"sharpe_per_bar": 2.5}, "divide an annual one"),
        ({"sharpe_per_bar": math.nan}, "sharpe_per_bar=nan"),
        ({"skew": math.inf}, "skew=inf"),
        ({"kurtosis": 10.164 - 3.0 - 1.0}, "not the excess"),
        ({"autocorrelation": 1.0}, "autocorrelation=1.0"),
    ],
)
def test_what_no_track_record_is(changes: dict[str, float], words: str):
    with pytest.raises(ConfigError, match=words):
        record_of(**changes)


def test_annual_benchmarks_and_wild_significances_are_refused():
    with pytest.raises(ConfigError, match=r"benchmark_per_bar=1\.2"):
        psr_2012(FUND, 1.2)
    with pytest.raises(ConfigError, match="sharpe_per_bar=-3"):
        psr_h0(FUND, -3.0)
    with pytest.raises(ConfigError, match="significance=95"):
        minimum_track_record_2012(FUND, significance=95)
    with pytest.raises(ConfigError, match=r"alternative_per_bar=0\.0"):
        power_h0(FUND, 0.1, alternative_per_bar=0.0)
    two_values = TrackRecord(bars=9, sharpe_per_bar=-1.0, skew=-2.0, kurtosis=5.0)
    with pytest.raises(ConfigError, match="two values"):
        psr_2012(two_values)


def test_returns_that_hold_no_record():
    with pytest.raises(DataError, match=r"returns\[1\]=nan"):
        track_record(np.array([0.1, np.nan, 0.2]))
    with pytest.raises(DataError, match="all alike"):
        track_record(np.zeros(10))
    with pytest.raises(DataError, match="all alike"):
        track_record(np.full(10, 0.1))
    with pytest.raises(ConfigError, match="two or more"):
        track_record(np.array([0.1]))
    with pytest.raises(ConfigError, match="one series"):
        track_record(np.zeros((3, 2)))
    with pytest.raises(DataError, match="do not"):
        track_record_from_sums(np.zeros(5), 10, autocorrelation=0.0)
    with pytest.raises(ConfigError, match="five sums"):
        track_record_from_sums(np.zeros((2, 5)), 10, autocorrelation=0.0)
