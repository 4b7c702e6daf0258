"""Highs and lows of periods that are over: days, weeks, sessions, each with the rows of its extremes."""

from dataclasses import dataclass

import numpy as np

from engine import DAY_NS, Bool1D, Float1D, Float2D, Int1D, kernel

from .pivot import long_gaps
from .spec import Columns

MONDAY_NS = 4 * DAY_NS
"""1970-01-05, the first Monday of the epoch."""


@dataclass(frozen=True, slots=True)
class CompletedRanges:
    """Ranges of periods on the row at whose close each is over; NaN elsewhere, float64 ``(T,)``.

    ``high`` and ``low`` in price; ``high_row`` and ``low_row`` of the first bars that reach them;
    ``first_row`` of the period; ``period`` its label.
    """

    high: Float1D
    low: Float1D
    high_row: Float1D
    low_row: Float1D
    first_row: Float1D
    period: Float1D


@kernel(nogil=True)
def _put_kernel(
    out: Float2D, t: int, high: float, low: float, rows: tuple[int, int, int], label: int
) -> None:
    out[0, t], out[1, t] = high, low
    for k in range(3):
        out[2 + k, t] = float(rows[k])
    out[5, t] = float(label)


@kernel(nogil=True)
def _completed_kernel(
    label: Int1D, is_last: Bool1D, high: Float1D, low: Float1D, is_gap: Float1D, resets: Bool1D
) -> Float2D:
    # label: the period that a bar belongs to, -1 for none. A period of which no bar is told to be
    # the last is over with the first bar behind it.
    out = np.full((6, len(label)), np.nan)
    current, first, top, bottom = -1, 0, -1, -1
    for t in range(len(label)):
        if resets[t]:
            current = -1
            continue
        if t > 0 and label[t] != label[t - 1]:
            if current >= 0 and top >= 0:
                _put_kernel(out, t, high[top], low[bottom], (top, bottom, first), current)
            current, first, top, bottom = label[t], t, -1, -1
        if current < 0:
            continue
        if is_gap[t] < 0.5:
            top = t if top < 0 or high[t] > high[top] else top
            bottom = t if bottom < 0 or low[t] < low[bottom] else bottom
        if is_last[t]:
            if top >= 0:
                _put_kernel(out, t, high[top], low[bottom], (top, bottom, first), current)
            current = -1
    return out


def bar_step_ns(open_time: Float1D) -> Float1D:
    """The shortest step between two bars so far, ns ``(T,)``; NaN on row 0, which has none."""
    step: Float1D = np.fmin.accumulate(np.diff(open_time, prepend=np.nan))
    return step


def completed_ranges(columns: Columns, label: Int1D, is_last: Bool1D) -> CompletedRanges:
    """Ranges of the runs of bars with one ``label``, int64 ``(T,)``, -1 for bars of no period.

    ``is_last`` says of a bar that its period ends at its close; a period of which it says so of none is
    over with the first bar behind it. A period counts when the series holds its beginning, a bar of it
    was traded, and no more than three missing bars in a row lie in it. ``columns`` needs high, low and
    is_gap.
    """
    resets = long_gaps(columns["is_gap"], len(label))
    return CompletedRanges(
        *_completed_kernel(
            label, is_last, columns["high"], columns["low"], columns["is_gap"], resets
        )
    )


def period_ranges(columns: Columns, period_ns: int, origin_ns: int = 0) -> CompletedRanges:
    """Ranges of the UTC days, weeks or other periods of ``period_ns`` that begin at ``origin_ns``.

    Known at the close of the period's last bar, whose end is told by its open time and the step of the
    bars before it. Bars that are longer than a period have none. ``columns`` needs open_time, high, low
    and is_gap.
    """
    place = (columns["open_time"] - origin_ns) / period_ns
    step = bar_step_ns(columns["open_time"]) / period_ns
    label = np.floor(place)
    is_last = np.floor(place + step) != label
    fits = (step <= 1) & np.isfinite(label)
    # Row 0 has no step, and a period that begins on row 1 must not be made of it.
    fits[:1] = np.isfinite(label[:1])
    is_last[:1] = False
    return completed_ranges(columns, np.where(fits, label, -1.0).astype(np.int64), is_last)
