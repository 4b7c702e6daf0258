"""One side of Wyckoff's method as a compiled loop: the lives of its trading ranges.

Everything is written for accumulation; distribution runs the same code on negated prices. Each
trading range lives on its own and forgets nothing but itself: it is born from the bars around its
climax and dies at the latest ``max_range_bars`` after it, so no row depends on anything older.
"""

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, kernel

from . import _point_and_figure as chart_kernels
from . import _wyckoff_record as of
from . import _wyckoff_rules as rules
from ._wyckoff_record import EventArrays, record_kernel

# Rows of the leading range, (len, T); the second readings stand below the first.
(
    LEADING_PHASE,
    LEADING_SUPPORT,
    LEADING_RESISTANCE,
    LEADING_CLIMAX,
    LEADING_TARGET,
) = range(5)
LEADING_ROWS = 5

# Columns of the log of ranges.
(
    LOG_IS_SECOND_READING,
    LOG_CLIMAX,
    LOG_RALLY,
    LOG_KNOWN,
    LOG_SUPPORT,
    LOG_RESISTANCE,
    LOG_ATR,
    LOG_TARGET,
) = range(8)
LOG_FIELDS = 8


@kernel(nogil=True)
def _begin_kernel(
    own: Float1D, bars: Float2D, climax: int, rally: int, t: int, is_second_reading: bool
) -> None:
    """A range between the extremes of its climax and its rally, known on row *t*.

    In a second reading the climax made the resistance, and the reaction to it the support.
    """
    own[:] = of.NONE
    own[of.CLIMAX], own[of.RALLY] = climax, rally
    top, bottom = (climax, rally) if is_second_reading else (rally, climax)
    own[of.SUPPORT], own[of.RESISTANCE] = bars[of.BAR_LOW, bottom], bars[of.BAR_HIGH, top]
    own[of.CLIMAX_VOLUME] = bars[of.BAR_VOLUME, climax]
    own[of.SPRING_LOW] = own[of.SUPPORT]
    own[of.PHASE] = of.PHASE_A
    own[of.CLOSES_ABOVE] = 0.0
    own[of.IS_SECOND_READING] = 1.0 if is_second_reading else 0.0
    chart, support = own[of.CHART :], own[of.SUPPORT]
    chart_kernels.begin_chart_kernel(
        chart,
        0.5 * bars[of.BAR_ATR, rally],
        bars[of.BAR_CLOSE, climax] - support,
        is_second_reading,
    )
    for row in range(climax + 1, t + 1):
        chart_kernels.advance_chart_kernel(chart, bars[of.BAR_CLOSE, row] - support)


@kernel(nogil=True)
def _advance_kernel(
    own: Float1D,
    bars: Float2D,
    found: EventArrays,
    t: int,
    max_range_bars: int,
    pivot_right: int,
    spring_depth: float,
) -> float:
    """Carry one range over row *t*; the state in which it ends there, -1 when it lives on."""
    if t - own[of.CLIMAX] > max_range_bars:
        return of.STATE_ENDED
    close = bars[of.BAR_CLOSE, t]
    if own[of.PHASE] < of.PHASE_E:
        chart_kernels.advance_chart_kernel(own[of.CHART :], close - own[of.SUPPORT])
    if close < own[of.SPRING_LOW] - bars[of.BAR_ATR, t]:
        if not rules.is_silent_kernel(own):
            record_kernel(own, found, of.FAILURE, t, t, own[of.SPRING_LOW])
            if bars[of.BAR_RELATIVE_VOLUME, t] >= 1.5:
                record_kernel(own, found, of.FAILURE_ON_VOLUME, t, t, close)
        return of.STATE_FAILED
    if own[of.PHASE] == of.PHASE_E:
        return of.STATE_ENDED if close < 0.5 * (own[of.SUPPORT] + own[of.RESISTANCE]) else of.NONE
    rules.pivot_rules_kernel(own, bars, found, t, pivot_right)
    if own[of.PHASE] == of.PHASE_B or own[of.PHASE] == of.PHASE_C:
        rules.spring_rule_kernel(own, bars, found, t, spring_depth)
    rules.spring_confirmed_rule_kernel(own, bars, found, t)
    rules.failed_break_rules_kernel(own, bars, found, t)
    if own[of.PHASE] >= of.PHASE_B:
        rules.strength_rule_kernel(own, bars, found, t)
    if own[of.PHASE] == of.PHASE_D:
        rules.markup_rule_kernel(own, bars, found, t)
    elif close > own[of.RESISTANCE] + 0.5 * (own[of.RESISTANCE] - own[of.SUPPORT]):
        return of.STATE_ENDED
    return of.NONE


