"""Moving averages against TA-Lib on six series, from the first row that TA-Lib writes."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import talib

from indicators import moving_average as subject
from indicators.spec import Indicator
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
PAIRS: dict[str, tuple[Indicator, Callable[..., np.ndarray]]] = {
    "sma": (subject.SMA, talib.SMA),
    "ema": (subject.EMA, talib.EMA),
    "wma": (subject.WMA, talib.WMA),
    "rma": (subject.RMA, talib.RMA),
}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [5, 14, 20, 25])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_talib(name: str, length: int, series: str) -> None:
    indicator, reference = PAIRS[name]
    columns = SERIES[series]
    average, distance = indicator.compute(columns, indicator.resolved({"length": length}))
    oracle.assert_equal_lines(average, reference(columns["close"], length))
    np.testing.assert_array_equal(distance, columns["close"] - average)
    assert np.isnan(average).sum() == indicator.lookback({"length": length})


@pytest.mark.parametrize("series", ["walk", "constant", "monotone", "alternating", "one_tick"])
def test_volume_weighted_mean_equals_talib(series: str) -> None:
    columns = SERIES[series]
    average, _ = subject.VWMA.compute(columns, {"length": 20})
    oracle.assert_equal_lines(average, talib.VWMA(columns["close"], columns["volume"], 20))


def test_volume_weighted_mean_without_volume_is_the_close() -> None:
    columns = SERIES["zero_volume"]
    silent = np.flatnonzero(columns["volume"] == 0)[19:]
    average, _ = subject.VWMA.compute(columns, {"length": 20})
    np.testing.assert_array_equal(average[silent], columns["close"][silent])


def test_a_spike_or_a_hole_leaves_no_trace_once_it_has_left() -> None:
    close, volume = SERIES["walk"]["close"], SERIES["walk"]["volume"]
    for mean in (
        lambda values: subject.weighted_mean(values, 20),
        lambda values: subject.volume_weighted_mean(values, volume, 20),
    ):
        expected = mean(close)
        for wrong in (1e17, np.nan):
            spoilt = close.copy()
            spoilt[200] = wrong
            found = mean(spoilt)
            np.testing.assert_array_equal(found[220:], expected[220:])
            np.testing.assert_array_equal(found[:200], expected[:200])
            assert np.isnan(found[200:220]).all() == np.isnan(wrong)


@pytest.mark.parametrize("price", [0.1, 1e-8, 30_123.7])
def test_a_constant_has_its_own_means(price: float) -> None:
    values, volume = np.full(100, price), np.linspace(0.1, 7.3, 100)
    np.testing.assert_array_equal(subject.weighted_mean(values, 14)[13:], price)
    np.testing.assert_array_equal(subject.volume_weighted_mean(values, volume, 14)[13:], price)
    np.testing.assert_array_equal(subject.exponential_mean(values, 14)[13:], price)


@pytest.mark.parametrize("series", SERIES)
def test_stack_equals_the_oracle(series: str) -> None:
    columns = SERIES[series]
    parameters = {"fast": 5, "middle": 10, "slow": 40}
    (stack,) = subject.MA_STACK.compute(columns, parameters)
    close = columns["close"].tolist()
    expected = oracle.ma_stack(close, 5, 10, 40)
    if series in ("constant", "one_tick"):
        # Equal rows have equal means to us; a sum of hundredths divided by its count does not.
        expected = [x if math.isnan(x) or len(set(close[:t + 1][-40:])) > 1 else 0.0
                    for t, x in enumerate(expected)]  # fmt: skip
    np.testing.assert_allclose(stack, expected, atol=1e-12)


@pytest.mark.parametrize(("length", "stages"), [(9, 1), (12, 1), (20, 2), (15, 3)])
def test_forgetting_rows_is_where_the_impulse_has_faded(length: int, stages: int) -> None:
    alpha = 2.0 / (length + 1.0)
    weights = np.zeros(5000)
    weights[0] = 1.0
    for _ in range(stages):
        state = 0.0
        for t in range(len(weights)):
            state += alpha * (weights[t] - state)
            weights[t] = state
    left = np.cumsum(weights[::-1])[::-1]
    assert subject.forgetting_rows(alpha, stages) == int(np.argmax(left <= 1e-6))


def test_stable_rows_of_the_design_notes() -> None:
    assert [subject.forgetting_rows(2 / (n + 1)) for n in (9, 12, 20, 26, 200)] == [
        62, 83, 139, 180, 1382,
    ]  # fmt: skip
    assert [subject.forgetting_rows(1 / n) for n in (10, 14)] == [132, 187]
