"""Rules of the user in the rules head: how they vote, alone and beside its own patterns."""

from dataclasses import replace

import numpy as np
import pytest

from engine import ConfigError, Market
from indicators import INDICATORS_BY_NAME, build_features, feature
from strategies import HeadInputs, head_inputs, latest_votes, memory_bars, vote_matrix
from strategies.expressions import parsed_condition
from strategies.heads.rules import RulesHead
from strategies.user_rules import UserRule
from tests.generators import random_bars, random_market
from tests.test_strategies.head_answers import quiet_inputs, reasons_on

ROWS = 12
BAR_OPEN = str(feature("bar", "open"))
BAR_CLOSE = str(feature("bar", "close"))


def rule(name: str, when: str, direction: int = 1, p: float = 0.7, c: float = 0.75) -> UserRule:
    return UserRule(name, direction, parsed_condition(when), p, c)


def given(head: RulesHead, **events: dict[int, float]) -> HeadInputs:
    """Known levels, usual volume, no pattern and a close of 0, but for ``events`` (value by row)."""
    names = {"close": BAR_CLOSE, "open": BAR_OPEN}
    named = {names.get(alias, alias): values for alias, values in events.items()}
    return quiet_inputs(head, ROWS, named, relative_volume=1.0)


def with_rules(*rules: UserRule) -> RulesHead:
    return RulesHead(warm_up_bars=0, candle_validity_bars=1, user_rules=rules)


def test_a_rule_alone_votes_with_its_own_numbers() -> None:
    head = with_rules(rule("up", "close > 1"), rule("down", "close < -1", -1, 0.55, 0.4))
    output = head.vote(given(head, close={3: 2.0, 5: -2.0}))
    assert output.direction.tolist() == [{3: 1, 5: -1}.get(row, 0) for row in range(ROWS)]
    assert (output.probability[3], output.confidence[3], output.score[3]) == (0.7, 0.75, 100.0)
    assert (output.probability[5], output.confidence[5], output.score[5]) == (0.55, 0.4, 0.0)
    assert reasons_on(RulesHead, output, 3) == {"user_rule_long"}
    assert reasons_on(RulesHead, output, 5) == {"user_rule_short"}
    assert reasons_on(RulesHead, output, 4) == set()


def test_two_rules_of_one_side() -> None:
    head = with_rules(rule("a", "close > 1", c=0.5), rule("b", "close > 2", p=0.6, c=0.7))
    output = head.vote(given(head, close={3: 3.0}))
    assert output.probability[3] == pytest.approx(0.70 + 0.08)
    assert output.confidence[3] == pytest.approx(0.6)


def test_rules_of_two_sides_are_a_tie() -> None:
    head = with_rules(rule("a", "close > 1", p=0.95), rule("b", "close > 2", -1))
    output = head.vote(given(head, close={3: 3.0}))
    assert output.direction[3] == 0
    assert reasons_on(RulesHead, output, 3) == {"user_rule_long", "user_rule_short"}
    assert output.score[3] == 50.0


CANDLE = {"candles_up": {3: 1.0}, "strength_up": {3: 1.0}, "near_count": {3: 1.0}}
"""One bullish candle pattern at a level on row 3, its confidence .9 x .85."""


@pytest.mark.parametrize(
    ("p", "expected"), [(0.60, 0.76), (0.68, 0.76), (0.80, 0.88), (0.95, 0.95)]
)
def test_a_rule_beside_a_pattern(p: float, expected: float) -> None:
    head = with_rules(rule("a", "close > 1", p=p, c=0.5))
    output = head.vote(given(head, close={3: 3.0}, **CANDLE))
    assert output.direction[3] == 1
    assert output.probability[3] == pytest.approx(expected)
    assert output.confidence[3] == pytest.approx((0.9 * 0.85 + 0.5) / 2)
    assert reasons_on(RulesHead, output, 3) == {"candle_up", "user_rule_long"}


def test_a_pattern_and_a_rule_against_each_other() -> None:
    head = with_rules(rule("a", "close > 1", -1), rule("b", "open > 1", -1, 0.6))
    tie = head.vote(given(head, close={3: 3.0}, **CANDLE))
    assert tie.direction[3] == 0
    outvoted = head.vote(given(head, close={3: 3.0}, open={3: 3.0}, **CANDLE))
    assert outvoted.direction[3] == -1
    assert outvoted.probability[3] == pytest.approx(0.78)
    assert outvoted.score[3] == pytest.approx(50.0 - 50.0 / 3)


def test_a_pattern_where_no_rule_fires_is_what_it_is_without_rules() -> None:
    market = random_market(4000, 8, gap_share=0.02)
    never = RulesHead(user_rules=(rule("never", "close < 0"),))
    plain, ruled = vote_matrix(market, [RulesHead()]), vote_matrix(market, [never])
    assert np.count_nonzero(plain.direction) > 50
    for name in ("direction", "probability", "confidence", "score", "reasons"):
        assert np.array_equal(getattr(plain, name), getattr(ruled, name)), name
    assert np.allclose(ruled.coverage, 0.5 * plain.coverage + 0.5)


