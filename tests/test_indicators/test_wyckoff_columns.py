"""Wyckoff's columns against a plain-Python reading of the same rules, and what holds of them always."""

from dataclasses import asdict, dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Float1D
from indicators.wyckoff import LOOKBACK, WYCKOFF
from tests.oracles.wyckoff import Bars, Rules, reset_rows, wilder_atr
from tests.oracles.wyckoff_ranges import Accumulation, both_sides
from tests.schematics import accumulation, eventful_columns, mirrored

EVENTS = tuple(output.name for output in WYCKOFF.outputs if output.kind == "signal")


@dataclass
class Told:
    """A market, the indicator's columns, the oracle's two sides, the parameters of both."""

    columns: dict[str, Float1D]
    found: dict[str, Float1D]
    sides: tuple[Accumulation, Accumulation]
    given: dict[str, float]


def outputs(columns: dict[str, Float1D], **given: float) -> dict[str, Float1D]:
    computed = WYCKOFF.compute(columns, WYCKOFF.resolved(given))
    return {output.name: column for output, column in zip(WYCKOFF.outputs, computed, strict=True)}


CHOSEN = (Rules(), Rules(1.8, 5.0, 0.2, 3, 150), Rules(2.0, 6.0, 0.3, 4, 300, 1))


@pytest.fixture(scope="module", params=CHOSEN, ids=("defaults", "other", "seed"))
def told(request: pytest.FixtureRequest) -> list[Told]:
    """Eventful markets, what the indicator says of them and what the oracle does."""
    rules = request.param
    given = asdict(rules)
    markets = []
    for seed in range(24):
        columns = eventful_columns(seed)
        sides = both_sides(Bars.of(columns), rules)
        markets.append(Told(columns, outputs(columns, **given), sides, given))
    return markets


def signed(sides: tuple[Accumulation, Accumulation], name: str, rows: int) -> Float1D:
    """Every event of one name, +1 on the side of accumulation and -1 on the other."""
    total = np.zeros(rows)
    for sign, side in zip((1.0, -1.0), sides, strict=True):
        for known in (row for own, row in side.events() if own == name):
            total[known] += sign
    return total


def test_every_event_agrees_with_the_oracle(told: list[Told]) -> None:
    seen = dict.fromkeys(EVENTS, 0)
    for market in told:
        rows = len(market.columns["close"])
        for name in EVENTS:
            expected = signed(market.sides, name, rows)
            if name == "strength":
                own, broken = (
                    [
                        {row for event, row in side.events() if event == kind}
                        for side in market.sides
                    ]
                    for kind in ("strength", "broken")
                )
                expected = np.zeros(rows)
                for sign, one, other in ((1.0, own[0], broken[1]), (-1.0, own[1], broken[0])):
                    expected[sorted(one | other)] += sign
            elif name in ("failure", "upthrust"):
                expected = -expected
            np.testing.assert_array_equal(market.found[name], expected, err_msg=name)
            seen[name] += int(np.count_nonzero(expected))
    assert min(seen.values()) > 0, seen


def test_phases_and_schematics_agree_with_the_oracle(told: list[Told]) -> None:
    seen = set()
    for market in told:
        for t in range(0, len(market.columns["close"]), 17):
            leading = [side.leading(t, second) for second in (False, True) for side in market.sides]
            alive = [
                (one.climax, one.second, code, one)
                for code, one in enumerate(leading, start=1)
                if one is not None
            ]
            first = [0 if one is None else "abcde".index(one.phase(t)[-1]) + 1 for one in leading]
            assert market.found["accumulation_phase"][t] == first[0]
            assert market.found["distribution_phase"][t] == first[1]
            if not alive:
                assert market.found["phase"][t] == 0
                assert np.isnan(market.found["target"][t])
                continue
            _, _, code, chosen = max(alive, key=lambda one: (*one[:2], -one[2]))
            side = market.sides[1 - code % 2]
            sign = 1 if code % 2 else -1
            edges = sorted((sign * chosen.support, sign * chosen.resistance))
            if t >= LOOKBACK:
                assert [market.found["support"][t], market.found["resistance"][t]] == edges
            assert market.found["phase"][t] == first[code - 1]
            assert market.found["target"][t] == pytest.approx(
                sign * side.target(chosen, t), rel=1e-12
            )
            if market.found["schematic"][t] == code:
                seen.add(code)
            else:
                assert any(("broken", t) in one.events() for one in market.sides)
    assert {1, 2} <= seen
    assert len(seen) == 4 or len(told) < 24


CODES = {
    "preliminary": (1, 21), "climax": (2, 22), "range_start": (3, 23), "secondary_test": (4, 24),
    "upthrust": (5, 28), "undercut": (0, 25), "spring": (6, 26), "test": (7, 27),
    "strength": (8, 28), "broken": (28, 8), "support_point": (9, 29), "backup": (10, 29),
    "jump": (8, 30), "markup": (11, 31),
}  # fmt: skip


def test_the_code_of_a_row_is_that_of_an_event_of_the_row(told: list[Told]) -> None:
    seen = set()
    for market in told:
        on_row: dict[int, set[int]] = {}
        for number, side in enumerate(market.sides):
            for name, row in side.events():
                if name in CODES and CODES[name][number]:
                    on_row.setdefault(row, set()).add(CODES[name][number])
        code = market.found["event"]
        assert set(np.flatnonzero(code)) <= set(on_row)
        for row, codes in on_row.items():
            assert code[row] in codes or {one % 20 for one in codes} != codes
            if len(codes) == 1:
                assert {code[row]} == codes
        seen |= set(code.tolist())
    # Code 1 is too rare to be told on every set of markets.
    assert seen >= {0, *range(2, 12), *range(21, 32)}


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


WEIGHTS = {
    "range_start": 0.2, "secondary_test": 0.2, "upthrust": 0.2, "undercut": 0.2, "spring": 0.6,
    "test": 0.4, "strength": 0.5, "support_point": 0.4, "markup": 0.3, "failure": 0.6,
}  # fmt: skip


def test_the_composite_adds_faded_events(told: list[Told]) -> None:
    market = told[0]
    for t in range(LOOKBACK, len(market.columns["close"]), 97):
        total = sum(
            weight * market.found[name][row] * 0.5 ** ((t - row) / 50)
            for name, weight in WEIGHTS.items()
            for row in np.flatnonzero(market.found[name][: t + 1])
        )
        assert market.found["composite"][t] == pytest.approx(np.tanh(total), abs=1e-12)


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


def test_oracle_helpers_know_their_own_rules() -> None:
    assert reset_rows([True] * 5 + [False] + [True] * 3) == {3, 4}
    bars = Bars([1.0] * 25, [2.0] * 25, [1.0] * 25, [1.5] * 25, [1.0] * 25, [False] * 25)
    assert wilder_atr(bars)[20:] == [1.0] * 5


def test_mirrored_prices_mirror_every_event() -> None:
    columns = eventful_columns(3)
    found, flipped = outputs(columns), outputs(mirrored(columns, 256.0))
    for name in EVENTS:
        np.testing.assert_array_equal(flipped[name], -found[name], err_msg=name)
