"""CVD lines, basis, expected funding, volatility premium, supply, funds and digits against oracles."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats

from engine import DAY_NS, HOUR_NS
from indicators import (
    basis,
    coin_supply,
    cvd,
    exchange_reserves,
    expected_funding,
    liquidation,
    positioning,
    price_premium,
    taker_flow,
    total_value_locked,
    trade_size,
    volatility_premium,
)
from indicators.spec import Indicator
from tests.flow_columns import taker_columns, without_trades
from tests.generators import START_NS, random_bars, random_walk
from tests.oracles import crypto as oracle


def computed(indicator: Indicator, columns, **parameters) -> dict[str, np.ndarray]:
    outputs = indicator.compute(columns, indicator.resolved(parameters))
    return {declared.name: o for declared, o in zip(indicator.outputs, outputs, strict=True)}


def hours(rows: int) -> np.ndarray:
    return (START_NS + HOUR_NS * np.arange(rows)).astype(np.float64)


def days(rows: int) -> np.ndarray:
    return (START_NS + DAY_NS * np.arange(rows)).astype(np.float64)


class TestCvd:
    bars = random_bars(900, 3, gap_share=0.02)

    def columns(self):
        found = without_trades(self.bars.columns())
        found["is_gap"] = found["is_gap"].copy()
        found["is_gap"][400:406] = 1.0
        return found

    def delta(self):
        columns = self.columns()
        return [
            2 * b - v for b, v in zip(columns["taker_buy_volume"], columns["volume"], strict=True)
        ]

    def test_session(self):
        columns, delta = self.columns(), self.delta()
        out = computed(cvd.CVD_SESSION, columns)
        for t in range(0, 900, 7):
            first = next(
                i
                for i in range(t + 1)
                if columns["open_time"][i] // DAY_NS == columns["open_time"][t] // DAY_NS
            )
            bought, volume = sum(delta[first : t + 1]), sum(columns["volume"][first : t + 1])
            assert out["cvd"][t] == pytest.approx(bought, rel=1e-12, abs=1e-9)
            assert out["share"][t] == pytest.approx(bought / volume if volume else 0.0)

    def test_a_session_without_volume_has_no_side(self):
        columns = taker_columns(np.zeros(30), np.zeros(30)) | {"open_time": hours(30)}
        assert (computed(cvd.CVD_SESSION, columns)["share"] == 0).all()

    def test_the_side_turns_beyond_the_band_only(self):
        share = np.array([0.0, 0.01, 0.03, 0.01, -0.01, -0.019, -0.02, 0.0, 0.019, 0.5, -0.5])
        columns = taker_columns(np.ones(11), (1 + share) / 2)
        # Five bars are the shortest window: the same share five times over.
        long = {name: np.repeat(values, 5) for name, values in columns.items()}
        out = computed(cvd.CVD_FLIP, long, cvd_length=5)
        np.testing.assert_allclose(out["share"][4::5], share, atol=1e-12)
        np.testing.assert_array_equal(out["side"][4::5], [0, 0, 1, 1, 1, 1, -1, -1, -1, 1, -1])
        turned = np.flatnonzero(out["flip"])
        np.testing.assert_array_equal(out["flip"][turned], [-1, 1, -1])
        assert (out["flip"][:34] == 0).all()

    def test_levels_are_clusters_of_confirmed_pivots(self):
        columns, delta = self.columns(), self.delta()
        length, memory, width = 24, 120, 0.5
        out = computed(cvd.CVD_LEVELS, columns, cvd_length=length, memory=memory, width=width)
        line = [
            math.fsum(delta[max(0, t - 23) : t + 1]) if t >= 23 else math.nan for t in range(900)
        ]
        steps = [math.nan, *(b - a for a, b in pairwise(line))]
        before: tuple[float, float] | None = None
        fired = 0
        first, run = 0, 0
        for t in range(900):
            run = run + 1 if columns["is_gap"][t] else 0
            if run > 3:
                first, before = t + 1, None
                assert out["breakout"][t] == 0
                continue
            event = 0
            if before:
                event = int(line[t] > before[0]) - int(line[t] < before[1])
            assert out["breakout"][t] == event, t
            fired += event != 0
            before = None
            if t < length + 99:
                assert np.isnan(out["resistance"][t])
                continue
            unit = statistics.pstdev(steps[t - 99 : t + 1])
            oldest = max(t - memory, first)
            broken = [False] * 900
            pivots = [
                line[j] for j, _ in oracle.confirmed_pivots(line, broken, t, 5, 5) if j >= oldest
            ]
            pivots = pivots[-64:]
            clusters = []
            for pivot in pivots:
                members = [other for other in pivots if abs(other - pivot) <= width * unit]
                if len(members) > 1:
                    clusters.append(statistics.fmean(members))
            above = min((c for c in clusters if c > line[t]), default=math.nan)
            below = max((c for c in clusters if c < line[t]), default=math.nan)
            before = (above, below)
            np.testing.assert_allclose(out["resistance"][t] * unit, above - line[t], rtol=1e-7)
            np.testing.assert_allclose(out["support"][t] * unit, line[t] - below, rtol=1e-7)
        assert fired > 20


class TestTakerFlow:
    def test_imbalance_and_trend(self):
        bars = random_bars(400, 8)
        columns = bars.columns()
        share = columns["taker_buy_volume"] / columns["volume"]
        ratio = computed(taker_flow.TAKER_RATIO, columns)
        expected = [oracle.sign(x - 0.5) if abs(x - 0.5) > 0.10 else 0 for x in share[5:]]
        np.testing.assert_array_equal(ratio["imbalance"][5:], expected)
        trend = computed(taker_flow.TAKER_TREND, columns)
        for t in range(30, 400):
            fit = scipy.stats.linregress(range(20), share[t - 19 : t + 1])
            t_statistic = fit.slope / fit.stderr
            assert trend["trend"][t] == (oracle.sign(t_statistic) if abs(t_statistic) > 2 else 0)


class TestPositioning:
    def test_absolute_bands_are_those_of_the_source(self):
        ratio = np.array([0.2, 0.34, 0.49, 0.5, 1.0, 2.0, 2.01, 3.0, 3.01])
        columns = {"event_time": days(9), "count_long_short_ratio": ratio}
        out = computed(positioning.LONG_SHORT_EXTREME, columns)
        np.testing.assert_array_equal(out["absolute_band"], [1, 2, 2, 3, 3, 3, 4, 4, 5])
        np.testing.assert_array_equal(out["absolute"], [1, 0, 0, 0, 0, 0, 0, 0, -1])
        np.testing.assert_array_equal(out["relative_band"], np.zeros(9))

    def test_bands_follow_the_signals(self):
        generator = np.random.default_rng(2)
        columns = {"event_time": hours(2000)}
        for name in ("count_long_short_ratio", "sum_toptrader_long_short_ratio"):
            columns[name] = np.exp(0.4 * generator.standard_normal(2000))
        ranked = computed(positioning.LONG_SHORT_EXTREME, columns)
        known = ~np.isnan(ranked["rank"])
        np.testing.assert_array_equal(ranked["relative_band"][known], 2 - ranked["relative"][known])
        elite = computed(positioning.ELITE_DIVERGENCE, columns)
        known = ~np.isnan(elite["z"])
        np.testing.assert_array_equal(elite["band"][known], 2 + elite["follow"][known])
        assert (elite["band"][~known] == 0).all()


class TestBasis:
    def test_premium_of_the_mark(self):
        index = np.full(9, 200.0)
        percent = np.array([-0.31, -0.3, -0.11, -0.1, 0.0, 0.2, 0.21, 0.5, 0.51])
        out = computed(
            basis.MARK_PREMIUM, {"close": index * (1 + percent / 100), "index_price.close": index}
        )
        np.testing.assert_allclose(out["percent"], percent, atol=1e-9)
        inside = [0, 2, 4, 6, 8]
        np.testing.assert_array_equal(out["band"][inside], [1, 2, 3, 4, 5])
        nothing = computed(basis.MARK_PREMIUM, {"close": index, "index_price.close": 0 * index})
        assert (nothing["percent"] == 0).all()

    def test_a_year_of_basis_counts_from_when_the_row_is_known(self):
        known_at = np.array([0.0, 10.0, 90.0, 97.9, 98.0, 99.0, 105.0]) * DAY_NS + START_NS
        columns = {
            "known_at": known_at,
            "expiry": np.full(7, START_NS + 100.0 * DAY_NS),
            "close": np.array([101.0, 99.95, 101.0, 99.8, 150.0, 150.0, 150.0]),
            "index_price.close": np.full(7, 100.0),
        }
        out = computed(basis.DATED_BASIS, columns)
        np.testing.assert_allclose(
            out["annual"][:4], [3.65, -0.05 * 365 / 90, 36.5, -0.2 * 365 / 2.1]
        )
        assert np.isnan(out["annual"][4:]).all()
        assert np.isnan(out["days"][4:]).all()
        np.testing.assert_array_equal(out["band"], [3, 2, 4, 1, 0, 0, 0])


class TestExpectedFunding:
    def test_the_formula(self):
        """Premium near the interest pays the interest; beyond the clamp it is moved by 0.05 %."""
        premium = np.array([0.0, 5e-4, 6e-4, 7e-4, -4e-4, -5e-4, -1e-3])
        expected = [1e-4, 1e-4, 1e-4, 2e-4, 1e-4, 0.0, -5e-4]
        np.testing.assert_allclose(
            expected_funding.funding_of_premium(premium), expected, atol=1e-15
        )

    def test_the_mean_begins_with_each_settlement(self):
        rows = 60
        event_time = hours(rows)
        premium = np.random.default_rng(1).normal(0, 1e-3, rows)
        settled = np.empty(rows)
        interval = np.empty(rows)
        settlements = [(-5, 8), (3, 8), (11, 8), (15, 4), (19, 4), (20, 1), (21, 1), (29, 8)]
        for t in range(rows):
            # What the close of the row, an hour after its time, can see.
            last = [one for one in settlements if one[0] <= t + 1][-1]
            settled[t], interval[t] = START_NS + last[0] * HOUR_NS, last[1]
        out = computed(
            expected_funding.EXPECTED_FUNDING,
            {
                "event_time": event_time, "close": premium,
                "funding.event_time": settled, "funding.interval_hours": interval,
            },
        )  # fmt: skip
        for t in range(rows):
            begin = max((s for s, _ in settlements if s <= t), default=0)
            since = premium[max(begin, 0) : t + 1]
            mean = np.average(since, weights=np.arange(1, len(since) + 1))
            f8 = mean + min(max(1e-4 - mean, -5e-4), 5e-4)
            assert out["premium"][t] == pytest.approx(mean)
            assert out["f8"][t] == pytest.approx(f8)
            assert out["rate"][t] == pytest.approx(f8 * interval[t] / 8)


class TestVolatility:
    rows = 24 * 120
    close = random_walk(24 * 120, 4)

    def test_realised(self):
        columns = {"open_time": hours(self.rows), "close": self.close}
        out = computed(
            volatility_premium.VOLATILITY_REGIME, columns, window_days=90, minimum_days=30
        )
        steps = np.diff(np.log(self.close), prepend=np.log(self.close[0]))
        long = []
        for t in range(self.rows):
            if t < 30 * 24:
                assert np.isnan(out["realised_30d"][t])
                continue
            window = steps[t - 719 : t + 1]
            long.append(100 * math.sqrt(math.fsum(window**2) / 720 * 24 * 365))
            assert out["realised_30d"][t] == pytest.approx(long[-1])
        times = hours(self.rows)[720:]
        rank = oracle.percent_rank_in_days(times[:900], out["realised_30d"][720:1620], 90, 30)
        np.testing.assert_array_equal(out["rank"][720:1620], rank)
        edges = (20, 40, 60, 80)
        known = ~np.isnan(out["rank"])
        expected = [1 + sum(rank >= edge for edge in edges) for rank in out["rank"][known]]
        np.testing.assert_array_equal(out["regime"][known], expected)
        assert (out["regime"][~known] == 0).all()

    def test_trend_of_five_days(self):
        columns = {"open_time": hours(self.rows), "close": self.close}
        out = computed(volatility_premium.VOLATILITY_REGIME, columns)
        short = out["realised_7d"]
        seen = set()
        for t in range(720 + 241, self.rows, 13):
            ratio = np.mean(short[t - 119 : t + 1]) / np.mean(short[t - 239 : t - 119])
            if abs(abs(ratio - 1) - 0.1) > 1e-6:
                assert out["trend"][t] == 2 + int(ratio > 1.1) - int(ratio < 0.9)
                seen.add(out["trend"][t])
        assert seen == {1.0, 2.0, 3.0}

    def test_premium_over_realised(self):
        implied = 60 + np.random.default_rng(3).normal(0, 10, self.rows)
        columns = {
            "open_time": hours(self.rows), "close": self.close,
            "implied_volatility.dvol_close": implied,
        }  # fmt: skip
        out = computed(
            volatility_premium.VOLATILITY_PREMIUM, columns, window_days=30, minimum_days=20
        )
        realised = computed(volatility_premium.VOLATILITY_REGIME, columns)["realised_30d"]
        spread = implied - realised
        np.testing.assert_allclose(out["spread"], spread)
        expected = oracle.z_score_in_days(hours(self.rows)[720:1800], spread[720:1800], 30, 20)
        np.testing.assert_allclose(out["z"][720:1800], expected, rtol=1e-8, atol=1e-9)
        np.testing.assert_array_equal(out["expected"][720:], np.where(spread[720:] < 0, 2, 1))
        # Known late, with a hole: realised volatility is that of all bars all the same.
        stated = np.ones(self.rows, dtype=bool)
        stated[:1000] = stated[1300:1350] = False
        columns["implied_volatility.dvol_close"] = np.where(stated, implied, np.nan)
        part = computed(
            volatility_premium.VOLATILITY_PREMIUM, columns, window_days=30, minimum_days=20
        )
        np.testing.assert_allclose(part["spread"], np.where(stated, spread, np.nan))
        expected = oracle.z_score_in_days(
            hours(self.rows)[stated][:900], spread[stated][:900], 30, 20
        )
        np.testing.assert_allclose(part["z"][stated][:900], expected, rtol=1e-8, atol=1e-9)
        assert np.isnan(part["z"][~stated]).all()
        assert (part["expected"][~stated] == 0).all()

    def test_a_market_that_does_not_move_has_none(self):
        still = {"open_time": hours(2000), "close": np.full(2000, 5.0)}
        out = computed(volatility_premium.VOLATILITY_REGIME, still, window_days=90, minimum_days=30)
        assert (out["realised_30d"][720:] == 0).all()
        assert (out["trend"][1000:] == 2).all()
        single = {name: values[:1] for name, values in still.items()}
        assert np.isnan(computed(volatility_premium.VOLATILITY_REGIME, single)["realised_7d"]).all()


class TestSupply:
    def test_unlocks(self):
        columns = {
            "fraction_7d": np.array([0.0, 0.001, -1.0]),
            "fraction_14d": np.array([0.0, 0.0099, 0.01]),
            "fraction_30d": np.array([0.0, 0.02, 0.02]),
        }
        out = computed(coin_supply.TOKEN_UNLOCKS, columns)
        np.testing.assert_allclose(out["percent_7d"], [0, 0.1, 0])
        np.testing.assert_allclose(out["percent_30d"], [0, 2, 2])
        out = computed(coin_supply.UNLOCK_PRESSURE, columns)
        np.testing.assert_array_equal(out["band"], [1, 2, 3])
        np.testing.assert_array_equal(out["pressure"], [0, 0, -1])

    def test_listing(self):
        rows = 100
        known_at = hours(rows) + HOUR_NS
        announced = np.where(
            np.arange(rows) < 10, START_NS - 30.0 * DAY_NS, START_NS + 9.5 * HOUR_NS
        )
        side = np.where(np.arange(rows) < 10, -1.0, 1.0)
        close = np.full(rows, 100.0)
        close[11:] = 110.0
        close[20:30] = 90.0
        columns = {
            "known_at": known_at, "close": close,
            "listings.event_time": announced, "listings.side": side,
        }  # fmt: skip
        out = computed(coin_supply.LISTING, columns)
        assert out["age"][10] == pytest.approx(1.5)
        assert out["gain"][15] == pytest.approx(math.log(1.1))
        np.testing.assert_array_equal(out["momentum"][:12], [0] * 11 + [1])
        assert (out["momentum"][20:30] == -1).all()
        fresh = np.flatnonzero(out["band"] == 2)
        assert (fresh[0], fresh[-1]) == (10, 80)
        assert (out["momentum"][81:] == 0).all()
        assert (out["gain"][81:] == 0).all()
        assert out["gain"][80] == pytest.approx(math.log(1.1))
        gone = computed(coin_supply.LISTING, {**columns, "listings.side": -side})
        assert (gone["momentum"][10:81] == -1).all()
        assert (gone["band"][10:81] == 3).all()


class TestPricesElsewhere:
    def test_the_band_of_a_premium_ends_with_the_conversion(self):
        rows = 400
        event_time = price_premium.CONVERSION_NS + DAY_NS * (np.arange(rows) - 300.0)
        generator = np.random.default_rng(6)
        nav = 50 * np.exp(0.01 * generator.standard_normal(rows).cumsum())
        percent = generator.normal(0, 3, rows)
        flow = generator.normal(0, 1e8, rows)
        columns = {
            "event_time": event_time, "nav": nav, "price": nav * (1 + percent / 100), "flow_usd": flow,
        }  # fmt: skip
        out = computed(price_premium.ETF_PREMIUM, columns)
        np.testing.assert_allclose(out["premium"], percent, atol=1e-9)
        z = oracle.z_score_in_days(event_time, percent, 90, 90)
        np.testing.assert_allclose(out["z"], z, rtol=1e-7, atol=1e-8)
        for t in range(300):
            expected = 0 if math.isnan(z[t]) else 2 + int(z[t] >= 2) - int(z[t] <= -2)
            assert out["band"][t] == expected
        assert (out["band"][300:] == 0).all()
        flows = computed(price_premium.ETF_FLOW, columns)
        expected = oracle.z_score_in_days(event_time, flow, 90, 90)
        np.testing.assert_allclose(flows["z"], expected, rtol=1e-7, atol=1e-8)
        assert set(flows["band"][300:]) == {1.0, 2.0, 3.0}

    def test_korea(self):
        event_time, premium = days(300), np.random.default_rng(7).normal(0.02, 0.01, 300)
        out = computed(price_premium.KIMCHI_PREMIUM, {"event_time": event_time, "premium": premium})
        z = np.array(oracle.z_score_in_days(event_time, 100 * premium, 90, 90))
        np.testing.assert_allclose(out["z"], z, rtol=1e-7, atol=1e-8)
        np.testing.assert_array_equal(out["contrarian"], -np.nan_to_num(z > 2).astype(float))
        np.testing.assert_array_equal(out["band"] == 0, np.isnan(z))


class TestDigits:
    def test_leading_digits_by_their_text(self):
        generator = np.random.default_rng(9)
        volume = np.exp(generator.normal(0, 6, 700))
        volume[::50] = 0.0
        out = computed(trade_size.FIRST_DIGITS, {"volume": volume}, length=100)
        heads = [f"{v:.15e}" if v > 0 else "" for v in volume]
        for t in (99, 250, 699):
            window = [text for text in heads[t - 99 : t + 1] if text]
            shares = [sum(text[0] == str(d) for text in window) / len(window) for d in range(1, 10)]
            expected = [math.log10(1 + 1 / d) for d in range(1, 10)]
            distance = statistics.fmean(abs(a - b) for a, b in zip(shares, expected, strict=True))
            assert out["deviation"][t] == pytest.approx(distance)
            pairs = [text[0] + text[2] for text in window]
            most = max(pairs.count(pair) for pair in set(pairs))
            assert out["clustering"][t] == pytest.approx(most / len(window))

    def test_what_repeats_is_suspect(self):
        same = computed(trade_size.FIRST_DIGITS, {"volume": np.full(600, 700.0)})
        assert (same["band"][499:] == 2).all()
        assert (same["clustering"][499:] == 1).all()
        empty = computed(trade_size.FIRST_DIGITS, {"volume": np.zeros(600)})
        assert (empty["deviation"][499:] == 0).all()
        assert (empty["band"][499:] == 1).all()
        still = computed(trade_size.TRADE_SIZE, {"volume": np.zeros(600), "trades": np.zeros(600)})
        assert (still["size_z"][499:] == 0).all()


class TestHoldings:
    def test_supply_shock_and_bands(self):
        reserve = np.concatenate((np.full(100, 100.0), np.linspace(100, 90, 60), np.full(60, 95.0)))
        columns = {"event_time": days(220), "reserve": reserve}
        out = computed(exchange_reserves.EXCHANGE_RESERVES, columns, rank_days=180, minimum_days=90)
        assert (out["band"][:90] == 0).all()
        assert (out["band"][90:100] == 5).all()
        assert (out["supply_shock"][90:100] == 0).all()
        assert (out["band"][101:160] == 1).all()
        np.testing.assert_allclose(out["supply_shock"][101:160], 1.0)
        assert (out["supply_shock"][-20:] == 0).all()

    def test_an_anomaly_is_a_flow_and_a_relabelled_wallet_is_none(self):
        generator = np.random.default_rng(1)
        reserve = 1000.0 + generator.normal(0, 1, 200).cumsum()
        reserve[150:] -= 12.0
        reserve[180:] *= 0.7
        out = computed(
            exchange_reserves.EXCHANGE_RESERVES, {"event_time": days(200), "reserve": reserve}
        )
        assert out["anomaly"][150] == 1
        assert out["anomaly"][180] == 0
        assert (out["anomaly"][:90] == 0).all()

    def test_dominance(self):
        columns = {
            "event_time": days(20), "reserve": np.full(20, 100.0),
            "exchange_reserves:venue.reserve": np.r_[np.full(10, 20.0), np.full(10, 22.0)],
        }  # fmt: skip
        out = computed(exchange_reserves.RESERVE_DOMINANCE, columns)
        np.testing.assert_allclose(out["share"], np.r_[np.full(10, 0.2), np.full(10, 0.22)])
        np.testing.assert_allclose(out["change_7d"][[9, 10, 16, 17]], [0, 10, 10, 0], atol=1e-9)
        columns["exchange_reserves:venue.reserve"][10:] = 60.0
        assert (
            computed(exchange_reserves.RESERVE_DOMINANCE, columns)["change_7d"][10:17] == 0
        ).all()

    def test_locked_value_beside_its_price(self):
        generator = np.random.default_rng(5)
        price = 2000 * np.exp(0.03 * generator.standard_normal(150).cumsum())
        coins = 1e6 * np.exp(0.02 * generator.standard_normal(150).cumsum())
        columns = {"event_time": days(150), "tvl_usd": coins * price, "tvl_eth": coins}
        out = computed(total_value_locked.TVL_HEALTH, columns)
        steps, moves = np.diff(np.log(coins * price)), np.diff(np.log(price))
        for t in (7, 30, 90, 149):
            for span in (7, 30, 90):
                if t >= span:
                    expected = np.corrcoef(steps[t - span : t], moves[t - span : t])[0, 1]
                    assert out[f"correlation_{span}d"][t] == pytest.approx(expected)
        growth = 100 * (coins[40] * price[40] / (coins[10] * price[10]) - 1)
        flow = 100 * (coins[40] / coins[10] - 1)
        health = (0.4 * oracle.squash(growth, 10) + 0.3 * oracle.squash(flow, 10)) / 0.7
        assert out["health"][40] == pytest.approx(health)
        out = computed(total_value_locked.TVL_FLOW, columns)
        week = 100 * (coins[7:] / coins[:-7] - 1)
        np.testing.assert_allclose(out["flow_7d"][7:], week)
        np.testing.assert_array_equal(out["band"][7:], 2 + (week >= 5) - 1.0 * (week <= -5))

    def test_coins_that_flee_a_rising_price_correlate_negatively(self):
        price = 2000 * np.exp(0.03 * np.random.default_rng(8).standard_normal(120).cumsum())
        columns = {"event_time": days(120), "tvl_usd": 1e9 / price, "tvl_eth": 1e9 / price**2}
        out = computed(total_value_locked.TVL_HEALTH, columns)
        for span in (7, 30, 90):
            np.testing.assert_allclose(out[f"correlation_{span}d"][span:], -1.0)

    def test_a_price_that_doubles_is_no_flow(self):
        price = np.r_[np.full(60, 1000.0), np.full(60, 2000.0)]
        columns = {"event_time": days(120), "tvl_usd": 1e6 * price, "tvl_eth": np.full(120, 1e6)}
        assert (computed(total_value_locked.TVL, columns)["band"][60:67] == 5).all()
        assert (computed(total_value_locked.TVL_FLOW, columns)["band"][7:] == 2).all()

    def test_bands_of_growth(self):
        percent = np.array([-12.0, -5.0, 0.0, 5.0, 12.0])
        for growth, band in zip(percent, (1, 2, 3, 4, 5), strict=True):
            locked = np.r_[np.full(7, 100.0), 100.0 + growth]
            out = computed(total_value_locked.TVL, {"event_time": days(8), "tvl_usd": locked})
            assert out["band"][-1] == band


def test_the_proxy_of_liquidations_and_its_bursts():
    rows = 24 * 80
    generator = np.random.default_rng(12)
    price = random_walk(rows, 12)
    coins = 1000 * np.exp(0.002 * generator.standard_normal(rows).cumsum())
    price[1500:] *= 0.93
    coins[1500:] *= 0.85
    columns = {
        "event_time": hours(rows), "sum_open_interest": coins,
        "sum_open_interest_value": coins * price,
        "sum_taker_long_short_vol_ratio": np.where(generator.random(rows) < 0.5, 0.8, 1.25),
    }  # fmt: skip
    columns["sum_taker_long_short_vol_ratio"][1500] = 0.5
    out = computed(liquidation.LIQUIDATION_PROXY, columns)
    assert out["burst"][1500] == -1
    assert out["long_usd"][1500] == pytest.approx((coins[1499] - coins[1500]) * price[1500])
    steps = np.diff(np.log(price), prepend=np.log(price[0]))
    for t in range(800, rows):
        limit = 1.5 * np.std(steps[t - 719 : t + 1])
        closed = max(coins[t - 1] - coins[t], 0) * price[t]
        ratio = columns["sum_taker_long_short_vol_ratio"][t]
        longs = closed if steps[t] < -limit and ratio < 1 else 0
        shorts = closed if steps[t] > limit and ratio > 1 else 0
        assert out["long_usd"][t] == pytest.approx(longs)
        assert out["short_usd"][t] == pytest.approx(shorts)
