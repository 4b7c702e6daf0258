"""One side of Wyckoff's method as compiled loops: the climax, the birth of a range, its life.

Everything is written for accumulation; distribution runs the same code on negated prices. Each
trading range lives on its own and forgets nothing but itself: it is born from the bars around its
climax and dies at the latest ``max_range_bars`` after it, so no row depends on anything older.
"""

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, kernel

# Rows of the packed bars, (len, T).
(
    BAR_HIGH,
    BAR_LOW,
    BAR_CLOSE,
    BAR_VOLUME,
    BAR_ATR,
    BAR_RELATIVE_VOLUME,
    BAR_SPREAD,
    BAR_CLOSE_LOCATION,
    BAR_LEG_LOW,
    BAR_PIVOT_LOW,
) = range(10)
BAR_ROWS = 10

# Rows of the events, (len, T).
(
    RANGE_START,
    SECONDARY_TEST,
    UPTHRUST,
    SPRING,
    SPRING_CONFIRMED,
    TEST,
    STRENGTH,
    JUMP,
    SUPPORT_POINT,
    BACKUP,
    MARKUP,
    FAILURE,
    FAILURE_ON_VOLUME,
    SPRING_TYPE,
) = range(14)
EVENT_ROWS = 14

# Rows of the leading range, (len, T).
LEADING_PHASE, LEADING_SUPPORT, LEADING_RESISTANCE, LEADING_CLIMAX = range(4)
LEADING_ROWS = 4

PHASE_A, PHASE_B, PHASE_C, PHASE_D, PHASE_E = 1.0, 2.0, 3.0, 4.0, 5.0

# Fields of one range.
(
    _CLIMAX,
    _RALLY,
    _SUPPORT,
    _RESISTANCE,
    _CLIMAX_VOLUME,
    _PHASE,
    _DIP_START,
    _DIP_LOW,
    _DIP_LOW_ROW,
    _SPRING_ROW,
    _SPRING_LOW,
    _SPRING_LOW_ROW,
    _TOP_START,
    _STRENGTH_ROW,
    _STRENGTH_VOLUME,
    _STRENGTH_LEG_LOW,
    _JUMP_ROW,
    _SUPPORT_POINT_ROW,
    _CLOSES_ABOVE,
) = range(19)
_FIELDS = 19

_NONE, _SPENT = -1.0, -2.0
_PRELIMINARY_WINDOW = 40
_RALLY_WINDOW = 30
_RETURN_BARS = 3
_SPRING_WAIT = 20
_TEST_WINDOW = 25


@kernel(nogil=True)
def preliminary_kernel(candidate: Bool1D, climax: Bool1D) -> Float1D:
    """1 on a climax row that has a preliminary candidate in the 40 rows before it, ``(T,)``."""
    out = np.zeros(len(climax))
    newest = -1
    for t in range(len(climax)):
        if climax[t] and newest >= 0 and t - newest <= _PRELIMINARY_WINDOW:
            out[t] = 1.0
        if candidate[t]:
            newest = t
    return out


@kernel(nogil=True)
def birth_kernel(
    climax: Bool1D,
    low: Float1D,
    atr: Float1D,
    leg_high: Float1D,
    rally_high: Float1D,
    rally_right: int,
    resets: Bool1D,
) -> Int1D:
    """Row of the climax that an automatic rally confirms on row *t*, -1 elsewhere, int64 ``(T,)``.

    ``rally_high`` holds pivot highs on the row ``rally_right`` after them. The climax must be the
    lowest row since it happened, and each starts one range only.
    """
    rows = len(low)
    out = np.full(rows, -1)
    candidate, last_born = -1, -1
    for t in range(rows):
        if resets[t]:
            candidate = -1
        elif climax[t]:
            candidate = t
        elif candidate >= 0 and not low[t] >= low[candidate]:
            candidate = -1
        if candidate < 0 or candidate == last_born or np.isnan(rally_high[t]):
            continue
        top = t - rally_right
        if not candidate < top <= candidate + _RALLY_WINDOW:
            continue
        rally = rally_high[t] - low[candidate]
        leg = leg_high[candidate] - low[candidate]
        if leg > 0 and rally >= 3.0 * atr[top] and rally >= 0.382 * leg:
            out[t] = candidate
            last_born = candidate
    return out


