"""Every indicator of the structure families: no look-ahead, no trace of the start, mirrored sides."""

import numpy as np
import pytest

from indicators import (
    candlestick,
    chart_pattern,
    dealing_range,
    directional_change,
    fair_value_gap,
    kill_zone,
    liquidity,
    market_trend,
    order_block,
    pivot,
    session,
    structure,
    support_resistance,
)
from indicators.spec import Indicator
from tests.generators import random_bars

MIRRORED = (
    *pivot.INDICATORS,
    *directional_change.INDICATORS,
    *structure.INDICATORS,
    *market_trend.INDICATORS,
    *fair_value_gap.INDICATORS,
    *order_block.INDICATORS,
    *liquidity.INDICATORS,
    *dealing_range.INDICATORS,
    *kill_zone.INDICATORS,
    *session.INDICATORS,
    *chart_pattern.INDICATORS,
)
ALL = (*MIRRORED, *candlestick.INDICATORS, *support_resistance.INDICATORS)
BY_NAME = pytest.mark.parametrize("indicator", ALL, ids=lambda indicator: indicator.name)


def compute(
    indicator: Indicator, rows: slice = slice(None), *, count: int = 1600, gap_share: float = 0.1
) -> tuple[np.ndarray, ...]:
    columns = random_bars(count, 21, gap_share=gap_share).columns()
    inputs = {name: np.ascontiguousarray(columns[name][rows]) for name in indicator.inputs}
    return indicator.compute(inputs, indicator.resolved({}))


@BY_NAME
def test_a_prefix_gives_the_same_rows(indicator: Indicator) -> None:
    whole = compute(indicator)
    # Every row on which an event fires, a handful of others, and the shortest series.
    fired = np.unique(np.concatenate([np.flatnonzero(np.diff(column)) for column in whole]))
    cuts = {1, 2, 16, 160, 1200, *(fired[:: max(len(fired) // 40, 1)] + 2).tolist()}
    for cut in sorted(cuts):
        part = compute(indicator, slice(0, cut))
        for output, full, short in zip(indicator.outputs, whole, part, strict=True):
            assert np.array_equal(full[:cut], short, equal_nan=True), (output.name, cut)


@BY_NAME
@pytest.mark.parametrize("poison", [np.nan, 1e9, -1e9])
def test_a_poisoned_future_changes_nothing(indicator: Indicator, poison: float) -> None:
    columns = random_bars(1600, 21, gap_share=0.1).columns()
    clean = {name: columns[name] for name in indicator.inputs}
    spoilt = {name: column.copy() for name, column in clean.items()}
    for column in spoilt.values():
        column[1000:] = poison
    before = indicator.compute(clean, indicator.resolved({}))
    after = indicator.compute(spoilt, indicator.resolved({}))
    for output, full, short in zip(indicator.outputs, before, after, strict=True):
        assert np.array_equal(full[:1000], short[:1000], equal_nan=True), output.name


@BY_NAME
def test_the_start_leaves_no_trace_after_the_stable_rows(indicator: Indicator) -> None:
    stable = indicator.stable(indicator.resolved({}))
    cut, count = 333, stable + 1600
    whole = compute(indicator, count=count, gap_share=0.02)
    late = compute(indicator, slice(cut, None), count=count, gap_share=0.02)
    for output, full, short in zip(indicator.outputs, whole, late, strict=True):
        settled, expected = short[stable:], full[cut + stable :]
        if output.kind in ("signal", "state"):
            assert np.array_equal(settled, expected), output.name
        else:
            # Levels that divide by a Wilder ATR keep its 1e-6.
            np.testing.assert_allclose(settled, expected, rtol=1e-6, atol=1e-6, err_msg=output.name)


@BY_NAME
def test_outputs_are_of_their_kind(indicator: Indicator) -> None:
    lookback = indicator.lookback(indicator.resolved({}))
    for output, column in zip(indicator.outputs, compute(indicator), strict=True):
        assert column.dtype == np.float64
        known = ~np.isnan(column)
        if output.kind == "signal":
            assert set(np.unique(column)) <= {-1.0, 0.0, 1.0}, output.name
        elif output.kind == "state":
            assert (column >= 0).all(), output.name
            assert (column == np.floor(column)).all(), output.name
        elif output.kind == "value":
            assert known.tolist() == [t >= lookback for t in range(len(column))], output.name
        else:
            assert known[int(np.argmax(known)) :].all(), output.name
        assert column[known].min() >= output.low, output.name
        assert column[known].max() <= output.high, output.name


@pytest.mark.parametrize("indicator", MIRRORED, ids=lambda indicator: indicator.name)
@pytest.mark.parametrize("gap_share", [0.0, 0.2])
def test_mirrored_prices_flip_every_signal(indicator: Indicator, gap_share: float) -> None:
    columns = random_bars(2000, 5, gap_share=gap_share).columns()
    turned = {
        **columns,
        "open": -columns["open"],
        "high": -columns["low"],
        "low": -columns["high"],
        "close": -columns["close"],
    }
    parameters = indicator.resolved({})
    here = indicator.compute({name: columns[name] for name in indicator.inputs}, parameters)
    there = indicator.compute({name: turned[name] for name in indicator.inputs}, parameters)
    for output, one, other in zip(indicator.outputs, here, there, strict=True):
        if output.kind == "signal":
            assert np.array_equal(one, -other), output.name


@BY_NAME
def test_signals_fire_as_often_as_expected(indicator: Indicator) -> None:
    columns = random_bars(6000, 11).columns()
    outputs = indicator.compute(
        {name: columns[name] for name in indicator.inputs}, indicator.resolved({})
    )
    for output, column in zip(indicator.outputs, outputs, strict=True):
        if output.firing_rate is not None:
            low, high = output.firing_rate
            assert low <= np.mean(column != 0) <= high, output.name
