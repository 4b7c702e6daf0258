"""What every indicator of the crypto and sentiment families owes its clock."""

from collections.abc import Mapping

import numpy as np
import pytest

from engine import Market
from indicators import (
    Indicator,
    clock_of,
    daily_series,
    divergence,
    exchange_reserves,
    funding,
    liquidation,
    mood,
    positioning,
    premium,
    taker_flow,
    total_value_locked,
)
from tests.generators import random_market

FAMILIES = {
    "funding": (funding.INDICATORS, "funding"),
    "positioning": (positioning.INDICATORS, "metrics"),
    "liquidation": (liquidation.INDICATORS, "metrics"),
    "premium": (premium.INDICATORS, "premium_index"),
    "taker_flow": (taker_flow.INDICATORS, "bars"),
    "divergence": (
        tuple(one for one in divergence.INDICATORS if one is not divergence.CVD_DIVERGENCE),
        "bars",
    ),
    "mood": (mood.INDICATORS, "bars"),
    "daily": (daily_series.INDICATORS, ""),
    "reserves": ((exchange_reserves.EXCHANGE_RESERVES,), "exchange_reserves"),
    "tvl": ((total_value_locked.TVL,), "tvl"),
}
CASES = [
    pytest.param(indicator, clock or indicator.name, id=indicator.name)
    for indicators, clock in FAMILIES.values()
    for indicator in indicators
]
SHORT_WINDOWS: dict[str, dict[str, float]] = {
    "exchange_reserves": {"rank_days": 180, "minimum_days": 90},
    "implied_volatility": {"window_days": 90, "minimum_days": 30},
    "market_mood": {"window_days": 60, "minimum_days": 20},
    "premium_history": {"rank_days": 60},
}
"""Windows of years do not fit into the market of these tests."""
HOURS = 24 * 300


@pytest.fixture(scope="module")
def market() -> Market:
    return random_market(HOURS, 11, gap_share=0.02)


def inputs_of(market: Market, indicator: Indicator, clock: str) -> dict[str, np.ndarray]:
    built = clock_of(market, clock)
    assert built is not None
    return {name: built.columns[name].copy() for name in indicator.inputs}


def computed(indicator: Indicator, columns: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    parameters = indicator.resolved(SHORT_WINDOWS.get(indicator.name, {}))
    return indicator.compute(columns, parameters)


@pytest.mark.parametrize(("indicator", "clock"), CASES)
def test_kinds_and_bounds(market, indicator, clock):
    outputs = computed(indicator, inputs_of(market, indicator, clock))
    lookback = indicator.lookback(indicator.resolved(SHORT_WINDOWS.get(indicator.name, {})))
    for declared, values in zip(indicator.outputs, outputs, strict=True):
        assert values.dtype == np.float64
        finite = np.isfinite(values)
        if declared.kind == "value":
            assert not finite[:lookback].any(), declared.name
            assert finite[lookback:].all(), declared.name
        elif declared.kind == "level":
            assert finite.any(), declared.name
            assert finite[np.argmax(finite) :].all(), declared.name
        elif declared.kind == "signal":
            assert np.isin(values, (-1.0, 0.0, 1.0)).all(), declared.name
        else:
            assert (values == np.floor(np.abs(values))).all(), declared.name
        assert (values[finite] >= declared.low).all()
        assert (values[finite] <= declared.high).all()


@pytest.mark.parametrize(("indicator", "clock"), CASES)
def test_prefix_and_poison_leave_earlier_rows_alone(market, indicator, clock):
    columns = inputs_of(market, indicator, clock)
    whole = computed(indicator, columns)
    rows = len(whole[0])
    for cut in (1, 2, 25, rows // 3, rows // 2, rows - 1):
        part = computed(indicator, {name: column[:cut] for name, column in columns.items()})
        for before, after in zip(whole, part, strict=True):
            np.testing.assert_array_equal(before[:cut], after)
    cut = rows // 2
    for poison in (np.nan, 1e9, -1e9):
        spoiled = {name: column.copy() for name, column in columns.items()}
        for column in spoiled.values():
            column[cut:] = poison
        for before, after in zip(whole, computed(indicator, spoiled), strict=True):
            np.testing.assert_array_equal(before[:cut], after[:cut])


@pytest.mark.parametrize(("indicator", "clock"), CASES)
def test_the_start_is_forgotten_after_stable_rows(market, indicator, clock):
    columns = inputs_of(market, indicator, clock)
    stable = indicator.stable(indicator.resolved(SHORT_WINDOWS.get(indicator.name, {})))
    rows = len(next(iter(columns.values())))
    for dropped in (1, 37):
        first = dropped + stable
        assert first < rows - 20, "the market of this test is too short for the indicator"
        whole = computed(indicator, columns)
        late = computed(indicator, {name: column[dropped:] for name, column in columns.items()})
        for before, after in zip(whole, late, strict=True):
            scale = 1.0 + np.nanmax(np.abs(before))
            np.testing.assert_allclose(before[first:], after[stable:], atol=1e-6 * scale, rtol=0)


@pytest.mark.parametrize(("indicator", "clock"), CASES)
def test_inputs_are_read_and_not_changed(market, indicator, clock):
    columns = inputs_of(market, indicator, clock)
    kept = {name: column.copy() for name, column in columns.items()}
    whole = computed(indicator, columns)
    generator = np.random.default_rng(0)
    for name, column in kept.items():
        np.testing.assert_array_equal(columns[name], column)
        noise = np.exp(0.3 * generator.standard_normal(len(column)))
        if name in ("event_time", "open_time"):
            other = column[0] + (column - column[0]) * 1.5
        elif name == "is_gap":
            other = (generator.random(len(column)) < 0.7).astype(np.float64)
        else:
            other = column * noise
        changed = computed(indicator, {**kept, name: other})
        assert any(
            not np.array_equal(before, after, equal_nan=True)
            for before, after in zip(whole, changed, strict=True)
        ), name
