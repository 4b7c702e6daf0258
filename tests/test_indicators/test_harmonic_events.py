"""Tables of harmonic events against a plain-Python reading of the whole of them, and their bounds."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators import EventTable
from indicators._harmonic_shape import projection_kernel
from indicators.harmonic import HARMONIC, HARMONIC_PIVOT, LOOKBACK
from indicators.harmonic_events import (
    HARMONIC_DETECTOR,
    HARMONIC_PIVOT_DETECTOR,
)
from indicators.harmonic_pattern import PATTERN_NAMES, pattern_table
from indicators.spec import Indicator
from tests.generators import random_bars
from tests.oracles.harmonic import CODES, ON_XA, Bullish, Event, Rules, completed, harmonic_ratios
from tests.oracles.wyckoff import Bars

STATES = [state.name for state in HARMONIC_DETECTOR.states]
RULES = {
    "wide": Rules(3, 3),
    "short": Rules(5, 5, 0.04, 0.06, 60, 30, 4),
    "minor swings": Rules(3, 3, 0.05, 0.05, minor_swings=1, alternate_abcd=1),
    "turns": Rules(tolerance=0.05, by_turns=1, turn_atr=1.5),
    "turns and minor swings": Rules(tolerance=0.06, by_turns=1, turn_atr=1.0, minor_swings=1),
}
every_rules = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


def market(seed: int, rows: int = 1800) -> dict[str, Float1D]:
    columns = random_bars(rows, seed, gap_share=0.01, with_flows=False).columns()
    chosen = {name: columns[name].copy() for name in HARMONIC.inputs}
    start = 400 + 37 * (seed % 12)
    for name in ("high", "low", "close"):
        chosen[name][start : start + 6] = chosen["close"][start - 1]
    chosen["is_gap"][start : start + 6] = 1.0
    return chosen


def plain_bars(columns: Mapping[str, Float1D], sign: int) -> Bars:
    high, low, close = (columns[name].tolist() for name in ("high", "low", "close"))
    bars = Bars(close, high, low, close, [0.0] * len(close), (columns["is_gap"] > 0).tolist())
    return bars if sign > 0 else bars.negated()


def outputs(
    columns: Mapping[str, Float1D], indicator: Indicator, rules: Rules
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, parameters(indicator, rules))
    return {output.name: column for output, column in zip(indicator.outputs, computed, strict=True)}


def parameters(indicator: Indicator, rules: Rules) -> dict[str, float]:
    known = {parameter.name for parameter in indicator.parameters}
    return indicator.resolved({k: v for k, v in asdict(rules).items() if k in known})


Row = tuple[int, int, str, tuple[int, ...]]


def rows_of(table: EventTable) -> dict[Row, tuple[list[float], list[tuple[int, str]]]]:
    """Every event by what makes it one: its numbers and its changes."""
    found: dict[Row, tuple[list[float], list[tuple[int, str]]]] = {}
    for i in range(len(table)):
        key = (
            int(table.known[i]),
            int(table.direction[i]),
            PATTERN_NAMES[table.type[i]],
            (int(table.anchor[i]), *table.point_rows[i].tolist(), round(1e6 * table.levels[i, 4])),
        )
        own = table.change_event == i
        changes = [
            (int(row), STATES[state])
            for row, state in zip(table.change_row[own], table.change_state[own], strict=True)
        ]
        numbers = [table.bottom[i], table.top[i], table.measure[i]]
        numbers += [*table.point_prices[i].tolist(), *table.levels[i].tolist()]
        assert key not in found
        found[key] = numbers, changes
    return found


def expected_rows(
    events: list[tuple[int, Event]],
) -> dict[Row, tuple[list[float], list[tuple[int, str]]]]:
    found = {}
    for sign, own in events:
        event = own if sign > 0 else own.negated()
        key = (
            event.known,
            sign,
            event.name,
            (event.anchor, *event.rows, round(1e6 * event.levels[4])),
        )
        numbers = [event.low, event.high, event.measure, *event.prices, *event.levels]
        found[key] = numbers, event.changes
    return found


def assert_same_events(table: EventTable, events: list[tuple[int, Event]]) -> None:
    found, expected = rows_of(table), expected_rows(events)
    assert found.keys() == expected.keys()
    for key, (numbers, changes) in found.items():
        assert changes == expected[key][1], key
        np.testing.assert_allclose(
            numbers, expected[key][0], rtol=1e-9, atol=1e-9, err_msg=str(key)
        )


@cache
def read(name: str, seed: int) -> tuple[dict[str, Float1D], dict[int, Bullish]]:
    columns = market(seed)
    return columns, {sign: Bullish(plain_bars(columns, sign), RULES[name]) for sign in (1, -1)}


SEEDS = range(4)
AT_LEAST = {"wide": 12, "short": 3, "minor swings": 60, "turns": 10, "turns and minor swings": 40}
"""Zones of each kind of end that the four markets must hold together."""


@pytest.mark.parametrize("name", RULES)
def test_zones_and_their_lives_agree_with_the_oracle(name: str) -> None:
    ends = dict.fromkeys(("confirmed", "failed", "expired"), 0)
    for seed in SEEDS:
        columns, sides = read(name, seed)
        table = HARMONIC_DETECTOR.find(columns, parameters(HARMONIC, RULES[name]))
        events = [(sign, event) for sign, side in sides.items() for event in side.events]
        assert_same_events(table, events)
        for _, event in events:
            for _, state in event.changes:
                ends[state] = ends.get(state, 0) + 1
    assert min(ends.values()) >= AT_LEAST[name], ends


@pytest.mark.parametrize("name", RULES)
def test_columns_agree_with_the_oracle(name: str) -> None:
    for seed in SEEDS:
        columns, sides = read(name, seed)
        found = outputs(columns, HARMONIC, RULES[name])
        rows = len(columns["close"])
        votes = {state: np.zeros(rows) for state in ("published", "entered", "confirmed", "failed")}
        for sign, side in sides.items():
            word = "bullish" if sign > 0 else "bearish"
            np.testing.assert_array_equal(found[f"{word}_count"][LOOKBACK:], side.count[LOOKBACK:])
            np.testing.assert_allclose(
                found[f"{word}_precision"][LOOKBACK:], side.precision[LOOKBACK:], atol=1e-9
            )
            bits = [sum(2 ** (CODES[one] - 1) for one in names) for names in side.active]
            np.testing.assert_array_equal(found[f"{word}_patterns"], bits)
            for event in side.events:
                votes["published"][event.known] += sign
                for row, state in event.changes:
                    if state in votes:
                        votes[state][row] += -sign if state == "failed" else sign
        for state, total in votes.items():
            np.testing.assert_array_equal(found[state], np.sign(total), err_msg=state)


@every_rules
def test_completed_figures_agree_with_the_oracle(rules: Rules) -> None:
    total = 0
    loose = Rules(**{**asdict(rules), "tolerance": 0.07, "point_tolerance": 0.08})
    for seed in range(6):
        columns = market(seed)
        found = outputs(columns, HARMONIC_PIVOT, loose)
        table = HARMONIC_PIVOT_DETECTOR.find(columns, parameters(HARMONIC_PIVOT, loose))
        events = [
            (sign, event)
            for sign in (1, -1)
            for event in completed(plain_bars(columns, sign), loose)
        ]
        assert_same_events(table, events)
        total += len(events)
        best, direction = np.zeros((2, len(columns["close"])))
        entry = np.full(len(best), np.nan)
        for sign, event in events:
            best[event.known] = max(best[event.known], event.measure)
            direction[event.known] = sign
            entry[event.known] = columns["close"][event.known]
        np.testing.assert_array_equal(found["completed"], direction)
        np.testing.assert_array_equal(found["entry"], entry)
        np.testing.assert_allclose(found["precision"][LOOKBACK:], best[LOOKBACK:], atol=1e-9)
        fitting = {(event.known, CODES[event.name]): event.measure for _, event in events}
        for row in np.flatnonzero(found["pattern"]):
            assert fitting[row, found["pattern"][row]] == pytest.approx(best[row], abs=1e-9)
    assert total >= 8


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 60), swings=st.booleans(), turns=st.booleans())
def test_identities_and_bounds(seed: int, swings: bool, turns: bool) -> None:
    """d = b (1 - c + c q) of every figure, with d signed; rows in order; zones narrow and untouched."""
    columns = market(seed, rows=900)
    wanted = {
        "left": 3.0, "right": 3.0, "tolerance": 0.08, "point_tolerance": 0.08,
        "minor_swings": float(swings), "by_turns": float(turns), "turn_atr": 1.0,
    }  # fmt: skip
    completed_table = HARMONIC_PIVOT_DETECTOR.find(columns, HARMONIC_PIVOT.resolved(wanted))
    zone_table = HARMONIC_DETECTOR.find(columns, HARMONIC.resolved(wanted))
    for table in (completed_table, zone_table):
        abcd = table.type == CODES["abcd"] - 1
        rows = np.where(table.point_rows < 0, table.anchor[:, None] - 3, table.point_rows)
        assert (np.diff(rows, axis=1) >= 3).all()
        assert (rows[:, -1] < table.known).all()
        assert (
            table.anchor == np.where(abcd, table.point_rows[:, 1], table.point_rows[:, 0])
        ).all()
        assert ((table.measure >= 0) & (table.measure <= 1)).all()
        x, a, b = table.point_prices[:, :3].T
        assert (table.top - table.bottom <= 0.1 * np.abs(np.where(abcd, a - b, a - x)) + 1e-9).all()
        side = table.direction
        alternates = side[:, None] * np.diff(table.point_prices, axis=1) * [1, -1, 1, -1][
            : table.point_rows.shape[1] - 1
        ]  # fmt: skip
        assert (np.isnan(alternates) | (alternates > 0)).all()
    for prices in completed_table.point_prices[~np.isnan(completed_table.point_prices[:, 0])]:
        b_ratio, c_ratio, q, d = harmonic_ratios(*prices)
        assert d == pytest.approx(b_ratio * (1 - c_ratio + c_ratio * q), rel=1e-9, abs=1e-9)
    for event in range(len(zone_table)):
        after_c = slice(int(zone_table.point_rows[event, 3]), int(zone_table.known[event]) + 1)
        if zone_table.direction[event] > 0:
            assert columns["low"][after_c].min() > zone_table.top[event]
        else:
            assert columns["high"][after_c].max() < zone_table.bottom[event]


def zone_in_xa(name: str, b: float, c: float, tolerance: float) -> tuple[float, float]:
    """The nearest and the furthest D/XA of a zone that the kernel projects."""
    row = pattern_table(alternate_abcd=False)[PATTERN_NAMES.index(name)]
    _, _, low, high = projection_kernel(row, 0.0, 1.0, 1.0 - b, 1.0 - b + c * b, tolerance)
    return 1.0 - high, 1.0 - low


@given(
    name=st.sampled_from(sorted(ON_XA)),
    b=st.floats(0.3, 0.95),
    c=st.floats(0.3, 1.7),
    tolerance=st.floats(0.01, 0.08),
)
def test_the_zone_is_what_the_identity_lets_q_reach(
    name: str, b: float, c: float, tolerance: float
) -> None:
    """d = b (1 - c + c q) at both ends of the widened q, and d within its tolerance and .05 XA."""
    _, _, (q_low, q_high), d = ON_XA[name]
    reach = [b * (1 - c + c * q) for q in (q_low * (1 - tolerance), q_high * (1 + tolerance))]
    expected = (
        max(d * (1 - tolerance), d - 0.05, reach[0]),
        min(d * (1 + tolerance), d + 0.05, reach[1]),
    )
    assert zone_in_xa(name, b, c, tolerance) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "b", "c", "exists"),
    [
        ("crab", 0.4865, 0.886, False), ("crab", 0.4885, 0.886, True),
        ("bat", 0.382, 0.813, False), ("bat", 0.382, 0.818, True),
        ("alternate_bat", 0.382, 0.746, False), ("alternate_bat", 0.382, 0.751, True),
        ("gartley", 0.618, 0.382, False), ("gartley", 0.618, 0.45, True),
    ],
)  # fmt: skip
def test_cells_that_the_identity_empties_have_no_zone(
    name: str, b: float, c: float, exists: bool
) -> None:
    """With exact ratios: a Crab needs b of .4875, a Bat of b .382 c of .815, an Alternate Bat of .75."""
    nearest, furthest = zone_in_xa(name, b, c, 1e-6)
    assert (nearest <= furthest) == exists
