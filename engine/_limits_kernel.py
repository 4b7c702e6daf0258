"""Wanted notionals of a batch of orders, and what the limits leave of them (docs/accounting.md §3.1).

Here stand the limits of a single order and of the whole account; those that look at the other
symbols one by one are in ``_portfolio_limits_kernel``. ``slots`` are records ``(S,)`` with
``CLAIM_FIELDS``, in name order.
"""

from typing import Final

import numpy as np

from ._limit_tables import METHODS, ClosedTrades
from ._margin_kernel import initial_margin_kernel, largest_notional_kernel
from ._portfolio_limits_kernel import (
    cap_heat_kernel,
    cap_sectors_kernel,
    rank_kernel,
    refuse_correlated_kernel,
    refuse_surplus_kernel,
    scale_kernel,
)
from .arrays import Bool2D, Float1D, Float2D, Int1D, Records1D
from .jit import inner_kernel
from .ledger import LIMITS
from .rules import DUST, KELLY_FEWEST_TRADES

MARGIN_SLACK: Final = 1e-12
"""Share of equity by which the initial margin may exceed it: rounding of what other limits allow."""

RISK: Final = METHODS.index("risk")
VOLATILITY: Final = METHODS.index("volatility")

NO_LIMIT: Final = LIMITS.index("none")
KELLY: Final = LIMITS.index("kelly")
DRAWDOWN: Final = LIMITS.index("drawdown")
POSITION: Final = LIMITS.index("position")
TIER: Final = LIMITS.index("tier")
GROSS: Final = LIMITS.index("gross")
MARGIN: Final = LIMITS.index("margin")
DUST_LIMIT: Final = LIMITS.index("dust")


@inner_kernel
def grant_kernel(
    t: int,
    equity: float,
    peak: float,
    trades: ClosedTrades,
    batch: Int1D,
    slots: Records1D,
    carried: Float1D,
    close: Float2D,
    listed: Bool2D,
    limits: Records1D,
    tiers: Records1D,
    work: Int1D,
) -> None:
    """Write the wanted and granted notionals of the orders ``batch`` in bar ``t`` into ``slots``.

    ``equity`` is that at close t − 1, ``peak`` the highest at closes so far; ``batch`` are columns,
    rising; ``carried`` ``(S,)`` is ``|q| · u(P)`` of the positions that have no order in the batch, 0
    for all others; ``close`` and ``listed`` ``(T, S)`` those of the bars, read before ``t`` only;
    ``work`` ``(S,)`` is scratch.
    """
    if limits[0].only_gross:
        grant_gross_kernel(equity, batch, slots, carried, limits, tiers)
    else:
        grant_limited_kernel(
            t, equity, peak, trades, batch, slots, carried, close, listed, limits, tiers, work
        )


@inner_kernel
def grant_gross_kernel(
    equity: float,
    batch: Int1D,
    slots: Records1D,
    carried: Float1D,
    limits: Records1D,
    tiers: Records1D,
) -> None:
    """``grant_kernel`` where nothing but the limits 4 and 9 to 11 can cut an order."""
    numbers, largest = limits[0], np.inf
    if numbers.is_margined:
        largest = largest_notional_kernel(equity, tiers, numbers.is_isolated != 0, numbers.leverage)
    for i in range(len(batch)):
        _want_kernel(equity, numbers, slots[batch[i]])
        _cap_kernel(largest, TIER, slots[batch[i]])
    _cap_gross_kernel(numbers.max_gross * equity, batch, slots, carried)
    _cap_margin_kernel(equity, batch, slots, carried, numbers, tiers)
    _drop_dust_kernel(DUST * equity, batch, slots)


@inner_kernel
def loss_at_stop_kernel(numbers: np.record, slot: np.record) -> float:
    """What a unit of an order's notional loses at the stop."""
    distance = float(slot.stop_distance)
    if not numbers.is_inverse:
        return distance
    return distance / (1.0 - distance) if slot.target > 0.0 else distance / (1.0 + distance)


@inner_kernel
def _want_kernel(equity: float, numbers: np.record, slot: np.record) -> None:
    """The notional that an order asks for by the sizing method."""
    method = numbers.method
    notional = abs(slot.target) * numbers.size * equity
    if method == RISK and notional != 0.0:
        notional /= loss_at_stop_kernel(numbers, slot)
    elif method == VOLATILITY and notional != 0.0:
        notional /= slot.volatility
    slot.wanted = notional
    slot.granted = notional
    slot.limit = NO_LIMIT


@inner_kernel
def _cap_kernel(largest: float, code: int, slot: np.record) -> None:
    """Lower an order to the notional ``largest``; ``code`` is that of the limit."""
    if largest < slot.granted:
        slot.granted = largest
        slot.limit = code


