"""The events of ``wyckoff.py``: what happens inside trading ranges, and the ranges with their phases."""

from collections.abc import Sequence

import numpy as np

from engine import Bool1D, Float1D, Float2D

from . import _wyckoff_range as range_kernels
from . import _wyckoff_record as of
from ._wyckoff_side import Side, both_sides
from .detector import Detector, EventState, EventType
from .event_table import CHANGE_FIELDS, EventTable, events_on_rows, table_of_logs
from .spec import Columns, Parameters
from .wyckoff import EVENT_ROWS, WYCKOFF, strength_fires

_LONG_TYPES = (
    EventType("preliminary_support", "heavy buying on the way to the climax", "preliminary"),
    EventType("selling_climax", "panic at a low, which a rally may confirm", "climax"),
    EventType("automatic_rally", "the rally that answers the climax: a range", "range_start"),
    EventType("secondary_test", "the support is tested on less volume", "secondary_test"),
    EventType("upthrust_action", "a failed break above the range in phase B", "upthrust"),
    EventType("undercut", "a failed break under the range in phase B, no spring", "undercut"),
    EventType("spring", "a dip under the range that comes back: phase C", "spring"),
    EventType("spring_confirmed", "three lows above the support", "spring_confirmed"),
    EventType("spring_test", "the spring is tested on less volume", "test"),
    EventType("sign_of_strength", "strong close at the top, or a broken distribution", "strength"),
    EventType("jump_across_creek", "a sign of strength above the range", "jump"),
    EventType("last_point_of_support", "a shallow pivot low on little volume", "support_point"),
    EventType("backup", "a last point of support at the edge of the creek", "backup"),
    EventType("markup", "price has left the range upwards: phase E", "markup"),
    EventType("accumulation_failure", "a close far under the range and its spring", "failure"),
)
_SHORT_TYPES = (
    EventType("preliminary_supply", "heavy selling on the way to the climax", "preliminary"),
    EventType("buying_climax", "euphoria at a high, which a fall may confirm", "climax"),
    EventType("automatic_reaction", "the fall that answers the climax: a range", "range_start"),
    EventType("secondary_test_of_supply", "the resistance is tested weakly", "secondary_test"),
    EventType("minor_sign_of_weakness", "a failed break under the range in phase B", "upthrust"),
    EventType("upthrust", "a failed break above the range in phase B", "undercut"),
    EventType("upthrust_after_distribution", "a rise above the range that comes back", "spring"),
    EventType("upthrust_confirmed", "three highs under the resistance", "spring_confirmed"),
    EventType("upthrust_test", "the upthrust is tested on less volume", "test"),
    EventType("sign_of_weakness", "weak close at the bottom, or a broken accumulation", "strength"),
    EventType("fall_through_ice", "a sign of weakness under the range", "jump"),
    EventType("last_point_of_supply", "a shallow pivot high on little volume", "support_point"),
    EventType("backup_to_ice", "a last point of supply at the edge of the ice", "backup"),
    EventType("markdown", "price has left the range downwards: phase E", "markup"),
    EventType("distribution_failure", "a close far above the range and its upthrust", "failure"),
)
_COLUMNS = tuple(kind.column for kind in _LONG_TYPES)
_CONFIRMED, _UNANSWERED = 0, 1


def _type_code(side: Side, column: str) -> int:
    return _COLUMNS.index(column) + (0 if side.sign > 0 else len(_LONG_TYPES))


def _log(
    side: Side, column: str, fires: Bool1D, argues: float, facts: Sequence[Float1D]
) -> Float2D:
    """Events of one column on the rows where it fires, from ``FACTS``, which are read there only."""
    rows = np.flatnonzero(fires)
    anchor, *prices = facts
    market = []
    for price in prices:
        level = np.full(len(fires), np.nan)
        level[rows] = side.sign * price[rows]
        market.append(level)
    volume = np.full(len(fires), np.nan)
    volume[rows] = side.relative_volume[anchor[rows].astype(np.int64)]
    level, support, resistance, target = market
    if side.sign < 0:
        support, resistance = resistance, support
    return events_on_rows(
        fires,
        type=_type_code(side, column),
        direction=argues * side.sign,
        anchor=anchor,
        top=level,
        measure=volume,
        points=((anchor, level),),
        levels=(support, resistance, target),
    )


def _before_ranges(side: Side) -> tuple[Float2D, Float2D]:
    """Logs of preliminary bars and of climaxes, on the rows where these are known."""
    rows, none = np.arange(len(side.low), dtype=np.float64), np.full(len(side.low), np.nan)
    # Where there is no preliminary bar the row is -1, which would read the last bar.
    price = side.low[np.maximum(side.preliminary, 0)]
    preliminary = (side.preliminary.astype(np.float64), price, none, none, none)
    climax = (rows, side.low, none, none, none)
    return (
        _log(side, "preliminary", side.preliminary >= 0, 1.0, preliminary),
        _log(side, "climax", side.climax, 1.0, climax),
    )


def _inside_ranges(side: Side, other: Side) -> list[Float2D]:
    """Logs of what happens in ranges; a failure of the other side on volume is a sign of strength."""
    logs = []
    # The objective of a range that has failed is void.
    void = np.full(len(side.low), np.nan)
    for column, (row, argues) in EVENT_ROWS.items():
        fires, facts = side.events[row] > 0, [fact[row] for fact in side.facts]
        if column == "failure":
            facts[-1] = void
        if column == "strength":
            anchor, price, support, resistance, _ = (
                fact[of.FAILURE_ON_VOLUME] for fact in other.facts
            )
            broken = (anchor, -price, -resistance, -support, void)
            facts = [np.where(fires, *pair) for pair in zip(facts, broken, strict=True)]
            fires = strength_fires(side, other)
        logs.append(_log(side, column, fires, argues, facts))
    return logs


