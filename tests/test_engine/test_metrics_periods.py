"""Metrics of days, months and years: against pandas and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metrics import (
    bar_returns,
    monthly_returns,
    period_returns,
    yearly_returns,
)
from engine.metrics.periods import months_before
from tests.metric_cases import (
    CASH,
    evaluation,
    random_equity,
    values_of,
)


@given(
    seed=st.integers(0, 1000),
    rows=st.integers(1, 900),
    timeframe=st.sampled_from(["1h", "4h", "1d"]),
)
def test_periods_against_pandas(seed: int, rows: int, timeframe: str):
    run = evaluation(random_equity(rows, seed), timeframe=timeframe)
    index = pd.to_datetime(run.panel.open_time)
    returns = pd.Series(bar_returns(run.equity, CASH), index)
    for period, rule in (("day", "D"), ("month", "ME"), ("quarter", "QE"), ("year", "YE")):
        expected = (1 + returns).resample(rule).prod() - 1
        np.testing.assert_allclose(run.returns_of(period), expected, rtol=1e-9, atol=1e-12)
        values = values_of(run)
        assert values[f"positive_{period}s"] == pytest.approx((expected > 0).mean())
    month_rows = monthly_returns(run.equity, CASH, run.panel.close_time)
    assert [(r["year"], r["month"]) for r in month_rows] == [
        (d.year, d.month) for d in returns.resample("ME").sum().index
    ]
    year_rows = yearly_returns(run.equity, CASH, run.panel.close_time)
    assert np.prod(1 + year_rows["return_frac"]) == pytest.approx(run.equity[-1] / CASH)


def test_a_bar_over_two_months_belongs_to_that_of_its_end():
    open_time = np.datetime64("2021-01-25T00", "ns").astype(np.int64)
    run = evaluation([1010.0, 1020.0], timeframe="1w", start_ns=int(open_time))
    numbers, _ = period_returns(run.equity, CASH, run.panel.close_time, "month")
    assert [1 + int(number) % 12 for number in numbers] == [1, 2]


@given(
    moment=st.datetimes(pd.Timestamp("1990").to_pydatetime(), pd.Timestamp("2050").to_pydatetime()),
    months=st.integers(1, 30),
)
def test_months_before_against_pandas(moment: pd.Timestamp, months: int):
    stamp = pd.Timestamp(moment).as_unit("ns")
    assert months_before(stamp.value, months) == (stamp - pd.DateOffset(months=months)).value


def test_returns_of_the_last_months():
    run = evaluation(random_equity(400, 1), timeframe="1d")  # 2021-01-01 to the end of 2022-02-04
    values = values_of(run)
    by_day = pd.Series(run.equity, pd.date_range("2021-01-01", periods=400))
    last = by_day.iloc[-1]
    assert values["month_to_date_return"] == pytest.approx(last / by_day["2022-01-31"] - 1)
    assert values["year_to_date_return"] == pytest.approx(last / by_day["2021-12-31"] - 1)
    assert values["three_month_return"] == pytest.approx(last / by_day["2021-11-04"] - 1)
    assert values["six_month_return"] == pytest.approx(last / by_day["2021-08-04"] - 1)
    assert values["one_year_return"] == pytest.approx(last / by_day["2021-02-04"] - 1)
    short = values_of(evaluation(random_equity(31, 1), timeframe="1d"))
    assert math.isnan(short["three_month_return"])
    assert short["month_to_date_return"] == pytest.approx(short["total_return"])
    quarter = values_of(evaluation(random_equity(31 + 28 + 31, 1), timeframe="1d"))
    assert quarter["three_month_return"] == pytest.approx(quarter["total_return"])


@pytest.mark.parametrize(("percent", "fewest"), [(95, 200), (99, 1000)])
def test_value_at_risk_needs_ten_days_beyond_it(percent: int, fewest: int):
    equity = random_equity(fewest, 3)
    names = (f"value_at_risk_{percent}", f"conditional_value_at_risk_{percent}")
    enough = values_of(evaluation(equity, timeframe="1d"))
    assert 0 < enough[names[0]] <= enough[names[1]]
    too_few = values_of(evaluation(equity[:-1], timeframe="1d"))
    assert all(math.isnan(too_few[name]) for name in names)


def test_gains_against_losses_by_hand():
    values = values_of(evaluation([1100.0, 990.0, 1188.0, 1128.6], timeframe="1d"))
    assert values["omega"] == pytest.approx(0.3 / 0.15)
    assert values["gain_to_pain"] == pytest.approx(0.15 / 0.15)
    assert (values["best_day"], values["worst_day"]) == pytest.approx((0.2, -0.1))
    assert values["tail_ratio"] == pytest.approx(
        np.quantile([0.1, -0.1, 0.2, -0.05], 0.95) / -np.quantile([0.1, -0.1, 0.2, -0.05], 0.05)
    )
