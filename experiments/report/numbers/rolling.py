"""Statistics over a window of days that moves through the run."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D
from engine.metrics import sharpe_from_sums, volatility_from_sums

from .days import DaySums

WINDOWS: Final = (365, 180, 90, 30)
"""Lengths in days; the longest of which a run holds four is taken."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rolling:
    """Statistics of the bars of ``window`` days up to and with each of them, ``(D - window + 1,)``.

    Annual Sharpe ratio and volatility of the bar returns of run and benchmark, and beta between
    them; NaN where they are undefined.
    """

    window: int
    sharpe: Float1D
    volatility: Float1D
    held_sharpe: Float1D
    held_volatility: Float1D
    beta: Float1D


def trailing_returns(equity: Float1D, initial_cash: float, window: int) -> Float1D:
    """Return over ``window`` days up to each day, ``(D - window + 1,)``, of equity at the days' ends.

    The first is measured from the initial cash; NaN where the equity before it is not positive.
    """
    before = np.concatenate(([initial_cash], equity))[:-window]
    found: Float1D = np.divide(
        equity[window - 1 :], before, out=np.full(len(before), np.nan), where=before > 0
    )
    return found - 1.0


def window_of(days: int) -> int | None:
    """The window for a run of ``days`` days; None where even the shortest does not fit twice."""
    for window in WINDOWS:
        if days >= 4 * window:
            return window
    return WINDOWS[-1] if days >= 2 * WINDOWS[-1] else None


def rolling(sums: DaySums, window: int, bars_a_year: float) -> Rolling:
    """Every window is summed by itself, so that no rounding is carried along."""

    def moved(values: Float1D) -> Float1D:
        found: Float1D = np.lib.stride_tricks.sliding_window_view(values, window).sum(axis=1)
        return found

    bars = moved(sums.bars)
    own = np.column_stack((moved(sums.total), moved(sums.squares)))
    held = np.column_stack((moved(sums.held_total), moved(sums.held_squares)))
    products = moved(sums.products)
    covariance = bars * products - own[:, 0] * held[:, 0]
    variance = bars * held[:, 1] - held[:, 0] ** 2
    varies = volatility_from_sums(held, bars, bars_a_year) > 0
    return Rolling(
        window=window,
        sharpe=sharpe_from_sums(own, bars, bars_a_year),
        volatility=volatility_from_sums(own, bars, bars_a_year),
        held_sharpe=sharpe_from_sums(held, bars, bars_a_year),
        held_volatility=volatility_from_sums(held, bars, bars_a_year),
        beta=np.divide(covariance, variance, out=np.full_like(bars, np.nan), where=varies),
    )
