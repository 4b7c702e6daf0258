"""Harmonic figures as compiled arithmetic: ratios and their errors, the projection of D, its grade.

Everything is written for bullish figures (X and B low, A and C high, D to come below); bearish ones
run the same code on negated prices.
"""

import numpy as np

from engine import Float1D, Int1D, kernel

# Columns of the pattern table, (patterns, len).
(
    TABLE_CODE,
    TABLE_MODE,
    TABLE_AB_LOW,
    TABLE_AB_HIGH,
    TABLE_AB_IS_POINT,
    TABLE_BC_LOW,
    TABLE_BC_HIGH,
    TABLE_CD_LOW,
    TABLE_CD_HIGH,
    TABLE_TARGET,
    TABLE_STOP,
) = range(11)

# From which point and on which leg D is projected.
MODE_XA, MODE_AB, MODE_XC, MODE_BC = 0.0, 1.0, 2.0, 3.0

# Errors of a figure, in tolerances.
ERROR_AB, ERROR_BC, ERROR_CD, ERROR_AD = range(4)
ERRORS = 4

FASTEST, SLOWEST = 0.382, 2.618
"""Least and greatest duration of CD in durations of AB."""
LEG_BARS = 3
_WIDEST = 0.1


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
        tolerance_b = point_tolerance if row[TABLE_AB_IS_POINT] > 0 else tolerance
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
def stop_kernel(row: Float1D, a: float, c: float, ideal: float) -> float:
    """Where the idea is wrong: D's own leg continued to the ``stop`` ratio."""
    start = a if row[TABLE_MODE] == MODE_XA else c
    stop: float = start - row[TABLE_STOP] / row[TABLE_TARGET] * (start - ideal)
    return stop


@kernel(nogil=True)
def confluence_kernel(row: Float1D, x: float, a: float, b: float, c: float, ideal: float) -> float:
    """Distance between the ideal D and the one of AB = CD, in XA (in AB where X plays no part)."""
    unit = a - b if row[TABLE_MODE] == MODE_AB else a - x
    return abs(ideal - (c - (a - b))) / unit


@kernel(nogil=True)
def final_errors_kernel(
    row: Float1D, b: float, c: float, d: float, ideal: float, band: float, tolerance: float
) -> tuple[float, float]:
    """Errors of CD/BC and of D, in tolerances, none counted above 1; CD/BC counts 0 where it is free."""
    error_q = 0.0
    if row[TABLE_CD_HIGH] > 0:
        ratio = (c - d) / (c - b)
        error_q = range_error_kernel(ratio, row[TABLE_CD_LOW], row[TABLE_CD_HIGH], tolerance)
    return min(error_q, 1.0), min(abs(d - ideal) / band, 1.0)


@kernel(nogil=True)
def precision_kernel(
    row: Float1D, error_b: float, error_c: float, error_q: float, error_d: float
) -> float:
    """1 - mean error of the ratios that the pattern names, each error at most 1; 0 to 1."""
    total = min(error_c, 1.0) + error_d
    count = 2.0
    if row[TABLE_MODE] != MODE_AB:
        total += min(error_b, 1.0)
        count += 1.0
    if row[TABLE_CD_HIGH] > 0:
        total += error_q
        count += 1.0
    return 1.0 - total / count


@kernel(nogil=True)
def published_precision_kernel(row: Float1D, error_b: float, error_c: float) -> float:
    """1 - mean error of B and C (of C alone where X plays no part): what is known before D."""
    if row[TABLE_MODE] == MODE_AB:
        return 1.0 - min(error_c, 1.0)
    return 1.0 - 0.5 * (min(error_b, 1.0) + min(error_c, 1.0))


@kernel(nogil=True)
def chosen_points_kernel(price: Float1D, wide_leg: int, chosen: Int1D) -> bool:
    """Fill ``chosen`` with positions in a newest-first list of alternating pivots: one figure.

    Neighbours are consecutive but in leg ``wide_leg`` (1 is the newest, 0 is none), which steps over
    one minor swing: two pivots that stay strictly between the ends of the leg. Whether they do.
    """
    chosen[0] = 0
    for leg in range(1, len(chosen)):
        chosen[leg] = chosen[leg - 1] + (3 if leg == wide_leg else 1)
    if wide_leg == 0:
        return True
    newer, older = chosen[wide_leg - 1], chosen[wide_leg]
    side = 1.0 if price[newer] > price[older] else -1.0
    starts_inside = side * (price[newer + 1] - price[older]) > 0
    ends_inside = side * (price[newer] - price[newer + 2]) > 0
    return bool(starts_inside and ends_inside)


@kernel(nogil=True)
def legs_kernel(anchor: Float1D, chosen: Int1D, points: int, max_span_bars: int) -> bool:
    """Whether the newest ``points`` are there, their legs long enough, the whole short enough."""
    oldest = anchor[chosen[points - 1]]
    if oldest < 0 or anchor[0] - oldest > max_span_bars:
        return False
    shortest = np.inf
    for leg in range(1, points):
        shortest = min(shortest, anchor[chosen[leg - 1]] - anchor[chosen[leg]])
    return bool(shortest >= LEG_BARS)
