"""Stops, liquidation and targets of an account that a sub-bar threatens (accounting, 5)."""

import numpy as np
from numba import carray

from .._margin_kernel import (
    NO_LIQUIDATION,
    SCREEN_SLACK,
    TIER_DTYPE,
    adverse_mark_kernel,
    liquidation_reach_kernel,
    margin_excess_kernel,
)
from ..arrays import Int1D, Records1D
from ..jit import inner_kernel
from ..simd import pointer, whole_at
from .fills import (
    book_kernel,
    copy_held_kernel,
    fill_kernel,
    reaches_target_kernel,
    ruin_kernel,
    sub_bar_kernel,
    take_profit_kernel,
)
from .tables import SLOT_DTYPE, slot_at


@inner_kernel(inlined=True)
def is_safe_kernel(work: np.record, market: np.record, sub: int, count: int) -> bool:
    """Whether the account stands the worst marks of the sub-bar even at the greatest maintenance rate."""
    excess, size = work.cash, abs(work.cash)
    for i in range(count):
        s = whole_at(work.batch, i)
        slot, prices = slot_at(work.slots, s), sub_bar_kernel(market, s, sub)
        if slot.position != 0.0:
            mark = prices.mark_low if slot.position > 0.0 else prices.mark_high
            if not prices.is_tradable:
                mark = prices.mark_open
            notional = abs(slot.position) * mark
            excess += slot.position * mark - work.greatest_rate * notional
            size += notional
    return excess > SCREEN_SLACK * size


@inner_kernel
def is_threatened_kernel(work: np.record, market: np.record, sub: int, count: int) -> bool:
    """Whether ``f(1) > 0`` does not hold; leaves the marks in the slots."""
    bring_marks_kernel(work, market, sub, count)
    excess = margin_excess_kernel(
        1.0, work.cash, _group_kernel(work, count), _slots_kernel(work), tiers_kernel(work), False
    )
    return not excess > 0.0


@inner_kernel(inlined=True)
def _group_kernel(work: np.record, count: int) -> Int1D:
    return carray(pointer(work.batch), (count,), np.int64)


@inner_kernel(inlined=True)
def _slots_kernel(work: np.record) -> Records1D:
    return carray(pointer(work.slots), (work.symbols,), SLOT_DTYPE)


@inner_kernel(inlined=True)
def tiers_kernel(work: np.record) -> Records1D:
    return carray(pointer(work.tiers), (work.tier_count,), TIER_DTYPE)


@inner_kernel
def stands_at_open_kernel(
    work: np.record, market: np.record, t: int, sub: int, rules: np.record, totals: np.record
) -> bool:
    """Margin or ruin at the open of a sub-bar (accounting, 4, step 1); False once ruined."""
    count = copy_held_kernel(work)
    worth, size = 0.0, 0.0
    for i in range(count):
        s = whole_at(work.batch, i)
        position = slot_at(work.slots, s).position
        worth += position * sub_bar_kernel(market, s, sub).mark_open
        size += abs(position) * sub_bar_kernel(market, s, sub).mark_open
    if not rules.has_margin:
        if work.cash + worth <= 0.0:
            ruin_kernel(work, market, t, sub, rules, totals)
            return False
        return True
    left = work.cash + worth - work.greatest_rate * size
    if left > SCREEN_SLACK * (abs(work.cash) + size):
        return True
    bring_marks_kernel(work, market, sub, count)
    excess = margin_excess_kernel(
        0.0, work.cash, _group_kernel(work, count), _slots_kernel(work), tiers_kernel(work), False
    )
    if excess <= 0.0:
        _liquidate_kernel(work, market, t, count, 0.0, rules, totals)
    return True


@inner_kernel
def bring_marks_kernel(work: np.record, market: np.record, sub: int, count: int) -> None:
    """Bring the marks of a sub-bar into the slots of ``work.batch`` for the margin kernels."""
    for i in range(count):
        s = whole_at(work.batch, i)
        slot, prices = slot_at(work.slots, s), sub_bar_kernel(market, s, sub)
        slot.mark_open = prices.mark_open
        slot.mark_high, slot.mark_low = prices.mark_high, prices.mark_low
        slot.moves = prices.is_tradable


@inner_kernel
def threatened_kernel(
    work: np.record,
    market: np.record,
    t: int,
    sub: int,
    count: int,
    rules: np.record,
    totals: np.record,
) -> None:
    """Stops and liquidation of an account that the sub-bar threatens, the nearer first; then targets."""
    while work.held > 0:
        reach = liquidation_reach_kernel(
            work.cash, _group_kernel(work, count), _slots_kernel(work), tiers_kernel(work), False
        )
        nearest, nearest_reach = -1, np.inf
        for i in range(count):
            s = whole_at(work.batch, i)
            slot = slot_at(work.slots, s)
            prices = sub_bar_kernel(market, s, sub)
            if slot.position == 0.0 or not prices.is_tradable:
                continue
            open_, high, low = prices.open, prices.high, prices.low
            worst = low if slot.position > 0.0 else high
            if (slot.position > 0.0 and low <= slot.stop) or (
                slot.position < 0.0 and high >= slot.stop
            ):
                own = (slot.stop - open_) / (worst - open_) if worst != open_ else 0.0
                if nearest < 0 or own < nearest_reach:
                    nearest, nearest_reach = s, own
        if nearest >= 0 and (reach == NO_LIQUIDATION or nearest_reach <= reach):
            slot = slot_at(work.slots, nearest)
            prices = sub_bar_kernel(market, nearest, sub)
            best = prices.high if slot.position > 0.0 else prices.low
            totals.ambiguous_exits += reaches_target_kernel(slot, best, rules)
            fill_kernel(
                work, nearest, t, -slot.position, slot.stop, rules.slip, rules.taker_rate, totals
            )
            continue
        if reach == NO_LIQUIDATION:
            break
        _liquidate_kernel(work, market, t, count, reach, rules, totals)
        return
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        prices = sub_bar_kernel(market, s, sub)
        if slot.position != 0.0 and prices.is_tradable:
            best = prices.high if slot.position > 0.0 else prices.low
            if reaches_target_kernel(slot, best, rules):
                take_profit_kernel(work, s, t, slot.take_profit, rules, totals)


@inner_kernel(inlined=True)
def _liquidate_kernel(
    work: np.record,
    market: np.record,
    t: int,
    count: int,
    reach: float,
    rules: np.record,
    totals: np.record,
) -> None:
    """Close every position at its mark ``reach`` of the way down the adverse path (accounting, 5)."""
    worth, due, last = 0.0, 0.0, -1
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        if slot.position != 0.0:
            mark = adverse_mark_kernel(slot, reach)
            worth += slot.position * mark
            due += abs(slot.position) * mark * rules.liquidation_rate
            last = s
    left = work.cash + worth
    payable = max(left, 0.0)
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        if slot.position == 0.0:
            continue
        mark = adverse_mark_kernel(slot, reach)
        fee = abs(slot.position) * mark * rules.liquidation_rate
        if due > payable:
            fee = fee * (payable / due)
        shortfall = -left if s == last and left < 0.0 else 0.0
        totals.liquidations += 1
        book_kernel(work, s, t, -slot.position, mark, mark, fee, shortfall, totals)
    if due >= payable:
        work.cash = 0.0
    for s in range(work.symbols):
        slot_at(work.slots, s).order_bar = market.bars
        slot_at(work.slots, s).has_changed = 1
