"""Metrics of trades, by hand and against strings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import FILL_DTYPE
from tests.metric_cases import (
    CASH,
    GROUP_OF,
    evaluation,
    nan_names,
    trades_of,
    values_of,
)


def test_all_wins():
    values = values_of(evaluation([1100.0, 1200.0], trades=trades_of([40.0, 60.0])))
    assert values["win_rate"] == 1.0
    assert values["longest_winning_run"] == 2.0
    assert values["longest_losing_run"] == 0.0
    assert nan_names(values, "trades") == {
        "payoff", "profit_factor", "kelly", "mean_loss", "mean_bars_of_losses", "expectancy_r",
        "system_quality_number",
    }  # fmt: skip


def test_trades_by_hand():
    trades = trades_of(
        [10.0, -5.0, -5.0, 0.0, 20.0],
        side=[1, -1, 1, 1, -1],
        r_multiple=[2.0, -1.0, np.nan, 0.0, 4.0],
        bars_held=[4, 2, 3, 9, 8],
        mae_frac=[0.01, 0.05, 0.06, 0.02, 0.03],
        mfe_frac=[0.04, 0.01, 0.0, 0.02, 0.09],
    )
    values = values_of(evaluation(np.full(48, 1020.0), trades=trades))
    expected = {
        "trades": 5,
        "trades_per_day": 2.5,
        "long_trades": 3,
        "short_trades": 2,
        "win_rate": 0.4,
        "payoff": 15 / 5,
        "profit_factor": 30 / 10,
        "expectancy": 4.0,
        "expectancy_frac": 0.04,
        "expectancy_r": 1.25,
        "system_quality_number": 2 * 1.25 / np.std([2, -1, 0, 4], ddof=1),
        "kelly": (0.4 * 4.5 - 0.6) / 4.5,
        "median_trade": 0.0,
        "best_trade": 0.2,
        "worst_trade": -0.05,
        "mean_win": 0.15,
        "mean_loss": -0.05,
        "mean_bars_held": 5.2,
        "mean_bars_of_wins": 6.0,
        "mean_bars_of_losses": 2.5,
        "longest_winning_run": 1,
        "longest_losing_run": 2,
        "mean_mae": 0.034,
        "mean_mfe": 0.032,
        "mean_mae_of_wins": 0.02,
    }
    assert expected.keys() == {name for name in values if GROUP_OF[name] == "trades"}
    for name, value in expected.items():
        assert values[name] == pytest.approx(value), name


def test_runs_follow_the_exits():
    fills = np.zeros(6, dtype=FILL_DTYPE)
    fills["trade"] = [0, 1, 1, 2, 2, 0]
    fills["quantity"], fills["price"] = 1.0, 100.0
    values = values_of(evaluation([CASH], trades=trades_of([1.0, -1.0, 1.0]), fills=fills))
    assert values["longest_winning_run"] == 2


@given(st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.0]), max_size=30))
def test_longest_runs_against_a_string(net: list[float]):
    values = values_of(evaluation([CASH], trades=trades_of(net)))
    text = "".join("+" if x > 0 else "-" if x < 0 else "0" for x in net)
    for name, sign in (("longest_winning_run", "+"), ("longest_losing_run", "-")):
        expected = max(n for n in range(len(text) + 1) if sign * n in text) if net else math.nan
        assert values[name] == pytest.approx(expected, nan_ok=True)
