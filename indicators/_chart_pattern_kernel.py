"""Chart patterns from a list of turning points: each kernel writes the log of what triggered.

A candidate forms on the row on which its last turning point is confirmed and lives as long as its own
span. The newest candidate of a kind and side takes the place of the one before it. Prices times the
side of a pattern make a bottom of every top.
"""

from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from ._event_log import FIRST_ROOM, with_room_kernel
from .event_table import (
    EVENT_FIELDS,
    LOG_ANCHOR,
    LOG_BOTTOM,
    LOG_DIRECTION,
    LOG_KNOWN,
    LOG_TOP,
    LOG_TYPE,
)

POINTS: Final = 5
"""Turning points of the longest shape."""
(
    DOUBLE_TOP,
    DOUBLE_BOTTOM,
    HEAD_AND_SHOULDERS,
    INVERSE_HEAD_AND_SHOULDERS,
    ASCENDING_TRIANGLE,
    DESCENDING_TRIANGLE,
    SYMMETRIC_TRIANGLE,
    FLAG,
) = range(8)

MIN_HEAD_ATR: Final = 0.5
MAX_SHOULDER_ATR: Final = 1.5
MAX_ASYMMETRY: Final = 2.5
FLAT_SLOPE_ATR, RISING_SLOPE_ATR = 0.03, 0.05
APEX_SHARE: Final = 0.9
BREAKOUT_ATR: Final = 0.25
TRIANGLE_MIN_BARS, TRIANGLE_MAX_BARS = 20, 120
POLE_ATR, POLE_BARS = 4.0, 10
FLAG_MIN_BARS, FLAG_MAX_BARS = 5, 20
FLAG_MAX_SHARE: Final = 0.5

_LINE: Final = EVENT_FIELDS + 2 * POINTS
_TARGET: Final = _LINE + 1
_LOG_FIELDS: Final = _TARGET + 1


@kernel(nogil=True)
def _logged_kernel(
    log: Float2D, count: int, what: tuple[int, float, int], zone: tuple[float, float],
    levels: tuple[float, float], row: Float1D, price: Float1D,
) -> Float2D:  # fmt: skip
    # what: type, direction, known; levels: the line broken, the target. Points come newest first and
    # are written oldest first.
    log = with_room_kernel(log, count)
    points = len(row)
    log[count] = np.nan
    log[count, EVENT_FIELDS : EVENT_FIELDS + POINTS] = -1.0
    for k in range(points):
        log[count, EVENT_FIELDS + k] = row[points - 1 - k]
        log[count, EVENT_FIELDS + POINTS + k] = price[points - 1 - k]
    log[count, LOG_TYPE], log[count, LOG_DIRECTION], log[count, LOG_KNOWN] = what
    log[count, LOG_ANCHOR] = row[points - 1]
    log[count, LOG_TOP], log[count, LOG_BOTTOM] = max(zone), min(zone)
    log[count, _LINE], log[count, _TARGET] = levels
    return log


@kernel(nogil=True)
def double_kernel(
    close: Float1D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    resets: Bool1D,
    max_difference: Float1D,
    min_depth: Float1D,
    bars: tuple[int, int],
) -> Float2D:
    """Double bottoms and tops: two extremes at most ``max_difference`` apart, then a close beyond
    the turning point between them, which lies ``min_depth`` from the nearer of them."""
    log, count = np.empty((FIRST_ROOM, _LOG_FIELDS)), 0
    trigger, void, deadline = np.full(2, np.nan), np.full(2, np.nan), np.full(2, -1.0)
    formed = np.zeros(2, dtype=np.int64)
    for t in range(len(close)):
        if resets[t]:
            trigger[:] = np.nan
            continue
        if kind[t, 2] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0]):
            side = -kind[t, 0]
            second, peak, first = side * price[t, 0], side * price[t, 1], side * price[t, 2]
            span = anchor[t, 0] - anchor[t, 2]
            level = abs(second - first) <= max_difference[t]
            deep = peak - max(first, second) >= min_depth[t]
            if level and deep and bars[0] <= span <= bars[1]:
                slot = 0 if side > 0 else 1
                trigger[slot], void[slot], deadline[slot] = peak, min(first, second), t + span
                formed[slot] = t
        for slot in range(2):
            if np.isnan(trigger[slot]):
                continue
            side = 1.0 if slot == 0 else -1.0
            if side * close[t] > trigger[slot]:
                what = (DOUBLE_BOTTOM if slot == 0 else DOUBLE_TOP, side, t)
                zone = (side * trigger[slot], side * void[slot])
                target = side * (2.0 * trigger[slot] - void[slot])
                levels = (side * trigger[slot], target)
                row, turns = anchor[formed[slot], :3], price[formed[slot], :3]
                log = _logged_kernel(log, count, what, zone, levels, row, turns)
                count += 1
                trigger[slot] = np.nan
            elif side * close[t] < void[slot] or t >= deadline[slot]:
                trigger[slot] = np.nan
    return log[:count]


