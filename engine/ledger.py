"""Record types of the three ledgers, and the names behind their codes (see docs/accounting.md)."""

from typing import Final

import numpy as np

PHASES: Final = ("open", "intrabar", "close")
REASONS: Final = (
    "entry",
    "resize",
    "reverse",
    "exit",
    "time_stop",
    "stop",
    "take_profit",
    "delisted",
    "end_of_data",
    "ruin",
)
"""Why a fill happened, by code."""

FILL_DTYPE: Final = np.dtype(
    [
        ("bar", np.int64),
        ("time_ns", np.int64),
        ("symbol", np.int64),
        ("phase", np.int8),
        ("reason", np.int8),
        ("side", np.int8),
        ("quantity", np.float64),
        ("reference_price", np.float64),
        ("price", np.float64),
        ("fee", np.float64),
        ("slippage", np.float64),
        ("position_after", np.float64),
        ("cash_after", np.float64),
        ("trade", np.int64),
    ]
)
FUNDING_DTYPE: Final = np.dtype(
    [
        ("bar", np.int64),
        ("time_ns", np.int64),
        ("symbol", np.int64),
        ("position", np.float64),
        ("mark_price", np.float64),
        ("rate", np.float64),
        ("payment", np.float64),
        ("trade", np.int64),
    ]
)
TRADE_DTYPE: Final = np.dtype(
    [
        ("trade", np.int64),
        ("symbol", np.int64),
        ("side", np.int8),
        ("entry_bar", np.int64),
        ("exit_bar", np.int64),
        ("entry_time_ns", np.int64),
        ("exit_time_ns", np.int64),
        ("quantity", np.float64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("gross_pnl", np.float64),
        ("fees", np.float64),
        ("funding", np.float64),
        ("slippage", np.float64),
        ("net_pnl", np.float64),
        ("return_frac", np.float64),
        ("bars_held", np.int64),
        ("exit_reason", np.int8),
        ("is_ambiguous", np.bool_),
    ]
)
