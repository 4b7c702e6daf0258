"""Times of rows: on the grid, in order, once."""

from collections.abc import Iterator

import numpy as np

from engine import Bool1D

from ..checks import off_grid
from ..findings import Finding
from ..tables import equal_values, repeated_rows, times_ns
from .check import SeriesCheck, counted, rows_finding
from .series import CheckedSeries
from .settings import QualitySettings


def _off_grid(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if not series.kind.on_grid or series.kind.is_event:
        return
    wrong = off_grid(series.time_ns, series.key.step)
    if wrong.any():
        yield rows_finding(
            series,
            "off_grid",
            series.time_ns[wrong],
            f"{counted(int(wrong.sum()), 'row')} off the {series.key.step} grid",
        )


def _unsorted(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    time_ns = times_ns(series.kind, series.table)
    back = np.flatnonzero(np.diff(time_ns) < 0) + 1
    if back.size:
        yield rows_finding(
            series,
            "unsorted",
            np.sort(time_ns[back]),
            f"{counted(len(back), 'row')} earlier than the row before",
        )


def _repeated(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    table = series.sorted_table
    again = repeated_rows(series.kind, table)
    if not again.any():
        return
    rows = np.flatnonzero(again).astype(np.int64)
    same: Bool1D = equal_values(series.kind, table, rows)
    time_ns = times_ns(series.kind, table)[rows]
    if same.any():
        yield rows_finding(
            series,
            "duplicate",
            time_ns[same],
            f"{counted(int(same.sum()), 'row')} stand twice",
        )
    if not same.all():
        yield rows_finding(
            series,
            "contradiction",
            time_ns[~same],
            f"{counted(int((~same).sum()), 'row')} differ from another row of the same time",
        )


def _tied(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    if series.key.kind not in ("trades", "liquidations"):
        return
    tied = np.zeros(len(series.time_ns), dtype=np.bool_)
    tied[1:] = np.diff(series.time_ns) == 0
    if tied.any():
        yield rows_finding(
            series,
            "tied_times",
            series.time_ns[tied],
            f"{counted(int(tied.sum()), 'row')} share the time of the row before; their order is that "
            "of the source",
        )


CHECKS = (
    SeriesCheck("off-grid stamps", ("off_grid",), _off_grid),
    SeriesCheck("order of rows", ("unsorted",), _unsorted),
    SeriesCheck("repeated rows", ("duplicate", "contradiction"), _repeated),
    SeriesCheck("tied times", ("tied_times",), _tied),
)
