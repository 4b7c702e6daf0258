"""How much of an in-sample result survives out of sample."""

import itertools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from engine.arrays import Float1D, Int1D
from engine.errors import ConfigError, DataError

_MOST_ENUMERATED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WalkForwardEfficiency:
    """Annual return out of sample over annual return in sample, of F folds.

    Returns are annualised without compounding: sum of bar returns ÷ bars × bars per year. ``efficiency``
    is that of all folds together, ``by_fold`` ``(F,)``; both are NaN where the in-sample return is not
    positive, because a loss that shrinks is no efficiency. ``profitable_share``: folds with a positive
    out-of-sample return.
    """

    in_sample_per_year: Float1D
    out_of_sample_per_year: Float1D
    by_fold: Float1D
    efficiency: float
    profitable_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """Out-of-sample performance as a function of in-sample performance, over N configurations or folds.

    ``slope`` and ``intercept`` are of the least-squares line; a slope of 1 with intercept 0 keeps what was
    seen, 0 keeps nothing of the differences, below 0 the better looking are the worse.
    ``rank_correlation`` is Spearman's, ``rank_p_value`` the chance of one as large or larger among
    independent observations without a relation: over all orders up to 8 of them, by Student's
    distribution above. ``kept_share``: mean
    out of sample ÷ mean in sample, NaN where the latter is not positive. NaN where a side does not vary.
    """

    slope: float
    intercept: float
    rank_correlation: float
    rank_p_value: float
    kept_share: float
    observations: int


def walk_forward_efficiency(
    in_sample_sum: Float1D,
    out_of_sample_sum: Float1D,
    in_sample_bars: Int1D,
    out_of_sample_bars: Int1D,
    *,
    bars_per_year: float,
) -> WalkForwardEfficiency:
    """Efficiency of a walk-forward from sums of bar returns and numbers of bars of each fold, ``(F,)``.

    The in-sample sum of a fold is that of the configuration chosen on it, the out-of-sample sum that of
    the same configuration on the rows behind. Raises DataError when shapes differ, a sum is not finite or
    a fold has no bars.
    """
    columns = {
        "in_sample_sum": in_sample_sum,
        "out_of_sample_sum": out_of_sample_sum,
        "in_sample_bars": in_sample_bars,
        "out_of_sample_bars": out_of_sample_bars,
    }
    tables = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    for name, table in tables.items():
        if table.ndim != 1 or table.shape != tables["in_sample_sum"].shape or len(table) == 0:
            raise DataError(f"{name} has shape {table.shape}: one number for each fold is expected")
        if not np.isfinite(table).all() or (name.endswith("bars") and (table <= 0.0).any()):
            raise DataError(f"{name}={table.tolist()}: sums are finite, bars positive")
    if not bars_per_year > 0.0:
        raise ConfigError(f"bars_per_year={bars_per_year}: it must be positive")
    inside_sum, outside_sum, inside_bars, outside_bars = tables.values()
    inside = inside_sum / inside_bars * bars_per_year
    outside = outside_sum / outside_bars * bars_per_year
    gained = inside > 0.0
    by_fold = np.where(gained, outside / np.where(gained, inside, 1.0), np.nan)
    pooled = inside_sum.sum() / inside_bars.sum()
    return WalkForwardEfficiency(
        in_sample_per_year=inside,
        out_of_sample_per_year=outside,
        by_fold=by_fold,
        efficiency=_over(float(outside_sum.sum() / outside_bars.sum()), float(pooled)),
        profitable_share=float((outside > 0.0).mean()),
    )


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def average_ranks(values: Float1D) -> Float1D:
    """Ranks from 1, ``(N,)``; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2.0)[inverse], dtype=np.float64)


def _rank_correlation(x: Float1D, y: Float1D) -> tuple[float, float]:
    """Spearman's correlation and its one-sided p value."""
    count = len(x)
    by_x, by_y = (average_ranks(column) - (count + 1) / 2.0 for column in (x, y))
    scale = math.sqrt(float((by_x * by_x).sum()) * float((by_y * by_y).sum()))
    correlation = float((by_x * by_y).sum()) / scale
    if count <= _MOST_ENUMERATED:
        orders = np.array(list(itertools.permutations(by_y)))
        at_least = (orders * by_x).sum(axis=1) >= correlation * scale - 1e-9
        return correlation, float(at_least.mean())
    rest = 1.0 - correlation * correlation
    if rest <= 0.0:
        return correlation, 0.0 if correlation > 0.0 else 1.0
    return correlation, float(stdtr(count - 2, -correlation * math.sqrt((count - 2) / rest)))


def in_to_out_of_sample_decay(in_sample: Float1D, out_of_sample: Float1D) -> Decay:
    """Line and rank correlation of ``out_of_sample`` on ``in_sample``, ``(N,)`` each, N from 3.

    Both in one unit, such as the Sharpe ratio per bar of each configuration. Raises DataError when shapes
    differ or a value is not finite.
    """
    x, y = np.asarray(in_sample, dtype=np.float64), np.asarray(out_of_sample, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3:
        raise DataError(f"in_sample {x.shape}, out_of_sample {y.shape}: two of (N,), N from 3")
    if not (np.isfinite(x) & np.isfinite(y)).all():
        row = int(np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))[0])
        raise DataError(f"row {row}: in_sample={x[row]}, out_of_sample={y[row]} must be finite")
    count = len(x)
    slope = intercept = correlation = p_value = math.nan
    if (x != x[0]).any():
        away = x - x.mean()
        slope = float((away * (y - y.mean())).sum() / (away * away).sum())
        intercept = float(y.mean() - slope * x.mean())
        if (y != y[0]).any():
            correlation, p_value = _rank_correlation(x, y)
    return Decay(
        slope=slope,
        intercept=intercept,
        rank_correlation=correlation,
        rank_p_value=p_value,
        kept_share=_over(float(y.mean()), float(x.mean())),
        observations=count,
    )