@kernel(nogil=True)
def _begin_kernel(own: Float1D, bars: Float2D, climax: int, rally: int, resistance: float) -> None:
    own[:] = _NONE
    own[_CLIMAX], own[_RALLY] = climax, rally
    own[_SUPPORT], own[_RESISTANCE] = bars[BAR_LOW, climax], resistance
    own[_CLIMAX_VOLUME] = bars[BAR_VOLUME, climax]
    own[_SPRING_LOW] = bars[BAR_LOW, climax]
    own[_PHASE] = PHASE_A
    own[_CLOSES_ABOVE] = 0.0


@kernel(nogil=True)
def _pivot_event_kernel(
    own: Float1D, bars: Float2D, events: Float2D, t: int, pivot_right: int
) -> None:
    """Secondary test, test of the spring or last point of support: all are pivot lows."""
    j = t - pivot_right
    level = bars[BAR_PIVOT_LOW, t]
    if np.isnan(level) or j <= own[_RALLY]:
        return
    support, height = own[_SUPPORT], own[_RESISTANCE] - own[_SUPPORT]
    atr, volume = bars[BAR_ATR, j], bars[BAR_VOLUME, j]
    if own[_PHASE] <= PHASE_B:
        swing = (volume + bars[BAR_VOLUME, j - 1] + bars[BAR_VOLUME, j - 2]) / 3.0
        inside = support - 0.5 * atr <= level <= support + 0.33 * height
        if inside and swing < 0.7 * own[_CLIMAX_VOLUME] and bars[BAR_SPREAD, j] < 1.2:
            events[SECONDARY_TEST, t] = 1.0
            own[_PHASE] = PHASE_B
    elif own[_SPRING_ROW] >= 0 and (own[_PHASE] == PHASE_C or j <= own[_STRENGTH_ROW]):
        spring_volume = bars[BAR_VOLUME, int(own[_SPRING_LOW_ROW])]
        timely = own[_SPRING_LOW_ROW] < j <= own[_SPRING_ROW] + _TEST_WINDOW
        inside = own[_SPRING_LOW] < level <= support + 0.25 * height
        if timely and inside and volume < 0.75 * spring_volume:
            events[TEST, t] = 1.0
    elif own[_PHASE] == PHASE_D and j > own[_STRENGTH_ROW]:
        peak = np.max(bars[BAR_HIGH, int(own[_STRENGTH_ROW]) : j + 1])
        leg = peak - own[_STRENGTH_LEG_LOW]
        holds = level >= support + 0.5 * height and peak - level <= 0.62 * leg
        if holds and volume < 0.7 * own[_STRENGTH_VOLUME]:
            events[SUPPORT_POINT, t] = 1.0
            if own[_SUPPORT_POINT_ROW] < 0:
                own[_SUPPORT_POINT_ROW] = t
            jumped = own[_JUMP_ROW] >= 0 and own[_JUMP_ROW] <= j
            if jumped and abs(level - own[_RESISTANCE]) <= 0.75 * atr:
                events[BACKUP, t] = 1.0


@kernel(nogil=True)
def _spring_type_kernel(relative_volume: float) -> float:
    if relative_volume > 1.5:
        return 1.0
    return 2.0 if relative_volume >= 0.8 else 3.0


