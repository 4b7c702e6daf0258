"""Metrics against hand-made runs and plain loops; what is undefined is NaN and never 0."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import METRICS, drawdowns, metrics
from engine.metrics import (
    EQUITY_GROUPS,
    GROUPS,
    annual_return,
    bar_returns,
    drawdown_periods,
    max_drawdown,
    metrics_table,
    worst_drawdowns,
)
from tests.generators import START_NS
from tests.metric_cases import (
    CASH,
    GROUP_OF,
    evaluation,
    nan_names,
    random_equity,
    result_of,
    values_of,
)


def test_names_are_unique_and_groups_come_in_order():
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert list(dict.fromkeys(metric.group for metric in METRICS)) == list(GROUPS)


def test_the_page_shows_every_metric():
    page = Path(__file__).resolve().parents[2] / "docs/metrics.md"
    assert metrics_table(METRICS) in page.read_text(encoding="utf-8"), (
        "docs/metrics.md: put the output of engine.metrics.metrics_table(METRICS) in place of its table"
    )


def test_growth_by_hand():
    values = values_of(evaluation([1100.0, 1210.0], timeframe="1d"))
    assert values["total_return"] == pytest.approx(0.21)
    assert values["annual_return"] == pytest.approx(1.1**365 - 1)
    assert annual_return(np.array([4000.0]), CASH, 2.0) == pytest.approx(1.0)
    assert math.isnan(annual_return(np.array([4000.0]), CASH, 1e-6)), "no float can hold it"


def test_drawdowns_by_hand():
    equity = [1000.0, 1200.0, 900.0, 600.0, 1300.0, 1250.0]
    values = values_of(evaluation(equity, timeframe="1d"))
    depths = [0, 0, 0.25, 0.5, 0, 50 / 1300]
    np.testing.assert_allclose(drawdowns(np.array(equity), CASH), depths, atol=1e-15)
    day = 86_400.0
    start = START_NS / 1e9
    expected = {
        "max_drawdown": 0.5,
        "max_drawdown_start": start + 2 * day,
        "max_drawdown_trough": start + 4 * day,
        "max_drawdown_end": start + 5 * day,
        "max_drawdown_days": 3.0,
        "max_drawdown_recovery_days": 1.0,
        "average_drawdown": (0.5 + 50 / 1300) / 2,
        "longest_drawdown_bars": 2.0,
        "time_under_water": 0.5,
        "ulcer_index": math.sqrt(sum(d * d for d in depths) / 6),
        "recovery_factor": 0.25 / 0.5,
        "calmar": (1.25 ** (365 / 6) - 1) / 0.5,
    }
    for name, value in expected.items():
        assert values[name] == pytest.approx(value), name


def test_a_loss_from_the_first_bar_falls_from_the_initial_cash_and_may_not_recover():
    values = values_of(evaluation([900.0, 950.0], timeframe="1d"))
    assert values["max_drawdown"] == pytest.approx(0.1)
    assert values["max_drawdown_start"] == START_NS / 1e9
    assert values["max_drawdown_days"] == 2.0
    assert math.isnan(values["max_drawdown_end"])
    assert math.isnan(values["max_drawdown_recovery_days"])


def drawdown_rows(equity: list[float], cash: float) -> list[tuple[int, int, int, int, float]]:
    rows, peak, peak_bar, current = [], cash, -1, None
    for bar, value in enumerate(equity):
        if value >= peak:
            if current:
                rows.append((*current[:2], bar, bar - 1 - current[0], current[2]))
            peak, peak_bar, current = value, bar, None
        else:
            depth = 1 - value / peak
            if current is None or depth > current[2]:
                current = (peak_bar, bar, depth)
    if current:
        rows.append((*current[:2], -1, len(equity) - 1 - current[0], current[2]))
    return rows


@given(st.lists(st.sampled_from([800.0, 900.0, 1000.0, 1000.0, 1100.0]), min_size=1, max_size=40))
def test_drawdown_periods_against_a_loop(equity: list[float]):
    table = drawdown_periods(drawdowns(np.array(equity), CASH))
    assert [tuple(row.item()) for row in table] == drawdown_rows(equity, CASH)
    worst = worst_drawdowns(np.array(equity), CASH, 3)
    expected = sorted(drawdown_rows(equity, CASH), key=lambda row: -row[4])[:3]
    assert [tuple(row.item()) for row in worst] == expected


def test_a_flat_run():
    values = values_of(evaluation(np.full(24 * 40, CASH)))
    zero = {
        "total_return", "annual_return", "annual_volatility", "best_bar", "worst_bar", "best_day",
        "worst_day", "best_month", "worst_month", "best_year", "worst_year", "positive_days",
        "positive_months", "positive_quarters", "positive_years", "month_to_date_return",
        "year_to_date_return", "max_drawdown", "longest_drawdown_bars", "time_under_water",
        "ulcer_index",
    }  # fmt: skip
    of_equity = {name for name in values if GROUP_OF[name] in EQUITY_GROUPS}
    assert {name for name in of_equity if values[name] == 0} == zero
    assert nan_names(values, *EQUITY_GROUPS) == of_equity - zero


def test_without_trades():
    values = values_of(evaluation(random_equity(300, 2)))
    counts = {"trades", "trades_per_day", "long_trades", "short_trades"}
    assert {name for name in values if GROUP_OF[name] == "trades"} - counts == nan_names(
        values, "trades"
    )
    assert all(values[name] == 0 for name in counts)
    assert nan_names(values, "benchmark") == {n for n in values if GROUP_OF[n] == "benchmark"}
    assert nan_names(values, "costs") >= {"break_even_cost", "capacity"}
    assert nan_names(values, "events") == set()


def test_one_bar():
    values = values_of(evaluation([1010.0], timeframe="1d"))
    assert values["total_return"] == pytest.approx(0.01)
    assert values["best_day"] == pytest.approx(0.01)
    assert nan_names(values, "returns") == {
        "annual_volatility",
        "sharpe",
        "smart_sharpe",
        "sortino",
        "skew",
        "kurtosis",
        "log_equity_r2",
    }


def test_ruin():
    equity = np.concatenate((random_equity(50, 4), np.zeros(50)))
    values = values_of(evaluation(equity, ruined_bar=50))
    assert values["ruined"] == 1.0
    assert values["total_return"] == values["annual_return"] == values["worst_bar"] == -1.0
    assert values["max_drawdown"] == 1.0
    assert values["calmar"] == -1.0
    assert (bar_returns(equity, CASH)[51:] == 0).all()
    assert math.isnan(values["log_equity_r2"])
    assert math.isnan(values["max_drawdown_end"])
    assert math.isfinite(values["sharpe"])
    assert math.isfinite(values["mean_gross_leverage"])


def test_exposure_by_hand():
    equity = np.array([1000.0, 2000.0, 500.0, 0.0])
    run = evaluation(
        equity,
        gross_exposure=np.array([0.0, 1000.0, 1000.0, 0.0]),
        net_exposure=np.array([0.0, -1000.0, 200.0, 0.0]),
        maintenance_margin=np.array([0.0, 10.0, 50.0, 0.0]),
    )
    values = values_of(run)
    assert values["exposure"] == 0.5
    assert values["mean_gross_leverage"] == pytest.approx((0 + 0.5 + 2.0) / 3)
    assert values["max_gross_leverage"] == 2.0
    assert values["mean_net_leverage"] == pytest.approx((0 - 0.5 + 0.4) / 3)
    assert values["max_margin_use"] == pytest.approx(0.1)
    lost = values_of(evaluation(np.zeros(3)))
    assert nan_names(lost, "exposure") == {n for n in lost if GROUP_OF[n] == "exposure"} - {
        "exposure"
    }


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 300), power=st.integers(-3, 3))
def test_what_is_of_equity_does_not_depend_on_its_unit(seed: int, rows: int, power: int):
    equity = random_equity(rows, seed)
    run = evaluation(equity)
    small = values_of(run)
    scale = 2.0**power
    rules = type(run.rules)(initial_cash=CASH * scale)
    large = metrics(result_of(equity * scale), run.panel, rules)
    for name in small:
        if GROUP_OF[name] in EQUITY_GROUPS and name != "log_equity_r2":
            np.testing.assert_array_equal(small[name], large[name], err_msg=name)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 1500), drift=st.floats(-0.01, 0.01))
def test_orders_among_metrics(seed: int, rows: int, drift: float):
    equity = random_equity(rows, seed, drift=drift)
    v = values_of(evaluation(equity))
    assert v["max_drawdown"] == max_drawdown(equity, CASH)
    if v["max_drawdown"] > 0:
        assert 0 < v["average_drawdown"] <= v["max_drawdown"]
        assert 0 < v["ulcer_index"] <= v["max_drawdown"]
        assert v["longest_drawdown_bars"] <= v["time_under_water"] * rows + 1e-9
    for period in ("day", "month", "year"):
        assert v[f"worst_{period}"] <= v[f"best_{period}"]
    if not math.isnan(v["smart_sharpe"]):
        assert abs(v["smart_sharpe"]) <= abs(v["sharpe"])
    if not math.isnan(v["omega"]):
        assert v["omega"] == pytest.approx(1 + v["gain_to_pain"])


def test_serenity_from_a_sorted_list():
    equity = random_equity(230, 7, drift=0.001)
    values = values_of(evaluation(equity))
    depths = sorted(drawdowns(equity, CASH))
    deepest = sum(depths[-12:]) / 12
    pitfall = deepest / values["annual_volatility"]
    assert values["serenity"] == pytest.approx(
        values["annual_return"] / (values["ulcer_index"] * pitfall)
    )
    assert values["martin"] == pytest.approx(values["annual_return"] / values["ulcer_index"])
    assert math.isfinite(values_of(evaluation(equity[:200]))["serenity"])
    assert math.isnan(values_of(evaluation(equity[:199]))["serenity"])
