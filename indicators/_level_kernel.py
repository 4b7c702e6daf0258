"""Levels: pivots of one price, found by agglomerative clustering in one dimension.

Each pivot begins as a cluster of its own; of all neighbours those two join next whose union is the
narrowest (complete linkage), of equals the two that hold the newer pivot, until no union is narrow
enough. The order in which clusters join does not depend on the width at which it stops, so that it is
worked out when a pivot comes or goes, and cut anew on each bar.
"""

from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, kernel

from ._event_log import FIRST_ROOM, with_room_kernel
from .event_table import (
    CHANGE_FIELDS,
    EVENT_FIELDS,
    LOG_ANCHOR,
    LOG_BOTTOM,
    LOG_DIRECTION,
    LOG_KNOWN,
    LOG_MEASURE,
    LOG_TOP,
    LOG_TYPE,
)

POINTS: Final = 2
REPLACED, EXPIRED = range(2)
AGE_DECAY_BARS: Final = 100.0


@kernel(nogil=True)
def join_widths_kernel(
    price: Float1D, row: Int1D, count: int, first: Int1D, newest: Int1D, out: Float1D
) -> None:
    """``out[k]``: the width at which the pivots up to *k* and those behind it join.

    The first ``count`` of ``price`` are in order; ``row`` are their rows; ``first`` and ``newest`` are
    room for as many numbers.
    """
    clusters = count
    for k in range(count):
        first[k], newest[k] = k, row[k]
    while clusters > 1:
        best, least = 0, np.inf
        for c in range(clusters - 1):
            last = first[c + 2] - 1 if c + 2 < clusters else count - 1
            width = price[last] - price[first[c]]
            newer = max(newest[c], newest[c + 1]) > max(newest[best], newest[best + 1])
            if width < least or (width == least and newer):
                best, least = c, width
        out[first[best + 1] - 1] = least
        newest[best] = max(newest[best], newest[best + 1])
        clusters -= 1
        for c in range(best + 1, clusters):
            first[c], newest[c] = first[c + 1], newest[c + 1]


@kernel(nogil=True)
def _strength_kernel(row: Int1D, start: int, end: int, t: int) -> float:
    strength = 0.0
    for k in range(start, end):
        strength += np.exp(-(t - row[k]) / AGE_DECAY_BARS)
    return strength


@kernel(nogil=True)
def _changed_kernel(log: Float2D, count: int, event: int, state: int, t: int) -> Float2D:
    log = with_room_kernel(log, count)
    log[count, 0], log[count, 1], log[count, 2] = event, state, t
    return log


@kernel(nogil=True)
def _found_kernel(
    log: Float2D, count: int, price: Float1D, row: Int1D, start: int, end: int, t: int
) -> Float2D:
    log = with_room_kernel(log, count)
    oldest, newest = start, start
    for k in range(start, end):
        oldest = k if row[k] < row[oldest] else oldest
        newest = k if row[k] >= row[newest] else newest
    log[count, LOG_TYPE], log[count, LOG_DIRECTION] = 0.0, 0.0
    log[count, LOG_ANCHOR], log[count, LOG_KNOWN] = row[oldest], t
    log[count, LOG_TOP], log[count, LOG_BOTTOM] = price[end - 1], price[start]
    log[count, LOG_MEASURE] = _strength_kernel(row, start, end, t)
    log[count, EVENT_FIELDS], log[count, EVENT_FIELDS + 1] = row[oldest], row[newest]
    log[count, EVENT_FIELDS + 2], log[count, EVENT_FIELDS + 3] = price[oldest], price[newest]
    return log


@kernel(nogil=True)
def _inserted_kernel(
    pivots: tuple[Float1D, Int1D, Int1D], count: int, level: float, anchor: int
) -> int:
    # In order of price; nothing has been found at the new one yet.
    price, row, event = pivots
    slot = count
    while slot > 0 and price[slot - 1] > level:
        price[slot], row[slot], event[slot] = price[slot - 1], row[slot - 1], event[slot - 1]
        slot -= 1
    price[slot], row[slot], event[slot] = level, anchor, -1
    return count + 1


