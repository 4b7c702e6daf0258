"""VWAPs against sums over each window with ``math.fsum``, and against TA-Lib's running one."""

import math

import numpy as np
import pytest
import talib

from indicators import vwap as subject
from indicators.pivot import confirmed_pivots
from tests.generators import random_bars
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()


def window(columns: dict[str, np.ndarray], first: int, last: int) -> tuple[float, float]:
    """VWAP and deviation of the rows ``first`` to ``last``."""
    rows = range(first, last + 1)
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3.0
    volume = columns["volume"]
    traded = math.fsum(volume[i] for i in rows)
    if traded == 0:
        return math.nan, 0.0
    centre = math.fsum(volume[i] * typical[i] for i in rows) / traded
    squares = math.fsum(volume[i] * (typical[i] - centre) ** 2 for i in rows)
    return centre, math.sqrt(squares / traded)


def assert_bands(outputs: tuple[np.ndarray, ...], close: np.ndarray) -> None:
    vwap, deviation, upper_1, lower_1, upper_2, lower_2 = outputs
    sigma = upper_1 - vwap
    np.testing.assert_allclose(lower_1, vwap - sigma, rtol=1e-12)
    np.testing.assert_allclose(upper_2, vwap + 2 * sigma, rtol=1e-12)
    np.testing.assert_allclose(lower_2, vwap - 2 * sigma, rtol=1e-12)
    wide = sigma > 1e-6
    np.testing.assert_allclose(
        deviation[wide], (close[wide] - vwap[wide]) / sigma[wide], rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("first_hour", [0, 9])
@pytest.mark.parametrize("series", SERIES)
def test_day_vwap_equals_the_oracle(series: str, first_hour: int) -> None:
    columns = dict(SERIES[series])
    columns["open_time"] = columns["open_time"] + first_hour * 3_600e9
    outputs = subject.SESSION_VWAP.compute(columns, {})
    expected, expected_away = oracle.day_vwap(columns)
    oracle.assert_equal_lines(outputs[0], expected)
    # Of two prices of which one has hardly any volume the deviation keeps about eight digits.
    oracle.assert_equal_lines(outputs[1], expected_away, atol=1e-7)
    assert np.isnan(outputs[0]).sum() == (24 - first_hour) % 24
    assert_bands(outputs, columns["close"])


@pytest.mark.parametrize("series", ["walk", "zero_volume"])
def test_day_vwap_equals_talibs_running_one_day_by_day(series: str) -> None:
    bars = SERIES[series]
    vwap = subject.SESSION_VWAP.compute(bars, {})[0]
    for first in range(0, 500 - 24, 24):
        day = slice(first, first + 24)
        if bars["volume"][first] > 0:
            names = ("high", "low", "close", "volume")
            expected = talib.VWAP(*(bars[name][day].copy() for name in names))
            oracle.assert_equal_lines(vwap[day], expected)


@pytest.mark.parametrize("hours", [1, 24, 168])
@pytest.mark.parametrize("series", SERIES)
def test_vwap_of_the_last_hours_equals_each_window_summed_afresh(series: str, hours: int) -> None:
    columns = SERIES[series]
    outputs = subject.ROLLING_VWAP.compute(columns, {"hours": hours})
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3.0
    first = max(hours - 1, 1)
    assert np.isnan(outputs[0][:first]).all()
    for t in range(first, 500):
        centre, sigma = window(columns, t - hours + 1, t)
        expected = typical[t] if math.isnan(centre) else centre
        assert outputs[0][t] == pytest.approx(expected, rel=1e-12)
        # Of a window with one price the oracle's mean, and so its deviation, is rounded.
        assert outputs[2][t] - outputs[0][t] == pytest.approx(sigma, rel=1e-7, abs=1e-11)
    assert_bands(outputs, columns["close"])
    if series == "constant":
        assert (outputs[1][first:] == 0.0).all()


def test_a_day_of_bars_four_hours_long_is_six_rows() -> None:
    columns = dict(random_bars(100, 3, timeframe="4h").columns())
    vwap = subject.ROLLING_VWAP.compute(columns, {"hours": 24})[0]
    assert np.isnan(vwap).sum() == 5
    assert vwap[50] == pytest.approx(window(columns, 45, 50)[0], rel=1e-12)


def test_the_newest_pivot_takes_over_when_it_is_confirmed() -> None:
    columns = dict(random_bars(500, 4, gap_share=0.05).columns())
    outputs = subject.PIVOT_VWAP.compute(columns, {"left": 5, "right": 3})
    high, low = confirmed_pivots(columns["high"], columns["low"], 5, 3)
    confirmed = np.flatnonzero(~np.isnan(high) | ~np.isnan(low))
    assert len(confirmed) > 40
    assert np.isnan(outputs[0][: confirmed[0]]).all()
    for t in range(int(confirmed[0]), 500):
        anchor = int(confirmed[confirmed <= t][-1]) - 3
        centre, sigma = window(columns, anchor, t)
        assert outputs[0][t] == pytest.approx(centre, rel=1e-12)
        assert outputs[2][t] - centre == pytest.approx(sigma, rel=1e-9, abs=1e-11)
    assert_bands(outputs, columns["close"])


def test_a_huge_bar_leaves_nothing_behind() -> None:
    columns = dict(random_bars(300, 5).columns())
    columns["volume"] = columns["volume"].copy()
    columns["volume"][100] = 1e18
    vwap = subject.ROLLING_VWAP.compute(columns, {"hours": 24})[0]
    for t in range(124, 300):
        assert vwap[t] == pytest.approx(window(columns, t - 23, t)[0], rel=1e-13)
