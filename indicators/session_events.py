"""The events of ``session``: session ranges and Judas swings."""

import numpy as np

from engine import Float2D

from .completed_range import CompletedRanges
from .detector import Detector, EventType
from .event_table import EventTable, events_on_rows, table_of_logs
from .new_york import new_york_time
from .session import ASIAN_RAID, JUDAS_SWING, LONDON_RAID, JudasSwings, judas_of, session_ranges
from .spec import Columns, Parameter, Parameters

_ASIAN, _LONDON = 0, 1


def _range_log(ranges: CompletedRanges, kind: int) -> Float2D:
    return events_on_rows(
        ~np.isnan(ranges.period),
        type=kind,
        direction=0.0,
        anchor=ranges.first_row,
        top=ranges.high,
        bottom=ranges.low,
        points=((ranges.high_row, ranges.high), (ranges.low_row, ranges.low)),
    )


def _session_events(columns: Columns, parameters: Parameters) -> EventTable:
    local = new_york_time(columns["open_time"])
    logs = [
        _range_log(
            session_ranges(columns, window, weekend=parameters["weekend"] != 0, local=local), kind
        )
        for kind, window in ((_ASIAN, ASIAN_RAID), (_LONDON, LONDON_RAID))
    ]
    return table_of_logs(np.concatenate(logs))


def _judas_log(found: JudasSwings, kind: int) -> Float2D:
    return events_on_rows(
        found.event != 0,
        type=kind,
        direction=found.event,
        anchor=found.began,
        top=found.high,
        bottom=found.low,
        measure=found.strength,
        points=((found.extreme_row, found.extreme),),
    )


def _judas_events(columns: Columns, parameters: Parameters) -> EventTable:
    asian, london = judas_of(columns, parameters)
    return table_of_logs(np.concatenate((_judas_log(asian, _ASIAN), _judas_log(london, _LONDON))))


SESSION_DETECTOR = Detector(
    name="session",
    text="High and low of each Asian and London session, known at its end.",
    inputs=("open_time", "high", "low", "is_gap"),
    parameters=(Parameter("weekend", 0, 0, 1),),
    types=(
        EventType(
            "asian_range", "20:00 to midnight in New York is over", firing_rate=(0.025, 0.033)
        ),
        EventType("london_range", "02:00 to 05:00 in New York is over", firing_rate=(0.025, 0.033)),
    ),
    points=("high", "low"),
    find=_session_events,
    # A session counts when its beginning was seen.
    stable=lambda parameters: 24,
)

JUDAS_DETECTOR = Detector(
    name="judas_swing",
    text="Raids of a session's range that close back inside, in the window in which they are looked for.",
    inputs=JUDAS_SWING.inputs,
    parameters=JUDAS_SWING.parameters,
    types=(
        EventType("asian_judas", "a raid of the Asian range fails, 00:00 to 05:00", "judas"),
        EventType(
            "london_judas", "a raid of the London range fails, 08:30 to 10:30", "new_york_judas"
        ),
    ),
    points=("extreme",),
    measure_unit="strength",
    find=_judas_events,
    stable=JUDAS_SWING.stable,
    indicator=JUDAS_SWING,
)

DETECTORS = (SESSION_DETECTOR, JUDAS_DETECTOR)
