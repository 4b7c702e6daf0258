"""Volume indicators against TA-Lib where it has them, against slow oracles elsewhere."""

from datetime import UTC, datetime

import numpy as np
import pytest
import talib

from indicators import money_flow, volume_delta, volume_line, volume_oscillator, volume_spike
from indicators import volume as subject
from tests.flow_columns import without_trades
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
        (volume_delta.VOLUME_DELTA, taker.tolist()),
        (volume_delta.CLOSE_LOCATION_DELTA, oracle.location_flow(columns)),
        (volume_delta.COLOUR_DELTA, colour.tolist()),
    ):
        total, ratio, score, *_ = indicator.compute(
            without_trades(columns), {"length": length, "best_source": 1}
        )
        oracle.assert_equal_lines(total, oracle.windowed(delta, length, sum), atol=1e-9)
        expected = oracle.buy_share(delta, columns["volume"].tolist(), length)
        oracle.assert_equal_lines(ratio, expected)
        stretched = [min(100.0, max(0.0, 50.0 + 200.0 * (share - 0.5))) for share in expected]
        oracle.assert_equal_lines(score[length - 1 :], stretched[length - 1 :])


@pytest.mark.parametrize("series", SERIES)
def test_money_flow_equals_talib_and_is_smoothed(series: str) -> None:
    bars = SERIES[series]
    found, smooth, score = money_flow.CMF.compute(bars, {"length": 20, "smoothing": 0.5})
    expected = talib.CMF(bars["high"], bars["low"], bars["close"], bars["volume"], 20)
    oracle.assert_equal_lines(found, expected)
    for t in (19, 25, 137, 499):
        weights = [0.5 ** (1 + t - row) for row in range(20, t + 1)]
        kept = sum(w * expected[row] for w, row in zip(weights, range(20, t + 1), strict=True))
        assert smooth[t] == pytest.approx(kept + 0.5 ** (t - 19) * expected[19], abs=1e-12)
        assert score[t] == pytest.approx(50.0 + 50.0 * np.tanh(smooth[t] / 0.15), abs=1e-9)


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
    found, score = volume_line.OBV.compute(SERIES[series], {"length": length})
    shown = ~np.isnan(found)
    np.testing.assert_allclose(score[shown], 100.0 / (1.0 + np.exp(-found[shown])), rtol=1e-12)
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
    found = volume_line.accumulation_distance(flow, 20)
    oracle.assert_equal_lines(found, line - talib.EMA(line, 20), atol=1e-6)
    if series == "monotone":
        return  # equal flows: their deviation is rounding, and so is anything divided by it
    distance, score = volume_line.ADL.compute(bars, {"length": 20, "window": 100})
    oracle.assert_equal_lines(distance, oracle.adl_score(bars, 20, 100), atol=1e-8)
    np.testing.assert_allclose(score[99:], 50.0 + 50.0 * np.tanh(distance[99:]), rtol=1e-12)


@pytest.mark.parametrize("series", SERIES)
def test_force_equals_talib(series: str) -> None:
    close, volume = SERIES[series]["close"], SERIES[series]["volume"]
    force, balance = money_flow.FORCE.compute(SERIES[series], {"length": 13})
    oracle.assert_equal_lines(force, talib.EFI(close, volume, 13))
    raw = np.diff(close) * volume[1:]
    size = np.concatenate(([np.nan], talib.EMA(np.abs(raw), 13)))
    moved = size > 0
    oracle.assert_equal_lines(balance[moved], force[moved] / size[moved])
    assert (balance[size == 0] == 0).all()


@pytest.mark.parametrize("series", SERIES)
def test_ease_of_movement_equals_the_oracle(series: str) -> None:
    emv, balance = money_flow.EMV.compute(SERIES[series], {"length": 14})
    expected, expected_balance = oracle.ease_of_movement(SERIES[series], 14)
    scale = np.nanmax(np.abs(expected)) + 1e-300
    oracle.assert_equal_lines(emv / scale, np.array(expected) / scale)
    oracle.assert_equal_lines(balance, expected_balance)


@pytest.mark.parametrize("series", ["walk", "monotone", "alternating", "zero_volume"])
def test_money_flow_index_equals_talib(series: str) -> None:
    bars = SERIES[series]
    (found,) = money_flow.MFI.compute(bars, {"length": 14})
    expected = talib.MFI(bars["high"], bars["low"], bars["close"], bars["volume"], 14)
    traded = oracle.windowed(bars["volume"].tolist(), 14, sum)
    silent = np.array(traded) == 0
    oracle.assert_equal_lines(found[~silent], expected[~silent])
    assert (found[silent] == 50.0).all()


