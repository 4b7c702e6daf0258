"""Exits of the positions held, and what margin makes of them: step 4.2 and §5 of the accounting."""

from typing import Any, TypeAlias

import numpy as np
from numba import carray

from .._margin_kernel import (
    NO_LIQUIDATION,
    SCREEN_SLACK,
    adverse_mark_kernel,
    liquidation_reach_kernel,
    margin_excess_kernel,
    value_kernel,
)
from ..jit import inner_kernel
from ..simd import number_at, pointer, put_number, put_whole, whole_at
from .exits import (
    any_target_kernel,
    exit_after_entry_kernel,
    exit_inside_kernel,
    reaches_stop_kernel,
    stop_out_kernel,
    take_profits_kernel,
)
from .fills import book_kernel
from .orders import end_order_kernel
from .rows import is_dense_kernel, share_margin_all_kernel
from .state import (
    CANCELLED,
    CROSS,
    ISOLATED,
    LIQUIDATION,
    NO_MARGIN,
    NONE,
    account_at,
    fill_row_at,
    rules_at,
    slot_at,
    slots_kernel,
    tier_at,
    tiers_kernel,
)

Columns: TypeAlias = np.ndarray[tuple[int], np.dtype[Any]]
"""Columns of symbols, int64; their elements serve as indices."""


@inner_kernel
def margin_base_kernel(books: np.record, s: int) -> float:
    """What stands behind a margin group: all cash, or the wallet of ``s`` less the worth of its entry."""
    rules = rules_at(books.rules, 0)
    if rules.mode != ISOLATED:
        return account_at(books.account, 0).cash
    entry = value_kernel(slot_at(books.slots, s).entry_price, rules.is_inverse != 0)
    return slot_at(books.slots, s).wallet - slot_at(books.slots, s).position * entry


@inner_kernel
def held_group_kernel(books: np.record) -> Columns:
    """The columns of all positions, rising, in ``books.work``."""
    account = account_at(books.account, 0)
    group = carray(pointer(books.work), account.held, np.int64)
    for k in range(account.held):
        group[k] = whole_at(books.held_symbols, k)
    return group


@inner_kernel
def is_exhausted_kernel(books: np.record, group: Columns) -> bool:
    """Whether a group's margin is used up at the marks of the open: ``f(0) ≤ 0``."""
    base = margin_base_kernel(books, group[0])
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    slots, tiers = slots_kernel(books), tiers_kernel(books)
    return margin_excess_kernel(0.0, base, group, slots, tiers, is_inverse) <= 0.0


@inner_kernel
def liquidate_at_open_kernel(books: np.record) -> None:
    """Margin at the open (accounting, 4, step 1): groups without any left are closed at the mark open."""
    rules = rules_at(books.rules, 0)
    if rules.mode == NO_MARGIN or account_at(books.account, 0).held == 0:
        return
    group = held_group_kernel(books)
    if rules.mode == CROSS:
        if is_exhausted_kernel(books, group):
            liquidate_kernel(books, group, 0.0)
        return
    for k in range(len(group)):
        if is_exhausted_kernel(books, group[k : k + 1]):
            liquidate_kernel(books, group[k : k + 1], 0.0)


@inner_kernel
def exits_after_entry_kernel(books: np.record, count: int, row: int) -> None:
    """Step 4.4 for the orders ``books.batch[:count]`` that entered positions in the sub-bar ``row``.

    The prices of every position are at hand; those of the entered ones begin at their entries.
    """
    rules = rules_at(books.rules, 0)
    entered = 0
    for k in range(count):
        slot = slot_at(books.slots, whole_at(books.batch, k))
        if slot.position == 0.0 or slot.entered_step != row:
            continue
        put_whole(books.batch, entered, whole_at(books.batch, k))
        entered += 1
        put_number(books.opens, whole_at(books.batch, entered - 1), slot.reference)
        slot.mark_open = slot.reference
        slot.mark_low = min(slot.mark_low, slot.reference)
        slot.mark_high = max(slot.mark_high, slot.reference)
    if entered == 0:
        return
    if rules.mode == CROSS:
        group = held_group_kernel(books)
        if is_threatened_kernel(books, group):
            entered_exits_kernel(books, group)
    for k in range(entered):
        s = whole_at(books.batch, k)
        if rules.mode == ISOLATED:
            put_whole(books.work, 0, s)
            group = carray(pointer(books.work), 1, np.int64)
            if is_threatened_kernel(books, group):
                entered_exits_kernel(books, group)
        slot = slot_at(books.slots, s)
        if slot.position != 0.0 and slot.entered_step == row:
            exit_after_entry_kernel(books, s, slot.kind)


