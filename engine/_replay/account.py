"""The account at the closes: step 6 of the order of events (accounting, 4), and stretches of quiet bars."""

import numpy as np

from .._margin_kernel import initial_margin_kernel, maintenance_kernel, value_kernel
from ..jit import inner_kernel
from ..simd import (
    WIDTH,
    highest,
    load,
    mask_bits,
    number_at,
    put_number,
    spread,
    store,
    whole_at,
)
from .state import (
    ISOLATED,
    NO_MARGIN,
    NONE,
    account_at,
    rules_at,
    slot_at,
    tier_at,
    tiers_kernel,
)


@inner_kernel
def holds_kernel(
    books: np.record, low: int, high: int, mark_low: int, mark_high: int, row: int
) -> bool:
    """Whether no level and no margin of a position is reached between the prices of ``row``.

    ``low`` … ``mark_high`` are addresses of ``(rows, S)``. Errs only towards False.
    """
    first = row * books.symbols
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        slot = slot_at(books.slots, s)
        if number_at(low, first + s) <= slot.down or number_at(high, first + s) >= slot.up:
            return False
        if number_at(mark_low, first + s) <= slot.mark_down:
            return False
        if number_at(mark_high, first + s) >= slot.mark_up:
            return False
    return True


@inner_kernel
def margin_holds_kernel(books: np.record, mark_low: int, mark_high: int, row: int) -> bool:
    """``holds_kernel`` for the margin alone."""
    first = row * books.symbols
    for k in range(account_at(books.account, 0).held):
        s = whole_at(books.held_symbols, k)
        slot = slot_at(books.slots, s)
        if number_at(mark_low, first + s) <= slot.mark_down:
            return False
        if number_at(mark_high, first + s) >= slot.mark_up:
            return False
    return True


@inner_kernel
def is_calm_kernel(
    books: np.record, low: int, high: int, mark_low: int, mark_high: int, row: int
) -> bool:
    """Whether nothing can happen between the prices of ``row``, however they came about.

    As ``holds_kernel``, and no order waits or rests within the range.
    """
    first = row * books.symbols
    for k in range(account_at(books.account, 0).pending):
        s = whole_at(books.pending_symbols, k)
        slot = slot_at(books.slots, s)
        if not slot.is_seen or slot.carried_bar != NONE:
            return False
        if slot.waits_for_rise:
            if number_at(high, first + s) >= slot.price:
                return False
        elif number_at(low, first + s) <= slot.price:
            return False
    return holds_kernel(books, low, high, mark_low, mark_high, row)


@inner_kernel
def mark_to_market_kernel(books: np.record, market: np.record, t: int) -> float:
    """Step 6: the account's columns at close ``t``; returns equity.

    Most notionals lie in the first tier, where the margins come to one product and one quotient.
    """
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    is_inverse = rules.is_inverse != 0
    tier = tier_at(books.tiers, 0)
    has_margins = rules.mode != NO_MARGIN and books.initial_margin != 0
    notional_to, rate = tier.notional_to, tier.maintenance
    leverage = rules.leverage if rules.mode == ISOLATED else tier.max_leverage
    worth, gross, net, initial, maintenance = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(account.held):
        s = whole_at(books.held_symbols, k)
        quantity = slot_at(books.slots, s).position
        value = value_kernel(number_at(market.mark_close, t * market.symbols + s), is_inverse)
        notional = abs(quantity) * abs(value)
        worth += quantity * value
        gross += notional
        net += quantity * abs(value)
        if has_margins and notional <= notional_to:
            initial += notional / leverage
            maintenance += rate * notional
        elif has_margins:
            tiers = tiers_kernel(books)
            maintenance += maintenance_kernel(notional, tiers)
            initial += initial_margin_kernel(
                notional, tiers, rules.mode == ISOLATED, rules.leverage
            )
    equity = account.cash + worth
    write_row_kernel(books, t, equity, gross, net, initial, maintenance)
    return equity


@inner_kernel
def write_row_kernel(
    books: np.record,
    t: int,
    equity: float,
    gross: float,
    net: float,
    initial: float,
    maintenance: float,
) -> None:
    """The account's columns of bar ``t``."""
    put_number(books.equity, t, equity)
    put_number(books.cash, t, account_at(books.account, 0).cash)
    put_number(books.gross_exposure, t, gross)
    put_number(books.net_exposure, t, net)
    if books.initial_margin != 0:
        put_number(books.initial_margin, t, initial)
        put_number(books.maintenance_margin, t, maintenance)


