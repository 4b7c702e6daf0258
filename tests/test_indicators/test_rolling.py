"""Rolling primitives against windows summed with ``math.fsum``, and against TA-Lib."""

import math

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indicators import rolling
from tests.generators import random_walk
from tests.oracles.indicators_measured import deviation, mean, windowed

LENGTHS = (1, 2, 5, 20)
numbers = arrays(
    np.float64,
    st.integers(0, 60),
    elements=st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6)),
)


@settings(max_examples=40, deadline=None)
@given(numbers, st.sampled_from(LENGTHS))
def test_windows_equal_the_oracle(values: np.ndarray, length: int) -> None:
    cases = (
        (rolling.rolling_sum, math.fsum),
        (rolling.rolling_mean, mean),
        (rolling.rolling_std, deviation),
        (rolling.rolling_max, max),
        (rolling.rolling_min, min),
    )
    for ours, answer in cases:
        expected = windowed(values.tolist(), length, answer)
        # Values reach 1e6, so cancelled sums are good to 1e6 x 2^-52 x length.
        np.testing.assert_allclose(ours(values, length), expected, rtol=1e-9, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(numbers, st.sampled_from(LENGTHS), st.integers(0, 59))
def test_a_nan_spoils_only_the_windows_that_hold_it(
    values: np.ndarray, length: int, row: int
) -> None:
    if row >= len(values):
        return
    spoilt = values.copy()
    spoilt[row] = np.nan
    for ours in (
        rolling.rolling_sum,
        rolling.rolling_mean,
        rolling.rolling_std,
        rolling.rolling_max,
        rolling.rolling_min,
    ):
        expected = ours(values, length)
        expected[row : row + length] = np.nan
        np.testing.assert_array_equal(np.isnan(ours(spoilt, length)), np.isnan(expected))


def test_a_spike_leaves_no_trace_once_it_has_left() -> None:
    values = np.ones(200)
    values[50] = 1e17
    for ours, expected in ((rolling.rolling_sum, 20.0), (rolling.rolling_mean, 1.0)):
        np.testing.assert_array_equal(ours(values, 20)[70:], expected)
    np.testing.assert_array_equal(rolling.rolling_std(values, 20)[70:], 0.0)


@pytest.mark.parametrize("price", [0.1, 1e-8, 30_123.7])
def test_a_constant_has_its_own_mean_and_no_deviation(price: float) -> None:
    values = np.full(100, price)
    np.testing.assert_array_equal(rolling.rolling_mean(values, 20)[19:], price)
    np.testing.assert_array_equal(rolling.rolling_std(values, 20)[19:], 0.0)
    np.testing.assert_array_equal(rolling.rolling_z_score(values, 20)[19:], 0.0)


@settings(max_examples=30, deadline=None)
@given(numbers, st.sampled_from((2, 5, 20)))
def test_z_score_equals_its_definition(values: np.ndarray, length: int) -> None:
    found = rolling.rolling_z_score(values, length)
    for t in range(length - 1, len(values)):
        window = values[t - length + 1 : t + 1].tolist()
        spread = deviation(window)
        if spread > 1e-6:  # smaller deviations of values up to 1e6 are rounding
            assert found[t] == pytest.approx((window[-1] - mean(window)) / spread, abs=1e-3)
    assert (np.abs(found[length - 1 :]) <= np.sqrt(length) + 1e-9).all()


@pytest.mark.parametrize("length", [5, 100])
def test_percent_rank_equals_talib(length: int) -> None:
    values = random_walk(500, 3)
    expected = talib.PERCENTRANK(values, length)
    np.testing.assert_allclose(rolling.percent_rank(values, length), expected, rtol=1e-12)


def test_percent_rank_counts_ties_and_skips_unknown_windows() -> None:
    values = np.array([np.nan, 1.0, 2.0, 2.0, 1.0, 3.0])
    expected = [np.nan, np.nan, np.nan, 100.0, 0.0, 100.0]
    np.testing.assert_array_equal(rolling.percent_rank(values, 2), expected)


def test_previous_mean_ratio_equals_talib_and_is_0_after_silence() -> None:
    volume = np.abs(random_walk(300, 4))
    found = rolling.previous_mean_ratio(volume, 20)
    np.testing.assert_allclose(found, talib.RVOL(volume, 20), rtol=1e-12)
    volume[100:130] = 0.0
    assert (rolling.previous_mean_ratio(volume, 20)[120:131] == 0.0).all()


def test_quotient_of_nothing_is_the_given_middle() -> None:
    found = rolling.quotient(np.array([0.0, 1.0, np.nan]), np.array([0.0, 2.0, 0.0]), 0.5)
    np.testing.assert_array_equal(found, [0.5, 0.5, np.nan])


@pytest.mark.parametrize(
    "function",
    [
        rolling.rolling_sum,
        rolling.rolling_mean,
        rolling.rolling_std,
        rolling.rolling_max,
        rolling.rolling_z_score,
        rolling.percent_rank,
        rolling.previous_mean_ratio,
    ],
)
def test_a_prefix_has_the_prefix_of_the_answer(function) -> None:
    values = random_walk(300, 5)
    whole = function(values, 20)
    for count in range(301):
        np.testing.assert_array_equal(function(values[:count], 20), whole[:count])