@inner_kernel
def entered_exits_kernel(books: np.record, group: Columns) -> None:
    """Stops of entered positions and liquidation of their threatened group, the nearer first."""
    s, reach = nearer_kernel(books, group)
    while s != NONE:
        exit_after_entry_kernel(books, s, slot_at(books.slots, s).kind)
        s, reach = nearer_kernel(books, group)
    if reach != NO_LIQUIDATION:
        liquidate_kernel(books, group, reach)


@inner_kernel
def exits_inside_kernel(books: np.record) -> None:
    """Step 4.2: liquidations, stops and targets of the positions held now."""
    rules = rules_at(books.rules, 0)
    group = held_group_kernel(books)
    if rules.mode == CROSS and is_threatened_kernel(books, group):
        group_exits_kernel(books, group)
        return
    for k in range(len(group)):
        s = group[k]
        if rules.mode == ISOLATED and is_threatened_kernel(books, group[k : k + 1]):
            group_exits_kernel(books, group[k : k + 1])
        elif slot_at(books.slots, s).is_tradable:
            exit_inside_kernel(books, s)


@inner_kernel
def is_threatened_kernel(books: np.record, group: Columns) -> bool:
    """Whether the sub-bar may liquidate the group: ``f(1) > 0`` does not hold."""
    base = margin_base_kernel(books, group[0])
    excess = margin_excess_kernel(
        1.0,
        base,
        group,
        slots_kernel(books),
        tiers_kernel(books),
        rules_at(books.rules, 0).is_inverse != 0,
    )
    return not excess > 0.0


@inner_kernel
def nearest_stop_kernel(books: np.record, group: Columns) -> tuple[int, float]:
    """The position of the group whose stop is reached first on the way to the worst price, and where."""
    nearest, reach = NONE, np.inf
    for s in group:
        quantity = slot_at(books.slots, s).position
        if (
            quantity == 0.0
            or not slot_at(books.slots, s).is_tradable
            or not reaches_stop_kernel(books, s)
        ):
            continue
        worst = slot_at(books.slots, s).low if quantity > 0.0 else slot_at(books.slots, s).high
        open_ = number_at(books.opens, s)
        own = (slot_at(books.slots, s).stop - open_) / (worst - open_) if worst != open_ else 0.0
        if nearest == NONE or own < reach:
            nearest, reach = s, own
    return nearest, reach


@inner_kernel
def nearer_kernel(books: np.record, group: Columns) -> tuple[int, float]:
    """Which comes first in a threatened group: the position whose stop does, or NONE and the ``λ*`` of the
    liquidation, ``NO_LIQUIDATION`` where neither comes any more.
    """
    has_positions = False
    for s in group:
        has_positions = has_positions or slot_at(books.slots, s).position != 0.0
    if not has_positions:
        return NONE, NO_LIQUIDATION
    reach = liquidation_reach_kernel(
        margin_base_kernel(books, group[0]), group, slots_kernel(books), tiers_kernel(books),
        rules_at(books.rules, 0).is_inverse != 0,
    )  # fmt: skip
    s, own = nearest_stop_kernel(books, group)
    if s != NONE and (reach == NO_LIQUIDATION or own <= reach):
        return s, reach
    return NONE, reach


@inner_kernel
def group_exits_kernel(books: np.record, group: Columns) -> None:
    """Stops and liquidation of a threatened group, the nearer first; then the targets of what is left."""
    s, reach = nearer_kernel(books, group)
    while s != NONE:
        slot = slot_at(books.slots, s)
        best = slot.high if slot.position > 0.0 else slot.low
        stop_out_kernel(books, s, slot.stop, any_target_kernel(books, s, best))
        s, reach = nearer_kernel(books, group)
    if reach != NO_LIQUIDATION:
        liquidate_kernel(books, group, reach)
        return
    for s in group:
        quantity = slot_at(books.slots, s).position
        if quantity != 0.0 and slot_at(books.slots, s).is_tradable:
            best = slot_at(books.slots, s).high if quantity > 0.0 else slot_at(books.slots, s).low
            take_profits_kernel(books, s, best, np.nan)