@pytest.mark.parametrize("series", ["constant", "one_tick"])
def test_money_flow_index_of_a_flat_market_is_in_the_middle(series: str) -> None:
    (found,) = money_flow.MFI.compute(SERIES[series], {"length": 14})
    assert (found[14:200] == 50.0).all()


@pytest.mark.parametrize("series", SERIES)
def test_market_facilitation_equals_talib_and_names_the_bar(series: str) -> None:
    bars = SERIES[series]
    found, code = money_flow.MARKET_FACILITATION.compute(bars, {})
    traded = bars["volume"] > 0
    expected = talib.MARKETFI(bars["high"], bars["low"], bars["volume"])
    oracle.assert_equal_lines(found[traded], expected[traded])
    assert (found[~traded] == 0.0).all()
    names = {(1, 1): 1, (-1, -1): 2, (1, -1): 3, (-1, 1): 4}
    for t in range(1, 500):
        sides = np.sign(found[t] - found[t - 1]), np.sign(bars["volume"][t] - bars["volume"][t - 1])
        assert code[t] == names.get(sides, 0)
    assert code[0] == 0


@pytest.mark.parametrize("series", ["walk", "monotone", "alternating", "zero_volume"])
@pytest.mark.parametrize("length", [10, 100])
def test_cumulative_lines_gain_over_a_window_what_talibs_gain(series: str, length: int) -> None:
    bars = SERIES[series]
    close, volume = bars["close"], bars["volume"]
    trend = talib.PVT(close, volume)
    expected = np.full(500, np.nan)
    expected[length:] = trend[length:] - trend[:-length]
    gain, mean_return, score = volume_line.PVT.compute(bars, {"length": length})
    # The line reaches 1e4, so its differences keep about eleven digits.
    oracle.assert_equal_lines(gain, expected, atol=1e-8)
    traded = np.array(oracle.windowed(volume.tolist(), length, sum))
    known = np.arange(500) >= length
    some = known & (traded > 0)
    np.testing.assert_allclose(mean_return[some], gain[some] / traded[some], rtol=1e-9, atol=1e-12)
    assert (mean_return[known & (traded == 0)] == 0.0).all()
    for t in range(length, 500, 41):
        window = trend[t - length + 1 : t + 1]
        if window.std() > 1e-6:
            expected_score = (trend[t] - window.mean()) / window.std()
            assert score[t] == pytest.approx(expected_score, abs=1e-6)
    for indicator, line in (
        (volume_line.NVI, talib.NVI(close, volume)),
        (volume_line.PVI, talib.PVI(close, volume)),
    ):
        logs = np.log(line)
        expected[length:] = logs[length:] - logs[:-length]
        gain, score = indicator.compute(bars, {"length": length})
        oracle.assert_equal_lines(gain, expected)
        for t in range(length, 500, 41):
            window = logs[t - length + 1 : t + 1]
            if window.std() > 1e-6:
                expected_score = (logs[t] - window.mean()) / window.std()
                assert score[t] == pytest.approx(expected_score, abs=1e-6)


@pytest.mark.parametrize("series", SERIES)
def test_percentage_volume_oscillator_equals_talib(series: str) -> None:
    volume = SERIES[series]["volume"]
    given = {"fast": 12.0, "slow": 26.0, "signal": 9.0}
    line, signal, histogram = volume_oscillator.PVO.compute(SERIES[series], given)
    expected = talib.PVO(volume, 12, 26, 1)
    late = slice(300, None)
    oracle.assert_equal_lines(line[late], expected[late], atol=1e-8)
    smooth = talib.EMA(expected, 9)
    oracle.assert_equal_lines(signal[late], smooth[late], atol=1e-8)
    oracle.assert_equal_lines(histogram[late], (expected - smooth)[late], atol=1e-8)


