"""Tables of events of structure, gaps, blocks and entries: against slow oracles, mirrored, on ties."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators import DETECTORS_BY_NAME, EventTable
from indicators.volatility import average_true_range
from tests.generators import random_bars
from tests.oracles import structure as oracle
from tests.oracles import structure_events as expected

NAMES = (
    "structure", "market_trend", "fair_value_gap", "balanced_price_range", "order_block",
    "optimal_trade_entry",
)  # fmt: skip
COUNT = 1000
MARKETS = ((1, 0.0), (2, 0.1), (7, 0.3))
SWINGS: tuple[Mapping[str, float], ...] = (
    {"left": 3, "right": 8},
    {"left": 2, "right": 1, "at_wicks": 1},
    {"by_turns": 1, "turn_atr": 1.5},
    {"by_turns": 1, "turn_atr": 1.0, "at_wicks": 1},
)
every_market = pytest.mark.parametrize(("seed", "gap_share"), MARKETS)
every_swing = pytest.mark.parametrize("swing", SWINGS, ids="-".join)


class Drawn:
    """One market as arrays, as lists, and what the oracle says of its swings and gaps."""

    def __init__(self, columns: Mapping[str, Float1D], swing: Mapping[str, float]) -> None:
        self.columns = columns
        self.is_gap = (columns["is_gap"] > 0).tolist()
        self.holes = oracle.long_gap_rows(self.is_gap)
        self.bars = tuple(self.columns[name].tolist() for name in ("open", "high", "low", "close"))
        atr = average_true_range(columns["high"], columns["low"], columns["close"], 14)
        self.atr = atr.tolist()
        _, high, low, close = self.bars
        if swing.get("by_turns"):
            threshold = (swing["turn_atr"] * atr).tolist()
            self.swings = oracle.directional_changes(high, low, close, threshold, self.is_gap)
        else:
            sides = int(swing["left"]), int(swing["right"])
            self.swings = oracle.pivots(high, low, *sides, self.is_gap)
        reach = (high, low) if swing.get("at_wicks") else (close, close)
        self.breaks, self.broken = expected.breaks_of(self.swings, *reach, self.is_gap)

    def gaps(self, size: float, displacement: float) -> list[oracle.Zone]:
        return oracle.gaps_of_three(self.bars, self.atr, self.is_gap, size, displacement)

    def table(self, name: str, **parameters: float) -> EventTable:
        detector = DETECTORS_BY_NAME[name]
        columns = {column: self.columns[column] for column in detector.inputs}
        return detector.find(columns, detector.resolved(parameters))


@cache
def _drawn(seed: int, gap_share: float, swing: tuple[tuple[str, float], ...]) -> Drawn:
    return Drawn(random_bars(COUNT, seed, gap_share=gap_share).columns(), dict(swing))


def drawn_of(seed: int, gap_share: float, swing: Mapping[str, float]) -> Drawn:
    return _drawn(seed, gap_share, tuple(swing.items()))


def told(name: str, table: EventTable) -> list[expected.Event]:
    """A table in the oracle's words."""
    detector = DETECTORS_BY_NAME[name]
    events = [
        expected.Event(
            detector.types[table.type[i]].name,
            int(table.direction[i]),
            int(table.anchor[i]),
            int(table.known[i]),
            float(table.top[i]),
            float(table.bottom[i]),
            table.point_rows[i].tolist(),
        )
        for i in range(len(table))
    ]
    for event, state, row in zip(
        table.change_event, table.change_state, table.change_row, strict=True
    ):
        events[event].changes.append((detector.states[state].name, int(row)))
    return events


def same(got: list[expected.Event], wanted: list[expected.Event]) -> None:
    """Equal as lists, told one by one; NaN edges and points that are not drawn count as equal."""

    def key(event: expected.Event) -> tuple[int, str, int]:
        return event.known, event.type, event.anchor

    for one, other in zip(sorted(got, key=key), sorted(wanted, key=key), strict=False):
        assert (one.type, one.direction, one.anchor, one.known) == (
            other.type, other.direction, other.anchor, other.known,
        )  # fmt: skip
        assert [one.top, one.bottom] == pytest.approx([other.top, other.bottom], nan_ok=True)
        assert one.points == other.points
        assert one.changes == other.changes, (one.type, one.known)
    assert len(got) == len(wanted)


