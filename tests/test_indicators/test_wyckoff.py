"""Wyckoff against scripted schematics: textbook paths, and each rule just met and just missed."""

import numpy as np
import pytest

from engine import Float1D
from indicators import _wyckoff_birth as kernels
from indicators.wyckoff import WYCKOFF
from indicators.wyckoff_events import WYCKOFF_DETECTOR
from tests.oracles.wyckoff import Bars, wilder_atr
from tests.schematics import accumulation, mirrored, reaccumulation

EVENTS = tuple(output.name for output in WYCKOFF.outputs if output.kind == "signal")
TEXTBOOK = (
    "climax",
    "preliminary",
    "range_start",
    "secondary_test",
    "spring",
    "spring_confirmed",
    "test",
    "strength",
    "jump",
    "support_point",
    "backup",
    "markup",
)


def outputs(columns: dict[str, Float1D], **given: float) -> dict[str, Float1D]:
    computed = WYCKOFF.compute(columns, WYCKOFF.resolved(given))
    return {output.name: column for output, column in zip(WYCKOFF.outputs, computed, strict=True)}


@pytest.mark.parametrize("sign", [1, -1])
def test_textbook_path_gives_the_textbook_events(sign: int) -> None:
    path, known = accumulation()
    columns = path.columns()
    found = outputs(columns if sign > 0 else mirrored(columns))
    for name in TEXTBOOK:
        rows = np.flatnonzero(found[name] == sign)
        assert known[name] in rows, (name, rows)
    order = ["climax", "range_start", "secondary_test", "spring", "test", "strength", "backup"]
    assert [known[name] for name in order] == sorted(known[name] for name in order)
    for name in ("failure", "upthrust"):
        assert not found[name].any()
    opposite = [name for name in EVENTS if (found[name] == -sign).any()]
    assert opposite == ["climax"], "the bar that jumps is also a candidate for a buying climax"


def test_phases_follow_one_another() -> None:
    path, known = accumulation()
    phase = outputs(path.columns())["accumulation_phase"]
    for row, code in (
        (known["range_start"] - 1, 0),
        (known["range_start"], 1),
        (known["secondary_test"], 2),
        (known["spring"], 3),
        (known["strength"], 4),
        (known["markup"], 5),
    ):
        assert phase[row] == code


def test_levels_are_those_of_the_range_while_it_lives() -> None:
    path, known = accumulation()
    columns = path.columns()
    found = outputs(columns)
    alive = slice(known["range_start"], known["markup"])
    rally = known["range_start"] - 3
    assert (found["support"][alive] == columns["low"][known["climax"]]).all()
    assert (found["resistance"][alive] == columns["high"][rally]).all()
    assert found["range_bars"][known["spring"]] == known["spring"] - known["climax"]
    before = known["range_start"] - 1
    assert found["support"][before] == columns["low"][before - 99 : before + 1].min()
    assert found["range_bars"][before] == 0


def test_breaking_down_on_volume_is_a_sign_of_weakness() -> None:
    path, known = accumulation()
    path.rows = path.rows[: known["secondary_test"] + 1]
    path.last = path.rows[-1][3]
    path.leg(170.0, 6).bar(160.0, 500.0)
    found = outputs(path.columns())
    assert found["failure"][path.row] == -1
    assert found["strength"][path.row] == -1
    assert found["schematic"][path.row] == 4
    assert found["accumulation_phase"][path.row] == 0


def test_a_range_ends_with_its_time_and_with_a_long_gap() -> None:
    path, known = accumulation()
    columns = path.columns()
    cut = known["climax"] + 101
    assert outputs(columns, max_range_bars=100)["accumulation_phase"][cut] == 0
    assert outputs(columns)["accumulation_phase"][cut] > 0
    for length, ended in ((3, False), (4, True)):
        rows = slice(known["range_start"] + 1, known["range_start"] + 1 + length)
        gapped = {name: column.copy() for name, column in columns.items()}
        gapped["is_gap"][rows] = 1.0
        phase = outputs(gapped)["accumulation_phase"]
        assert (phase[rows.stop] == 0) == ended


@pytest.mark.parametrize(
    ("volume", "low", "code"), [(60.0, 166.8, 3), (90.0, 166.8, 2), (200.0, 166.8, 1)]
)
def test_spring_type_is_its_volume(volume: float, low: float, code: int) -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, _, close, _ = path.rows[row]
    path.rows[row] = (open_, high, low, close, volume)
    assert outputs(path.columns())["spring_type"][row] == code


@pytest.mark.parametrize(("low", "expected"), [(172.3, 1.0), (172.5, 0.0)])
def test_a_test_stays_in_the_lowest_quarter_of_the_range(low: float, expected: float) -> None:
    """Support 168 and resistance 185.5 put the quarter at 172.375."""
    path, known = accumulation(test_close=low + 0.5)
    found = outputs(path.columns())
    assert found["resistance"][known["spring"]] == pytest.approx(185.5)
    assert found["test"][known["test"]] == expected


