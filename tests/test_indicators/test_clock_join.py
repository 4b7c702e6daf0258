"""Clocks made of several: what is shown on each row, and from when on."""

import numpy as np
import pytest

from engine import HOUR_NS, MINUTE_NS, ConfigError, Market, Series
from indicators import Indicator, Output, build_features, clock_of, feature
from indicators.clock_join import source_of
from tests.generators import START_NS, random_bars


def series(name, hours, lag_ns, max_age_ns=3 * HOUR_NS, **columns):
    event_time = START_NS + HOUR_NS * np.array(hours, dtype=np.int64)
    return Series(
        name=name, max_age_ns=max_age_ns, event_time=event_time, available_at=event_time + lag_ns,
        columns={label: np.array(values, dtype=np.float64) for label, values in columns.items()},
    )  # fmt: skip


def market(**given):
    return Market(bars=random_bars(12, 1), series=given)


def test_bars_show_what_their_close_can_see():
    slow = series("slow", [0, 2, 3], 5 * MINUTE_NS, x=[10.0, 30.0, 40.0])
    clock = clock_of(market(slow=slow), "bars+slow")
    assert clock is not None
    # Bar 1 closes at 2:00, five minutes before the row of 2:00 is known; after 6:00 nothing is left.
    expected = [10, 10, 30, 40, 40, 40, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan]
    np.testing.assert_array_equal(clock.columns["slow.x"], expected)
    np.testing.assert_array_equal(clock.columns["known_at"], clock.available_at)
    hours = (clock.columns["slow.event_time"] - START_NS) / HOUR_NS
    np.testing.assert_array_equal(hours[:6], [0, 0, 2, 3, 3, 3])
    stating = clock.stating(("close", "slow.x"))
    assert stating is not None
    assert len(stating.event_time) == 6


def test_the_same_event_is_known_when_both_are():
    first = series("first", [0, 1, 3, 4], HOUR_NS, x=[1.0, 2.0, 3.0, 4.0])
    second = series("second", [1, 2, 3], 2 * HOUR_NS, max_age_ns=HOUR_NS, x=[5.0, 6.0, 7.0])
    clock = clock_of(market(first=first, second=second), "first&second")
    assert clock is not None
    np.testing.assert_array_equal(clock.event_time, START_NS + HOUR_NS * np.array([1, 3]))
    np.testing.assert_array_equal(clock.available_at, START_NS + HOUR_NS * np.array([3, 5]))
    np.testing.assert_array_equal(clock.columns["x"], [2.0, 3.0])
    np.testing.assert_array_equal(clock.columns["second.x"], [5.0, 7.0])
    assert clock.max_age_ns == HOUR_NS


def test_as_of_binds_less_than_the_same_event():
    first = series("first", range(10), 0, x=range(10))
    second = series("second", range(5), 0, x=range(5))
    clock = clock_of(market(first=first, second=second), "bars+first&second")
    assert clock is not None
    np.testing.assert_array_equal(clock.columns["second.x"][:6], [1, 2, 3, 4, 4, 4])
    np.testing.assert_array_equal(clock.columns["first.x"], clock.columns["second.x"])
    assert source_of("bars+first&second", "second.x") == ("second", "x")


def test_a_part_that_is_missing_leaves_nothing():
    given = market(first=series("first", [0], 0, x=[1.0]))
    for name in ("bars+other", "first&other", "other+first", "bars+first+other"):
        assert clock_of(given, name) is None
    with pytest.raises(ConfigError):
        clock_of(given, "bars:13q+first")


def test_where_a_column_comes_from():
    assert source_of("metrics", "x") == ("metrics", "x")
    assert source_of("bars+metrics", "close") == ("bars", "close")
    assert source_of("bars+metrics:second", "metrics:second.x") == ("metrics:second", "x")
    assert source_of("mark_price&index_price", "close") == ("mark_price", "close")
    assert source_of("bars+metrics", "known_at") == ("bars", "open_time")
    assert source_of("mark_price&index_price", "known_at") == ("mark_price", "event_time")


def test_a_feature_on_a_joined_clock_is_shown_like_any_other():
    slow = series("slow", [2, 5], 0, x=[1.0, 2.0])
    twice = Indicator(
        name="twice", text="", inputs=("slow.x", "close"), parameters=(),
        outputs=(Output("x", "value", "", ""),), only_clock="bars+slow",
        compute=lambda columns, parameters: (2.0 * columns["slow.x"] + 0.0 * columns["close"],),
        lookback=lambda parameters: 0, stable=lambda parameters: 0,
    )  # fmt: skip
    wanted = feature("twice", "x", clock="bars+slow")
    matrix = build_features(market(slow=slow), [wanted], indicators={"twice": twice})
    shown = matrix.get(wanted)
    assert shown is not None
    # The last row of the series is three hours old at 8:00; no bar stands for those after it.
    np.testing.assert_array_equal(shown, [np.nan, 2, 2, 2, 4, 4, 4, 4, *[np.nan] * 4])


def test_a_longer_bar_of_a_joined_clock_is_shown_until_the_next_one_closes():
    slow = series("slow", [2], 0, x=[1.0])
    clock = clock_of(market(slow=slow), "bars:4h+slow")
    assert clock is not None
    same = Indicator(
        name="same", text="", inputs=("slow.x",), parameters=(),
        outputs=(Output("x", "value", "", ""),), compute=lambda columns, parameters: (columns["slow.x"],),
        lookback=lambda parameters: 0, stable=lambda parameters: 0,
    )  # fmt: skip
    wanted = feature("same", "x", clock="bars:4h+slow")
    shown = build_features(market(slow=slow), [wanted], indicators={"same": same}).get(wanted)
    assert shown is not None
    # Known at 4:00, when the first long bar closes; at 8:00 the next one closes and sees nothing.
    np.testing.assert_array_equal(shown, [*[np.nan] * 3, 1, 1, 1, 1, *[np.nan] * 5])


def test_a_row_counts_without_what_it_may_lack():
    slow = series("slow", [2, 5], 0, max_age_ns=HOUR_NS, x=[1.0, 2.0])
    count = Indicator(
        name="count", text="", inputs=("close", "slow.x"), may_lack=("slow.x",), parameters=(),
        outputs=(Output("bars", "value", "", ""), Output("x", "sparse", "", "")),
        only_clock="bars+slow", lookback=lambda parameters: 0, stable=lambda parameters: 12,
        compute=lambda columns, parameters: (np.cumsum(np.ones(len(columns["close"]))), columns["slow.x"]),
    )  # fmt: skip
    wanted = [feature("count", output, clock="bars+slow") for output in ("bars", "x")]
    matrix = build_features(market(slow=slow), wanted, indicators={"count": count})
    np.testing.assert_array_equal(matrix.values[:, 0], np.arange(1, 13))
    nan = np.nan
    expected = [nan, 1, 1, nan, 2, 2, *[nan] * 6]
    np.testing.assert_array_equal(matrix.values[:, 1], expected)
