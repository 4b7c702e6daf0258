"""The account's columns at the closes, from the ledgers and the marks (accounting, 5 and 6)."""

import numpy as np

from .._margin_kernel import initial_margin_kernel, maintenance_kernel, value_kernel
from ..arrays import Float1D, Float2D, Int1D, Records1D
from ..jit import inner_kernel, kernel
from ..ledger import AccountColumns
from .state import ISOLATED, NO_MARGIN, PHASE_CLOSE, PHASE_INTRABAR


@kernel
def account_columns_kernel(
    fills: Records1D,
    payments: Records1D,
    ranks: Int1D,
    mark_close: Float2D,
    sub_step: int,
    rules: Records1D,
    tiers: Records1D,
    columns: AccountColumns,
) -> None:
    """Write ``columns`` ``(T,)`` at every close.

    ``ranks`` ``(S,)`` gives the place in name order of each symbol of the ledgers, ``mark_close``
    ``(T, S)`` is in name order; one record each of ``RULES_DTYPE`` and, for each tier, ``TIER_DTYPE``.
    """
    bars, symbols = mark_close.shape
    positions = np.zeros(symbols)
    cash = rules[0].initial_cash
    fill, payment, t = 0, 0, 0
    while t < bars:
        while True:
            fills_now = fill < len(fills) and fills[fill].bar == t
            pays_now = payment < len(payments) and payments[payment].bar == t
            if pays_now and fills_now:
                pays_now = payments[payment].time_ns < _moment_kernel(fills[fill], sub_step)
            if pays_now:
                cash = cash + payments[payment].payment
                payment += 1
            elif fills_now:
                cash = fills[fill].cash_after
                positions[ranks[fills[fill].symbol]] = fills[fill].position_after
                fill += 1
            else:
                break
        until = bars
        if fill < len(fills):
            until = min(until, fills[fill].bar)
        if payment < len(payments):
            until = min(until, payments[payment].bar)
        _mark_kernel(t, until, cash, positions, mark_close, rules[0], tiers, columns)
        t = until


@inner_kernel
def _moment_kernel(fill: np.record, sub_step: int) -> int:
    """The end of the payments that come before ``fill``: at an open those of its time, inside a sub-bar
    all of the sub-bar, at a close all of the bar.
    """
    if fill.phase == PHASE_CLOSE:
        return int(fill.time_ns)
    if fill.phase == PHASE_INTRABAR:
        return int(fill.time_ns + sub_step)
    return int(fill.time_ns + 1)


@inner_kernel
def _mark_kernel(
    first: int,
    stop: int,
    cash: float,
    positions: Float1D,
    mark_close: Float2D,
    rules: np.record,
    tiers: Records1D,
    columns: AccountColumns,
) -> None:
    """The closes from ``first`` to ``stop``, between which no cash and no position changes.

    Most notionals lie in the first tier, where the margins come to one product and one quotient.
    """
    is_inverse, has_margins = rules.is_inverse != 0, rules.mode != NO_MARGIN
    is_isolated = rules.mode == ISOLATED
    leverage = rules.leverage if is_isolated else tiers[0].max_leverage
    notional_to, rate = tiers[0].notional_to, tiers[0].maintenance
    held = np.flatnonzero(positions)
    for t in range(first, stop):
        gross, net, initial, maintenance = 0.0, 0.0, 0.0, 0.0
        for k in range(len(held)):
            quantity = positions[held[k]]
            unit = abs(value_kernel(mark_close[t, held[k]], is_inverse))
            notional = abs(quantity) * unit
            gross += notional
            net += quantity * unit
            if has_margins and notional <= notional_to:
                initial += notional / leverage
                maintenance += rate * notional
            elif has_margins:
                maintenance += maintenance_kernel(notional, tiers)
                initial += initial_margin_kernel(notional, tiers, is_isolated, rules.leverage)
        columns.cash[t] = cash
        columns.gross_exposure[t] = gross
        columns.net_exposure[t] = net
        columns.initial_margin[t] = initial
        columns.maintenance_margin[t] = maintenance
