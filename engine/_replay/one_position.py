"""Quiet bars of an account that holds one position, without calls and eight at a time."""

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import (
    WIDTH,
    choose,
    highest,
    load,
    lowest_bit,
    mask_bits,
    number_at,
    prefetch,
    put_number,
    spread,
    store,
    whole_at,
)
from .state import account_at, rules_at


@inner_kernel
def one_position_kernel(books: np.record, market: np.record, first: int, stop: int) -> int:
    """``quiet_bars_kernel`` where one position is held."""
    account = account_at(books.account, 0)
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    t = first
    if market.symbols == 1 and not is_inverse:
        t = side_by_side_kernel(books, market, first, min(stop, market.bars - WIDTH + 1))
        if t < market.bars - WIDTH + 1:
            return t
    s = whole_at(books.held_symbols, 0)
    quantity = number_at(books.position, s)
    down, up = number_at(books.down, s), number_at(books.up, s)
    mark_down, mark_up = number_at(books.mark_down, s), number_at(books.mark_up, s)
    cash, peak, last = account.cash, account.peak, account.equity
    while t < stop:
        cell = t * market.symbols + s
        if number_at(market.low, cell) <= down or number_at(market.high, cell) >= up:
            break
        if number_at(market.reach_low, cell) <= mark_down:
            break
        if number_at(market.reach_high, cell) >= mark_up:
            break
        equity = cash + quantity * value_kernel(number_at(market.mark_close, cell), is_inverse)
        if equity <= 0.0:
            break
        put_number(books.equity, t, equity)
        last = equity
        peak = max(peak, equity)
        t += 1
    account.equity = last
    account.peak = peak
    return t


@inner_kernel
def side_by_side_kernel(books: np.record, market: np.record, first: int, stop: int) -> int:
    """The same for the only symbol of a linear account: eight bars that lie side by side at once.

    ``stop`` leaves eight bars from the last one on. The last group may write equity behind the bar
    that is returned, where it will be written again.
    """
    account = account_at(books.account, 0)
    low, high, close = market.low, market.high, market.mark_close
    reach_low, reach_high, equities = market.reach_low, market.reach_high, books.equity
    downs, ups = spread(number_at(books.down, 0)), spread(number_at(books.up, 0))
    mark_downs = spread(number_at(books.mark_down, 0))
    mark_ups = spread(number_at(books.mark_up, 0))
    cash, quantities = spread(account.cash), spread(number_at(books.position, 0))
    peaks, zero = spread(account.peak), spread(0.0)
    t, calm = first, WIDTH
    while t < stop and calm == WIDTH:
        prefetch(market.sub_open + 8 * t)
        equity = cash + quantities * load(close, t)
        ends = mask_bits(load(low, t) <= downs) | mask_bits(load(high, t) >= ups)
        ends |= mask_bits(load(reach_low, t) <= mark_downs)
        ends |= mask_bits(load(reach_high, t) >= mark_ups)
        ends |= mask_bits(equity <= zero) | (1 << min(WIDTH, stop - t))
        store(equities, t, equity)
        calm = lowest_bit(ends)
        if calm == WIDTH:
            peaks = choose(equity > peaks, equity, peaks)
        t += calm
    peak = highest(peaks)
    if calm < WIDTH:
        for bar in range(t - calm, t):
            peak = max(peak, number_at(equities, bar))
    account.peak = peak
    if t > first:
        account.equity = number_at(equities, t - 1)
    return t
