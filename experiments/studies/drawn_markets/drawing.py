"""A drawn market with the events that it was drawn to contain, and what differs from what was found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import Bars, Bool1D, Float1D, Market
from engine.timeframe import timeframe_ns
from indicators import DETECTORS_BY_NAME, Detection, EventTable, detection, find_events

from .canvas import Canvas

NOON_IN_NEW_YORK: Final = "2024-01-10T17:00"
"""Seven hours of one-minute bars from here lie inside one day and outside every session's range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of a drawing, or one that a detector found.

    ``changes`` are (state, row). Of an expected event, an ``anchor``, ``top``, ``bottom`` or ``measure``
    of None is not compared, and ``changes`` of None say that its later life is left open.
    """

    type: str
    direction: int
    known: int
    anchor: int | None = None
    top: float | None = None
    bottom: float | None = None
    measure: float | None = None
    changes: tuple[tuple[str, int], ...] | None = ()

    def answers(self, expected: "Event") -> bool:
        """Whether this found event is ``expected`` in everything that the drawing states of it."""
        return (
            (self.type, self.direction, self.known)
            == (expected.type, expected.direction, expected.known)
            and (expected.anchor is None or expected.anchor == self.anchor)
            and _same_number(self.top, expected.top)
            and _same_number(self.bottom, expected.bottom)
            and _same_number(self.measure, expected.measure)
            and (expected.changes is None or _life(expected) == _life(self))
        )


def _life(event: Event) -> list[tuple[int, str]]:
    """The changes of an event in the order of rows; those of one row in any one order."""
    return sorted((row, state) for state, row in event.changes or ())


def _same_number(found: float | None, expected: float | None) -> bool:
    if expected is None:
        return True
    # Edges are sums of a few drawn prices around 100; mirrored prices are off by their last digits.
    return found is not None and abs(found - expected) < 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """A market as drawn: columns ``(T,)``, and every event of ``types`` that it contains.

    ``types`` are the event types of the detector that are compared; an event known before row
    ``begins`` belongs to the lead-in and is not. ``states`` are the states that are compared, all of
    them when empty. ``misses`` says which rule a near miss just fails; such a drawing expects none of
    the events that it nearly contains. ``just_made`` marks a drawing that is as near to the border of a
    rule on the other side.
    """

    name: str
    detector: str
    types: tuple[str, ...]
    columns: Mapping[str, Float1D]
    expected: tuple[Event, ...]
    begins: int = 0
    states: tuple[str, ...] = ()
    timeframe: str = "1m"
    start: str = NOON_IN_NEW_YORK
    misses: str = ""
    just_made: bool = False

    def bars(self) -> Bars:
        """The drawing as bars of one symbol without a gap."""
        step = timeframe_ns(self.timeframe)
        first = np.datetime64(self.start, "ns").astype(np.int64)
        count = len(self.columns["close"])
        return Bars(
            symbol="DRAWN",
            timeframe=self.timeframe,
            open_time=first + step * np.arange(count, dtype=np.int64),
            is_gap=self._no_gap(count),
            **{name: self.columns[name] for name in ("open", "high", "low", "close", "volume")},
        )

    @staticmethod
    def _no_gap(count: int) -> Bool1D:
        return np.zeros(count, dtype=np.bool_)

    def found(self) -> list[Event]:
        """What the detector finds in it, of ``types`` and from ``begins`` on, in the order of known."""
        return [
            event
            for event in found_events(self.bars(), detection(self.detector))
            if event.type in self.types and event.known >= self.begins
        ]

    def differences(self) -> list[str]:
        """One line for each expected event that was not found so, and for each found beside them.

        Events of one row may come in any order; the order of the rows is that of the table.
        """
        missing: list[Event] = []
        others = [self._compared(event) for event in self.found()]
        for expected in self.expected:
            answer = next((event for event in others if event.answers(expected)), None)
            if answer is None:
                missing.append(expected)
            else:
                others.remove(answer)
        lines = [f"expected and not found: {event}" for event in missing]
        return lines + [f"found and not expected: {event}" for event in others]

    def _compared(self, event: Event) -> Event:
        if not self.states or event.changes is None:
            return event
        changes = tuple(change for change in event.changes if change[0] in self.states)
        return replace(event, changes=changes)

    def mirrored(
        self, types: Mapping[str, str], states: Mapping[str, str] | None = None
    ) -> "Drawing":
        """The drawing upside down: prices turned about the first open, directions and names with them.

        ``types`` and ``states`` give the names that are another upside down.
        """
        pivot = 2.0 * float(self.columns["open"][0])
        state_names = states or {}
        columns = {
            "open": pivot - self.columns["open"],
            "high": pivot - self.columns["low"],
            "low": pivot - self.columns["high"],
            "close": pivot - self.columns["close"],
            "volume": self.columns["volume"],
        }
        expected = tuple(
            replace(
                event,
                type=types.get(event.type, event.type),
                direction=-event.direction,
                top=None if event.bottom is None else pivot - event.bottom,
                bottom=None if event.top is None else pivot - event.top,
                changes=None
                if event.changes is None
                else tuple((state_names.get(state, state), row) for state, row in event.changes),
            )
            for event in self.expected
        )
        return replace(
            self,
            name=f"{self.name}, mirrored",
            types=tuple(types.get(name, name) for name in self.types),
            columns=columns,
            expected=expected,
        )


def found_events(bars: Bars, wanted: Detection) -> Iterator[Event]:
    """Every event of one detection on ``bars``, in the order of known."""
    found = find_events(Market(bars=bars), [wanted], detectors=DETECTORS_BY_NAME)[wanted]
    detector, table = found.detector, found.table
    states = [state.name for state in detector.states]
    lives = _lives(table, states)
    for number in range(len(table)):
        yield Event(
            type=detector.types[table.type[number]].name,
            direction=int(table.direction[number]),
            known=int(table.known[number]),
            anchor=int(table.anchor[number]),
            top=float(table.top[number]),
            bottom=float(table.bottom[number]),
            measure=float(table.measure[number]),
            changes=tuple(lives[number]),
        )


def _lives(table: EventTable, states: Sequence[str]) -> list[list[tuple[str, int]]]:
    lives: list[list[tuple[str, int]]] = [[] for _ in range(len(table))]
    for event, state, row in zip(
        table.change_event, table.change_state, table.change_row, strict=True
    ):
        lives[int(event)].append((states[int(state)], int(row)))
    return lives


def both_ways(
    drawing: Drawing,
    types: Mapping[str, str] | None = None,
    states: Mapping[str, str] | None = None,
) -> tuple[Drawing, Drawing]:
    """The drawing and the same upside down."""
    return drawing, drawing.mirrored(types or {}, states)


def drawn(
    canvas: Canvas,
    name: str,
    detector: str,
    expected: Sequence[Event],
    *,
    types: Sequence[str],
    begins: int,
    states: tuple[str, ...] = (),
    timeframe: str = "1m",
    start: str = NOON_IN_NEW_YORK,
    misses: str = "",
) -> Drawing:
    """The canvas as a drawing."""
    return Drawing(
        name=name,
        detector=detector,
        types=tuple(types),
        columns=canvas.columns(),
        expected=tuple(expected),
        begins=begins,
        states=states,
        timeframe=timeframe,
        start=start,
        misses=misses,
    )
