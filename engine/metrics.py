"""Metrics of a replay: pure functions with stated conventions, NaN where undefined.

Conventions: 365 days a year; simple (arithmetic) returns from bar to bar, equity marked to market at
every close, compounding; the first return is measured from the initial cash; standard deviations
with ddof 1; risk-free rate 0; fractions, not percent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .arrays import Float1D
from .panel import Panel
from .replay import ReplayResult, ReplayRules
from .timeframe import DAY_NS, DAYS_PER_YEAR, bars_per_year

LARGEST_EXPONENT: Final = 700.0
"""Above it the exponential function leaves the range of a float."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the metrics table: name, unit, what it means, and the function."""

    name: str
    unit: str
    text: str
    compute: Callable[[ReplayResult, Panel, ReplayRules], float]


def bar_returns(equity: Float1D, initial_cash: float) -> Float1D:
    """Simple return of every bar, ``(T,)``; 0 once equity is no longer positive."""
    before = np.concatenate(([initial_cash], equity[:-1]))
    return np.where(before > 0, equity / np.where(before > 0, before, 1.0) - 1.0, 0.0)


def total_return(equity: Float1D, initial_cash: float) -> float:
    """Last equity over initial cash, less 1."""
    return float(equity[-1] / initial_cash - 1.0)


def annual_return(equity: Float1D, initial_cash: float, years: float) -> float:
    """Compound annual growth rate; NaN when equity ends at or below zero or no float can hold it."""
    ratio = float(equity[-1] / initial_cash)
    if not (ratio > 0 and years > 0):
        return math.nan
    growth = math.log(ratio) / years
    return math.expm1(growth) if growth < LARGEST_EXPONENT else math.nan


def annual_volatility(returns: Float1D, periods: float) -> float:
    """Standard deviation of returns times the square root of periods per year."""
    return float(returns.std(ddof=1) * math.sqrt(periods)) if len(returns) > 1 else math.nan


def sharpe_ratio(returns: Float1D, periods: float) -> float:
    """Mean over standard deviation of returns, annualised; NaN when they do not vary."""
    deviation = returns.std(ddof=1) if len(returns) > 1 else 0.0
    return float(returns.mean() / deviation * math.sqrt(periods)) if deviation > 0 else math.nan


def sortino_ratio(returns: Float1D, periods: float) -> float:
    """Mean over the root mean square of the negative returns (over all bars), annualised."""
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean() / downside * math.sqrt(periods)) if downside > 0 else math.nan


def drawdowns(equity: Float1D, initial_cash: float) -> Float1D:
    """Fraction below the highest equity so far, initial cash included, ``(T,)``, 0 or positive."""
    peak = np.maximum(np.maximum.accumulate(equity), initial_cash)
    return 1.0 - equity / peak


def max_drawdown(equity: Float1D, initial_cash: float) -> float:
    """Largest fraction lost from a peak."""
    return float(drawdowns(equity, initial_cash).max())


def longest_drawdown_bars(equity: Float1D, initial_cash: float) -> float:
    """Most bars in a row below a former peak."""
    longest = current = 0
    for depth in drawdowns(equity, initial_cash):
        current = current + 1 if depth > 0 else 0
        longest = max(longest, current)
    return float(longest)


def buy_and_hold(panel: Panel, initial_cash: float) -> Float1D:
    """Equity of equal parts of every symbol bought at its first listed open, ``(T,)``, without costs."""
    shares = np.zeros(len(panel.symbols))
    first = panel.listed.argmax(axis=0)
    for symbol, row in enumerate(first):
        shares[symbol] = initial_cash / len(panel.symbols) / panel.open[row, symbol]
    started = np.arange(len(panel))[:, None] >= first[None, :]
    values = np.where(started, shares * panel.close, initial_cash / len(panel.symbols))
    total: Float1D = values.sum(axis=1)
    return total


def _years(panel: Panel) -> float:
    return len(panel) * panel.step_ns / (DAYS_PER_YEAR * DAY_NS)


def _returns(result: ReplayResult, rules: ReplayRules) -> Float1D:
    return bar_returns(result.equity, rules.initial_cash)


def _of_trades(function: Callable[[Float1D], float]) -> Callable[..., float]:
    def compute(result: ReplayResult, _panel: Panel, _rules: ReplayRules) -> float:
        net = result.trades["net_pnl"]
        return float(function(net)) if len(net) else math.nan

    return compute


def _profit_factor(net: Float1D) -> float:
    lost = -net[net < 0].sum()
    return float(net[net > 0].sum() / lost) if lost > 0 else math.nan


