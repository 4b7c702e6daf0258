"""How many drawn events are still found under noise, and how many near misses are then taken for events."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .drawing import Drawing, Event
from .noise import noisy

LEVELS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Noise in average true ranges."""
SEEDS: Final = tuple(range(10))
NEAR_ROWS: Final = 5
"""An event is found when one of its type and side is known within so many rows of the drawn row: noise
moves a turning point, or the first close beyond a line, by a few bars."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of ``drawn`` were ``found`` (or, of near misses, were taken for events)."""

    found: int = 0
    drawn: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.found + other.found, self.drawn + other.drawn)

    @property
    def share(self) -> float:
        """``found`` over ``drawn``; 0 where nothing was drawn."""
        return self.found / self.drawn if self.drawn else 0.0


def _near(one: int, other: int) -> bool:
    return abs(one - other) <= NEAR_ROWS


def tallies(drawing: Drawing, found: Iterable[Event]) -> Iterator[tuple[str, Tally]]:
    """A tally for each expected event of ``drawing``, and for each change of its state.

    Every found event answers at most one expected event, the one of its type and side nearest to it.
    A change is named ``type: state``.
    """
    left = list(found)
    for expected in drawing.expected:
        answers = [
            event
            for event in left
            if (event.type, event.direction) == (expected.type, expected.direction)
            and _near(event.known, expected.known)
        ]
        answer = min(answers, key=lambda event: abs(event.known - expected.known), default=None)
        if answer is not None:
            left.remove(answer)
        yield expected.type, Tally(int(answer is not None), 1)
        seen = () if answer is None or answer.changes is None else answer.changes
        for state, row in expected.changes or ():
            kept = any(state == other and _near(row, at) for other, at in seen)
            yield f"{expected.type}: {state}", Tally(int(kept), 1)


def recall(
    drawn: Sequence[Drawing], levels: Sequence[float] = LEVELS, seeds: Sequence[int] = SEEDS
) -> dict[tuple[str, str], list[Tally]]:
    """Recall by (detector, event type or change of state), of ``drawn`` without its near misses."""
    curve: dict[tuple[str, str], list[Tally]] = {}
    for drawing in drawn:
        if drawing.misses:
            continue
        for number, level in enumerate(levels):
            # Without noise every seed draws the same market.
            for seed in seeds if level else seeds[:1]:
                for name, tally in tallies(drawing, noisy(drawing, level, seed).found()):
                    line = curve.setdefault((drawing.detector, name), [Tally()] * len(levels))
                    line[number] += tally
    # Detector by detector, and the states of an event behind it.
    order = {key: number for number, key in enumerate(curve)}
    detectors = {detector: number for number, (detector, _name) in reversed([*enumerate(curve)])}
    return dict(
        sorted(
            curve.items(),
            key=lambda item: (
                detectors[item[0][0]],
                order[item[0][0], item[0][1].split(":")[0]],
                order[item[0]],
            ),
        )
    )


def false_alarms(
    drawn: Sequence[Drawing], levels: Sequence[float] = LEVELS, seeds: Sequence[int] = SEEDS
) -> dict[str, list[Tally]]:
    """Near misses, by detector, in which events were found that the drawing does not contain."""
    curve: dict[str, list[Tally]] = {}
    for drawing in drawn:
        if not drawing.misses:
            continue
        for number, level in enumerate(levels):
            for seed in seeds if level else seeds[:1]:
                beside = len(noisy(drawing, level, seed).found()) > len(drawing.expected)
                line = curve.setdefault(drawing.detector, [Tally()] * len(levels))
                line[number] += Tally(int(beside), 1)
    return curve


def together(lines: Collection[Sequence[Tally]]) -> list[Tally]:
    """All lines of a curve, level by level."""
    return [
        sum((line[level] for line in lines), Tally()) for level in range(len(next(iter(lines))))
    ]
