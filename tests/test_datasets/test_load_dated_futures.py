"""The dated future of the moment and its index, against a search through every row."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets import (
    DatasetKey,
    FurtherSources,
    Instrument,
    NoBarsError,
    Store,
    market_series_datasets,
)
from engine import DAY_NS, HOUR_NS, DataError, Series
from tests.test_datasets.further_series import BARS, FUTURES, HOURS, SPOT, loaded, write_spot
from tests.test_datasets.sample_files import START_NS, bar_table

PRICES = ("open", "high", "low", "close")


class Bar(NamedTuple):
    """Hour of the open, hours after the close at which it is known, close, volume."""

    hour: int
    delay: int
    close: float
    volume: float = 1.0


def write_contract(
    store: Store,
    symbol: str,
    expiry_hour: int,
    bars: Sequence[Bar],
    *,
    step: str = "1h",
    market: str = "um_future",
    source: str = "test",
) -> None:
    step_hours = {"1h": 1, "4h": 4, "1d": 24}[step]
    bars = sorted(bars)
    close = pa.array([bar.close for bar in bars])
    table = pa.table(
        {
            "open_time": pa.array([START_NS + HOUR_NS * bar.hour for bar in bars], pa.int64()),
            "available_at": pa.array(
                [START_NS + HOUR_NS * (bar.hour + step_hours + bar.delay) for bar in bars],
                pa.int64(),
            ),
            **dict.fromkeys(PRICES, close),
            "volume": pa.array([bar.volume for bar in bars]),
            "expiry": pa.array([START_NS + HOUR_NS * expiry_hour] * len(bars), pa.int64()),
        }
    )
    key = DatasetKey("dated_futures", "binance", market, symbol, step, source)
    store.write(key, table, provenance={})


def dated_rows(series: Series | None) -> list[tuple[int, int, float, int]]:
    """Hour of the close, hour at which it is known, close, hour of the expiry."""
    if series is None:
        return []
    return [
        (
            (event - START_NS) // HOUR_NS + 1,
            (known - START_NS) // HOUR_NS,
            close,
            round((expiry - START_NS) / HOUR_NS),
        )
        for event, known, close, expiry in zip(
            series.event_time.tolist(),
            series.available_at.tolist(),
            series.columns["close"].tolist(),
            series.columns["expiry"].tolist(),
            strict=True,
        )
    ]


CONTRACTS = st.lists(
    st.tuples(
        st.integers(40, 120),
        st.lists(
            st.builds(
                Bar,
                hour=st.integers(0, 40),
                delay=st.integers(0, 3),
                close=st.integers(1, 99).map(float),
                volume=st.sampled_from([0.0, 1.0, 2.0]),
            ),
            min_size=1,
            max_size=12,
            unique_by=lambda bar: bar[:2],
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda contract: contract[0],
)


def followed(contracts: Sequence[tuple[int, Sequence[Bar]]]) -> list[tuple[int, int, float, int]]:
    """Hour by hour, what somebody writes down who looks at every bar that has come out."""
    written: list[tuple[int, int, float, int]] = []
    for now in range(60):
        for close_hour in range(1, now + 1):
            if written and close_hour <= written[-1][0]:
                continue
            seen = [
                (expiry, bar.hour + 1 + bar.delay, bar.close)
                for expiry, bars in contracts
                for bar in bars
                if bar.hour + 1 == close_hour
                and bar.hour + 1 + bar.delay <= now
                and bar.volume > 0
                and expiry - close_hour > 48
            ]
            if seen:
                expiry = min(one[0] for one in seen)
                known, close = min(one[1:] for one in seen if one[0] == expiry)
                written.append((close_hour, known, close, expiry))
    return written


@settings(max_examples=25, deadline=None)
@given(contracts=CONTRACTS, moment=st.integers(0, 50))
def test_the_contract_of_a_moment_is_chosen_from_what_was_out_then(
    tmp_path_factory: pytest.TempPathFactory,
    contracts: list[tuple[int, list[Bar]]],
    moment: int,
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    write_spot(store)
    for expiry, bars in contracts:
        write_contract(store, f"BTCUSDT_{expiry:03d}", expiry, bars)
    series = loaded(store, dated_futures=FUTURES).series.get("dated_futures")
    expected = followed(contracts)
    assert dated_rows(series) == expected
    # As of a moment it is the beginning of the same rows.
    then = START_NS + HOUR_NS * moment
    try:
        early = loaded(store, then, dated_futures=FUTURES).series.get("dated_futures")
    except NoBarsError:
        return
    assert dated_rows(early) == [row for row in expected if row[1] <= moment]


def test_the_contract_changes_when_two_days_are_left(store: Store) -> None:
    write_spot(store)
    write_contract(store, "BTCUSDT_A", 60, [Bar(hour, 0, 10.0) for hour in range(50)])
    write_contract(store, "BTCUSDT_B", 200, [Bar(hour, 0, 20.0) for hour in range(50)])
    rows = dated_rows(loaded(store, dated_futures=FUTURES).series["dated_futures"])
    # At the close of hour 12 exactly 48 hours are left, which is not more than two days.
    assert [row[0] for row in rows if row[2] == 10.0] == list(range(1, 12))
    assert [row[0] for row in rows if row[2] == 20.0] == list(range(12, 51))


@pytest.mark.parametrize(
    ("underlying", "expected"),
    [
        ("BTCUSDT", {"BTCUSDT_240628", "BTCUSDT-27JUN25"}),
        ("BTC", {"BTC-27JUN25"}),
        ("BTC-USDT", {"BTC-USDT-240628"}),
    ],
)
def test_a_contract_adds_one_word_to_the_symbol(
    store: Store, underlying: str, expected: set[str]
) -> None:
    write_spot(store)
    for symbol in ("BTCUSDT_240628", "BTCUSDT-27JUN25", "BTCUSDT2_240628", "BTC-27JUN25"):
        write_contract(store, symbol, 200, [Bar(0, 0, 1.0)])
    for symbol in ("BTC-USDT-240628", "BTCUSDT_", "ETHUSDT_240628"):
        write_contract(store, symbol, 200, [Bar(0, 0, 1.0)])
    further = FurtherSources(dated_futures=Instrument("binance", "um_future", underlying))
    keys = market_series_datasets(store, (SPOT,), further, "1h", "dated_futures")
    assert {key.symbol for key in keys} == expected


def test_of_several_steps_the_longest_that_fits_is_read(store: Store) -> None:
    write_spot(store)
    for step in ("1h", "4h", "1d"):
        write_contract(store, "BTCUSDT_A", 400, [Bar(0, 0, 1.0)], step=step)
    write_contract(store, "BTCUSDT_B", 500, [Bar(0, 0, 1.0)], step="1d")
    further = FurtherSources(dated_futures=FUTURES)
    for timeframe, steps in (("1h", ["1h", "1d"]), ("6h", ["4h", "1d"]), ("1d", ["1d", "1d"])):
        keys = market_series_datasets(store, (SPOT,), further, timeframe, "dated_futures")
        assert [key.step for key in keys] == steps


def write_index(store: Store, step: str, hours: Sequence[int], close: float) -> None:
    table = pa.table(
        {
            "event_time": pa.array([START_NS + HOUR_NS * hour for hour in hours]),
            "close": pa.array([close] * len(hours)),
        }
    )
    key = DatasetKey("index_price", "binance", "spot", "BTCUSDT", step, "test")
    store.write(key, table, provenance={})


def test_a_day_of_a_future_meets_the_index_that_closes_with_it(store: Store) -> None:
    write_spot(store)
    write_index(store, "1h", range(48), 7.0)
    write_contract(store, "BTCUSDT_A", 900, [Bar(0, 0, 1.0), Bar(24, 0, 2.0)], step="1d")
    market = loaded(store, dated_futures=FUTURES, index=SPOT)
    series = market.series["dated_futures"]
    assert [(time - START_NS) // HOUR_NS for time in series.event_time] == [23, 47]
    assert [(time - START_NS) // HOUR_NS for time in series.available_at] == [24, 48]
    # Shown over the next day too, and no longer.
    assert series.max_age_ns == HOUR_NS + 2 * DAY_NS
    # The store's own index is not replaced.
    assert (market.series["index_price"].columns["close"] == 7.0).all()


def test_spot_closes_stand_for_an_index_that_is_not_there(store: Store) -> None:
    table = bar_table(HOURS, without=(30,)).select(["open_time", *PRICES, "volume"])
    volume = table["volume"].to_numpy().copy()
    volume[5] = 0.0
    store.write(
        BARS,
        table.set_column(table.column_names.index("volume"), "volume", pa.array(volume)),
        provenance={},
    )
    write_contract(store, "BTCUSDT_A", 900, [Bar(0, 0, 1.0), Bar(24, 0, 2.0)], step="1d")
    assert "index_price" not in loaded(store, dated_futures=FUTURES).series
    market = loaded(store, dated_futures=FUTURES, index=SPOT)
    index = market.series["index_price"]
    expected = [hour for hour in range(HOURS) if hour not in (5, 30)]
    assert [(time - START_NS) // HOUR_NS for time in index.event_time] == expected
    np.testing.assert_array_equal(index.available_at, index.event_time + HOUR_NS)
    np.testing.assert_array_equal(index.columns["close"], market.bars.close[expected])
    assert index.max_age_ns == market.series["dated_futures"].max_age_ns


def test_two_expiries_of_one_contract_are_refused(store: Store) -> None:
    write_spot(store)
    write_contract(store, "BTCUSDT_A", 100, [Bar(0, 0, 1.0)], source="one")
    write_contract(store, "BTCUSDT_A", 101, [Bar(1, 0, 1.0)], source="two")
    with pytest.raises(DataError, match="2 sources of dated_futures: one, two"):
        loaded(store, dated_futures=FUTURES)
    both = Instrument("binance", "um_future", "BTCUSDT", ("one", "two"))
    with pytest.raises(DataError, match="2 expiries, 2021-01-05 04:00 and 2021-01-05 05:00"):
        loaded(store, dated_futures=both)
