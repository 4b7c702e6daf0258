"""Bootstrap intervals of a statistic of dependent observations: percentile and BCa."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri

from engine.arrays import Float1D, Float2D
from engine.errors import ConfigError, DataError

from .resampling import (
    FEWEST_OBSERVATIONS,
    Resampling,
    Seed,
    automatic_resampling,
    checked_values,
    resampled_rows,
    resampled_sums,
)

IntervalMethod: TypeAlias = Literal["percentile", "bca"]

_RELATIVE_VARIANCE: Final = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class SumStatistic:
    """A statistic that sums over the observations determine.

    ``terms`` maps observations ``(T,)`` to what is summed, ``(T, P)``. ``value`` maps sums ``(B, P)`` and
    numbers of observations ``(B,)`` to the statistic ``(B,)``. All resamples are then one product of
    a table of counts with the terms.
    """

    name: str
    terms: Callable[[Float1D], Float2D]
    value: Callable[[Float2D, Float1D], Float1D]


Statistic: TypeAlias = SumStatistic | Callable[[Float1D], float]


def _powers(values: Float1D) -> Float2D:
    return np.column_stack((values, values * values))


def _variance(sums: Float2D, count: Float1D) -> Float1D:
    """Sample variance, ddof 1; 0 where it drowns in the rounding of the squares."""
    squares = sums[:, 1] - sums[:, 0] * sums[:, 0] / count
    return np.where(squares > _RELATIVE_VARIANCE * sums[:, 1], squares / (count - 1.0), 0.0)


def _mean(sums: Float2D, count: Float1D) -> Float1D:
    return np.asarray(sums[:, 0] / count)


def _deviation(sums: Float2D, count: Float1D) -> Float1D:
    return np.sqrt(_variance(sums, count))


def _sharpe(sums: Float2D, count: Float1D) -> Float1D:
    deviation = _deviation(sums, count)
    varies = deviation > 0.0
    return np.where(varies, _mean(sums, count) / np.where(varies, deviation, 1.0), 0.0)


MEAN: Final = SumStatistic(name="mean", terms=lambda values: values[:, None], value=_mean)
"""Mean per observation."""
DEVIATION: Final = SumStatistic(name="deviation", terms=_powers, value=_deviation)
"""Standard deviation per observation, ddof 1."""
SHARPE: Final = SumStatistic(name="sharpe", terms=_powers, value=_sharpe)
"""Mean ÷ standard deviation (ddof 1) per observation; 0 for a resample that does not vary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapInterval:
    """An interval for a statistic, in its unit.

    ``level`` is the nominal coverage; ``block_length`` (observations), ``scheme`` and ``draws`` say how
    it came about. ``bias_z`` and ``acceleration`` are the two corrections of BCa, 0 for percentiles.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: IntervalMethod
    scheme: str
    block_length: float
    draws: int
    bias_z: float
    acceleration: float


def evaluated(statistic: Statistic, values: Float1D) -> float:
    """The statistic of ``values`` ``(T,)``."""
    if isinstance(statistic, SumStatistic):
        sums = statistic.terms(values).sum(axis=0)[None, :]
        return float(statistic.value(sums, np.array([float(len(values))]))[0])
    return float(statistic(values))


def replicates(
    values: Float1D, statistic: Statistic, resampling: Resampling, *, draws: int, seed: Seed
) -> Float1D:
    """The statistic of each of ``draws`` resamples of ``values`` ``(T,)``, ``(draws,)``.

    Raises DataError when a value or a replicate is not finite, ConfigError below 1 draw.
    """
    known = checked_values("values", values)
    count = len(known)
    pieces: list[Float1D] = []
    if isinstance(statistic, SumStatistic):
        for sums in resampled_sums(resampling, statistic.terms(known), draws, seed):
            pieces.append(statistic.value(sums, np.full(len(sums), float(count))))
    else:
        for rows in resampled_rows(resampling, count, draws, seed):
            pieces.append(np.array([float(statistic(known[one])) for one in rows]))
    found = np.concatenate(pieces)
    if not np.isfinite(found).all():
        draw = int(np.flatnonzero(~np.isfinite(found))[0])
        raise DataError(
            f"the statistic of resample {draw} is {found[draw]}: it must be finite for every sample "
            "that repeats some observations and leaves others out"
        )
    return found


def jackknife(values: Float1D, statistic: Statistic, block_length: float = 1.0) -> Float1D:
    """The statistic without each of round(T ÷ ``block_length``) adjacent blocks, in order of the blocks.

    With length 1 this is the jackknife that leaves out one observation; longer blocks keep the
    dependence that the deletion of single observations ignores (Künsch 1989). Blocks differ by one
    observation at most. Raises ConfigError when fewer than two blocks remain.
    """
    known = checked_values("values", values)
    count = len(known)
    blocks = min(count, round(count / block_length))
    if blocks < 2:
        raise ConfigError(
            f"block_length={block_length}: {count} observations hold fewer than two such blocks"
        )
    edges = np.arange(blocks + 1) * count // blocks
    if isinstance(statistic, SumStatistic):
        terms = statistic.terms(known)
        without = terms.sum(axis=0) - np.add.reduceat(terms, edges[:-1], axis=0)
        return statistic.value(without, count - np.diff(edges).astype(np.float64))
    kept = np.ones(count, dtype=np.bool_)
    found = np.empty(blocks)
    for block in range(blocks):
        kept[edges[block] : edges[block + 1]] = False
        found[block] = float(statistic(known[kept]))
        kept[edges[block] : edges[block + 1]] = True
    return found


def acceleration(jackknifed: Float1D) -> float:
    """Σ d³ ÷ (6 (Σ d²)^1.5) of the deviations d = mean − value of a jackknife (Efron 1987)."""
    deviations = jackknifed.mean() - jackknifed
    squares = float((deviations**2).sum())
    return float((deviations**3).sum()) / (6.0 * squares**1.5) if squares > 0.0 else 0.0


def bootstrap_interval(
    values: Float1D,
    statistic: Statistic,
    *,
    seed: Seed,
    level: float = 0.95,
    method: IntervalMethod = "bca",
    resampling: Resampling | None = None,
    draws: int = 2000,
) -> BootstrapInterval:
    """Two-sided interval of a statistic of ``values`` ``(T,)``, observations in order of time.

    ``percentile`` takes the quantiles of the replicates; ``bca`` (Efron 1987) moves them by the median
    bias of the replicates and by the skewness of the statistic, both found without a formula. The
    skewness is that of a jackknife over blocks of the bootstrap's length. ``resampling`` None means
    stationary blocks of the automatic length for the statistic's jackknife values, which for a mean are
    the values themselves; for a callable it is the length for ``values``. A callable may be given for any
    statistic and is called once per draw. Raises DataError when values or replicates are not finite,
    ConfigError when an argument is out of range.
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level={level}: a coverage lies between 0 and 1")
    if method not in {"percentile", "bca"}:
        raise ConfigError(f"method={method!r}: it is 'percentile' or 'bca'")
    known = checked_values("values", values, FEWEST_OBSERVATIONS)
    if resampling is None:
        single = jackknife(known, statistic) if isinstance(statistic, SumStatistic) else known
        resampling = automatic_resampling(single)
    found = replicates(known, statistic, resampling, draws=draws, seed=seed)
    estimate = evaluated(statistic, known)
    shares = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    bias_z, skew = 0.0, 0.0
    if method == "bca":
        below = (float((found < estimate).sum()) + float((found <= estimate).sum())) / 2.0
        bias_z = float(ndtri(min(max(below, 0.5), draws - 0.5) / draws))
        skew = acceleration(jackknife(known, statistic, resampling.block_length))
        z = bias_z + ndtri(shares)
        shares = ndtr(bias_z + z / np.maximum(1.0 - skew * z, math.ulp(1.0)))
    low, high = np.quantile(found, shares)
    return BootstrapInterval(
        estimate=estimate,
        low=float(low),
        high=float(high),
        level=level,
        method=method,
        scheme=resampling.scheme,
        block_length=resampling.block_length,
        draws=draws,
        bias_z=bias_z,
        acceleration=skew,
    )
