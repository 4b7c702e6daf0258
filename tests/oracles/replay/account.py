"""Section 2: cash, positions, and what a fill does to them. Everything that changes stands here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine import DAY_NS, ReplayRules, SymbolRules

from .arithmetic import sign, tick_down, tick_up, total
from .ledgers import EquityRow, Fill, OrderRow, Payment, TradeMoney, average_price, money_of
from .market import Market, SubBar

MOST_SLIP = 0.99
"""Beyond it a sale would have no price."""
TIER_DAYS = 30
"""Whole UTC days before the day of a fill whose fills make the volume of a fee tier."""


@dataclass(frozen=True)
class Moment:
    """When a fill happens."""

    bar: int
    time: int
    phase: str


def at_open(sub_bar: SubBar) -> Moment:
    """Steps 1 to 3."""
    return Moment(sub_bar.bar, sub_bar.open_time, "open")


def inside(sub_bar: SubBar) -> Moment:
    """Step 4."""
    return Moment(sub_bar.bar, sub_bar.open_time, "intrabar")


def at_close(market: Market, t: int) -> Moment:
    """Steps 5 and 7."""
    return Moment(t, market.close_time(t), "close")


@dataclass
class Position:
    """What is fixed or counted from an entry until the position is flat."""

    trade: int
    symbol: int
    side: int
    entry_bar: int
    order: int
    """The order that entered; what it fills later is part of the entry."""
    entered_after_open: bool
    """Inside a sub-bar, or at the open of a later one than the bar's first."""
    quantity: float = 0.0
    entry_quantity: float = 0.0
    wallet: float = 0.0
    best: float = math.nan
    risk: float | None = None
    stop: float | None = None
    stop_reason: str = "stop"
    take_profit: float | None = None
    rungs: list[tuple[float, float]] = field(default_factory=list)
    """Level and share of the rungs that have not been reached, nearest first."""
    fills: list[Fill] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


@dataclass
class Order:
    """A target that waits, and what its row of the ledger will say."""

    order: int
    symbol: int
    decided_bar: int
    target: float
    side: int
    """1 for an order that was placed to buy, -1 to sell."""
    kind: str
    price: float
    atr_frac: float
    volatility: float
    reason: str
    was_tradable: bool = False
    """Its first tradable sub-bar is over."""
    executed_bar: int | None = None
    """Bar of the last execution that left a remainder, which waits for the next bar."""
    limit: str = "none"
    wanted_notional: float = 0.0
    granted_notional: float = 0.0
    has_executed: bool = False
    filled_quantity: float = 0.0


@dataclass(frozen=True)
class ClosedTrade:
    """What the Kelly limit reads of a trade."""

    exit_bar: int
    money: TradeMoney