@inner_kernel
def quiet_bars_kernel(books: np.record, market: np.record, first: int, stop: int) -> int:
    """Mark the account at closes from ``first`` on, until ``stop`` or a bar that is not calm; that bar.

    For bars without payments, orders, decisions and moving levels. What is read and written again and
    again is kept in registers; the numbers are those of ``mark_to_market_kernel``.
    """
    account = account_at(books.account, 0)
    if account.held == 0:
        for t in range(first, stop):
            write_row_kernel(books, t, account.cash, 0.0, 0.0, 0.0, 0.0)
        return stop
    if account.held == 1:
        return one_position_kernel(books, market, first, stop)
    for t in range(first, stop):
        if not is_calm_kernel(
            books, market.low, market.high, market.reach_low, market.reach_high, t
        ):
            return t
        equity = mark_to_market_kernel(books, market, t)
        if equity <= 0.0:
            return t
        account.equity = equity
        account.peak = max(account.peak, equity)
    return stop


@inner_kernel
def one_position_kernel(books: np.record, market: np.record, first: int, stop: int) -> int:
    """``quiet_bars_kernel`` where one position is held."""
    rules, account, tier = (
        rules_at(books.rules, 0),
        account_at(books.account, 0),
        tier_at(books.tiers, 0),
    )
    s = whole_at(books.held_symbols, 0)
    slot = slot_at(books.slots, s)
    quantity, down, up = slot.position, slot.down, slot.up
    mark_down, mark_up = slot.mark_down, slot.mark_up
    low, high, close = market.low, market.high, market.mark_close
    reach_low, reach_high, symbols = market.reach_low, market.reach_high, market.symbols
    is_inverse = rules.is_inverse != 0
    writes_margins = books.initial_margin != 0
    has_margins = rules.mode != NO_MARGIN and writes_margins
    leverage = rules.leverage if rules.mode == ISOLATED else tier.max_leverage
    notional_to, rate = tier.notional_to, tier.maintenance
    cash, peak, last = account.cash, account.peak, account.equity
    equities, cashes = books.equity, books.cash
    grosses, nets = books.gross_exposure, books.net_exposure
    initials, maintenances = books.initial_margin, books.maintenance_margin
    t = first
    # Eight bars at once where the bars of one symbol lie side by side: the same operations on each.
    by_eights = symbols == 1 and not is_inverse and has_margins
    downs, ups = spread(down), spread(up)
    mark_downs, mark_ups = spread(mark_down), spread(mark_up)
    cash_lanes, quantities, sizes = spread(cash), spread(quantity), spread(abs(quantity))
    rates, leverages, ceiling, zero = (
        spread(rate),
        spread(leverage),
        spread(notional_to),
        spread(0.0),
    )
    while t < stop:
        if by_eights and t + WIDTH <= stop:
            closes = load(close, t)
            notionals = sizes * closes
            nets_now = quantities * closes
            equity_lanes = cash_lanes + nets_now
            ends = mask_bits(load(low, t) <= downs) | mask_bits(load(high, t) >= ups)
            ends |= mask_bits(load(reach_low, t) <= mark_downs)
            ends |= mask_bits(load(reach_high, t) >= mark_ups)
            ends |= mask_bits(equity_lanes <= zero) | mask_bits(notionals > ceiling)
            if ends == 0:
                store(equities, t, equity_lanes)
                store(cashes, t, cash_lanes)
                store(grosses, t, notionals)
                store(nets, t, nets_now)
                store(initials, t, notionals / leverages)
                store(maintenances, t, rates * notionals)
                peak = max(peak, highest(equity_lanes))
                t += WIDTH
                last = number_at(equities, t - 1)
                continue
        cell = t * symbols + s
        if number_at(low, cell) <= down or number_at(high, cell) >= up:
            break
        if number_at(reach_low, cell) <= mark_down or number_at(reach_high, cell) >= mark_up:
            break
        value = value_kernel(number_at(close, cell), is_inverse)
        notional = abs(quantity) * abs(value)
        equity = cash + quantity * value
        if equity <= 0.0 or (has_margins and notional > notional_to):
            break
        put_number(equities, t, equity)
        put_number(cashes, t, cash)
        put_number(grosses, t, notional)
        put_number(nets, t, quantity * abs(value))
        if has_margins:
            put_number(initials, t, notional / leverage)
            put_number(maintenances, t, rate * notional)
        elif writes_margins:
            put_number(initials, t, 0.0)
            put_number(maintenances, t, 0.0)
        last = equity
        peak = max(peak, equity)
        t += 1
    account.equity = last
    account.peak = peak
    return t
