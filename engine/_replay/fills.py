"""Fills: their price and costs, and what they do to cash, position and trade (accounting, 2 and 6)."""

from typing import Final

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import number_at, put_number, put_whole, whole_at
from ..ticks import ROUNDING, tick_down_kernel, tick_up_kernel
from ..timeframe import DAY_NS
from .state import (
    ISOLATED,
    LIQUIDATION,
    NONE,
    account_at,
    fee_tier_at,
    fill_row_at,
    rules_at,
    slot_at,
    trade_row_at,
)

FEE_DAYS: Final = 30
WORST_SLIP: Final = 0.99


@inner_kernel
def lot_down_kernel(size: float, lot: float) -> float:
    """The next multiple of ``lot`` at or below ``size``."""
    return np.floor(size / lot + ROUNDING) * lot if lot > 0.0 else size


@inner_kernel
def rounded_away_kernel(level: float, side: float, tick: float) -> float:
    """``level`` on a tick, rounded up for ``side`` > 0 and down otherwise."""
    return tick_up_kernel(level, tick) if side > 0.0 else tick_down_kernel(level, tick)


@inner_kernel
def insert_kernel(symbols: int, count: int, symbol: int) -> None:
    """Put ``symbol`` into the rising list of ``count`` at the address ``symbols``."""
    k = count
    while k > 0 and whole_at(symbols, k - 1) > symbol:
        put_whole(symbols, k, whole_at(symbols, k - 1))
        k -= 1
    put_whole(symbols, k, symbol)


@inner_kernel
def remove_kernel(symbols: int, count: int, symbol: int) -> None:
    """Take ``symbol`` out of the rising list of ``count`` at the address ``symbols``."""
    k = 0
    while whole_at(symbols, k) != symbol:
        k += 1
    for after in range(k + 1, count):
        put_whole(symbols, after - 1, whole_at(symbols, after))


@inner_kernel
def cost_inputs_kernel(books: np.record, market: np.record, s: int, t: int) -> None:
    """Bring the symbol's volume of bar ``t`` and its last known average true range into its slot."""
    slot = slot_at(books.slots, s)
    if market.volume != 0:
        slot.volume = number_at(market.volume, t * market.symbols + s)
    row = t - 1
    while row > slot.cost_bar:
        atr_frac = number_at(market.atr_frac, row * market.symbols + s)
        if np.isfinite(atr_frac):
            slot.cost_atr_frac = atr_frac
            break
        row -= 1
    slot.cost_bar = max(slot.cost_bar, t - 1)


