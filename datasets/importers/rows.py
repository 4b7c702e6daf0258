"""Rows of one series as a file has them, and the rules that decide which of them are taken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from engine import HOUR_NS, SECOND_NS, Bool1D, DataError, Int1D, timeframe_ns

from ..checks import check_times, check_values, off_grid
from ..keys import DatasetKey
from ..kinds import KINDS
from ..tables import canonical_table, times_ns
from ..timestamps import time_text

MAX_OFF_GRID_SHARE: Final = 0.01
"""A file with a larger share of rows off the grid is not what it says it is."""
PLACEHOLDER_RUN: Final = 2
"""So many equal flat bars at the very start are a listing price, not trading."""
STEPS: Final = (
    "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w",
)  # fmt: skip
_SPACING_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Rows of one series in the order of the file, and where each of them stands.

    ``table`` has the columns of the kind under their canonical names; ``places`` are the row or
    line numbers, ``word`` says which. ``dropped`` and ``notes`` grow as rules are applied.
    """

    path: Path
    format: str
    key: DatasetKey
    table: pa.Table
    places: Int1D
    word: str
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def name(self, row: int) -> str:
        """Where a row stands: ``BTCUSDT-1h-2018.csv line 17``."""
        return f"{self.path} {self.word} {self.places[row]}"

    def time_ns(self) -> Int1D:
        """Times, int64 ns UTC, ``(N,)``."""
        return times_ns(KINDS[self.key.kind], self.table)

    def without(self, unwanted: Bool1D, reason: str) -> "SourceRows":
        """The rows that are not ``unwanted``; the others are listed with ``reason``."""
        if not unwanted.any():
            return self
        time_ns = self.time_ns()
        lines = tuple(
            f"{self.word} {self.places[row]} ({time_text(int(time_ns[row]))}): {reason}"
            for row in np.flatnonzero(unwanted)
        )
        if unwanted.all():
            raise DataError(f"{self.name(0)}: {reason}; that leaves no row of {self.key}")
        keep = pa.array(~unwanted)
        return replace(
            self,
            table=self.table.filter(keep),
            places=self.places[~unwanted],
            dropped=self.dropped + lines,
        )

    def noting(self, *lines: str) -> "SourceRows":
        """The same rows with more notes."""
        return replace(self, notes=self.notes + lines)


def source_rows(
    path: Path,
    format_name: str,
    key: DatasetKey,
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
    places: Int1D,
    word: str,
) -> SourceRows:
    """Rows from columns that already have canonical names; DataError for a column that misfits."""
    kind = KINDS[key.kind]
    table = canonical_table(kind, pa.table(dict(columns)), str(path))
    return SourceRows(path, format_name, key, table, places, word)


def taken_bars(rows: SourceRows, close_ns: Int1D | None, *, is_capture: bool) -> SourceRows:
    """The bars that are imported, after every rule of ``docs/data.md``.

    ``close_ns`` are the close times the file states, or None; ``is_capture`` marks formats that
    were recorded while the last bar was still open.
    """
    rows = _checked(rows)
    time_ns, step = rows.time_ns(), rows.key.step
    _check_spacing(rows, time_ns)
    wrong = off_grid(time_ns, step)
    _refuse_if_many(rows, wrong, f"off the {step} grid")
    if close_ns is not None:
        rows = _with_close_notes(rows, time_ns, close_ns, wrong)
    rows = rows.without(wrong, f"off the {step} grid")
    rows = rows.without(_placeholders(rows), "flat listing price before the first trade")
    if is_capture:
        last = np.zeros(len(rows.places), dtype=np.bool_)
        last[-1] = True
        rows = rows.without(last, "last bar of a capture, nothing proves that it had closed")
    return rows


