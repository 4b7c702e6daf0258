"""Series of further data sets: a second venue, one exchange, listings, and the past they bring."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from datasets import (
    DatasetKey,
    FurtherSources,
    Instrument,
    Store,
    load_market,
    market_series_datasets,
)
from engine import HOUR_NS, DataError, Market
from tests.test_datasets.further_series import (
    FUTURES,
    SPOT,
    hours_ns,
    loaded,
    write_series,
    write_spot,
)
from tests.test_datasets.sample_files import START_NS


def test_what_is_named_must_be_there(store: Store) -> None:
    write_spot(store)
    named: Mapping[str, Any] = {
        "dated_futures": FUTURES,
        "second_metrics": Instrument("okx", "linear_perp", "BTC"),
        "venue_reserves": Instrument("binance", "exchanges", "BTC"),
        "index": Instrument("kraken", "spot", "BTCUSD"),
    }
    for name, instrument in named.items():
        with pytest.raises(DataError, match=f"{instrument.symbol}.*the store .* has no"):
            loaded(store, **{name: instrument})
    assert not loaded(store).series


def test_a_second_venue_and_one_exchange_stand_beside_the_first(store: Store) -> None:
    write_spot(store)
    ratio = "count_long_short_ratio"
    write_series(store, "metrics/binance/spot/BTCUSDT/1h/test", range(20), ratio, 1.5)
    write_series(store, "metrics/okx/linear_perp/BTC/1h/test", range(10), ratio, 2.5)
    write_series(store, "exchange_reserves/binance/exchanges/BTC/1d/test", (0, 24), "reserve", 3.0)
    second = Instrument("okx", "linear_perp", "BTC")
    reserves = Instrument("binance", "exchanges", "BTC")
    market = loaded(store, second_metrics=second, venue_reserves=reserves)
    assert set(market.series) == {"metrics", "metrics:second", "exchange_reserves:venue"}
    assert (market.series["metrics"].columns[ratio] == 1.5).all()
    other = market.series["metrics:second"]
    assert other.name == "metrics:second"
    assert (other.columns[ratio] == 2.5).all()
    assert len(other.event_time) == 10
    venue = market.series["exchange_reserves:venue"]
    # A day is known at noon of the next one.
    np.testing.assert_array_equal(venue.available_at, venue.event_time + 36 * HOUR_NS)
    further = FurtherSources(second_metrics=second, venue_reserves=reserves)
    found = {
        name: [str(key) for key in market_series_datasets(store, (SPOT,), further, "1h", name)]
        for name in market.series
    }
    assert found == {
        "metrics": ["metrics/binance/spot/BTCUSDT/1h/test"],
        "metrics:second": ["metrics/okx/linear_perp/BTC/1h/test"],
        "exchange_reserves:venue": ["exchange_reserves/binance/exchanges/BTC/1d/test"],
    }


def test_announcements_of_listings_in_the_order_in_which_they_came(store: Store) -> None:
    write_spot(store)
    announced = [  # event, known, action, takes effect
        (-100, -100, "list", -50),
        (10, 10, "delist", 80),
        (30, 30, "delist", 60),
        (30, 30, "list", 90),
        (40, 70, "delist", 99),
        (50, 50, "list", 55),
    ]
    event, known, action, effective = zip(*announced, strict=True)
    table = pa.table(
        {
            "event_time": hours_ns(event),
            "available_at": hours_ns(known),
            "action": pa.array(action),
            "effective_time": hours_ns(effective),
        }
    )
    key = DatasetKey("listings", "binance", "spot", "BTCUSDT", "event", "test")
    store.write(key, table, provenance={})

    def rows(market: Market) -> list[tuple[int, int, float]]:
        series = market.series["listings"]
        return [
            ((event - START_NS) // HOUR_NS, (known - START_NS) // HOUR_NS, side)
            for event, known, side in zip(
                series.event_time.tolist(),
                series.available_at.tolist(),
                series.columns["side"].tolist(),
                strict=True,
            )
        ]

    # The one of hour 40 came out when that of hour 50 was known already.
    expected = [(-100, -100, 1.0), (10, 10, -1.0), (30, 30, 1.0), (50, 50, 1.0)]
    assert rows(loaded(store)) == expected
    assert rows(loaded(store, START_NS + 30 * HOUR_NS)) == expected[:3]
    assert market_series_datasets(store, (SPOT,), FurtherSources(), "1h", "listings") == (key,)


def test_a_series_brings_its_past_unless_it_ended_before_the_bars(store: Store) -> None:
    write_spot(store)
    day = 24
    coarse = list(range(-1000 * day, 5 * day, day))
    write_series(store, "metrics/binance/spot/BTCUSDT/1d/test", coarse, "sum_open_interest", 1.0)
    fine = [-401 * day, -400 * day, -399 * day, 0]
    write_series(store, "premium_index/binance/spot/BTCUSDT/5m/test", fine, "close", 0.5)
    # What could be shown on no bar leaves its place to the next.
    write_series(store, "tvl/binance/spot/BTCUSDT/1d/test", [-5 * day], "tvl_usd", 1.0)
    write_series(store, "tvl/other/total/all/1d/test", [0], "tvl_usd", 2.0)
    market = load_market(store, SPOT, "1h", series_from=(Instrument("other", "total", "all"),))
    hours = {
        name: ((series.event_time - START_NS) // HOUR_NS).tolist()
        for name, series in market.series.items()
    }
    assert hours["metrics"] == coarse
    assert hours["premium_index"] == fine[1:]
    assert (market.series["tvl"].columns["tvl_usd"] == 2.0).all()
