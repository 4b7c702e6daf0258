"""Trades: from the fill that opens a position to the one that ends it (accounting, 6)."""

import numpy as np

from ..jit import inner_kernel
from ..simd import put_number
from .state import LIQUIDATION, NONE, account_at, rules_at, slot_at, trade_row_at
from .symbol_lists import insert_kernel, remove_kernel


@inner_kernel
def average_price_kernel(quantity: float, notional: float, is_inverse: bool) -> float:
    """Average price of fills of ``quantity`` in all, worth ``notional``."""
    return quantity / notional if is_inverse else notional / quantity


@inner_kernel
def open_trade_kernel(books: np.record, s: int, quantity: float) -> None:
    """Start the trade whose first fill has signed ``quantity``."""
    account, slot = account_at(books.account, 0), slot_at(books.slots, s)
    slot.trade = account.trades
    slot.side = 1 if quantity > 0.0 else -1
    slot.entry_bar = account.bar
    slot.entry_time = account.time
    slot.is_ambiguous = 0
    slot.peak_quantity = 0.0
    slot.in_quantity = 0.0
    slot.in_notional = 0.0
    slot.out_quantity = 0.0
    slot.out_notional = 0.0
    slot.gross_pnl = 0.0
    slot.fees = 0.0
    slot.spread = 0.0
    slot.impact = 0.0
    slot.funding = 0.0
    slot.borrow = 0.0
    slot.shortfall = 0.0
    slot.initial_risk = 0.0
    slot.wallet = 0.0
    insert_kernel(books.held_symbols, account.held, s)
    if account.held == 0:
        account.held_since = account.bar
    account.held += 1
    account.trades += 1


@inner_kernel
def close_trade_kernel(books: np.record, s: int, reason: int) -> None:
    """End the open trade of ``s``, whose last fill had ``reason``; nothing stays in force."""
    rules, account, slot = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        slot_at(books.slots, s),
    )
    is_inverse = rules.is_inverse != 0
    net_pnl = slot.gross_pnl - slot.fees + slot.funding + slot.borrow + slot.shortfall
    if account.last_closed_bar < account.bar:
        account.last_closed_bar = account.bar
        account.known_closed = account.closed
        account.known_wins = account.wins
        account.known_win_return = account.win_return
        account.known_loss_return = account.loss_return
    account.closed += 1
    account.win_pnl_before, account.loss_pnl_before = account.win_pnl, account.loss_pnl
    if net_pnl > 0.0:
        account.wins += 1
        account.win_return += net_pnl / slot.in_notional
        account.win_pnl += net_pnl
    else:
        account.loss_return += -(net_pnl / slot.in_notional)
        account.loss_pnl += -net_pnl
    if account.keeps_rows:
        row = trade_row_at(books.trades, slot.trade)
        row.trade = slot.trade
        row.symbol = s
        row.side = slot.side
        row.entry_bar = slot.entry_bar
        row.exit_bar = account.bar
        row.entry_time_ns = slot.entry_time
        row.exit_time_ns = account.time
        row.quantity = slot.peak_quantity
        row.entry_price = slot.entry_price
        row.exit_price = average_price_kernel(slot.out_quantity, slot.out_notional, is_inverse)
        row.gross_pnl = slot.gross_pnl
        row.fees = slot.fees
        row.spread = slot.spread
        row.impact = slot.impact
        row.funding = slot.funding
        row.borrow = slot.borrow
        row.shortfall = slot.shortfall
        row.net_pnl = net_pnl
        row.return_frac = net_pnl / slot.in_notional
        row.initial_risk = slot.initial_risk
        row.r_multiple = net_pnl / slot.initial_risk if slot.initial_risk > 0.0 else np.nan
        row.bars_held = account.bar - slot.entry_bar + 1
        row.exit_reason = reason
        row.is_ambiguous = slot.is_ambiguous != 0
    remove_kernel(books.held_symbols, account.held, s)
    account.held -= 1
    account.liquidations += reason == LIQUIDATION
    if account.held == 0:
        account.bars_in_position += account.bar - account.held_since
    slot.trade = NONE
    slot.force = 0.0
    slot.stop = np.nan
    slot.take_profit = np.nan
    slot.rungs = 0
    slot.entered_late_bar = NONE
    slot.entry_order = NONE
    put_number(books.down, s, -np.inf)
    put_number(books.up, s, np.inf)
    put_number(books.mark_down, s, -np.inf)
    put_number(books.mark_up, s, np.inf)
