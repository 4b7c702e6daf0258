"""Section 3.1: the notional that an order wants, and the eleven limits that may lower it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine import Exits
from engine.rules import DUST, KELLY_FEWEST_TRADES

from .account import Account, Order
from .arithmetic import sign, total
from .tiers import initial_margin

MOST_DISTANCE = 0.99
"""Beyond it the stop of a long position would have no price."""
ROUNDING = 1e-12
"""Share of equity by which margins may exceed it: a target at full leverage is not cut."""
FEWEST_RETURNS = 30
"""Common bars below which two symbols correlate with nothing."""


@dataclass
class Grant:
    """``w`` of one order on its way through the limits."""

    wanted: float
    w: float
    limit: str = "none"

    def lower(self, to: float, limit: str) -> None:
        """``w`` becomes ``to`` if that is less."""
        if to < self.w:
            self.w, self.limit = to, limit


@dataclass(frozen=True)
class Batch:
    """The orders X that execute at one step of a sub-bar; ``price`` is P."""

    t: int
    orders: Mapping[int, Order]
    price: Mapping[int, float]


def stop_distance(exits: Exits, order: Order) -> float:
    """``d``: distance of the stop from the entry, as a share of the price."""
    if exits.stop_atr is not None:
        return min(exits.stop_atr * order.atr_frac, MOST_DISTANCE)
    return min(exits.stop_frac, MOST_DISTANCE) if exits.stop_frac is not None else math.nan


def loss_at_stop(account: Account, order: Order) -> float:
    """``ρ``: what a unit of notional loses at the stop."""
    d = stop_distance(account.rules.exits, order)
    return d / (1 - sign(order.target) * d) if account.market.is_inverse else d


def grants(account: Account, batch: Batch) -> dict[int, Grant]:
    """Every order's ``w``, after all limits."""
    made = {s: Grant(w, w) for s, w in _wanted(account, batch).items()}
    limits = (
        _kelly, _drawdown, _position, _tier, _correlation, _positions, _sector, _heat, _gross, _margin,
        _dust,
    )  # fmt: skip
    for limit in limits:
        limit(account, batch, made)
    return made


def _wanted(account: Account, batch: Batch) -> dict[int, float]:
    sizing, equity = account.rules.sizing, account.last_equity
    wanted = {}
    for s, order in batch.orders.items():
        g = order.target
        if g == 0:
            wanted[s] = 0.0
        elif sizing.method == "fraction":
            wanted[s] = abs(g) * sizing.position_fraction * equity
        elif sizing.method == "risk":
            wanted[s] = abs(g) * sizing.risk_frac * equity / loss_at_stop(account, order)
        else:
            wanted[s] = abs(g) * sizing.volatility_target * equity / order.volatility
    return wanted


def kelly_fraction(account: Account, t: int) -> float | None:
    """``F`` from the trades that were closed before bar ``t``; None while they are too few."""
    closed = [trade.money for trade in account.closed_trades if trade.exit_bar < t]
    n = len(closed)
    if n < KELLY_FEWEST_TRADES:
        return None
    won = [money.return_frac for money in closed if money.net_pnl > 0]
    lost = [-money.return_frac for money in closed if not money.net_pnl > 0]
    p = (len(won) + 15) / (n + 30)
    most = account.rules.sizing.kelly_max
    if not won:
        return 0.0
    if not total(lost) > 0:
        return min(p, most)
    b = (total(won) / len(won)) / (total(lost) / len(lost))
    if b == 0:
        return 0.0
    return min(max((p * b - (1 - p)) / b, 0.0), most)


