"""What trading cost, in total and against what it earned, and how much cash the volume would bear.

Fees, spread and impact are paid when positive; funding and borrow are received when positive.
"""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..arrays import Float1D
from ..ledger import PAYMENT_KINDS
from ..rules import Contract
from .ledger_sums import running_sum
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation

CAPACITY_SHARE: Final = 0.01
"""Share of a bar's volume that ``capacity`` allows an account to take."""
CAPACITY_QUANTILE: Final = 0.95


def fill_notionals(fills: np.ndarray[Any, Any], contract: Contract) -> Float1D:
    """Notional of each fill in settlement currency: quantity × price, inverse: × 1 / price."""
    units = fills["price"] if contract == "linear" else 1.0 / fills["price"]
    notionals: Float1D = fills["quantity"] * units
    return notionals


def filled(run: "Evaluation", column: str) -> float:
    """Total of one column of the fill ledger."""
    return running_sum(run.result.fills[column])


def traded_notional(run: "Evaluation") -> float:
    """Notional of all fills together."""
    return running_sum(fill_notionals(run.result.fills, run.rules.margin.contract))


def payments(run: "Evaluation", kind: str) -> float:
    """Received less paid of one kind, ``funding`` or ``borrow``."""
    rows = run.result.payments
    return running_sum(rows["payment"][rows["kind"] == PAYMENT_KINDS.index(kind)])


def trading_costs(run: "Evaluation") -> float:
    """Fees, spread and impact of all fills."""
    return filled(run, "fee") + filled(run, "spread") + filled(run, "impact")


def profit(run: "Evaluation") -> float:
    """Last equity less initial cash, less what the venue's fund bore of it."""
    return float(run.equity[-1]) - run.initial_cash - filled(run, "shortfall")


def profit_before_costs(run: "Evaluation") -> float:
    """What the same fills at their reference prices earn without fees, funding and borrow."""
    return profit(run) + trading_costs(run) - payments(run, "funding") - payments(run, "borrow")


def turnover(run: "Evaluation") -> float:
    """Traded notional ÷ mean equity ÷ years."""
    mean_equity = float(run.equity.mean())
    return traded_notional(run) / mean_equity / run.years if mean_equity > 0 else math.nan


def cost_share(run: "Evaluation") -> float:
    """Costs ÷ profit before costs; NaN when that is not positive."""
    before = profit_before_costs(run)
    return (before - profit(run)) / before if before > 0 else math.nan


def break_even_cost_bps(run: "Evaluation") -> float:
    """Fees, spread and impact, in bps of the notional, at which the fills earn 0; NaN without fills."""
    notional = traded_notional(run)
    earned = profit(run) + trading_costs(run)
    return earned / notional * 10_000 if notional > 0 else math.nan


def capacity(run: "Evaluation") -> float:
    """Initial cash with which 95 % of the (bar, symbol) pairs that fill take at most 1 % of the volume.

    Sizes are taken to grow with the cash and fills to stay where they are. The quantile is the smallest
    value that 95 % do not exceed. NaN without volume or without fills.
    """
    fills, volume = run.result.fills, run.panel.volume
    if volume is None or not len(fills):
        return math.nan
    cells = fills["bar"] * volume.shape[1] + fills["symbol"]
    traded, index = np.unique(cells, return_inverse=True)
    taken = np.bincount(index, weights=fills["quantity"])
    available = volume.reshape(-1)[traded]
    part = np.full(len(taken), np.inf)
    np.divide(taken, available, out=part, where=available > 0)
    usual = float(np.quantile(part, CAPACITY_QUANTILE, method="inverted_cdf"))
    return run.initial_cash * CAPACITY_SHARE / usual


METRICS: Final = (
    Metric(
        "return_before_costs", "costs", "fraction",
        "profit of the same fills at their reference prices, without fees, funding, borrow and shortfall, "
        "÷ initial cash",
        lambda run: profit_before_costs(run) / run.initial_cash,
    ),
    Metric(
        "fees", "costs", "settlement currency paid", "to the venue, liquidation fees included",
        lambda run: filled(run, "fee"),
    ),
    Metric(
        "spread", "costs", "settlement currency paid", "inside the fill prices",
        lambda run: filled(run, "spread"),
    ),
    Metric(
        "impact", "costs", "settlement currency paid", "inside the fill prices",
        lambda run: filled(run, "impact"),
    ),
    Metric(
        "funding", "costs", "settlement currency received", "received less paid",
        lambda run: payments(run, "funding"),
    ),
    Metric(
        "borrow", "costs", "settlement currency received", "minus what short positions paid",
        lambda run: payments(run, "borrow"),
    ),
    Metric(
        "shortfall", "costs", "settlement currency received",
        "losses beyond the margin or the account, borne by the venue's fund",
        lambda run: filled(run, "shortfall"),
    ),
    Metric("turnover", "costs", "per year", "traded notional ÷ mean equity ÷ years", turnover),
    Metric(
        "cost_share", "costs", "fraction",
        "fees, spread, impact, funding and borrow ÷ profit before them; NaN when there is none", cost_share,
    ),
    Metric(
        "break_even_cost", "costs", "bps",
        "fees, spread and impact, of the traded notional, at which the same fills would earn nothing; "
        "negative: they lose without any",
        break_even_cost_bps,
    ),
    Metric(
        "capacity", "costs", "settlement currency",
        "initial cash with which 95 % of the (bar, symbol) pairs with fills take at most 1 % of the bar's "
        "volume, sizes growing with cash; NaN without volume",
        capacity,
    ),
)  # fmt: skip
