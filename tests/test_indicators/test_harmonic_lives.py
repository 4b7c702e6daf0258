"""The life of one drawn harmonic zone: what is published, and each way in which it ends."""

from collections.abc import Mapping

import numpy as np
import pytest

from engine import Float1D
from indicators import EventTable
from indicators.detector import Detector
from indicators.harmonic import ATR_LENGTH
from indicators.harmonic_events import DETECTORS, HARMONIC_DETECTOR, LEVELS
from indicators.harmonic_pattern import PATTERN_NAMES
from tests.oracles.harmonic import CODES, INSIDE_X
from tests.schematics import drawn, mirrored, points

STATES = [state.name for state in HARMONIC_DETECTOR.states]


def find(columns: Mapping[str, Float1D], **given: float) -> EventTable:
    return HARMONIC_DETECTOR.find(columns, HARMONIC_DETECTOR.resolved(given))


def one_of(table: EventTable, name: str, known: int) -> int:
    own = np.flatnonzero((table.type == CODES[name] - 1) & (table.known == known))
    assert len(own) == 1
    return int(own[0])


def life(table: EventTable, event: int) -> list[str]:
    return [STATES[state] for state in table.change_state[table.change_event == event]]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_row_publishes_every_zone_that_c_completes(sign: int) -> None:
    """b = .5, c = .886: a Bat (d = .886), a Crab (1.618) and an ABCD share X, A, B and C."""
    path = points("bat", 0.5, 0.886)
    columns, rows = drawn(path)
    table = find(columns if sign > 0 else mirrored(columns, 110.0))
    known = rows[3] + 5
    names = {PATTERN_NAMES[code] for code in table.type[table.known == known]}
    assert names == {"bat", "crab", "abcd"}
    assert (table.direction[table.known == known] == sign).all()
    event = one_of(table, "bat", known)
    assert table.anchor[event] == rows[0]
    np.testing.assert_array_equal(table.point_rows[event], rows[:4])
    shown = path[:4] if sign > 0 else [220.0 - price for price in path[:4]]
    np.testing.assert_allclose(table.point_prices[event], shown)
    levels = dict(zip(LEVELS, sign * (table.levels[event] - 110.0) + 110.0, strict=True))
    x, a, b, c, d = path
    expected = (d, d + 0.382 * (a - d), d + 0.618 * (a - d), c, x, c - (a - b))
    assert levels == pytest.approx(dict(zip(LEVELS, expected, strict=True)))
    abcd = one_of(table, "abcd", known)
    assert table.anchor[abcd] == rows[1]
    assert table.point_rows[abcd, 0] == -1
    assert np.isnan(table.point_prices[abcd, 0])


def test_the_life_of_a_drawn_zone() -> None:
    path = points("gartley")
    stories = {
        ("entered", "confirmed", "expired"): drawn(path, after=8.0),
        ("entered", "failed"): drawn([*path[:4], path[4] - 4.0], after=-8.0),
        ("expired",): drawn([*path[:4], path[3] - 0.5, path[3] + 0.5], (14, 14, 14, 6, 6)),
        ("entered", "expired"): drawn([*path, path[4] + 0.01], (14, 14, 14, 14, 9)),
        ("entered", "confirmed", "failed"): drawn(
            [*path, path[4] + 1, path[4] - 4], (14,) * 4 + (3, 3)
        ),
    }
    for expected, (columns, rows) in stories.items():
        table = find(columns)
        assert tuple(life(table, one_of(table, "gartley", rows[3] + 5))) == expected


@pytest.mark.parametrize("name", ["gartley", "bat", "shark", "cypher", "butterfly"])
def test_a_close_one_percent_beyond_x_fails_what_lies_inside_x(name: str) -> None:
    """Prices jump over the zone; the ATR is wide enough that only the close beyond X can matter."""
    x, a, b, c, _ = (price - 90.0 for price in points(name))
    closes = [200.0 - 5.0 * i for i in range(38)]
    for start, end in ((closes[-1], x), (x, a), (a, b), (b, c), (c, c - 1.5)):
        closes += np.linspace(start, end, 5)[1:].tolist()
    inside_x = name in INSIDE_X
    for last, failed in ((0.995 * x, False), (0.985 * x, inside_x)):
        close = np.array([*closes, last])
        before = np.concatenate((close[:1], close[:-1]))
        before[-1] = last
        columns = {
            "high": np.maximum(before, close),
            "low": np.minimum(before, close),
            "close": close,
        }
        table = find({**columns, "is_gap": np.zeros(len(close))}, left=3, right=3)
        event = one_of(table, name, len(close) - 3)
        assert life(table, event) == (["failed"] if failed else [])