class Account:
    """One account for all symbols, and its ledgers."""

    def __init__(
        self, market: Market, rules: ReplayRules, symbol_rules: dict[str, SymbolRules]
    ) -> None:
        self.market = market
        self.rules = rules
        self.symbol_rules = [symbol_rules.get(name, SymbolRules()) for name in market.names]

        self.cash = float(rules.initial_cash)
        self.last_equity = self.cash
        self.peak = self.cash
        self.positions: dict[int, Position] = {}
        self.force = dict.fromkeys(market.in_name_order, 0.0)
        self.pending: dict[int, Order] = {}
        self.ruined_bar = -1

        self.fills: list[Fill] = []
        self.orders: list[OrderRow] = []
        self.orders_placed = 0
        self.payments: list[Payment] = []
        self.equity: list[EquityRow] = []
        self.closed_trades: list[ClosedTrade] = []
        self.initial_risks: dict[int, float] = {}
        self.ambiguous: list[int] = []

    # What is held

    def quantity(self, s: int) -> float:
        """``q[s]``."""
        return self.positions[s].quantity if s in self.positions else 0.0

    def held(self) -> list[int]:
        """Symbols with a position, in name order."""
        return [s for s in self.market.in_name_order if s in self.positions]

    def tick(self, s: int) -> float:
        """Tick size of symbol ``s``."""
        return self.symbol_rules[s].tick_size

    def lot(self, s: int) -> float:
        """Lot step of symbol ``s``."""
        return self.symbol_rules[s].lot_step

    def average_entry(self, position: Position) -> float:
        """The average entry price: of the fills that increased the position."""
        increasing = [fill for fill in position.fills if fill.side == position.side]
        return average_price(self.market, increasing)

    # Section 2: a fill

    def open_position(self, when: Moment, s: int, side: int, order: int) -> None:
        """Begin a trade; its first fill follows."""
        trade = len(self.initial_risks)
        self.initial_risks[trade] = 0.0
        is_later = when.phase == "intrabar" or when.time != self.market.open_time[when.bar]
        self.positions[s] = Position(trade, s, side, when.bar, order, is_later)

    def fill(
        self,
        when: Moment,
        s: int,
        d: float,
        ref: float,
        reason: str,
        *,
        is_maker: bool = False,
        not_worse_than: tuple[int, float] | None = None,
        order: int = -1,
    ) -> float:
        """Signed quantity ``d`` at reference price ``ref``; the price that was paid.

        ``not_worse_than`` is the side and the price of a marketable limit order.
        """
        slip, spread_frac, impact_frac, price = 0.0, 0.0, 0.0, ref
        if not is_maker:
            spread_frac, impact_frac = self.slip(when.bar, s, d)
            slip = min(spread_frac + impact_frac, MOST_SLIP)
            price = ref * (1 + sign(d) * slip)
            price = tick_up(price, self.tick(s)) if d > 0 else tick_down(price, self.tick(s))
        if not_worse_than is not None:
            side, limit = not_worse_than
            price = min(price, limit) if side > 0 else max(price, limit)
        fee = abs(d) * self.market.notional(price) * self.fee_rate(when.bar, is_maker)
        value = self.market.value
        slippage = abs(d) * abs(value(price) - value(ref))
        impact = slippage * impact_frac / (spread_frac + impact_frac) if slip else 0.0
        self.book(
            when, s, d, ref, price, reason, is_maker=is_maker, fee=fee, spread=slippage - impact,
            impact=impact, order=order,
        )  # fmt: skip
        return price

    def book(
        self,
        when: Moment,
        s: int,
        d: float,
        ref: float,
        price: float,
        reason: str,
        *,
        fee: float,
        is_maker: bool = False,
        spread: float = 0.0,
        impact: float = 0.0,
        shortfall: float = 0.0,
        leaves_nothing: bool = False,
        order: int = -1,
    ) -> None:
        """Move cash and position, and write the row.

        ``leaves_nothing`` says that cash is 0 afterwards but for rounding.
        """
        position = self.positions[s]
        before = position.quantity
        self.cash = self.cash - d * self.market.value(price) - fee + shortfall
        if leaves_nothing:
            self.cash = 0.0
        position.quantity = 0.0 if d == -before else before + d
        if sign(d) == position.side:
            leverage = self.rules.margin.leverage
            position.wallet += abs(d) * self.market.notional(price) / leverage
        else:
            position.wallet = position.wallet * abs(position.quantity) / abs(before)
        row = Fill(
            when.bar, when.time, s, when.phase, reason, sign(d), is_maker, abs(d), ref, price, fee,
            spread, impact, shortfall, position.quantity, self.cash, position.trade, order,
        )  # fmt: skip
        self.fills.append(row)
        position.fills.append(row)
        if position.quantity == 0:
            money = money_of(self.market, position.fills, position.payments)
            self.closed_trades.append(ClosedTrade(when.bar, money))
            del self.positions[s]
            self.force[s] = 0.0

    def close_position(
        self, when: Moment, s: int, ref: float, reason: str, *, is_maker: bool = False
    ) -> None:
        """A closing fill without an order."""
        self.fill(when, s, -self.quantity(s), ref, reason, is_maker=is_maker)

    def slip(self, t: int, s: int, d: float) -> tuple[float, float]:
        """``spread_frac`` and ``impact_frac``."""
        costs = self.rules.costs
        a = 0.0
        if costs.slippage_atr or costs.impact:
            a = self.market.true_range_before(t, s)
        spread_frac = costs.slippage_bps / 10_000 + costs.slippage_atr * a
        if not costs.impact:
            return spread_frac, 0.0
        assert self.market.volume is not None, "impact needs volume"
        volume = self.market.volume[t][s]
        share = min(1.0, abs(d) / volume) if volume else 1.0
        return spread_frac, costs.impact * a * math.sqrt(share)

    def fee_rate(self, t: int, is_maker: bool) -> float:
        """The rate of the account's fee tier in bar ``t``."""
        costs = self.rules.costs
        maker_bps, taker_bps = costs.maker_fee_bps, costs.taker_fee_bps
        if costs.fee_tiers:
            volume = self.volume_before(t)
            for tier in costs.fee_tiers:
                if tier.volume_from <= volume:
                    maker_bps, taker_bps = tier.maker_fee_bps, tier.taker_fee_bps
        return (maker_bps if is_maker else taker_bps) / 10_000

    def volume_before(self, t: int) -> float:
        """Notional of all fills of the whole days before the day of bar ``t``."""
        open_time = self.market.open_time
        today = open_time[t] // DAY_NS
        return total(
            fill.quantity * self.market.notional(fill.price)
            for fill in self.fills
            if today - TIER_DAYS <= open_time[fill.bar] // DAY_NS < today
        )

    # Payments

    def pay(self, t: int, time: int, s: int, kind: str, mark: float, rate: float) -> None:
        """Step 1: one settlement or one hour of borrowing; a zero position pays nothing."""
        position = self.positions.get(s)
        if position is None or (kind == "borrow" and position.quantity > 0):
            return
        q = position.quantity
        if kind == "borrow":
            payment = -abs(q) * self.market.notional(mark) * rate
        else:
            payment = -q * self.market.notional(mark) * rate
        self.cash = self.cash + payment
        position.wallet += payment
        row = Payment(t, time, s, kind, q, mark, rate, payment, position.trade)
        self.payments.append(row)
        position.payments.append(row)

    # Closes

    def equity_at(self, marks: Mapping[int, float]) -> float:
        """Step 6: cash and every position at its mark."""
        value = self.market.value
        return self.cash + total(self.quantity(s) * value(marks[s]) for s in self.held())

    def cover_what_is_missing(self) -> None:
        """Step 7: a negative cash becomes 0 by a shortfall in the last fill."""
        if self.cash < 0:
            last = self.fills[-1]
            missing = -self.cash
            self.cash = 0.0
            self.fills[-1] = replace(last, shortfall=last.shortfall + missing, cash_after=0.0)
