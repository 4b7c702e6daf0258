"""Least squares against TA-Lib on six series and against sums over every window."""

import math

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from indicators import linear_regression as subject
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [2, 5, 14, 20, 25])
def test_line_and_slope_equal_talib(series: str, length: int) -> None:
    close = SERIES[series]["close"]
    end, distance = subject.LINREG.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(end, talib.LINEARREG(close, length))
    np.testing.assert_array_equal(distance, close - end)
    _, slope = subject.linear_fit(close, length)
    oracle.assert_equal_lines(slope, talib.LINEARREG_SLOPE(close, length))


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize(("length", "atr_length"), [(20, 14), (5, 30)])
def test_slope_and_angle_in_atr(series: str, length: int, atr_length: int) -> None:
    columns = SERIES[series]
    parameters = {"length": float(length), "atr_length": float(atr_length)}
    first = max(length - 1, atr_length)
    # Checked against TA-Lib above; over an ATR that one tick leaves close to 0 its rounding counts.
    expected = subject.linear_fit(columns["close"], length)[1][first:]
    angle = talib.LINEARREG_ANGLE(columns["close"], length)[first:]
    atr = talib.ATR(columns["high"], columns["low"], columns["close"], atr_length)[first:]
    per_atr = np.where(atr == 0, 0.0, expected / np.where(atr == 0, 1.0, atr))
    for indicator, answers in (
        (subject.LINREG_SLOPE, (expected, per_atr)),
        (subject.LINREG_ANGLE, (angle, np.degrees(np.arctan(per_atr)))),
    ):
        for found, answer in zip(indicator.compute(columns, parameters), answers, strict=True):
            oracle.assert_equal_lines(found[first:], answer)
            assert np.isnan(found).sum() == indicator.lookback(parameters) == first


def slope_by_definition(window: list[float]) -> float:
    middle, mean = (len(window) - 1) / 2.0, oracle.mean(window)
    together = math.fsum((i - middle) * (x - mean) for i, x in enumerate(window))
    return together / math.fsum((i - middle) ** 2 for i in range(len(window)))


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float64, st.integers(0, 60), elements=st.integers(-1000, 1000).map(float)),
    st.sampled_from((2, 3, 7, 20)),
)
def test_fit_equals_the_oracle(values: np.ndarray, length: int) -> None:
    end, slope = subject.linear_fit(values, length)
    expected = oracle.windowed(values.tolist(), length, slope_by_definition)
    ends = oracle.windowed(
        values.tolist(),
        length,
        lambda window: oracle.mean(window) + slope_by_definition(window) * (length - 1) / 2.0,
    )
    # Sums of 20 numbers up to 1000 that cancel are good to 1e-10.
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(end, ends, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("price", [0.1, 1e-8, 30_123.7])
def test_a_constant_lies_on_its_line(price: float) -> None:
    end, slope = subject.linear_fit(np.full(100, price), 14)
    np.testing.assert_array_equal(end[13:], price)
    np.testing.assert_array_equal(slope[13:], 0.0)


def test_a_spike_or_a_hole_leaves_no_trace_once_it_has_left() -> None:
    values = SERIES["walk"]["close"].copy()
    expected = subject.linear_fit(values, 20)
    for wrong in (1e17, np.nan):
        values[200] = wrong
        for found, answer in zip(subject.linear_fit(values, 20), expected, strict=True):
            np.testing.assert_array_equal(found[220:], answer[220:])
            np.testing.assert_array_equal(found[:200], answer[:200])
            assert np.isnan(found[200:220]).all() == np.isnan(wrong)
