"""Averages made of averages against TA-Lib on six series, from the first row that TA-Lib writes."""

from collections.abc import Callable

import numpy as np
import pytest
import talib

from indicators import compound_average as subject
from indicators.spec import Indicator
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
PAIRS: dict[str, tuple[Indicator, Callable[..., np.ndarray]]] = {
    "dema": (subject.DEMA, talib.DEMA),
    "tema": (subject.TEMA, talib.TEMA),
    "trima": (subject.TRIMA, talib.TRIMA),
    "zlema": (subject.ZLEMA, talib.ZLEMA),
    "hma": (subject.HMA, talib.HMA),
    "t3": (subject.T3, talib.T3),
}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [5, 14, 20, 25])
@pytest.mark.parametrize("name", PAIRS)
def test_equals_talib(name: str, length: int, series: str) -> None:
    indicator, reference = PAIRS[name]
    columns = SERIES[series]
    parameters = indicator.resolved({"length": length})
    average, distance = indicator.compute(columns, parameters)
    oracle.assert_equal_lines(average, reference(columns["close"], length))
    np.testing.assert_array_equal(distance, columns["close"] - average)
    assert np.isnan(average).sum() == indicator.lookback(parameters)


@pytest.mark.parametrize("volume_factor", [0.0, 0.4, 1.0])
def test_volume_factor_of_t3_is_that_of_talib(volume_factor: float) -> None:
    close = SERIES["walk"]["close"]
    expected = talib.T3(close, 8, volume_factor)
    oracle.assert_equal_lines(subject.tillson_mean(close, 8, volume_factor), expected)


def test_cascade_is_a_weighted_sum_of_chained_means() -> None:
    close = SERIES["walk"]["close"].tolist()
    once = oracle.ema_line(close, 6)
    twice = [np.nan] * 5 + oracle.ema_line(once[5:], 6)
    expected = [0.5 * a + 0.25 * b for a, b in zip(once, twice, strict=True)]
    found = subject.cascaded_mean(np.array(close), 6, (0.5, 0.25))
    oracle.assert_equal_lines(found, expected)


def test_cascade_does_not_read_the_rows_before_its_start() -> None:
    close = SERIES["walk"]["close"]
    late = np.concatenate((np.full(7, np.nan), close))
    expected = subject.cascaded_mean(close, 5, (1.0, -2.0, 3.0))
    np.testing.assert_array_equal(subject.cascaded_mean(late, 5, (1.0, -2.0, 3.0), 7)[7:], expected)


@pytest.mark.parametrize("series", SERIES)
def test_hull_slope_is_the_change_of_talibs_hull_mean(series: str) -> None:
    columns = SERIES[series]
    (slope,) = subject.HMA_SLOPE.compute(columns, {"length": 20})
    oracle.assert_equal_lines(slope, np.diff(talib.HMA(columns["close"], 20), prepend=np.nan))
