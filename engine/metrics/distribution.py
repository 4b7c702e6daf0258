"""Shape of the returns of UTC days: gains against losses, and the tails."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from ..arrays import Float1D
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation

FEWEST_IN_TAIL: Final = 10
"""Expected observations beyond a quantile below which it is not stated."""


def omega(returns: Float1D) -> float:
    """Σ gains ÷ Σ losses, threshold 0; NaN without losses."""
    losses = -float(returns[returns < 0].sum())
    return float(returns[returns > 0].sum()) / losses if losses > 0 else math.nan


def gain_to_pain(returns: Float1D) -> float:
    """Σ returns ÷ Σ losses; NaN without losses."""
    losses = -float(returns[returns < 0].sum())
    return float(returns.sum()) / losses if losses > 0 else math.nan


def tail_ratio(returns: Float1D) -> float:
    """\\|95 % quantile ÷ 5 % quantile\\|, quantiles interpolated linearly; NaN when the lower is 0."""
    low, high = np.quantile(returns, (0.05, 0.95))
    return float(abs(high / low)) if low != 0 else math.nan


def common_sense_ratio(returns: Float1D) -> float:
    """Omega × tail ratio."""
    return omega(returns) * tail_ratio(returns)


def value_at_risk(returns: Float1D, tail: float) -> float:
    """− the ``tail`` quantile, interpolated linearly; NaN below 10 ÷ ``tail`` returns."""
    if len(returns) * tail < FEWEST_IN_TAIL:
        return math.nan
    return -float(np.quantile(returns, tail))


def conditional_value_at_risk(returns: Float1D, tail: float) -> float:
    """− the mean of the ⌊(n − 1) · ``tail``⌋ + 1 smallest; NaN below 10 ÷ ``tail`` returns."""
    if len(returns) * tail < FEWEST_IN_TAIL:
        return math.nan
    return -float(np.sort(returns)[: int((len(returns) - 1) * tail) + 1].mean())


def _of_days(
    loss: Callable[[Float1D, float], float], tail: float
) -> Callable[["Evaluation"], float]:
    return lambda run: loss(run.days, tail)


METRICS: Final = (
    Metric(
        "omega", "distribution", "ratio", "Σ positive ÷ Σ negative day returns, threshold 0",
        lambda run: omega(run.days), ("empyrical", "quantstats"),
    ),
    Metric(
        "gain_to_pain", "distribution", "ratio", "Σ day returns ÷ Σ negative ones; omega − 1",
        lambda run: gain_to_pain(run.days), ("quantstats",),
        "quantstats adds the returns within a day where it is given shorter bars",
    ),
    Metric(
        "tail_ratio", "distribution", "ratio", "|95 % ÷ 5 % quantile| of day returns",
        lambda run: tail_ratio(run.days), ("empyrical", "quantstats"),
    ),
    Metric(
        "common_sense_ratio", "distribution", "ratio", "omega × tail ratio",
        lambda run: common_sense_ratio(run.days), ("quantstats",),
    ),
    *(
        metric
        for percent, tail in ((95, 0.05), (99, 0.01))
        for metric in (
            Metric(
                f"value_at_risk_{percent}", "distribution", "fraction",
                f"loss that {percent} % of the days stay below; positive is a loss; NaN below "
                f"{10 / tail:.0f} days",
                _of_days(value_at_risk, tail),
                ("empyrical",),
                "theirs are negative; quantstats takes a normal distribution",
            ),
            Metric(
                f"conditional_value_at_risk_{percent}", "distribution", "fraction",
                f"mean loss of the worst {100 - percent} % of the days, likewise",
                _of_days(conditional_value_at_risk, tail),
                ("empyrical", "quantstats"),
                "theirs are negative; quantstats agrees with method=\"historical\"",
            ),
        )
    ),
)  # fmt: skip
