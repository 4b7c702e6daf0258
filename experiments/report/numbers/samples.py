"""Parts of a run: the bars that chose its configuration, and those that did not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Float1D, Int1D
from engine.metrics import (
    annual_return,
    bar_returns,
    max_drawdown,
    sharpe_from_sums,
    total_return,
    volatility_from_sums,
)
from engine.metrics.trades import expectancy, profit_factor, win_rate

from .days import day_sums, sharpe_interval

MEASURES: Final = (
    ("bars", "bars"),
    ("total_return", "fraction"),
    ("annual_return", "fraction"),
    ("annual_volatility", "fraction"),
    ("sharpe", "ratio"),
    ("max_drawdown", "fraction"),
    ("calmar", "ratio"),
    ("exposure", "fraction"),
    ("trades", "count"),
    ("win_rate", "fraction"),
    ("profit_factor", "ratio"),
    ("expectancy", "settlement currency"),
)
"""What is stated of each part, with its unit, as docs/metrics.md defines it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Bars ``start`` to ``stop`` − 1; ``is_seen`` says that the search saw them."""

    start: int
    stop: int
    is_seen: bool

    @property
    def name(self) -> str:
        """In words."""
        return "in sample" if self.is_seen else "out of sample"


def samples_of(open_time: Int1D, seen_from: int | None, seen_to: int | None) -> tuple[Sample, ...]:
    """Stretches of bars in order; a bar is seen when it opens from ``seen_from`` to before ``seen_to``.

    Times in ns; None is without a bound.
    """
    seen = np.ones(len(open_time), dtype=np.bool_)
    if seen_from is not None:
        seen &= open_time >= seen_from
    if seen_to is not None:
        seen &= open_time < seen_to
    starts = np.flatnonzero(np.diff(seen.astype(np.int8), prepend=2))
    stops = np.append(starts[1:], len(seen))
    return tuple(
        Sample(start=int(start), stop=int(stop), is_seen=bool(seen[start]))
        for start, stop in zip(starts, stops, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMeasures:
    """``values`` of ``MEASURES`` by name, NaN where undefined, and an interval of the Sharpe ratio."""

    sample: Sample
    values: Mapping[str, float]
    sharpe_interval: tuple[float, float] | None


def measured(
    sample: Sample,
    *,
    equity: Float1D,
    initial_cash: float,
    gross_exposure: Float1D,
    days: Int1D,
    trades: np.ndarray[Any, Any],
    bars_a_year: float,
    seed: int,
) -> SampleMeasures:
    """The account went on from the part before: its first return is measured from there.

    ``equity``, ``gross_exposure`` and ``days`` are those of the whole run, ``(T,)``. A trade belongs to
    the part in which it was entered.
    """
    rows = slice(sample.start, sample.stop)
    base = float(equity[sample.start - 1]) if sample.start else initial_cash
    own, bars = equity[rows], sample.stop - sample.start
    returns = bar_returns(own, base)
    sums = np.array([returns.sum(), (returns * returns).sum()])
    inside = trades[(trades["entry_bar"] >= sample.start) & (trades["entry_bar"] < sample.stop)]
    is_alive = base > 0
    growth = annual_return(own, base, bars / bars_a_year) if is_alive else np.nan
    depth = max_drawdown(own, base) if is_alive else np.nan
    values = {
        "bars": float(bars),
        "total_return": total_return(own, base) if is_alive else np.nan,
        "annual_return": growth,
        "annual_volatility": float(volatility_from_sums(sums, bars, bars_a_year)),
        "sharpe": float(sharpe_from_sums(sums, bars, bars_a_year)),
        "max_drawdown": depth,
        "calmar": growth / depth if depth > 0 else np.nan,
        "exposure": float((gross_exposure[rows] > 0).mean()),
        "trades": float(len(inside)),
        "win_rate": win_rate(inside),
        "profit_factor": profit_factor(inside),
        "expectancy": expectancy(inside),
    }
    interval = sharpe_interval(
        day_sums(days[rows], returns, np.zeros(bars)), bars_a_year, seed=seed
    )
    return SampleMeasures(sample=sample, values=values, sharpe_interval=interval)
