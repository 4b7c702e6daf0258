"""Breaks of structure, fair value gaps, balanced ranges, order blocks, entries."""

from itertools import pairwise

import numpy as np
import pytest

from engine import Bars, Float1D
from indicators import (
    dealing_range,
    fair_value_gap,
    market_trend,
    order_block,
    pivot,
    structure,
    swing,
)
from indicators.volatility import average_true_range
from indicators.zone import ZoneTrack, tracked_zones
from tests.generators import random_bars
from tests.oracles import structure as oracle

SAMPLES = [(1, 0.0), (2, 0.3), (7, 0.3)]


def columns_of(close: list[float], wick: float = 0.2) -> dict[str, Float1D]:
    """Bars that open at the close before, with wicks of one length."""
    closes = np.array(close, dtype=np.float64)
    opens = np.concatenate((closes[:1], closes[:-1]))
    return {
        "open_time": np.arange(len(closes)) * 3.6e12,
        "open": opens,
        "high": np.maximum(opens, closes) + wick,
        "low": np.minimum(opens, closes) - wick,
        "close": closes,
        "volume": np.full(len(closes), 10.0),
        "is_gap": np.zeros(len(closes)),
    }


def lists(bars: Bars) -> tuple[list[float], list[float], list[float], list[float]]:
    return bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist()


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
def test_breaks_of_structure(seed: int, gap_share: float) -> None:
    bars = random_bars(900, seed, gap_share=gap_share)
    found = structure.structure_breaks(
        bars.columns(), swing.pivot_swings(bars.high, bars.low, 3, 3)
    )
    _, high, low, close = lists(bars)
    expected = oracle.breaks(high, low, close, 3, 3, bars.is_gap.tolist())
    rows = np.flatnonzero(found.event)
    got = [
        (t, found.event[t], found.level[t], found.change[t] != 0, int(found.origin[t]))
        for t in rows
    ]
    assert got == [(b.row, b.side, b.level, b.change, b.origin) for b in expected]
    assert len(got) > 30
    assert (found.origin[rows] <= rows - 3).all()


def test_change_of_character_and_shift() -> None:
    rise = [100, 101, 102, 103, 102, 101, 100.5, 102, 103.5, 104.5, 103.5, 102.5, 101.5]
    columns = columns_of([100.0] * 20 + rise + [100.2, 96, 92, 91.5], wick=0.6)
    breaks = structure.structure_breaks(
        columns, swing.pivot_swings(columns["high"], columns["low"], 2, 2)
    )
    assert list(np.flatnonzero(breaks.event)) == [29, 34]
    assert breaks.event[[29, 34]].tolist() == [1, -1]
    assert breaks.level[29] == 103.6
    assert breaks.change.tolist() == [0] * 34 + [-1, 0, 0]
    assert breaks.trend[[28, 29, 33, 34, 36]].tolist() == [0, 1, 1, -1, -1]
    gap, _, _ = fair_value_gap.fair_value_gaps(columns, 0.5, 1.0)
    assert list(np.flatnonzero(gap)) == [35, 36]
    shift = structure.displaced_breaks(breaks.change, breaks.origin, gap)
    assert list(np.flatnonzero(shift.event)) == [35]
    assert shift.broke_at[35] == 34


def test_shift_waits_one_bar_for_its_gap_and_no_longer() -> None:
    event, origin, gap = np.zeros(12), np.full(12, -1.0), np.zeros(12)
    event[6], origin[6] = -1.0, 2.0
    for row, expected in ((3, None), (4, 6), (6, 6), (7, 7), (8, None)):
        gap[:] = 0.0
        gap[row] = -1.0
        shift = structure.displaced_breaks(event, origin, gap)
        fired = list(np.flatnonzero(shift.event))
        assert fired == ([] if expected is None else [expected]), row
    gap[:] = 1.0
    assert not structure.displaced_breaks(event, origin, gap).event.any()


def test_trend_of_pivots() -> None:
    legs = [100, 104, 102, 107, 104, 110, 107, 100, 104, 96, 101, 92, 97]
    close = np.concatenate([np.linspace(a, b, 6)[:-1] for a, b in pairwise(legs)])
    columns = columns_of(close.tolist())
    found = market_trend.pivot_trend(columns["high"], columns["low"], 2, 2, columns["is_gap"])
    assert found.known[:18].max() == 0
    assert found.trend[24] == 1
    assert found.trend[-1] == -1


