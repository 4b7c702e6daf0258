"""Steps 1 to 4 of the order of events: one sub-bar, and whether it may be passed over (accounting, 4)."""

import numpy as np

from ..jit import inner_kernel
from ..simd import byte_at, number_at, put_number, put_whole, whole_at
from .account import list_touched_kernel, margin_holds_kernel
from .batch import execute_batch_kernel
from .exits import exit_at_open_kernel, exit_inside_kernel
from .fills import cost_inputs_kernel
from .liquidation import (
    exits_after_entry_kernel,
    exits_inside_kernel,
    liquidate_at_open_kernel,
    renew_margin_kernel,
)
from .orders import executes_at_open_kernel, executes_inside_kernel
from .payments import payments_kernel
from .ruin import is_ruined_at_open_kernel, ruin_at_open_kernel
from .state import NONE, PHASE_INTRABAR, PHASE_OPEN, account_at, rules_at, slot_at


@inner_kernel
def load_symbol_kernel(books: np.record, market: np.record, t: int, row: int, s: int) -> None:
    """Bring the prices of ``s`` in the sub-bar ``row`` of bar ``t`` within reach."""
    slot = slot_at(books.slots, s)
    cell, bar_cell = row * market.symbols + s, t * market.symbols + s
    if market.is_unresolved != 0 and byte_at(market.is_unresolved, bar_cell):
        load_unresolved_kernel(books, market, bar_cell, s, row == t * market.sub_count)
    else:
        put_number(books.opens, s, number_at(market.sub_open, cell))
        slot.high = number_at(market.sub_high, cell)
        slot.low = number_at(market.sub_low, cell)
        slot.close = number_at(market.sub_close, cell)
        slot.mark_open = number_at(market.sub_mark_open, cell)
        slot.mark_high = number_at(market.sub_mark_high, cell)
        slot.mark_low = number_at(market.sub_mark_low, cell)
        slot.is_tradable = byte_at(market.sub_is_gap, cell) == 0
    slot.moves = slot.is_tradable
    if rules_at(books.rules, 0).scales_costs:
        cost_inputs_kernel(books, market, s, t)


@inner_kernel
def load_unresolved_kernel(
    books: np.record, market: np.record, cell: int, s: int, is_first: bool
) -> None:
    """A sub-bar of a bar without any: the first holds all of the bar, the others are gaps at its close."""
    slot = slot_at(books.slots, s)
    slot.is_tradable = is_first
    if is_first:
        put_number(books.opens, s, number_at(market.open, cell))
        slot.high = number_at(market.high, cell)
        slot.low = number_at(market.low, cell)
        slot.mark_open = number_at(market.mark_open, cell)
        slot.mark_high = number_at(market.mark_high, cell)
        slot.mark_low = number_at(market.mark_low, cell)
    else:
        put_number(books.opens, s, number_at(market.close, cell))
        slot.high = slot.low = number_at(market.close, cell)
        slot.mark_open = slot.mark_high = slot.mark_low = number_at(market.mark_close, cell)
    slot.close = number_at(market.close, cell)


@inner_kernel
def walk_sub_bar_kernel(
    books: np.record, market: np.record, t: int, row: int, time: int, skips: bool
) -> None:
    """Steps 1 to 4 in the sub-bar ``row`` of bar ``t`` that opens at ``time``."""
    account = account_at(books.account, 0)
    account.time = time
    account.phase = PHASE_OPEN
    if account.next_payment <= time:
        payments_kernel(books, market, time + 1)
    if skips and account.next_payment >= time + market.sub_step:
        if account.has_moved:
            renew_margin_kernel(books, market.sub_mark_open + 8 * row * market.symbols)
        count = active_kernel(books, market, row)
        if count != NONE:
            active_only_kernel(books, market, t, row, count)
            return
    everything_kernel(books, market, t, row, time)


@inner_kernel
def active_kernel(books: np.record, market: np.record, row: int) -> int:
    """List in ``books.active`` the symbols with an order or a level within the sub-bar's range; how many.

    NONE where a margin may be reached.
    """
    account = account_at(books.account, 0)
    if not margin_holds_kernel(books, market.sub_mark_low, market.sub_mark_high, row):
        return NONE
    touched = list_touched_kernel(books, market.sub_low, market.sub_high, row)
    place, count = 0, 0
    for k in range(account.pending):
        s = whole_at(books.pending_symbols, k)
        while place < touched and whole_at(books.work, place) < s:
            put_whole(books.active, count, whole_at(books.work, place))
            place, count = place + 1, count + 1
        place += place < touched and whole_at(books.work, place) == s
        put_whole(books.active, count, s)
        count += 1
    while place < touched:
        put_whole(books.active, count, whole_at(books.work, place))
        place, count = place + 1, count + 1
    return count


