"""Decisions at the close: step 9 of the order of events (accounting, 4)."""

from typing import Any, Final

import numpy as np

from ..decisions import STYLES
from ..jit import inner_kernel
from ..simd import byte_at, number_at, whole_at
from .orders import end_order_kernel, place_order_kernel
from .state import (
    CANCELLED,
    EXIT,
    EXPIRED,
    MARKET,
    NONE,
    TIME_STOP,
    account_at,
    rules_at,
    slot_at,
)

ADD: Final = STYLES.index("add")
EXIT_LONG: Final = STYLES.index("exit_long")
EXIT_SHORT: Final = STYLES.index("exit_short")


@inner_kernel
def decision_kernel(books: np.record, decided: np.record, row: int, s: int) -> None:
    """What the deciding row wants of symbol ``s``."""
    slot = slot_at(books.slots, s)
    held = slot.position
    style = np.int64(byte_at(decided.style, row))
    target = number_at(decided.target, row)
    kind: Any = np.int64(byte_at(decided.order_kind, row))
    if style == ADD:
        if slot.force * target >= 0.0:
            target = min(max(slot.force + target, -1.0), 1.0)
    elif style in (EXIT_LONG, EXIT_SHORT):
        side = 1.0 if style == EXIT_LONG else -1.0
        if side * held <= 0.0 and (slot.order == NONE or side * slot.target <= 0.0):
            return
        target = 0.0
    if slot.order != NONE and slot.filled > 0.0 and target == slot.target:
        return
    end_order_kernel(books, s, CANCELLED)
    if target != slot.force:
        place_order_kernel(
            books, s, target, kind, number_at(decided.order_price, row),
            number_at(decided.atr_frac, row), number_at(decided.volatility, row), EXIT,
        )  # fmt: skip


@inner_kernel
def expiry_kernel(books: np.record, s: int, t: int, close: float) -> None:
    """The ends that come with time: of a resting order, then of a position."""
    rules, slot = rules_at(books.rules, 0), slot_at(books.slots, s)
    if (
        slot.order != NONE
        and slot.kind != MARKET
        and rules.limit_bars > 0
        and t - slot.decided_bar >= rules.limit_bars
    ):
        end_order_kernel(books, s, EXPIRED)
    held = slot.position
    if slot.order != NONE or held == 0.0 or rules.time_stop_bars == 0:
        return
    if t - slot.entry_bar + 1 < rules.time_stop_bars:
        return
    side = 1.0 if held > 0.0 else -1.0
    progress = side * (close - slot.entry_price) / slot.risk
    if not progress >= rules.time_stop_max_r:
        place_order_kernel(books, s, 0.0, MARKET, 0.0, 0.0, 0.0, TIME_STOP)


@inner_kernel
def decide_kernel(books: np.record, market: np.record, decided: np.record, t: int) -> None:
    """Step 9 at the close of bar ``t``: every symbol that is listed in the next bar, in name order."""
    rules, account = rules_at(books.rules, 0), account_at(books.account, 0)
    symbols = books.symbols
    if rules.limit_bars == 0 and rules.time_stop_bars == 0:
        while (
            account.row < decided.row_count
            and whole_at(decided.cell, account.row) < (t + 1) * symbols
        ):
            s = whole_at(decided.cell, account.row) - t * symbols
            if byte_at(market.listed, (t + 1) * market.symbols + s):
                decision_kernel(books, decided, account.row, s)
            account.row += 1
        return
    for s in range(symbols):
        is_deciding = (
            account.row < decided.row_count
            and whole_at(decided.cell, account.row) == t * symbols + s
        )
        if byte_at(market.listed, (t + 1) * market.symbols + s):
            if is_deciding:
                decision_kernel(books, decided, account.row, s)
            expiry_kernel(books, s, t, number_at(market.close, t * market.symbols + s))
        if is_deciding:
            account.row += 1
