"""The liquidation map against plain dictionaries, by hand, and its edges."""

import math

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS
from experiments.checks.markets import null_market
from indicators import clock_of
from indicators._liquidation_map import liquidation_map_kernel
from indicators.liquidation_map import LIQUIDATION_MAP, dollar_impact, leverage_weights
from tests.oracles.liquidation_map import rows_of_map

LEVERAGES = np.array([5.0, 10.0, 20.0, 25.0, 50.0, 100.0])
FLAT = np.array([0.15, 0.25, 0.25, 0.15, 0.13, 0.07])
OPTIONS = {"half_life_days": 5, "rank_days": 20, "percentile": 80.0, "maintenance": 0.005}


def table_of(bars, weights):
    def column(name):
        return np.array([float(bar[name]) for bar in bars])

    return liquidation_map_kernel(
        column("open_time"), column("open_time") + column("step"), column("high"), column("low"),
        column("close"), column("is_gap"), column("interest"), column("share"), weights, LEVERAGES,
        column("impact"), OPTIONS["maintenance"], OPTIONS["half_life_days"] * DAY_NS,
        OPTIONS["rank_days"], OPTIONS["percentile"],
    )  # fmt: skip


def walk(rows, seed, *, volatility=0.01):
    """Bars with jumps, holes, runs of missing bars and open interest that comes and goes."""
    generator = np.random.default_rng(seed)
    price, interest, time = 20_000.0, 1_000.0, 1_600_000_000 * 10**9 // HOUR_NS * HOUR_NS
    gap = 0
    bars = []
    for t in range(rows):
        time += HOUR_NS * (30 if t in (rows // 2, rows // 2 + 200) else 1)
        gap = 6 if t == rows // 3 else max(gap - 1, 0)
        before = price
        if not gap:
            price *= math.exp(volatility * generator.standard_t(3) / 1.7)
            if t in (rows // 4, rows // 4 + 90):
                price *= 2.5 if t == rows // 4 else 0.3
            interest *= math.exp(0.02 * generator.standard_normal())
        reach = 0.3 * volatility * price * generator.random(2) * (not gap)
        bars.append({
            "open_time": time, "step": HOUR_NS, "close": price, "is_gap": gap > 0,
            "high": max(before, price) + reach[0] if not gap else price,
            "low": min(before, price) - reach[1] if not gap else price,
            "interest": interest, "share": 0.4 + 0.2 * generator.random(),
            "impact": 1e-9 * generator.random() * 10 ** generator.integers(0, 3),
        })  # fmt: skip
    return bars


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_dictionaries(seed):
    bars = walk(900, seed)
    f8 = np.random.default_rng(seed).normal(1e-4, 1.5e-4, len(bars))
    weights = leverage_weights(f8, FLAT, 0.25)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)
    expected = np.array(rows_of_map(bars, weights=weights, leverages=LEVERAGES, **OPTIONS))
    # A common factor instead of a product for every level: some ulps a bar.
    np.testing.assert_allclose(table_of(bars, weights), expected, rtol=1e-8, atol=1e-6)
    assert (expected[:, 2] > 0).any()
    assert (expected[:, 5] > 0).any()
    assert (expected[:, 8:] > 1).any()
    nearer = np.where(expected[:, 0] <= expected[:, 3], expected[:, 1], expected[:, 4])
    assert (expected[:, 7] > nearer * 1.01).any(), "no cascade reached a further zone"


def bar(time, close, interest, *, high=None, low=None):
    return {
        "open_time": time * HOUR_NS, "step": HOUR_NS, "high": high or close, "low": low or close,
        "close": close, "is_gap": False, "interest": interest, "share": 0.6, "impact": 0.0,
    }  # fmt: skip


def test_one_position_by_hand():
    """A hundred coins opened at 1000, all at tenfold leverage: longs at 905, shorts at 1095."""
    weights = np.zeros((4, 6))
    weights[:, 1] = 1.0
    bars = [bar(0, 1000.0, 500.0), bar(1, 1000.0, 600.0), bar(25, 1000.0, 300.0)]
    table = table_of([*bars, bar(26, 990.0, 300.0, low=904.0)], weights)
    assert tuple(table[0, [0, 1, 3, 4]]) == (100.0, 0.0, 100.0, 0.0)
    assert table[1, 0] == pytest.approx(9.5, abs=0.1)
    assert table[1, 3] == pytest.approx(9.5, abs=0.1)
    assert (table[1, 1], table[1, 4]) == (pytest.approx(60_000.0), pytest.approx(40_000.0))
    # The hole of a day empties the map: nothing says what price met meanwhile.
    assert table[2, 1] == 0.0
    later = [bar(0, 1000.0, 500.0), bar(1, 1000.0, 600.0), bar(2, 1000.0, 300.0)]
    table = table_of([*later, bar(3, 990.0, 300.0, low=904.0)], weights)
    faded = 0.5 ** (1 / 24 / OPTIONS["half_life_days"])
    assert table[2, 1] == pytest.approx(60_000.0 * 0.5 * faded)
    assert (table[3, 0], table[3, 1]) == (100.0, 0.0)
    assert table[3, 4] == pytest.approx(40_000.0 * 0.5 * faded**2)


def test_funding_moves_new_interest_to_higher_leverage():
    f8 = np.array([0.0, 6e-5, -1.5e-4, 5e-4])
    shifted = leverage_weights(f8, FLAT, 1.0)
    assert [int(row.argmax()) for row in shifted] == [0, 1, 2, 4]


def test_impact_is_the_median_of_a_week():
    rows = 24 * 9
    time = np.arange(rows) * float(HOUR_NS)
    generator = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(0.01 * generator.standard_normal(rows)))
    volume = 1e6 * generator.random(rows)
    volume[::7] = 0.0
    found = dollar_impact(time, close, volume)
    size = np.abs(np.diff(np.log(close), prepend=np.log(close[0])))
    for t in (0, 1, 50, 167, 168, rows - 1):
        window = range(max(0, t - 167), t + 1)
        counted = [size[i] / volume[i] for i in window if volume[i] > 0]
        assert found[t] == pytest.approx(np.median(counted) if counted else 0.0)
    assert (dollar_impact(time, close, np.zeros(rows)) == 0).all()


def columns_of(rows=24 * 60, seed=31):
    clock = clock_of(null_market(rows, seed), "bars+metrics+funding")
    assert clock is not None
    return {name: clock.columns[name].copy() for name in LIQUIDATION_MAP.inputs}


def outputs_of(columns, **parameters):
    values = LIQUIDATION_MAP.compute(columns, LIQUIDATION_MAP.resolved(parameters))
    names = [output.name for output in LIQUIDATION_MAP.outputs]
    return dict(zip(names, values, strict=True))


def test_no_volume_no_interest_and_one_bar_are_stated():
    columns = columns_of()
    for change in ({"volume": 0.0, "taker_buy_volume": 0.0}, {"metrics.sum_open_interest": 0.0}):
        still = {**columns, **{name: np.full(24 * 60, value) for name, value in change.items()}}
        outputs = outputs_of(still)
        for values in outputs.values():
            assert np.isfinite(values[24 * 15 :]).all()
    assert (outputs["long_distance"][24 * 15 :] == 100.0).all()
    assert (outputs["probability"][24 * 15 :] == 0.0).all()
    single = outputs_of({name: values[:1] for name, values in columns.items()})
    assert np.isnan(single["probability"]).all()
    assert single["risk"][0] == 0


def test_fitted_coefficients_take_the_place_of_the_rule():
    columns = columns_of()
    seed_rule, constant = outputs_of(columns), outputs_of(columns, fitted=1, intercept=-1.0)
    known = ~np.isnan(seed_rule["probability"])
    held = known & (np.minimum(seed_rule["long_distance"], seed_rule["short_distance"]) < 100)
    np.testing.assert_allclose(constant["probability"][held], 1 / (1 + math.e))
    nearer = outputs_of(columns, fitted=1, distance_weight=5.0)["probability"]
    distance = np.minimum(seed_rule["long_distance"], seed_rule["short_distance"])[held]
    ranks = [np.argsort(np.argsort(values)) for values in (nearer[held], -distance)]
    # Distance counts in daily ranges, which vary: it decides most, not all.
    assert np.corrcoef(*ranks)[0, 1] > 0.8
    assert (nearer[held] <= 0.5 + 1e-12).all()
    tiers = [0.2, 0.4, 0.6, 0.8]
    risk = [1 + sum(p >= tier for tier in tiers) for p in nearer[known]]
    found = outputs_of(columns, fitted=1, distance_weight=5.0)["risk"][known]
    np.testing.assert_array_equal(found, risk)
