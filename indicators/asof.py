"""Joining a slower clock onto bars: each bar sees the last row that was known at its close."""

import numpy as np

from engine import Bool1D, DataError, Float1D, Int1D, kernel

_MOVES_PER_ROW = 8


@kernel(nogil=True)
def _last_known_kernel(known_at: Int1D, available_at: Int1D) -> Int1D:
    rows = np.empty(len(known_at), dtype=np.int64)
    cursor = -1
    for t in range(len(known_at)):
        while cursor + 1 < len(available_at) and available_at[cursor + 1] <= known_at[t]:
            cursor += 1
        rows[t] = cursor
    return rows


@kernel(nogil=True)
def _as_of_kernel(
    known_at: Int1D, event_time: Int1D, available_at: Int1D, order: Int1D, max_age_ns: int
) -> Int1D:
    rows = np.empty(len(known_at), dtype=np.int64)
    cursor = 0
    newest = -1
    for t in range(len(known_at)):
        while cursor < len(order) and available_at[order[cursor]] <= known_at[t]:
            row = order[cursor]
            # Not older: a later vintage of the same event takes its place.
            if newest < 0 or event_time[row] >= event_time[newest]:
                newest = row
            cursor += 1
        old = newest >= 0 and known_at[t] - event_time[newest] > max_age_ns
        rows[t] = -1 if old else newest
    return rows


@kernel(nogil=True)
def _nearly_sorted_kernel(available_at: Int1D, most_moves: int) -> Int1D:
    """Stable order by insertion; empty when it takes more than ``most_moves``."""
    order = np.arange(len(available_at))
    moves = 0
    for row in range(1, len(order)):
        position = row
        while position > 0 and available_at[order[position - 1]] > available_at[row]:
            order[position] = order[position - 1]
            position -= 1
            moves += 1
            if moves > most_moves:
                return order[:0]
        order[position] = row
    return order


@kernel(nogil=True)
def _take_kernel(values: Float1D, rows: Int1D, out: Float1D) -> None:
    for t in range(len(rows)):
        out[t] = values[rows[t]] if rows[t] >= 0 else np.nan


@kernel(nogil=True)
def _joined_kernel(
    values: Float1D, rows: Int1D, event_time: Int1D, known_at: Int1D, max_age_ns: int
) -> Float1D:
    out = np.full(len(rows), np.nan)
    for t in range(len(rows)):
        row = rows[t]
        if row >= 0 and known_at[t] - event_time[row] <= max_age_ns:
            out[t] = values[row]
    return out


@kernel(nogil=True)
def _released_kernel(event_time: Int1D, order: Int1D) -> Bool1D:
    released = np.zeros(len(order), dtype=np.bool_)
    newest = -1
    for position in range(len(order)):
        row = order[position]
        if newest < 0 or event_time[row] > event_time[newest]:
            released[position] = True
            newest = row
    return released


def last_known_row(known_at: Int1D, available_at: Int1D) -> Int1D:
    """For each moment, the last row that was available by then; -1 where none was.

    Shapes: ``known_at`` ``(T,)`` and ``available_at`` ``(N,)``, both int64 ns UTC and not
    decreasing; the result ``(T,)``. Row *t* reads only rows with ``available_at <= known_at[t]``.
    """
    return _last_known_kernel(known_at, available_at)


def joined(
    values: Float1D, rows: Int1D, event_time: Int1D, known_at: Int1D, max_age_ns: int
) -> Float1D:
    """``values[rows]``, NaN where no row is known yet or the row's event is older than ``max_age_ns``.

    Shapes: ``values`` and ``event_time`` ``(N,)``; ``rows``, ``known_at`` and the result ``(T,)``.
    """
    return _joined_kernel(np.ascontiguousarray(values), rows, event_time, known_at, max_age_ns)


def release_order(event_time: Int1D, available_at: Int1D) -> Int1D:
    """Positions of the rows in the order in which they became available, ``(N,)``.

    Rows of one moment are in the order of their events, rows of one moment and event as given.
    """
    if (event_time[1:] < event_time[:-1]).any():
        return np.lexsort((event_time, available_at)).astype(np.int64)
    # Few rows come late, and not by much; sorting them in is cheaper than sorting all.
    order = _nearly_sorted_kernel(available_at, _MOVES_PER_ROW * len(available_at))
    if len(order) == len(available_at):
        return order
    return np.argsort(available_at, kind="stable").astype(np.int64)


def released_rows(event_time: Int1D, available_at: Int1D) -> Int1D:
    """The rows that told something newer than everything before them, in order of release.

    Shapes: ``event_time`` and ``available_at`` ``(N,)``, int64 ns UTC in any order; the result at
    most ``(N,)``. The first vintage of each event is taken; a row that arrives when a later event is
    already known is left out, so events strictly increase along the result.
    """
    order = release_order(event_time, available_at)
    released: Int1D = order[_released_kernel(event_time, order)]
    return released


def as_of_rows(known_at: Int1D, event_time: Int1D, available_at: Int1D, max_age_ns: int) -> Int1D:
    """For each moment the row to show: of the latest event among visible rows, its last vintage.

    Shapes: ``known_at`` ``(T,)``, not decreasing; ``event_time`` and ``available_at`` ``(N,)`` in any
    order; all int64 ns UTC; the result ``(T,)``. Row *t* reads only rows with
    ``available_at <= known_at[t]``. It is -1 where no row is visible, and where the latest event is
    more than ``max_age_ns`` old: a series that ends is missing. Of two rows of one event and one
    ``available_at`` the later in the order given is shown. Raises DataError when ``known_at`` decreases.
    """
    if (known_at[1:] < known_at[:-1]).any():
        raise DataError("as-of join: known_at must not decrease")
    return _as_of_kernel(
        known_at, event_time, available_at, release_order(event_time, available_at), max_age_ns
    )


def taken_rows(values: Float1D, rows: Int1D, out: Float1D) -> None:
    """Write ``values[rows]`` to ``out``, NaN where a row is -1; ``rows`` and ``out`` are ``(T,)``."""
    _take_kernel(values, rows, out)
