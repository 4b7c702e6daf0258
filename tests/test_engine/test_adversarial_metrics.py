"""Metrics where a sign turns: what hedges a benchmark, and days that only lose."""

import numpy as np
import pytest

from tests.metric_cases import CASH, evaluation, values_of


def test_treynor_keeps_the_sign_of_beta():
    market = np.array([0.02, -0.01, 0.03, -0.02, 0.01])
    held = CASH * np.cumprod(1 + market)
    values = values_of(
        evaluation(CASH * np.cumprod(1.001 - market), timeframe="1d", benchmark=held)
    )
    assert values["beta"] == pytest.approx(-1)
    assert values["annual_return"] < 0
    assert values["treynor"] == pytest.approx(-values["annual_return"])


def test_tails_of_days_that_only_lose():
    losses = -np.linspace(0.001, 0.02, 200)
    values = values_of(evaluation(CASH * np.cumprod(1 + losses), timeframe="1d"))
    assert values["value_at_risk_95"] == pytest.approx(-float(np.quantile(losses, 0.05)))
    assert values["conditional_value_at_risk_95"] > values["value_at_risk_95"] > 0
    assert values["tail_ratio"] < 1
    assert values["omega"] == 0
    assert values["gain_to_pain"] == -1
    assert values["time_under_water"] == 1
