"""The stream of equities: return sums in lanes and drawdown, from what is known between two
changes.

The buffer holds the equity before its first bar and that of every bar since, the first bar a
multiple of ``GROUP``. Equity that does not change adds nothing, so a group may begin or end with
bars that repeat their neighbour: flat bars need no walk, and a bar may stand in two groups, in one
of them without return.
"""

from typing import Final

import numpy as np

from ..jit import inner_kernel
from ..simd import (
    choose,
    highest,
    load,
    lowest,
    number_at,
    put_number,
    spread,
    store,
    whole_at,
)
from .tables import BUFFER_BARS, GROUP, SUMS_KEPT, cell_at, slot_at

ROUNDING: Final = 1e-12
"""Far above the rounding of a drawdown."""
BLOCK: Final = 8 * GROUP
"""Bars of which a drawdown asks together."""


@inner_kernel(inlined=True)
def restart_kernel(work: np.record, t: int, equity: float) -> None:
    """Make ``t`` the next bar of an empty buffer, after the last ``equity``."""
    work.start = t // GROUP * GROUP
    work.filled = t - work.start
    store(work.buffer, 0, spread(equity))


@inner_kernel
def flush_kernel(work: np.record, totals: np.record, is_ruined: bool) -> None:
    """Add the returns of the buffer to the lanes, let the drawdown know, and restart behind it."""
    end = work.start + work.filled
    equity = number_at(work.buffer, work.filled)
    if is_ruined or (work.edge < work.edge_count and whole_at(work.edges, work.edge) < end):
        _add_singly_kernel(work, totals)
    else:
        groups = (work.filled + GROUP - 1) // GROUP
        store(work.buffer, work.filled + 1, spread(equity))
        low, high = _add_groups_kernel(work.buffer, work.lanes, groups)
        _draw_down_kernel(work, totals, low, high)
    cut_until_kernel(work, end)
    restart_kernel(work, end, equity)


@inner_kernel(inlined=True)
def make_room_kernel(work: np.record, totals: np.record) -> None:
    """Make room for one bar."""
    if work.filled >= BUFFER_BARS:
        flush_kernel(work, totals, False)


@inner_kernel(inlined=True)
def append_kernel(work: np.record) -> None:
    """Take ``equity`` as that of the next bar, for which there must be room."""
    work.filled += 1
    put_number(work.buffer, work.filled, work.equity)


@inner_kernel(inlined=True)
def append_flat_kernel(work: np.record, t: int, equity: float, totals: np.record) -> None:
    """Let ``equity`` be that of all bars before ``t``.

    Whole groups of it add nothing and are left out: bars in the buffer are then told later than
    they were, which no edge notices that is not before ``t``.
    """
    if work.filled + GROUP > BUFFER_BARS:
        flush_kernel(work, totals, False)
    count = t - (work.start + work.filled)
    store(work.buffer, work.filled + 1, spread(equity))
    if work.edge < work.edge_count and whole_at(work.edges, work.edge) < t:
        work.filled += min(count, GROUP)
        flush_kernel(work, totals, False)
        cut_until_kernel(work, t)
        restart_kernel(work, t, equity)
        return
    left_out = max(0, (count - 1) & -GROUP)
    work.start += left_out
    work.filled += count - left_out


@inner_kernel(inlined=True)
def append_held_kernel(work: np.record, market: np.record, t: int, totals: np.record) -> None:
    """Mark the positions to market in all bars before ``t``, with the payments on the way."""
    bar = work.start + work.filled
    totals.bars_in_position += t - bar
    event = cell_at(market.cells, bar).event_start
    while bar < t:
        if work.filled >= BUFFER_BARS:
            flush_kernel(work, totals, False)
        while whole_at(market.event_bar, event) <= bar:
            pay_kernel(work, market, event, totals)
            event += 1
        stop = min(t, whole_at(market.event_bar, event), bar + BUFFER_BARS - work.filled)
        ahead = work.filled + 1 - bar
        cash = spread(work.cash)
        for at in range(bar, stop, GROUP):
            worth = spread(0.0)
            for i in range(work.held):
                s = whole_at(work.held_symbols, i)
                position = spread(slot_at(work.slots, s).position)
                worth = worth + position * load(market.mark_close, s * market.width + at)
            store(work.buffer, ahead + at, cash + worth)
        work.filled += stop - bar
        bar = stop
    work.equity = number_at(work.buffer, work.filled)


@inner_kernel(inlined=True)
def pay_kernel(work: np.record, market: np.record, event: int, totals: np.record) -> None:
    """Settle one event on the position held."""
    slot = slot_at(work.slots, whole_at(market.event_symbol, event))
    quantity = slot.position
    if quantity != 0.0:
        mark, rate = number_at(market.event_mark, event), number_at(market.event_rate, event)
        payment = -quantity * mark * rate
        work.cash += payment
        slot.funding += payment
        totals.funding += payment


