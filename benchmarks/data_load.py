"""Aligned loading against pandas: one Parquet file per symbol, aligned, gaps marked and carried.

``python -m benchmarks.data_load STORE NAME`` prints the peak of memory that one load takes, in
multiples of the arrays that it returns.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from datasets import AlignedMarkets, ArrayCache, DatasetKey, Instrument, Store, load_aligned
from engine import FLOW_COLUMNS, PRICE_COLUMNS, timeframe_ns

from .timing import timed, timed_pair

START_NS = 1_609_459_200_000_000_000
GAP_SHARE = 1e-4


@dataclass(frozen=True)
class Case:
    """Symbols, bars of each, and their step; ``frequency`` is what pandas calls the step."""

    symbols: tuple[str, ...]
    bars: int
    step: str
    frequency: str

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """The symbols as the store names them."""
        return tuple(Instrument("binance", "um_perp", symbol) for symbol in self.symbols)


CASES = {
    "minute_year": Case(("BTCUSDT",), 365 * 1440, "1m", "min"),
    "fifty_hourly": Case(tuple(f"C{index:02d}USDT" for index in range(50)), 3 * 8760, "1h", "h"),
}


def market_table(case: Case, seed: int) -> pa.Table:
    """Bars with every flow column; one bar of 10,000 is missing."""
    generator = np.random.default_rng(seed)
    close = np.round(100.0 * np.exp(np.cumsum(1e-3 * generator.standard_normal(case.bars))), 2)
    open_ = np.concatenate((close[:1], close[:-1]))
    volume = np.round(generator.gamma(2.0, 20.0, case.bars), 3)
    table = pa.table(
        {
            "open_time": START_NS + timeframe_ns(case.step) * np.arange(case.bars),
            "open": open_,
            "high": np.maximum(open_, close) + 0.5,
            "low": np.minimum(open_, close) - 0.5,
            "close": close,
            "volume": volume,
            "quote_volume": volume * close,
            "trades": generator.integers(1, 3_000, case.bars),
            "taker_buy_volume": volume * 0.5,
            "taker_buy_quote": volume * close * 0.5,
        }
    )
    kept = generator.random(case.bars) >= GAP_SHARE
    kept[[0, -1]] = True
    return table.filter(pa.array(kept))


def write_case(case: Case, store: Store, folder: Path) -> None:
    """The same bars in the store and as one Parquet file per symbol."""
    for seed, symbol in enumerate(case.symbols):
        table = market_table(case, seed)
        key = DatasetKey("ohlcv", "binance", "um_perp", symbol, case.step, "benchmark")
        store.write(key, table, provenance={})
        frame = table.to_pandas()
        frame["open_time"] = pd.to_datetime(frame["open_time"])
        frame.to_parquet(folder / f"{symbol}.parquet")


def pandas_load(case: Case, folder: Path) -> dict[str, np.ndarray]:
    """What a script does: read, put on the full grid, mark gaps, carry the close, stack."""
    frames = [
        pd.read_parquet(folder / f"{symbol}.parquet").set_index("open_time")
        for symbol in case.symbols
    ]
    grid = pd.date_range(
        min(frame.index[0] for frame in frames),
        max(frame.index[-1] for frame in frames),
        freq=case.frequency,
    )
    aligned = [frame.reindex(grid) for frame in frames]
    stacked = {"is_gap": np.column_stack([frame["close"].isna() for frame in aligned])}
    for frame in aligned:
        frame["close"] = frame["close"].ffill()
    for name in PRICE_COLUMNS:
        columns = [frame[name].fillna(frame["close"]).to_numpy() for frame in aligned]
        stacked[name] = np.column_stack(columns)
    for name in ("volume", *FLOW_COLUMNS):
        stacked[name] = np.column_stack(
            [frame[name].fillna(0.0).to_numpy(dtype=np.float64) for frame in aligned]
        )
    return stacked


def returned_bytes(markets: AlignedMarkets) -> int:
    """Bytes of every array of a load."""
    names = ("open_time", *PRICE_COLUMNS, "volume", "is_gap", "listed")
    arrays = [*(getattr(markets, name) for name in names), *markets.flows.values()]
    return sum(array.nbytes for array in arrays)


def figures() -> dict[str, float]:
    """Seconds, how many times as long pandas takes, and the peak of memory, for each case."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        for name, case in CASES.items():
            write_case(case, store, Path(folder))
            found |= {
                f"{name}_{figure}": value
                for figure, value in _case_figures(case, store, Path(folder)).items()
            }
            child = [sys.executable, "-m", "benchmarks.data_load", str(store.root), name]
            output = subprocess.run(child, check=True, capture_output=True, text=True).stdout
            found[f"{name}_peak_memory_over_arrays"] = float(output)
    return found


def _case_figures(case: Case, store: Store, folder: Path) -> dict[str, float]:
    cache = ArrayCache.of(store)

    def load(use_cache: bool) -> Callable[[], AlignedMarkets]:
        return lambda: load_aligned(store, case.instruments, case.step, cache=use_cache)

    def first() -> AlignedMarkets:
        cache.clear()
        return load(True)()

    ours, theirs = load(False)(), pandas_load(case, folder)
    for name in ("is_gap", *PRICE_COLUMNS, "volume"):
        np.testing.assert_array_equal(getattr(ours, name), theirs[name], err_msg=name)
    cold, peer = timed_pair(load(False), lambda: pandas_load(case, folder), runs=7)
    keeping, peer_again = timed_pair(first, lambda: pandas_load(case, folder), runs=7)
    cached = timed(load(True), runs=20)
    peer_s = min(peer.best_s, peer_again.best_s)
    return {
        "pandas_s": peer_s,
        "cold_s": cold.best_s,
        "cached_s": cached.best_s,
        "pandas_over_cold": peer.median_s / cold.median_s,
        "pandas_over_first_load_that_fills_the_cache": peer_again.median_s / keeping.median_s,
        "pandas_over_cached": peer_s / cached.median_s,
    }


def peak_over_arrays(store: Store, case: Case) -> float:
    """Peak of resident memory above what the libraries take, over the bytes of the arrays."""
    # Libraries come in when they are first used: a day of bars brings all of them.
    end_ns = START_NS + 1440 * timeframe_ns("1m")
    load_aligned(store, case.instruments[:1], case.step, None, end_ns, cache=False)
    before = _peak_bytes()
    markets = load_aligned(store, case.instruments, case.step, cache=False)
    return (_peak_bytes() - before) / returned_bytes(markets)


def _peak_bytes() -> int:
    with Path("/proc/self/status").open(encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


if __name__ == "__main__":
    print(peak_over_arrays(Store(sys.argv[1], create=False), CASES[sys.argv[2]]))
