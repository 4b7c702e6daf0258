"""The replay of docs/accounting.md as a literal event loop over plain floats and lists.

Each step of the page is one function, named after it. Rows carry the page's columns: times are
int ns UTC, ``symbol`` is the column of the panel, ``phase`` and reasons are the page's words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from engine import Decisions, Funding, Panel, ReplayRules


@dataclass(frozen=True)
class Fill:
    """One row of the fill ledger."""

    bar: int
    time: int
    symbol: int
    phase: str
    reason: str
    side: int
    quantity: float
    reference_price: float
    price: float
    fee: float
    slippage: float
    position_after: float
    cash_after: float
    trade: int


@dataclass(frozen=True)
class Payment:
    """One row of the funding ledger."""

    bar: int
    time: int
    symbol: int
    position: float
    mark_price: float
    rate: float
    payment: float
    trade: int


@dataclass(frozen=True)
class Trade:
    """One way from flat to flat."""

    trade: int
    symbol: int
    side: int
    entry_bar: int
    exit_bar: int
    entry_time: int
    exit_time: int
    quantity: float
    entry_price: float
    exit_price: float
    gross_pnl: float
    fees: float
    funding: float
    slippage: float
    net_pnl: float
    return_frac: float
    bars_held: int
    exit_reason: str
    is_ambiguous: bool


@dataclass(frozen=True)
class EquityRow:
    """The account after step 7 of a bar."""

    time: int
    equity: float
    cash: float
    gross_exposure: float
    net_exposure: float


@dataclass(frozen=True)
class OracleResult:
    """Everything that the page says a replay returns; ``ruined_bar`` is -1 without ruin."""

    fills: list[Fill]
    funding: list[Payment]
    trades: list[Trade]
    equity: list[EquityRow]
    ruined_bar: int
    ambiguous_exits: int


@dataclass(frozen=True)
class Order:
    """A target that waits for the next tradable open; ``reason`` is that of a closing by target 0."""

    target: float
    reason: str
    atr_frac: float


@dataclass
class Holding:
    """What is fixed or counted from an entry until the position is flat."""

    trade: int
    side: int
    entry_bar: int
    stop: float | None
    take_profit: float | None
    risk: float | None
    increasing: list[tuple[float, float]] = field(default_factory=list)

    def average_entry_price(self) -> float:
        """Average price of the fills that increased the position, weighted by quantity."""
        notional = sum(quantity * price for quantity, price in self.increasing)
        return notional / sum(quantity for quantity, _price in self.increasing)


@dataclass(frozen=True)
class Prices:
    """The panel as nested lists, ``[bar][symbol]``."""

    step_ns: int
    open_time: list[int]
    open: list[list[float]]
    high: list[list[float]]
    low: list[list[float]]
    close: list[list[float]]
    listed: list[list[bool]]
    is_gap: list[list[bool]]

    @classmethod
    def of(cls, panel: Panel) -> "Prices":
        """Every number of ``panel`` as a plain Python value."""
        names = ("open", "high", "low", "close", "listed", "is_gap")
        return cls(
            step_ns=int(panel.step_ns),
            open_time=panel.open_time.tolist(),
            **{name: getattr(panel, name).tolist() for name in names},
        )

    def bars(self) -> int:
        """T of the page."""
        return len(self.open_time)

    def is_tradable(self, t: int, s: int) -> bool:
        """Listed and not a gap."""
        return self.listed[t][s] and not self.is_gap[t][s]

    def close_time(self, t: int) -> int:
        """When bar ``t`` is complete."""
        return self.open_time[t] + self.step_ns


@dataclass(frozen=True)
class Settlement:
    """One funding event; ``mark_price`` is None where the source gives none."""

    time: int
    symbol: int
    rate: float
    mark_price: float | None


DUST = 1e-9
"""Share of equity below which an order or a change of size counts as nothing."""


def sign(value: float) -> int:
    """-1, 0 or +1."""
    return (value > 0) - (value < 0)


class Replay:
    """One account on one panel; ``run`` walks through the bars."""

    def __init__(
        self, panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
    ) -> None:
        self.prices = Prices.of(panel)
        self.symbols = range(len(panel.symbols))
        self.target: list[list[float]] = decisions.target.tolist()
        self.acts: list[list[bool]] = decisions.acts.tolist()
        self.atr_frac: list[list[float]] = decisions.atr_frac.tolist()
        self.rules = rules
        self.fee = rules.taker_fee_bps / 10_000
        self.slip = rules.slippage_bps / 10_000
        self.events = settlements_by_bar(self.prices, funding)

        self.cash = float(rules.initial_cash)
        self.q = [0.0 for _ in self.symbols]
        self.force = [0.0 for _ in self.symbols]
        self.pending: list[Order | None] = [None for _ in self.symbols]
        self.holding: list[Holding | None] = [None for _ in self.symbols]

        self.fills: list[Fill] = []
        self.payments: list[Payment] = []
        self.equity: list[EquityRow] = []
        self.ambiguous: list[int] = []
        self.trades_begun = 0
        self.ruined_bar = -1

    def run(self) -> OracleResult:
        """Every bar, then the trades from the ledgers."""
        last_equity = float(self.rules.initial_cash)
        for t in range(self.prices.bars()):
            if self.ruined_bar < 0:
                last_equity = self.bar(t, last_equity)
            self.record_equity(t, last_equity)
        return OracleResult(
            fills=self.fills,
            funding=self.payments,
            trades=trades_of(self.fills, self.payments, self.ambiguous),
            equity=self.equity,
            ruined_bar=self.ruined_bar,
            ambiguous_exits=len(self.ambiguous),
        )

    def bar(self, t: int, equity_before: float) -> float:
        """Steps 1 to 8 of bar ``t``; the equity at its close."""
        self.funding_at_the_open(t)
        self.orders_at_the_open(t, equity_before)
        self.exits_at_the_open(t)
        self.funding_inside_the_bar(t)
        self.exits_inside_the_bar(t)
        self.closings_at_the_close(t)
        equity = self.mark_to_market(t)
        if equity <= 0:
            return self.ruin(t)
        self.decisions_at_the_close(t)
        return equity

    # A fill

    def fill(self, t: int, s: int, d: float, ref: float, phase: str, reason: str) -> float:
        """Signed quantity ``d`` at reference price ``ref``; the price that was paid.

        A fill of ``-q`` leaves exactly 0: then no level stands and no target is in force.
        """
        price = ref * (1 + self.slip) if d > 0 else ref * (1 - self.slip)
        cost = abs(d) * price * self.fee
        self.cash = self.cash - d * price - cost
        self.q[s] = self.q[s] + d
        holding = self.holding[s]
        assert holding is not None, "a fill belongs to a trade"
        if sign(d) == holding.side:
            holding.increasing.append((abs(d), price))
        at_close = phase == "close"
        self.fills.append(
            Fill(
                bar=t,
                time=self.prices.close_time(t) if at_close else self.prices.open_time[t],
                symbol=s,
                phase=phase,
                reason=reason,
                side=sign(d),
                quantity=abs(d),
                reference_price=ref,
                price=price,
                fee=cost,
                slippage=abs(d) * abs(price - ref),
                position_after=self.q[s],
                cash_after=self.cash,
                trade=holding.trade,
            )
        )
        if self.q[s] == 0:
            self.holding[s] = None
            self.force[s] = 0.0
        return price

    def close_position(self, t: int, s: int, ref: float, phase: str, reason: str) -> None:
        """A closing fill."""
        self.fill(t, s, -self.q[s], ref, phase, reason)

    def enter(self, t: int, s: int, d: float, atr_frac: float) -> None:
        """The first fill of a trade at the open, and the levels that it sets."""
        side = sign(d)
        holding = Holding(self.trades_begun, side, t, stop=None, take_profit=None, risk=None)
        self.trades_begun += 1
        self.holding[s] = holding
        p = self.fill(t, s, d, self.prices.open[t][s], "open", "entry")
        k, m = self.rules.stop_atr, self.rules.take_profit_atr
        if k is not None:
            holding.stop = p * (1 - side * k * atr_frac)
            holding.risk = p * k * atr_frac
        if m is not None:
            holding.take_profit = p * (1 + side * m * atr_frac)

    # Funding of steps 1 and 4

    def funding_at_the_open(self, t: int) -> None:
        """Step 1: events at the open, on the position carried into the bar."""
        for event in self.events[t]:
            if event.time == self.prices.open_time[t]:
                self.settle(t, event)

    def funding_inside_the_bar(self, t: int) -> None:
        """Step 4, first part: events after the open, on the position after step 3."""
        for event in self.events[t]:
            if event.time > self.prices.open_time[t]:
                self.settle(t, event)

    def settle(self, t: int, event: Settlement) -> None:
        """Pay or receive one settlement."""
        s = event.symbol
        holding = self.holding[s]
        if holding is None:
            return
        mark = self.prices.open[t][s] if event.mark_price is None else event.mark_price
        payment = -self.q[s] * mark * event.rate
        self.cash = self.cash + payment
        self.payments.append(
            Payment(t, event.time, s, self.q[s], mark, event.rate, payment, holding.trade)
        )

    # Step 2

    def orders_at_the_open(self, t: int, equity: float) -> None:
        """Step 2: every pending order of a tradable symbol executes."""
        executing = {
            s: order
            for s, order in enumerate(self.pending)
            if order is not None and self.prices.is_tradable(t, s)
        }
        wanted = self.wanted_notionals(t, executing, equity)
        for s, order in executing.items():
            position = sign(order.target) * wanted[s] / self.prices.open[t][s]
            self.execute(t, s, order, position, equity)
            self.force[s] = order.target if self.q[s] != 0 else 0.0
            self.pending[s] = None

    def wanted_notionals(
        self, t: int, executing: Mapping[int, Order], equity: float
    ) -> dict[int, float]:
        """``w`` of each executing order, after the gross cap."""
        wanted = {
            s: abs(order.target) * self.rules.position_fraction * equity
            for s, order in executing.items()
        }
        held = sum(
            abs(self.q[s]) * self.prices.open[t][s] for s in self.symbols if s not in executing
        )
        total = sum(wanted.values())
        limit = self.rules.max_gross_leverage * equity
        if total > 0 and held + total > limit:
            factor = max(0.0, (limit - held) / total)
            wanted = {s: w * factor for s, w in wanted.items()}
        return {s: 0.0 if w < DUST * equity else w for s, w in wanted.items()}

    def execute(self, t: int, s: int, order: Order, position: float, equity: float) -> None:
        """Move from the held to the wanted ``position`` at the open."""
        q, ref = self.q[s], self.prices.open[t][s]
        if position * sign(q) < 0:
            self.close_position(t, s, ref, "open", "reverse")
            self.enter(t, s, position, order.atr_frac)
        elif position == 0 and q != 0:
            self.close_position(t, s, ref, "open", closing_reason(order, q))
        elif position != 0 and q == 0:
            self.enter(t, s, position, order.atr_frac)
        elif abs(position - q) * ref >= DUST * equity:
            self.fill(t, s, position - q, ref, "open", "resize")

    # Steps 3 and 4

    def held_and_tradable(self, t: int) -> list[tuple[int, Holding]]:
        """The symbols that can exit in bar ``t``, in order."""
        return [
            (s, holding)
            for s in self.symbols
            if (holding := self.holding[s]) is not None and self.prices.is_tradable(t, s)
        ]

    @staticmethod
    def lost(holding: Holding, price: float) -> bool:
        """``price`` is at the stop or beyond it."""
        return holding.stop is not None and holding.side * price <= holding.side * holding.stop

    @staticmethod
    def won(holding: Holding, price: float) -> bool:
        """``price`` is at the profit target or beyond it."""
        target = holding.take_profit
        return target is not None and holding.side * price >= holding.side * target

    def exits_at_the_open(self, t: int) -> None:
        """Step 3: an open beyond a level closes at the open."""
        for s, holding in self.held_and_tradable(t):
            open_ = self.prices.open[t][s]
            if self.lost(holding, open_):
                self.close_position(t, s, open_, "open", "stop")
            elif self.won(holding, open_):
                self.close_position(t, s, open_, "open", "take_profit")

    def exits_inside_the_bar(self, t: int) -> None:
        """Step 4, second part: a level inside the bar's range closes at the level."""
        for s, holding in self.held_and_tradable(t):
            worst, best = self.prices.low[t][s], self.prices.high[t][s]
            if holding.side < 0:
                worst, best = best, worst
            if holding.stop is not None and self.lost(holding, worst):
                if self.won(holding, best):
                    self.ambiguous.append(holding.trade)
                self.close_position(t, s, holding.stop, "intrabar", "stop")
            elif holding.take_profit is not None and self.won(holding, best):
                self.close_position(t, s, holding.take_profit, "intrabar", "take_profit")

    # Steps 5 to 7

    def closings_at_the_close(self, t: int) -> None:
        """Step 5: the end of the data, and symbols that are not listed in the next bar."""
        is_last = t == self.prices.bars() - 1
        for s in self.symbols:
            if is_last:
                reason = "end_of_data"
            elif self.prices.listed[t][s] and not self.prices.listed[t + 1][s]:
                reason = "delisted"
                self.pending[s] = None
            else:
                continue
            if self.q[s] != 0:
                self.close_position(t, s, self.prices.close[t][s], "close", reason)

    def mark_to_market(self, t: int) -> float:
        """Step 6: cash and every position at the close."""
        return self.cash + sum(self.q[s] * self.prices.close[t][s] for s in self.symbols)

    def ruin(self, t: int) -> float:
        """Step 7: close everything and stop trading; the equity that is left."""
        for s in self.symbols:
            if self.q[s] != 0:
                self.close_position(t, s, self.prices.close[t][s], "close", "ruin")
            self.pending[s] = None
        self.ruined_bar = t
        return self.cash

    # Step 8

    def decisions_at_the_close(self, t: int) -> None:
        """Step 8: orders for the opens to come."""
        if t == self.prices.bars() - 1:
            return
        for s in self.symbols:
            if not self.prices.listed[t + 1][s]:
                continue
            if self.acts[t][s]:
                self.decide(s, self.target[t][s], self.atr_frac[t][s])
            if self.pending[s] is None and self.is_time_over(t, s):
                self.pending[s] = Order(0.0, "time_stop", 0.0)

    def decide(self, s: int, target: float, atr_frac: float) -> None:
        """The target in force cancels what is pending, any other target replaces it."""
        if target == self.force[s]:
            self.pending[s] = None
        else:
            self.pending[s] = Order(target, "exit", atr_frac)

    def is_time_over(self, t: int, s: int) -> bool:
        """Whether the time stop asks for a closing."""
        holding, n, r = self.holding[s], self.rules.time_stop_bars, self.rules.time_stop_max_r
        if holding is None or n is None or t - holding.entry_bar + 1 < n:
            return False
        if r is None or holding.risk is None:
            return True
        gain = holding.side * (self.prices.close[t][s] - holding.average_entry_price())
        return not gain / holding.risk >= r

    def record_equity(self, t: int, equity: float) -> None:
        """The row of the equity ledger, after step 7."""
        close = self.prices.close[t]
        self.equity.append(
            EquityRow(
                time=self.prices.close_time(t),
                equity=equity,
                cash=self.cash,
                gross_exposure=float(sum(abs(self.q[s]) * close[s] for s in self.symbols)),
                net_exposure=float(sum(self.q[s] * close[s] for s in self.symbols)),
            )
        )


