"""The newest rows from bounded windows are those of the whole history."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, ConfigError, Market
from experiments.checks.markets import null_market
from experiments.checks.start import TOLERANCE, output_scale
from experiments.checks.subjects import head_features, native_clock
from indicators import (
    INDICATORS,
    INDICATORS_BY_NAME,
    Clock,
    FeatureMatrix,
    Indicator,
    Output,
    build_features,
    clock_of,
    feature,
    latest,
    latest_features,
)
from indicators.clock_tail import ClockTails
from strategies import HEADS
from tests.latest_markets import HARD_HOURS, hard_market

YEAR_HOURS = 8_760
SUMS_TOLERANCE = 1e-9
"""Sums over a window are added up in blocks whose borders depend on the first row."""

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in")


def listed_features(market: Market):
    """Every output of every listed indicator at its defaults, and what the heads ask for."""
    outputs = [
        feature(indicator.name, output.name, clock=str(native_clock(indicator, market)))
        for indicator in INDICATORS
        for output in indicator.outputs
    ]
    return tuple(dict.fromkeys((*outputs, *head_features([head() for head in HEADS]))))


def kind_of(one) -> str:
    indicator = INDICATORS_BY_NAME[
        one.feature.indicator if hasattr(one, "feature") else one.indicator
    ]
    return indicator.outputs[indicator.output_index(one.output)].kind


def differences(
    found: FeatureMatrix, batch: FeatureMatrix, last: int, tolerance: float
) -> list[str]:
    """What is not equal in the rows of ``found`` and those that end with row ``last`` of ``batch``."""
    wrong = []
    rows = len(found.open_time)
    part = slice(last + 1 - rows, last + 1)
    np.testing.assert_array_equal(found.known_at, batch.known_at[part])
    for position, one in enumerate(batch.features):
        whole = batch.values[:, position]
        column = found.get(one)
        if column is None:
            column = np.full(rows, 0.0 if kind_of(one) in ("signal", "state") else np.nan)
        if kind_of(one) in ("signal", "state"):
            equal = column == whole[part]
        else:
            with np.errstate(invalid="ignore"):
                equal = np.abs(column - whole[part]) <= tolerance * output_scale(whole)
            equal |= np.isnan(column) & np.isnan(whole[part])
        if not equal.all():
            wrong.append(f"{one} on bar {last}: {column} instead of {whole[part]}")
    return wrong


@pytest.fixture(scope="module")
def year():
    market = null_market(YEAR_HOURS, 17)
    features = listed_features(market)
    return market, build_features(market, features, indicators=INDICATORS_BY_NAME)


@pytest.fixture(scope="module")
def hard():
    market = hard_market(23)
    features = head_features([head() for head in HEADS])
    return market, build_features(market, features, indicators=INDICATORS_BY_NAME)


@pytest.mark.parametrize(
    ("extra_rows", "tolerance"), [(latest.MOST_EXTRA_ROWS, SUMS_TOLERANCE), (0, TOLERANCE)]
)
def test_every_listed_indicator_over_a_year(year, monkeypatch, extra_rows, tolerance):
    """Without extra rows this says that every declared ``stable`` is long enough."""
    monkeypatch.setattr(latest, "MOST_EXTRA_ROWS", extra_rows)
    market, batch = year
    cuts = np.random.default_rng(extra_rows).integers(1, YEAR_HOURS + 1, 25)
    wrong: list[str] = []
    for cut in (1, 2, 30, 700, *cuts, YEAR_HOURS):
        part = market.prefix(int(cut))
        rows = min(2, int(cut))
        found = latest_features(part, batch.features, indicators=INDICATORS_BY_NAME, rows=rows)
        wrong += differences(found, batch, int(cut) - 1, tolerance)
    assert not wrong, f"{len(wrong)} differ, first: {wrong[:5]}"


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, HARD_HOURS), rows=st.sampled_from([1, 1, 5, 60]))
def test_gaps_holes_dense_and_late_series(hard, cut, rows):
    market, batch = hard
    found = latest_features(
        market.prefix(cut), batch.features, indicators=INDICATORS_BY_NAME, rows=rows
    )
    wrong = differences(found, batch, cut - 1, SUMS_TOLERANCE)
    assert not wrong, f"{len(wrong)} differ, first: {wrong[:5]}"


def test_a_history_shorter_than_every_window_gives_the_batch_exactly(hard):
    market, whole = hard
    part = market.prefix(60)
    wanted = [
        one
        for one in whole.features
        if INDICATORS_BY_NAME[one.indicator].stable(
            INDICATORS_BY_NAME[one.indicator].resolved(dict(one.parameters))
        )
        >= 60
        and one.clock == "bars"
    ]
    assert len(wanted) > 50
    batch = build_features(part, wanted, indicators=INDICATORS_BY_NAME)
    found = latest_features(part, wanted, indicators=INDICATORS_BY_NAME, rows=60)
    assert found.features == batch.features
    np.testing.assert_array_equal(found.values, batch.values)


def test_as_many_rows_as_there_are_bars(year):
    market, batch = year
    part = market.prefix(40)
    found = latest_features(part, batch.features[:3], indicators=INDICATORS_BY_NAME, rows=1_000)
    assert found.values.shape == (40, 3)
    with pytest.raises(ConfigError, match="rows=0 must be at least 1"):
        latest_features(part, batch.features[:3], indicators=INDICATORS_BY_NAME, rows=0)


def recording(seen: list[int], stable: int) -> Indicator:
    """The number itself, noting how many rows it was computed on."""

    def compute(columns, parameters):
        seen.append(len(columns["count_long_short_ratio"]))
        return (columns["count_long_short_ratio"],)

    return Indicator(
        name="recording",
        text="",
        inputs=("count_long_short_ratio",),
        parameters=(),
        outputs=(Output("value", "value", "", ""),),
        compute=compute,
        lookback=lambda parameters: 0,
        stable=lambda parameters: stable,
    )


def test_an_indicator_is_computed_on_its_window_only(year):
    market, _ = year
    seen: list[int] = []
    indicator = recording(seen, 20)
    one = feature("recording", "value", clock="metrics")
    found = latest_features(market, [one], indicators={"recording": indicator})
    metrics = market.series["metrics"]
    visible = int(np.searchsorted(metrics.available_at, market.bars.close_time[-1], side="right"))
    assert seen == [41]
    assert found.values[0, 0] == metrics.columns["count_long_short_ratio"][visible - 1]


def test_what_no_bar_has_seen_yet_is_missing_and_what_nobody_states_is_absent(hard):
    market, _ = hard
    indicator = recording([], 20)
    one = feature("recording", "value", clock="metrics")
    known = int(market.bars.close_time[0]) - 60 * 24 * HOUR_NS
    series = dict(market.series)
    part = Market(bars=market.bars.prefix(5), series=series)
    # Rows that are known only after the fifth bar: a column, with nothing in it yet.
    metrics = series["metrics"]
    later = metrics.available_at > part.bars.close_time[-1]
    for kept, present in ((later, True), (metrics.event_time < known, False)):
        cut = type(metrics)(
            name="metrics",
            max_age_ns=metrics.max_age_ns,
            event_time=metrics.event_time[kept],
            available_at=metrics.available_at[kept],
            columns={name: column[kept] for name, column in metrics.columns.items()},
        )
        series["metrics"] = cut
        if not present:
            del series["metrics"]
        asked = {"indicators": {"recording": indicator}}
        batch = build_features(part, [one], **asked)
        found = latest_features(part, [one], **asked)
        assert found.features == batch.features == ((one,) if present else ())
        assert np.isnan(found.values).all()


CLOCKS = (
    "bars",
    "bars:4h",
    "bars:1d",
    "bars:1w",
    "metrics",
    "funding",
    "universe",
    "benchmark",
    "bars+metrics",
    "bars+metrics+funding",
    "mark_price&index_price",
    "bars+mark_price&index_price",
)


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(CLOCKS),
    cut=st.integers(1, HARD_HOURS),
    count=st.integers(1, 400),
)
def test_a_tail_is_the_end_of_its_clock(hard, name, cut, count):
    market = hard[0].prefix(cut)
    whole = clock_of(market, name)
    found, is_whole = ClockTails(market).tail(name, count)
    if whole is None or found is None:
        assert found is whole
        return
    if not is_whole:
        assert len(found.event_time) >= count
        assert int(found.available_at[-1]) <= int(market.bars.close_time[-1])
        whole = ended(whole, int(market.bars.close_time[-1]))
    assert_is_end(found, whole)


def ended(clock: Clock, now: int) -> Clock:
    known = int(np.searchsorted(clock.available_at, now, side="right"))
    columns = {name: column[:known] for name, column in clock.columns.items()}
    return Clock(
        clock.name, clock.event_time[:known], clock.available_at[:known], columns, clock.max_age_ns
    )


def assert_is_end(found: Clock, whole: Clock) -> None:
    first = len(whole.event_time) - len(found.event_time)
    assert first >= 0
    np.testing.assert_array_equal(found.event_time, whole.event_time[first:])
    np.testing.assert_array_equal(found.available_at, whole.available_at[first:])
    assert set(found.columns) == set(whole.columns)
    assert found.max_age_ns == whole.max_age_ns
    for name, column in whole.columns.items():
        np.testing.assert_array_equal(found.columns[name], column[first:], err_msg=name)
