"""Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

Bailey, Borwein, López de Prado and Zhu, *The Probability of Backtest Overfitting* (SSRN 2326253): cut
the bars into S blocks; for every choice of S/2 of them take the configuration that is best there and
see where it stands among all on the other half. Conventions: relative rank ω = rank ÷ (N + 1) with mean
ranks of ties, logit λ = ln(ω ÷ (1 − ω)), PBO = P(λ ≤ 0).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final, Literal

import numpy as np

from engine.arrays import Float1D, Float2D, Int1D
from engine.errors import ConfigError, DataError
from engine.return_sums import SUMS
from engine.sweep import Float3D

from ._overfitting_kernel import GROUP, cross_validate_kernel, out_of_sample_kernel

MOST_BLOCKS: Final = 20
_GRID: Final = 1001
_SAMPLED_VALUES: Final = 50_000

Performance = Literal["sharpe", "mean_return"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overfitting:
    """What selection on half of the blocks was worth on the other half, over all C halvings.

    ``pbo`` share of halvings in which the best in sample is at or below the median out of sample
    (λ ≤ 0), ``pbo_strict`` below it (λ < 0); ``median_logit`` of λ, above 0 when selection helps;
    ``degradation_slope`` and ``degradation_intercept`` of the regression of the chosen one's
    performance out of sample on that in sample, NaN when the latter does not vary;
    ``loss_probability`` share of halvings in which the chosen one loses out of sample. Per halving,
    in the lexicographic order of the blocks in sample: ``chosen`` ``(C,)`` configuration,
    ``in_sample`` and ``out_of_sample`` its performance per bar, ``logits`` λ. Read it beside the null
    band (``overfitting_null``): about one half without any skill, and 1 when all are equally good.
    """

    configurations: int
    blocks: int
    bars: int
    pbo: float
    pbo_strict: float
    median_logit: float
    degradation_slope: float
    degradation_intercept: float
    loss_probability: float
    dominance: "Dominance"
    chosen: Int1D
    in_sample: Float1D
    out_of_sample: Float1D
    logits: Float1D


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dominance:
    """Is choosing better than taking any configuration? Distributions out of sample, on ``grid``.

    ``chosen_share`` and ``any_share``: share of the chosen, and of all configurations, at or below
    each performance of ``grid``. ``first_order``: the chosen ones' curve is nowhere above;
    ``second_order``: its integral is nowhere above. All configurations are taken in evenly spaced
    halvings, some 50,000 values at most and those of two halvings at least.
    """

    grid: Float1D
    chosen_share: Float1D
    any_share: Float1D
    first_order: bool
    second_order: bool


def overfitting(
    block_sums: Float3D, bars_of_block: Int1D, *, performance: Performance = "sharpe"
) -> Overfitting:
    """Cross-validate N configurations from the power sums of their returns, ``(N, S, 5)``.

    ``block_sums`` are those of ``SweepResult.block_sums`` or ``block_sums_of``; ``bars_of_block``
    ``(S,)``. Performance is mean ÷ deviation (ddof 1) or the mean of bar returns; returns that do not
    vary (a configuration that never traded in a half) count as 0. Of configurations that tie in
    sample the first is chosen. Equal columns give equal results to the last bit, whatever N.
    Raises ConfigError for fewer than two configurations, an odd number of blocks, more than
    ``MOST_BLOCKS``, blocks without bars; DataError for sums that are not finite.
    """
    sums, bars = _checked(block_sums, bars_of_block)
    configurations, blocks = sums.shape[:2]
    halves, tables = _halves(blocks), _tables(sums, bars, performance)
    chosen, in_sample, out_of_sample, ranks = cross_validate_kernel(halves, blocks, *tables)
    logits = np.log(ranks / (configurations + 1 - ranks))
    slope, intercept = _line(in_sample, out_of_sample)
    every = math.ceil(2 * len(halves) * configurations / _SAMPLED_VALUES)
    anyone = out_of_sample_kernel(halves[::every].copy(), blocks, *tables)
    return Overfitting(
        configurations=configurations,
        blocks=blocks,
        bars=int(bars.sum()),
        pbo=_share_at_or_below_median(ranks, configurations),
        pbo_strict=float((logits < 0.0).mean()),
        median_logit=float(np.median(logits)),
        degradation_slope=slope,
        degradation_intercept=intercept,
        loss_probability=float((out_of_sample < 0.0).mean()),
        dominance=_dominance(out_of_sample, anyone),
        chosen=chosen,
        in_sample=in_sample,
        out_of_sample=out_of_sample,
        logits=logits,
    )


def overfitting_probability(
    block_sums: Float3D, bars_of_block: Int1D, *, performance: Performance = "sharpe"
) -> float:
    """``overfitting(...).pbo`` alone, for many repetitions."""
    sums, bars = _checked(block_sums, bars_of_block)
    configurations, blocks = sums.shape[:2]
    tables = _tables(sums, bars, performance)
    *_, ranks = cross_validate_kernel(_halves(blocks), blocks, *tables)
    return _share_at_or_below_median(ranks, configurations)


def overfitting_of_returns(
    returns: Float2D, blocks: int = 16, *, performance: Performance = "sharpe"
) -> Overfitting:
    """Cross-validate the bar returns ``(T, N)`` of N configurations on ``blocks`` equal blocks.

    The first T mod S bars are left out. Errors as ``overfitting``.
    """
    sums, bars = block_sums_of(returns, blocks)
    return overfitting(sums, bars, performance=performance)


def block_sums_of(returns: Float2D, blocks: int) -> tuple[Float3D, Int1D]:
    """Power sums ``(N, S, 5)`` of bar returns ``(T, N)`` on S equal blocks, and their bars ``(S,)``.

    The first T mod S bars are left out. Raises ConfigError when there are fewer bars than blocks, and
    DataError for returns that are not finite.
    """
    given = np.ascontiguousarray(returns, dtype=np.float64)
    if given.ndim != 2:
        raise ConfigError(f"returns have shape {given.shape}: give (bars, configurations)")
    if not 1 <= blocks <= len(given):
        raise ConfigError(f"blocks={blocks} must lie within [1, {len(given)}], the bars given")
    if not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise DataError(
            f"returns[{row}, {column}]={given[row, column]}: every return must be finite"
        )
    each = len(given) // blocks
    cut = given[len(given) % blocks :].reshape(blocks, each, given.shape[1])
    square = cut * cut
    powers = (cut, square, square * cut, square * square, square * (cut < 0.0))
    sums = np.stack([power.sum(axis=1) for power in powers], axis=-1).transpose(1, 0, 2)
    return np.ascontiguousarray(sums), np.full(blocks, each, dtype=np.int64)


def _checked(block_sums: Float3D, bars_of_block: Int1D) -> tuple[Float3D, Int1D]:
    sums = np.asarray(block_sums, dtype=np.float64)
    bars = np.asarray(bars_of_block, dtype=np.int64)
    if sums.ndim != 3 or sums.shape[2] != len(SUMS):
        raise ConfigError(f"block_sums have shape {sums.shape}: give (configurations, blocks, 5)")
    configurations, blocks = sums.shape[:2]
    if configurations < 2:
        raise ConfigError(
            f"block_sums hold {configurations} configuration: two or more are needed to choose one"
        )
    if blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise ConfigError(
            f"block_sums hold {blocks} blocks: an even number from 2 to {MOST_BLOCKS} can be halved"
        )
    if bars.shape != (blocks,) or (bars < 1).any():
        raise ConfigError(
            f"bars_of_block={bars.tolist()} must be {blocks} numbers of bars, 1 or more"
        )
    if not np.isfinite(sums[:, :, :2]).all():
        row, block = np.argwhere(~np.isfinite(sums[:, :, :2]).all(axis=2))[0]
        raise DataError(f"block_sums[{row}, {block}] must be finite: {sums[row, block].tolist()}")
    return sums, bars


def _share_at_or_below_median(ranks: Float1D, configurations: int) -> float:
    return float((2.0 * ranks <= configurations + 1).mean())


@lru_cache(maxsize=8)
def _halves(blocks: int) -> Int1D:
    """Bit masks of the first half of all choices of S/2 blocks; the others are their complements."""
    chosen = combinations(range(blocks), blocks // 2)
    masks = [sum(1 << block for block in half) for half in chosen]
    halves = np.array(masks[: len(masks) // 2], dtype=np.int64)
    halves.flags.writeable = False
    return halves


def _tables(
    sums: Float3D, bars: Int1D, performance: Performance
) -> tuple[Float3D, Float3D, Float2D, bool]:
    """Sums of r and r² and numbers of bars over subsets of groups of blocks, as the kernels take them."""
    if performance not in ("sharpe", "mean_return"):
        raise ConfigError(f"performance={performance!r} must be 'sharpe' or 'mean_return'")
    counts = _subset_sums(bars[:, None].astype(np.float64))
    return (
        _subset_sums(sums[:, :, 0].T),
        _subset_sums(sums[:, :, 1].T),
        np.ascontiguousarray(counts[:, :, 0]),
        performance == "sharpe",
    )


def _subset_sums(of_block: Float2D) -> Float3D:
    """Sums ``(groups, 16, N)`` of every subset of each group of four blocks ``(S, N)``, in their order.

    What the last group lacks of four blocks holds 0.
    """
    blocks, columns = of_block.shape
    groups = -(-blocks // GROUP)
    padded = np.zeros((groups * GROUP, columns))
    padded[:blocks] = of_block
    table = np.zeros((groups, 1 << GROUP, columns))
    for subset in range(1, 1 << GROUP):
        last = subset.bit_length() - 1
        table[:, subset] = table[:, subset - (1 << last)] + padded[last::GROUP]
    return table


def _line(x: Float1D, y: Float1D) -> tuple[float, float]:
    """Slope and intercept of y on x by least squares; NaN when x does not vary."""
    around = x - x.mean()
    squares = float((around**2).sum())
    if not squares > 0.0:
        return math.nan, math.nan
    slope = float((around * (y - y.mean())).sum()) / squares
    return slope, float(y.mean() - slope * x.mean())


def _dominance(chosen: Float1D, anyone: Float1D) -> Dominance:
    low, high = min(chosen.min(), anyone.min()), max(chosen.max(), anyone.max())
    grid = np.linspace(low, high, _GRID)
    chosen_share = np.searchsorted(np.sort(chosen), grid, side="right") / len(chosen)
    any_share = np.searchsorted(np.sort(anyone), grid, side="right") / len(anyone)
    ahead = any_share - chosen_share
    return Dominance(
        grid=grid,
        chosen_share=chosen_share,
        any_share=any_share,
        first_order=bool((ahead >= 0.0).all() and (ahead > 0.0).any()),
        second_order=bool((np.cumsum(ahead) >= 0.0).all() and (ahead > 0.0).any()),
    )
