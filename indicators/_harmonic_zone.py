"""Harmonic patterns as one compiled loop: zones from their publication to their end.

Written for bullish figures, as ``_harmonic_shape.py`` is.
"""

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from ._event_log import FIRST_ROOM, with_room_kernel
from ._harmonic_figure import LEVELS, log_figure_kernel
from ._harmonic_shape import (
    ERROR_AB,
    ERRORS,
    FASTEST,
    LEG_BARS,
    MODE_AB,
    MODE_BC,
    SLOWEST,
    TABLE_CODE,
    TABLE_MODE,
    TABLE_TARGET,
    chosen_points_kernel,
    final_errors_kernel,
    legs_kernel,
    precision_kernel,
    projection_kernel,
    published_precision_kernel,
    shape_errors_kernel,
    stop_kernel,
)
from .event_table import CHANGE_FIELDS, EVENT_FIELDS

# States of an event, by their position in the detector's list.
STATE_ENTERED, STATE_CONFIRMED, STATE_FAILED, STATE_EXPIRED = range(4)
CHANGES_PER_BAR = 2
"""Most changes of one zone on one bar: entered, and confirmed or failed."""

# Rows of what is known on every bar, (len, T).
(
    ENTERED,
    CONFIRMED,
    FAILED,
    ACTIVE_COUNT,
    ACTIVE_PRECISION,
    ACTIVE_PATTERNS,
    CONFIRMED_CODE,
    CONFIRMED_PRECISION,
    TARGET_NEAR,
    TARGET_FAR,
    TARGET_C,
    STOP,
    ERROR_ROW,
) = range(13)
STATE_ROWS = ERROR_ROW + ERRORS

# Fields of one open zone.
(
    _EVENT,
    _PATTERN,
    _STATE,
    _ROW,
    _ANCHOR_C,
    _AB_BARS,
    _ZONE_LOW,
    _ZONE_HIGH,
    _A,
    _B,
    _C,
    _X,
    _IDEAL,
    _BAND,
    _ERROR_B,
    _ERROR_C,
    _D,
    _PRECISION,
) = range(18)
_FIELDS = 18

_OPEN, _INSIDE, _ACTIVE = 0.0, 1.0, 2.0
_CONFIRM_BARS = 5
_BEYOND_X = 0.01


@kernel(nogil=True)
def _publish_kernel(
    zones: Float2D,
    alive: int,
    table: Float2D,
    price: Float1D,
    anchor: Float1D,
    low: Float1D,
    t: int,
    tolerance: float,
    point_tolerance: float,
    max_span_bars: int,
    wide_legs: int,
    log: Float2D,
    logged: int,
) -> tuple[int, int]:
    """Open every zone that C, just confirmed, completes; zones and events there are now."""
    chosen = np.empty(4, dtype=np.int64)
    row_c = int(anchor[0])
    lowest = np.min(low[row_c : t + 1])
    for wide_leg in range(wide_legs + 1):
        if not chosen_points_kernel(price, wide_leg, chosen):
            continue
        c, b, a, x = price[chosen[0]], price[chosen[1]], price[chosen[2]], price[chosen[3]]
        abcd_fits = wide_leg < 3 and legs_kernel(anchor, chosen, 3, max_span_bars)
        others_fit = legs_kernel(anchor, chosen, 4, max_span_bars)
        for pattern in range(len(table)):
            row = table[pattern]
            if not (abcd_fits if row[TABLE_MODE] == MODE_AB else others_fit):
                continue
            error_b, error_c = shape_errors_kernel(row, x, a, b, c, tolerance, point_tolerance)
            if not (error_b <= 1.0 and error_c <= 1.0):
                continue
            ideal, band, zone_low, zone_high = projection_kernel(row, x, a, b, c, tolerance)
            if not (zone_low <= zone_high < lowest):
                continue
            measure = published_precision_kernel(row, error_b, error_c)
            log_figure_kernel(
                log,
                logged,
                row,
                price,
                anchor,
                chosen,
                t,
                zone_low,
                zone_high,
                measure,
                ideal,
                ideal,
            )
            own = zones[alive]
            own[_EVENT], own[_PATTERN], own[_STATE], own[_ROW] = logged, pattern, _OPEN, t
            own[_ANCHOR_C], own[_AB_BARS] = row_c, anchor[chosen[1]] - anchor[chosen[2]]
            own[_ZONE_LOW], own[_ZONE_HIGH] = zone_low, zone_high
            own[_X], own[_A], own[_B], own[_C] = x, a, b, c
            own[_IDEAL], own[_BAND] = ideal, band
            own[_ERROR_B], own[_ERROR_C] = error_b, error_c
            own[_D], own[_PRECISION] = np.inf, 0.0
            alive += 1
            logged += 1
    return alive, logged


