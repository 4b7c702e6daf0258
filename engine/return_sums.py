"""Power sums of bar returns in a fixed order of addition, shared by runs and sweeps (accounting, 8)."""

from typing import Final

import numpy as np

from .argument_checks import check_array
from .arrays import Float1D, Float2D, Int1D
from .errors import ContractError
from .jit import inner_kernel, kernel
from .simd import choose, load, mask_bits, number_at, put_number, spread, store

LANES: Final = 8
ALL_LANES: Final = (1 << LANES) - 1
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
def _add_groups_kernel(lanes: int, equity: int, first: int, stop: int) -> int:
    """Add bars from ``first`` on, eight at a time and all multiples of eight above 0; where that ends.

    It ends at ``stop``, less than eight bars before it, or where equity was not positive.
    """
    one, zero = spread(1.0), spread(0.0)
    r1, r2, r3 = load(lanes, 0), load(lanes, LANES), load(lanes, 2 * LANES)
    r4, downside = load(lanes, 3 * LANES), load(lanes, 4 * LANES)
    t = first
    while t + LANES <= stop:
        before = load(equity, t - 1)
        if mask_bits(before > zero) != ALL_LANES:
            break
        r = load(equity, t) / before - one
        squared = r * r
        r1 = r1 + r
        r2 = r2 + squared
        r3 = r3 + squared * r
        r4 = r4 + squared * squared
        downside = downside + choose(r < zero, squared, zero)
        t += LANES
    store(lanes, 0, r1)
    store(lanes, LANES, r2)
    store(lanes, 2 * LANES, r3)
    store(lanes, 3 * LANES, r4)
    store(lanes, 4 * LANES, downside)
    return t


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
        if t > 0 and t % LANES == 0:
            t = _add_groups_kernel(lanes, address, t, until)
        if t < until:
            _add_bar_kernel(lanes, t, equity[t - 1] if t > 0 else initial_cash, equity[t])
            t += 1


def checked_edges(edges: Int1D | None, bars: int) -> Int1D:
    """The edges of blocks of ``bars`` bars, 0 and ``bars`` where None is given.

    Raises ContractError where they are no int64 array, decrease or leave [0, ``bars``].
    """
    if edges is None:
        return np.array([0, bars])
    check_array("return sums", "edges", edges, np.int64, 1)
    if not len(edges):
        raise ContractError("edges is empty; state at least one, or None for the whole")
    wrong = (edges < 0) | (edges > bars) | (np.diff(edges, prepend=edges[:1]) < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ContractError(
            f"edges[{row}]={edges[row]} must not lie before the edge above and must lie in [0, {bars}]"
        )
    return np.ascontiguousarray(edges)


def return_sums(equity: Float1D, initial_cash: float, edges: Int1D | None = None) -> Float2D:
    """Sums of ``SUMS`` over all bars before each edge, ``(len(edges), 5)``.

    ``equity`` ``(T,)`` at each close; ``edges`` are bar indices that do not decrease, within [0, T]; None
    stands for 0 and T, so that the last row holds the sums of everything. Differences of rows are the
    sums of the blocks between. Raises ContractError when an edge is out of order or out of range.
    """
    given = checked_edges(edges, len(equity))
    told = np.ascontiguousarray(equity, dtype=np.float64)
    lanes = np.zeros(LANES * len(SUMS))
    sums = np.zeros((len(given), len(SUMS)))
    _return_sums_kernel(told, told.ctypes.data, float(initial_cash), given, lanes.ctypes.data, sums)
    return sums
