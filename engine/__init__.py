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
from .decisions import Decisions, Funding
from .errors import BacktestError, ConfigError, ContractError, DataError, SourceError
from .jit import kernel
from .ledger import FILL_DTYPE, FUNDING_DTYPE, PHASES, REASONS, TRADE_DTYPE
from .market import Market, Series
from .metrics import METRICS, Metric, buy_and_hold, drawdowns, metrics
from .panel import Panel
from .replay import ReplayResult, ReplayRules, replay
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
    "FILL_DTYPE",
    "FLOW_COLUMNS",
    "FUNDING_DTYPE",
    "HOUR_NS",
    "METRICS",
    "MINUTE_NS",
    "PHASES",
    "PRICE_COLUMNS",
    "REASONS",
    "SECOND_NS",
    "TRADE_DTYPE",
    "WEEK_NS",
    "BacktestError",
    "Bars",
    "Bool1D",
    "Bool2D",
    "ConfigError",
    "ContractError",
    "DataError",
    "Decisions",
    "Float1D",
    "Float2D",
    "Funding",
    "Int1D",
    "Int2D",
    "Int8Array1D",
    "Int8Array2D",
    "Market",
    "Metric",
    "Panel",
    "ReplayResult",
    "ReplayRules",
    "Series",
    "SourceError",
    "UInt64Array1D",
    "UInt64Array2D",
    "bars_per_year",
    "buy_and_hold",
    "drawdowns",
    "grid_origin_ns",
    "kernel",
    "metrics",
    "replay",
    "timeframe_ns",
]
