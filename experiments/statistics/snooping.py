"""The best of many, tested as the best of many: Reality Check, SPA, and stepwise multiple testing.

All three take the excess returns of K candidates over a benchmark, ``(T, K)``, and ask what the largest
mean would have been had no candidate been better than the benchmark. The dependence between candidates
and over time comes from resampled rows of the table.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import fft

from engine.arrays import Bool1D, Float1D, Float2D
from engine.errors import DataError

from .resampling import (
    Resampling,
    Seed,
    automatic_table_resampling,
    checked_draws,
    resampled_sums,
)

_FEWEST_ROWS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoopingTest:
    """Result of a test that no candidate beats the benchmark.

    ``statistic`` is max(0, √T · the largest mean), each mean divided by its standard deviation where
    ``studentised``. ``best`` is the column behind it, −1 when no candidate varies.
    p values are (1 + draws at least as large) ÷ (1 + draws): ``p_lower`` ≤ ``p_consistent`` ≤
    ``p_upper``. ``p_consistent`` is the one to report; ``p_upper`` takes every candidate as exactly as
    good as the benchmark (White), ``p_lower`` takes the bad ones for as bad as they look.
    ``null_statistics`` ``(draws,)`` are the draws of the consistent null distribution, ascending.
    ``idle_candidates`` counts columns of zeros, which are left out.
    """

    statistic: float
    best: int
    p_lower: float
    p_consistent: float
    p_upper: float
    null_statistics: Float1D
    studentised: bool
    idle_candidates: int
    block_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepwiseTest:
    """Which candidates beat the benchmark, with the family-wise error rate under control.

    ``statistics`` ``(K,)`` are √T · mean ÷ standard deviation, −inf for a column of zeros.
    ``p_adjusted`` ``(K,)``: the smallest level at which the stepwise test finds the column superior.
    """

    statistics: Float1D
    p_adjusted: Float1D
    block_length: float

    def superior(self, level: float = 0.05) -> Bool1D:
        """Columns found superior with a chance of at most ``level`` that any of them is not."""
        return np.asarray(self.p_adjusted <= level)


def long_run_deviations(values: Float2D, resampling: Resampling) -> Float1D:
    """Standard deviation of √T times the mean of each column under the resampling, ``(K,)``.

    Weighted sum of autocovariances γ_i, exact for stationary blocks of mean length 1/q (Politis and
    Romano 1994): γ_0 + 2 Σ κ_i γ_i, κ_i = (1 − i/T)(1 − q)^i + (i/T)(1 − q)^(T−i); for circular blocks
    of length L that divides T: (1 − i/L) below L, on the autocovariances of the circle. Computed as a
    weighted sum over the periodogram.
    """
    count = len(values)
    lags = np.arange(count)
    if resampling.scheme == "stationary":
        weights = (1.0 - lags / count) * (1.0 - 1.0 / resampling.block_length) ** lags
    else:
        length = min(math.ceil(resampling.block_length), count)
        weights = np.maximum(0.0, 1.0 - lags / length)
    weights[1:] *= 2.0
    spectrum = fft.rfft(weights).real
    spectrum[1 : (count + 1) // 2] *= 2.0
    transformed = fft.rfft(values - values.mean(axis=0), axis=0)
    power = transformed.real**2 + transformed.imag**2
    variances = np.einsum("f,fk->k", spectrum, power)
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)) / count)


def _checked_table(excess: Float2D) -> tuple[Float2D, Bool1D]:
    """The table and which columns are not all zeros; DataError names what is wrong."""
    table = np.ascontiguousarray(excess, dtype=np.float64)
    if table.ndim != 2 or len(table) < _FEWEST_ROWS or table.shape[1] == 0:
        raise DataError(
            f"excess has shape {table.shape}: expected (T, K), T from {_FEWEST_ROWS}, K from 1"
        )
    if not np.isfinite(table).all():
        row, column = (int(index) for index in np.argwhere(~np.isfinite(table))[0])
        raise DataError(
            f"excess[{row}, {column}]={table[row, column]} is not finite: use rows that every "
            "candidate has"
        )
    active = (table != 0.0).any(axis=0)
    constant = active & (table == table[0]).all(axis=0)
    if constant.any():
        column = int(np.flatnonzero(constant)[0])
        raise DataError(
            f"excess[:, {column}] is {table[0, column]} on every row: a candidate that never varies "
            "cannot be tested; leave it out"
        )
    return table, active


def _scaled_means(
    excess: Float2D, resampling: Resampling, studentised: bool
) -> tuple[Float2D, Float1D, Float1D, Bool1D]:
    """The active columns divided by their scale, √T · their means, their deviations then, and a mask."""
    table, active = _checked_table(excess)
    table = table[:, active]
    deviations = long_run_deviations(table, resampling)
    if studentised:
        if (deviations <= 0.0).any():
            column = int(np.flatnonzero(active)[np.flatnonzero(deviations <= 0.0)[0]])
            raise DataError(
                f"excess[:, {column}]: its mean never varies between resamples of block length "
                f"{resampling.block_length}; use shorter blocks"
            )
        table = table / deviations
        deviations = np.ones(table.shape[1])
    means = math.sqrt(len(table)) * table.mean(axis=0)
    return table, means, deviations, active


def _drawn_means(
    table: Float2D, resampling: Resampling, draws: int, seed: Seed
) -> Iterator[Float2D]:
    """√T · means of resampled rows, ``(n, K)`` a piece."""
    for sums in resampled_sums(resampling, table, draws, seed):
        yield sums / math.sqrt(len(table))


def superior_predictive_ability(
    excess: Float2D,
    resampling: Resampling | None = None,
    *,
    seed: Seed,
    draws: int = 1000,
    studentised: bool = True,
) -> SnoopingTest:
    """Hansen's test of superior predictive ability (2005) on excess returns ``(T, K)`` per bar.

    Positive excess is good. Studentised, each mean is divided by its ``long_run_deviations``, in
    the observed statistic and in every draw: the scale of a column then plays no part. The consistent
    null recentres a column at zero unless its statistic lies below −√(2 ln ln T). Not studentised, the
    units are those of the returns, and one noisy column hides the others; ``p_upper`` is then White's
    Reality Check. ``resampling`` None takes ``automatic_table_resampling``; blocks much longer than
    that make the deviations noisy, and the studentised test then finds too much. Raises DataError when
    the table is not finite or a column is a constant other than 0, ConfigError below 1 draw.
    """
    checked_draws(draws)
    resampling = resampling or automatic_table_resampling(excess)
    table, means, deviations, active = _scaled_means(excess, resampling, studentised)
    idle = int((~active).sum())
    if table.shape[1] == 0:
        return SnoopingTest(
            statistic=0.0,
            best=-1,
            p_lower=1.0,
            p_consistent=1.0,
            p_upper=1.0,
            null_statistics=np.zeros(draws),
            studentised=studentised,
            idle_candidates=idle,
            block_length=resampling.block_length,
        )
    threshold = -math.sqrt(2.0 * math.log(math.log(len(table)))) * deviations
    centres = (
        np.maximum(means, 0.0),
        np.where(means >= threshold, means, 0.0),
        means,
    )
    statistic = max(0.0, float(means.max()))
    pieces: list[Float2D] = []
    for drawn in _drawn_means(table, resampling, draws, seed):
        pieces.append(np.column_stack([(drawn - centre).max(axis=1) for centre in centres]))
    null = np.maximum(np.concatenate(pieces), 0.0)
    p_lower, p_consistent, p_upper = (1.0 + (null >= statistic).sum(axis=0)) / (1.0 + draws)
    return SnoopingTest(
        statistic=statistic,
        best=int(np.flatnonzero(active)[means.argmax()]),
        p_lower=float(p_lower),
        p_consistent=float(p_consistent),
        p_upper=float(p_upper),
        null_statistics=np.sort(null[:, 1]),
        studentised=studentised,
        idle_candidates=idle,
        block_length=resampling.block_length,
    )


def reality_check(
    excess: Float2D, resampling: Resampling | None = None, *, seed: Seed, draws: int = 1000
) -> SnoopingTest:
    """White's Reality Check (2000): the test above in units of returns; its p value is ``p_upper``."""
    return superior_predictive_ability(
        excess, resampling, seed=seed, draws=draws, studentised=False
    )


