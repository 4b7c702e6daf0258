"""Harmonic patterns: drawn ones, near misses, and a plain-Python reading on random bars."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators._harmonic_shape import MODE_XA, MODE_XC
from indicators.harmonic import HARMONIC, HARMONIC_PIVOT
from indicators.harmonic_events import HARMONIC_DETECTOR
from indicators.harmonic_pattern import PATTERNS
from indicators.spec import Indicator
from tests.generators import random_bars
from tests.oracles.harmonic import CODES, INSIDE_X, ON_XA, WIDER_B, harmonic_ratios
from tests.schematics import EXAMPLES, PATTERN_X, PATTERN_XA, drawn, mirrored, points


def outputs(
    columns: dict[str, Float1D], indicator: Indicator = HARMONIC, **given: float
) -> dict[str, Float1D]:
    computed = indicator.compute(columns, indicator.resolved(given))
    return {output.name: column for output, column in zip(indicator.outputs, computed, strict=True)}


def has_pattern(found: dict[str, Float1D], name: str) -> bool:
    return bool((found["pattern"] == CODES[name]).any())


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_drawn_pattern_is_published_entered_and_confirmed(name: str, sign: int) -> None:
    path = points(name)
    columns, rows = drawn(path)
    row_c, row_d = rows[3], rows[4]
    found = outputs(columns if sign > 0 else mirrored(columns, 110.0))
    assert found["published"][row_c + 5] == sign
    assert not (found["published"][: row_c + 5] == sign).any()
    entered = np.flatnonzero(found["entered"] == sign)
    assert row_c + 5 < entered[0] <= row_d
    confirmed = np.flatnonzero(found["pattern"] == CODES[name])
    assert confirmed.size == 1
    row = int(confirmed[0])
    assert row_d < row <= entered[entered <= row][-1] + 5
    assert found["confirmed"][row] == sign
    side = "bullish" if sign > 0 else "bearish"
    other = "bearish" if sign > 0 else "bullish"
    assert found[f"{side}_count"][row] >= 1
    assert found[f"{other}_count"][row] == 0
    ideal = path[4] if sign > 0 else 220.0 - path[4]
    a = path[1] if sign > 0 else 220.0 - path[1]
    assert found["target_near"][row] == pytest.approx(ideal + 0.382 * (a - ideal))
    assert sign * (ideal - found["stop"][row]) > 0
    assert found[f"{side}_precision"][row] >= 0.99


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_drawn_pattern_states_about_itself(name: str, sign: int) -> None:
    """The distance from AB = CD at C, and with D the errors, the third target and its own bit."""
    x, a, b, c, d = points(name)
    columns, rows = drawn([x, a, b, c, d])
    found = outputs(columns if sign > 0 else mirrored(columns, 110.0), max_open_bars=60)
    row = int(np.flatnonzero(found["pattern"] == CODES[name])[0])
    assert found["target_c"][row] == pytest.approx(c if sign > 0 else 220.0 - c)
    errors = [found[f"{leg}_error"][row] for leg in ("ab", "bc", "cd", "ad")]
    assert errors == pytest.approx([0, 0, 0, 0], abs=1e-9)
    side, other = ("bullish", "bearish") if sign > 0 else ("bearish", "bullish")
    assert int(found[f"{side}_patterns"][row]) & 2 ** (CODES[name] - 1)
    assert found[f"{other}_patterns"][row] == 0
    table = HARMONIC_DETECTOR.find(
        columns if sign > 0 else mirrored(columns, 110.0), HARMONIC.resolved({})
    )
    last = PATTERNS[table.type[np.flatnonzero(table.known == rows[3] + 5)[-1]]].name
    ideal = sign * (table.levels[np.flatnonzero(table.known == rows[3] + 5)[-1], 0] - 110.0) + 110.0
    expected = 0.0 if last == "abcd" else abs(ideal - (c - (a - b))) / PATTERN_XA
    assert found["confluence"][rows[3] + 5] == pytest.approx(expected, abs=1e-9)


def test_errors_are_counted_in_tolerances() -> None:
    """b 2 % beside .618 is .4 of its 5 %; D .005 XA beside .786 is .212 of its 3 %."""
    b = 0.618 * 1.02
    x, a, *_ = points("gartley", b)
    path = [*points("gartley", b)[:4], a - 0.791 * PATTERN_XA]
    found = outputs(drawn(path)[0])
    row = int(np.flatnonzero(found["pattern"] == CODES["gartley"])[0])
    assert x == PATTERN_X
    assert found["ab_error"][row] == pytest.approx(0.4)
    assert found["bc_error"][row] == found["cd_error"][row] == 0
    assert found["ad_error"][row] == pytest.approx(0.005 / (0.03 * 0.786))


def test_entry_is_the_close_on_which_d_became_known() -> None:
    columns, rows = drawn(points("bat"))
    found = outputs(columns, HARMONIC_PIVOT)
    known = rows[4] + 5
    assert found["entry"][known] == columns["close"][known] > columns["low"][rows[4]]
    assert np.isnan(np.delete(found["entry"], known)).all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_zone_holds_d_and_is_narrow(name: str) -> None:
    path = points(name)
    columns, rows = drawn(path)
    table = HARMONIC_DETECTOR.find(columns, HARMONIC.resolved({}))
    own = np.flatnonzero((table.type == CODES[name] - 1) & (table.known == rows[3] + 5))
    assert len(own) == 1
    low, high = table.bottom[own[0]], table.top[own[0]]
    assert low <= path[4] <= high
    assert high - low <= 0.1 * PATTERN_XA + 1e-12
    found = outputs(columns)
    assert (found["zone_low"][rows[3] + 5 :] <= found["zone_high"][rows[3] + 5 :]).all()


@pytest.mark.parametrize(
    ("name", "b", "c"),
    [
        ("gartley", 0.618 * 1.06, None),
        ("gartley", 0.618 * 0.94, None),
        ("gartley", None, 0.35),
        ("bat", 0.52, None),
        ("bat", 0.365, 0.886),
        ("alternate_bat", 0.382 * 1.04, None),
        ("alternate_bat", None, 0.6),
        ("butterfly", 0.84, None),
        ("butterfly", 0.73, None),
        ("butterfly", None, 0.4),
        ("crab", 0.65, None),
        ("crab", 0.45, None),
        ("deep_crab", 0.94, None),
        ("deep_crab", 0.83, None),
        ("abcd", None, 0.93),
        ("abcd", None, 0.36),
        ("shark", None, 1.08),
        ("deep_shark", 0.65, None),
        ("cypher", 0.65, None),
        ("cypher", None, 2.2),
        ("five_zero", 1.05, None),
        ("five_zero", None, 1.5),
    ],
)
def test_a_near_miss_is_nothing(name: str, b: float | None, c: float | None) -> None:
    columns, _ = drawn(points(name, b, c))
    assert not has_pattern(outputs(columns), name)
    assert not has_pattern(outputs(mirrored(columns, 110.0)), name)
    assert not has_pattern(outputs(columns, HARMONIC_PIVOT), name)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_d_as_a_pivot_is_known_right_bars_later(name: str, sign: int) -> None:
    columns, rows = drawn(points(name))
    found = outputs(columns if sign > 0 else mirrored(columns, 110.0), HARMONIC_PIVOT)
    assert found["pattern"][rows[4] + 5] == CODES[name]
    assert found["completed"][rows[4] + 5] == sign
    assert found["precision"][rows[4] + 5] == pytest.approx(1.0)
    assert not found["completed"][: rows[4] + 5].any()


def test_exceeding_c_ends_the_zone() -> None:
    x, a, b, c, d = points("gartley")
    columns, _ = drawn([x, a, b, c, c - 0.5, c + 0.2, d], (14, 14, 14, 6, 4, 14))
    assert not has_pattern(outputs(columns), "gartley")


def test_a_zone_visited_before_c_is_known_is_not_published() -> None:
    path = points("gartley")
    for fastest, expected in ((4, False), (7, True)):
        columns, _ = drawn([*path, path[4] + 1.0, path[4]], (14, 14, 14, fastest, 1, 10 - fastest))
        assert has_pattern(outputs(columns), "gartley") == expected


@pytest.mark.parametrize(("bars", "expected"), [(5, False), (8, True), (35, True), (38, False)])
def test_cd_takes_between_a_third_and_twice_the_time_of_ab(bars: int, expected: bool) -> None:
    """AB lasts 14 bars: the touch must come 5.3 to 36.7 bars after C."""
    columns, _ = drawn(points("gartley"), (14, 14, 14, bars))
    assert has_pattern(outputs(columns), "gartley") == expected


def test_an_open_zone_expires() -> None:
    columns, rows = drawn(points("gartley"), (14, 14, 14, 30))
    entered = int(np.flatnonzero(outputs(columns)["entered"] == 1)[0])
    waited = entered - (rows[3] + 5)
    assert outputs(columns, max_open_bars=waited)["entered"][entered] == 1
    assert outputs(columns, max_open_bars=waited - 1)["entered"][entered] == 0


def test_a_touch_sooner_than_a_third_of_ab_ends_the_zone() -> None:
    legs_slow_ab = (14, 30, 14, 11)
    assert not has_pattern(outputs(drawn(points("gartley"), legs_slow_ab)[0]), "gartley")
    assert has_pattern(outputs(drawn(points("gartley"), (14, 30, 14, 13))[0]), "gartley")


def test_closing_through_the_zone_fails_it() -> None:
    path = points("gartley")
    columns, rows = drawn([*path[:4], path[4] - 4.0])
    found = outputs(columns)
    assert (found["failed"][rows[3] :] == -1).any()
    assert not has_pattern(found, "gartley")
    assert (outputs(mirrored(columns, 110.0))["failed"][rows[3] :] == 1).any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_wick_beyond_x_fails_a_pattern_whose_d_lies_inside_x(name: str, sign: int) -> None:
    """The close stays where it was: only D, the lowest low since the entry, goes beyond X."""
    inside = name in INSIDE_X
    columns, rows = drawn(points(name))
    for low, fails in ((PATTERN_X + 0.01, False), (PATTERN_X - 0.01, inside)):
        wicked = {key: column.copy() for key, column in columns.items()}
        wicked["low"][rows[4]] = min(low, columns["low"][rows[4]])
        found = outputs(wicked if sign > 0 else mirrored(wicked, 110.0))
        assert has_pattern(found, name) != fails
        if inside:
            assert (found["failed"][rows[4]] == -sign) == fails


def test_a_wick_beyond_x_ends_a_confirmed_pattern() -> None:
    columns, _ = drawn(points("bat"), after=8.0)
    whole = outputs(columns)
    row = int(np.flatnonzero(whole["pattern"] == CODES["bat"])[0])
    wicked = {key: column.copy() for key, column in columns.items()}
    wicked["low"][row + 2] = PATTERN_X - 0.01
    broken = outputs(wicked)
    assert whole["bullish_count"][row + 2] > broken["bullish_count"][row + 2] == 0
    np.testing.assert_array_equal(
        broken["bullish_count"][: row + 2], whole["bullish_count"][: row + 2]
    )


def test_confirmation_comes_at_most_five_bars_after_the_touch() -> None:
    path = points("gartley")
    for waiting, expected in ((3, True), (9, False)):
        columns, _ = drawn([*path, path[4] + 0.01], (14, 14, 14, 14, waiting))
        assert has_pattern(outputs(columns), "gartley") == expected


def test_active_patterns_expire() -> None:
    columns, _ = drawn(points("gartley"), after=8.0)
    found = outputs(columns, validity_bars=4)
    row = int(np.flatnonzero(found["pattern"] == CODES["gartley"])[0])
    assert (found["bullish_count"][row : row + 4] >= 1).all()
    assert found["bullish_count"][row + 4] == 0


def test_a_long_gap_forgets_open_zones() -> None:
    columns, rows = drawn(points("gartley"), (14, 14, 14, 20))
    for length, expected in ((3, True), (4, False)):
        gapped = {name: column.copy() for name, column in columns.items()}
        gapped["is_gap"][rows[3] + 6 : rows[3] + 6 + length] = 1.0
        assert has_pattern(outputs(gapped), "gartley") == expected


def test_names_and_codes_agree_with_the_table() -> None:
    assert [pattern.name for pattern in PATTERNS] == list(CODES)
    for pattern in PATTERNS:
        if pattern.name in ON_XA:
            point, *rest = ON_XA[pattern.name]
            expected = point if isinstance(point, tuple) else (point, point)
            assert (pattern.ab, pattern.bc, pattern.cd, pattern.target) == (expected, *rest)
        assert pattern.ab_is_point == (pattern.name in WIDER_B)
        is_inside = pattern.mode in (MODE_XA, MODE_XC) and pattern.target < 1.0
        assert is_inside == (pattern.name in INSIDE_X)


def test_of_two_patterns_at_one_d_the_more_precise_is_named() -> None:
    """b = .63 and c = .75 with AB = CD: d = .7875 is a Gartley, but b misses .618 by 2 %."""
    a = PATTERN_X + PATTERN_XA
    b = a - 0.63 * PATTERN_XA
    c = b + 0.75 * (a - b)
    columns, rows = drawn([PATTERN_X, a, b, c, c - (a - b)])
    found = outputs(columns, HARMONIC_PIVOT)
    assert found["pattern"][rows[4] + 5] == CODES["abcd"]
    assert found["precision"][rows[4] + 5] == pytest.approx(1.0)
    zone = outputs(columns)
    assert (zone["bullish_count"] == 2).any()
    assert has_pattern(zone, "abcd") or has_pattern(zone, "gartley")


@given(
    st.floats(50, 200),
    st.floats(0.5, 80),
    st.floats(0.05, 1.8),
    st.floats(0.05, 2.5),
    st.floats(0.05, 5.0),
)
def test_d_is_b_times_one_minus_c_plus_c_q(
    x: float, xa: float, b: float, c: float, q: float
) -> None:
    for side in (1, -1):
        a = x + side * xa
        point_b = a - side * b * xa
        point_c = point_b + side * c * b * xa
        d = point_c - side * q * c * b * xa
        assume(abs(point_c - point_b) > 1e-3)
        ratios = harmonic_ratios(x, a, point_b, point_c, d)
        assert ratios[3] == pytest.approx(
            ratios[0] * (1 - ratios[1] + ratios[1] * ratios[2]), rel=1e-6, abs=1e-6
        )
        assert ratios[:3] == pytest.approx((b, c, q), rel=1e-5, abs=1e-5)


def market(seed: int, rows: int = 2500) -> dict[str, Float1D]:
    columns = random_bars(rows, seed, gap_share=0.01, with_flows=False).columns()
    chosen = {name: columns[name].copy() for name in HARMONIC.inputs}
    start = 400 + 37 * seed
    for name in ("high", "low", "close"):
        chosen[name][start : start + 6] = chosen["close"][start - 1]
    chosen["is_gap"][start : start + 6] = 1.0
    return chosen


def test_a_start_before_stable_rows_leaves_no_trace() -> None:
    given = {"left": 3.0, "right": 3.0, "max_span_bars": 100.0, "max_open_bars": 50.0}
    for indicator in (HARMONIC, HARMONIC_PIVOT):
        own = {
            name: value
            for name, value in given.items()
            if name in {parameter.name for parameter in indicator.parameters}
        }
        stable = indicator.stable(indicator.resolved(own))
        columns = market(11, rows=stable + 1500)
        whole = outputs(columns, indicator, **own)
        for dropped in (1, 77, 250):
            later = {name: column[dropped:] for name, column in columns.items()}
            late = outputs(later, indicator, **own)
            for output in indicator.outputs:
                expected = whole[output.name][dropped + stable :]
                np.testing.assert_allclose(
                    late[output.name][stable:], expected, rtol=1e-12, err_msg=output.name
                )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 40), cut=st.integers(1, 1199))
def test_prefixes_and_poison_change_nothing(seed: int, cut: int) -> None:
    columns = market(seed % 8, rows=1200)
    for indicator in (HARMONIC, HARMONIC_PIVOT):
        given = {"left": 3.0, "right": 3.0}
        whole = outputs(columns, indicator, **given)
        prefix = outputs(
            {name: column[:cut] for name, column in columns.items()}, indicator, **given
        )
        for name, column in whole.items():
            np.testing.assert_array_equal(prefix[name], column[:cut], err_msg=name)
        for value in (np.nan, 1e9, -1e9):
            poisoned = {name: column.copy() for name, column in columns.items()}
            for column in poisoned.values():
                column[cut:] = value
            after = outputs(poisoned, indicator, **given)
            for name, column in whole.items():
                np.testing.assert_array_equal(after[name][:cut], column[:cut], err_msg=name)