def settlements_by_bar(prices: Prices, funding: Funding) -> list[list[Settlement]]:
    """The events of each bar in event order; events outside all bars are in none."""
    by_bar: list[list[Settlement]] = [[] for _ in prices.open_time]
    columns = (funding.time_ns, funding.symbol_index, funding.rate, funding.mark_price)
    for time, symbol, rate, mark in zip(*(c.tolist() for c in columns), strict=True):
        t = (time - prices.open_time[0]) // prices.step_ns
        if 0 <= t < prices.bars():
            by_bar[t].append(Settlement(time, symbol, rate, mark if mark > 0 else None))
    return by_bar


def closing_reason(order: Order, q: float) -> str:
    """Why an order left nothing of a position ``q``."""
    if order.target == 0:
        return order.reason
    return "reverse" if sign(order.target) != sign(q) else "exit"


def trades_of(
    fills: Sequence[Fill], payments: Sequence[Payment], ambiguous: Sequence[int]
) -> list[Trade]:
    """The ledger of trades from the other two and the numbers of the ambiguous ones."""
    count = 1 + max((fill.trade for fill in fills), default=-1)
    fills_of: list[list[Fill]] = [[] for _ in range(count)]
    paid_to = [0.0] * count
    for fill in fills:
        fills_of[fill.trade].append(fill)
    for payment in payments:
        paid_to[payment.trade] += payment.payment
    return [
        trade_of(number, fills_of[number], paid_to[number], number in ambiguous)
        for number in range(count)
    ]


