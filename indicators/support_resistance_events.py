"""The events of ``support_resistance.py``: the cluster of pivots that each confirmed pivot joins."""

from .detector import Detector, EventState, EventType
from .event_table import EventTable, table_of_logs
from .spec import Columns, Parameters
from .support_resistance import SUPPORT_RESISTANCE, levels_found


def _level_events(columns: Columns, parameters: Parameters) -> EventTable:
    _, _, events, changes = levels_found(columns, parameters)
    return table_of_logs(events, changes)


SUPPORT_RESISTANCE_DETECTOR = Detector(
    name="support_resistance",
    text=(
        "Clusters of pivots as they stood when a pivot joined them (alone, it is one of one touch), "
        "from the lowest to the highest pivot, anchored on the oldest. Clusters are cut anew on each "
        "bar, so that an event tells one row; those open at the end of a table are the levels there."
    ),
    inputs=SUPPORT_RESISTANCE.inputs,
    parameters=SUPPORT_RESISTANCE.parameters,
    types=(
        EventType(
            "level", "a pivot joins a level of support and resistance", firing_rate=(0.08, 0.15)
        ),
    ),
    # In the order of the codes in _level_kernel.
    states=(
        EventState(
            "replaced", "its newest pivot is part of a level that a later one joined", ends=True
        ),
        EventState("expired", "its newest pivot has left the window", ends=True),
    ),
    points=("oldest", "newest"),
    measure_unit="touches, each exp(-age / 100)",
    find=_level_events,
    stable=SUPPORT_RESISTANCE.stable,
    indicator=SUPPORT_RESISTANCE,
)

DETECTORS = (SUPPORT_RESISTANCE_DETECTOR,)
