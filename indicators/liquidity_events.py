"""The events of ``liquidity.py``: pools and what became of them, sweeps, inducements."""

import numpy as np

from engine import Float2D, Int1D

from ._liquidity_kernel import (
    BREACHED,
    DEEPEST,
    DEEPEST_ROW,
    END,
    END_ROW,
    FIRST_PRICE,
    FIRST_ROW,
    KIND,
    KNOWN,
    LAST_PRICE,
    LAST_ROW,
    LEVEL,
    PIVOTS,
)
from .detector import Detector, EventState, EventType
from .event_table import (
    EVENT_FIELDS,
    LOG_ANCHOR,
    LOG_BOTTOM,
    LOG_DIRECTION,
    LOG_KNOWN,
    LOG_MEASURE,
    LOG_TOP,
    LOG_TYPE,
    EventTable,
    table_of_logs,
)
from .liquidity import (
    INDUCEMENT,
    LIQUIDITY_SWEEP,
    Inducements,
    Sweeps,
    inducements_of,
    sweeps_of,
)
from .spec import Columns, Parameters

_SIDES = (1.0, -1.0)
"""Pools of lows argue for a rise when they are swept, pools of highs for a fall."""


def _pool_log(pools: Float2D, direction: float) -> Float2D:
    log = np.empty((len(pools), EVENT_FIELDS + 4))
    log[:, LOG_TYPE], log[:, LOG_DIRECTION] = pools[:, KIND], direction
    log[:, LOG_ANCHOR], log[:, LOG_KNOWN] = pools[:, FIRST_ROW], pools[:, KNOWN]
    log[:, LOG_TOP] = log[:, LOG_BOTTOM] = pools[:, LEVEL]
    log[:, LOG_MEASURE] = pools[:, PIVOTS]
    log[:, EVENT_FIELDS : EVENT_FIELDS + 2] = pools[:, (FIRST_ROW, LAST_ROW)]
    log[:, EVENT_FIELDS + 2 :] = pools[:, (FIRST_PRICE, LAST_PRICE)]
    return log


def _end_log(pools: Float2D, first: int) -> Float2D:
    ended = np.flatnonzero(pools[:, END] >= 0)
    return np.column_stack((first + ended, pools[ended, END], pools[ended, END_ROW]))


def _pool_events(columns: Columns, parameters: Parameters) -> EventTable:
    bullish, bearish = sweeps_of(columns, parameters)
    sides = (bullish.pools, bearish.pools)
    events = [_pool_log(pools, side) for pools, side in zip(sides, _SIDES, strict=True)]
    ends = [_end_log(sides[0], 0), _end_log(sides[1], len(sides[0]))]
    return table_of_logs(np.concatenate(events), np.concatenate(ends))


def _raid_log(sweeps: Sweeps, rows: Int1D, direction: float, points: int) -> Float2D:
    """One event for each of ``rows`` on which a pool was swept; the first two points are filled in."""
    pools = sweeps.pools[sweeps.pool[rows]]
    log = np.empty((len(rows), EVENT_FIELDS + 2 * points))
    log[:, LOG_TYPE], log[:, LOG_DIRECTION] = 0, direction
    log[:, LOG_ANCHOR], log[:, LOG_KNOWN] = pools[:, BREACHED], rows
    log[:, LOG_TOP] = log[:, LOG_BOTTOM] = pools[:, LEVEL]
    log[:, LOG_MEASURE] = sweeps.confidence[rows]
    log[:, EVENT_FIELDS : EVENT_FIELDS + 2] = pools[:, (FIRST_ROW, DEEPEST_ROW)]
    prices = EVENT_FIELDS + points
    log[:, prices : prices + 2] = pools[:, (FIRST_PRICE, DEEPEST)]
    return log


def _sweep_events(columns: Columns, parameters: Parameters) -> EventTable:
    logs = [
        _raid_log(sweeps, np.flatnonzero(sweeps.confidence > 0), side, 2)
        for sweeps, side in zip(sweeps_of(columns, parameters), _SIDES, strict=True)
    ]
    return table_of_logs(np.concatenate(logs))


def _inducement_log(sweeps: Sweeps, found: Inducements, direction: float) -> Float2D:
    rows = np.flatnonzero(found.fires)
    log = _raid_log(sweeps, rows, direction, 3)
    log[:, LOG_MEASURE] = sweeps.strength[rows]
    log[:, EVENT_FIELDS + 2] = found.major_row[rows]
    log[:, EVENT_FIELDS + 5] = found.major[rows]
    return log


def _inducement_events(columns: Columns, parameters: Parameters) -> EventTable:
    minor, found = inducements_of(columns, parameters)
    logs = [_inducement_log(minor[k], found[k], _SIDES[k]) for k in range(2)]
    return table_of_logs(np.concatenate(logs))


POOL_DETECTOR = Detector(
    name="liquidity_pool",
    text="Pools of resting orders under lows (1) and over highs (-1), each until it ends.",
    inputs=tuple(name for name in LIQUIDITY_SWEEP.inputs if name != "volume"),
    parameters=LIQUIDITY_SWEEP.parameters,
    types=(
        EventType("swing_pool", "a confirmed pivot", firing_rate=(0.08, 0.15)),
        EventType(
            "equal_pool",
            "two or more pivots at one price, and the most extreme of them",
            firing_rate=(0.002, 0.03),
        ),
        EventType("day_pool", "the extreme of the previous UTC day", firing_rate=(0.07, 0.09)),
        EventType("week_pool", "the extreme of the previous UTC week", firing_rate=(0.009, 0.013)),
        EventType(
            "asian_pool", "the extreme of the previous Asian session", firing_rate=(0.05, 0.065)
        ),
        EventType(
            "london_pool", "the extreme of the previous London session", firing_rate=(0.05, 0.065)
        ),
    ),
    states=(
        EventState("swept", "raided, and a close is back on the near side in time", ends=True),
        EventState("broken", "raided too deep or for too long", ends=True),
        EventState("replaced", "equal pivots or the next period take its place", ends=True),
        EventState("expired", "too old, or too many were open", ends=True),
    ),
    points=("first", "last"),
    measure_unit="pivots",
    find=_pool_events,
    stable=LIQUIDITY_SWEEP.stable,
)

SWEEP_DETECTOR = Detector(
    name="liquidity_sweep",
    text="Raids of a pool that end with a close back on its near side.",
    inputs=LIQUIDITY_SWEEP.inputs,
    parameters=LIQUIDITY_SWEEP.parameters,
    types=(
        EventType(
            "sweep",
            "a pool is swept; of several of one side the one with the highest confidence",
            "sweep",
        ),
    ),
    points=("pool", "raid"),
    measure_unit="confidence",
    find=_sweep_events,
    stable=LIQUIDITY_SWEEP.stable,
    indicator=LIQUIDITY_SWEEP,
)

INDUCEMENT_DETECTOR = Detector(
    name="inducement",
    text="Sweeps of minor pivots while the newest major one beyond them stands.",
    inputs=INDUCEMENT.inputs,
    parameters=INDUCEMENT.parameters,
    types=(EventType("inducement", "a minor pivot is swept before the major one", "event"),),
    points=("minor", "raid", "major"),
    measure_unit="strength",
    find=_inducement_events,
    stable=INDUCEMENT.stable,
    indicator=INDUCEMENT,
)

DETECTORS = (POOL_DETECTOR, SWEEP_DETECTOR, INDUCEMENT_DETECTOR)
