"""Round trips from flat to flat. A *win* has ``net_pnl`` > 0, a *loss* < 0; 0 is neither."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from ..arrays import Float1D
from .ledger_sums import running_sum
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation

Trades: TypeAlias = np.ndarray[Any, Any]
"""Rows of ``TRADE_DTYPE`` in the order of their last fills."""


def mean(values: Float1D) -> float:
    """Mean of what is not NaN; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def wins(trades: Trades) -> Trades:
    """The trades with a positive net result."""
    return trades[trades["net_pnl"] > 0]


def losses(trades: Trades) -> Trades:
    """The trades with a negative net result."""
    return trades[trades["net_pnl"] < 0]


def win_rate(trades: Trades) -> float:
    """Wins ÷ trades."""
    return mean((trades["net_pnl"] > 0).astype(np.float64))


def gross_wins(trades: Trades) -> float:
    """Σ net results of the wins."""
    return running_sum(wins(trades)["net_pnl"])


def gross_losses(trades: Trades) -> float:
    """− Σ net results of the losses."""
    return running_sum(-losses(trades)["net_pnl"])


def profit_factor(trades: Trades) -> float:
    """Σ net results of wins ÷ Σ of losses; NaN without losses."""
    lost = gross_losses(trades)
    return gross_wins(trades) / lost if lost > 0 else math.nan


def expectancy(trades: Trades) -> float:
    """(Σ net results of wins − Σ of losses) ÷ trades."""
    return (gross_wins(trades) - gross_losses(trades)) / len(trades) if len(trades) else math.nan


def payoff(trades: Trades) -> float:
    """Mean win ÷ mean loss, in currency; NaN without either."""
    won, lost = len(wins(trades)), len(losses(trades))
    if not (won and lost):
        return math.nan
    return (gross_wins(trades) / won) / (gross_losses(trades) / lost)


def kelly(trades: Trades) -> float:
    """(p · b − (1 − p)) ÷ b with p = wins ÷ trades, b = mean return of wins ÷ mean −return of the others.

    Not shrunk and not limited: negative when the odds are against it. NaN without wins or while the
    others lost nothing.
    """
    won = trades["net_pnl"] > 0
    lost = -mean(trades["return_frac"][~won])
    gained = mean(trades["return_frac"][won])
    if not (lost > 0 and gained > 0):
        return math.nan
    p, b = float(won.mean()), gained / lost
    return (p * b - (1.0 - p)) / b


def system_quality_number(trades: Trades) -> float:
    """√n · mean ÷ deviation (ddof 1) of the R multiples; NaN below two or when they are all alike."""
    multiples = trades["r_multiple"][~np.isnan(trades["r_multiple"])]
    if len(multiples) < 2 or multiples.min() == multiples.max():
        return math.nan
    return float(math.sqrt(len(multiples)) * multiples.mean() / multiples.std(ddof=1))


def longest_run(trades: Trades, sign: int) -> int:
    """Most trades in a row whose net result has this sign."""
    longest = current = 0
    for hit in np.sign(trades["net_pnl"]) == sign:
        current = current + 1 if hit else 0
        longest = max(longest, current)
    return longest


def _of(function: Callable[[Trades], float]) -> Callable[["Evaluation"], float]:
    return lambda run: float(function(run.trades))


def _of_some(function: Callable[[Trades], float]) -> Callable[["Evaluation"], float]:
    """NaN without trades."""
    return lambda run: float(function(run.trades)) if len(run.trades) else math.nan


def _mean_of(
    column: str, of: Callable[[Trades], Trades] = lambda trades: trades
) -> Callable[["Evaluation"], float]:
    return lambda run: mean(of(run.trades)[column].astype(np.float64))


METRICS: Final = (
    Metric("trades", "trades", "count", "round trips from flat to flat", _of(len)),
    Metric(
        "trades_per_day", "trades", "per day", "trades ÷ days of the run",
        lambda run: len(run.trades) / run.run_days,
    ),
    Metric("long_trades", "trades", "count", "of them long", _of(lambda t: (t["side"] > 0).sum())),
    Metric("short_trades", "trades", "count", "of them short", _of(lambda t: (t["side"] < 0).sum())),
    Metric(
        "win_rate", "trades", "fraction", "trades with a positive net result ÷ trades", _of(win_rate), (),
        "quantstats counts bars that are not 0",
    ),
    Metric(
        "payoff", "trades", "ratio", "mean net result of wins ÷ of losses, sign dropped", _of(payoff), (),
        "quantstats: of bars",
    ),
    Metric(
        "profit_factor", "trades", "ratio", "Σ net results of wins ÷ of losses, sign dropped",
        _of(profit_factor), (), "quantstats: of bars, inf without losses",
    ),
    Metric(
        "expectancy", "trades", "settlement currency", "mean net result of a trade", _of(expectancy),
    ),
    Metric(
        "expectancy_frac", "trades", "fraction", "mean net result ÷ entered notional",
        _mean_of("return_frac"),
    ),
    Metric(
        "expectancy_r", "trades", "R", "mean net result ÷ initial risk, of the trades with a stop",
        _mean_of("r_multiple"),
    ),
    Metric(
        "system_quality_number", "trades", "ratio",
        "√n × mean ÷ deviation (ddof 1) of the R multiples; n is not capped at 100",
        _of(system_quality_number),
    ),
    Metric(
        "kelly", "trades", "fraction",
        "(p · b − (1 − p)) ÷ b, p the win rate, b the mean return of wins ÷ mean loss of the others; not "
        "shrunk, negative against the odds",
        _of(kelly), (), "quantstats: of bars that are not 0",
    ),
    Metric(
        "median_trade", "trades", "fraction", "median net result ÷ entered notional",
        _of_some(lambda t: np.median(t["return_frac"])),
    ),
    Metric("best_trade", "trades", "fraction", "largest", _of_some(lambda t: t["return_frac"].max())),
    Metric("worst_trade", "trades", "fraction", "smallest", _of_some(lambda t: t["return_frac"].min())),
    Metric(
        "mean_win", "trades", "fraction", "mean of the wins", _mean_of("return_frac", wins),
    ),
    Metric(
        "mean_loss", "trades", "fraction", "mean of the losses, negative", _mean_of("return_frac", losses),
    ),
    Metric(
        "mean_bars_held", "trades", "bars", "entry bar and exit bar included", _mean_of("bars_held"),
    ),
    Metric("mean_bars_of_wins", "trades", "bars", "likewise", _mean_of("bars_held", wins)),
    Metric("mean_bars_of_losses", "trades", "bars", "likewise", _mean_of("bars_held", losses)),
    Metric(
        "longest_winning_run", "trades", "count", "wins in a row, in the order of exits",
        _of_some(lambda t: longest_run(t, 1)), (), "quantstats: of bars",
    ),
    Metric(
        "longest_losing_run", "trades", "count", "losses in a row, in the order of exits",
        _of_some(lambda t: longest_run(t, -1)), (), "quantstats: of bars",
    ),
    Metric(
        "mean_mae", "trades", "fraction", "mean of the worst excursion against a trade, of its entry price",
        _mean_of("mae_frac"),
    ),
    Metric(
        "mean_mfe", "trades", "fraction", "mean of the best excursion in favour of a trade",
        _mean_of("mfe_frac"),
    ),
    Metric(
        "mean_mae_of_wins", "trades", "fraction", "mean of the worst excursion against wins",
        _mean_of("mae_frac", wins),
    ),
)  # fmt: skip
