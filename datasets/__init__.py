"""Data on disk: the store, importers, SQL, and what the engine reads out of it.

Owns Parquet, the manifests, the simulated market and the time at which each kind of data is known.
Imports engine and, to aggregate bars, indicators.

>>> from datasets import DatasetKey
>>> str(DatasetKey("ohlcv", "binance", "spot", "BTCUSDT", "1h", "klines12"))
'ohlcv/binance/spot/BTCUSDT/1h/klines12'
"""

from .cache import ArrayCache
from .conflicts import ON_CONFLICT, Conflict
from .findings import DEFECTS, Finding, RefusedFileError
from .importers import ImportReport, import_files
from .keys import MARKETS, DatasetKey, Instrument
from .kinds import KINDS, SERIES_KINDS, Column, Kind, kind_named
from .loading import (
    AlignedMarkets,
    CoinSupply,
    FundingHistory,
    FurtherSources,
    NoBarsError,
    SourceConflict,
    SourceConflicts,
    bars_dataset,
    bars_datasets,
    find_dataset,
    load_aligned,
    load_bars,
    load_funding,
    load_market,
    load_series,
    market_series_datasets,
    series_datasets,
)
from .manifest import Gap, Part
from .query import sql
from .simulate import SimulatedMarket, SimulationSpec, simulate, write_simulated
from .store import DatasetInfo, Problem, Store, Write, WriteResult
from .timestamps import time_ns_of, time_text
from .universe import Universe, UniverseRule, select_universe
from .universe_panel import LoadedPanel, load_benchmark, load_universe, with_own

__all__ = [
    "DEFECTS",
    "KINDS",
    "MARKETS",
    "ON_CONFLICT",
    "SERIES_KINDS",
    "AlignedMarkets",
    "ArrayCache",
    "CoinSupply",
    "Column",
    "Conflict",
    "DatasetInfo",
    "DatasetKey",
    "Finding",
    "FundingHistory",
    "FurtherSources",
    "Gap",
    "ImportReport",
    "Instrument",
    "Kind",
    "LoadedPanel",
    "NoBarsError",
    "Part",
    "Problem",
    "RefusedFileError",
    "SimulatedMarket",
    "SimulationSpec",
    "SourceConflict",
    "SourceConflicts",
    "Store",
    "Universe",
    "UniverseRule",
    "Write",
    "WriteResult",
    "bars_dataset",
    "bars_datasets",
    "find_dataset",
    "import_files",
    "kind_named",
    "load_aligned",
    "load_bars",
    "load_benchmark",
    "load_funding",
    "load_market",
    "load_series",
    "load_universe",
    "market_series_datasets",
    "select_universe",
    "series_datasets",
    "simulate",
    "sql",
    "time_ns_of",
    "time_text",
    "with_own",
    "write_simulated",
]
