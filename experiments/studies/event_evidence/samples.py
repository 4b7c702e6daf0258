"""The bars that the evidence is taken from, and walks of the same volatility."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from datasets import Instrument, Store, import_files, load_bars
from datasets.sectors import STABLE
from engine import Bars, Float1D

from ...config import midnight_ns

TIMEFRAME: Final = "1h"


@dataclass(frozen=True, slots=True)
class Sample:
    """Bars of a data folder that are judged together, from the first midnight up to the last.

    Without ``symbols`` all coins of the file but those that are pegged to a currency.
    """

    name: str
    path: str
    first_day: date
    end_day: date
    symbols: tuple[str, ...] = ()


SAMPLES: Final = (
    Sample("BTCUSDT", "klines/binance_spot_klines12_1h.parquet", date(2018, 1, 1),
           date(2024, 1, 1), ("BTCUSDT",)),
    Sample("ETHUSDT", "klines/binance_spot_klines12_1h.parquet", date(2018, 1, 1),
           date(2024, 1, 1), ("ETHUSDT",)),
    Sample("universe", "klines/binance_spot_ohlcv_1h_universe.parquet", date(2021, 4, 1),
           date(2024, 1, 1)),
)  # fmt: skip


def bars_of(data: Path, sample: Sample) -> Iterator[Bars]:
    """The bars of every symbol of ``sample``, through the importers and a store that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for report in import_files(store, [data / sample.path], venue="binance"):
            key = report.key
            coin = key.symbol.removesuffix("USDT")
            if key.symbol not in sample.symbols and (sample.symbols or coin in STABLE):
                continue
            yield load_bars(
                store,
                Instrument(key.venue, key.market, key.symbol, key.source),
                TIMEFRAME,
                midnight_ns(sample.first_day),
                midnight_ns(sample.end_day),
                with_flows=False,
            )


def mirrored_walk(bars: Bars, seed: int) -> Bars:
    """``bars`` with every move of a bar, and every jump between two, given a random sign.

    In logarithms a bar's high, low and close lie as far from its open as they did, above or below it;
    volumes, times and missing bars stay. The result is a martingale in its logarithm with the sizes of
    the moves of ``bars``.
    """
    generator = np.random.default_rng(seed)
    rows = len(bars)
    inside, between = (2.0 * generator.integers(0, 2, rows) - 1.0 for _ in range(2))
    log_open = np.log(bars.open)
    up, down, move = (np.log(column) - log_open for column in (bars.high, bars.low, bars.close))
    jump = np.zeros(rows)
    jump[1:] = log_open[1:] - np.log(bars.close[:-1])
    start = log_open[0] + np.cumsum(between * jump) + _before(np.cumsum(inside * move))
    high = np.where(inside > 0, up, -down)
    low = np.where(inside > 0, down, -up)
    prices = {
        "open": np.exp(start),
        "high": np.exp(start + high),
        "low": np.exp(start + low),
        "close": np.exp(start + inside * move),
    }
    # A missing bar stands at the close before it, to the last bit.
    last = np.maximum.accumulate(np.where(bars.is_gap, 0, np.arange(rows)))
    prices = {
        name: np.where(bars.is_gap, prices["close"][last], column)
        for name, column in prices.items()
    }
    prices["high"] = np.maximum.reduce([prices["high"], prices["open"], prices["close"]])
    prices["low"] = np.minimum.reduce([prices["low"], prices["open"], prices["close"]])
    return replace(bars, **prices)


def _before(total: Float1D) -> Float1D:
    return np.concatenate(([0.0], total[:-1]))
