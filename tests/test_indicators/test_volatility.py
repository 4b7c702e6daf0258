"""Ranges and deviations against TA-Lib on six series."""

import numpy as np
import pytest
import talib

from indicators import volatility as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


@pytest.mark.parametrize("series", SERIES)
def test_true_range_equals_talib(series: str) -> None:
    high, low, close = prices(series)
    found = subject.true_range(high, low, close)
    oracle.assert_equal_lines(found[1:], talib.TRANGE(high, low, close)[1:])
    assert found[0] == high[0] - low[0]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [7, 14])
def test_average_true_range_equals_talib(series: str, length: int) -> None:
    high, low, close = prices(series)
    atr, fraction = subject.ATR.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(atr, talib.ATR(high, low, close, length))
    oracle.assert_equal_lines(100.0 * fraction, talib.NATR(high, low, close, length))
    (percent,) = subject.NATR.compute(SERIES[series], {"length": length})
    np.testing.assert_array_equal(percent, 100.0 * fraction)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [1, 14])
def test_average_range_equals_talib(series: str, length: int) -> None:
    high, low, _ = prices(series)
    (found,) = subject.ADR.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(found, talib.ADR(high, low, length))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 20, 100])
def test_standard_deviation_equals_talib(series: str, length: int) -> None:
    close = SERIES[series]["close"]
    (found,) = subject.STANDARD_DEVIATION.compute(SERIES[series], {"length": length})
    # Deviations of prices near 100: a rounding of the price is 1e-14, of a small deviation 1e-9.
    oracle.assert_equal_lines(found, talib.STDDEV(close, length, 1.0), atol=1e-8)
    by_hand = oracle.windowed(close.tolist(), length, oracle.deviation)
    oracle.assert_equal_lines(found, by_hand, atol=1e-12)


@pytest.mark.parametrize("series", ["walk", "zero_volume"])
def test_rank_of_the_atr_equals_talib(series: str) -> None:
    """Only where no two ranges are equal: rounding decides a rank among equals."""
    high, low, close = prices(series)
    (rank,) = subject.ATR_RANK.compute(SERIES[series], {"length": 14, "window": 100})
    known = talib.ATR(high, low, close, 14)[14:] / close[14:]
    oracle.assert_equal_lines(rank[14:], talib.PERCENTRANK(known, 100))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [20, 100])
def test_realised_volatility_equals_talib(series: str, length: int) -> None:
    _high, _low, close = prices(series)
    (found,) = subject.REALISED_VOLATILITY.compute(SERIES[series], {"length": length})
    returns = np.diff(np.log(close))
    assert np.isnan(found[:length]).all()
    # TA-Lib subtracts squares of sums, which leaves rounding where hardly anything moves.
    expected = talib.STDDEV(returns, length)[length - 1 :]
    np.testing.assert_allclose(found[length:], expected, rtol=1e-7, atol=1e-8)
    by_hand = [returns[t - length : t].std() for t in (length, len(close) - 1)]
    np.testing.assert_allclose(found[[length, len(close) - 1]], by_hand, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("series", SERIES)
def test_chandelier_equals_its_definition(series: str) -> None:
    high, low, close = prices(series)
    long_stop, short_stop, side = subject.CHANDELIER.compute(
        SERIES[series], {"length": 22, "multiple": 3.0}
    )
    atr = talib.ATR(high, low, close, 22)
    highest = oracle.windowed(high.tolist(), 22, max)
    lowest = oracle.windowed(low.tolist(), 22, min)
    oracle.assert_equal_lines(long_stop, highest - 3.0 * atr)
    oracle.assert_equal_lines(short_stop, lowest + 3.0 * atr)
    for t in range(22, len(close)):
        expected = int(close[t] > long_stop[t]) - int(close[t] < short_stop[t])
        assert side[t] == expected
