"""Replays of so many symbols that whole rows of them are passed over at once, eight in a register."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from engine import ACCOUNT_COLUMNS, Panel, ReplayResult
from tests.replay_cases import THEMES, ReplayCase, agreed, replay_cases, replay_of, seeded_case
from tests.replay_cases.altered import with_arrays

SYMBOLS = (8, 9, 15, 16, 19)
"""Whole registers, one symbol more, one less."""
LEDGERS = ("fills", "orders", "trades", "payments")


@pytest.mark.parametrize("theme", THEMES)
def test_many_symbols_equal_the_oracle(theme: str):
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(replay_cases(theme, symbols=SYMBOLS))
    def check(case: Any) -> None:
        agreed(case)

    check()


def among_idle_symbols(case: ReplayCase, count: int) -> ReplayCase:
    """The same replay beside ``count`` symbols that nobody trades, last in name order."""

    def widened(name: str, array: Any) -> Any:
        if array.ndim != 2:
            return array
        idle = np.repeat(array[:, :1], count, axis=1)
        return np.concatenate((array, idle), axis=1)

    def wider(panel: Panel) -> Panel:
        idle = tuple(f"Z{number:03d}" for number in range(count))
        arrays = {
            item.name: widened(item.name, value)
            for item in fields(panel)
            if isinstance(value := getattr(panel, item.name), np.ndarray)
        }
        mark = with_arrays(panel.mark, widened)
        return replace(panel, symbols=panel.symbols + idle, mark=mark, **arrays)

    decisions = with_arrays(case.decisions, widened)
    decisions.acts[:, -count:] = False
    return replace(
        case,
        panel=wider(case.panel),
        fine=None if case.fine is None else wider(case.fine),
        decisions=decisions,
    )


def assert_same_bits(found: ReplayResult, expected: ReplayResult) -> None:
    for name in (*LEDGERS, *ACCOUNT_COLUMNS):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    for name in ("ruined_bar", "ambiguous_exits"):
        assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("seed", range(5 * len(THEMES)))
def test_symbols_that_nobody_trades_change_no_bit(seed: int):
    # Where few of many symbols are held, a list of the positions is followed instead.
    case = seeded_case(seed, SYMBOLS)
    expected = replay_of(case)
    assert_same_bits(replay_of(among_idle_symbols(case, 150)), expected)
