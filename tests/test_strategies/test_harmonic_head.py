"""The harmonic head: grades, the stronger side, and when it abstains."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from engine import ConfigError, Market
from indicators import build_features
from indicators.harmonic import HARMONIC, HARMONIC_PIVOT, LOOKBACK
from indicators.harmonic_pattern import PATTERN_NAMES
from strategies import HeadInputs
from strategies.heads.harmonic import HarmonicHead
from tests.generators import random_bars
from tests.schematics import drawn, mirrored, points
from tests.test_strategies.head_answers import numbers, quiet_inputs, reasons_on

ROWS = 40
BY_NAME = {indicator.name: indicator for indicator in (HARMONIC, HARMONIC_PIVOT)}


def given(**events: dict[int, float]) -> HeadInputs:
    return quiet_inputs(HarmonicHead(), ROWS, events)


def test_probability_counts_patterns_and_confidence_their_precision() -> None:
    answer = HarmonicHead().vote(
        given(
            bullish_count={5: 1.0, 6: 2.0, 7: 4.0},
            bullish_precision={5: 0.5, 6: 1.8, 7: 4.0},
        )
    )
    assert numbers(answer, 5) == pytest.approx((1.0, 0.8, 0.75))
    assert numbers(answer, 6) == pytest.approx((1.0, 0.9, 0.87))
    assert numbers(answer, 7) == pytest.approx((1.0, 0.9, 0.9))
    assert numbers(answer, 8) == (0.0, 0.5, 0.0)
    assert reasons_on(HarmonicHead, answer, 6) == {"confirmed_bullish", "several_bullish"}


def test_the_more_precise_side_wins() -> None:
    both = {"bullish_count": {5: 2.0, 6: 1.0}, "bearish_count": {5: 1.0, 6: 1.0}}
    answer = HarmonicHead().vote(
        given(**both, bullish_precision={5: 0.7, 6: 0.4}, bearish_precision={5: 0.9, 6: 0.4})
    )
    assert numbers(answer, 5) == pytest.approx((-1.0, 0.8, 0.87))
    assert answer.direction[6] == 0
    assert reasons_on(HarmonicHead, answer, 6) == {"confirmed_bullish", "confirmed_bearish"}


def test_touches_failures_and_pivots_are_reasons_only() -> None:
    answer = HarmonicHead().vote(given(entered={3: 1.0}, failed={15: -1.0}, completed={28: -1.0}))
    assert not answer.direction.any()
    assert reasons_on(HarmonicHead, answer, 4) == {"entered_bullish"}
    assert reasons_on(HarmonicHead, answer, 16) == {"failed_bullish"}
    assert reasons_on(HarmonicHead, answer, 29) == {"pivot_bearish"}


def test_by_pivot_votes_on_completed_patterns_instead() -> None:
    inputs = given(completed={10: -1.0}, completed_precision={10: 0.8}, bullish_count={12: 1.0})
    answer = HarmonicHead(by_pivot=True, validity_bars=5).vote(inputs)
    for row in range(10, 15):
        assert numbers(answer, row) == pytest.approx((-1.0, 0.8, 0.84))
    assert answer.direction[15] == 0


def test_every_pattern_that_votes_is_named() -> None:
    two = 2.0 ** PATTERN_NAMES.index("bat") + 2.0 ** PATTERN_NAMES.index("abcd")
    columns = given(
        bullish_count={5: 2.0},
        bullish_precision={5: 1.5},
        bullish_patterns={5: two},
        bearish_patterns={8: 2.0 ** PATTERN_NAMES.index("five_zero")},
        completed={20: -1.0},
        completed_pattern={20: PATTERN_NAMES.index("cypher") + 1.0},
        completed_precision={20: 0.9},
    )
    answer = HarmonicHead().vote(columns)
    voted = {"confirmed_bullish", "several_bullish"}
    assert reasons_on(HarmonicHead, answer, 5) == {*voted, "bat_bullish", "abcd_bullish"}
    assert reasons_on(HarmonicHead, answer, 8) == {"five_zero_bearish"}
    assert reasons_on(HarmonicHead, answer, 20) == {"pivot_bearish"}
    by_pivot = HarmonicHead(by_pivot=True).vote(columns)
    assert reasons_on(HarmonicHead, by_pivot, 5) == voted
    assert reasons_on(HarmonicHead, by_pivot, 24) == {"pivot_bearish", "cypher_bearish"}


def test_detections_are_asked_as_the_features_are() -> None:
    head = HarmonicHead(swings="turns", turn_atr=3.0, minor_swings=True, validity_bars=7)
    wanted = head.detections()
    assert {alias: one.detector for alias, one in wanted.items()} == {
        "zones": "harmonic",
        "completed": "harmonic_pivot",
    }
    features = head.features()
    assert wanted["zones"].parameters == features["bullish_count"].parameters
    assert wanted["completed"].parameters == features["completed"].parameters
    assert dict(wanted["zones"].parameters) == {
        "left": 5.0, "right": 5.0, "tolerance": 0.03, "point_tolerance": 0.05, "by_turns": 1.0,
        "turn_atr": 3.0, "minor_swings": 1.0, "alternate_abcd": 0.0, "validity_bars": 7.0,
    }  # fmt: skip


@pytest.mark.parametrize("value", [0.5, 7.0])
def test_a_turn_outside_the_range_of_the_indicator_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"harmonic head: turn_atr=.* \[1, 6\]"):
        HarmonicHead(turn_atr=value)
    with pytest.raises(ConfigError, match="harmonic head: swings='zigzag' must be 'pivots' or"):
        HarmonicHead(swings="zigzag")


def test_warm_up_and_missing_columns_abstain() -> None:
    inputs = given(bullish_count={6: 1.0}, bullish_precision={6: 0.9}, entered={2: 1.0})
    for name in ("bullish_count", "bearish_count", "bullish_precision", "bearish_precision"):
        inputs.columns[name][:5] = np.nan
    answer = HarmonicHead().vote(inputs)
    assert not answer.coverage[:5].any()
    assert not answer.reasons[:5].any()
    assert (answer.coverage[5:] == 1).all()
    assert answer.direction[6] == 1
    missing = {k: v for k, v in inputs.columns.items() if k != "bullish_count"}
    assert not HarmonicHead().vote(HeadInputs(ROWS, missing)).coverage.any()


@pytest.mark.parametrize("swings", ["pivots", "turns"])
@pytest.mark.parametrize("by_pivot", [False, True])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("name", ["gartley", "butterfly", "crab", "abcd"])
def test_from_bars_to_votes(
    name: str, sign: int, by_pivot: bool, swings: Literal["pivots", "turns"]
) -> None:
    columns, rows = drawn(points(name))
    shown = columns if sign > 0 else mirrored(columns, 110.0)
    close = shown["close"]
    count = len(close)
    bars = replace(
        random_bars(count, 1, with_flows=False),
        open=np.concatenate((close[:1], close[:-1])),
        high=shown["high"],
        low=shown["low"],
        close=close,
        is_gap=np.zeros(count, dtype=np.bool_),
    )
    head = HarmonicHead(by_pivot=by_pivot, swings=swings)
    wanted = head.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=BY_NAME)
    found = {alias: matrix.get(feature) for alias, feature in wanted.items()}
    answer = head.vote(HeadInputs(count, {k: v for k, v in found.items() if v is not None}))
    assert (answer.coverage[:LOOKBACK] == 0).all()
    assert (answer.direction[rows[4] :] == sign).any()
    voted = np.flatnonzero(answer.direction == sign)
    assert (answer.confidence[voted] >= 0.6).all()
    assert (answer.probability[voted] >= 0.8).all()
    side = "bullish" if sign > 0 else "bearish"
    assert any(f"{name}_{side}" in reasons_on(HarmonicHead, answer, row) for row in voted)
