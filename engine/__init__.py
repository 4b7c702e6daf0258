"""Vocabulary and accounting: arrays, bars, markets, time, errors, decisions, replay, metrics.

Owns what the other packages speak in and what happens to money. Imports numpy and numba and nothing
of ours: the replay can be tested with any array, and a worker that imports it pays for nothing else.

>>> from engine import timeframe_ns
>>> timeframe_ns("1h")
3600000000000
"""

from .arrays import (
    Bool1D,
    Bool2D,
    Float1D,
    Float2D,
    Int1D,
    Int2D,
    Int8Array1D,
    Int8Array2D,
    UInt64Array1D,
    UInt64Array2D,
)
from .bars import FLOW_COLUMNS, PRICE_COLUMNS, Bars
from .errors import BacktestError, ConfigError, ContractError, DataError, SourceError
from .jit import kernel
from .market import Market, Series
from .timeframe import (
    DAY_NS,
    DAYS_PER_YEAR,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    WEEK_NS,
    bars_per_year,
    grid_origin_ns,
    timeframe_ns,
)

__all__ = [
    "DAYS_PER_YEAR",
    "DAY_NS",
    "FLOW_COLUMNS",
    "HOUR_NS",
    "MINUTE_NS",
    "PRICE_COLUMNS",
    "SECOND_NS",
    "WEEK_NS",
    "BacktestError",
    "Bars",
    "Bool1D",
    "Bool2D",
    "ConfigError",
    "ContractError",
    "DataError",
    "Float1D",
    "Float2D",
    "Int1D",
    "Int2D",
    "Int8Array1D",
    "Int8Array2D",
    "Market",
    "Series",
    "SourceError",
    "UInt64Array1D",
    "UInt64Array2D",
    "bars_per_year",
    "grid_origin_ns",
    "kernel",
    "timeframe_ns",
]
