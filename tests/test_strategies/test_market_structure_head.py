"""The market structure head: formulas by hand, timeframes of every preset, inputs that matter."""

from dataclasses import replace

import numpy as np
import pytest

from engine import HOUR_NS, ConfigError, Float1D, Market, timeframe_ns
from indicators import (
    DETECTORS_BY_NAME,
    INDICATORS_BY_NAME,
    Clock,
    build_features,
    clock_of,
    feature,
    find_events,
    resampled,
)
from indicators.market_trend import pivot_trend
from strategies import HeadInputs
from strategies.heads.market_structure import (
    BOS_DOWN,
    BOS_UP,
    CHOCH_DOWN,
    CHOCH_UP,
    PRESETS,
    MarketStructureHead,
)
from tests.generators import random_bars, random_market
from tests.test_strategies.head_answers import (
    answers,
    assert_abstains_without_its_data,
    assert_fires_as_often_as_expected,
    assert_prefixes_answer_alike,
    assert_takes_its_search_ranges,
    idle_inputs,
    inputs_of,
    mirrored_bars,
    reasons_on,
    same,
    with_prices_times,
)

HEADS = tuple(MarketStructureHead(**variant) for variant in ({}, *MarketStructureHead.VARIANTS))
EVERY = pytest.mark.parametrize("head", HEADS, ids=lambda head: head.preset)
SWING = ("bars", "bars:4h", "bars:1d", "bars:1w")
NAN = float("nan")


@EVERY
def test_votes_both_ways_and_survives_the_prefix(head: MarketStructureHead) -> None:
    whole = assert_prefixes_answer_alike(head, random_market(6000, 8, gap_share=0.02))
    voted = whole.direction != 0
    assert whole.probability[voted].min() >= 0.75
    assert whole.confidence[voted].min() >= 0.75
    assert whole.confidence.max() <= 0.92


@EVERY
def test_another_unit_of_price_changes_nothing(head: MarketStructureHead) -> None:
    bars = random_bars(2500, 8)
    one = answers(head, Market(bars=bars, series={}))
    other = answers(head, Market(bars=with_prices_times(bars, 8.0), series={}))
    assert same(one, other, len(bars))


@EVERY
def test_mirrored_prices_turn_the_vote(head: MarketStructureHead) -> None:
    bars = random_bars(4000, 8)
    turned = mirrored_bars(bars, bars.high.max() + bars.low.min())
    one = answers(head, Market(bars=bars, series={}))
    other = answers(head, Market(bars=turned, series={}))
    # Differences of the mirrored prices round otherwise; ties of that size are rare.
    assert np.mean(one.direction == -other.direction) > 0.995
    assert np.abs(one.direction).sum() > 200


@EVERY
def test_every_input_that_is_there_matters_and_no_other(head: MarketStructureHead) -> None:
    # A year and a half, so that four weekly pivots are there.
    inputs = inputs_of(head, Market(bars=random_bars(12_000, 8), series={}))

    def replaced(alias: str, rows: Float1D) -> Float1D | float:
        if alias == "bar_hours":
            return 0.5
        if "known" in alias:
            return 0.0
        return 1.0 if "@" in alias else rows

    # Hourly bars are none of the timeframes of prism: they count for nothing.
    hourly = {alias for alias in inputs.columns if "@" in alias and "@bars:" not in alias}
    unused = hourly | {"bar_hours"} if head.preset == "prism" else set()
    assert idle_inputs(head, inputs, replaced) == unused


@EVERY
def test_abstains_without_its_data(head: MarketStructureHead) -> None:
    assert_abstains_without_its_data(head)


def test_parameters_lie_in_their_space() -> None:
    market = Market(bars=random_bars(1500, 2), series={})
    assert_takes_its_search_ranges(MarketStructureHead(), market)


