"""New York time: kill zones, session ranges and the Judas swing that raids them.

Clocks are those of ``America/New_York`` through tzdata, so that daylight saving moves every window. A
bar belongs to a window when its open lies in [start, end). On bars of more than an hour, which mix
windows, the indicators give nothing: states and events are 0, levels NaN.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from engine import HOUR_NS, Bool1D, Float1D, Int1D, kernel

from .fair_value_gap import ATR_LENGTH
from .pivot import held_level, long_gaps
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

NEW_YORK = ZoneInfo("America/New_York")
MINUTES_PER_DAY = 1440
_HOUR_S, _DAY_S = 3600, 86400
_LATEST_S = 4_000_000_000

NO_ZONE, ASIAN, LONDON, NEW_YORK_AM, LONDON_CLOSE = range(5)
"""Codes of ``kill_zone.zone``."""

KILL_ZONES = (
    (ASIAN, 20 * 60, 24 * 60),
    (LONDON, 2 * 60, 5 * 60),
    (NEW_YORK_AM, 7 * 60, 10 * 60),
    (LONDON_CLOSE, 10 * 60, 12 * 60),
)
"""(code, first minute, last minute + 1) of the New York day; the ICT-common table of SPEC H5.8."""

SILVER_BULLETS = ((3 * 60, 4 * 60), (10 * 60, 11 * 60), (14 * 60, 15 * 60))


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The New York clock of each bar's open; every array ``(T,)`` int64.

    ``minute`` of the day 0 to 1439, ``day`` counted from 1970-01-01 (a Thursday), ``weekday`` 0 for
    Monday to 6 for Sunday.
    """

    minute: Int1D
    day: Int1D
    weekday: Int1D


