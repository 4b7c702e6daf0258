"""What the sweep's kernels share: a searchable market, rules as numbers, state records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from .._limit_tables import CLAIM_FIELDS
from .._margin_kernel import MARK_FIELDS
from ..arrays import Records1D
from ..simd import record_reader

GROUP: Final = 8
"""Bars of a group: as many as a SIMD register holds, and as the return sums have lanes."""

RULE_FIELDS: Final = (
    "initial_cash", "taker_rate", "maker_rate", "slip", "stop_atr", "stop_frac",
    "take_profit_atr", "take_profit_frac", "take_profit_r", "takes_profit_by_limit",
    "time_stop_bars", "position_fraction", "max_gross", "has_margin", "liquidation_rate",
)  # fmt: skip
RULE_DTYPE: Final = np.dtype([(name, np.float64) for name in RULE_FIELDS], align=True)
"""The rules of one configuration; NaN for a level that is off, 0 for a flag or a count that is."""

TOTAL_FLOATS: Final = (
    "final_equity", "max_drawdown", "fees", "spread", "impact", "funding", "borrow", "shortfall",
    "traded_notional", "gross_wins", "gross_losses",
)  # fmt: skip
TOTAL_COUNTS: Final = (
    "trades", "wins", "bars_in_position", "ambiguous_exits", "liquidations", "ruined_bar",
)  # fmt: skip
TOTALS_DTYPE: Final = np.dtype(
    [
        *((name, np.float64) for name in TOTAL_FLOATS),
        *((name, np.int64) for name in TOTAL_COUNTS),
    ],
    align=True,
)
"""Totals of one configuration (``engine.sweep.SweepResult``)."""

WORK_DTYPE: Final = np.dtype(
    [
        *(
            (name, np.float64)
            for name in (
                "cash", "equity", "peak", "wins_before", "losses_before", "greatest_rate",
            )
        ),
        *(
            (name, np.int64)
            for name in (
                "symbols", "held", "start", "filled", "edge", "last_closed", "edge_count", "slots",
                "buffer", "lanes", "held_symbols", "batch", "edges", "at_edge", "tiers",
                "tier_count", "has_finite_tiers",
            )
        ),
    ],
    align=True,
)  # fmt: skip
"""The account of one configuration at work, and the addresses of its space.

``equity`` is that of the last close; ``start`` and ``filled`` say which bars the buffer holds,
``edge`` is the next block edge. ``slots`` (``SLOT_DTYPE``, one for each symbol), ``buffer`` and
``lanes`` (float64), ``held_symbols`` (in name order) and ``batch`` (int64, scratch), ``edges``
(int64), ``at_edge`` (float64 ``(edge_count, 5)``) and ``tiers`` are addresses.
"""

SLOT_DTYPE: Final = np.dtype(
    [
        *CLAIM_FIELDS,
        *MARK_FIELDS,
        *(
            (name, np.float64)
            for name in (
                "take_profit", "order_atr_frac", "gross_pnl", "fees", "funding", "shortfall",
            )
        ),
        *(
            (name, np.int64)
            for name in (
                "order_bar", "order_action", "order_row", "touch_bar", "last_bar",
                "entry_bar", "has_changed",
            )
        ),
    ],
    align=True,
)  # fmt: skip
"""A symbol of one configuration: position, open trade, next order and next touch."""


CELL_DTYPE: Final = np.dtype(
    [
        *((name, np.float64) for name in ("open", "high", "low", "close", "mark_close", "payable")),
        *((name, np.int32) for name in ("event_start", "payments", "last_bar", "is_plain")),
    ],
    align=True,
)
"""A symbol's bar, in one cache line.

