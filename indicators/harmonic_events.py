"""The events of ``harmonic.py``: zones with their life, and figures whose D is a pivot."""

from engine import Float2D

from . import _harmonic_figure as figure
from .detector import Detector, EventState, EventType
from .event_table import EventTable, table_of_logs
from .harmonic import (
    HARMONIC,
    HARMONIC_PIVOT,
    PIVOT_POINTS,
    ZONE_POINTS,
    completed_figures,
    harmonic_zones,
)
from .harmonic_pattern import PATTERN_NAMES
from .spec import Columns, Parameters

LEVELS = ("projected_d", "target_near", "target_far", "target_c", "stop", "ab_cd")
"""D as projected; .382 and .618 of AD from it (from D itself where D is known) and C; where the idea is
wrong; and D by AB = CD, whose distance from the ideal one is the confluence."""


def _table(events: Float2D, changes: Float2D | None, points: int) -> EventTable:
    return table_of_logs(
        events[:, : figure.LEVEL_CONFLUENCE - figure.LEVELS], changes, points=points
    )


def _zone_events(columns: Columns, parameters: Parameters) -> EventTable:
    sides = harmonic_zones(columns, parameters)
    return _table(sides.events, sides.changes, len(ZONE_POINTS))


def _completed_events(columns: Columns, parameters: Parameters) -> EventTable:
    return _table(completed_figures(columns, parameters).events, None, len(PIVOT_POINTS))


def _types(text: str, column: str) -> tuple[EventType, ...]:
    return tuple(
        EventType(name, f"{name.replace('_', ' ')}: {text}", column) for name in PATTERN_NAMES
    )


HARMONIC_DETECTOR = Detector(
    name="harmonic",
    text="Zones in which D of a harmonic figure may come, known when C is. Its measure is the "
    "precision of B and C alone, since D is not known yet.",
    inputs=HARMONIC.inputs,
    parameters=HARMONIC.parameters,
    types=_types("X, A, B and C are known and foretell D", "published"),
    states=(
        EventState("entered", "a bar touches the zone", "entered"),
        EventState("confirmed", "a close back out of the zone in time", "confirmed"),
        EventState("failed", "a close beyond the zone or D beyond X", "failed", -1, ends=True),
        EventState(
            "expired",
            "over without a verdict: C exceeded, touched too soon or not in time, not confirmed in "
            "time, or confirmed and too old",
            ends=True,
        ),
    ),
    points=ZONE_POINTS,
    levels=LEVELS,
    measure_unit="precision",
    find=_zone_events,
    stable=HARMONIC.stable,
    indicator=HARMONIC,
)

HARMONIC_PIVOT_DETECTOR = Detector(
    name="harmonic_pivot",
    text="Harmonic figures whose D is a confirmed pivot; the measure is their precision.",
    inputs=HARMONIC_PIVOT.inputs,
    parameters=HARMONIC_PIVOT.parameters,
    types=_types("D is a confirmed pivot inside the zone", "completed"),
    points=PIVOT_POINTS,
    levels=LEVELS,
    measure_unit="precision",
    find=_completed_events,
    stable=HARMONIC_PIVOT.stable,
    indicator=HARMONIC_PIVOT,
)

DETECTORS = (HARMONIC_DETECTOR, HARMONIC_PIVOT_DETECTOR)
