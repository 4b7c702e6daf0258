"""Execution of the orders that execute at one step of a sub-bar (accounting, 3.1)."""

import numpy as np
from numba import carray

from .._limit_tables import LIMIT_NUMBERS_DTYPE, ClosedTrades
from .._limits_kernel import grant_kernel
from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..rules import DUST
from ..simd import number_at, pointer, put_number, whole_at
from ..ticks import ROUNDING
from .fills import fill_kernel, lot_down_kernel
from .levels import extend_entry_kernel, set_levels_kernel
from .orders import end_order_kernel, order_side_kernel
from .rows import is_dense_kernel, notionals_kernel
from .state import (
    ENTRY,
    FILLED,
    LOT,
    MIN_NOTIONAL,
    PARTICIPATION,
    PHASE_INTRABAR,
    REJECTED,
    RESIZE,
    REVERSE,
    account_at,
    order_row_at,
    rules_at,
    slot_at,
    slots_kernel,
    tiers_kernel,
)


@inner_kernel
def execute_batch_kernel(
    books: np.record, market: np.record, opens: int, count: int, step: int
) -> None:
    """Execute the orders of ``books.batch[:count]`` (rising).

    ``opens`` is the address of the sub-bar's opens ``(S,)``; ``step`` numbers the sub-bars.
    """
    account = account_at(books.account, 0)
    t = account.bar
    fresh = account.last_closed_bar == t
    trades = ClosedTrades(
        account.known_closed if fresh else account.closed,
        account.known_wins if fresh else account.wins,
        account.known_win_return if fresh else account.win_return,
        account.known_loss_return if fresh else account.loss_return,
    )
    shape = (market.bars, market.symbols)
    batch = carray(pointer(books.batch), count, np.int64)
    carried = carray(pointer(books.parts), books.symbols, np.float64)
    carried_notionals_kernel(books, opens)
    for k in range(count):
        put_number(books.parts, whole_at(books.batch, k), 0.0)
    close = carray(pointer(market.close), shape, np.float64)
    listed = carray(pointer(market.listed), shape, np.bool_)
    limits = carray(pointer(books.limits), 1, LIMIT_NUMBERS_DTYPE)
    work = carray(pointer(books.work), books.symbols, np.int64)
    grant_kernel(
        t, account.equity, account.peak, trades, batch, slots_kernel(books), carried,
        close, listed, limits, tiers_kernel(books), work,
    )  # fmt: skip
    for k in range(count):
        execute_order_kernel(books, whole_at(books.batch, k), step)


@inner_kernel
def carried_notionals_kernel(books: np.record, opens: int) -> None:
    """Write ``|q| · u(open)`` of every symbol into ``books.parts``."""
    if is_dense_kernel(books):
        notionals_kernel(books, opens)
        return
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    for s in range(books.symbols):
        put_number(books.parts, s, 0.0)
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        unit = abs(value_kernel(number_at(opens, s), is_inverse))
        put_number(books.parts, s, abs(number_at(books.position, s)) * unit)


@inner_kernel
def volume_left_kernel(books: np.record, s: int) -> float:
    """What orders of ``s`` may still take of the bar's volume."""
    rules, slot = rules_at(books.rules, 0), slot_at(books.slots, s)
    if np.isnan(rules.participation):
        return np.inf
    if slot.taken_bar != account_at(books.account, 0).bar:
        slot.taken_bar = account_at(books.account, 0).bar
        slot.taken = 0.0
    return max(lot_down_kernel(rules.participation * slot.volume, slot.lot) - slot.taken, 0.0)


@inner_kernel
def order_fill_kernel(books: np.record, s: int, quantity: float, reason: int, closes: bool) -> bool:
    """A fill of the pending order of ``s``, cut to what the volume leaves; whether it was cut."""
    slot = slot_at(books.slots, s)
    left = volume_left_kernel(books, s)
    size = abs(quantity)
    is_cut = size - left > ROUNDING * size
    if is_cut:
        size = left
    if size > 0.0:
        before = slot.position
        is_buy_order = order_side_kernel(slot) > 0.0
        worst_price = slot.worst_price if is_buy_order == (quantity > 0.0) else 0.0
        price = fill_kernel(
            books, s, size if quantity > 0.0 else -size, slot.reference,
            slot.is_maker != 0, worst_price, reason, slot.order, closes and not is_cut,
        )  # fmt: skip
        slot.taken += size
        slot.filled += size
        if before == 0.0:
            set_levels_kernel(books, s, price, size)
        elif before * quantity > 0.0 and slot.order == slot.entry_order:
            extend_entry_kernel(books, s, price, size)
    return is_cut


@inner_kernel
def execute_order_kernel(books: np.record, s: int, step: int) -> None:
    """Execute the pending order of ``s`` with the notional granted to it."""
    rules, account, slot = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        slot_at(books.slots, s),
    )
    target = slot.target
    unit = abs(value_kernel(slot.reference, rules.is_inverse != 0))
    held = slot.position
    limit = slot.limit
    side = 1.0 if target > 0.0 else -1.0
    size = slot.granted / unit
    if held * target > 0.0 and abs(target) >= abs(slot.force):
        size = max(size, abs(held))
    opposes = held * target < 0.0
    is_cut, lacks = False, False
    if held != 0.0 and (size == 0.0 or opposes):
        reason = REVERSE if opposes else slot.reason
        is_cut = order_fill_kernel(books, s, -held, reason, True)
        held = slot.position
    if size != 0.0 and not is_cut:
        change = size - abs(held)
        is_opening = held == 0.0
        if is_opening or abs(change) * unit >= DUST * account.equity:
            rounded = lot_down_kernel(abs(change), slot.lot)
            if rounded == 0.0:
                limit, lacks = LOT, True
            elif rounded * unit < slot.min_notional:
                limit, lacks = MIN_NOTIONAL, True
            else:
                quantity = side * rounded if change > 0.0 else -side * rounded
                closes = change < 0.0 and rounded >= abs(held)
                is_cut = order_fill_kernel(
                    books, s, -held if closes else quantity,
                    ENTRY if is_opening else RESIZE, closes,
                )  # fmt: skip
                if is_opening and account.phase == PHASE_INTRABAR:
                    slot.entered_step = step
                    slot.entered_late_bar = account.bar
                elif is_opening and account.time != account.bar_time:
                    slot.entered_late_bar = account.bar
    if is_cut:
        limit = PARTICIPATION
    if slot.has_executed == 0:
        slot.has_executed = 1
        if account.keeps_rows:
            row = order_row_at(books.orders, slot.order)
            row.limit = limit
            row.wanted_notional = slot.wanted
            row.granted_notional = slot.granted
    held = slot.position
    if held == 0.0:
        slot.force = 0.0
    elif held * target > 0.0 and (slot.filled > 0.0 or not is_cut):
        slot.force = target
    is_rejected = slot.filled == 0.0 and (lacks or (held == 0.0 and target != 0.0))
    if is_cut:
        slot.carried_bar = account.bar
        account.has_acted = 1
    else:
        end_order_kernel(books, s, REJECTED if is_rejected else FILLED)