def test_coverage_is_half_of_the_patterns_and_half_of_the_rules() -> None:
    head = with_rules(rule("a", "close > 1"), rule("b", "open > 1"))
    inputs = given(head)
    inputs.columns["chart_known"][:6] = np.nan
    inputs.columns["relative_volume"][:4] = np.nan
    inputs.columns[BAR_CLOSE][:2] = np.nan
    inputs.columns[BAR_OPEN][:1] = np.nan
    coverage = head.vote(inputs).coverage
    assert coverage[[0, 1, 2, 4, 6]].tolist() == pytest.approx([0.0, 0.25, 0.5, 0.8, 1.0])


def test_rules_vote_where_there_are_no_data_for_patterns() -> None:
    head = with_rules(rule("a", "close > 1"), rule("b", "open > 1", -1))
    whole = given(head, close={3: 3.0})
    alone = HeadInputs(ROWS, {BAR_CLOSE: whole[BAR_CLOSE]})
    output = head.vote(alone)
    assert output.direction.tolist() == [int(row == 3) for row in range(ROWS)]
    assert output.coverage.tolist() == [0.25] * ROWS
    nothing = head.vote(HeadInputs(ROWS, {}))
    assert not nothing.coverage.any()
    assert not nothing.direction.any()


def test_a_rule_that_is_not_known_does_not_fire() -> None:
    head = with_rules(rule("a", "not close > 1"))
    inputs = given(head)
    inputs.columns[BAR_CLOSE][:5] = np.nan
    output = head.vote(inputs)
    assert output.direction.tolist() == [int(row >= 5) for row in range(ROWS)]


def test_rules_need_no_warm_up_of_levels() -> None:
    head = RulesHead(user_rules=(rule("a", "close > 1"),))
    assert head.vote(given(head, close={0: 3.0})).direction[0] == 1


def test_the_head_declares_what_its_rules_read_and_remember() -> None:
    held = rule("a", "held(rsi.rsi(length=14)@bars:4h < 30, 20) and close > mean(open, 50)")
    head, plain = RulesHead(user_rules=(held,)), RulesHead()
    further = {str(one): one for one in head.features().values()}.keys() - {
        str(one) for one in plain.features().values()
    }
    assert further == {"rsi.rsi(length=14)@bars:4h", BAR_CLOSE, BAR_OPEN}
    assert (plain.user_rule_bars, head.user_rule_bars) == (0, 49)
    assert memory_bars(head) == memory_bars(plain) + 49
    assert replace(head, user_rules=()) == plain
    assert hash(head) != hash(plain)


def test_a_window_of_the_newest_bars_is_enough() -> None:
    market = random_market(1500, 8)
    rules = (
        rule("a", "since(crosses_above(close, mean(close, 30))) < 5 and rsi.rsi(length=14) > 50"),
        rule("b", "held(close < highest(high, 40), 10) and change(close, 24) < 0", -1),
    )
    head = RulesHead(user_rules=rules)
    batch = vote_matrix(market, [head])
    assert {-1, 1} <= set(batch.direction[-200:, 0].tolist())
    for stop in range(1300, 1500, 7):
        newest = latest_votes(market.prefix(stop), [head])
        assert newest.direction[-1, 0] == batch.direction[stop - 1, 0], stop
        assert newest.reasons[-1, 0] == batch.reasons[stop - 1, 0], stop


def test_a_later_bar_changes_no_earlier_vote() -> None:
    market = Market(bars=random_bars(1500, 3))
    text = (
        "since(rsi.rsi(length=5) > 60) > 3 and held(close < highest(close, 24), 2) and "
        "previous(close, 7) > lowest(low, 30) and rsi.rsi(length=5)@bars:4h > 45"
    )
    head = RulesHead(user_rules=(rule("a", text), rule("b", f"not ({text})", -1)))
    whole = vote_matrix(market, [head])
    assert {-1, 1} <= set(whole.direction[:, 0].tolist())
    for stop in (1, 50, 333, 700, 701, 702, 703, 1499):
        part = vote_matrix(market.prefix(stop), [head])
        for name in ("direction", "probability", "confidence", "score", "coverage", "reasons"):
            assert np.array_equal(getattr(part, name), getattr(whole, name)[:stop]), (name, stop)


def test_a_feature_that_the_market_lacks_leaves_its_rule_unknown() -> None:
    market = Market(bars=random_bars(600, 3))
    head = RulesHead(user_rules=(rule("a", "not fear_greed.score@fear_greed > 101"),))
    matrix = build_features(market, head.features().values(), indicators=INDICATORS_BY_NAME)
    output = head.vote(head_inputs(head, matrix))
    assert output.coverage.max() <= 0.5
    assert not any("user_rule_long" in reasons_on(RulesHead, output, row) for row in range(600))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"direction": 0}, "direction=0 must be 1 or -1"),
        ({"probability": 0.4}, r"probability=0.4 must be a finite number in \[0.5, 0.95\]"),
        ({"confidence": 0.96}, r"confidence=0.96 must be a finite number in \[0, 0.95\]"),
    ],
)
def test_the_numbers_of_a_rule_have_ranges(changes: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        replace(rule("a", "close > 1"), **changes)
