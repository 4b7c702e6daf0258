"""Trend of the close against TA-Lib on six series."""

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import trend as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


def over_atr(columns: oracle.Columns, line: np.ndarray) -> np.ndarray:
    """``line`` over TA-Lib's ATR of 14 rows, 0 where that is 0."""
    atr = talib.ATR(columns["high"], columns["low"], columns["close"], 14)
    return np.where(atr == 0, 0.0 * line, line / np.where(atr == 0, 1.0, atr))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("fast", "slow", "signal"), [(12, 26, 9), (6, 19, 5)])
def test_macd_equals_talib(series: str, fast: int, slow: int, signal: int) -> None:
    parameters = {"fast": fast, "slow": slow, "signal": signal, "atr_length": 14}
    columns = SERIES[series]
    found = subject.MACD.compute(columns, parameters)
    # Over the ATR of TA-Lib, which one tick leaves close to 0: there the rounding of a line counts.
    ratios = (over_atr(columns, line) for line in found[:3])
    expected = (*talib.MACD(columns["close"], fast, slow, signal), *ratios)
    for ours, theirs in zip(found, expected, strict=True):
        oracle.assert_equal_lines(ours, theirs)
        assert np.isnan(ours).sum() == subject.MACD.lookback(parameters)


def test_macd_waits_for_a_long_atr() -> None:
    parameters = subject.MACD.resolved({"atr_length": 60})
    assert subject.MACD.lookback(parameters) == 60
    for line in subject.MACD.compute(SERIES["walk"], parameters):
        assert np.isnan(line).sum() == 60


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
@pytest.mark.parametrize("length", [2, 3, 20, 21])
def test_detrended_price_equals_talib(series: str, length: int) -> None:
    columns = SERIES[series]
    first = length // 2 + 1
    found = subject.detrended_price(columns["close"], length)
    oracle.assert_equal_lines(found[first:], talib.DPO(columns["close"], length)[first:])
    line, per_atr = subject.DPO.compute(columns, {"length": length, "atr_length": 14})
    first = subject.DPO.lookback({"length": length, "atr_length": 14})
    np.testing.assert_array_equal(line[first:], found[first:])
    oracle.assert_equal_lines(per_atr, over_atr(columns, line))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 10, 28])
def test_vertical_horizontal_filter_equals_talib(series: str, length: int) -> None:
    (found,) = subject.VHF.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(found, talib.VHF(SERIES[series]["close"], length))
    assert np.isnan(found).sum() == subject.VHF.lookback({"length": length})


def test_lengths_out_of_order_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"macd: fast=26 must be less than slow=12"):
        subject.MACD.compute(SERIES["walk"], {"fast": 26.0, "slow": 12.0, "signal": 9.0})
