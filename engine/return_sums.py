"""Power sums of bar returns in a fixed order of addition, shared by runs and sweeps (accounting, 8)."""

from typing import Final

import numpy as np

from .arrays import Float1D, Float2D, Int1D
from .errors import ContractError
from .jit import inner_kernel, kernel
from .simd import choose, load, lowest, number_at, put_number, spread, store

LANES: Final = 8
SUMS: Final = ("r", "r2", "r3", "r4", "downside2")
"""Power sums of returns and the sum of squared negative returns, by column."""


@inner_kernel
def _add_bar_kernel(lanes: int, t: int, before: float, equity: float) -> None:
    r = equity / before - 1.0 if before > 0.0 else 0.0
    squared = r * r
    lane = t % LANES
    put_number(lanes, lane, number_at(lanes, lane) + r)
    put_number(lanes, LANES + lane, number_at(lanes, LANES + lane) + squared)
    put_number(lanes, 2 * LANES + lane, number_at(lanes, 2 * LANES + lane) + squared * r)
    put_number(lanes, 3 * LANES + lane, number_at(lanes, 3 * LANES + lane) + squared * squared)
    if r < 0.0:
        put_number(lanes, 4 * LANES + lane, number_at(lanes, 4 * LANES + lane) + squared)


@inner_kernel(inlined=True)
def _add_group_kernel(lanes: int, equity: int, t: int) -> None:
    """Add the eight bars from ``t`` on, a multiple of eight above 0, with positive equity before each."""
    one, zero = spread(1.0), spread(0.0)
    r = load(equity, t) / load(equity, t - 1) - one
    squared = r * r
    store(lanes, 0, load(lanes, 0) + r)
    store(lanes, LANES, load(lanes, LANES) + squared)
    store(lanes, 2 * LANES, load(lanes, 2 * LANES) + squared * r)
    store(lanes, 3 * LANES, load(lanes, 3 * LANES) + squared * squared)
    store(lanes, 4 * LANES, load(lanes, 4 * LANES) + choose(r < zero, squared, zero))


@kernel
def _return_sums_kernel(
    equity: Float1D, address: int, initial_cash: float, edges: Int1D, lanes: int, at_edge: Float2D
) -> None:
    """Write the sums at ``edges``; ``address`` is that of ``equity``, ``lanes`` that of 40 zeros."""
    bars = len(equity)
    edge, t = 0, 0
    while True:
        while edge < len(edges) and edges[edge] == t:
            for k in range(len(SUMS)):
                at = LANES * k
                at_edge[edge, k] = (
                    (number_at(lanes, at) + number_at(lanes, at + 1))
                    + (number_at(lanes, at + 2) + number_at(lanes, at + 3))
                ) + (
                    (number_at(lanes, at + 4) + number_at(lanes, at + 5))
                    + (number_at(lanes, at + 6) + number_at(lanes, at + 7))
                )
            edge += 1
        if t == bars:
            return
        until = edges[edge] if edge < len(edges) else bars
        if t > 0 and t % LANES == 0 and t + LANES <= until:
            lows = load(address, t)
            before = load(address, t - 1)
            if lowest(choose(before < lows, before, lows)) > 0.0:
                _add_group_kernel(lanes, address, t)
                t += LANES
                continue
        _add_bar_kernel(lanes, t, equity[t - 1] if t > 0 else initial_cash, equity[t])
        t += 1


def return_sums(equity: Float1D, initial_cash: float, edges: Int1D | None = None) -> Float2D:
    """Sums of ``SUMS`` over all bars before each edge, ``(len(edges), 5)``.

    ``equity`` ``(T,)`` at each close; ``edges`` are bar indices that do not decrease, within [0, T]; None
    stands for 0 and T, so that the last row holds the sums of everything. Differences of rows are the
    sums of the blocks between. Raises ContractError when an edge is out of order or out of range.
    """
    given = np.array([0, len(equity)]) if edges is None else np.asarray(edges, dtype=np.int64)
    if (len(given) and (np.diff(given) < 0).any()) or given.min() < 0 or given.max() > len(equity):
        raise ContractError(
            f"edges={given.tolist()} must not decrease and lie within [0, {len(equity)}]"
        )
    told = np.ascontiguousarray(equity, dtype=np.float64)
    lanes = np.zeros(LANES * len(SUMS))
    sums = np.zeros((len(given), len(SUMS)))
    _return_sums_kernel(told, told.ctypes.data, float(initial_cash), given, lanes.ctypes.data, sums)
    return sums
