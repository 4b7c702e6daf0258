"""SuperTrend and the parabolic stop against TA-Lib on six series."""

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import trailing_stop as subject
from tests.generators import random_bars
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("length", "multiple"), [(10, 3.0), (7, 1.5)])
def test_supertrend_equals_talib(series: str, length: int, multiple: float) -> None:
    columns = SERIES[series]
    high, low, close = columns["high"], columns["low"], columns["close"]
    line, side, flip = subject.SUPERTREND.compute(columns, {"length": length, "multiple": multiple})
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
@pytest.mark.parametrize(("acceleration", "fastest"), [(0.02, 0.2), (0.06, 0.13), (0.1, 0.1)])
def test_parabolic_stop_equals_talib(series: str, acceleration: float, fastest: float) -> None:
    columns = SERIES[series]
    stop, _, _ = subject.SAR.compute(columns, {"acceleration": acceleration, "fastest": fastest})
    expected = talib.SAR(columns["high"], columns["low"], acceleration, fastest)
    oracle.assert_equal_lines(stop, expected)
    assert np.isnan(stop).sum() == 1


@pytest.mark.parametrize("seed", range(5))
def test_parabolic_stop_equals_talib_whichever_way_it_starts(seed: int) -> None:
    bars = random_bars(400, seed)
    stop, side, flip = subject.parabolic_stop(bars.high, bars.low, 0.02, 0.2)
    oracle.assert_equal_lines(stop, talib.SAR(bars.high, bars.low, 0.02, 0.2))
    turns = np.flatnonzero(np.diff(side[1:])) + 2
    np.testing.assert_array_equal(np.flatnonzero(flip[2:]) + 2, turns)
    np.testing.assert_array_equal(flip[turns], side[turns])
    assert {-1.0, 1.0} <= set(flip)


def test_parabolic_stop_lies_on_its_side_of_the_bar() -> None:
    columns = SERIES["walk"]
    stop, side, _ = subject.SAR.compute(columns, subject.SAR.resolved({}))
    rising, falling = side > 0, side < 0
    assert rising.any()
    assert falling.any()
    assert (stop[rising] <= columns["low"][rising]).all()
    assert (stop[falling] >= columns["high"][falling]).all()


def test_acceleration_beyond_the_fastest_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sar: acceleration=0.1 must not be more than fastest"):
        subject.SAR.compute(SERIES["walk"], {"acceleration": 0.1, "fastest": 0.05})