@kernel(nogil=True)
def _broken_kernel(own: Float1D, row: Float1D, low: float, close: float, atr: float) -> bool:
    """A close 1 ATR beyond the zone, or, where D lies inside X, D or a close beyond X.

    D is the lowest low since the zone was entered, so a wick beyond X puts D there; the close has
    1 % to spare, which matters until the zone is entered.
    """
    if close < own[_ZONE_LOW] - atr:
        return True
    on_x = row[TABLE_MODE] != MODE_AB and row[TABLE_MODE] != MODE_BC
    if not on_x or row[TABLE_TARGET] > 1.0:
        return False
    if own[_STATE] != _OPEN and low < own[_X]:
        return True
    return bool(close < own[_X] - _BEYOND_X * abs(own[_X]))


@kernel(nogil=True)
def _confirm_kernel(own: Float1D, row: Float1D, states: Float2D, t: int, tolerance: float) -> None:
    d, a, c = own[_D], own[_A], own[_C]
    error_q, error_d = final_errors_kernel(row, own[_B], c, d, own[_IDEAL], own[_BAND], tolerance)
    precision = precision_kernel(row, own[_ERROR_B], own[_ERROR_C], error_q, error_d)
    own[_STATE], own[_ROW], own[_PRECISION] = _ACTIVE, t, precision
    states[CONFIRMED, t] += 1.0
    if precision > states[CONFIRMED_PRECISION, t] or states[CONFIRMED, t] == 1:
        states[CONFIRMED_CODE, t], states[CONFIRMED_PRECISION, t] = row[TABLE_CODE], precision
        states[TARGET_NEAR, t], states[TARGET_FAR, t] = d + 0.382 * (a - d), d + 0.618 * (a - d)
        states[TARGET_C, t], states[STOP, t] = c, stop_kernel(row, a, c, own[_IDEAL])
        errors = states[ERROR_ROW + ERROR_AB :, t]
        errors[0], errors[1], errors[2], errors[3] = own[_ERROR_B], own[_ERROR_C], error_q, error_d


@kernel(nogil=True)
def _mark_active_kernel(own: Float1D, row: Float1D, states: Float2D, t: int) -> None:
    states[ACTIVE_COUNT, t] += 1.0
    states[ACTIVE_PRECISION, t] += own[_PRECISION]
    bit = np.int64(1) << np.int64(row[TABLE_CODE] - 1.0)
    states[ACTIVE_PATTERNS, t] = float(np.int64(states[ACTIVE_PATTERNS, t]) | bit)


@kernel(nogil=True)
def _change_kernel(changes: Float2D, changed: int, event: float, state: int, t: int) -> int:
    changes[changed, 0], changes[changed, 1], changes[changed, 2] = event, state, t
    return changed + 1


