"""The searchable form of decision events."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._replay.prepare import PreparedMarket
from ..arrays import Int1D
from ..jit import kernel
from ..simd import BYTES as WORD_ROWS
from .tables import (
    AHEAD,
    DECIDED_DTYPE,
    PLAN_DTYPE,
    ROW_DTYPE,
    SEARCHES,
    TOGETHER,
    Addressed,
    addressed,
)


@dataclass(frozen=True, slots=True, eq=False)
class DecidedRows:
    """The rows of decision events on a market, and their tables (``DECIDED_DTYPE``)."""

    rows: Int1D
    offsets: Int1D
    tables: dict[str, np.ndarray[Any, Any]]

    def are(self, rows: Int1D, offsets: Int1D) -> bool:
        """Whether these are the rows of other decision events, too."""
        return np.array_equal(self.rows, rows) and np.array_equal(self.offsets, offsets)


def decided_rows(
    market: Addressed, prepared: PreparedMarket, rows: Int1D, offsets: Int1D
) -> DecidedRows:
    """The rows of decision events for the kernels."""
    order = prepared.order
    first, stop = offsets[order], offsets[order + 1]
    fills_at, fill_open, last_bar, atr_frac = market.arrays[-4:]
    bars = fills_at.shape[1]
    table = np.zeros(len(rows), dtype=ROW_DTYPE)
    table["bar"] = rows
    row_from = np.empty((len(order), bars + 1), dtype=np.int32)
    for s in range(len(order)):
        own = slice(int(first[s]), int(stop[s]))
        bar, part = rows[own], table[own]
        fills = fills_at[s][bar]
        at = np.minimum(fills, bars - 1)
        part["fills_at"], part["atr_frac"] = fills, atr_frac[s][bar]
        part["fill_open"], part["last_bar"] = fill_open[s][at], last_bar[s][at]
        part["is_simple"] = (fills == bar + 1) & (bar + 1 < bars)
        part["is_simple"][:-1] &= bar[1:] > bar[:-1]
        _row_from_kernel(bar, int(first[s]), row_from[s])
    tables = {"rows": table, "row_from": row_from, "first": first, "stop": stop}
    return DecidedRows(rows.copy(), offsets.copy(), tables)


def decided_events(rows: DecidedRows, actions: np.ndarray[Any, Any]) -> Addressed:
    """Decision events for the kernels, with space for one thread."""
    count = len(rows.rows)
    words = count // WORD_ROWS + 2
    tables = {
        **rows.tables,
        "actions": actions,
        "bits": np.zeros((TOGETHER, SEARCHES, words), dtype=np.int64),
        "after": np.zeros((TOGETHER, SEARCHES, words), dtype=np.int64),
        "plans": np.empty(TOGETHER * count + AHEAD, dtype=PLAN_DTYPE),
        "planned": np.zeros(2 * TOGETHER, dtype=np.int64),
    }
    return addressed(DECIDED_DTYPE, tables, row_count=count, words=words)


@kernel
def _row_from_kernel(rows: Int1D, first: int, out: np.ndarray[Any, Any]) -> None:
    """``first`` plus the number of ``rows`` before each bar."""
    row = 0
    for t in range(len(out)):
        while row < len(rows) and rows[row] < t:
            row += 1
        out[t] = first + row
