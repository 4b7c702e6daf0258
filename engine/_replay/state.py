"""What the kernels of the replay share: codes, records and where they lie.

State is kept in records: one for each symbol (a *slot*), one for the account, one of rules. Kernels
take two records, ``books`` and ``market``, which hold the addresses of everything
(``engine.simd``): arrays as arguments would be taken apart and counted at every call, which costs
more than most bars, and an order of magnitude in compile time. ``run`` keeps the arrays alive and
large enough. Symbols are in name order everywhere, and a *cell* of ``(T, S)`` is ``t · S + s``.
"""

from typing import Final, NamedTuple

import numpy as np
from numba import carray

from .._limit_tables import CLAIM_FIELDS
from .._margin_kernel import MARK_FIELDS, TIER_DTYPE
from ..arrays import Bool2D, Float1D, Float2D, Int1D, Int8Array1D, Records1D
from ..jit import inner_kernel
from ..ledger import (
    FILL_DTYPE,
    LIMITS,
    ORDER_DTYPE,
    ORDER_STATUSES,
    PAYMENT_DTYPE,
    PAYMENT_KINDS,
    PHASES,
    REASONS,
    TRADE_DTYPE,
)
from ..rules import MOST_LADDER_RUNGS
from ..simd import pointer, record_reader

PHASE_OPEN: Final = PHASES.index("open")
PHASE_INTRABAR: Final = PHASES.index("intrabar")
PHASE_CLOSE: Final = PHASES.index("close")

ENTRY: Final = REASONS.index("entry")
RESIZE: Final = REASONS.index("resize")
REVERSE: Final = REASONS.index("reverse")
EXIT: Final = REASONS.index("exit")
TIME_STOP: Final = REASONS.index("time_stop")
STOP: Final = REASONS.index("stop")
TRAILING_STOP: Final = REASONS.index("trailing_stop")
BREAK_EVEN: Final = REASONS.index("break_even")
TAKE_PROFIT: Final = REASONS.index("take_profit")
LADDER: Final = REASONS.index("ladder")
LIQUIDATION: Final = REASONS.index("liquidation")
DELISTED: Final = REASONS.index("delisted")
END_OF_DATA: Final = REASONS.index("end_of_data")
RUIN: Final = REASONS.index("ruin")

MARKET: Final = 0
LIMIT_ORDER: Final = 1
STOP_ORDER: Final = 2

FILLED: Final = ORDER_STATUSES.index("filled")
PARTIAL: Final = ORDER_STATUSES.index("partial")
REJECTED: Final = ORDER_STATUSES.index("rejected")
CANCELLED: Final = ORDER_STATUSES.index("cancelled")
EXPIRED: Final = ORDER_STATUSES.index("expired")
DROPPED: Final = ORDER_STATUSES.index("dropped")

NO_LIMIT: Final = LIMITS.index("none")
LOT: Final = LIMITS.index("lot")
MIN_NOTIONAL: Final = LIMITS.index("min_notional")
PARTICIPATION: Final = LIMITS.index("participation")

FUNDING: Final = PAYMENT_KINDS.index("funding")
BORROW: Final = PAYMENT_KINDS.index("borrow")

NO_MARGIN: Final = 0
CROSS: Final = 1
ISOLATED: Final = 2
MODES: Final = ("none", "cross", "isolated")

NONE: Final = -1
"""An index that points at nothing."""

RULES_DTYPE: Final = np.dtype(
    [
        (name, np.float64)
        for name in (
            "initial_cash", "taker_rate", "maker_rate", "spread_frac", "slippage_atr", "impact",
            "participation", "borrow_rate", "stop_atr", "stop_frac", "trail_atr", "trail_frac",
            "break_even_r", "break_even_frac", "take_profit_atr", "take_profit_frac",
            "take_profit_r", "time_stop_max_r", "leverage", "liquidation_rate",
        )
    ]
    + [
        (name, np.int64)
        for name in (
            "takes_profit_by_limit", "time_stop_bars", "limit_bars", "rungs", "is_inverse", "mode",
            "scales_costs", "has_fee_tiers", "trails", "moves_levels",
        )
    ]
    + [
        ("rung_r", np.float64, (MOST_LADDER_RUNGS,)),
        ("rung_share", np.float64, (MOST_LADDER_RUNGS,)),
    ],
    align=True,
)  # fmt: skip
"""Rules as numbers: NaN for a distance or limit that is off, 0 for counts and flags."""

