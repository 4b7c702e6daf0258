"""Harmonic patterns as compiled loops: projecting a zone from X, A, B, C and watching over it.

Everything is written for bullish patterns (X and B low, A and C high, D to come below); bearish ones
run the same code on negated prices.
"""

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

# Columns of the pattern table, (patterns, len).
(
    TABLE_MODE,
    TABLE_AB_LOW,
    TABLE_AB_HIGH,
    TABLE_BC_LOW,
    TABLE_BC_HIGH,
    TABLE_CD_LOW,
    TABLE_CD_HIGH,
    TABLE_TARGET,
    TABLE_STOP,
) = range(9)
TABLE_COLUMNS = 9

# From which point and on which leg D is projected.
MODE_XA, MODE_AB, MODE_XC, MODE_BC = 0.0, 1.0, 2.0, 3.0

# Rows of the events, (len, T).
(
    PUBLISHED,
    ENTERED,
    CONFIRMED,
    FAILED,
    ACTIVE_COUNT,
    ACTIVE_PRECISION,
    CONFIRMED_PRECISION,
    ZONE_LOW,
    ZONE_HIGH,
    TARGET_NEAR,
    TARGET_FAR,
    STOP,
) = range(12)
EVENT_ROWS = 12

# Fields of one open zone.
(
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
    _POINT_ERROR,
    _BC_ERROR,
    _D,
    _PRECISION,
) = range(17)
_FIELDS = 17

_OPEN, _ENTERED, _ACTIVE = 0.0, 1.0, 2.0
_CONFIRM_BARS = 5
_FASTEST, _SLOWEST = 0.382, 2.618
_WIDEST = 0.1
_LEG_BARS = 3
_BEYOND_X = 0.01


@kernel(nogil=True)
def range_error_kernel(value: float, low: float, high: float, tolerance: float) -> float:
    """How far ``value`` lies outside [low, high], in units of the tolerance; 0 inside."""
    if value < low:
        return (low - value) / (low * tolerance)
    if value > high:
        return (value - high) / (high * tolerance)
    return 0.0


@kernel(nogil=True)
def shape_errors_kernel(
    row: Float1D, x: float, a: float, b: float, c: float, tolerance: float, point_tolerance: float
) -> tuple[float, float]:
    """Errors of B and C against one row of the table, in tolerances; more than 1 does not qualify."""
    leg_ab, leg_bc = a - b, c - b
    if not (leg_ab > 0 and leg_bc > 0):
        return np.inf, np.inf
    error_b = 0.0
    if row[TABLE_MODE] != MODE_AB:
        leg_xa = a - x
        if not leg_xa > 0:
            return np.inf, np.inf
        tolerance_b = point_tolerance if row[TABLE_AB_LOW] == row[TABLE_AB_HIGH] else tolerance
        error_b = range_error_kernel(
            leg_ab / leg_xa, row[TABLE_AB_LOW], row[TABLE_AB_HIGH], tolerance_b
        )
    measured_c = (c - x) / (a - x) if row[TABLE_MODE] == MODE_XC else leg_bc / leg_ab
    error_c = range_error_kernel(measured_c, row[TABLE_BC_LOW], row[TABLE_BC_HIGH], tolerance)
    return error_b, error_c


@kernel(nogil=True)
def projection_kernel(
    row: Float1D, x: float, a: float, b: float, c: float, tolerance: float
) -> tuple[float, float, float, float]:
    """Ideal D, half width of its band, and the zone [low, high] that CD/BC can reach.

    The zone is empty (low > high) when the ratios contradict each other. It is never wider than a
    tenth of XA (of AB where X plays no part).
    """
    if row[TABLE_MODE] == MODE_XA:
        base, size = a, a - x
    elif row[TABLE_MODE] == MODE_AB:
        base, size = c, a - b
    elif row[TABLE_MODE] == MODE_XC:
        base, size = c, c - x
    else:
        base, size = c, c - b
    ideal = base - row[TABLE_TARGET] * size
    widest = _WIDEST * (a - b if row[TABLE_MODE] == MODE_AB else a - x)
    band = min(tolerance * row[TABLE_TARGET] * size, 0.5 * widest)
    low, high = ideal - band, ideal + band
    if row[TABLE_CD_HIGH] > 0:
        low = max(low, c - row[TABLE_CD_HIGH] * (1.0 + tolerance) * (c - b))
        high = min(high, c - row[TABLE_CD_LOW] * (1.0 - tolerance) * (c - b))
    return ideal, band, low, high


