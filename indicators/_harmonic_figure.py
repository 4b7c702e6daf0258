"""Harmonic figures as rows of the log of events: their points, levels and grade.

Written for bullish figures, as ``_harmonic_shape.py`` is.
"""

import numpy as np

from engine import Float1D, Float2D, Int1D, kernel

from ._harmonic_shape import (
    MODE_AB,
    TABLE_CODE,
    TABLE_MODE,
    confluence_kernel,
    stop_kernel,
)
from .event_table import EVENT_FIELDS

# Levels of a figure, behind its points.
LEVEL_D, LEVEL_NEAR, LEVEL_FAR, LEVEL_C, LEVEL_STOP, LEVEL_AB_CD, LEVEL_CONFLUENCE = range(7)
LEVELS = 7


@kernel(nogil=True)
def log_figure_kernel(
    log: Float2D,
    count: int,
    row: Float1D,
    price: Float1D,
    anchor: Float1D,
    chosen: Int1D,
    t: int,
    zone_low: float,
    zone_high: float,
    measure: float,
    d: float,
    ideal: float,
) -> None:
    """Write one event to row ``count`` of the log: its points are ``chosen``, newest first.

    Without X where X plays no part. Targets are measured from ``d`` towards A, the stop from ``ideal``.
    """
    own, points = log[count], len(chosen)
    own[0], own[1] = row[TABLE_CODE] - 1.0, 1.0
    own[3], own[4], own[5], own[6] = t, zone_high, zone_low, measure
    for i in range(points):
        position = chosen[points - 1 - i]
        own[EVENT_FIELDS + i] = anchor[position]
        own[EVENT_FIELDS + points + i] = price[position]
    prices = own[EVENT_FIELDS + points : EVENT_FIELDS + 2 * points]
    x, a, b, c = prices[0], prices[1], prices[2], prices[3]
    levels = own[EVENT_FIELDS + 2 * points :]
    levels[LEVEL_D], levels[LEVEL_C], levels[LEVEL_STOP] = ideal, c, stop_kernel(row, a, c, ideal)
    levels[LEVEL_NEAR], levels[LEVEL_FAR] = d + 0.382 * (a - d), d + 0.618 * (a - d)
    levels[LEVEL_AB_CD] = c - (a - b)
    levels[LEVEL_CONFLUENCE] = confluence_kernel(row, x, a, b, c, ideal)
    if row[TABLE_MODE] == MODE_AB:
        own[EVENT_FIELDS], prices[0] = -1.0, np.nan
    own[2] = own[EVENT_FIELDS + 1] if row[TABLE_MODE] == MODE_AB else own[EVENT_FIELDS]
