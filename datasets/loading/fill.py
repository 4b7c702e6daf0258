"""Stored bars on a full grid: first vintages, gaps carried, longer bars built from shorter ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import FLOW_COLUMNS, SECOND_NS, Bool1D, Float1D, timeframe_ns

from ..store import DatasetInfo, Store
from .blocks import Block, blocks_of, first_vintages, following_writers, last_vintages
from .grid import BAR_COLUMNS, Filled, Grid, Target
from .place import Placement, carry
from .sources import ConflictHandler, SourceRows, filled_rows

LATENESS_NS: Final = 10 * SECOND_NS
"""A bar that arrives so soon after its close still serves the decision that is made on it."""
_SEARCH_ROWS: Final = 64
"""So many steps are searched first for a bar beside the period, then 16 times as many, and so on."""


def fill_grid(
    store: Store,
    infos: Sequence[DatasetInfo],
    grid: Grid,
    flows: Sequence[str],
    target: Target,
    on_conflicts: ConflictHandler,
) -> Filled:
    """Load bars into the arrays that ``target`` gives; prices, volume and those of ``flows`` there are.

    ``infos`` are data sets of one step that divides the grid's, in order of precedence. A missing
    bar has the close before it as open, high, low and close and 0 in the other columns; so does
    everything outside the listing, with the first open before it. Prices are NaN where no bar
    is known up to the end of the grid. A flow that the source does not state is NaN.

    A bar whose first vintage is known later than ``LATENESS_NS`` after its close is missing: whoever
    decided then did not have it. With ``as_of_ns`` the bars are those of that moment, however late
    they came.
    """
    if len(infos) == 1:
        return following_writers(
            store,
            infos[0],
            lambda info: _Filling(store, [info], grid, target, on_conflicts).filled(flows),
        )
    return _Filling(store, infos, grid, target, on_conflicts).filled(flows)


class _Filling:
    """One pass over the rows of one instrument."""

    def __init__(
        self,
        store: Store,
        infos: Sequence[DatasetInfo],
        grid: Grid,
        target: Target,
        on_conflicts: ConflictHandler,
    ) -> None:
        self._store, self._infos, self._grid = store, infos, grid
        self._target, self._on_conflicts = target, on_conflicts
        self._base_ns = timeframe_ns(infos[0].key.step)
        self._has_bar = np.zeros(grid.count, dtype=np.bool_)
        # A longer bar without the first bar below it opens at the close before, like any missing bar.
        whole = self._base_ns == grid.step_ns
        self._opened = self._has_bar if whole else np.zeros(grid.count, dtype=np.bool_)
        self._first: int | None = None
        self._before: tuple[int, float] | None = None
        self._slot, self._last_ns, self._some_late = -1, -1, False
        self._flows: set[str] = set()

    def filled(self, flows: Sequence[str]) -> Filled:
        grid, columns = self._grid, [*BAR_COLUMNS, *flows]
        for block in self._visible(grid.first_ns, grid.end_ns, columns, self._on_conflicts):
            self._place(block, columns)
        if self._first is None:
            self._before = self._nearest_before()
            self._first = 0
        last = self._listed_end()
        self._has_bar[last:] = False
        first = min(self._first, last)
        before = np.nan if self._before is None else self._before[1]
        carry(self._target, self._has_bar, self._opened, first, last, before)
        stated = frozenset(name for name in self._flows if self._is_stated(name))
        for name in ("volume", *stated):
            self._target(name)[~self._has_bar] = 0.0
        return Filled(first, last, self._has_bar, stated, self._some_late)

    def _is_stated(self, name: str) -> bool:
        """Whether a bar has the flow; a block that states it may do so outside the period only."""
        values = self._target(name)
        if np.isfinite(values[np.argmax(self._has_bar)]):
            return bool(self._has_bar.any())
        return bool(np.isfinite(values[self._has_bar]).any())

    def _place(self, block: "_Visible", columns: Sequence[str]) -> None:
        rows = block.rows
        slots = (rows.time_ns - self._grid.first_ns) // self._grid.step_ns
        if self._first is None:
            self._first = self._first_whole(int(rows.time_ns[np.argmax(block.shown)]))
        placed = block.shown & (slots >= self._first)
        early = block.shown & ~placed
        if early.any():
            self._before = _last_close(rows, early)
        if not placed.any():
            return
        slots = slots[placed]
        if self._opened is not self._has_bar:
            begins = (rows.time_ns[placed] - self._grid.first_ns) % self._grid.step_ns == 0
            self._opened[slots[begins]] = True
        self._has_bar[slots] = True
        chosen, placement = slice(None) if placed.all() else placed, Placement.of(slots)
        for name in columns:
            self._place_column(rows, name, chosen, placement)
        self._slot = int(slots[-1])
        self._last_ns = int(rows.time_ns[_last_true(placed)])

    def _place_column(
        self, rows: Block, name: str, chosen: Bool1D | slice, placement: Placement
    ) -> None:
        values = rows.column(name)
        if values is None:
            if name in self._flows:
                self._target(name)[placement.bars] = np.nan
            return
        out = self._target(name)
        if name in FLOW_COLUMNS and name not in self._flows:
            # The blocks before do not state it, not even for a bar that goes on here.
            out[: self._slot + 1] = np.nan
            self._flows.add(name)
        placement.put(values[chosen], name, self._slot, out)

    def _first_whole(self, first_shown_ns: int) -> int:
        """The first listed bar: one of which the instrument has the beginning."""
        if first_shown_ns == self._grid.first_ns:
            return 0
        self._before = self._nearest_before()
        if self._before is not None:
            return 0
        return -(-(first_shown_ns - self._grid.first_ns) // self._grid.step_ns)

    def _listed_end(self) -> int:
        last_ns = self._last_ns
        if last_ns < 0:
            last_ns = self._grid.first_ns if self._before is None else self._before[0]
            last_ns -= self._base_ns
        bars, part = divmod(last_ns + self._base_ns - self._grid.first_ns, self._grid.step_ns)
        if part and self._grid.last_part:
            bars += 1
        if bars < self._grid.count and self._continues():
            return self._grid.count
        return min(max(bars, 0), self._grid.count)

    def _continues(self) -> bool:
        """Whether the instrument has a bar after the grid: then a hole at its end is a gap."""
        if self._last_ns < 0 and self._before is None:
            return False
        start_ns, end_ns = self._grid.end_ns, max(info.last_ns for info in self._infos) + 1
        if self._grid.as_of_ns is not None:
            end_ns = min(end_ns, self._grid.as_of_ns)
        span = _SEARCH_ROWS * self._base_ns
        while start_ns < end_ns:
            until_ns = min(start_ns + span, end_ns)
            if any(True for _ in self._visible(start_ns, until_ns, (), _ignored)):
                return True
            start_ns, span = until_ns, span * 16
        return False

    def _nearest_before(self) -> tuple[int, float] | None:
        """Time and close of the last shown bar before the grid."""
        first_ns, end_ns = min(info.first_ns for info in self._infos), self._grid.first_ns
        end_ns = min(end_ns, max(info.last_ns for info in self._infos) + 1)
        span = _SEARCH_ROWS * self._base_ns
        while end_ns > first_ns:
            start_ns = max(end_ns - span, first_ns)
            found = None
            for block in self._visible(start_ns, end_ns, ("close",), _ignored):
                found = _last_close(block.rows, block.shown)
            if found is not None:
                return found
            end_ns, span = start_ns, span * 16
        return None

    def _visible(
        self, start_ns: int, end_ns: int, columns: Sequence[str], on_conflicts: ConflictHandler
    ) -> Iterator["_Visible"]:
        """Blocks of which some row is shown, of all sources together."""
        if len(self._infos) > 1:
            block = self._from_sources(start_ns, end_ns, columns, on_conflicts)
            if len(block.time_ns):
                yield _Visible(block, np.ones(len(block.time_ns), dtype=np.bool_))
            return
        for block in blocks_of(self._store, self._infos[0], start_ns, end_ns, columns):
            shown = self._shown(block)
            if shown.any():
                yield _Visible(block, shown)

    def _shown(self, block: Block) -> Bool1D:
        as_of_ns = self._grid.as_of_ns
        shown = first_vintages(block) if as_of_ns is None else last_vintages(block, as_of_ns)
        if as_of_ns is not None:
            return shown
        late = shown & (block.known_ns > block.time_ns + self._base_ns + LATENESS_NS)
        self._some_late |= bool(late.any())
        return shown & ~late

    def _from_sources(
        self, start_ns: int, end_ns: int, columns: Sequence[str], on_conflicts: ConflictHandler
    ) -> Block:
        def rows_of(info: DatasetInfo) -> SourceRows:
            blocks = blocks_of(self._store, info, start_ns, end_ns, columns)
            return self._source_rows(info, list(blocks), columns)

        sources = [following_writers(self._store, info, rows_of) for info in self._infos]
        rows = filled_rows(sources, on_conflicts)
        return Block(rows.time_ns, rows.time_ns, rows.columns.get)

    def _source_rows(
        self, info: DatasetInfo, blocks: Sequence[Block], columns: Sequence[str]
    ) -> SourceRows:
        shown = [self._shown(block) for block in blocks]
        times = [block.time_ns[rows] for block, rows in zip(blocks, shown, strict=True)]
        parts: dict[str, list[Float1D]] = {name: [] for name in columns}
        for block, rows in zip(blocks, shown, strict=True):
            for name in columns:
                values = block.column(name)
                parts[name].append(
                    np.full(int(rows.sum()), np.nan) if values is None else values[rows]
                )
        loaded = {name: np.concatenate([np.empty(0), *values]) for name, values in parts.items()}
        return SourceRows(
            info.key,
            np.concatenate([np.empty(0, dtype=np.int64), *times]),
            {name: values for name, values in loaded.items() if np.isfinite(values).any()},
        )


@dataclass(frozen=True, slots=True)
class _Visible:
    """A block and which of its rows are shown, at least one."""

    rows: Block
    shown: Bool1D


def _last_true(rows: Bool1D) -> int:
    return len(rows) - 1 - int(np.argmax(rows[::-1]))


def _last_close(rows: Block, chosen: Bool1D) -> tuple[int, float]:
    row, close = _last_true(chosen), rows.column("close")
    return int(rows.time_ns[row]), np.nan if close is None else float(close[row])


def _ignored(_: object) -> None:
    """For the search beside the period: its contradictions are not those of the period."""
