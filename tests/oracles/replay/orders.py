"""Section 3: from placing an order to its end, and how a batch of them executes."""

import math
from dataclasses import dataclass

from engine.rules import DUST

from .account import Account, Moment, Order, Position, at_open, inside
from .arithmetic import lot_down, sign, through, tick_down, tick_up
from .ledgers import OrderRow
from .limits import Batch, Grant, grants, stop_distance
from .market import SubBar

ROUNDING = 1e-9
"""Share of a fill by which it may exceed what participation leaves."""

# Placing and ending


def place(
    account: Account,
    t: int,
    s: int,
    target: float,
    reason: str,
    *,
    kind: str = "market",
    price: float = math.nan,
    atr_frac: float = math.nan,
    volatility: float = math.nan,
) -> None:
    """A pending order from close ``t`` on."""
    number = account.orders_placed
    account.orders_placed += 1
    side = sign(target - account.force[s])
    account.pending[s] = Order(
        number, s, t, target, side, kind, price, atr_frac, volatility, reason
    )  # fmt: skip


def end(account: Account, t: int, s: int, status: str) -> None:
    """The pending order of ``s`` ends in bar ``t``, if there is one."""
    order = account.pending.pop(s, None)
    if order is None:
        return
    if status in ("cancelled", "expired", "dropped") and order.filled_quantity > 0:
        status = "partial"
    account.orders.append(
        OrderRow(
            order=order.order,
            decided_bar=order.decided_bar,
            closed_bar=t,
            symbol=s,
            kind=order.kind,
            status=status,
            limit=order.limit,
            target=order.target,
            price=order.price if order.kind != "market" else math.nan,
            wanted_notional=order.wanted_notional,
            granted_notional=order.granted_notional,
            filled_quantity=order.filled_quantity,
        )
    )


# Reference prices


@dataclass(frozen=True)
class Execution:
    """At what an order of a batch executes."""

    ref: float
    is_maker: bool = False
    not_worse_than: tuple[int, float] | None = None


def reference_at_open(account: Account, sub_bar: SubBar, order: Order) -> Execution | None:
    """How ``order`` executes in the open batch; None when it does not."""
    if order.executed_bar == sub_bar.bar:
        return None
    open_, side = sub_bar.traded[order.symbol].open, order.side
    if order.kind == "limit":
        if not order.was_tradable:
            marketable = side * open_ <= side * order.price
            return Execution(open_, not_worse_than=(side, order.price)) if marketable else None
        if through(side, open_, order.price, account.tick(order.symbol)):
            return Execution(order.price, is_maker=True)
        return None
    is_triggered = order.executed_bar is not None
    if order.kind == "stop" and not is_triggered and side * open_ < side * order.price:
        return None
    return Execution(open_)


def reference_inside(account: Account, sub_bar: SubBar, order: Order) -> Execution | None:
    """How ``order`` executes in the intrabar batch; None when the sub-bar does not reach it."""
    if order.executed_bar == sub_bar.bar:
        return None
    candle, side = sub_bar.traded[order.symbol], order.side
    if order.kind == "limit":
        cheapest = candle.worst(side)
        if through(side, cheapest, order.price, account.tick(order.symbol)):
            return Execution(order.price, is_maker=True)
    if order.kind == "stop" and side * candle.best(side) >= side * order.price:
        return Execution(order.price)
    return None


def orders_at_open(account: Account, sub_bar: SubBar) -> None:
    """Step 2."""
    batch = {
        s: execution
        for s, order in account.pending.items()
        if s in sub_bar.tradable
        and (execution := reference_at_open(account, sub_bar, order)) is not None
    }
    for s in sub_bar.tradable & account.pending.keys():
        account.pending[s].was_tradable = True
    execute(account, sub_bar, at_open(sub_bar), batch)


def orders_inside(account: Account, sub_bar: SubBar) -> dict[int, str]:
    """Step 4.3; the kind of the order by symbol, for the positions that it entered."""
    batch = {
        s: execution
        for s, order in account.pending.items()
        if s in sub_bar.tradable
        and (execution := reference_inside(account, sub_bar, order)) is not None
    }
    kinds = {s: account.pending[s].kind for s in batch}
    entered = execute(account, sub_bar, inside(sub_bar), batch)
    return {s: kinds[s] for s in entered}


# Section 3.1: execution of a batch


def execute(
    account: Account, sub_bar: SubBar, when: Moment, executions: dict[int, Execution]
) -> list[int]:
    """All orders of a batch, in name order; the symbols that were entered."""
    if not executions:
        return []
    price = {s: candle.open for s, candle in sub_bar.traded.items()}
    price |= {s: execution.ref for s, execution in executions.items()}
    batch = Batch(when.bar, {s: account.pending[s] for s in executions}, price)
    granted = grants(account, batch)
    return [
        s
        for s in account.market.in_name_order
        if s in executions and _execute_one(account, when, s, executions[s], granted[s])
    ]


def _execute_one(
    account: Account, when: Moment, s: int, execution: Execution, grant: Grant
) -> bool:
    """One order of a batch; whether it entered a position."""
    order = account.pending[s]
    attempt = Attempt(account, when, order, execution, grant)
    attempt.run()
    if not order.has_executed:
        order.has_executed = True
        order.wanted_notional, order.granted_notional = grant.wanted, grant.w
        order.limit = grant.limit
    has_done = order.filled_quantity > 0 or attempt.had_nothing_to_change
    has_taken_nothing = attempt.is_cut and order.filled_quantity == 0
    if s in account.positions and account.positions[s].side == sign(order.target):
        account.force[s] = account.force[s] if has_taken_nothing else order.target
    if attempt.is_cut:
        order.executed_bar = when.bar
    elif has_done:
        end(account, when.bar, s, "filled")
    else:
        end(account, when.bar, s, "rejected")
    return attempt.has_entered