@pytest.mark.parametrize(("multiple", "expected"), [(1.95, 1.0), (2.05, 0.0)])
def test_a_spring_is_at_most_two_atr_deep(multiple: float, expected: float) -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, low, close, volume = path.rows[row]
    support = path.rows[known["climax"]][2]
    for _ in range(50):
        path.rows[row] = (open_, high, low, close, volume)
        low = support - multiple * wilder_atr(Bars.of(path.columns()))[row]
    assert outputs(path.columns())["spring"][row] == expected


@pytest.mark.parametrize(("location", "expected"), [(0.61, 1.0), (0.59, 0.0)])
def test_strength_closes_in_the_upper_part_of_its_bar(location: float, expected: float) -> None:
    path, known = accumulation()
    row = known["strength"]
    open_, _, low, close, volume = path.rows[row]
    path.rows[row] = (open_, low + (close - low) / location, low, close, volume)
    assert outputs(path.columns())["strength"][row] == expected


@pytest.mark.parametrize(("location", "expected"), [(0.59, 1.0), (0.61, 0.0)])
def test_a_climax_that_closes_up_closes_low_in_its_bar(location: float, expected: float) -> None:
    path, known = accumulation()
    row = known["climax"]
    _, _, low, close, volume = path.rows[row]
    path.rows[row] = (close - 2.0, low + (close - low) / location, low, close, volume)
    assert outputs(path.columns())["climax"][row] == expected


@pytest.mark.parametrize(("spread", "expected"), [(1.25, 1.0), (1.15, 0.0)])
def test_preliminary_support_is_a_wide_bar(spread: float, expected: float) -> None:
    path, known = accumulation()
    row = known["climax"] - 19
    open_, _, low, _, volume = path.rows[row]
    assert volume == 300.0
    for _ in range(50):
        size = spread * wilder_atr(Bars.of(path.columns()))[row]
        path.rows[row] = (open_, low + size, low, low + 0.6 * size, volume)
    assert outputs(path.columns())["preliminary"][known["climax"]] == expected


def test_too_deep_a_dip_is_no_spring() -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, _, close, volume = path.rows[row]
    path.rows[row] = (open_, high, 161.0, close, volume)
    found = outputs(path.columns())
    assert found["spring"][row] == 0
    assert found["undercut"][row] == 1


@pytest.mark.parametrize(("atr", "spring"), [(0.04, 0.0), (0.06, 1.0)])
def test_a_dip_of_less_than_a_twentieth_atr_is_an_undercut_and_no_spring(
    atr: float, spring: float
) -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, low, close, volume = path.rows[row]
    support = path.rows[known["climax"]][2]
    for _ in range(50):
        path.rows[row] = (open_, high, low, close, volume)
        low = support - atr * wilder_atr(Bars.of(path.columns()))[row]
    found = outputs(path.columns())
    assert (found["spring"][row], found["undercut"][row]) == (spring, 1.0 - spring)


@pytest.mark.parametrize(("later", "expected"), [(0, True), (3, True), (4, False)])
@pytest.mark.parametrize("edge", ["undercut", "upthrust"])
def test_a_failed_break_comes_back_within_three_bars(edge: str, later: int, expected: bool) -> None:
    """Support 168 and resistance 185.5; a dip to 161 is too deep for a spring."""
    path, known = accumulation()
    path.rows = path.rows[: known["secondary_test"] + 1]
    path.last = path.rows[-1][3]
    outside, extreme, inside = (
        (167.4, 161.0, 170.0) if edge == "undercut" else (187.0, 188.0, 184.0)
    )
    path.leg(171.0 if edge == "undercut" else 184.0, 20, 60.0)
    for _ in range(later):
        path.bar(outside, 60.0)
    low, high = (extreme, None) if edge == "undercut" else (None, extreme)
    path.bar(inside, 60.0, low=low, high=high)
    found = outputs(path.columns())
    wanted = (1.0 if edge == "undercut" else -1.0) if expected else 0.0
    assert found[edge][path.row] == wanted
    assert np.count_nonzero(found[edge]) == int(expected)
    assert not found["spring"].any()
    table = WYCKOFF_DETECTOR.find(path.columns(), WYCKOFF_DETECTOR.resolved({}))
    name = "undercut" if edge == "undercut" else "upthrust_action"
    own = table.type == WYCKOFF_DETECTOR.type_code(name)
    assert table.anchor[own].tolist() == [path.row] * int(expected), "its furthest bar"
    assert table.top[own].tolist() == [extreme] * int(expected)