@kernel(nogil=True)
def precision_kernel(
    row: Float1D,
    b: float,
    c: float,
    d: float,
    ideal: float,
    band: float,
    error_b: float,
    error_c: float,
    tolerance: float,
) -> float:
    """1 - mean error of the ratios the pattern names, each error at most 1; 0 to 1."""
    total = min(error_c, 1.0) + min(abs(d - ideal) / band, 1.0)
    count = 2.0
    if row[TABLE_MODE] != MODE_AB:
        total += min(error_b, 1.0)
        count += 1.0
    if row[TABLE_CD_HIGH] > 0:
        ratio = (c - d) / (c - b)
        error_q = range_error_kernel(ratio, row[TABLE_CD_LOW], row[TABLE_CD_HIGH], tolerance)
        total += min(error_q, 1.0)
        count += 1.0
    return 1.0 - total / count


@kernel(nogil=True)
def _legs_kernel(anchor: Float1D, oldest: int, max_span_bars: int) -> bool:
    """Whether the legs back to point ``oldest`` are long enough and the whole is short enough."""
    if anchor[oldest] < 0 or anchor[0] - anchor[oldest] > max_span_bars:
        return False
    shortest = np.min(anchor[:oldest] - anchor[1 : oldest + 1])
    return bool(shortest >= _LEG_BARS)


@kernel(nogil=True)
def _publish_kernel(
    zones: Float2D,
    alive: int,
    table: Float2D,
    price: Float2D,
    anchor: Float2D,
    low: Float1D,
    t: int,
    tolerance: float,
    point_tolerance: float,
    max_span_bars: int,
) -> int:
    """Open every zone that C, just confirmed, completes; how many zones there are now."""
    c, b, a, x = price[t, 0], price[t, 1], price[t, 2], price[t, 3]
    row_c = int(anchor[t, 0])
    for pattern in range(len(table)):
        row = table[pattern]
        if not _legs_kernel(anchor[t], 2 if row[TABLE_MODE] == MODE_AB else 3, max_span_bars):
            continue
        error_b, error_c = shape_errors_kernel(row, x, a, b, c, tolerance, point_tolerance)
        if not (error_b <= 1.0 and error_c <= 1.0):
            continue
        ideal, band, zone_low, zone_high = projection_kernel(row, x, a, b, c, tolerance)
        visited = not np.min(low[row_c : t + 1]) > zone_high
        if visited or not zone_low <= zone_high:
            continue
        own = zones[alive]
        own[_PATTERN], own[_STATE], own[_ROW] = pattern, _OPEN, t
        own[_ANCHOR_C], own[_AB_BARS] = row_c, anchor[t, 1] - anchor[t, 2]
        own[_ZONE_LOW], own[_ZONE_HIGH] = zone_low, zone_high
        own[_X], own[_A], own[_B], own[_C] = x, a, b, c
        own[_IDEAL], own[_BAND] = ideal, band
        own[_POINT_ERROR], own[_BC_ERROR] = error_b, error_c
        own[_D], own[_PRECISION] = np.inf, 0.0
        alive += 1
    return alive


@kernel(nogil=True)
def _broken_kernel(own: Float1D, row: Float1D, low: float, close: float, atr: float) -> bool:
    """A close 1 ATR beyond the zone, or, where D lies inside X, D or a close beyond X.

    D is the lowest low since the zone was entered, so a wick beyond X puts D there; the close has
    1 % to spare, which matters until the zone is entered.
    """
    if close < own[_ZONE_LOW] - atr:
        return True
    if row[TABLE_MODE] != MODE_XA or row[TABLE_TARGET] > 1.0:
        return False
    if own[_STATE] != _OPEN and low < own[_X]:
        return True
    return bool(close < own[_X] - _BEYOND_X * abs(own[_X]))


@kernel(nogil=True)
def _confirm_kernel(own: Float1D, row: Float1D, events: Float2D, t: int, tolerance: float) -> None:
    d = own[_D]
    precision = precision_kernel(
        row,
        own[_B],
        own[_C],
        d,
        own[_IDEAL],
        own[_BAND],
        own[_POINT_ERROR],
        own[_BC_ERROR],
        tolerance,
    )
    own[_STATE], own[_ROW], own[_PRECISION] = _ACTIVE, t, precision
    if precision > events[CONFIRMED_PRECISION, t] or events[CONFIRMED, t] == 0:
        events[CONFIRMED, t] = own[_PATTERN] + 1.0
        events[CONFIRMED_PRECISION, t] = precision
        events[TARGET_NEAR, t] = d + 0.382 * (own[_A] - d)
        events[TARGET_FAR, t] = d + 0.618 * (own[_A] - d)
        start = own[_C] if row[TABLE_MODE] != MODE_XA else own[_A]
        events[STOP, t] = start - row[TABLE_STOP] / row[TABLE_TARGET] * (start - own[_IDEAL])


