"""The events of ``effort.py``: absorption, completed Weis waves and waves that shrink."""

import numpy as np

from .detector import Detector, EventType
from .effort import EFFORT_RESULT, WEIS_WAVE, absorption, known_effort, weis_waves
from .event_table import EventTable, events_on_rows, table_of_logs
from .spec import Columns, Parameters

_RISING, _FALLING, _SHRINKING = 0, 1, 2


def _absorption_events(columns: Columns, parameters: Parameters) -> EventTable:
    effort = known_effort(columns, parameters)
    direction = absorption(columns, effort, parameters["threshold"])
    log = events_on_rows(
        direction != 0,
        type=0,
        direction=direction,
        anchor=np.arange(len(effort), dtype=np.float64),
        top=columns["high"],
        bottom=columns["low"],
        measure=effort,
    )
    return table_of_logs(log)


def _wave_events(columns: Columns, parameters: Parameters) -> EventTable:
    high, low = columns["high"], columns["low"]
    waves = weis_waves(columns, parameters["multiple"], parameters["share"])
    is_rising, is_falling = ~np.isnan(waves.rising), ~np.isnan(waves.falling)
    # Rows without a wave hold -1, which would read the last bar; nothing is taken from them.
    start, end = (np.maximum(rows, 0.0).astype(np.int64) for rows in (waves.start, waves.end))
    first = np.where(is_rising, low[start], high[start])
    last = np.where(is_rising, high[end], low[end])
    logs = [
        events_on_rows(
            fires,
            type=code,
            direction=direction,
            anchor=waves.start,
            top=np.maximum(first, last),
            bottom=np.minimum(first, last),
            measure=np.where(is_rising, waves.rising, waves.falling),
            points=((waves.start, first), (waves.end, last)),
        )
        for code, fires, direction in (
            (_RISING, is_rising, 1.0),
            (_FALLING, is_falling, -1.0),
            (_SHRINKING, waves.shrinking != 0, waves.shrinking),
        )
    ]
    return table_of_logs(np.concatenate(logs))


EFFORT_RESULT_DETECTOR = Detector(
    name="effort_result",
    text="Bars whose volume their small move does not explain; the zone is the bar.",
    inputs=EFFORT_RESULT.inputs,
    parameters=EFFORT_RESULT.parameters,
    types=(EventType("absorption", "high effort on a narrow bar, against the move", "absorption"),),
    measure_unit="deviations",
    find=_absorption_events,
    stable=EFFORT_RESULT.stable,
    indicator=EFFORT_RESULT,
)

WEIS_WAVE_DETECTOR = Detector(
    name="weis_wave",
    text="Weis waves, each known where the turn at its end is confirmed, with its volume.",
    inputs=WEIS_WAVE.inputs,
    parameters=WEIS_WAVE.parameters,
    types=(
        EventType("rising_wave", "a wave up has ended", firing_rate=(0.01, 0.05)),
        EventType("falling_wave", "a wave down has ended", firing_rate=(0.01, 0.05)),
        EventType(
            "shrinking", "a wave has ended on far less volume than its last one", "shrinking"
        ),
    ),
    points=("start", "end"),
    measure_unit="volume",
    find=_wave_events,
    stable=WEIS_WAVE.stable,
    indicator=WEIS_WAVE,
)

DETECTORS = (EFFORT_RESULT_DETECTOR, WEIS_WAVE_DETECTOR)
