"""Sessions by the clock of New York: their ranges, and the Judas swing that raids them.

Clocks are those of ``America/New_York`` through tzdata, so that daylight saving moves every window. A
bar belongs to a window when its open lies in [start, end). On bars of more than an hour, which mix
windows, the indicator gives nothing: events are 0, levels NaN.
"""

from dataclasses import dataclass

import numpy as np

from engine import HOUR_NS, MINUTE_NS, Bool1D, Float1D, Int1D, kernel

from .completed_range import CompletedRanges, bar_step_ns, completed_ranges
from .fair_value_gap import ATR_LENGTH
from .kill_zone import WEEKEND
from .new_york import LocalTime, fits_windows, inside, new_york_time
from .pivot import held_level, long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .structure import STRUCTURE
from .volatility import average_true_range, wilder_stable_rows


@kernel(nogil=True)
def _held_range_kernel(
    high: Float1D, low: Float1D, date: Float1D, resets: Bool1D
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(high)
    top, bottom, owner = np.full(rows, np.nan), np.full(rows, np.nan), np.full(rows, -1.0)
    for t in range(rows):
        if resets[t]:
            continue
        if t > 0:
            top[t], bottom[t], owner[t] = top[t - 1], bottom[t - 1], owner[t - 1]
        if not np.isnan(date[t]):
            top[t], bottom[t], owner[t] = high[t], low[t], date[t]
    return top, bottom, owner


@kernel(nogil=True)
def _judas_kernel(
    prices: tuple[Float1D, Float1D, Float1D, Float1D],
    atr: Float1D,
    top: Float1D,
    bottom: Float1D,
    active: Bool1D,
    day: Int1D,
    shift: Float1D,
    reach_atr: float,
    min_strength: float,
    needs_shift: bool,
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    open_, high, low, close = prices
    rows = len(close)
    event, strength = np.zeros(rows), np.zeros(rows)
    began, extreme, extreme_row = (
        np.full(rows, np.nan),
        np.full(rows, np.nan),
        np.full(rows, np.nan),
    )
    today, midnight_open = -1, np.nan
    over, under, over_row, under_row, over_began, under_began = np.nan, np.nan, -1, -1, -1, -1
    shifted_down, shifted_up, fired_down, fired_up = False, False, False, False
    for t in range(rows):
        if day[t] != today:
            today = day[t]
            midnight_open = open_[t] if t > 0 else np.nan
            over, under = np.nan, np.nan
            shifted_down, shifted_up, fired_down, fired_up = False, False, False, False
        width = top[t] - bottom[t]
        if not (active[t] and width > 0):
            continue
        if np.isnan(over):
            if high[t] >= top[t] + reach_atr * atr[t] and high[t] > midnight_open:
                over, over_row, over_began = high[t], t, t
        elif high[t] > over:
            over, over_row = high[t], t
        if np.isnan(under):
            if low[t] <= bottom[t] - reach_atr * atr[t] and low[t] < midnight_open:
                under, under_row, under_began = low[t], t, t
        elif low[t] < under:
            under, under_row = low[t], t
        shifted_down = shifted_down or (shift[t] < 0 and not np.isnan(over))
        shifted_up = shifted_up or (shift[t] > 0 and not np.isnan(under))
        down, up = (over - close[t]) / width, (close[t] - under) / width
        falls = not fired_down and close[t] < top[t] and down >= min_strength
        rises = not fired_up and close[t] > bottom[t] and up >= min_strength
        falls = falls and (shifted_down or not needs_shift)
        rises = rises and (shifted_up or not needs_shift)
        fired_down, fired_up = fired_down or falls, fired_up or rises
        if falls and not rises:
            event[t], strength[t] = -1.0, down
            began[t], extreme[t], extreme_row[t] = float(over_began), over, float(over_row)
        elif rises and not falls:
            event[t], strength[t] = 1.0, up
            began[t], extreme[t], extreme_row[t] = float(under_began), under, float(under_row)
    return event, strength, began, extreme, extreme_row


@dataclass(frozen=True, slots=True)
class SessionWindow:
    """A range that forms in [start, end) and the [raid_start, raid_end) in which it is raided.

    Minutes of the New York day. A range that begins after ``raid_end`` belongs to the next date.
    """

    start: int
    end: int
    raid_start: int
    raid_end: int


ASIAN_RAID = SessionWindow(20 * 60, 24 * 60, 0, 5 * 60)
LONDON_RAID = SessionWindow(2 * 60, 5 * 60, 8 * 60 + 30, 10 * 60 + 30)


def session_ranges(
    columns: Columns,
    window: SessionWindow,
    *,
    weekend: bool = False,
    local: LocalTime | None = None,
) -> CompletedRanges:
    """The range of each session, on the row at whose close it is over; its ``period`` is its date.

    A session counts when the series holds its beginning, a bar of it was traded and no more than three
    missing bars in a row lie in it; one of a Saturday or Sunday (the date on which an evening ends) only
    with ``weekend``. Bars of more than an hour have no sessions. ``columns`` needs open_time, high, low
    and is_gap; ``local`` is ``new_york_time`` of the opens, where it is at hand.
    """
    local = new_york_time(columns["open_time"]) if local is None else local
    date = local.day + (1 if window.start >= window.raid_end else 0)
    belongs = inside(local.minute, window.start, window.end)
    if not weekend:
        belongs &= (date + 3) % 7 < 5
    step = bar_step_ns(columns["open_time"])
    # Row 0 has no step, and what begins on row 1 must not be made of it.
    belongs[1:] &= step[1:] <= HOUR_NS
    is_last = local.minute + step / MINUTE_NS >= window.end
    return completed_ranges(columns, np.where(belongs, date, -1), is_last)


@dataclass(frozen=True, slots=True)
class JudasSwings:
    """Failed raids of one session's range; float64 ``(T,)``, row *t* known at close *t*.

    ``event``: 1 or -1, 0 without one. ``strength``: of the return, to the range's width, 0 without one.
    ``began``: row on which the raid began; ``extreme`` and ``extreme_row``: the farthest price of the
    raid; NaN without an event. ``high`` and ``low``: the newest range, NaN before the first.
    """

    event: Float1D
    strength: Float1D
    began: Float1D
    extreme: Float1D
    extreme_row: Float1D
    high: Float1D
    low: Float1D


def _shifts(columns: Columns) -> Float1D:
    """Shifts of structure (MSS) at the defaults of the indicator ``structure``."""
    return STRUCTURE.compute(columns, STRUCTURE.resolved({}))[STRUCTURE.output_index("mss")]


def judas_swings(
    columns: Columns,
    window: SessionWindow = ASIAN_RAID,
    *,
    reach_atr: float = 0.1,
    min_strength: float = 0.3,
    weekend: bool = False,
    needs_shift: bool = False,
    local: LocalTime | None = None,
) -> JudasSwings:
    """False breaks of a session's range inside its raid window (SPEC H5.8).

    Bearish (-1): a high above the day's midnight open reaches the range's high + ``reach_atr * ATR``;
    then a close inside the window lies back under the high with strength ``(highest - close) / (high -
    low of the range)`` of ``min_strength`` or more. The close of the raiding bar itself comes after
    its high and counts. With ``needs_shift`` a shift of structure to that side (MSS) must have become
    known between the raid and that close. Known at that close, once a side and day; bullish mirrored;
    both at once are nothing. ``weekend`` lets Saturdays and Sundays count. ``columns`` needs open_time,
    open, high, low, close and is_gap; ``local`` is ``new_york_time`` of the opens, where it is at hand.
    """
    local = new_york_time(columns["open_time"]) if local is None else local
    high, low, close = columns["high"], columns["low"], columns["close"]
    ranges = session_ranges(columns, window, weekend=weekend, local=local)
    resets = long_gaps(columns["is_gap"], len(close))
    top, bottom, date = _held_range_kernel(ranges.high, ranges.low, ranges.period, resets)
    active = inside(local.minute, window.raid_start, window.raid_end) & (date == local.day)
    active &= fits_windows(columns["open_time"])
    found = _judas_kernel(
        (columns["open"], high, low, close),
        average_true_range(high, low, close, ATR_LENGTH),
        top,
        bottom,
        active,
        local.day,
        _shifts(columns) if needs_shift else np.zeros(len(close)),
        reach_atr,
        min_strength,
        needs_shift,
    )
    return JudasSwings(*found, top, bottom)


@shared
def judas_of(columns: Columns, parameters: Parameters) -> tuple[JudasSwings, JudasSwings]:
    """Judas swings of the Asian and of the London range, with the parameters of ``judas_swing``."""
    local = new_york_time(columns["open_time"])
    asian, london = (
        judas_swings(
            columns,
            window,
            reach_atr=parameters["reach_atr"],
            min_strength=parameters["min_strength"],
            weekend=parameters["weekend"] != 0,
            needs_shift=parameters["needs_shift"] != 0,
            local=local,
        )
        for window in (ASIAN_RAID, LONDON_RAID)
    )
    return asian, london


def _judas(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    asian, london = judas_of(columns, parameters)
    # The two windows have no minute in common.
    event = asian.event + london.event
    strength = held_level(np.where(event != 0, asian.strength + london.strength, np.nan))
    return asian.event, london.event, strength, held_level(asian.high), held_level(asian.low)


JUDAS_SWING = Indicator(
    name="judas_swing",
    text="Raids of the Asian range (and of London's, in New York's morning) that close back inside.",
    inputs=("open_time", "open", "high", "low", "close", "is_gap"),
    parameters=(
        Parameter("reach_atr", 0.1, 0.0, 1.0, integer=False),
        Parameter("min_strength", 0.3, 0.1, 1.0, integer=False),
        WEEKEND,
        Parameter("needs_shift", 0, 0, 1),
    ),
    outputs=(
        Output(
            "judas",
            "signal",
            "direction",
            "a raid of the Asian range fails between 00:00 and 05:00",
            firing_rate=(0.003, 0.03),
        ),
        Output(
            "new_york_judas",
            "signal",
            "direction",
            "a raid of the London range fails between 08:30 and 10:30",
            firing_rate=(0.001, 0.02),
        ),
        Output("strength", "level", "ratio", "of the newest one, to the range's width", low=0.0),
        Output("asian_high", "level", "price", "high of the newest Asian range", low=0.0),
        Output("asian_low", "level", "price", "low of the newest Asian range", low=0.0),
    ),
    compute=_judas,
    lookback=lambda parameters: 0,
    # The strength stays until the next raid, which may be weeks away on a quiet series.
    stable=lambda parameters: 720 + 3 * wilder_stable_rows(ATR_LENGTH) // 2,
)

INDICATORS = (JUDAS_SWING,)
