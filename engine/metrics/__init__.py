"""Metrics of a replay: pure functions with stated conventions, NaN where undefined.

Conventions: 365 days a year; simple (arithmetic) returns from bar to bar, equity marked to market at
every close, compounding; the first return is measured from the initial cash, and returns are 0 once
equity is no longer positive; standard deviations with ddof 1; risk-free rate 0; fractions, not percent;
losses named as such (drawdown, value at risk) are positive; periods are of UTC. docs/metrics.md has the
table. One file is one group of it, the functions beside their rows.
"""

from typing import Final

from ..arrays import Float1D
from ..errors import ContractError
from ..panel import Panel
from ..replay import ReplayResult
from ..rules import ReplayRules
from .benchmark import METRICS as BENCHMARK_METRICS
from .benchmark import buy_and_hold
from .breakdowns import (
    LimitUse,
    TradeGroup,
    per_exit_reason,
    per_limit,
    per_side,
    per_symbol,
    trade_group,
)
from .costs import METRICS as COSTS_METRICS
from .distribution import METRICS as DISTRIBUTION_METRICS
from .drawdowns import DRAWDOWN_DTYPE, drawdown_periods, drawdowns, max_drawdown, worst_drawdowns
from .drawdowns import METRICS as DRAWDOWNS_METRICS
from .evaluation import Evaluation
from .events import METRICS as EVENTS_METRICS
from .exposure import METRICS as EXPOSURE_METRICS
from .metric import EQUITY_GROUPS, GROUPS, Metric
from .moments import (
    deviation_from_sums,
    kurtosis_from_sums,
    mean_from_sums,
    sharpe_from_sums,
    skew_from_sums,
    sortino_from_sums,
    volatility_from_sums,
)
from .page import metrics_table
from .periods import METRICS as PERIODS_METRICS
from .periods import PERIOD_RETURN_DTYPE, monthly_returns, period_returns, yearly_returns
from .returns import METRICS as RETURNS_METRICS
from .returns import annual_return, bar_returns, total_return
from .trades import METRICS as TRADES_METRICS

METRICS: Final[tuple[Metric, ...]] = (
    *RETURNS_METRICS,
    *DISTRIBUTION_METRICS,
    *PERIODS_METRICS,
    *DRAWDOWNS_METRICS,
    *BENCHMARK_METRICS,
    *EXPOSURE_METRICS,
    *COSTS_METRICS,
    *TRADES_METRICS,
    *EVENTS_METRICS,
)
"""Every metric of a run, in the order of the report."""


def metrics(
    result: ReplayResult, panel: Panel, rules: ReplayRules, benchmark: Float1D | None = None
) -> dict[str, float]:
    """Every metric of ``METRICS`` by name; NaN where undefined.

    ``benchmark`` is the equity ``(T,)`` of what the run is compared with, from the same initial cash;
    without it the metrics of that group are NaN. Raises ContractError when its length is not the panel's.
    """
    for name, equity in (("result.equity", result.equity), ("benchmark", benchmark)):
        if equity is not None and equity.shape != (len(panel),):
            raise ContractError(
                f"{name} has shape {equity.shape}, the panel has {len(panel)} bars: one number for each"
            )
    run = Evaluation(result, panel, rules, benchmark)
    return {metric.name: metric.compute(run) for metric in METRICS}


__all__ = [
    "DRAWDOWN_DTYPE",
    "EQUITY_GROUPS",
    "GROUPS",
    "METRICS",
    "PERIOD_RETURN_DTYPE",
    "Evaluation",
    "LimitUse",
    "Metric",
    "TradeGroup",
    "annual_return",
    "bar_returns",
    "buy_and_hold",
    "deviation_from_sums",
    "drawdown_periods",
    "drawdowns",
    "kurtosis_from_sums",
    "max_drawdown",
    "mean_from_sums",
    "metrics",
    "metrics_table",
    "monthly_returns",
    "per_exit_reason",
    "per_limit",
    "per_side",
    "per_symbol",
    "period_returns",
    "sharpe_from_sums",
    "skew_from_sums",
    "sortino_from_sums",
    "total_return",
    "trade_group",
    "volatility_from_sums",
    "worst_drawdowns",
    "yearly_returns",
]
