"""Pools and sweeps; support and resistance; chart patterns."""

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS, WEEK_NS, Float1D
from indicators import liquidity
from indicators._liquidity_kernel import DAY, END, END_ROW, KIND, KNOWN, LEVEL, PIVOTS, SWEPT
from indicators.completed_range import MONDAY_NS, period_ranges
from indicators.spec import Indicator
from indicators.swing import pivot_swings


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


def sweeps(
    columns: dict[str, Float1D], sides: int = 3, **rules: float
) -> tuple[liquidity.Sweeps, liquidity.Sweeps]:
    swings = pivot_swings(columns["high"], columns["low"], sides, sides)
    return liquidity.liquidity_sweeps(columns, swings, **rules)


def swept_rows(columns: dict[str, Float1D], **rules: float) -> list[int]:
    bullish, bearish = sweeps(columns, 3, **rules)
    assert not bearish.confidence.any()
    return list(np.flatnonzero(bullish.confidence))


def test_sweep_of_a_swing_low() -> None:
    columns = with_pool()
    columns["low"][40], columns["close"][40], columns["volume"][40] = 97.0, 100.5, 20.0
    bullish, _ = sweeps(columns, 3)
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


@pytest.mark.parametrize(("second", "third", "pivots"), [(95, 165, 3), (95, 196, 1), (126, 200, 2)])
def test_equal_lows_lie_within_a_hundred_bars_of_the_newest(
    second: int, third: int, pivots: int
) -> None:
    columns = with_pool(260)
    columns["low"][[second, third]] = 98.0
    bullish, _ = sweeps(columns)
    newest = bullish.pools[-1]
    assert (newest[LEVEL], newest[KNOWN], newest[PIVOTS]) == (98.0, third + 3, pivots)


def test_a_low_in_the_middle_of_a_raid_does_not_join_the_raided_pool() -> None:
    columns = with_pool()
    columns["low"][40:43], columns["close"][40:43] = (97.75, 97.8, 97.8), 97.9
    bullish, _ = sweeps(columns, 2, epsilon_atr=0.05)
    assert list(np.flatnonzero(bullish.confidence)) == [43]
    assert (bullish.level[43], bullish.equal[43]) == (98.0, 0.0)
    assert bullish.pools[:, LEVEL].tolist() == [98.0, 97.75]


def test_equal_lows_raise_the_confidence_and_the_lower_one_counts() -> None:
    columns = with_pool()
    columns["low"][35], columns["low"][45] = 97.8, 97.0
    bullish, _ = sweeps(columns, 3, epsilon_atr=0.15)
    assert list(np.flatnonzero(bullish.confidence)) == [45]
    assert bullish.level[45] == 97.8
    assert bullish.equal[45] == 1.0
    columns["low"][25], columns["low"][35] = 97.8, 98.0
    bullish, _ = sweeps(columns, 3, epsilon_atr=0.15)
    assert bullish.level[45] == 97.8
    plain = with_pool()
    plain["low"][45] = 97.0
    single, _ = sweeps(plain)
    assert single.equal[45] == 0.0


def test_previous_day_and_week() -> None:
    columns = quiet(24 * 12)
    columns["high"][30], columns["low"][50] = 103.0, 97.0
    days = period_ranges(columns, DAY_NS)
    assert list(np.flatnonzero(~np.isnan(days.high))) == [47 + 24 * k for k in range(11)]
    assert (days.high[47], days.low[47], days.low[71]) == (103.0, 99.0, 97.0)
    assert (days.high_row[47], days.low_row[71], days.first_row[71]) == (30.0, 50.0, 48.0)
    weeks = period_ranges(columns, WEEK_NS, MONDAY_NS)
    # The first Monday is 2021-01-11, six days in; the broken week before it does not count.
    assert np.isnan(weeks.high).all()
    shifted = {**columns, "open_time": columns["open_time"] - 2 * DAY_NS}
    weeks = period_ranges(shifted, WEEK_NS, MONDAY_NS)
    assert list(np.flatnonzero(~np.isnan(weeks.high))) == [24 * 8 - 1]
    assert (weeks.high[191], weeks.low[191]) == (103.0, 97.0)
    # Row 30 raids the high of the sessions and row 50 the low of the day before.
    swept = outputs_of(liquidity.LIQUIDITY_SWEEP, columns)["sweep"]
    assert [(t, swept[t]) for t in np.flatnonzero(swept)] == [(30, -1.0), (50, 1.0)]


def test_the_first_bar_of_a_day_may_raid_the_day_before() -> None:
    columns = quiet(24 * 3)
    columns["low"][30], columns["low"][48] = 98.0, 97.0
    bullish, _ = sweeps(columns, 8)
    assert list(np.flatnonzero(bullish.confidence)) == [30, 48]
    ended = bullish.pools[bullish.pools[:, END_ROW] == 48]
    assert [DAY, 98.0, 47.0, SWEPT] in ended[:, (KIND, LEVEL, KNOWN, END)].tolist()


def test_a_period_with_a_hole_does_not_count_and_a_short_one_has_no_bars() -> None:
    columns = quiet(24 * 4)
    columns["is_gap"][30:33] = 1.0
    assert list(np.flatnonzero(~np.isnan(period_ranges(columns, DAY_NS).high))) == [47, 71, 95]
    columns["is_gap"][33] = 1.0
    assert list(np.flatnonzero(~np.isnan(period_ranges(columns, DAY_NS).high))) == [71, 95]
    weekly = {**columns, "open_time": MONDAY_NS + WEEK_NS * np.arange(96.0)}
    assert np.isnan(period_ranges(weekly, DAY_NS).high).all()
    assert list(np.flatnonzero(~np.isnan(period_ranges(weekly, WEEK_NS, MONDAY_NS).high))) == [
        t for t in range(1, 96) if t not in range(30, 34)
    ]


def test_a_period_without_its_last_bar_is_over_with_the_next_bar() -> None:
    columns = quiet(24 * 3)
    columns["high"][40] = 103.0
    kept = np.r_[0:45, 50:72]
    cut = {name: column[kept] for name, column in columns.items()}
    days = period_ranges(cut, DAY_NS)
    assert days.high[45] == 103.0
    assert list(np.flatnonzero(~np.isnan(days.high))) == [45, 66]


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
        bullish, _ = sweeps(columns, 3, capacity=capacity)
        assert list(np.flatnonzero(bullish.confidence)) == [50]
        assert bullish.level[50] == level


def test_inducement_needs_a_standing_major_low() -> None:
    def fires(major: float, *broken: float) -> bool:
        columns = quiet(110)
        columns["low"][30], columns["low"][92], columns["low"][100] = major, 98.0, 97.0
        for row, low in zip((50, 65, 80), broken, strict=False):
            columns["low"][row] = low
        minor = sweeps(columns, 3, with_ranges=False)
        assert minor[0].confidence[100] > 0
        bullish, bearish = liquidity.inducements(columns, minor, 21)
        assert not bearish.fires.any()
        if bullish.fires[100]:
            assert (bullish.major[100], bullish.major_row[100]) == (major, 30.0)
        return bool(bullish.fires[100])

    assert fires(96.0)
    assert fires(97.0)
    assert not fires(97.5)
    # Each of these lows keeps the one before it from being a major one, the last is not one yet.
    assert fires(96.0, 96.5, 96.4, 96.3)
    assert not fires(96.0, 95.9, 95.5, 95.2)