def _payoff(net: Float1D) -> float:
    wins, losses = net[net > 0], net[net < 0]
    return float(wins.mean() / -losses.mean()) if len(wins) and len(losses) else math.nan


def _mean_bars_held(result: ReplayResult, _panel: Panel, _rules: ReplayRules) -> float:
    return float(result.trades["bars_held"].mean()) if len(result.trades) else math.nan


def _calmar(result: ReplayResult, panel: Panel, rules: ReplayRules) -> float:
    depth = max_drawdown(result.equity, rules.initial_cash)
    growth = annual_return(result.equity, rules.initial_cash, _years(panel))
    return growth / depth if depth > 0 else math.nan


def _mean_gross_exposure(result: ReplayResult, _panel: Panel, _rules: ReplayRules) -> float:
    alive = result.equity > 0
    return (
        float((result.gross_exposure[alive] / result.equity[alive]).mean())
        if alive.any()
        else math.nan
    )


def _turnover(result: ReplayResult, panel: Panel, _rules: ReplayRules) -> float:
    traded = float((result.fills["quantity"] * result.fills["price"]).sum())
    mean_equity = float(result.equity.mean())
    return traded / mean_equity / _years(panel) if mean_equity > 0 else math.nan


METRICS: Final[tuple[Metric, ...]] = (
    Metric("total_return", "fraction", "last equity / initial cash - 1",
           lambda r, p, k: total_return(r.equity, k.initial_cash)),
    Metric("annual_return", "fraction", "compound annual growth rate, 365 days",
           lambda r, p, k: annual_return(r.equity, k.initial_cash, _years(p))),
    Metric("annual_volatility", "fraction", "of bar returns, ddof 1",
           lambda r, p, k: annual_volatility(_returns(r, k), bars_per_year(p.timeframe))),
    Metric("sharpe", "ratio", "of bar returns, annualised, risk-free rate 0",
           lambda r, p, k: sharpe_ratio(_returns(r, k), bars_per_year(p.timeframe))),
    Metric("sortino", "ratio", "downside deviation over all bars, target 0",
           lambda r, p, k: sortino_ratio(_returns(r, k), bars_per_year(p.timeframe))),
    Metric("max_drawdown", "fraction", "largest loss from a peak, at closes",
           lambda r, p, k: max_drawdown(r.equity, k.initial_cash)),
    Metric("calmar", "ratio", "annual return / maximum drawdown", _calmar),
    Metric("longest_drawdown_bars", "bars", "longest time below a former peak",
           lambda r, p, k: longest_drawdown_bars(r.equity, k.initial_cash)),
    Metric("exposure", "fraction", "bars that end with a position",
           lambda r, p, k: float((r.gross_exposure > 0).mean())),
    Metric("mean_gross_exposure", "fraction",
           "gross exposure / equity at the closes, mean; buy & hold has 100 %", _mean_gross_exposure),
    Metric("turnover", "per year", "traded notional / mean equity, a year", _turnover),
    Metric("trades", "count", "round trips", lambda r, p, k: float(len(r.trades))),
    Metric("win_rate", "fraction", "trades with a positive net result",
           _of_trades(lambda net: float((net > 0).mean()))),
    Metric("profit_factor", "ratio", "net gains / net losses", _of_trades(_profit_factor)),
    Metric("payoff", "ratio", "mean win / mean loss", _of_trades(_payoff)),
    Metric("expectancy", "quote currency", "mean net result of a trade",
           _of_trades(lambda net: float(net.mean()))),
    Metric("mean_bars_held", "bars", "entry bar and exit bar included", _mean_bars_held),
    Metric("fees", "quote currency paid", "paid to the venue", lambda r, p, k: float(r.fills["fee"].sum())),
    Metric("slippage", "quote currency paid", "paid, inside the fill prices",
           lambda r, p, k: float(r.fills["slippage"].sum())),
    Metric("funding", "quote currency received", "received less paid",
           lambda r, p, k: float(r.funding_payments["payment"].sum())),
    Metric("ambiguous_exits", "count", "bars that touched stop and target alike",
           lambda r, p, k: float(r.ambiguous_exits)),
    Metric("ruined", "flag", "1 when equity reached zero",
           lambda r, p, k: float(r.ruined_bar >= 0)),
)  # fmt: skip
"""Every metric of a run, in the order of the report."""


def metrics(result: ReplayResult, panel: Panel, rules: ReplayRules) -> dict[str, float]:
    """Every metric of ``METRICS`` by name; NaN where undefined."""
    return {metric.name: metric.compute(result, panel, rules) for metric in METRICS}