@inner_kernel
def active_only_kernel(books: np.record, market: np.record, t: int, row: int, active: int) -> None:
    """Steps 2 to 4 for ``books.active``, where nothing can happen to the others and no payment
    falls inside.
    """
    account = account_at(books.account, 0)
    opens = market.sub_open + 8 * row * market.symbols
    for k in range(active):
        load_symbol_kernel(books, market, t, row, whole_at(books.active, k))
    count = open_batch_kernel(books)
    if count > 0:
        execute_batch_kernel(books, market, opens, count, row)
    for k in range(active):
        s = whole_at(books.active, k)
        if slot_at(books.slots, s).is_tradable and slot_at(books.slots, s).position != 0.0:
            exit_at_open_kernel(books, s, number_at(books.opens, s))
    account.phase = PHASE_INTRABAR
    is_safe = True
    if account.has_moved:
        renew_margin_kernel(books, market.sub_mark_open + 8 * row * market.symbols)
        is_safe = margin_holds_kernel(books, market.sub_mark_low, market.sub_mark_high, row)
    if is_safe:
        for k in range(active):
            s = whole_at(books.active, k)
            if slot_at(books.slots, s).is_tradable and slot_at(books.slots, s).position != 0.0:
                exit_inside_kernel(books, s)
    else:
        for k in range(account.held):
            load_symbol_kernel(books, market, t, row, whole_at(books.held_symbols, k))
        exits_inside_kernel(books)
        account.has_moved = 1
    if account.pending > 0:
        rest_inside_kernel(books, market, opens, t, row)


@inner_kernel
def everything_kernel(books: np.record, market: np.record, t: int, row: int, time: int) -> None:
    """Steps 2 to 4 with every symbol that has a position or an order."""
    account = account_at(books.account, 0)
    for k in range(account.held):
        load_symbol_kernel(books, market, t, row, whole_at(books.held_symbols, k))
    for k in range(account.pending):
        load_symbol_kernel(books, market, t, row, whole_at(books.pending_symbols, k))
    if is_ruined_at_open_kernel(books):
        ruin_at_open_kernel(books, market, t)
        return
    liquidate_at_open_kernel(books)
    count = open_batch_kernel(books)
    if count > 0:
        execute_batch_kernel(books, market, books.opens, count, row)
    count = account.held
    for k in range(count):
        put_whole(books.work, k, whole_at(books.held_symbols, k))
    for k in range(count):
        s = whole_at(books.work, k)
        if slot_at(books.slots, s).is_tradable:
            exit_at_open_kernel(books, s, number_at(books.opens, s))
    account.phase = PHASE_INTRABAR
    if account.next_payment < time + market.sub_step:
        payments_kernel(books, market, time + market.sub_step)
    if account.held > 0:
        exits_inside_kernel(books)
    if account.pending > 0:
        rest_inside_kernel(books, market, books.opens, t, row)
    account.has_moved = 1


@inner_kernel
def open_batch_kernel(books: np.record) -> int:
    """List the orders that execute at the open in ``books.batch``; how many."""
    count = 0
    for k in range(account_at(books.account, 0).pending):
        s = whole_at(books.pending_symbols, k)
        if slot_at(books.slots, s).is_tradable and executes_at_open_kernel(books, s):
            put_whole(books.batch, count, s)
            count += 1
    return count


@inner_kernel
def rest_inside_kernel(books: np.record, market: np.record, opens: int, t: int, row: int) -> None:
    """Steps 4.3 and 4.4: resting orders that the sub-bar reaches, and exits of what they entered."""
    count = 0
    for k in range(account_at(books.account, 0).pending):
        s = whole_at(books.pending_symbols, k)
        if slot_at(books.slots, s).is_tradable and executes_inside_kernel(books, s):
            put_whole(books.batch, count, s)
            count += 1
    if count == 0:
        return
    execute_batch_kernel(books, market, opens, count, row)
    account = account_at(books.account, 0)
    for k in range(account.held):
        load_symbol_kernel(books, market, t, row, whole_at(books.held_symbols, k))
    exits_after_entry_kernel(books, count, row)
    account.has_moved = 1
