"""Maintenance, liquidation and margin figures of a group of positions (docs/accounting.md §5).

``slots`` are records ``(S,)`` with ``position`` and ``MARK_FIELDS``, in name order. A margin group is a
list of columns, rising: all positions for the cross account, one for an isolated position. ``base`` is
the cash of the account (cross) or ``wallet − q · V(entry)`` (isolated).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from .arrays import Int1D, Records1D
from .jit import inner_kernel
from .rules import MarginTier

NO_LIQUIDATION: Final = -1.0
"""What stands for a missing λ*."""
BISECTIONS: Final = 60
SCREEN_SLACK: Final = 1e-9
"""Share of the sums by which a screen errs on the side of the exact rule; far above their rounding."""

TIER_DTYPE: Final = np.dtype(
    [(name, np.float64) for name in ("floor", "notional_to", "maintenance", "max_leverage")],
    align=True,
)
"""A margin tier: notionals above ``floor`` up to ``notional_to``."""
MARK_FIELDS: Final = (
    *((name, np.float64) for name in ("mark_open", "mark_high", "mark_low")),
    ("moves", np.int64),
)
"""Fields of a symbol's record that the margin kernels read besides ``position``, where that is not 0.

Marks of the sub-bar; ``moves`` is 0 for a gap, which stays at its ``mark_open``.
"""


def tier_table(tiers: Sequence[MarginTier]) -> Records1D:
    """The tiers of the rules for the kernels, ``TIER_DTYPE``."""
    table = np.zeros(len(tiers), dtype=TIER_DTYPE)
    for index, tier in enumerate(tiers):
        floor = tiers[index - 1].notional_to if index else 0.0
        table[index] = (floor, tier.notional_to, tier.maintenance, tier.max_leverage)
    return table


@inner_kernel
def value_kernel(price: float, is_inverse: bool) -> float:
    """``V(p)``: value of one unit in settlement currency."""
    return -1.0 / price if is_inverse else price


@inner_kernel
def maintenance_kernel(notional: float, tiers: Records1D) -> float:
    """``Σ maintenance_i · (part of the notional inside tier i)``; the last rate goes on."""
    total = 0.0
    for i in range(len(tiers)):
        tier = tiers[i]
        if notional <= tier.notional_to or i == len(tiers) - 1:
            return float(total + tier.maintenance * (notional - tier.floor))
        total += tier.maintenance * (tier.notional_to - tier.floor)
    return total


@inner_kernel
def adverse_mark_kernel(slot: np.record, reach: float) -> float:
    """``m(λ)``: the mark of a position at ``λ = reach`` of its way from the open to the worst mark."""
    if not slot.moves:
        return float(slot.mark_open)
    worst = slot.mark_low if slot.position > 0.0 else slot.mark_high
    return float(slot.mark_open + reach * (worst - slot.mark_open))


@inner_kernel
def margin_excess_kernel(
    reach: float, base: float, group: Int1D, slots: Records1D, tiers: Records1D, is_inverse: bool
) -> float:
    """``f(λ) = base + Σ q · V(m(λ)) − Σ maintenance(|q| · u(m(λ)))`` at ``λ = reach``."""
    value, needed = 0.0, 0.0
    for i in range(len(group)):
        s = group[i]
        quantity = slots[s].position
        if quantity != 0.0:
            unit = value_kernel(adverse_mark_kernel(slots[s], reach), is_inverse)
            value += quantity * unit
            needed += maintenance_kernel(abs(quantity) * abs(unit), tiers)
    return base + value - needed


@inner_kernel
def liquidation_reach_kernel(
    base: float, group: Int1D, slots: Records1D, tiers: Records1D, is_inverse: bool
) -> float:
    """``λ*``, where the group is liquidated; ``NO_LIQUIDATION`` when the sub-bar does not reach it.

    0 if ``f(0) ≤ 0``, none if ``f(1) > 0``, else the upper end of 60 bisections of [0, 1].
    """
    low, high = 0.0, 1.0
    if margin_excess_kernel(low, base, group, slots, tiers, is_inverse) <= 0.0:
        return low
    if margin_excess_kernel(high, base, group, slots, tiers, is_inverse) > 0.0:
        return NO_LIQUIDATION
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if margin_excess_kernel(middle, base, group, slots, tiers, is_inverse) <= 0.0:
            high = middle
        else:
            low = middle
    return high


@inner_kernel
def largest_notional_kernel(
    equity: float, tiers: Records1D, is_isolated: bool, leverage: float
) -> float:
    """Greatest notional of one order under limit 4 (tier) of §3.1, not for margin mode none.

    Cross: the largest ``min(notional_to_i, E · max_leverage_i)`` of tiers with
    ``floor_i < E · max_leverage_i``.
    Isolated: ``notional_to`` of the last tier with ``max_leverage ≥ leverage``, 0 when none has it.
    """
    largest = 0.0
    for i in range(len(tiers)):
        tier = tiers[i]
        if is_isolated:
            if tier.max_leverage >= leverage:
                largest = tier.notional_to
        elif tier.floor < equity * tier.max_leverage:
            largest = max(largest, min(tier.notional_to, equity * tier.max_leverage))
    return largest


@inner_kernel
def initial_margin_kernel(
    notional: float, tiers: Records1D, is_isolated: bool, leverage: float
) -> float:
    """Initial margin of one position: notional ÷ ``leverage``, in cross mode ÷ that of its tier."""
    if is_isolated:
        return notional / leverage
    last = len(tiers) - 1
    for i in range(last):
        if notional <= tiers[i].notional_to:
            return float(notional / tiers[i].max_leverage)
    return float(notional / tiers[last].max_leverage)
