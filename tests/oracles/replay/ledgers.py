"""Section 6: the rows of the ledgers, and the trades that follow from fills and payments.

Rows carry the page's columns: times are int ns UTC, ``symbol`` is the column of the panel, phases,
reasons, kinds, statuses and limits are the page's words.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .arithmetic import total
from .market import Market


@dataclass(frozen=True)
class Fill:
    """One row of the fill ledger."""

    bar: int
    time: int
    symbol: int
    phase: str
    reason: str
    side: int
    is_maker: bool
    quantity: float
    reference_price: float
    price: float
    fee: float
    spread: float
    impact: float
    shortfall: float
    position_after: float
    cash_after: float
    trade: int
    order: int


@dataclass(frozen=True)
class OrderRow:
    """One row of the order ledger."""

    order: int
    decided_bar: int
    closed_bar: int
    symbol: int
    kind: str
    status: str
    limit: str
    target: float
    price: float
    wanted_notional: float
    granted_notional: float
    filled_quantity: float


@dataclass(frozen=True)
class Payment:
    """One row of the payment ledger."""

    bar: int
    time: int
    symbol: int
    kind: str
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
    spread: float
    impact: float
    funding: float
    borrow: float
    shortfall: float
    net_pnl: float
    return_frac: float
    initial_risk: float
    r_multiple: float
    mae_frac: float
    mfe_frac: float
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
    initial_margin: float
    maintenance_margin: float


@dataclass(frozen=True)
class OracleResult:
    """Everything that the page says a replay returns; ``ruined_bar`` is -1 without ruin."""

    fills: list[Fill]
    orders: list[OrderRow]
    payments: list[Payment]
    trades: list[Trade]
    equity: list[EquityRow]
    ruined_bar: int
    ambiguous_exits: int
    unresolved_bars: int


@dataclass(frozen=True)
class TradeMoney:
    """What a trade earned and cost; ``invested`` is the notional of its increasing fills."""

    gross_pnl: float
    fees: float
    funding: float
    borrow: float
    shortfall: float
    net_pnl: float
    invested: float
    return_frac: float


def money_of(market: Market, fills: Sequence[Fill], payments: Sequence[Payment]) -> TradeMoney:
    """The sums over one trade."""
    gross_pnl = -total(fill.side * fill.quantity * market.value(fill.price) for fill in fills)
    fees = total(fill.fee for fill in fills)
    funding = total(row.payment for row in payments if row.kind == "funding")
    borrow = total(row.payment for row in payments if row.kind == "borrow")
    shortfall = total(fill.shortfall for fill in fills)
    net_pnl = gross_pnl - fees + funding + borrow + shortfall
    invested = total(
        fill.quantity * market.notional(fill.price) for fill in fills if fill.side == fills[0].side
    )
    return TradeMoney(
        gross_pnl, fees, funding, borrow, shortfall, net_pnl, invested, net_pnl / invested
    )


def average_price(market: Market, fills: Sequence[Fill]) -> float:
    """Average price, weighted so that quantity times its notional is the notional of all fills."""
    quantity = total(fill.quantity for fill in fills)
    notional = total(fill.quantity * market.notional(fill.price) for fill in fills)
    return quantity / notional if market.is_inverse else notional / quantity


def excursions(market: Market, first: Fill, last: Fill) -> tuple[float, float]:
    """``mae_frac`` and ``mfe_frac``: how far the price went against and for the trade."""
    s, p, entry, end = first.symbol, first.price, first.bar, last.bar
    prices = [last.price]
    for t in range(entry + 1, end):
        if market.is_tradable(t, s):
            prices += [market.high[t][s], market.low[t][s]]
    if entry != end:
        if first.phase == "open" and first.time == market.open_time[entry]:
            prices += [market.high[entry][s], market.low[entry][s]]
        else:
            prices += [market.close[entry][s]]
        if market.is_tradable(end, s):
            prices += [market.open[end][s]]
            if last.phase == "close":
                prices += [market.high[end][s], market.low[end][s]]
    gains = [first.side * (x - p) / p for x in prices]
    losses = [-first.side * (x - p) / p for x in prices]
    return max(0.0, *losses), max(0.0, *gains)


def trades_of(
    market: Market,
    fills: Sequence[Fill],
    payments: Sequence[Payment],
    initial_risks: Mapping[int, float],
    ambiguous: Collection[int],
) -> list[Trade]:
    """The ledger of trades; ``initial_risks`` by trade, ``ambiguous`` are numbers of trades."""
    fills_of: list[list[Fill]] = [[] for _ in initial_risks]
    payments_of: list[list[Payment]] = [[] for _ in initial_risks]
    for fill in fills:
        fills_of[fill.trade].append(fill)
    for payment in payments:
        payments_of[payment.trade].append(payment)
    return [
        _trade(market, fills_of[n], payments_of[n], initial_risks[n], n in ambiguous)
        for n in range(len(initial_risks))
    ]


def _trade(
    market: Market,
    fills: Sequence[Fill],
    payments: Sequence[Payment],
    initial_risk: float,
    is_ambiguous: bool,
) -> Trade:
    first, last = fills[0], fills[-1]
    assert last.position_after == 0, "a trade ends flat"
    money = money_of(market, fills, payments)
    mae_frac, mfe_frac = excursions(market, first, last)
    return Trade(
        trade=first.trade,
        symbol=first.symbol,
        side=first.side,
        entry_bar=first.bar,
        exit_bar=last.bar,
        entry_time=first.time,
        exit_time=last.time,
        quantity=max(abs(fill.position_after) for fill in fills),
        entry_price=average_price(market, [fill for fill in fills if fill.side == first.side]),
        exit_price=average_price(market, [fill for fill in fills if fill.side != first.side]),
        gross_pnl=money.gross_pnl,
        fees=money.fees,
        spread=total(fill.spread for fill in fills),
        impact=total(fill.impact for fill in fills),
        funding=money.funding,
        borrow=money.borrow,
        shortfall=money.shortfall,
        net_pnl=money.net_pnl,
        return_frac=money.return_frac,
        initial_risk=initial_risk,
        r_multiple=money.net_pnl / initial_risk if initial_risk else math.nan,
        mae_frac=mae_frac,
        mfe_frac=mfe_frac,
        bars_held=last.bar - first.bar + 1,
        exit_reason=last.reason,
        is_ambiguous=is_ambiguous,
    )
