"""What happens next to a symbol: its next order, and the first bar that touches a level."""

from typing import Final

import numpy as np

from ..decision_events import FLAT, LONG, SHORT
from ..jit import inner_kernel
from ..simd import (
    byte_at,
    either,
    half_at,
    load,
    lowest_bit,
    mask_bits,
    prefetch,
    spread,
    whole_at,
)
from .tables import CELL_DTYPE, GROUP, row_at, slot_at

CELL_BYTES: Final = CELL_DTYPE.itemsize


@inner_kernel(inlined=True)
def next_touch_kernel(
    low: int,
    high: int,
    group_low: int,
    group_high: int,
    row: int,
    groups: int,
    below: float,
    above: float,
    first: int,
    stop: int,
) -> int:
    """The first bar in ``first <= t < stop`` with ``low <= below`` or ``high >= above``, else
    ``stop``.

    The tables are addresses, ``row`` the symbol's. Eight bars are looked at, then eight groups at a
    time: a group that touches a level does so in a bar that was not looked at.
    """
    bars, of_groups = row * groups * GROUP, row * groups
    lower, upper = spread(below), spread(above)
    at = bars + first
    touched = mask_bits((load(low, at) <= lower) | (load(high, at) >= upper))
    group = (first >> 3) + 1
    at = of_groups + group
    flagged = mask_bits((load(group_low, at) <= lower) | (load(group_high, at) >= upper))
    while (touched | flagged) == 0:
        group += GROUP
        if group * GROUP >= stop:
            return stop
        at = of_groups + group
        flagged = mask_bits((load(group_low, at) <= lower) | (load(group_high, at) >= upper))
    group += lowest_bit(flagged | 128)
    at = bars + group * GROUP
    in_group = mask_bits((load(low, at) <= lower) | (load(high, at) >= upper))
    found = either(touched != 0, first + lowest_bit(touched), group * GROUP + lowest_bit(in_group))
    return min(stop, found)


@inner_kernel(inlined=True)
def next_touched_sub_kernel(
    market: np.record, t: int, below: float, above: float, first: int
) -> int:
    """The first sub-bar from ``first`` on, both counted in bar ``t`` of the only symbol, that touches a
    level; else their number.
    """
    count = market.sub_count
    start = t * ((count + GROUP - 1) // GROUP * GROUP)
    found = next_touch_kernel(
        market.sub_low, market.sub_high, market.sub_group_low, market.sub_group_high, 0, 0,
        below, above, start + first, start + count,
    )  # fmt: skip
    return found - start


@inner_kernel(inlined=True)
def fetch_kernel(market: np.record, s: int, t: int) -> None:
    """Let the cache know of the bar that comes next; the walk there takes as long as the memory does."""
    prefetch(market.cells + (s * (market.bars + 1) + t) * CELL_BYTES)


@inner_kernel(inlined=True)
def find_touch_kernel(work: np.record, market: np.record, s: int, first: int) -> None:
    """Set the bar from ``first`` on in which a level of ``s`` may be touched, or T."""
    slot = slot_at(work.slots, s)
    stop = min(slot.order_bar, slot.last_bar)
    if slot.position > 0.0:
        below, above = slot.stop, slot.take_profit
    else:
        below, above = slot.take_profit, slot.stop
    slot.touch_bar = market.bars
    if not (np.isnan(below) and np.isnan(above)):
        found = next_touch_kernel(
            market.low, market.high, market.group_low, market.group_high, s, market.groups,
            below, above, first, stop,
        )  # fmt: skip
        if found < stop:
            slot.touch_bar = found
            fetch_kernel(market, s, found)


@inner_kernel(inlined=True)
def find_order_kernel(
    work: np.record,
    market: np.record,
    decided: np.record,
    k: int,
    s: int,
    t: int,
    time_stop_bars: int,
) -> None:
    """Set the next order of ``s`` that fills, from what is decided at close ``t`` and later."""
    slot = slot_at(work.slots, s)
    bars = market.bars
    stop = whole_at(decided.stop, s)
    rows, actions = decided.rows, decided.actions + k * decided.row_count
    row = int(half_at(decided.row_from, s * (bars + 1) + t))
    quantity = slot.position
    same = 0 if quantity == 0.0 else (LONG if quantity > 0.0 else SHORT)
    wanted = LONG | SHORT if quantity == 0.0 else (LONG | SHORT | FLAT) & ~same
    due = 2 * bars
    if quantity != 0.0 and time_stop_bars > 0:
        due = max(t, slot.entry_bar + time_stop_bars - 1)
    slot.order_bar = bars
    while True:
        while row < stop and (byte_at(actions, row) & wanted) == 0:
            row += 1
        at = row_at(rows, row).bar if row < stop else 2 * bars
        action, decider = FLAT, row
        if due < at:
            at = due
            if at >= bars:
                break
            fills = whole_at(market.fills_at, s * bars + at)
        else:
            if row >= stop:
                break
            action = byte_at(actions, row)
            fills = row_at(rows, row).fills_at
            row += 1
        if fills >= bars:
            if quantity != 0.0:
                break
            continue
        stands = True
        while row < stop and row_at(rows, row).bar < fills:
            later = byte_at(actions, row)
            if later != 0:
                if (later & wanted) != 0:
                    stands, action, decider = True, later, row
                elif due <= row_at(rows, row).bar:
                    stands, action = True, FLAT
                else:
                    stands = False
            elif not stands and due <= row_at(rows, row).bar:
                stands, action = True, FLAT
            row += 1
        if not stands and due < fills:
            stands, action = True, FLAT
        if stands:
            slot.order_bar, slot.order_action, slot.order_row = fills, action, decider
            if action != FLAT:
                slot.order_atr_frac = row_at(rows, decider).atr_frac
            fetch_kernel(market, s, fills)
            break
