"""The end of an account: step 7 of the order of events, and ruin at an open (accounting, 4)."""

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import number_at, put_number, whole_at
from .fills import cost_inputs_kernel, fill_kernel
from .orders import end_order_kernel
from .state import (
    DROPPED,
    NO_MARGIN,
    NONE,
    RUIN,
    account_at,
    fill_row_at,
    rules_at,
    slot_at,
    trade_row_at,
)


@inner_kernel
def close_position_kernel(books: np.record, market: np.record, t: int, s: int, reason: int) -> None:
    """Close a position at the close of bar ``t``, traded or carried."""
    if rules_at(books.rules, 0).scales_costs:
        cost_inputs_kernel(books, market, s, t)
    quantity = -slot_at(books.slots, s).position
    close = number_at(market.close, t * market.symbols + s)
    fill_kernel(books, s, quantity, close, False, 0.0, reason, NONE, True)


@inner_kernel
def ruin_kernel(books: np.record, market: np.record, t: int) -> None:
    """Step 7: close everything, and let equity stand still."""
    for s in range(books.symbols):
        if slot_at(books.slots, s).position != 0.0:
            close_position_kernel(books, market, t, s, RUIN)
        end_order_kernel(books, s, DROPPED)
    end_account_kernel(books, market, t)


@inner_kernel
def is_ruined_at_open_kernel(books: np.record) -> bool:
    """Whether a spot account is worth nothing at the marks of the open."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    if rules.mode != NO_MARGIN or account.held == 0:
        return False
    worth = 0.0
    for k in range(account.held):
        slot = slot_at(books.slots, whole_at(books.held_symbols, k))
        worth += slot.position * value_kernel(slot.mark_open, rules.is_inverse != 0)
    return account.cash + worth <= 0.0


@inner_kernel
def ruin_at_open_kernel(books: np.record, market: np.record, t: int) -> None:
    """Close everything at the opens of the sub-bar, and let equity stand still."""
    for s in range(books.symbols):
        quantity = -slot_at(books.slots, s).position
        if quantity != 0.0:
            slot = slot_at(books.slots, s)
            price = number_at(books.opens, s) if slot.is_tradable else slot.close
            fill_kernel(books, s, quantity, price, False, 0.0, RUIN, NONE, True)
        end_order_kernel(books, s, DROPPED)
    end_account_kernel(books, market, t)


@inner_kernel
def end_account_kernel(books: np.record, market: np.record, t: int) -> None:
    """Nothing is owed and nothing happens any more from bar ``t`` on."""
    account = account_at(books.account, 0)
    if account.cash < 0.0:
        bear_shortfall_kernel(books, account.last_filled)
    account.ruined_bar = t
    account.equity = account.cash
    for bar in range(t, market.bars):
        put_number(books.equity, bar, account.cash)


@inner_kernel
def bear_shortfall_kernel(books: np.record, s: int) -> None:
    """Make a negative cash 0 at the ruin: the last fill, which closed a trade of ``s``, bears the
    shortfall.
    """
    account, slot = account_at(books.account, 0), slot_at(books.slots, s)
    shortfall = -account.cash
    was_won = account.win_pnl != account.win_pnl_before
    account.cash = 0.0
    account.shortfall = account.shortfall_before + (account.last_shortfall + shortfall)
    slot.shortfall += shortfall
    net_pnl = slot.gross_pnl - slot.fees + slot.funding + slot.borrow + slot.shortfall
    is_won = net_pnl > 0.0
    account.wins += is_won - was_won
    account.win_pnl, account.loss_pnl = account.win_pnl_before, account.loss_pnl_before
    if is_won:
        account.win_pnl += net_pnl
    else:
        account.loss_pnl += -net_pnl
    if account.keeps_rows:
        fill = fill_row_at(books.fills, account.fills - 1)
        fill.shortfall += shortfall
        fill.cash_after = 0.0
        row = trade_row_at(books.trades, fill.trade)
        row.shortfall = slot.shortfall
        row.net_pnl = net_pnl
        row.return_frac = net_pnl / slot.in_notional
        if slot.initial_risk > 0.0:
            row.r_multiple = net_pnl / slot.initial_risk