def compared_structure(drawn: Drawn, swing: Mapping[str, float]) -> EventTable:
    shifts = expected.displaced([b for b in drawn.breaks if b.change], drawn.gaps(0.1, 1.0))
    wanted = expected.structure_events(drawn.breaks, drawn.broken, shifts)
    table = drawn.table("structure", **swing)
    same(told("structure", table), wanted)
    return table


def compared_trend(drawn: Drawn, swing: Mapping[str, float]) -> EventTable:
    table = drawn.table("market_trend", left=swing["left"], right=swing["right"])
    same(told("market_trend", table), expected.trend_events(drawn.swings, drawn.is_gap))
    return table


def compared_gaps(drawn: Drawn, displacement: float, expiry: int) -> EventTable:
    wanted = [
        expected.Event("fair_value_gap", g.side, g.known - 2, g.known, g.top, g.bottom)
        for g in drawn.gaps(0.1, displacement)
    ]
    for event in wanted:
        expected.live(event, drawn.bars, drawn.holes, expiry=expiry, touches=1, flips="inverted")
        event.changes = [c for c in event.changes if c[0] not in ("consumed", "breaker_touched")]
    table = drawn.table("fair_value_gap", min_displacement_atr=displacement, expiry_bars=expiry)
    same(told("fair_value_gap", table), wanted)
    return table


def compared_balanced(drawn: Drawn, expiry: int) -> EventTable:
    wanted = expected.balanced_ranges(drawn.gaps(0.0, 0.0), 20, drawn.is_gap)
    for event in wanted:
        expected.live(event, drawn.bars, drawn.holes, expiry=expiry, touches=1, flips=None)
        event.changes = [c for c in event.changes if c[0] != "consumed"]
    table = drawn.table("balanced_price_range", min_size_atr=0.0, expiry_bars=expiry)
    same(told("balanced_price_range", table), wanted)
    return table


def compared_blocks(
    drawn: Drawn, swing: Mapping[str, float], *, by_body: int, touches: int, expiry: int
) -> EventTable:
    changes = [b for b in drawn.breaks if b.change]
    shifts = expected.displaced(changes, drawn.gaps(0.1, 1.0))
    known = dict(shifts) | {b.row: b for b in drawn.breaks if not b.change}
    blocks = [
        expected.order_block(drawn.bars, drawn.is_gap, row, known[row], by_body=bool(by_body))
        for row in sorted(known)
    ]
    wanted = [block for block in blocks if block is not None]
    for event in wanted:
        expected.live(
            event, drawn.bars, drawn.holes, expiry=expiry, touches=touches, flips="breaker"
        )
        event.changes = [c for c in event.changes if c[0] not in ("half", "filled")]
    parameters = {**swing, "by_body": by_body, "max_touches": touches, "expiry_bars": expiry}
    table = drawn.table("order_block", **parameters)
    same(told("order_block", table), wanted)
    volume = drawn.columns["volume"].tolist()
    strengths = [expected.strength(drawn.bars, volume, drawn.atr, event) for event in wanted]
    # The project takes the mean of a window from sums that move along; these are added anew.
    np.testing.assert_allclose(table.measure, strengths, rtol=1e-9)
    return table


def compared_entries(drawn: Drawn, swing: Mapping[str, float], expiry: int) -> EventTable:
    shifts = expected.displaced(drawn.breaks, drawn.gaps(0.1, 1.0))
    wanted = expected.entries(drawn.swings, shifts, drawn.bars, drawn.is_gap, expiry=expiry)
    table = drawn.table("optimal_trade_entry", **swing, expiry_bars=expiry)
    same(told("optimal_trade_entry", table), wanted)
    return table


@every_market
@every_swing
def test_breaks(seed: int, gap_share: float, swing: Mapping[str, float]) -> None:
    drawn = drawn_of(seed, gap_share, swing)
    table = compared_structure(drawn, swing)
    assert {0, 1} <= set(table.type.tolist())
    assert gap_share == 0.3 or (table.type == 2).sum() > 1
    assert np.array_equal(table.point_prices[:, 1], table.top)
    close = drawn.columns["close"]
    assert np.array_equal(table.point_prices[:, 2], close[table.point_rows[:, 2]])


