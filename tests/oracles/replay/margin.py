"""Section 5: maintenance, the adverse path of a sub-bar, and liquidation."""

from collections.abc import Sequence

from .account import Account, Position, inside
from .arithmetic import total
from .exits import (
    any_target_is_reached,
    close_at_stop,
    exit_inside,
    stop_is_reached,
    take_targets,
)
from .market import SubBar
from .orders import end

BISECTIONS = 60

Group = list[int]
"""Symbols whose positions share one margin, in name order."""


def maintenance(account: Account, notional: float) -> float:
    """Each part of ``notional`` at the rate of its tier; beyond the last tier its rate goes on."""
    if account.rules.margin.mode == "none":
        return 0.0
    tiers = account.rules.margin.tiers
    parts, floor = [], 0.0
    for tier in tiers:
        top = notional if tier is tiers[-1] else min(notional, tier.notional_to)
        if top > floor:
            parts.append(tier.maintenance * (top - floor))
        floor = tier.notional_to
    return total(parts)


def initial_margin(account: Account, notional: float) -> float:
    """What a position of ``notional`` needs to be opened."""
    margin = account.rules.margin
    if margin.mode == "none":
        return 0.0
    if margin.mode == "isolated":
        return notional / margin.leverage
    for tier in margin.tiers:
        if notional <= tier.notional_to:
            return notional / tier.max_leverage
    return notional / margin.tiers[-1].max_leverage


def groups(account: Account) -> list[Group]:
    """The margin groups of the positions held now."""
    held = account.held()
    if account.rules.margin.mode == "cross":
        return [held] if held else []
    return [[s] for s in held] if account.rules.margin.mode == "isolated" else []


def base(account: Account, group: Sequence[int]) -> float:
    """What stands behind the positions of ``group`` besides their value."""
    if account.rules.margin.mode == "cross":
        return account.cash
    (s,) = group
    position = account.positions[s]
    entry_value = account.market.value(account.average_entry(position))
    return position.wallet - position.quantity * entry_value


def adverse_mark(account: Account, sub_bar: SubBar, s: int, lam: float) -> float:
    """``m_s`` of the page; a gap stays at its mark open."""
    candle = sub_bar.mark[s]
    if s not in sub_bar.tradable:
        return candle.open
    return candle.open + lam * (candle.worst(account.positions[s].side) - candle.open)


def equity_on_path(account: Account, sub_bar: SubBar, group: Sequence[int], lam: float) -> float:
    """What is left of the group before fees, without what it must maintain."""
    value = account.market.value
    worth = total(
        account.quantity(s) * value(adverse_mark(account, sub_bar, s, lam)) for s in group
    )
    return base(account, group) + worth


def excess(account: Account, sub_bar: SubBar, group: Sequence[int], lam: float) -> float:
    """``f`` of the page."""
    u = account.market.notional
    needed = total(
        maintenance(account, abs(account.quantity(s)) * u(adverse_mark(account, sub_bar, s, lam)))
        for s in group
    )
    return equity_on_path(account, sub_bar, group, lam) - needed


def liquidation_point(account: Account, sub_bar: SubBar, group: Sequence[int]) -> float | None:
    """Where on the path nothing is left; None if nowhere."""
    if excess(account, sub_bar, group, 0.0) <= 0:
        return 0.0
    if excess(account, sub_bar, group, 1.0) > 0:
        return None
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if excess(account, sub_bar, group, middle) <= 0:
            high = middle
        else:
            low = middle
    return high


def exits_inside(account: Account, sub_bar: SubBar) -> None:
    """Step 4.2: the groups that may be liquidated as groups, every other symbol by itself."""
    held = account.held()
    endangered = [
        group for group in groups(account) if not excess(account, sub_bar, group, 1.0) > 0
    ]
    together = {s for group in endangered for s in group}
    for s in held:
        for group in endangered:
            if group[0] == s:
                _walk_to_the_worst(account, sub_bar, group)
        if s not in together and s in sub_bar.tradable:
            exit_inside(account, sub_bar, s)


def _distance_of_stop(sub_bar: SubBar, position: Position) -> float:
    assert position.stop is not None
    candle = sub_bar.traded[position.symbol]
    worst = candle.worst(position.side)
    if worst == candle.open:
        return 0.0
    return (position.stop - candle.open) / (worst - candle.open)


def _nearest_stop(
    account: Account, sub_bar: SubBar, group: Sequence[int]
) -> tuple[float, int] | None:
    """The stop that the sub-bar reaches first, and its symbol."""
    reached = []
    for rank, s in enumerate(group):
        position = account.positions[s]
        if s in sub_bar.tradable and stop_is_reached(
            position, sub_bar.traded[s].worst(position.side)
        ):
            reached.append((_distance_of_stop(sub_bar, position), rank, s))
    if not reached:
        return None
    distance, _rank, s = min(reached)
    return distance, s


def _walk_to_the_worst(account: Account, sub_bar: SubBar, group: Group) -> None:
    """Stops and liquidation of one group, the nearer first; then the targets of what is left."""
    while left := [s for s in group if s in account.positions]:
        point = liquidation_point(account, sub_bar, left)
        nearest = _nearest_stop(account, sub_bar, left)
        if nearest is not None and (point is None or nearest[0] <= point):
            position = account.positions[nearest[1]]
            best = sub_bar.traded[position.symbol].best(position.side)
            is_ambiguous = any_target_is_reached(account, position, best)
            close_at_stop(account, sub_bar, position, is_ambiguous=is_ambiguous)
            continue
        if point is not None:
            liquidate(account, sub_bar, left, point)
        break
    for s in group:
        if s in account.positions and s in sub_bar.tradable:
            position = account.positions[s]
            best = sub_bar.traded[s].best(position.side)
            take_targets(account, inside(sub_bar), position, best, None)


def liquidate(account: Account, sub_bar: SubBar, group: Group, lam: float) -> None:
    """Every position of the group is closed at its mark on the path."""
    u, bps = account.market.notional, account.rules.margin.liquidation_fee_bps
    left = equity_on_path(account, sub_bar, group, lam)
    marks = {s: adverse_mark(account, sub_bar, s, lam) for s in group}
    fees = {s: abs(account.quantity(s)) * u(marks[s]) * bps / 10_000 for s in group}
    all_fees = total(fees.values())
    affordable = max(left, 0.0)
    for s in group:
        fee = fees[s]
        if all_fees > affordable:
            fee = fee * (affordable / all_fees)
        is_last = s == group[-1]
        takes_all = account.rules.margin.mode == "cross" and all_fees >= affordable
        account.book(
            inside(sub_bar), s, -account.quantity(s), marks[s], marks[s], "liquidation", fee=fee,
            shortfall=-left if left < 0 and is_last else 0.0,
            leaves_nothing=takes_all and is_last,
        )  # fmt: skip
        end(account, sub_bar.bar, s, "cancelled")