@pytest.mark.parametrize(("timeframe", "weight"), [("1h", 1.0), ("4h", 0.8), ("1d", 0.5)])
def test_a_timeframe_below_the_decision_bars_is_missing_and_none_counts_twice(
    timeframe: str, weight: float
) -> None:
    head = MarketStructureHead()
    bars = random_bars({"1h": 20_000}.get(timeframe, 3000), 8, timeframe=timeframe)
    inputs = inputs_of(head, Market(bars=bars, series={}))
    longer = {
        "1h": {"bars:4h", "bars:1d", "bars:1w"},
        "4h": {"bars:1d", "bars:1w"},
        "1d": {"bars:1w"},
    }[timeframe]
    there = {alias.split("@")[1] for alias in inputs.columns if alias.startswith("trend@")}
    assert there == {"bars"} | longer
    output = head.vote(inputs)
    assert output.coverage.max() == pytest.approx(weight)
    assert output.direction.any() == (weight >= 0.6)
    named = {"1h": "weight_1h", "4h": "weight_4h", "1d": "weight_1d"}[timeframe]
    alone = dict.fromkeys(("weight_1h", "weight_4h", "weight_1d", "weight_1w"), 0.0)
    own = MarketStructureHead(**{**alone, named: 1.0})
    assert set(own.features()) - set(head.features()) <= {f"trend@bars:{timeframe}"}
    vote = own.vote(inputs)
    assert vote.coverage.max() == 1.0
    trend = inputs["trend@bars"]
    known = vote.coverage == 1.0
    assert np.array_equal(vote.direction[known & (trend != 0)], trend[known & (trend != 0)])


@pytest.mark.parametrize(
    ("preset", "timeframe", "weight"),
    [
        ("swing", "1h", 1.0),
        ("prism", "5m", 1.0),
        ("prism", "15m", 0.75),
        ("prism", "1h", 0.40),
        ("equal", "5m", 1.0),
        ("equal", "15m", 0.75),
        ("equal", "1h", 0.5),
    ],
)
def test_presets_count_what_the_decision_bars_can_tell(
    preset: str, timeframe: str, weight: float
) -> None:
    head = MarketStructureHead(preset=preset)
    assert sum(PRESETS[preset].values()) == pytest.approx(1.0)
    bars = random_bars(20_000, 8, timeframe=timeframe)
    inputs = inputs_of(head, Market(bars=bars, series={}))
    output = head.vote(inputs)
    assert output.coverage.max() == pytest.approx(weight)
    assert output.direction.any() == (weight >= 0.6)
    # The share by hand, each timeframe on bars of its own.
    t = len(bars) - 1
    up = down = known = 0.0
    for name, share in PRESETS[preset].items():
        if timeframe_ns(name) < bars.step_ns:
            continue
        own = bars if name == timeframe else resampled(bars, name)
        whole = int((own.close_time <= bars.close_time[t]).sum())
        gaps = own.is_gap[:whole].astype(np.float64)
        found = pivot_trend(own.high[:whole], own.low[:whole], 5, 5, gaps)
        known += share * found.known[-1]
        up += share * (found.trend[-1] > 0)
        down += share * (found.trend[-1] < 0)
    assert output.score[t] == pytest.approx(50 + 50 * (up - down) / known)
    assert output.coverage[t] == pytest.approx(known)


def structure_inputs(trends: tuple[float, ...], **columns: float) -> HeadInputs:
    """Two hourly rows with one trend for each clock; NaN for a timeframe that is not known yet."""
    values = {
        "bar_hours": 1.0,
        "position": 0.5,
        "bullish_blocks": 0,
        "bearish_blocks": 0,
        "breaker_touch": 0,
        "inducement": 0,
        "newest_break": 0,
    }
    values |= columns
    for clock, trend in zip(SWING, trends, strict=True):
        values[f"trend@{clock}"] = 0.0 if np.isnan(trend) else trend
        values[f"known@{clock}"] = float(not np.isnan(trend))
    return HeadInputs(2, {alias: np.full(2, float(value)) for alias, value in values.items()})


