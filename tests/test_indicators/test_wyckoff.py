"""Wyckoff against scripted schematics and against a plain-Python reading of the same rules."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators import _wyckoff_range as kernels
from indicators.wyckoff import LOOKBACK, WYCKOFF
from tests.oracles.wyckoff import Accumulation, Bars, Rules, reset_rows, wilder_atr
from tests.schematics import accumulation, eventful_columns, mirrored

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


def plain_bars(columns: dict[str, Float1D]) -> Bars:
    fields = ("open", "high", "low", "close", "volume")
    return Bars(*(columns[name].tolist() for name in fields), (columns["is_gap"] > 0).tolist())


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
        low = support - multiple * wilder_atr(plain_bars(path.columns()))[row]
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
        size = spread * wilder_atr(plain_bars(path.columns()))[row]
        path.rows[row] = (open_, low + size, low, low + 0.6 * size, volume)
    assert outputs(path.columns())["preliminary"][known["climax"]] == expected


def test_too_deep_a_dip_is_no_spring() -> None:
    path, known = accumulation()
    row = known["spring"]
    open_, high, _, close, volume = path.rows[row]
    path.rows[row] = (open_, high, 161.0, close, volume)
    assert outputs(path.columns())["spring"][row] == 0


def _oracle_events(columns: dict[str, Float1D], rules: Rules) -> tuple[dict[str, Float1D], int]:
    rows = len(columns["close"])
    found = {name: np.zeros(rows) for name in (*EVENTS, "broken")}
    bars = plain_bars(columns)
    total = 0
    for sign, series in ((1, bars), (-1, bars.negated())):
        side = Accumulation(series, rules)
        own = {name: np.zeros(rows) for name in found}
        for name, row in side.events:
            own[name][row] = 1.0
            total += 1
        for name, column in own.items():
            found[name] += sign * column
    found["strength"] = np.sign(found["strength"] - found.pop("broken"))
    for name in ("failure", "upthrust"):
        found[name] = -found[name]
    return found, total


@pytest.mark.parametrize("rules", [Rules(), Rules(1.8, 5.0, 0.2, 3, 150)])
def test_every_event_agrees_with_the_oracle(rules: Rules) -> None:
    names = ("climax_volume", "trend_atr", "spring_depth", "pivot_right", "max_range_bars")
    seen = dict.fromkeys(EVENTS, 0)
    for seed in range(24):
        columns = eventful_columns(seed)
        expected, _ = _oracle_events(columns, rules)
        found = outputs(columns, **dict(zip(names, astuple(rules), strict=True)))
        for name in EVENTS:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{name} {seed}")
            seen[name] += int(np.count_nonzero(found[name]))
    assert min(seen.values()) > 0, seen


def test_events_follow_what_they_need() -> None:
    """Known never precedes anchor: no row before a fact's last bar can show it."""
    columns = eventful_columns(1)
    found = outputs(columns)
    starts = np.flatnonzero(found["range_start"] != 0)
    assert starts.size > 3
    for row in starts:
        side = found["range_start"][row]
        assert (found["climax"][row - 33 : row - 3] == side).any()
    for name in ("secondary_test", "spring", "strength", "failure"):
        for row in np.flatnonzero(found[name]):
            assert (starts < row).any()


def test_the_composite_is_bounded_and_fades() -> None:
    path, known = accumulation()
    path.leg(200.0, 1)
    for _ in range(30):
        path.leg(202.0, 10).leg(200.0, 10)
    found = outputs(path.columns())
    composite = found["composite"]
    assert np.isnan(composite[:LOOKBACK]).all()
    assert (np.abs(composite[LOOKBACK:]) <= 1).all()
    last = max(np.flatnonzero(found[name]).max(initial=0) for name in EVENTS)
    expected = np.tanh(np.arctanh(composite[last]) * 0.5 ** (50 / 50))
    assert composite[known["markup"]] > 0.5
    assert composite[last + 50] == pytest.approx(expected, rel=1e-12)


def test_a_start_before_stable_rows_leaves_no_trace() -> None:
    given = {"max_range_bars": 100.0, "half_life_bars": 10.0}
    stable = WYCKOFF.stable(WYCKOFF.resolved(given))
    columns = eventful_columns(7, rows=stable + 1500)
    whole = outputs(columns, **given)
    for dropped in (1, 60, 333):
        late = outputs({name: column[dropped:] for name, column in columns.items()}, **given)
        for output in WYCKOFF.outputs:
            expected = whole[output.name][dropped + stable :]
            np.testing.assert_allclose(
                late[output.name][stable:], expected, rtol=1e-6, atol=1e-6, err_msg=output.name
            )
            if output.kind in ("signal", "state"):
                np.testing.assert_array_equal(late[output.name][stable:], expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 40), cut=st.integers(1, 1199))
def test_prefixes_and_poison_change_nothing(seed: int, cut: int) -> None:
    columns = eventful_columns(seed, rows=1200)
    whole = outputs(columns)
    prefix = outputs({name: column[:cut] for name, column in columns.items()})
    poisons = []
    for value in (np.nan, 1e9, -1e9):
        poisoned = {name: column.copy() for name, column in columns.items()}
        for column in poisoned.values():
            column[cut:] = value
        poisons.append(outputs(poisoned))
    for name, column in whole.items():
        np.testing.assert_array_equal(prefix[name], column[:cut], err_msg=name)
        for poisoned_outputs in poisons:
            np.testing.assert_array_equal(poisoned_outputs[name][:cut], column[:cut])


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
    candidate, climax = np.zeros((2, 60), dtype=np.bool_)
    candidate[50 - distance] = climax[50] = True
    assert kernels.preliminary_kernel(candidate, climax)[50] == expected


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
    births = kernels.birth_kernel(
        climax, low, np.ones(rows), np.full(rows, 100.0 + leg), rally_high, 3, resets
    )
    assert (births[5 + bars + 3] == 5) == expected
    assert np.count_nonzero(births >= 0) == int(expected)


def test_oracle_helpers_know_their_own_rules() -> None:
    assert reset_rows([True] * 5 + [False] + [True] * 3) == {3, 4}
    bars = Bars([1.0] * 25, [2.0] * 25, [1.0] * 25, [1.5] * 25, [1.0] * 25, [False] * 25)
    assert wilder_atr(bars)[20:] == [1.0] * 5


def test_mirrored_prices_mirror_every_event() -> None:
    columns = eventful_columns(3)
    found, flipped = outputs(columns), outputs(mirrored(columns, 256.0))
    for name in EVENTS:
        np.testing.assert_array_equal(flipped[name], -found[name], err_msg=name)
