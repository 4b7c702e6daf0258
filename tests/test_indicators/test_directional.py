"""ADX, Aroon and Vortex against TA-Lib on six series."""

import numpy as np
import pytest
import talib

from indicators import directional as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [7, 14])
def test_directional_movement_equals_talib(series: str, length: int) -> None:
    high, low, close = prices(series)
    adx, plus, minus = subject.directional_movement(high, low, close, length)
    oracle.assert_equal_lines(adx, talib.ADX(high, low, close, length))
    oracle.assert_equal_lines(plus, talib.PLUS_DI(high, low, close, length))
    oracle.assert_equal_lines(minus, talib.MINUS_DI(high, low, close, length))
    shown = subject.ADX.compute(SERIES[series], {"length": length})
    for column, line in zip(shown, (adx, plus, minus), strict=True):
        assert np.isnan(column).sum() == 2 * length - 1
        np.testing.assert_array_equal(column[2 * length - 1 :], line[2 * length - 1 :])


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [10, 25])
def test_aroon_equals_talib(series: str, length: int) -> None:
    high, low, _ = prices(series)
    up, down, oscillator = subject.AROON.compute(SERIES[series], {"length": length})
    expected_down, expected_up = talib.AROON(high, low, length)
    oracle.assert_equal_lines(up, expected_up)
    oracle.assert_equal_lines(down, expected_down)
    oracle.assert_equal_lines(oscillator, talib.AROONOSC(high, low, length))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [1, 14, 30])
def test_vortex_equals_talib(series: str, length: int) -> None:
    high, low, close = prices(series)
    plus, minus = subject.vortex(high, low, close, length)
    expected = talib.VORTEX(high, low, close, length)
    oracle.assert_equal_lines(plus, expected[0])
    oracle.assert_equal_lines(minus, expected[1])


@pytest.mark.parametrize("series", SERIES)
def test_vortex_shows_both_lines_and_their_spread(series: str) -> None:
    plus, minus, spread = subject.VORTEX.compute(SERIES[series], {"length": 14})
    expected = subject.vortex(*prices(series), 14)
    np.testing.assert_array_equal((plus, minus), expected)
    np.testing.assert_array_equal(spread, plus - minus)
    assert np.isnan(plus).sum() == subject.VORTEX.lookback({"length": 14})


def test_a_bar_that_reaches_as_far_both_ways_moves_neither_way() -> None:
    generator = np.random.default_rng(2)
    reach = generator.integers(1, 5, size=200).astype(np.float64)
    middle = 100.0 + np.cumsum(generator.integers(-1, 2, size=200)) * (np.arange(200) % 3 == 0)
    high, low = middle + reach, middle - reach
    up, down = np.diff(high), -np.diff(low)
    assert ((up == down) & (up > 0)).sum() > 20
    _, plus, minus = subject.directional_movement(high, low, middle, 14)
    oracle.assert_equal_lines(plus, talib.PLUS_DI(high, low, middle, 14))
    oracle.assert_equal_lines(minus, talib.MINUS_DI(high, low, middle, 14))
