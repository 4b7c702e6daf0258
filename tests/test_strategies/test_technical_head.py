"""The technical head against a literal computation, and its properties on random bars."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Bars, ConfigError, Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import Contribution, HeadInputs, HeadOutput, contribution_table
from strategies.heads.technical import TechnicalHead
from strategies.technical_broad import ADDED, MEMBERS
from strategies.technical_components import SIGNALS
from tests.generators import random_bars

HEAD = TechnicalHead()
SPREADS = {
    "atr": (2.0, 0.5), "atr_frac": (0.01, 0.002), "ema_spread": (0.0, 1.0), "ma_stack": (0.0, 0.5),
    "macd": (0.0, 0.3), "adx": (25.0, 10.0), "plus_di": (20.0, 5.0), "minus_di": (20.0, 5.0),
    "hma_slope": (0.0, 0.3), "aroon": (0.0, 60.0), "dema_distance": (0.0, 2.0),
    "tema_distance": (0.0, 2.0), "ichimoku": (50.0, 20.0), "rsi": (50.0, 12.0),
    "stochastic_k": (50.0, 25.0), "stochastic_d": (50.0, 25.0), "tsi": (0.0, 15.0),
    "williams_r": (-50.0, 25.0), "cci": (0.0, 100.0), "cmo": (0.0, 40.0), "ppo": (0.0, 0.5),
    "trix": (0.0, 0.1), "ultimate_oscillator": (50.0, 10.0), "ao_score": (50.0, 25.0),
    "percent_b": (0.5, 0.4), "donchian": (0.5, 0.3), "keltner": (0.5, 0.4), "mass_index": (25.0, 1.0),
}  # fmt: skip
SIDES = ("supertrend", "chandelier", "ema_cross", "supertrend_flip", "bulge")


def made_up_inputs(rows: int, seed: int, missing: float) -> HeadInputs:
    """Independent noise around a common lean, so that every side and every gap occurs."""
    generator = np.random.default_rng(seed)
    lean = generator.standard_normal(rows)
    columns = {}
    for alias, (centre, spread) in SPREADS.items():
        noise = generator.standard_normal(rows)
        column = centre + spread * (noise if centre > 0.6 and centre < 40 else noise + lean)
        column[generator.random(rows) < missing] = np.nan
        columns[alias] = column
    columns["atr"][::17] = 0.0
    columns["atr"] = np.abs(columns["atr"])
    for alias in SIDES:
        columns[alias] = np.sign(np.round(generator.standard_normal(rows) + lean))
    return HeadInputs(rows, columns)


def literal_signals(row: dict[str, float]) -> dict[str, tuple[float, float, bool]]:
    """Component: its weight in the whole, its signal, and whether it has a direction."""

    def per_atr(alias: str) -> float:
        return 0.0 * row[alias] if row["atr"] == 0 else row[alias] / row["atr"]

    def per_percent(alias: str) -> float:
        return row[alias] / (100.0 * row["atr_frac"])

    def soft(value: float, scale: float) -> float:
        return 0.5 + 0.5 * math.tanh(value / scale)

    def clip(value: float, low: float = 0.0, high: float = 1.0) -> float:
        return value if math.isnan(value) else min(high, max(low, value))

    di = row["plus_di"] - row["minus_di"]
    di /= row["plus_di"] + row["minus_di"]
    averages = (soft(per_atr("dema_distance"), 1.0) + soft(per_atr("tema_distance"), 1.0)) / 2.0
    trend_signals = {
        "ema_cross": (0.15, soft(per_atr("ema_spread"), 0.5)),
        "ma_stack": (0.10, 0.5 + 0.5 * row["ma_stack"]),
        "macd": (0.15, soft(per_atr("macd"), 0.15)),
        "adx": (0.12, 0.5 + 0.5 * clip(row["adx"] / 25.0) * di),
        "supertrend": (0.12, 0.5 + 0.5 * row["supertrend"]),
        "hma": (0.10, soft(per_atr("hma_slope"), 0.15)),
        "aroon": (0.10, 0.5 + row["aroon"] / 200.0),
        "dema_tema": (0.08, averages),
        "ichimoku": (0.08, row["ichimoku"] / 100.0),
    }
    momentum_signals = {
        "rsi": (0.15, row["rsi"] / 100.0),
        "stochastic": (0.12, (row["stochastic_k"] + row["stochastic_d"]) / 200.0),
        "tsi": (0.12, soft(row["tsi"], 25.0)),
        "williams_r": (0.08, 1.0 + row["williams_r"] / 100.0),
        "cci": (0.08, soft(row["cci"], 150.0)),
        "cmo": (0.10, 0.5 + row["cmo"] / 200.0),
        "ppo": (0.10, soft(per_percent("ppo"), 0.5)),
        "trix": (0.10, soft(per_percent("trix"), 0.1)),
        "ultimate_oscillator": (0.08, row["ultimate_oscillator"] / 100.0),
        "ao": (0.07, row["ao_score"] / 100.0),
    }
    volatility_signals = {
        "bollinger": (0.25, clip(row["percent_b"])),
        "atr": (0.20, 0.5 + 0.0 * row["atr"]),
        "donchian": (0.15, clip(row["donchian"])),
        "keltner": (0.15, clip(row["keltner"])),
        "mass_index": (0.12, 0.5 + 0.0 * row["mass_index"]),
        "chandelier": (0.13, 0.5 + 0.5 * row["chandelier"]),
    }
    return {
        name: (share * weight, clip(signal), name not in ("atr", "mass_index"))
        for share, signals in (
            (0.40, trend_signals),
            (0.35, momentum_signals),
            (0.25, volatility_signals),
        )
        for name, (weight, signal) in signals.items()
    }


GROUP_SIZES = (9, 10, 6)


def literal_vote(row: dict[str, float], mode: str) -> tuple[int, float, float, float, float]:
    """Direction, probability, confidence, score and coverage of one row."""
    parts = literal_signals(row)
    known = [part for part in parts.values() if not math.isnan(part[1])]
    coverage = math.fsum(weight for weight, _, _ in known)
    if coverage < 1e-12:
        return 0, 0.5, 0.0, 50.0, 0.0
    s = math.fsum(weight * signal for weight, signal, _ in known) / coverage
    s = min(1.0, max(0.0, s))
    direction = 1 if s >= 0.55 else -1 if s <= 0.45 else 0
    if math.isnan(row["ma_stack"]) or coverage < 0.60 - 1e-12:
        direction = 0
    if direction == 0:
        return 0, 0.5, 0.0, 100.0 * s, coverage
    if mode == "seed":
        scores, values = [], list(parts.values())
        for size in GROUP_SIZES:
            group = [part for part in values[:size] if not math.isnan(part[1])]
            values = values[size:]
            total = math.fsum(weight for weight, _, _ in group)
            mean = math.fsum(w * x for w, x, _ in group) / total if group else 0.5
            scores.append(min(1.0, max(0.0, mean)))
        centre = math.fsum(scores) / 3.0
        sigma = math.sqrt(math.fsum((score - centre) ** 2 for score in scores) / 3.0)
        c = 0.6 * (1.0 - 2.0 * sigma) + 0.8 * abs(s - 0.5)
    else:
        directional = [signal for _, signal, has_side in known if has_side]
        agreeing = sum((signal - 0.5) * direction > 0 for signal in directional)
        c = 0.5 + 0.25 * (2.0 * agreeing / len(directional) - 1.0)
        c += 0.25 * min(1.0, 4.0 * abs(s - 0.5))
    probability = s if direction > 0 else 1.0 - s
    return direction, probability, min(0.95, max(0.0, c)), 100.0 * s, coverage


@pytest.mark.parametrize("mode", ["default", "seed"])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_votes_equal_a_literal_computation(mode: str, missing: float) -> None:
    inputs = made_up_inputs(600, 3, missing)
    output = replace(HEAD, confidence_mode=mode).vote(inputs)
    for t in range(600):
        row = {alias: float(column[t]) for alias, column in inputs.columns.items()}
        direction, probability, confidence, score, coverage = literal_vote(row, mode)
        assert output.direction[t] == direction
        assert output.probability[t] == pytest.approx(probability, abs=1e-12)
        assert output.confidence[t] == pytest.approx(confidence, abs=1e-12)
        assert output.score[t] == pytest.approx(score, abs=1e-10)
        assert output.coverage[t] == pytest.approx(coverage, abs=1e-12)
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
    top = 2.0 * bars.high.max()
    mirrored = replace(
        bars, open=top - bars.open, high=top - bars.low, low=top - bars.high, close=top - bars.close
    )
    dropped = ("ppo", "trix")
    up, down = voted(bars, without=dropped), voted(mirrored, without=dropped)
    np.testing.assert_allclose(up.score[1000:], 100.0 - down.score[1000:], atol=1e-6)
    clear = np.abs(np.abs(up.score - 50.0) - 5.0)[1000:] > 1e-5
    np.testing.assert_array_equal(up.direction[1000:][clear], -down.direction[1000:][clear])


def test_ten_times_the_price_is_the_same_opinion() -> None:
    bars = random_bars(2000, 13)
    scaled = replace(
        bars, open=10 * bars.open, high=10 * bars.high, low=10 * bars.low, close=10 * bars.close
    )
    one, ten = voted(bars), voted(scaled)
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


VIRTUOSO = replace(HEAD, preset="virtuoso")
SIX = {"ao": 0.20, "macd": 0.15, "rsi": 0.20, "williams_r": 0.15, "cci": 0.15, "atr": 0.15}


def virtuoso_inputs(rows: int, seed: int, missing: float) -> HeadInputs:
    generator = np.random.default_rng(seed)
    lean = generator.standard_normal(rows)
    spreads = {
        "ao_score": (50.0, 15.0), "macd": (0.0, 0.3), "rsi": (50.0, 14.0), "cci": (0.0, 120.0),
        "williams_r": (-50.0, 20.0), "atr_rank": (55.0, 20.0), "mean_distance": (0.0, 1.0),
        "atr": (2.0, 0.3),
    }  # fmt: skip
    bounds = {"ao_score": (0, 100), "rsi": (0, 100), "williams_r": (-100, 0), "atr_rank": (0, 100)}
    columns = {}
    for suffix in ("", "_middle", "_higher"):
        for alias, (centre, spread) in spreads.items():
            column = centre + spread * (lean + generator.standard_normal(rows)) / 1.4
            column = np.clip(column, *bounds.get(alias, (-np.inf, np.inf)))
            if alias == "atr":
                column = np.abs(column)
            column[generator.random(rows) < missing] = np.nan
            columns[f"{alias}{suffix}"] = column
    columns["adx"] = generator.uniform(5, 45, rows)
    columns["ma_stack"] = np.zeros(rows)
    return HeadInputs(rows, columns)


def literal_six(
    row: dict[str, float], suffix: str, rsi_mode: str, atr_mode: str
) -> dict[str, float]:
    def squashed(value: float, scale: float) -> float:
        return 50.0 + 50.0 * math.tanh(value / scale)

    rsi = row[f"rsi{suffix}"]
    if rsi_mode == "fade" and (rsi < 30 or rsi > 70):
        rsi = 100.0 - rsi
    rank, distance = row[f"atr_rank{suffix}"], row[f"mean_distance{suffix}"]
    side = math.nan if math.isnan(distance) else (distance > 0) - (distance < 0)
    atr = (
        100.0 - rank
        if atr_mode == "calm"
        else 50.0 + side * 0.5 * (rank - 50.0 if not rank < 50 else 0.0)
    )
    return {
        "ao": row[f"ao_score{suffix}"],
        "macd": squashed(row[f"macd{suffix}"] / row[f"atr{suffix}"], 0.15),
        "rsi": rsi,
        "williams_r": 100.0 + row[f"williams_r{suffix}"],
        "cci": squashed(row[f"cci{suffix}"], 150.0),
        "atr": atr,
    }


@pytest.mark.parametrize("missing", [0.0, 0.25])
@pytest.mark.parametrize(("rsi_mode", "atr_mode"), [("trend", "expansion"), ("fade", "calm")])
def test_the_six_components_are_adjusted_clipped_and_then_weighted(
    rsi_mode: str, atr_mode: str, missing: float
) -> None:
    head = replace(VIRTUOSO, rsi_mode=rsi_mode, atr_mode=atr_mode)
    inputs = virtuoso_inputs(500, 21, missing)
    output = head.vote(inputs)
    moved = 0
    for t in range(inputs.rows):
        row = {alias: float(column[t]) for alias, column in inputs.columns.items()}
        scores = [
            literal_six(row, suffix, rsi_mode, atr_mode) for suffix in ("", "_middle", "_higher")
        ]
        total, weight = 0.0, 0.0
        for name, share in SIX.items():
            lower, middle, higher = (score[name] for score in scores)
            if math.isnan(lower):
                continue
            parts = [(0.25, lower), (0.35, middle), (0.40, higher)]
            known = [(part, score) for part, score in parts if not math.isnan(score)]
            mean = math.fsum(p * s for p, s in known) / math.fsum(p for p, _ in known)
            bonus = 0.2 * (mean - lower) * min(1.0, row["adx"] / 25.0)
            bonus = max(-10.0, min(10.0, bonus)) if abs(mean - lower) >= 10.0 else 0.0
            moved += bonus != 0
            total += share * min(100.0, max(0.0, lower + bonus))
            weight += share
        expected = total / weight if weight else 50.0
        assert output.score[t] == pytest.approx(expected, abs=1e-9)
        assert output.coverage[t] == pytest.approx(weight, abs=1e-12)
    assert moved > 300


def test_the_example_of_the_source_with_its_arithmetic_right() -> None:
    """The six scores of the printed table, adjusted before they are weighted: 47.34, not 46.10."""
    scores = {
        "ao": 55.78,
        "macd": 59.93,
        "rsi": 43.90,
        "williams_r": 48.52,
        "cci": 38.05,
        "atr": 27.20,
    }
    added = {"ao": 6.0, "macd": 4.0, "williams_r": -3.0}
    table = contribution_table(
        [
            Contribution(
                name, "", np.array([score]), np.array([SIX[name]]), np.array([added.get(name, 0.0)])
            )
            for name, score in scores.items()
        ]
    )
    assert table.total[0] == pytest.approx(47.34, abs=0.005)
    assert table.impact.sum() == pytest.approx(table.total[0], abs=1e-12)


def test_what_the_table_adds_up_to_is_the_score() -> None:
    for head, inputs in (
        (HEAD, made_up_inputs(300, 8, 0.2)),
        (VIRTUOSO, virtuoso_inputs(300, 8, 0.2)),
    ):
        output = head.vote(inputs)
        table = contribution_table(head.contributions(inputs))
        np.testing.assert_array_equal(output.score, 100.0 * np.clip(table.total / 100.0, 0.0, 1.0))


BROAD = replace(HEAD, preset="broad")


def test_the_broad_preset_reads_every_directional_indicator_alike() -> None:
    names = [name for members in MEMBERS.values() for name in members]
    assert len(names) == len(set(names)) == 71
    assert set(names) <= {*ADDED, *SIGNALS}
    assert set(ADDED) <= set(names)
    table = contribution_table(BROAD.contributions(HeadInputs(1, {"rsi": np.array([60.0])})))
    assert dict(zip(table.names, table.share[0], strict=True))["rsi"] == 1.0
    weights = {one.name: float(one.weight[0]) for one in BROAD.contributions(HeadInputs(1, {}))}
    shares = {"trend": 0.30, "momentum": 0.25, "volatility": 0.25, "volume": 0.20}
    for group, members in MEMBERS.items():
        assert [weights[name] for name in members] == pytest.approx(
            [shares[group] / len(members)] * len(members)
        )
    assert math.fsum(weights.values()) == pytest.approx(1.0)


def test_the_broad_score_is_the_mean_of_means_of_its_groups() -> None:
    """Each reading written out once more, on the columns of a walk."""
    bars = random_bars(1500, 31)
    wanted = BROAD.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=INDICATORS_BY_NAME)
    columns = {
        alias: column for alias, one in wanted.items() if (column := matrix.get(one)) is not None
    }
    inputs = HeadInputs(len(bars), columns)
    output = BROAD.vote(inputs)
    literal = {
        "share": lambda x, row, scale: x,
        "percent": lambda x, row, scale: x / 100,
        "signed_percent": lambda x, row, scale: 0.5 + x / 200,
        "side": lambda x, row, scale: 0.5 + x / 2,
        "soft": lambda x, row, scale: 1 / (1 + math.exp(-2 * x / scale)),
        "atr": lambda x, row, scale: 1 / (1 + math.exp(-2 * x / row["atr"] / scale)),
        "change": lambda x, row, scale: (
            1 / (1 + math.exp(-2 * x / (100 * row["atr_frac"]) / scale))
        ),
    }
    for t in range(300, len(bars), 97):
        row = {alias: float(column[t]) for alias, column in columns.items()}
        known = {name: part[1] for name, part in literal_signals(row).items()}
        known["hma"] = 0.5 + 0.5 * math.tanh(row["hma_slope"] / row["atr"] / 0.15)
        for name, one in ADDED.items():
            known[name] = min(1.0, max(0.0, literal[one.reading](row[name], row, one.scale)))
        means = {
            group: math.fsum(known[name] for name in members) / len(members)
            for group, members in MEMBERS.items()
        }
        expected = (
            0.30 * means["trend"] + 0.25 * means["momentum"] + 0.25 * means["volatility"]
            + 0.20 * means["volume"]
        )  # fmt: skip
        assert output.coverage[t] == pytest.approx(1.0)
        assert output.score[t] == pytest.approx(100 * expected, abs=1e-8)
    assert {-1, 0, 1} == set(output.direction[200:])


def test_every_scale_of_the_broad_preset_is_the_usual_size_of_what_it_squashes() -> None:
    """On walks the typical signal is neither stuck at the middle nor at an end."""
    bars = random_bars(6000, 33)
    wanted = BROAD.features()
    matrix = build_features(Market(bars=bars), wanted.values(), indicators=INDICATORS_BY_NAME)
    columns = {
        alias: column for alias, one in wanted.items() if (column := matrix.get(one)) is not None
    }
    for one in BROAD.contributions(HeadInputs(len(bars), columns)):
        distance = np.abs(one.score[300:] - 50.0)
        assert 4.0 < np.mean(distance) <= 50.0, one.name
        if one.name in ADDED and ADDED[one.name].reading in ("soft", "atr", "change"):
            assert np.mean(distance) < 40.0, one.name


OF_RATIOS = {
    "ppo", "trix", "roc", "coppock", "kst", "fosc", "mfi", "pvt", "rvol", "acceleration_bands",
}  # fmt: skip
"""Components of price ratios: on prices K - p they are no mirror images, only near them."""


def test_mirrored_prices_turn_every_component_of_the_list_around() -> None:
    """Prices K - p turn each of the 71 components around; the bulls' power becomes the bears'."""
    bars = random_bars(4000, 35)
    top = 2.0 * bars.high.max()
    mirrored = replace(
        bars, open=top - bars.open, high=top - bars.low, low=top - bars.high, close=top - bars.close
    )
    wanted = BROAD.features()
    found = []
    for one in (bars, mirrored):
        matrix = build_features(Market(bars=one), wanted.values(), indicators=INDICATORS_BY_NAME)
        columns = {
            alias: column
            for alias, feature in wanted.items()
            if (column := matrix.get(feature)) is not None
        }
        inputs = HeadInputs(len(one), columns)
        found.append({part.name: part.score for part in BROAD.contributions(inputs)})
    turned = {"eri_bull": "eri_bear", "eri_bear": "eri_bull"}
    off = {
        name: float(np.max(np.abs(score[1500:] + found[1][turned.get(name, name)][1500:] - 100.0)))
        for name, score in found[0].items()
    }
    assert {name for name, error in off.items() if error > 1e-6} <= OF_RATIOS, off
