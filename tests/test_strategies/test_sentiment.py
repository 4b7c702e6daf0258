"""The sentiment head: weighting, abstention, the vote's formulas, availability."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, ConfigError, Market
from indicators import (
    build_features,
    daily_series,
    external_sentiment,
    funding,
    leverage,
    liquidation,
    mood,
    positioning,
    premium,
    taker_flow,
)
from strategies.base import HeadInputs, HeadOutput
from strategies.heads.sentiment import SentimentHead
from strategies.votes import head_inputs
from tests.generators import random_market
from tests.oracles import crypto as oracle

INDICATORS = {
    indicator.name: indicator
    for family in (
        daily_series,
        external_sentiment,
        funding,
        leverage,
        liquidation,
        mood,
        positioning,
        premium,
        taker_flow,
    )
    for indicator in family.INDICATORS
}
SCORES = (
    "long_short", "funding", "funding_volatility", "liquidation", "volume", "mood", "risk",
    "fear_greed",
)  # fmt: skip
WEIGHTS = dict(zip(SCORES, (20, 15, 10, 15, 10, 15, 15, 10), strict=True)) | {"exhaustion": 10}
HEAD = SentimentHead(mood_days=60, mood_minimum_days=20)
"""Windows that fit into the market of these tests."""


def inputs_of(market: Market, head: SentimentHead = HEAD) -> HeadInputs:
    matrix = build_features(market, head.features().values(), indicators=INDICATORS)
    return head_inputs(head, matrix)


def hand_made(**columns: float) -> HeadInputs:
    """One bar; ``long_short`` sets both of its parts and the volume that confirms them."""
    row = dict(columns)
    if "long_short" in row:
        row["long_short_contrarian"] = row["long_short_trend"] = row.pop("long_short")
        row["relative_volume"] = 1.5
    if "risk" in row:
        row["premium_size_rank"] = 100.0 - row.pop("risk")
    return HeadInputs(1, {name: np.array([value]) for name, value in row.items()})


def only(output: HeadOutput) -> tuple[int, float, float, float, float]:
    return (
        int(output.direction[0]),
        float(output.probability[0]),
        float(output.confidence[0]),
        float(output.score[0]),
        float(output.coverage[0]),
    )


@pytest.fixture(scope="module")
def market() -> Market:
    return random_market(24 * 130, 5, gap_share=0.01)


def test_every_component_by_hand():
    head = SentimentHead()
    assert only(head.vote(hand_made(**dict.fromkeys(SCORES, 75.0)))) == (1, 0.7, 1.0, 75.0, 1.0)
    assert only(head.vote(hand_made(**dict.fromkeys(SCORES, 20.0)))) == (
        -1, pytest.approx(0.74), 1.0, 20.0, 1.0,
    )  # fmt: skip
    assert only(head.vote(hand_made(**dict.fromkeys(SCORES, 100.0))))[:3] == (1, 0.9, 1.0)


def test_the_threshold_is_part_of_the_vote():
    head = SentimentHead()
    assert only(head.vote(hand_made(funding=62.5)))[0] == 1
    assert only(head.vote(hand_made(funding=62.4)))[:3] == (0, 0.5, 0.0)
    assert only(head.vote(hand_made(funding=37.5)))[0] == -1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.just(math.nan), st.floats(0, 100)), min_size=8, max_size=8),
    st.sampled_from([-1, 0, 1]),
)
def test_against_the_literal_row(values, event):
    scores = dict(zip(SCORES, values, strict=True))
    output = SentimentHead().vote(hand_made(**scores, exhaustion=float(event)))
    expected = oracle.sentiment_row(scores, WEIGHTS, event)
    u = (expected[3] - 50) / 50
    if abs(abs(u) - 0.25) > 1e-9:
        np.testing.assert_allclose(only(output), expected, atol=1e-9)
    assert not np.isnan(only(output)).any()


def test_what_is_missing_drops_out_and_the_rest_renormalises():
    head = SentimentHead()
    full = hand_made(funding=90.0, volume=60.0, mood=80.0)
    direction, _, _, score, coverage = only(head.vote(full))
    assert score == pytest.approx((15 * 90 + 10 * 60 + 15 * 80) / 40)
    assert coverage == pytest.approx(40 / 110)
    assert direction == 1
    absent = hand_made(funding=90.0, volume=60.0, mood=80.0, fear_greed=math.nan, risk=math.nan)
    assert only(head.vote(absent)) == only(head.vote(full))


def test_no_data_is_no_opinion(market):
    output = SentimentHead().vote(HeadInputs(7, {}))
    for field in dataclasses.fields(HeadOutput):
        np.testing.assert_array_equal(
            getattr(output, field.name), getattr(HeadOutput.absent(7), field.name)
        )
    columns = {name: np.full(7, np.nan) for name in HEAD.features()}
    assert (HEAD.vote(HeadInputs(7, columns)).coverage == 0).all()
    event_alone = SentimentHead().vote(hand_made(exhaustion=1.0))
    assert only(event_alone) == (0, 0.5, 0.0, 50.0, 0.0)


def test_more_longs_are_more_bearish():
    head = SentimentHead()
    votes = [only(head.vote(hand_made(long_short=score))) for score in (80, 60, 50, 40, 20)]
    assert [vote[0] for vote in votes] == [1, 0, 0, 0, -1]
    assert sorted((vote[3] for vote in votes), reverse=True) == [vote[3] for vote in votes]


def test_disagreement_costs_confidence():
    head = SentimentHead()
    agreed = only(head.vote(hand_made(funding=70.0, mood=70.0)))
    split = only(head.vote(hand_made(funding=100.0, mood=40.0)))
    assert agreed[3] == split[3]
    assert agreed[2] > split[2]


def test_mirrored_scores_give_the_mirrored_vote(market):
    inputs = inputs_of(market)
    flipped = {
        name: column if name == "relative_volume"
        else -column if name == "exhaustion"
        else 100.0 - column
        for name, column in inputs.columns.items()
    }  # fmt: skip
    output, mirrored = HEAD.vote(inputs), HEAD.vote(HeadInputs(inputs.rows, flipped))
    np.testing.assert_allclose(output.score + mirrored.score, 100.0, rtol=1e-12)
    np.testing.assert_array_equal(output.direction, -mirrored.direction)
    np.testing.assert_allclose(output.confidence, mirrored.confidence, rtol=1e-9)


def test_a_whole_market_against_the_literal_rows(market):
    inputs = inputs_of(market)
    output = HEAD.vote(inputs)
    for t in range(0, inputs.rows, 13):
        row = {name: float(column[t]) for name, column in inputs.columns.items()}
        contrarian = row["long_short_contrarian"]
        confirmed = 50 + (contrarian - 50) * min(1.0, row["relative_volume"] / 1.5)
        scores = {name: row.get(name, math.nan) for name in SCORES}
        scores["long_short"] = 0.6 * contrarian + 0.25 * row["long_short_trend"] + 0.15 * confirmed
        ranks = [(0.4, row["leverage_rank"]), (0.3, row["premium_size_rank"])]
        known = [(share, 100.0 - rank) for share, rank in ranks if not math.isnan(rank)]
        if known:
            scores["risk"] = sum(s * x for s, x in known) / sum(s for s, _ in known)
        expected = oracle.sentiment_row(scores, WEIGHTS, int(row["exhaustion"]))
        got = (
            output.direction[t], output.probability[t], output.confidence[t],
            output.score[t], output.coverage[t],
        )  # fmt: skip
        np.testing.assert_allclose(got, expected, atol=1e-9, err_msg=f"row {t}")
    assert (output.direction > 0).any()
    assert (output.direction < 0).any()
    assert output.coverage[-1] == 1.0


def test_bars_and_funding_alone_can_vote(market):
    poor = Market(bars=market.bars, series={"funding": market.series["funding"]})
    output = HEAD.vote(inputs_of(poor))
    assert output.coverage.max() == pytest.approx((15 + 10 + 10 + 15) / 110)
    assert (output.direction != 0).any()


def test_a_vote_is_what_a_prefix_of_the_market_gives(market):
    whole = HEAD.vote(inputs_of(market))
    for count in (30, 700, 1500, len(market.bars) - 1):
        part = HEAD.vote(inputs_of(market.prefix(count)))
        for field in dataclasses.fields(HeadOutput):
            np.testing.assert_array_equal(
                getattr(part, field.name), getattr(whole, field.name)[:count], err_msg=field.name
            )


def test_late_data_arrive_late(market):
    series = dict(market.series)
    lag = 5 * HOUR_NS
    series["funding"] = dataclasses.replace(
        series["funding"], available_at=series["funding"].available_at + lag
    )
    early = inputs_of(market)["funding"]
    late = inputs_of(Market(bars=market.bars, series=series))["funding"]
    known = np.isfinite(early[:-5])
    np.testing.assert_array_equal(late[5:][known], early[:-5][known])
    assert not np.array_equal(late[5:], early[5:], equal_nan=True)


def test_reasons_name_the_components_that_lean():
    head = SentimentHead()
    names = [reason.name for reason in head.REASONS]
    output = head.vote(hand_made(funding=80.0, mood=20.0, risk=55.0, exhaustion=-1.0))
    bits = {name for bit, name in enumerate(names) if int(output.reasons[0]) >> bit & 1}
    assert bits == {"funding_bullish", "mood_bearish", "exhausted_rise"}


def test_what_the_user_brings_counts_and_is_no_gap_where_nobody_brings_anything():
    head = SentimentHead()
    without = only(head.vote(hand_made(**dict.fromkeys(SCORES, 60.0))))
    assert without[4] == 1.0
    beside = only(head.vote(hand_made(**dict.fromkeys(SCORES, 60.0), external=100.0)))
    assert beside[3] == pytest.approx((110 * 60 + 10 * 100) / 120)
    gone = only(head.vote(hand_made(**dict.fromkeys(SCORES, 60.0), external=math.nan)))
    assert gone[3] == pytest.approx(60.0)
    assert gone[4] == 1.0


def test_following_the_crowd_is_the_mirror_of_fading_it():
    fading, following = SentimentHead(), SentimentHead(long_short_mode="momentum")
    row = hand_made(long_short=80.0)
    assert only(fading.vote(row))[3] == 80.0
    assert only(following.vote(row))[3] == pytest.approx(20.0)


def test_the_index_of_bars_can_take_the_place_of_the_published_one():
    assert str(HEAD.features()["fear_greed"]).startswith("fear_greed.score")
    bars = dataclasses.replace(HEAD, fear_greed_from="bars")
    assert str(bars.features()["fear_greed"]).startswith("fear_greed_of_bars.score")


@pytest.mark.parametrize("parameter", ["long_short_mode", "fear_greed_from"])
def test_a_word_that_means_nothing_is_refused(parameter: str):
    with pytest.raises(ConfigError, match=f"sentiment head: {parameter}='odd' must be"):
        SentimentHead(**{parameter: "odd"})
