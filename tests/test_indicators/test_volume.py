"""Volume indicators against TA-Lib where it has them, against slow oracles elsewhere."""

import numpy as np
import pytest
import talib

from indicators import volume as subject
from indicators import volume_spike
from tests.generators import START_NS, random_bars
from tests.oracles import indicators_measured as oracle

SERIES = oracle.parity_series()
TRADED = ("walk", "monotone", "alternating", "one_tick", "constant")


def lists(series: str, *names: str) -> list[list[float]]:
    return [SERIES[series][name].tolist() for name in names]


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [5, 20])
def test_delta_from_each_source_equals_the_oracle(series: str, length: int) -> None:
    columns = SERIES[series]
    taker = 2.0 * columns["taker_buy_volume"] - columns["volume"]
    colour = columns["volume"] * np.sign(columns["close"] - columns["open"])
    for indicator, delta in (
        (subject.TAKER_DELTA, taker.tolist()),
        (subject.CLOSE_LOCATION_DELTA, oracle.location_flow(columns)),
        (subject.COLOUR_DELTA, colour.tolist()),
    ):
        total, ratio = indicator.compute(columns, {"length": length})
        oracle.assert_equal_lines(total, oracle.windowed(delta, length, sum), atol=1e-9)
        expected = oracle.buy_share(delta, columns["volume"].tolist(), length)
        oracle.assert_equal_lines(ratio, expected)


@pytest.mark.parametrize("series", SERIES)
def test_money_flow_equals_talib(series: str) -> None:
    bars = SERIES[series]
    (found,) = subject.CMF.compute(bars, {"length": 20})
    expected = talib.CMF(bars["high"], bars["low"], bars["close"], bars["volume"], 20)
    oracle.assert_equal_lines(found, expected)


@pytest.mark.parametrize("series", TRADED)
def test_relative_volume_equals_talib_and_scores_the_return(series: str) -> None:
    close, volume = SERIES[series]["close"], SERIES[series]["volume"]
    parameters = {"length": 20, "spike": 1.5}
    ratio, score, spike = subject.RVOL.compute(SERIES[series], parameters)
    oracle.assert_equal_lines(ratio, talib.RVOL(volume, 20))
    for t in range(20, len(close)):
        side = int(close[t] > close[t - 1]) - int(close[t] < close[t - 1])
        bounded = 100.0 / (1.0 + ratio[t] ** -1.5)
        assert score[t] == pytest.approx(50.0 + side * (bounded - 50.0), rel=1e-12)
        assert spike[t] == (side if ratio[t] >= 1.5 else 0)


def test_relative_volume_of_silence_is_0() -> None:
    silent = np.flatnonzero(SERIES["zero_volume"]["volume"] == 0)
    ratio, _, spike = subject.RVOL.compute(SERIES["zero_volume"], {"length": 20, "spike": 2.0})
    assert (ratio[silent] == 0).all()
    assert (spike[silent] == 0).all()
    assert ratio[silent[-1] + 1] == 0.0


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("length", [10, 100])
def test_on_balance_score_equals_the_oracle_and_talib(series: str, length: int) -> None:
    close, volume = lists(series, "close", "volume")
    (found,) = subject.OBV.compute(SERIES[series], {"length": length})
    oracle.assert_equal_lines(found, oracle.obv_score(close, volume, length), atol=1e-8)
    line = talib.OBV(SERIES[series]["close"], SERIES[series]["volume"])
    for t in range(length - 1, len(line), 37):
        window = line[t - length + 1 : t + 1]
        if window.std() > 0:
            assert found[t] == pytest.approx((line[t] - window.mean()) / window.std(), abs=1e-8)


@pytest.mark.parametrize("series", SERIES)
def test_accumulation_equals_talib_and_the_oracle(series: str) -> None:
    bars = SERIES[series]
    flow = subject.close_location_flow(bars["high"], bars["low"], bars["close"], bars["volume"])
    line = talib.AD(bars["high"], bars["low"], bars["close"], bars["volume"])
    # The line grows to 1e5, so its difference from its mean keeps about ten digits.
    found = subject.accumulation_distance(flow, 20)
    oracle.assert_equal_lines(found, line - talib.EMA(line, 20), atol=1e-6)
    if series == "monotone":
        return  # equal flows: their deviation is rounding, and so is anything divided by it
    (score,) = subject.ADL.compute(bars, {"length": 20, "window": 100})
    oracle.assert_equal_lines(score, oracle.adl_score(bars, 20, 100), atol=1e-8)


@pytest.mark.parametrize("series", SERIES)
def test_force_equals_talib(series: str) -> None:
    close, volume = SERIES[series]["close"], SERIES[series]["volume"]
    force, balance = subject.FORCE.compute(SERIES[series], {"length": 13})
    oracle.assert_equal_lines(force, talib.EFI(close, volume, 13))
    raw = np.diff(close) * volume[1:]
    size = np.concatenate(([np.nan], talib.EMA(np.abs(raw), 13)))
    moved = size > 0
    oracle.assert_equal_lines(balance[moved], force[moved] / size[moved])
    assert (balance[size == 0] == 0).all()