@inner_kernel
def fee_rates_kernel(books: np.record) -> None:
    """Set the account's fee rates to those of its tier on the day of the bar."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    day = account.bar_time // DAY_NS
    if day == account.fee_day:
        return
    account.fee_day = day
    notional = 0.0
    for index in range(day - account.first_day, day - account.first_day + FEE_DAYS):
        notional += number_at(books.day_notional, index)
    account.taker_rate = rules.taker_rate
    account.maker_rate = rules.maker_rate
    for k in range(books.fee_tier_count):
        tier = fee_tier_at(books.fee_tiers, k)
        if tier.volume_from <= notional:
            account.maker_rate = tier.maker_rate
            account.taker_rate = tier.taker_rate


@inner_kernel
def fill_kernel(
    books: np.record,
    s: int,
    quantity: float,
    reference: float,
    is_maker: bool,
    worst_price: float,
    reason: int,
    order: int,
    closes: bool,
) -> float:
    """A fill of signed ``quantity`` at ``reference``; returns its price.

    A taker pays the slip, but no worse price than ``worst_price`` (0: any). ``closes`` makes the position
    exactly 0.
    """
    rules, account, slot = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        slot_at(books.slots, s),
    )
    price, spread_frac, impact_frac = reference, 0.0, 0.0
    if not is_maker:
        spread_frac = rules.spread_frac
        if rules.scales_costs:
            spread_frac = spread_frac + rules.slippage_atr * slot.cost_atr_frac
            share = min(1.0, abs(quantity) / slot.volume) if slot.volume > 0.0 else 1.0
            impact_frac = rules.impact * slot.cost_atr_frac * np.sqrt(share)
        slip = min(spread_frac + impact_frac, WORST_SLIP)
        if quantity > 0.0:
            price = tick_up_kernel(reference * (1.0 + slip), slot.tick)
            if worst_price > 0.0:
                price = min(price, worst_price)
        else:
            price = tick_down_kernel(reference * (1.0 - slip), slot.tick)
            if worst_price > 0.0:
                price = max(price, worst_price)
    if rules.has_fee_tiers:
        fee_rates_kernel(books)
    rate = account.maker_rate if is_maker else account.taker_rate
    fee = abs(quantity) * abs(value_kernel(price, rules.is_inverse != 0)) * rate
    book_kernel(
        books, s, quantity, reference, price, fee, spread_frac, impact_frac, 0.0, is_maker, reason,
        order,
        closes,
    )  # fmt: skip
    return price


@inner_kernel
def book_kernel(
    books: np.record,
    s: int,
    quantity: float,
    reference: float,
    price: float,
    fee: float,
    spread_frac: float,
    impact_frac: float,
    shortfall: float,
    is_maker: bool,
    reason: int,
    order: int,
    closes: bool,
) -> None:
    """Book a fill whose price and fee are known."""
    rules, account, slot = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        slot_at(books.slots, s),
    )
    is_inverse = rules.is_inverse != 0
    value = value_kernel(price, is_inverse)
    size = abs(quantity)
    notional = size * abs(value)
    before = slot.position
    after = 0.0 if closes else before + quantity
    account.cash = account.cash - quantity * value - fee + shortfall
    slot.position = after
    put_number(books.position, s, after)
    slippage = size * abs(value - value_kernel(reference, is_inverse))
    slipped = spread_frac + impact_frac
    impact = slippage * impact_frac / slipped if slipped > 0.0 else 0.0
    spread = slippage - impact
    account.fees += fee
    account.spread += spread
    account.impact += impact
    account.shortfall_before, account.last_shortfall = account.shortfall, shortfall
    account.shortfall += shortfall
    account.traded += notional
    account.has_moved = 1
    account.has_acted = 1
    account.last_filled = s
    if rules.has_fee_tiers:
        day = account.bar_time // DAY_NS - account.first_day + FEE_DAYS
        put_number(books.day_notional, day, number_at(books.day_notional, day) + notional)
    if before == 0.0:
        open_trade_kernel(books, s, quantity)
    slot.gross_pnl -= quantity * value
    slot.fees += fee
    slot.spread += spread
    slot.impact += impact
    slot.shortfall += shortfall
    if before * quantity >= 0.0:
        slot.in_quantity += size
        slot.in_notional += notional
        slot.peak_quantity = max(slot.peak_quantity, abs(after))
        slot.entry_price = average_price_kernel(slot.in_quantity, slot.in_notional, is_inverse)
        if rules.mode == ISOLATED:
            slot.wallet += notional / rules.leverage
    else:
        slot.out_quantity += size
        slot.out_notional += notional
        slot.wallet = slot.wallet * (abs(after) / abs(before))
    if account.keeps_rows:
        row = fill_row_at(books.fills, account.fills)
        row.bar = account.bar
        row.time_ns = account.time
        row.symbol = s
        row.phase = account.phase
        row.reason = reason
        row.side = 1 if quantity > 0.0 else -1
        row.is_maker = is_maker
        row.quantity = size
        row.reference_price = reference
        row.price = price
        row.fee = fee
        row.spread = spread
        row.impact = impact
        row.shortfall = shortfall
        row.position_after = after
        row.cash_after = account.cash
        row.trade = slot.trade
        row.order = order
    account.fills += 1
    if after == 0.0:
        close_trade_kernel(books, s, reason)


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
