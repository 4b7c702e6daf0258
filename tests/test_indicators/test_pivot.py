"""Pivots against oracles that search again on every prefix, and against TA-Lib's FRACTAL."""

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ConfigError
from indicators import directional_change, pivot
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import structure as oracle

SAMPLES = [(1, 0.0), (2, 0.3), (3, 0.3)]


@pytest.mark.parametrize("sides", [(2, 3), (5, 5), (1, 4)])
def test_strict_pivots_are_talibs_fractals(sides: tuple[int, int]) -> None:
    bars = random_bars(3000, 4)
    high, low = pivot.confirmed_pivots(bars.high, bars.low, *sides, strict=True)
    highs = talib.FRACTAL(bars.high, bars.low, leftbars=sides[0], rightbars=sides[1])
    assert np.array_equal(~np.isnan(high), highs[0] != 0)
    assert np.array_equal(~np.isnan(low), highs[1] != 0)
    assert (~np.isnan(high)).sum() > 100


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=40), st.integers(1, 4), st.integers(1, 4))
def test_pivots_on_plateaus(values: list[int], left: int, right: int) -> None:
    prices = np.array(values, dtype=np.float64)
    high, low = pivot.confirmed_pivots(prices, prices, left, right)
    negative = [-value for value in prices]
    assert [t - right for t in np.flatnonzero(~np.isnan(high))] == oracle.pivot_anchors(
        list(prices), left, right
    )
    assert [t - right for t in np.flatnonzero(~np.isnan(low))] == oracle.pivot_anchors(
        negative, left, right
    )


def test_a_plateau_turns_at_its_first_bar() -> None:
    prices = np.array([1.0, 2.0, 3.0, 3.0, 2.0, 1.0, 0.5])
    high, _ = pivot.confirmed_pivots(prices, prices, 2, 2)
    assert list(np.flatnonzero(~np.isnan(high))) == [4]
    strict, _ = pivot.confirmed_pivots(prices, prices, 2, 2, strict=True)
    assert np.isnan(strict).all()


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_alternating_list_of_every_row(seed: int, gap_share: float) -> None:
    bars = random_bars(300, seed, gap_share=gap_share)
    left, right, depth = 2, 3, 5
    pivots = pivot.confirmed_pivots(bars.high, bars.low, left, right)
    gaps = bars.is_gap.astype(np.float64)
    price, anchor, kind = pivot.alternating_pivots(*pivots, right, depth, gaps)
    high, low, is_gap = bars.high.tolist(), bars.low.tolist(), bars.is_gap.tolist()
    for t in range(len(bars)):
        count = t + 1
        listed = oracle.alternating(high[:count], low[:count], left, right, is_gap[:count])
        newest = listed[::-1][:depth]
        expected = [(p.price, float(p.anchor), float(p.side)) for p in newest]
        got = [(price[t, k], anchor[t, k], kind[t, k]) for k in range(depth) if kind[t, k] != 0]
        assert got == expected, t
        assert np.isnan(price[t, len(expected) :]).all()
    assert (kind[:, -1] != 0).any()
    assert (anchor[right:].max(axis=1) <= np.arange(len(bars) - right)).all()


def test_a_collapse_changes_later_rows_only() -> None:
    high = np.array([1, 2, 5, 2, 4.5, 6, 4.5, 2, 1], dtype=np.float64)
    low = np.array([0.5, 1.5, 4, 1.9, 4, 5, 4, 1.8, 0.5])
    high_pivots, _ = pivot.confirmed_pivots(high, low, 1, 1)
    price, _, kind = pivot.alternating_pivots(high_pivots, np.full(9, np.nan), 1, 2)
    assert list(price[3:, 0]) == [5, 5, 5, 6, 6, 6]
    assert list(kind[3:, 1]) == [0] * 6


def test_a_long_hole_forgets_pivots_anchored_before_it() -> None:
    bars = random_bars(400, 6)
    pivots = pivot.confirmed_pivots(bars.high, bars.low, 5, 5)
    hole = np.zeros(400)
    hole[200:203] = 1.0
    _, _, short = pivot.alternating_pivots(*pivots, 5, 3, hole)
    _, _, none = pivot.alternating_pivots(*pivots, 5, 3)
    assert np.array_equal(short, none)
    for end in range(203, 330, 9):
        hole[:] = 0.0
        hole[end - 3 : end + 1] = 1.0
        _, anchor, kind = pivot.alternating_pivots(*pivots, 5, 3, hole)
        assert (kind[end : end + 6] == 0).all()
        behind = anchor[end:][kind[end:] != 0]
        assert behind.min() > end


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_directional_changes(seed: int, gap_share: float) -> None:
    bars = random_bars(500, seed, gap_share=gap_share)
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    high, low, anchor = directional_change.directional_change_pivots(
        bars.high, bars.low, bars.close, atr, 1.5, is_gap=bars.is_gap.astype(np.float64)
    )
    expected = oracle.directional_changes(
        bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), (1.5 * atr).tolist(),
        bars.is_gap.tolist(),
    )  # fmt: skip
    rows = np.flatnonzero(anchor >= 0)
    got = [
        (t, int(anchor[t]), 1 if not np.isnan(high[t]) else -1, np.nanmax([high[t], low[t]]))
        for t in rows
    ]
    assert got == [(p.known, p.anchor, p.side, p.price) for p in expected]
    assert len(got) > 20
    assert (anchor[rows] < rows).all()


def test_a_first_bar_that_turns_both_ways_takes_the_newer_extreme() -> None:
    high = np.array([10.0, 14.0, 12.0, 12.0])
    low = np.array([6.0, 9.0, 9.0, 9.0])
    close = np.array([9.0, 11.5, 10.0, 10.0])
    atr = np.array([np.nan, np.nan, 4.0, 4.0])
    # On row 2 the close is 4 under the high of row 1 and 4 over the low of row 0.
    top, bottom, anchor = directional_change.directional_change_pivots(high, low, close, atr, 1.0)
    assert (top[2], anchor[2]) == (14.0, 1.0)
    assert np.isnan(bottom).all()
    top, bottom, anchor = directional_change.directional_change_pivots(
        -low, -high, -close, atr, 1.0
    )
    assert (bottom[2], anchor[2]) == (-14.0, 1.0)
    assert np.isnan(top).all()
    # One bar that is both extremes tells no order.
    high[0], low[1], high[1] = 14.0, 9.0, 12.0
    assert (directional_change.directional_change_pivots(high, low, close, atr, 1.0)[2] == -1).all()


def test_impossible_arguments() -> None:
    prices = np.ones(10)
    with pytest.raises(ConfigError, match="left=0"):
        pivot.confirmed_pivots(prices, prices, 0, 2)
    with pytest.raises(ConfigError, match="depth=0"):
        pivot.alternating_pivots(prices, prices, 2, 0)
    with pytest.raises(ConfigError, match="multiple=0"):
        directional_change.directional_change_pivots(prices, prices, prices, prices, 0.0)
