"""Differences of metrics between two runs, with intervals from the same resampled closes for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from engine import Float1D, Float2D, kernel
from engine.arrays import Int2D

from ..statistics.resampling import (
    Resampling,
    automatic_table_resampling,
    resampled_rows,
)

DRAWS: Final = 1_000
LEVEL: Final = 0.95
FEWEST_CLOSES: Final = 30
"""Common closes below which no interval is given."""

Measures: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of two runs on their common closes; ``low`` and ``high`` bound ``other - first``.

    NaN where a metric is undefined, or there are too few closes for an interval.
    """

    name: str
    first: float
    other: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """``other`` less ``first``."""
        return self.other - self.first


@kernel(nogil=True)
def _path_kernel(returns: Float1D, rows: Int2D, a_year: float, out: Float2D) -> None:
    """Total and annual return, volatility, Sharpe, Sortino and deepest drawdown of each resample."""
    count = rows.shape[1]
    for b in range(rows.shape[0]):
        total, squares, losses, growth, highest, deepest = 0.0, 0.0, 0.0, 1.0, 1.0, 0.0
        for t in range(count):
            value = returns[rows[b, t]]
            total += value
            squares += value * value
            if value < 0:
                losses += value * value
            growth *= max(1.0 + value, 0.0)
            highest = max(highest, growth)
            deepest = max(deepest, 1.0 - growth / highest)
        mean = total / count
        variance = max(squares - count * mean * mean, 0.0) / (count - 1)
        deviation = np.sqrt(variance)
        # A constant series leaves nothing but the rounding of its squares.
        varies = variance > 1e-13 * squares / count
        out[b, 0] = growth - 1.0
        out[b, 1] = growth ** (a_year / count) - 1.0
        out[b, 2] = deviation * np.sqrt(a_year)
        out[b, 3] = mean / deviation * np.sqrt(a_year) if varies else np.nan
        loss = np.sqrt(losses / count)
        out[b, 4] = mean / loss * np.sqrt(a_year) if loss > 0 else np.nan
        out[b, 5] = deepest


METRICS: Final = (
    "total_return",
    "annual_return",
    "annual_volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
)
"""What intervals are given of, as docs/metrics.md defines it."""


def measures(returns: Float1D, a_year: float) -> dict[str, float]:
    """The metrics of ``returns`` ``(T,)``, T from 2 on; NaN where one is undefined."""
    out = np.empty((1, len(METRICS)))
    rows = np.arange(len(returns), dtype=np.int64)[None, :]
    _path_kernel(np.ascontiguousarray(returns), rows, a_year, out)
    return dict(zip(METRICS, out[0].tolist(), strict=True))


def metric_differences(
    first: Float1D,
    other: Float1D,
    a_year: float,
    *,
    seed: int,
    draws: int = DRAWS,
    resampling: Resampling | None = None,
) -> tuple[MetricDifference, ...]:
    """Every metric of two runs' returns ``(T,)`` on the same closes, and the interval of its difference.

    Percentile intervals of a stationary bootstrap that draws the same closes for both runs, so that
    what moves both moves neither against the other. The block length is the automatic one of the
    two series and their difference. A metric that is undefined in a resample leaves that one out;
    where more than one in ten is, there is no interval.
    """
    own, its = measures(first, a_year), measures(other, a_year)
    count = len(first)
    if count < FEWEST_CLOSES:
        bounds = dict.fromkeys(METRICS, (np.nan, np.nan))
    else:
        table = np.column_stack((first, other, other - first))
        chosen = resampling or automatic_table_resampling(table)
        drawn = np.concatenate(
            [
                _drawn(other, rows, a_year) - _drawn(first, rows, a_year)
                for rows in resampled_rows(chosen, count, draws, seed)
            ]
        )
        bounds = {name: _bounds(column) for name, column in zip(METRICS, drawn.T, strict=True)}
    return tuple(
        MetricDifference(name, own[name], its[name], *map(float, bounds[name])) for name in METRICS
    )


def _drawn(returns: Float1D, rows: Int2D, a_year: float) -> Float2D:
    out = np.empty((len(rows), len(METRICS)))
    _path_kernel(np.ascontiguousarray(returns), rows, a_year, out)
    return out


def _bounds(values: Float1D) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if len(known) < 0.9 * len(values):
        return np.nan, np.nan
    low, high = np.quantile(known, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0))
    return float(low), float(high)
