"""One bar in full: docs/accounting.md, steps 1 to 7, for the rules that the sweep replays itself."""

import numpy as np

from .._margin_kernel import SCREEN_SLACK, largest_notional_kernel
from ..decision_events import FLAT, LONG
from ..jit import inner_kernel
from ..rules import DUST
from ..simd import number_at, put_whole, whole_at
from .equity import pay_kernel
from .fills import (
    AT_CLOSE,
    cell_kernel,
    copy_held_kernel,
    fill_kernel,
    levels_kernel,
    reaches_target_kernel,
    ruin_kernel,
    sub_bar_kernel,
    take_profit_kernel,
)
from .margin import (
    is_safe_kernel,
    is_threatened_kernel,
    stands_at_open_kernel,
    threatened_kernel,
    tiers_kernel,
)
from .tables import slot_at


@inner_kernel
def bar_kernel(
    work: np.record, market: np.record, t: int, rules: np.record, totals: np.record
) -> bool:
    """Walk bar ``t``; False once the account is ruined. The caller tells the equity."""
    event = cell_kernel(market, 0, t).event_start
    count = market.sub_count
    k = 0
    is_quiet = False
    while k < count:
        sub = t * count + k
        event = _pay_until_kernel(work, market, event, 2 * sub, totals)
        if work.held > 0 and not stands_at_open_kernel(work, market, t, sub, rules, totals):
            return False
        due = _orders_at_kernel(work, market, t, sub)
        if due > 0:
            _batch_kernel(work, market, t, sub, due, rules, totals)
        if count == 1:
            event = _exits_kernel(work, market, t, sub, event, rules, totals)
            break
        if due > 0 or k == 0:
            is_quiet = _is_quiet_kernel(work, market, t, rules)
        if is_quiet:
            k = _next_order_sub_kernel(work, market, t, k)
            continue
        event = _exits_kernel(work, market, t, sub, event, rules, totals)
        k += 1
    _pay_until_kernel(work, market, event, 2 * (t + 1) * count - 1, totals)
    count_held = copy_held_kernel(work)
    for i in range(count_held):
        s = whole_at(work.batch, i)
        if cell_kernel(market, s, t).last_bar == t:
            fill_kernel(
                work, s, t, -slot_at(work.slots, s).position, cell_kernel(market, s, t).close, rules.slip,
                rules.taker_rate, totals,
            )  # fmt: skip
    worth = 0.0
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        worth += slot_at(work.slots, s).position * cell_kernel(market, s, t).mark_close
    equity = work.cash + worth
    if equity > 0.0:
        work.equity = equity
        return True
    ruin_kernel(work, market, t, AT_CLOSE, rules, totals)
    return False


@inner_kernel(inlined=True)
def _pay_until_kernel(
    work: np.record, market: np.record, event: int, key: int, totals: np.record
) -> int:
    """Settle events up to ``key``; returns the next one."""
    while whole_at(market.event_key, event) <= key:
        pay_kernel(work, market, event, totals)
        event += 1
    return event


@inner_kernel(inlined=True)
def _orders_at_kernel(work: np.record, market: np.record, t: int, sub: int) -> int:
    """List the symbols whose orders fill at the open of ``sub``; their number."""
    count = 0
    for s in range(work.symbols):
        if (
            slot_at(work.slots, s).order_bar == t
            and whole_at(market.first_sub, s * market.bars + t) == sub
        ):
            put_whole(work.batch, count, s)
            count += 1
    return count


@inner_kernel(inlined=True)
def _next_order_sub_kernel(work: np.record, market: np.record, t: int, k: int) -> int:
    """The next sub-bar of ``t`` after ``k`` in which an order fills, else their number."""
    following = market.sub_count
    for s in range(work.symbols):
        if slot_at(work.slots, s).order_bar == t:
            own = whole_at(market.first_sub, s * market.bars + t) - t * market.sub_count
            if own > k:
                following = min(following, own)
    return following


