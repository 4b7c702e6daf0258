"""The events of ``structure`` and ``market_trend``: breaks, and where the trend of the pivots changes."""

import numpy as np

from .detector import Detector, EventType
from .event_table import EventTable, events_on_rows, table_of_logs
from .market_trend import MARKET_TREND, pivot_trend
from .spec import Columns, Parameters
from .structure import STRUCTURE, found_breaks

_BOS, _CHOCH, _MSS = range(3)
_TREND_UP, _TREND_DOWN, _TREND_MIXED = range(3)


def _structure_events(columns: Columns, parameters: Parameters) -> EventTable:
    breaks, shift = found_breaks(columns, parameters)
    close = columns["close"]
    row = np.arange(len(close), dtype=np.float64)
    logs = []
    for code, direction, broke_at in (
        (_BOS, breaks.continuation, row),
        (_CHOCH, breaks.change, row),
        (_MSS, shift.event, shift.broke_at),
    ):
        # The prices of a shift are those of its break, one row back where it waited for its gap.
        at = np.where(direction != 0, broke_at, 0.0).astype(np.int64)
        level, origin = breaks.level[at], breaks.origin[at]
        began = np.maximum(origin, 0.0).astype(np.int64)
        edge = np.where(direction > 0, columns["low"][began], columns["high"][began])
        logs.append(
            events_on_rows(
                direction != 0,
                type=code,
                direction=direction,
                anchor=broke_at,
                top=level,
                points=(
                    (origin, np.where(origin < 0, np.nan, edge)),
                    (breaks.broken[at], level),
                    (broke_at, close[at]),
                ),
            )
        )
    return table_of_logs(np.concatenate(logs))


def _trend_events(columns: Columns, parameters: Parameters) -> EventTable:
    left, right = int(parameters["left"]), int(parameters["right"])
    found = pivot_trend(columns["high"], columns["low"], left, right, columns["is_gap"])
    state = np.where(found.known > 0, found.trend, np.nan)
    before = np.concatenate(([np.nan], state[:-1]))[: len(state)]
    changes = (found.known > 0) & (state != before)
    code = np.where(state > 0, _TREND_UP, np.where(state < 0, _TREND_DOWN, _TREND_MIXED))
    points = tuple((found.anchor[:, i], found.price[:, i]) for i in (3, 2, 1, 0))
    logs = [
        events_on_rows(
            changes & (code == kind),
            type=kind,
            direction=state,
            anchor=found.anchor[:, 0],
            points=points,
        )
        for kind in (_TREND_UP, _TREND_DOWN, _TREND_MIXED)
    ]
    return table_of_logs(np.concatenate(logs))


STRUCTURE_DETECTOR = Detector(
    name="structure",
    text="Breaks of swings: with the trend (BOS), against it (CHoCH), with displacement (MSS).",
    inputs=STRUCTURE.inputs,
    parameters=STRUCTURE.parameters,
    types=(
        EventType("bos", "a swing is broken with the trend, or before there is one", "bos"),
        EventType("choch", "a swing is broken against the trend, which turns", "choch"),
        EventType("mss", "a CHoCH whose leg holds a fair value gap, anchored on the break", "mss"),
    ),
    points=("origin", "broken", "break"),
    find=_structure_events,
    stable=STRUCTURE.stable,
    indicator=STRUCTURE,
)

MARKET_TREND_DETECTOR = Detector(
    name="market_trend",
    text="Where higher highs and lows, lower ones, or neither begin; anchored on the newest pivot.",
    inputs=MARKET_TREND.inputs,
    parameters=MARKET_TREND.parameters,
    types=(
        EventType(
            "trend_up",
            "the newest high and low are above the ones before them",
            firing_rate=(0.005, 0.03),
        ),
        EventType(
            "trend_down",
            "the newest high and low are below the ones before them",
            firing_rate=(0.005, 0.03),
        ),
        EventType(
            "trend_mixed",
            "neither, or four pivots are known for the first time and say so",
            firing_rate=(0.01, 0.05),
        ),
    ),
    points=("first", "second", "third", "fourth"),
    find=_trend_events,
    stable=MARKET_TREND.stable,
    indicator=MARKET_TREND,
)

DETECTORS = (STRUCTURE_DETECTOR, MARKET_TREND_DETECTOR)
