"""CVD lines, taker flow, positioning, liquidations and digits of volume against oracles."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
import scipy.stats

from engine import DAY_NS
from indicators import cvd, liquidation, positioning, taker_flow, trade_size
from tests.flow_columns import taker_columns, without_trades
from tests.generators import random_bars, random_walk
from tests.oracles import crypto as oracle
from tests.test_indicators.computing import computed, days, hours


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
