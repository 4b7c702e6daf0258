"""Sums over the ledgers in the order in which things happened, as a sweep forms them (accounting, 8)."""

from typing import Any

import numpy as np

from ..arrays import Float1D
from ..replay import ReplayResult


def running_sum(numbers: Float1D) -> float:
    """The sum from first to last, without pairing; 0 of nothing."""
    return float(np.cumsum(numbers)[-1]) if len(numbers) else 0.0


def trades_by_closing(result: ReplayResult) -> np.ndarray[Any, Any]:
    """The trade ledger in the order of the last fills."""
    trades, fills = result.trades, result.fills
    if not len(trades):
        return trades
    last = np.full(len(trades), -1)
    np.maximum.at(last, fills["trade"], np.arange(len(fills)))
    return trades[np.argsort(last, kind="stable")]
