"""From the kernels' ledgers to those of a result: rows in use, columns of the panel, excursions."""

import numpy as np

from .._excursions_kernel import TradeSpans, excursions_kernel
from ..arrays import Records1D
from .prepare import PreparedMarket
from .state import Ledgers


def finished_ledgers(written: Ledgers, account: Records1D, prepared: PreparedMarket) -> Ledgers:
    """The rows that were written, with symbols by column of the panel."""
    ledgers = Ledgers(
        *(getattr(written, name)[: int(account[name][0])] for name in Ledgers._fields)
    )
    _add_excursions(ledgers, prepared)
    if (np.diff(prepared.order) < 0).any():
        for ledger in ledgers:
            ledger["symbol"] = prepared.order[ledger["symbol"]]
    return ledgers


def _add_excursions(ledgers: Ledgers, prepared: PreparedMarket) -> None:
    fills, trades, market = ledgers.fills, ledgers.trades, prepared.market
    first = np.zeros(len(trades), dtype=np.int64)
    last = np.zeros(len(trades), dtype=np.int64)
    rows = np.arange(len(fills))
    first[fills["trade"][::-1]] = rows[::-1]
    last[fills["trade"]] = rows
    spans = TradeSpans(
        symbol=trades["symbol"].copy(),
        side=trades["side"].copy(),
        entry_bar=trades["entry_bar"].copy(),
        exit_bar=trades["exit_bar"].copy(),
        entry_phase=fills["phase"][first],
        exit_phase=fills["phase"][last],
        entry_price=fills["price"][first],
        exit_price=fills["price"][last],
    )
    adverse, favourable = np.zeros(len(trades)), np.zeros(len(trades))
    excursions_kernel(spans, *market.bars, ~market.is_gap, adverse, favourable)
    trades["mae_frac"], trades["mfe_frac"] = adverse, favourable