def test_gap_is_known_on_its_third_bar() -> None:
    columns = columns_of([100.0] * 20 + [100.0, 103.0, 103.5, 103.4])
    direction, top, bottom = fair_value_gap.fair_value_gaps(columns, 0.1, 1.0)
    assert list(np.flatnonzero(direction)) == [22]
    assert direction[22] == 1
    assert bottom[22] == columns["high"][20] == 100.2
    assert top[22] == columns["low"][22] == 102.8
    columns["is_gap"][20] = 1.0
    assert not fair_value_gap.fair_value_gaps(columns, 0.1, 1.0)[0].any()


@pytest.mark.parametrize(("seed", "gap_share"), SAMPLES)
@pytest.mark.parametrize("displacement", [0.0, 1.0])
def test_gaps_and_what_becomes_of_them(seed: int, gap_share: float, displacement: float) -> None:
    bars = random_bars(700, seed, gap_share=gap_share)
    columns = bars.columns()
    atr = average_true_range(bars.high, bars.low, bars.close, 14)
    direction, top, bottom = fair_value_gap.fair_value_gaps(columns, 0.1, displacement)
    is_gap = bars.is_gap.tolist()
    zones = oracle.gaps_of_three(lists(bars), atr.tolist(), is_gap, 0.1, displacement)
    rows = np.flatnonzero(direction)
    assert [(t, direction[t], top[t], bottom[t]) for t in rows] == [
        (z.known, z.side, z.top, z.bottom) for z in zones
    ]
    assert len(zones) > 15
    track = tracked_zones(
        (bars.high, bars.low, bars.close), direction, (top, bottom),
        pivot.long_gaps(columns["is_gap"], len(bars)), expiry_bars=60, max_touches=2,
    )  # fmt: skip
    check_track(track, zones, bars, expiry=60, max_touches=2)


def check_track(
    track: ZoneTrack, zones: list[oracle.Zone], bars: Bars, *, expiry: int, max_touches: int
) -> None:
    _, high, low, close = lists(bars)
    gaps = oracle.long_gap_rows(bars.is_gap.tolist())
    count = len(bars)
    touch, reaction, flip = np.zeros(count), np.zeros(count), np.zeros(count)
    fresh, still_open, flipped = np.zeros((2, count)), np.zeros((2, count)), np.zeros((2, count))
    for zone in zones:
        if zone.known in gaps:
            continue
        oracle.follow(zone, high, low, close, expiry=expiry, gaps=gaps, max_touches=max_touches)
        happened = zone.events
        for name, row in happened.items():
            if name.startswith("touch"):
                touch[row] += zone.side
        if "reaction" in happened:
            reaction[happened["reaction"]] += zone.side
        if "flip" in happened:
            flip[happened["flip"]] -= zone.side
        own, other = (0, 1) if zone.side > 0 else (1, 0)
        for t in range(zone.known, happened["last"] + 1):
            if t < happened.get("flip", count):
                fresh[own][t] += t < happened.get("visited", count)
                still_open[own][t] += t < happened.get("filled", count)
            elif t < happened.get("end", count):
                flipped[other][t] += 1
    assert np.array_equal(track.touch, np.sign(touch))
    assert np.array_equal(track.reaction, np.sign(reaction))
    assert np.array_equal(track.flip, np.sign(flip))
    assert np.array_equal(track.fresh_bullish, fresh[0])
    assert np.array_equal(track.fresh_bearish, fresh[1])
    assert np.array_equal(track.open_bullish, still_open[0])
    assert np.array_equal(track.open_bearish, still_open[1])
    assert np.array_equal(track.flipped_bullish, flipped[0])
    assert np.array_equal(track.flipped_bearish, flipped[1])
    assert np.abs(touch).sum() > 5
    assert np.abs(flip).sum() > 5


def one_zone(lows: list[float], closes: list[float], **options: int) -> ZoneTrack:
    """The story of a bullish zone from 9 to 10, known on row 0."""
    count = len(lows)
    direction, top, bottom = np.zeros(count), np.full(count, np.nan), np.full(count, np.nan)
    direction[0], top[0], bottom[0] = 1.0, 10.0, 9.0
    prices = (np.array(closes) + 0.5, np.array(lows), np.array(closes))
    resets = np.zeros(count, dtype=np.bool_)
    return tracked_zones(prices, direction, (top, bottom), resets, **{"expiry_bars": 50, **options})


