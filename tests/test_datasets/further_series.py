"""A store with spot bars, series of any kind beside them, and the market that is loaded from it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from datasets import DatasetKey, FurtherSources, Instrument, Store, load_market
from engine import HOUR_NS, Market
from tests.test_datasets.sample_files import START_NS, bar_table

SPOT = Instrument("binance", "spot", "BTCUSDT")
FUTURES = Instrument("binance", "um_future", "BTCUSDT")
BARS = DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "test")
HOURS = 24 * 12


def write_spot(store: Store) -> None:
    store.write(BARS, bar_table(HOURS), provenance={})


def loaded(store: Store, as_of_ns: int | None = None, **named: Any) -> Market:
    further = FurtherSources(**named)
    return load_market(store, SPOT, "1h", further=further, as_of_ns=as_of_ns)


def write_series(store: Store, key: str, hours: Sequence[int], column: str, value: float) -> None:
    table = pa.table(
        {
            "event_time": pa.array([START_NS + HOUR_NS * hour for hour in hours], pa.int64()),
            column: pa.array([value] * len(hours)),
        }
    )
    store.write(DatasetKey.parse(key), table, provenance={})


def hours_ns(hours: Sequence[int]) -> pa.Array:
    return pa.array([START_NS + HOUR_NS * hour for hour in hours], pa.int64())
