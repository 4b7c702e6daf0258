"""Basis, expected funding, volatility premium and prices elsewhere against oracles."""

import math

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS
from indicators import basis, expected_funding, price_premium, volatility_premium
from tests.generators import START_NS, random_walk
from tests.oracles import crypto as oracle
from tests.test_indicators.computing import computed, days, hours


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
