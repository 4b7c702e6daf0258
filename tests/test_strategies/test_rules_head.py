"""The rules head: its formula by hand, its modes, no look-ahead, events that its votes follow from."""

from dataclasses import replace

import numpy as np
import pytest

from engine import HOUR_NS, ConfigError, Float1D, Market
from indicators import DETECTORS_BY_NAME, find_events
from strategies import HeadInputs, vote_matrix
from strategies.heads.rules import CHART_PATTERNS, RulesHead
from tests.generators import random_bars, random_market
from tests.test_strategies.head_answers import (
    answers,
    assert_abstains_without_its_data,
    assert_fires_as_often_as_expected,
    assert_prefixes_answer_alike,
    idle_inputs,
    inputs_of,
    quiet_inputs,
    reasons_on,
    same,
    with_prices_times,
)

HEADS = tuple(RulesHead(**variant) for variant in ({}, *RulesHead.VARIANTS))
EVERY = pytest.mark.parametrize("head", HEADS, ids=["defaults", "user_rules", "relaxed", "turns"])


@EVERY
def test_votes_both_ways_and_survives_the_prefix(head: RulesHead) -> None:
    whole = assert_prefixes_answer_alike(head, random_market(6000, 8, gap_share=0.02))
    voted = whole.direction != 0
    assert whole.probability[voted].min() >= 0.6
    assert whole.confidence[voted].min() > 0.5
    assert whole.confidence.max() <= 0.95


def test_another_unit_of_price_changes_nothing_but_round_numbers() -> None:
    bars = random_bars(2500, 8)
    scaled = with_prices_times(bars, 8.0)
    for head, alike in ((RulesHead(round_percent=0.0), True), (RulesHead(), False)):
        one = answers(head, Market(bars=bars, series={}))
        other = answers(head, Market(bars=scaled, series={}))
        assert same(one, other, len(bars)) == alike


@EVERY
def test_every_declared_input_matters_and_no_other(head: RulesHead) -> None:
    head = replace(head, user_rules=())
    inputs = inputs_of(head, Market(bars=random_bars(12_000, 8), series={}))
    assert set(inputs.columns) == set(head.features())
    assert not idle_inputs(head, inputs, lambda alias, rows: np.nan if "known" in alias else rows)


def test_abstains_without_its_data() -> None:
    assert_abstains_without_its_data(RulesHead())


@pytest.mark.parametrize(
    "changed",
    [
        {"gap_mode": "relaxed"},
        {"swings": "turns"},
        {"swings": "turns", "turn_atr": 4.0},
        {"double_tolerance": "percent"},
        {"level_near_percent": 1.0},
        {"level_width_atr": 0.25},
        {"round_percent": 0.0},
        {"some_volume": 1.0},
    ],
    ids=str,
)
def test_every_mode_and_number_changes_a_vote(changed: dict[str, object]) -> None:
    market = Market(bars=random_bars(8000, 4), series={})
    before = RulesHead(swings="turns") if "turn_atr" in changed else RulesHead()
    assert not same(answers(before, market), answers(replace(before, **changed), market), 8000)


@pytest.mark.parametrize("name", ["gap_mode", "swings", "double_tolerance"])
def test_an_unknown_mode_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"rules head: {name}='loose' must be"):
        RulesHead(**{name: "loose"})


@EVERY
def test_the_events_are_those_of_the_votes(head: RulesHead) -> None:
    market = Market(bars=random_bars(5000, 4), series={})
    inputs, wanted = inputs_of(head, market), head.detections()
    found = find_events(market, wanted.values(), detectors=DETECTORS_BY_NAME)
    assert {alias: len(found[one].table) > 20 for alias, one in wanted.items()} == {
        "swings": True, "levels": True, "charts": True,
    }  # fmt: skip
    charts = found[wanted["charts"]]
    for name in CHART_PATTERNS:
        types = [k for k, one in enumerate(charts.detector.types) if one.column == name]
        sides = np.zeros(inputs.rows)
        of_name = np.isin(charts.table.type, types)
        np.add.at(sides, charts.table.known[of_name], charts.table.direction[of_name])
        assert np.array_equal(np.sign(sides), inputs[name]), name
    # A chart pattern turns at the swings that the head shows, flags apart.
    swings = found[wanted["swings"]].table
    turns = set(zip(swings.anchor.tolist(), swings.top.tolist(), strict=True))
    shapes = charts.table.type < charts.detector.type_code("flag")
    for rows, prices in zip(
        charts.table.point_rows[shapes], charts.table.point_prices[shapes], strict=True
    ):
        assert {(int(t), float(p)) for t, p in zip(rows, prices, strict=True) if t >= 0} <= turns