def _climax_changes(side: Side, first: int) -> Float2D:
    """The log of changes of climaxes that stand from row ``first`` on in the log of events."""
    # Climaxes stand in the log in the order of their rows.
    climaxes = np.flatnonzero(side.climax)
    logs = []
    for state, ends in ((_CONFIRMED, side.born_of), (_UNANSWERED, side.given_up)):
        rows = np.flatnonzero(ends >= 0)
        changes = np.full((len(rows), CHANGE_FIELDS), float(state))
        changes[:, 0], changes[:, 2] = first + np.searchsorted(climaxes, ends[rows]), rows
        logs.append(changes)
    return np.concatenate(logs)


def _wyckoff_events(columns: Columns, parameters: Parameters) -> EventTable:
    long, short = both_sides(columns, parameters)
    logs: list[Float2D] = []
    changes: list[Float2D] = []
    for side, other in ((long, short), (short, long)):
        preliminary, climaxes = _before_ranges(side)
        first = sum(len(log) for log in logs) + len(preliminary)
        changes.append(_climax_changes(side, first))
        logs += [preliminary, climaxes, *_inside_ranges(side, other)]
    return table_of_logs(np.concatenate(logs), np.concatenate(changes), points=1)


def _range_log(side: Side) -> Float2D:
    """The log of ranges of one side, with the extremes of climax and rally as points."""
    ranges, sign = side.ranges, side.sign
    is_second = ranges[:, range_kernels.LOG_IS_SECOND_READING] > 0
    support = sign * ranges[:, range_kernels.LOG_SUPPORT]
    resistance = sign * ranges[:, range_kernels.LOG_RESISTANCE]
    climax, rally = ranges[:, range_kernels.LOG_CLIMAX], ranges[:, range_kernels.LOG_RALLY]
    height = np.abs(resistance - support)
    return np.stack(
        [
            2.0 * is_second + (0.0 if sign > 0 else 1.0),
            np.full(len(ranges), sign),
            climax,
            ranges[:, range_kernels.LOG_KNOWN],
            np.maximum(support, resistance),
            np.minimum(support, resistance),
            height / ranges[:, range_kernels.LOG_ATR],
            climax,
            rally,
            np.where(is_second, resistance, support),
            np.where(is_second, support, resistance),
            sign * ranges[:, range_kernels.LOG_TARGET],
        ],
        axis=1,
    )


def _wyckoff_ranges(columns: Columns, parameters: Parameters) -> EventTable:
    long, short = both_sides(columns, parameters)
    moved = short.changes.copy()
    moved[:, 0] += len(long.ranges)
    return table_of_logs(
        np.concatenate((_range_log(long), _range_log(short))),
        np.concatenate((long.changes, moved)),
        points=2,
    )


WYCKOFF_DETECTOR = Detector(
    name="wyckoff",
    text=(
        "Events of Wyckoff's trading ranges, anchored on the bar that they describe, at its price (a "
        "jump at the edge that it leaves, a failure at the one that it breaks); the measure is the "
        "volume of that bar over the mean of the 20 before. Levels are those of the range on the row "
        "where the event is known, NaN before there is one; a failure voids the target. Events of "
        "second readings are named as those of the side that they read."
    ),
    inputs=WYCKOFF.inputs,
    parameters=WYCKOFF.parameters,
    types=(*_LONG_TYPES, *_SHORT_TYPES),
    states=(
        EventState("confirmed", "a rally has answered the climax: a range", ends=True),
        EventState("unanswered", "exceeded, followed by another or too old for one", ends=True),
    ),
    points=("event",),
    levels=("support", "resistance", "target"),
    measure_unit="mean volumes",
    find=_wyckoff_events,
    stable=WYCKOFF.stable,
    indicator=WYCKOFF,
)

WYCKOFF_RANGE_DETECTOR = Detector(
    name="wyckoff_range",
    text=(
        "Wyckoff's trading ranges between support and resistance, with their phases. A first reading "
        "is known with its rally, a second one (re-accumulation, redistribution) where it comes to "
        "phase C or D; both are anchored on the climax. The measure is the height, the level the objective "
        "that had been counted by then."
    ),
    inputs=WYCKOFF.inputs,
    parameters=WYCKOFF.parameters,
    types=(
        EventType("accumulation", "after a selling climax", "range_start"),
        EventType("distribution", "after a buying climax", "range_start"),
        EventType(
            "reaccumulation",
            "after a buying climax, read as accumulation",
            firing_rate=(1e-5, 0.002),
        ),
        EventType(
            "redistribution",
            "after a selling climax, read as distribution",
            firing_rate=(1e-5, 0.002),
        ),
    ),
    # In the order of the codes in _wyckoff_record.
    states=(
        EventState("phase_a", "climax and rally: the trend has been stopped"),
        EventState("phase_b", "the climax has been tested"),
        EventState("phase_c", "spring, or upthrust after distribution"),
        EventState("phase_d", "sign of strength, or of weakness"),
        EventState("phase_e", "price has left the range"),
        EventState("failed", "left on the wrong side", "failure", sign=-1, ends=True),
        EventState(
            "ended",
            "too old, left without strength, back after phase E, or bars missing",
            ends=True,
        ),
    ),
    points=("climax", "rally"),
    levels=("target",),
    measure_unit="ATR",
    find=_wyckoff_ranges,
    stable=WYCKOFF.stable,
    indicator=WYCKOFF,
)

DETECTORS = (WYCKOFF_DETECTOR, WYCKOFF_RANGE_DETECTOR)
