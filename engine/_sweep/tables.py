"""What the sweep's kernels share: a searchable market, rules as numbers, state records."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from .._limit_tables import CLAIM_FIELDS
from .._margin_kernel import MARK_FIELDS
from .._replay.prepare import PreparedMarket
from .._replay.state import Market
from ..arrays import Bool2D, Float2D, Int1D, Int2D, Records1D
from ..jit import kernel
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
                "order_bar", "order_action", "touch_bar", "last_bar", "entry_bar",
                "row", "has_changed",
            )
        ),
    ],
    align=True,
)  # fmt: skip
"""A symbol of one configuration: position, open trade, next order and next touch."""


CELL_DTYPE: Final = np.dtype(
    [
        *((name, np.float64) for name in ("open", "high", "low", "close", "mark_close", "payable")),
        ("event_start", np.int64),
        ("last_bar", np.int64),
    ],
    align=True,
)
"""A symbol's bar, in one cache line.

``payable`` is the sum of |mark · rate| of the symbol's payments before the bar, ``event_start`` the
market's first payment in it or later, ``last_bar`` the last of the listing that the bar belongs to.
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
    "cells", "prices", "bounds", "fills_at", "first_sub", "mark_close", "low", "high", "mark_low",
    "mark_high", "group_low", "group_high", "group_mark_low", "group_mark_high", "event_bar",
    "event_key", "event_symbol", "event_rate", "event_mark",
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
``bounds`` float64 ``(S, 3)`` are the greatest payable, the lowest and the highest mark of all.
Searched are float64 ``(S, width)``, padded to whole groups: ``mark_close``, what equity is marked
at; ``low``/``high`` of tradable bars, never reached elsewhere; ``mark_low``/``mark_high``, the
bounds of every mark of a bar; ``group_*``, their extremes by ``GROUP`` bars ``(S, groups)``.
Payments: ``event_bar``, ``event_key`` (2 · sub-bar + 1 inside of it), ``event_symbol``,
``event_rate``, ``event_mark``; after the last comes one that is never due.
"""

DECIDED_DTYPE: Final = np.dtype(
    [
        (name, np.int64)
        for name in ("rows", "fills_at", "atr_frac", "first", "stop", "actions", "row_count")
    ],
    align=True,
)
"""Addresses of decision events: ``first``/``stop`` ``(S,)`` into ``rows``, in name order;
``actions`` ``(K, row_count)``.

