"""Pools and sweeps; support and resistance; chart patterns."""

from itertools import pairwise

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS, WEEK_NS, Float1D
from indicators import chart_pattern, liquidity, pivot, support_resistance
from indicators.spec import Indicator
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import structure as oracle

SAMPLES = [(1, 0.0), (2, 0.3), (7, 0.3)]


def outputs_of(
    indicator: Indicator, columns: dict[str, Float1D], **parameters: float
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, indicator.resolved(parameters))
    return {o.name: column for o, column in zip(indicator.outputs, computed, strict=True)}


def quiet(rows: int = 60) -> dict[str, Float1D]:
    """Bars from 99 to 101 that close at 100: an ATR of 2 and no pivot, 2021-01-05 00:00 UTC on."""
    return {
        "open_time": 1_609_804_800e9 + HOUR_NS * np.arange(rows, dtype=np.float64),
        "open": np.full(rows, 100.0),
        "high": np.full(rows, 101.0),
        "low": np.full(rows, 99.0),
        "close": np.full(rows, 100.0),
        "volume": np.full(rows, 10.0),
        "is_gap": np.zeros(rows),
    }


def with_pool(rows: int = 60) -> dict[str, Float1D]:
    """Quiet bars with one pivot low of 98 on row 25, all within one day."""
    columns = {**quiet(rows), "open_time": np.zeros(rows)}
    columns["low"][25] = 98.0
    return columns


def swept_rows(columns: dict[str, Float1D], **rules: float) -> list[int]:
    bullish, bearish = liquidity.liquidity_sweeps(columns, 3, 3, **rules)
    assert not bearish.confidence.any()
    return list(np.flatnonzero(bullish.confidence))


def test_sweep_of_a_swing_low() -> None:
    columns = with_pool()
    columns["low"][40], columns["close"][40], columns["volume"][40] = 97.0, 100.5, 20.0
    bullish, _ = liquidity.liquidity_sweeps(columns, 3, 3)
    assert list(np.flatnonzero(bullish.confidence)) == [40]
    assert bullish.level[40] == 98.0
    assert bullish.strength[40] == (100.5 - 97.0) / (101.0 - 97.0)
    assert bullish.confidence[40] == pytest.approx(0.6 + 0.2 * 0.875 + 0.1)
    assert bullish.distance[39] == 2.0
    assert bullish.distance[40] > 2.0 or np.isnan(bullish.distance[40])


def test_a_pool_is_swept_only_after_it_is_confirmed() -> None:
    early = with_pool()
    early["low"][28] = 97.9
    assert swept_rows(early) == []
    assert swept_rows(with_pool()) == []


def test_a_sweep_may_take_three_more_bars_and_no_longer() -> None:
    for bars_below, expected in ((3, [43]), (4, [])):
        columns = with_pool()
        columns["low"][40] = 97.0
        columns["low"][41 : 40 + bars_below] = 97.2
        columns["close"][40 : 40 + bars_below] = 97.5
        assert swept_rows(columns) == expected, bars_below


def test_too_deep_a_breach_is_a_break() -> None:
    columns = with_pool()
    columns["low"][40] = 94.0
    assert swept_rows(columns) == []
    columns["low"][40], columns["low"][45] = 97.0, 97.0
    assert swept_rows(columns) == [40]


def test_equal_lows_raise_the_confidence_and_the_lower_one_counts() -> None:
    columns = with_pool()
    columns["low"][35], columns["low"][45] = 97.8, 97.0
    bullish, _ = liquidity.liquidity_sweeps(columns, 3, 3, epsilon_atr=0.15)
    assert list(np.flatnonzero(bullish.confidence)) == [45]
    assert bullish.level[45] == 97.8
    assert bullish.equal[45] == 1.0
    columns["low"][25], columns["low"][35] = 97.8, 98.0
    bullish, _ = liquidity.liquidity_sweeps(columns, 3, 3, epsilon_atr=0.15)
    assert bullish.level[45] == 97.8
    plain = with_pool()
    plain["low"][45] = 97.0
    single, _ = liquidity.liquidity_sweeps(plain, 3, 3)
    assert single.equal[45] == 0.0


def test_previous_day_and_week() -> None:
    columns = quiet(24 * 12)
    columns["high"][30], columns["low"][50] = 103.0, 97.0
    high, low = liquidity.period_extremes(columns, DAY_NS)
    assert list(np.flatnonzero(~np.isnan(high))) == [48 + 24 * k for k in range(10)]
    assert (high[48], low[48], low[72]) == (103.0, 99.0, 97.0)
    week_high, _ = liquidity.period_extremes(columns, WEEK_NS, liquidity.MONDAY_NS)
    # The first Monday is 2021-01-11, six days in; the broken week before it does not count.
    assert np.isnan(week_high).all()
    shifted = {**columns, "open_time": columns["open_time"] - 2 * DAY_NS}
    week_high, week_low = liquidity.period_extremes(shifted, WEEK_NS, liquidity.MONDAY_NS)
    assert list(np.flatnonzero(~np.isnan(week_high))) == [24 * 8]
    assert (week_high[192], week_low[192]) == (103.0, 97.0)
    # Row 30 raids the Asian evening's high; row 50 the day before, which is the evening's low too.
    swept = outputs_of(liquidity.LIQUIDITY_SWEEP, columns)["sweep"]
    assert [(t, swept[t]) for t in np.flatnonzero(swept)] == [(30, -1.0), (50, 1.0)]


