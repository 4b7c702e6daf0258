"""The loop over bars: steps 0 to 9 of the order of events (accounting, 4)."""

from typing import Final

import numpy as np

from ..arrays import Records1D
from ..jit import inner_kernel, kernel
from ..simd import byte_at, prefetch, whole_at
from .account import is_calm_kernel, mark_to_market_kernel, quiet_bars_kernel
from .decide import decide_kernel
from .levels import levels_kernel
from .liquidation import renew_margin_kernel
from .orders import end_order_kernel
from .payments import NEVER, payments_kernel
from .ruin import close_position_kernel, ruin_kernel
from .state import (
    DELISTED,
    DROPPED,
    END_OF_DATA,
    NONE,
    PHASE_CLOSE,
    account_at,
    rules_at,
    slot_at,
)
from .sub_bar import walk_sub_bar_kernel

FILLS_PER_BAR: Final = 16
"""Bound of a symbol's fills in one bar: an order makes two, a position five, its end one."""
ORDERS_PER_BAR: Final = 2
PREFETCHED_ROWS: Final = 3
"""Decisions between the one at hand and the one whose bar is asked for."""


@inner_kernel
def prefetch_fill_kernel(market: np.record, cell: int) -> None:
    """Ask for what the fill of a decision of ``cell`` reads and nothing before it."""
    filled = cell + market.symbols
    prefetch(market.listed + filled)
    if market.sub_count > 1:
        t = filled // market.symbols
        prefetch(market.sub_open + 8 * t * market.sub_count * market.symbols)
    else:
        prefetch(market.sub_open + 8 * filled)
        prefetch(market.sub_is_gap + filled)


@inner_kernel
def has_room_kernel(books: np.record) -> bool:
    """Whether the ledgers hold whatever one more bar may write."""
    account = account_at(books.account, 0)
    symbols = books.symbols
    return account.keeps_rows == 0 or (
        account.fills + FILLS_PER_BAR * symbols <= books.fill_room
        and account.orders + ORDERS_PER_BAR * symbols <= books.order_room
        and account.trades + symbols <= books.trade_room
        and account.payments + books.payments_per_bar <= books.payment_room
    )


@inner_kernel
def close_outs_kernel(books: np.record, market: np.record, t: int) -> None:
    """Step 5: the end of the data, and of symbols that are not listed any more in the next bar."""
    account = account_at(books.account, 0)
    symbols = books.symbols
    if t == market.bars - 1:
        for s in range(symbols):
            if slot_at(books.slots, s).position != 0.0:
                close_position_kernel(books, market, t, s, END_OF_DATA)
            end_order_kernel(books, s, DROPPED)
        return
    while (
        account.leave < market.leaving_count
        and whole_at(market.leaving, account.leave) < (t + 1) * symbols
    ):
        s = whole_at(market.leaving, account.leave) - t * symbols
        if slot_at(books.slots, s).position != 0.0:
            close_position_kernel(books, market, t, s, DELISTED)
        end_order_kernel(books, s, DROPPED)
        account.leave += 1


@inner_kernel
def walk_bar_kernel(books: np.record, market: np.record, t: int, walk_all: bool) -> None:
    """Steps 1 to 4 of bar ``t``, through those of its sub-bars in which something can happen."""
    account = account_at(books.account, 0)
    count = market.sub_count
    skips = not walk_all
    if market.is_unresolved:
        for k in range(account.held):
            skips = skips and not byte_at(
                market.is_unresolved, t * market.symbols + whole_at(books.held_symbols, k)
            )
        for k in range(account.pending):
            skips = skips and not byte_at(
                market.is_unresolved, t * market.symbols + whole_at(books.pending_symbols, k)
            )
    end = market.start + t * market.step + market.step
    for j in range(count):
        row = t * count + j
        time = market.start + t * market.step + j * market.sub_step
        if skips and count > 1:
            if account.has_moved:
                renew_margin_kernel(books, market.mark_close + 8 * t * market.symbols)
            if account.has_acted:
                account.has_acted = 0
                if account.next_payment >= end and is_calm_kernel(
                    books, market.low, market.high, market.reach_low, market.reach_high, t
                ):
                    return
            if account.next_payment >= time + market.sub_step and is_calm_kernel(
                books,
                market.sub_low,
                market.sub_high,
                market.sub_mark_low,
                market.sub_mark_high,
                row,
            ):
                continue
        walk_sub_bar_kernel(books, market, t, row, time, skips)
        if account.ruined_bar != NONE:
            return


