"""The technical head against a literal computation, and its properties on random bars."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Bars, ConfigError, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import HeadInputs, HeadOutput
from strategies.heads.technical import TechnicalHead
from tests.generators import random_bars
from tests.oracles.technical import (
    GROUP_SIZES,
    SIDES,
    SPREADS,
    literal_signals,
    literal_vote,
    made_up_inputs,
)
from tests.test_strategies.head_answers import assert_row_is, mirrored_bars, with_prices_times

HEAD = TechnicalHead()


@pytest.mark.parametrize("mode", ["default", "seed"])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_votes_equal_a_literal_computation(mode: str, missing: float) -> None:
    inputs = made_up_inputs(600, 3, missing)
    output = replace(HEAD, confidence_mode=mode).vote(inputs)
    for t in range(600):
        row = {alias: float(column[t]) for alias, column in inputs.columns.items()}
        assert_row_is(output, t, literal_vote(row, mode))
    assert {-1, 0, 1} == set(output.direction)


def test_reasons_say_what_the_groups_and_events_say() -> None:
    inputs = made_up_inputs(600, 4, 0.0)
    output = HEAD.vote(inputs)
    bits = {reason.name: bit for bit, reason in enumerate(HEAD.REASONS)}
    seen = set()
    for t in range(600):
        row = {alias: float(column[t]) for alias, column in inputs.columns.items()}
        values, sides = list(literal_signals(row).values()), []
        for size in GROUP_SIZES:
            group, values = values[:size], values[size:]
            mean = sum(w * x for w, x, _ in group) / sum(w for w, _, _ in group)
            sides.append(1 if mean >= 0.55 else -1 if mean <= 0.45 else 0)
        expected = {
            "strong_trend": row["adx"] >= 25.0,
            "range_bulge": row["bulge"] > 0,
        }
        for suffix, side in (("up", 1), ("down", -1)):
            groups = ("trend", "momentum", "volatility")
            expected |= {f"{g}_{suffix}": s == side for g, s in zip(groups, sides, strict=True)}
            expected[f"agreement_{suffix}"] = sides == [side] * 3
            expected[f"ema_cross_{suffix}"] = row["ema_cross"] == side
            expected[f"supertrend_flip_{suffix}"] = row["supertrend_flip"] == side
        found = {name for name, bit in bits.items() if int(output.reasons[t]) >> bit & 1}
        assert found == {name for name, holds in expected.items() if holds}
        seen |= found
    assert seen == set(bits)


def test_before_the_slow_mean_nothing_is_voted_and_nothing_known_is_absent() -> None:
    inputs = made_up_inputs(50, 5, 0.0)
    early = HEAD.vote(HeadInputs(50, {alias: inputs[alias] for alias in ("rsi", "percent_b")}))
    assert (early.direction == 0).all()
    assert early.coverage == pytest.approx(np.full(50, 0.35 * 0.15 + 0.25 * 0.25))
    nothing = HEAD.vote(HeadInputs(50, {}))
    for field in fields(HeadOutput):
        expected = getattr(HeadOutput.absent(50), field.name)
        np.testing.assert_array_equal(getattr(nothing, field.name), expected)


wild = st.just(np.nan) | st.floats(-1e9, 1e9).map(lambda value: round(value, 6))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*SPREADS, *SIDES]), wild), st.sampled_from(("default", "seed"))
)
def test_any_finite_column_gives_a_valid_answer(values: dict[str, float], mode: str) -> None:
    columns = {alias: np.full(3, value) for alias, value in values.items()}
    for alias in SIDES:
        if alias in columns:
            columns[alias] = np.sign(columns[alias])
    output = replace(HEAD, confidence_mode=mode).vote(HeadInputs(3, columns))
    voting = output.direction != 0
    assert (output.probability[voting] >= 0.55 - 1e-12).all()
    assert (output.confidence[~voting] == 0.0).all()
    assert (output.confidence <= 0.95).all()


def voted(bars: Bars, *, without: tuple[str, ...] = ()) -> HeadOutput:
    wanted = HEAD.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=INDICATORS_BY_NAME)
    columns = {alias: matrix.get(one) for alias, one in wanted.items() if alias not in without}
    return HEAD.vote(HeadInputs(len(bars), columns))


def test_it_waits_for_the_slow_mean() -> None:
    output = voted(random_bars(400, 11))
    assert (output.direction[:199] == 0).all()
    assert (output.direction[199:] != 0).any()
    assert (output.coverage[:5] < 0.1).all()
    assert output.coverage[199:] == pytest.approx(np.ones(201))


def test_mirrored_prices_turn_every_vote_around() -> None:
    """Prices K - p, on which every component but the two in percent is antisymmetric.

    SuperTrend starts on side 1 whatever the market does, so the first 1,000 rows are left out.
    """
    bars = random_bars(3000, 12)
    mirrored = mirrored_bars(bars, 2.0 * bars.high.max())
    dropped = ("ppo", "trix")
    up, down = voted(bars, without=dropped), voted(mirrored, without=dropped)
    np.testing.assert_allclose(up.score[1000:], 100.0 - down.score[1000:], atol=1e-6)
    clear = np.abs(np.abs(up.score - 50.0) - 5.0)[1000:] > 1e-5
    np.testing.assert_array_equal(up.direction[1000:][clear], -down.direction[1000:][clear])


def test_ten_times_the_price_is_the_same_opinion() -> None:
    bars = random_bars(2000, 13)
    one, ten = voted(bars), voted(with_prices_times(bars, 10.0))
    np.testing.assert_allclose(one.score, ten.score, atol=1e-7)
    clear = np.abs(np.abs(one.score - 50.0) - 5.0) > 1e-6
    np.testing.assert_array_equal(one.direction[clear], ten.direction[clear])


def test_a_prefix_has_the_prefix_of_the_votes() -> None:
    bars = random_bars(1600, 14, gap_share=0.05)
    whole = voted(bars)
    for count in (1, 13, 200, 233, 777, 1599):
        part = voted(bars.prefix(count))
        for field in fields(HeadOutput):
            expected = getattr(whole, field.name)[:count]
            np.testing.assert_array_equal(getattr(part, field.name), expected)


def test_it_votes_as_often_as_declared_on_walks() -> None:
    directions = np.concatenate(
        [voted(random_bars(1500, seed)).direction[200:] for seed in range(8)]
    )
    low, high = HEAD.FIRING_RATE
    assert low <= np.mean(directions != 0) <= high
    assert min(np.mean(directions > 0), np.mean(directions < 0)) > 0.2


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("threshold", 0.49),
        ("threshold", 1.01),
        ("confidence_mode", "odd"),
    ],
)
def test_parameters_out_of_range_are_refused(parameter: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"technical head: {parameter}="):
        replace(HEAD, **{parameter: value})
