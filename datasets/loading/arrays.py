"""The arrays of the aligned load while they are filled: bars by instrument, series by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine import FLOW_COLUMNS, Float1D, Float2D, Int1D
from indicators.asof import as_of_rows, taken_rows

from ..keys import DatasetKey
from ..kinds import kind_named
from ..store import DatasetInfo, Store
from .fill import fill_grid
from .grid import BAR_COLUMNS, Grid, grid_of
from .request import AlignedRequest
from .slow_rows import SlowRows, slow_rows
from .sources import SourceConflicts


def common_grid(request: AlignedRequest, infos: Mapping[DatasetKey, DatasetInfo]) -> Grid:
    grids = [
        grid_of(
            [infos[key] for key in keys],
            request.timeframe,
            request.start_ns,
            request.end_ns,
            request.as_of_ns,
            last_part=request.last_part,
        )
        for keys in request.bars
    ]
    filled = [grid for grid in grids if grid.count]
    if not filled:
        return grids[0]
    first = min(grid.first_ns for grid in filled)
    count = (max(grid.end_ns for grid in filled) - first) // filled[0].step_ns
    return replace(filled[0], first_ns=first, count=count)


def open_times(grid: Grid) -> Int1D:
    return np.arange(grid.first_ns, grid.end_ns, grid.step_ns, dtype=np.int64)


class BarArrays:
    """The arrays of the bars while they are loaded, instrument by instrument."""

    def __init__(self, grid: Grid, count: int) -> None:
        self._grid = grid
        self._shape = (grid.count, count)
        self._numbers = {name: np.empty(self._shape, order="F") for name in BAR_COLUMNS}
        self._flows: dict[str, Float2D] = {}
        self._stated: list[frozenset[str]] = [frozenset()] * count
        self._listed = np.zeros(self._shape, dtype=np.bool_, order="F")
        self._is_gap = np.zeros(self._shape, dtype=np.bool_, order="F")

    def load(
        self,
        store: Store,
        infos: Sequence[DatasetInfo],
        position: int,
        flows: Sequence[str],
    ) -> list[SourceConflicts]:
        """Load one instrument; several threads may load different ones."""

        def target(name: str) -> Float1D:
            if name in self._numbers:
                return self._numbers[name][:, position]
            if name not in self._flows:
                self._flows.setdefault(name, np.empty(self._shape, order="F"))
            return self._flows[name][:, position]

        conflicts: list[SourceConflicts] = []
        filled = fill_grid(store, infos, self._grid, flows, target, conflicts.append)
        self._stated[position] = filled.flows
        rows = slice(filled.first, filled.last)
        self._listed[rows, position] = True
        self._is_gap[rows, position] = ~filled.has_bar[rows]
        return conflicts

    def trimmed(self) -> tuple[Grid, dict[str, Any]]:
        """The grid from the first to the last bar on which any instrument is listed, and the arrays."""
        listed = np.logical_or.reduce(self._listed, axis=1)
        first = last = 0
        if listed.any():
            first = int(np.argmax(listed))
            last = len(listed) - int(np.argmax(listed[::-1]))
        flows = {
            name: self._flows[name]
            for name in FLOW_COLUMNS
            if any(name in stated for stated in self._stated)
        }
        for name, values in flows.items():
            for position, stated in enumerate(self._stated):
                if name not in stated:
                    values[:, position] = np.nan
        arrays = {**self._numbers, **flows, "is_gap": self._is_gap, "listed": self._listed}
        if (first, last) != (0, self._grid.count):
            arrays = {name: np.asfortranarray(array[first:last]) for name, array in arrays.items()}
        opens = self._grid.first_ns + first * self._grid.step_ns
        return replace(self._grid, first_ns=opens, count=last - first), arrays


def joined_series(
    store: Store, request: AlignedRequest, grid: Grid, conflicts: list[SourceConflicts]
) -> dict[str, Float2D]:
    """Every column of every kind, ``(T, S)``, or ``(T, 1)`` where all instruments share one source."""
    if not request.series:
        return {}
    known_at = open_times(grid) + grid.step_ns
    joined: dict[str, Float2D] = {}
    for kind, owners in request.series.items():
        shared = len(set(owners)) == 1
        for position, keys in enumerate(owners[:1] if shared else owners):
            if not keys:
                continue
            max_age_ns = kind_named(kind).max_age_ns
            rows = slow_rows(
                store,
                keys,
                int(known_at[0]) - max_age_ns,
                int(known_at[-1]) + 1,
                request.as_of_ns,
                conflicts.append,
                request.columns[kind],
            )
            shape = (len(known_at), 1 if shared else len(owners))
            _join(rows, kind, position, known_at, max_age_ns, shape, joined)
    return joined


def _join(
    rows: SlowRows,
    kind: str,
    position: int,
    known_at: Int1D,
    max_age_ns: int,
    shape: tuple[int, int],
    joined: dict[str, Float2D],
) -> None:
    shown = as_of_rows(known_at, rows.event_time, rows.available_at, max_age_ns)
    for name, values in rows.columns.items():
        label = f"{kind}.{name}"
        if label not in joined:
            joined[label] = np.full(shape, np.nan, order="F")
        taken_rows(values, shown, joined[label][:, position])
