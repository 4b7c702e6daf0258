"""The modes of swings, breaks and zones that no head has by default, under the checks of the lists."""

from collections.abc import Mapping

import pytest

from experiments.checks import CheckRow
from experiments.checks.conformance import check_indicator_conformance
from experiments.checks.events import DetectorCase, check_detectors
from experiments.checks.inputs import check_indicator_inputs
from experiments.checks.poison import check_indicator_poison
from experiments.checks.prefix import check_indicator_prefix
from experiments.checks.start import check_start
from experiments.checks.subjects import IndicatorCase
from indicators import DETECTORS_BY_NAME, INDICATORS_BY_NAME

TURNS: Mapping[str, float] = {"by_turns": 1, "turn_atr": 1.5}
WICKS: Mapping[str, float] = {"left": 3, "right": 3, "at_wicks": 1}
MODES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("structure", TURNS),
    ("structure", WICKS),
    ("structure", {"left": 50, "right": 50}),
    ("structure_break", {**TURNS, "at_wicks": 1}),
    ("swing_leg", TURNS),
    ("order_block", {**TURNS, "max_touches": 3, "by_body": 1, "expiry_bars": 60}),
    ("order_block", {**WICKS, "max_touches": 2}),
    ("order_block_strength", {**WICKS, "by_body": 1}),
    ("dealing_range", TURNS),
    ("optimal_trade_entry", {**TURNS, "at_wicks": 1, "expiry_bars": 40}),
    ("optimal_trade_entry", WICKS),
)
ZONES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("fair_value_gap", {"min_displacement_atr": 0.0, "expiry_bars": 40}),
    ("balanced_price_range", {"window_bars": 60, "min_size_atr": 0.0}),
)


def failures(rows: list[CheckRow]) -> list[str]:
    return [f"{row.check} {row.subject}: {row.detail}" for row in rows if not row.passed]


def name_of(mode: tuple[str, Mapping[str, float]]) -> str:
    return f"{mode[0]}-{'-'.join(mode[1])}"


@pytest.mark.parametrize("mode", MODES, ids=name_of)
def test_columns(mode: tuple[str, Mapping[str, float]]) -> None:
    case = IndicatorCase(INDICATORS_BY_NAME[mode[0]], tuple(mode[1].items()), "bars")
    assert failures(check_indicator_conformance([case])) == []
    assert failures(check_indicator_prefix([case], event_cuts=40, other_cuts=10)) == []
    assert failures(check_indicator_poison([case])) == []
    assert failures(check_start([case])) == []
    assert failures(check_indicator_inputs([case])) == []


@pytest.mark.parametrize(
    "mode", [mode for mode in (*MODES, *ZONES) if mode[0] in DETECTORS_BY_NAME], ids=name_of
)
def test_tables(mode: tuple[str, Mapping[str, float]]) -> None:
    case = DetectorCase(DETECTORS_BY_NAME[mode[0]], tuple(mode[1].items()), "bars")
    for position in range(2):
        assert failures(check_detectors([case], position)) == []
