"""The ICT, market structure and rules heads: formulas by hand, no look-ahead, inputs that matter."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from engine import HOUR_NS, Bars, ConfigError, Float1D, Market
from indicators import Clock, build_features, clock_of, feature, resampled
from indicators.structure import pivot_trend
from strategies import HeadInputs, HeadOutput
from strategies.heads.ict import IctHead
from strategies.heads.market_structure import CLOCKS, MarketStructureHead
from strategies.heads.rules import RulesHead
from tests.generators import random_bars, random_market

FAMILIES = (
    "pivot", "structure", "fair_value_gap", "order_block", "liquidity", "dealing_range", "session",
    "chart_pattern", "candlestick", "support_resistance", "volume",
)  # fmt: skip
INDICATORS = {
    indicator.name: indicator
    for family in FAMILIES
    for indicator in importlib.import_module(f"indicators.{family}").INDICATORS
}
HEADS = (IctHead(), MarketStructureHead(), RulesHead())
EVERY = pytest.mark.parametrize("head", HEADS, ids=lambda head: head.name)
StructureHead = IctHead | MarketStructureHead | RulesHead


def inputs_of(head: StructureHead, market: Market) -> HeadInputs:
    features = head.features()
    matrix = build_features(market, features.values(), indicators=INDICATORS)
    columns = {alias: matrix.get(wanted) for alias, wanted in features.items()}
    present = {alias: column for alias, column in columns.items() if column is not None}
    return HeadInputs(len(matrix.open_time), present)


def answers(head: StructureHead, market: Market) -> HeadOutput:
    return head.vote(inputs_of(head, market))


def same(one: HeadOutput, other: HeadOutput, rows: int) -> bool:
    names = ("direction", "probability", "confidence", "score", "coverage", "reasons")
    return all(
        np.array_equal(getattr(one, name)[:rows], getattr(other, name)[:rows]) for name in names
    )


def bits(head: StructureHead, output: HeadOutput, row: int) -> set[str]:
    return {
        reason.name
        for bit, reason in enumerate(head.REASONS)
        if int(output.reasons[row]) >> bit & 1
    }


@EVERY
def test_votes_both_ways_and_survives_the_prefix(head: StructureHead) -> None:
    market = random_market(6000, 8, gap_share=0.02)
    whole = answers(head, market)
    assert (whole.direction > 0).sum() > 50
    assert (whole.direction < 0).sum() > 50
    voted = whole.direction != 0
    assert whole.probability[voted].min() >= 0.6
    assert whole.confidence[voted].min() > 0.5
    assert whole.confidence.max() <= 0.95
    assert whole.coverage[0] == 0.0
    fired = np.flatnonzero(np.diff(whole.reasons))
    for cut in {1, 150, 3333, *(fired[:: max(len(fired) // 12, 1)] + 2).tolist()}:
        part = answers(head, Market(bars=market.bars.prefix(cut), series={}))
        assert same(whole, part, cut), cut


@EVERY
def test_another_unit_of_price_changes_nothing(head: StructureHead) -> None:
    bars = random_bars(2500, 8)
    # A power of two scales floats without rounding.
    scaled = replace(
        bars, **{name: 8.0 * getattr(bars, name) for name in ("open", "high", "low", "close")}
    )
    one = answers(head, Market(bars=bars, series={}))
    other = answers(head, Market(bars=scaled, series={}))
    assert same(one, other, len(bars))


@EVERY
def test_every_declared_input_matters_and_no_other(head: StructureHead) -> None:
    # A year and a half, so that four weekly pivots are there.
    market = Market(bars=random_bars(12_000, 8), series={})
    inputs = inputs_of(head, market)
    before = head.vote(inputs)
    assert set(inputs.columns) == set(head.features())
    generator = np.random.default_rng(1)
    for alias, column in inputs.columns.items():
        shuffled = column.copy()
        shuffled[200:] = generator.permutation(shuffled[200:])
        if "known" in alias:
            shuffled[200:] = 0.0 if "@" in alias else np.nan
        elif "@" in alias:
            shuffled[200:] = 1.0
        changed = HeadInputs(inputs.rows, {**inputs.columns, alias: shuffled})
        assert not same(before, head.vote(changed), inputs.rows), alias
    stranger = HeadInputs(inputs.rows, {**inputs.columns, "stranger": np.full(inputs.rows, np.nan)})
    assert same(before, head.vote(stranger), inputs.rows)


@EVERY
def test_abstains_without_its_data(head: StructureHead) -> None:
    absent = head.vote(HeadInputs(20, {}))
    assert not absent.coverage.any()
    assert not absent.direction.any()
    short = answers(head, Market(bars=random_bars(10, 1), series={}))
    assert not short.coverage.any()


@EVERY
def test_parameters_lie_in_their_space(head: StructureHead) -> None:
    for name, space in head.SPACE.items():
        assert space.low <= getattr(head, name) <= space.high, name
        for value in (space.low, space.high):
            changed = replace(head, **{name: int(value) if space.integer else value})
            market = Market(bars=random_bars(1500, 2), series={})
            assert answers(changed, market).direction.shape == (1500,), name


def ict_inputs(rows: int = 170, **events: dict[int, float]) -> HeadInputs:
    """Everything known and nothing happening, but for ``events`` (alias: value by row)."""
    columns = {alias: np.zeros(rows) for alias in IctHead().features()}
    columns["trend"] = np.ones(rows)
    for alias, values in events.items():
        for row, value in values.items():
            columns[alias][row] = value
    return HeadInputs(rows, columns)


def test_ict_sweep_counts_two_and_its_confidence_is_that_of_the_event() -> None:
    head = IctHead()
    output = head.vote(
        ict_inputs(sweep={155: 1.0}, sweep_confidence={155: 0.7, 156: 0.1}, kill_zone={157: 3.0})
    )
    valid = head.sweep_validity_bars
    assert output.direction.tolist() == [155 <= t < 155 + valid for t in range(170)]
    assert output.probability[155] == 0.8
    assert output.confidence[155] == pytest.approx(1.2 * 0.7)
    assert output.confidence[156] == pytest.approx(1.2 * 0.7)
    assert output.confidence[157] == 0.95
    assert bits(head, output, 157) == {"sweep_up", "kill_zone"}


def test_ict_mean_confidence_points_and_the_silver_bullet() -> None:
    head = IctHead()
    output = head.vote(
        ict_inputs(
            entry={160: -1.0}, judas={160: -1.0}, judas_strength={160: 0.4},
            gap_reaction={161: 1.0}, silver_bullet={161: 1.0}, kill_zone={161: 2.0},
        )
    )  # fmt: skip
    judas = 0.65 + 0.25 * 0.4
    assert output.direction[160] == -1
    assert output.probability[160] == pytest.approx(0.8)
    assert output.confidence[160] == pytest.approx((0.75 + judas) / 2)
    assert output.score[160] == pytest.approx(50.0 - 50.0 * 2 / 6)
    assert output.direction[161] == -1
    assert output.confidence[161] == pytest.approx(1.1 * (0.75 + judas) / 2)
    assert output.score[161] == pytest.approx(50.0 - 50.0 / 6)


def test_ict_ties_do_not_vote_and_blocks_need_the_trend() -> None:
    head = IctHead()
    tie = head.vote(ict_inputs(entry={160: 1.0}, gap_reaction={160: -1.0}))
    assert tie.direction[160] == 0
    assert bits(head, tie, 160) == {"entry_up", "gap_down"}
    touch = head.vote(ict_inputs(block_touch={155: 1.0, 160: -1.0}, balanced_touch={164: 1.0}))
    assert touch.direction[155] == 1
    assert touch.direction[160] == 0
    assert bits(head, touch, 155) == {"block_up"}
    assert bits(head, touch, 164) == {"balanced_up"}


def test_ict_warm_up_and_missing_families() -> None:
    early = IctHead().vote(ict_inputs(entry={149: 1.0}))
    assert early.coverage[149] == 0
    assert early.direction[149] == 0
    assert early.direction[150] == 1
    inputs = ict_inputs(entry={160: 1.0})
    inputs.columns["entry_known"][:] = np.nan
    without = IctHead().vote(inputs)
    assert without.coverage[160] == pytest.approx(5 / 6)
    assert without.direction[160] == 0


@pytest.mark.parametrize(("timeframe", "known"), [("1h", 6), ("4h", 5), ("1d", 5)])
def test_ict_without_sessions_on_longer_bars(timeframe: str, known: int) -> None:
    output = answers(IctHead(), Market(bars=random_bars(1500, 8, timeframe=timeframe), series={}))
    assert output.coverage.max() == pytest.approx(known / 6)
    assert output.direction.any()
    bit = [reason.name for reason in IctHead.REASONS].index("kill_zone")
    assert (output.reasons >> np.uint64(bit) & np.uint64(1)).any() == (timeframe == "1h")


@pytest.mark.parametrize(("timeframe", "weight"), [("4h", 0.7), ("1d", 0.4)])
def test_a_timeframe_below_the_next_one_is_missing_not_counted_twice(
    timeframe: str, weight: float
) -> None:
    market = Market(bars=random_bars(3000, 8, timeframe=timeframe), series={})
    inputs = inputs_of(MarketStructureHead(), market)
    longer = {"4h": {"bars:1d", "bars:1w"}, "1d": {"bars:1w"}}[timeframe]
    there = {alias.split("@")[1] for alias in inputs.columns if alias.startswith("trend@")}
    assert there == {"bars"} | longer
    output = MarketStructureHead().vote(inputs)
    assert output.coverage.max() == pytest.approx(weight)
    assert output.direction.any() == (weight >= 0.6)
    moved = MarketStructureHead(weight_4h=0.0, weight_1d=0.0, weight_1w=0.3).vote(inputs)
    assert moved.coverage.max() == pytest.approx(1.0)
    assert {-1, 1} <= set(moved.direction.tolist())


def structure_inputs(trends: tuple[float, ...], **columns: float) -> HeadInputs:
    """Two rows with one trend for each clock; NaN for a timeframe that is not known yet."""
    values = {"position": 0.5, "bullish_blocks": 0, "bearish_blocks": 0, "breaker_touch": 0}
    values |= columns
    for clock, trend in zip(CLOCKS, trends, strict=True):
        values[f"trend@{clock}"] = 0.0 if np.isnan(trend) else trend
        values[f"known@{clock}"] = float(not np.isnan(trend))
    return HeadInputs(2, {alias: np.full(2, float(value)) for alias, value in values.items()})


NAN = float("nan")


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
        ((1, 1, 0, 0), {}, 0, 0.5, 0.0),
        ((1, 1, 0, 0), {"breaker_touch": -1}, -1, 0.75, 0.75),
        ((1, 1, 1, 0), {"breaker_touch": -1}, 1, 0.86, 0.86),
        ((1, 1, 1, NAN), {}, 1, 0.9, 0.90),
        ((1, 1, NAN, NAN), {}, 0, 0.5, 0.0),
        ((1, 1, NAN, NAN), {"breaker_touch": 1}, 0, 0.5, 0.0),
    ],
)
def test_market_structure_vote(
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


def test_a_share_of_exactly_three_quarters_is_aligned() -> None:
    head = MarketStructureHead(weight_bars=0.25, weight_4h=0.35, weight_1d=0.4, weight_1w=0.0)
    assert head.vote(structure_inputs((0, 1, 1, 0))).direction[1] == 1
    assert head.vote(structure_inputs((1, 1, 0, 0))).direction[1] == 0


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match="weight_1d"):
        MarketStructureHead(weight_1d=-0.1)
    with pytest.raises(ConfigError, match="positive"):
        MarketStructureHead(weight_bars=0, weight_4h=0, weight_1d=0, weight_1w=0)


@pytest.mark.parametrize("timeframe", ["4h", "1d"])
def test_a_longer_bar_is_seen_after_its_close_only(timeframe: str) -> None:
    bars = random_bars(3000, 12)
    wanted = feature("market_trend", "trend", clock=f"bars:{timeframe}", left=2, right=2)
    matrix = build_features(Market(bars=bars, series={}), [wanted], indicators=INDICATORS)
    column = matrix.get(wanted)
    assert column is not None
    for t in range(100, 3000, 61):
        upper = resampled(bars.prefix(t + 1), timeframe)
        whole = int((upper.close_time <= bars.close_time[t]).sum())
        gaps = upper.is_gap[:whole].astype(np.float64)
        trend, _ = pivot_trend(upper.high[:whole], upper.low[:whole], 2, 2, gaps)
        assert column[t] == trend[-1], t


def test_joining_on_the_open_would_be_seen() -> None:
    def early(market: Market, name: str) -> Clock | None:
        clock = clock_of(market, name)
        return clock if clock is None else replace(clock, available_at=clock.event_time)

    bars = random_bars(3000, 12)
    wanted = feature("market_trend", "trend", clock="bars:4h", left=2, right=2)
    market = Market(bars=bars, series={})
    honest = build_features(market, [wanted], indicators=INDICATORS).get(wanted)
    leaked = build_features(market, [wanted], indicators=INDICATORS, clock_builder=early)
    column = leaked.get(wanted)
    assert column is not None
    assert honest is not None
    assert not np.array_equal(honest, column)


def rules_inputs(rows: int = 30, **events: dict[int, float]) -> HeadInputs:
    """Known levels far away and usual volume, but for ``events`` (alias: value by row)."""
    columns = {alias: np.zeros(rows) for alias in RulesHead().features()}
    columns["relative_volume"] = np.ones(rows)
    for alias, values in events.items():
        for row, value in values.items():
            columns[alias][row] = value
    return HeadInputs(rows, columns)


def test_rules_count_patterns_at_a_level_only() -> None:
    head = RulesHead(warm_up_bars=0)
    candle = {"candles_up": {10: 1.0}, "strength_up": {10: 0.8}}
    assert not head.vote(rules_inputs(**candle)).direction.any()
    output = head.vote(rules_inputs(**candle, near_count={10: 1.0}))
    assert output.direction.tolist() == [10 <= t < 15 for t in range(30)]
    assert output.probability[12] == pytest.approx(0.68)
    assert output.confidence[12] == pytest.approx((0.70 + 0.20 * 0.8) * 0.85)


@pytest.mark.parametrize(
    ("volume", "factor"), [(1.19, 0.85), (1.2, 0.95), (1.49, 0.95), (1.5, 1.0)]
)
def test_rules_volume(volume: float, factor: float) -> None:
    output = RulesHead(warm_up_bars=0).vote(
        rules_inputs(double={10: -1.0}, near_count={10: 2.0}, relative_volume={10: volume})
    )
    assert output.direction[10] == output.direction[19] == -1
    assert output.direction[20] == 0
    assert output.confidence[10] == pytest.approx(0.90 * factor)


def test_rules_two_full_patterns_and_the_majority() -> None:
    head = RulesHead(warm_up_bars=0)
    output = head.vote(
        rules_inputs(
            candles_up={10: 2.0}, strength_up={10: 1.0}, candles_down={11: 1.0},
            strength_down={11: 1.0}, near_count={10: 1.0, 11: 1.0}, relative_volume={10: 2.0},
        )
    )  # fmt: skip
    assert output.direction[11] == 1
    assert output.probability[11] == pytest.approx(0.76)
    assert output.confidence[11] == pytest.approx(0.95)
    assert output.score[11] == pytest.approx(50 + 50 / 3)
    assert bits(head, output, 11) == {"candle_up", "candle_down", "full_volume"}
    tie = head.vote(
        rules_inputs(
            candles_up={10: 1.0}, candles_down={10: 1.0}, near_count={10: 1.0},
        )
    )  # fmt: skip
    assert not tie.direction.any()


def test_rules_do_not_vote_in_the_first_two_hundred_rows() -> None:
    every = dict.fromkeys(range(300), 1.0)
    inputs = rules_inputs(300, candles_up=every, strength_up=every, near_count=every)
    output = RulesHead().vote(inputs)
    assert output.direction.tolist() == output.coverage.tolist() == [0] * 200 + [1] * 100
    assert not output.reasons[:200].any()


def test_rules_coverage() -> None:
    inputs = rules_inputs()
    inputs.columns["chart_known"][:10] = np.nan
    inputs.columns["relative_volume"][:5] = np.nan
    coverage: Float1D = RulesHead(warm_up_bars=0).vote(inputs).coverage
    assert coverage[[0, 5, 10]].tolist() == pytest.approx([0.0, 0.6, 1.0])


def test_hourly_reasons_fire_as_often_as_expected() -> None:
    bars: Bars = random_bars(30_000, 13)
    market = Market(bars=bars, series={})
    assert bars.step_ns == HOUR_NS
    for head in HEADS:
        output = answers(head, market)
        rate = np.mean(output.direction != 0)
        assert head.FIRING_RATE[0] <= rate <= head.FIRING_RATE[1], (head.name, rate)
        for bit, reason in enumerate(head.REASONS):
            share = np.mean(output.reasons >> np.uint64(bit) & np.uint64(1))
            assert reason.firing_rate[0] <= share <= reason.firing_rate[1], (reason.name, share)
