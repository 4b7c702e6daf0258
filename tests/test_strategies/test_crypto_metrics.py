"""The crypto metrics head: counting sides, the vote's formulas, switches, abstention, edges."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ConfigError, Market, Series
from experiments.checks.markets import null_market
from indicators import INDICATORS_BY_NAME, build_features
from strategies.base import HeadInputs, HeadOutput
from strategies.contributions import ScoredHead, contribution_table
from strategies.heads.crypto_metrics import CryptoMetricsHead
from strategies.votes import head_inputs
from tests.generators import random_market
from tests.oracles import crypto as oracle

SWITCHES = [
    field.name
    for field in dataclasses.fields(CryptoMetricsHead)
    if field.type in (bool, "bool") and field.name.startswith("use_")
]
EVERYTHING = CryptoMetricsHead(**dict.fromkeys(SWITCHES, True))
HEAD = CryptoMetricsHead()
NAN = math.nan
SILENT = {
    "premium_band": 3.0, "funding_band": 2.0, "basis_band": 2.0, "crowd_band": 2.0,
    "reserves_band": 3.0, "altcoin_band": 3.0, "rotation_phase": 3.0, "tvl_band": 2.0,
    "elite_band": 2.0, "unlocks_band": 1.0, "listing_band": 1.0, "etf_flow_band": 2.0,
    "etf_premium_band": 2.0,
    "kimchi_band": 1.0, "liquidation_risk": 1.0, "volatility_regime": 3.0, "digits_band": 1.0,
    "cvd_source": 2.0, "divergence_source": 2.0,
}  # fmt: skip
"""What says that data are there, and that nothing unusual is."""


def inputs_of(market: Market, head: CryptoMetricsHead = HEAD) -> HeadInputs:
    matrix = build_features(market, head.features().values(), indicators=INDICATORS_BY_NAME)
    return head_inputs(head, matrix)


def bar(head: CryptoMetricsHead = EVERYTHING, **columns: float) -> HeadInputs:
    """One bar on which everything is known and silent, but for what is given."""
    values = {alias: SILENT.get(alias, 0.0) for alias in head.features()} | columns
    return HeadInputs(1, {name: np.array([value]) for name, value in values.items()})


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
    assert only(HEAD.vote(bar(crowd_band=3.0))) == (-1, 0.73, 0.80, 1.0)
    assert only(HEAD.vote(bar(altcoin_side=1.0))) == (1, 0.73, 0.80, 1.0)


def test_three_and_five_signals():
    three = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0, crowd_band=1.0)))
    c_bar = (0.70 + 0.75 + 0.80) / 3
    assert three == (1, pytest.approx(0.89), pytest.approx(0.80 + 0.20 * (c_bar - 0.75)), 1.0)
    five = only(
        HEAD.vote(
            bar(
                cvd_side=-1.0, taker_side=-1.0, crowd_band=3.0,
                reserves_sharp=-1.0, funding_band=3.0,
            )
        )
    )  # fmt: skip
    c_bar = (0.70 + 0.75 + 0.80 + 0.70 + 0.75) / 5
    assert five == (-1, 0.90, pytest.approx(0.85 + 0.25 * (c_bar - 0.80)), 1.0)


def test_opposing_signals_do_not_raise_the_count():
    alone = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0)))
    opposed = only(HEAD.vote(bar(cvd_side=1.0, taker_side=1.0, crowd_band=3.0)))
    assert alone == opposed
    assert only(HEAD.vote(bar(cvd_side=1.0, crowd_band=3.0)))[:3] == (0, 0.5, 0.0)


def banded(alias: str, bear: float, bull: float, middle: float = 2.0):
    return {-1: {alias: bear}, 0: {alias: middle}, 1: {alias: bull}, None: {alias: 0.0}}


def signalled(alias: str, evidence: str, unknown: float, known: float):
    rows = {side: {alias: float(side), evidence: known} for side in (-1, 0, 1)}
    return {**rows, None: {alias: 0.0, evidence: unknown}}


SPOKEN = {
    "cvd_divergence": (signalled("divergence_regular", "divergence_strength", NAN, 0.0), 0.75),
    "cvd_trend": (signalled("cvd_side", "cvd_trend", NAN, 0.0), 0.70),
    "accounts": (banded("crowd_band", 3.0, 1.0), 0.80),
    "derivatives": (banded("funding_band", 3.0, 1.0), 0.75),
    "taker_flow": (signalled("taker_side", "taker_share", NAN, 0.5), 0.75),
    "altcoin_season": (signalled("altcoin_side", "altcoin_band", 0.0, 3.0), 0.80),
    "liquidation": (signalled("liquidation_exhausted", "liquidation_risk", 0.0, 1.0), 0.75),
    "tvl": (banded("tvl_band", 1.0, 3.0), 0.70),
    "rotation": (signalled("rotation_side", "rotation_phase", 0.0, 3.0), 0.70),
    "top_traders": (banded("elite_band", 1.0, 3.0), 0.70),
    "listing": (signalled("listing_side", "listing_band", 0.0, 2.0), 0.70),
    "etf": (banded("etf_flow_band", 1.0, 3.0), 0.70),
}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([-1, 0, 1, None]), min_size=len(SPOKEN), max_size=len(SPOKEN)))
def test_against_the_literal_row(sides):
    head = dataclasses.replace(EVERYTHING, use_second_venue=False, use_basis=False)
    columns = {"premium_band": 0.0, "etf_premium_band": 0.0}
    # Without data: reserves, unlocks and Korea, whose sides are not mirrored.
    columns |= {"reserves_change": NAN, "unlocks_band": 0.0, "kimchi_band": 0.0}
    signals: list[tuple[int, float] | None] = [None] * 3
    for (rows, confidence), side in zip(SPOKEN.values(), sides, strict=True):
        columns |= rows[side]
        signals.append(None if side is None else (side, confidence))
    output = head.vote(bar(head, **columns))
    np.testing.assert_allclose(only(output), oracle.crypto_row(signals), atol=1e-12)
    known = [signal[0] for signal in signals if signal is not None]
    expected_score = 50 + 50 * sum(known) / len(known) if known else 50
    assert output.score[0] == pytest.approx(expected_score)


@pytest.mark.parametrize(
    ("band", "funding", "basis", "expected"),
    [
        (5, 2, 2, (-1, 0.80)),
        (4, 2, 2, (-1, 0.70)),
        (2, 2, 2, (1, 0.70)),
        (1, 2, 2, (1, 0.80)),
        (4, 3, 2, (-1, (0.70 + 0.75) / 2)),
        (5, 3, 2, (-1, 0.80)),
        (4, 1, 2, (0, 0.0)),
        (3, 1, 2, (1, 0.75)),
        (0, 1, 0, (1, 0.75)),
        (3, 2, 3, (1, 0.70)),
        (4, 3, 3, (-1, (0.70 + 0.75) / 2)),
        (4, 1, 1, (-1, (0.70 + 0.80) / 2)),
        (3, 2, 4, (-1, 0.80)),
    ],
)
def test_derivatives_are_a_majority_with_its_mean_confidence(band, funding, basis, expected):
    output = EVERYTHING.vote(bar(premium_band=band, funding_band=funding, basis_band=basis))
    direction, _, confidence, _ = only(output)
    assert (direction, confidence) == (expected[0], pytest.approx(expected[1]))


@pytest.mark.parametrize(
    ("sharp", "steady", "band", "expected"),
    [
        (1, 0, 3, (1, 0.80)),
        (0, 1, 3, (1, 0.75)),
        (0, 0, 1, (1, 0.80)),
        (0, -1, 1, (-1, 0.70)),
        (-1, 1, 1, (-1, 0.70)),
        (0, 0, 0, (0, 0.0)),
    ],
)
def test_flows_of_reserves_come_before_scarcity(sharp, steady, band, expected):
    output = HEAD.vote(bar(reserves_sharp=sharp, reserves_steady=steady, reserves_band=band))
    assert only(output)[::2] == (expected[0], pytest.approx(expected[1]))


@pytest.mark.parametrize(
    ("band", "first", "second", "expected"),
    [
        (3, 1.5, 1.2, (-1, 0.85)),
        (3, 1.5, 0.5, (-1, 0.80)),
        (3, 0.5, 1.5, (-1, 0.80)),
        (2, 2.5, 1.6, (-1, 0.85)),
        (2, 2.5, 1.4, (0, 0.0)),
        (2, -3.0, -1.5, (1, 0.85)),
        (2, -5.0, 0.5, (1, 0.80)),
        (0, NAN, -9.0, (0, 0.0)),
        (1, -9.0, NAN, (1, 0.80)),
    ],
)
def test_two_venues_are_averaged_as_scores(band, first, second, expected):
    found = EVERYTHING.analysers()[2].opinion(
        bar(crowd_band=band, crowd_z=first, crowd_z_second=second)
    )
    assert found.side[0] == expected[0]
    if expected[0]:
        assert found.confidence[0] == expected[1]
    assert found.known[0] == (band > 0 or not math.isnan(first + second))


@pytest.mark.parametrize(
    ("alert", "risk", "exhausted", "expected"),
    [
        (-1, 4, 0, (-1, 0.70)),
        (-1, 3, 0, (0, 0.0)),
        (-1, 5, 1, (1, 0.75)),
        (1, 1, -1, (-1, 0.75)),
        (-1, 0, 1, (0, 0.0)),
    ],
)
def test_a_cleared_zone_turns_what_a_near_zone_pulls(alert, risk, exhausted, expected):
    output = EVERYTHING.vote(
        bar(liquidation_alert=alert, liquidation_risk=risk, liquidation_exhausted=exhausted)
    )
    assert only(output)[::2] == expected


def test_a_turn_is_silent_while_the_map_is_not_known():
    analyser = EVERYTHING.analysers()[7]
    columns = {
        "liquidation_alert": np.zeros(4),
        "liquidation_exhausted": np.array([0.0, 1.0, 0.0, 0.0]),
        "liquidation_risk": np.array([1.0, 1.0, 0.0, 2.0]),
    }
    found = analyser.opinion(HeadInputs(4, columns))
    np.testing.assert_array_equal(found.side, [0, 1, 0, 1])
    np.testing.assert_array_equal(found.known, [True, True, False, True])


def test_a_divergence_supports_its_own_side_for_ten_bars():
    rows = 30
    columns = {name: np.zeros(rows) for name in HEAD.features()}
    columns["divergence_source"][:] = 1.0
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


@pytest.mark.parametrize("head", [HEAD, EVERYTHING], ids=["defaults", "everything"])
def test_no_data_is_no_opinion(head):
    for inputs in (
        HeadInputs(5, {}),
        HeadInputs(5, {name: np.full(5, NAN) for name in head.features()}),
    ):
        output = head.vote(inputs)
        for field in dataclasses.fields(HeadOutput):
            np.testing.assert_array_equal(
                getattr(output, field.name), getattr(HeadOutput.absent(5), field.name)
            )


def test_what_is_off_asks_for_nothing_and_says_nothing():
    silent = {"tvl_band", "liquidation_risk", "rotation_side", "elite_band", "kimchi_band"}
    assert not silent & set(HEAD.features())
    assert silent < set(EVERYTHING.features())
    loud = bar(tvl_band=3.0, elite_band=3.0, rotation_side=1.0, listing_side=1.0, etf_flow_band=3.0)
    assert only(HEAD.vote(loud))[0] == 0
    assert only(EVERYTHING.vote(loud))[:2] == (1, 0.90)
    assert len(HEAD.analysers()) == 7
    assert len(EVERYTHING.analysers()) == 15
    aliases = [alias for one in EVERYTHING.analysers() for alias in one.features()]
    assert len(aliases) == len(set(aliases)), "two analysers share an alias"


def test_the_table_of_contributions_adds_up_to_the_score():
    market = null_market(3_000, 17)
    for head in (HEAD, EVERYTHING):
        assert isinstance(head, ScoredHead)
        inputs = inputs_of(market, head)
        table = contribution_table(head.contributions(inputs))
        output = head.vote(inputs)
        present = output.coverage > 0
        np.testing.assert_array_equal(table.total[present], output.score[present])
        np.testing.assert_allclose(table.impact.sum(axis=1)[present], output.score[present])
        assert table.names == tuple(one.name for one in head.analysers())
        coverage = (~np.isnan(table.score)).mean(axis=1)
        np.testing.assert_allclose(coverage, output.coverage)


def test_extreme_volatility_lowers_the_confidence_only():
    calm, wild = (EVERYTHING.vote(bar(cvd_side=1.0, volatility_regime=code)) for code in (3.0, 5.0))
    assert only(wild)[:2] == only(calm)[:2]
    assert only(wild)[2] == pytest.approx(only(calm)[2] - 0.05)
    assert only(EVERYTHING.vote(bar(volatility_regime=5.0)))[:3] == (0, 0.5, 0.0)


def test_suspect_volumes_silence_what_is_read_from_them():
    columns = {"cvd_side": 1.0, "taker_side": 1.0, "divergence_regular": 1.0, "crowd_band": 3.0}
    assert only(EVERYTHING.vote(bar(**columns)))[0] == 1
    suspect = EVERYTHING.vote(bar(**columns, digits_band=2.0))
    assert only(suspect)[0] == -1
    assert only(suspect)[3] == pytest.approx(12 / 15)


def test_mirrored_sides_give_the_mirrored_vote(market):
    inputs = inputs_of(market)
    flipped = dict(inputs.columns)
    for name in ("divergence_regular", "divergence_hidden", "cvd_side", "taker_side"):
        flipped[name] = -flipped[name]
    for name, sum_of_codes in (("crowd_band", 4.0), ("funding_band", 4.0), ("premium_band", 6.0)):
        known = flipped[name] > 0
        flipped[name] = np.where(known, sum_of_codes - flipped[name], 0.0)
    for name in ("reserves_sharp", "reserves_steady"):
        flipped[name] = -flipped[name]
    output, mirrored = HEAD.vote(inputs), HEAD.vote(HeadInputs(inputs.rows, flipped))
    np.testing.assert_array_equal(output.direction, -mirrored.direction)
    np.testing.assert_array_equal(output.probability, mirrored.probability)


def test_bars_and_funding_alone_can_vote(market):
    poor = Market(bars=market.bars, series={"funding": market.series["funding"]})
    output = HEAD.vote(inputs_of(poor))
    assert output.coverage.max() == pytest.approx(4 / 7)
    assert (output.direction > 0).any()
    assert (output.direction < 0).any()


def without(market: Market, name: str, column: str) -> Market:
    series = market.series[name]
    columns = {label: values for label, values in series.columns.items() if label != column}
    return dataclasses.replace(
        market, series={**market.series, name: dataclasses.replace(series, columns=columns)}
    )


def test_a_symbol_without_open_interest_has_no_liquidation_map():
    market = null_market(1_000, 3)
    whole = EVERYTHING.vote(inputs_of(market, EVERYTHING))
    poor = EVERYTHING.vote(inputs_of(without(market, "metrics", "sum_open_interest"), EVERYTHING))
    assert poor.coverage[-1] == pytest.approx(whole.coverage[-1] - 1 / 15)
    assert poor.coverage[-1] > 0


def test_one_bar_and_a_coin_that_is_in_no_universe_have_an_answer():
    market = null_market(1_000, 3)
    single = EVERYTHING.vote(inputs_of(market.prefix(1), EVERYTHING))
    assert len(single.direction) == 1
    alone = dataclasses.replace(market, panels={})
    output = HEAD.vote(inputs_of(alone))
    assert "altcoin_band" not in inputs_of(alone).columns
    assert output.coverage.max() == pytest.approx(6 / 7)


def test_a_day_without_volume_is_nobody_aggressive():
    market = null_market(1_500, 5)
    still = slice(1_200, 1_224)
    bars = market.bars
    changed = {}
    for name in ("volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote"):
        values = getattr(bars, name).copy()
        values[still] = 0.0
        changed[name] = values
    quiet = dataclasses.replace(market, bars=dataclasses.replace(bars, **changed))
    inputs = inputs_of(quiet, EVERYTHING)
    for name, column in inputs.columns.items():
        assert not np.isinf(column).any(), name
    assert (inputs["taker_side"][still] == 0).all()
    output = EVERYTHING.vote(inputs)
    assert np.isfinite(output.score).all()


def test_a_funding_interval_that_changes_moves_no_band():
    """The same rate for eight hours, paid every eight hours, then every four, then every hour."""
    market = null_market(1_500, 9)
    funding = market.series["funding"]
    hours = np.repeat([8.0, 4.0, 1.0], len(funding.event_time) // 3 + 1)[: len(funding.event_time)]
    f8 = np.full(len(hours), 6e-4)
    columns = {"rate": f8 * hours / 8.0, "interval_hours": hours}
    series: dict[str, Series] = {
        **market.series, "funding": dataclasses.replace(funding, columns=columns)
    }  # fmt: skip
    inputs = inputs_of(dataclasses.replace(market, series=series))
    assert (inputs["funding_band"] == 3.0).all()


def test_a_vote_is_what_a_prefix_of_the_market_gives(market):
    whole = HEAD.vote(inputs_of(market))
    for count in (10, 130, 900, len(market.bars) - 1):
        part = HEAD.vote(inputs_of(market.prefix(count)))
        for field in dataclasses.fields(HeadOutput):
            np.testing.assert_array_equal(
                getattr(part, field.name), getattr(whole, field.name)[:count], err_msg=field.name
            )


def test_reasons_are_the_analysers_and_their_sides(market):
    names = [reason.name for reason in HEAD.REASONS]
    output = HEAD.vote(bar(crowd_band=3.0, reserves_band=1.0, tvl_band=3.0))
    bits = {name for position, name in enumerate(names) if int(output.reasons[0]) >> position & 1}
    assert bits == {"accounts_bearish", "reserves_bullish", "cvd_of_takers"}
    sources = ("cvd_of_trades", "cvd_of_takers", "cvd_estimated")
    for reason in HEAD.REASONS[: -len(sources)]:
        assert reason.name.endswith("_bullish" if reason.direction > 0 else "_bearish")
    bearish = [name.removesuffix("_bearish") for name in names if name.endswith("_bearish")]
    assert bearish == [one.name for one in EVERYTHING.analysers()]
    assert names[-len(sources) :] == list(sources)
    assert len(names) == 2 * len(bearish) - 2 + len(sources), "unlocks and Korea only ever warn"
    whole = HEAD.vote(inputs_of(market))
    seen = int(np.bitwise_or.reduce(whole.reasons))
    fired = {name for position, name in enumerate(names) if seen >> position & 1}
    spoken = {
        f"{one.name}_{word}" for one in HEAD.analysers()[:5] for word in ("bullish", "bearish")
    }
    assert fired >= spoken


def test_an_estimated_cvd_speaks_only_where_it_is_asked_for():
    estimated = {"cvd_source": 3.0, "divergence_source": 3.0, "cvd_side": 1.0}
    estimated |= {"divergence_regular": 1.0, "divergence_strength": 1.0}
    silent = HEAD.vote(bar(HEAD, **estimated))
    assert only(silent) == (0, 0.5, 0.0, pytest.approx(5 / 7))
    head = dataclasses.replace(HEAD, cvd_estimated=True)
    spoken = head.vote(bar(head, **estimated))
    assert only(spoken)[0] == 1
    assert only(spoken)[3] == 1.0
    bit = [reason.name for reason in HEAD.REASONS].index("cvd_estimated")
    assert int(spoken.reasons[0]) >> bit & 1
    assert not int(silent.reasons[0]) >> bit & 1


@pytest.mark.parametrize(
    "wrong",
    [{"event_bars": 0}, {"taker_strong": 1.5}, {"tvl_confidence": -0.1}, {"funding_extreme": -1.0}],
)
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        CryptoMetricsHead(**wrong)
