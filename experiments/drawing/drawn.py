"""From tables of events to what stands where in a window: marker, zone, its looks, shape."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Final

import numpy as np

from engine import Int1D

from ..events.found import HeadEvents
from .styles import FRESH, OFF_THE_BAR, ONLY_AT_THE_END, look_after, phase_of
from .window import Window
from .words import event_lines

_TRIGGER: Final = "line"
"""The level of a shape whose crossing made the event known."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a zone's life, of one look; x from ``start`` to ``end``."""

    start: float
    end: float
    look: str


@dataclass(frozen=True, slots=True)
class Change:
    """A state that began at ``x``; ``phase`` is its letter where it is a phase."""

    x: float
    phase: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnEvent:
    """One event in a window.

    ``known_x`` is where the bar stands that made it known, ``is_marked`` whether that bar is drawn.
    ``price`` is where its marker stands: the line that triggered it, else its level or the middle of
    its zone; NaN for beside its bar. ``top`` and ``bottom`` are NaN without a zone. ``points`` are
    (name, x, price), ``levels`` (name, price), ``life`` what its zone went through, clipped to the
    window, ``text`` its story in lines.
    """

    detector: str
    type_name: str
    direction: int
    anchor_x: float
    anchor_price: float
    known_x: float
    known_row: int
    price: float
    is_marked: bool
    top: float
    bottom: float
    points: tuple[tuple[str, float, float], ...]
    levels: tuple[tuple[str, float], ...]
    life: tuple[Stretch, ...]
    changes: tuple[Change, ...]
    text: str


def drawn_events(found: HeadEvents, window: Window, detection: str) -> list[DrawnEvent]:
    """The chosen events that became known in the window, and those from before whose zones reach it.

    ``found`` holds nothing later than the window's end; ``detection`` is what it is called there.
    """
    return list(_drawn(found, window, detection))


def _drawn(found: HeadEvents, window: Window, detection: str) -> Iterator[DrawnEvent]:
    table, clock, detector = found.table, found.found.clock, found.detector
    known = window.rows_at(clock.available_at[table.known])
    anchor = window.rows_holding(clock.event_time[table.anchor])
    changed = window.rows_at(clock.available_at[table.change_row])
    ends = np.array([state.ends for state in detector.states], dtype=np.bool_)
    last = _last_rows(found, changed, ends, window.stop)
    reaches = (last > window.first) & (known < window.stop) & ~np.isnan(table.top)
    has_zones = bool(detector.states) and detector.name not in OFF_THE_BAR
    is_alive = reaches & has_zones
    is_marked = (known >= window.first) & (known < window.stop)
    if detector.name in ONLY_AT_THE_END:
        is_marked &= last == window.stop
        is_alive &= last == window.stop
    by_event = _changes_by_event(table.change_event, len(table))
    for event in found.chosen:
        if not (is_marked[event] or is_alive[event]):
            continue
        moves = [
            (int(table.change_state[one]), int(changed[one]), int(table.change_row[one]))
            for one in by_event[event]
        ]
        yield _event(
            found, window, detection, int(event), int(known[event]), int(anchor[event]), moves
        )


def _event(
    found: HeadEvents,
    window: Window,
    detection: str,
    event: int,
    known: int,
    anchor: int,
    moves: Sequence[tuple[int, int, int]],
) -> DrawnEvent:
    table, clock, detector = found.table, found.found.clock, found.detector
    kind = detector.types[int(table.type[event])]
    direction = int(table.direction[event])
    top, bottom = float(table.top[event]), float(table.bottom[event])
    points = [
        (name, int(clock.event_time[row]), float(price))
        for name, row, price in zip(
            detector.points, table.point_rows[event], table.point_prices[event], strict=True
        )
        if row >= 0
    ]
    levels = tuple(
        (name, float(price))
        for name, price in zip(detector.levels, table.levels[event], strict=True)
        if not isnan(price)
    )
    anchor_ns = int(clock.event_time[table.anchor[event]])
    lines = event_lines(
        type_name=kind.name,
        text=kind.text,
        detection=detection,
        direction=direction,
        anchor_ns=anchor_ns,
        known_ns=int(clock.available_at[table.known[event]]),
        delay_bars=known - anchor,
        top=top,
        bottom=bottom,
        measure=float(table.measure[event]),
        measure_unit=detector.measure_unit,
        points=points,
        levels=levels,
        changes=[
            (detector.states[state].name, int(clock.available_at[row])) for state, _, row in moves
        ],
    )
    rows = [window.rows_holding(np.array([at]))[0] for _, at, _ in points]
    extreme = window.bars.low[anchor] if direction > 0 else window.bars.high[anchor]
    is_beside = detector.name in OFF_THE_BAR
    if is_beside:
        top = bottom = nan
    return DrawnEvent(
        detector=detector.name,
        type_name=kind.name,
        direction=direction,
        anchor_x=window.x_of(anchor),
        anchor_price=points[0][2] if points and int(rows[0]) == anchor else float(extreme),
        known_x=window.x_of(known),
        known_row=known,
        is_marked=known >= window.first,
        price=nan if is_beside else dict(levels).get(_TRIGGER, (top + bottom) / 2.0),
        top=top,
        bottom=bottom,
        points=tuple(
            (name, window.x_of(int(row)), price)
            for (name, _, price), row in zip(points, rows, strict=True)
        ),
        levels=levels,
        life=_life(found, window, known, moves) if detector.states and not isnan(top) else (),
        changes=tuple(
            Change(window.x_of(row), phase_of(detector.states[state]), "\n".join(lines))
            for state, row, _ in moves
            if row >= window.first
        ),
        text="\n".join(lines),
    )


def _life(
    found: HeadEvents, window: Window, known: int, moves: Sequence[tuple[int, int, int]]
) -> tuple[Stretch, ...]:
    """What a zone looked like from when it was known to its end, or to that of the window."""
    states = found.detector.states
    stretches: list[Stretch] = []
    start, look = known, FRESH
    for state, row, _ in [*moves, (-1, window.stop, -1)]:
        end = row
        if end > max(start, window.first):
            left = max(window.x_of(start), window.left)
            right = window.right if state < 0 else window.x_of(end)
            if stretches and stretches[-1].look == look:
                left = stretches.pop().start
            stretches.append(Stretch(left, right, look))
        if state < 0 or states[state].ends:
            break
        start, look = row, look_after(look, states[state])
    return tuple(stretches)


def _last_rows(found: HeadEvents, changed: Int1D, ends: np.ndarray, stop: int) -> Int1D:
    """The row on which each event is over, ``stop`` for one that is not."""
    last = np.full(len(found.table), stop, dtype=np.int64)
    over = ends[found.table.change_state] if len(ends) else np.zeros(0, dtype=np.bool_)
    # The first of several endings counts: whatever is entered a second time cannot end again.
    np.minimum.at(last, found.table.change_event[over], changed[over])
    return last


def _changes_by_event(change_event: Int1D, count: int) -> list[Int1D]:
    order = np.argsort(change_event, kind="stable")
    bounds = np.searchsorted(change_event[order], np.arange(count + 1))
    return [order[bounds[event] : bounds[event + 1]] for event in range(count)]
