"""One symbol: whole trades in a few steps, as long as nothing unusual happens.

A position is *secure* while neither the extremes of the bars to come nor all of their payments could
bring its margin down. Orders and exits of secure positions in plain bars (``tables.CELL_DTYPE``) are
tried on values (``trade``); every other bar takes ``bar_kernel``, which does the same in general on
records. A bar that is tried belongs to the stretch of equities after it, told by ``held_until_kernel``
or ``append_flat_kernel``; a bar in general is told by itself.
"""

import numpy as np

from .._margin_kernel import SCREEN_SLACK
from ..decision_events import FLAT, LONG
from ..jit import inner_kernel
from ..rules import DUST
from ..simd import byte_at, either, half_at, number_at, whole_at
from .bar import bar_kernel
from .equity import append_flat_kernel, append_kernel, make_room_kernel
from .loop import danger_kernel, finish_kernel, start_kernel
from .marking import held_until_kernel, paid_kernel
from .plan import next_row_kernel, planned_kernel
from .search import (
    fetch_kernel,
    find_order_kernel,
    find_touch_kernel,
    next_touched_sub_kernel,
)
from .tables import (
    AHEAD,
    ENTERS,
    TOGETHER,
    WINDOW_BARS,
    WINDOW_STEP,
    cell_at,
    price_at,
    row_at,
    slot_at,
)
from .trade import (
    NOTHING,
    Account,
    Position,
    closed_kernel,
    exit_kernel,
    opened_kernel,
    put_back_kernel,
    take_kernel,
)


@inner_kernel
def single_kernel(
    market: np.record,
    decided: np.record,
    k: int,
    rules: np.record,
    work: np.record,
    totals: np.record,
) -> None:
    """Replay one configuration of one symbol."""
    slot = slot_at(work.slots, 0)
    bars = market.bars
    time_stop_bars = int(rules.time_stop_bars)
    start_kernel(work, rules, totals)
    account, position = take_kernel(work, totals)
    find_entry_kernel(work, market, decided, k, 0, time_stop_bars)
    event, used = 0, 0
    planned = 0 if time_stop_bars > 0 else whole_at(decided.planned, k % TOGETHER)
    safe_until = bars
    while True:
        if position.quantity == 0.0:
            t = slot.order_bar
            append_flat_kernel(work, t, account.cash, totals)
        else:
            t = min(slot.order_bar, slot.touch_bar, slot.last_bar)
            first = work.start + work.filled
            ends_window = first < safe_until <= t
            if ends_window:
                t = safe_until
            elif t >= safe_until:
                put_back_kernel(work, totals, account, position)
                t = danger_kernel(work, market, first, t, rules)
            account, position = held_until_kernel(work, market, t, event, account, position, totals)
            if ends_window:
                event = cell_at(market.cells, t).event_start
                if is_secure_kernel(work, market, t, account.cash, position.quantity, rules):
                    safe_until = window_end_kernel(t)
                continue
        if t >= bars:
            break
        cell = cell_at(market.cells, t)
        event = cell.event_start + cell.payments
        is_done = False
        if cell.is_plain and t < safe_until and not work.has_finite_tiers:
            is_done, tried, left = try_bar_kernel(work, market, t, account, position, rules)
        if is_done:
            has_changed = left.entry_bar != position.entry_bar or left.quantity == 0.0
            account, position = tried, left
            if has_changed:
                safe_until = bars if position.quantity == 0.0 else window_end_kernel(t)
        else:
            put_back_kernel(work, totals, account, position)
            make_room_kernel(work, totals)
            work.equity = number_at(work.buffer, work.filled)
            slot.has_changed = 0
            stands = bar_kernel(work, market, t, rules, totals)
            append_kernel(work)
            totals.bars_in_position += work.held > 0
            account, position = take_kernel(work, totals)
            if not stands or t + 1 == bars:
                break
            has_changed = slot.has_changed != 0
            if has_changed:
                safe_until = bars
                if position.quantity != 0.0:
                    is_secure = is_secure_kernel(
                        work, market, t, account.cash, position.quantity, rules
                    )
                    safe_until = window_end_kernel(t) if is_secure else t
        if position.quantity == 0.0:
            find_entry_kernel(work, market, decided, k, t, time_stop_bars)
        elif has_changed:
            slot.last_bar = cell.last_bar
            while used < planned and planned_kernel(decided, k, used).row < slot.order_row:
                used += 1
            if used < planned and planned_kernel(decided, k, used).row == slot.order_row:
                follow_kernel(work, market, decided, k, used)
                used += 1
            else:
                put_back_kernel(work, totals, account, position)
                find_order_kernel(work, market, decided, k, 0, t, time_stop_bars)
                find_touch_kernel(work, market, 0, t + 1)
        if slot.touch_bar <= t:
            put_back_kernel(work, totals, account, position)
            find_touch_kernel(work, market, 0, t + 1)
    put_back_kernel(work, totals, account, position)
    finish_kernel(work, totals, bars)


