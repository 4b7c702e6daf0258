"""Section 4: the order of events."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import (
    HOUR_NS,
    ORDER_KINDS,
    STYLES,
    Decisions,
    Funding,
    Panel,
    ReplayRules,
    SymbolRules,
)

from .account import Account, Moment, at_close, at_open
from .arithmetic import total
from .exits import exits_at_open, gain_in_r, levels_at_close
from .ledgers import EquityRow, OracleResult, trades_of
from .margin import exits_inside, exits_of_entered, margin_at_open
from .market import Market, SubBar
from .orders import end, orders_at_open, orders_inside, place
from .tiers import initial_margin, maintenance

HOURS_PER_YEAR = 8760


def replay_oracle(
    panel: Panel,
    decisions: Decisions,
    funding: Funding,
    rules: ReplayRules,
    *,
    fine: Panel | None = None,
    symbol_rules: Mapping[str, SymbolRules] | None = None,
) -> OracleResult:
    """Replay ``decisions`` on ``panel`` as docs/accounting.md says, one event after the other."""
    market = Market(panel, decisions, rules, fine)
    account = Account(market, rules, dict(symbol_rules or {}))
    return Replay(account, Rows.of(decisions), payments_due(market, funding, rules)).run()


@dataclass(frozen=True)
class Rows:
    """The decisions as plain values, ``[bar][symbol]``."""

    target: list[list[float]]
    acts: list[list[bool]]
    style: list[list[int]] | None
    order_kind: list[list[int]] | None
    order_price: list[list[float]] | None
    volatility: list[list[float]] | None

    @classmethod
    def of(cls, decisions: Decisions) -> "Rows":
        """Every number of ``decisions``; what is not given stays None."""
        names = ("target", "acts", "style", "order_kind", "order_price", "volatility")
        columns: dict[str, Any] = {
            name: None if (given := getattr(decisions, name)) is None else given.tolist()
            for name in names
        }
        return cls(**columns)


@dataclass(frozen=True)
class PaymentDue:
    """One funding event or one hour of borrowing; ``mark_price`` 0 where the source gives none."""

    time: int
    symbol: int
    kind: str
    rate: float
    mark_price: float


def payments_due(market: Market, funding: Funding, rules: ReplayRules) -> list[PaymentDue]:
    """All events by time, then funding before borrowing, then name."""
    first, last = market.open_time[0], market.close_time(market.bars - 1)
    columns = (funding.time_ns, funding.symbol_index, funding.rate, funding.mark_price)
    due = [
        PaymentDue(time, symbol, "funding", rate, mark)
        for time, symbol, rate, mark in zip(*(c.tolist() for c in columns), strict=True)
        if first <= time < last
    ]
    if rules.costs.borrow_annual > 0:
        rate = rules.costs.borrow_annual / HOURS_PER_YEAR
        full_hours = range(-(-first // HOUR_NS) * HOUR_NS, last, HOUR_NS)
        due += [
            PaymentDue(time, s, "borrow", rate, 0.0)
            for time in full_hours
            for s in market.in_name_order
        ]
    rank = {s: place for place, s in enumerate(market.in_name_order)}
    return sorted(due, key=lambda event: (event.time, event.kind == "borrow", rank[event.symbol]))


def closing_prices_at_open(sub_bar: SubBar) -> dict[int, float]:
    """The open, of a missing bar the close that it carries."""
    return {
        s: candle.open if s in sub_bar.tradable else candle.close
        for s, candle in sub_bar.traded.items()
    }


class Replay:
    """One account on one market; ``run`` walks through the bars."""

    def __init__(self, account: Account, rows: Rows, due: list[PaymentDue]) -> None:
        self.account, self.market, self.rows = account, account.market, rows
        length = self.market.step_ns // self.market.sub_bars_of_a_bar
        self.due: defaultdict[int, list[PaymentDue]] = defaultdict(list)
        for event in due:
            start = self.market.open_time[0]
            self.due[start + (event.time - start) // length * length].append(event)

    def run(self) -> OracleResult:
        """Every bar, then the trades from the ledgers."""
        account, market = self.account, self.market
        for t in range(market.bars):
            if account.ruined_bar < 0:
                self.bar(t)
            self.record_equity(t)
        return OracleResult(
            fills=account.fills,
            orders=sorted(account.orders, key=lambda row: row.order),
            payments=account.payments,
            trades=trades_of(
                market, account.fills, account.payments, account.initial_risks, account.ambiguous
            ),
            equity=account.equity,
            ruined_bar=account.ruined_bar,
            ambiguous_exits=len(account.ambiguous),
            unresolved_bars=sum(
                market.is_unresolved(t, s) for t in range(market.bars) for s in market.in_name_order
            ),
        )

    def bar(self, t: int) -> None:
        """Steps 1 to 9 of bar ``t``."""
        account = self.account
        is_last = t == self.market.bars - 1
        for sub_bar in self.market.sub_bars(t):
            self.sub_bar(sub_bar)
            if account.ruined_bar >= 0:
                return
        self.closings_at_close(t, is_last)
        equity = account.equity_at(dict(enumerate(self.market.mark_close[t])))
        if equity <= 0:
            self.ruin(at_close(self.market, t), dict(enumerate(self.market.close[t])))
            return
        if not is_last:
            levels_at_close(account, t)
            self.decisions_at_close(t)
        account.last_equity = equity
        account.peak = max(account.peak, equity)

    def sub_bar(self, sub_bar: SubBar) -> None:
        """Steps 1 to 4."""
        account = self.account
        due = self.due.get(sub_bar.open_time, [])
        self.pay([event for event in due if event.time == sub_bar.open_time], sub_bar)
        margin_at_open(account, sub_bar)
        if self.is_ruined_at_open(sub_bar):
            self.ruin(at_open(sub_bar), closing_prices_at_open(sub_bar))
            return
        orders_at_open(account, sub_bar)
        exits_at_open(account, sub_bar)
        self.pay([event for event in due if event.time > sub_bar.open_time], sub_bar)
        exits_inside(account, sub_bar)
        entered = orders_inside(account, sub_bar)
        exits_of_entered(account, sub_bar, entered)

    def pay(self, due: list[PaymentDue], sub_bar: SubBar) -> None:
        """Steps 1 and 4.1."""
        for event in due:
            mark = event.mark_price or sub_bar.mark[event.symbol].open
            self.account.pay(
                sub_bar.bar, event.time, event.symbol, event.kind, mark, event.rate
            )  # fmt: skip

    def closings_at_close(self, t: int, is_last: bool) -> None:
        """Step 5."""
        account, market = self.account, self.market
        for s in market.in_name_order:
            if is_last:
                reason = "end_of_data"
            elif market.listed[t][s] and not market.listed[t + 1][s]:
                reason = "delisted"
            else:
                continue
            if s in account.positions:
                account.close_position(at_close(market, t), s, market.close[t][s], reason)
            end(account, t, s, "dropped")

    def is_ruined_at_open(self, sub_bar: SubBar) -> bool:
        """Step 1, for an account that nobody liquidates."""
        marks = {s: candle.open for s, candle in sub_bar.mark.items()}
        return self.account.rules.margin.mode == "none" and self.account.equity_at(marks) <= 0

    def ruin(self, when: Moment, prices: dict[int, float]) -> None:
        """Steps 1 and 7: the end of trading at ``prices``."""
        account = self.account
        for s in account.held():
            account.close_position(when, s, prices[s], "ruin")
        for s in self.market.in_name_order:
            end(account, when.bar, s, "dropped")
        account.cover_what_is_missing()
        account.ruined_bar = when.bar
        account.last_equity = account.cash

    # Step 9

    def decisions_at_close(self, t: int) -> None:
        """Orders for the sub-bars to come."""
        for s in self.market.in_name_order:
            if self.market.listed[t + 1][s]:
                if self.rows.acts[t][s]:
                    self.decide(t, s)
                self.expire(t, s)
                self.stop_in_time(t, s)

    def target_of_row(self, t: int, s: int) -> float | None:
        """``g``; None when the row does nothing."""
        target, force = self.rows.target[t][s], self.account.force[s]
        style = "target" if self.rows.style is None else STYLES[self.rows.style[t][s]]
        q = self.account.quantity(s)
        if style == "target":
            return target
        if style == "add":
            return max(-1.0, min(1.0, force + target)) if force * target >= 0 else target
        pending = self.account.pending.get(s)
        side = 1 if style == "exit_long" else -1
        ends = side * q > 0 or (pending is not None and side * pending.target > 0)
        return 0.0 if ends else None

    def decide(self, t: int, s: int) -> None:
        """The target in force cancels what is pending, any other target replaces it."""
        rows, pending = self.rows, self.account.pending.get(s)
        g = self.target_of_row(t, s)
        if g is None:
            return
        if pending is not None and pending.filled_quantity > 0 and pending.target == g:
            return
        end(self.account, t, s, "cancelled")
        if g == self.account.force[s]:
            return
        kind = "market" if rows.order_kind is None else ORDER_KINDS[rows.order_kind[t][s]]
        given = {}
        if kind != "market" and rows.order_price is not None:
            given["price"] = rows.order_price[t][s]
        if rows.volatility is not None:
            given["volatility"] = rows.volatility[t][s]
        place(
            self.account, t, s, g, "exit", kind=kind, atr_frac=self.market.atr_frac[t][s], **given
        )  # fmt: skip

    def expire(self, t: int, s: int) -> None:
        """A limit or stop order has lived its bars."""
        lives, order = self.account.rules.exits.limit_bars, self.account.pending.get(s)
        if order is None or lives is None or order.kind == "market":
            return
        if t - order.decided_bar >= lives:
            end(self.account, t, s, "expired")

    def stop_in_time(self, t: int, s: int) -> None:
        """The time stop, unless the position is far enough in profit."""
        account, exits = self.account, self.account.rules.exits
        position = account.positions.get(s)
        if exits.time_stop_bars is None or position is None or s in account.pending:
            return
        if t - position.entry_bar + 1 < exits.time_stop_bars:
            return
        most = exits.time_stop_max_r
        if most is None or not gain_in_r(account, t, position) >= most:
            place(account, t, s, 0.0, "time_stop")

    def record_equity(self, t: int) -> None:
        """The row of the equity ledger, after step 7."""
        account, market = self.account, self.market
        signed = [
            account.quantity(s) * market.notional(market.mark_close[t][s]) for s in account.held()
        ]
        margin = account.rules.margin
        account.equity.append(
            EquityRow(
                time=market.close_time(t),
                equity=account.last_equity,
                cash=account.cash,
                gross_exposure=total(abs(x) for x in signed),
                net_exposure=total(signed),
                initial_margin=total(initial_margin(margin, abs(x)) for x in signed),
                maintenance_margin=total(maintenance(margin, abs(x)) for x in signed),
            )
        )
