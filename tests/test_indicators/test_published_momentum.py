"""KST, relative vigor and Fisher transform, which TA-Lib lacks: plain Python and pandas-ta-classic."""

import numpy as np
import pytest

from indicators import INDICATORS_BY_NAME
from indicators.body_momentum import RVGI
from indicators.rate_of_change import KST
from indicators.stochastic import FISHER
from tests.oracles import indicators_measured as oracle
from tests.oracles import indicators_published as published

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("signal", [1, 9])
def test_kst_equals_its_definition(series: str, signal: int) -> None:
    parameters = KST.resolved({"signal": signal})
    line, smooth = KST.compute(SERIES[series], parameters)
    close = SERIES[series]["close"].tolist()
    expected, expected_smooth = published.kst(close, (10, 15, 20, 30), (10, 10, 10, 15), signal)
    first = KST.lookback(parameters)
    oracle.assert_equal_lines(line[first:], expected[first:])
    oracle.assert_equal_lines(smooth, expected_smooth)
    assert np.isnan(line[:first]).all()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [4, 14])
def test_relative_vigor_equals_its_definition(series: str, length: int) -> None:
    columns = SERIES[series]
    line, signal = RVGI.compute(columns, {"length": length})
    prices = [columns[name].tolist() for name in ("open", "high", "low", "close")]
    expected, expected_signal = published.rvgi(*prices, length)
    oracle.assert_equal_lines(line[length + 5 :], expected[length + 5 :])
    oracle.assert_equal_lines(signal[length + 5 :], expected_signal[length + 5 :])
    assert np.isnan(line[: length + 5]).all()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 9])
def test_fisher_transform_equals_its_definition(series: str, length: int) -> None:
    columns = SERIES[series]
    (found,) = FISHER.compute(columns, {"length": length})
    expected = published.fisher(columns["high"].tolist(), columns["low"].tolist(), length)
    # The logarithm is steep where the value is cut off: 1 / (1 - 0.99^2) = 50 roundings.
    oracle.assert_equal_lines(found, expected, atol=1e-9)


def test_fisher_transform_reaches_its_bound_on_a_rising_line_and_fades_when_flat() -> None:
    rise = np.concatenate((np.arange(100.0, 160.0), np.full(60, 159.0)))
    (found,) = FISHER.compute({"high": rise, "low": rise}, {"length": 9})
    assert found[59] == pytest.approx(np.log(1.999 / 0.001), rel=1e-6)
    assert abs(found[-1]) < 1e-5


@pytest.mark.parametrize("name", published.PANDAS_TA_CLASSIC)
def test_equals_pandas_ta_classic(name: str) -> None:
    indicator_name, _, output = name.partition(".")
    indicator = INDICATORS_BY_NAME[indicator_name]
    columns = SERIES["walk"]
    found = indicator.compute(columns, indicator.resolved({}))
    line = found[indicator.output_index(output)]
    rows = list(published.PANDAS_TA_ROWS)
    np.testing.assert_allclose(line[rows], published.PANDAS_TA_CLASSIC[name], rtol=1e-9)
