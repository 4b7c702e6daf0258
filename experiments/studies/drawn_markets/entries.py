"""Optimal trade entries: the zone of a leg that broke the structure with displacement."""

from collections.abc import Iterator

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .structure import displacement
from .swings import LEAD, WAIT, risen


def entry_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for entry in (_entry(invalid=True), _entry(invalid=False), _entry_without_displacement()):
        yield from both_ways(entry)


def _entry_leg(canvas: Canvas, *, displaced: bool) -> tuple[int, int]:
    """A high of 105, a low of 101 and a leg to 109 that breaks the high; rows of its low and high."""
    canvas.leg(105.0, 14)
    low = canvas.leg(101.0, 12)
    canvas.leg_to_close(103.0, 5)
    if displaced:
        displacement(canvas)
    return low, canvas.leg(109.0, 14)


def _entry(*, invalid: bool) -> Drawing:
    """A return into the zone of the leg, and on through the base of the leg or to a further high."""
    canvas = risen()
    low, high = _entry_leg(canvas, displaced=True)
    top = canvas.high(high) - 0.62 * (canvas.high(high) - canvas.low(low))
    bottom = canvas.high(high) - 0.79 * (canvas.high(high) - canvas.low(low))
    begin = len(canvas)
    if invalid:
        canvas.leg(100.0, 26)
    else:
        canvas.leg(103.3, 18)
        canvas.leg(108.5, 16)
        canvas.leg(104.5, 12)
    entered = canvas.first(begin, lambda row: canvas.low(row) <= top)
    changes = [("entered", entered)]
    if invalid:
        base = canvas.low(low)
        changes.append(("invalid", canvas.first(begin, lambda row: canvas.close(row) < base)))
    event = Event(
        type="optimal_trade_entry",
        direction=1,
        known=high + WAIT,
        top=top,
        bottom=bottom,
        changes=tuple(changes),
    )
    return drawn(
        canvas,
        "a trade entry whose leg fails" if invalid else "a trade entry that is taken",
        "optimal_trade_entry",
        [event],
        types=("optimal_trade_entry",),
        begins=LEAD,
        states=("entered", "invalid"),
    )


def _entry_without_displacement() -> Drawing:
    canvas = risen()
    _entry_leg(canvas, displaced=False)
    canvas.leg(103.0, 18)
    return drawn(
        canvas,
        "a leg without displacement",
        "optimal_trade_entry",
        [],
        types=("optimal_trade_entry",),
        begins=LEAD,
        misses="the leg that breaks the high leaves no gap",
    )
