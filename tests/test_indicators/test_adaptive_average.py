"""Adaptive averages against TA-Lib on six series; MAMA once TA-Lib has forgotten its start at 0."""

import math

import numpy as np
import pytest
import talib

from engine import ConfigError
from indicators import adaptive_average as subject
from tests.generators import random_walk
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [5, 10, 21])
def test_kaufmans_mean_equals_talib(series: str, length: int) -> None:
    columns = SERIES[series]
    average, distance = subject.KAMA.compute(columns, {"length": length})
    oracle.assert_equal_lines(average, talib.KAMA(columns["close"], length))
    np.testing.assert_array_equal(distance, columns["close"] - average)
    assert np.isnan(average).sum() == subject.KAMA.lookback({"length": length})


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [5, 10, 21])
def test_efficiency_equals_talib_except_where_nothing_moved(series: str, length: int) -> None:
    close = SERIES[series]["close"]
    (found,) = subject.ER.compute(SERIES[series], {"length": length})
    expected = talib.ER(close, length)
    flat = np.array([
        t >= length and len(set(close[t - length : t + 1])) == 1 for t in range(len(close))
    ])  # fmt: skip
    assert (expected[flat] == 1.0).all()
    oracle.assert_equal_lines(found, np.where(flat, 0.0, expected))


def test_efficiency_keeps_no_trace_of_a_spike() -> None:
    values = random_walk(300, 4)
    spiked = values.copy()
    spiked[100] = 1e17
    np.testing.assert_array_equal(
        subject.efficiency_ratio(spiked, 10)[111:], subject.efficiency_ratio(values, 10)[111:]
    )


@pytest.mark.parametrize(("fast", "slow"), [(0.5, 0.05), (0.4, 0.1)])
@pytest.mark.parametrize("series", ["walk", "constant", "alternating", "zero_volume", "one_tick"])
def test_mesa_means_equal_talib_once_stable(series: str, fast: float, slow: float) -> None:
    columns = oracle.parity_series(2500)[series]
    parameters = {"fast_limit": fast, "slow_limit": slow}
    stable = subject.MAMA.stable(parameters)
    assert stable < 2000
    leading, following, spread = subject.MAMA.compute(columns, parameters)
    expected = talib.MAMA(columns["close"], fast, slow)
    oracle.assert_equal_lines(leading[stable:], expected[0][stable:])
    oracle.assert_equal_lines(following[stable:], expected[1][stable:])
    np.testing.assert_array_equal(spread, leading - following)
    assert np.isnan(leading).sum() == subject.MAMA.lookback(parameters)


def test_phase_of_a_straight_line_stands_still() -> None:
    """TA-Lib measures the period of a line from what its running sums leave where 0 should be."""
    close = oracle.parity_series()["monotone"]["close"]
    leading, _ = subject.mesa_mean(close, 0.5, 0.05)
    np.testing.assert_allclose(close[100:] - leading[100:], 0.5, rtol=1e-9)


def mesa_by_definition(close: list[float], fast: float, slow: float) -> list[float]:
    """Ehlers' published loop, every line a list that is 0 before the first row."""

    class Line(dict):
        def __missing__(self, row: int) -> float:
            return 0.0

    smooth, detrended, quadrature, in_phase = Line(), Line(), Line(), Line()
    first, second, real, imaginary = Line(), Line(), Line(), Line()
    period, phase = Line(), Line()
    mean = {11: close[12]}
    for t in range(12, len(close)):
        gain = 0.075 * period[t - 1] + 0.54

        def turned(line: Line, gain: float = gain, t: int = t) -> float:
            parts = (
                0.0962 * line[t], 0.5769 * line[t - 2], -0.5769 * line[t - 4], -0.0962 * line[t - 6],
            )  # fmt: skip
            return math.fsum(parts) * gain

        smooth[t] = math.fsum((4 - k) * close[t - k] for k in range(4)) / 10.0
        detrended[t] = turned(smooth)
        quadrature[t] = turned(detrended)
        in_phase[t] = detrended[t - 3]
        first[t] = 0.2 * (in_phase[t] - turned(quadrature)) + 0.8 * first[t - 1]
        second[t] = 0.2 * (quadrature[t] + turned(in_phase)) + 0.8 * second[t - 1]
        product = complex(first[t], second[t]) * complex(first[t - 1], -second[t - 1])
        real[t] = 0.2 * product.real + 0.8 * real[t - 1]
        imaginary[t] = -0.2 * product.imag + 0.8 * imaginary[t - 1]
        measured = period[t - 1]
        if imaginary[t] and real[t]:
            measured = 360.0 / math.degrees(math.atan(imaginary[t] / real[t]))
        measured = max(min(measured, 1.5 * period[t - 1]), 0.67 * period[t - 1])
        period[t] = 0.2 * max(6.0, min(50.0, measured)) + 0.8 * period[t - 1]
        if in_phase[t]:
            phase[t] = math.degrees(math.atan(quadrature[t] / in_phase[t]))
        alpha = max(fast / max(phase[t - 1] - phase[t], 1.0), slow)
        mean[t] = alpha * close[t] + (1.0 - alpha) * mean[t - 1]
    return [math.nan] * 32 + [mean[t] for t in range(32, len(close))]


def test_mesa_mean_equals_the_published_loop_from_its_first_row() -> None:
    close = SERIES["walk"]["close"]
    expected = mesa_by_definition(close.tolist(), 0.5, 0.05)
    oracle.assert_equal_lines(subject.mesa_mean(close, 0.5, 0.05)[0], expected)


def test_limits_out_of_order_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"mama: slow_limit=0.3 must not be more than fast_limit"):
        subject.MAMA.compute(SERIES["walk"], {"fast_limit": 0.2, "slow_limit": 0.3})
