"""A slow series whose rows lack some of their columns: each indicator runs on the rows it can read."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import HOUR_NS, Bars, ConfigError, DataError, Market, Series
from indicators import build_features, clock_of, feature, premium
from tests.generators import random_bars

PREMIUM = {indicator.name: indicator for indicator in premium.INDICATORS}
RATIO = "count_long_short_ratio"
OTHER = "sum_open_interest"


def hourly(bars: Bars, columns: dict[str, np.ndarray], name: str = "metrics") -> Series:
    return Series(
        name=name,
        max_age_ns=3 * HOUR_NS,
        event_time=bars.open_time,
        available_at=bars.open_time + HOUR_NS // 12,
        columns=columns,
    )


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.integers(0, 99))
def test_a_row_that_lacks_an_input_is_no_row_for_the_indicator(
    stated: list[bool], seed: int
) -> None:
    bars = random_bars(40, seed)
    generator = np.random.default_rng(seed)
    ratio = np.where(stated, np.exp(generator.standard_normal(40)), np.nan)
    whole = hourly(bars, {RATIO: ratio, OTHER: np.ones(40)})
    market = Market(bars=bars, series={"metrics": whole})
    clock = clock_of(market, "metrics")
    assert clock is not None
    reading = clock.stating((RATIO,))
    if not any(stated):
        assert reading is None
        return
    assert reading is not None
    expected = [row for row in range(40) if not math.isnan(ratio[row])]
    np.testing.assert_array_equal(reading.event_time, bars.open_time[expected])
    np.testing.assert_array_equal(reading.available_at, whole.available_at[expected])
    np.testing.assert_array_equal(reading.columns[OTHER], np.ones(len(expected)))
    other = clock.stating((OTHER,))
    assert other is clock


def test_the_last_stated_row_is_shown_until_it_is_too_old() -> None:
    bars = random_bars(12, 3)
    values = np.full(12, np.nan)
    values[2] = -4e-3
    market = Market(
        bars=bars, series={"premium_index": hourly(bars, {"close": values}, "premium_index")}
    )
    wanted = feature("premium", "percent", clock="premium_index")
    column = build_features(market, [wanted], indicators=PREMIUM).get(wanted)
    assert column is not None
    known = [row for row in range(12) if not math.isnan(column[row])]
    # Known five minutes after it is made, shown for three hours after its time.
    assert known == [2, 3, 4]
    assert column[2] == pytest.approx(-0.4)


def test_a_column_nobody_states_is_an_absent_column() -> None:
    bars = random_bars(12, 3)
    empty = hourly(bars, {"close": np.full(12, np.nan)}, "premium_index")
    wanted = feature("premium", "percent", clock="premium_index")
    matrix = build_features(
        Market(bars=bars, series={"premium_index": empty}), [wanted], indicators=PREMIUM
    )
    assert matrix.features == ()


def test_an_indicator_for_one_clock_is_refused_on_another() -> None:
    market = Market(bars=random_bars(12, 3))
    wanted = feature("premium", "percent")
    with pytest.raises(ConfigError, match="premium is computed on clock premium_index only"):
        build_features(market, [wanted], indicators=PREMIUM)


def test_a_series_may_lack_values_but_not_be_infinite() -> None:
    bars = random_bars(5, 1)
    series = hourly(bars, {RATIO: np.array([1.0, np.nan, 2.0, 3.0, np.nan])})
    assert np.isnan(series.known_at(int(bars.close_time[1])).columns[RATIO][1])
    with pytest.raises(DataError, match="row 2: count_long_short_ratio must not be infinite"):
        replace(series, columns={RATIO: np.array([1.0, 1.0, np.inf, 1.0, 1.0])})
