"""A slow series of one instrument, in the order in which its rows were released."""

from typing import Final

from engine import DAY_NS, HOUR_NS, Series, timeframe_ns
from indicators.asof import released_rows

from ..keys import Instrument
from ..kinds import kind_named
from ..store import Store
from .slow_rows import series_datasets, slow_rows
from .sources import ConflictHandler, refuse_conflicts

_PAST_OF_FINE_NS: Final = 400 * DAY_NS
"""So much of a series of a step below an hour is loaded before the bars; all of the others."""


def load_series(
    store: Store,
    instrument: Instrument,
    kind: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    *,
    step: str | None = None,
    as_of_ns: int | None = None,
    on_source_conflicts: ConflictHandler = refuse_conflicts,
) -> Series | None:
    """A slow series, or None when the store has none of this kind for the instrument.

    Rows with ``start_ns - max_age <= event_time < end_ns``: what can be shown inside the period. They
    are the releases: in order of ``available_at``, the first vintage of each event, without rows that
    arrived when a later event was already known. With ``as_of_ns`` only what was known then, which
    is the beginning of the same sequence. Columns are the numbers that some row states, NaN where a row
    does not; ``interval_hours`` of funding is always there (see ``load_funding``). ``step`` None takes
    the shortest of each source.

    Raises DataError when several sources fit and ``instrument`` names none; where it names several
    and they contradict each other, ``on_source_conflicts`` is told, which by default refuses.
    """
    keys = series_datasets(store, instrument, kind, step=step)
    if not keys:
        return None
    max_age_ns = kind_named(kind).max_age_ns
    first_ns = None if start_ns is None else start_ns - max_age_ns
    rows = slow_rows(store, keys, first_ns, end_ns, as_of_ns, on_source_conflicts)
    rows = rows.chosen(released_rows(rows.event_time, rows.available_at)).stated()
    if not len(rows.event_time):
        return None
    return Series(
        name=kind,
        max_age_ns=max_age_ns,
        event_time=rows.event_time,
        available_at=rows.available_at,
        columns=rows.columns,
    )


def load_series_with_past(
    store: Store,
    instrument: Instrument,
    kind: str,
    first_ns: int,
    end_ns: int,
    *,
    as_of_ns: int | None,
    on_source_conflicts: ConflictHandler,
) -> Series | None:
    """The series around bars from ``first_ns`` to ``end_ns``, with what came before them.

    A window of years that looks back from the first bar needs it. Rows of steps of an hour or longer go
    back to the beginning, those of finer steps 400 days. None where no row could be shown in the
    period. Otherwise as ``load_series``.
    """
    keys = series_datasets(store, instrument, kind)
    if not keys:
        return None
    is_fine = min(timeframe_ns(key.step) for key in keys) < HOUR_NS
    rows = load_series(
        store,
        instrument,
        kind,
        first_ns - _PAST_OF_FINE_NS if is_fine else None,
        end_ns,
        as_of_ns=as_of_ns,
        on_source_conflicts=on_source_conflicts,
    )
    if rows is None or int(rows.event_time[-1]) < first_ns - rows.max_age_ns:
        return None
    return rows
