"""What a sweep keeps of a replay: one record, from the ledgers of a run or from its account alone."""

from typing import Any

import numpy as np

from ._sweep.tables import TOTALS_DTYPE
from .arrays import Float1D, Records1D
from .ledger import PAYMENT_KINDS, REASONS
from .metrics.costs import fill_notionals
from .metrics.drawdowns import max_drawdown
from .metrics.ledger_sums import running_sum, trades_by_closing
from .replay import ReplayResult
from .rules import ReplayRules

_OF_ACCOUNT = {
    "fees": "fees", "spread": "spread", "impact": "impact", "funding": "funding",
    "borrow": "borrow", "shortfall": "shortfall", "traded_notional": "traded",
    "gross_wins": "win_pnl", "gross_losses": "loss_pnl", "trades": "trades", "wins": "wins",
    "bars_in_position": "bars_in_position", "ambiguous_exits": "ambiguous_exits",
    "liquidations": "liquidations", "ruined_bar": "ruined_bar",
}  # fmt: skip
"""Totals by the field of the account that holds them at the end."""


def run_totals(result: ReplayResult, rules: ReplayRules) -> Any:
    """The totals of a single run under ``rules``, as a sweep states them (``SweepResult.totals``)."""
    fills, trades, payments = result.fills, result.trades, result.payments
    totals = np.zeros((), dtype=TOTALS_DTYPE)
    for column in ("fees", "spread", "impact", "shortfall"):
        totals[column] = running_sum(fills["fee" if column == "fees" else column])
    totals["traded_notional"] = running_sum(fill_notionals(fills, rules.margin.contract))
    for kind, column in enumerate(PAYMENT_KINDS):
        totals[column] = running_sum(payments["payment"][payments["kind"] == kind])
    net_pnl = trades_by_closing(result)["net_pnl"]
    totals["trades"], totals["wins"] = len(trades), np.count_nonzero(net_pnl > 0)
    totals["gross_wins"] = running_sum(net_pnl[net_pnl > 0])
    totals["gross_losses"] = running_sum(-net_pnl[~(net_pnl > 0)])
    totals["bars_in_position"] = np.count_nonzero(result.gross_exposure)
    totals["ambiguous_exits"] = result.ambiguous_exits
    totals["liquidations"] = np.count_nonzero(trades["exit_reason"] == REASONS.index("liquidation"))
    totals["ruined_bar"] = result.ruined_bar
    totals["final_equity"] = result.equity[-1]
    totals["max_drawdown"] = max_drawdown(result.equity, rules.initial_cash)
    return totals[()]


def account_totals(account: Records1D, equity: Float1D, rules: ReplayRules) -> Any:
    """The same totals of a replay that wrote no ledgers, from its account after the last bar."""
    totals = np.zeros((), dtype=TOTALS_DTYPE)
    for column, field in _OF_ACCOUNT.items():
        totals[column] = account[field][0]
    totals["final_equity"] = equity[-1]
    totals["max_drawdown"] = max_drawdown(equity, rules.initial_cash)
    return totals[()]
