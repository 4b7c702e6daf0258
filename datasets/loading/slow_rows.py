"""Rows of a slow series out of the store: every vintage, of one source or of several."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from engine import HOUR_NS, Bool1D, ConfigError, Float1D, Int1D, kernel, timeframe_ns

from ..keys import DatasetKey, Instrument
from ..kinds import BAR_KINDS, SERIES_KINDS, kind_named
from ..store import Store
from ..tables import available_at_ns, floats_of, times_ns
from .find import datasets_of, shortest_steps
from .sources import ConflictHandler, SourceRows, tell_conflicts

FUNDING_INTERVALS_HOURS: Final = (1, 2, 4, 8)
"""Intervals at which venues settle; another distance means that a settlement is missing."""


@dataclass(frozen=True, slots=True)
class SlowRows:
    """Rows of a slow series, ordered by event, of one event by ``available_at``.

    ``event_time`` and ``available_at`` are int64 ns UTC ``(N,)``; ``columns`` float64 ``(N,)``, NaN where a
    row does not state the number, only those that some row states.
    """

    event_time: Int1D
    available_at: Int1D
    columns: dict[str, Float1D]

    def chosen(self, rows: Int1D | Bool1D | slice) -> "SlowRows":
        """Some of the rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return SlowRows(self.event_time[rows], self.available_at[rows], columns)

    def stated(self) -> "SlowRows":
        """The same rows without the columns that none of them states."""
        columns = {
            name: values for name, values in self.columns.items() if np.isfinite(values).any()
        }
        return replace(self, columns=columns)


def series_datasets(
    store: Store, instrument: Instrument, kind: str, *, step: str | None = None
) -> tuple[DatasetKey, ...]:
    """The data sets of a slow series: of ``step``, or of the shortest step of each source; empty where
    there is none.

    Raises ConfigError for a kind that is not a slow series, DataError for an unknown kind or several
    sources without a precedence.
    """
    if not kind_named(kind).is_series:
        use = "use load_bars" if kind in BAR_KINDS else f"series are {', '.join(SERIES_KINDS)}"
        raise ConfigError(f"kind={kind!r} is not a slow series; {use}")
    found = [key for key in datasets_of(store, instrument, kind) if step in (None, key.step)]
    return shortest_steps(found, instrument) if found else ()


def slow_rows(
    store: Store,
    keys: Sequence[DatasetKey],
    start_ns: int | None,
    end_ns: int | None,
    as_of_ns: int | None,
    on_conflicts: ConflictHandler,
    columns: Iterable[str] | None = None,
) -> SlowRows:
    """Every vintage with ``start_ns <= event_time < end_ns`` that was known at ``as_of_ns``.

    Of several sources the first that has an event by a moment is taken at that moment: a row is left
    out where an earlier source stated its event no later. ``on_conflicts`` is told of events whose first
    vintages contradict each other. Of ``columns`` those that exist are read, by default every number.

    ``interval_hours`` of funding is always there: what the source states; where it states nothing,
    the hours since the settlement before among those known by then, or the step of the data set
    where that is no interval of any venue. It never looks at what came later.
    """
    kind = kind_named(keys[0].kind)
    numbers = [column.name for column in kind.columns if column.is_number]
    wanted = numbers if columns is None else [name for name in numbers if name in set(columns)]
    funding = kind.name == "funding"
    # An interval longer than the longest by half an hour still rounds to it.
    reach_ns = (max(FUNDING_INTERVALS_HOURS) + 1) * HOUR_NS if funding else 0
    first_ns = None if start_ns is None else start_ns - reach_ns
    tables = [store.read(key, first_ns, end_ns, columns=wanted) for key in keys]
    sources = [
        _known(_rows_of(key, table, wanted), as_of_ns)
        for key, table in zip(keys, tables, strict=True)
    ]
    if len(sources) > 1:
        _tell(keys, sources, on_conflicts)
    rows = sources[0]
    nominal = np.full(len(rows.event_time), _nominal_hours(keys[0]))
    for key, other in zip(keys[1:], sources[1:], strict=True):
        new = other.chosen(_not_stated_before(rows, other))
        hours = np.concatenate([nominal, np.full(len(new.event_time), _nominal_hours(key))])
        rows, order = _together(rows, new)
        nominal = hours[order]
    if funding and (columns is None or "interval_hours" in set(columns)):
        rows.columns["interval_hours"] = _interval_hours(rows, nominal)
    if start_ns is not None:
        rows = rows.chosen(slice(int(np.searchsorted(rows.event_time, start_ns)), None))
    return rows.stated()


def _rows_of(key: DatasetKey, table: pa.Table, columns: Sequence[str]) -> SlowRows:
    return SlowRows(
        times_ns(kind_named(key.kind), table),
        available_at_ns(table),
        {name: floats_of(table, name) for name in columns},
    )


def _known(rows: SlowRows, as_of_ns: int | None) -> SlowRows:
    return rows if as_of_ns is None else rows.chosen(rows.available_at <= as_of_ns)


def _nominal_hours(key: DatasetKey) -> float:
    return timeframe_ns(key.step) / HOUR_NS


def _first_vintages(rows: SlowRows) -> Bool1D:
    first: Bool1D = np.diff(rows.event_time, prepend=rows.event_time[:1] - 1) != 0
    return first


def _tell(
    keys: Sequence[DatasetKey], sources: Sequence[SlowRows], on_conflicts: ConflictHandler
) -> None:
    firsts = [rows.chosen(_first_vintages(rows)) for rows in sources]
    compared = [
        SourceRows(key, rows.event_time, rows.columns)
        for key, rows in zip(keys, firsts, strict=True)
    ]
    for index, other in enumerate(compared):
        for preferred in compared[:index]:
            tell_conflicts(preferred, other, on_conflicts)


def _not_stated_before(rows: SlowRows, other: SlowRows) -> Bool1D:
    """Rows of ``other`` that were known before ``rows`` had their event, ``(N,)``."""
    first = np.searchsorted(rows.event_time, other.event_time)
    position = np.minimum(first, max(len(rows.event_time) - 1, 0))
    if not len(rows.event_time):
        return np.ones(len(other.event_time), dtype=np.bool_)
    has_event = rows.event_time[position] == other.event_time
    sooner: Bool1D = ~has_event | (other.available_at < rows.available_at[position])
    return sooner


def _together(rows: SlowRows, new: SlowRows) -> tuple[SlowRows, Int1D]:
    event_time = np.concatenate([rows.event_time, new.event_time])
    available_at = np.concatenate([rows.available_at, new.available_at])
    columns = {
        name: np.concatenate([values, new.columns[name]]) for name, values in rows.columns.items()
    }
    order = np.lexsort((available_at, event_time)).astype(np.int64)
    return SlowRows(event_time, available_at, columns).chosen(order), order


def _interval_hours(rows: SlowRows, nominal: Float1D) -> Float1D:
    hours = np.rint(_since_previous_kernel(rows.event_time, rows.available_at) / HOUR_NS)
    derived = np.where(np.isin(hours, FUNDING_INTERVALS_HOURS), hours, nominal)
    stated = rows.columns.get("interval_hours")
    return derived if stated is None else np.where(np.isfinite(stated), stated, derived)


@kernel
def _since_previous_kernel(event_time: Int1D, available_at: Int1D) -> Int1D:
    since = np.zeros(len(event_time), dtype=np.int64)
    for row in range(len(event_time)):
        before = row - 1
        while before >= 0 and (
            event_time[before] == event_time[row] or available_at[before] > available_at[row]
        ):
            before -= 1
        if before >= 0:
            since[row] = event_time[row] - event_time[before]
    return since
