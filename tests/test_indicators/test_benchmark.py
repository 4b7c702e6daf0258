"""Correlation and beta against bitcoin: TA-Lib, and numpy on the rows that both have."""

import numpy as np
import pytest
import talib

from engine import Market, MarketPanel
from indicators import INDICATORS_BY_NAME, build_features
from indicators.benchmark import BENCHMARK_BETA, BENCHMARK_CORRELATION, simple_returns
from indicators.clock import clock_of
from indicators.spec import feature
from tests.generators import random_bars, random_walk

ROWS, LENGTH = 600, 30


def pair() -> tuple[np.ndarray, np.ndarray]:
    bitcoin = random_walk(ROWS, 1)
    return bitcoin**0.7 * random_walk(ROWS, 2), bitcoin


def columns_of(own: np.ndarray, bitcoin: np.ndarray) -> dict[str, np.ndarray]:
    return {"own_close": own, "benchmark_close": bitcoin}


def test_beta_is_that_of_talib() -> None:
    own, bitcoin = pair()
    (found,) = BENCHMARK_BETA.compute(columns_of(own, bitcoin), {"length": LENGTH})
    # Its first argument is the one that the other is regressed on.
    expected = talib.BETA(bitcoin, own, LENGTH)
    assert np.isnan(found[:LENGTH]).all()
    np.testing.assert_allclose(found[LENGTH:], expected[LENGTH:], rtol=1e-9)


def test_correlation_is_that_of_the_returns() -> None:
    own, bitcoin = pair()
    (found,) = BENCHMARK_CORRELATION.compute(columns_of(own, bitcoin), {"length": LENGTH})
    returns = own[1:] / own[:-1] - 1.0, bitcoin[1:] / bitcoin[:-1] - 1.0
    np.testing.assert_allclose(
        found[LENGTH:], talib.CORREL(*returns, LENGTH)[LENGTH - 1 :], rtol=1e-9
    )
    row = 400
    window = np.corrcoef(returns[0][row - LENGTH : row], returns[1][row - LENGTH : row])
    assert found[row] == pytest.approx(window[0, 1], rel=1e-9)


def test_a_price_that_stands_still_has_no_part_in_bitcoin() -> None:
    _, bitcoin = pair()
    still = np.full(ROWS, 5.0)
    for indicator in (BENCHMARK_BETA, BENCHMARK_CORRELATION):
        (found,) = indicator.compute(columns_of(still, bitcoin), {"length": LENGTH})
        assert (found[LENGTH:] == 0.0).all()
        (found,) = indicator.compute(columns_of(bitcoin, still), {"length": LENGTH})
        assert (found[LENGTH:] == 0.0).all()
        (found,) = indicator.compute(columns_of(bitcoin, bitcoin), {"length": LENGTH})
        np.testing.assert_allclose(found[LENGTH:], 1.0, rtol=1e-12)


def test_a_return_of_nothing_is_none() -> None:
    returns = simple_returns(np.array([1.0, 2.0, 0.0, 3.0]))
    assert np.isnan(returns[0])
    assert returns[1:].tolist() == [1.0, -1.0, 0.0]


def test_missing_bars_are_no_rows_and_each_row_is_seen_at_its_close() -> None:
    bars = random_bars(200, 3)
    own, bitcoin = random_walk(200, 4), random_walk(200, 5)
    own[[50, 51, 120]] = np.nan
    panel = MarketPanel(
        name="benchmark",
        symbols=("OWN", "BTC"),
        own=0,
        benchmark=1,
        max_age_ns=3 * bars.step_ns,
        event_time=bars.open_time,
        available_at=bars.close_time,
        columns={"close": np.column_stack((own, bitcoin))},
    )
    market = Market(bars=bars, panels={"benchmark": panel})
    wanted = feature("benchmark_beta", "value", clock="benchmark", length=20)
    column = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    assert column is not None
    there = ~np.isnan(own)
    expected = np.full(200, np.nan)
    expected[there] = BENCHMARK_BETA.compute(
        columns_of(own[there], bitcoin[there]), {"length": 20}
    )[0]
    # A row that is not there shows the one before it, for three bars at most.
    expected[50] = expected[51] = expected[49]
    expected[120] = expected[119]
    np.testing.assert_array_equal(column, expected)
    assert clock_of(Market(bars=bars), "benchmark") is None