@every_market
def test_trend_of_pivots(seed: int, gap_share: float) -> None:
    table = compared_trend(drawn_of(seed, gap_share, SWINGS[0]), SWINGS[0])
    assert gap_share == 0.3 or len(set(table.type.tolist())) == 3


@every_market
@pytest.mark.parametrize("displacement", [0.0, 1.0])
def test_gaps_and_their_lives(seed: int, gap_share: float, displacement: float) -> None:
    table = compared_gaps(drawn_of(seed, gap_share, SWINGS[0]), displacement, 60)
    assert set(table.change_state.tolist()) == set(range(6))


@every_market
def test_balanced_ranges_and_their_lives(seed: int, gap_share: float) -> None:
    table = compared_balanced(drawn_of(seed, gap_share, SWINGS[0]), 25)
    assert len(table) > 5
    assert gap_share == 0.3 or set(table.change_state.tolist()) == set(range(5))


@every_market
@every_swing
@pytest.mark.parametrize(("by_body", "touches"), [(0, 1), (1, 2), (0, 3)])
def test_blocks_and_their_lives(
    seed: int, gap_share: float, swing: Mapping[str, float], by_body: int, touches: int
) -> None:
    drawn = drawn_of(seed, gap_share, swing)
    table = compared_blocks(drawn, swing, by_body=by_body, touches=touches, expiry=50)
    if not gap_share:
        assert set(table.change_state.tolist()) == set(range(6))
        assert np.nanmax(table.measure) > 20


@every_market
@every_swing
def test_entries_and_their_lives(seed: int, gap_share: float, swing: Mapping[str, float]) -> None:
    table = compared_entries(drawn_of(seed, gap_share, swing), swing, 40)
    if not gap_share:
        assert set(table.change_state.tolist()) == set(range(4))


def columns_of(
    steps: list[int], wicks: list[tuple[int, int]], holes: list[tuple[int, int]]
) -> dict[str, Float1D]:
    """Bars on a grid of whole prices, full of ties; ``holes`` are runs of missing bars."""
    close = 200.0 + np.cumsum(steps)
    open_ = np.concatenate(([200.0], close[:-1]))
    up, down = np.array(wicks, dtype=np.float64).T
    is_gap = np.zeros(len(close))
    for first, length in holes:
        is_gap[first : first + length] = 1.0
    high, low = np.maximum(open_, close) + up, np.minimum(open_, close) - down
    for t in np.flatnonzero(is_gap):
        open_[t] = close[t] = high[t] = low[t] = close[t - 1] if t else 200.0
        if t + 1 < len(close):
            open_[t + 1] = close[t]
            high[t + 1] = max(high[t + 1], open_[t + 1])
            low[t + 1] = min(low[t + 1], open_[t + 1])
    return {
        "open_time": 3.6e12 * np.arange(len(close)),
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": np.where(is_gap > 0, 0.0, 10.0),
        "is_gap": is_gap,
    }


bars_with_ties = st.integers(40, 160).flatmap(
    lambda count: st.builds(
        columns_of,
        st.lists(st.integers(-4, 4), min_size=count, max_size=count),
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=count, max_size=count),
        st.lists(st.tuples(st.integers(20, count), st.integers(1, 6)), max_size=3),
    )
)
PARAMETERS: Mapping[str, Mapping[str, float]] = {
    "structure": {"left": 2, "right": 1, "at_wicks": 1},
    "market_trend": {"left": 1, "right": 2},
    "fair_value_gap": {"min_size_atr": 0.0, "min_displacement_atr": 0.0, "expiry_bars": 20},
    "balanced_price_range": {"min_size_atr": 0.0, "window_bars": 30, "expiry_bars": 20},
    "order_block": {"left": 1, "right": 1, "max_touches": 2, "expiry_bars": 20},
    "optimal_trade_entry": {"left": 1, "right": 1, "expiry_bars": 20},
}


