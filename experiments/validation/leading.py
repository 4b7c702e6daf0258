"""How surely the best trials of a sweep are what their Sharpe ratios say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Float2D

from ..config_validation import ValidationConfig
from ..statistics.bootstrap import SHARPE, BootstrapInterval, bootstrap_interval
from ..sweeps.evaluate import Evaluator
from .trials import daily_returns

LEADING_TRIALS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """One of the best trials: the interval of its Sharpe ratio by days, per day.

    It is that of a configuration that nobody chose: the number of trials is not in it. None where its
    returns do not vary.
    """

    trial: int
    interval: BootstrapInterval | None


def leaders_of(
    rows: Sequence[Mapping[str, Any]], evaluator: Evaluator, settings: ValidationConfig
) -> tuple[Leader, ...]:
    """Intervals of the trials ``rows`` (``trial``, ``values`` by path), evaluated again together."""
    values = [row["values"] for row in rows]
    daily = daily_returns(evaluator, values, evaluator(values))
    return tuple(
        Leader(trial=row["trial"], interval=_interval(daily, column, settings, row["trial"]))
        for column, row in enumerate(rows)
    )


def _interval(
    daily: Float2D, column: int, settings: ValidationConfig, trial: int
) -> BootstrapInterval | None:
    returns = daily[:, column]
    if not returns.std() > 0:
        return None
    return bootstrap_interval(
        returns,
        SHARPE,
        seed=np.random.SeedSequence([settings.seed, 8, trial]),
        draws=settings.bootstrap_draws,
    )