class Attempt:
    """One execution of one order."""

    def __init__(
        self, account: Account, when: Moment, order: Order, execution: Execution, grant: Grant
    ) -> None:
        self.account, self.when, self.order = account, when, order
        self.execution, self.grant = execution, grant
        self.symbol = order.symbol
        self.left = self._participation()
        self.is_cut = False
        """Participation left a remainder."""
        self.had_nothing_to_change = False
        self.has_entered = False

    def _participation(self) -> float:
        """What orders of the symbol may take in this bar; one order executes once in a bar."""
        share = self.account.rules.costs.participation
        if share is None:
            return math.inf
        volume = self.account.market.volume
        assert volume is not None, "participation needs volume"
        return lot_down(share * volume[self.when.bar][self.symbol], self.account.lot(self.symbol))

    def run(self) -> None:
        """From the held to the wanted position."""
        account, s, g = self.account, self.symbol, self.order.target
        q, u_ref = account.quantity(s), account.market.notional(self.execution.ref)
        wanted = sign(g) * self.grant.w / u_ref
        if q != 0 and sign(g) == sign(q) and abs(g) >= abs(account.force[s]):
            wanted = sign(g) * max(abs(wanted), abs(q))
        if q != 0 and sign(wanted) != sign(q):
            if self._close(q, "reverse" if sign(g) == -sign(q) else self.order.reason):
                self._open(wanted)
        elif q == 0:
            self._open(wanted)
        elif abs(wanted - q) * u_ref < DUST * account.last_equity:
            self.had_nothing_to_change = True
        else:
            self._resize(wanted - q)

    def _take(self, size: float) -> float:
        """What participation leaves of ``size``."""
        taken = size
        if size - self.left > ROUNDING * size:
            taken = self.left
            self.is_cut = True
            self.grant.limit = "participation"
        self.left = max(self.left - taken, 0.0)
        return taken

    def _fill(self, d: float, reason: str) -> float:
        self.order.filled_quantity += abs(d)
        return self.account.fill(
            self.when,
            self.symbol,
            d,
            self.execution.ref,
            reason,
            is_maker=self.execution.is_maker,
            not_worse_than=self.execution.not_worse_than,
            order=self.order.order,
        )

    def _close(self, q: float, reason: str) -> bool:
        """The closing fill; whether the position is closed completely."""
        taken = self._take(abs(q))
        if taken > 0:
            self._fill(-sign(q) * taken, reason)
        return not self.is_cut

    def _rounded(self, size: float) -> float:
        """``size`` in lots; 0 when it is too small to be traded."""
        rules = self.account.symbol_rules[self.symbol]
        rounded = lot_down(size, rules.lot_step)
        if rounded == 0:
            self.grant.limit = "lot"
            return 0.0
        if rounded * self.account.market.notional(self.execution.ref) < rules.min_notional:
            self.grant.limit = "min_notional"
            return 0.0
        return rounded

    def _open(self, wanted: float) -> None:
        if wanted == 0:
            return
        size = self._rounded(abs(wanted))
        taken = self._take(size)
        if taken > 0:
            self.account.open_position(self.when, self.symbol, sign(wanted), self.order.order)
            p = self._fill(sign(wanted) * taken, "entry")
            set_levels(self.account, self.account.positions[self.symbol], self.order, p)
            self.has_entered = True

    def _resize(self, change: float) -> None:
        taken = self._take(self._rounded(abs(change)))
        if taken > 0:
            p = self._fill(sign(change) * taken, "resize")
            position = self.account.positions[self.symbol]
            if position.order == self.order.order:
                add_to_entry(self.account, position, taken, p)


def add_to_entry(account: Account, position: Position, quantity: float, p: float) -> None:
    """A remainder of the order that entered: it moves no level."""
    value = account.market.value
    position.entry_quantity += quantity
    if account.initial_risks[position.trade] != 0 and position.stop is not None:
        at_risk = quantity * abs(value(p) - value(position.stop))
        account.initial_risks[position.trade] += at_risk


def set_levels(account: Account, position: Position, order: Order, p: float) -> None:
    """The levels of an entry at fill price ``p``; levels are rounded away from it."""
    exits, side, tick = account.rules.exits, position.side, account.tick(position.symbol)
    against, onward = (tick_down, tick_up) if side > 0 else (tick_up, tick_down)
    value = account.market.value
    position.entry_quantity = abs(position.quantity)
    position.best = p
    if exits.has_stop:
        d = stop_distance(exits, order)
        position.stop = against(p * (1 - side * d), tick)
        position.risk = p * d
        account.initial_risks[position.trade] = position.entry_quantity * abs(
            value(p) - value(position.stop)
        )
        position.rungs = [
            (onward(level, tick), share)
            for r, share in exits.ladder
            if (level := p * (1 + side * r * d)) > 0
        ]
    m = None
    if exits.take_profit_atr is not None:
        m = exits.take_profit_atr * order.atr_frac
    elif exits.take_profit_frac is not None:
        m = exits.take_profit_frac
    elif exits.take_profit_r is not None:
        m = exits.take_profit_r * stop_distance(exits, order)
    if m is not None and p * (1 + side * m) > 0:
        position.take_profit = onward(p * (1 + side * m), tick)
