"""The trades to come of the only symbol: when each begins and ends depends on no money.

As long as nothing unusual happens, a trade's bars follow from the decisions and the market alone.
They are found ahead, for some configurations in turn and without branches that depend on what is
found: the memory that one waits for is there when its turn comes again, and the walk that books the
trades knows its bars long before it comes there. A plan is a proposal: ``single_kernel`` asks for
another where it went differently.
"""

import numpy as np

from ..arrays import Records1D
from ..decision_events import FLAT, LONG, SHORT
from ..jit import inner_kernel
from ..simd import BYTES as WORD_ROWS
from ..simd import byte_at, either, half_at, lowest_bit, put_whole, shared_bits, whole_at
from .fills import levels_kernel
from .search import next_touch_kernel
from .tables import (
    ENTERS,
    LEAVES_LONG,
    LEAVES_SHORT,
    SEARCHES,
    TOGETHER,
    plan_at,
    row_at,
)


@inner_kernel
def index_actions_kernel(decided: np.record, k: int) -> None:
    """Make the actions of configuration ``k`` searchable."""
    actions, words = decided.actions + k * decided.row_count, decided.words
    whole = decided.row_count // WORD_ROWS
    for search in range(SEARCHES):
        acting = LONG | SHORT
        if search != ENTERS:
            acting = FLAT | SHORT if search == LEAVES_LONG else FLAT | LONG
        first = (k % TOGETHER * SEARCHES + search) * words
        for word in range(whole):
            put_whole(decided.bits, first + word, shared_bits(actions, word * WORD_ROWS, acting))
        found = np.int64(0)
        for row in range(whole * WORD_ROWS, decided.row_count):
            if byte_at(actions, row) & acting:
                found |= np.int64(1) << (row - whole * WORD_ROWS)
        put_whole(decided.bits, first + whole, found)
        after = decided.row_count
        for word in range(words - 1, -1, -1):
            put_whole(decided.after, first + word, after)
            found = whole_at(decided.bits, first + word)
            after = either(found != 0, word * WORD_ROWS + lowest_bit(found), after)


@inner_kernel(inlined=True)
def next_row_kernel(decided: np.record, k: int, search: int, row: int) -> int:
    """The first row from ``row`` on that is searched for, else the number of rows."""
    word = (k % TOGETHER * SEARCHES + search) * decided.words + (row >> 6)
    found = whole_at(decided.bits, word) >> (row & 63)
    return either(found != 0, row + lowest_bit(found), whole_at(decided.after, word))


@inner_kernel
def plan_together_kernel(
    market: np.record, decided: np.record, first: int, stop: int, rules: Records1D
) -> None:
    """Plan all trades of configurations ``first`` to ``stop - 1``, at most ``TOGETHER``."""
    places = decided.planned + 8 * TOGETHER
    for k in range(first, stop):
        index_actions_kernel(decided, k)
        put_whole(decided.planned, k % TOGETHER, 0)
        put_whole(places, k % TOGETHER, next_row_kernel(decided, k, ENTERS, 0))
    is_busy = True
    while is_busy:
        is_busy = False
        for k in range(first, stop):
            row = whole_at(places, k % TOGETHER)
            if row < decided.row_count:
                count = whole_at(decided.planned, k % TOGETHER)
                has_trade, row = plan_kernel(market, decided, k, rules[k], row, count)
                put_whole(decided.planned, k % TOGETHER, count + has_trade)
                put_whole(places, k % TOGETHER, row)
                is_busy = True


@inner_kernel(inlined=True)
def planned_kernel(decided: np.record, k: int, index: int) -> np.record:
    """A trade of the plan of configuration ``k``."""
    return plan_at(decided.plans, k % TOGETHER * decided.row_count + index)


@inner_kernel(inlined=True)
def plan_kernel(
    market: np.record, decided: np.record, k: int, rules: np.record, row: int, index: int
) -> tuple[int, int]:
    """Plan the trade that ``row`` enters as ``index`` of configuration ``k``: 1 if it can be, and the
    row that enters the next.

    A trade whose orders are not simple is left to the walk.
    """
    bars, row_count = market.bars, decided.row_count
    actions = decided.actions + k * row_count
    entry = row_at(decided.rows, row)
    is_long = byte_at(actions, row) == LONG
    side = either(is_long, 1.0, -1.0)
    price = entry.fill_open * (1.0 + side * rules.slip)
    stop, take_profit = levels_kernel(side, price, entry.atr_frac, rules)
    order_row = next_row_kernel(decided, k, either(is_long, LEAVES_LONG, LEAVES_SHORT), row + 1)
    has_order = order_row < row_count
    order_place = either(has_order, order_row, row)
    order = row_at(decided.rows, order_place)
    order_bar = either(has_order, order.fills_at, bars)
    end = min(order_bar, entry.last_bar)
    touch_bar = next_touch_kernel(
        market.low, market.high, market.group_low, market.group_high, 0, market.groups,
        either(is_long, stop, take_profit), either(is_long, take_profit, stop),
        entry.fills_at, end,
    )  # fmt: skip
    is_touched = touch_bar < end
    planned = planned_kernel(decided, k, index)
    planned.row, planned.entry_bar = row, entry.fills_at
    planned.touch_bar = either(is_touched, touch_bar, bars)
    planned.order_bar, planned.order_row = order_bar, order_row
    planned.order_action = byte_at(actions, order_place)
    outlives = (not is_touched) & (order_bar > entry.last_bar)
    left_at = either(outlives, entry.last_bar, touch_bar)
    row_then = half_at(decided.row_from, left_at)
    row_then = next_row_kernel(
        decided, k, ENTERS, either(is_touched | outlives, row_then, order_row)
    )
    if entry.is_simple & order.is_simple:
        return 1, row_then
    return 0, next_row_kernel(decided, k, ENTERS, row + 1)
