"""The clock of New York: minute, date and weekday of each bar's open, daylight saving included."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from engine import HOUR_NS, Bool1D, Float1D, Int1D

NEW_YORK = ZoneInfo("America/New_York")
EVENING = 20 * 60
"""Minute from which an evening belongs to the date on which it ends."""
_HOUR_S, _DAY_S = 3600, 86400
_LATEST_S = 4_000_000_000


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The New York clock of each bar's open; every array ``(T,)`` int64.

    ``minute`` of the day 0 to 1439, ``day`` counted from 1970-01-01 (a Thursday), ``weekday`` 0 for
    Monday to 6 for Sunday.
    """

    minute: Int1D
    day: Int1D
    weekday: Int1D


@cache
def _offset_s(second: int) -> int:
    offset = datetime.fromtimestamp(second, NEW_YORK).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _offsets_s(seconds: Int1D) -> Int1D:
    # Clocks change once a day at most and on a whole hour, so a day whose two ends agree needs one
    # look-up and the others one for each hour.
    days = seconds // _DAY_S
    first = int(days.min(initial=_LATEST_S // _DAY_S))
    there = np.zeros(int(days.max(initial=first)) - first + 1, dtype=np.bool_)
    there[days - first] = True
    by_day, changes = np.zeros(len(there), dtype=np.int64), np.zeros(len(there), dtype=np.bool_)
    for day in np.flatnonzero(there).tolist():
        by_day[day] = _offset_s((first + day) * _DAY_S)
        changes[day] = by_day[day] != _offset_s((first + day + 1) * _DAY_S)
    offsets: Int1D = by_day[days - first]
    for row in np.flatnonzero(changes[days - first]):
        offsets[row] = _offset_s(int(seconds[row]) // _HOUR_S * _HOUR_S)
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


def inside(minute: Int1D, start: int, end: int) -> Bool1D:
    """Whether ``minute`` lies in [start, end)."""
    found: Bool1D = (minute >= start) & (minute < end)
    return found


def weekend_bars(local: LocalTime) -> Bool1D:
    """Saturdays and Sundays; an evening belongs to the date on which it ends: Sunday's is Monday's."""
    weekday = (local.weekday + (local.minute >= EVENING)) % 7
    found: Bool1D = weekday >= 5
    return found


def fits_windows(open_time: Float1D) -> Bool1D:
    """Whether a bar opens an hour or less after the one before; False on row 0, which has none."""
    fits: Bool1D = np.diff(open_time, prepend=np.nan) <= HOUR_NS
    return fits