@inner_kernel(inlined=True)
def _batch_kernel(
    work: np.record,
    market: np.record,
    t: int,
    sub: int,
    count: int,
    rules: np.record,
    totals: np.record,
) -> None:
    """Execute ``work.batch[:count]`` at the open of ``sub`` (accounting, 3.1)."""
    total = 0.0
    for i in range(count):
        slot = slot_at(work.slots, whole_at(work.batch, i))
        slot.wanted = 0.0
        if slot.order_action != FLAT:
            slot.wanted = rules.position_fraction * work.equity
            if rules.has_margin and work.has_finite_tiers:
                slot.wanted = min(
                    slot.wanted,
                    largest_notional_kernel(work.equity, tiers_kernel(work), False, 1.0),
                )
        total += slot.wanted
    if work.symbols > 1 and total > 0.0:
        held = 0.0
        for i in range(work.held):
            s = whole_at(work.held_symbols, i)
            if (
                slot_at(work.slots, s).order_bar != t
                or whole_at(market.first_sub, s * market.bars + t) != sub
            ):
                held += abs(slot_at(work.slots, s).position) * sub_bar_kernel(market, s, sub).open
        if held + total > rules.max_gross * work.equity:
            scale = max(0.0, (rules.max_gross * work.equity - held) / total)
            for i in range(count):
                slot_at(work.slots, whole_at(work.batch, i)).wanted *= scale
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        slot.has_changed = 1
        wanted = slot.wanted if slot.wanted >= DUST * work.equity else 0.0
        reference = sub_bar_kernel(market, s, sub).open
        if slot.position != 0.0:
            fill_kernel(work, s, t, -slot.position, reference, rules.slip, rules.taker_rate, totals)
        if wanted == 0.0:
            continue
        side = 1.0 if slot.order_action == LONG else -1.0
        price = fill_kernel(
            work, s, t, side * wanted / reference, reference, rules.slip, rules.taker_rate, totals
        )
        slot.stop, slot.take_profit = levels_kernel(side, price, slot.order_atr_frac, rules)


@inner_kernel(inlined=True)
def _is_quiet_kernel(work: np.record, market: np.record, t: int, rules: np.record) -> bool:
    """Whether the bar touches no level and can threaten neither the margin of what is held nor, without
    margin, what the account is worth.
    """
    base, slack = work.cash, 0.0
    worth = 0.0
    rate = work.greatest_rate if rules.has_margin else 0.0
    for i in range(work.held):
        s = whole_at(work.held_symbols, i)
        slot = slot_at(work.slots, s)
        is_long = slot.position > 0.0
        below = slot.stop if is_long else slot.take_profit
        above = slot.take_profit if is_long else slot.stop
        if (
            number_at(market.low, s * market.width + t) <= below
            or number_at(market.high, s * market.width + t) >= above
        ):
            return False
        size = abs(slot.position)
        worst = (
            number_at(market.mark_low, s * market.width + t)
            if is_long
            else number_at(market.mark_high, s * market.width + t)
        )
        before, after = cell_kernel(market, s, t), cell_kernel(market, s, t + 1)
        base -= size * (after.payable - before.payable)
        worth += slot.position * worst - rate * size * worst
        slack += size * worst
    return base + worth > SCREEN_SLACK * (abs(work.cash) + slack)


@inner_kernel(inlined=True)
def _exits_kernel(
    work: np.record,
    market: np.record,
    t: int,
    sub: int,
    event: int,
    rules: np.record,
    totals: np.record,
) -> int:
    """Steps 3, 4.1 and 4.2 of a sub-bar; returns the next event."""
    count = copy_held_kernel(work)
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        prices = sub_bar_kernel(market, s, sub)
        if not prices.is_tradable:
            continue
        open_ = prices.open
        is_long = slot.position > 0.0
        if (is_long and open_ <= slot.stop) or (not is_long and open_ >= slot.stop):
            fill_kernel(work, s, t, -slot.position, open_, rules.slip, rules.taker_rate, totals)
        elif reaches_target_kernel(slot, open_, rules):
            take_profit_kernel(work, s, t, open_, rules, totals)
    event = _pay_until_kernel(work, market, event, 2 * sub + 1, totals)
    if work.held == 0:
        return event
    if (
        rules.has_margin
        and not is_safe_kernel(work, market, sub, count)
        and is_threatened_kernel(work, market, sub, count)
    ):
        threatened_kernel(work, market, t, sub, count, rules, totals)
        return event
    for i in range(count):
        s = whole_at(work.batch, i)
        slot = slot_at(work.slots, s)
        prices = sub_bar_kernel(market, s, sub)
        if slot.position == 0.0 or not prices.is_tradable:
            continue
        high, low = prices.high, prices.low
        is_long = slot.position > 0.0
        best = high if is_long else low
        if (is_long and low <= slot.stop) or (not is_long and high >= slot.stop):
            totals.ambiguous_exits += reaches_target_kernel(slot, best, rules)
            fill_kernel(work, s, t, -slot.position, slot.stop, rules.slip, rules.taker_rate, totals)
        elif reaches_target_kernel(slot, best, rules):
            take_profit_kernel(work, s, t, slot.take_profit, rules, totals)
    return event
