"""Order blocks: the last candle against a break, its mitigation, its breaker and its end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .structure import broken, fallen_structure, shifted_structure
from .swings import LEAD, risen

FALL: Final = ("touched", "consumed", "breaker")
"""States that the blocks of a fall are compared in: when a rally that never left a breaker's zone visits it
is not said."""


def block_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for drawing in (
        _life_of_a_block(),
        _block_inside_the_leg(),
        _block_of_a_shift(late=False),
        _block_of_a_shift(late=True),
        _change_without_a_gap(),
        _no_candle_against_the_leg(),
        _no_break(),
    ):
        yield from both_ways(drawing)


def _blocks(
    canvas: Canvas,
    name: str,
    expected: list[Event],
    misses: str = "",
    states: tuple[str, ...] = (),
) -> Drawing:
    return drawn(
        canvas,
        name,
        "order_block",
        expected,
        types=("order_block",),
        begins=LEAD,
        misses=misses,
        states=states,
    )


def block(canvas: Canvas, candle: int, known: int, *, up: bool) -> Event:
    """The block of the candle in row ``candle``, known with the break in row ``known``."""
    return Event(
        type="order_block",
        direction=1 if up else -1,
        anchor=candle,
        known=known,
        top=canvas.high(candle),
        bottom=canvas.low(candle),
    )


def _broken_upwards(canvas: Canvas) -> tuple[Event, int]:
    """A high of 105, a low of 101 and a leg to 108 that breaks the high; the block and the low's row."""
    high = canvas.leg(105.0, 14)
    low = canvas.leg(101.0, 12)
    canvas.leg(108.0, 18)
    return block(canvas, low, broken(canvas, "bos", high, low, up=True).known, up=True), low


def _life_of_a_block() -> Drawing:
    canvas = risen()
    event, low = _broken_upwards(canvas)
    top, bottom = canvas.high(low), canvas.low(low)
    begin = len(canvas)
    canvas.leg_to_close(101.9, 14)
    # One bar leaves the zone downwards, and those after it do not reach back; the long wick before it
    # keeps it from leaving a gap, which would make a structure shift with a block of its own.
    canvas.bar(high=102.0, low=100.85, close=101.6)
    broken_row = canvas.bar(high=101.8, low=99.9, close=100.3)
    touched = canvas.first(begin, lambda row: canvas.low(row) <= top)
    canvas.drift(-0.05, 3)
    returned = canvas.bar(high=bottom + 0.3, low=canvas.price - 0.2, close=bottom - 0.2)
    canvas.bar(high=bottom - 0.05, low=bottom - 0.8, close=bottom - 0.4)
    removed = canvas.bar(high=top + 0.4, low=bottom - 0.5, close=top + 0.2)
    canvas.drift(-0.1, 2)
    changes = (
        ("touched", touched),
        ("consumed", touched),
        ("breaker", broken_row),
        ("breaker_touched", returned),
        ("removed", removed),
    )
    return _blocks(canvas, "the life of an order block", [replace(event, changes=changes)])


def _block_inside_the_leg() -> Drawing:
    canvas = risen()
    high = canvas.leg(105.0, 14)
    low = canvas.leg(101.0, 12)
    canvas.leg_to_close(103.5, 6)
    candle = canvas.bar(high=103.7, low=102.9, close=103.2)
    canvas.leg(108.0, 14)
    known = broken(canvas, "bos", high, low, up=True).known
    canvas.drift(-0.1, 4)
    return _blocks(canvas, "the last candle against a leg", [block(canvas, candle, known, up=True)])


def _blocks_of_the_fall(canvas: Canvas, breaks: list[Event], low: int) -> list[Event]:
    """The blocks of the two breaks downwards: the candles of the highs of 103.5 and 100.

    The rally reaches the second of them and closes above it.
    """
    highs = [row for row in range(LEAD, low) if canvas.high(row) in (103.5, 100.0)]
    first, second = (
        block(canvas, candle, event.known, up=False)
        for candle, event in zip(highs, breaks, strict=True)
    )
    begin = second.known + 1
    bottom, top = canvas.low(highs[1]), canvas.high(highs[1])
    touched = canvas.first(begin, lambda row: canvas.high(row) >= bottom)
    closed_above = canvas.first(begin, lambda row: canvas.close(row) > top)
    changes = (("touched", touched), ("consumed", touched), ("breaker", closed_above))
    return [first, replace(second, changes=changes)]


def _block_of_a_shift(*, late: bool) -> Drawing:
    """Two breaks downwards, each with its block, and a shift upwards with the block of its low."""
    canvas = risen()
    breaks, low, _, known = shifted_structure(canvas, late=late)
    expected = _blocks_of_the_fall(canvas, breaks, low)
    expected.append(block(canvas, low, known, up=True))
    when = "one bar after the break" if late else "with the break"
    return _blocks(
        canvas,
        f"the order block of a structure shift known {when}",
        expected,
        states=FALL,
    )


def _change_without_a_gap() -> Drawing:
    canvas = risen()
    breaks, _high, low = fallen_structure(canvas)
    canvas.leg(101.5, 18)
    canvas.drift(-0.1, 4)
    expected = _blocks_of_the_fall(canvas, breaks, low)
    return _blocks(
        canvas,
        "a change of character without displacement",
        expected,
        misses="no block upwards: the leg that breaks the high leaves no gap",
        states=FALL,
    )


def _no_candle_against_the_leg() -> Drawing:
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.leg(102.0, 10)
    canvas.bar(high=canvas.price + 0.3, low=101.0, close=canvas.price + 0.1)
    canvas.leg(108.0, 18)
    canvas.drift(-0.1, 4)
    return _blocks(
        canvas,
        "a leg without a candle against it",
        [],
        misses="the candle of the low rises, and so does every candle up to the break",
    )


def _no_break() -> Drawing:
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    canvas.leg(104.8, 10)
    canvas.bar(high=105.6, low=canvas.price - 0.2, close=104.99)
    canvas.leg(102.0, 10)
    return _blocks(canvas, "a high passed by a wick", [], misses="no close breaks the structure")
