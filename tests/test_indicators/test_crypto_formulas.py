"""Funding, positioning, premium, taker flow, liquidation, mood and daily series against oracles."""

import numpy as np
import pytest
import scipy.stats
import talib

from engine import DAY_NS, HOUR_NS
from indicators import (
    cvd,
    daily_series,
    exchange_reserves,
    funding,
    liquidation,
    mood,
    positioning,
    premium,
    taker_flow,
    total_value_locked,
)
from tests.flow_columns import without_trades
from tests.generators import START_NS, random_bars, random_series
from tests.oracles import crypto as oracle
from tests.test_indicators.computing import computed, hours


def days(*ages: float) -> np.ndarray:
    return START_NS + DAY_NS * np.array(ages, dtype=np.float64)


def noise(rows: int, seed: int, centre: float, spread: float) -> np.ndarray:
    series = random_series(
        "x", ("x",), rows=rows, step_ns=HOUR_NS, seed=seed, centre=centre, spread=spread
    )
    return series.columns["x"]


class TestFunding:
    rate = noise(420, 1, 1e-4, 2e-4)
    interval = np.repeat([8.0, 4.0, 1.0], 140)

    def columns(self):
        return {"rate": self.rate, "interval_hours": self.interval}

    def test_rates_of_different_intervals_are_compared_for_eight_hours(self):
        columns = {
            "rate": np.array([1e-4, 5e-5, 4e-4, -2e-4, 1.25e-5]),
            "interval_hours": np.array([8.0, 4.0, 8.0, 8.0, 1.0]),
        }
        out = computed(funding.FUNDING_RATE, columns)
        np.testing.assert_allclose(out["f8"], [1e-4, 1e-4, 4e-4, -2e-4, 1e-4], rtol=1e-12)
        np.testing.assert_allclose(out["excess"], [0, 0, 3e-4, -3e-4, 0], atol=1e-18)
        np.testing.assert_allclose(out["annual"][:2], [0.1095, 0.1095], rtol=1e-12)
        extreme = computed(funding.FUNDING_RATE, columns, extreme=2.5e-4)["contrarian"]
        np.testing.assert_array_equal(extreme, [0, 0, -1, 1, 0])

    def test_baseline_funding_is_neutral_and_not_bearish(self):
        columns = {"rate": np.full(120, 1e-4), "interval_hours": np.full(120, 8.0)}
        out = computed(funding.FUNDING_SENTIMENT, columns)
        np.testing.assert_allclose(out["score"][89:], 50.0, atol=1e-9)
        assert (out["z"][89:] == 0).all()

    def test_sentiment(self):
        out = computed(funding.FUNDING_SENTIMENT, self.columns())
        expected = np.array(oracle.funding_scores(self.rate, self.interval)).T
        for name, values in zip(("score", "level", "z", "momentum"), expected, strict=True):
            # two ways to sum 90 squares
            np.testing.assert_allclose(out[name], values, rtol=1e-9, atol=1e-9)

    def test_volatility(self):
        out = computed(funding.FUNDING_VOLATILITY, self.columns())
        expected = np.array(oracle.funding_calm(self.rate, self.interval)).T
        for name, values in zip(("score", "deviation", "rank"), expected, strict=True):
            np.testing.assert_allclose(out[name], values, rtol=1e-9, atol=1e-9)

    def test_anomaly_waits_for_the_turn(self):
        rate = np.tile([1e-4, 1.2e-4], 60)
        rate[100:104] = [6e-4, 9e-4, 6e-4, 1e-4]
        columns = {"rate": rate, "interval_hours": np.full(120, 8.0)}
        signal = computed(funding.FUNDING_ANOMALY, columns)["reversal"]
        assert signal[100] == 0
        assert signal[102] == -1
        assert signal[103] == 0