def _kelly(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    sizing, equity = account.rules.sizing, account.last_equity
    if sizing.kelly is None:
        return
    f = kelly_fraction(account, batch.t)
    if f is None:
        return
    for s, grant in made.items():
        order = batch.orders[s]
        if order.target == 0:
            continue
        most = abs(order.target) * sizing.kelly * f * equity
        if sizing.method == "risk":
            most = most / loss_at_stop(account, order)
        grant.lower(most, "kelly")


def _drawdown(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    start, halt = account.rules.limits.drawdown_start, account.rules.limits.drawdown_halt
    if start is None or halt is None:
        return
    dd = 1 - account.last_equity / account.peak
    factor = min(max((halt - dd) / (halt - start), 0.0), 1.0)
    for grant in made.values():
        grant.lower(grant.w * factor, "drawdown")


def _position(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    most = account.rules.limits.max_position
    if most is not None:
        for grant in made.values():
            grant.lower(most * account.last_equity, "position")


def _tier(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    margin, equity = account.rules.margin, account.last_equity
    if margin.mode == "none":
        return
    if margin.mode == "isolated":
        allowed = [tier for tier in margin.tiers if tier.max_leverage >= margin.leverage]
        most = allowed[-1].notional_to
    else:
        most, floor = 0.0, 0.0
        for tier in margin.tiers:
            if floor < equity * tier.max_leverage:
                most = max(most, min(tier.notional_to, equity * tier.max_leverage))
            floor = tier.notional_to
    for grant in made.values():
        grant.lower(most, "tier")


# Limits that look at several symbols


def is_entry(account: Account, order: Order) -> bool:
    """Whether ``order`` would begin a trade."""
    q = account.quantity(order.symbol)
    return order.target != 0 and (q == 0 or sign(q) != sign(order.target))


def _entries_by_priority(account: Account, batch: Batch) -> list[int]:
    names = account.market.names
    entries = [s for s, order in batch.orders.items() if is_entry(account, order)]
    return sorted(entries, key=lambda s: (-abs(batch.orders[s].target), names[s]))


def _outside(account: Account, batch: Batch) -> list[int]:
    return [s for s in account.held() if s not in batch.orders]


def correlation(account: Account, t: int, one: int, other: int) -> float | None:
    """Pearson's, of the returns up to bar ``t - 1``; None where they correlate with nothing."""
    listed, close = account.market.listed, account.market.close
    first = max(1, t - account.rules.limits.correlation_bars)
    bars = [
        r
        for r in range(first, t)
        if all(listed[k][s] for k in (r, r - 1) for s in (one, other))
    ]  # fmt: skip
    if len(bars) < FEWEST_RETURNS:
        return None
    x = [close[r][one] / close[r - 1][one] - 1 for r in bars]
    y = [close[r][other] / close[r - 1][other] - 1 for r in bars]
    if len(set(x)) == 1 or len(set(y)) == 1:
        return None
    mean_x, mean_y = total(x) / len(x), total(y) / len(y)
    covariance = total((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    square_x = total((a - mean_x) ** 2 for a in x)
    square_y = total((b - mean_y) ** 2 for b in y)
    return covariance / math.sqrt(square_x * square_y)


def _correlation(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    most = account.rules.limits.max_correlation
    if most is None:
        return
    outside = _outside(account, batch)
    entries = _entries_by_priority(account, batch)
    accepted = [s for s in batch.orders if s not in entries]
    for s in entries:
        side = sign(batch.orders[s].target)
        others = [k for k in outside if sign(account.quantity(k)) == side]
        others += [k for k in accepted if made[k].w > 0 and sign(batch.orders[k].target) == side]
        found = [correlation(account, batch.t, s, k) for k in others]
        if any(value is not None and value > most for value in found):
            made[s].lower(0.0, "correlation")
        else:
            accepted.append(s)


def _positions(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    most = account.rules.limits.max_positions
    if most is None:
        return
    entries = _entries_by_priority(account, batch)
    kept = [s for s in batch.orders if s not in entries and made[s].w > 0]
    taken = len(_outside(account, batch)) + len(kept)
    for s in entries:
        if made[s].w > 0:
            if taken < most:
                taken += 1
            else:
                made[s].lower(0.0, "positions")


def _held_notional(account: Account, batch: Batch, symbols: list[int]) -> float:
    u = account.market.notional
    return total(abs(account.quantity(s)) * u(batch.price[s]) for s in symbols)


def _sector(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    most = account.rules.limits.max_sector
    if most is None:
        return
    limit = most * account.last_equity
    sectors: dict[str | int, list[int]] = {}
    for s in account.market.in_name_order:
        sectors.setdefault(account.symbol_rules[s].sector or s, []).append(s)
    outside = _outside(account, batch)
    for members in sectors.values():
        ordered = [s for s in members if s in made]
        wanted = total(made[s].w for s in ordered)
        held = _held_notional(account, batch, [s for s in outside if s in members])
        if wanted > 0 and held + wanted > limit:
            for s in ordered:
                made[s].lower(made[s].w * max(0.0, (limit - held) / wanted), "sector")


def _heat(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    most = account.rules.limits.max_heat
    if most is None:
        return
    value, u = account.market.value, account.market.notional
    held = []
    for s in _outside(account, batch):
        position = account.positions[s]
        if position.stop is not None:
            loss = value(account.average_entry(position)) - value(position.stop)
            held.append(max(0.0, position.side * loss) * abs(position.quantity))
    wanted = []
    for s in account.market.in_name_order:
        if s in made and made[s].w > 0:
            order, ref = batch.orders[s], batch.price[s]
            d = stop_distance(account.rules.exits, order)
            stop = ref * (1 - sign(order.target) * d)
            wanted.append(made[s].w * (abs(value(ref) - value(stop)) / u(ref)))
    limit = most * account.last_equity
    if total(wanted) > 0 and total(held) + total(wanted) > limit:
        factor = max(0.0, (limit - total(held)) / total(wanted))
        for grant in made.values():
            grant.lower(grant.w * factor, "heat")


def _gross(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    limit = account.rules.limits.max_gross * account.last_equity
    held = _held_notional(account, batch, _outside(account, batch))
    wanted = total(made[s].w for s in account.market.in_name_order if s in made)
    if wanted > 0 and held + wanted > limit:
        factor = max(0.0, (limit - held) / wanted)
        for grant in made.values():
            grant.lower(grant.w * factor, "gross")


def _margin(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    margin, equity = account.rules.margin, account.last_equity
    if margin.mode == "none":
        return
    u = account.market.notional
    held = total(
        initial_margin(margin, abs(account.quantity(s)) * u(batch.price[s]))
        for s in _outside(account, batch)
    )
    ordered = [s for s in account.market.in_name_order if s in made]
    needed = total(initial_margin(margin, made[s].w) for s in ordered)
    if needed > 0 and held + needed > equity * (1 + ROUNDING):
        factor = max(0.0, (equity - held) / needed)
        for grant in made.values():
            grant.lower(grant.w * factor, "margin")


def _dust(account: Account, batch: Batch, made: dict[int, Grant]) -> None:
    for grant in made.values():
        if grant.w < DUST * account.last_equity:
            grant.lower(0.0, "dust")
