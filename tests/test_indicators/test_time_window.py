"""Windows in days against literal ones, on steady, irregular and broken clocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import DAY_NS, HOUR_NS
from indicators.time_window import (
    value_before,
    window_moments,
    window_percent_rank,
    window_slope,
    window_z_score,
)
from tests.generators import START_NS
from tests.oracles import crypto as oracle


def clock(kind: str, rows: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    if kind == "hourly":
        steps = np.full(rows, HOUR_NS)
    elif kind == "five minutes":
        steps = np.full(rows, HOUR_NS // 12)
    else:
        steps = HOUR_NS * generator.integers(1, 9, rows)
        steps[rows // 2] = 12 * DAY_NS
    return (START_NS + np.cumsum(steps)).astype(np.float64)


CLOCKS = ("hourly", "five minutes", "irregular with a hole")


@pytest.fixture(params=CLOCKS)
def series(request) -> tuple[np.ndarray, np.ndarray]:
    times = clock(request.param, 420)
    values = np.round(np.cumsum(np.random.default_rng(3).standard_normal(420)), 1)
    return times, values


def test_percent_rank_counts_earlier_rows_only(series):
    times, values = series
    expected = oracle.percent_rank_in_days(times, values, 3, 1)
    np.testing.assert_array_equal(window_percent_rank(times, values, 3, 1), expected)
    assert np.isfinite(expected).sum() > 100


def test_z_score(series):
    times, values = series
    expected = oracle.z_score_in_days(times, values, 3, 1)
    np.testing.assert_allclose(window_z_score(times, values, 3, 1), expected, rtol=1e-9, atol=1e-11)


def test_slope(series):
    times, values = series
    expected = oracle.slope_in_days(times, values, 0.5)
    # polynomial fitting by an orthogonal factorisation loses a few digits
    np.testing.assert_allclose(window_slope(times, values, 0.5), expected, rtol=1e-7, atol=1e-8)


def test_value_before(series):
    times, values = series
    expected = oracle.value_days_ago(times, values, 1)
    np.testing.assert_array_equal(value_before(times, values, 1), expected)


def test_same_moments_on_hourly_rows_and_on_every_twelfth_of_five_minutes():
    hourly = clock("hourly", 200)
    values = np.random.default_rng(5).standard_normal(200)
    dense_times = np.repeat(hourly, 12) - np.tile(np.arange(11, -1, -1) * HOUR_NS / 12, 200)
    coarse = window_moments(hourly, values, 2, 1)
    dense = window_moments(dense_times, np.repeat(values, 12), 2, 1)
    rows = np.arange(60, 200)
    # the dense window ends with whole hours on both sides, so the moments are the same
    np.testing.assert_allclose(dense[0][rows * 12 + 11], coarse[0][rows], rtol=1e-9)
    np.testing.assert_allclose(dense[1][rows * 12 + 11], coarse[1][rows], rtol=1e-9)


def test_a_huge_value_leaves_no_trace_after_its_window():
    times = clock("hourly", 300)
    values = np.random.default_rng(1).standard_normal(300)
    spiked = values.copy()
    spiked[100] = 1e17
    before, after = (window_z_score(times, x, 2, 1) for x in (values, spiked))
    np.testing.assert_allclose(after[149:], before[149:], rtol=1e-9)
    assert not np.allclose(after[110:140], before[110:140])


def test_a_constant_has_score_zero_and_rank_hundred():
    times = clock("hourly", 100)
    flat = np.full(100, 0.1)
    assert (window_z_score(times, flat, 2, 1)[24:] == 0).all()
    assert (window_percent_rank(times, flat, 2, 1)[24:] == 100).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=80),
    st.lists(st.integers(-3, 3), min_size=80, max_size=80),
    st.integers(0, 79),
)
def test_prefixes_agree_exactly(steps, levels, cut):
    times = (START_NS + HOUR_NS * np.cumsum(steps)).astype(np.float64)
    values = np.array(levels[: len(steps)], dtype=np.float64)
    count = min(cut + 1, len(values))
    early_times, early = times[:count], values[:count]
    for window, arguments in (
        (window_percent_rank, (2, 1)),
        (window_z_score, (2, 1)),
        (window_slope, (1,)),
        (value_before, (1,)),
    ):
        whole = window(times, values, *arguments)
        np.testing.assert_array_equal(whole[:count], window(early_times, early, *arguments))
