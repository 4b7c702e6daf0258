"""Harmonic figures whose D is a confirmed pivot, as one compiled loop.

Written for bullish figures, as ``_harmonic_shape.py`` is.
"""

import numpy as np

from engine import Float1D, Float2D, kernel

from ._event_log import FIRST_ROOM, with_room_kernel
from ._harmonic_figure import LEVELS, log_figure_kernel
from ._harmonic_shape import (
    FASTEST,
    MODE_AB,
    SLOWEST,
    TABLE_CODE,
    TABLE_MODE,
    chosen_points_kernel,
    final_errors_kernel,
    legs_kernel,
    precision_kernel,
    projection_kernel,
    shape_errors_kernel,
)
from .event_table import EVENT_FIELDS


@kernel(nogil=True)
def completed_kernel(
    table: Float2D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    tolerance: float,
    point_tolerance: float,
    max_span_bars: int,
    wide_legs: int,
) -> tuple[Float1D, Float1D, Float2D]:
    """Patterns whose D is a confirmed pivot low: pattern code and precision ``(T,)``, log of events.

    Of several patterns on one row the most precise is given, 0 where there is none; the log has them
    all, ``(N, EVENT_FIELDS + 10 + LEVELS)`` with the points X, A, B, C, D. ``wide_legs`` is 4 where a
    leg may step over a minor swing, else 0.
    """
    rows = len(price)
    code, best = np.zeros(rows), np.zeros(rows)
    log = np.empty((FIRST_ROOM, EVENT_FIELDS + 10 + LEVELS))
    logged = 0
    chosen = np.empty(5, dtype=np.int64)
    for t in range(1, rows):
        if kind[t, 0] != -1.0 or anchor[t, 0] == anchor[t - 1, 0]:
            continue
        own_price, own_anchor = price[t], anchor[t]
        for wide_leg in range(wide_legs + 1):
            if not chosen_points_kernel(own_price, wide_leg, chosen):
                continue
            abcd_fits = wide_leg < 4 and legs_kernel(own_anchor, chosen, 4, max_span_bars)
            others_fit = legs_kernel(own_anchor, chosen, 5, max_span_bars)
            d, c, b = own_price[chosen[0]], own_price[chosen[1]], own_price[chosen[2]]
            a, x = own_price[chosen[3]], own_price[chosen[4]]
            ab_bars = own_anchor[chosen[2]] - own_anchor[chosen[3]]
            cd_bars = own_anchor[chosen[0]] - own_anchor[chosen[1]]
            if not FASTEST * ab_bars <= cd_bars <= SLOWEST * ab_bars:
                continue
            for pattern in range(len(table)):
                row = table[pattern]
                if not (abcd_fits if row[TABLE_MODE] == MODE_AB else others_fit):
                    continue
                error_b, error_c = shape_errors_kernel(row, x, a, b, c, tolerance, point_tolerance)
                if not (error_b <= 1.0 and error_c <= 1.0):
                    continue
                ideal, band, zone_low, zone_high = projection_kernel(row, x, a, b, c, tolerance)
                if not zone_low <= d <= zone_high:
                    continue
                error_q, error_d = final_errors_kernel(row, b, c, d, ideal, band, tolerance)
                precision = precision_kernel(row, error_b, error_c, error_q, error_d)
                log = with_room_kernel(log, logged)
                log_figure_kernel(
                    log, logged, row, own_price, own_anchor, chosen, t,
                    zone_low, zone_high, precision, d, ideal,
                )  # fmt: skip
                logged += 1
                if code[t] == 0 or precision > best[t]:
                    code[t], best[t] = row[TABLE_CODE], precision
    return code, best, log[:logged].copy()
