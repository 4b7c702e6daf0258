"""Target sides as vectorbt's signals, and which of its engines are installed."""

import importlib.util
from typing import Any

import numpy as np
import pandas as pd

from .work import Outcome


def engines() -> tuple[str, ...]:
    """``numba``, and ``rust`` where the package ``vectorbt-rust`` is installed."""
    return ("numba", "rust") if importlib.util.find_spec("vectorbt_rust") else ("numba",)


def signals(side: np.ndarray, acts: np.ndarray, engine: str) -> dict[str, np.ndarray]:
    """Entries and exits of both directions, one row after the decision, so that its open fills them.

    The numba engine walks column after column and is faster over arrays that lie so; the Rust engine
    copies them back.
    """
    order = "F" if engine == "numba" else "C"
    shifted, decided = np.zeros(side.shape, dtype=np.int8), np.zeros(side.shape, dtype=bool)
    shifted[1:], decided[1:] = side[:-1], acts[:-1]
    flat = np.asarray(decided & (shifted == 0), order=order)
    return {
        "entries": np.asarray(decided & (shifted > 0), order=order),
        "exits": flat,
        "short_entries": np.asarray(decided & (shifted < 0), order=order),
        "short_exits": flat,
    }


def most_orders(acts: np.ndarray) -> int:
    """A bound for ``max_orders``: every decision fills at most once and is stopped at most once.

    The default is one order for every bar and column, of 40 bytes each.
    """
    return 2 * int(np.count_nonzero(acts)) + 1


def outcome(portfolio: Any) -> Outcome:
    """Equity curve and the three statistics, each for every column."""
    value = portfolio.value()
    year_freq = pd.Timedelta(365, "D")
    figures = (
        value.iloc[-1],
        portfolio.total_return(),
        portfolio.sharpe_ratio(year_freq=year_freq),
        portfolio.max_drawdown(),
    )
    arrays = (np.asarray(figure, dtype=np.float64) for figure in figures)
    return Outcome(*(array[()] for array in arrays), fills=len(portfolio.order_records))
