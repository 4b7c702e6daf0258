"""How much of the account stood in the market, at closes."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from ..arrays import Float1D
from .metric import Metric

if TYPE_CHECKING:
    from .evaluation import Evaluation


def leverage(exposure: Float1D, equity: Float1D) -> Float1D:
    """Exposure ÷ equity at the closes with positive equity, one number for each of those."""
    alive = equity > 0
    return exposure[alive] / equity[alive]


def _leverage(
    account: str, statistic: Callable[[Float1D], np.float64]
) -> Callable[["Evaluation"], float]:
    def compute(run: "Evaluation") -> float:
        levels = leverage(getattr(run.result, account), run.equity)
        return float(statistic(levels)) if len(levels) else math.nan

    return compute


METRICS: Final = (
    Metric(
        "exposure", "exposure", "fraction", "share of the closes with a position",
        lambda run: float((run.result.gross_exposure > 0).mean()), (),
        "quantstats counts bars whose return is not 0, rounded up to a whole percent",
    ),
    Metric(
        "mean_gross_leverage", "exposure", "ratio",
        "mean of gross exposure ÷ equity over the closes with positive equity; buying and holding has 1, "
        "in inverse contracts 0: the coin is kept",
        _leverage("gross_exposure", np.mean),
    ),
    Metric(
        "max_gross_leverage", "exposure", "ratio", "its maximum",
        _leverage("gross_exposure", np.max),
    ),
    Metric(
        "mean_net_leverage", "exposure", "ratio",
        "mean of net exposure ÷ equity over the same closes; negative when short on balance",
        _leverage("net_exposure", np.mean),
    ),
    Metric(
        "max_margin_use", "exposure", "ratio",
        "largest maintenance margin ÷ equity over the same closes; at 1 the account is liquidated",
        _leverage("maintenance_margin", np.max),
    ),
)  # fmt: skip
