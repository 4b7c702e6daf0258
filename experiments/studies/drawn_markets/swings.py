"""Pivots, turns by closes, and the trend of swings."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn

WAIT: Final = 5
"""Bars after which a pivot P(5,5) is known."""
LEAD: Final = 60
"""Rows before a drawing begins; the slowest thing that the detectors here look at is ATR14."""
PIVOTS: Final = {"pivot_high": "pivot_low", "pivot_low": "pivot_high"}
TURNS: Final = {"turn_high": "turn_low", "turn_low": "turn_high"}
TRENDS: Final = {"trend_up": "trend_down", "trend_down": "trend_up"}
TREND_DIRECTIONS: Final = {"trend_up": 1, "trend_down": -1, "trend_mixed": 0}


LEAD_STEP: Final = 0.05
"""Three points in all: enough for the low of the first row to be confirmed within the lead-in."""


def risen(bars: int = LEAD) -> Canvas:
    """A market that has risen slowly and steadily, without a turn, at 100 when the drawing begins."""
    canvas = Canvas(100.0 - LEAD_STEP * bars)
    canvas.drift(LEAD_STEP, bars)
    return canvas


def swing_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    yield from both_ways(_zigzag_of_pivots(), PIVOTS)
    for pivots in (
        _plateau(),
        _exceeded(WAIT),
        _exceeded(WAIT + 1),
        _preceded(WAIT),
        _preceded(WAIT + 1),
    ):
        yield from both_ways(replace(pivots, just_made=True), PIVOTS)
    for turns in (_turns(), _turn_after_tall_bars(), _turn_too_small(), _turn_by_wick()):
        yield from both_ways(turns, TURNS)
    for trend in (_trend(), _level_highs()):
        yield from both_ways(trend, TRENDS)


def level_event(canvas: Canvas, row: int, type: str, known: int, *, high: bool) -> Event:
    """An event on the extreme of ``row``: a high argues for a fall, a low for a rise."""
    price = canvas.high(row) if high else canvas.low(row)
    return Event(
        type=type, direction=-1 if high else 1, anchor=row, known=known, top=price, bottom=price
    )


def pivot(canvas: Canvas, row: int, *, high: bool) -> Event:
    """The pivot P(5,5) of ``row``."""
    return level_event(canvas, row, "pivot_high" if high else "pivot_low", row + WAIT, high=high)


def _pivots(canvas: Canvas, name: str, expected: list[Event]) -> Drawing:
    return drawn(canvas, name, "pivot", expected, types=tuple(PIVOTS), begins=LEAD)


def _zigzag_of_pivots() -> Drawing:
    canvas = risen()
    turns = [canvas.leg(price, bars) for price, bars in ((105, 14), (101, 12), (108, 20), (106, 7))]
    canvas.leg(110.0, 11)
    expected = [pivot(canvas, row, high=number % 2 == 0) for number, row in enumerate(turns)]
    return _pivots(canvas, "pivots of a zigzag", expected)


def _plateau() -> Drawing:
    canvas = risen()
    top = canvas.leg(105.0, 14)
    canvas.drift(-0.3, 2)
    canvas.bar(high=105.0, low=canvas.price - 0.5, close=canvas.price - 0.2)
    canvas.leg(98.0, 16)
    return _pivots(canvas, "the first bar of a plateau", [pivot(canvas, top, high=True)])


def _exceeded(after: int) -> Drawing:
    """A high that is passed by a tick ``after`` bars later: five forbid the pivot, six do not."""
    canvas = risen()
    top = canvas.leg(105.0, 14)
    canvas.drift(-0.2, after - 1)
    passed = canvas.bar(high=105.01, low=canvas.price - 0.5, close=canvas.price - 0.2)
    canvas.leg(97.0, 16)
    rows = [passed] if after <= WAIT else [top, passed]
    return _pivots(
        canvas,
        f"a high passed by a tick {after} bars later",
        [pivot(canvas, row, high=True) for row in rows],
    )


def _preceded(by: int) -> Drawing:
    """A high that a bar ``by`` bars earlier reached by a tick more: five forbid the pivot, six do not."""
    canvas = risen()
    canvas.leg_to_close(103.0, 9)
    earlier = canvas.bar(high=105.01, low=canvas.price - 0.2, close=canvas.price + 0.2)
    canvas.drift(0.1, by - 1)
    top = canvas.bar(high=105.0, low=canvas.price - 0.2, close=canvas.price + 0.2)
    canvas.leg(97.0, 18)
    rows = [earlier] if by <= WAIT else [earlier, top]
    return _pivots(
        canvas,
        f"a high a tick under one {by} bars earlier",
        [pivot(canvas, row, high=True) for row in rows],
    )


def turned(canvas: Canvas, extreme: int, begin: int, *, high: bool) -> Event:
    """The turn at ``extreme``, known at the first close from ``begin`` on 2.5 ATR14 away from it."""
    atr = canvas.atr(14)
    known = canvas.first(
        begin,
        lambda row: (
            canvas.high(extreme) - canvas.close(row) >= 2.5 * atr[row]
            if high
            else canvas.close(row) - canvas.low(extreme) >= 2.5 * atr[row]
        ),
    )
    return level_event(canvas, extreme, "turn_high" if high else "turn_low", known, high=high)


def _turns() -> Drawing:
    canvas = risen()
    top = canvas.leg(106.0, 14)
    bottom = canvas.leg(100.0, 15)
    second = canvas.leg(104.0, 12)
    canvas.leg(99.0, 14)
    expected = [
        turned(canvas, top, top + 1, high=True),
        turned(canvas, bottom, bottom + 1, high=False),
        turned(canvas, second, second + 1, high=True),
    ]
    return drawn(canvas, "turns", "directional_change", expected, types=tuple(TURNS), begins=LEAD)


def _turn_after_tall_bars() -> Drawing:
    """A slow fall while the ATR comes down from tall bars: its length decides the row of the turn."""
    canvas = risen()
    top = canvas.leg(106.0, 14)
    for _ in range(4):
        canvas.bar(high=canvas.price + 0.3, low=canvas.price - 5.0, close=canvas.price - 0.2)
    canvas.drift(-0.1, 30)
    return drawn(
        canvas,
        "a turn after tall bars",
        "directional_change",
        [turned(canvas, top, top + 1, high=True)],
        types=tuple(TURNS),
        begins=LEAD,
    )


def _turn_too_small() -> Drawing:
    canvas = risen()
    top = canvas.leg(106.0, 14)
    canvas.drift(-0.4, 4)
    short = canvas.high(top) - 2.49
    canvas.bar(high=canvas.price + 0.3, low=short - 0.4, close=short)
    canvas.leg(108.0, 16)
    return drawn(
        canvas,
        "a reversal of less than 2.5 ATR",
        "directional_change",
        [],
        types=tuple(TURNS),
        begins=LEAD,
        misses="the close lies 2.49 ATR under the extreme",
    )


def _turn_by_wick() -> Drawing:
    canvas = risen()
    top = canvas.leg(106.0, 14)
    canvas.drift(-0.4, 3)
    canvas.bar(high=canvas.price + 0.1, low=canvas.high(top) - 3.0, close=canvas.price - 0.1)
    canvas.leg(108.0, 16)
    return drawn(
        canvas,
        "a reversal by a wick",
        "directional_change",
        [],
        types=tuple(TURNS),
        begins=LEAD,
        misses="the low lies 3 points under the extreme, the close 2",
    )


def _trend() -> Drawing:
    canvas = risen()
    path = ((105, 14), (101, 12), (108, 20), (104, 12), (107, 10), (102, 14), (110, 22), (105, 14))
    rows = [canvas.leg(price, bars) for price, bars in path]
    canvas.leg(112.0, 18)
    # Highs 105, 108, 107, 110 and lows 101, 104, 102, 105 in turn.
    changes = ((3, "trend_up"), (4, "trend_mixed"), (5, "trend_down"), (6, "trend_mixed"))
    expected = [
        Event(type=type, direction=TREND_DIRECTIONS[type], known=rows[number] + WAIT)
        for number, type in (*changes, (7, "trend_up"))
    ]
    return drawn(
        canvas,
        "the trend of swings",
        "market_trend",
        expected,
        types=tuple(TREND_DIRECTIONS),
        begins=LEAD,
    )


def _level_highs() -> Drawing:
    """A higher low between highs of one height: no trend."""
    canvas = risen()
    path = ((105.0, 14), (101.0, 12), (105.0, 12), (102.0, 10))
    rows = [canvas.leg(price, bars) for price, bars in path]
    canvas.leg(104.0, 9)
    return drawn(
        canvas,
        "level highs and a higher low",
        "market_trend",
        [Event(type="trend_mixed", direction=0, known=rows[3] + WAIT)],
        types=tuple(TREND_DIRECTIONS),
        begins=LEAD,
        misses="the second high is as high as the first, not higher",
    )
