"""The events of ``fair_value_gap.py``: gaps and balanced ranges with their lives."""

from collections.abc import Sequence

import numpy as np

from engine import Float1D, Float2D

from .detector import Detector, EventState, EventType
from .event_table import EventTable, events_on_rows, table_of_logs
from .fair_value_gap import (
    BALANCED_PRICE_RANGE,
    FAIR_VALUE_GAP,
    Zones,
    found_balanced_ranges,
    found_gaps,
)
from .spec import Columns, Parameters
from .zone import EXPIRED, FILLED, FLIPPED, MIDDLE, REMOVED, TOUCHED

_GAP_STATES = (TOUCHED, MIDDLE, FILLED, FLIPPED, REMOVED, EXPIRED)
_BALANCED_STATES = (TOUCHED, MIDDLE, FILLED, REMOVED, EXPIRED)


def zone_changes(log: Float2D, direction: Float1D, states: Sequence[int]) -> Float2D:
    """The log of changes of zones that become known where ``direction`` is not 0.

    ``log`` is that of ``ZoneTrack``; ``states`` are its codes in the order of the detector's states,
    and what is not among them is left out.
    """
    position = np.full(8, -1.0)
    position[list(states)] = np.arange(len(states))
    state = position[log[:, 1].astype(np.int64)]
    told = state >= 0
    event = np.searchsorted(np.flatnonzero(direction), log[told, 0])
    return np.column_stack((event, state[told], log[told, 2]))


def zone_table(
    zones: Zones,
    states: Sequence[int],
    measure: Float1D | None = None,
    points: Sequence[tuple[Float1D, Float1D]] = (),
) -> EventTable:
    """The table of ``zones`` with the ``states`` of their log."""
    events = events_on_rows(
        zones.direction != 0,
        type=0,
        direction=zones.direction,
        anchor=zones.anchor,
        top=zones.top,
        bottom=zones.bottom,
        measure=measure,
        points=points,
    )
    return table_of_logs(events, zone_changes(zones.track.log, zones.direction, states))


def _gap_events(columns: Columns, parameters: Parameters) -> EventTable:
    return zone_table(found_gaps(columns, parameters), _GAP_STATES)


def _balanced_events(columns: Columns, parameters: Parameters) -> EventTable:
    return zone_table(found_balanced_ranges(columns, parameters), _BALANCED_STATES)


TOUCHED_STATE = EventState("touched", "price comes into the zone for the first time")
_HALF = EventState("half", "price reaches the middle of the zone (consequent encroachment)")
_FILLED = EventState("filled", "a wick reaches the far edge")
EXPIRED_STATE = EventState("expired", "the first row behind the last that it may live", ends=True)

FAIR_VALUE_GAP_DETECTOR = Detector(
    name="fair_value_gap",
    text="Three-bar gaps, known on the third bar, with what price does to them.",
    inputs=FAIR_VALUE_GAP.inputs,
    parameters=FAIR_VALUE_GAP.parameters,
    types=(EventType("fair_value_gap", "three bars leave a gap", "event"),),
    states=(
        TOUCHED_STATE,
        _HALF,
        _FILLED,
        EventState("inverted", "a close beyond the far edge turns it round", "inversion", sign=-1),
        EventState("removed", "a close crosses back over the inverted gap", ends=True),
        EXPIRED_STATE,
    ),
    find=_gap_events,
    stable=FAIR_VALUE_GAP.stable,
    indicator=FAIR_VALUE_GAP,
)

BALANCED_PRICE_RANGE_DETECTOR = Detector(
    name="balanced_price_range",
    text="Overlaps of two opposite gaps, with the direction of the later one.",
    inputs=BALANCED_PRICE_RANGE.inputs,
    parameters=BALANCED_PRICE_RANGE.parameters,
    types=(EventType("balanced_price_range", "two opposite gaps overlap", "event"),),
    states=(
        TOUCHED_STATE,
        _HALF,
        _FILLED,
        EventState("removed", "a close crosses the far edge", ends=True),
        EXPIRED_STATE,
    ),
    find=_balanced_events,
    stable=BALANCED_PRICE_RANGE.stable,
    indicator=BALANCED_PRICE_RANGE,
)

DETECTORS = (FAIR_VALUE_GAP_DETECTOR, BALANCED_PRICE_RANGE_DETECTOR)
