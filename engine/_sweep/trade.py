"""The account and the only position of a configuration as values, and what a fill makes of them.

``fills.book_kernel`` does the same in records, which every store to memory might change; values stay
in registers, and a bar can be tried: what it makes of them is dropped where it needs the general path.
"""

from typing import Final, NamedTuple

import numpy as np

from ..jit import inner_kernel
from ..simd import either
from .fills import levels_kernel
from .tables import slot_at


class Account(NamedTuple):
    """Cash and the totals so far (``TOTALS_DTYPE``)."""

    cash: float
    fees: float
    spread: float
    funding: float
    traded_notional: float
    gross_wins: float
    gross_losses: float
    trades: int
    wins: int
    bars_in_position: int
    ambiguous_exits: int


class Position(NamedTuple):
    """The position and its trade (``SLOT_DTYPE``); a quantity of 0 is none."""

    quantity: float
    stop: float
    take_profit: float
    gross_pnl: float
    fees: float
    funding: float
    entry_bar: int


NOTHING: Final = Position(0.0, np.nan, np.nan, 0.0, 0.0, 0.0, -1)


@inner_kernel(inlined=True)
def take_kernel(work: np.record, totals: np.record) -> tuple[Account, Position]:
    """Account and position from the records."""
    slot = slot_at(work.slots, 0)
    account = Account(
        work.cash, totals.fees, totals.spread, totals.funding, totals.traded_notional,
        totals.gross_wins, totals.gross_losses, totals.trades, totals.wins,
        totals.bars_in_position, totals.ambiguous_exits,
    )  # fmt: skip
    position = Position(
        slot.position, slot.stop, slot.take_profit, slot.gross_pnl, slot.fees, slot.funding,
        slot.entry_bar,
    )  # fmt: skip
    return account, position


@inner_kernel(inlined=True)
def put_back_kernel(
    work: np.record, totals: np.record, account: Account, position: Position
) -> None:
    """Account and position into the records."""
    slot = slot_at(work.slots, 0)
    work.cash = account.cash
    totals.fees, totals.spread = account.fees, account.spread
    totals.funding, totals.traded_notional = account.funding, account.traded_notional
    totals.gross_wins, totals.gross_losses = account.gross_wins, account.gross_losses
    totals.trades, totals.wins = account.trades, account.wins
    totals.bars_in_position = account.bars_in_position
    totals.ambiguous_exits = account.ambiguous_exits
    slot.position, slot.entry_bar = position.quantity, position.entry_bar
    slot.stop, slot.take_profit = position.stop, position.take_profit
    slot.gross_pnl, slot.fees, slot.funding = position.gross_pnl, position.fees, position.funding
    work.held = 1 if position.quantity != 0.0 else 0


@inner_kernel(inlined=True)
def opened_kernel(
    account: Account,
    t: int,
    side: float,
    notional: float,
    reference: float,
    atr_frac: float,
    rules: np.record,
) -> tuple[Account, Position]:
    """Account and position after a fill that opens ``notional`` in bar ``t``."""
    quantity = side * notional / reference
    size = abs(quantity)
    price = reference * (1.0 + side * rules.slip)
    fee = size * price * rules.taker_rate
    stop, take_profit = levels_kernel(side, price, atr_frac, rules)
    after = Account(
        account.cash - quantity * price - fee,
        account.fees + fee,
        account.spread + size * abs(price - reference),
        account.funding,
        account.traded_notional + size * price,
        account.gross_wins,
        account.gross_losses,
        account.trades,
        account.wins,
        account.bars_in_position,
        account.ambiguous_exits,
    )
    return after, Position(quantity, stop, take_profit, -(quantity * price), fee, 0.0, t)


@inner_kernel(inlined=True)
def closed_kernel(
    account: Account,
    position: Position,
    reference: float,
    slip: float,
    fee_rate: float,
    is_ambiguous: bool,
) -> Account:
    """The account after a fill that closes the position."""
    quantity = -position.quantity
    size = abs(quantity)
    side = either(quantity > 0.0, 1.0, -1.0)
    price = reference * (1.0 + side * slip)
    fee = size * price * fee_rate
    net_pnl = (position.gross_pnl - quantity * price) - (position.fees + fee) + position.funding
    wins = net_pnl > 0.0
    return Account(
        account.cash - quantity * price - fee,
        account.fees + fee,
        account.spread + size * abs(price - reference),
        account.funding,
        account.traded_notional + size * price,
        account.gross_wins + either(wins, net_pnl, 0.0),
        account.gross_losses + either(wins, 0.0, -net_pnl),
        account.trades + 1,
        account.wins + wins,
        account.bars_in_position,
        account.ambiguous_exits + is_ambiguous,
    )


@inner_kernel(inlined=True)
def exit_kernel(
    account: Account,
    position: Position,
    open_: float,
    high: float,
    low: float,
    rules: np.record,
) -> tuple[Account, bool]:
    """Stop and target on the prices of a (sub-)bar: the account after it, and whether one was
    filled (accounting, 3.2 and 4.2).

    Prices times the side compare as those of a long do; nothing here is a branch but the sums.
    """
    is_long = position.quantity > 0.0
    side = either(is_long, 1.0, -1.0)
    stop, target = side * position.stop, side * position.take_profit
    opening = side * open_
    worst, best = side * either(is_long, low, high), side * either(is_long, high, low)
    by_limit = rules.takes_profit_by_limit != 0.0
    gaps = opening <= stop
    opens_beyond = (opening > target) | ((opening == target) & (not by_limit))
    stops = worst <= stop
    reaches = (best > target) | ((best == target) & (not by_limit))
    is_target = (not gaps) & (opens_beyond | ((not stops) & reaches))
    if not (gaps | opens_beyond | stops | reaches):
        return account, False
    is_resting = is_target & by_limit
    at_open = gaps | (opens_beyond & (not by_limit))
    level = either(is_target, position.take_profit, position.stop)
    after = closed_kernel(
        account,
        position,
        either(at_open, open_, level),
        either(is_resting, 0.0, rules.slip),
        either(is_resting, rules.maker_rate, rules.taker_rate),
        (not gaps) & (not opens_beyond) & stops & reaches,
    )
    return after, True
