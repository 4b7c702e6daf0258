"""Bands, channels and the squeeze against TA-Lib, and where TA-Lib has none against plain Python."""

import numpy as np
import pytest
import talib

from indicators import channel as subject
from tests.oracles import indicators_measured as oracle
from tests.oracles import indicators_published as published

SERIES = oracle.parity_series()


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


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
@pytest.mark.parametrize("length", [2, 20])
def test_acceleration_bands_equal_talib(series: str, length: int) -> None:
    high, low, close = prices(series)
    found = subject.ACCELERATION_BANDS.compute(SERIES[series], {"length": length})
    for line, expected in zip(found, talib.ACCBANDS(high, low, close, length), strict=False):
        oracle.assert_equal_lines(line, expected)
    upper, _, lower, position = (line[length - 1 :] for line in found)
    flat, close = upper == lower, close[length - 1 :]
    assert (position[flat] == 0.5).all()
    np.testing.assert_allclose((lower + position * (upper - lower))[~flat], close[~flat], rtol=1e-9)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("length", "multiple"), [(20, 1.5), (10, 1.0)])
def test_squeeze_equals_its_definition(series: str, length: int, multiple: float) -> None:
    high, low, close = (line.tolist() for line in prices(series))
    parameters = subject.SQUEEZE.resolved({"length": length, "multiple": multiple})
    on, momentum, release = subject.SQUEEZE.compute(SERIES[series], parameters)
    expected_on, expected = published.squeeze(high, low, close, length, 2.0, multiple)
    first = subject.SQUEEZE.lookback(parameters)
    assert np.isnan(on[:first]).all()
    np.testing.assert_array_equal(on[first:], expected_on[first:])
    # numpy.polyfit solves by singular values, which costs it a few digits.
    oracle.assert_equal_lines(momentum, expected, atol=1e-9)
    for t in range(first + 1, len(close)):
        ended = on[t - 1] == 1.0 and on[t] == 0.0
        assert release[t] == (np.sign(momentum[t]) if ended else 0.0)
    assert (release[: first + 1] == 0.0).all()


def test_squeeze_is_on_where_pandas_ta_classic_says() -> None:
    on, _, release = subject.SQUEEZE.compute(SERIES["walk"], subject.SQUEEZE.resolved({}))
    flips = np.flatnonzero(np.diff(on[39:])) + 40
    assert tuple(flips) == published.PANDAS_TA_SQUEEZE_FLIPS
    assert np.count_nonzero(release) == np.count_nonzero(np.diff(on[39:]) < 0)


def test_nothing_is_squeezed_and_nothing_leans_in_a_flat_market() -> None:
    on, momentum, release = subject.SQUEEZE.compute(
        SERIES["constant"], subject.SQUEEZE.resolved({})
    )
    for line in (on[38:], momentum[38:], release):
        np.testing.assert_array_equal(line, 0.0)