ACCOUNT_DTYPE: Final = np.dtype(
    [
        (name, np.float64)
        for name in (
            "cash", "equity", "peak", "taker_rate", "maker_rate", "fees", "spread", "impact",
            "funding", "borrow", "shortfall", "traded", "win_return", "loss_return", "win_pnl",
            "loss_pnl", "win_pnl_before", "loss_pnl_before", "known_win_return", "known_loss_return",
            "shortfall_before", "last_shortfall",
        )
    ]
    + [
        (name, np.int64)
        for name in (
            "bar", "bar_time", "time", "phase", "ruined_bar", "ambiguous_exits", "held", "pending",
            "fills", "orders", "trades", "payments", "event", "borrow_time", "next_payment", "row",
            "leave", "fee_day", "closed", "wins", "known_closed", "known_wins", "last_closed_bar",
            "has_moved", "has_acted", "keeps_rows", "first_day", "last_filled", "held_since",
            "bars_in_position", "liquidations",
        )
    ],
    align=True,
)  # fmt: skip
"""The account, counters and cursors.

``known_*`` are the figures of trades closed before ``last_closed_bar``; ``has_moved`` is set by
everything that changes a position or cash since the margin was last looked at, ``has_acted`` by
everything that may leave less to wait for in a bar. ``bars_in_position`` counts the closes with a
position up to the bar in which the last one ended; ``held_since`` is the bar since which there is one.
"""

SLOT_DTYPE: Final = np.dtype(
    [*CLAIM_FIELDS, *MARK_FIELDS]
    + [
        (name, np.float64)
        for name in (
            "force", "take_profit", "risk", "best", "entry_quantity", "wallet",
            "peak_quantity", "in_quantity", "in_notional", "out_quantity", "out_notional", "gross_pnl",
            "fees", "spread", "impact", "funding", "borrow", "shortfall", "initial_risk",
            "high", "low", "close", "price", "worst_price", "filled", "atr_frac", "taken",
            "tick", "lot", "min_notional", "cost_atr_frac", "volume",
        )
    ]
    + [
        (name, np.int64)
        for name in (
            "trade", "side", "entry_bar", "entry_time", "is_ambiguous", "stop_reason",
            "rung", "rungs", "entered_late_bar", "entered_step", "entry_order",
            "is_tradable", "is_maker", "order", "kind", "reason", "decided_bar", "carried_bar",
            "has_executed", "is_seen", "waits_for_rise", "taken_bar", "cost_bar",
        )
    ]
    + [("rung_price", np.float64, (MOST_LADDER_RUNGS,))],
    align=True,
)  # fmt: skip
"""A symbol: its position, the running sums of its open trade, its pending order, how it is traded.

``order`` is NONE without a pending order, ``trade`` NONE without a position; ``entry_order`` is the
order that opened it, ``entered_late_bar`` the bar in which it was opened after the bar's open.
"""

FEE_TIER_DTYPE: Final = np.dtype(
    [(name, np.float64) for name in ("volume_from", "maker_rate", "taker_rate")], align=True
)
EVENT_DTYPE: Final = np.dtype(
    [
        ("time_ns", np.int64),
        ("symbol", np.int64),
        ("rate", np.float64),
        ("mark_price", np.float64),
    ],
    align=True,
)


class Prices(NamedTuple):
    """Prices of the bars, or of their sub-bars, ``(T, S)`` or ``(T · n, S)``, C order."""

    open: Float2D
    high: Float2D
    low: Float2D
    close: Float2D


class Ledgers(NamedTuple):
    """Rows of ``engine.ledger``; the account's counters say how many are written."""

    fills: Records1D
    orders: Records1D
    trades: Records1D
    payments: Records1D


class Market(NamedTuple):
    """What is given: the bars, their sub-bars, listing, gaps and the market's events.

    ``bars`` and ``marks`` ``(T, S)``; ``reach_low`` and ``reach_high`` ``(T, S)`` bound the marks
    of all sub-bars of a bar (those of missing ones too); ``sub`` and ``sub_marks`` ``(T · n, S)``
    and their gaps; ``is_unresolved`` ``(T, S)``, or ``(0, 0)`` without finer bars, where a bar
    exists and none of its sub-bars does. ``top``/``bottom`` are the rolling extremes for
    ``trail_bars``, or ``(0, 0)``. ``leaving`` lists the cells ``t · S + s`` of the last bars of
    symbols that are delisted before the end.
    """

    open_time: Int1D
    bars: Prices
    marks: Prices
    reach_low: Float2D
    reach_high: Float2D
    listed: Bool2D
    is_gap: Bool2D
    volume: Float2D
    atr_frac: Float2D
    top: Float2D
    bottom: Float2D
    sub: Prices
    sub_marks: Prices
    sub_is_gap: Bool2D
    is_unresolved: Bool2D
    leaving: Int1D
    events: Records1D
    step: int
    sub_step: int