@kernel(nogil=True)
def _spring_event_kernel(
    own: Float1D, bars: Float2D, events: Float2D, t: int, spring_depth: float
) -> None:
    support, height = own[_SUPPORT], own[_RESISTANCE] - own[_SUPPORT]
    low, close = bars[BAR_LOW, t], bars[BAR_CLOSE, t]
    below = low < support - 0.05 * bars[BAR_ATR, t]
    if own[_DIP_START] == _NONE and below and t - own[_CLIMAX] >= _SPRING_WAIT:
        own[_DIP_START], own[_DIP_LOW], own[_DIP_LOW_ROW] = t, low, t
    if own[_DIP_START] >= 0 and low < own[_DIP_LOW]:
        own[_DIP_LOW], own[_DIP_LOW_ROW] = low, t
    if own[_DIP_START] >= 0 and t - own[_DIP_START] > _RETURN_BARS:
        own[_DIP_START] = _SPENT
    if own[_DIP_START] == _NONE or not close > support:
        return
    if own[_DIP_START] >= 0:
        row = int(own[_DIP_LOW_ROW])
        deepest = min(2.0 * bars[BAR_ATR, row], spring_depth * height)
        undercuts = own[_PHASE] == PHASE_B or own[_DIP_LOW] < own[_SPRING_LOW]
        if undercuts and support - own[_DIP_LOW] <= deepest:
            events[SPRING, t] = 1.0
            events[SPRING_TYPE, t] = _spring_type_kernel(bars[BAR_RELATIVE_VOLUME, row])
            own[_PHASE] = PHASE_C
            own[_SPRING_ROW], own[_SPRING_LOW_ROW] = t, row
            own[_SPRING_LOW] = own[_DIP_LOW]
    own[_DIP_START] = _NONE


@kernel(nogil=True)
def _spring_confirmed_kernel(own: Float1D, bars: Float2D, events: Float2D, t: int) -> None:
    if own[_SPRING_ROW] < 0 or t - own[_SPRING_ROW] != 3:
        return
    for i in range(t - 2, t + 1):
        if not bars[BAR_LOW, i] > own[_SUPPORT]:
            return
    events[SPRING_CONFIRMED, t] = 1.0


@kernel(nogil=True)
def _upthrust_event_kernel(own: Float1D, bars: Float2D, events: Float2D, t: int) -> None:
    if own[_TOP_START] == _NONE and bars[BAR_HIGH, t] > own[_RESISTANCE]:
        own[_TOP_START] = t
    if own[_TOP_START] >= 0 and bars[BAR_CLOSE, t] < own[_RESISTANCE]:
        if t - own[_TOP_START] <= _RETURN_BARS and own[_PHASE] == PHASE_B:
            events[UPTHRUST, t] = 1.0
        own[_TOP_START] = _NONE


@kernel(nogil=True)
def _strength_event_kernel(own: Float1D, bars: Float2D, events: Float2D, t: int) -> None:
    close = bars[BAR_CLOSE, t]
    strong = (
        close > own[_SUPPORT] + 0.75 * (own[_RESISTANCE] - own[_SUPPORT])
        and bars[BAR_SPREAD, t] >= 1.2
        and bars[BAR_RELATIVE_VOLUME, t] >= 1.2
        and bars[BAR_CLOSE_LOCATION, t] >= 0.6
    )
    if not strong:
        return
    jumps = close > own[_RESISTANCE] and own[_JUMP_ROW] < 0
    if own[_PHASE] != PHASE_D:
        own[_PHASE] = PHASE_D
        own[_STRENGTH_ROW], own[_STRENGTH_VOLUME] = t, bars[BAR_VOLUME, t]
        leg_low = bars[BAR_LEG_LOW, t]
        own[_STRENGTH_LEG_LOW] = own[_SUPPORT] if np.isnan(leg_low) else leg_low
        events[STRENGTH, t] = 1.0
    elif jumps:
        events[STRENGTH, t] = 1.0
    if jumps:
        own[_JUMP_ROW] = t
        events[JUMP, t] = 1.0