``fills_at`` int64 and ``atr_frac`` float64 are those of the cells at ``rows``.
"""

slot_at: Final = record_reader(SLOT_DTYPE)
cell_at: Final = record_reader(CELL_DTYPE)
price_at: Final = record_reader(PRICE_DTYPE)

BUFFER_BARS: Final = 512
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
            "buffer": np.zeros(BUFFER_BARS + 4 * GROUP),
            "lanes": np.zeros(SUMS_KEPT * GROUP),
            "held_symbols": np.zeros(symbols, dtype=np.int64),
            "batch": np.zeros(symbols, dtype=np.int64),
        },
        symbols=symbols,
    )


def decided_events(
    market: Addressed,
    prepared: PreparedMarket,
    rows: Int1D,
    offsets: Int1D,
    actions: np.ndarray[Any, Any],
) -> Addressed:
    """Decision events for the kernels."""
    order = prepared.order
    first, stop = offsets[order], offsets[order + 1]
    fills, fractions = market.arrays[-2:]
    fills_at = np.zeros(len(rows), dtype=np.int64)
    atr_frac = np.zeros(len(rows))
    for s in range(len(order)):
        own = slice(int(first[s]), int(stop[s]))
        fills_at[own], atr_frac[own] = fills[s][rows[own]], fractions[s][rows[own]]
    tables = {
        "rows": rows, "fills_at": fills_at, "atr_frac": atr_frac, "first": first, "stop": stop,
        "actions": actions,
    }  # fmt: skip
    return addressed(DECIDED_DTYPE, tables, row_count=len(rows))


def sweep_market(prepared: PreparedMarket) -> Addressed:
    """The searchable form of a prepared market."""
    market = prepared.market
    bars, symbols = market.listed.shape
    tradable = market.listed & ~market.is_gap
    count = len(market.sub.open) // bars
    first_sub, fills_at, last_bar = _when_kernel(
        market.listed, tradable, market.sub_is_gap, market.is_unresolved, count
    )
    low = _padded(np.where(tradable, market.bars.low, np.inf), np.inf)
    high = _padded(np.where(tradable, market.bars.high, -np.inf), -np.inf)
    mark_low = _padded(market.reach_low, np.inf)
    mark_high = _padded(market.reach_high, -np.inf)
    events = market.events
    offset = events["time_ns"] - market.open_time[0]
    sub, rest = np.divmod(offset, market.sub_step)
    bar = offset // market.step
    payable = np.zeros((symbols, bars + 1))
    np.add.at(payable, (events["symbol"], bar + 1), np.abs(events["rate"] * events["mark_price"]))
    cells = np.zeros((symbols, bars + 1), dtype=CELL_DTYPE)
    cells["payable"] = np.cumsum(payable, axis=1)
    cells["event_start"] = np.searchsorted(bar, np.arange(bars + 1))
    cells["last_bar"][:, :bars] = last_bar
    for name in ("open", "high", "low", "close"):
        cells[name][:, :bars] = getattr(market.bars, name).T
    cells["mark_close"][:, :bars] = market.marks.close.T
    width = low.shape[1]
    tables = {
        "cells": cells,
        "prices": _prices(market, tradable, count),
        "fills_at": fills_at,
        "first_sub": first_sub,
        "bounds": np.stack(
            (cells["payable"][:, -1], market.reach_low.min(axis=0), market.reach_high.max(axis=0)),
            axis=1,
        ),
        "mark_close": _padded(market.marks.close, 1.0),
        "low": low,
        "high": high,
        "mark_low": mark_low,
        "mark_high": mark_high,
        "group_low": _grouped(low).min(axis=2),
        "group_high": _grouped(high).max(axis=2),
        "group_mark_low": _grouped(mark_low).min(axis=2),
        "group_mark_high": _grouped(mark_high).max(axis=2),
        "event_bar": np.append(bar, 2 * bars).astype(np.int64),
        "event_key": np.append(2 * sub + (rest > 0), 4 * bars * count).astype(np.int64),
        "event_symbol": events["symbol"].astype(np.int64),
        "event_rate": events["rate"],
        "event_mark": events["mark_price"],
    }
    found = addressed(
        MARKET_DTYPE, tables, bars=bars, width=width, groups=width // GROUP, sub_count=count
    )
    return replace(found, arrays=(*found.arrays, fills_at, market.atr_frac.T.copy()))


def _prices(market: Market, tradable: Bool2D, count: int) -> np.ndarray[Any, Any]:
    """The sub-bars; the first of a bar without any has its prices, the others its close."""
    bars, symbols = tradable.shape
    prices = np.zeros((symbols, bars * count), dtype=PRICE_DTYPE)
    prices["is_tradable"] = (np.repeat(market.listed, count, axis=0) & ~market.sub_is_gap).T
    for name in ("open", "high", "low"):
        prices[name] = getattr(market.sub, name).T
        prices[f"mark_{name}"] = getattr(market.sub_marks, name).T
    if len(market.is_unresolved):
        for bar, s in np.argwhere(market.is_unresolved):
            own = prices[s, bar * count : (bar + 1) * count]
            for kind, source in (("", market.bars), ("mark_", market.marks)):
                for name in ("open", "high", "low"):
                    own[f"{kind}{name}"] = source.close[bar, s]
                    own[f"{kind}{name}"][0] = getattr(source, name)[bar, s]
            own["is_tradable"] = 0
            own["is_tradable"][0] = 1
    return prices


def _padded(table: Float2D, filling: float) -> Float2D:
    """``(T, S)`` as ``(S, T)`` in whole groups, and one group more for reads that overshoot."""
    bars, symbols = table.shape
    padded = np.full((symbols, (-(-bars // GROUP) + 2) * GROUP), filling)
    padded[:, :bars] = table.T
    return padded


def _grouped(table: Float2D) -> Any:
    return table.reshape(len(table), -1, GROUP)


@kernel
def _when_kernel(
    listed: Bool2D, tradable: Bool2D, sub_is_gap: Bool2D, is_unresolved: Bool2D, count: int
) -> tuple[Int2D, Int2D, Int2D]:
    """First tradable sub-bars, bars in which orders fill, ends of listings; ``(S, T)``."""
    bars, symbols = listed.shape
    first_sub = np.zeros((symbols, bars), dtype=np.int64)
    fills_at = np.full((symbols, bars), bars, dtype=np.int64)
    last_bar = np.full((symbols, bars), bars - 1, dtype=np.int64)
    for s in range(symbols):
        fill, last = bars, bars - 1
        for t in range(bars - 1, -1, -1):
            fills_at[s, t] = fill
            if not listed[t, s]:
                fill = bars
            elif tradable[t, s]:
                fill = t
            if t == bars - 1 or not listed[t + 1, s]:
                last = t
            last_bar[s, t] = last
            first_sub[s, t] = t * count
            if count > 1 and not is_unresolved[t, s]:
                for k in range(count):
                    if not sub_is_gap[t * count + k, s]:
                        first_sub[s, t] = t * count + k
                        break
    return first_sub, fills_at, last_bar