@pytest.mark.parametrize("series", SERIES)
def test_ease_of_movement_equals_the_oracle(series: str) -> None:
    emv, balance = subject.EMV.compute(SERIES[series], {"length": 14})
    expected, expected_balance = oracle.ease_of_movement(SERIES[series], 14)
    scale = np.nanmax(np.abs(expected)) + 1e-300
    oracle.assert_equal_lines(emv / scale, np.array(expected) / scale)
    oracle.assert_equal_lines(balance, expected_balance)


@pytest.mark.parametrize("series", ["walk", "monotone", "alternating", "zero_volume"])
def test_money_flow_index_equals_talib(series: str) -> None:
    bars = SERIES[series]
    (found,) = subject.MFI.compute(bars, {"length": 14})
    expected = talib.MFI(bars["high"], bars["low"], bars["close"], bars["volume"], 14)
    traded = oracle.windowed(bars["volume"].tolist(), 14, sum)
    silent = np.array(traded) == 0
    oracle.assert_equal_lines(found[~silent], expected[~silent])
    assert (found[silent] == 50.0).all()


@pytest.mark.parametrize("series", ["constant", "one_tick"])
def test_money_flow_index_of_a_flat_market_is_in_the_middle(series: str) -> None:
    (found,) = subject.MFI.compute(SERIES[series], {"length": 14})
    assert (found[14:200] == 50.0).all()


@pytest.mark.parametrize("first_hour", [0, 9])
@pytest.mark.parametrize("series", SERIES)
def test_day_vwap_equals_the_oracle(series: str, first_hour: int) -> None:
    columns = dict(SERIES[series])
    columns["open_time"] = columns["open_time"] + first_hour * 3_600e9
    vwap, away = subject.SESSION_VWAP.compute(columns, {})
    expected, expected_away = oracle.day_vwap(columns)
    oracle.assert_equal_lines(vwap, expected)
    # Of two prices of which one has hardly any volume the deviation keeps about eight digits.
    oracle.assert_equal_lines(away, expected_away, atol=1e-7)
    assert np.isnan(vwap).sum() == (24 - first_hour) % 24


@pytest.mark.parametrize("series", ["walk", "zero_volume"])
def test_day_vwap_equals_talibs_running_one_day_by_day(series: str) -> None:
    bars = SERIES[series]
    vwap, _ = subject.SESSION_VWAP.compute(bars, {})
    for first in range(0, 500 - 24, 24):
        day = slice(first, first + 24)
        if bars["volume"][first] > 0:
            names = ("high", "low", "close", "volume")
            expected = talib.VWAP(*(bars[name][day].copy() for name in names))
            oracle.assert_equal_lines(vwap[day], expected)


@pytest.mark.parametrize(("timeframe", "a_day", "reach"), [("4h", 6, 1), ("1d", 1, 0)])
def test_usual_volume_equals_the_oracle(timeframe: str, a_day: int, reach: int) -> None:
    bars = random_bars(400, 6, timeframe=timeframe, gap_share=0.05)
    open_time, volume = bars.open_time.astype(np.float64), bars.volume
    ratio, score = volume_spike.seasonal_volume(open_time, volume, 12)
    if reach:
        expected, expected_score = oracle.usual_volume(volume.tolist(), a_day, 12)
        oracle.assert_equal_lines(ratio, expected)
        oracle.assert_equal_lines(score, expected_score)
    assert np.isnan(ratio).sum() == 12 * a_day + reach


def test_a_spike_needs_size_rarity_and_a_direction() -> None:
    bars = random_bars(1000, 7)
    close, volume = bars.close.copy(), np.full(1000, 100.0)
    volume += np.random.default_rng(1).normal(size=1000)
    volume[[700, 720, 740]] = 250.0, 350.0, 550.0
    columns = {"open_time": bars.open_time.astype(np.float64), "close": close, "volume": volume}
    parameters = volume_spike.VOLUME_SPIKE.resolved({})
    ratio, score, tier, spike = volume_spike.VOLUME_SPIKE.compute(columns, parameters)
    np.testing.assert_array_equal(np.flatnonzero(tier), [700, 720, 740])
    np.testing.assert_array_equal(tier[[700, 720, 740]], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(spike[[700, 720, 740]], np.sign(np.diff(close))[[699, 719, 739]])
    as_increase = {**parameters, "as_increase": 1.0}
    tier = volume_spike.VOLUME_SPIKE.compute(columns, as_increase)[2]
    np.testing.assert_array_equal(tier[[700, 720, 740]], [0.0, 1.0, 2.0])
    assert (ratio[np.isfinite(ratio)] > 0).all()
    assert (score[[700, 720, 740]] > 3.0).all()


def test_a_step_that_does_not_divide_a_day_has_no_usual_volume() -> None:
    open_time = START_NS + 7 * 3_600e9 * np.arange(400)
    ratio, score = volume_spike.seasonal_volume(open_time, np.full(400, 5.0), 10)
    assert np.isnan(ratio).all()
    assert np.isnan(score).all()


def test_after_days_of_silence_nothing_is_usual() -> None:
    bars = random_bars(24 * 40, 8)
    volume = bars.volume.copy()
    volume[24 * 12 : 24 * 30] = 0.0
    ratio, score = volume_spike.seasonal_volume(bars.open_time.astype(np.float64), volume, 15)
    assert (ratio[24 * 30], score[24 * 30]) == (0.0, 0.0)
    expected, expected_score = oracle.usual_volume(volume.tolist(), 24, 15)
    oracle.assert_equal_lines(ratio, expected)
    oracle.assert_equal_lines(score, expected_score)