class TestPositioning:
    times = hours(24 * 12)
    ratio = np.exp(noise(24 * 12, 4, 0.6, 0.3))

    def test_long_short(self):
        columns = {"event_time": self.times, "count_long_short_ratio": self.ratio}
        out = computed(positioning.LONG_SHORT, columns, window_days=7, minimum_days=7)
        log_ratio = np.log(self.ratio)
        z = np.array(oracle.z_score_in_days(self.times, log_ratio, 7, 7))
        slope = np.array(oracle.slope_in_days(self.times, log_ratio, 1))
        np.testing.assert_allclose(out["z"], z, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(out["contrarian"], 50 - 50 * np.tanh(z / 2), rtol=1e-8)
        known = np.isfinite(z)
        # the polynomial fit of the oracle loses a few digits
        np.testing.assert_allclose(out["slope"][known], slope[known], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(
            out["trend"][known], 50 - 50 * np.tanh(5 * slope[known]), rtol=1e-6, atol=1e-7
        )

    def test_a_higher_ratio_scores_lower_against_the_crowd(self):
        last = []
        for factor in (0.5, 0.8, 1.0, 1.25, 2.0):
            ratio = self.ratio.copy()
            ratio[-1] *= factor
            columns = {"event_time": self.times, "count_long_short_ratio": ratio}
            out = computed(positioning.LONG_SHORT, columns, window_days=7, minimum_days=7)
            last.append(out["contrarian"][-1])
        assert (np.diff(last) < 0).all()

    def test_extremes_by_rank_and_by_level(self):
        ratio = np.linspace(1.0, 2.0, len(self.times))
        ratio[-3:] = [5.0, 0.2, 1.5]
        columns = {"event_time": self.times, "count_long_short_ratio": ratio}
        out = computed(positioning.LONG_SHORT_EXTREME, columns, window_days=14, minimum_days=7)
        np.testing.assert_array_equal(out["relative"][-3:], [-1, 1, 0])
        np.testing.assert_array_equal(out["absolute"][-3:], [-1, 1, 0])
        assert (out["absolute"][:-3] == 0).all()
        assert (out["relative"][: 24 * 7] == 0).all()
        expected = oracle.percent_rank_in_days(self.times, ratio, 14, 7)
        np.testing.assert_array_equal(out["rank"], expected)

    def test_elite_divergence_follows_the_top_traders(self):
        top = np.full(len(self.times), 1.0) + 0.01 * np.sin(np.arange(len(self.times)))
        top[-2:] = [3.0, 0.05]
        columns = {
            "event_time": self.times,
            "sum_toptrader_long_short_ratio": top,
            "count_long_short_ratio": np.full(len(self.times), 2.0),
        }
        out = computed(positioning.ELITE_DIVERGENCE, columns, window_days=7, minimum_days=7)
        np.testing.assert_array_equal(out["follow"][-2:], [1, -1])

    def test_taker_share_of_a_ratio(self):
        columns = {"sum_taker_long_short_vol_ratio": np.array([1.0, 3.0, 0.25])}
        share = computed(positioning.TAKER_SHARE, columns)["share"]
        np.testing.assert_allclose(share, [0.5, 0.75, 0.2])


class TestPremium:
    def test_bands(self):
        percent = np.array([-0.4, -0.3, -0.2, -0.1, 0.0, 0.2, 0.21, 0.5, 0.6])
        band = premium.premium_band(percent)
        np.testing.assert_array_equal(band, [1, 2, 2, 3, 3, 3, 4, 4, 5])
        out = computed(premium.PREMIUM, {"close": np.array([-4e-3, -2e-3, 0, 3e-3, 6e-3])})
        np.testing.assert_array_equal(out["band"], [1, 2, 3, 4, 5])
        np.testing.assert_array_equal(out["contrarian"], [1, 1, 0, -1, -1])

    def test_history(self):
        times, values = hours(24 * 20), noise(24 * 20, 8, 0.0, 1e-3)
        columns = {"event_time": times, "close": values}
        out = computed(premium.PREMIUM_HISTORY, columns, z_days=7, rank_days=30, minimum_days=14)
        expected = oracle.z_score_in_days(times, values, 7, 7)
        np.testing.assert_allclose(out["z"], expected, rtol=1e-8, atol=1e-9)
        expected = oracle.percent_rank_in_days(times, np.abs(values), 30, 14)
        np.testing.assert_array_equal(out["size_rank"], expected)


class TestTakerFlow:
    bars = random_bars(400, 2, gap_share=0.03)
    columns = bars.columns()

    def test_ratio_and_its_ema(self):
        volume, bought = self.bars.volume, self.bars.taker_buy_volume
        share = [b / v if v > 0 else 0.5 for b, v in zip(bought, volume, strict=True)]
        out = computed(taker_flow.TAKER_RATIO, self.columns)
        np.testing.assert_allclose(out["share"][5:], share[5:], rtol=1e-12)
        np.testing.assert_allclose(out["smooth"][5:], talib.EMA(np.array(share), 6)[5:], rtol=1e-10)

    @pytest.mark.parametrize(
        ("share", "band", "strong"),
        [(0.70, 5, 1), (0.58, 4, 0), (0.52, 3, 0), (0.42, 2, 0), (0.30, 1, -1)],
    )
    def test_bands(self, share, band, strong):
        columns = {"volume": np.full(12, 10.0), "taker_buy_volume": np.full(12, 10.0 * share)}
        out = computed(taker_flow.TAKER_RATIO, columns)
        assert (out["band"][5:] == band).all()
        assert (out["strong"][5:] == strong).all()
        assert (out["strong"][:5] == 0).all()

    def test_trend_of_cvd(self):
        volume, bought = self.bars.volume, self.bars.taker_buy_volume
        out = computed(cvd.CVD, without_trades(self.columns))
        for t in (23, 50, 399):
            delta = 2 * bought - volume
            trend = sum(delta[t - 19 : t + 1]) / sum(volume[t - 19 : t + 1])
            now = sum(delta[t - 9 : t + 1]) / sum(volume[t - 9 : t + 1])
            before = sum(delta[t - 19 : t - 9]) / sum(volume[t - 19 : t - 9])
            assert out["trend"][t] == pytest.approx(trend, rel=1e-10)
            assert out["momentum"][t] == pytest.approx(now - before, rel=1e-9)
            assert out["cvd"][t] == pytest.approx(sum(delta[t - 23 : t + 1]), rel=1e-9)
            assert out["score"][t] == pytest.approx(oracle.squash(trend, 0.1))
            assert out["side"][t] == int(trend > 0.05) - int(trend < -0.05)
        assert np.isnan(out["trend"][:23]).all()

    def test_slope_is_in_standard_errors(self):
        out = computed(taker_flow.TAKER_TREND, self.columns)
        share = computed(taker_flow.TAKER_RATIO, self.columns)["share"]
        for t in (40, 111, 399):
            line = scipy.stats.linregress(np.arange(20), share[t - 19 : t + 1])
            assert out["slope"][t] == pytest.approx(line.slope / line.stderr, rel=1e-9)

    def test_divergence_of_flow_from_price(self):
        rising = np.linspace(100.0, 130.0, 60)
        volume = np.full(60, 10.0)
        fading = volume * np.linspace(0.65, 0.35, 60)
        columns = {"close": rising, "volume": volume, "taker_buy_volume": fading}
        assert (computed(taker_flow.TAKER_TREND, columns)["divergence"][25:] == -1).all()
        mirrored = {"close": 1e4 / rising, "volume": volume, "taker_buy_volume": volume - fading}
        assert (computed(taker_flow.TAKER_TREND, mirrored)["divergence"][25:] == 1).all()

    def test_volume_sentiment(self):
        out = computed(taker_flow.VOLUME_SENTIMENT, self.columns)
        steps = oracle.log_steps(self.bars.close)
        flow = 2 * self.bars.taker_buy_quote - self.bars.quote_volume
        for t in (20, 77, 399):
            rows = range(t - 19, t + 1)
            share = sum(self.bars.taker_buy_volume[i] for i in rows) / sum(
                self.bars.volume[i] for i in rows
            )
            size = sum(steps[i] ** 2 for i in rows) * sum(abs(flow[i]) for i in rows)
            weighted = sum(steps[i] * abs(flow[i]) ** 0.5 for i in rows) / size**0.5
            expected = 0.8 * 100 * share + 0.2 * oracle.squash(weighted, 0.5)
            assert out["score"][t] == pytest.approx(expected, rel=1e-9)

    def test_volume_sentiment_of_a_mirrored_market_is_mirrored(self):
        mirrored = dict(self.columns)
        mirrored["close"] = 1e4 / self.columns["close"]
        for kind, whole in (("taker_buy_volume", "volume"), ("taker_buy_quote", "quote_volume")):
            mirrored[kind] = self.columns[whole] - self.columns[kind]
        traded = self.columns["volume"] > 0
        assert not traded.all()
        score = computed(taker_flow.VOLUME_SENTIMENT, self.columns)["score"]
        other = computed(taker_flow.VOLUME_SENTIMENT, mirrored)["score"]
        np.testing.assert_allclose(score[20:] + other[20:], 100.0, rtol=1e-9)


class TestLiquidation:
    rows = 24 * 20
    times = hours(rows)

    def columns(self):
        generator = np.random.default_rng(6)
        coins = np.exp(0.02 * generator.standard_normal(self.rows)) * 1e5
        price = 100 * np.exp(np.cumsum(0.01 * generator.standard_normal(self.rows)))
        return {
            "event_time": self.times,
            "sum_open_interest": coins,
            "sum_open_interest_value": coins * price,
            "sum_taker_long_short_vol_ratio": np.exp(0.2 * generator.standard_normal(self.rows)),
        }

    def test_against_the_literal_sums(self):
        columns = self.columns()
        price = columns["sum_open_interest_value"] / columns["sum_open_interest"]
        steps = np.array(oracle.log_steps(price))
        limits = []
        for t in range(self.rows):
            warm = self.times[t] - self.times[0] >= 3.5 * DAY_NS
            window = steps[max(0, t - 24 * 7 + 1) : t + 1]
            limits.append(1.5 * oracle.deviation(window) if warm else np.nan)
        longs, shorts = oracle.liquidation_masses(
            self.times, columns["sum_open_interest"], columns["sum_open_interest_value"],
            columns["sum_taker_long_short_vol_ratio"], limits, 3.5,
        )  # fmt: skip
        longs, shorts = np.array(longs), np.array(shorts)
        out = computed(liquidation.LIQUIDATION, columns, window_days=7)
        mass = longs + shorts
        lean = np.where(mass > 0, (longs - shorts) / np.where(mass > 0, mass, 1), 0)
        assert np.count_nonzero(np.diff(mass) > 0) > 5
        np.testing.assert_allclose(out["lean"], lean, atol=1e-9)
        intensity = np.array(oracle.z_score_in_days(self.times, mass, 7, 7))
        np.testing.assert_allclose(out["intensity"], intensity, rtol=1e-7, atol=1e-8)
        for t in range(24 * 7 + 2, self.rows):
            now, before, earlier = intensity[t], intensity[t - 1], intensity[t - 2]
            reach = min(1.0, max(0.0, now / 4))
            expected = 50.0
            if now > before and now > 1:
                expected = 50 - 50 * lean[t] * reach
            if now < before < earlier and now > 2:
                expected = 50 + 50 * lean[t] * reach
            assert out["score"][t] == pytest.approx(expected, abs=1e-6)

    def test_falling_price_liquidates_longs(self):
        coins = np.array([100.0, 90.0, 90.0, 80.0, 95.0])
        price = np.array([10.0, 9.0, 9.0, 10.0, 8.0])
        longs, shorts = liquidation.liquidated_usd(
            coins, coins * price, np.array([1.0, 0.5, 0.5, 2.0, 0.5]), np.full(5, 0.02)
        )
        np.testing.assert_allclose(longs, [0, 90, 0, 0, 0])
        np.testing.assert_allclose(shorts, [0, 0, 0, 100, 0])


class TestMood:
    bars = random_bars(24 * 40, 9, gap_share=0.01)

    def test_parts(self):
        columns = self.bars.columns()
        out = computed(mood.MARKET_MOOD, columns, window_days=30, minimum_days=20)
        steps = np.array(oracle.log_steps(self.bars.close))
        size = [np.sqrt((steps[max(0, t - 23) : t + 1] ** 2).sum()) for t in range(len(self.bars))]
        moved = [steps[max(0, t - 23) : t + 1].sum() for t in range(len(self.bars))]
        rank = np.array(oracle.percent_rank_in_days(columns["open_time"], size, 30, 20))
        bar = self.bars
        adx = talib.ADX(bar.high, bar.low, bar.close, 14)
        lead = talib.PLUS_DI(bar.high, bar.low, bar.close, 14) - talib.MINUS_DI(
            bar.high, bar.low, bar.close, 14
        )
        for t in range(24 * 20, len(bar), 7):
            ratio = max(0.01, bar.volume[t] / np.mean(bar.volume[t - 20 : t]))
            parts = (
                100 - rank[t],
                oracle.squash(moved[t] / size[t], 1.5),
                oracle.squash(np.log(ratio) * np.sign(steps[t]), 0.5),
                50 + 0.5 * adx[t] * np.sign(lead[t]),
            )
            for name, value in zip(("calm", "pace", "activity", "trend"), parts, strict=True):
                # TA-Lib starts its Wilder sums differently; forgotten after 20 days of hours
                assert out[name][t] == pytest.approx(value, abs=1e-6), (name, t)
            expected = 0.3 * parts[0] + 0.3 * parts[1] + 0.2 * parts[2] + 0.2 * parts[3]
            assert out["score"][t] == pytest.approx(expected, abs=1e-6)
        assert np.isnan(out["score"][: 24 * 20]).all()

    def test_exhaustion(self):
        generator = np.random.default_rng(4)
        drift = 0.004 * np.sign(np.sin(np.arange(3000) / 15))
        close = 100 * np.exp(np.cumsum(drift + 0.001 * generator.standard_normal(3000)))
        volume = np.exp(0.8 * generator.standard_normal(3000))
        is_gap = np.zeros(3000)
        for start in range(100, 3000, 150):
            is_gap[start : start + 5] = 1
        columns = {"close": close, "volume": volume, "is_gap": is_gap}
        out = computed(mood.TREND_EXHAUSTION, columns)
        expected = oracle.exhaustion(close, volume, talib.RSI(close, 14), is_gap)
        np.testing.assert_array_equal(out["signal"], expected)
        assert np.count_nonzero(out["signal"] > 0) > 5
        assert np.count_nonzero(out["signal"] < 0) > 5
        unbroken = computed(mood.TREND_EXHAUSTION, {**columns, "is_gap": np.zeros(3000)})
        assert not np.array_equal(unbroken["signal"], out["signal"])

    @pytest.mark.parametrize("turns", [7, 8, 9, 10])
    def test_exhaustion_needs_nine_closes(self, turns):
        falling = 100.0 - 0.01 * np.arange(40)
        rising = falling[-4] + 5.0 * np.arange(1, turns + 1)
        close = np.concatenate((falling, rising))
        volume = np.ones(len(close))
        volume[-1] = 3.0
        columns = {"close": close, "volume": volume, "is_gap": np.zeros(len(close))}
        signal = computed(mood.TREND_EXHAUSTION, columns)["signal"]
        assert (signal[:-1] == 0).all()
        assert signal[-1] == (-1 if turns >= 9 else 0)


class TestDaily:
    def test_fear_and_greed(self):
        out = computed(daily_series.FEAR_GREED, {"value": np.array([10.0, 25.0, 50.0, 75.0, 90.0])})
        np.testing.assert_array_equal(out["score"], [90, 50, 50, 50, 10])
        np.testing.assert_array_equal(out["extreme"], [1, 0, 0, 0, -1])

    def reserves(self, ages, reserve):
        columns = {"event_time": days(*ages), "reserve": np.array(reserve, dtype=np.float64)}
        return computed(exchange_reserves.EXCHANGE_RESERVES, columns)

    def test_flows(self):
        out = self.reserves(range(12), [100.0] * 9 + [94.0, 94.0, 99.5])
        np.testing.assert_array_equal(out["sharp"][8:], [0, 1, 0, -1])
        np.testing.assert_array_equal(out["steady"][8:], [0, 1, 1, 0])
        assert out["change_7d"][9] == pytest.approx(-6.0)
        assert np.isnan(out["change_7d"][:7]).all()
        assert np.isnan(out["change_30d"]).all()

    def test_a_relabelled_wallet_is_not_a_flow(self):
        out = self.reserves(range(20), [100.0] * 8 + [60.0] * 12)
        assert (out["sharp"] == 0).all()
        assert (out["steady"] == 0).all()

    def test_a_hole_is_not_a_day(self):
        out = self.reserves([0, 1, 2, 6, 7], [100.0, 100.0, 100.0, 90.0, 90.0])
        assert out["change_1d"][3] == pytest.approx(-10.0)
        assert (out["sharp"] == 0).all()

    def test_scarcity(self):
        columns = {"event_time": days(*range(200)), "reserve": np.linspace(200, 150, 200)}
        out = computed(exchange_reserves.EXCHANGE_RESERVES, columns, rank_days=180, minimum_days=90)
        assert (out["scarce"][:90] == 0).all()
        assert (out["scarce"][90:] == 1).all()
        assert (out["rank"][90:] == 0).all()

    def test_growth_of_locked_value(self):
        columns = {"event_time": days(*range(16)), "tvl_usd": 100 * 1.02 ** np.arange(16)}
        out = computed(total_value_locked.TVL, columns)
        assert out["growth_7d"][10] == pytest.approx(100 * (1.02**7 - 1))
        np.testing.assert_array_equal(out["strong"], [0] * 7 + [1] * 9)
        falling = {**columns, "tvl_usd": 100 * 0.98 ** np.arange(16)}
        np.testing.assert_array_equal(
            computed(total_value_locked.TVL, falling)["strong"][7:], [-1] * 9
        )

    def test_implied_volatility(self):
        times = days(*range(200))
        values = noise(200, 3, 60.0, 10.0)
        columns = {"event_time": times, "dvol_close": values}
        out = computed(daily_series.IMPLIED_VOLATILITY, columns, window_days=90, minimum_days=60)
        np.testing.assert_array_equal(out["percent"], values)
        expected = oracle.percent_rank_in_days(times, values, 90, 60)
        np.testing.assert_array_equal(out["rank"], expected)
        expected = oracle.z_score_in_days(times, values, 90, 60)
        np.testing.assert_allclose(out["z"], expected, rtol=1e-8, atol=1e-9)
