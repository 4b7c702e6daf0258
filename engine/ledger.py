"""Record types of the ledgers, and the names behind their codes (see docs/accounting.md)."""

from typing import Final, NamedTuple

import numpy as np

from .arrays import Float1D

PHASES: Final = ("open", "intrabar", "close")
REASONS: Final = (
    "entry",
    "resize",
    "reverse",
    "exit",
    "time_stop",
    "stop",
    "trailing_stop",
    "break_even",
    "take_profit",
    "ladder",
    "liquidation",
    "delisted",
    "end_of_data",
    "ruin",
)
"""Why a fill happened, by code."""

ORDER_KINDS: Final = ("market", "limit", "stop")
ORDER_STATUSES: Final = (
    "working",
    "filled",
    "partial",
    "rejected",
    "cancelled",
    "expired",
    "dropped",
)
"""How an order ended, by code; ``working`` never stands in a finished ledger."""

LIMITS: Final = (
    "none",
    "kelly",
    "drawdown",
    "position",
    "tier",
    "correlation",
    "positions",
    "sector",
    "heat",
    "gross",
    "margin",
    "dust",
    "lot",
    "min_notional",
    "participation",
)
"""The limit that decided an order's size, by code."""

PAYMENT_KINDS: Final = ("funding", "borrow")

FILL_DTYPE: Final = np.dtype(
    [
        ("bar", np.int64),
        ("time_ns", np.int64),
        ("symbol", np.int64),
        ("phase", np.int8),
        ("reason", np.int8),
        ("side", np.int8),
        ("is_maker", np.bool_),
        ("quantity", np.float64),
        ("reference_price", np.float64),
        ("price", np.float64),
        ("fee", np.float64),
        ("spread", np.float64),
        ("impact", np.float64),
        ("shortfall", np.float64),
        ("position_after", np.float64),
        ("cash_after", np.float64),
        ("trade", np.int64),
        ("order", np.int64),
    ]
)
ORDER_DTYPE: Final = np.dtype(
    [
        ("order", np.int64),
        ("decided_bar", np.int64),
        ("closed_bar", np.int64),
        ("symbol", np.int64),
        ("kind", np.int8),
        ("status", np.int8),
        ("limit", np.int8),
        ("target", np.float64),
        ("price", np.float64),
        ("wanted_notional", np.float64),
        ("granted_notional", np.float64),
        ("filled_quantity", np.float64),
    ]
)
PAYMENT_DTYPE: Final = np.dtype(
    [
        ("bar", np.int64),
        ("time_ns", np.int64),
        ("symbol", np.int64),
        ("kind", np.int8),
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
        ("spread", np.float64),
        ("impact", np.float64),
        ("funding", np.float64),
        ("borrow", np.float64),
        ("shortfall", np.float64),
        ("net_pnl", np.float64),
        ("return_frac", np.float64),
        ("initial_risk", np.float64),
        ("r_multiple", np.float64),
        ("mae_frac", np.float64),
        ("mfe_frac", np.float64),
        ("bars_held", np.int64),
        ("exit_reason", np.int8),
        ("is_ambiguous", np.bool_),
    ]
)


class AccountColumns(NamedTuple):
    """The account at each close besides its equity, ``(T,)``, in settlement currency."""

    cash: Float1D
    gross_exposure: Float1D
    net_exposure: Float1D
    initial_margin: Float1D
    maintenance_margin: Float1D


ACCOUNT_COLUMNS: Final = ("equity", *AccountColumns._fields)
"""What is known of the account at each close."""
