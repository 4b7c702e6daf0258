"""The Wyckoff head: what votes, how strongly, for how long, and when it abstains."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Bars, Float1D, Market
from indicators import build_features
from indicators.effort import EFFORT_RESULT, WEIS_WAVE
from indicators.event_catalog import DETECTORS_BY_NAME
from indicators.wyckoff import LOOKBACK, WYCKOFF
from strategies import HeadInputs
from strategies.heads.wyckoff import WyckoffHead
from tests.generators import random_bars
from tests.schematics import accumulation, mirrored
from tests.test_strategies.head_answers import numbers, quiet_inputs, reasons_on

ROWS = 60
BY_NAME = {indicator.name: indicator for indicator in (WYCKOFF, EFFORT_RESULT, WEIS_WAVE)}


def given(**events: dict[int, float]) -> HeadInputs:
    """Inputs that are quiet but for the named rows."""
    return quiet_inputs(WyckoffHead(), ROWS, events)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("event", "grade"), [("spring", 0.90), ("strength", 0.75)])
def test_an_event_votes_for_ten_bars(event: str, grade: float, side: float) -> None:
    answer = WyckoffHead().vote(given(**{event: {20: side}}))
    for row in range(20, 30):
        assert numbers(answer, row) == (side, grade, grade)
    for row in (19, 30):
        assert numbers(answer, row) == (0.0, 0.5, 0.0)
    name = {"spring": ("spring", "upthrust"), "strength": ("strength", "weakness")}[event]
    assert reasons_on(WyckoffHead, answer, 25) == {name[0 if side > 0 else 1]}


def test_the_composite_votes_alone_from_its_threshold_on() -> None:
    answer = WyckoffHead().vote(given(composite={5: 0.5, 6: 0.49, 7: -0.8}))
    assert numbers(answer, 5) == (1.0, 0.70, 0.70)
    assert numbers(answer, 6) == (0.0, 0.5, 0.0)
    assert numbers(answer, 7) == (-1.0, 0.70, 0.70)
    assert answer.score[7] == pytest.approx(10.0)


def test_agreement_adds_five_percent_up_to_the_cap() -> None:
    agreeing = dict.fromkeys(range(ROWS), 0.9)
    answer = WyckoffHead().vote(given(spring={10: 1.0}, strength={40: 1.0}, composite=agreeing))
    assert numbers(answer, 10) == pytest.approx((1.0, 0.95, 0.95))
    assert numbers(answer, 40) == pytest.approx((1.0, 0.80, 0.80))
    capped = WyckoffHead(agreement_bonus=0.2).vote(given(spring={10: 1.0}, composite=agreeing))
    assert numbers(capped, 10) == pytest.approx((1.0, 0.95, 0.95))
    against = dict.fromkeys(range(ROWS), -0.9)
    disagreeing = WyckoffHead().vote(given(spring={10: 1.0}, composite=against))
    assert numbers(disagreeing, 10) == (1.0, 0.90, 0.90)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize(("event", "grade"), [("spring", 0.90), ("strength", 0.75)])
def test_the_composite_that_agrees_is_that_of_the_row_before(
    event: str, grade: float, side: float
) -> None:
    own = dict.fromkeys(range(20, ROWS), 0.9 * side)
    answer = WyckoffHead().vote(given(**{event: {20: side}}, composite=own))
    assert numbers(answer, 20) == numbers(answer, 29) == (side, grade, grade)
    earlier = WyckoffHead().vote(given(**{event: {20: side}}, composite={19: 0.9 * side}))
    for row in range(20, 30):
        assert numbers(earlier, row) == pytest.approx((side, grade + 0.05, grade + 0.05))


def test_the_event_that_votes_is_the_one_that_is_agreed_with() -> None:
    events = given(spring={10: 1.0}, strength={13: 1.0}, composite={12: 0.9, 13: 0.9})
    answer = WyckoffHead().vote(events)
    assert numbers(answer, 15) == (1.0, 0.90, 0.90)
    assert numbers(answer, 21) == pytest.approx((1.0, 0.80, 0.80))
    first = WyckoffHead().vote(given(spring={0: 1.0}, composite={ROWS - 1: 0.9}))
    assert numbers(first, 0) == (1.0, 0.90, 0.90)


def test_the_newer_side_wins_and_the_stronger_event_of_a_side() -> None:
    answer = WyckoffHead().vote(given(spring={10: 1.0}, strength={12: 1.0, 15: -1.0}))
    assert numbers(answer, 13) == (1.0, 0.90, 0.90)
    assert numbers(answer, 15) == (-1.0, 0.75, 0.75)


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("event", ["test", "support_point", "markup"])
def test_other_events_vote_with_a_confidence_of_their_own(event: str, side: float) -> None:
    head = replace(WyckoffHead(), **{f"{event}_confidence": 0.8})
    events = {event: {20: side}, "strength": {25: side}, "spring": {40: side}}
    answer = head.vote(given(**events))
    assert numbers(answer, 20) == numbers(answer, 29) == (side, 0.8, 0.8)
    assert numbers(answer, 30) == (side, 0.75, 0.75), "the sign of strength is five bars younger"
    assert numbers(answer, 40) == (side, 0.9, 0.9)
    assert not WyckoffHead().vote(given(**{event: {20: side}})).direction.any()


def test_the_more_confident_event_of_a_side_counts() -> None:
    head = WyckoffHead(spring_confidence=0.7, strength_confidence=0.8)
    answer = head.vote(given(spring={20: 1.0}, strength={22: 1.0}))
    assert numbers(answer, 21) == (1.0, 0.90, 0.70)
    assert numbers(answer, 25) == (1.0, 0.75, 0.80)


@pytest.mark.parametrize(
    ("alias", "value", "reason"),
    [
        ("preliminary", 1, "preliminary_support"), ("preliminary", -1, "preliminary_supply"),
        ("climax", 1, "selling_climax"), ("climax", -1, "buying_climax"),
        ("range_start", 1, "accumulation"), ("range_start", -1, "distribution"),
        ("secondary_test", 1, "support_tested"), ("secondary_test", -1, "supply_tested"),
        ("upthrust", -1, "failed_break_up"), ("undercut", 1, "failed_break_down"),
        ("spring_confirmed", 1, "spring_holds"), ("spring_confirmed", -1, "upthrust_holds"),
        ("jump", 1, "jump"), ("jump", -1, "fall"), ("support_point", 1, "last_support"),
        ("markup", -1, "markdown"), ("failure", 1, "distribution_broken"),
        ("failure", -1, "accumulation_broken"), ("shrinking", 1, "falling_wave_shrinks"),
        ("shrinking", -1, "rising_wave_shrinks"), ("absorption", 1, "absorption_bullish"),
    ],
)  # fmt: skip
def test_every_event_has_a_reason_for_as_long_as_it_is_valid(
    alias: str, value: float, reason: str
) -> None:
    answer = WyckoffHead(validity_bars=3).vote(given(**{alias: {20: value}}))
    assert [row for row in range(ROWS) if reasons_on(WyckoffHead, answer, row)] == [20, 21, 22]
    assert reasons_on(WyckoffHead, answer, 21) == {reason}
    assert not answer.direction.any()


def test_a_second_reading_is_a_reason_while_it_leads() -> None:
    answer = WyckoffHead().vote(given(schematic={10: 1.0, 11: 2.0, 12: 3.0, 13: 4.0}))
    found = [reasons_on(WyckoffHead, answer, row) for row in range(10, 14)]
    assert found == [set(), set(), {"reaccumulation"}, {"redistribution"}]


def test_detections_are_those_of_the_features() -> None:
    head = WyckoffHead(thresholds="seed", climax_volume=1.8, pivot_right=3, half_life_bars=20)
    of_ranges = head.features()["spring"].parameters
    assert dict(of_ranges)["seed_thresholds"] == 1.0
    for wanted in head.detections().values():
        detector = DETECTORS_BY_NAME[wanted.detector]
        assert detector.resolved(dict(wanted.parameters))
        if detector.indicator is WYCKOFF:
            assert wanted.parameters == of_ranges == tuple(sorted(of_ranges))
    assert {one.detector for one in head.detections().values()} == {
        "wyckoff", "wyckoff_range", "effort_result", "weis_wave",
    }  # fmt: skip


def test_context_is_a_reason_and_no_vote() -> None:
    answer = WyckoffHead().vote(
        given(test={10: 1.0}, support_point={20: -1.0}, markup={30: 1.0}, absorption={40: -1.0})
    )
    assert not answer.direction.any()
    assert reasons_on(WyckoffHead, answer, 12) == {"spring_holds"}
    assert reasons_on(WyckoffHead, answer, 22) == {"last_supply"}
    assert reasons_on(WyckoffHead, answer, 32) == {"markup"}
    assert reasons_on(WyckoffHead, answer, 42) == {"absorption_bearish"}


def test_warm_up_and_missing_columns_abstain() -> None:
    inputs = given(spring={3: 1.0, 8: 1.0})
    inputs.columns["composite"][:5] = np.nan
    answer = WyckoffHead().vote(inputs)
    assert answer.coverage[4] == 0
    assert numbers(answer, 4) == (0.0, 0.5, 0.0)
    assert (answer.coverage[5:] == 1.0).all()
    assert numbers(answer, 8) == (1.0, 0.90, 0.90)
    missing = {alias: column for alias, column in inputs.columns.items() if alias != "spring"}
    assert not WyckoffHead().vote(HeadInputs(ROWS, missing)).coverage.any()


def _market(columns: dict[str, Float1D]) -> Market:
    rows = len(columns["close"])
    template = random_bars(rows, 1, with_flows=False)
    prices = {name: columns[name] for name in ("open", "high", "low", "close", "volume")}
    bars: Bars = replace(template, **prices, is_gap=np.zeros(rows, dtype=np.bool_))
    return Market(bars=bars)


@pytest.mark.parametrize("sign", [1, -1])
def test_from_bars_to_votes(sign: int) -> None:
    path, known = accumulation()
    columns = path.columns()
    head = WyckoffHead()
    wanted = head.features()
    market = _market(columns if sign > 0 else mirrored(columns))
    matrix = build_features(market, wanted.values(), indicators=BY_NAME)
    found = {alias: matrix.get(feature) for alias, feature in wanted.items()}
    rows = len(columns["close"])
    answer = head.vote(HeadInputs(rows, {k: v for k, v in found.items() if v is not None}))
    assert (answer.coverage[:LOOKBACK] == 0).all()
    assert (answer.coverage[LOOKBACK:] == 1).all()
    assert answer.direction[known["spring"]] == sign
    assert answer.probability[known["spring"]] >= 0.90
    assert answer.direction[known["strength"]] == sign
    assert not (answer.direction == -sign).any()
    assert not answer.direction[: known["range_start"]].any()
