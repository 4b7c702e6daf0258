"""What else the heads read: levels of pivots, waves and their volume, effort that has no result."""

from collections.abc import Iterator
from dataclasses import replace

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .swings import LEAD, WAIT, risen, turned

WAVES = {"rising_wave": "falling_wave", "falling_wave": "rising_wave"}


def effort_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    yield from both_ways(_waves(), WAVES)
    for drawing in (
        _levels(101.3),
        replace(_levels(101.48), just_made=True),
        _levels(101.52),
        _absorption("effort without result", volume=1.8),
        replace(_absorption("just enough effort", volume=1.2), just_made=True),
        _absorption("little effort", volume=1.1, misses="EVR is 1.2, below 1.5"),
        _absorption(
            "effort on a bar of 0.85 ATR", span=0.86, volume=1.8, misses="s is not under 0.8"
        ),
    ):
        yield from both_ways(drawing)


def _waves() -> Drawing:
    """Legs between turns of 2.5 ATR, each known when the turn at its end is."""
    canvas = risen()
    path = ((106.0, 14), (100.0, 15), (104.0, 12), (99.0, 14))
    volumes = (1.0, 0.7, 1.3, 0.9)
    rows = [
        canvas.leg(price, bars, volume) for (price, bars), volume in zip(path, volumes, strict=True)
    ]
    canvas.leg(103.0, 12)
    expected = []
    for number, row in enumerate(rows):
        up = number % 2 == 0
        known = turned(canvas, row, row + 1, high=up).known
        kind = "rising_wave" if up else "falling_wave"
        # The first wave begins before the drawing.
        legs = range(rows[number - 1] + 1, row + 1) if number else range(0)
        volume = sum(canvas.volume(one) for one in legs) if number else None
        expected.append(Event(type=kind, direction=1 if up else -1, known=known, measure=volume))
    return drawn(canvas, "waves", "weis_wave", expected, types=tuple(WAVES), begins=LEAD)


def _levels(second_low: float) -> Drawing:
    """Two highs a point apart and two lows: within 0.5 ATR they are one level, further apart two."""
    canvas = risen()
    path = ((105.0, 14), (101.0, 12), (104.0, 10), (second_low, 10))
    rows = [canvas.leg(price, bars) for price, bars in path]
    canvas.leg(second_low + 2.5, 9)
    expected = [
        Event(type="level", direction=0, known=row + WAIT, top=price, bottom=price, changes=None)
        for row, (price, _bars) in zip(rows, path, strict=True)
    ]
    one = second_low - 101.0 <= 0.5
    if one:
        expected[-1] = Event(
            type="level",
            direction=0,
            known=rows[-1] + WAIT,
            top=second_low,
            bottom=101.0,
            changes=None,
        )
    return drawn(
        canvas,
        f"a level of lows at 101 and {second_low}",
        "support_resistance",
        expected,
        types=("level",),
        begins=LEAD,
        misses="" if one else "the lows are 0.52 ATR apart",
    )


def _absorption(name: str, *, volume: float, span: float = 0.6, misses: str = "") -> Drawing:
    """A narrow bar that hardly moves after a slow rise on uneven volume.

    Volumes of 0.8 and 1.2 in turn have a standard deviation of 0.2 in their logarithm: 1.8 is 2.7 of them
    above the mean, 1.2 is 1.0, 1.1 is 0.5. The move is 0.6 deviations of the moves below theirs.
    """
    canvas = Canvas(100.0)
    # Fifty moves, each over an average true range of twenty bars.
    for number in range(100):
        canvas.drift(0.02 if number % 2 else 0.08, 1, 1.2 if (number // 2) % 2 else 0.8)
    row = canvas.bar(
        high=canvas.price + span / 2.0,
        low=canvas.price - span / 2.0,
        close=canvas.price + 0.03,
        volume=volume,
    )
    canvas.drift(0.05, 3)
    event = Event(type="absorption", direction=-1, known=row, anchor=row)
    return drawn(
        canvas,
        name,
        "effort_result",
        [] if misses else [event],
        types=("absorption",),
        begins=row,
        misses=misses,
    )
