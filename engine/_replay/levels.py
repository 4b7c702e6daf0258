"""Levels of a position: set at its entry (accounting, 3.1), moved at closes (4, step 8); bounds of
quiet bars.
"""

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import number_at, put_number
from .fills import rounded_away_kernel
from .state import BREAK_EVEN, NONE, STOP, TRAILING_STOP, rules_at, slot_at


@inner_kernel
def move_stop_kernel(books: np.record, s: int, side: float, level: float, reason: int) -> None:
    """Move the stop to ``level``, on a tick, when there is none or the level is nearer."""
    slot = slot_at(books.slots, s)
    level = rounded_away_kernel(level, -side, slot.tick)
    stop = slot.stop
    if np.isnan(stop) or side * level > side * stop:
        slot.stop = level
        slot.stop_reason = reason
        bound_kernel(books, s)


@inner_kernel
def bound_kernel(books: np.record, s: int) -> None:
    """State the traded prices between which no level of the position is reached."""
    slot = slot_at(books.slots, s)
    stop = slot.stop
    target = slot.take_profit
    side = 1.0 if slot.position > 0.0 else -1.0
    if slot.rung < slot.rungs:
        rung = slot.rung_price[slot.rung]
        if np.isnan(target) or side * rung < side * target:
            target = rung
    down, up = (stop, target) if side > 0.0 else (target, stop)
    put_number(books.down, s, -np.inf if np.isnan(down) else down)
    put_number(books.up, s, np.inf if np.isnan(up) else up)


@inner_kernel
def levels_kernel(books: np.record, market: np.record, t: int, s: int) -> None:
    """Step 8 for the position of ``s``, tradable in bar ``t``."""
    rules, slot = rules_at(books.rules, 0), slot_at(books.slots, s)
    side = 1.0 if slot.position > 0.0 else -1.0
    close = number_at(market.close, t * market.symbols + s)
    farthest = (
        number_at(market.high, t * market.symbols + s)
        if side > 0.0
        else number_at(market.low, t * market.symbols + s)
    )
    if slot.entered_late_bar == t:
        farthest = close
    if side * farthest > side * slot.best:
        slot.best = farthest
    if rules.trails:
        top = slot.best
        if market.top:
            top = (
                number_at(market.top, t * market.symbols + s)
                if side > 0.0
                else number_at(market.bottom, t * market.symbols + s)
            )
        if not np.isnan(rules.trail_frac):
            move_stop_kernel(books, s, side, top * (1.0 - side * rules.trail_frac), TRAILING_STOP)
        else:
            atr_frac = number_at(market.atr_frac, t * market.symbols + s)
            if np.isfinite(atr_frac) and atr_frac > 0.0:
                level = top - side * rules.trail_atr * atr_frac * close
                if level > 0.0:
                    move_stop_kernel(books, s, side, level, TRAILING_STOP)
    entry = slot.entry_price
    if side * (close - entry) / slot.risk >= rules.break_even_r:
        level = entry * (1.0 + side * rules.break_even_frac)
        move_stop_kernel(books, s, side, level, BREAK_EVEN)


@inner_kernel
def set_levels_kernel(books: np.record, s: int, price: float, size: float) -> None:
    """Levels of a position entered at ``price`` with ``size``."""
    rules, slot = rules_at(books.rules, 0), slot_at(books.slots, s)
    is_inverse = rules.is_inverse != 0
    side = 1.0 if slot.position > 0.0 else -1.0
    distance = slot.stop_distance
    stop = rounded_away_kernel(price * (1.0 - side * distance), -side, slot.tick)
    slot.stop = stop
    slot.risk = price * distance
    slot.stop_reason = STOP
    slot.best = price
    slot.entry_quantity = size
    slot.entered_late_bar = NONE
    slot.entered_step = NONE
    slot.entry_order = slot.order
    if not np.isnan(stop):
        slot.initial_risk = size * abs(
            value_kernel(price, is_inverse) - value_kernel(stop, is_inverse)
        )
    gain = rules.take_profit_frac
    if not np.isnan(rules.take_profit_atr):
        gain = rules.take_profit_atr * slot.atr_frac
    elif not np.isnan(rules.take_profit_r):
        gain = rules.take_profit_r * distance
    slot.take_profit = target_kernel(price * (1.0 + side * gain), side, slot.tick)
    slot.rung = 0
    slot.rungs = 0
    for k in range(rules.rungs):
        level = target_kernel(price * (1.0 + side * rules.rung_r[k] * distance), side, slot.tick)
        if np.isnan(level):
            break
        slot.rung_price[k] = level
        slot.rungs = k + 1
    bound_kernel(books, s)


@inner_kernel
def extend_entry_kernel(books: np.record, s: int, price: float, size: float) -> None:
    """Count a later fill of the entry's own order as part of the entry; no level moves."""
    slot = slot_at(books.slots, s)
    is_inverse = rules_at(books.rules, 0).is_inverse != 0
    slot.entry_quantity += size
    if slot.initial_risk > 0.0:
        slot.initial_risk += size * abs(
            value_kernel(price, is_inverse) - value_kernel(slot.stop, is_inverse)
        )


@inner_kernel
def target_kernel(level: float, side: float, tick: float) -> float:
    """A target on a tick away from the entry; NaN where no price can reach it."""
    return rounded_away_kernel(level, side, tick) if level > 0.0 else np.nan