@inner_kernel
def kelly_fraction_kernel(trades: ClosedTrades, kelly_max: float) -> float:
    """Kelly fraction of the closed trades, its win rate shrunk towards a half, in [0, ``kelly_max``]."""
    if trades.wins == 0:
        return 0.0
    wins = (trades.wins + 0.5 * KELLY_FEWEST_TRADES) / (trades.closed + KELLY_FEWEST_TRADES)
    others = trades.closed - trades.wins
    if others == 0 or trades.loss_return <= 0.0:
        return min(wins, kelly_max)
    ratio = (trades.win_return / trades.wins) / (trades.loss_return / others)
    if ratio <= 0.0:
        return 0.0
    return min(max((wins * ratio - (1.0 - wins)) / ratio, 0.0), kelly_max)


@inner_kernel
def grant_limited_kernel(
    t: int,
    equity: float,
    peak: float,
    trades: ClosedTrades,
    batch: Int1D,
    slots: Records1D,
    carried: Float1D,
    close: Float2D,
    listed: Bool2D,
    limits: Records1D,
    tiers: Records1D,
    work: Int1D,
) -> None:
    """``grant_kernel`` with all limits."""
    numbers = limits[0]
    fraction, share, largest = np.inf, 1.0, np.inf
    if not np.isnan(numbers.kelly) and trades.closed >= KELLY_FEWEST_TRADES:
        fraction = numbers.kelly * kelly_fraction_kernel(trades, numbers.kelly_max)
    if numbers.drawdown_halt < np.inf:
        room = numbers.drawdown_halt - numbers.drawdown_start
        share = min(max((numbers.drawdown_halt - (1.0 - equity / peak)) / room, 0.0), 1.0)
    if numbers.is_margined:
        largest = largest_notional_kernel(equity, tiers, numbers.is_isolated != 0, numbers.leverage)
    for s in range(len(slots)):
        slots[s].is_outside = True
    for i in range(len(batch)):
        slot = slots[batch[i]]
        slot.is_outside = False
        _want_kernel(equity, numbers, slot)
        if slot.target != 0.0:
            most = abs(slot.target) * fraction * equity
            if numbers.method == RISK:
                most /= loss_at_stop_kernel(numbers, slot)
            _cap_kernel(most, KELLY, slot)
            _cap_kernel(slot.granted * share, DRAWDOWN, slot)
            _cap_kernel(numbers.max_position * equity, POSITION, slot)
            _cap_kernel(largest, TIER, slot)
    ranked = work[: len(batch)]
    rank_kernel(batch, slots, ranked)
    if numbers.max_correlation < np.inf:
        bars, greatest = numbers.correlation_bars, numbers.max_correlation
        refuse_correlated_kernel(t, ranked, slots, close, listed, bars, greatest)
    if numbers.max_positions < np.inf:
        refuse_surplus_kernel(ranked, slots, numbers.max_positions)
    if numbers.max_sector < np.inf:
        cap = numbers.max_sector * equity
        cap_sectors_kernel(cap, batch, slots, carried)
    if numbers.max_heat < np.inf:
        cap_heat_kernel(numbers.max_heat * equity, batch, slots, numbers.is_inverse != 0)
    _cap_gross_kernel(numbers.max_gross * equity, batch, slots, carried)
    _cap_margin_kernel(equity, batch, slots, carried, numbers, tiers)
    _drop_dust_kernel(DUST * equity, batch, slots)


@inner_kernel
def _cap_gross_kernel(cap: float, batch: Int1D, slots: Records1D, carried: Float1D) -> None:
    """Limit 9: all orders shrink alike until the account is within ``cap``."""
    total, held = 0.0, 0.0
    for i in range(len(batch)):
        total += slots[batch[i]].granted
    for s in range(len(carried)):
        held += carried[s]
    for i in range(len(batch)):
        slot = slots[batch[i]]
        if total > 0.0 and held + total > cap:
            scale_kernel(cap, held, total, GROSS, slot)


@inner_kernel
def _cap_margin_kernel(
    equity: float,
    batch: Int1D,
    slots: Records1D,
    carried: Float1D,
    numbers: np.record,
    tiers: Records1D,
) -> None:
    """Limit 10: all orders shrink alike until equity covers the initial margin of everything.

    One symbol is within it by limit 4, one tier by limit 9: neither the notional of an order nor
    ``max_gross`` exceeds what the leverage allows.
    """
    if not numbers.is_margined or len(tiers) == 1 or len(slots) == 1:
        return
    isolated, leverage = numbers.is_isolated != 0, numbers.leverage
    total, held, wanted = 0.0, 0.0, 0.0
    for i in range(len(batch)):
        granted = slots[batch[i]].granted
        wanted += granted
        total += initial_margin_kernel(granted, tiers, isolated, leverage)
    for s in range(len(carried)):
        held += initial_margin_kernel(carried[s], tiers, isolated, leverage)
    if wanted > 0.0 and held + total > equity * (1.0 + MARGIN_SLACK):
        for i in range(len(batch)):
            scale_kernel(equity, held, total, MARGIN, slots[batch[i]])


@inner_kernel
def _drop_dust_kernel(dust: float, batch: Int1D, slots: Records1D) -> None:
    """Limit 11: what is next to nothing is nothing."""
    for i in range(len(batch)):
        if slots[batch[i]].granted < dust:
            _cap_kernel(0.0, DUST_LIMIT, slots[batch[i]])
