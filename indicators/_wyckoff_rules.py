"""The events inside one of Wyckoff's ranges, one rule each, written for accumulation."""

import numpy as np

from engine import Float1D, Float2D, kernel

from . import _wyckoff_record as of
from ._wyckoff_record import EventArrays, record_kernel

_RETURN_BARS = 3
_SPRING_WAIT = 20
_TEST_WINDOW = 25


@kernel(nogil=True)
def is_silent_kernel(own: Float1D) -> bool:
    """Whether a range is a second reading of a box that has not come to phase C."""
    return bool(own[of.IS_SECOND_READING] > 0.0 and own[of.PHASE] < of.PHASE_C)


@kernel(nogil=True)
def _secondary_test_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int, j: int) -> None:
    support, height = own[of.SUPPORT], own[of.RESISTANCE] - own[of.SUPPORT]
    level, volume = bars[of.BAR_LOW, j], bars[of.BAR_VOLUME]
    swing = (volume[j] + volume[j - 1] + volume[j - 2]) / 3.0
    inside = support - 0.5 * bars[of.BAR_ATR, j] <= level <= support + 0.33 * height
    if inside and swing < 0.7 * own[of.CLIMAX_VOLUME] and bars[of.BAR_SPREAD, j] < 1.2:
        if not is_silent_kernel(own):
            record_kernel(own, found, of.SECONDARY_TEST, t, j, level)
        own[of.PHASE] = of.PHASE_B


@kernel(nogil=True)
def _spring_test_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int, j: int) -> None:
    support, height = own[of.SUPPORT], own[of.RESISTANCE] - own[of.SUPPORT]
    level = bars[of.BAR_LOW, j]
    spring_volume = bars[of.BAR_VOLUME, int(own[of.SPRING_LOW_ROW])]
    timely = own[of.SPRING_LOW_ROW] < j <= own[of.SPRING_ROW] + _TEST_WINDOW
    inside = own[of.SPRING_LOW] < level <= support + 0.25 * height
    if timely and inside and bars[of.BAR_VOLUME, j] < 0.75 * spring_volume:
        record_kernel(own, found, of.TEST, t, j, level)


@kernel(nogil=True)
def _support_point_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int, j: int) -> None:
    support, height = own[of.SUPPORT], own[of.RESISTANCE] - own[of.SUPPORT]
    level = bars[of.BAR_LOW, j]
    peak = np.max(bars[of.BAR_HIGH, int(own[of.STRENGTH_ROW]) : j + 1])
    leg = peak - own[of.STRENGTH_LEG_LOW]
    holds = level >= support + 0.5 * height and peak - level <= 0.62 * leg
    if not (holds and bars[of.BAR_VOLUME, j] < 0.7 * own[of.STRENGTH_VOLUME]):
        return
    record_kernel(own, found, of.SUPPORT_POINT, t, j, level)
    if own[of.SUPPORT_POINT_ROW] < 0:
        own[of.SUPPORT_POINT_ROW] = t
    jumped = own[of.JUMP_ROW] >= 0 and own[of.JUMP_ROW] <= j
    if jumped and abs(level - own[of.RESISTANCE]) <= 0.75 * bars[of.BAR_ATR, j]:
        record_kernel(own, found, of.BACKUP, t, j, level)


@kernel(nogil=True)
def pivot_rules_kernel(
    own: Float1D, bars: Float2D, found: EventArrays, t: int, pivot_right: int
) -> None:
    """Secondary test, test of the spring or last point of support: all are pivot lows."""
    j = t - pivot_right
    if np.isnan(bars[of.BAR_PIVOT_LOW, t]) or j <= own[of.RALLY]:
        return
    if own[of.PHASE] <= of.PHASE_B:
        _secondary_test_kernel(own, bars, found, t, j)
    elif own[of.SPRING_ROW] >= 0 and (own[of.PHASE] == of.PHASE_C or j <= own[of.STRENGTH_ROW]):
        _spring_test_kernel(own, bars, found, t, j)
    elif own[of.PHASE] == of.PHASE_D and j > own[of.STRENGTH_ROW]:
        _support_point_kernel(own, bars, found, t, j)