@pytest.mark.parametrize(
    ("trends", "columns", "direction", "probability", "confidence"),
    [
        ((1, 1, 1, 1), {}, 1, 0.9, 0.90),
        ((1, 1, 1, 0), {}, 1, 0.7 + 0.2 * 0.8, 0.85 + 0.05 * 0.05 / 0.25),
        ((-1, -1, -1, 1), {}, -1, 0.86, 0.86),
        ((1, 1, 1, 0), {"position": 0.4}, 1, 0.86, 0.88),
        ((1, 1, 1, 0), {"position": 0.2}, 1, 0.86, 0.90),
        ((-1, -1, -1, 0), {"position": 0.2}, -1, 0.86, 0.86),
        ((-1, -1, -1, 0), {"position": 0.8}, -1, 0.86, 0.90),
        ((1, 1, 1, 0), {"bullish_blocks": 1, "bearish_blocks": 9}, 1, 0.86, 0.88),
        ((1, 1, 1, 0), {"bullish_blocks": 9}, 1, 0.86, 0.92),
        ((1, 1, 1, 0), {"inducement": 1}, 1, 0.86, 0.88),
        ((1, 1, 1, 0), {"inducement": -1}, 1, 0.86, 0.86),
        ((1, 1, 1, 0), {"inducement": 1, "bullish_blocks": 2}, 1, 0.86, 0.92),
        ((1, 1, 0, 0), {"inducement": 1}, 0, 0.5, 0.0),
        ((1, 1, 0, 0), {}, 0, 0.5, 0.0),
        ((1, 1, 0, 0), {"breaker_touch": -1}, -1, 0.75, 0.75),
        ((1, 1, 1, 0), {"breaker_touch": -1}, 1, 0.86, 0.86),
        ((1, 1, 1, NAN), {}, 1, 0.9, 0.90),
        ((1, 1, NAN, NAN), {}, 0, 0.5, 0.0),
        ((1, 1, NAN, NAN), {"breaker_touch": 1}, 0, 0.5, 0.0),
    ],
)
def test_vote(
    trends: tuple[float, ...],
    columns: dict[str, float],
    direction: int,
    probability: float,
    confidence: float,
) -> None:
    output = MarketStructureHead().vote(structure_inputs(trends, **columns))
    assert output.direction[1] == direction
    assert output.probability[1] == pytest.approx(probability)
    assert output.confidence[1] == pytest.approx(confidence)


def test_breaks_and_inducements_are_reasons() -> None:
    head = MarketStructureHead()
    for code, name in (
        (BOS_UP, "bos_up"), (CHOCH_UP, "choch_up"), (BOS_DOWN, "bos_down"), (CHOCH_DOWN, "choch_down"),
    ):  # fmt: skip
        output = head.vote(structure_inputs((1, 1, 0, 0), newest_break=code))
        assert reasons_on(MarketStructureHead, output, 1) == {"conflicted", name}
    induced = head.vote(structure_inputs((1, 1, 1, 1), inducement=-1))
    assert reasons_on(MarketStructureHead, induced, 1) == {"aligned_up", "inducement_down"}
    unknown = head.vote(structure_inputs((1, NAN, NAN, NAN), inducement=-1, newest_break=BOS_UP))
    assert reasons_on(MarketStructureHead, unknown, 1) == set()


def test_trend_of_pivots_of_breaks_and_of_both() -> None:
    values = structure_inputs((0, 1, 1, 1)).columns
    broken = {"bars": -1.0, "bars:4h": 1.0, "bars:1d": 0.0, "bars:1w": -1.0}
    columns = {f"breaks@{clock}": np.full(2, side) for clock, side in broken.items()}
    inputs = HeadInputs(2, {**values, **columns})
    scores = {
        mode: MarketStructureHead(trend_mode=mode).vote(inputs)
        for mode in ("pivots", "breaks", "joint")
    }
    assert scores["pivots"].score[1] == pytest.approx(50 + 50 * 0.8)
    assert scores["joint"].score[1] == pytest.approx(50 + 50 * 0.6)
    # A day without a break yet is not known.
    assert scores["breaks"].coverage[1] == pytest.approx(0.7)
    assert scores["breaks"].score[1] == pytest.approx(50 + 50 * (0.3 - 0.4) / 0.7)


def test_a_share_of_exactly_three_quarters_is_aligned() -> None:
    head = MarketStructureHead(weight_1h=0.25, weight_4h=0.35, weight_1d=0.4, weight_1w=0.0)
    assert head.vote(structure_inputs((0, 1, 1, 0))).direction[1] == 1
    assert head.vote(structure_inputs((1, 1, 0, 0))).direction[1] == 0