@inner_kernel
def is_due_kernel(books: np.record, t: int) -> bool:
    """Whether a resting order or a position has reached its age at the close of bar ``t``."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    if rules.time_stop_bars > 0:
        for k in range(account.held):
            slot = slot_at(books.slots, whole_at(books.held_symbols, k))
            if t - slot.entry_bar + 1 >= rules.time_stop_bars:
                return True
    if rules.limit_bars > 0:
        for k in range(account.pending):
            slot = slot_at(books.slots, whole_at(books.pending_symbols, k))
            if t - slot.decided_bar >= rules.limit_bars:
                return True
    return False


@inner_kernel
def next_event_kernel(books: np.record, market: np.record, decided: np.record, t: int) -> int:
    """The first bar from ``t`` on with a decision, a payment, an end of a listing or an age; or the
    last.
    """
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    symbols = market.symbols
    bar = market.bars - 1
    if account.row < decided.row_count:
        bar = min(bar, whole_at(decided.cell, account.row) // symbols)
    if account.leave < market.leaving_count:
        bar = min(bar, whole_at(market.leaving, account.leave) // symbols)
    if account.held == 0:
        return max(bar, t)
    if account.next_payment != NEVER:
        bar = min(bar, (account.next_payment - market.start) // market.step)
    if rules.time_stop_bars > 0:
        for k in range(account.held):
            slot = slot_at(books.slots, whole_at(books.held_symbols, k))
            bar = min(bar, slot.entry_bar + rules.time_stop_bars - 1)
    return max(bar, t)


@kernel(nogil=True)
def replay_kernel(
    records: Records1D,
    markets: Records1D,
    events: Records1D,
    first: int,
    walk_all: bool,
) -> int:
    """Replay bars from ``first`` on; returns the bar for which the ledgers have no room, or T.

    Takes one record each of ``BOOKS_DTYPE``, ``MARKET_DTYPE`` and ``DECIDED_DTYPE``.
    """
    books, market, decided = records[0], markets[0], events[0]
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    bars, symbols = market.bars, market.symbols
    has_ages = rules.time_stop_bars > 0 or rules.limit_bars > 0
    t = first - 1
    while t < bars - 1:
        t += 1
        if not walk_all and account.pending == 0 and not (rules.moves_levels and account.held > 0):
            event = next_event_kernel(books, market, decided, t)
            ahead = account.row + PREFETCHED_ROWS
            if ahead < decided.row_count:
                prefetch_fill_kernel(market, whole_at(decided.cell, ahead))
            t = quiet_bars_kernel(books, market, t, event)
        start = market.start + t * market.step
        end = start + market.step
        is_last = t == bars - 1
        decides = (
            account.row < decided.row_count
            and whole_at(decided.cell, account.row) < (t + 1) * symbols
        )
        leaves = (
            account.leave < market.leaving_count
            and whole_at(market.leaving, account.leave) < (t + 1) * symbols
        )
        pays = account.next_payment < end
        is_calm = not walk_all and is_calm_kernel(
            books, market.low, market.high, market.reach_low, market.reach_high, t
        )
        has_room = False
        account.bar = t
        account.bar_time = start
        if pays or decides or leaves or is_last or has_ages or not is_calm:
            has_room = has_room_kernel(books)
            if not has_room:
                return t
        if pays and is_calm:
            payments_kernel(books, market, start + 1)
            if account.has_moved:
                renew_margin_kernel(books, market.mark_open + 8 * t * symbols)
                is_calm = is_calm_kernel(
                    books, market.low, market.high, market.reach_low, market.reach_high, t
                )
            if account.held == 0 and account.pending == 0:
                payments_kernel(books, market, end)
            is_calm = is_calm and account.next_payment >= end
        if not is_calm:
            walk_bar_kernel(books, market, t, walk_all)
            if account.ruined_bar != NONE:
                return bars
        account.phase = PHASE_CLOSE
        account.time = end
        if is_last or leaves:
            close_outs_kernel(books, market, t)
        equity = mark_to_market_kernel(books, market, t)
        account.equity = equity
        account.peak = max(account.peak, equity)
        if equity <= 0.0:
            if not has_room and not has_room_kernel(books):
                return t
            ruin_kernel(books, market, t)
            return bars
        if is_last:
            return bars
        if rules.moves_levels:
            for k in range(account.held):
                s = whole_at(books.held_symbols, k)
                if not byte_at(market.is_gap, t * market.symbols + s):
                    levels_kernel(books, market, t, s)
        if decides or (has_ages and is_due_kernel(books, t)):
            decide_kernel(books, market, decided, t)
        if account.has_moved:
            renew_margin_kernel(books, market.mark_close + 8 * t * symbols)
    return bars
