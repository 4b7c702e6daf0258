"""A run against a benchmark with the same initial cash: buy and hold, or any other equity.

Regressions are of bar returns, bar by bar; captures of UTC days, where hours of noise cancel.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ..arrays import Float1D
from ..errors import ContractError
from ..panel import Panel
from ..rules.margin import Contract
from .metric import Metric
from .returns import annual_return, correlation, total_return

if TYPE_CHECKING:
    from .evaluation import Evaluation


def buy_and_hold(
    panel: Panel,
    initial_cash: float,
    symbols: Sequence[str] | None = None,
    *,
    contract: Contract = "linear",
) -> Float1D:
    """Equity of equal parts of ``symbols`` (None: all) bought at their first listed opens, ``(T,)``.

    In quote currency, without costs or funding; a part is cash until its symbol is listed and stays at
    the last price after that. Inverse contracts are accounted in the coin, which is held already: its
    equity in coins stays ``initial_cash``. Raises ContractError when ``symbols`` is empty or not in the
    panel.
    """
    chosen = tuple(panel.symbols if symbols is None else symbols)
    unknown = sorted(set(chosen) - set(panel.symbols))
    if unknown or not chosen:
        raise ContractError(
            f"symbols={list(chosen)} must name at least one of the panel's symbols {panel.symbols} and no "
            f"others; unknown: {unknown}"
        )
    if contract == "inverse":
        return np.full(len(panel), float(initial_cash))
    columns = [panel.symbols.index(symbol) for symbol in chosen]
    first = panel.listed[:, columns].argmax(axis=0)
    part = initial_cash / len(columns)
    units = part / panel.open[first, columns]
    started = np.arange(len(panel))[:, None] >= first[None, :]
    total: Float1D = np.where(started, units * panel.close[:, columns], part).sum(axis=1)
    return total


def beta(returns: Float1D, benchmark: Float1D) -> float:
    """Covariance with the benchmark ÷ its variance; NaN when that does not vary."""
    if len(benchmark) < 2 or benchmark.min() == benchmark.max():
        return math.nan
    centred = benchmark - benchmark.mean()
    variance = float((centred * centred).sum())
    return float((centred * returns).sum()) / variance if variance > 0 else math.nan


def alpha(returns: Float1D, benchmark: Float1D, periods: float) -> float:
    """(Mean return − beta × mean return of the benchmark) × bars a year."""
    slope = beta(returns, benchmark)
    return (float(returns.mean()) - slope * float(benchmark.mean())) * periods


def tracking_error(returns: Float1D, benchmark: Float1D, periods: float) -> float:
    """Deviation (ddof 1) of the difference of returns × √(bars a year); NaN below two bars."""
    if len(returns) < 2:
        return math.nan
    active = returns - benchmark
    return 0.0 if active.min() == active.max() else float(active.std(ddof=1)) * math.sqrt(periods)


def information_ratio(returns: Float1D, benchmark: Float1D, periods: float) -> float:
    """Mean difference of returns × bars a year ÷ tracking error; NaN when that is 0."""
    error = tracking_error(returns, benchmark, periods)
    return float((returns - benchmark).mean()) * periods / error if error > 0 else math.nan


def capture(returns: Float1D, benchmark: Float1D, sign: int) -> float:
    """Mean return ÷ that of the benchmark, over the days when the benchmark's has this sign."""
    chosen = np.sign(benchmark) == sign
    return float(returns[chosen].mean() / benchmark[chosen].mean()) if chosen.any() else math.nan


def treynor(run: "Evaluation", benchmark: Float1D) -> float:
    """Annual return ÷ beta; NaN when that is 0 or undefined."""
    slope = beta(run.returns, benchmark)
    growth = annual_return(run.equity, run.initial_cash, run.years)
    return growth / slope if slope != 0 else math.nan


def _against(
    function: Callable[["Evaluation", Float1D], float],
) -> Callable[["Evaluation"], float]:
    """NaN without a benchmark."""

    def compute(run: "Evaluation") -> float:
        returns = run.benchmark_returns
        return math.nan if returns is None else function(run, returns)

    return compute


def _excess_return(run: "Evaluation") -> float:
    if run.benchmark is None:
        return math.nan
    return total_return(run.equity, run.initial_cash) - total_return(
        run.benchmark, run.initial_cash
    )


def _capture(run: "Evaluation", sign: int) -> float:
    days = run.benchmark_returns_of("day")
    return math.nan if days is None else capture(run.days, days, sign)


METRICS: Final = (
    Metric(
        "excess_return", "benchmark", "fraction", "total return − that of the benchmark", _excess_return,
    ),
    Metric(
        "alpha", "benchmark", "fraction",
        "(mean bar return − beta × that of the benchmark) × bars a year, risk-free rate 0",
        _against(lambda run, held: alpha(run.returns, held, run.periods)), ("quantstats",),
        "empyrical compounds it",
    ),
    Metric(
        "beta", "benchmark", "ratio", "covariance with the benchmark's bar returns ÷ their variance",
        _against(lambda run, held: beta(run.returns, held)), ("empyrical", "quantstats"),
    ),
    Metric(
        "benchmark_correlation", "benchmark", "ratio", "Pearson's correlation of bar returns",
        _against(lambda run, held: correlation(run.returns, held)), ("scipy",),
    ),
    Metric(
        "benchmark_r2", "benchmark", "fraction", "its square",
        _against(lambda run, held: correlation(run.returns, held) ** 2), ("quantstats",),
    ),
    Metric(
        "tracking_error", "benchmark", "fraction",
        "deviation of the difference of bar returns × √(bars a year)",
        _against(lambda run, held: tracking_error(run.returns, held, run.periods)),
    ),
    Metric(
        "information_ratio", "benchmark", "ratio",
        "mean difference of bar returns × bars a year ÷ tracking error",
        _against(lambda run, held: information_ratio(run.returns, held, run.periods)), (),
        "empyrical (`excess_sharpe`) and quantstats do not annualise it",
    ),
    Metric(
        "up_capture", "benchmark", "ratio",
        "mean day return ÷ the benchmark's, over the days on which the benchmark rose",
        lambda run: _capture(run, 1), (), "empyrical divides compound annual returns of these days",
    ),
    Metric(
        "down_capture", "benchmark", "ratio", "likewise, fell",
        lambda run: _capture(run, -1), (), "likewise",
    ),
    Metric(
        "treynor", "benchmark", "ratio", "annual return ÷ beta", _against(treynor), (),
        "quantstats divides the total return",
    ),
)  # fmt: skip
