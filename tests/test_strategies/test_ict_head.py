"""The ICT head on markets: no look-ahead, modes and presets, both clocks, its tables of events."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from engine import HOUR_NS, Bars, ConfigError, Market
from indicators import DETECTORS_BY_NAME, INDICATORS_BY_NAME, build_features, find_events
from strategies import HeadOutput
from strategies.heads.ict import IctHead
from tests.generators import random_bars, random_market
from tests.test_strategies.head_answers import (
    answers,
    assert_abstains_without_its_data,
    assert_fires_as_often_as_expected,
    assert_prefixes_answer_alike,
    assert_takes_its_search_ranges,
    idle_inputs,
    inputs_of,
    reason_shares,
    same,
    with_prices_times,
)

HEADS = (IctHead(), *(IctHead(**variant) for variant in IctHead.VARIANTS))
EVERY = pytest.mark.parametrize("head", HEADS, ids=["default", "seed", "weekend"])


@EVERY
def test_votes_both_ways_and_survives_the_prefix(head: IctHead) -> None:
    whole = assert_prefixes_answer_alike(head, random_market(6000, 8, gap_share=0.02))
    voted = whole.direction != 0
    assert whole.probability[voted].min() >= 0.6
    assert whole.confidence[voted].min() > 0.5
    assert whole.confidence.max() <= 0.95


@EVERY
def test_another_unit_of_price_changes_nothing(head: IctHead) -> None:
    bars = random_bars(2500, 8)
    one = answers(head, Market(bars=bars, series={}))
    other = answers(head, Market(bars=with_prices_times(bars, 8.0), series={}))
    assert same(one, other, len(bars))


@EVERY
def test_every_declared_input_matters_and_no_other(head: IctHead) -> None:
    inputs = inputs_of(head, Market(bars=random_bars(6_000, 8), series={}))
    assert set(inputs.columns) == set(head.features())
    assert not idle_inputs(head, inputs, lambda alias, rows: np.nan if "known" in alias else rows)


@EVERY
def test_abstains_without_its_data(head: IctHead) -> None:
    assert_abstains_without_its_data(head)


@EVERY
def test_parameters_lie_in_their_space(head: IctHead) -> None:
    assert_takes_its_search_ranges(head, Market(bars=random_bars(1500, 2), series={}))


def test_hourly_reasons_fire_as_often_as_expected() -> None:
    bars = random_bars(30_000, 13)
    assert bars.step_ns == HOUR_NS
    output = answers(IctHead(), Market(bars=bars, series={}))
    assert_fires_as_often_as_expected(IctHead(), output)


@pytest.mark.parametrize(("timeframe", "known"), [("1h", 6), ("4h", 5), ("1d", 5)])
def test_ict_without_sessions_on_longer_bars(timeframe: str, known: int) -> None:
    output = answers(IctHead(), Market(bars=random_bars(1500, 8, timeframe=timeframe), series={}))
    assert output.coverage.max() == pytest.approx(known / 6)
    assert output.direction.any()
    bit = [reason.name for reason in IctHead.REASONS].index("kill_zone")
    assert (output.reasons >> np.uint64(bit) & np.uint64(1)).any() == (timeframe == "1h")


def july_and_january(head: IctHead) -> tuple[HeadOutput, HeadOutput, list[int], list[int]]:
    """Two weeks of summer and two of winter, and the minute of the New York day of each bar."""
    outputs, clocks = [], []
    for start in (datetime(2021, 7, 5, tzinfo=UTC), datetime(2021, 1, 4, tzinfo=UTC)):
        bars = random_bars(24 * 14 * 4, 4, timeframe="15m")
        moved = replace(
            bars, open_time=bars.open_time - bars.open_time[0] + int(start.timestamp() * 1e9)
        )
        outputs.append(answers(head, Market(bars=moved, series={})))
        local = [
            (start + timedelta(minutes=15 * t)).astimezone(ZoneInfo("America/New_York"))
            for t in range(len(bars))
        ]
        clocks.append([-1 if m.weekday() >= 5 else m.hour * 60 + m.minute for m in local])
    return outputs[0], outputs[1], clocks[0], clocks[1]


@pytest.mark.parametrize(
    ("head", "windows"),
    [
        (IctHead(), ((120, 300), (420, 720))),
        (IctHead(kill_zones="seed"), ((120, 300), (480, 660))),
    ],
    ids=["common", "seed"],
)
def test_zones_follow_the_clock_of_new_york_in_summer_and_winter(
    head: IctHead, windows: tuple[tuple[int, int], ...]
) -> None:
    summer, winter, *clocks = july_and_january(head)
    bit = [reason.name for reason in head.REASONS].index("kill_zone")
    for output, minutes in zip((summer, winter), clocks, strict=True):
        for t in range(head.warm_up_bars, len(minutes)):
            if minutes[t] < 0 or minutes[t] >= 1200:
                continue
            expected = any(start <= minutes[t] < end for start, end in windows)
            assert bool(int(output.reasons[t]) >> bit & 1) == expected, (t, minutes[t])


def test_weekends_have_zones_only_when_asked() -> None:
    bars = random_bars(24 * 21, 4)
    bit = [reason.name for reason in IctHead.REASONS].index("kill_zone")
    weekday = (bars.open_time // (24 * HOUR_NS) + 3) % 7
    saturday = np.flatnonzero((weekday == 5) & (np.arange(len(bars)) % 24 == 14))
    saturday = saturday[saturday >= IctHead().warm_up_bars]
    for weekend in (False, True):
        output = answers(IctHead(weekend=weekend), Market(bars=bars, series={}))
        shown = output.reasons[saturday] >> np.uint64(bit) & np.uint64(1)
        assert shown.tolist() == [int(weekend)] * len(saturday)
        assert len(saturday) >= 2


@pytest.mark.parametrize(
    ("changed", "aliases"),
    [
        ({"kill_zones": "seed"}, {"kill_zone", "silver_bullet"}),
        ({"swing_mode": "turns"}, {"sweep", "entry", "trend", "block_touch", "range_zone"}),
        ({"break_mode": "wick"}, {"entry", "trend", "block_touch"}),
        ({"block_zone": "body"}, {"block_touch"}),
        ({"range_mode": "rolling"}, {"range_zone"}),
        ({"weekend": True}, {"kill_zone", "judas", "sweep"}),
        ({"judas_needs_shift": True}, {"judas", "new_york_judas"}),
    ],
)
def test_a_mode_changes_what_is_asked_for_and_the_numbers(
    changed: dict[str, object], aliases: set[str], market: Market
) -> None:
    default, other = IctHead(), IctHead(**changed)
    asked, before = other.features(), default.features()
    assert {name for name in asked if asked[name] != before[name]} >= aliases
    wanted = {name: asked[name] for name in aliases}
    matrix = build_features(
        market,
        [*wanted.values(), *(before[name] for name in aliases)],
        indicators=INDICATORS_BY_NAME,
    )
    for name in aliases:
        ours, theirs = matrix.get(asked[name]), matrix.get(before[name])
        assert ours is not None
        assert theirs is not None
        assert not np.array_equal(ours, theirs, equal_nan=True), name


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(bars=random_bars(6000, 8), series={})


@EVERY
def test_the_tables_are_those_that_the_votes_follow_from(head: IctHead, market: Market) -> None:
    found = find_events(market, head.detections().values(), detectors=DETECTORS_BY_NAME)
    tables = {alias: found[wanted].table for alias, wanted in head.detections().items()}
    assert all(len(table) for table in tables.values())
    features = head.features()
    matrix = build_features(market, features.values(), indicators=INDICATORS_BY_NAME)

    def rows_of(alias: str) -> list[int]:
        column = matrix.get(features[alias])
        assert column is not None
        return np.flatnonzero(column).tolist()

    detectors = {alias: wanted.detector for alias, wanted in head.detections().items()}
    assert detectors["swings"] == ("pivot" if head.swing_mode == "pivots" else "directional_change")
    both = tables["judas"].known.tolist()
    assert sorted(rows_of("judas") + rows_of("new_york_judas")) == both
    swept = set(tables["sweeps"].known.tolist())
    assert set(rows_of("sweep")) <= swept
    entered = tables["entries"].change_row[
        tables["entries"].change_state
        == [s.name for s in DETECTORS_BY_NAME["optimal_trade_entry"].states].index("entered")
    ]
    assert set(rows_of("entry")) <= set(entered.tolist())
    assert set(rows_of("shift")) <= set(tables["structure"].known.tolist())


@pytest.mark.parametrize(
    "name", ["kill_zones", "swing_mode", "break_mode", "block_zone", "range_mode"]
)
def test_a_mode_is_one_of_those_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^ict head: {name}='other'"):
        IctHead(**{name: "other"})


def test_hourly_reasons_of_every_variant_fire() -> None:
    bars: Bars = random_bars(20_000, 13)
    for variant in IctHead.VARIANTS:
        head = IctHead(**variant)
        output = answers(head, Market(bars=bars, series={}))
        assert np.mean(output.direction != 0) > 0.2
        for reason, share in reason_shares(head, output).items():
            # A Judas swing with a shift of structure inside its window is rare on hourly bars.
            least = 0.0 if head.judas_needs_shift and reason.startswith("judas") else 0.0005
            assert least <= share <= 0.7, (reason, share)
