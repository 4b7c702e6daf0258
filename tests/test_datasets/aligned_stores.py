"""Stores of three coins, and the comparison of what is loaded from them."""

import numpy as np

from datasets import AlignedMarkets, DatasetKey, Instrument, Store
from engine import HOUR_NS, PRICE_COLUMNS
from tests.test_datasets.sample_files import START_NS, bar_table

NAMES = ("AAA", "BBB", "CCC")
INSTRUMENTS = tuple(Instrument("binance", "spot", name) for name in NAMES)


def bars_key(symbol: str, step: str = "1h", source: str = "test") -> DatasetKey:
    return DatasetKey("ohlcv", "binance", "spot", symbol, step, source)


def series_key(kind: str, symbol: str, step: str = "8h") -> DatasetKey:
    return DatasetKey(kind, "binance", "spot", symbol, step, "test")


def write_bars(store: Store, symbol: str, first: int, rows: int, without: set[int]) -> None:
    table = bar_table(
        rows, seed=len(symbol) + first, start_ns=START_NS + HOUR_NS * first, without=tuple(without)
    )
    store.write(bars_key(symbol), table, provenance={})


def assert_same(left: AlignedMarkets, right: AlignedMarkets) -> None:
    names = ("open_time", *PRICE_COLUMNS, "volume", "is_gap", "listed")
    pairs = {name: (getattr(left, name), getattr(right, name)) for name in names}
    assert left.flows.keys() == right.flows.keys()
    assert left.series.keys() == right.series.keys()
    pairs |= {name: (left.flows[name], right.flows[name]) for name in left.flows}
    pairs |= {name: (left.series[name], right.series[name]) for name in left.series}
    for name, (a, b) in pairs.items():
        np.testing.assert_array_equal(a, b, err_msg=name)
        assert a.dtype == b.dtype
        assert not a.flags.writeable
        assert not b.flags.writeable
        if a.ndim == 2:
            assert a[:, 0].flags.c_contiguous
    assert (left.instruments, left.timeframe, left.datasets, left.source_conflicts) == (
        right.instruments,
        right.timeframe,
        right.datasets,
        right.source_conflicts,
    )