def _offset_s(second: int) -> int:
    offset = datetime.fromtimestamp(second, NEW_YORK).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _offsets_s(seconds: Int1D) -> Int1D:
    # Clocks change once a day at most and on a whole hour, so a day whose two ends agree needs one
    # look-up and the others one for each hour.
    hours, inverse = np.unique(seconds // _HOUR_S, return_inverse=True)
    days, day_of = np.unique(hours // 24, return_inverse=True)
    starts = {int(day): _offset_s(int(day) * _DAY_S) for day in {*days, *(days + 1)}}
    by_day = np.array([starts[int(day)] for day in days], dtype=np.int64)
    changing = np.array([starts[int(day)] != starts[int(day) + 1] for day in days], dtype=np.bool_)
    by_hour = by_day[day_of]
    for position in np.flatnonzero(changing[day_of]):
        by_hour[position] = _offset_s(int(hours[position]) * _HOUR_S)
    offsets: Int1D = by_hour[inverse]
    return offsets


def new_york_time(open_time: Float1D) -> LocalTime:
    """New York minute of day, day and weekday of ``open_time`` (ns UTC as float64, ``(T,)``).

    A time that is not finite, before 1970 or after 2096 is read as 1970-01-01 00:00 UTC.
    """
    valid = (open_time >= 0) & (open_time <= _LATEST_S * 1e9)
    seconds = np.where(valid, open_time, 0.0).astype(np.int64) // 1_000_000_000
    local = seconds + _offsets_s(seconds)
    day = local // _DAY_S
    return LocalTime(minute=local % _DAY_S // 60, day=day, weekday=(day + 3) % 7)


def _inside(minute: Int1D, start: int, end: int) -> Bool1D:
    inside: Bool1D = (minute >= start) & (minute < end)
    return inside


def _is_weekend(local: LocalTime, evening_from: int = 20 * 60) -> Bool1D:
    # The Asian evening belongs to the date on which it ends: Sunday's is Monday's.
    weekday = (local.weekday + (local.minute >= evening_from)) % 7
    weekend: Bool1D = weekday >= 5
    return weekend


def _fits_windows(open_time: Float1D) -> Bool1D:
    """Whether a bar opens an hour or less after the one before; False on row 0, which has none."""
    fits: Bool1D = np.diff(open_time, prepend=np.nan) <= HOUR_NS
    return fits


@kernel(nogil=True)
def _session_range_kernel(
    session: Int1D, high: Float1D, low: Float1D, is_gap: Float1D, resets: Bool1D
) -> tuple[Float1D, Float1D, Float1D]:
    # session: number of the session that a bar belongs to, -1 outside. A range counts once its
    # session is over, if the series saw its beginning and traded in it.
    rows = len(session)
    top, bottom, owner = np.full(rows, np.nan), np.full(rows, np.nan), np.full(rows, -1.0)
    done_top, done_bottom, done = np.nan, np.nan, -1
    run_top, run_bottom, current, traded = np.nan, np.nan, -1, False
    for t in range(rows):
        if resets[t]:
            done_top, done_bottom, done, current = np.nan, np.nan, -1, -1
            continue
        if session[t] != current:
            if current >= 0 and traded:
                done_top, done_bottom, done = run_top, run_bottom, current
            current = session[t] if t > 0 and session[t - 1] != session[t] else -1
            run_top, run_bottom, traded = -np.inf, np.inf, False
        if current >= 0 and is_gap[t] < 0.5:
            run_top, run_bottom = max(run_top, high[t]), min(run_bottom, low[t])
            traded = True
        top[t], bottom[t], owner[t] = done_top, done_bottom, float(done)
    return top, bottom, owner


@kernel(nogil=True)
def _judas_kernel(
    prices: tuple[Float1D, Float1D, Float1D, Float1D],
    atr: Float1D,
    top: Float1D,
    bottom: Float1D,
    active: Bool1D,
    day: Int1D,
    reach_atr: float,
    min_strength: float,
) -> tuple[Float1D, Float1D]:
    open_, high, low, close = prices
    rows = len(close)
    event, strength = np.zeros(rows), np.zeros(rows)
    today, midnight_open = -1, np.nan
    raid_top, raid_bottom, fired_down, fired_up = np.nan, np.nan, False, False
    for t in range(rows):
        if day[t] != today:
            today = day[t]
            midnight_open = open_[t] if t > 0 else np.nan
            raid_top, raid_bottom, fired_down, fired_up = np.nan, np.nan, False, False
        width = top[t] - bottom[t]
        if not (active[t] and width > 0):
            continue
        if np.isnan(raid_top):
            if high[t] >= top[t] + reach_atr * atr[t] and high[t] > midnight_open:
                raid_top = high[t]
        else:
            raid_top = max(raid_top, high[t])
        if np.isnan(raid_bottom):
            if low[t] <= bottom[t] - reach_atr * atr[t] and low[t] < midnight_open:
                raid_bottom = low[t]
        else:
            raid_bottom = min(raid_bottom, low[t])
        down = (raid_top - close[t]) / width
        up = (close[t] - raid_bottom) / width
        falls = not fired_down and close[t] < top[t] and down >= min_strength
        rises = not fired_up and close[t] > bottom[t] and up >= min_strength
        fired_down, fired_up = fired_down or falls, fired_up or rises
        if falls != rises:
            event[t], strength[t] = (-1.0, down) if falls else (1.0, up)
    return event, strength


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


def session_range(
    columns: Columns, local: LocalTime, window: SessionWindow
) -> tuple[Float1D, Float1D, Float1D]:
    """High and low of the newest completed session, and the date it belongs to; each ``(T,)``.

    Known from the first bar behind the session on; NaN and -1 before. A session counts when the
    series holds its beginning and at least one bar of it was traded. ``columns`` needs high, low and
    is_gap.
    """
    owner = local.day + (1 if window.start >= window.raid_end else 0)
    session = np.where(_inside(local.minute, window.start, window.end), owner, -1)
    resets = long_gaps(columns["is_gap"], len(session))
    return _session_range_kernel(
        session, columns["high"], columns["low"], columns["is_gap"], resets
    )


def judas_swing(
    columns: Columns,
    window: SessionWindow = ASIAN_RAID,
    *,
    reach_atr: float = 0.1,
    min_strength: float = 0.3,
    weekend: bool = False,
) -> tuple[Float1D, Float1D]:
    """False breaks of a session's range inside its raid window; direction and strength, ``(T,)``.

    Bearish (-1): a high above the day's midnight open reaches the range's high + ``reach_atr * ATR``;
    then a close inside the window lies back under the high with strength ``(highest - close) / (high -
    low of the range)`` of ``min_strength`` or more. The close of the raiding bar itself comes after
    its high and counts. Known at that close, once a side and day; bullish mirrored; both at once are
    nothing. ``weekend`` lets Saturdays and Sundays count. ``columns`` needs open_time, open, high,
    low, close and is_gap.
    """
    local = new_york_time(columns["open_time"])
    top, bottom, owner = session_range(columns, local, window)
    active = _inside(local.minute, window.raid_start, window.raid_end) & (owner == local.day)
    if not weekend:
        active &= local.weekday < 5
    high, low, close = columns["high"], columns["low"], columns["close"]
    return _judas_kernel(
        (columns["open"], high, low, close),
        average_true_range(high, low, close, ATR_LENGTH),
        top,
        bottom,
        active,
        local.day,
        reach_atr,
        min_strength,
    )


def _zone_of(local: LocalTime, zones: Sequence[tuple[int, int, int]]) -> Float1D:
    zone = np.full(len(local.minute), float(NO_ZONE))
    for code, start, end in zones:
        zone[_inside(local.minute, start, end)] = float(code)
    return zone


def _kill_zone(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    local = new_york_time(columns["open_time"])
    zone = _zone_of(local, KILL_ZONES)
    silver = np.zeros(len(zone))
    for start, end in SILVER_BULLETS:
        silver[_inside(local.minute, start, end)] = 1.0
    into = np.zeros(len(zone))
    for code, start, _ in KILL_ZONES:
        into = np.where(zone == code, local.minute - float(start), into)
    closed = ~_fits_windows(columns["open_time"])
    if parameters["weekend"] == 0:
        closed |= _is_weekend(local)
    return np.where(closed, 0.0, zone), np.where(closed, 0.0, into), np.where(closed, 0.0, silver)


def _judas(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    (asian, asian_strength), (london, london_strength) = (
        judas_swing(
            columns,
            window,
            reach_atr=parameters["reach_atr"],
            min_strength=parameters["min_strength"],
            weekend=parameters["weekend"] != 0,
        )
        for window in (ASIAN_RAID, LONDON_RAID)
    )
    local = new_york_time(columns["open_time"])
    top, bottom, _ = session_range(columns, local, ASIAN_RAID)
    event = np.where(asian != 0, asian, london)
    strength = np.where(asian != 0, asian_strength, london_strength)
    fits = _fits_windows(columns["open_time"])
    levels = (
        held_level(np.where(fits & shown, level, np.nan))
        for shown, level in ((event != 0, strength), (True, top), (True, bottom))
    )
    return np.where(fits, asian, 0.0), np.where(fits, london, 0.0), *levels


_WEEKEND = Parameter("weekend", 0, 0, 1)

KILL_ZONE = Indicator(
    name="kill_zone",
    text="Trading sessions by the New York clock, daylight saving included.",
    inputs=("open_time",),
    parameters=(_WEEKEND,),
    outputs=(
        Output(
            "zone",
            "state",
            "code",
            "0 none, 1 Asian, 2 London, 3 New York morning, 4 London close",
            high=4.0,
        ),
        Output("minutes_into", "state", "minutes", "since the zone began, 0 outside", low=0.0),
        Output("silver_bullet", "state", "code", "1 inside 03-04, 10-11 or 14-15", high=1.0),
    ),
    compute=_kill_zone,
    lookback=lambda parameters: 0,
    # How long the first bar is, no bar before it tells.
    stable=lambda parameters: 1,
)

JUDAS_SWING = Indicator(
    name="judas_swing",
    text="Raids of the Asian range (and of London's, in New York's morning) that close back inside.",
    inputs=("open_time", "open", "high", "low", "close", "is_gap"),
    parameters=(
        Parameter("reach_atr", 0.1, 0.0, 1.0, integer=False),
        Parameter("min_strength", 0.3, 0.1, 1.0, integer=False),
        _WEEKEND,
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

INDICATORS = (KILL_ZONE, JUDAS_SWING)
