"""Funding and borrow: steps 1 and 4.1 of the order of events (accounting, 4)."""

from typing import Final

import numpy as np

from .._margin_kernel import value_kernel
from ..jit import inner_kernel
from ..simd import byte_at, number_at, whole_at
from ..timeframe import HOUR_NS
from .state import (
    BORROW,
    FUNDING,
    ISOLATED,
    account_at,
    event_at,
    payment_row_at,
    rules_at,
    slot_at,
)

NEVER: Final = 2**63 - 1
"""A time after all others."""


@inner_kernel
def pay_kernel(
    books: np.record, s: int, kind: int, time_ns: int, mark: float, rate: float, payment: float
) -> None:
    """Book a payment on the position of ``s``."""
    account, slot = account_at(books.account, 0), slot_at(books.slots, s)
    account.cash = account.cash + payment
    if kind == FUNDING:
        account.funding += payment
        slot.funding += payment
    else:
        account.borrow += payment
        slot.borrow += payment
    if rules_at(books.rules, 0).mode == ISOLATED:
        slot.wallet += payment
    if account.keeps_rows:
        row = payment_row_at(books.payments, account.payments)
        row.bar = account.bar
        row.time_ns = time_ns
        row.symbol = s
        row.kind = kind
        row.position = slot.position
        row.mark_price = mark
        row.rate = rate
        row.payment = payment
        row.trade = slot.trade
    account.payments += 1
    account.has_moved = 1


@inner_kernel
def borrow_kernel(books: np.record, market: np.record, time_ns: int) -> None:
    """One hour of borrowing for every short position, in name order."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    sub = (time_ns - market.start) // market.sub_step
    bar = sub // market.sub_count
    for k in range(account.held):
        s = whole_at(books.held_symbols, k)
        quantity = slot_at(books.slots, s).position
        if quantity < 0.0:
            mark = number_at(market.sub_mark_open, sub * market.symbols + s)
            cell = bar * market.symbols + s
            if market.is_unresolved != 0 and byte_at(market.is_unresolved, cell):
                is_first = sub == bar * market.sub_count
                mark = number_at(market.mark_open if is_first else market.mark_close, cell)
            unit = abs(value_kernel(mark, rules.is_inverse != 0))
            payment = -abs(quantity) * unit * rules.borrow_rate
            pay_kernel(books, s, BORROW, time_ns, mark, rules.borrow_rate, payment)


@inner_kernel
def payments_kernel(books: np.record, market: np.record, before: int) -> None:
    """Make the payments with ``time < before`` that are not made yet: by time, funding before borrow."""
    account = account_at(books.account, 0)
    while True:
        funding_time = NEVER
        if account.event < market.event_count:
            funding_time = event_at(market.events, account.event).time_ns
        account.next_payment = min(funding_time, account.borrow_time)
        if account.next_payment >= before:
            return
        if account.borrow_time < funding_time:
            borrow_kernel(books, market, account.borrow_time)
            account.borrow_time += HOUR_NS
            continue
        event = event_at(market.events, account.event)
        account.event += 1
        s = event.symbol
        quantity = slot_at(books.slots, s).position
        if quantity != 0.0:
            unit = abs(value_kernel(event.mark_price, rules_at(books.rules, 0).is_inverse != 0))
            payment = -quantity * unit * event.rate
            pay_kernel(books, s, FUNDING, funding_time, event.mark_price, event.rate, payment)
