"""Closes that break the structure of swings: BOS, CHoCH, MSS."""

from collections.abc import Iterator
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .swings import LEAD, risen

STRUCTURE: Final = ("bos", "choch", "mss")


def structure_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for structure in (
        _breaks(),
        _shift(late=False),
        _shift(late=True),
        _shift_too_late(),
        _break_with_a_gap(),
        _break_by_wick(),
        _close_at_the_level(),
        _broken_once(),
        _pivot_exceeded_before_it_is_known(),
    ):
        yield from both_ways(structure)


def broken(canvas: Canvas, type: str, level_row: int, begin: int, *, up: bool) -> Event:
    """The first close from ``begin`` on beyond the extreme of ``level_row``."""
    level = canvas.high(level_row) if up else canvas.low(level_row)
    known = canvas.first(
        begin, lambda row: canvas.close(row) > level if up else canvas.close(row) < level
    )
    return Event(
        type=type,
        direction=1 if up else -1,
        known=known,
        top=level,
        bottom=level,
    )


def _structure(canvas: Canvas, name: str, expected: list[Event], misses: str = "") -> Drawing:
    return drawn(canvas, name, "structure", expected, types=STRUCTURE, begins=LEAD, misses=misses)


def _breaks() -> Drawing:
    canvas = risen()
    first = canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    second = canvas.leg(109.0, 20)
    canvas.leg(104.0, 14)
    canvas.leg(113.0, 22)
    third_low = canvas.leg(108.0, 14)
    canvas.leg(111.0, 10)
    fourth_low = canvas.leg(106.0, 14)
    fifth = canvas.leg(109.5, 12)
    canvas.leg(104.5, 14)
    canvas.leg(110.5, 16)
    expected = [
        broken(canvas, "bos", first, first + 1, up=True),
        broken(canvas, "bos", second, second + 1, up=True),
        broken(canvas, "choch", third_low, third_low + 1, up=False),
        broken(canvas, "bos", fourth_low, fourth_low + 1, up=False),
        broken(canvas, "choch", fifth, fifth + 1, up=True),
    ]
    return _structure(canvas, "breaks of structure and changes of character", expected)


def fallen_structure(canvas: Canvas) -> tuple[list[Event], int, int]:
    """Two breaks downwards from 100: their events, the row of the last high (at 100) and the last low."""
    canvas.leg(105.0, 14)
    first_low = canvas.leg(101.0, 12)
    canvas.leg(103.5, 9)
    second_low = canvas.leg(98.0, 16)
    high = canvas.leg(100.0, 8)
    low = canvas.leg(96.0, 12)
    events = [
        broken(canvas, "bos", first_low, first_low + 1, up=False),
        broken(canvas, "bos", second_low, second_low + 1, up=False),
    ]
    return events, high, low


def displacement(canvas: Canvas) -> int:
    """A long bar up and the bar after it, which leaves a gap under itself; the row of the long bar."""
    price = canvas.price
    row = canvas.bar(high=price + 1.7, low=price - 0.1, close=price + 1.6)
    canvas.bar(high=price + 2.2, low=price + 1.2, close=price + 1.75)
    return row


def shifted_structure(canvas: Canvas, *, late: bool) -> tuple[list[Event], int, Event, int]:
    """Draw ``fallen_structure`` and a break of its high with a gap, the shift of structure.

    Its two breaks, the row of the last low, the change of character, and the row on which the shift is
    known: that of the break, or the one after it where the gap is complete ``late``.
    """
    breaks, high, low = fallen_structure(canvas)
    # The long bar ends at 100.4 and breaks the high of 100 itself, or at 99.6 before the break.
    canvas.leg_to_close(98.8 if late else 98.0, 6)
    displacement(canvas)
    canvas.drift(0.4, 3)
    canvas.drift(-0.1, 4)
    change = broken(canvas, "choch", high, low, up=True)
    return breaks, low, change, change.known + (1 if late else 0)


def _shift(*, late: bool) -> Drawing:
    """A market structure shift whose gap is complete before the break, or one bar after it."""
    canvas = risen()
    expected, _, change, known = shifted_structure(canvas, late=late)
    shift = Event(type="mss", direction=1, anchor=change.known, known=known)
    name = "a market structure shift, its gap complete " + (
        "one bar after the break" if late else "before the break"
    )
    return _structure(canvas, name, [*expected, change, shift])


def _shift_too_late() -> Drawing:
    """The gap behind a change of character is complete two bars after the break."""
    canvas = risen()
    expected, high, low = fallen_structure(canvas)
    canvas.leg_to_close(99.9, 9)
    canvas.drift(0.3, 1)
    displacement(canvas)
    canvas.drift(0.1, 2)
    canvas.drift(-0.1, 4)
    change = broken(canvas, "choch", high, low, up=True)
    return _structure(
        canvas,
        "a gap that is complete two bars after the break",
        [*expected, change],
        misses="it is not of the leg that breaks the high",
    )


def _break_with_a_gap() -> Drawing:
    """With the trend a gap makes no shift: the break is one of structure."""
    canvas = risen()
    high = canvas.leg(105.0, 14)
    low = canvas.leg(101.0, 12)
    canvas.leg_to_close(103.0, 5)
    displacement(canvas)
    canvas.leg(107.0, 10)
    canvas.drift(-0.1, 4)
    event = broken(canvas, "bos", high, low, up=True)
    return _structure(canvas, "a break of structure with a gap", [event])


def _wick_beyond(name: str, *, close: float, misses: str) -> Drawing:
    """A bar whose high lies beyond the level of 105 and whose close does not."""
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    canvas.leg(104.8, 10)
    canvas.bar(high=105.6, low=canvas.price - 0.2, close=close)
    canvas.leg(102.0, 10)
    return _structure(canvas, name, [], misses=misses)


def _break_by_wick() -> Drawing:
    return _wick_beyond(
        "a break by a wick",
        close=104.99,
        misses="the high lies beyond the level, the close under it",
    )


def _close_at_the_level() -> Drawing:
    return _wick_beyond(
        "a close at the level", close=105.0, misses="the close is the level, not beyond it"
    )


def _broken_once() -> Drawing:
    """A level that is closed above, lost and closed above again before another high is known."""
    canvas = risen()
    first = canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    canvas.leg_to_close(105.2, 11)
    canvas.drift(-0.2, 3)
    canvas.drift(0.3, 4)
    return _structure(
        canvas, "a level broken twice", [broken(canvas, "bos", first, first + 1, up=True)]
    )


def _pivot_exceeded_before_it_is_known() -> Drawing:
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.drift(-0.3, 3)
    canvas.bar(high=105.6, low=canvas.price - 0.2, close=105.4)
    canvas.drift(0.3, 8)
    return _structure(
        canvas,
        "a high passed four bars later",
        [],
        misses="the high is no pivot: it is passed before five bars have ended",
    )
