"""Limits 5 to 8 of docs/accounting.md §3.1: correlation, positions, sector and heat.

Each lowers the granted notionals of the batch's symbols in their records (``CLAIM_FIELDS``), and writes
its code where it did. ``ranked`` are the columns of the batch in priority order.
"""

from typing import Final

import numpy as np

from ._margin_kernel import value_kernel
from .arrays import Bool2D, Float1D, Float2D, Int1D, Records1D
from .jit import inner_kernel
from .ledger import LIMITS

CORRELATION: Final = LIMITS.index("correlation")
POSITIONS: Final = LIMITS.index("positions")
SECTOR: Final = LIMITS.index("sector")
HEAT: Final = LIMITS.index("heat")

FEWEST_RETURNS: Final = 30
"""Common returns below which two symbols correlate with nothing."""


@inner_kernel
def rank_kernel(batch: Int1D, slots: Records1D, ranked: Int1D) -> None:
    """Write the columns of the batch in priority order: larger ``|target|`` first, then by name."""
    for i in range(len(batch)):
        place = i
        while place > 0 and abs(slots[ranked[place - 1]].target) < abs(slots[batch[i]].target):
            ranked[place] = ranked[place - 1]
            place -= 1
        ranked[place] = batch[i]


@inner_kernel
def refuse_correlated_kernel(
    t: int,
    ranked: Int1D,
    slots: Records1D,
    close: Float2D,
    listed: Bool2D,
    bars: int,
    max_correlation: float,
) -> None:
    """Limit 5: no entry beside a position or an accepted order of its side that moves with it.

    When the turn of an entry comes, those of a higher rank are decided; of a lower rank only orders
    count that are no entries.
    """
    for rank in range(len(ranked)):
        s = ranked[rank]
        target = slots[s].target
        if slots[s].granted <= 0.0 or slots[s].position * target > 0.0:
            continue
        for other in range(len(slots)):
            if (
                slots[other].is_outside
                and slots[other].position * target > 0.0
                and correlation_kernel(t, s, other, bars, close, listed) > max_correlation
            ):
                slots[s].granted = 0.0
                break
        for place in range(len(ranked)):
            other = ranked[place]
            order = slots[other]
            if (
                (place < rank or order.position * order.target > 0.0)
                and order.granted > 0.0
                and order.target * target > 0.0
                and correlation_kernel(t, s, other, bars, close, listed) > max_correlation
            ):
                slots[s].granted = 0.0
                break
        if slots[s].granted == 0.0:
            slots[s].limit = CORRELATION


@inner_kernel
def correlation_kernel(
    t: int, first: int, second: int, bars: int, close: Float2D, listed: Bool2D
) -> float:
    """Pearson's correlation of two symbols' simple returns over the ``bars`` bars before ``t``.

    Only bars count at which, and before which, both are listed. NaN with fewer than
    ``FEWEST_RETURNS`` of them or when one series of returns is constant.
    """
    count, total_a, total_b, mean_a, mean_b = 0, 0.0, 0.0, 0.0, 0.0
    squares_a, squares_b, products = 0.0, 0.0, 0.0
    first_a, first_b, constant_a, constant_b = 0.0, 0.0, True, True
    for is_centred in (False, True):
        for i in range(max(t - bars, 1), t):
            before = listed[i - 1, first] and listed[i - 1, second]
            if not (before and listed[i, first] and listed[i, second]):
                continue
            a = close[i, first] / close[i - 1, first] - 1.0
            b = close[i, second] / close[i - 1, second] - 1.0
            if is_centred:
                squares_a += (a - mean_a) * (a - mean_a)
                squares_b += (b - mean_b) * (b - mean_b)
                products += (a - mean_a) * (b - mean_b)
                continue
            if count == 0:
                first_a, first_b = a, b
            constant_a &= a == first_a
            constant_b &= b == first_b
            count += 1
            total_a += a
            total_b += b
        if count < FEWEST_RETURNS or constant_a or constant_b:
            return np.nan
        mean_a, mean_b = total_a / count, total_b / count
    return min(max(products / float(np.sqrt(squares_a * squares_b)), -1.0), 1.0)


@inner_kernel
def refuse_surplus_kernel(ranked: Int1D, slots: Records1D, max_positions: float) -> None:
    """Limit 6: no entry once ``max_positions`` symbols are held or granted."""
    used = 0
    for s in range(len(slots)):
        slot = slots[s]
        if slot.is_outside:
            used += int(slot.position != 0.0)
        else:
            used += int(slot.granted > 0.0 and slot.position * slot.target > 0.0)
    for i in range(len(ranked)):
        slot = slots[ranked[i]]
        if slot.granted > 0.0 and slot.position * slot.target <= 0.0:
            if used < max_positions:
                used += 1
            else:
                slot.granted = 0.0
                slot.limit = POSITIONS


@inner_kernel
def scale_kernel(cap: float, carried: float, total: float, code: int, slot: np.record) -> None:
    """Scale one order of a group that asks for ``total`` beside ``carried`` to within ``cap``."""
    share = max(0.0, (cap - carried) / total)
    if slot.granted * share < slot.granted:
        slot.granted *= share
        slot.limit = code


@inner_kernel
def cap_sectors_kernel(cap: float, batch: Int1D, slots: Records1D, carried: Float1D) -> None:
    """Limit 7: the orders of a sector shrink alike until it is within ``cap``."""
    for i in range(len(batch)):
        sector = slots[batch[i]].sector
        is_done = False
        for earlier in batch[:i]:
            is_done |= slots[earlier].sector == sector
        if is_done:
            continue
        total, held = 0.0, 0.0
        for other in range(len(slots)):
            if slots[other].sector == sector and slots[other].is_outside:
                held += carried[other]
            elif slots[other].sector == sector:
                total += slots[other].granted
        if total > 0.0 and held + total > cap:
            for j in range(i, len(batch)):
                if slots[batch[j]].sector == sector:
                    scale_kernel(cap, held, total, SECTOR, slots[batch[j]])


@inner_kernel
def cap_heat_kernel(cap: float, batch: Int1D, slots: Records1D, is_inverse: bool) -> None:
    """Limit 8: all orders shrink alike until what the stops would lose is within ``cap``."""
    carried, total = 0.0, 0.0
    for s in range(len(slots)):
        slot = slots[s]
        quantity = slot.position
        if slot.is_outside and quantity != 0.0 and not np.isnan(slot.stop):
            entry = value_kernel(slot.entry_price, is_inverse)
            loss = entry - value_kernel(slot.stop, is_inverse)
            carried += max(0.0, loss if quantity > 0.0 else -loss) * abs(quantity)
        elif not slot.is_outside and slot.granted > 0.0:
            fall = slot.stop_distance if slot.target > 0.0 else -slot.stop_distance
            unit = value_kernel(slot.reference, is_inverse)
            loss = abs(unit - value_kernel(slot.reference * (1.0 - fall), is_inverse))
            total += slot.granted * (loss / abs(unit))
    if total > 0.0 and carried + total > cap:
        for i in range(len(batch)):
            scale_kernel(cap, carried, total, HEAT, slots[batch[i]])