@pytest.mark.parametrize(("close", "ended"), [(194.0, False), (194.5, True)])
def test_a_range_left_without_strength_is_over(close: float, ended: bool) -> None:
    """Support 168 and resistance 185.5: half the height above it is 194.25."""
    path, known = accumulation()
    path.rows = path.rows[: known["secondary_test"] + 1]
    path.last = path.rows[-1][3]
    path.leg(close, 60, 60.0)
    found = outputs(path.columns())
    for name in ("strength", "markup", "failure"):
        assert not found[name][known["range_start"] :].any()
    assert found["accumulation_phase"][path.row - 1] == 2
    assert found["accumulation_phase"][path.row] == (0 if ended else 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_reaccumulation_speaks_from_phase_c_on(sign: int) -> None:
    """The textbook path behind a climax of the other side: the same box, read as a pause."""
    path, row_of = reaccumulation()
    columns = path.columns() if sign > 0 else mirrored(path.columns())
    found = outputs(columns)
    for name in TEXTBOOK[4:]:
        assert row_of[name] in np.flatnonzero(found[name] == sign), name
    climaxed = row_of["range_start"]
    assert found["range_start"][climaxed] == -sign
    assert not (found["secondary_test"] == sign).any(), "the second reading is silent in phase A"
    code = 3 if sign > 0 else 4
    assert (found["schematic"][: row_of["spring"]] != code).all()
    assert (found["schematic"][row_of["spring"] : row_of["markup"] + 1] == code).all()
    assert (found["phase"][row_of["spring"] : row_of["strength"]] == 3).all()
    failed = np.flatnonzero(found["failure"])
    assert found["failure"][failed].tolist() == [sign], "the first reading fails upwards"


def test_the_oldest_range_at_work_leads() -> None:
    path, known = accumulation()
    path.rows = path.rows[: known["secondary_test"] + 1]
    path.last = path.rows[-1][3]
    path.leg(185.0, 12, 90.0).leg(174.0, 8, 90.0).bar(168.0, 700.0, low=167.4)
    path.leg(178.0, 6, 100.0).leg(174.0, 8, 60.0)
    found = outputs(path.columns())
    starts = np.flatnonzero(found["range_start"] == 1)
    assert len(starts) == 2
    assert (found["support"][starts[1] :] == 168.0).all()


def test_a_long_gap_between_climax_and_rally_forgets_the_climax() -> None:
    path, known = accumulation()
    columns = path.columns()
    for length, expected in ((3, 1.0), (4, 0.0)):
        gapped = {name: column.copy() for name, column in columns.items()}
        gapped["is_gap"][known["climax"] + 1 : known["climax"] + 1 + length] = 1.0
        assert outputs(gapped)["range_start"][known["range_start"]] == expected


@pytest.mark.parametrize(("distance", "expected"), [(1, 1.0), (40, 1.0), (41, 0.0)])
def test_preliminary_support_comes_at_most_forty_bars_before(
    distance: int, expected: float
) -> None:
    candidate, climax, resets = np.zeros((3, 60), dtype=np.bool_)
    candidate[50 - distance] = climax[50] = True
    found = kernels.preliminary_kernel(candidate, climax, resets)[50]
    assert found == (50 - distance if expected else -1)
    resets[50 - distance + 1 : 51] = True
    assert kernels.preliminary_kernel(candidate, climax, resets)[50] == -1


@pytest.mark.parametrize(
    ("rally", "leg", "bars", "undercut", "expected"),
    [
        (3.0, 5.0, 10, 0.0, True),
        (2.99, 5.0, 10, 0.0, False),
        (3.83, 10.0, 10, 0.0, True),
        (3.81, 10.0, 10, 0.0, False),
        (5.0, 5.0, 30, 0.0, True),
        (5.0, 5.0, 31, 0.0, False),
        (5.0, 5.0, 10, 0.01, False),
    ],
)
def test_a_range_is_born_of_a_rally_large_and_soon_enough(
    rally: float, leg: float, bars: int, undercut: float, expected: bool
) -> None:
    rows = 60
    climax, resets = np.zeros((2, rows), dtype=np.bool_)
    climax[5] = True
    low = np.full(rows, 101.0)
    low[5] = 100.0
    low[9] = 101.0 if undercut == 0 else 100.0 - undercut
    rally_high = np.full(rows, np.nan)
    rally_high[5 + bars + 3] = 100.0 + rally
    births, given_up = kernels.birth_kernel(
        climax, low, np.ones(rows), np.full(rows, 100.0 + leg), rally_high, 3, resets
    )
    assert (births[5 + bars + 3] == 5) == expected
    assert np.count_nonzero(births >= 0) == int(expected)
    assert np.flatnonzero(given_up == 5).tolist() == (
        [] if expected else [9 if undercut > 0 else 5 + 30 + 3]
    )


def test_a_further_climax_at_the_same_low_takes_over() -> None:
    rows = 40
    climax, resets = np.zeros((2, rows), dtype=np.bool_)
    climax[[5, 8]] = True
    low = np.full(rows, 101.0)
    low[[5, 8]] = 100.0
    rally_high = np.full(rows, np.nan)
    rally_high[20] = 106.0
    births, given_up = kernels.birth_kernel(
        climax, low, np.ones(rows), np.full(rows, 105.0), rally_high, 3, resets
    )
    assert [(int(row), int(births[row])) for row in np.flatnonzero(births >= 0)] == [(20, 8)]
    assert [(int(row), int(given_up[row])) for row in np.flatnonzero(given_up >= 0)] == [(8, 5)]