def trade_of(number: int, fills: Sequence[Fill], funding: float, is_ambiguous: bool) -> Trade:
    """One trade from all of its fills."""
    first, last = fills[0], fills[-1]
    assert last.position_after == 0, "a trade ends flat"
    bought = [fill for fill in fills if fill.side == first.side]
    sold = [fill for fill in fills if fill.side != first.side]
    invested = sum(fill.quantity * fill.price for fill in bought)
    released = sum(fill.quantity * fill.price for fill in sold)
    gross_pnl = sum(-fill.side * fill.quantity * fill.price for fill in fills)
    fees = sum(fill.fee for fill in fills)
    net_pnl = gross_pnl - fees + funding
    return Trade(
        trade=number,
        symbol=first.symbol,
        side=first.side,
        entry_bar=first.bar,
        exit_bar=last.bar,
        entry_time=first.time,
        exit_time=last.time,
        quantity=max(abs(fill.position_after) for fill in fills),
        entry_price=invested / sum(fill.quantity for fill in bought),
        exit_price=released / sum(fill.quantity for fill in sold),
        gross_pnl=gross_pnl,
        fees=fees,
        funding=funding,
        slippage=sum(fill.slippage for fill in fills),
        net_pnl=net_pnl,
        return_frac=net_pnl / invested,
        bars_held=last.bar - first.bar + 1,
        exit_reason=last.reason,
        is_ambiguous=is_ambiguous,
    )


