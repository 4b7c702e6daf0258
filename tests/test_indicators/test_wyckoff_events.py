"""Tables of Wyckoff's events and ranges against a plain-Python reading, and their identities."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators import EventTable
from indicators.wyckoff_events import WYCKOFF_DETECTOR, WYCKOFF_RANGE_DETECTOR
from tests.oracles.wyckoff import Bars, Rules
from tests.oracles.wyckoff_ranges import Accumulation, Event, both_sides
from tests.schematics import accumulation, eventful_columns, mirrored

# Name in the oracle: type and direction of accumulation, type and direction of distribution.
NAMES = {
    "preliminary": (("preliminary_support", 1), ("preliminary_supply", -1)),
    "climax": (("selling_climax", 1), ("buying_climax", -1)),
    "range_start": (("automatic_rally", 1), ("automatic_reaction", -1)),
    "secondary_test": (("secondary_test", 1), ("secondary_test_of_supply", -1)),
    "upthrust": (("upthrust_action", -1), ("minor_sign_of_weakness", 1)),
    "undercut": (("undercut", 1), ("upthrust", -1)),
    "spring": (("spring", 1), ("upthrust_after_distribution", -1)),
    "spring_confirmed": (("spring_confirmed", 1), ("upthrust_confirmed", -1)),
    "test": (("spring_test", 1), ("upthrust_test", -1)),
    "strength": (("sign_of_strength", 1), ("sign_of_weakness", -1)),
    "jump": (("jump_across_creek", 1), ("fall_through_ice", -1)),
    "support_point": (("last_point_of_support", 1), ("last_point_of_supply", -1)),
    "backup": (("backup", 1), ("backup_to_ice", -1)),
    "markup": (("markup", 1), ("markdown", -1)),
    "failure": (("accumulation_failure", -1), ("distribution_failure", 1)),
}
BOXES = (("accumulation", "reaccumulation"), ("distribution", "redistribution"))
TYPES = [kind.name for kind in WYCKOFF_DETECTOR.types]
RANGE_TYPES = [kind.name for kind in WYCKOFF_RANGE_DETECTOR.types]
STATES = [state.name for state in WYCKOFF_RANGE_DETECTOR.states]


def events_of(columns: dict[str, Float1D], **given: float) -> EventTable:
    return WYCKOFF_DETECTOR.find(columns, WYCKOFF_DETECTOR.resolved(given))


def ranges_of(columns: dict[str, Float1D], **given: float) -> EventTable:
    return WYCKOFF_RANGE_DETECTOR.find(columns, WYCKOFF_RANGE_DETECTOR.resolved(given))


Row = tuple[str, int, int, int, tuple[float, ...]]


def expected_events(sides: tuple[Accumulation, Accumulation]) -> list[Row]:
    """Type, direction, anchor, known, and level, volume, support, resistance, target of every event."""
    rows = []
    for number, (side, other) in enumerate((sides, sides[::-1])):
        sign = 1 - 2 * number
        said = [(event, side, sign) for (name, _), event in side.events().items() if name in NAMES]
        own = {event.known for event, _, _ in said if event.name == "strength"}
        said += [
            (event, other, -sign)
            for (name, known), event in other.events().items()
            if name == "broken" and known not in own
        ]
        for event, teller, scale in said:
            name = "strength" if event.name == "broken" else event.name
            kind, direction = NAMES[name][number]
            numbers = (scale * event.price, teller.relative_volume(event.anchor))
            rows.append(
                (kind, direction, event.anchor, event.known, numbers + levels(event, teller, scale))
            )
    return sorted(rows, key=lambda row: (row[3], row[0]))


def levels(event: Event, teller: Accumulation, scale: int) -> tuple[float, ...]:
    if event.own is None:
        return (np.nan, np.nan, np.nan)
    edges = sorted((scale * event.own.support, scale * event.own.resistance))
    void = event.name in ("failure", "broken")
    return (*edges, np.nan if void else scale * teller.target(event.own, event.known))


def found_events(table: EventTable) -> list[Row]:
    rows = []
    for i in range(len(table)):
        assert table.top[i] == table.bottom[i] == table.point_prices[i, 0]
        assert table.point_rows[i, 0] == table.anchor[i]
        numbers = (table.top[i], table.measure[i], *table.levels[i])
        rows.append(
            (
                TYPES[table.type[i]],
                int(table.direction[i]),
                int(table.anchor[i]),
                int(table.known[i]),
                tuple(map(float, numbers)),
            )
        )
    return sorted(rows, key=lambda row: (row[3], row[0]))


@pytest.mark.parametrize(
    "rules", [Rules(), Rules(1.8, 5.0, 0.2, 3, 300)], ids=("defaults", "other")
)
def test_tables_agree_with_the_oracle(rules: Rules) -> None:
    seen: dict[str, int] = {}
    for seed in range(24):
        columns = eventful_columns(seed)
        sides = both_sides(Bars.of(columns), rules)
        table = events_of(columns, **asdict(rules))
        expected, found = expected_events(sides), found_events(table)
        assert [row[:4] for row in found] == [row[:4] for row in expected], seed
        np.testing.assert_allclose(
            [row[4] for row in found], [row[4] for row in expected], rtol=1e-11
        )
        changes = {
            (int(table.type[event]), int(table.anchor[event]), int(state), int(row))
            for event, state, row in zip(
                table.change_event, table.change_state, table.change_row, strict=True
            )
        }
        ends = set()
        for number, side in enumerate(sides):
            code = TYPES.index(NAMES["climax"][number][0])
            ends |= {(code, climax, 0, known) for climax, (_, known) in side.births.items()}
            given_up = {climax: side.given_up(climax) for climax in side.climaxes}
            ends |= {(code, climax, 1, row) for climax, row in given_up.items() if row is not None}
        assert changes == ends
        for kind, *_ in expected:
            seen[kind] = seen.get(kind, 0) + 1
    assert set(seen) == set(TYPES), set(TYPES) - set(seen)


@pytest.mark.parametrize(
    "rules", [Rules(), Rules(1.8, 5.0, 0.2, 3, 300)], ids=("defaults", "other")
)
def test_boxes_and_their_phases_agree_with_the_oracle(rules: Rules) -> None:
    seen = set()
    for seed in range(24):
        columns = eventful_columns(seed)
        table = ranges_of(columns, **asdict(rules))
        expected = []
        for number, side in enumerate(both_sides(Bars.of(columns), rules)):
            sign = 1 - 2 * number
            for own in side.ranges:
                bottom, top = sorted((sign * own.support, sign * own.resistance))
                known = own.states[0][1]
                climax_price = own.resistance if own.second else own.support
                rally_price = own.support if own.second else own.resistance
                expected.append((
                    (known, BOXES[number][own.second], sign, own.climax, own.rally),
                    (top, bottom, (top - bottom) / side.atr[own.rally], sign * climax_price,
                     sign * rally_price, sign * side.target(own, known)),
                    own.states,
                ))  # fmt: skip
        found = []
        for i in range(len(table)):
            changes = np.flatnonzero(table.change_event == i)
            found.append((
                (int(table.known[i]), RANGE_TYPES[table.type[i]], int(table.direction[i]),
                 int(table.point_rows[i, 0]), int(table.point_rows[i, 1])),
                (table.top[i], table.bottom[i], table.measure[i], *table.point_prices[i],
                 *table.levels[i]),
                [(STATES[table.change_state[j]], int(table.change_row[j])) for j in changes],
            ))  # fmt: skip
            assert table.anchor[i] == table.point_rows[i, 0]
        expected.sort(key=lambda row: row[0])
        found.sort(key=lambda row: row[0])
        assert [row[0] for row in found] == [row[0] for row in expected], seed
        assert [row[2] for row in found] == [row[2] for row in expected], seed
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one[1], other[1], rtol=1e-11)
            seen |= {(one[0][1], state) for state, _ in one[2]}
    wanted = {(box, state) for side in BOXES for box in side for state in STATES}
    silent = {(side[1], state) for side in BOXES for state in ("phase_a", "phase_b")}
    assert seen == wanted - silent, seen ^ (wanted - silent)


def names_at(table: EventTable) -> list[tuple[int, str]]:
    return [(int(row), TYPES[code]) for row, code in zip(table.known, table.type, strict=True)]


@pytest.mark.parametrize("number", [0, 1])
def test_the_textbook_path_and_its_mirror(number: int) -> None:
    path, known = accumulation()
    columns = path.columns() if number == 0 else mirrored(path.columns())
    found = names_at(events_of(columns))
    for name, row in known.items():
        oracle = {"climax": "climax", "preliminary": "preliminary"}.get(name, name)
        assert (row, NAMES[oracle][number][0]) in found
    table = ranges_of(columns)
    first = np.flatnonzero(table.type == RANGE_TYPES.index(BOXES[number][0]))
    assert len(first) == 1
    phases = [
        (STATES[state], int(row))
        for event, state, row in zip(
            table.change_event, table.change_state, table.change_row, strict=True
        )
        if event == first[0]
    ]
    assert phases == [
        ("phase_a", known["range_start"]),
        ("phase_b", known["secondary_test"]),
        ("phase_c", known["spring"]),
        ("phase_d", known["strength"]),
        ("phase_e", known["markup"]),
    ]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 400), right=st.integers(3, 8), multiple=st.floats(5.0, 12.0))
def test_identities(seed: int, right: int, multiple: float) -> None:
    """What holds in every market: order inside a range, levels inside their edges, one per row."""
    columns = eventful_columns(seed, rows=1500)
    table = events_of(columns, pivot_right=right, trend_atr=multiple)
    keys = list(zip(table.type.tolist(), table.known.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    at = {name: table.type == TYPES.index(name) for name in TYPES}
    delay = table.known - table.anchor
    for name in ("secondary_test", "spring_test", "last_point_of_support", "backup"):
        assert (delay[at[name]] == right).all()
    assert (delay[at["automatic_rally"]] == 3).all()
    assert (delay[at["preliminary_support"]] <= 40).all()
    assert (delay[at["spring"]] <= 3).all()
    assert (delay[at["upthrust_action"]] <= 3).all()
    support, resistance, target = table.levels.T
    ranged = ~np.isnan(support)
    assert (support[ranged] < resistance[ranged]).all()
    assert (table.top[at["spring"]] < support[at["spring"]]).all()
    assert (table.top[at["undercut"]] < support[at["undercut"]]).all()
    assert (table.top[at["upthrust_action"]] > resistance[at["upthrust_action"]]).all()
    middle = (support + resistance) / 2
    assert (table.top[at["last_point_of_support"]] >= middle[at["last_point_of_support"]]).all()
    up = table.type < TYPES.index("preliminary_supply")
    counted = ~np.isnan(target)
    assert (target[counted & up] > support[counted & up]).all()
    assert (target[counted & ~up] < resistance[counted & ~up]).all()
    failed = at["accumulation_failure"] | at["distribution_failure"]
    assert not counted[failed].any()
    rows = set(zip(table.type.tolist(), table.known.tolist(), strict=True))
    for name, needed in (
        ("jump_across_creek", "sign_of_strength"),
        ("backup", "last_point_of_support"),
        ("preliminary_support", "selling_climax"),
    ):
        for row in table.known[at[name]]:
            assert (TYPES.index(needed), int(row)) in rows


def test_a_gap_ends_every_box_on_its_fourth_bar() -> None:
    path, known = accumulation()
    columns = path.columns()
    start = known["spring"] + 2
    columns["is_gap"][start : start + 5] = 1.0
    table = ranges_of(columns)
    alive = table.known < start
    assert alive.any()
    state, row = table.last_changes()
    assert (state[alive] == STATES.index("ended")).all()
    assert (row[alive] == start + 3).all()
