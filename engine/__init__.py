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
from .decision_events import DecisionEvents
from .decisions import STYLES, Decisions, Funding
from .entry_orders import EntryOrders
from .errors import BacktestError, ConfigError, ContractError, DataError, SourceError
from .jit import kernel
from .ledger import (
    ACCOUNT_COLUMNS,
    FILL_DTYPE,
    LIMITS,
    ORDER_DTYPE,
    ORDER_KINDS,
    ORDER_STATUSES,
    PAYMENT_DTYPE,
    PAYMENT_KINDS,
    PHASES,
    REASONS,
    TRADE_DTYPE,
    AccountColumns,
)
from .market import Market, MarketPanel, Series
from .metrics import METRICS, Metric, buy_and_hold, drawdowns, metrics
from .panel import MarkPrices, Panel, sub_bars
from .replay import ReplayResult, replay
from .return_sums import LANES, SUMS, return_sums
from .rules import (
    Costs,
    Exits,
    FeeTier,
    Limits,
    Margin,
    MarginTier,
    ReplayRules,
    Sizing,
    SymbolRules,
)
from .signals import signals
from .sweep import Sweep, SweepResult, sweep_replay
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
from .totals import run_totals

__all__ = [
    "ACCOUNT_COLUMNS",
    "DAYS_PER_YEAR",
    "DAY_NS",
    "FILL_DTYPE",
    "FLOW_COLUMNS",
    "HOUR_NS",
    "LANES",
    "LIMITS",
    "METRICS",
    "MINUTE_NS",
    "ORDER_DTYPE",
    "ORDER_KINDS",
    "ORDER_STATUSES",
    "PAYMENT_DTYPE",
    "PAYMENT_KINDS",
    "PHASES",
    "PRICE_COLUMNS",
    "REASONS",
    "SECOND_NS",
    "STYLES",
    "SUMS",
    "TRADE_DTYPE",
    "WEEK_NS",
    "AccountColumns",
    "BacktestError",
    "Bars",
    "Bool1D",
    "Bool2D",
    "ConfigError",
    "ContractError",
    "Costs",
    "DataError",
    "DecisionEvents",
    "Decisions",
    "EntryOrders",
    "Exits",
    "FeeTier",
    "Float1D",
    "Float2D",
    "Funding",
    "Int1D",
    "Int2D",
    "Int8Array1D",
    "Int8Array2D",
    "Limits",
    "Margin",
    "MarginTier",
    "MarkPrices",
    "Market",
    "MarketPanel",
    "Metric",
    "Panel",
    "ReplayResult",
    "ReplayRules",
    "Series",
    "Sizing",
    "SourceError",
    "Sweep",
    "SweepResult",
    "SymbolRules",
    "UInt64Array1D",
    "UInt64Array2D",
    "bars_per_year",
    "buy_and_hold",
    "drawdowns",
    "grid_origin_ns",
    "kernel",
    "metrics",
    "replay",
    "return_sums",
    "run_totals",
    "signals",
    "sub_bars",
    "sweep_replay",
    "timeframe_ns",
]
