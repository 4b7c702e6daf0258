"""Rows of one series as a file has them, and the rules that decide which of them are taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from engine import HOUR_NS, SECOND_NS, Bool1D, DataError, Int1D, timeframe_ns

from ...checks import check_availability, check_values
from ...findings import LINES_KEPT, Action, Finding, RefusedFileError
from ...keys import DatasetKey
from ...kinds import BAR_KINDS, KINDS, Kind
from ...tables import (
    available_at_ns,
    canonical_table,
    first_difference,
    identity_order,
    repeated_rows,
    times_ns,
    with_times,
)
from ...timestamps import SETTLEMENT_LATENESS_NS, time_text

MAX_OFF_GRID_SHARE: Final = 0.01
"""A file with a larger share of rows off the grid is not what it says it is."""
STEPS: Final = (
    "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w",
)  # fmt: skip
_BARS: Final = (*BAR_KINDS, "mark_price", "index_price", "premium_index")
_SPACING_ROWS: Final = 10
"""From so many bars on, most neighbours must be one step apart ..."""
_FEWEST_ROWS: Final = 3
"""... and from so many rows on, some neighbours must be no further apart."""
_LARGE_RATE: Final = 2e-3
"""A usual funding rate beyond this looks like one in percent: venues charge about 0.0001."""


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Rows of one series in the order of the file, and where each of them stands.

    ``table`` has the columns of the kind under their canonical names; ``places`` are the row or
    line numbers, ``word`` says which. ``findings`` grow as rules are applied. ``checked`` is the table
    once it is in store order and its values have passed the checks.
    """

    path: Path
    format: str
    key: DatasetKey
    table: pa.Table
    places: Int1D
    word: str
    findings: tuple[Finding, ...] = ()
    checked: pa.Table | None = field(default=None, repr=False)

    @property
    def is_checked(self) -> bool:
        """True where nothing has touched the table since it was checked."""
        return self.checked is self.table

    @property
    def kind(self) -> Kind:
        """The kind of the rows."""
        return KINDS[self.key.kind]

    def name(self, row: int) -> str:
        """Where a row stands: ``BTCUSDT-1h-2018.csv line 17``."""
        return f"{self.path} {self.word} {self.places[row]}"

    def time_ns(self) -> Int1D:
        """Times, int64 ns UTC, ``(N,)``."""
        return times_ns(self.kind, self.table)

    def taking(self, rows: Int1D) -> "SourceRows":
        """The rows at these positions, in this order."""
        table = self.table.take(pa.array(rows))
        in_order = self.is_checked and bool((np.diff(rows) > 0).all())
        return replace(
            self, table=table, places=self.places[rows], checked=table if in_order else None
        )

    def without(self, unwanted: Bool1D, defect: str, reason: str) -> "SourceRows":
        """The rows that are not ``unwanted``; the others become a finding with ``reason``."""
        if not unwanted.any():
            return self
        if unwanted.all():
            raise RefusedFileError(
                defect, f"{self.name(0)}: {reason}; that leaves no row of {self.key}"
            )
        return self.found(defect, "dropped", unwanted, reason).taking(np.flatnonzero(~unwanted))

    def found(self, defect: str, action: Action, rows: Bool1D, reason: str) -> "SourceRows":
        """The same rows with a finding about those that are True in ``rows``, if there are any."""
        chosen = np.flatnonzero(rows)
        if not chosen.size:
            return self
        time_ns = self.time_ns()
        lines = [
            f"{self.word} {self.places[row]} ({time_text(int(time_ns[row]))})"
            for row in chosen[:LINES_KEPT]
        ]
        finding = Finding(
            defect=defect,
            action=action,
            subject=str(self.key),
            count=len(chosen),
            message=f"{len(chosen)} of {len(rows)} rows {action}: {reason}",
            first_ns=int(time_ns[chosen].min()),
            last_ns=int(time_ns[chosen].max()),
            lines=tuple(lines),
        )
        return replace(self, findings=(*self.findings, finding))

    def noting(self, defect: str, message: str, count: int | None = None) -> "SourceRows":
        """The same rows, kept, with a finding about the series as a whole."""
        time_ns = self.time_ns()
        finding = Finding(
            defect=defect,
            action="kept",
            subject=str(self.key),
            count=len(time_ns) if count is None else count,
            message=message,
            first_ns=int(time_ns.min()) if len(time_ns) else None,
            last_ns=int(time_ns.max()) if len(time_ns) else None,
        )
        return replace(self, findings=(*self.findings, finding))


class RefusedRowsError(RefusedFileError):
    """A refused file that could be read: ``rows`` as they stand in it, for ``ninefold data check``."""

    def __init__(self, rows: SourceRows, defect: str, message: str) -> None:
        super().__init__(defect, message)
        self.rows = rows


def source_rows(
    path: Path,
    format_name: str,
    key: DatasetKey,
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
    places: Int1D,
    word: str,
) -> SourceRows:
    """Rows from columns that already have canonical names; DataError for a column that misfits.

    ``available_at`` follows the rule of the kind where ``columns`` has none.
    """
    kind = KINDS[key.kind]
    table = canonical_table(kind, key.step, pa.table(dict(columns)), str(path))
    return SourceRows(path, format_name, key, table, places, word)