def rules_inputs(rows: int = 30, **events: dict[int, float]) -> HeadInputs:
    """Known levels far away and usual volume, but for ``events`` (alias: value by row)."""
    return quiet_inputs(RulesHead(), rows, events, relative_volume=1.0)


def test_rules_count_patterns_at_a_level_only() -> None:
    head = RulesHead(warm_up_bars=0)
    candle = {"candles_up": {10: 1.0}, "strength_up": {10: 0.8}}
    assert not head.vote(rules_inputs(**candle)).direction.any()
    output = head.vote(rules_inputs(**candle, near_count={10: 1.0}))
    assert output.direction.tolist() == [10 <= t < 15 for t in range(30)]
    assert output.probability[12] == pytest.approx(0.68)
    assert output.confidence[12] == pytest.approx((0.70 + 0.20 * 0.8) * 0.85)


@pytest.mark.parametrize(
    ("volume", "factor"), [(1.19, 0.85), (1.2, 0.95), (1.49, 0.95), (1.5, 1.0)]
)
def test_rules_volume(volume: float, factor: float) -> None:
    output = RulesHead(warm_up_bars=0).vote(
        rules_inputs(double={10: -1.0}, near_count={10: 2.0}, relative_volume={10: volume})
    )
    assert output.direction[10] == output.direction[19] == -1
    assert output.direction[20] == 0
    assert output.confidence[10] == pytest.approx(0.90 * factor)


def test_rules_two_full_patterns_and_the_majority() -> None:
    head = RulesHead(warm_up_bars=0)
    output = head.vote(
        rules_inputs(
            candles_up={10: 2.0}, strength_up={10: 1.0}, candles_down={11: 1.0},
            strength_down={11: 1.0}, near_count={10: 1.0, 11: 1.0}, relative_volume={10: 2.0},
        )
    )  # fmt: skip
    assert output.direction[11] == 1
    assert output.probability[11] == pytest.approx(0.76)
    assert output.confidence[11] == pytest.approx(0.95)
    assert output.score[11] == pytest.approx(50 + 50 / 3)
    assert reasons_on(RulesHead, output, 11) == {"candle_up", "candle_down", "full_volume"}
    tie = head.vote(
        rules_inputs(
            candles_up={10: 1.0}, candles_down={10: 1.0}, near_count={10: 1.0},
        )
    )  # fmt: skip
    assert not tie.direction.any()


def test_rules_do_not_vote_in_the_first_two_hundred_rows() -> None:
    every = dict.fromkeys(range(300), 1.0)
    inputs = rules_inputs(300, candles_up=every, strength_up=every, near_count=every)
    output = RulesHead().vote(inputs)
    assert output.direction.tolist() == output.coverage.tolist() == [0] * 200 + [1] * 100
    assert not output.reasons[:200].any()


def test_rules_coverage() -> None:
    inputs = rules_inputs()
    inputs.columns["chart_known"][:10] = np.nan
    inputs.columns["relative_volume"][:5] = np.nan
    coverage: Float1D = RulesHead(warm_up_bars=0).vote(inputs).coverage
    assert coverage[[0, 5, 10]].tolist() == pytest.approx([0.0, 0.6, 1.0])


def test_hourly_reasons_fire_as_often_as_expected() -> None:
    bars = random_bars(30_000, 13)
    assert bars.step_ns == HOUR_NS
    output = answers(RulesHead(), Market(bars=bars, series={}))
    assert_fires_as_often_as_expected(RulesHead(), output)


def test_rules_that_fired_are_told_by_name() -> None:
    (head,) = (one for one in HEADS if one.user_rules)
    market = Market(bars=random_bars(3000, 4), series={})
    fired = head.fired_rules(inputs_of(head, market))
    assert list(fired) == [rule.name for rule in head.user_rules]
    votes = vote_matrix(market, [head])
    for side, name in ((1, "user_rule_long"), (-1, "user_rule_short")):
        bit = [reason.name for reason in head.REASONS].index(name)
        some = np.any([fired[r.name] for r in head.user_rules if r.direction == side], axis=0)
        shown = (votes.reasons[:, 0] >> np.uint64(bit) & np.uint64(1)).astype(bool)
        assert some.any()
        assert np.array_equal(some, shown)
