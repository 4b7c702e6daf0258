"""Stops, ladders and targets: steps 3, 4.2, 4.4 and 8 of section 4."""

import math
from itertools import islice

from .account import Account, Moment, Position, at_open, inside
from .arithmetic import lot_down, through, tick_down, tick_up
from .market import SubBar
from .orders import end

NOTHING_LEFT = 1e-9
"""Share of the entry below which what a rung would leave is rounding."""


def stop_is_reached(position: Position, price: float) -> bool:
    """Whether ``price`` is at the stop or beyond it."""
    return position.stop is not None and position.side * price <= position.side * position.stop


def target_is_reached(account: Account, position: Position, price: float, level: float) -> bool:
    """Whether ``price`` is at a rung or target or beyond it; a limit needs the price through it."""
    if account.rules.exits.take_profit_is_limit:
        return through(-position.side, price, level, account.tick(position.symbol))
    return position.side * price >= position.side * level


def any_target_is_reached(account: Account, position: Position, price: float) -> bool:
    """Whether a stop at the same time is ambiguous."""
    levels = [level for level, _share in position.rungs]
    if position.take_profit is not None:
        levels.append(position.take_profit)
    return any(target_is_reached(account, position, price, level) for level in levels)


def close_by_level(
    account: Account, when: Moment, s: int, ref: float, reason: str, *, is_maker: bool = False
) -> None:
    """A closing fill; nothing is in force any more and the pending order is cancelled."""
    account.close_position(when, s, ref, reason, is_maker=is_maker)
    end(account, when.bar, s, "cancelled")


def take_targets(
    account: Account, when: Moment, position: Position, price: float, taker_ref: float | None
) -> None:
    """Rungs and the target that ``price`` reaches, nearest first.

    ``taker_ref`` is the reference of takers; None stands for the level of each.
    """
    s, is_maker = position.symbol, account.rules.exits.take_profit_is_limit

    def reference(level: float) -> float:
        return level if is_maker or taker_ref is None else taker_ref

    target = position.take_profit
    while position.rungs and target_is_reached(account, position, price, position.rungs[0][0]):
        if target is not None and position.side * target < position.side * position.rungs[0][0]:
            break
        level, share = position.rungs.pop(0)
        q = abs(position.quantity)
        size = min(q, share * position.entry_quantity)
        if q - size <= NOTHING_LEFT * position.entry_quantity:
            close_by_level(account, when, s, reference(level), "ladder", is_maker=is_maker)
            return
        size = lot_down(size, account.lot(s))
        if size > 0:
            ref = reference(level)
            account.fill(when, s, -position.side * size, ref, "ladder", is_maker=is_maker)
    if target is not None and target_is_reached(account, position, price, target):
        close_by_level(account, when, s, reference(target), "take_profit", is_maker=is_maker)


def exits_at_open(account: Account, sub_bar: SubBar) -> None:
    """Step 3."""
    when = at_open(sub_bar)
    for s in account.held():
        if s not in sub_bar.tradable:
            continue
        position, open_ = account.positions[s], sub_bar.traded[s].open
        if stop_is_reached(position, open_):
            close_by_level(account, when, s, open_, position.stop_reason)
        else:
            take_targets(account, when, position, open_, open_)


def close_at_stop(account: Account, sub_bar: SubBar, position: Position) -> None:
    """Step 4.2: the stop is hit inside the sub-bar."""
    assert position.stop is not None
    s, best = position.symbol, sub_bar.traded[position.symbol].best(position.side)
    if any_target_is_reached(account, position, best):
        account.ambiguous.append(position.trade)
    close_by_level(account, inside(sub_bar), s, position.stop, position.stop_reason)


def exit_inside(account: Account, sub_bar: SubBar, s: int) -> None:
    """Step 4.2 for one symbol by itself."""
    position, candle = account.positions[s], sub_bar.traded[s]
    if stop_is_reached(position, candle.worst(position.side)):
        close_at_stop(account, sub_bar, position)
    else:
        best = candle.best(position.side)
        take_targets(account, inside(sub_bar), position, best, None)


