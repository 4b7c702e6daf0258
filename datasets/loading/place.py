"""Rows into the bars that they belong to, and the close carried where there is none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine import Bool1D, Float1D, Int1D

# Plain NumPy: a compiled kernel would bring the compiler into every process that only loads bars.
_REDUCE: Final[Mapping[str, Any]] = {"high": np.maximum, "low": np.minimum}


@dataclass(frozen=True, slots=True)
class Placement:
    """Which bar each of N rows belongs to: those ``begins[b] <= n < begins[b + 1]`` to ``bars[b]``.

    ``run`` is where the rows go when each is a bar of its own and none is missing, the usual case.
    ``places`` ``(N,)`` is the *b* of each row.
    """

    rows: int
    bars: Int1D
    begins: Int1D
    places: Int1D
    run: slice | None

    @classmethod
    def of(cls, slots: Int1D) -> "Placement":
        """Of rows that belong to the bars ``slots`` ``(N,)``, not decreasing, N at least 1."""
        is_begin = np.diff(slots, prepend=slots[0] - 1) != 0
        begins = np.flatnonzero(is_begin)
        first, last = int(slots[0]), int(slots[-1])
        alone = len(begins) == len(slots) == last - first + 1
        run = slice(first, last + 1) if alone else None
        places = np.cumsum(is_begin) - 1 if len(begins) < len(slots) else begins
        return cls(len(slots), slots[begins], begins, places, run)

    def put(self, values: Float1D, name: str, before: int, out: Float1D) -> None:
        """Put the rows of column ``name``, ``(N,)``, into the bars ``out``, ``(T,)``.

        The first open, the highest high, the lowest low, the last close, the sum of anything else; NaN
        where a row of the sum is. ``before`` is the bar of the last row put before these; it may go on.
        """
        if self.run is not None and self.run.start != before:
            out[self.run] = values
            return
        bars = self.bars
        goes_on = bars[0] == before
        if len(self.begins) == self.rows and not goes_on:
            out[bars] = values
            return
        started = float(out[before]) if goes_on else 0.0
        if name == "open":
            out[bars] = values[self.begins]
            if goes_on:
                out[before] = started
        elif name == "close":
            out[bars] = values[np.append(self.begins[1:], self.rows) - 1]
        elif name in _REDUCE:
            reduce = _REDUCE[name]
            out[bars] = reduce.reduceat(values, self.begins)
            if goes_on:
                out[before] = reduce(out[before], started)
        else:
            # One row after the other, so that a sum does not depend on where the files are divided.
            if goes_on:
                values = np.concatenate([[started + values[0]], values[1:]])
            out[bars] = np.bincount(self.places, values)


def carry(
    column: Callable[[str], Float1D],
    has_bar: Bool1D,
    opened: Bool1D,
    first: int,
    last: int,
    before: float,
) -> None:
    """Fill the bars ``first <= t < last`` that are missing, and the prices outside.

    ``column`` gives the price columns; all arrays are ``(T,)``. A missing bar has the close before it in
    all four prices. A bar that is there but not ``opened`` lacks its first part: its open is the
    close before it. ``before`` is the close before the first bar, NaN where there is none. Outside,
    prices repeat the first open and the last close.
    """
    listed = slice(first, last)
    open_, high, low, close = (column(name) for name in ("open", "high", "low", "close"))
    if not has_bar[listed].all():
        _carry_close(close[listed], has_bar[listed], before)
        for prices in (open_, high, low):
            np.copyto(prices[listed], close[listed], where=~has_bar[listed])
    if opened is not has_bar:
        part = np.flatnonzero(has_bar & ~opened)
        earlier = np.where(part > first, close[part - 1], before)
        part, earlier = part[~np.isnan(earlier)], earlier[~np.isnan(earlier)]
        open_[part] = earlier
        high[part] = np.maximum(high[part], earlier)
        low[part] = np.minimum(low[part], earlier)
    opening = open_[first] if first < last else before
    closing = close[last - 1] if first < last else before
    for prices in (open_, high, low, close):
        prices[:first] = opening
        prices[last:] = closing


def _carry_close(close: Float1D, has_bar: Bool1D, before: float) -> None:
    """Put the close of the last bar into the missing ones after it, ``before`` into those at the start."""
    bars = np.flatnonzero(has_bar)
    missing = np.flatnonzero(~has_bar)
    last_bar = np.searchsorted(bars, missing) - 1
    close[missing] = before
    after = last_bar >= 0
    close[missing[after]] = close[bars[last_bar[after]]]