def test_a_hole_forgets_pools_and_a_full_ring_the_oldest() -> None:
    columns = with_pool()
    columns["low"][50] = 97.0
    assert swept_rows(columns) == [50]
    assert swept_rows(columns, expiry_bars=21) == []
    columns["is_gap"][36:40] = 1.0
    assert swept_rows(columns) == []
    columns["is_gap"][36:40] = 0.0
    columns["low"][35] = 98.6
    for capacity, level in ((2, 98.0), (1, 98.6)):
        bullish, _ = liquidity.liquidity_sweeps(columns, 3, 3, capacity=capacity)
        assert list(np.flatnonzero(bullish.confidence)) == [50]
        assert bullish.level[50] == level


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_sweeps_pool_by_pool(seed: int, gap_share: float) -> None:
    bars = random_bars(1200, seed, gap_share=gap_share)
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    columns = {**bars.columns(), "open_time": np.zeros(len(bars))}
    sweeps = liquidity.liquidity_sweeps(columns, 3, 3, equal_width_atr=-1.0, expiry_bars=100)
    gaps = oracle.long_gap_rows(bars.is_gap.tolist())
    listed = oracle.pivots(bars.high.tolist(), bars.low.tolist(), 3, 3, bars.is_gap.tolist())
    for side, got in ((-1, sweeps[0]), (1, sweeps[1])):
        prices = (
            (bars.high, bars.low, bars.close) if side < 0 else (-bars.low, -bars.high, -bars.close)
        )
        strengths: dict[int, list[float]] = {}
        for p in (p for p in listed if p.side == side):
            found = oracle.sweep_of_pool(
                -side * p.price, p.known, tuple(x.tolist() for x in prices), atr.tolist(),
                epsilon=0.05, expiry=100, gaps=gaps,
            )  # fmt: skip
            if found is not None:
                strengths.setdefault(found.row, []).append(found.strength)
        assert sorted(strengths) == list(np.flatnonzero(got.confidence))
        assert [got.strength[row] for row in sorted(strengths)] == [
            max(strengths[row]) for row in sorted(strengths)
        ]
        assert len(strengths) > 20


def test_inducement_needs_a_standing_major_low() -> None:
    columns = with_pool()
    columns["low"][40] = 97.0
    minor = liquidity.liquidity_sweeps(columns, 3, 3)
    for major_low, expected in ((96.0, 1.0), (97.5, 0.0), (98.5, 0.0), (np.nan, 0.0)):
        major = (np.full(60, np.nan), np.full(60, major_low))
        assert liquidity.inducements(columns, minor, major)[40] == expected


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_levels_near_the_close(seed: int, gap_share: float) -> None:
    bars = random_bars(500, seed, gap_share=gap_share)
    columns = {**bars.columns(), "open_time": np.zeros(len(bars))}
    got = outputs_of(
        support_resistance.SUPPORT_RESISTANCE, columns, left=3, right=3, window_bars=100
    )
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    is_gap = bars.is_gap.tolist()
    listed = oracle.pivots(bars.high.tolist(), bars.low.tolist(), 3, 3, is_gap)
    gaps = oracle.long_gap_rows(is_gap)
    for t in range(14, len(bars)):
        start = oracle.forgotten_before(t, gaps)
        known = [
            (p.price, p.anchor) for p in listed if start <= p.known <= t and t - p.anchor < 100
        ]
        near = oracle.levels_near(known, bars.close[t], 0.5 * atr[t], t) if t not in gaps else []
        assert got["near_count"][t] == len(near), t
        strongest = max((strength for _, strength in near), default=0.0)
        # Sums in another order.
        assert got["strength"][t] == pytest.approx(strongest, rel=1e-12), t
    assert got["near_count"].max() >= 2


def zigzag_columns(
    turns: list[float],
    steps: tuple[int, ...] = (8, 8, 8, 8, 8, 8),
    tail: tuple[float, ...] = (),
    wick: float = 0.1,
) -> dict[str, Float1D]:
    """Straight legs of so many bars between the turns, after a quiet start; ``tail`` follows."""
    legs = [
        np.linspace(a, b, step + 1)[1:]
        for (a, b), step in zip(pairwise(turns), steps, strict=False)
    ]
    close = np.concatenate([np.full(20, turns[0]), *legs, tail])
    open_ = np.concatenate((close[:1], close[:-1]))
    return {
        "open": open_,
        "high": np.maximum(open_, close) + wick,
        "low": np.minimum(open_, close) - wick,
        "close": close,
        "is_gap": np.zeros(len(close)),
    }