@kernel(nogil=True)
def _watch_kernel(
    own: Float1D,
    row: Float1D,
    high: float,
    low: float,
    close: float,
    atr: float,
    events: Float2D,
    t: int,
    max_open_bars: int,
    validity_bars: int,
    tolerance: float,
) -> bool:
    """Carry one zone over row *t*; whether it lives on."""
    if own[_STATE] == _ACTIVE:
        if t - own[_ROW] >= validity_bars or _broken_kernel(own, row, low, close, atr):
            return False
        events[ACTIVE_COUNT, t] += 1.0
        events[ACTIVE_PRECISION, t] += own[_PRECISION]
        return True
    if own[_STATE] == _OPEN:
        waited = t - own[_ANCHOR_C]
        if high > own[_C] or t - own[_ROW] > max_open_bars:
            return False
        if waited > _SLOWEST * own[_AB_BARS]:
            return False
        if low <= own[_ZONE_HIGH] and high >= own[_ZONE_LOW]:
            if waited < max(_FASTEST * own[_AB_BARS], float(_LEG_BARS)):
                return False
            own[_STATE], own[_ROW] = _ENTERED, t
            events[ENTERED, t] = own[_PATTERN] + 1.0
    if _broken_kernel(own, row, low, close, atr):
        events[FAILED, t] = own[_PATTERN] + 1.0
        return False
    if own[_STATE] == _ENTERED:
        own[_D] = min(own[_D], low)
        if t - own[_ROW] > _CONFIRM_BARS:
            return False
        if close > own[_ZONE_HIGH]:
            _confirm_kernel(own, row, events, t, tolerance)
            events[ACTIVE_COUNT, t] += 1.0
            events[ACTIVE_PRECISION, t] += own[_PRECISION]
    return True


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
    capacity: int,
) -> Float2D:
    """Events of all zones of one side, ``(EVENT_ROWS, T)``; see the row names above.

    Event rows hold the pattern's number + 1. ``capacity`` bounds how many zones can be open.
    """
    rows = len(close)
    events = np.zeros((EVENT_ROWS, rows))
    events[ZONE_LOW:] = np.nan
    zones = np.empty((capacity, _FIELDS))
    alive = 0
    for t in range(rows):
        if resets[t]:
            alive = 0
        kept = 0
        for i in range(alive):
            own = zones[i]
            lives = _watch_kernel(
                own,
                table[int(own[_PATTERN])],
                high[t],
                low[t],
                close[t],
                atr[t],
                events,
                t,
                max_open_bars,
                validity_bars,
                tolerance,
            )
            if lives:
                if kept != i:
                    zones[kept] = zones[i]
                kept += 1
        alive = kept
        if t == 0 or resets[t] or kind[t, 0] != 1.0 or anchor[t, 0] == anchor[t - 1, 0]:
            continue
        before = alive
        alive = _publish_kernel(
            zones,
            alive,
            table,
            price,
            anchor,
            low,
            t,
            tolerance,
            point_tolerance,
            max_span_bars,
        )
        if alive > before:
            newest = zones[alive - 1]
            events[PUBLISHED, t] = newest[_PATTERN] + 1.0
            events[ZONE_LOW, t], events[ZONE_HIGH, t] = newest[_ZONE_LOW], newest[_ZONE_HIGH]
    return events


@kernel(nogil=True)
def completed_kernel(
    table: Float2D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    tolerance: float,
    point_tolerance: float,
    max_span_bars: int,
) -> tuple[Float1D, Float1D]:
    """Patterns whose D is a confirmed pivot low: pattern number + 1 and precision, ``(T,)`` each.

    Of several patterns on one row the most precise is given; 0 where there is none.
    """
    rows = len(price)
    pattern_code, best = np.zeros(rows), np.zeros(rows)
    for t in range(1, rows):
        if kind[t, 0] != -1.0 or anchor[t, 0] == anchor[t - 1, 0]:
            continue
        d, c, b, a, x = price[t, 0], price[t, 1], price[t, 2], price[t, 3], price[t, 4]
        ab_bars, cd_bars = anchor[t, 2] - anchor[t, 3], anchor[t, 0] - anchor[t, 1]
        if anchor[t, 3] < 0 or not _FASTEST * ab_bars <= cd_bars <= _SLOWEST * ab_bars:
            continue
        for pattern in range(len(table)):
            row = table[pattern]
            if not _legs_kernel(anchor[t], 3 if row[TABLE_MODE] == MODE_AB else 4, max_span_bars):
                continue
            error_b, error_c = shape_errors_kernel(row, x, a, b, c, tolerance, point_tolerance)
            if not (error_b <= 1.0 and error_c <= 1.0):
                continue
            ideal, band, zone_low, zone_high = projection_kernel(row, x, a, b, c, tolerance)
            if not zone_low <= d <= zone_high:
                continue
            precision = precision_kernel(row, b, c, d, ideal, band, error_b, error_c, tolerance)
            if pattern_code[t] == 0 or precision > best[t]:
                pattern_code[t], best[t] = pattern + 1.0, precision
    return pattern_code, best
