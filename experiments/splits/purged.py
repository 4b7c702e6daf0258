"""K folds with purging and embargo.

López de Prado, *Advances in Financial Machine Learning* (2018), chapter 7. What is learnt from bar t ends
at bar t + holding (a label's horizon, or the exit of the position entered there). A bar outside of the
test is purged when its span and that of a bar of the test have a bar in common; the bars after the last
span of a test are embargoed.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.arrays import Bool1D, Int1D
from engine.errors import ConfigError

from .ranges import BarRange, Split, block_edges, mask_of, ranges_of, require_whole


def purged_folds(
    bars: int, *, folds: int, holding_bars: int | Int1D = 0, embargo_bars: int = 0
) -> tuple[Split, ...]:
    """K splits; fold k is the test of split k and what is left of the others its training.

    ``holding_bars``: bars after bar t that a result entered there still depends on, one number or one
    for each bar ``(bars,)``, cut at the end of the data; 0 when positions are flat at the edges of
    blocks and nothing is fitted to labels. ``embargo_bars``: bars left out after each test, as many as
    features remember. Raises ConfigError, naming the argument.
    """
    require_whole("folds", folds, least=2)
    edges = block_edges(bars, folds)
    last = last_bars(bars, holding_bars)
    require_whole("embargo_bars", embargo_bars, least=0)
    return tuple(
        purged_split(last, (BarRange(int(start), int(stop)),), embargo_bars)
        for start, stop in pairwise(edges)
    )


def last_bars(bars: int, holding_bars: int | Int1D) -> Int1D:
    """Last bar ``(bars,)`` that a result entered at each bar depends on."""
    holding = np.asarray(holding_bars)
    if holding.dtype.kind not in "iu" or (holding < 0).any():
        raise ConfigError(f"holding_bars={holding_bars!r} must be whole numbers of 0 or more")
    if holding.ndim and holding.shape != (bars,):
        raise ConfigError(
            f"holding_bars have shape {holding.shape}: give one for each of {bars} bars"
        )
    last: Int1D = np.minimum(np.arange(bars, dtype=np.int64) + holding, bars - 1)
    return last


def purged_split(last: Int1D, test: Sequence[BarRange], embargo_bars: int) -> Split:
    """Split with the bars of ``test`` as test; ``last`` as ``last_bars``; neighbouring ranges join."""
    bars = len(last)
    tested = mask_of(test, bars)
    purged, embargoed = np.zeros(bars, dtype=np.bool_), np.zeros(bars, dtype=np.bool_)
    joined = ranges_of(tested)
    for one in joined:
        end = int(last[one.start : one.stop].max())
        purged[: one.start] |= last[: one.start] >= one.start
        purged[one.stop : end + 1] = True
        embargoed[end + 1 : end + 1 + embargo_bars] = True
    purged &= ~tested
    embargoed &= ~tested & ~purged
    return Split(
        train=ranges_of(~tested & ~purged & ~embargoed),
        test=joined,
        purged=ranges_of(purged),
        embargoed=ranges_of(embargoed),
    )


def trains_on(split: Split, entry_bar: Int1D, exit_bar: Int1D) -> Bool1D:
    """Which trades ``(N,)`` may be learnt from: those held on training bars alone.

    ``entry_bar`` and ``exit_bar`` ``(N,)`` are the first and last bars of a trade, both included. A
    trade that touches a test, or a purged or embargoed bar, is left out. Raises ConfigError when an
    exit comes before its entry.
    """
    entry, leave = np.asarray(entry_bar, dtype=np.int64), np.asarray(exit_bar, dtype=np.int64)
    if entry.shape != leave.shape or entry.ndim != 1:
        raise ConfigError(f"entry_bar {entry.shape} and exit_bar {leave.shape} must be alike, (N,)")
    if (leave < entry).any() or (entry < 0).any():
        row = int(np.flatnonzero((leave < entry) | (entry < 0))[0])
        raise ConfigError(
            f"entry_bar[{row}]={entry[row]}, exit_bar[{row}]={leave[row]}: an entry is bar 0 or later and "
            "no exit comes before it"
        )
    allowed = np.zeros(len(entry), dtype=np.bool_)
    for one in split.train:
        allowed |= (entry >= one.start) & (leave < one.stop)
    return allowed