def test_zone_life() -> None:
    lows = [10.5, 9.8, 10.5, 9.4, 8.9, 8.0, 8.5, 8.6, 10.2]
    closes = [11.0, 10.2, 11.0, 9.7, 9.1, 8.2, 8.6, 10.4, 10.8]
    track = one_zone(lows, closes)
    assert list(np.flatnonzero(track.touch)) == [1]
    assert list(np.flatnonzero(track.reaction)) == [3]
    assert list(track.open_bullish) == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert list(track.fresh_bullish) == [1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert list(np.flatnonzero(track.flip)) == [5]
    assert track.flip[5] == -1
    assert list(track.flipped_bearish) == [0, 0, 0, 0, 0, 1, 1, 0, 0]
    assert track.distance_bullish[0] == 1.0
    assert np.isnan(track.distance_bullish[4])
    assert np.isnan(track.flipped_distance_bearish[:5]).all()
    assert track.flipped_distance_bearish[5] == 9.0 - 8.2
    assert track.flipped_distance_bearish[6] == 9.0 - 8.6
    assert np.isnan(track.flipped_distance_bearish[7:]).all()
    assert np.isnan(track.flipped_distance_bullish).all()


def test_zone_touches_expiry_and_breaker_touch() -> None:
    lows = [10.5, 9.8, 10.5, 9.8, 10.5, 9.8]
    closes = [11.0, 10.2, 11.0, 10.2, 11.0, 10.2]
    assert list(np.flatnonzero(one_zone(lows, closes, max_touches=2).touch)) == [1, 3]
    assert one_zone(lows, closes, expiry_bars=2).open_bullish.tolist() == [1, 1, 1, 0, 0, 0]
    broken = one_zone([10.5, 8.0, 7.0, 8.0, 8.0], [11.0, 8.2, 7.5, 8.8, 8.6])
    assert list(np.flatnonzero(broken.flip)) == [1]
    assert list(np.flatnonzero(broken.flip_touch)) == [3]
    assert broken.flip_touch[3] == -1


def test_a_full_ring_forgets_the_oldest_zone() -> None:
    count = 8
    direction = np.ones(count)
    top, bottom = 10.0 + np.arange(count), 9.5 + np.arange(count)
    prices = (np.full(count, 40.0), np.full(count, 30.0), np.full(count, 35.0))
    resets = np.zeros(count, dtype=np.bool_)
    track = tracked_zones(prices, direction, (top, bottom), resets, expiry_bars=50, capacity=3)
    assert track.open_bullish.tolist() == [1, 2, 3, 3, 3, 3, 3, 3]
    assert track.distance_bullish[-1] == 35.0 - top[-1]


def test_balanced_range_takes_the_side_of_the_later_gap() -> None:
    direction = np.array([0, 1, 0, 0, -1, 0, 0, 1.0])
    top = np.array([np.nan, 10, np.nan, np.nan, 9.5, np.nan, np.nan, 20])
    bottom = np.array([np.nan, 9, np.nan, np.nan, 8, np.nan, np.nan, 19])
    event, upper, lower, _ = fair_value_gap.balanced_price_ranges(direction, top, bottom, 20)
    assert event.tolist() == [0, 0, 0, 0, -1, 0, 0, 0]
    assert (upper[4], lower[4]) == (9.5, 9.0)
    assert not fair_value_gap.balanced_price_ranges(direction, top, bottom, 2)[0].any()


def test_order_block_is_the_last_candle_against_the_break() -> None:
    columns = columns_of([100, 101, 100.4, 101.5, 101.2, 102.5, 104.0, 105.0])
    event, broke_at, began_at = np.zeros(8), np.full(8, -1.0), np.full(8, -1.0)
    event[6], broke_at[6], began_at[6] = 1.0, 6.0, 1.0
    found = order_block.order_blocks(columns, event, broke_at, began_at)
    assert list(np.flatnonzero(found.direction)) == [6]
    assert found.block[6] == 4
    assert (found.top[6], found.bottom[6]) == (columns["high"][4], columns["low"][4])
    body = order_block.order_blocks(columns, event, broke_at, began_at, by_body=True)
    assert (body.top[6], body.bottom[6]) == (columns["open"][4], columns["low"][4])
    falling = {**columns, "open": columns["open"].copy()}
    falling["open"][6] = 106.0
    assert order_block.order_blocks(falling, event, broke_at, began_at).block[6] == 4
    columns["is_gap"][4] = 1.0
    assert order_block.order_blocks(columns, event, broke_at, began_at).block[6] == 2
    began_at[6] = 5.0
    assert not order_block.order_blocks(columns, event, broke_at, began_at).direction.any()


def test_order_blocks_are_known_on_the_break() -> None:
    bars = random_bars(2000, 3)
    columns = bars.columns()
    indicator = order_block.ORDER_BLOCK
    outputs = dict(
        zip(
            (o.name for o in indicator.outputs),
            indicator.compute(columns, indicator.resolved({})),
            strict=True,
        )
    )
    breaks = dict(
        zip(
            (o.name for o in structure.STRUCTURE.outputs),
            structure.STRUCTURE.compute(columns, structure.STRUCTURE.resolved({})),
            strict=True,
        )
    )
    rows = np.flatnonzero(outputs["event"])
    assert len(rows) > 40
    assert (np.where(breaks["bos"] != 0, breaks["bos"], breaks["mss"])[rows] != 0).all()


def entry_columns(retreat: list[float]) -> dict[str, Float1D]:
    """A base, a break with displacement, a tip, and a way back."""
    base = [100, 101, 102, 103, 102, 101, 100, 99, 100, 101, 102]
    return columns_of([100.0] * 20 + base + [106.0, 109.0, 110.0] + retreat)


def entries(columns: dict[str, Float1D], right: int = 2) -> dealing_range.EntryZones:
    resolved = dealing_range.OPTIMAL_TRADE_ENTRY.resolved({"left": 2, "right": right})
    return dealing_range.found_entries(columns, resolved)


def test_entry_into_a_displaced_leg() -> None:
    columns = entry_columns([109.0, 108.0, 107.0, 104.0, 102.0, 101.5, 104.0])
    found = entries(columns)
    entry, inside, middle = found.entry, found.inside, found.middle
    tip, base = 110.2, 98.8
    rows = np.flatnonzero(entry)
    near, far = tip - 0.62 * (tip - base), tip - 0.79 * (tip - base)
    first = next(t for t in range(36, len(entry)) if columns["low"][t] <= near)
    assert list(rows) == [first]
    assert entry[first] == 1
    assert middle[first] == pytest.approx(0.5 * (near + far), rel=1e-12)
    assert inside[int(np.flatnonzero(inside)[0])] == 1


def test_the_bar_that_confirms_the_tip_cannot_enter() -> None:
    columns = entry_columns([109.0, 102.0, 102.5, 102.0])
    assert columns["low"][35] < 110.2 - 0.62 * 11.4
    found = entries(columns)
    assert list(np.flatnonzero(found.entry)) == [36]
    assert found.inside[35] == 0
    assert found.known[:, dealing_range.ZONE_KNOWN].tolist() == [35]


def test_no_entry_once_the_base_is_lost() -> None:
    columns = entry_columns([109.0, 108.0, 98.0, 103.0, 102.0])
    found = entries(columns)
    assert not found.entry.any()
    assert found.changes.tolist() == [[0, dealing_range.INVALID, 36]]
    high = entry_columns([109.0, 108.0, 107.0, 111.0, 108.0, 103.0])
    suspended = entries(high, right=3)
    assert np.isnan(suspended.middle[37])
    assert not suspended.entry[:39].any()
    assert suspended.changes[0].tolist() == [0, dealing_range.SUSPENDED, 37]


def test_premium_and_discount() -> None:
    position = np.array([np.nan, 0.2, 0.45, 0.5, 0.55, 0.56, 1.4])
    assert dealing_range.range_zone(position).tolist() == [0, 1, 2, 2, 2, 3, 3]
    close, bottom, top = np.array([5.0, 5.0]), np.array([4.0, 5.0]), np.array([8.0, 5.0])
    assert dealing_range.range_position(close, bottom, top).tolist() == [0.25, 0.5]
