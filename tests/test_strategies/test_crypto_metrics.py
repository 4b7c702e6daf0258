"""The crypto metrics head: counting sides, the vote's formulas, abstention, availability."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Market
from indicators import (
    build_features,
    daily_series,
    divergence,
    funding,
    positioning,
    premium,
    taker_flow,
)
from strategies.base import HeadInputs, HeadOutput
from strategies.heads.crypto_metrics import CryptoMetricsHead
from strategies.votes import head_inputs
from tests.generators import random_market
from tests.oracles import crypto as oracle

INDICATORS = {
    indicator.name: indicator
    for family in (daily_series, divergence, funding, positioning, premium, taker_flow)
    for indicator in family.INDICATORS
}
HEAD = CryptoMetricsHead()
NAN = math.nan


def inputs_of(market: Market, head: CryptoMetricsHead = HEAD) -> HeadInputs:
    matrix = build_features(market, head.features().values(), indicators=INDICATORS)
    return head_inputs(head, matrix)


def bar(**columns: float) -> HeadInputs:
    """One bar on which everything is known and silent, but for what is given."""
    silent = dict.fromkeys(CryptoMetricsHead(use_tvl=True).features(), 0.0)
    silent["premium_band"] = 3.0
    return HeadInputs(1, {name: np.array([value]) for name, value in (silent | columns).items()})


def only(output: HeadOutput) -> tuple[int, float, float, float]:
    return (
        int(output.direction[0]),
        float(output.probability[0]),
        float(output.confidence[0]),
        float(output.coverage[0]),
    )


@pytest.fixture(scope="module")
def market() -> Market:
    return random_market(24 * 100, 6, gap_share=0.01)


def test_one_signal():
    assert only(HEAD.vote(bar(cvd_side=1.0))) == (1, 0.73, 0.70, 1.0)
    assert only(HEAD.vote(bar(taker_side=-1.0))) == (-1, 0.73, 0.75, 1.0)
    assert only(HEAD.vote(bar(crowd_side=-1.0))) == (-1, 0.73, 0.80, 1.0)


def test_three_and_five_signals():
    three = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0, crowd_side=1.0)))
    c_bar = (0.70 + 0.75 + 0.85) / 3
    assert three == (1, pytest.approx(0.89), pytest.approx(0.80 + 0.20 * (c_bar - 0.75)), 1.0)
    five = only(
        HEAD.vote(
            bar(
                cvd_side=-1.0, taker_side=-1.0, crowd_side=-1.0,
                reserves_sharp=-1.0, funding_side=-1.0,
            )
        )
    )  # fmt: skip
    c_bar = (0.70 + 0.75 + 0.85 + 0.70 + 0.75) / 5
    assert five == (-1, 0.90, pytest.approx(0.85 + 0.25 * (c_bar - 0.80)), 1.0)


def test_opposing_signals_do_not_raise_the_count():
    alone = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0)))
    opposed = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0, crowd_side=-1.0)))
    assert alone == opposed
    assert only(HEAD.vote(bar(cvd_side=1.0, crowd_side=-1.0)))[:3] == (0, 0.5, 0.0)


SIGNALS = {
    "cvd_divergence": ("divergence_regular", "divergence_strength", 0.75),
    "cvd_trend": ("cvd_side", "cvd_trend", 0.70),
    "accounts": ("crowd_side", "crowd_rank", 0.85),
    "derivatives": ("funding_side", "funding_excess", 0.75),
    "taker_flow": ("taker_side", "taker_share", 0.75),
    "reserves": ("reserves_steady", "reserves_change", None),
    "tvl": ("tvl_side", "tvl_growth", 0.70),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1, None]), min_size=7, max_size=7))
def test_against_the_literal_row(sides):
    columns: dict[str, float] = {}
    signals: list[tuple[int, float] | None] = []
    for (name, evidence, confidence), side in zip(SIGNALS.values(), sides, strict=True):
        columns[name] = 0.0 if side is None else float(side)
        columns[evidence] = NAN if side is None else 0.0
        if name == "reserves_steady":
            confidence = 0.75 if side == 1 else 0.70
        signals.append(None if side is None else (side, confidence))
    columns["premium_band"] = 0.0
    output = CryptoMetricsHead(use_tvl=True).vote(bar(**columns))
    np.testing.assert_allclose(only(output), oracle.crypto_row(signals), atol=1e-12)
    known = [signal[0] for signal in signals if signal is not None]
    expected_score = 50 + 50 * sum(known) / len(known) if known else 50
    assert output.score[0] == pytest.approx(expected_score)


@pytest.mark.parametrize(
    ("band", "side", "funding", "expected"),
    [
        (5, -1, 0, (-1, 0.80)),
        (4, -1, 0, (-1, 0.70)),
        (2, 1, 0, (1, 0.70)),
        (4, -1, -1, (-1, (0.70 + 0.75) / 2)),
        (5, -1, -1, (-1, 0.80)),
        (4, -1, 1, (0, 0.0)),
        (3, 0, 1, (1, 0.75)),
        (0, 0, 1, (1, 0.75)),
    ],
)
def test_derivatives_are_a_majority_with_its_mean_confidence(band, side, funding, expected):
    output = HEAD.vote(bar(premium_band=band, premium_side=side, funding_side=funding))
    direction, _, confidence, _ = only(output)
    assert (direction, confidence) == (expected[0], pytest.approx(expected[1]))


@pytest.mark.parametrize(
    ("sharp", "steady", "scarce", "expected"),
    [
        (1, 0, 0, (1, 0.80)),
        (0, 1, 0, (1, 0.75)),
        (0, 0, 1, (1, 0.80)),
        (0, -1, 1, (-1, 0.70)),
        (-1, 1, 1, (-1, 0.70)),
    ],
)
def test_flows_of_reserves_come_before_scarcity(sharp, steady, scarce, expected):
    output = HEAD.vote(bar(reserves_sharp=sharp, reserves_steady=steady, reserves_scarce=scarce))
    assert only(output)[::2] == (expected[0], pytest.approx(expected[1]))


def test_a_divergence_supports_its_own_side_for_ten_bars():
    rows = 30
    columns = {name: np.zeros(rows) for name in HEAD.features()}
    columns["divergence_regular"][3] = -1.0
    columns["divergence_hidden"][8] = 1.0
    columns["divergence_strength"][3] = 0.2
    columns["divergence_strength"][8] = 1.0
    output = HEAD.vote(HeadInputs(rows, columns))
    events = columns["divergence_regular"] + columns["divergence_hidden"]
    np.testing.assert_array_equal(output.direction, oracle.newest_within(list(events), 10))
    assert output.confidence[3] == pytest.approx(0.75 + 0.15 * 0.2)
    assert output.confidence[7] == pytest.approx(0.75 + 0.15 * 0.2)
    assert output.confidence[8] == pytest.approx(0.80)
    assert (output.direction[18:] == 0).all()


def test_no_data_is_no_opinion():
    for inputs in (
        HeadInputs(5, {}),
        HeadInputs(5, {name: np.full(5, NAN) for name in HEAD.features()}),
    ):
        output = HEAD.vote(inputs)
        for field in dataclasses.fields(HeadOutput):
            np.testing.assert_array_equal(
                getattr(output, field.name), getattr(HeadOutput.absent(5), field.name)
            )


def test_locked_value_is_off_by_default():
    assert "tvl_side" not in HEAD.features()
    rows = bar(tvl_side=1.0, tvl_growth=1.0)
    assert only(CryptoMetricsHead(use_tvl=True).vote(rows))[0] == 1


def test_mirrored_sides_give_the_mirrored_vote(market):
    inputs = inputs_of(market)
    flipped = dict(inputs.columns)
    for name in ("divergence_regular", "divergence_hidden", "cvd_side", "crowd_side"):
        flipped[name] = -flipped[name]
    for name in ("funding_side", "premium_side", "taker_side"):
        flipped[name] = -flipped[name]
    for name in ("reserves_sharp", "reserves_steady", "reserves_scarce"):
        flipped[name] = -flipped[name]
    output, mirrored = HEAD.vote(inputs), HEAD.vote(HeadInputs(inputs.rows, flipped))
    np.testing.assert_array_equal(output.direction, -mirrored.direction)
    np.testing.assert_array_equal(output.probability, mirrored.probability)


def test_bars_and_funding_alone_can_vote(market):
    poor = Market(bars=market.bars, series={"funding": market.series["funding"]})
    output = HEAD.vote(inputs_of(poor))
    assert output.coverage.max() == pytest.approx(4 / 6)
    assert (output.direction > 0).any()
    assert (output.direction < 0).any()


def test_a_vote_is_what_a_prefix_of_the_market_gives(market):
    whole = HEAD.vote(inputs_of(market))
    for count in (10, 130, 900, len(market.bars) - 1):
        part = HEAD.vote(inputs_of(market.prefix(count)))
        for field in dataclasses.fields(HeadOutput):
            np.testing.assert_array_equal(
                getattr(part, field.name), getattr(whole, field.name)[:count], err_msg=field.name
            )


def test_reasons_are_the_analyzers_and_their_sides(market):
    names = [reason.name for reason in HEAD.REASONS]
    output = HEAD.vote(bar(crowd_side=-1.0, reserves_scarce=1.0, tvl_side=0.0))
    bits = {name for position, name in enumerate(names) if int(output.reasons[0]) >> position & 1}
    assert bits == {"accounts_crowded_long", "reserves_bullish"}
    for bull, bear in zip(HEAD.REASONS[::2], HEAD.REASONS[1::2], strict=True):
        assert (bull.direction, bear.direction) == (1, -1)
    whole = HEAD.vote(inputs_of(market))
    seen = int(np.bitwise_or.reduce(whole.reasons))
    fired = {name for position, name in enumerate(names) if seen >> position & 1}
    assert fired >= set(names) - {"tvl_bullish", "tvl_bearish", "reserves_bearish"}
