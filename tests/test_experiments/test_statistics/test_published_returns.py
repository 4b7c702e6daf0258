"""Series that others published together with their answers."""

import dataclasses
import math

import empyrical
import numpy as np
import pytest

from engine.metrics import sharpe_from_sums, sortino_from_sums
from engine.metrics.distribution import omega
from experiments.statistics.sharpe import (
    minimum_track_record_2012,
    psr_2012,
    psr_h0,
    standard_error_2012,
)
from experiments.statistics.track_record import track_record

# rubenbriones/Probabilistic-Sharpe-Ratio, tests/returns_for_tests.csv: 50 daily returns.
DAYS = np.array([
    0.002118886469477138, -0.002636546921058242, -0.0024358609660036726, -0.006071232875030698,
    -0.004499680469396765, -0.007247533239095589, -0.008176560188689118, 0.009117754371004887,
    0.009477404635678645, 0.0042197708651989995, -0.00019996762364832103, 0.008191268384352622,
    -0.0020278923107388217, 0.0038782300933695247, 0.0003234337837115485, 0.005741116477147061,
    -0.00055158413447093, 0.009050625431788748, 0.00221800977705627, -0.00236869813637592,
    -0.0017968533865673503, 0.007542966308243992, 0.00821061590483064, -0.00430742331277402,
    0.005421856250630787, -0.0013993343628088892, 0.003323845857746144, 0.009511143669396956,
    0.006453922488914566, 0.007546441720910388, 0.006649460358400363, 0.0038011548577152957,
    0.005214595923986653, 0.0017644847653684754, 0.0050601376727331705, 0.007734536175241815,
    0.004882709157075313, -0.021158758457091323, 0.006242378497535548, 0.0021716683121211083,
    0.0035306675414695276, -0.007799958914217092, 0.0016867645302712057, -0.00870682695861564,
    0.005797790325923, 0.007547294646361774, 0.0058964895235753415, 0.0016712085630854294,
    -0.010070799628150532, -0.004337921900945061,
])  # fmt: skip

# PerformanceAnalytics, data set managers, column HAM1: months of 1996 to 2006.
HAM1 = np.array([
    0.0074, 0.0193, 0.0155, -0.0091, 0.0076, -0.0039, -0.0231, 0.0395, 0.0147, 0.0288, 0.0156, 0.0176,
    0.0212, 0.0022, 0.0094, 0.0126, 0.0438, 0.0231, 0.0154, 0.0237, 0.0219, -0.0207, 0.025, 0.011,
    0.0056, 0.0429, 0.0362, 0.0078, -0.0231, 0.0121, -0.0215, -0.0944, 0.0248, 0.0558, 0.0126, 0.0097,
    -0.0093, 0.0094, 0.0462, 0.051, 0.0162, 0.0326, 0.0098, -0.0165, -0.0045, -0.0006, 0.0035, 0.0147,
    -0.0102, 0.0123, 0.0575, 0.0202, 0.0339, 0.0123, 0.0049, 0.0387, 0.0013, -0.0077, 0.0104, -0.0068,
    0.0079, 0.0082, -0.0105, 0.0345, 0.0579, 0.0021, 0.0207, 0.0161, -0.0312, 0.0011, 0.034, 0.0676,
    0.0135, -0.0124, 0.0063, 0.0046, -0.0015, -0.0241, -0.0755, 0.0077, -0.0575, 0.0297, 0.0661, -0.0323,
    -0.0412, -0.0251, 0.0364, 0.0651, 0.0337, 0.0308, 0.0176, 0.0003, 0.009, 0.0481, 0.0169, 0.0275,
    0.0053, -0.0001, 0.0087, -0.0043, 0.0082, 0.0259, 0, 0.0055, 0.0088, -0.0006, 0.0394, 0.044,
    0.0001, 0.0215, -0.0207, -0.0209, 0.0043, 0.0161, 0.0091, 0.0113, 0.0261, -0.0187, 0.0231, 0.0261,
    0.0692, 0.0145, 0.0397, -0.0011, -0.0267, 0.0216, -0.0144, 0.0161, 0.0068, 0.0427, 0.0117, 0.0115,
])  # fmt: skip


