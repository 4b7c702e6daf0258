"""Trades by how many heads agreed when they were decided on."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D, Int1D

from ...statistics.clustered_means import clustered_means
from .forward import grouped

FEWEST_TRADES: Final = 10
FEWEST_CLUSTERS: Final = 8
"""Trades and clusters below which a mean has no interval."""
REPETITIONS: Final = 999


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryGroups:
    """Trades by the number of heads that agreed at the close that decided them; arrays ``(K,)``.

    ``wins`` is a fraction, ``mean_return`` the mean of the trades' net returns (fraction of what was
    bought or sold), ``low`` and ``high`` an interval that holds the means of all groups at once with
    95 %, NaN where there is too little; ``net_pnl`` is their sum in settlement currency. ``undecided``
    trades were not decided by the consensus and are in no group.
    """

    heads: Int1D
    trades: Int1D
    wins: Float1D
    mean_return: Float1D
    low: Float1D
    high: Float1D
    net_pnl: Float1D
    undecided: int


def entry_orders_of(fill_trade: Int1D, fill_order: Int1D, trades: int) -> Int1D:
    """The order that opened each trade, ``(trades,)``: that of its first fill; -1 where none did."""
    opened = np.full(trades, -1, dtype=np.int64)
    numbers, first = np.unique(fill_trade, return_index=True)
    inside = (numbers >= 0) & (numbers < trades)
    opened[numbers[inside]] = fill_order[first[inside]]
    return opened


def entry_groups(
    agreeing: Int1D,
    net_pnl: Float1D,
    return_frac: Float1D,
    cluster: Int1D,
    *,
    seed: int,
) -> EntryGroups:
    """Groups of trades by ``agreeing`` heads; every array ``(trades,)``, -1 where it is not known."""
    known = agreeing >= 0
    heads, group = np.unique(agreeing[known], return_inverse=True)
    net, returns = net_pnl[known], return_frac[known]
    count = np.bincount(group, minlength=len(heads))
    low, high = np.full(len(heads), np.nan), np.full(len(heads), np.nan)
    if len(heads):
        shape = (int(cluster[known].max()) + 1, len(heads))
        sums, counts = grouped(returns, cluster[known], group, shape)
        judged = (count >= FEWEST_TRADES) & ((counts > 0).sum(axis=0) >= FEWEST_CLUSTERS)
        if judged.any():
            found = clustered_means(
                sums[:, judged], counts[:, judged], repetitions=REPETITIONS, seed=seed
            )
            low[judged], high[judged] = found.low, found.high
    return EntryGroups(
        heads=heads.astype(np.int64),
        trades=count.astype(np.int64),
        wins=np.bincount(group, weights=net > 0, minlength=len(heads)) / count,
        mean_return=np.bincount(group, weights=returns, minlength=len(heads)) / count,
        low=low,
        high=high,
        net_pnl=np.bincount(group, weights=net, minlength=len(heads)).astype(np.float64),
        undecided=int((~known).sum()),
    )
