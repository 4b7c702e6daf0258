"""One symbol without finer bars: whole trades in a few steps, as long as nothing unusual happens.

A bar is *plain* when no payment falls into it and its listing does not end. A position is *secure*
when neither the market's extremes nor all of its payments could bring its margin down. Entries,
reversals and exits in plain bars with secure positions are booked here in straight lines; every
other bar takes ``bar_kernel``, which does the same in general.
"""

import numpy as np

from .._margin_kernel import SCREEN_SLACK
from ..decision_events import FLAT, LONG
from ..jit import inner_kernel
from ..rules import DUST
from ..simd import number_at
from .bar import bar_kernel
from .equity import append_flat_kernel, append_kernel, append_one_kernel, make_room_kernel
from .fills import (
    fill_kernel,
    levels_kernel,
    reaches_target_kernel,
    ruin_kernel,
    take_profit_kernel,
)
from .loop import danger_kernel, finish_kernel, start_kernel
from .search import find_order_kernel, find_touch_kernel
from .tables import cell_at, slot_at


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
    start_kernel(work, decided, rules, totals)
    find_order_kernel(work, market, decided, k, 0, 0, time_stop_bars)
    bar = 0
    is_secure = False
    while True:
        if slot.position == 0.0:
            t = slot.order_bar
            append_flat_kernel(work, t, totals)
            is_secure = True
        else:
            t = min(slot.order_bar, slot.touch_bar, slot.last_bar)
            if not is_secure:
                t = danger_kernel(work, market, bar, t, rules)
            append_one_kernel(work, market, t, totals)
        if t >= bars:
            break
        make_room_kernel(work, totals)
        slot.has_changed = 0
        is_done = False
        cell = cell_at(market.cells, t)
        is_plain = (
            t < cell.last_bar and cell.event_start == cell_at(market.cells, t + 1).event_start
        )
        if is_plain and t == slot.order_bar:
            if not work.has_finite_tiers:
                is_done = _order_kernel(work, market, t, cell.mark_close, rules, totals)
        elif is_plain and is_secure and slot.position != 0.0:
            _exit_kernel(work, market, t, rules, totals)
            is_done = True
        if is_done:
            equity = float(work.cash + slot.position * cell.mark_close)
            work.equity = equity
            stands = equity > 0.0
            if not stands:
                ruin_kernel(work, market, t, rules, totals)
        else:
            stands = bar_kernel(work, market, t, rules, totals)
        append_kernel(work)
        if not stands:
            break
        bar = t + 1
        if bar == bars:
            totals.bars_in_position += work.held > 0
            break
        if slot.has_changed:
            slot.last_bar = cell.last_bar
            find_order_kernel(work, market, decided, k, 0, t, time_stop_bars)
        if slot.position != 0.0:
            totals.bars_in_position += 1
            if slot.has_changed or slot.touch_bar <= t:
                find_touch_kernel(work, market, 0, bar)
            if slot.has_changed:
                is_secure = is_secure_kernel(
                    work, market, work.cash, slot.position, cell.mark_close, rules
                )
    finish_kernel(work, totals, bars)


@inner_kernel(inlined=True)
def is_secure_kernel(
    work: np.record,
    market: np.record,
    cash: float,
    quantity: float,
    mark: float,
    rules: np.record,
) -> bool:
    """Whether no mark of the market and no payment can threaten the position."""
    rate = work.greatest_rate if rules.has_margin else 0.0
    size = abs(quantity)
    worst = number_at(market.bounds, 1 if quantity > 0.0 else 2)
    left = cash + quantity * worst - size * (rate * worst + number_at(market.bounds, 0))
    return left > SCREEN_SLACK * (abs(cash) + size * (worst + mark))


@inner_kernel(inlined=True)
def _order_kernel(
    work: np.record,
    market: np.record,
    t: int,
    mark: float,
    rules: np.record,
    totals: np.record,
) -> bool:
    """Execute the order of a plain bar; whether the bar has nothing else to say."""
    slot, prices = slot_at(work.slots, 0), cell_at(market.cells, t)
    reference, action = prices.open, slot.order_action
    slot.order_bar = market.bars
    slot.has_changed = 1
    if slot.position != 0.0:
        fill_kernel(work, 0, t, -slot.position, reference, rules.slip, rules.taker_rate, totals)
    wanted = rules.position_fraction * work.equity
    if action == FLAT or wanted < DUST * work.equity:
        return True
    side = 1.0 if action == LONG else -1.0
    price = fill_kernel(
        work, 0, t, side * wanted / reference, reference, rules.slip, rules.taker_rate, totals
    )
    levels_kernel(slot, side, price, slot.order_atr_frac, rules)
    if side > 0.0:
        is_touched = prices.low <= slot.stop or prices.high >= slot.take_profit
    else:
        is_touched = prices.high >= slot.stop or prices.low <= slot.take_profit
    return not is_touched and is_secure_kernel(work, market, work.cash, slot.position, mark, rules)


@inner_kernel(inlined=True)
def _exit_kernel(
    work: np.record, market: np.record, t: int, rules: np.record, totals: np.record
) -> None:
    """Stop and target of a plain bar that touches one of them."""
    slot, prices = slot_at(work.slots, 0), cell_at(market.cells, t)
    is_long = slot.position > 0.0
    open_ = prices.open
    worst, best = (prices.low, prices.high) if is_long else (prices.high, prices.low)
    reference = slot.stop
    if (is_long and open_ <= slot.stop) or (not is_long and open_ >= slot.stop):
        reference = open_
    elif reaches_target_kernel(slot, open_, rules):
        take_profit_kernel(work, 0, t, open_, rules, totals)
        return
    elif (is_long and worst <= slot.stop) or (not is_long and worst >= slot.stop):
        totals.ambiguous_exits += reaches_target_kernel(slot, best, rules)
    else:
        if reaches_target_kernel(slot, best, rules):
            take_profit_kernel(work, 0, t, slot.take_profit, rules, totals)
        return
    fill_kernel(work, 0, t, -slot.position, reference, rules.slip, rules.taker_rate, totals)