``payable`` is the sum of |mark · rate| of the symbol's payments before the bar, ``event_start`` the
market's first payment in it or later, ``payments`` the market's number of them in it, ``last_bar``
the last of the listing that the bar belongs to. A bar ``is_plain`` when all of them fall on its
open and it is not the last.
"""
PRICE_DTYPE: Final = np.dtype(
    [
        *(
            (name, np.float64)
            for name in ("open", "high", "low", "mark_open", "mark_high", "mark_low")
        ),
        ("is_tradable", np.int64),
        ("unused", np.int64),
    ],
    align=True,
)
"""A symbol's sub-bar, in one cache line."""
MARKET_TABLES: Final = (
    "cells", "prices", "bounds", "windows", "fills_at", "first_sub", "mark_close", "low", "high",
    "mark_low", "mark_high", "group_low", "group_high", "group_mark_low", "group_mark_high", "sub_low",
    "sub_high", "sub_group_low", "sub_group_high", "fill_open", "event_bar", "event_key",
    "event_symbol", "event_rate", "event_mark",
)  # fmt: skip
MARKET_DTYPE: Final = np.dtype(
    [
        *((name, np.int64) for name in MARKET_TABLES),
        *((name, np.int64) for name in ("bars", "width", "groups", "sub_count")),
    ],
    align=True,
)
"""A market that can be searched, as addresses of its tables. Symbols are in name order.

Int64 ``(S, bars)``: ``fills_at``, the bar in which an order placed at a close fills, ``bars`` for
none; ``first_sub``, the first tradable sub-bar of a bar. ``cells`` (``CELL_DTYPE``, ``(S, bars +
1)``) and ``prices`` (``PRICE_DTYPE``, ``(S, bars · sub_count)``) are read where something happens;
``bounds`` float64 ``(S, 3)`` are the greatest payable, the lowest and the highest mark of all;
``windows`` the same of the first symbol for every ``WINDOW_STEP`` bars, of these and those after
them up to ``WINDOW_BARS``.
Searched are float64 ``(S, width)``, padded to whole groups: ``mark_close``, what equity is marked
at; ``low``/``high`` of tradable bars, never reached elsewhere; ``mark_low``/``mark_high``, the
bounds of every mark of a bar; ``group_*``, their extremes by ``GROUP`` bars ``(S, groups)``.
``sub_low``/``sub_high`` and ``sub_group_*`` are the same of the sub-bars of an only symbol where
there are finer bars, each bar's in whole groups. ``fill_open`` is where an order of a bar fills.
Payments: ``event_bar``, ``event_key`` (2 · sub-bar + 1 inside of it), ``event_symbol``,
``event_rate``, ``event_mark``; after the last comes one that is never due.
"""

ROW_DTYPE: Final = np.dtype(
    [
        *((name, np.int32) for name in ("bar", "fills_at", "last_bar", "is_simple")),
        *((name, np.float64) for name in ("fill_open", "atr_frac")),
    ],
    align=True,
)
"""A row of decision events: its bar, and the bar that fills its order with that bar's ``last_bar``
and open.

A row ``is_simple`` when the bar after it fills its order, and no other row comes before that.
"""
PLAN_DTYPE: Final = np.dtype(
    [
        (name, np.int32)
        for name in ("row", "entry_bar", "touch_bar", "order_bar", "order_row", "order_action")
    ],
    align=True,
)
"""A trade to come: the row that enters and the bar in which it does, the first bar that touches a
level, T for none before the order that closes or the end of the listing, and that order's bar (T for
none), row and action.
"""
TOGETHER: Final = 4
"""Configurations planned at a time."""
AHEAD: Final = 2
"""How many trades ahead of the walk the cache is asked for bars."""
ENTERS, LEAVES_LONG, LEAVES_SHORT, SEARCHES = range(4)
"""What is searched for among the actions of a configuration."""
DECIDED_DTYPE: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            "rows", "row_from", "first", "stop", "actions", "bits", "after", "plans", "planned",
            "row_count", "words",
        )
    ],
    align=True,
)  # fmt: skip
"""Addresses of decision events: ``first``/``stop`` ``(S,)`` into ``rows`` (``ROW_DTYPE``), in name
order; ``row_from`` int32 ``(S, bars + 1)``, a symbol's first row of a bar or later; ``actions``
``(K, row_count)``. For ``TOGETHER`` configurations at work int64 ``(TOGETHER, SEARCHES, words)``:
``bits``, which of the 64 rows of a word are searched for, and ``after``, the first such row behind
the word; ``plans`` (``PLAN_DTYPE``, ``(TOGETHER, row_count)``) of so many trades ``planned`` int64.
"""

slot_at: Final = record_reader(SLOT_DTYPE)
row_at: Final = record_reader(ROW_DTYPE)
plan_at: Final = record_reader(PLAN_DTYPE)
cell_at: Final = record_reader(CELL_DTYPE)
price_at: Final = record_reader(PRICE_DTYPE)

BUFFER_BARS: Final = 1024
WINDOW_STEP: Final = 64
WINDOW_BARS: Final = 2048
SUMS_KEPT: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Addressed:
    """A record of addresses, and the arrays that must live as long."""

    record: Records1D
    arrays: tuple[np.ndarray[Any, Any], ...]


def addressed(dtype: Any, tables: Mapping[str, np.ndarray[Any, Any]], **numbers: int) -> Addressed:
    """A record of ``dtype`` with the addresses of ``tables`` and ``numbers`` in its fields."""
    record = np.zeros(1, dtype=dtype)
    kept = {name: np.ascontiguousarray(table) for name, table in tables.items()}
    for name, table in kept.items():
        record[name] = table.ctypes.data
    for name, number in numbers.items():
        record[name] = number
    return Addressed(record, tuple(kept.values()))


def empty_work(symbols: int) -> Addressed:
    """Space for one configuration at a time."""
    return addressed(
        WORK_DTYPE,
        {
            "slots": np.zeros(symbols, dtype=SLOT_DTYPE),
            "buffer": np.zeros(BUFFER_BARS + 10 * GROUP),
            "lanes": np.zeros(SUMS_KEPT * GROUP),
            "held_symbols": np.zeros(symbols, dtype=np.int64),
            "batch": np.zeros(symbols, dtype=np.int64),
        },
        symbols=symbols,
    )
