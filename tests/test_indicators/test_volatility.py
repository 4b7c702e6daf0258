"""Ranges, bands and channels against TA-Lib on six series."""

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
@pytest.mark.parametrize(("length", "deviations"), [(20, 2.0), (10, 1.5)])
def test_bollinger_bands_equal_talib(series: str, length: int, deviations: float) -> None:
    close = SERIES[series]["close"]
    parameters = {"length": length, "deviations": deviations}
    upper, middle, lower, percent_b, bandwidth = subject.BOLLINGER.compute(
        SERIES[series], parameters
    )
    # TA-Lib takes E(x^2) - E(x)^2, which near 100 loses half of the digits of a small deviation.
    for found, expected in zip(
        (upper, middle, lower),
        talib.BBANDS(close, length, deviations, deviations, 0),
        strict=True,
    ):
        oracle.assert_equal_lines(found, expected, atol=3e-6)
    known = ~np.isnan(upper)
    wide = known & (upper > lower)
    placed = lower + percent_b * (upper - lower)
    np.testing.assert_allclose(placed[wide], close[wide], rtol=1e-12)
    assert (percent_b[known & (upper == lower)] == 0.5).all()
    np.testing.assert_allclose(bandwidth * middle, upper - lower, atol=1e-12)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [9, 20])
def test_keltner_channel_equals_talib(series: str, length: int) -> None:
    high, low, close = prices(series)
    parameters = {"length": length, "atr_length": 10, "multiple": 2.0}
    found = subject.KELTNER.compute(SERIES[series], parameters)
    for line, expected in zip(found, talib.KC(high, low, close, length, 10, 2.0), strict=False):
        oracle.assert_equal_lines(line, expected)
    assert np.isnan(found[3]).sum() == subject.KELTNER.lookback(parameters)


@pytest.mark.parametrize("series", SERIES)
def test_donchian_channel_equals_talib_and_places_the_close(series: str) -> None:
    high, low, close = prices(series)
    upper, middle, lower, position = subject.DONCHIAN.compute(SERIES[series], {"length": 20})
    for found, expected in zip((upper, middle, lower), talib.DONCHIAN(high, low, 20), strict=True):
        oracle.assert_equal_lines(found, expected)
    k, _ = talib.STOCHF(high, low, close, 20, 1, 0)
    wide = upper > lower
    oracle.assert_equal_lines(position[wide], k[wide] / 100.0)
    assert (position[upper == lower] == 0.5).all()


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


@pytest.mark.parametrize("series", SERIES)
def test_mass_index_equals_talib(series: str) -> None:
    high, low, _ = prices(series)
    parameters = subject.MASS_INDEX.resolved({})
    index, _ = subject.MASS_INDEX.compute(SERIES[series], parameters)
    oracle.assert_equal_lines(index, talib.MASSI(high, low, 9, 25))


@pytest.mark.parametrize("gaps", [0, 3, 4])
def test_bulge_is_the_first_fall_after_a_rise_and_long_gaps_forget_it(gaps: int) -> None:
    columns = {name: column.copy() for name, column in oracle.parity_series(2000)["walk"].items()}
    parameters = subject.MASS_INDEX.resolved({"arm": 25.6, "fire": 25.4})
    for start in range(50, 2000, 40):
        columns["is_gap"][start : start + gaps] = 1.0
    index, bulge = subject.MASS_INDEX.compute(columns, parameters)
    expected = oracle.bulges(index.tolist(), columns["is_gap"].tolist(), 25.6, 25.4)
    np.testing.assert_array_equal(bulge, expected)
    assert bulge.sum() > 3


def test_long_gaps_change_the_bulges() -> None:
    columns = oracle.parity_series(2000)["walk"]
    parameters = subject.MASS_INDEX.resolved({"arm": 25.6, "fire": 25.4})
    whole = subject.MASS_INDEX.compute(columns, parameters)[1]
    missing = {**columns, "is_gap": (np.arange(2000) % 40 < 4).astype(np.float64)}
    assert subject.MASS_INDEX.compute(missing, parameters)[1].sum() < whole.sum()
