"""The life of an order: placed at a close, executable at an open or inside a sub-bar, ended
(accounting, 3).
"""

from typing import Final

import numpy as np

from ..jit import inner_kernel
from ..simd import number_at
from ..ticks import ROUNDING
from .state import (
    CANCELLED,
    DROPPED,
    EXPIRED,
    LIMIT_ORDER,
    MARKET,
    NO_LIMIT,
    NONE,
    PARTIAL,
    account_at,
    order_row_at,
    rules_at,
    slot_at,
)
from .symbol_lists import insert_kernel, remove_kernel

FARTHEST_STOP: Final = 0.99
"""The largest distance of a stop, as a share of the entry price."""


@inner_kernel
def place_order_kernel(
    books: np.record, s: int, target: float, kind: int, price: float,
    atr_frac: float, volatility: float, reason: int,
) -> None:  # fmt: skip
    """A pending order of ``s``, which has none, from the close of the account's bar on."""
    rules, account, slot = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        slot_at(books.slots, s),
    )
    slot.order = account.orders
    slot.kind = kind
    slot.price = price
    slot.atr_frac = atr_frac
    slot.reason = reason
    slot.decided_bar = account.bar
    slot.carried_bar = NONE
    slot.has_executed = 0
    slot.is_seen = 0
    slot.filled = 0.0
    slot.waits_for_rise = (target > slot.force) != (kind == LIMIT_ORDER)
    distance = rules.stop_frac
    if not np.isnan(rules.stop_atr):
        distance = min(rules.stop_atr * atr_frac, FARTHEST_STOP)
    slot.target = target
    slot.stop_distance = distance
    slot.volatility = volatility
    insert_kernel(books.pending_symbols, account.pending, s)
    account.pending += 1
    if account.keeps_rows:
        row = order_row_at(books.orders, account.orders)
        row.order = account.orders
        row.decided_bar = account.bar
        row.symbol = s
        row.kind = kind
        row.limit = NO_LIMIT
        row.target = target
        row.price = price if kind != MARKET else np.nan
        row.wanted_notional = 0.0
        row.granted_notional = 0.0
        row.filled_quantity = 0.0
    account.orders += 1


@inner_kernel
def end_order_kernel(books: np.record, s: int, status: int) -> None:
    """End the pending order of ``s``, if there is one; cut short after a part of it, it is ``partial``."""
    account, slot = account_at(books.account, 0), slot_at(books.slots, s)
    if slot.order == NONE:
        return
    if account.keeps_rows:
        row = order_row_at(books.orders, slot.order)
        is_cut = status in (CANCELLED, EXPIRED, DROPPED)
        row.status = PARTIAL if is_cut and slot.filled > 0.0 else status
        row.closed_bar = account.bar
        row.filled_quantity = slot.filled
    slot.order = NONE
    remove_kernel(books.pending_symbols, account.pending, s)
    account.pending -= 1
    account.has_acted = 1


@inner_kernel
def order_side_kernel(slot: np.record) -> float:
    """1 for a pending limit or stop order to buy, −1 for one to sell."""
    return 1.0 if (slot.waits_for_rise != 0) == (slot.kind != LIMIT_ORDER) else -1.0


@inner_kernel
def is_through_kernel(side: float, price: float, level: float, tick: float) -> bool:
    """Whether ``price`` is better for a limit order of ``side`` than its ``level`` by a tick."""
    if tick > 0.0:
        reach = tick * (1.0 - ROUNDING)
        return price <= level - reach if side > 0.0 else price >= level + reach
    return price < level if side > 0.0 else price > level


@inner_kernel
def executes_at_open_kernel(books: np.record, s: int) -> bool:
    """Whether the pending order of ``s`` executes at the sub-bar's open; states its reference price."""
    slot = slot_at(books.slots, s)
    open_ = number_at(books.opens, s)
    slot.is_maker = 0
    slot.worst_price = 0.0
    is_carried = slot.carried_bar != NONE
    if is_carried and slot.carried_bar == account_at(books.account, 0).bar:
        return False
    if slot.kind == MARKET or (is_carried and slot.kind != LIMIT_ORDER):
        slot.reference = open_
        return True
    is_first = slot.is_seen == 0
    slot.is_seen = 1
    side = order_side_kernel(slot)
    if slot.kind != LIMIT_ORDER:
        slot.reference = open_
        return side * open_ >= side * slot.price
    if is_first:
        slot.reference = open_
        slot.worst_price = slot.price
        return side * open_ <= side * slot.price
    slot.reference = slot.price
    slot.is_maker = 1
    return is_through_kernel(side, open_, slot.price, slot.tick)


@inner_kernel
def executes_inside_kernel(books: np.record, s: int) -> bool:
    """Whether the sub-bar reaches the resting order of ``s``; states its reference price."""
    slot = slot_at(books.slots, s)
    if slot.kind == MARKET:
        return False
    if slot.carried_bar != NONE and (
        slot.kind != LIMIT_ORDER or slot.carried_bar == account_at(books.account, 0).bar
    ):
        return False
    side = order_side_kernel(slot)
    slot.reference = slot.price
    slot.worst_price = 0.0
    if slot.kind == LIMIT_ORDER:
        slot.is_maker = 1
        cheapest = slot.low if side > 0.0 else slot.high
        return is_through_kernel(side, cheapest, slot.price, slot.tick)
    slot.is_maker = 0
    farthest = slot.high if side > 0.0 else slot.low
    return side * farthest >= side * slot.price