@kernel(nogil=True)
def _markup_event_kernel(own: Float1D, bars: Float2D, events: Float2D, t: int) -> None:
    close, resistance = bars[BAR_CLOSE, t], own[_RESISTANCE]
    if own[_SUPPORT_POINT_ROW] >= 0 and close > resistance:
        own[_CLOSES_ABOVE] += 1
    far = close > resistance + 0.5 * (resistance - own[_SUPPORT])
    if far or own[_CLOSES_ABOVE] >= 3:
        own[_PHASE] = PHASE_E
        events[MARKUP, t] = 1.0


@kernel(nogil=True)
def _advance_kernel(
    own: Float1D,
    bars: Float2D,
    events: Float2D,
    t: int,
    max_range_bars: int,
    pivot_right: int,
    spring_depth: float,
) -> bool:
    """Carry one range over row *t*; whether it lives on."""
    if t - own[_CLIMAX] > max_range_bars:
        return False
    close = bars[BAR_CLOSE, t]
    if close < own[_SPRING_LOW] - bars[BAR_ATR, t]:
        events[FAILURE, t] = 1.0
        if bars[BAR_RELATIVE_VOLUME, t] >= 1.5:
            events[FAILURE_ON_VOLUME, t] = 1.0
        return False
    if own[_PHASE] == PHASE_E:
        return not close < 0.5 * (own[_SUPPORT] + own[_RESISTANCE])
    _pivot_event_kernel(own, bars, events, t, pivot_right)
    if own[_PHASE] == PHASE_B or own[_PHASE] == PHASE_C:
        _spring_event_kernel(own, bars, events, t, spring_depth)
    _spring_confirmed_kernel(own, bars, events, t)
    _upthrust_event_kernel(own, bars, events, t)
    if own[_PHASE] >= PHASE_B:
        _strength_event_kernel(own, bars, events, t)
    if own[_PHASE] == PHASE_D:
        _markup_event_kernel(own, bars, events, t)
    return True


@kernel(nogil=True)
def _write_leading_kernel(ranges: Float2D, alive: int, leading: Float2D, t: int) -> None:
    """The oldest range still at work; when all are in phase E, the newest of them."""
    if alive == 0:
        return
    first = alive - 1
    for i in range(alive):
        if ranges[i, _PHASE] < PHASE_E:
            first = i
            break
    leading[LEADING_PHASE, t] = ranges[first, _PHASE]
    leading[LEADING_SUPPORT, t] = ranges[first, _SUPPORT]
    leading[LEADING_RESISTANCE, t] = ranges[first, _RESISTANCE]
    leading[LEADING_CLIMAX, t] = ranges[first, _CLIMAX]


@kernel(nogil=True)
def life_kernel(
    bars: Float2D,
    births: Int1D,
    rally_high: Float1D,
    rally_right: int,
    resets: Bool1D,
    max_range_bars: int,
    pivot_right: int,
    spring_depth: float,
) -> tuple[Float2D, Float2D]:
    """Events ``(EVENT_ROWS, T)`` of all ranges and the leading range ``(LEADING_ROWS, T)``.

    Births lie more than ``rally_right`` rows apart, which bounds how many ranges live at once.
    """
    rows = bars.shape[1]
    events = np.zeros((EVENT_ROWS, rows))
    leading = np.full((LEADING_ROWS, rows), np.nan)
    leading[LEADING_PHASE] = 0.0
    ranges = np.empty((max_range_bars // (rally_right + 1) + 2, _FIELDS))
    alive = 0
    for t in range(rows):
        if resets[t]:
            alive = 0
            continue
        kept = 0
        for i in range(alive):
            lives = _advance_kernel(
                ranges[i], bars, events, t, max_range_bars, pivot_right, spring_depth
            )
            if lives:
                if kept != i:
                    ranges[kept] = ranges[i]
                kept += 1
        alive = kept
        if births[t] >= 0:
            _begin_kernel(ranges[alive], bars, births[t], t - rally_right, rally_high[t])
            events[RANGE_START, t] = 1.0
            alive += 1
        _write_leading_kernel(ranges, alive, leading, t)
    return events, leading