@pytest.mark.parametrize("series", SERIES)
def test_chaikin_oscillator_equals_talib_once_its_seeds_are_forgotten(series: str) -> None:
    bars = SERIES[series]
    found, share = volume_oscillator.ADOSC.compute(bars, {"fast": 3, "slow": 10})
    columns = (bars[name] for name in ("high", "low", "close", "volume"))
    expected = talib.ADOSC(*columns, 3, 10)
    assert np.isnan(found).sum() == np.isnan(expected).sum() == 9
    # TA-Lib starts both averages at the first value of a line that reaches 1e5.
    late = slice(150, None)
    oracle.assert_equal_lines(found[late], expected[late], atol=1e-6)
    line = talib.AD(*(bars[name] for name in ("high", "low", "close", "volume")))
    oracle.assert_equal_lines(found, talib.EMA(line, 3) - talib.EMA(line, 10), atol=1e-6)
    mean = np.array(oracle.windowed(bars["volume"].tolist(), 10, oracle.mean))
    some = (mean > 0) & ~np.isnan(found)
    np.testing.assert_allclose(share[some], found[some] / mean[some], rtol=1e-9)


def test_volume_trend_and_unsteadiness_equal_their_formulas() -> None:
    volume = SERIES["zero_volume"]["volume"]
    given = {"fast": 5, "slow": 20, "rank_length": 50}
    trend, score, volatility, rank = volume_oscillator.VOLUME_TREND.compute(
        SERIES["zero_volume"], given
    )
    unsteady = []
    for t in range(19, 500):
        window = volume[t - 19 : t + 1]
        unsteady.append(window.std() / window.mean() if window.any() else 0.0)
        if t < 69:
            assert np.isnan([trend[t], score[t], volatility[t], rank[t]]).all()
            continue
        usual = window.mean()
        expected = window[-5:].mean() / usual - 1 if usual > 0 else 0.0
        assert trend[t] == pytest.approx(expected, abs=1e-12)
        assert score[t] == pytest.approx(50 + 50 * np.tanh(expected / 0.3), abs=1e-9)
        assert volatility[t] == pytest.approx(unsteady[-1], abs=1e-12)
        # An exact tie of the oracle may be off by rounding here, one place in fifty.
        before = np.mean([value <= unsteady[-1] for value in unsteady[-51:-1]])
        assert rank[t] == pytest.approx(100 * before, abs=2.0 + 1e-9)


@pytest.mark.parametrize("by_weekend", [False, True])
@pytest.mark.parametrize(("timeframe", "a_day", "reach"), [("4h", 6, 1), ("1d", 1, 0)])
def test_usual_volume_equals_the_oracle(
    timeframe: str, a_day: int, reach: int, by_weekend: bool
) -> None:
    bars = random_bars(400, 6, timeframe=timeframe, gap_share=0.05)
    open_time, volume = bars.open_time.astype(np.float64), bars.volume
    ratio, score = volume_spike.seasonal_volume(open_time, volume, 12, by_weekend=by_weekend)
    weekdays = [datetime.fromtimestamp(ns // 10**9, UTC).weekday() for ns in bars.open_time]
    expected, expected_score = oracle.usual_volume(
        volume.tolist(), a_day, 12, reach, weekdays if by_weekend else None
    )
    oracle.assert_equal_lines(ratio, expected)
    oracle.assert_equal_lines(score, expected_score)
    assert np.isnan(ratio).sum() == 12 * a_day + reach


@pytest.mark.parametrize(
    ("ratio", "tier", "tier_of_an_increase"),
    [(1.99, 0, 0), (2.0, 1, 0), (2.99, 1, 0), (3.0, 2, 1), (4.0, 2, 2), (5.0, 3, 2), (6.0, 3, 3)],
)
def test_tiers_of_a_ratio_and_of_an_increase(
    ratio: float, tier: int, tier_of_an_increase: int
) -> None:
    volume = np.array([4.0] * 96 + [4.0 * ratio])
    close = np.array([1.0] * 96 + [2.0])
    columns = {"close": close, "volume": volume}
    for as_increase, expected in ((0, tier), (1, tier_of_an_increase)):
        found, shown, spike = volume_spike.PLAIN_VOLUME_SPIKE.compute(
            columns, {"length": 96, "as_increase": as_increase}
        )
        assert found[-1] == pytest.approx(ratio, rel=1e-12)
        assert np.isnan(found[:-1]).all()
        assert (shown[-1], spike[-1]) == (expected, float(expected > 0))


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
    weekdays = [datetime.fromtimestamp(ns // 10**9, UTC).weekday() for ns in bars.open_time]
    expected, expected_score = oracle.usual_volume(volume.tolist(), 24, 15, 1, weekdays)
    oracle.assert_equal_lines(ratio, expected)
    oracle.assert_equal_lines(score, expected_score)