def taken_settlements(rows: SourceRows) -> SourceRows:
    """Funding rows moved to the settlement they follow: a stamp may be up to one second late."""
    time_ns = rows.time_ns()
    late = time_ns % HOUR_NS
    wrong = late > SECOND_NS
    snapped = np.where(wrong, time_ns, time_ns - late)
    moved = (late > 0) & ~wrong
    if moved.any():
        rows = rows.noting(
            f"{int(moved.sum())} stamps up to {int(late[moved].max()) / 1e6:g} ms late, moved to the "
            "settlement they follow"
        )
    index = rows.table.column_names.index("event_time")
    stamped = pa.array(snapped // 1_000).cast(rows.table.schema.field(index).type)
    rows = replace(rows, table=rows.table.set_column(index, "event_time", stamped))
    rows = _checked(rows)
    _refuse_if_many(rows, wrong, "more than one second after a full hour")
    return rows.without(wrong, "more than one second after a full hour")


def common_step(time_ns_by_series: list[Int1D], path: Path) -> str:
    """The step that most neighbouring rows are apart; DataError when it is no bar step."""
    distances = np.concatenate([np.diff(times) for times in time_ns_by_series])
    distances = distances[distances > 0]
    if distances.size == 0:
        raise DataError(f"{path}: too few rows to see the step; give it with --timeframe")
    lengths, counts = np.unique(distances, return_counts=True)
    common = int(lengths[np.argmax(counts)])
    for step in STEPS:
        if timeframe_ns(step) == common:
            return step
    raise DataError(
        f"{path}: most rows are {common / SECOND_NS:g} s apart, which is no bar step "
        f"({', '.join(STEPS)}); give the step with --timeframe"
    )


def _checked(rows: SourceRows) -> SourceRows:
    kind = KINDS[rows.key.kind]
    check_times(kind, rows.time_ns(), rows.name)
    check_values(kind, rows.table, rows.name)
    return rows


def _check_spacing(rows: SourceRows, time_ns: Int1D) -> None:
    if len(time_ns) < _SPACING_ROWS:
        return
    lengths, counts = np.unique(np.diff(time_ns), return_counts=True)
    common = int(lengths[np.argmax(counts)])
    if common != timeframe_ns(rows.key.step):
        raise DataError(
            f"{rows.path}: most rows of {rows.key.symbol} are {common / SECOND_NS:g} s apart, the "
            f"step is said to be {rows.key.step}; correct --timeframe or the name of the file"
        )


def _refuse_if_many(rows: SourceRows, wrong: Bool1D, reason: str) -> None:
    if wrong.mean() > MAX_OFF_GRID_SHARE:
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{rows.name(row)}: {time_text(int(rows.time_ns()[row]))} is {reason}, and so are "
            f"{int(wrong.sum())} of {len(wrong)} rows of {rows.key.symbol}; more than "
            f"{MAX_OFF_GRID_SHARE:.0%} refuses the file"
        )


def _with_close_notes(
    rows: SourceRows, time_ns: Int1D, close_ns: Int1D, ignored: Bool1D
) -> SourceRows:
    step_ns = timeframe_ns(rows.key.step)
    length = close_ns - time_ns
    late = (length > step_ns) & ~ignored
    if late.any():
        row = int(np.flatnonzero(late)[0])
        raise DataError(
            f"{rows.name(row)}: close_time={time_text(int(close_ns[row]))} lies after the end of the "
            f"{rows.key.step} bar of {time_text(int(time_ns[row]))}; correct --timeframe or the file"
        )
    # Vendors write the last instant of the bar, a millisecond or a microsecond before its end.
    early = (length < step_ns - 1_000_000) & ~ignored
    lines = []
    for row in map(int, np.flatnonzero(early)):
        manner = "before it opened" if length[row] < 0 else "early, cut short by an outage"
        lines.append(
            f"{rows.word} {rows.places[row]} ({time_text(int(time_ns[row]))}): kept, close_time "
            f"{time_text(int(close_ns[row]))} is {manner}"
        )
    return rows.noting(*lines)


def _placeholders(rows: SourceRows) -> Bool1D:
    prices = [np.asarray(rows.table[name]) for name in ("open", "high", "low", "close")]
    flat = np.logical_and.reduce([price == prices[0][0] for price in prices])
    run = len(flat) if flat.all() else int(np.argmin(flat))
    leading = np.zeros(len(flat), dtype=np.bool_)
    if PLACEHOLDER_RUN <= run < len(flat):
        leading[:run] = True
    return leading
