"""Trend indicators against TA-Lib on six series, the rest against slow oracles."""

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import trend as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (6, 19, 5)])
def test_macd_equals_talib(series: str, fast: int, slow: int, signal: int) -> None:
    parameters = {"fast": fast, "slow": slow, "signal": signal}
    found = subject.MACD.compute(SERIES[series], parameters)
    expected = talib.MACD(SERIES[series]["close"], fast, slow, signal)
    for ours, theirs in zip(found, expected, strict=True):
        oracle.assert_equal_lines(ours, theirs)
        assert np.isnan(ours).sum() == subject.MACD.lookback(parameters)


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
@pytest.mark.parametrize(("length", "multiple"), [(10, 3.0), (7, 1.5)])
def test_supertrend_equals_talib(series: str, length: int, multiple: float) -> None:
    high, low, close = prices(series)
    line, side, flip = subject.SUPERTREND.compute(
        SERIES[series], {"length": length, "multiple": multiple}
    )
    expected_line, expected_side = talib.SUPERTREND(high, low, close, length, multiple)
    oracle.assert_equal_lines(line, expected_line)
    np.testing.assert_array_equal(side[length:], expected_side[length:])
    turns = np.flatnonzero(np.diff(expected_side[length:])) + length + 1
    np.testing.assert_array_equal(np.flatnonzero(flip), turns)
    np.testing.assert_array_equal(flip[turns], side[turns])


def test_supertrend_flips_on_the_walk() -> None:
    flip = subject.SUPERTREND.compute(SERIES["walk"], subject.SUPERTREND.resolved({}))[2]
    assert {-1.0, 1.0} <= set(flip)


@pytest.mark.parametrize("series", SERIES)
def test_crossings_equal_the_sign_changes_of_talibs_averages(series: str) -> None:
    close = SERIES[series]["close"]
    spread, cross = subject.EMA_CROSS.compute(SERIES[series], {"fast": 12, "slow": 26})
    expected, _, _ = talib.MACD(close, 12, 26, 1)
    oracle.assert_equal_lines(spread, expected)
    for t in range(len(close)):
        before, now = (spread[t - 1], spread[t]) if t else (np.nan, spread[t])
        crossed = 1 if before <= 0 < now else -1 if before >= 0 > now else 0
        assert cross[t] == crossed


def test_crossings_happen_on_the_walk() -> None:
    cross = subject.EMA_CROSS.compute(SERIES["walk"], {"fast": 12, "slow": 26})[1]
    assert {-1.0, 1.0} <= set(cross)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("lengths", [(9, 26, 52, 26), (7, 20, 40, 25)])
def test_ichimoku_equals_the_oracle(series: str, lengths: tuple[int, int, int, int]) -> None:
    names = ("conversion", "base", "span", "shift")
    parameters = dict(zip(names, map(float, lengths), strict=True))
    (found,) = subject.ICHIMOKU.compute(SERIES[series], parameters)
    expected = oracle.ichimoku(*(column.tolist() for column in prices(series)), *lengths)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isnan(found).sum() == subject.ICHIMOKU.lookback(parameters)


def test_lengths_out_of_order_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"macd: fast=26 must be less than slow=12"):
        subject.MACD.compute(SERIES["walk"], {"fast": 26.0, "slow": 12.0, "signal": 9.0})


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
