"""Intervals: equal to arch on the same resamples, near their nominal coverage."""

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap

from engine.errors import ConfigError, DataError
from experiments.statistics.bootstrap import (
    DEVIATION,
    MEAN,
    SHARPE,
    acceleration,
    bootstrap_interval,
    evaluated,
    jackknife,
    replicates,
)
from experiments.statistics.resampling import Resampling, resampled_rows

ONE_BY_ONE = Resampling(block_length=1.0)


def skewed(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=count) - 0.9


def sharpe(values: np.ndarray) -> float:
    return float(values.mean() / values.std(ddof=1))


class GivenRows(StationaryBootstrap):
    """arch's bootstrap, fed with our rows."""

    def feed(self, rows: np.ndarray) -> "GivenRows":
        self._rows = iter(rows)
        return self

    def update_indices(self):
        return next(self._rows)

    def reset(self):
        pass


@pytest.mark.parametrize(("method", "theirs"), [("percentile", "percentile"), ("bca", "bca")])
@pytest.mark.parametrize(
    ("statistic", "plain"),
    [(MEAN, np.mean), (SHARPE, sharpe), (DEVIATION, lambda v: v.std(ddof=1))],
)
def test_intervals_equal_those_of_arch_on_the_same_rows(method, theirs, statistic, plain):
    values = skewed(80, 3)
    ours = bootstrap_interval(
        values, statistic, seed=5, method=method, resampling=ONE_BY_ONE, draws=999
    )
    rows = np.concatenate(list(resampled_rows(ONE_BY_ONE, 80, 999, 5)))
    peer = GivenRows(1, values, seed=1).feed(rows)
    low, high = peer.conf_int(lambda v: np.atleast_1d(plain(v)), reps=999, method=theirs).ravel()
    assert ours.low == pytest.approx(low, rel=1e-9)
    assert ours.high == pytest.approx(high, rel=1e-9)
    assert ours.low < ours.estimate < ours.high


@pytest.mark.parametrize("statistic", [MEAN, SHARPE, DEVIATION])
@pytest.mark.parametrize("scheme", ["stationary", "circular"])
def test_sums_give_what_calls_on_each_resample_give(statistic, scheme):
    values = skewed(61, 1)
    how = Resampling(block_length=5.0, scheme=scheme)
    by_sums = replicates(values, statistic, how, draws=200, seed=2)
    by_calls = replicates(values, lambda v: evaluated(statistic, v), how, draws=200, seed=2)
    np.testing.assert_allclose(by_sums, by_calls, rtol=1e-10)
    whole = jackknife(values, statistic, 5.0)
    np.testing.assert_allclose(
        whole, jackknife(values, lambda v: evaluated(statistic, v), 5.0), rtol=1e-10
    )
    assert len(whole) == 12


def test_a_callable_of_anything():
    values = skewed(120, 4)
    found = bootstrap_interval(values, lambda v: float(np.median(v)), seed=1, draws=400)
    assert found.low < np.median(values) < found.high
    assert found == bootstrap_interval(values, lambda v: float(np.median(v)), seed=1, draws=400)
    assert found != bootstrap_interval(values, lambda v: float(np.median(v)), seed=2, draws=400)


def test_bca_of_a_skewed_mean_leans_to_the_long_tail():
    values = skewed(60, 8)
    bca = bootstrap_interval(values, MEAN, seed=1, resampling=ONE_BY_ONE)
    percentile = bootstrap_interval(
        values, MEAN, seed=1, method="percentile", resampling=ONE_BY_ONE
    )
    assert bca.low > percentile.low
    assert bca.high > percentile.high
    # For a mean the acceleration is the skewness of the values ÷ (6 √T).
    centred = values - values.mean()
    skew = (centred**3).mean() / (centred**2).mean() ** 1.5
    assert bca.acceleration == pytest.approx(skew / 6 / np.sqrt(60), rel=1e-9)
    assert acceleration(np.full(5, 2.0)) == 0.0


def dependent(generator: np.random.Generator, count: int, rho: float) -> np.ndarray:
    """First-order autoregression with unit variance."""
    values = generator.standard_normal(count)
    values[1:] *= np.sqrt(1 - rho**2)
    for t in range(1, count):
        values[t] += rho * values[t - 1]
    return values


@pytest.mark.parametrize(
    ("rho", "statistic", "lowest"), [(0.0, SHARPE, 0.86), (0.4, MEAN, 0.82), (0.4, SHARPE, 0.82)]
)
def test_coverage_is_near_the_nominal_90_per_cent(rho, statistic, lowest):
    """Blocks see a little less dependence than there is; without blocks it is far less."""
    generator = np.random.default_rng(17)
    repetitions, mean = 300, 0.1
    covered = ignored = 0
    for seed in range(repetitions):
        values = mean + dependent(generator, 250, rho)
        found = bootstrap_interval(values, statistic, seed=seed, level=0.9, draws=400)
        covered += found.low <= mean <= found.high
        single = bootstrap_interval(
            values, statistic, seed=seed, level=0.9, draws=400, resampling=ONE_BY_ONE
        )
        ignored += single.low <= mean <= single.high
    assert lowest <= covered / repetitions <= 0.94
    if rho:
        assert ignored / repetitions < 0.77


def test_a_series_that_rarely_moves():
    values = np.zeros(100)
    values[[20, 60]] = 0.01, -0.02
    found = bootstrap_interval(values, SHARPE, seed=1)
    assert np.isfinite([found.low, found.high]).all()
    still = bootstrap_interval(np.zeros(100), SHARPE, seed=1)
    assert (still.low, still.estimate, still.high) == (0.0, 0.0, 0.0)


def test_wrong_arguments_are_named():
    values = skewed(50, 1)
    with pytest.raises(ConfigError, match=r"level=95"):
        bootstrap_interval(values, MEAN, seed=1, level=95)
    with pytest.raises(ConfigError, match="method='basic'"):
        bootstrap_interval(values, MEAN, seed=1, method="basic")
    with pytest.raises(DataError, match=r"values\[7\]=inf"):
        bootstrap_interval(np.where(np.arange(50) == 7, np.inf, values), MEAN, seed=1)
    with pytest.raises(DataError, match="the statistic of resample 0 is nan"):
        bootstrap_interval(values, lambda _: np.nan, seed=1)
    with pytest.raises(ConfigError, match="fewer than two"):
        jackknife(values, MEAN, 40.0)
