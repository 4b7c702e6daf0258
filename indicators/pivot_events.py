"""The events of ``pivot`` and ``directional_change``: confirmed pivots and turns."""

import numpy as np

from engine import Float1D

from .detector import Detector, EventType
from .directional_change import DIRECTIONAL_CHANGE, directional_change_pivots
from .event_table import EventTable, events_on_rows, table_of_logs
from .pivot import PIVOT, confirmed_pivots
from .spec import Columns, Parameters
from .volatility import average_true_range

_HIGH, _LOW = 0, 1


def _turning_points(high: Float1D, low: Float1D, anchor: Float1D) -> EventTable:
    """Events of the highs (-1) and lows (1) that are not NaN, each anchored on its extreme."""
    logs = [
        events_on_rows(
            ~np.isnan(price),
            type=code,
            direction=side,
            anchor=anchor,
            top=price,
            points=((anchor, price),),
        )
        for code, side, price in ((_HIGH, -1.0, high), (_LOW, 1.0, low))
    ]
    return table_of_logs(np.concatenate(logs))


def _pivot_events(columns: Columns, parameters: Parameters) -> EventTable:
    left, right = int(parameters["left"]), int(parameters["right"])
    high, low = confirmed_pivots(columns["high"], columns["low"], left, right)
    return _turning_points(high, low, np.arange(len(high), dtype=np.float64) - right)


def _turn_events(columns: Columns, parameters: Parameters) -> EventTable:
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, int(parameters["atr_length"]))
    return _turning_points(
        *directional_change_pivots(
            high, low, close, atr, parameters["multiple"], is_gap=columns["is_gap"]
        )
    )


PIVOT_DETECTOR = Detector(
    name="pivot",
    text="Confirmed pivots P(left, right), each known right bars after its extreme.",
    inputs=PIVOT.inputs,
    parameters=PIVOT.parameters,
    types=(
        EventType("pivot_high", "a high above its neighbours is confirmed", "turn"),
        EventType("pivot_low", "a low below its neighbours is confirmed", "turn"),
    ),
    points=("extreme",),
    find=_pivot_events,
    stable=PIVOT.stable,
    indicator=PIVOT,
)

DIRECTIONAL_CHANGE_DETECTOR = Detector(
    name="directional_change",
    text="Turns that a close has confirmed by leaving the extreme multiple * ATR behind.",
    inputs=DIRECTIONAL_CHANGE.inputs,
    parameters=DIRECTIONAL_CHANGE.parameters,
    types=(
        EventType("turn_high", "the high of a leg is confirmed", "turn"),
        EventType("turn_low", "the low of a leg is confirmed", "turn"),
    ),
    points=("extreme",),
    find=_turn_events,
    stable=DIRECTIONAL_CHANGE.stable,
    indicator=DIRECTIONAL_CHANGE,
)

DETECTORS = (PIVOT_DETECTOR, DIRECTIONAL_CHANGE_DETECTOR)
