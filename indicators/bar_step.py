"""Hours and days counted in bars."""

import numpy as np

from engine import DAY_NS, HOUR_NS, Float1D, Int1D, kernel

from .spec import Columns, Indicator, Output, Parameters

ROWS_OF_AN_HOUR = 4
"""Bars of an hour at the shortest decision step, 15 minutes."""
ROWS_OF_A_DAY = 24 * ROWS_OF_AN_HOUR


@kernel(nogil=True)
def _day_start_kernel(day: Float1D) -> Int1D:
    first = np.full(len(day), -1)
    start = -1
    for t in range(len(day)):
        if day[t] == np.floor(day[t]) or (t > 0 and np.floor(day[t]) != np.floor(day[t - 1])):
            start = t
        first[t] = start
    return first


def step_of(open_time: Float1D) -> float:
    """Distance of the first two opens in ns; 0 where there are none or they do not follow."""
    if len(open_time) < 2:
        return 0.0
    step = float(open_time[1] - open_time[0])
    return step if step > 0 else 0.0


def rows_of_a_day(open_time: Float1D) -> int:
    """Bars in a day; 0 where a day is not a whole number of them."""
    step = step_of(open_time)
    return int(DAY_NS // step) if step > 0 and DAY_NS % step == 0 else 0


def window_start(open_time: Float1D, hours: int) -> Int1D:
    """First row of the window of the last ``hours`` on each row, ``(T,)``; -1 where it is not full.

    A window has as many bars as fit, at least one. Row 0 has none: how long a bar is, the second
    one tells.
    """
    step, rows = step_of(open_time), len(open_time)
    if step == 0:
        return np.full(rows, -1)
    first: Int1D = np.arange(rows) - max(int(hours * HOUR_NS // step), 1) + 1
    first[first < 0] = -1
    first[0] = -1
    return first


def day_start(open_time: Float1D) -> Int1D:
    """First row of the UTC day of each row, ``(T,)``; -1 before the first midnight of the series."""
    return _day_start_kernel(open_time / DAY_NS)


def _step_hours(columns: Columns, _parameters: Parameters) -> tuple[Float1D, ...]:
    hours = np.full(len(columns["open_time"]), np.nan)
    hours[1:] = np.diff(columns["open_time"]) / HOUR_NS
    return (hours,)


BAR_STEP = Indicator(
    name="bar_step",
    text="How long a bar of this clock is, for what means one thing on hours and another on days.",
    inputs=("open_time",),
    parameters=(),
    outputs=(
        Output("hours", "value", "hours", "from the open before to the open of the bar", low=0.0),
    ),
    compute=_step_hours,
    lookback=lambda _parameters: 1,
    stable=lambda _parameters: 1,
)

INDICATORS = (BAR_STEP,)
