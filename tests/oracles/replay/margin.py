"""Section 5: the adverse path of a sub-bar, and liquidation."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .account import Account, Moment, Position, at_open, inside
from .arithmetic import total
from .exits import (
    close_at_stop,
    close_at_stop_of_entry,
    exit_inside,
    exit_of_entered,
    stop_is_reached,
    take_targets,
)
from .market import Candle, SubBar
from .orders import end
from .tiers import maintenance

BISECTIONS = 60

Group = list[int]
"""Symbols whose positions share one margin, in name order."""


@dataclass(frozen=True)
class Path:
    """The way of a sub-bar to its worst; ``entered_at`` are the reference prices of entries in it."""

    sub_bar: SubBar
    entered_at: Mapping[int, float] = field(default_factory=dict)

    def start(self, s: int, candle: Candle) -> float:
        """Where the prices of ``candle`` begin for a position in ``s``."""
        return self.entered_at.get(s, candle.open)

    def mark(self, position: Position, lam: float) -> float:
        """``m_s`` of the page; a gap stays at its mark open."""
        s, side = position.symbol, position.side
        candle = self.sub_bar.mark[s]
        if s not in self.sub_bar.tradable:
            return candle.open
        start, worst = self.start(s, candle), candle.worst(side)
        if s in self.entered_at and side * worst > side * start:
            worst = start
        return start + lam * (worst - start)

    def distance_of_stop(self, position: Position) -> float:
        """``λ_s`` of the page."""
        assert position.stop is not None
        candle = self.sub_bar.traded[position.symbol]
        start, worst = self.start(position.symbol, candle), candle.worst(position.side)
        return 0.0 if worst == start else (position.stop - start) / (worst - start)


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


def equity_on_path(account: Account, path: Path, group: Sequence[int], lam: float) -> float:
    """What is left of the group before fees, without what it must maintain."""
    value = account.market.value
    worth = total(account.quantity(s) * value(path.mark(account.positions[s], lam)) for s in group)
    return base(account, group) + worth


def excess(account: Account, path: Path, group: Sequence[int], lam: float) -> float:
    """``f`` of the page."""
    u, margin = account.market.notional, account.rules.margin
    needed = total(
        maintenance(margin, abs(account.quantity(s)) * u(path.mark(account.positions[s], lam)))
        for s in group
    )
    return equity_on_path(account, path, group, lam) - needed


def liquidation_point(account: Account, path: Path, group: Sequence[int]) -> float | None:
    """Where on the path nothing is left; None if nowhere."""
    if excess(account, path, group, 0.0) <= 0:
        return 0.0
    if excess(account, path, group, 1.0) > 0:
        return None
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if excess(account, path, group, middle) <= 0:
            high = middle
        else:
            low = middle
    return high


def margin_at_open(account: Account, sub_bar: SubBar) -> None:
    """Step 1: a group that the open leaves without margin."""
    path = Path(sub_bar)
    for group in groups(account):
        if excess(account, path, group, 0.0) <= 0:
            liquidate(account, at_open(sub_bar), path, group, 0.0)


def exits_inside(account: Account, sub_bar: SubBar) -> None:
    """Step 4.2: the groups that may be liquidated as groups, every other symbol by itself."""
    path = Path(sub_bar)
    held = account.held()
    endangered = [group for group in groups(account) if not excess(account, path, group, 1.0) > 0]
    together = {s for group in endangered for s in group}

    def stop(position: Position) -> None:
        close_at_stop(account, sub_bar, position)

    for s in held:
        for group in endangered:
            if group[0] == s:
                _walk_to_the_worst(account, path, group, group, stop)
                _take_targets_of(account, sub_bar, group)
        if s not in together and s in sub_bar.tradable:
            exit_inside(account, sub_bar, s)


def exits_of_entered(account: Account, sub_bar: SubBar, entered: Mapping[int, str]) -> None:
    """Step 4.4: ``entered`` maps the symbols, in name order, to the kind of the order."""
    path = Path(
        sub_bar, {s: account.positions[s].fills[0].reference_price for s in entered}
    )  # fmt: skip

    def stop(position: Position) -> None:
        close_at_stop_of_entry(account, sub_bar, position, entered[position.symbol])

    for group in groups(account):
        members = [s for s in entered if s in group]
        if members and not excess(account, path, group, 1.0) > 0:
            _walk_to_the_worst(account, path, group, members, stop)
        _exit_each(account, sub_bar, members, entered)
    if account.rules.margin.mode == "none":
        _exit_each(account, sub_bar, entered, entered)


def _exit_each(
    account: Account, sub_bar: SubBar, symbols: Iterable[int], kinds: Mapping[int, str]
) -> None:
    for s in symbols:
        if s in account.positions:
            exit_of_entered(account, sub_bar, account.positions[s], kinds[s])


def _nearest_stop(account: Account, path: Path, symbols: Iterable[int]) -> tuple[float, int] | None:
    """The stop of ``symbols`` that the sub-bar reaches first, and its symbol."""
    reached = []
    for rank, s in enumerate(symbols):
        position = account.positions[s]
        if s in path.sub_bar.tradable and stop_is_reached(
            position, path.sub_bar.traded[s].worst(position.side)
        ):
            reached.append((path.distance_of_stop(position), rank, s))
    if not reached:
        return None
    distance, _rank, s = min(reached)
    return distance, s


def _walk_to_the_worst(
    account: Account,
    path: Path,
    group: Group,
    with_stops: Iterable[int],
    stop: Callable[[Position], None],
) -> None:
    """Stops (of those ``with_stops``) and liquidation of one group, the nearer first."""
    while left := [s for s in group if s in account.positions]:
        point = liquidation_point(account, path, left)
        nearest = _nearest_stop(account, path, [s for s in left if s in with_stops])
        if nearest is not None and (point is None or nearest[0] <= point):
            stop(account.positions[nearest[1]])
            continue
        if point is not None:
            liquidate(account, inside(path.sub_bar), path, left, point)
        return


def _take_targets_of(account: Account, sub_bar: SubBar, group: Group) -> None:
    """What stops and liquidation have left of a group in step 4.2."""
    for s in group:
        if s in account.positions and s in sub_bar.tradable:
            position = account.positions[s]
            best = sub_bar.traded[s].best(position.side)
            take_targets(account, inside(sub_bar), position, best, None)


def liquidate(account: Account, when: Moment, path: Path, group: Group, lam: float) -> None:
    """Every position of the group is closed at its mark on the path."""
    u, bps = account.market.notional, account.rules.margin.liquidation_fee_bps
    is_cross = account.rules.margin.mode == "cross"
    left = equity_on_path(account, path, group, lam)
    marks = {s: path.mark(account.positions[s], lam) for s in group}
    fees = {s: abs(account.quantity(s)) * u(marks[s]) * bps / 10_000 for s in group}
    all_fees = total(fees.values())
    affordable = max(left, 0.0)
    for s in group:
        fee = fees[s]
        if all_fees > affordable:
            fee = fee * (affordable / all_fees)
        is_last = s == group[-1]
        takes_all = is_cross and all_fees >= affordable
        account.book(
            when, s, -account.quantity(s), marks[s], marks[s], "liquidation", fee=fee,
            shortfall=-left if left < 0 and is_last else 0.0,
            leaves_nothing=takes_all and is_last,
        )  # fmt: skip
    for s in account.market.in_name_order if is_cross else group:
        end(account, when.bar, s, "cancelled")