def test_a_long_gap_ends_a_zone_without_a_word() -> None:
    columns, rows = drawn(points("gartley"), (14, 14, 14, 20))
    columns["is_gap"][rows[3] + 6 : rows[3] + 10] = 1.0
    table = find(columns)
    assert life(table, one_of(table, "gartley", rows[3] + 5)) == []
    assert not (table.known[table.anchor < rows[3] + 10] >= rows[3] + 10).any()


RECIPROCALS = {0.382: 2.618, 0.5: 2.0, 0.618: 1.618, 0.707: 1.414, 0.786: 1.27, 0.886: 1.13}


@pytest.mark.parametrize(("c", "q"), RECIPROCALS.items())
def test_reciprocal_ratios_reach_the_zone_of_an_abcd(c: float, q: float) -> None:
    columns, rows = drawn(points("abcd", 0.69, c))
    table = find(columns)
    event = one_of(table, "abcd", rows[3] + 5)
    _, _, b, c_price = points("abcd", 0.69, c)[:4]
    assert table.bottom[event] <= c_price - q * (c_price - b) <= table.top[event]
    assert table.levels[event, LEVELS.index("ab_cd")] == table.levels[event, 0]


@pytest.mark.parametrize("ratio", [1.27, 1.618])
def test_alternate_abcd_is_a_choice(ratio: float) -> None:
    x, a, b, c, _ = points("abcd")
    columns, rows = drawn([x, a, b, c, c - ratio * (a - b)])
    known = rows[3] + 5
    zones = [table.levels[(table.type == CODES["abcd"] - 1) & (table.known == known), 0]
             for table in (find(columns), find(columns, alternate_abcd=1))]  # fmt: skip
    np.testing.assert_allclose(zones[0], [c - (a - b)])
    np.testing.assert_allclose(zones[1], [c - one * (a - b) for one in (1.0, 1.27, 1.618)])


@pytest.mark.parametrize("leg", [0, 1, 2])
def test_a_leg_may_step_over_a_minor_swing(leg: int) -> None:
    """A small swing in XA, AB or BC hides a Gartley from consecutive pivots; one beyond B does not."""
    path = points("gartley")
    start, end = path[leg], path[leg + 1]
    inner = [start + share * (end - start) for share in (0.6, 0.4)]
    bent = [*path[: leg + 1], *inner, *path[leg + 1 :]]
    columns, rows = drawn(
        bent, tuple(14 if i not in (leg, leg + 1, leg + 2) else 8 for i in range(6))
    )
    shown = [row for i, row in enumerate(rows) if i not in (leg + 1, leg + 2)]
    known = shown[3] + 5
    assert not (find(columns).known[find(columns).type == 0] == known).any()
    table = find(columns, minor_swings=1)
    event = one_of(table, "gartley", known)
    np.testing.assert_array_equal(table.point_rows[event], shown[:4])


def test_a_swing_beyond_the_ends_of_the_leg_is_not_minor() -> None:
    """The same four points with a swing inside BC that goes below B: B is not the low of its leg."""
    x, a, b, c, d = points("gartley")
    for lowest, expected in ((b + 0.3, 1), (b - 0.3, 0)):
        columns, rows = drawn([x, a, b, b + 2.5, lowest, c, d], (14, 14, 14, 8, 8, 8))
        table = find(columns, minor_swings=1)
        own = (table.known == rows[5] + 5) & (table.type == 0)
        assert (table.point_rows[own, 2] == rows[2]).sum() == expected


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.name)
def test_a_flat_market_and_a_short_one_have_no_events(detector: Detector) -> None:
    for rows in (0, 1, ATR_LENGTH, 500):
        columns = {name: np.full(rows, 100.0) for name in ("high", "low", "close")}
        columns["is_gap"] = np.zeros(rows)
        for wanted in ({}, {"by_turns": 1.0, "minor_swings": 1.0, "alternate_abcd": 1.0}):
            assert len(detector.find(columns, detector.resolved(wanted))) == 0
