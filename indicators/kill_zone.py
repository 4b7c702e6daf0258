"""Kill zones and silver bullets: the hours of New York in which the ICT method trades.

A bar belongs to a zone when its open lies in [start, end). On bars of more than an hour, which mix zones,
all states are 0.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from engine import Float1D

from .new_york import LocalTime, fits_windows, inside, new_york_time, weekend_bars
from .spec import Columns, Indicator, Output, Parameter, Parameters

NO_ZONE, ASIAN, LONDON, NEW_YORK_AM, LONDON_CLOSE = range(5)
"""Codes of ``kill_zone.zone``."""

ICT_COMMON, SEED = 0, 1
"""Codes of ``kill_zone``'s ``preset``."""

_EARLY_ZONES = ((ASIAN, 20 * 60, 24 * 60), (LONDON, 2 * 60, 5 * 60))

KILL_ZONES: Final[Mapping[int, tuple[tuple[int, int, int], ...]]] = {
    ICT_COMMON: (
        *_EARLY_ZONES,
        (NEW_YORK_AM, 7 * 60, 10 * 60),
        (LONDON_CLOSE, 10 * 60, 12 * 60),
    ),
    SEED: (*_EARLY_ZONES, (NEW_YORK_AM, 8 * 60, 11 * 60)),
}
"""(code, first minute, last minute + 1) of the New York day, by preset (SPEC H5.8). The window that
teachers give to stock indices, 08:30 to 11:00, is left out: these are bars of coins."""

SILVER_BULLETS: Final[Mapping[int, tuple[tuple[int, int], ...]]] = {
    ICT_COMMON: ((3 * 60, 4 * 60), (10 * 60, 11 * 60), (14 * 60, 15 * 60)),
    SEED: ((9 * 60 + 50, 10 * 60 + 10), (15 * 60, 15 * 60 + 20)),
}
"""(first minute, last minute + 1) by preset: the hours of the common one, the seed's macros."""


def _zone_of(local: LocalTime, zones: Sequence[tuple[int, int, int]]) -> Float1D:
    zone = np.full(len(local.minute), float(NO_ZONE))
    for code, start, end in zones:
        zone[inside(local.minute, start, end)] = float(code)
    return zone


def _kill_zone(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    local = new_york_time(columns["open_time"])
    preset = int(parameters["preset"])
    zone = _zone_of(local, KILL_ZONES[preset])
    silver, into = np.zeros(len(zone)), np.zeros(len(zone))
    for start, end in SILVER_BULLETS[preset]:
        silver[inside(local.minute, start, end)] = 1.0
    for code, start, _ in KILL_ZONES[preset]:
        into = np.where(zone == code, local.minute - float(start), into)
    closed = ~fits_windows(columns["open_time"])
    if parameters["weekend"] == 0:
        closed |= weekend_bars(local)
    return np.where(closed, 0.0, zone), np.where(closed, 0.0, into), np.where(closed, 0.0, silver)


WEEKEND: Final = Parameter("weekend", 0, 0, 1)
"""1 where Saturdays and Sundays count."""

KILL_ZONE = Indicator(
    name="kill_zone",
    text="Trading sessions by the New York clock, daylight saving included.",
    inputs=("open_time",),
    parameters=(Parameter("preset", ICT_COMMON, ICT_COMMON, SEED), WEEKEND),
    outputs=(
        Output(
            "zone",
            "state",
            "code",
            "0 none, 1 Asian, 2 London, 3 New York morning, 4 London close",
            high=4.0,
        ),
        Output("minutes_into", "state", "minutes", "since the zone began, 0 outside", low=0.0),
        Output(
            "silver_bullet",
            "state",
            "code",
            "1 inside 03-04, 10-11 or 14-15; the seed's macros 09:50-10:10 or 15:00-15:20",
            high=1.0,
        ),
    ),
    compute=_kill_zone,
    lookback=lambda parameters: 0,
    # How long the first bar is, no bar before it tells.
    stable=lambda parameters: 1,
)

INDICATORS = (KILL_ZONE,)