def stepwise_superiority(
    excess: Float2D, resampling: Resampling | None = None, *, seed: Seed, draws: int = 1000
) -> StepwiseTest:
    """Studentised StepM of Romano and Wolf (2005) on excess returns ``(T, K)``, as adjusted p values.

    Columns are taken from the largest statistic down. Each is compared with the largest
    recentred statistic among itself and the smaller ones, in every draw, and its p value is at least that
    of the column before it (Romano and Wolf 2016). ``superior(level)`` is what StepM rejects at the
    level. Errors as for the test of superior predictive ability.
    """
    checked_draws(draws)
    resampling = resampling or automatic_table_resampling(excess)
    table, means, _, active = _scaled_means(excess, resampling, studentised=True)
    order = np.argsort(-means, kind="stable")
    reached = np.zeros(len(means))
    for drawn in _drawn_means(table, resampling, draws, seed):
        recentred = (drawn - means)[:, order]
        largest = np.maximum.accumulate(recentred[:, ::-1], axis=1)[:, ::-1]
        reached += (largest >= means[order]).sum(axis=0)
    adjusted = np.ones(len(active))
    statistics = np.full(len(active), -np.inf)
    columns = np.flatnonzero(active)
    statistics[columns] = means
    adjusted[columns[order]] = np.maximum.accumulate((1.0 + reached) / (1.0 + draws))
    return StepwiseTest(
        statistics=statistics, p_adjusted=adjusted, block_length=resampling.block_length
    )
