"""Fills: their price and costs, and what they do to cash and position (accounting, 2 and 6)."""

from typing import Final

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import number_at, put_number
from ..ticks import ROUNDING, tick_down_kernel, tick_up_kernel
from ..timeframe import DAY_NS
from .state import ISOLATED, account_at, fee_tier_at, fill_row_at, rules_at, slot_at
from .trades import average_price_kernel, close_trade_kernel, open_trade_kernel

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