def taken(rows: SourceRows, *, step_is_certain: bool = False) -> SourceRows:
    """The rows in the order of the store, equal ones once: the first rule of every importer.

    Rows are put in order of time, key and ``available_at``; exact repetitions are dropped; both
    become findings. Two rows that state different values for one identity and one moment refuse the
    file. Then the values are checked, and that the rows are as far apart as their step says: a row
    of an hour that counts as one of a minute would be known 59 minutes before it is complete. Where
    ``step_is_certain``, rows may be as far apart as they like.
    """
    rows = _sorted_once(rows)
    check_values(rows.kind, rows.table, rows.name)
    check_availability(rows.kind, rows.key.step, rows.table, rows.name)
    if rows.kind.lag_steps and not rows.kind.is_event and not step_is_certain:
        check_spacing(rows)
    return replace(rows, checked=rows.table)


def taken_settlements(rows: SourceRows) -> SourceRows:
    """Funding rows moved to the settlement they follow: a stamp may be two seconds late."""
    time_ns = rows.time_ns()
    late = time_ns % HOUR_NS
    wrong = late > SETTLEMENT_LATENESS_NS
    snapped = np.where(wrong, time_ns, time_ns - late)
    moved = (late > 0) & ~wrong
    if moved.any():
        rows = rows.found(
            "late_stamp",
            "moved",
            moved,
            f"stamps up to {int(late[moved].max()) / 1e6:g} ms late, put on the settlement they follow",
        )
    known_ns = available_at_ns(rows.table)
    stated = known_ns != rows.kind.available_ns(time_ns, rows.key.step)
    known_ns = np.where(stated, known_ns, rows.kind.available_ns(snapped, rows.key.step))
    rows = replace(rows, table=with_times(rows.kind, rows.table, snapped, known_ns))
    rows = taken(rows)
    wrong = rows.time_ns() % HOUR_NS != 0
    refuse_if_many(rows, wrong, "more than two seconds after a full hour")
    rows = rows.without(wrong, "late_stamp", "more than two seconds after a full hour")
    usual = float(np.median(np.abs(np.asarray(rows.table["rate"]))))
    if len(rows.places) < _SPACING_ROWS or usual <= _LARGE_RATE:
        return rows
    return rows.noting(
        "unstated_unit",
        f"the usual rate is {usual:.2%} per settlement, a hundred times what venues charge: the file may "
        "be in percent; taken as fractions, give --mapping with a factor of 0.01 where it is",
    )


def _sorted_once(rows: SourceRows) -> SourceRows:
    kind = rows.kind
    order = identity_order(kind, rows.table)
    if (np.diff(order) < 0).any():
        moved = np.zeros(len(order), dtype=np.bool_)
        moved[1:] = np.diff(rows.time_ns()) < 0
        # Rows of one time whose keys are out of order are no defect: a file need not sort by key.
        rows = rows.found("unsorted", "moved", moved, "not in time order, sorted")
        rows = rows.taking(order)
    again = repeated_rows(kind, rows.table)
    if not again.any():
        return rows
    differing = first_difference(kind, rows.table, again)
    if differing is not None:
        row, column, earlier, later = differing
        raise RefusedRowsError(
            rows,
            "contradiction",
            f"{rows.name(row)}: {time_text(int(rows.time_ns()[row]))} stands twice with different "
            f"values: {column} is {earlier!r} in {rows.name(row - 1)} and {later!r} here; nothing says "
            "which is right, remove one of the two",
        )
    return rows.without(again, "duplicate", "the same row stands twice")


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


def check_spacing(rows: SourceRows) -> None:
    """DataError unless the step is the usual distance of bars, or one that occurs in other series.

    Few rows, and series that are no bars, may have more holes than neighbours; without a single pair
    of neighbours nothing shows that the step is right. The rows are in the order of the store.
    """
    time_ns = rows.time_ns()
    time_ns = time_ns[np.diff(time_ns, prepend=time_ns[0] - 1) > 0]
    if len(time_ns) < _FEWEST_ROWS:
        return
    step_ns = timeframe_ns(rows.key.step)
    lengths, counts = np.unique(np.diff(time_ns), return_counts=True)
    common = int(lengths[np.argmax(counts)])
    is_dense = rows.kind.name in _BARS and len(time_ns) >= _SPACING_ROWS
    fits = common == step_ns if is_dense else lengths[0] <= step_ns
    if not fits:
        raise DataError(
            f"{rows.path}: most rows of {rows.key.symbol} are {common / SECOND_NS:g} s apart, the "
            f"step is said to be {rows.key.step}; correct --timeframe, the step of the mapping or the "
            "name of the file, or describe the file with --mapping"
        )


def refuse_if_many(rows: SourceRows, wrong: Bool1D, reason: str) -> None:
    """RefusedFileError where more than ``MAX_OFF_GRID_SHARE`` of the rows are ``wrong``."""
    if wrong.mean() > MAX_OFF_GRID_SHARE:
        row = int(np.flatnonzero(wrong)[0])
        raise RefusedFileError(
            "off_grid",
            f"{rows.name(row)}: {time_text(int(rows.time_ns()[row]))} is {reason}, and so are "
            f"{int(wrong.sum())} of {len(wrong)} rows of {rows.key.symbol}; more than "
            f"{MAX_OFF_GRID_SHARE:.0%} refuses the file",
        )