def favourable_price(sub_bar: SubBar, position: Position, kind: str) -> float:
    """Step 4.4: the best price that came after an entry by an order of ``kind``."""
    candle = sub_bar.traded[position.symbol]
    return candle.close if kind == "limit" else candle.best(position.side)


def close_at_stop_of_entry(
    account: Account, sub_bar: SubBar, position: Position, kind: str
) -> None:
    """Step 4.4: the stop of a position that an order of ``kind`` has entered in the sub-bar."""
    assert position.stop is not None
    favourable = favourable_price(sub_bar, position, kind)
    if kind == "stop" or any_target_is_reached(account, position, favourable):
        account.ambiguous.append(position.trade)
    reference, entered_at = position.stop, position.fills[0].reference_price
    if position.side * (reference - entered_at) > 0:
        reference = entered_at
    close_by_level(account, inside(sub_bar), position.symbol, reference, position.stop_reason)


def exit_of_entered(account: Account, sub_bar: SubBar, position: Position, kind: str) -> None:
    """Step 4.4 for one symbol by itself."""
    if stop_is_reached(position, sub_bar.traded[position.symbol].worst(position.side)):
        close_at_stop_of_entry(account, sub_bar, position, kind)
    else:
        favourable = favourable_price(sub_bar, position, kind)
        take_targets(account, inside(sub_bar), position, favourable, None)


# Step 8


def levels_at_close(account: Account, t: int) -> None:
    """Trailing and break-even stops move."""
    for s in account.held():
        if account.market.is_tradable(t, s):
            position = account.positions[s]
            _take_in_the_best(account, t, position)
            _raise_stop(account, position, _trailing_level(account, t, position), "trailing_stop")
            _raise_stop(account, position, _break_even_level(account, t, position), "break_even")


def _further(side: int, one: float, other: float) -> float:
    """The one that is better for a position of ``side``."""
    return max(one, other) if side > 0 else min(one, other)


def _take_in_the_best(account: Account, t: int, position: Position) -> None:
    market, s = account.market, position.symbol
    if t == position.entry_bar and position.entered_after_open:
        seen = market.close[t][s]
    else:
        seen = market.high[t][s] if position.side > 0 else market.low[t][s]
    position.best = _further(position.side, position.best, seen)


def _trailing_level(account: Account, t: int, position: Position) -> float | None:
    market, exits, s, side = account.market, account.rules.exits, position.symbol, position.side
    top = position.best
    if exits.trail_bars is not None:
        extremes = market.high if side > 0 else market.low
        existing = (r for r in range(t, -1, -1) if market.is_tradable(r, s))
        for r in islice(existing, exits.trail_bars):
            top = extremes[t][s] if r == t else _further(side, top, extremes[r][s])
    if exits.trail_frac is not None:
        return top * (1 - side * exits.trail_frac)
    atr_frac = market.atr_frac[t][s]
    if exits.trail_atr is not None and math.isfinite(atr_frac) and atr_frac > 0:
        return top - side * exits.trail_atr * atr_frac * market.close[t][s]
    return None


def _break_even_level(account: Account, t: int, position: Position) -> float | None:
    r = account.rules.exits.break_even_r
    if r is None or gain_in_r(account, t, position) < r:
        return None
    entry, fee_bps = account.average_entry(position), account.rules.costs.taker_fee_bps
    return entry * (1 + position.side * 2 * fee_bps / 10_000)


def gain_in_r(account: Account, t: int, position: Position) -> float:
    """How many stop distances close ``t`` is better than the average entry."""
    assert position.risk is not None, "R needs a stop"
    close, entry = account.market.close[t][position.symbol], account.average_entry(position)
    return position.side * (close - entry) / position.risk


def _raise_stop(account: Account, position: Position, level: float | None, reason: str) -> None:
    if level is None or level <= 0:
        return
    tick = account.tick(position.symbol)
    level = tick_down(level, tick) if position.side > 0 else tick_up(level, tick)
    if position.stop is None or position.side * level > position.side * position.stop:
        position.stop, position.stop_reason = level, reason