@kernel(nogil=True)
def _watch_kernel(
    own: Float1D,
    row: Float1D,
    high: float,
    low: float,
    close: float,
    atr: float,
    states: Float2D,
    t: int,
    max_open_bars: int,
    validity_bars: int,
    tolerance: float,
    changes: Float2D,
    changed: int,
) -> tuple[bool, int]:
    """Carry one zone over row *t*; whether it lives on, and how many changes there are now."""
    event = own[_EVENT]
    if own[_STATE] == _ACTIVE and t - own[_ROW] >= validity_bars:
        return False, _change_kernel(changes, changed, event, STATE_EXPIRED, t)
    if own[_STATE] == _OPEN:
        waited = t - own[_ANCHOR_C]
        over = high > own[_C] or t - own[_ROW] > max_open_bars or waited > SLOWEST * own[_AB_BARS]
        touched = low <= own[_ZONE_HIGH] and high >= own[_ZONE_LOW]
        too_fast = touched and waited < max(FASTEST * own[_AB_BARS], float(LEG_BARS))
        if over or too_fast:
            return False, _change_kernel(changes, changed, event, STATE_EXPIRED, t)
        if touched:
            own[_STATE], own[_ROW] = _INSIDE, t
            states[ENTERED, t] += 1.0
            changed = _change_kernel(changes, changed, event, STATE_ENTERED, t)
    if _broken_kernel(own, row, low, close, atr):
        states[FAILED, t] += 1.0
        return False, _change_kernel(changes, changed, event, STATE_FAILED, t)
    if own[_STATE] == _INSIDE:
        own[_D] = min(own[_D], low)
        if t - own[_ROW] > _CONFIRM_BARS:
            return False, _change_kernel(changes, changed, event, STATE_EXPIRED, t)
        if close > own[_ZONE_HIGH]:
            _confirm_kernel(own, row, states, t, tolerance)
            changed = _change_kernel(changes, changed, event, STATE_CONFIRMED, t)
    if own[_STATE] == _ACTIVE:
        _mark_active_kernel(own, row, states, t)
    return True, changed


@kernel(nogil=True)
def zones_kernel(
    table: Float2D,
    high: Float1D,
    low: Float1D,
    close: Float1D,
    atr: Float1D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    resets: Bool1D,
    tolerance: float,
    point_tolerance: float,
    max_span_bars: int,
    max_open_bars: int,
    validity_bars: int,
    wide_legs: int,
    capacity: int,
) -> tuple[Float2D, Float2D, Float2D]:
    """All zones of one side: what is known on every bar, the log of events, the log of changes.

    ``(STATE_ROWS, T)``, see the row names above; ``(N, EVENT_FIELDS + 8 + LEVELS)`` with the points
    X, A, B, C; ``(M, CHANGE_FIELDS)``. ``wide_legs`` is 3 where a leg may step over a minor swing,
    else 0; ``capacity`` bounds how many zones can be open.
    """
    rows = len(close)
    states = np.zeros((STATE_ROWS, rows))
    states[TARGET_NEAR:] = np.nan
    log = np.empty((FIRST_ROOM, EVENT_FIELDS + 8 + LEVELS))
    changes = np.empty((FIRST_ROOM, CHANGE_FIELDS))
    zones = np.empty((capacity, _FIELDS))
    alive, logged, changed = 0, 0, 0
    for t in range(rows):
        if resets[t]:
            alive = 0
        kept = 0
        while changed + CHANGES_PER_BAR * alive > len(changes):
            changes = with_room_kernel(changes, len(changes))
        for i in range(alive):
            own = zones[i]
            lives, changed = _watch_kernel(
                own,
                table[int(own[_PATTERN])],
                high[t],
                low[t],
                close[t],
                atr[t],
                states,
                t,
                max_open_bars,
                validity_bars,
                tolerance,
                changes,
                changed,
            )
            if lives:
                if kept != i:
                    zones[kept] = zones[i]
                kept += 1
        alive = kept
        if t == 0 or resets[t] or kind[t, 0] != 1.0 or anchor[t, 0] == anchor[t - 1, 0]:
            continue
        while logged + len(table) * (wide_legs + 1) > len(log):
            log = with_room_kernel(log, len(log))
        alive, logged = _publish_kernel(
            zones,
            alive,
            table,
            price[t],
            anchor[t],
            low,
            t,
            tolerance,
            point_tolerance,
            max_span_bars,
            wide_legs,
            log,
            logged,
        )
    return states, log[:logged].copy(), changes[:changed].copy()
