"""The events of ``dealing_range.py``: pull-back zones of displaced legs."""

import numpy as np

from .dealing_range import (
    OPTIMAL_TRADE_ENTRY,
    OTE_DEEP,
    OTE_SHALLOW,
    ZONE_BASE,
    ZONE_BASE_ROW,
    ZONE_KNOWN,
    ZONE_SIDE,
    ZONE_TIP,
    ZONE_TIP_ROW,
    found_entries,
)
from .detector import Detector, EventState, EventType
from .event_table import (
    EVENT_FIELDS,
    LOG_ANCHOR,
    LOG_BOTTOM,
    LOG_DIRECTION,
    LOG_KNOWN,
    LOG_TOP,
    LOG_TYPE,
    EventTable,
    table_of_logs,
)
from .spec import Columns, Parameters


def _entry_events(columns: Columns, parameters: Parameters) -> EventTable:
    found = found_entries(columns, parameters)
    zones = found.known
    tip, base = zones[:, ZONE_TIP], zones[:, ZONE_BASE]
    edges = [tip - share * (tip - base) for share in (OTE_SHALLOW, OTE_DEEP)]
    events = np.full((len(zones), EVENT_FIELDS + 4), np.nan)
    events[:, LOG_TYPE], events[:, LOG_DIRECTION] = 0, zones[:, ZONE_SIDE]
    events[:, LOG_ANCHOR], events[:, LOG_KNOWN] = zones[:, ZONE_BASE_ROW], zones[:, ZONE_KNOWN]
    events[:, LOG_TOP], events[:, LOG_BOTTOM] = np.maximum(*edges), np.minimum(*edges)
    events[:, EVENT_FIELDS:] = zones[:, (ZONE_BASE_ROW, ZONE_TIP_ROW, ZONE_BASE, ZONE_TIP)]
    return table_of_logs(events, found.changes)


OPTIMAL_TRADE_ENTRY_DETECTOR = Detector(
    name="optimal_trade_entry",
    text="Zones of 62 to 79 % of a leg that broke structure with displacement, from its tip on.",
    inputs=OPTIMAL_TRADE_ENTRY.inputs,
    parameters=OPTIMAL_TRADE_ENTRY.parameters,
    types=(
        EventType(
            "optimal_trade_entry",
            "the tip of a displaced leg is confirmed",
            firing_rate=(0.01, 0.06),
        ),
    ),
    states=(
        EventState("entered", "the first bar that reaches into the zone", "entry"),
        EventState("suspended", "a new extreme beyond the tip, which is not confirmed yet"),
        EventState("invalid", "a close beyond the base", ends=True),
        EventState("ended", "another tip, another break, or its time is over", ends=True),
    ),
    points=("base", "tip"),
    find=_entry_events,
    stable=OPTIMAL_TRADE_ENTRY.stable,
    indicator=OPTIMAL_TRADE_ENTRY,
)

DETECTORS = (OPTIMAL_TRADE_ENTRY_DETECTOR,)
