"""From one bar in which something happens to the next."""

import numpy as np

from .._margin_kernel import SCREEN_SLACK
from ..jit import inner_kernel
from ..simd import number_at, put_number, whole_at
from .bar import bar_kernel
from .equity import (
    append_flat_kernel,
    append_held_kernel,
    append_kernel,
    cut_until_kernel,
    flush_kernel,
    make_room_kernel,
)
from .fills import cell_kernel
from .search import find_order_kernel, find_touch_kernel, next_touch_kernel
from .tables import GROUP, SUMS_KEPT, slot_at


@inner_kernel(inlined=True)
def shared_kernel(
    market: np.record,
    decided: np.record,
    k: int,
    rules: np.record,
    work: np.record,
    totals: np.record,
) -> None:
    """Replay one configuration, any number of symbols on one account."""
    bars = market.bars
    time_stop_bars = int(rules.time_stop_bars)
    start_kernel(work, rules, totals)
    for s in range(work.symbols):
        find_order_kernel(work, market, decided, k, s, 0, time_stop_bars)
    bar = 0
    while True:
        t = _next_bar_kernel(work, bars)
        if work.held > 0:
            t = danger_kernel(work, market, bar, t, rules)
            append_held_kernel(work, market, t, totals)
        else:
            append_flat_kernel(work, t, work.equity, totals)
        if t >= bars:
            break
        make_room_kernel(work, totals)
        stands = bar_kernel(work, market, t, rules, totals)
        append_kernel(work)
        if not stands:
            break
        totals.bars_in_position += work.held > 0
        bar = t + 1
        if bar == bars:
            break
        for s in range(work.symbols):
            slot = slot_at(work.slots, s)
            if slot.has_changed:
                slot.has_changed = 0
                slot.last_bar = cell_kernel(market, s, t).last_bar
                find_order_kernel(work, market, decided, k, s, t, time_stop_bars)
                slot.touch_bar = bars
                if slot.position != 0.0:
                    find_touch_kernel(work, market, s, bar)
            elif slot.touch_bar <= t:
                find_touch_kernel(work, market, s, bar)
    finish_kernel(work, totals, bars)


@inner_kernel
def finish_kernel(work: np.record, totals: np.record, bars: int) -> None:
    """Sum up what the buffer holds."""
    totals.final_equity = number_at(work.buffer, work.filled)
    flush_kernel(work, totals, totals.ruined_bar >= 0)
    cut_until_kernel(work, bars)


@inner_kernel(inlined=True)
def start_kernel(work: np.record, rules: np.record, totals: np.record) -> None:
    """A fresh account."""
    work.cash = rules.initial_cash
    work.equity = rules.initial_cash
    work.peak = rules.initial_cash
    work.held, work.start, work.filled, work.edge = 0, 0, 0, 0
    put_number(work.buffer, 0, rules.initial_cash)
    for lane in range(GROUP * SUMS_KEPT):
        put_number(work.lanes, lane, 0.0)
    totals.ruined_bar = -1
    never = np.int64(1) << 60
    for s in range(work.symbols):
        slot = slot_at(work.slots, s)
        slot.position = 0.0
        slot.entry_bar = -1
        slot.has_changed = 0
        slot.touch_bar = never
        slot.last_bar = never


@inner_kernel(inlined=True)
def _next_bar_kernel(work: np.record, bars: int) -> int:
    """The next bar in which an order fills, a level may be touched or a listing ends; at most T."""
    t = bars
    for s in range(work.symbols):
        slot = slot_at(work.slots, s)
        t = min(t, slot.order_bar)
        if slot.position != 0.0:
            t = min(t, slot.touch_bar, slot.last_bar)
    return t


@inner_kernel
def danger_kernel(
    work: np.record, market: np.record, first: int, stop: int, rules: np.record
) -> int:
    """The first bar before ``stop`` in which margin or equity may fail, else ``stop``.

    What the account has above maintenance at the last close, less all that could be paid until
    ``stop``, is shared out by notional: while no mark loses more than its share, nothing can
    happen.
    """
    if first >= stop:
        return stop
    rate = work.greatest_rate if rules.has_margin else 0.0
    excess, size, payable = work.cash, 0.0, 0.0
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        quantity = slot_at(work.slots, s).position
        mark = cell_kernel(market, s, first - 1).mark_close
        notional = abs(quantity) * mark
        size += notional
        excess += quantity * mark - rate * notional
        payable += abs(quantity) * number_at(market.bounds, 3 * s)
    excess -= SCREEN_SLACK * (abs(work.cash) + size)
    if _stands_everywhere_kernel(work, market, first, (excess - payable) / size, rate):
        return stop
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        before, after = cell_kernel(market, s, first), cell_kernel(market, s, stop)
        excess -= abs(slot_at(work.slots, s).position) * (after.payable - before.payable)
    if not excess > 0.0:
        return first
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        below, above = _safe_marks_kernel(work, market, s, first, excess / size, rate)
        stop = next_touch_kernel(
            market.mark_low, market.mark_high, market.group_mark_low, market.group_mark_high, s,
            market.groups, below, above, first, stop,
        )  # fmt: skip
    return stop


@inner_kernel(inlined=True)
def _safe_marks_kernel(
    work: np.record, market: np.record, s: int, first: int, share: float, rate: float
) -> tuple[float, float]:
    """The marks between which a position loses less than ``share`` of its notional at the last close."""
    mark = cell_kernel(market, s, first - 1).mark_close
    if slot_at(work.slots, s).position > 0.0:
        return mark * (1.0 - share / (1.0 - rate)), np.inf
    return 0.0, mark * (1.0 + share / (1.0 + rate))


@inner_kernel(inlined=True)
def _stands_everywhere_kernel(
    work: np.record, market: np.record, first: int, share: float, rate: float
) -> bool:
    """Whether no mark of the whole market reaches a share."""
    if not share > 0.0:
        return False
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        below, above = _safe_marks_kernel(work, market, s, first, share, rate)
        if number_at(market.bounds, 3 * s + 1) <= below:
            return False
        if number_at(market.bounds, 3 * s + 2) >= above:
            return False
    return True
