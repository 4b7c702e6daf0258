"""Bar returns summed by UTC day, from which statistics of bars follow without looking at bars again."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, Float2D, Int1D
from engine.metrics import sharpe_from_sums

from ...statistics.bootstrap import SumStatistic, bootstrap_interval
from ...statistics.resampling import automatic_resampling, resampled_rows

FEWEST_DAYS: Final = 30
"""Days below which no interval and no distribution is given."""
INTERVAL_DRAWS: Final = 2_000
FAN_DRAWS: Final = 1_000
FAN_POINTS: Final = 120
FAN_QUANTILES: Final = (0.025, 0.25, 0.5, 0.75, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DaySums:
    """Sums over the bars of each day, ``(D,)``: what bar statistics of any set of whole days need.

    ``day`` is the UTC day since 1970 in which a bar's last nanosecond lies, ``first`` and ``last`` its
    rows; ``bars`` their number. ``total`` and ``squares`` are Σr and Σr² of the run, ``held_total`` and
    ``held_squares`` of the benchmark, ``products`` Σ r · r of the benchmark.
    """

    day: Int1D
    first: Int1D
    last: Int1D
    bars: Float1D
    total: Float1D
    squares: Float1D
    held_total: Float1D
    held_squares: Float1D
    products: Float1D

    def __len__(self) -> int:
        return len(self.day)


def day_sums(days: Int1D, returns: Float1D, held: Float1D) -> DaySums:
    """Sum the bar returns of a run and of its benchmark, all ``(T,)``, by the day of each bar."""
    first = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).astype(np.int64)
    last = np.append(first[1:], len(days)) - 1

    def summed(values: Float1D) -> Float1D:
        sums: Float1D = np.add.reduceat(values, first)
        return sums

    return DaySums(
        day=days[first],
        first=first,
        last=last,
        bars=(last - first + 1).astype(np.float64),
        total=summed(returns),
        squares=summed(returns * returns),
        held_total=summed(held),
        held_squares=summed(held * held),
        products=summed(returns * held),
    )


def sharpe_interval(
    sums: DaySums, bars_a_year: float, *, seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the annual Sharpe ratio of bar returns; None below 30 days or where it is undefined.

    Whole days are drawn again, in stationary blocks of the automatic length, and the ratio of the bars
    of the drawn days is formed as the metric is; BCa corrects for bias and skewness.
    """
    table = np.column_stack((sums.bars, sums.total, sums.squares))
    whole = table.sum(axis=0)
    ratio = float(sharpe_from_sums(whole[1:], whole[0], bars_a_year))
    if len(sums) < FEWEST_DAYS or not np.isfinite(ratio):
        return None

    def terms(rows: Float1D) -> Float2D:
        return table[rows.astype(np.int64)]

    def value(drawn: Float2D, _count: Float1D) -> Float1D:
        ratios = sharpe_from_sums(drawn[:, 1:], drawn[:, 0], bars_a_year)
        return np.where(np.isfinite(ratios), ratios, 0.0)

    found = bootstrap_interval(
        np.arange(len(sums), dtype=np.float64),
        SumStatistic(name="sharpe of bars", terms=terms, value=value),
        seed=seed,
        level=level,
        draws=INTERVAL_DRAWS,
    )
    return found.low, found.high


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fan:
    """Growth that the same days in other orders give: ``growth`` ``(Q, P)`` at the days ``rows`` ``(P,)``.

    Row q is the quantile ``quantiles[q]`` of the draws at each place; ``block_days`` the mean length of
    a block; ``lost_share`` the share of the draws that end below where they began.
    """

    rows: Int1D
    growth: Float2D
    quantiles: tuple[float, ...]
    block_days: float
    lost_share: float


def bootstrap_fan(day_returns: Float1D, *, seed: int) -> Fan | None:
    """Quantiles of the growth of resampled days ``(D,)``; None below 30 days or when one lost everything.

    Stationary blocks of days of the automatic length are drawn and compounded.
    """
    count = len(day_returns)
    if count < FEWEST_DAYS or not (day_returns > -1.0).all() or not day_returns.any():
        return None
    resampling = automatic_resampling(day_returns)
    places = np.unique(np.linspace(0, count - 1, FAN_POINTS).astype(np.int64))
    logs = np.log1p(day_returns)
    paths = np.concatenate(
        [
            np.cumsum(logs[rows], axis=1)[:, places]
            for rows in resampled_rows(resampling, count, FAN_DRAWS, seed)
        ]
    )
    return Fan(
        rows=places,
        growth=np.exp(np.quantile(paths, FAN_QUANTILES, axis=0)),
        quantiles=FAN_QUANTILES,
        block_days=resampling.block_length,
        lost_share=float((paths[:, -1] < 0).mean()),
    )