def sums_of(returns: np.ndarray) -> np.ndarray:
    """Power sums in plain order."""
    return np.array(
        [(returns**k).sum() for k in (1, 2, 3, 4)] + [(np.minimum(returns, 0) ** 2).sum()]
    )


def test_fifty_days():
    # The same repository, tests/test_sharpe_ratio_stats.py.
    record = track_record(DAYS)
    assert record.sharpe_per_bar == pytest.approx(0.24171729852769172, rel=1e-12)
    assert standard_error_2012(record) == pytest.approx(0.16466174867277414, rel=1e-12)
    assert psr_2012(record, 0.05) == pytest.approx(0.877850770122146, rel=1e-12)
    least = minimum_track_record_2012(record, 0.05, significance=0.1)
    assert least == pytest.approx(60.365085269027084, rel=1e-12)


def test_months_of_a_manager():
    """pyformanceanalytics, its test of ProbSharpeRatio(0.23), which takes returns for normal."""
    record = track_record(HAM1)
    normal = dataclasses.replace(record, skew=0.0, kurtosis=3.0)
    assert psr_2012(normal, 0.23) == pytest.approx(0.9871948357133288, rel=1e-12)
    # Rounded in that test: the ratio and the ends of its interval of 95 %, one-sided.
    error = 1.6448536269514722 * standard_error_2012(normal)
    assert record.sharpe_per_bar == pytest.approx(0.434, abs=5e-5)
    assert record.sharpe_per_bar - error == pytest.approx(0.2837, abs=5e-5)
    assert record.sharpe_per_bar + error == pytest.approx(0.5843, abs=5e-5)
    # With their skew and their tails these months say less.
    assert psr_2012(record, 0.23) == pytest.approx(0.9721, abs=5e-5)


@pytest.mark.parametrize("returns", [DAYS, HAM1], ids=["days", "months"])
def test_empyrical_has_the_same_ratio(returns: np.ndarray):
    found = track_record(returns).sharpe_per_bar
    assert found == pytest.approx(empyrical.sharpe_ratio(returns, annualization=1), rel=1e-12)


def test_twelve_years_against_a_benchmark():
    # pypbo, tests/test_metrics.py.
    years = [0.259, 0.198, 0.364, -0.081, 0.057, 0.055, 0.188, 0.317, 0.24, 0.184, -0.01, 0.526]
    excess = np.array(years) - 0.05
    record = track_record(excess)
    assert record.sharpe_per_bar == pytest.approx(0.8343639209671241, rel=1e-12)
    assert sharpe_from_sums(sums_of(excess), 12, 1.0) == pytest.approx(record.sharpe_per_bar)


def test_sortino_and_omega():
    # pypbo, tests/test_metrics.py; the omega is investexcel.net's, at a return of 1 %.
    returns = np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04])
    assert sortino_from_sums(sums_of(returns), 8, 1.0) == pytest.approx(4.417261, abs=5e-7)
    returns = np.array(
        [0.0089, 0.0012, -0.002, 0.01, -0.0002, 0.02, 0.03, 0.01, -0.003, 0.01, 0.0102, -0.01]
    )
    assert omega(returns - 0.01) == pytest.approx(0.463901689, abs=1e-8)
    assert omega(returns - 0.01) == pytest.approx(
        empyrical.omega_ratio(returns, required_return=0.01, annualization=1), rel=1e-12
    )


def test_autocorrelated_months_are_worth_less():
    record = track_record(HAM1)
    assert record.autocorrelation == pytest.approx(0.189, abs=5e-4)
    independent = dataclasses.replace(record, autocorrelation=0.0)
    assert psr_h0(record, 0.23) < psr_h0(independent, 0.23) < 1.0
    assert math.isfinite(psr_h0(record))