@kernel(nogil=True)
def spring_rule_kernel(
    own: Float1D, bars: Float2D, found: EventArrays, t: int, spring_depth: float
) -> None:
    """A dip under the support that closes above it in time, in phase B, or deeper in phase C."""
    support, height = own[of.SUPPORT], own[of.RESISTANCE] - own[of.SUPPORT]
    low, close = bars[of.BAR_LOW, t], bars[of.BAR_CLOSE, t]
    below = low < support - 0.05 * bars[of.BAR_ATR, t]
    if own[of.DIP_START] == of.NONE and below and t - own[of.CLIMAX] >= _SPRING_WAIT:
        own[of.DIP_START], own[of.DIP_LOW], own[of.DIP_LOW_ROW] = t, low, t
    if own[of.DIP_START] >= 0 and low < own[of.DIP_LOW]:
        own[of.DIP_LOW], own[of.DIP_LOW_ROW] = low, t
    if own[of.DIP_START] >= 0 and t - own[of.DIP_START] > _RETURN_BARS:
        own[of.DIP_START] = of.SPENT
    if own[of.DIP_START] == of.NONE or not close > support:
        return
    if own[of.DIP_START] >= 0:
        row = int(own[of.DIP_LOW_ROW])
        deepest = min(2.0 * bars[of.BAR_ATR, row], spring_depth * height)
        undercuts = own[of.PHASE] == of.PHASE_B or own[of.DIP_LOW] < own[of.SPRING_LOW]
        if undercuts and support - own[of.DIP_LOW] <= deepest:
            record_kernel(own, found, of.SPRING, t, row, own[of.DIP_LOW])
            own[of.PHASE] = of.PHASE_C
            own[of.SPRING_ROW], own[of.SPRING_LOW_ROW] = t, row
            own[of.SPRING_LOW] = own[of.DIP_LOW]
    own[of.DIP_START] = of.NONE


@kernel(nogil=True)
def spring_confirmed_rule_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int) -> None:
    """Three lows above the support after the spring."""
    if own[of.SPRING_ROW] < 0 or t - own[of.SPRING_ROW] != 3:
        return
    for i in range(t - 2, t + 1):
        if not bars[of.BAR_LOW, i] > own[of.SUPPORT]:
            return
    record_kernel(own, found, of.SPRING_CONFIRMED, t, own[of.SPRING_LOW_ROW], own[of.SPRING_LOW])


@kernel(nogil=True)
def failed_break_rules_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int) -> None:
    """Breaks of either edge in phase B that close inside again in time, and are no spring."""
    counts = own[of.PHASE] == of.PHASE_B and not is_silent_kernel(own)
    high, low, close = bars[of.BAR_HIGH], bars[of.BAR_LOW], bars[of.BAR_CLOSE, t]
    if own[of.TOP_START] == of.NONE and high[t] > own[of.RESISTANCE]:
        own[of.TOP_START], own[of.TOP_ROW] = t, t
    if own[of.TOP_START] >= 0:
        if high[t] > high[int(own[of.TOP_ROW])]:
            own[of.TOP_ROW] = t
        if close < own[of.RESISTANCE]:
            if counts and t - own[of.TOP_START] <= _RETURN_BARS:
                row = int(own[of.TOP_ROW])
                record_kernel(own, found, of.UPTHRUST, t, row, high[row])
            own[of.TOP_START] = of.NONE
    if own[of.BOTTOM_START] == of.NONE and low[t] < own[of.SUPPORT]:
        own[of.BOTTOM_START], own[of.BOTTOM_ROW] = t, t
    if own[of.BOTTOM_START] >= 0:
        if low[t] < low[int(own[of.BOTTOM_ROW])]:
            own[of.BOTTOM_ROW] = t
        if close > own[of.SUPPORT]:
            if counts and t - own[of.BOTTOM_START] <= _RETURN_BARS:
                row = int(own[of.BOTTOM_ROW])
                record_kernel(own, found, of.UNDERCUT, t, row, low[row])
            own[of.BOTTOM_START] = of.NONE


@kernel(nogil=True)
def strength_rule_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int) -> None:
    """The first strong close in the upper quarter of the range, and the first above it."""
    close = bars[of.BAR_CLOSE, t]
    high_enough = close > own[of.SUPPORT] + 0.75 * (own[of.RESISTANCE] - own[of.SUPPORT])
    if not high_enough or bars[of.BAR_STRONG, t] == 0.0:
        return
    jumps = close > own[of.RESISTANCE] and own[of.JUMP_ROW] < 0
    if own[of.PHASE] != of.PHASE_D:
        own[of.PHASE] = of.PHASE_D
        own[of.STRENGTH_ROW], own[of.STRENGTH_VOLUME] = t, bars[of.BAR_VOLUME, t]
        leg_low = bars[of.BAR_LEG_LOW, t]
        own[of.STRENGTH_LEG_LOW] = own[of.SUPPORT] if np.isnan(leg_low) else leg_low
        record_kernel(own, found, of.STRENGTH, t, t, close)
    elif jumps:
        record_kernel(own, found, of.STRENGTH, t, t, close)
    if jumps:
        own[of.JUMP_ROW] = t
        record_kernel(own, found, of.JUMP, t, t, own[of.RESISTANCE])


@kernel(nogil=True)
def markup_rule_kernel(own: Float1D, bars: Float2D, found: EventArrays, t: int) -> None:
    """Three closes above the range since a last point of support was known, or one far above it."""
    close, resistance = bars[of.BAR_CLOSE, t], own[of.RESISTANCE]
    if own[of.SUPPORT_POINT_ROW] >= 0 and close > resistance:
        own[of.CLOSES_ABOVE] += 1
    far = close > resistance + 0.5 * (resistance - own[of.SUPPORT])
    if far or own[of.CLOSES_ABOVE] >= 3:
        own[of.PHASE] = of.PHASE_E
        record_kernel(own, found, of.MARKUP, t, t, resistance)