class DecisionRows(NamedTuple):
    """The rows that act, ``(N,)``, by cell ``t · S + s``, rising."""

    cell: Int1D
    target: Float1D
    style: Int8Array1D
    order_kind: Int8Array1D
    order_price: Float1D
    atr_frac: Float1D
    volatility: Float1D


NEUTRAL_BOUNDS: Final = {
    "position": 0.0, "down": -np.inf, "up": np.inf, "mark_down": -np.inf, "mark_up": np.inf,
}  # fmt: skip
"""What every bar asks of every symbol, side by side, ``(S,)`` each, and what a flat symbol answers.

``down`` and ``up`` are the traded prices, ``mark_down`` and ``mark_up`` the marks that bound a bar in
which nothing happens to the position; ``position`` is that of the slot.
"""

BOOKS_TABLES: Final = (
    "rules", "account", "slots", *NEUTRAL_BOUNDS, "parts", "held_symbols", "pending_symbols", "opens",
    "tiers", "limits", "fee_tiers", "day_notional", "batch", "active", "work", "equity", "fills",
    "orders", "trades", "payments",
)  # fmt: skip
BOOKS_DTYPE: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *BOOKS_TABLES, "symbols", "tier_count", "fee_tier_count", "fill_room", "order_room",
            "trade_room", "payment_room", "payments_per_bar",
        )
    ],
    align=True,
)  # fmt: skip
"""Addresses of everything that changes and of the rules by which it does.

``rules``, ``account`` and ``limits`` are one record each; ``slots`` and ``NEUTRAL_BOUNDS`` ``(S,)``;
``parts`` ``(S,)`` scratch for passes over all symbols; ``held_symbols`` and
``pending_symbols`` the rising lists of columns with a position and with an order, which the account
counts; ``opens`` ``(S,)`` the opens of the sub-bar at hand; ``day_notional`` the traded notional by
UTC day, from 30 days before the first bar's on; ``batch``, ``active`` and ``work`` ``(S,)``
scratch; ``equity`` ``(T,)``; the ledgers have room for so many rows.
"""

MARKET_TABLES: Final = (
    "open", "high", "low", "close", "mark_open", "mark_high", "mark_low", "mark_close",
    "reach_low", "reach_high", "listed", "is_gap", "volume", "atr_frac", "top", "bottom", "sub_open",
    "sub_high", "sub_low", "sub_close", "sub_mark_open", "sub_mark_high", "sub_mark_low",
    "sub_is_gap", "is_unresolved", "leaving", "events",
)  # fmt: skip
MARKET_DTYPE: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *MARKET_TABLES, "start", "bars", "symbols", "sub_count", "step", "sub_step", "leaving_count",
            "event_count",
        )
    ],
    align=True,
)  # fmt: skip
"""Addresses of the arrays of ``Market``, 0 for one that is empty; ``start`` is the open time of the
first bar.
"""

DECIDED_DTYPE: Final = np.dtype(
    [(name, np.int64) for name in (*DecisionRows._fields, "row_count")], align=True
)
"""Addresses of ``DecisionRows``."""

rules_at: Final = record_reader(RULES_DTYPE)
account_at: Final = record_reader(ACCOUNT_DTYPE)
slot_at: Final = record_reader(SLOT_DTYPE)
tier_at: Final = record_reader(TIER_DTYPE)
fee_tier_at: Final = record_reader(FEE_TIER_DTYPE)
event_at: Final = record_reader(EVENT_DTYPE)
fill_row_at: Final = record_reader(FILL_DTYPE)
order_row_at: Final = record_reader(ORDER_DTYPE)
trade_row_at: Final = record_reader(TRADE_DTYPE)
payment_row_at: Final = record_reader(PAYMENT_DTYPE)


@inner_kernel
def slots_kernel(books: np.record) -> Records1D:
    """The slots as an array, for kernels that take one."""
    return carray(pointer(books.slots), books.symbols, SLOT_DTYPE)


@inner_kernel
def tiers_kernel(books: np.record) -> Records1D:
    """The margin tiers as an array, for kernels that take one."""
    return carray(pointer(books.tiers), books.tier_count, TIER_DTYPE)
