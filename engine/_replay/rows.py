"""A whole row of symbols at once, eight in a register: what every bar asks of every position.

The columns of ``state.NEUTRAL_BOUNDS`` hold answers for flat symbols too that change nothing, so that no
list is followed. Rows begin anywhere and the last eight symbols may overlap those before: what is asked
twice is answered twice alike. Sums over symbols are formed one after another in name order (accounting,
1); a flat symbol adds 0 to them.
"""

from typing import Final

import numpy as np

from ..jit import inner_kernel
from ..simd import (
    WIDTH,
    choose,
    element,
    load,
    lowest_bit,
    magnitude,
    mask_bits,
    number_at,
    put_number,
    put_whole,
    spread,
    store,
)
from .state import account_at, rules_at, tier_at

FEWEST_HELD: Final = 0.25
"""Share of the symbols held from which on a pass over all of them is the shorter way."""


@inner_kernel
def is_dense_kernel(books: np.record) -> bool:
    """Whether whole rows are passed over rather than the list of positions."""
    symbols = books.symbols
    return symbols >= WIDTH and account_at(books.account, 0).held >= FEWEST_HELD * symbols


@inner_kernel
def holds_all_kernel(
    books: np.record, low: int, high: int, mark_low: int, mark_high: int, row: int
) -> bool:
    """``account.holds_kernel`` for all symbols."""
    symbols = books.symbols
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        cell = row * symbols + s
        ends = load(low, cell) <= load(books.down, s)
        ends = ends | (load(high, cell) >= load(books.up, s))
        ends = ends | (load(mark_low, cell) <= load(books.mark_down, s))
        ends = ends | (load(mark_high, cell) >= load(books.mark_up, s))
        if mask_bits(ends) != 0:
            return False
    return True


@inner_kernel
def margin_holds_all_kernel(books: np.record, mark_low: int, mark_high: int, row: int) -> bool:
    """``account.margin_holds_kernel`` for all symbols."""
    symbols = books.symbols
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        cell = row * symbols + s
        ends = load(mark_low, cell) <= load(books.mark_down, s)
        ends = ends | (load(mark_high, cell) >= load(books.mark_up, s))
        if mask_bits(ends) != 0:
            return False
    return True


@inner_kernel
def list_all_touched_kernel(books: np.record, low: int, high: int, row: int) -> int:
    """``account.list_touched_kernel`` for all symbols."""
    symbols = books.symbols
    count = 0
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        cell = row * symbols + s
        touches = load(low, cell) <= load(books.down, s)
        touches = touches | (load(high, cell) >= load(books.up, s))
        bits = mask_bits(touches) >> (block - s) << (block - s)
        while bits != 0:
            put_whole(books.work, count, s + lowest_bit(bits))
            count += 1
            bits &= bits - 1
    return count


@inner_kernel
def notionals_kernel(books: np.record, prices: int) -> None:
    """Write ``|q| · u(price)`` of every symbol into ``books.parts``; ``prices`` is an address."""
    symbols = books.symbols
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    one = spread(1.0)
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        unit = load(prices, s)
        if is_inverse:
            unit = one / unit
        store(books.parts, s, magnitude(load(books.position, s)) * unit)


@inner_kernel
def worths_kernel(books: np.record, prices: int) -> None:
    """Write ``q · V(price)`` of every symbol into ``books.parts``; ``prices`` is an address."""
    symbols = books.symbols
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    minus_one = spread(-1.0)
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        value = load(prices, s)
        if is_inverse:
            value = minus_one / value
        store(books.parts, s, load(books.position, s) * value)


@inner_kernel
def share_margin_all_kernel(books: np.record, marks: int, base: float, slack: float) -> None:
    """``liquidation.share_margin_kernel`` for a cross account, linear contracts and all symbols."""
    symbols = books.symbols
    position = books.position
    rate = tier_at(books.tiers, books.tier_count - 1).maintenance
    worths, sizes, zero = spread(0.0), spread(0.0), spread(0.0)
    whole = symbols // WIDTH * WIDTH
    for s in range(0, whole, WIDTH):
        worth = load(position, s) * load(marks, s)
        worths = worths + worth
        sizes = sizes + magnitude(worth)
    excess, size = base, 0.0
    for lane in range(WIDTH):
        excess += element(worths, lane)
        size += element(sizes, lane)
    for s in range(whole, symbols):
        worth = number_at(position, s) * number_at(marks, s)
        excess += worth
        size += abs(worth)
    excess -= rate * size + slack * (abs(base) + size)
    if not excess > 0.0:
        for s in range(symbols):
            put_number(books.mark_down, s, np.inf if number_at(position, s) != 0.0 else -np.inf)
            put_number(books.mark_up, s, np.inf)
        return
    factor_long = spread(1.0 - excess / size / (1.0 - rate))
    factor_short = spread(1.0 + excess / size / (1.0 + rate))
    nowhere_down, nowhere_up = spread(-np.inf), spread(np.inf)
    for block in range(0, symbols, WIDTH):
        s = min(block, symbols - WIDTH)
        held, mark = load(position, s), load(marks, s)
        store(books.mark_down, s, choose(held > zero, mark * factor_long, nowhere_down))
        store(books.mark_up, s, choose(held < zero, mark * factor_short, nowhere_up))
