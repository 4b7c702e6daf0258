"""Exits at levels: steps 3, 4.2 and 4.4 of the order of events (accounting, 4)."""

import numpy as np

from ..jit import inner_kernel
from ..ticks import ROUNDING
from .fills import fill_kernel, lot_down_kernel
from .levels import bound_kernel
from .orders import end_order_kernel
from .state import (
    CANCELLED,
    LADDER,
    LIMIT_ORDER,
    NONE,
    TAKE_PROFIT,
    account_at,
    rules_at,
    slot_at,
)


@inner_kernel
def reaches_kernel(side: float, price: float, level: float, tick: float, is_limit: bool) -> bool:
    """Whether ``price`` is at ``level`` or beyond, on the side of a gain; a limit needs it through."""
    if not is_limit:
        return side * price >= side * level
    if tick > 0.0:
        return side * price >= side * (level + side * (tick * (1.0 - ROUNDING)))
    return side * price > side * level


@inner_kernel
def any_target_kernel(books: np.record, s: int, price: float) -> bool:
    """Whether ``price`` would fill an open rung or the take-profit of the position."""
    slot = slot_at(books.slots, s)
    side = 1.0 if slot.position > 0.0 else -1.0
    by_limit = rules_at(books.rules, 0).takes_profit_by_limit != 0
    if slot.rung < slot.rungs and reaches_kernel(
        side, price, slot.rung_price[slot.rung], slot.tick, by_limit
    ):
        return True
    return reaches_kernel(side, price, slot.take_profit, slot.tick, by_limit)


@inner_kernel
def level_fill_kernel(
    books: np.record, s: int, quantity: float, reference: float, is_maker: bool, reason: int
) -> None:
    """A fill at a level; one that closes the position ends its pending order as well."""
    closes = quantity == -slot_at(books.slots, s).position
    fill_kernel(books, s, quantity, reference, is_maker, 0.0, reason, NONE, closes)
    if closes:
        end_order_kernel(books, s, CANCELLED)


@inner_kernel
def stop_out_kernel(books: np.record, s: int, reference: float, is_ambiguous: bool) -> None:
    """Close the position at its stop."""
    slot = slot_at(books.slots, s)
    if is_ambiguous:
        account_at(books.account, 0).ambiguous_exits += 1
        slot.is_ambiguous = 1
    level_fill_kernel(books, s, -slot.position, reference, False, slot.stop_reason)


@inner_kernel
def take_profits_kernel(books: np.record, s: int, price: float, reference: float) -> None:
    """Fill the targets that ``price`` reaches, nearest first: rungs, and the take-profit that ends it.

    Fills are at ``reference``, or at the level where it is NaN and for limits.
    """
    slot = slot_at(books.slots, s)
    by_limit = rules_at(books.rules, 0).takes_profit_by_limit != 0
    at_level = by_limit or np.isnan(reference)
    side = 1.0 if slot.position > 0.0 else -1.0
    while slot.rung < slot.rungs:
        rung = slot.rung
        level = slot.rung_price[rung]
        if side * slot.take_profit < side * level or not reaches_kernel(
            side, price, level, slot.tick, by_limit
        ):
            break
        slot.rung += 1
        account_at(books.account, 0).has_acted = 1
        held = abs(slot.position)
        share = rules_at(books.rules, 0).rung_share[rung] * slot.entry_quantity
        size = lot_down_kernel(share, slot.lot)
        if held - share <= 1e-9 * slot.entry_quantity or size >= held:
            size = held
        if size > 0.0:
            level_fill_kernel(
                books, s, -side * size, level if at_level else reference, by_limit, LADDER
            )
        if slot.position == 0.0:
            return
        bound_kernel(books, s)
    if reaches_kernel(side, price, slot.take_profit, slot.tick, by_limit):
        level = slot.take_profit if at_level else reference
        level_fill_kernel(books, s, -slot.position, level, by_limit, TAKE_PROFIT)


@inner_kernel
def exit_at_open_kernel(books: np.record, s: int, open_: float) -> None:
    """Step 3 for one position: its levels against the open."""
    side = 1.0 if slot_at(books.slots, s).position > 0.0 else -1.0
    if side * open_ <= side * slot_at(books.slots, s).stop:
        stop_out_kernel(books, s, open_, False)
    else:
        take_profits_kernel(books, s, open_, open_)


@inner_kernel
def reaches_stop_kernel(books: np.record, s: int) -> bool:
    """Whether the sub-bar's worst price reaches the stop of the position."""
    if slot_at(books.slots, s).position > 0.0:
        return slot_at(books.slots, s).low <= slot_at(books.slots, s).stop
    return slot_at(books.slots, s).high >= slot_at(books.slots, s).stop


@inner_kernel
def exit_inside_kernel(books: np.record, s: int) -> None:
    """Step 4.2 for one position that no liquidation threatens: the stop, else the targets."""
    best = (
        slot_at(books.slots, s).high
        if slot_at(books.slots, s).position > 0.0
        else slot_at(books.slots, s).low
    )
    if reaches_stop_kernel(books, s):
        stop_out_kernel(books, s, slot_at(books.slots, s).stop, any_target_kernel(books, s, best))
    else:
        take_profits_kernel(books, s, best, np.nan)


@inner_kernel
def exit_after_entry_kernel(books: np.record, s: int, kind: int) -> None:
    """Step 4.4 for one position that an order of ``kind`` entered inside the sub-bar.

    An entry that slipped by more than the stop's distance has its stop on the wrong side of the market:
    nobody trades there, and the position ends at the price at which the order was triggered.
    """
    favourable = slot_at(books.slots, s).close
    if kind != LIMIT_ORDER:
        favourable = (
            slot_at(books.slots, s).high
            if slot_at(books.slots, s).position > 0.0
            else slot_at(books.slots, s).low
        )
    if reaches_stop_kernel(books, s):
        is_ambiguous = kind != LIMIT_ORDER or any_target_kernel(books, s, favourable)
        slot = slot_at(books.slots, s)
        if slot.position > 0.0:
            reference = min(slot.stop, slot.reference)
        else:
            reference = max(slot.stop, slot.reference)
        stop_out_kernel(books, s, reference, is_ambiguous)
    else:
        take_profits_kernel(books, s, favourable, np.nan)
