"""Marking the only position of an account to market, stretch by stretch, with its payments."""

import numpy as np

from ..jit import inner_kernel
from ..simd import load, number_at, spread, store, whole_at
from .equity import BLOCK, flush_kernel
from .tables import BUFFER_BARS, GROUP
from .trade import Account, Position


@inner_kernel(inlined=True)
def paid_kernel(
    market: np.record, event: int, account: Account, position: Position
) -> tuple[Account, Position]:
    """Account and position after a payment."""
    payment = -position.quantity * number_at(market.event_mark, event)
    payment = payment * number_at(market.event_rate, event)
    return paying_kernel(
        account, position, account.cash + payment, account.funding + payment,
        position.funding + payment, 0,
    )  # fmt: skip


@inner_kernel(inlined=True)
def paying_kernel(
    account: Account,
    position: Position,
    cash: float,
    funding: float,
    funding_of_trade: float,
    bars_in_position: int,
) -> tuple[Account, Position]:
    """Account and position with other sums of payments, and bars added."""
    return Account(
        cash, account.fees, account.spread, funding, account.traded_notional,
        account.gross_wins, account.gross_losses, account.trades, account.wins,
        account.bars_in_position + bars_in_position, account.ambiguous_exits,
    ), Position(
        position.quantity, position.stop, position.take_profit, position.gross_pnl, position.fees,
        funding_of_trade, position.entry_bar,
    )  # fmt: skip


@inner_kernel(inlined=True)
def held_until_kernel(
    work: np.record,
    market: np.record,
    t: int,
    event: int,
    account: Account,
    position: Position,
    totals: np.record,
) -> tuple[Account, Position]:
    """Mark the position to market in all bars before ``t``, with the payments from ``event`` on."""
    bar = work.start + work.filled
    held = t - bar
    cash, paid, paid_in_all = account.cash, position.funding, account.funding
    due = whole_at(market.event_bar, event)
    while bar < t:
        if work.filled + (t - bar) > BUFFER_BARS:
            flush_kernel(work, totals, False)
        filled = work.filled
        end = min(t, bar + BUFFER_BARS - filled)
        work.filled = filled + (end - bar)
        while bar < end:
            while due <= bar:
                payment = -position.quantity * number_at(market.event_mark, event)
                payment = payment * number_at(market.event_rate, event)
                cash += payment
                paid += payment
                paid_in_all += payment
                event += 1
                due = whole_at(market.event_bar, event)
            stop = min(end, due)
            mark_kernel(
                work.buffer, filled + 1, market.mark_close, bar, stop, cash, position.quantity
            )
            filled += stop - bar
            bar = stop
    return paying_kernel(account, position, cash, paid_in_all, paid, held)


@inner_kernel(inlined=True)
def mark_kernel(
    buffer: int, at: int, mark_close: int, bar: int, stop: int, cash: float, quantity: float
) -> None:
    """Equities of bars from ``bar`` to ``stop - 1`` from ``at`` of the buffer on, and some more of
    which nothing comes: how many there are is then seldom to be predicted.
    """
    base, lanes = spread(cash), spread(quantity)
    if stop - bar <= GROUP:
        store(buffer, at, base + lanes * load(mark_close, bar))
        return
    ahead = at - bar
    for first in range(bar, stop, BLOCK):
        for place in range(first, first + BLOCK, GROUP):
            store(buffer, ahead + place, base + lanes * load(mark_close, place))