def only(columns: dict[str, Float1D], name: str) -> list[tuple[int, float]]:
    got = outputs_of(chart_pattern.CHART_PATTERN, columns, left=3, right=3)[name]
    return [(int(t), got[t]) for t in np.flatnonzero(got)]


def test_double_bottom_fires_at_the_close_over_the_peak() -> None:
    columns = zigzag_columns([110, 100, 106, 100.1, 112])
    first = next(t for t in range(44, len(columns["close"])) if columns["close"][t] > 106.1)
    assert only(columns, "double") == [(first, 1.0)]
    mirrored = {name: -column for name, column in columns.items()}
    mirrored |= {"high": -columns["low"], "low": -columns["high"], "is_gap": columns["is_gap"]}
    assert only(mirrored, "double") == [(first, -1.0)]
    assert only(zigzag_columns([110, 100, 106, 102.5, 112]), "double") == []
    assert only(zigzag_columns([110, 100, 101, 100.1, 112]), "double") == []
    back = (102, 103, 104, 104, 101, 104, 107)
    held = zigzag_columns([110, 100, 106, 100.1], tail=back)
    assert only(held, "double") == [(len(held["close"]) - 1, 1.0)]
    lost = zigzag_columns([110, 100, 106, 100.1], tail=(*back[:4], 99, *back[5:]))
    assert only(lost, "double") == []


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_doubles_from_the_list_of_every_row(seed: int, gap_share: float) -> None:
    bars = random_bars(900, seed, gap_share=gap_share)
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    got = outputs_of(chart_pattern.CHART_PATTERN, dict(bars.columns()), left=2, right=2)["double"]
    prices = (bars.high.tolist(), bars.low.tolist(), bars.close.tolist())
    fired = np.zeros(len(bars))
    for side in (1, -1):
        for row in oracle.double_bottoms(
            prices, atr.tolist(), bars.is_gap.tolist(), side=side, left=2, right=2
        ):
            fired[row] += side
    assert np.array_equal(got, np.sign(fired))
    assert np.abs(got).sum() >= 3


def test_head_and_shoulders() -> None:
    top = [90, 100, 96, 104, 96, 100.2, 88]
    columns = zigzag_columns(top)
    fired = only(columns, "head_shoulders")
    assert [side for _, side in fired] == [-1.0]
    row = fired[0][0]
    assert columns["close"][row] < 95.9 <= columns["close"][row - 1]
    assert only(zigzag_columns([90, 100, 96, 100.3, 96, 100.2, 88]), "head_shoulders") == []
    assert only(zigzag_columns([90, 95, 92, 104, 96, 100.2, 88]), "head_shoulders") == []
    assert len(only(zigzag_columns(top, (8, 4, 4, 9, 9, 8)), "head_shoulders")) == 1
    assert only(zigzag_columns(top, (8, 4, 4, 11, 11, 8)), "head_shoulders") == []
    bottom = [-turn + 200 for turn in top]
    assert [side for _, side in only(zigzag_columns(bottom), "head_shoulders")] == [1.0]


def test_triangle_and_flag() -> None:
    ascending = zigzag_columns([90, 100, 94, 100, 97, 104])
    fired = only(ascending, "triangle")
    assert [side for _, side in fired] == [1.0]
    assert ascending["close"][fired[0][0]] > 100.1
    assert only(zigzag_columns([90, 100, 94, 102, 91, 104]), "triangle") == []
    pole = np.concatenate([np.full(30, 100.0), np.linspace(101, 108, 8)])
    pause = np.array([107.8, 107.7, 107.6, 107.7, 107.5, 107.4, 107.5, 107.6])
    close = np.concatenate([pole, pause, [109.0, 109.5]])
    open_ = np.concatenate((close[:1], close[:-1]))
    columns = {
        "high": np.maximum(open_, close) + 0.1,
        "low": np.minimum(open_, close) - 0.1,
        "close": close,
        "is_gap": np.zeros(len(close)),
    }
    assert only(columns, "flag") == [(46, 1.0)]
    wide = {**columns, "low": columns["low"].copy()}
    wide["low"][41] = 102.0
    assert only(wide, "flag") == []
    columns["is_gap"][40:44] = 1.0
    assert only(columns, "flag") == []


def test_a_level_is_forgotten_behind_a_hole() -> None:
    columns = quiet(24 * 4)
    columns["is_gap"][60:64] = 1.0
    near = outputs_of(support_resistance.SUPPORT_RESISTANCE, columns)["support_atr"]
    assert near[59] == pytest.approx(0.5)
    assert near[64] == 10.0
    assert near[72] == pytest.approx(0.5)
    assert pivot.long_gaps(columns["is_gap"], 96).sum() == 1
