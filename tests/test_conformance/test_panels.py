"""Features across symbols under the checks, and the mistakes that these must catch there."""

from dataclasses import replace

import numpy as np
import pytest

from engine import DAY_NS, HOUR_NS, Market
from experiments.checks.altered import wild_future, window
from experiments.checks.disturbed import disturbed_market, raw_columns
from experiments.checks.fine_bars import aggregated_bars, null_fine_bars
from experiments.checks.markets import null_market
from experiments.checks.panels import disturbed_panel, null_panels, panel_columns
from experiments.checks.poison import check_subject_poison
from experiments.checks.prefix import check_subject_prefix
from experiments.checks.report import CheckRow
from experiments.checks.subjects import ClockBuilder, Rows, Subject, feature_subject
from experiments.checks.timeframe import check_timeframe_rebuild
from indicators import INDICATORS_BY_NAME, Clock, Feature, clock_of, feature
from indicators.altcoin_season import ALTCOIN_SEASON
from indicators.rotation import LAYER_ROTATION
from tests.test_conformance.leaked_twins import early_series_clock

HOURS, SEED = 3_000, 7
ACROSS: tuple[Feature, ...] = (
    *(feature("altcoin_season", one.name, clock="universe") for one in ALTCOIN_SEASON.outputs),
    *(feature("layer_rotation", one.name, clock="universe") for one in LAYER_ROTATION.outputs),
    feature("sector_season", "defi", clock="universe"),
    feature("benchmark_beta", "value", clock="universe"),
    feature("benchmark_correlation", "value", clock="benchmark"),
)


@pytest.fixture(scope="module")
def market() -> Market:
    return null_market(HOURS, SEED)


def subject(clock_builder: ClockBuilder = clock_of) -> Subject:
    return feature_subject(ACROSS, INDICATORS_BY_NAME, clock_builder)


def failed(rows: list[CheckRow]) -> set[str]:
    return {row.subject for row in rows if not row.passed}


def test_every_feature_is_there_and_sound(market: Market) -> None:
    assert set(subject()(market)) == {str(one) for one in ACROSS}
    prefix = check_subject_prefix(subject(), market, event_cuts=60, other_cuts=30)
    assert failed(prefix) == set()
    assert failed(check_subject_poison(subject(), market, count=12)) == set()


def test_a_day_shown_before_it_has_ended_is_caught(market: Market) -> None:
    leaky = subject(early_series_clock)
    rows = check_subject_prefix(leaky, market, event_cuts=60, other_cuts=30)
    assert failed(rows) == {str(one) for one in ACROSS}


def coins_of_today(market: Market, name: str) -> Clock | None:
    """The classic error: who is compared is who is a member on the last day."""
    clock = clock_of(market, name)
    if clock is None or name != "universe":
        return clock
    today = np.tile(clock.columns["member"][-1:], (len(clock.event_time), 1))
    return replace(clock, columns={**clock.columns, "member": today})


def test_the_universe_of_today_is_caught(market: Market) -> None:
    wanted = [feature("altcoin_season", "index", clock="universe")]
    leaky = feature_subject(wanted, INDICATORS_BY_NAME, coins_of_today)
    rows = check_subject_prefix(leaky, market, event_cuts=40, other_cuts=20)
    assert failed(rows) == {str(wanted[0])}


def test_rebuilding_the_bars_gives_the_same_rows() -> None:
    fine = null_fine_bars(2_000, SEED)
    bars = aggregated_bars(fine, "1h")
    assert bars is not None
    panels = null_panels(bars.open_time, HOUR_NS, SEED, history_rows=1_500)

    def rows(market: Market, clock_builder: ClockBuilder) -> Rows:
        return subject(clock_builder)(market)

    checked = check_timeframe_rebuild(rows, fine, {}, "1h", panels=panels, count=20, all_move=True)
    assert {row.subject for row in checked} == {str(one) for one in ACROSS}
    assert failed(checked) == set()


def test_late_days_move_the_features(market: Market) -> None:
    panel = market.panels["universe"]
    late = replace(panel, available_at=panel.available_at + DAY_NS, max_age_ns=4 * DAY_NS)
    whole = subject()(market)
    moved = subject()(replace(market, panels={**market.panels, "universe": late}))
    for one in ACROSS:
        if one.clock == "universe":
            np.testing.assert_array_equal(moved[str(one)][24:], whole[str(one)][:-24])


def test_without_panels_the_features_are_missing(market: Market) -> None:
    assert subject()(replace(market, panels={})) == {}
    universe = market.panels["universe"]
    strange = {"universe": replace(universe, own=None)}
    names = set(subject()(replace(market, panels=strange)))
    assert names == {
        str(one)
        for one in ACROSS
        if one.clock == "universe" and not one.indicator.startswith("benchmark")
    }


def test_a_panel_that_ends_is_missing_and_not_a_constant(market: Market) -> None:
    panel = market.panels["universe"]
    end_ns = int(market.bars.close_time[1_000])
    ended = replace(market, panels={"universe": panel.known_at(end_ns)})
    rows = subject()(ended)
    index = rows[str(feature("altcoin_season", "index", clock="universe"))]
    band = rows[str(feature("altcoin_season", "band", clock="universe"))]
    assert not np.isnan(index[:1_000]).any()
    assert np.isnan(index[1_100:]).all()
    assert (band[1_100:] == 0).all()


def test_a_wild_future_and_a_window_keep_the_past(market: Market) -> None:
    now = int(market.bars.close_time[999])
    shown = window(market, 100, 1_000)
    changed = wild_future(market, 1_000, 1)
    for name, panel in market.panels.items():
        known, wild = panel.known_at(now), changed.panels[name].known_at(now)
        assert (shown.panels[name].available_at <= now).all()
        for label, table in known.columns.items():
            np.testing.assert_array_equal(wild.columns[label], table)
            np.testing.assert_array_equal(shown.panels[name].columns[label], table)
        later = len(known.event_time)
        before, after = (
            panel.columns["close"][later:],
            changed.panels[name].columns["close"][later:],
        )
        assert (after[~np.isnan(after)] != before[~np.isnan(after)]).all()


def test_disturbing_a_column_changes_that_column_alone(market: Market) -> None:
    panel = market.panels["universe"]
    assert {("universe", name) for name in panel_columns(panel)} <= set(raw_columns(market))
    for column in panel_columns(panel):
        if column in ("event_time", "is_benchmark"):
            continue
        changed = disturbed_panel(panel, column, 1)
        found = {
            name
            for name in panel.columns
            if not np.array_equal(changed.columns[name], panel.columns[name], equal_nan=True)
        }
        name = "close" if column == "benchmark_close" else column.removeprefix("own_")
        assert found <= {name}
        if column not in ("own_member", "own_age"):
            assert found == {name}
        kept = [] if column.startswith(("own_", "benchmark_")) else [panel.own, panel.benchmark]
        for coin in kept:
            np.testing.assert_array_equal(
                changed.columns[name][:, coin], panel.columns[name][:, coin]
            )
    torn = disturbed_market(market, ("universe", "event_time"), 1).panels["universe"]
    assert (torn.available_at >= torn.event_time).all()
    assert disturbed_panel(panel, "is_benchmark", 1).own == panel.benchmark