@kernel(nogil=True)
def _log_kernel(
    own: Float1D,
    bars: Float2D,
    t: int,
    state: float,
    counts: Int1D,
    ranges: Float2D,
    changes: Float2D,
) -> None:
    """Write that a range enters ``state`` on row *t*, and the range itself when it is the first."""
    if own[of.LOGGED_AS] < 0:
        own[of.LOGGED_AS] = counts[0]
        entry = ranges[counts[0]]
        entry[LOG_IS_SECOND_READING] = own[of.IS_SECOND_READING]
        entry[LOG_CLIMAX], entry[LOG_RALLY], entry[LOG_KNOWN] = own[of.CLIMAX], own[of.RALLY], t
        entry[LOG_SUPPORT], entry[LOG_RESISTANCE] = own[of.SUPPORT], own[of.RESISTANCE]
        entry[LOG_ATR], entry[LOG_TARGET] = (
            bars[of.BAR_ATR, int(own[of.RALLY])],
            of.target_kernel(own),
        )
        counts[0] += 1
    change = changes[counts[1]]
    change[0], change[1], change[2] = own[of.LOGGED_AS], state, t
    counts[1] += 1


@kernel(nogil=True)
def _write_leading_kernel(alive: Float2D, count: int, leading: Float2D, t: int) -> None:
    """The oldest range still at work; when all are in phase E, the newest of them.

    Second readings that are silent do not lead.
    """
    for reading in range(2):
        first, is_at_work = -1, False
        for i in range(count):
            own = alive[i]
            if own[of.IS_SECOND_READING] != reading or rules.is_silent_kernel(own):
                continue
            if own[of.PHASE] < of.PHASE_E:
                if not is_at_work:
                    first, is_at_work = i, True
            elif not is_at_work:
                first = i
        if first < 0:
            continue
        own, rows = alive[first], leading[reading * LEADING_ROWS : (reading + 1) * LEADING_ROWS]
        rows[LEADING_PHASE, t] = own[of.PHASE]
        rows[LEADING_SUPPORT, t], rows[LEADING_RESISTANCE, t] = own[of.SUPPORT], own[of.RESISTANCE]
        rows[LEADING_CLIMAX, t] = own[of.CLIMAX]
        rows[LEADING_TARGET, t] = of.target_kernel(own)


@kernel(nogil=True)
def life_kernel(
    bars: Float2D,
    births: Int1D,
    second_births: Int1D,
    rally_right: int,
    resets: Bool1D,
    max_range_bars: int,
    pivot_right: int,
    spring_depth: float,
) -> tuple[EventArrays, Float2D, Float2D, Float2D]:
    """Events of all ranges, the leading ranges, the log of ranges and that of their states.

    ``births`` and ``second_births`` hold the row of the climax on the row where a range is known to
    exist, -1 elsewhere: a first reading of a climax of this side, and a second one of a range of the
    other side. Either lie more than ``rally_right`` rows apart, which bounds how many ranges live at
    once. The leading ranges are ``(2 * LEADING_ROWS, T)``, NaN (phase 0) where there is none.
    """
    rows = bars.shape[1]
    found = (
        np.zeros((of.EVENT_ROWS, rows)),
        np.empty((of.EVENT_ROWS, rows)),
        np.empty((of.EVENT_ROWS, rows)),
        np.empty((of.EVENT_ROWS, rows)),
        np.empty((of.EVENT_ROWS, rows)),
        np.empty((of.EVENT_ROWS, rows)),
    )
    leading = np.full((2 * LEADING_ROWS, rows), np.nan)
    leading[LEADING_PHASE], leading[LEADING_ROWS + LEADING_PHASE] = 0.0, 0.0
    capacity = np.count_nonzero(births >= 0) + np.count_nonzero(second_births >= 0)
    ranges, changes = np.empty((capacity, LOG_FIELDS)), np.empty((of.STATES * capacity, 3))
    counts = np.zeros(2, dtype=np.int64)
    alive = np.empty((2 * (max_range_bars // (rally_right + 1) + 2), of.FIELDS))
    count = 0
    for t in range(rows):
        if resets[t]:
            for i in range(count):
                if alive[i, of.LOGGED_AS] >= 0:
                    _log_kernel(alive[i], bars, t, of.STATE_ENDED, counts, ranges, changes)
            count = 0
            continue
        kept = 0
        for i in range(count):
            own = alive[i]
            phase = own[of.PHASE]
            ended = _advance_kernel(own, bars, found, t, max_range_bars, pivot_right, spring_depth)
            if not rules.is_silent_kernel(own):
                if own[of.PHASE] != phase:
                    _log_kernel(own, bars, t, own[of.PHASE] - 1.0, counts, ranges, changes)
                if ended >= 0:
                    _log_kernel(own, bars, t, ended, counts, ranges, changes)
            if ended < 0:
                if kept != i:
                    alive[kept] = own
                kept += 1
        count = kept
        if births[t] >= 0:
            own = alive[count]
            _begin_kernel(own, bars, births[t], t - rally_right, t, False)
            record_kernel(own, found, of.RANGE_START, t, t - rally_right, own[of.RESISTANCE])
            _log_kernel(own, bars, t, 0.0, counts, ranges, changes)
            count += 1
        if second_births[t] >= 0:
            _begin_kernel(alive[count], bars, second_births[t], t - rally_right, t, True)
            count += 1
        _write_leading_kernel(alive, count, leading, t)
    return found, leading, ranges[: counts[0]], changes[: counts[1]]