def replay_oracle(
    panel: Panel, decisions: Decisions, funding: Funding, rules: ReplayRules
) -> OracleResult:
    """Replay ``decisions`` on ``panel`` as docs/accounting.md says, one event after the other."""
    return Replay(panel, decisions, funding, rules).run()


Columns = Mapping[str, Sequence[Any]]
"""A ledger to be compared: plain Python values by the page's column names."""


def disagreements(
    expected: OracleResult, found: Mapping[str, Columns], relative: float = 1e-9
) -> list[str]:
    """Where the ledgers ``found`` (``fills``, ``funding``, ``trades``, ``equity``) differ.

    Integers and words must be equal. Two floats may differ by ``relative`` of the larger; a column
    that is a difference of large numbers may also differ by what rounding leaves of those.
    """
    floors = _floors(expected)
    told = []
    for name, columns in found.items():
        told += _differences(name, getattr(expected, name), columns, relative, floors[name])
    return told


def _floors(expected: OracleResult) -> dict[str, dict[str, float]]:
    """Absolute tolerance by ledger and column: 1e-12 of the numbers that are subtracted there."""
    moved = max((fill.quantity * fill.price for fill in expected.fills), default=0.0)
    account = max(max(abs(row.cash), row.gross_exposure) for row in expected.equity)
    largest = max((fill.quantity for fill in expected.fills), default=0.0)
    return {
        "fills": {"position_after": 1e-12 * largest, "cash_after": 1e-12 * max(moved, account)},
        "funding": {"position": 1e-12 * largest},
        "trades": {"gross_pnl": 1e-12 * moved, "net_pnl": 1e-12 * moved, "return_frac": 1e-12},
        "equity": dict.fromkeys(("equity", "cash", "net_exposure"), 1e-12 * max(moved, account)),
    }


def _differences(
    name: str,
    expected: Sequence[Any],
    found: Columns,
    relative: float,
    floors: Mapping[str, float],
) -> list[str]:
    """The first difference of each column."""
    row_type = {"fills": Fill, "funding": Payment, "trades": Trade, "equity": EquityRow}[name]
    known = {item.name for item in fields(row_type)}
    told = [f"{name}.{column}: on one side only" for column in sorted(known ^ set(found))]
    for column in sorted(known & set(found)):
        values = found[column]
        if len(values) != len(expected):
            told.append(f"{name}.{column}: {len(values)} rows, expected {len(expected)}")
            continue
        for index, (row, value) in enumerate(zip(expected, values, strict=True)):
            wanted = getattr(row, column)
            if not _same(wanted, value, relative, floors.get(column, 0.0)):
                told.append(f"{name}.{column}[{index}]: {value!r}, expected {wanted!r} in {row}")
                break
    return told


def _same(wanted: Any, value: Any, relative: float, floor: float) -> bool:
    if not isinstance(wanted, float):
        return bool(wanted == value)
    return bool(abs(wanted - value) <= max(floor, relative * max(abs(wanted), abs(value))))
