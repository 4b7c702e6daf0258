"""States of the market that were known before each day, and what a run made of them.

A state of a day follows from the days before it alone, its limits too: nothing of the day itself or of
what came after decides where a bar is counted.
"""

import math
from bisect import bisect_right, insort
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from engine import Bool1D, Float1D, Int1D
from engine.metrics import sharpe_from_sums, volatility_from_sums

from .days import FEWEST_DAYS, DaySums, sharpe_interval

VOLATILITY_DAYS: Final = 30
"""Days before a day whose returns are its volatility."""
FEWEST_RANKED: Final = 30
"""Earlier volatilities that a rank needs."""
TREND_DAYS: Final = 100
"""Days before a day whose mean its price is compared with."""
UNKNOWN: Final = -1
VOLATILITY_STATES: Final = ("calm", "middling", "wild")
TREND_STATES: Final = ("below its average", "above its average")


def trailing_volatility(total: Float1D, squares: Float1D, bars: Float1D) -> Float1D:
    """Deviation (ddof 1) of the bar returns of the 30 days before each day, ``(D,)``; NaN before there are.

    Arguments are sums by day, as those of ``DaySums``; the answer is per bar.
    """
    days = len(bars)
    found = np.full(days, np.nan)
    if days <= VOLATILITY_DAYS:
        return found

    def before(values: Float1D) -> Float1D:
        view = np.lib.stride_tricks.sliding_window_view(values, VOLATILITY_DAYS)
        sums: Float1D = view.sum(axis=1)[:-1]
        return sums

    sums = np.column_stack((before(total), before(squares)))
    found[VOLATILITY_DAYS:] = volatility_from_sums(sums, before(bars), 1.0)
    return found


def expanding_terciles(values: Float1D) -> Int1D:
    """0, 1 or 2 for the lower, middle and upper third of all earlier values, ``(D,)``; −1 while unknown.

    The rank of a value is the share of the earlier ones that are not above it; below ⅓ is 0, from ⅔ on 2.
    Unknown without 30 earlier values; NaN is unknown and ranks nothing.
    """
    seen: list[float] = []
    states = np.full(len(values), UNKNOWN, dtype=np.int64)
    for day, value in enumerate(values.tolist()):
        if math.isnan(value):
            continue
        if len(seen) >= FEWEST_RANKED:
            rank = bisect_right(seen, value) / len(seen)
            states[day] = int(rank >= 1 / 3) + int(rank >= 2 / 3)
        insort(seen, value)
    return states


def trend_states(day_close: Float1D) -> Int1D:
    """1 where the last close before a day is above the mean of the last 100, else 0; −1 unknown.

    ``day_close`` ``(D,)`` is the market at the end of each day.
    """
    states = np.full(len(day_close), UNKNOWN, dtype=np.int64)
    if len(day_close) > TREND_DAYS:
        means = np.lib.stride_tricks.sliding_window_view(day_close, TREND_DAYS).mean(axis=1)[:-1]
        states[TREND_DAYS:] = (day_close[TREND_DAYS - 1 : -1] > means).astype(np.int64)
    return states


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeResult:
    """A run inside one state: bars and their share, compounded returns of run and benchmark, trades.

    ``sharpe``, ``held_sharpe`` (of the benchmark) and ``volatility`` are annual, of the bars inside;
    ``trades`` were entered there, ``net_pnl`` is what became of them, ``win_rate`` the share of them
    that won. NaN where undefined, the three annual ones below 30 days too.
    """

    state: int
    days: int
    bars: int
    share: float
    return_frac: float
    held_return_frac: float
    sharpe: float
    held_sharpe: float
    volatility: float
    trades: int
    win_rate: float
    net_pnl: float


def regime_results(
    states: Int1D,
    returns: Float1D,
    held: Float1D,
    trades: np.ndarray[Any, Any],
    days: Int1D,
    bars_a_year: float,
) -> tuple[RegimeResult, ...]:
    """One row for each state of ``states`` ``(T,)`` that bars have, in their order, unknown first.

    The bars of all states are all bars, so that the returns of the rows compound to the run's. Trades
    count where they were entered. ``days`` ``(T,)`` is the day of each bar.
    """
    rows = []
    entered = states[trades["entry_bar"]] if len(trades) else np.zeros(0, dtype=np.int64)
    for state in np.unique(states).tolist():
        inside = states == state
        own, other = returns[inside], held[inside]
        day_count = len(np.unique(days[inside]))
        year = bars_a_year if day_count >= FEWEST_DAYS else np.nan
        sums = np.array([own.sum(), (own * own).sum()])
        held_sums = np.array([other.sum(), (other * other).sum()])
        net = trades["net_pnl"][entered == state]
        rows.append(
            RegimeResult(
                state=int(state),
                days=day_count,
                bars=len(own),
                share=len(own) / len(states),
                return_frac=float(np.prod(1.0 + own) - 1.0),
                held_return_frac=float(np.prod(1.0 + other) - 1.0),
                sharpe=float(sharpe_from_sums(sums, len(own), year)),
                held_sharpe=float(sharpe_from_sums(held_sums, len(own), year)),
                volatility=float(volatility_from_sums(sums, len(own), year)),
                trades=len(net),
                win_rate=float((net > 0).mean()) if len(net) else float("nan"),
                net_pnl=float(net.sum()),
            )
        )
    return tuple(rows)


def state_interval(
    sums: DaySums, inside: Bool1D, bars_a_year: float, *, seed: int
) -> tuple[float, float] | None:
    """95 % interval of the annual Sharpe ratio of the bars on the days ``inside`` ``(D,)`` of a run.

    Blocks of all days are drawn, as for the whole run (``sharpe_interval``), and the ratio is that of the
    drawn days that are inside: neighbours stay together, and how many days a state has may vary. None
    below 30 such days and where the ratio is undefined.
    """
    if int(inside.sum()) < FEWEST_DAYS:
        return None
    only = replace(
        sums,
        bars=sums.bars * inside,
        total=sums.total * inside,
        squares=sums.squares * inside,
    )
    return sharpe_interval(only, bars_a_year, seed=seed)
