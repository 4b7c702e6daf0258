"""Data on disk: the store, importers, SQL, and what the engine reads out of it.

Owns Parquet, the manifests, the simulated market and the time at which each kind of data is known.
Imports engine and, to aggregate bars, indicators.

>>> from datasets import DatasetKey
>>> str(DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "klines12"))
'ohlcv/binance/spot/BTCUSDT/1h/klines12'
"""

from .importers import ImportReport, import_files
from .keys import DatasetKey, Instrument
from .kinds import KINDS, SERIES_KINDS, Column, Kind
from .load import (
    FundingHistory,
    find_dataset,
    load_bars,
    load_funding,
    load_market,
    load_series,
)
from .manifest import Gap, Part
from .query import sql
from .simulate import SimulatedMarket, SimulationSpec, simulate, write_simulated
from .store import DatasetInfo, Problem, Store, Write, WriteResult
from .timestamps import time_text

__all__ = [
    "KINDS",
    "SERIES_KINDS",
    "Column",
    "DatasetInfo",
    "DatasetKey",
    "FundingHistory",
    "Gap",
    "ImportReport",
    "Instrument",
    "Kind",
    "Part",
    "Problem",
    "SimulatedMarket",
    "SimulationSpec",
    "Store",
    "Write",
    "WriteResult",
    "find_dataset",
    "import_files",
    "load_bars",
    "load_funding",
    "load_market",
    "load_series",
    "simulate",
    "sql",
    "time_text",
    "write_simulated",
]
