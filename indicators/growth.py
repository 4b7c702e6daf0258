"""Growth over days on clocks with holes: what it is, and which side it takes."""

import numpy as np

from engine import DAY_NS, Float1D

from .time_window import value_before


def growth_percent(event_time: Float1D, values: Float1D, days: float) -> Float1D:
    """Percent over the last value at least ``days`` older, ``(T,)``; NaN while there is none.

    0 where that value is not positive. A missing day lengthens the comparison and never shifts it
    into the future.
    """
    before = value_before(event_time, values, days)
    usable = before > 0
    change = 100.0 * (values / np.where(usable, before, 1.0) - 1.0)
    return np.where(usable, change, before * 0.0)


def growth_side(event_time: Float1D, growth: Float1D, days: float, threshold: float) -> Float1D:
    """1 where ``growth`` is at least ``threshold``, -1 mirrored, 0 where a hole doubled its span."""
    age = event_time - value_before(event_time, event_time, days)
    side = (growth >= threshold).astype(np.float64) - (growth <= -threshold)
    return np.where(age <= 2.0 * days * DAY_NS, side, 0.0)
