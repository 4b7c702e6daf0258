"""Dominant cycle and trend mode: TA-Lib once its start is forgotten, and sine waves of known period.

On lines that hold no cycle TA-Lib's answer is a ratio of roundings: there the stated values count.
"""

import numpy as np
import pytest
import talib

from indicators.cycle import PERIOD_LOOKBACK, SETTLING_ROWS, dominant_cycle, trend_mode
from tests.generators import random_walk
from tests.oracles.indicators_measured import parity_series

SETTLED = 2 * SETTLING_ROWS
"""TA-Lib begins with a jump from 0 to the price, which it takes longer to forget."""


@pytest.mark.parametrize("seed", range(6))
def test_equals_talib(seed: int) -> None:
    close = random_walk(4000, seed)
    period = dominant_cycle(close)
    np.testing.assert_allclose(period[SETTLED:], talib.HT_DCPERIOD(close)[SETTLED:], rtol=1e-9)
    mode = trend_mode(close)
    np.testing.assert_array_equal(mode[SETTLED:], talib.HT_TRENDMODE(close)[SETTLED:])
    assert 0.3 < mode[SETTLED:].mean() < 0.95
    assert np.isnan(period).sum() == PERIOD_LOOKBACK


@pytest.mark.parametrize("wave", [10, 16, 20, 33, 40])
def test_a_sine_wave_is_a_cycle_of_its_period(wave: int) -> None:
    close = 100.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(2000) / wave)
    assert dominant_cycle(close)[SETTLED:] == pytest.approx(wave, rel=0.02)
    np.testing.assert_array_equal(trend_mode(close)[SETTLED:], 0.0)


@pytest.mark.parametrize("slope", [-0.02, 0.5])
def test_a_straight_line_is_a_trend(slope: float) -> None:
    close = 100.0 + slope * np.arange(2000)
    np.testing.assert_array_equal(trend_mode(close)[SETTLED:], 1.0)
    settled = dominant_cycle(close)[SETTLED:]
    assert settled.min() > 40.0
    assert settled.max() <= 50.0


def test_a_market_that_never_moves_has_the_shortest_cycle_and_no_trend() -> None:
    close = np.full(800, 100.1)
    assert dominant_cycle(close)[300:] == pytest.approx(6.0, rel=1e-12)
    np.testing.assert_array_equal(trend_mode(close)[63:], 0.0)


def test_alternating_prices_are_the_shortest_cycle_and_one_tick_is_held() -> None:
    """TA-Lib measures 31 rows of cycle in both, from what its running sums leave of nothing."""
    series = parity_series(2000)
    alternating, tick = series["alternating"]["close"], series["one_tick"]["close"]
    period = dominant_cycle(alternating)
    assert period[300:] == pytest.approx(6.0, rel=1e-12)
    np.testing.assert_array_equal(trend_mode(alternating)[300:], 0.0)
    assert talib.HT_DCPERIOD(alternating)[-1] == pytest.approx(31.09, abs=0.01)
    period = dominant_cycle(tick)
    assert period[300:1000] == pytest.approx(6.0, rel=1e-12)
    assert period[1100] > 10.0
    assert np.ptp(period[1200:]) < 1e-6
    mode = trend_mode(tick)
    np.testing.assert_array_equal(mode[300:1000], 0.0)
    np.testing.assert_array_equal(mode[1100:], 0.0)


def test_a_missing_price_is_not_taken_for_a_cycle() -> None:
    close = random_walk(1000, 10)
    close[500] = np.nan
    assert np.isnan(dominant_cycle(close)[500:]).all()
    assert np.isnan(trend_mode(close)[500:]).all()


def test_a_market_that_stops_keeps_its_last_cycle() -> None:
    close = np.concatenate((random_walk(1500, 9), np.full(500, 100.0)))
    period = dominant_cycle(close)
    assert np.ptp(period[1700:]) < 1e-6
    np.testing.assert_array_equal(trend_mode(close)[1700:], 0.0)
