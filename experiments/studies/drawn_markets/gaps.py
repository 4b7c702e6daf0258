"""Fair value gaps from their first touch to their inversion, and balanced price ranges."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .structure import displacement
from .swings import LEAD, risen

LIFE: Final = 200
"""Bars that a gap may live after it became known; it is over on the row behind the last of them."""
MOST_APART: Final = 20
"""Bars between the two gaps of a balanced price range."""


def gap_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for gap in (
        _life_of_a_gap(),
        _filled_at_once(closes_below=False),
        _filled_at_once(closes_below=True),
        _expired(),
        *_gaps_just_missed(),
        *_gaps_just_made(),
        _balanced_range(),
        _balanced_through_an_inverted_gap(),
        _balanced_after(MOST_APART),
        _balanced_after(MOST_APART + 1),
        _gaps_beside_each_other(),
    ):
        yield from both_ways(gap)


def gap_above(canvas: Canvas, row: int) -> Event:
    """The gap between the high of ``row`` and the low two rows later."""
    return Event(
        type="fair_value_gap",
        direction=1,
        known=row + 2,
        anchor=row,
        top=canvas.low(row + 2),
        bottom=canvas.high(row),
    )


def _gap(canvas: Canvas, name: str, expected: list[Event], misses: str = "") -> Drawing:
    return drawn(
        canvas,
        name,
        "fair_value_gap",
        expected,
        types=("fair_value_gap",),
        begins=LEAD,
        misses=misses,
    )


def _with_gap() -> tuple[Canvas, Event, float]:
    """A gap above the price of 100 and three bars that leave it; the canvas, the gap and the price."""
    canvas = risen()
    price = canvas.price
    before = canvas.row
    displacement(canvas)
    event = gap_above(canvas, before)
    canvas.drift(0.3, 3)
    return canvas, event, price


def _life_of_a_gap() -> Drawing:
    canvas, event, price = _with_gap()
    # The zone is [100.475, 101.2], its middle 100.8375. Every bar overlaps with the one before the last.
    touched = canvas.bar(high=price + 2.7, low=price + 1.1, close=price + 1.5)
    half = canvas.bar(high=price + 2.2, low=price + 0.7, close=price + 1.2)
    filled = canvas.bar(high=price + 1.3, low=price + 0.4, close=price + 0.9)
    inverted = canvas.bar(high=price + 1.0, low=price - 0.2, close=price + 0.2)
    canvas.drift(-0.1, 4)
    changes = (("touched", touched), ("half", half), ("filled", filled), ("inverted", inverted))
    return _gap(canvas, "the life of a gap", [replace(event, changes=changes)])


def _filled_at_once(*, closes_below: bool) -> Drawing:
    canvas, event, price = _with_gap()
    close = price + (0.3 if closes_below else 0.6)
    row = canvas.bar(high=price + 2.7, low=price + 0.1, close=close)
    canvas.bar(high=price + 2.2, low=price + 0.1, close=price + 0.35)
    canvas.bar(high=price + 1.0, low=price + 0.1, close=price + 0.3)
    states = ["touched", "half", "filled"]
    changes = [(state, row) for state in states]
    changes.append(("inverted", row if closes_below else row + 1))
    name = "a gap filled and inverted" if closes_below else "a gap filled and later inverted"
    return _gap(canvas, f"{name} by one bar", [replace(event, changes=tuple(changes))])


def _expired() -> Drawing:
    canvas, event, _price = _with_gap()
    canvas.drift(0.05, LIFE + 10)
    changes = (("expired", event.known + LIFE + 1),)
    return _gap(canvas, "a gap that is never touched", [replace(event, changes=changes)])


def _three_bars(
    *, high: float, low: float, close: float, third_low: float, third_high: float
) -> Canvas:
    """A middle and a third bar after the lead-in, prices from the last close of it."""
    canvas = risen()
    price = canvas.price
    canvas.bar(high=price + high, low=price + low, close=price + close)
    third = (third_low + third_high) / 2.0
    canvas.bar(high=price + third_high, low=price + third_low, close=price + max(close, third))
    canvas.drift(0.1, 3)
    canvas.leg(canvas.price - 6.0, 16)
    return canvas


def _gaps_just_missed() -> Iterator[Drawing]:
    # The high of the first of the three bars lies 0.475 above the last close of the lead-in.
    first_high = 0.475
    yield _gap(
        _three_bars(high=1.7, low=-0.1, close=1.6, third_low=first_high, third_high=2.2),
        "bars that meet",
        [],
        misses="the third low is the first high",
    )
    yield _gap(
        _three_bars(high=1.7, low=-0.1, close=1.6, third_low=first_high + 0.09, third_high=2.2),
        "a gap of 0.09 ATR",
        [],
        misses="it is smaller than 0.1 ATR",
    )
    yield _gap(
        _three_bars(high=1.55, low=-0.45, close=0.95, third_low=0.8, third_high=1.8),
        "a gap after a bar of long wicks",
        [],
        misses="the body of the middle bar is 0.475 of its range",
    )
    yield _gap(
        _three_bars(high=0.92, low=-0.03, close=0.9, third_low=0.85, third_high=1.85),
        "a gap after a small bar",
        [],
        misses="the range of the middle bar is 0.95 ATR",
    )


def _gaps_just_made() -> Iterator[Drawing]:
    first_high = 0.475
    for name, canvas in (
        (
            "a gap of 0.11 ATR",
            _three_bars(high=1.7, low=-0.1, close=1.6, third_low=first_high + 0.12, third_high=2.2),
        ),
        (
            "a gap after a bar that is 0.525 body",
            _three_bars(high=1.5, low=-0.4, close=1.0, third_low=0.8, third_high=1.8),
        ),
        (
            "a gap after a bar of 1.06 ATR",
            _three_bars(high=1.01, low=-0.05, close=0.95, third_low=0.85, third_high=1.85),
        ),
    ):
        gap = replace(gap_above(canvas, LEAD - 1), changes=None)
        yield replace(_gap(canvas, name, [gap]), just_made=True)


def _displacement_down(canvas: Canvas) -> float:
    """A gap of [-1.2, -0.525] under the price before it; that price."""
    price = canvas.price
    canvas.bar(high=price + 0.1, low=price - 1.7, close=price - 1.6)
    canvas.bar(high=price - 1.2, low=price - 2.2, close=price - 1.75)
    return price


def _balanced(canvas: Canvas, name: str, expected: list[Event], misses: str = "") -> Drawing:
    return drawn(
        canvas,
        name,
        "balanced_price_range",
        expected,
        types=("balanced_price_range",),
        begins=LEAD,
        misses=misses,
    )


def _returned(canvas: Canvas, price: float) -> Event:
    """A gap upwards into the gap downwards, which it does not fill; the range that both share."""
    canvas.bar(high=price - 0.58, low=canvas.price - 0.1, close=price - 0.65)
    known = canvas.bar(high=price - 0.55, low=price - 0.85, close=price - 0.6)
    canvas.bar(high=price + 0.2, low=price - 0.75, close=price - 0.1)
    return Event(
        type="balanced_price_range",
        direction=1,
        known=known,
        top=price - 0.85,
        bottom=price - 1.2,
    )


def _balanced_range() -> Drawing:
    canvas = risen()
    price = _displacement_down(canvas)
    canvas.drift(-0.05, 5)
    event = _returned(canvas, price)
    canvas.drift(0.3, 4)
    # The shared range is [-1.2, -0.85] from the price before, its middle -1.025.
    touched = canvas.bar(high=canvas.price + 0.1, low=price - 0.9, close=price - 0.5)
    half = canvas.bar(high=price + 0.3, low=price - 1.1, close=price - 0.7)
    filled = canvas.bar(high=price - 0.5, low=price - 1.25, close=price - 0.9)
    removed = canvas.bar(high=price - 0.6, low=price - 1.9, close=price - 1.5)
    canvas.drift(-0.1, 4)
    changes = (("touched", touched), ("half", half), ("filled", filled), ("removed", removed))
    return _balanced(canvas, "a balanced price range", [replace(event, changes=changes)])


def _balanced_through_an_inverted_gap() -> Drawing:
    canvas = risen()
    price = _displacement_down(canvas)
    canvas.drift(-0.05, 5)
    canvas.bar(high=price - 0.3, low=canvas.price - 0.1, close=price - 0.4)
    known = canvas.bar(high=price + 0.2, low=price - 0.8, close=price - 0.25)
    canvas.drift(0.3, 4)
    event = Event(
        type="balanced_price_range",
        direction=1,
        known=known,
        top=price - 0.8,
        bottom=price - 1.2,
    )
    return _balanced(canvas, "a balanced price range whose first gap was closed through", [event])


def _balanced_after(bars: int) -> Drawing:
    """The second gap is known ``bars`` bars after the first one."""
    canvas = risen()
    price = _displacement_down(canvas)
    canvas.drift(-0.02, bars - 2)
    event = _returned(canvas, price)
    canvas.drift(0.3, 4)
    late = bars > MOST_APART
    return _balanced(
        canvas,
        f"gaps {bars} bars apart",
        [] if late else [event],
        misses="the second gap comes 21 bars after the first" if late else "",
    )


def _gaps_beside_each_other() -> Drawing:
    canvas = risen()
    price = _displacement_down(canvas)
    canvas.drift(-0.05, 8)
    bottom = canvas.price
    # The gap upwards ends at -1.25, under the gap downwards.
    canvas.bar(high=price - 0.4, low=bottom - 0.1, close=price - 0.5)
    canvas.bar(high=price - 0.3, low=price - 1.25, close=price - 0.6)
    canvas.drift(-0.1, 4)
    return _balanced(
        canvas,
        "gaps beside each other",
        [],
        misses="the gaps do not overlap: one ends at -1.25, the other begins at -1.2",
    )
