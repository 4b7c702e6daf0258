"""Signals become decisions; contradictions on one row are refused by row and symbol."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import STYLES, ConfigError, ContractError
from engine.signals import signals

SHAPE = (4, 2)
NAMES = ("entries_long", "exits_long", "entries_short", "exits_short")


def never():
    return {name: np.zeros(SHAPE, dtype=bool) for name in NAMES}


def decided(*marked, **options):
    """Signals that are True at the given (name, row, column)."""
    arrays = never()
    for name, row, column in marked:
        arrays[name][row, column] = True
    return signals(*arrays.values(), np.full(SHAPE, 0.01), **options)


def row_of(decisions, row, column):
    cell = row, column
    return bool(decisions.acts[cell]), STYLES[decisions.style[cell]], float(decisions.target[cell])


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ((), (False, "target", 0.0)),
        (("entries_long",), (True, "target", 0.5)),
        (("entries_short",), (True, "target", -0.5)),
        (("exits_long",), (True, "exit_long", 0.0)),
        (("exits_short",), (True, "exit_short", 0.0)),
        (("exits_long", "exits_short"), (True, "target", 0.0)),
        (("entries_long", "exits_short"), (True, "target", 0.5)),
        (("entries_short", "exits_long"), (True, "target", -0.5)),
    ],
)
def test_what_a_row_decides(marked: tuple[str, ...], expected: tuple[bool, str, float]):
    decisions = decided(*((name, 2, 1) for name in marked), unit=0.5)
    assert row_of(decisions, 2, 1) == expected
    assert decisions.acts.sum() == expected[0]


@pytest.mark.parametrize("name", ["entries_long", "entries_short"])
def test_pyramiding_adds_on_entries_only(name: str):
    side = 1.0 if name == "entries_long" else -1.0
    decisions = decided((name, 1, 0), ("exits_long", 2, 0), unit=0.25, pyramiding=True)
    assert row_of(decisions, 1, 0) == (True, "add", 0.25 * side)
    assert row_of(decisions, 2, 0) == (True, "exit_long", 0.0)


@pytest.mark.parametrize(
    "pair",
    [
        ("entries_long", "entries_short"),
        ("entries_long", "exits_long"),
        ("entries_short", "exits_short"),
    ],
)
def test_a_contradiction_names_both_signals_row_and_column(pair: tuple[str, str]):
    with pytest.raises(ContractError, match=rf"{pair[0]}\[3, 1\] and {pair[1]}\[3, 1\]"):
        decided((pair[0], 3, 1), (pair[1], 3, 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_dtype_or_shape_names_the_argument(name: str):
    wrong = never() | {name: np.zeros(SHAPE)}
    with pytest.raises(ContractError, match=f"signals: {name} must be a 2-dimensional bool"):
        signals(*wrong.values(), np.full(SHAPE, 0.01))
    wrong = never() | {name: np.zeros(4, dtype=bool)}
    with pytest.raises(ContractError, match=f"signals: {name} must be a 2-dimensional bool"):
        signals(*wrong.values(), np.full(SHAPE, 0.01))
    other = "exits_short" if name == "entries_long" else name
    wrong = never() | {other: np.zeros((3, 2), dtype=bool)}
    with pytest.raises(ContractError, match=rf"signals: {other} has shape \(3, 2\)"):
        signals(*wrong.values(), np.full(SHAPE, 0.01))


@pytest.mark.parametrize("unit", [0.0, -0.5, 1.5, np.nan])
def test_a_unit_that_is_no_share_of_a_position_is_refused(unit: float):
    with pytest.raises(ConfigError, match="unit="):
        decided(unit=unit)


def test_an_entry_before_the_warm_up_is_refused_by_its_row():
    arrays = never()
    arrays["entries_long"][0, 1] = True
    atr_frac = np.full(SHAPE, np.nan)
    with pytest.raises(ContractError, match=r"atr_frac\[0, 1\]=nan"):
        signals(*arrays.values(), atr_frac)


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_position_follows_the_signals(seed: int, pyramiding: bool):
    """The target in force, by the sentences of the page for styles, is that of a plain state machine."""
    generator = np.random.default_rng(seed)
    side = generator.integers(-1, 2, size=30)
    leaves = generator.random((2, 30)) < 0.3
    arrays = [side > 0, leaves[0] & (side <= 0), side < 0, leaves[1] & (side >= 0)]
    arrays = [array[:, None] for array in arrays]
    decisions = signals(*arrays, np.full((30, 1), 0.01), unit=0.4, pyramiding=pyramiding)
    force, state = 0.0, 0.0
    for t in range(30):
        target, style = float(decisions.target[t, 0]), STYLES[decisions.style[t, 0]]
        if decisions.acts[t, 0]:
            if style == "add":
                force = np.clip(force + target, -1, 1) if force * target >= 0 else target
            elif style == "target" or (style == "exit_long" and force > 0):
                force = target
            elif style == "exit_short" and force < 0:
                force = 0.0
        if (arrays[1][t, 0] and state > 0) or (arrays[3][t, 0] and state < 0):
            state = 0.0
        if side[t]:
            same = np.sign(state) == side[t]
            state = min(1.0, abs(state) + 0.4) * side[t] if same and pyramiding else 0.4 * side[t]
        assert force == pytest.approx(state)
