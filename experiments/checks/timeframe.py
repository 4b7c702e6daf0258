"""Rebuilding longer bars: cut at a finer step, aggregate anew, and expect the same rows.

A longer bar that is shown before it closes agrees with itself on every prefix that ends at its own
close. So the past is cut at arbitrary fine bars, decision bars and all longer bars are rebuilt from
what is left, incomplete ones dropped, and the rows must equal those of the whole series.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np

from engine import Int1D, Market, MarketPanel, Series
from indicators import Clock, clock_of

from .fine_bars import FineBars, aggregated_bars
from .prefix import SEED, prefix_failures, subject_rows
from .report import CheckRow
from .subjects import ClockBuilder, Rows, moved_rows

ClockedSubject: TypeAlias = Callable[[Market, ClockBuilder], Rows]
"""A subject that takes the clock builder it is to use."""

REBUILDS = 60
_NO_PANELS: Mapping[str, MarketPanel] = {}


def rebuilt_clock(fine: FineBars) -> ClockBuilder:
    """A clock builder that aggregates every longer bar from ``fine``, complete bars only."""

    def build(market: Market, name: str) -> Clock | None:
        if not name.startswith("bars:"):
            return clock_of(market, name)
        bars = aggregated_bars(fine, name.removeprefix("bars:"))
        if bars is None:
            return None
        return Clock(name, bars.open_time, bars.close_time, bars.columns())

    return build


def fine_cuts(fine: FineBars, timeframe_fine_bars: int, count: int) -> Int1D:
    """Fine-bar counts to cut at, drawn with a fixed seed, none of them on a decision close."""
    generator = np.random.default_rng(SEED)
    low = min(4 * timeframe_fine_bars, len(fine) - 1)
    cuts = np.unique(generator.integers(low, len(fine), size=count))
    if timeframe_fine_bars > 1:
        cuts = cuts[cuts % timeframe_fine_bars != 0]
    return cuts.astype(np.int64)


def check_timeframe_rebuild(
    subject: ClockedSubject,
    fine: FineBars,
    series: Mapping[str, Series],
    timeframe: str,
    *,
    panels: Mapping[str, MarketPanel] = _NO_PANELS,
    clock_builder: ClockBuilder = clock_of,
    count: int = REBUILDS,
    all_move: bool = False,
) -> list[CheckRow]:
    """One row for every output of ``subject`` on bars of ``timeframe`` built from ``fine``.

    With ``all_move``, as for features, an output that is the same on every bar has not been checked
    and fails.

    The whole series goes through ``clock_builder``, the one under test; each cut goes through bars
    rebuilt by :func:`aggregated_bars`.
    """
    whole_bars = aggregated_bars(fine, timeframe)
    if whole_bars is None:
        return [CheckRow("timeframe", "bars", False, f"no complete {timeframe} bar to look at")]
    whole = subject(Market(bars=whole_bars, series=series, panels=panels), clock_builder)
    cuts = fine_cuts(fine, whole_bars.step_ns // fine.step_ns, count)
    sizes: dict[int, int] = {}
    for cut in cuts:
        bars = aggregated_bars(fine.prefix(int(cut)), timeframe)
        if bars is not None:
            sizes[len(bars)] = int(cut)

    def part_of(size: int) -> Rows:
        shown = fine.prefix(sizes[size])
        bars = aggregated_bars(shown, timeframe)
        assert bars is not None
        now = shown.start_ns + len(shown) * shown.step_ns
        known = {name: entry.known_at(now) for name, entry in series.items()}
        seen = {name: panel.known_at(now) for name, panel in panels.items()}
        return subject(Market(bars=bars, series=known, panels=seen), rebuilt_clock(shown))

    failures = _common_failures(part_of, whole, sorted(sizes))
    moves = {name: len(moved_rows(column)) for name, column in whole.items()} if all_move else {}
    return subject_rows("timeframe", whole, failures, moves, f"{len(sizes)} rebuilds")


def _common_failures(
    part_of: Callable[[int], Rows], whole: Rows, sizes: Iterable[int]
) -> dict[str, str]:
    """Prefix failures, where an output that has no data yet on a short cut counts as unknown there."""

    def padded(size: int) -> Rows:
        part = part_of(size)
        return {
            name: part[name] if name in part else _unknown(column, size)
            for name, column in whole.items()
        }

    return prefix_failures(padded, whole, sizes)


def _unknown(column: np.ndarray, size: int) -> np.ndarray:
    if column.dtype.kind == "f" and np.isnan(column[:size]).all():
        return np.full(size, np.nan)
    return np.zeros(size, dtype=column.dtype)