@kernel(nogil=True)
def head_shoulders_kernel(
    close: Float1D, atr: Float1D, price: Float2D, anchor: Float2D, kind: Float2D, resets: Bool1D
) -> Float2D:
    """A head between two shoulders of one height, then a close beyond the line of the two turning
    points between them; the inverse form is the one of side 1."""
    log, count = np.empty((FIRST_ROOM, _LOG_FIELDS)), 0
    start, slope, row = np.full(2, np.nan), np.zeros(2), np.zeros(2)
    void, deadline, head_row = np.zeros(2), np.zeros(2), np.zeros(2)
    formed = np.zeros(2, dtype=np.int64)
    for t in range(len(close)):
        if resets[t]:
            start[:] = np.nan
            continue
        if kind[t, 4] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0]):
            side = -kind[t, 0]
            right_shoulder, head, left_shoulder = (
                side * price[t, 0],
                side * price[t, 2],
                side * price[t, 4],
            )
            late, early = anchor[t, 0] - anchor[t, 2], anchor[t, 2] - anchor[t, 4]
            stands_out = head <= min(left_shoulder, right_shoulder) - MIN_HEAD_ATR * atr[t]
            level = abs(left_shoulder - right_shoulder) <= MAX_SHOULDER_ATR * atr[t]
            even = late <= MAX_ASYMMETRY * early and early <= MAX_ASYMMETRY * late
            if stands_out and level and even:
                slot = 0 if side > 0 else 1
                width = anchor[t, 1] - anchor[t, 3]
                start[slot], row[slot] = side * price[t, 3], anchor[t, 3]
                slope[slot] = side * (price[t, 1] - price[t, 3]) / width
                void[slot], head_row[slot] = head, anchor[t, 2]
                deadline[slot] = t + anchor[t, 0] - anchor[t, 4]
                formed[slot] = t
        for slot in range(2):
            if np.isnan(start[slot]):
                continue
            side = 1.0 if slot == 0 else -1.0
            neckline = start[slot] + slope[slot] * (t - row[slot])
            if side * close[t] > neckline:
                what = (INVERSE_HEAD_AND_SHOULDERS if slot == 0 else HEAD_AND_SHOULDERS, side, t)
                height = start[slot] + slope[slot] * (head_row[slot] - row[slot]) - void[slot]
                log = _logged_kernel(
                    log, count, what, (side * neckline, side * void[slot]),
                    (side * neckline, side * (neckline + height)),
                    anchor[formed[slot], :5], price[formed[slot], :5],
                )  # fmt: skip
                count += 1
                start[slot] = np.nan
            elif side * close[t] < void[slot] or t >= deadline[slot]:
                start[slot] = np.nan
    return log[:count]


@kernel(nogil=True)
def _triangle_type_kernel(top_slope: float, bottom_slope: float, atr: float) -> int:
    # -1 for lines that make no triangle: each is level, or steep towards the other.
    flat, steep = FLAT_SLOPE_ATR * atr, RISING_SLOPE_ATR * atr
    if not bottom_slope > top_slope:
        return -1
    if abs(top_slope) <= flat and bottom_slope >= steep:
        return ASCENDING_TRIANGLE
    if abs(bottom_slope) <= flat and top_slope <= -steep:
        return DESCENDING_TRIANGLE
    return SYMMETRIC_TRIANGLE if top_slope <= -steep and bottom_slope >= steep else -1


