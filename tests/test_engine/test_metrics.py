"""Metrics against closed forms, pandas and hand-made equity curves."""

import math

import numpy as np
import pandas as pd
import pytest

from engine import METRICS, Funding, Panel, ReplayRules, buy_and_hold, drawdowns, metrics, replay
from engine.metrics import (
    annual_return,
    bar_returns,
    longest_drawdown_bars,
    max_drawdown,
    sharpe_ratio,
    sortino_ratio,
    total_return,
)
from tests.generators import random_bars
from tests.replay_cases import random_decisions, random_funding, random_panel


def test_sharpe_of_a_published_series():
    # Twelve yearly returns and a 5 % benchmark: 0.8343639209671241 (pypbo, tests/test_metrics).
    returns = np.array(
        [0.259, 0.198, 0.364, -0.081, 0.057, 0.055, 0.188, 0.317, 0.24, 0.184, -0.01, 0.526]
    )
    assert sharpe_ratio(returns - 0.05, 1.0) == pytest.approx(0.8343639209671241, rel=1e-12)


def test_sortino_of_a_published_series():
    # pypbo, tests/test_metrics: 4.417261 with target 0.
    returns = np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04])
    assert sortino_ratio(returns, 1.0) == pytest.approx(4.417261, abs=5e-7)


def test_drawdown_by_hand():
    equity = np.array([100.0, 120.0, 90.0, 60.0, 130.0, 125.0])
    np.testing.assert_allclose(drawdowns(equity, 100.0), [0, 0, 0.25, 0.5, 0, 5 / 130])
    assert max_drawdown(equity, 100.0) == 0.5
    assert longest_drawdown_bars(equity, 100.0) == 2
    assert max_drawdown(np.array([90.0, 95.0]), 100.0) == pytest.approx(0.1)


def test_returns_agree_with_pandas():
    equity = 1000.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 500)))
    expected = pd.Series(np.concatenate(([1000.0], equity))).pct_change().dropna()
    np.testing.assert_allclose(bar_returns(equity, 1000.0), expected, rtol=1e-12, atol=1e-15)
    assert sharpe_ratio(bar_returns(equity, 1000.0), 8760.0) == pytest.approx(
        expected.mean() / expected.std() * math.sqrt(8760)
    )
    assert total_return(equity, 1000.0) == pytest.approx((1 + expected).prod() - 1)
    assert annual_return(equity, 1000.0, 2.0) == pytest.approx((equity[-1] / 1000) ** 0.5 - 1)


def test_undefined_metrics_are_nan_and_not_zero():
    panel = random_panel(50, 1, 2)
    result = replay(panel, random_decisions(panel, 2, 0.0), Funding.none(), ReplayRules())
    values = metrics(result, panel, ReplayRules())
    assert list(values) == [metric.name for metric in METRICS]
    for name in ("sharpe", "sortino", "calmar", "win_rate", "profit_factor", "expectancy"):
        assert math.isnan(values[name]), name
    assert values["total_return"] == 0.0
    assert values["trades"] == 0.0


def test_the_table_agrees_with_the_ledgers():
    panel = random_panel(600, 3, 9)
    rules = ReplayRules(take_profit_atr=2.0)
    result = replay(panel, random_decisions(panel, 9, 0.1), random_funding(panel, 9), rules)
    values = metrics(result, panel, rules)
    trades = pd.DataFrame(result.trades)
    wins, losses = trades.net_pnl[trades.net_pnl > 0], trades.net_pnl[trades.net_pnl < 0]
    assert values["trades"] == len(trades) > 20
    assert values["win_rate"] == pytest.approx(len(wins) / len(trades))
    assert values["profit_factor"] == pytest.approx(wins.sum() / -losses.sum())
    assert values["payoff"] == pytest.approx(wins.mean() / -losses.mean())
    assert values["expectancy"] == pytest.approx(trades.net_pnl.mean())
    assert values["fees"] == pytest.approx(result.fills["fee"].sum())
    assert values["funding"] == pytest.approx(trades.funding.sum())
    fills = pd.DataFrame(result.fills)
    years = 600 / 8760
    assert values["turnover"] == pytest.approx(
        (fills.quantity * fills.price).sum() / result.equity.mean() / years
    )


def test_buy_and_hold_buys_equal_parts_when_each_symbol_lists():
    panel = Panel.from_bars({"A": random_bars(40, 1), "B": random_bars(40, 2)})
    expected = 500.0 * panel.close[:, 0] / panel.open[0, 0]
    expected += 500.0 * panel.close[:, 1] / panel.open[0, 1]
    np.testing.assert_allclose(buy_and_hold(panel, 1000.0), expected, rtol=1e-12)
