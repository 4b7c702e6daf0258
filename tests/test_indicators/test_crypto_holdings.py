"""Unlocks, listings, exchange reserves and locked value against oracles."""

import math

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS
from indicators import coin_supply, exchange_reserves, total_value_locked
from tests.generators import START_NS
from tests.oracles import crypto as oracle
from tests.test_indicators.computing import computed, days, hours


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
