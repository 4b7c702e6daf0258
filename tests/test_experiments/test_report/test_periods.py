"""Returns by period and their distribution, against pandas and scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine import Float1D, Int1D
from engine.timeframe import HOUR_NS
from experiments.report.numbers.periods import histogram, month_grid, quantiles, returns_of

START = pd.Timestamp("2020-11-18 05:00")


def account(rows: int, seed: int, step_hours: int = 1) -> tuple[Float1D, Int1D]:
    """Equity at the closes of hourly bars, and the closes."""
    generator = np.random.default_rng(seed)
    equity = 1_000.0 * np.exp(np.cumsum(0.01 * generator.standard_normal(rows)))
    step = step_hours * HOUR_NS
    return equity, START.value + step * np.arange(1, rows + 1, dtype=np.int64)


@pytest.mark.parametrize(
    ("span", "rule"), [("day", "D"), ("week", "W-SUN"), ("month", "M"), ("year", "Y")]
)
def test_returns_of_periods_are_those_of_pandas(span: str, rule: str) -> None:
    equity, close = account(9_000, 1)
    # A bar belongs to the period of its last nanosecond.
    period = pd.DatetimeIndex(close - 1).to_period(rule)
    last = pd.Series(equity).groupby(period).last()
    expected = last / last.shift(fill_value=1_000.0) - 1.0
    found = returns_of(equity, 1_000.0, close, span)
    np.testing.assert_allclose(found.returns, expected, rtol=1e-13, atol=1e-15)
    firsts = pd.Series(np.arange(9_000)).groupby(period)
    np.testing.assert_array_equal(found.first, firsts.first())
    np.testing.assert_array_equal(found.last, firsts.last())


@given(rows=st.integers(1, 4_000), seed=st.integers(0, 99), step=st.sampled_from([1, 6, 24]))
@settings(max_examples=40, deadline=None)
def test_months_and_years_compound_to_the_whole(rows: int, seed: int, step: int) -> None:
    equity, close = account(rows, seed, step)
    grid = month_grid(equity, 1_000.0, close)
    whole = equity[-1] / 1_000.0
    assert np.nanprod(1.0 + grid.cells) == pytest.approx(whole, rel=1e-11)
    assert np.prod(1.0 + grid.totals) == pytest.approx(whole, rel=1e-11)
    for span in ("day", "week", "month", "year"):
        found = returns_of(equity, 1_000.0, close, span)
        assert np.prod(1.0 + found.returns) == pytest.approx(whole, rel=1e-11)
        assert found.first[0] == 0
        assert found.last[-1] == rows - 1
        np.testing.assert_array_equal(found.first[1:], found.last[:-1] + 1)


def test_a_grid_has_its_months_where_they_belong() -> None:
    equity, close = account(24 * 60, 3)
    grid = month_grid(equity, 1_000.0, close)
    assert grid.years == (2020, 2021)
    known = np.argwhere(~np.isnan(grid.cells)).tolist()
    assert known == [[0, 10], [0, 11], [1, 0]]


def test_what_was_lost_stays_lost() -> None:
    close = account(4, 0, 24)[1]
    found = returns_of(np.array([500.0, 0.0, 0.0, 0.0]), 1_000.0, close, "day")
    assert found.returns.tolist() == [-0.5, -1.0, 0.0, 0.0]


@given(
    values=st.lists(st.floats(-0.3, 0.3, allow_subnormal=False), min_size=2, max_size=300).map(
        np.array
    )
)
def test_every_value_is_in_a_bin(values: Float1D) -> None:
    found = histogram(values)
    assert found.counts.sum() == len(values)
    assert found.edges[0] <= values.min()
    assert found.edges[-1] >= values.max()
    assert 10 <= len(found.counts) <= 80
    assert found.zeros == sum(value == 0 for value in values.tolist())


def test_the_normal_curve_is_that_of_scipy() -> None:
    values = np.random.default_rng(4).normal(0.001, 0.02, 5_000)
    found = histogram(values)
    middles, step = (found.edges[1:] + found.edges[:-1]) / 2, found.edges[1] - found.edges[0]
    density = stats.norm.pdf(middles, values.mean(), values.std(ddof=1))
    np.testing.assert_allclose(found.normal, density * step * 5_000, rtol=1e-12)
    # Counts of a normal sample scatter around the curve by their Poisson error.
    high = found.normal > 20
    assert (np.abs(found.counts - found.normal)[high] < 5 * np.sqrt(found.normal[high])).all()


def test_quantiles_are_those_of_scipy() -> None:
    values = stats.t.rvs(5, size=300, random_state=5)
    found = quantiles(values)
    assert found is not None
    shares = (np.arange(300) + 0.5) / 300
    np.testing.assert_allclose(found.normal, stats.norm.ppf(shares), rtol=1e-12)
    np.testing.assert_allclose(found.observed, np.sort(stats.zscore(values, ddof=1)), rtol=1e-10)
    freedom = 4 + 6 / stats.kurtosis(values)
    assert found.freedom == pytest.approx(freedom, rel=1e-12)
    assert found.student is not None
    scale = stats.t(freedom).std()
    np.testing.assert_allclose(found.student, stats.t.ppf(shares, freedom) / scale, rtol=1e-9)


def test_thin_tails_have_no_student_and_a_constant_nothing() -> None:
    flat = quantiles(np.linspace(-1, 1, 101))
    assert flat is not None
    assert flat.student is None
    assert flat.freedom is None
    assert quantiles(np.full(40, 0.01)) is None


def test_of_many_values_the_ends_are_kept() -> None:
    values = np.random.default_rng(6).standard_normal(20_000)
    found = quantiles(values)
    assert found is not None
    assert len(found.observed) <= 400
    ordered = np.sort((values - values.mean()) / values.std(ddof=1))
    np.testing.assert_array_equal(found.observed[:50], ordered[:50])
    np.testing.assert_array_equal(found.observed[-50:], ordered[-50:])
