"""Growth of equity and its regularity, from the returns of bars."""

import math
from typing import Final

import numpy as np

from ..arrays import Float1D
from .metric import Metric
from .moments import (
    kurtosis_from_sums,
    sharpe_from_sums,
    skew_from_sums,
    sortino_from_sums,
    volatility_from_sums,
)

LARGEST_EXPONENT: Final = 700.0
"""Above it the exponential function leaves the range of a float."""


def bar_returns(equity: Float1D, initial_cash: float) -> Float1D:
    """Simple return of every bar, ``(T,)``; 0 once equity is no longer positive."""
    before = np.concatenate(([initial_cash], equity[:-1]))
    return np.where(before > 0, equity / np.where(before > 0, before, 1.0) - 1.0, 0.0)


def total_return(equity: Float1D, initial_cash: float) -> float:
    """Last equity ÷ initial cash − 1."""
    return float(equity[-1] / initial_cash - 1.0)


def annual_return(equity: Float1D, initial_cash: float, years: float) -> float:
    """Compound annual growth rate; −1 when all is lost, NaN when no float can hold it."""
    ratio = float(equity[-1] / initial_cash)
    if ratio == 0:
        return -1.0
    if not (ratio > 0 and years > 0):
        return math.nan
    growth = math.log(ratio) / years
    return math.expm1(growth) if growth < LARGEST_EXPONENT else math.nan


def correlation(first: Float1D, second: Float1D) -> float:
    """Pearson's correlation; NaN below two pairs or when one of the two is constant."""
    if len(first) < 2 or _constant(first) or _constant(second):
        return math.nan
    x, y = first - first.mean(), second - second.mean()
    scale = math.sqrt(float((x * x).sum())) * math.sqrt(float((y * y).sum()))
    return float((x * y).sum()) / scale if scale > 0 else math.nan


def _constant(values: Float1D) -> bool:
    return bool(values.min() == values.max())


def autocorrelation_penalty(returns: Float1D) -> float:
    """√(1 + 2 Σ_k (1 − k ÷ n) |ρ|^k), k = 1 … n − 1, ρ the correlation of neighbouring returns.

    How much the deviation over a year exceeds that of independent returns, if they follow an
    autoregression of order 1; never below 1, since the absolute value is taken. NaN where ρ is.
    """
    rho = abs(correlation(returns[:-1], returns[1:]))
    if math.isnan(rho):
        return math.nan
    n = len(returns)
    lags = np.arange(1, n)
    return math.sqrt(1.0 + 2.0 * float(((n - lags) / n * rho**lags).sum()))


def log_equity_r2(equity: Float1D) -> float:
    """R² of a straight line through the logarithm of equity; NaN when flat or not positive."""
    if not (equity > 0).all():
        return math.nan
    logs = np.log(equity)
    return correlation(np.arange(len(logs), dtype=np.float64), logs) ** 2


METRICS: Final = (
    Metric(
        "total_return", "returns", "fraction", "last equity ÷ initial cash − 1",
        lambda run: total_return(run.equity, run.initial_cash),
        ("empyrical", "quantstats"),
    ),
    Metric(
        "annual_return", "returns", "fraction",
        "compound annual growth rate, (last equity ÷ initial cash)^(1 ÷ years) − 1; −1 when all is lost",
        lambda run: annual_return(run.equity, run.initial_cash, run.years),
        ("empyrical", "quantstats"),
        "their default year has 252 periods",
    ),
    Metric(
        "annual_volatility", "returns", "fraction", "deviation of bar returns × √(bars a year)",
        lambda run: float(volatility_from_sums(run.sums, run.bars, run.periods)),
        ("empyrical", "quantstats"),
    ),
    Metric(
        "sharpe", "returns", "ratio", "mean ÷ deviation of bar returns × √(bars a year)",
        lambda run: float(sharpe_from_sums(run.sums, run.bars, run.periods)),
        ("empyrical", "quantstats"),
        "without variation empyrical answers ±inf and quantstats ±inf or NaN, here it is NaN",
    ),
    Metric(
        "smart_sharpe", "returns", "ratio",
        "Sharpe ÷ √(1 + 2 Σ (1 − k ÷ n) |ρ|^k), ρ the autocorrelation of bar returns at lag 1",
        lambda run: run.sharpe / autocorrelation_penalty(run.returns),
        ("quantstats",),
        "where ρ is undefined quantstats takes no penalty, here it is NaN",
    ),
    Metric(
        "sortino", "returns", "ratio",
        "mean of bar returns ÷ √(Σ min(r, 0)² ÷ n) × √(bars a year); n counts all bars, target 0",
        lambda run: float(sortino_from_sums(run.sums, run.bars, run.periods)),
        ("empyrical", "quantstats"),
        "without losses empyrical answers inf, here it is NaN",
    ),
    Metric(
        "skew", "returns", "ratio", "third central moment of bar returns ÷ second^1.5, population",
        lambda run: float(skew_from_sums(run.sums, run.bars)),
        ("scipy",),
        "quantstats has the sample's correction for bias",
    ),
    Metric(
        "kurtosis", "returns", "ratio",
        "fourth central moment of bar returns ÷ second², population; 3 for a normal distribution",
        lambda run: float(kurtosis_from_sums(run.sums, run.bars)),
        ("scipy",),
        "scipy with fisher=False; quantstats subtracts 3 and corrects for bias",
    ),
    Metric(
        "log_equity_r2", "returns", "fraction",
        "R² of a straight line through the logarithm of equity at the closes",
        lambda run: log_equity_r2(run.equity),
        ("empyrical",),
        "`stability_of_timeseries`",
    ),
)  # fmt: skip
