"""Trades and orders by what they have in common: symbol, side, exit reason, limit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..ledger import LIMITS, ORDER_STATUSES, REASONS
from ..panel import Panel
from ..replay import ReplayResult
from .ledger_sums import running_sum, trades_by_closing
from .trades import Trades, mean, profit_factor, win_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeGroup:
    """Trades of one kind: sums in settlement currency with the signs of the ledger, NaN as in METRICS."""

    label: str
    trades: int
    win_rate: float
    profit_factor: float
    net_pnl: float
    gross_pnl: float
    fees: float
    spread: float
    impact: float
    funding: float
    borrow: float
    shortfall: float
    mean_return_frac: float
    mean_r: float
    mean_bars_held: float
    mean_mae_frac: float
    mean_mfe_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """Orders whose size one limit decided, how many of them it rejected, and their notionals."""

    limit: str
    orders: int
    rejected: int
    wanted_notional: float
    granted_notional: float


def per_symbol(result: ReplayResult, panel: Panel) -> tuple[TradeGroup, ...]:
    """A group for every symbol of the panel, in its order; symbols without trades included."""
    return _groups(trades_by_closing(result), "symbol", enumerate(panel.symbols), keep_empty=True)


def per_side(result: ReplayResult) -> tuple[TradeGroup, ...]:
    """The groups ``long`` and ``short``."""
    return _groups(trades_by_closing(result), "side", ((1, "long"), (-1, "short")), keep_empty=True)


def per_exit_reason(result: ReplayResult) -> tuple[TradeGroup, ...]:
    """A group for every reason that ended a trade, in the order of ``REASONS``."""
    return _groups(trades_by_closing(result), "exit_reason", enumerate(REASONS), keep_empty=False)


def per_limit(result: ReplayResult) -> tuple[LimitUse, ...]:
    """A row for every limit that decided an order, in the order of ``LIMITS``."""
    rejected = ORDER_STATUSES.index("rejected")
    uses = []
    for code, limit in enumerate(LIMITS):
        orders = result.orders[result.orders["limit"] == code]
        if limit != "none" and len(orders):
            uses.append(
                LimitUse(
                    limit=limit,
                    orders=len(orders),
                    rejected=int((orders["status"] == rejected).sum()),
                    wanted_notional=float(orders["wanted_notional"].sum()),
                    granted_notional=float(orders["granted_notional"].sum()),
                )
            )
    return tuple(uses)


def _groups(
    trades: Trades, column: str, labels: Iterable[tuple[int, str]], *, keep_empty: bool
) -> tuple[TradeGroup, ...]:
    groups = (trade_group(label, trades[trades[column] == code]) for code, label in labels)
    return tuple(group for group in groups if keep_empty or group.trades)


def trade_group(label: str, trades: Trades) -> TradeGroup:
    """Sums and means of ``trades``, rows of ``TRADE_DTYPE``."""

    def over(function: Callable[[Any], Any], *columns: str) -> list[float]:
        return [float(function(trades[column].astype(np.float64))) for column in columns]

    net, gross, fees, spread, impact, funding, borrow, shortfall = over(
        running_sum,
        "net_pnl",
        "gross_pnl",
        "fees",
        "spread",
        "impact",
        "funding",
        "borrow",
        "shortfall",
    )
    return_frac, r, bars, mae, mfe = over(
        mean, "return_frac", "r_multiple", "bars_held", "mae_frac", "mfe_frac"
    )
    return TradeGroup(
        label=label,
        trades=len(trades),
        win_rate=win_rate(trades),
        profit_factor=profit_factor(trades),
        net_pnl=net,
        gross_pnl=gross,
        fees=fees,
        spread=spread,
        impact=impact,
        funding=funding,
        borrow=borrow,
        shortfall=shortfall,
        mean_return_frac=return_frac,
        mean_r=r,
        mean_bars_held=bars,
        mean_mae_frac=mae,
        mean_mfe_frac=mfe,
    )
