"""Returns by hour and weekday, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.timeframe import DAY_NS, HOUR_NS
from experiments.report.numbers.calendar import (
    FEWEST_IN_CELL,
    WEEKDAYS,
    beyond_two,
    grouped,
    week_cells,
    weekdays,
)

START = pd.Timestamp("2021-03-03 07:00").value


@pytest.mark.parametrize(("hours", "columns"), [(1, 24), (4, 6), (24, 1)])
def test_cells_are_those_of_a_group_by(hours: int, columns: int) -> None:
    rows = 9_000 // hours
    start = START // (hours * HOUR_NS) * hours * HOUR_NS
    opens = start + hours * HOUR_NS * np.arange(rows, dtype=np.int64)
    returns = 0.01 * np.random.default_rng(1).standard_normal(rows) - 0.004
    found = week_cells(opens, returns)
    time = pd.DatetimeIndex(opens)
    groups = pd.Series(returns).groupby([time.day_of_week, time.hour])
    assert found.hours == tuple(sorted(set(time.hour)))
    assert len(found.hours) == columns
    np.testing.assert_array_equal(found.count.ravel(), groups.count())
    np.testing.assert_allclose(found.mean.ravel(), groups.mean(), rtol=1e-10, atol=1e-16)
    whole = returns.mean()
    expected = [
        stats.ttest_1samp(values, whole).statistic if len(values) >= FEWEST_IN_CELL else np.nan
        for _, values in groups
    ]
    np.testing.assert_allclose(found.t.ravel(), expected, rtol=1e-8)


@given(rows=st.integers(1, 500), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_counts_of_all_cells_are_all_bars(rows: int, seed: int) -> None:
    opens = START + HOUR_NS * np.arange(rows, dtype=np.int64)
    returns = 0.01 * np.random.default_rng(seed).standard_normal(rows)
    cells = week_cells(opens, returns)
    assert cells.count.sum() == rows
    assert np.isnan(cells.mean).sum() == (cells.count == 0).sum()
    assert np.isnan(cells.t[cells.count < FEWEST_IN_CELL]).all()
    by_day = grouped(weekdays(opens), 7, returns)
    assert by_day.count.sum() == rows
    assert np.prod(1.0 + by_day.compounded) == pytest.approx(np.prod(1.0 + returns), rel=1e-10)


def test_a_weekday_is_that_of_the_calendar() -> None:
    days = DAY_NS * np.arange(-40, 20_000, dtype=np.int64)
    expected = pd.DatetimeIndex(days).day_name().tolist()
    assert [WEEKDAYS[number] for number in weekdays(days).tolist()] == expected


def test_bars_alike_have_no_error_and_a_loss_of_all_compounds_to_it() -> None:
    opens = START + 7 * DAY_NS * np.arange(20, dtype=np.int64)
    cells = week_cells(opens, np.zeros(20))
    assert np.isnan(cells.t).all()
    found = grouped(np.array([0, 0, 1]), 2, np.array([0.5, -1.0, 0.1]))
    np.testing.assert_allclose(found.compounded, [-1.0, 0.1], rtol=1e-12)


def test_a_steady_drag_is_not_the_clock() -> None:
    opens = START + HOUR_NS * np.arange(24 * 7 * 60, dtype=np.int64)
    noise = 0.001 * np.random.default_rng(2).standard_normal(len(opens))
    for drag in (0.0, -0.01):
        found, expected = beyond_two(week_cells(opens, noise + drag))
        assert expected == pytest.approx(168 * 2 * stats.t.sf(2, 59), rel=1e-9)
        assert found < 20


@pytest.mark.parametrize("weeks", [30, 80])
def test_chance_alone_gives_as_many_cells_as_are_expected(weeks: int) -> None:
    opens = START + HOUR_NS * np.arange(24 * 7 * weeks, dtype=np.int64)
    generator = np.random.default_rng(3)
    counts = [
        beyond_two(week_cells(opens, 0.01 * generator.standard_normal(len(opens))))
        for _ in range(40)
    ]
    found, expected = np.array(counts).T
    # 40 markets of 168 cells: the mean of the counts has an error of about 0.45.
    assert found.mean() == pytest.approx(expected[0], abs=1.8)
