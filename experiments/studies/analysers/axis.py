"""Ticks of a time axis: years, months, days, hours or minutes, whichever fit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from engine import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

MOST_TICKS: Final = 12
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60)
_EVEN_STEPS: Final = (
    (SECOND_NS, "%H:%M:%S"),
    (10 * SECOND_NS, "%H:%M:%S"),
    (30 * SECOND_NS, "%H:%M:%S"),
    (MINUTE_NS, "%H:%M"),
    (5 * MINUTE_NS, "%H:%M"),
    (15 * MINUTE_NS, "%H:%M"),
    (HOUR_NS, "%H:%M"),
    (3 * HOUR_NS, "%d %b %H:%M"),
    (6 * HOUR_NS, "%d %b %H:%M"),
    (DAY_NS, "%d %b"),
    (2 * DAY_NS, "%d %b"),
    (5 * DAY_NS, "%d %b"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the axis; ``x`` is percent of it."""

    x: float
    label: str


def ticks_of(start_ns: int, end_ns: int) -> tuple[Tick, ...]:
    """At most ``MOST_TICKS`` ticks between two times (int64 ns UTC)."""
    length = end_ns - start_ns
    for step_ns, layout in _EVEN_STEPS:
        if length <= step_ns * MOST_TICKS:
            times = range(-(-start_ns // step_ns) * step_ns, end_ns, step_ns)
            return tuple(_tick(time, start_ns, length, layout) for time in times)
    for months in _MONTH_STEPS:
        times_ns = _month_starts(start_ns, end_ns, months)
        if len(times_ns) <= MOST_TICKS:
            break
    ticks = [_tick(time, start_ns, length, "%Y" if months >= 12 else "%b") for time in times_ns]
    if months >= 12:
        return tuple(ticks)
    years = [f"{_EPOCH + timedelta(microseconds=time // 1000):%Y}" for time in times_ns]
    return tuple(
        Tick(tick.x, f"{tick.label} {year}" if at == 0 or year != years[at - 1] else tick.label)
        for at, (tick, year) in enumerate(zip(ticks, years, strict=True))
    )


def _month_starts(start_ns: int, end_ns: int, months: int) -> list[int]:
    start = _EPOCH + timedelta(microseconds=start_ns // 1000)
    number = (start.year * 12 + start.month - 1) // months * months
    times: list[int] = []
    while True:
        moment = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
        time_ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1000
        if time_ns >= end_ns:
            return times
        if time_ns >= start_ns:
            times.append(time_ns)
        number += months


def _tick(time_ns: int, start_ns: int, length: int, layout: str) -> Tick:
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return Tick(round(100.0 * (time_ns - start_ns) / length, 2), f"{moment:{layout}}")