def test_bad_parameters_are_refused() -> None:
    with pytest.raises(ConfigError, match="weight_1d"):
        MarketStructureHead(weight_1d=-0.1)
    with pytest.raises(ConfigError, match="positive"):
        MarketStructureHead(weight_1h=0, weight_4h=0, weight_1d=0, weight_1w=0)
    for name in ("preset", "trend_mode", "swing_mode", "break_mode", "block_zone", "range_mode"):
        with pytest.raises(ConfigError, match=f"{name}='other'"):
            MarketStructureHead(**{name: "other"})
    with pytest.raises(ConfigError, match="turn_atr"):
        MarketStructureHead(turn_atr=0.5)


@pytest.mark.parametrize(
    "name", ["swing_mode", "break_mode", "block_zone", "range_mode", "trend_mode"]
)
def test_every_mode_changes_votes(name: str) -> None:
    others = {
        "swing_mode": "turns", "break_mode": "wick", "block_zone": "body", "range_mode": "pivots",
        "trend_mode": "breaks",
    }  # fmt: skip
    market = Market(bars=random_bars(12_000, 8), series={})
    one = answers(MarketStructureHead(), market)
    other = answers(MarketStructureHead(**{name: others[name]}), market)
    assert not np.array_equal(one.confidence, other.confidence)


@EVERY
def test_detections_are_the_events_behind_the_votes(head: MarketStructureHead) -> None:
    market = Market(bars=random_bars(5000, 8), series={})
    found = find_events(market, head.detections().values(), detectors=DETECTORS_BY_NAME)
    inputs = inputs_of(head, market)
    named = {alias: found[wanted] for alias, wanted in head.detections().items() if wanted in found}
    assert {"swings", "structure", "blocks", "major_swings", "inducements"} <= set(named)
    assert all(len(one.table) for one in named.values() if one.clock.name == "bars")
    # Untouched blocks, counted from the table.
    blocks = named["blocks"].table
    born, touched = np.zeros(5000), np.zeros(5000)
    bullish = blocks.direction > 0
    np.add.at(born, blocks.known[bullish], 1)
    gone = np.full(len(blocks), 5000)
    np.minimum.at(gone, blocks.change_event, blocks.change_row)
    np.add.at(touched, gone[bullish & (gone < 5000)], 1)
    assert np.array_equal(np.cumsum(born - touched), inputs["bullish_blocks"])
    if head.trend_mode == "pivots":
        table = named["trend@bars"].table
        column = np.zeros(5000)
        for side, known in zip(table.direction, table.known, strict=True):
            column[known:] = side
        assert np.array_equal(column, inputs["trend@bars"])


@pytest.mark.parametrize("timeframe", ["4h", "1d"])
def test_a_longer_bar_is_seen_after_its_close_only(timeframe: str) -> None:
    bars = random_bars(3000, 12)
    wanted = feature("market_trend", "trend", clock=f"bars:{timeframe}", left=2, right=2)
    matrix = build_features(Market(bars=bars, series={}), [wanted], indicators=INDICATORS_BY_NAME)
    column = matrix.get(wanted)
    assert column is not None
    for t in range(100, 3000, 61):
        upper = resampled(bars.prefix(t + 1), timeframe)
        whole = int((upper.close_time <= bars.close_time[t]).sum())
        gaps = upper.is_gap[:whole].astype(np.float64)
        found = pivot_trend(upper.high[:whole], upper.low[:whole], 2, 2, gaps)
        assert column[t] == found.trend[-1], t


def test_joining_on_the_open_would_be_seen() -> None:
    def early(market: Market, name: str) -> Clock | None:
        clock = clock_of(market, name)
        return clock if clock is None else replace(clock, available_at=clock.event_time)

    bars = random_bars(3000, 12)
    wanted = feature("market_trend", "trend", clock="bars:4h", left=2, right=2)
    market = Market(bars=bars, series={})
    honest = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    leaked = build_features(market, [wanted], indicators=INDICATORS_BY_NAME, clock_builder=early)
    column = leaked.get(wanted)
    assert column is not None
    assert honest is not None
    assert not np.array_equal(honest, column)


def test_hourly_reasons_fire_as_often_as_expected() -> None:
    bars = random_bars(30_000, 13)
    assert bars.step_ns == HOUR_NS
    output = answers(MarketStructureHead(), Market(bars=bars, series={}))
    assert_fires_as_often_as_expected(MarketStructureHead(), output)
