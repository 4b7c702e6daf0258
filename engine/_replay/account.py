"""Equity at the closes: step 6 of the order of events (accounting, 4), and stretches of quiet bars."""

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import (
    number_at,
    put_number,
    put_whole,
    whole_at,
)
from .one_position import one_position_kernel
from .rows import (
    holds_all_kernel,
    is_dense_kernel,
    list_all_touched_kernel,
    margin_holds_all_kernel,
    worths_kernel,
)
from .state import NONE, account_at, rules_at, slot_at


@inner_kernel
def holds_kernel(
    books: np.record, low: int, high: int, mark_low: int, mark_high: int, row: int
) -> bool:
    """Whether no level and no margin of a position is reached between the prices of ``row``.

    ``low`` … ``mark_high`` are addresses of ``(rows, S)``. Errs only towards False.
    """
    if is_dense_kernel(books):
        return holds_all_kernel(books, low, high, mark_low, mark_high, row)
    first = row * books.symbols
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        cell = first + s
        if number_at(low, cell) <= number_at(books.down, s):
            return False
        if number_at(high, cell) >= number_at(books.up, s):
            return False
        if number_at(mark_low, cell) <= number_at(books.mark_down, s):
            return False
        if number_at(mark_high, cell) >= number_at(books.mark_up, s):
            return False
    return True


@inner_kernel
def margin_holds_kernel(books: np.record, mark_low: int, mark_high: int, row: int) -> bool:
    """``holds_kernel`` for the margin alone."""
    if is_dense_kernel(books):
        return margin_holds_all_kernel(books, mark_low, mark_high, row)
    first = row * books.symbols
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        if number_at(mark_low, first + s) <= number_at(books.mark_down, s):
            return False
        if number_at(mark_high, first + s) >= number_at(books.mark_up, s):
            return False
    return True


@inner_kernel
def list_touched_kernel(books: np.record, low: int, high: int, row: int) -> int:
    """List in ``books.work`` the positions with a level within the row's range, rising; how many."""
    if is_dense_kernel(books):
        return list_all_touched_kernel(books, low, high, row)
    first, count = row * books.symbols, 0
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        if number_at(low, first + s) <= number_at(books.down, s) or number_at(
            high, first + s
        ) >= number_at(books.up, s):
            put_whole(books.work, count, s)
            count += 1
    return count


@inner_kernel
def is_calm_kernel(
    books: np.record, low: int, high: int, mark_low: int, mark_high: int, row: int
) -> bool:
    """Whether nothing can happen between the prices of ``row``, however they came about.

    As ``holds_kernel``, and no order waits or rests within the range.
    """
    first = row * books.symbols
    for k in range(account_at(books.account, 0).pending):
        s = whole_at(books.pending_symbols, k)
        slot = slot_at(books.slots, s)
        if not slot.is_seen or slot.carried_bar != NONE:
            return False
        if slot.waits_for_rise:
            if number_at(high, first + s) >= slot.price:
                return False
        elif number_at(low, first + s) <= slot.price:
            return False
    return holds_kernel(books, low, high, mark_low, mark_high, row)


@inner_kernel
def mark_to_market_kernel(books: np.record, market: np.record, t: int) -> float:
    """Step 6: write and return equity at close ``t``.

    The other columns of the account follow from the ledgers and the marks (``columns``).
    """
    account = account_at(books.account, 0)
    worth = 0.0
    if is_dense_kernel(books):
        worths_kernel(books, market.mark_close + 8 * t * market.symbols)
        for s in range(books.symbols):
            worth += number_at(books.parts, s)
    else:
        is_inverse = rules_at(books.rules, 0).is_inverse != 0
        for k in range(account.held):
            s = whole_at(books.held_symbols, k)
            value = value_kernel(number_at(market.mark_close, t * market.symbols + s), is_inverse)
            worth += number_at(books.position, s) * value
    equity = account.cash + worth
    put_number(books.equity, t, equity)
    return equity


@inner_kernel
def quiet_bars_kernel(books: np.record, market: np.record, first: int, stop: int) -> int:
    """Mark the account at closes from ``first`` on, until ``stop`` or a bar that is not calm; that bar.

    For bars without payments, orders, decisions and moving levels. What is read and written again and
    again is kept in registers; the numbers are those of ``mark_to_market_kernel``.
    """
    account = account_at(books.account, 0)
    if account.held == 0:
        for t in range(first, stop):
            put_number(books.equity, t, account.cash)
        return stop
    if account.held == 1:
        return one_position_kernel(books, market, first, stop)
    for t in range(first, stop):
        if not is_calm_kernel(
            books, market.low, market.high, market.reach_low, market.reach_high, t
        ):
            return t
        equity = mark_to_market_kernel(books, market, t)
        if equity <= 0.0:
            return t
        account.equity = equity
        account.peak = max(account.peak, equity)
    return stop
