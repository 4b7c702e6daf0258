"""Mass index, Chaikin and relative volatility against TA-Lib; the Ulcer index against plain Python."""

import numpy as np
import pytest
import talib

from indicators import volatility_index as subject
from tests.oracles import indicators_measured as oracle
from tests.oracles import indicators_published as published

SERIES = oracle.parity_series()


def prices(series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    columns = SERIES[series]
    return columns["high"], columns["low"], columns["close"]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("length", "roc_length"), [(10, 10), (20, 1)])
def test_chaikin_volatility_equals_talib(series: str, length: int, roc_length: int) -> None:
    high, low, _ = prices(series)
    parameters = {"length": length, "roc_length": roc_length}
    (found,) = subject.CVI.compute(SERIES[series], parameters)
    oracle.assert_equal_lines(found, talib.CVI(high, low, length, roc_length))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("length", "deviation_length"), [(14, 10), (5, 30)])
def test_relative_volatility_equals_talib(series: str, length: int, deviation_length: int) -> None:
    close = SERIES[series]["close"]
    parameters = {"length": length, "deviation_length": deviation_length}
    (found,) = subject.RVI.compute(SERIES[series], parameters)
    oracle.assert_equal_lines(found, talib.RVI(close, length, deviation_length))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 14])
def test_ulcer_index_equals_its_definition(series: str, length: int) -> None:
    (found,) = subject.ULCER.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(found, published.ulcer(SERIES[series]["close"].tolist(), length))


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