def found(name: str, columns: dict[str, Float1D]) -> EventTable:
    detector = DETECTORS_BY_NAME[name]
    inputs = {column: columns[column] for column in detector.inputs}
    return detector.find(inputs, detector.resolved(PARAMETERS[name]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(columns=bars_with_ties)
def test_identities(name: str, columns: dict[str, Float1D]) -> None:
    detector, table = DETECTORS_BY_NAME[name], found(name, columns)
    rows = len(columns["close"])
    assert (table.known < rows).all()
    assert (table.change_row < rows).all()
    if name != "market_trend":
        assert set(table.direction.tolist()) <= {-1, 1}
    expiry = PARAMETERS[name].get("expiry_bars", rows)
    first: dict[tuple[int, str], int] = {}
    for event, state, row in zip(
        table.change_event.tolist(), table.change_state.tolist(), table.change_row.tolist(),
        strict=True,
    ):  # fmt: skip
        word = detector.states[state].name
        assert row > table.known[event] or name == "optimal_trade_entry"
        assert row <= table.known[event] + expiry + 1
        assert (event, word) not in first or word in ("touched", "breaker_touched")
        first.setdefault((event, word), row)
    for event, word in list(first):
        for later, earlier in (
            ("consumed", "touched"), ("half", "touched"), ("filled", "half"),
            ("inverted", "filled"), ("breaker", "consumed"), ("breaker_touched", "breaker"),
        ):  # fmt: skip
            if word == later:
                assert first[event, earlier] <= first[event, word]


@settings(max_examples=60, deadline=None)
@given(
    columns=bars_with_ties,
    swing=st.sampled_from(
        (
            {"left": 1.0, "right": 1.0},
            {"left": 1.0, "right": 7.0},
            {"left": 2.0, "right": 1.0, "at_wicks": 1.0},
            {"by_turns": 1.0, "turn_atr": 1.0, "at_wicks": 1.0},
        )
    ),
)
def test_tables_of_bars_full_of_ties(
    columns: dict[str, Float1D], swing: Mapping[str, float]
) -> None:
    drawn = Drawn(columns, swing)
    compared_structure(drawn, swing)
    compared_gaps(drawn, 0.0, 15)
    compared_balanced(drawn, 15)
    compared_blocks(drawn, swing, by_body=1, touches=2, expiry=15)
    compared_blocks(drawn, swing, by_body=0, touches=1, expiry=15)
    compared_entries(drawn, swing, 15)
    if "left" in swing:
        compared_trend(drawn, swing)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(columns=bars_with_ties)
def test_mirrored_prices_mirror_the_table(name: str, columns: dict[str, Float1D]) -> None:
    turned = {
        **columns,
        "open": 400.0 - columns["open"],
        "high": 400.0 - columns["low"],
        "low": 400.0 - columns["high"],
        "close": 400.0 - columns["close"],
    }
    here, there = found(name, columns), found(name, turned)
    order = np.lexsort((here.type, here.known))
    if name == "market_trend":
        assert np.array_equal(here.direction, -there.direction)
    else:
        assert np.array_equal(here.type[order], there.type[np.lexsort((there.type, there.known))])
    assert np.array_equal(here.known, there.known)
    for column in ("direction", "top", "anchor"):
        one, other = getattr(here, column), getattr(there, column)
        if column == "direction":
            assert np.array_equal(one, -other)
        elif column == "anchor":
            assert np.array_equal(one, other)
        else:
            assert np.allclose(one, 400.0 - there.bottom, rtol=0, atol=1e-9, equal_nan=True)
    for column in ("change_event", "change_state", "change_row"):
        assert np.array_equal(getattr(here, column), getattr(there, column)), column


@pytest.mark.parametrize(("missing", "is_connected"), [(0, True), (3, True), (4, False)])
def test_nothing_is_balanced_across_a_long_run_of_missing_bars(
    missing: int, is_connected: bool
) -> None:
    # A gap up from 100 to 105, then one down from 105 to 100.
    path = np.array([100.0] * 21 + [106.0, 106.0] + [106.0] * missing + [106.0, 99.0, 99.0])
    opens = np.concatenate((path[:1], path[:-1]))
    columns = {
        "open": opens,
        "high": np.maximum(opens, path),
        "low": np.minimum(opens, path),
        "close": path,
        "is_gap": np.zeros(len(path)),
    }
    columns["is_gap"][23 : 23 + missing] = 1.0
    columns["low"][22], columns["high"][-1] = 105.0, 100.0
    detector = DETECTORS_BY_NAME["balanced_price_range"]
    table = detector.find(columns, detector.resolved({"min_size_atr": 0.0}))
    assert len(table) == is_connected
    if is_connected:
        assert (table.top[0], table.bottom[0], table.direction[0]) == (105.0, 100.0, -1)