@inner_kernel
def liquidate_kernel(books: np.record, group: Columns, reach: float) -> None:
    """Close every position of the group at its mark ``reach`` of the way down the adverse path."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    is_inverse = rules.is_inverse != 0
    worth, due, last = 0.0, 0.0, NONE
    for s in group:
        quantity = slot_at(books.slots, s).position
        if quantity != 0.0:
            value = value_kernel(adverse_mark_kernel(slot_at(books.slots, s), reach), is_inverse)
            worth += quantity * value
            due += abs(quantity) * abs(value) * rules.liquidation_rate
            last = s
    left = margin_base_kernel(books, group[0]) + worth
    payable = max(left, 0.0)
    for s in group:
        quantity = slot_at(books.slots, s).position
        if quantity == 0.0:
            continue
        mark = adverse_mark_kernel(slot_at(books.slots, s), reach)
        fee = abs(quantity) * abs(value_kernel(mark, is_inverse)) * rules.liquidation_rate
        if due > payable:
            fee = fee * (payable / due)
        shortfall = -left if s == last and left < 0.0 else 0.0
        book_kernel(
            books,
            s,
            -quantity,
            mark,
            mark,
            fee,
            0.0,
            0.0,
            shortfall,
            False,
            LIQUIDATION,
            NONE,
            True,
        )
        if s == last and rules.mode == CROSS and due >= payable:
            account.cash = 0.0
            if account.keeps_rows:
                fill_row_at(books.fills, account.fills - 1).cash_after = 0.0
        end_order_kernel(books, s, CANCELLED)
    if rules.mode == CROSS:
        for s in range(books.symbols):
            end_order_kernel(books, s, CANCELLED)


@inner_kernel
def renew_margin_kernel(books: np.record, marks: int) -> None:
    """State for every position the mark that keeps its group from liquidation, or a spot account from
    ruin, found without a search.

    While every mark stays above ``mark_down`` and below ``mark_up``, and cash and positions stay,
    no sub-bar liquidates. What a group has above its maintenance at ``marks`` (address of ``(S,)``;
    any marks will do), at the greatest rate, is shared out by notional; ``mark_down`` is infinite
    where nothing is left to share.
    """
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    account.has_moved = 0
    if rules.mode == CROSS and not rules.is_inverse and is_dense_kernel(books):
        share_margin_all_kernel(books, marks, account.cash, SCREEN_SLACK)
        return
    step = 1 if rules.mode == ISOLATED else account.held
    for first in range(0, account.held, max(step, 1)):
        share_margin_kernel(books, marks, first, first + step)


@inner_kernel
def share_margin_kernel(books: np.record, marks: int, first: int, stop: int) -> None:
    """``renew_margin_kernel`` for the group of the symbols held from ``first`` to ``stop``.

    Value less maintenance is ``|q| · u · (1 − rate)`` where a position gains with ``u``, which is
    the mark or its inverse, and ``−|q| · u · (1 + rate)`` where it loses with it: both are linear
    in ``u``, and all positions of a side may use up the same share of it.
    """
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    rate = tier_at(books.tiers, books.tier_count - 1).maintenance
    if rules_at(books.rules, 0).mode == NO_MARGIN:
        rate = 0.0
    base = margin_base_kernel(books, whole_at(books.held_symbols, first))
    excess, size = base, 0.0
    for k in range(first, stop):
        s = whole_at(books.held_symbols, k)
        quantity = number_at(books.position, s)
        value = value_kernel(number_at(marks, s), is_inverse)
        notional = abs(quantity) * abs(value)
        excess += quantity * value - rate * notional
        size += notional
    excess -= SCREEN_SLACK * (abs(base) + size)
    gaining = 1.0 - excess / size / (1.0 - rate)
    losing = 1.0 + excess / size / (1.0 + rate)
    factor_long, factor_short = gaining, losing
    if is_inverse:
        factor_long, factor_short = 1.0 / losing, 1.0 / gaining if gaining > 0.0 else np.inf
    for k in range(first, stop):
        s = whole_at(books.held_symbols, k)
        position, mark = number_at(books.position, s), number_at(marks, s)
        down, up = -np.inf, np.inf
        if not excess > 0.0:
            down = np.inf
        elif position > 0.0:
            down = mark * factor_long
        else:
            up = mark * factor_short
        put_number(books.mark_down, s, down)
        put_number(books.mark_up, s, up)
