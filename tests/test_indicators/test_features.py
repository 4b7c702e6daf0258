"""Resampling, as-of joins and the feature matrix against row-by-row searches."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import HOUR_NS, ConfigError, Market, timeframe_ns
from indicators import (
    INDICATORS_BY_NAME,
    build_features,
    clock_of,
    feature,
    last_known_row,
    resampled,
)
from indicators.asof import joined
from tests.generators import random_bars, random_market


@pytest.mark.parametrize("timeframe", ["4h", "1d", "1w"])
def test_resampled_bars_equal_the_pandas_ones(timeframe: str):
    bars = random_bars(1500, 3, gap_share=0.05)
    frame = pd.DataFrame(
        {name: bars.columns()[name] for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(bars.open_time, unit="ns"),
    )
    rule = {"4h": "4h", "1d": "1D", "1w": "W-MON"}[timeframe]
    expected = frame.resample(rule, label="left", closed="left").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    longer = resampled(bars, timeframe)
    opens = expected.index.to_numpy().astype("datetime64[ns]").astype(np.int64)
    whole = opens >= bars.open_time[0]
    np.testing.assert_array_equal(longer.open_time, opens[whole])
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(longer, name), expected[name].to_numpy()[whole])
    # Sums of the same numbers in another order.
    np.testing.assert_allclose(longer.volume, expected["volume"].to_numpy()[whole], rtol=1e-12)


def test_a_timeframe_that_is_no_multiple_is_refused():
    with pytest.raises(ConfigError, match="cannot be built"):
        resampled(random_bars(100, 1, timeframe="4h"), "1h")


def test_too_few_bars_for_a_longer_timeframe_are_missing_data():
    assert clock_of(Market(bars=random_bars(20, 1).prefix(20)), "bars:1w") is None


@settings(max_examples=100, deadline=None)
@given(
    known_at=st.lists(st.integers(0, 50), max_size=30).map(sorted),
    available_at=st.lists(st.integers(0, 50), max_size=30).map(sorted),
)
def test_the_join_never_shows_a_row_before_it_was_available(
    known_at: list[int], available_at: list[int]
):
    rows = last_known_row(
        np.array(known_at, dtype=np.int64), np.array(available_at, dtype=np.int64)
    )
    for now, row in zip(known_at, rows, strict=True):
        visible = [index for index, moment in enumerate(available_at) if moment <= now]
        assert row == (visible[-1] if visible else -1)


@pytest.mark.parametrize("timeframe", ["2h", "4h", "1d"])
def test_a_longer_bar_is_visible_at_its_close_and_not_before(timeframe: str):
    market = random_market(600, 9)
    wanted = feature("atr", "atr", length=3, clock=f"bars:{timeframe}")
    column = build_features(market, [wanted], indicators=INDICATORS_BY_NAME).get(wanted)
    longer = resampled(market.bars, timeframe)
    values, _ = INDICATORS_BY_NAME["atr"].compute(longer.columns(), {"length": 3.0})
    step = timeframe_ns(timeframe)
    for row, now in enumerate(market.bars.close_time):
        closed = [k for k, start in enumerate(longer.open_time) if start + step <= now]
        expected = values[closed[-1]] if closed else np.nan
        np.testing.assert_equal(column[row], expected)


def test_a_series_that_ends_goes_missing_after_its_maximum_age():
    market = random_market(600, 4)
    funding = market.series["funding"]
    ended = Market(
        bars=market.bars, series={"funding": funding.known_at(int(funding.available_at[20]))}
    )
    clock = clock_of(ended, "funding")
    rows = last_known_row(market.bars.close_time, clock.available_at)
    age = market.bars.close_time - clock.event_time[rows]
    assert (age > clock.max_age_ns).any()
    shown = joined(
        clock.columns["rate"], rows, clock.event_time, market.bars.close_time, clock.max_age_ns
    )
    np.testing.assert_array_equal(np.isnan(shown), age > 24 * HOUR_NS)


def test_unknown_names_are_refused_with_what_exists():
    market = random_market(50, 1)
    for wanted, word in (
        (feature("atrr", "atr"), "there is no indicator 'atrr'"),
        (feature("atr", "value"), "no output 'value'"),
        (feature("atr", "atr", period=3), "no parameter 'period'"),
        (feature("atr", "atr", length=2.5), "must be a whole number"),
        (feature("atr", "atr", length=100_000), "must lie in"),
    ):
        with pytest.raises(ConfigError, match=word):
            build_features(market, [wanted], indicators=INDICATORS_BY_NAME)


def test_a_feature_of_a_missing_series_is_no_column():
    market = Market(bars=random_bars(60, 1))
    here, missing = feature("atr", "atr"), feature("atr", "atr", clock="funding")
    matrix = build_features(market, [here, missing], indicators=INDICATORS_BY_NAME)
    assert matrix.features == (here,)
    assert matrix.get(missing) is None