@kernel(nogil=True)
def _without_old_kernel(
    pivots: tuple[Float1D, Int1D, Int1D], count: int, t: int, window_bars: int,
    changes: Float2D, change_count: int,
) -> tuple[int, Float2D, int]:  # fmt: skip
    price, row, event = pivots
    kept = 0
    for k in range(count):
        if t - row[k] < window_bars:
            price[kept], row[kept], event[kept] = price[k], row[k], event[k]
            kept += 1
        elif event[k] >= 0:
            changes = _changed_kernel(changes, change_count, event[k], EXPIRED, t)
            change_count += 1
    return kept, changes, change_count


@kernel(nogil=True)
def _replaced_kernel(
    row: Int1D, event: Int1D, start: int, end: int, number: int, t: int,
    changes: Float2D, change_count: int,
) -> tuple[Float2D, int]:  # fmt: skip
    # The newest pivot of rows start to end - 1 holds event ``number`` in place of what they held.
    newest = start
    for k in range(start, end):
        if event[k] >= 0:
            changes = _changed_kernel(changes, change_count, event[k], REPLACED, t)
            change_count += 1
            event[k] = -1
        newest = k if row[k] > row[newest] else newest
    event[newest] = number
    return changes, change_count


@kernel(nogil=True)
def _seen_kernel(out: Float2D, t: int, away: float, near_width: float, strength: float) -> None:
    # away: the level less the close.
    if abs(away) <= near_width:
        out[0, t] += 1.0
        out[1, t] = max(out[1, t], strength)
    side = 2 if away >= 0 else 3
    out[side, t] = abs(away) if np.isnan(out[side, t]) else min(out[side, t], abs(away))


@kernel(nogil=True)
def level_kernel(
    close: Float1D,
    width: Float1D,
    near_width: Float1D,
    pivot_high: Float1D,
    pivot_low: Float1D,
    further: Float2D,
    right: int,
    resets: Bool1D,
    window_bars: int,
) -> tuple[Float2D, Float2D, Float2D]:
    """Levels near each close, and the log of clusters on the rows on which a pivot joins them.

    ``further`` ``(K, T)`` are levels of other origin, NaN where there is none. Returns ``(4, T)``:
    levels within ``near_width``, the strength of the strongest of them, the distances to the nearest
    level at or above and below; then the logs of events and of changes.
    """
    rows = len(close)
    out = np.zeros((4, rows))
    out[2:] = np.nan
    events, event_count = np.empty((FIRST_ROOM, EVENT_FIELDS + 2 * POINTS)), 0
    changes, change_count = np.empty((FIRST_ROOM, CHANGE_FIELDS)), 0
    # Two pivots a row at most, each of which stays while its anchor is within the window.
    room = 2 * window_bars + 2
    price, row, event = np.empty(room), np.empty(room, np.int64), np.empty(room, np.int64)
    joins, first, newest = np.empty(room), np.empty(room, np.int64), np.empty(room, np.int64)
    pivots = (price, row, event)
    count, first_valid_anchor = 0, 0
    for t in range(rows):
        if resets[t]:
            count, first_valid_anchor = 0, t + 1
            continue
        before = count
        count, changes, change_count = _without_old_kernel(
            pivots, count, t, window_bars, changes, change_count
        )
        joined = False
        if t - right >= first_valid_anchor and right < window_bars:
            for pivot in (pivot_high[t], pivot_low[t]):
                if not np.isnan(pivot):
                    count, joined = _inserted_kernel(pivots, count, pivot, t - right), True
        if joined or count < before:
            join_widths_kernel(price, row, count, first, newest, joins)
        if np.isnan(width[t]):
            continue
        start = 0
        while start < count:
            end, total, is_fresh = start, 0.0, False
            while True:
                total += price[end]
                is_fresh |= joined and row[end] == t - right
                end += 1
                if end == count or not joins[end - 1] <= width[t]:
                    break
            away = total / (end - start) - close[t]
            is_near = abs(away) <= near_width[t]
            strength = _strength_kernel(row, start, end, t) if is_near else 0.0
            _seen_kernel(out, t, away, near_width[t], strength)
            if is_fresh:
                events = _found_kernel(events, event_count, price, row, start, end, t)
                changes, change_count = _replaced_kernel(
                    row, event, start, end, event_count, t, changes, change_count
                )
                event_count += 1
            start = end
        for source in range(len(further)):
            if not np.isnan(further[source, t]):
                _seen_kernel(out, t, further[source, t] - close[t], near_width[t], 1.0)
    return out, events[:event_count], changes[:change_count]
