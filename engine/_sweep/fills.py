"""Fills, levels and the ruin of an account that keeps no ledgers (accounting, 2 and 3.1)."""

from typing import Final

import numpy as np

from ..jit import inner_kernel
from ..simd import put_whole, whole_at
from .tables import cell_at, price_at, slot_at

MOST_STOP_DISTANCE: Final = 0.99
AT_CLOSE: Final = -1


@inner_kernel(inlined=True)
def insert_kernel(work: np.record, s: int) -> None:
    """Put ``s`` into the list of symbols held, in name order."""
    k = work.held
    while k > 0 and whole_at(work.held_symbols, k - 1) > s:
        put_whole(work.held_symbols, k, whole_at(work.held_symbols, k - 1))
        k -= 1
    put_whole(work.held_symbols, k, s)
    work.held += 1


@inner_kernel(inlined=True)
def remove_kernel(work: np.record, s: int) -> None:
    """Take ``s`` out of the list of symbols held."""
    k = 0
    while whole_at(work.held_symbols, k) != s:
        k += 1
    for after in range(k + 1, work.held):
        put_whole(work.held_symbols, after - 1, whole_at(work.held_symbols, after))
    work.held -= 1


@inner_kernel(inlined=True)
def copy_held_kernel(work: np.record) -> int:
    """Copy the list of symbols held to ``batch``; its length."""
    for i in range(work.held):
        put_whole(work.batch, i, whole_at(work.held_symbols, i))
    return int(work.held)


@inner_kernel(inlined=True)
def fill_kernel(
    work: np.record,
    s: int,
    t: int,
    quantity: float,
    reference: float,
    slip: float,
    fee_rate: float,
    totals: np.record,
) -> float:
    """Book one fill that opens or closes a position; returns its price."""
    side = 1.0 if quantity > 0.0 else -1.0
    price = reference * (1.0 + side * slip)
    fee = abs(quantity) * price * fee_rate
    book_kernel(work, s, t, quantity, reference, price, fee, 0.0, totals)
    return price


@inner_kernel(inlined=True)
def book_kernel(
    work: np.record,
    s: int,
    t: int,
    quantity: float,
    reference: float,
    price: float,
    fee: float,
    shortfall: float,
    totals: np.record,
) -> None:
    slot = slot_at(work.slots, s)
    work.cash = work.cash - quantity * price - fee + shortfall
    slot.has_changed = 1
    totals.fees += fee
    totals.spread += abs(quantity) * abs(price - reference)
    totals.shortfall += shortfall
    totals.traded_notional += abs(quantity) * price
    if slot.position == 0.0:
        slot.position = quantity
        slot.entry_bar = t
        slot.gross_pnl = -(quantity * price)
        slot.fees = fee
        slot.funding = 0.0
        insert_kernel(work, s)
        return
    slot.position = 0.0
    remove_kernel(work, s)
    slot.gross_pnl -= quantity * price
    slot.fees += fee
    slot.shortfall = shortfall
    work.last_closed = s
    work.wins_before, work.losses_before = totals.gross_wins, totals.gross_losses
    totals.trades += 1
    _count_trade_kernel(slot, totals)


@inner_kernel(inlined=True)
def _count_trade_kernel(slot: np.record, totals: np.record) -> None:
    """Add the result of a closed trade to wins or losses."""
    net_pnl = slot.gross_pnl - slot.fees + slot.funding + slot.shortfall
    if net_pnl > 0.0:
        totals.wins += 1
        totals.gross_wins += net_pnl
    else:
        totals.gross_losses += -net_pnl


@inner_kernel(inlined=True)
def sub_bar_kernel(market: np.record, s: int, sub: int) -> np.record:
    """The sub-bar's prices of a symbol."""
    return price_at(market.prices, s * market.bars * market.sub_count + sub)


@inner_kernel(inlined=True)
def cell_kernel(market: np.record, s: int, t: int) -> np.record:
    """The bar of a symbol."""
    return cell_at(market.cells, s * (market.bars + 1) + t)


@inner_kernel(inlined=True)
def levels_kernel(
    side: float, price: float, atr_frac: float, rules: np.record
) -> tuple[float, float]:
    """Stop and target of an entry; NaN for none."""
    distance = rules.stop_frac
    if rules.stop_atr == rules.stop_atr:
        distance = min(rules.stop_atr * atr_frac, MOST_STOP_DISTANCE)
    reach = rules.take_profit_frac
    if rules.take_profit_atr == rules.take_profit_atr:
        reach = rules.take_profit_atr * atr_frac
    elif rules.take_profit_r == rules.take_profit_r:
        reach = rules.take_profit_r * distance
    target = price * (1.0 + side * reach)
    return price * (1.0 - side * distance), target if target > 0.0 else np.nan


@inner_kernel(inlined=True)
def reaches_target_kernel(slot: np.record, price: float, rules: np.record) -> bool:
    """Whether ``price``, the best of something, fills the take-profit."""
    if rules.takes_profit_by_limit:
        if slot.position > 0.0:
            return price > slot.take_profit
        return price < slot.take_profit
    if slot.position > 0.0:
        return price >= slot.take_profit
    return price <= slot.take_profit


@inner_kernel(inlined=True)
def take_profit_kernel(
    work: np.record, s: int, t: int, reference: float, rules: np.record, totals: np.record
) -> None:
    slot = slot_at(work.slots, s)
    if rules.takes_profit_by_limit:
        fill_kernel(work, s, t, -slot.position, slot.take_profit, 0.0, rules.maker_rate, totals)
    else:
        fill_kernel(work, s, t, -slot.position, reference, rules.slip, rules.taker_rate, totals)


@inner_kernel
def ruin_kernel(
    work: np.record, market: np.record, t: int, sub: int, rules: np.record, totals: np.record
) -> None:
    """Close everything, at the open of ``sub`` or for ``AT_CLOSE`` at the close of the bar; a cash
    below 0 is made 0 by the shortfall of the bar's last fill.
    """
    while work.held > 0:
        s = whole_at(work.held_symbols, 0)
        reference = cell_kernel(market, s, t).close
        if sub != AT_CLOSE:
            reference = sub_bar_kernel(market, s, sub).open
        fill_kernel(
            work, s, t, -slot_at(work.slots, s).position, reference, rules.slip, rules.taker_rate,
            totals,
        )  # fmt: skip
    if work.cash < 0.0:
        slot = slot_at(work.slots, work.last_closed)
        if totals.gross_wins != work.wins_before:
            totals.wins -= 1
        totals.gross_wins, totals.gross_losses = work.wins_before, work.losses_before
        slot.shortfall += -work.cash
        totals.shortfall += -work.cash
        work.cash = 0.0
        _count_trade_kernel(slot, totals)
    totals.ruined_bar = t
    work.equity = work.cash
