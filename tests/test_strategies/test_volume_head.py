"""The volume head against a literal computation, and its properties on random bars."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Bars, ConfigError, Market
from indicators import build_features, divergence, volume, volume_spike
from strategies import HeadInputs, HeadOutput
from strategies.heads.volume import VolumeHead
from tests.generators import random_bars

FAMILIES = (volume, volume_spike, divergence)
BY_NAME = {indicator.name: indicator for family in FAMILIES for indicator in family.INDICATORS}
HEAD = VolumeHead()
SPREADS = {
    "taker_delta": (0.5, 0.05), "close_location_delta": (0.5, 0.1), "taker": (0.5, 0.1),
    "obv": (0.0, 1.0), "vwap": (0.0, 1.5), "rvol": (50.0, 15.0), "cmf": (0.0, 0.15),
    "adl": (0.0, 1.0), "force": (0.0, 0.5), "emv": (0.0, 0.5),
}  # fmt: skip
EVENTS = {"spike": 0.2, "seasonal_spike": 0.1, "cvd_divergence": 0.03}
TAKER = ("taker_delta", "taker")


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
    return HeadInputs(rows, columns)


def soft(value: float, scale: float) -> float:
    return 0.5 + 0.5 * math.tanh(value / scale)


def literal_signals(row: dict[str, float]) -> dict[str, tuple[float, float, float]]:
    """Component: its weight, its signal, and the part of the weight that counts for coverage."""
    taker = row.get("taker_delta", math.nan)
    if math.isnan(taker):
        delta, part = soft(2.0 * row["close_location_delta"] - 1.0, 0.30), 0.5
    else:
        delta, part = soft(2.0 * taker - 1.0, 0.10), 1.0
    x = row["vwap"] if math.isnan(row["vwap"]) else min(1.0, max(-1.0, row["vwap"] / 2.0))
    return {
        "delta": (0.20, delta, part),
        "obv": (0.15, soft(row["obv"], 2.0), 1.0),
        "vwap": (0.15, 0.5 + 0.25 * math.tanh(3.0 * x) * (1.0 - abs(x)), 1.0),
        "rvol": (0.12, row["rvol"] / 100.0, 1.0),
        "cmf": (0.10, soft(row["cmf"], 0.15), 1.0),
        "adl": (0.10, soft(row["adl"], 1.0), 1.0),
        "force": (0.08, soft(row["force"], 0.5), 1.0),
        "emv": (0.05, soft(row["emv"], 0.5), 1.0),
        "taker": (0.05, soft(2.0 * row.get("taker", math.nan) - 1.0, 0.2), 1.0),
    }


def literal_vote(rows: list[dict[str, float]], t: int) -> tuple[int, float, float, float, float]:
    parts = [part for part in literal_signals(rows[t]).values() if not math.isnan(part[1])]
    weight = math.fsum(part[0] for part in parts)
    coverage = math.fsum(part[0] * part[2] for part in parts)
    if not parts:
        return 0, 0.5, 0.0, 50.0, 0.0
    s = math.fsum(part[0] * part[1] for part in parts) / weight
    direction = 1 if s >= 0.55 else -1 if s <= 0.45 else 0
    if coverage < 0.60 or math.isnan(rows[t]["obv"]):
        direction = 0
    if direction == 0:
        return 0, 0.5, 0.0, 100.0 * s, coverage
    agreeing = sum((signal - 0.5) * direction > 0 for _, signal, _ in parts)
    c = 0.5 + 0.25 * (2.0 * agreeing / len(parts) - 1.0) + 0.25 * min(1.0, 4.0 * abs(s - 0.5))
    events = [rows[i]["cvd_divergence"] for i in range(max(0, t - 9), t + 1)]
    last = next((event for event in reversed(events) if event), 0.0)
    c += 0.15 if last == direction else 0.0
    return direction, s if direction > 0 else 1.0 - s, min(0.95, c), 100.0 * s, coverage


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("with_taker", [True, False])
def test_votes_equal_a_literal_computation(with_taker: bool, missing: float) -> None:
    inputs = made_up_inputs(600, 8, missing)
    if not with_taker:
        shown = {alias: x for alias, x in inputs.columns.items() if alias not in TAKER}
        inputs = HeadInputs(600, shown)
    output = HEAD.vote(inputs)
    rows = [{alias: float(x[t]) for alias, x in inputs.columns.items()} for t in range(600)]
    for t in range(600):
        direction, probability, confidence, score, coverage = literal_vote(rows, t)
        assert output.direction[t] == direction
        assert output.probability[t] == pytest.approx(probability, abs=1e-12)
        assert output.confidence[t] == pytest.approx(confidence, abs=1e-12)
        assert output.score[t] == pytest.approx(score, abs=1e-10)
        assert output.coverage[t] == pytest.approx(coverage, abs=1e-12)
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
        expected = set()
        for suffix, side in (("up", 1.0), ("down", -1.0)):
            holds = {
                "delta": side * (2.0 * row["taker_delta"] - 1.0) >= 0.05,
                "money_flow": side * row["cmf"] >= 0.05 and side * row["adl"] > 0,
                "obv": side * row["obv"] >= 1.0,
                "force": side * row["force"] >= 0.25,
                "vwap": side * row["vwap"] >= 1.0,
                "spike": row["spike"] == side,
                "seasonal_spike": row["seasonal_spike"] == side,
                "cvd_divergence": last == side,
            }
            expected |= {f"{name}_{suffix}" for name, held in holds.items() if held}
        found = {name for name, bit in bits.items() if int(output.reasons[t]) >> bit & 1}
        assert found == expected
        seen |= found
    assert seen == set(bits) - {"low_coverage", "delta_estimated"}


def voted(bars: Bars) -> HeadOutput:
    wanted = HEAD.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=BY_NAME)
    found = {alias: matrix.get(one) for alias, one in wanted.items()}
    return HEAD.vote(
        HeadInputs(len(bars), {alias: x for alias, x in found.items() if x is not None})
    )


def set_bits(output: HeadOutput, name: str) -> np.ndarray:
    bit = next(bit for bit, reason in enumerate(HEAD.REASONS) if reason.name == name)
    return (output.reasons >> np.uint64(bit) & np.uint64(1)).astype(bool)


def test_without_taker_columns_it_votes_on_the_close_location_and_says_so() -> None:
    output = voted(random_bars(600, 21, with_flows=False))
    assert (output.direction != 0).any()
    assert set_bits(output, "delta_estimated")[99:].all()
    assert output.coverage[99:] == pytest.approx(np.full(501, 1.0 - 0.5 * 0.20 - 0.05))
    full = voted(random_bars(600, 21))
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
    output = HEAD.vote(HeadInputs(3, columns))
    voting = output.direction != 0
    assert (output.probability[voting] >= 0.55 - 1e-12).all()
    assert (output.confidence <= 0.95).all()


def test_mirrored_prices_and_flow_turn_every_vote_around() -> None:
    bars = random_bars(2000, 23)
    top = 2.0 * bars.high.max()
    assert bars.taker_buy_volume is not None
    mirrored = replace(
        bars,
        open=top - bars.open,
        high=top - bars.low,
        low=top - bars.high,
        close=top - bars.close,
        taker_buy_volume=bars.volume - bars.taker_buy_volume,
    )
    up, down = voted(bars), voted(mirrored)
    np.testing.assert_allclose(up.score, 100.0 - down.score, atol=1e-6)
    clear = np.abs(np.abs(up.score - 50.0) - 5.0) > 1e-5
    np.testing.assert_array_equal(up.direction[clear], -down.direction[clear])


@pytest.mark.parametrize("factors", [(10.0, 1.0), (1.0, 10.0)])
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
    estimated = HeadInputs(600, {a: x for a, x in inputs.columns.items() if a not in TAKER})
    strict = replace(HEAD, minimum_coverage=0.86)
    assert HEAD.vote(estimated).direction.any()
    assert not strict.vote(estimated).direction.any()
    assert strict.vote(inputs).direction.any()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("threshold", 0.49),
        ("minimum_coverage", -0.1),
        ("divergence_bonus", 2.0),
        ("delta_scale", 0.0),
    ],
)
def test_parameters_out_of_range_are_refused(parameter: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"volume head: {parameter}="):
        replace(HEAD, **{parameter: value})
