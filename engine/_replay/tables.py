"""From the kernels' ledgers to those of a result, and what follows from them on demand."""

from dataclasses import dataclass

import numpy as np

from .._excursions_kernel import TradeSpans, excursions_kernel
from .._margin_kernel import tier_table
from ..arrays import Bool2D, Float2D, Int1D, Records1D
from ..ledger import AccountColumns
from ..rules import ReplayRules
from .columns import account_columns_kernel
from .prepare import PreparedMarket, rules_record
from .state import PHASE_INTRABAR, Ledgers, Prices


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """The ledgers of a replay, and of its rules and market what else follows from them.

    ``ledgers`` name symbols by column of the panel and cannot be written to; their trades lack the
    excursions. ``open_time`` ``(T,)``; ``bars``, ``mark_close``, ``is_gap`` ``(T, S)`` in name order, and
    ``order``, the panel's column for each name.
    """

    ledgers: Ledgers
    rules: ReplayRules
    order: Int1D
    open_time: Int1D
    bars: Prices
    mark_close: Float2D
    is_gap: Bool2D
    sub_step: int

    def trades(self) -> Records1D:
        """The trades with their excursions."""
        fills, trades = self.ledgers.fills, self.ledgers.trades.copy()
        first = np.zeros(len(trades), dtype=np.int64)
        last = np.zeros(len(trades), dtype=np.int64)
        rows = np.arange(len(fills))
        first[fills["trade"][::-1]] = rows[::-1]
        last[fills["trade"]] = rows
        spans = TradeSpans(
            symbol=self._ranks()[trades["symbol"]],
            side=trades["side"].copy(),
            entry_bar=trades["entry_bar"].copy(),
            exit_bar=trades["exit_bar"].copy(),
            # At the open of a later sub-bar part of the bar has passed already.
            entry_phase=np.where(
                trades["entry_time_ns"] == self.open_time[trades["entry_bar"]],
                fills["phase"][first],
                PHASE_INTRABAR,
            ).astype(np.int8),
            exit_phase=fills["phase"][last],
            entry_price=fills["price"][first],
            exit_price=fills["price"][last],
        )
        adverse, favourable = np.zeros(len(trades)), np.zeros(len(trades))
        excursions_kernel(spans, *self.bars, ~self.is_gap, adverse, favourable)
        trades["mae_frac"], trades["mfe_frac"] = adverse, favourable
        trades.flags.writeable = False
        return trades

    def account(self) -> AccountColumns:
        """The account's columns besides its equity."""
        bars = len(self.mark_close)
        columns = AccountColumns(*(np.empty(bars) for _ in AccountColumns._fields))
        account_columns_kernel(
            self.ledgers.fills,
            self.ledgers.payments,
            self._ranks(),
            self.mark_close,
            self.sub_step,
            rules_record(self.rules),
            tier_table(self.rules.margin.tiers),
            columns,
        )
        return columns

    def _ranks(self) -> Int1D:
        ranks = np.empty(len(self.order), dtype=np.int64)
        ranks[self.order] = np.arange(len(self.order))
        return ranks


def replayed(
    written: Ledgers, account: Records1D, prepared: PreparedMarket, rules: ReplayRules
) -> Replayed:
    """The rows that were written, with symbols by column of the panel."""
    ledgers = Ledgers(
        *(getattr(written, name)[: int(account[name][0])] for name in Ledgers._fields)
    )
    for ledger in ledgers:
        if (np.diff(prepared.order) < 0).any():
            ledger["symbol"] = prepared.order[ledger["symbol"]]
        ledger.flags.writeable = False
    market = prepared.market
    return Replayed(
        ledgers=ledgers,
        rules=rules,
        order=prepared.order,
        open_time=market.open_time,
        bars=market.bars,
        mark_close=market.marks.close,
        is_gap=market.is_gap,
        sub_step=market.sub_step,
    )