@inner_kernel(inlined=True)
def _add_groups_kernel(buffer: int, lanes: int, groups: int) -> tuple[float, float]:
    """Add the returns of whole groups; lowest and highest equity."""
    one, zero = spread(1.0), spread(0.0)
    r1, r2, r3 = load(lanes, 0), load(lanes, 8), load(lanes, 16)
    r4, downside = load(lanes, 24), load(lanes, 32)
    low = spread(number_at(buffer, 0))
    high = low
    for group in range(groups):
        equity = load(buffer, GROUP * group + 1)
        r = equity / load(buffer, GROUP * group) - one
        low = choose(equity < low, equity, low)
        high = choose(equity > high, equity, high)
        squared = r * r
        r1 = r1 + r
        r2 = r2 + squared
        r3 = r3 + squared * r
        r4 = r4 + squared * squared
        downside = downside + choose(r < zero, squared, zero)
    store(lanes, 0, r1)
    store(lanes, 8, r2)
    store(lanes, 16, r3)
    store(lanes, 24, r4)
    store(lanes, 32, downside)
    return lowest(low), highest(high)


@inner_kernel(inlined=True)
def _draw_down_kernel(work: np.record, totals: np.record, low: float, high: float) -> None:
    """Greatest drawdown after the buffer's bars; few of them are walked, where that could change it."""
    if not _passes_kernel(work, totals, low, high):
        for first in range(1, work.filled + 1, BLOCK):
            lows = load(work.buffer, first)
            highs = lows
            for at in range(first + GROUP, min(first + BLOCK, work.filled + 1), GROUP):
                equity = load(work.buffer, at)
                lows = choose(equity < lows, equity, lows)
                highs = choose(equity > highs, equity, highs)
            if not _passes_kernel(work, totals, lowest(lows), highest(highs)):
                _walk_down_kernel(work, totals, first, min(first + BLOCK, work.filled + 1))


@inner_kernel(inlined=True)
def _passes_kernel(work: np.record, totals: np.record, low: float, high: float) -> bool:
    """Whether bars of these extremes need no walk: they make no peak, or no drawdown after it."""
    if high <= work.peak:
        # Dividing takes longer than all the rest: it is done only where it may matter.
        if low < work.peak * (1.0 - totals.max_drawdown + ROUNDING):
            totals.max_drawdown = max(totals.max_drawdown, 1.0 - low / work.peak)
        return True
    if low >= high * (1.0 - totals.max_drawdown + ROUNDING):
        work.peak = high
        return True
    return False


@inner_kernel
def _walk_down_kernel(work: np.record, totals: np.record, first: int, stop: int) -> None:
    peak, deepest = work.peak, totals.max_drawdown
    for i in range(first, stop):
        equity = number_at(work.buffer, i)
        peak = max(peak, equity)
        if equity < peak * (1.0 - deepest + ROUNDING):
            deepest = max(deepest, 1.0 - equity / peak)
    work.peak, totals.max_drawdown = peak, deepest


@inner_kernel
def _add_singly_kernel(work: np.record, totals: np.record) -> None:
    """Add the buffer's returns bar by bar, with the edges on the way."""
    for i in range(1, work.filled + 1):
        t = work.start + i - 1
        cut_until_kernel(work, t)
        before, equity = number_at(work.buffer, i - 1), number_at(work.buffer, i)
        r = equity / before - 1.0 if before > 0.0 else 0.0
        squared = r * r
        lane = t % GROUP
        _add_kernel(work.lanes, lane, r)
        _add_kernel(work.lanes, GROUP + lane, squared)
        _add_kernel(work.lanes, 2 * GROUP + lane, squared * r)
        _add_kernel(work.lanes, 3 * GROUP + lane, squared * squared)
        if r < 0.0:
            _add_kernel(work.lanes, 4 * GROUP + lane, squared)
        work.peak = max(work.peak, equity)
        totals.max_drawdown = max(totals.max_drawdown, 1.0 - equity / work.peak)


@inner_kernel(inlined=True)
def _add_kernel(lanes: int, lane: int, number: float) -> None:
    put_number(lanes, lane, number_at(lanes, lane) + number)


@inner_kernel
def cut_until_kernel(work: np.record, t: int) -> None:
    """Write the sums of all bars told so far for the edges up to ``t``."""
    while work.edge < work.edge_count and whole_at(work.edges, work.edge) <= t:
        for k in range(SUMS_KEPT):
            put_number(work.at_edge, work.edge * SUMS_KEPT + k, _sum_kernel(work.lanes, GROUP * k))
        work.edge += 1


@inner_kernel(inlined=True)
def _sum_kernel(lanes: int, at: int) -> float:
    """The sum over eight lanes (accounting, 8)."""
    return (
        (number_at(lanes, at) + number_at(lanes, at + 1))
        + (number_at(lanes, at + 2) + number_at(lanes, at + 3))
    ) + (
        (number_at(lanes, at + 4) + number_at(lanes, at + 5))
        + (number_at(lanes, at + 6) + number_at(lanes, at + 7))
    )