@inner_kernel(inlined=True)
def window_end_kernel(t: int) -> int:
    """The bar behind the window of ``t`` (``MARKET_DTYPE``)."""
    return t // WINDOW_STEP * WINDOW_STEP + WINDOW_BARS


@inner_kernel(inlined=True)
def is_secure_kernel(
    work: np.record, market: np.record, t: int, cash: float, quantity: float, rules: np.record
) -> bool:
    """Whether no mark and no payment of the window of ``t`` can threaten the position."""
    cell = cell_at(market.cells, t)
    rate = work.greatest_rate if rules.has_margin else 0.0
    size = abs(quantity)
    window = 3 * (t // WINDOW_STEP)
    worst = either(
        quantity > 0.0,
        number_at(market.windows, window + 1),
        number_at(market.windows, window + 2),
    )
    payable = number_at(market.windows, window) - cell.payable
    left = cash + quantity * worst - size * (rate * worst + payable)
    return bool(left > SCREEN_SLACK * (abs(cash) + size * (worst + cell.mark_close)))


@inner_kernel(inlined=True)
def try_bar_kernel(
    work: np.record,
    market: np.record,
    t: int,
    account: Account,
    position: Position,
    rules: np.record,
) -> tuple[bool, Account, Position]:
    """What a plain bar makes of a secure position or none; False where that is not the whole truth."""
    slot, cell = slot_at(work.slots, 0), cell_at(market.cells, t)
    equity, is_sound = account.cash, True
    if position.quantity != 0.0:
        equity += position.quantity * number_at(market.mark_close, t - 1)
        for event in range(cell.event_start, cell.event_start + cell.payments):
            account, position = paid_kernel(market, event, account, position)
    sub = 0
    if t == slot.order_bar:
        open_ = cell.open
        if market.sub_count > 1:
            sub = whole_at(market.first_sub, t) - t * market.sub_count
            open_ = number_at(market.fill_open, t)
        if position.quantity != 0.0:
            account = closed_kernel(account, position, open_, rules.slip, rules.taker_rate, False)
            position = NOTHING
        wanted = rules.position_fraction * equity
        if slot.order_action != FLAT and wanted >= DUST * equity:
            side = either(slot.order_action == LONG, 1.0, -1.0)
            account, position = opened_kernel(
                account, t, side, wanted, open_, slot.order_atr_frac, rules
            )
            is_sound = is_secure_kernel(work, market, t, account.cash, position.quantity, rules)
    if position.quantity != 0.0:
        below, above = between_kernel(position)
        if cell.low <= below or cell.high >= above:
            has_left = False
            if market.sub_count == 1:
                account, has_left = exit_kernel(
                    account, position, cell.open, cell.high, cell.low, rules
                )
            else:
                while not has_left:
                    sub = next_touched_sub_kernel(market, t, below, above, sub)
                    if sub >= market.sub_count:
                        break
                    prices = price_at(market.prices, t * market.sub_count + sub)
                    account, has_left = exit_kernel(
                        account, position, prices.open, prices.high, prices.low, rules
                    )
                    sub += 1
            if has_left:
                position = NOTHING
    if position.quantity == 0.0:
        is_sound &= account.cash > 0.0
    return is_sound, account, position


@inner_kernel(inlined=True)
def between_kernel(position: Position) -> tuple[float, float]:
    """The levels below and above."""
    is_long = position.quantity > 0.0
    return (
        either(is_long, position.stop, position.take_profit),
        either(is_long, position.take_profit, position.stop),
    )


@inner_kernel(inlined=True)
def find_entry_kernel(
    work: np.record, market: np.record, decided: np.record, k: int, t: int, time_stop_bars: int
) -> None:
    """Set the order that ends a time without a position, from what is decided at close ``t`` and later."""
    slot = slot_at(work.slots, 0)
    slot.touch_bar = slot.order_bar = market.bars
    row = next_row_kernel(decided, k, ENTERS, half_at(decided.row_from, t))
    if row < decided.row_count:
        entry = row_at(decided.rows, row)
        if entry.is_simple:
            slot.order_bar, slot.order_row = entry.fills_at, row
            slot.order_action = byte_at(decided.actions, k * decided.row_count + row)
            slot.order_atr_frac = entry.atr_frac
        else:
            slot.position = 0.0
            find_order_kernel(work, market, decided, k, 0, t, time_stop_bars)


@inner_kernel(inlined=True)
def follow_kernel(
    work: np.record, market: np.record, decided: np.record, k: int, used: int
) -> None:
    """Set order and touch as planned, and let the cache know of the trade after the next."""
    slot, planned = slot_at(work.slots, 0), planned_kernel(decided, k, used)
    slot.order_bar, slot.touch_bar = planned.order_bar, planned.touch_bar
    slot.order_row, slot.order_action = planned.order_row, planned.order_action
    row = min(planned.order_row, decided.row_count - 1)
    slot.order_atr_frac = row_at(decided.rows, row).atr_frac
    ahead = planned_kernel(decided, k, used + AHEAD)
    fetch_kernel(market, 0, ahead.entry_bar)
    fetch_kernel(market, 0, min(ahead.touch_bar, ahead.order_bar))
