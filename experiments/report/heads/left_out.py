"""What each head adds: the run less the run without it, with intervals from the same days for both."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Float1D, Float2D, Int1D
from engine.sweep import Float3D

from ...statistics.resampling import automatic_table_resampling, resampled_sums

DRAWS: Final = 1_999
LEVEL: Final = 0.95
FEWEST_DAYS: Final = 30
"""Days below which no interval is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadChanges:
    """K heads; arrays ``(K,)``. A change is the run less the run without the head: above 0, it added.

    ``sharpe``, ``total_return``, ``max_drawdown`` and ``trades`` are changes, NaN where either number is
    undefined. ``low`` and ``high`` bound the changes of the annual Sharpe ratio of all heads at once with
    95 %, NaN where there is too little. ``block_days`` is the mean length of the resampled blocks.
    """

    heads: tuple[str, ...]
    sharpe: Float1D
    total_return: Float1D
    max_drawdown: Float1D
    trades: Float1D
    low: Float1D
    high: Float1D
    block_days: float


def head_changes(
    of_run: Mapping[str, float | None],
    without: Mapping[str, Mapping[str, float | None]],
    day_sums: Float3D,
    run_sums: Float2D,
    day_bars: Int1D,
    *,
    bars_a_year: float,
    seed: int,
) -> HeadChanges:
    """Changes of metrics from ``metrics`` and ``leave_one_out`` of run.json, and their intervals.

    ``day_sums`` ``(K, B, 2)`` are sums of returns and of their squares on each day without each head,
    ``run_sums`` ``(B, 2)`` those of the run itself, ``day_bars`` ``(B,)`` how many bars a day has. A
    stationary bootstrap draws the same days for the run and for those without a head, so that what
    moves both moves no change; the joint interval takes the quantile of the largest of the K
    studentised changes.
    """

    def change(name: str) -> Float1D:
        found = [_number(of_run[name]) - _number(numbers[name]) for numbers in without.values()]
        return np.array(found, dtype=np.float64)

    sharpe = change("sharpe")
    low, high = np.full(len(sharpe), np.nan), np.full(len(sharpe), np.nan)
    block = float("nan")
    if len(day_bars) >= FEWEST_DAYS and np.isfinite(sharpe).any():
        low, high, block = _intervals(sharpe, day_sums, run_sums, day_bars, bars_a_year, seed)
    return HeadChanges(
        heads=tuple(without),
        sharpe=sharpe,
        total_return=change("total_return"),
        max_drawdown=change("max_drawdown"),
        trades=change("trades"),
        low=low,
        high=high,
        block_days=block,
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _intervals(
    sharpe: Float1D,
    day_sums: Float3D,
    run_sums: Float2D,
    day_bars: Int1D,
    bars_a_year: float,
    seed: int,
) -> tuple[Float1D, Float1D, float]:
    heads = len(day_sums)
    returns = np.column_stack((run_sums[:, :1], day_sums[:, :, 0].T))
    squares = np.column_stack((run_sums[:, 1:], day_sums[:, :, 1].T))
    differences = returns[:, :1] - returns[:, 1:]
    resampling = automatic_table_resampling(np.column_stack((returns, differences)))
    terms = np.column_stack((day_bars.astype(np.float64), returns, squares))
    sums = np.concatenate(list(resampled_sums(resampling, terms, DRAWS, seed)))
    drawn = sharpes(sums[:, 1 : heads + 2], sums[:, heads + 2 :], sums[:, :1], bars_a_year)
    change = drawn[:, :1] - drawn[:, 1:]
    deviation = np.full(heads, np.nan)
    known = np.isfinite(change).all(axis=0) & np.isfinite(sharpe)
    deviation[known] = change[:, known].std(axis=0, ddof=1)
    # A head that changed nothing has a change of exactly 0, and no interval to speak of.
    known &= deviation > 0
    if not known.any():
        return np.full(heads, np.nan), np.full(heads, np.nan), resampling.block_length
    studentised = np.abs(change[:, known] - sharpe[known]) / deviation[known]
    critical = float(np.quantile(studentised.max(axis=1), LEVEL))
    half = np.where(known, critical * deviation, np.nan)
    return sharpe - half, sharpe + half, resampling.block_length


def sharpes(returns: Float2D, squares: Float2D, bars: Float2D, bars_a_year: float) -> Float2D:
    """Annual Sharpe ratios (ddof 1) from sums of returns and squares; NaN where nothing varies."""
    mean = returns / bars
    variance = (squares - bars * mean * mean) / (bars - 1.0)
    # A constant series leaves nothing but the rounding of its squares.
    varies = variance > 1e-13 * squares / bars
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean / np.sqrt(variance) * np.sqrt(bars_a_year)
    found: Float2D = np.where(varies, ratio, np.nan)
    return found
