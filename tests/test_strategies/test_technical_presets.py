"""The presets of the technical head: six components with adjustments, and the broad list."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Market
from indicators import INDICATORS_BY_NAME, build_features
from strategies import Contribution, HeadInputs, contribution_table
from strategies.heads.technical import TechnicalHead
from strategies.technical_broad import ADDED, MEMBERS
from strategies.technical_components import SIGNALS
from tests.generators import random_bars
from tests.oracles.technical import literal_signals, made_up_inputs
from tests.test_strategies.head_answers import mirrored_bars

HEAD = TechnicalHead()
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
    mirrored = mirrored_bars(bars, 2.0 * bars.high.max())
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
