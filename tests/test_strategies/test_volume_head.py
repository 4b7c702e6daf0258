"""The volume head against a literal computation, and its properties on random bars."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Bars, ConfigError, Market
from experiments.checks import Suite
from experiments.checks.conformance import check_head_conformance
from experiments.checks.disturbed import without_flows
from experiments.checks.fine_bars import null_fine_bars
from experiments.checks.inputs import check_head_aliases
from experiments.checks.markets import null_market
from experiments.checks.prefix import check_subject_prefix
from experiments.checks.timeframe import check_timeframe_rebuild
from indicators import INDICATORS_BY_NAME as BY_NAME
from indicators import build_features
from strategies import HeadInputs, HeadOutput, ScoredHead, contribution_table
from strategies.heads.volume import VolumeHead
from tests.generators import random_bars
from tests.test_strategies.head_answers import assert_row_is, mirrored_bars

HEAD = VolumeHead()
PRISM = VolumeHead(preset="prism")
HEADS = {head.preset: head for head in (HEAD, PRISM)}
SPREADS = {
    "delta": (0.5, 0.05), "taker": (0.5, 0.1),
    "obv": (0.0, 1.0), "vwap": (0.0, 1.5), "vwap_24h": (0.0, 1.5), "vwap_7d": (0.0, 1.5),
    "rvol": (50.0, 8.0), "cmf": (0.0, 0.15), "cmf_score": (50.0, 8.0), "adl": (0.0, 1.0),
    "force": (0.0, 0.5), "emv": (0.0, 0.5), "profile": (50.0, 8.0), "adx": (25.0, 5.0),
    "profile_position": (0.0, 0.7), "divergence": (0.0, 0.7), "divergence_4h": (0.0, 0.7),
    "divergence_1d": (0.0, 0.7), "cvd_strength": (0.5, 0.1),
}  # fmt: skip
EVENTS = {
    "spike": 0.2, "seasonal_spike": 0.1, "cvd_divergence": 0.03, "cvd_hidden": 0.02,
    "node_cross": 0.05,
}  # fmt: skip
STATES = {"seasonal_tier": 3, "in_value_area": 1}
SOURCES = ("delta_source", "taker_source", "cvd_source")
PROFILE = ("profile", "profile_position", "in_value_area", "node_cross")


def made_up_inputs(rows: int, seed: int, missing: float) -> HeadInputs:
    generator = np.random.default_rng(seed)
    lean = generator.standard_normal(rows)
    columns = {}
    for alias, (centre, spread) in SPREADS.items():
        column = centre + spread * (generator.standard_normal(rows) + 0.6 * lean)
        column[generator.random(rows) < missing] = np.nan
        columns[alias] = column
    for alias, rate in EVENTS.items():
        fired = generator.random(rows) < rate
        columns[alias] = np.where(fired, np.where(generator.random(rows) < 0.5, 1.0, -1.0), 0.0)
    for alias, highest in STATES.items():
        columns[alias] = generator.integers(0, highest + 1, rows).astype(np.float64)
    for alias in SOURCES:
        columns[alias] = generator.integers(1, 4, rows).astype(np.float64)
    return HeadInputs(rows, columns)


def soft(value: float, scale: float) -> float:
    return 0.5 + 0.5 * math.tanh(value / scale)


def horizons(values: list[float]) -> float:
    """Mean of the known of three by .40, .35 and .25."""
    known = [(w, v) for w, v in zip((0.40, 0.35, 0.25), values, strict=True) if not math.isnan(v)]
    weight = math.fsum(w for w, _ in known)
    return math.fsum(w * v for w, v in known) / weight if known else math.nan


def beside_vwap(deviation: float) -> float:
    x = deviation if math.isnan(deviation) else min(1.0, max(-1.0, deviation / 2.0))
    return 0.5 + 0.25 * math.tanh(3.0 * x) * (1.0 - abs(x))


def newest(rows: list[dict[str, float]], t: int, *aliases: str) -> tuple[int, float]:
    """Row and sum of the newest event of the last ten rows; events of both sides are none."""
    for row in range(t, max(-1, t - 10), -1):
        if side := sum(rows[row][alias] for alias in aliases):
            return row, side
    return t, 0.0


def share_of_buying(row: dict[str, float]) -> tuple[float, bool]:
    return row["delta"], row["delta_source"] == 3


def alpha_pulse(rows: list[dict[str, float]], t: int) -> dict[str, tuple[float, float]]:
    row = rows[t]
    share, estimated = share_of_buying(row)
    return {
        "delta": (0.20, soft(2.0 * share - 1.0, 0.30 if estimated else 0.10)),
        "obv": (0.15, soft(row["obv"], 2.0)),
        "vwap": (
            0.15, horizons([beside_vwap(row[a]) for a in ("vwap_7d", "vwap_24h", "vwap")]),
        ),
        "volume_profile": (0.12, row["profile"] / 100.0),
        "cmf": (0.10, soft(row["cmf"], 0.15)),
        "adl": (0.10, soft(row["adl"], 1.0)),
        "force": (0.08, soft(row["force"], 0.5)),
        "emv": (0.05, soft(row["emv"], 0.5)),
        "taker": (
            0.05, soft(2.0 * (math.nan if row["taker_source"] == 3 else row["taker"]) - 1.0, 0.2),
        ),
    }  # fmt: skip


def prism(rows: list[dict[str, float]], t: int) -> dict[str, tuple[float, float]]:
    row = rows[t]
    share, _ = share_of_buying(row)
    factor = row["adx"] if math.isnan(row["adx"]) else min(1.0, row["adx"] / 25.0)
    at, event = newest(rows, t, "cvd_divergence", "cvd_hidden")
    size = rows[at]["cvd_strength"]
    cvd = math.copysign(size, event) if event and not math.isnan(size) else 0.0
    net = [row["divergence_1d"], row["divergence_4h"], row["divergence"] + cvd]
    clipped = 0.5 + factor * (2.0 * share - 1.0)
    return {
        "delta": (0.20, clipped if math.isnan(clipped) else min(1.0, max(0.0, clipped))),
        "adl": (0.15, soft(row["adl"], 1.0)),
        "cmf": (0.15, row["cmf_score"] / 100.0),
        "rvol": (0.20, row["rvol"] / 100.0),
        "obv": (0.15, soft(row["obv"], 2.0)),
        "divergence": (0.15, 0.5 + factor * (horizons([soft(one, 2.0) for one in net]) - 0.5)),
    }


LITERAL = {"alpha_pulse": alpha_pulse, "prism": prism}


def literal_vote(
    preset: str, rows: list[dict[str, float]], t: int
) -> tuple[int, float, float, float, float]:
    parts = [one for one in LITERAL[preset](rows, t).values() if not math.isnan(one[1])]
    weight = math.fsum(part[0] for part in parts)
    share, estimated = share_of_buying(rows[t])
    coverage = max(0.0, weight - (0.10 if estimated and not math.isnan(share) else 0.0))
    if not parts:
        return 0, 0.5, 0.0, 50.0, 0.0
    s = math.fsum(part[0] * part[1] for part in parts) / weight
    direction = 1 if s >= 0.55 else -1 if s <= 0.45 else 0
    if coverage < 0.60 or math.isnan(rows[t]["obv"]):
        direction = 0
    if direction == 0:
        return 0, 0.5, 0.0, 100.0 * s, coverage
    agreeing = sum((signal - 0.5) * direction > 0 for _, signal in parts)
    c = 0.5 + 0.25 * (2.0 * agreeing / len(parts) - 1.0) + 0.25 * min(1.0, 4.0 * abs(s - 0.5))
    c += 0.15 if newest(rows, t, "cvd_divergence")[1] == direction else 0.0
    return direction, s if direction > 0 else 1.0 - s, min(0.95, c), 100.0 * s, coverage


@pytest.mark.parametrize("preset", HEADS)
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("source", [None, 1.0, 3.0])
def test_votes_equal_a_literal_computation(
    preset: str, source: float | None, missing: float
) -> None:
    inputs = made_up_inputs(600, 8, missing)
    if source is not None:
        one = dict.fromkeys(SOURCES, np.full(600, source))
        inputs = HeadInputs(600, {**inputs.columns, **one})
    output = HEADS[preset].vote(inputs)
    rows = [{alias: float(x[t]) for alias, x in inputs.columns.items()} for t in range(600)]
    for t in range(600):
        assert_row_is(output, t, literal_vote(preset, rows, t))
    assert {-1, 0, 1} == set(output.direction)


def test_reasons_say_what_the_columns_say() -> None:
    inputs = made_up_inputs(600, 9, 0.0)
    output = HEAD.vote(inputs)
    bits = {reason.name: bit for bit, reason in enumerate(HEAD.REASONS)}
    rows = [{alias: float(x[t]) for alias, x in inputs.columns.items()} for t in range(600)]
    seen = set()
    for t, row in enumerate(rows):
        recent = [rows[i]["cvd_divergence"] for i in range(max(0, t - 9), t + 1)]
        last = next((event for event in reversed(recent) if event), 0.0)
        expected = {"extreme_spike"} if row["seasonal_tier"] == 3 else set()
        words = ("of_trades", "of_takers", "estimated")
        expected |= {f"{one}_{words[int(row[f'{one}_source']) - 1]}" for one in ("delta", "cvd")}
        for suffix, side in (("up", 1.0), ("down", -1.0)):
            holds = {
                "delta": side * (2.0 * row["delta"] - 1.0)
                >= (0.15 if row["delta_source"] == 3 else 0.05),
                "money_flow": side * row["cmf"] >= 0.05 and side * row["adl"] > 0,
                "obv": side * row["obv"] >= 1.0,
                "force": side * row["force"] >= 0.25,
                "vwap": side * row["vwap"] >= 1.0,
                "value_area": row["in_value_area"] == 0 and side * row["profile_position"] > 0,
                "low_volume_node": row["node_cross"] == side,
                "divergence": side * row["divergence"] > 1.0,
                "spike": row["spike"] == side,
                "seasonal_spike": row["seasonal_spike"] == side,
                "cvd_divergence": last == side,
            }
            expected |= {f"{name}_{suffix}" for name, held in holds.items() if held}
        found = {name for name, bit in bits.items() if int(output.reasons[t]) >> bit & 1}
        assert found == expected
        seen |= found
    assert seen == set(bits) - {"low_coverage"}


def inputs_of(bars: Bars, head: VolumeHead = HEAD) -> HeadInputs:
    wanted = head.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=BY_NAME)
    found = {alias: matrix.get(one) for alias, one in wanted.items()}
    return HeadInputs(len(bars), {alias: x for alias, x in found.items() if x is not None})


def voted(bars: Bars, head: VolumeHead = HEAD) -> HeadOutput:
    return head.vote(inputs_of(bars, head))


@pytest.mark.parametrize("preset", HEADS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_score_is_the_total_of_the_contributions(preset: str, missing: float) -> None:
    head = HEADS[preset]
    assert isinstance(head, ScoredHead)
    inputs = made_up_inputs(600, 12, missing)
    table = contribution_table(head.contributions(inputs))
    np.testing.assert_array_equal(head.vote(inputs).score, table.total)
    names = dict(zip(table.names, table.share.T, strict=True))
    literal = LITERAL[preset]([{a: float(x[0]) for a, x in inputs.columns.items()}], 0)
    known = math.fsum(w for w, signal in literal.values() if not math.isnan(signal))
    assert list(names) == list(literal)
    for name, (weight, signal) in literal.items():
        expected = 0.0 if math.isnan(signal) else weight / known
        assert names[name][0] == pytest.approx(expected, abs=1e-12)


def test_longer_bars_that_are_not_longer_drop_out() -> None:
    hourly, daily = random_bars(500, 26), random_bars(600, 26, timeframe="1d")
    assert {"divergence_4h", "divergence_1d"} <= set(inputs_of(hourly, PRISM).columns)
    assert not {"divergence_4h", "divergence_1d"} & set(inputs_of(daily, PRISM).columns)
    output = voted(daily, PRISM)
    assert (output.direction[200:] != 0).any()
    assert output.coverage[200:] == pytest.approx(np.ones(400))


@pytest.mark.parametrize("preset", HEADS)
def test_each_preset_reads_all_it_asks_for_and_nothing_later(preset: str) -> None:
    """The default preset is checked with the other heads; this holds both to the same rules."""
    head, market = HEADS[preset], null_market(3000, 501)
    suite = Suite(heads=(head,))
    others = (null_market(3000, seed) for seed in range(502, 520))
    flowless = Market(bars=without_flows(market.bars), series=market.series)
    rows = [
        *check_head_conformance(suite.heads, suite.by_name, market),
        *check_head_aliases(suite.heads, suite.by_name, (market, flowless, *others)),
        *check_subject_prefix(
            suite.vote_rows,
            market,
            event_cuts=30,
            other_cuts=30,
            may_be_silent=[f"volume:{reason.name}" for reason in head.REASONS],
            lacking="warning",
        ),
        *check_timeframe_rebuild(
            suite.vote_rows, null_fine_bars(2400, 501, steps_per_hour=12), {}, "1h", count=20
        ),
    ]
    assert [row for row in rows if not row.passed and row.severity == "error"] == []


def set_bits(output: HeadOutput, name: str) -> np.ndarray:
    bit = next(bit for bit, reason in enumerate(HEAD.REASONS) if reason.name == name)
    return (output.reasons >> np.uint64(bit) & np.uint64(1)).astype(bool)


def test_without_taker_columns_it_votes_on_the_close_location_and_says_so() -> None:
    output = voted(random_bars(600, 21, with_flows=False))
    assert (output.direction != 0).any()
    assert set_bits(output, "delta_estimated")[99:].all()
    assert set_bits(output, "cvd_estimated").all()
    assert output.coverage[99:] == pytest.approx(np.full(501, 1.0 - 0.5 * 0.20 - 0.05))
    full = voted(random_bars(600, 21))
    assert set_bits(full, "delta_of_takers")[99:].all()
    assert not set_bits(full, "delta_estimated").any()
    assert full.coverage[99:] == pytest.approx(np.ones(501))


def test_a_divergence_helps_only_the_side_it_supports() -> None:
    inputs = made_up_inputs(300, 10, 0.0)
    answers = {}
    for side in (-1.0, 0.0, 1.0):
        event = np.full(300, side)
        answers[side] = HEAD.vote(HeadInputs(300, {**inputs.columns, "cvd_divergence": event}))
    plain = answers[0.0]
    for side in (-1.0, 1.0):
        supported = plain.direction == side
        gain = answers[side].confidence - plain.confidence
        expected = np.minimum(0.95, plain.confidence + 0.15) - plain.confidence
        np.testing.assert_allclose(gain[supported], expected[supported], atol=1e-12)
        np.testing.assert_array_equal(gain[~supported], 0.0)


def test_too_little_known_says_so_and_nothing_known_is_absent() -> None:
    inputs = made_up_inputs(50, 5, 0.0)
    output = HEAD.vote(HeadInputs(50, {alias: inputs[alias] for alias in ("obv", "cmf")}))
    assert (output.direction == 0).all()
    assert output.coverage == pytest.approx(np.full(50, 0.25))
    assert set_bits(output, "low_coverage").all()
    nothing = HEAD.vote(HeadInputs(50, {}))
    for field in fields(HeadOutput):
        expected = getattr(HeadOutput.absent(50), field.name)
        np.testing.assert_array_equal(getattr(nothing, field.name), expected)


def test_it_waits_for_its_windows() -> None:
    output = voted(random_bars(300, 22))
    assert (output.direction[:99] == 0).all()
    assert (output.direction[99:] != 0).any()


wild = st.just(np.nan) | st.floats(-1e9, 1e9).map(lambda value: round(value, 6))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*SPREADS, *EVENTS]), wild))
def test_any_finite_column_gives_a_valid_answer(values: dict[str, float]) -> None:
    columns = {alias: np.full(3, value) for alias, value in values.items()}
    for alias in EVENTS:
        if alias in columns:
            columns[alias] = np.nan_to_num(np.sign(columns[alias]))
    for head in HEADS.values():
        output = head.vote(HeadInputs(3, columns))
        voting = output.direction != 0
        assert (output.probability[voting] >= 0.55 - 1e-12).all()
        assert (output.confidence <= 0.95).all()


def test_mirrored_prices_and_flow_turn_every_vote_around() -> None:
    bars = random_bars(2000, 23)
    assert bars.taker_buy_volume is not None
    mirrored = replace(
        mirrored_bars(bars, 2.0 * bars.high.max()),
        taker_buy_volume=bars.volume - bars.taker_buy_volume,
    )
    # The grid of the volume profile is one of logarithms: turned around, prices fall into other bins.
    up, down = (
        HEAD.vote(HeadInputs(2000, {a: x for a, x in columns.items() if a not in PROFILE}))
        for columns in (inputs_of(bars).columns, inputs_of(mirrored).columns)
    )
    np.testing.assert_allclose(up.score, 100.0 - down.score, atol=1e-6)
    clear = np.abs(np.abs(up.score - 50.0) - 5.0) > 1e-5
    np.testing.assert_array_equal(up.direction[clear], -down.direction[clear])


# Eight times the price is a whole number of bins of the volume profile, ten times is not.
@pytest.mark.parametrize("factors", [(8.0, 1.0), (1.0, 10.0)])
def test_units_of_price_and_volume_do_not_matter(factors: tuple[float, float]) -> None:
    bars, (price, size) = random_bars(1500, 24), factors
    assert bars.taker_buy_volume is not None
    scaled = replace(
        bars,
        open=price * bars.open,
        high=price * bars.high,
        low=price * bars.low,
        close=price * bars.close,
        volume=size * bars.volume,
        taker_buy_volume=size * bars.taker_buy_volume,
    )
    one, ten = voted(bars), voted(scaled)
    np.testing.assert_allclose(one.score, ten.score, atol=1e-7)
    clear = np.abs(np.abs(one.score - 50.0) - 5.0) > 1e-6
    np.testing.assert_array_equal(one.direction[clear], ten.direction[clear])


@pytest.mark.parametrize("with_flows", [True, False])
def test_a_prefix_has_the_prefix_of_the_votes(with_flows: bool) -> None:
    bars = random_bars(1600, 25, gap_share=0.05, with_flows=with_flows)
    whole = voted(bars)
    for count in (1, 13, 100, 233, 777, 1599):
        part = voted(bars.prefix(count))
        for field in fields(HeadOutput):
            expected = getattr(whole, field.name)[:count]
            np.testing.assert_array_equal(getattr(part, field.name), expected)


def test_it_votes_as_often_as_declared_on_walks() -> None:
    answers = [voted(random_bars(1500, seed)).direction[200:] for seed in range(8)]
    directions = np.concatenate(answers)
    low, high = HEAD.FIRING_RATE
    assert low <= np.mean(directions != 0) <= high
    assert min(np.mean(directions > 0), np.mean(directions < 0)) > 0.2


def test_a_minimum_coverage_above_85_percent_refuses_an_estimated_delta() -> None:
    inputs = made_up_inputs(600, 8, 0.0)
    measured, estimate = (dict.fromkeys(SOURCES, np.full(600, code)) for code in (1.0, 3.0))
    estimated = HeadInputs(600, {**inputs.columns, **estimate})
    inputs = HeadInputs(600, {**inputs.columns, **measured})
    strict = replace(HEAD, minimum_coverage=0.86)
    assert HEAD.vote(estimated).direction.any()
    assert not strict.vote(estimated).direction.any()
    assert strict.vote(inputs).direction.any()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("preset", "other"),
        ("threshold", 0.49),
        ("minimum_coverage", -0.1),
        ("divergence_bonus", 2.0),
        ("delta_scale", 0.0),
    ],
)
def test_parameters_out_of_range_are_refused(parameter: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"volume head: {parameter}="):
        replace(HEAD, **{parameter: value})
