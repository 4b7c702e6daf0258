"""A run against a benchmark, by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import PRICE_COLUMNS, ContractError, buy_and_hold, metrics
from tests.metric_cases import (
    CASH,
    GROUP_OF,
    evaluation,
    flat_panel,
    nan_names,
    random_equity,
    result_of,
    values_of,
)


def test_buy_and_hold_buys_equal_parts_when_each_symbol_lists():
    panel = flat_panel(4, symbols=("A", "B"))
    rising = panel.close * np.array([[1.0], [1.1], [1.2], [1.5]])
    panel = type(panel)(
        symbols=panel.symbols,
        timeframe=panel.timeframe,
        open_time=panel.open_time,
        open=rising,
        high=rising,
        low=rising,
        close=rising,
        listed=np.array([[True, False], [True, False], [True, True], [True, True]]),
        is_gap=panel.is_gap,
    )
    np.testing.assert_allclose(buy_and_hold(panel, 1000.0), [1000.0, 1050.0, 1100.0, 750 + 625])
    np.testing.assert_allclose(buy_and_hold(panel, 1000.0, ["B"]), [1000.0, 1000.0, 1000.0, 1250.0])
    for wrong in ([], ["C"]):
        with pytest.raises(ContractError, match="symbols="):
            buy_and_hold(panel, 1000.0, wrong)


def test_who_holds_the_coin_keeps_as_many_coins():
    panel = flat_panel(60)
    rising = {name: panel.close * np.linspace(1.0, 2.0, 60)[:, None] for name in PRICE_COLUMNS}
    panel = replace(panel, **rising)
    assert buy_and_hold(panel, 2.5)[-1] == 5.0
    assert buy_and_hold(panel, 2.5, contract="inverse").tolist() == [2.5] * 60
    with pytest.raises(ContractError, match="must name at least one"):
        buy_and_hold(panel, 2.5, ["nobody"], contract="inverse")


def test_against_a_benchmark_by_hand():
    market = np.array([0.02, -0.01, 0.03, -0.02, 0.0])
    returns = 0.001 + 0.5 * market
    run = evaluation(
        CASH * np.cumprod(1 + returns), timeframe="1d", benchmark=CASH * np.cumprod(1 + market)
    )
    values = values_of(run)
    active = returns - market
    expected = {
        "beta": 0.5,
        "alpha": 0.365,
        "benchmark_correlation": 1.0,
        "benchmark_r2": 1.0,
        "tracking_error": active.std(ddof=1) * math.sqrt(365),
        "information_ratio": active.mean() / active.std(ddof=1) * math.sqrt(365),
        "up_capture": 0.0135 / 0.025,
        "down_capture": -0.0065 / -0.015,
        "excess_return": np.prod(1 + returns) - np.prod(1 + market),
        "treynor": values["annual_return"] / 0.5,
    }
    assert expected.keys() == {name for name in values if GROUP_OF[name] == "benchmark"}
    for name, value in expected.items():
        assert values[name] == pytest.approx(value), name


def test_against_itself_and_against_cash():
    equity = random_equity(200, 6)
    itself = values_of(evaluation(equity, benchmark=equity))
    assert itself["beta"] == pytest.approx(1.0)
    assert itself["tracking_error"] == itself["excess_return"] == 0.0
    assert nan_names(itself, "benchmark") == {"information_ratio"}
    cash = values_of(evaluation(equity, benchmark=np.full(200, CASH)))
    assert nan_names(cash, "benchmark") == {
        "alpha", "beta", "benchmark_correlation", "benchmark_r2", "up_capture", "down_capture",
        "treynor",
    }  # fmt: skip


def test_a_benchmark_of_another_length_is_refused():
    run = evaluation(random_equity(20, 1))
    with pytest.raises(ContractError, match=r"benchmark has shape \(19,\), the panel has 20 bars"):
        metrics(run.result, run.panel, run.rules, np.full(19, CASH))
    with pytest.raises(ContractError, match=r"result\.equity has shape"):
        metrics(result_of(np.full(19, CASH)), run.panel, run.rules)