@kernel(nogil=True)
def triangle_kernel(
    close: Float1D, atr: Float1D, price: Float2D, anchor: Float2D, kind: Float2D, resets: Bool1D
) -> Float2D:
    """The lines through the newest two highs and the newest two lows, and the close that leaves them."""
    log, count = np.empty((FIRST_ROOM, _LOG_FIELDS)), 0
    formed, shape, deadline, height = -1, -1, 0.0, 0.0
    top, top_slope, top_row, bottom, bottom_slope, bottom_row = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(close)):
        if resets[t]:
            formed = -1
            continue
        if kind[t, 3] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0]):
            high, low = (0, 1) if kind[t, 0] > 0 else (1, 0)
            first, span = anchor[t, 3], anchor[t, 0] - anchor[t, 3]
            up = (price[t, high] - price[t, high + 2]) / (anchor[t, high] - anchor[t, high + 2])
            lift = (price[t, low] - price[t, low + 2]) / (anchor[t, low] - anchor[t, low + 2])
            newest = _triangle_type_kernel(up, lift, atr[t])
            if newest >= 0 and TRIANGLE_MIN_BARS <= span <= TRIANGLE_MAX_BARS:
                top, top_slope, top_row = price[t, high], up, anchor[t, high]
                bottom, bottom_slope, bottom_row = price[t, low], lift, anchor[t, low]
                gap = (top + up * (t - top_row)) - (bottom + lift * (t - bottom_row))
                apex = t + gap / (lift - up)
                deadline = min(first + APEX_SHARE * (apex - first), t + span)
                height = gap + (lift - up) * (t - first)
                formed, shape = t if gap > 0 else -1, newest
        if formed >= 0:
            beyond = BREAKOUT_ATR * atr[t]
            upper = top + top_slope * (t - top_row)
            lower = bottom + bottom_slope * (t - bottom_row)
            side = 1.0 if close[t] > upper + beyond else -1.0 if close[t] < lower - beyond else 0.0
            if t > deadline:
                formed = -1
            elif side != 0:
                edge = upper if side > 0 else lower
                log = _logged_kernel(
                    log, count, (shape, side, t), (upper, lower), (edge, edge + side * height),
                    anchor[formed, :4], price[formed, :4],
                )  # fmt: skip
                count += 1
                formed = -1
    return log[:count]


@kernel(nogil=True)
def _flag_zone_kernel(
    high: Float1D, low: Float1D, close: Float1D, t: int, end: int, pole: float
) -> tuple[float, float]:
    # Rows end + 1 to t - 1 consolidate against the pole that ended on row end; close t leaves them.
    # NaN where they are no flag.
    side = 1.0 if pole > 0 else -1.0
    top, bottom = high[end + 1], low[end + 1]
    for i in range(end + 1, t):
        top, bottom = max(top, high[i]), min(bottom, low[i])
    edge = top if side > 0 else bottom
    narrow = top - bottom <= FLAG_MAX_SHARE * abs(pole)
    leaves = side * (close[t] - edge) > 0
    against = side * (close[t - 1] - close[end]) <= 0
    return (top, bottom) if leaves and narrow and against else (np.nan, np.nan)


@kernel(nogil=True)
def _ends_pole_kernel(close: Float1D, t: int, least: float) -> bool:
    steepest = 0.0
    for start in range(max(t - POLE_BARS, 0), t):
        steepest = max(steepest, abs(close[t] - close[start]))
    return steepest >= least


@kernel(nogil=True)
def flag_kernel(
    high: Float1D, low: Float1D, close: Float1D, atr: Float1D, resets: Bool1D
) -> Float2D:
    """A pole, a narrow pause against it or level, and the close that leaves it in the pole's direction."""
    log, count = np.empty((FIRST_ROOM, _LOG_FIELDS)), 0
    row, price = np.zeros(3), np.zeros(3)
    ends_pole = np.zeros(len(close), dtype=np.bool_)
    earliest = 0
    for t in range(len(close)):
        ends_pole[t] = _ends_pole_kernel(close, t, POLE_ATR * atr[t])
        if resets[t]:
            earliest = t + 1
            continue
        found = False
        for bars in range(FLAG_MIN_BARS, FLAG_MAX_BARS + 1):
            end = t - bars - 1
            if end < 0 or not ends_pole[end]:
                continue
            for length in range(1, POLE_BARS + 1):
                start = end - length
                if start < earliest or found:
                    break
                pole = close[end] - close[start]
                if not abs(pole) >= POLE_ATR * atr[end]:
                    continue
                top, bottom = _flag_zone_kernel(high, low, close, t, end, pole)
                if np.isnan(top):
                    continue
                side = 1.0 if pole > 0 else -1.0
                row[0], row[1], row[2] = t - 1, end, start
                price[0], price[1], price[2] = close[t - 1], close[end], close[start]
                edge = top if side > 0 else bottom
                log = _logged_kernel(
                    log, count, (FLAG, side, t), (top, bottom), (edge, edge + pole), row, price
                )
                count, found = count + 1, True
        if found:
            earliest = t
    return log[:count]
