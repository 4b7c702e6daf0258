"""Warm-up in rows of the matrix: as declared, as counted by hand, as seen."""

import numpy as np
import pytest

from engine import Market
from experiments import RunConfig
from experiments.features.definitions import ColumnDefinition, MarketDefinitions
from experiments.features.keeping import read_matrix
from indicators import INDICATORS_BY_NAME, feature

from .conftest import Build, ConfigOf


def defined(market: Market, indicator: str, output: str, clock: str, **parameters: float):
    found = MarketDefinitions(market, INDICATORS_BY_NAME).of(
        feature(indicator, output, clock=clock, **parameters)
    )
    assert isinstance(found, ColumnDefinition)
    return found


def test_the_first_number_of_every_value_is_on_the_row_that_is_stated(
    heads_config: RunConfig, build: Build
):
    (made,) = build(heads_config)
    table = read_matrix(made.path)
    looked_at = 0
    for one in made.columns:
        if one.output.kind != "value":
            continue
        known = np.flatnonzero(~np.isnan(table.column(one.name).to_numpy()))
        if one.lookback is None or one.lookback >= made.rows:
            assert known.size == 0, one.name
            continue
        assert known[0] == one.lookback, one.name
        looked_at += 1
    assert looked_at > 25


@pytest.mark.parametrize(
    ("clock", "skip", "expected"),
    [
        ("bars", 0, 5),
        # The sixth bar of four hours closes with the 24th hour.
        ("bars:4h", 0, 23),
        # The first three hours belong to a bar that began before the data.
        ("bars:4h", 1, 26),
        ("bars:1d", 0, 6 * 24 - 1),
        ("bars:1d", 1, 6 * 24 - 1 + 23),
    ],
)
def test_rows_of_longer_bars_are_counted_by_hand(
    market: Market, clock: str, skip: int, expected: int
):
    from experiments.checks.altered import window

    later = window(market, skip, len(market.bars))
    assert defined(later, "rsi", "rsi", clock, length=5).lookback == expected


def test_a_warm_up_beyond_the_data_is_counted_all_the_same(market: Market):
    found = defined(market, "rsi", "rsi", "bars:1w", length=50)
    # 2021-01-01 was a Friday: the first week begins on the Monday after.
    assert found.lookback == 3 * 24 + 51 * 168 - 1 > len(market.bars)


def test_rows_of_a_slow_series_count_from_when_they_were_known(market: Market):
    found = defined(market, "funding_sentiment", "score", "funding", length=30)
    indicator = INDICATORS_BY_NAME["funding_sentiment"]
    rates = market.series["funding"]
    for stated, count in (
        (found.lookback, indicator.lookback(found.parameters)),
        (found.stable, indicator.stable(found.parameters)),
    ):
        by_hand = next(
            (
                row
                for row, now in enumerate(market.bars.close_time.tolist())
                if sum(moment <= now for moment in rates.available_at.tolist()) > count
            ),
            None,
        )
        assert stated == by_hand


def test_a_column_that_never_warms_up_is_told(config_with: ConfigOf, build: Build):
    (made,) = build(config_with("rsi.rsi(length=5)", "rsi.rsi(length=50)@bars:1w"))
    assert [one.name for one in made.warming_up] == ["rsi.rsi(length=50)@bars:1w"]
