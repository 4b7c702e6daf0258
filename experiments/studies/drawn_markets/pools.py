"""Liquidity: pools above highs and under lows, what sweeps them and what breaks them, inducement."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .swings import LEAD, WAIT, level_event, risen

WIDTH: Final = 0.15
"""Lows within so many ATR of each other are equal."""
SWING: Final = ("swing_pool",)
OUTCOMES: Final = ("swept", "broken")
TOO_LATE: Final = 3
"""Bars after a breach within which a close back beyond the level still makes a sweep."""


@dataclass(frozen=True, slots=True)
class Return:
    """A breach of a level by ``depth`` points and the close back beyond it ``later`` bars after.

    ``at_level`` closes on the level itself. 0.4 points are well inside 1.5 ATR of a market whose bars are
    one point high; 1.8 are outside it even when the long bar itself has raised the ATR by a tenth.
    """

    name: str
    later: int = 0
    depth: float = 0.4
    at_level: bool = False
    misses: str = ""
    just_made: bool = False

    def life(self, breached: int, returned: int) -> tuple[tuple[str, int], ...]:
        """What becomes of the pool: swept on the return, or broken once that cannot be any more."""
        if self.depth < 0.05:
            return ()
        if not self.misses:
            return (("swept", returned),)
        deep = self.depth > 1.5
        return (("broken", breached if deep else breached + TOO_LATE),)


RETURNS: Final = (
    Return("a sweep within one bar"),
    Return("a sweep that takes three bars", later=TOO_LATE),
    Return("a return after four bars", later=TOO_LATE + 1, misses="it comes one bar too late"),
    Return("a breach of 1.8 ATR", depth=1.8, misses="it is deeper than 1.5 ATR"),
    Return("a breach of 1.4 ATR", depth=1.4, just_made=True),
    Return("a breach of 0.054 ATR", depth=0.054, just_made=True),
    Return("a breach of 0.04 ATR", depth=0.04, misses="it is no deeper than 0.05 ATR"),
    Return("a close at the level", at_level=True, misses="the close is the level, not above it"),
)


def pool_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for back in RETURNS:
        for drawing in _swept(back):
            yield from both_ways(replace(drawing, just_made=back.just_made))
        # A low that hardly passes equal lows is a further equal one.
        if back.depth > WIDTH:
            yield from both_ways(replace(_equal_pool(back, 0.1), just_made=back.just_made))
    for drawing in (
        replace(_equal_pool(RETURNS[0], WIDTH - 0.01), just_made=True),
        _sweep_of_an_equal_pool(),
        *_lows_apart(),
        _nearly_equal_lows(),
        _equal_lows_far_apart(),
        _inducement(),
        _no_inducement(),
        _major_low_swept_too(),
    ):
        yield from both_ways(drawing)


def breach(canvas: Canvas, level: float, back: Return) -> tuple[int, int]:
    """Bars from above ``level`` through it and back, and one that moves away; breach's and return's row."""
    close = level if back.at_level else level + 0.3
    breached = len(canvas)
    depth = back.depth
    if back.later == 0:
        canvas.bar(high=canvas.price + 0.1, low=level - depth, close=close)
    else:
        canvas.bar(high=canvas.price + 0.1, low=level - depth, close=level - depth / 2.0)
        for _ in range(back.later - 1):
            canvas.bar(high=level + 0.4, low=level - depth * 0.9, close=level - depth / 2.0)
        canvas.bar(high=level + 0.6, low=level - depth * 0.9, close=close)
    returned = canvas.row
    if back.at_level:
        # The level is not won back in time either.
        for _ in range(TOO_LATE + 1):
            canvas.bar(high=level + 0.2, low=level - 0.3, close=level - 0.1)
    canvas.bar(high=canvas.price + 0.8, low=canvas.price - 0.1, close=canvas.price + 0.6)
    return breached, returned


def _pool(canvas: Canvas, row: int, *, high: bool) -> Event:
    """The pool at the pivot of ``row``, never touched."""
    return level_event(canvas, row, "swing_pool", row + WAIT, high=high)


def _swept(back: Return) -> tuple[Drawing, Drawing]:
    """A low of 101 that is breached after a high of 104: the pools, and the sweep."""
    canvas = risen()
    first = canvas.leg(105.0, 14)
    low = canvas.leg(101.0, 12)
    second = canvas.leg(104.0, 10)
    canvas.leg_to_close(101.6, 6)
    breached, returned = breach(canvas, 101.0, back)
    canvas.leg(103.4, 10)
    lowest = min(range(breached, len(canvas)), key=canvas.low)
    pools = [
        _pool(canvas, first, high=True),
        replace(_pool(canvas, low, high=False), changes=back.life(breached, returned)),
        _pool(canvas, second, high=True),
    ]
    if back.depth > 0.05:
        pools.append(_pool(canvas, lowest, high=False))
    level = canvas.low(low)
    sweep = Event(
        type="sweep",
        direction=1,
        known=returned,
        top=level,
        bottom=level,
        measure=_confidence(canvas, returned) if back.later == 0 else None,
    )
    return (
        _pools(canvas, f"swing pools, {back.name}", pools, SWING, back.misses),
        _sweeps(canvas, f"swing pools, {back.name}", [] if back.misses else [sweep], back.misses),
    )


def _confidence(canvas: Canvas, row: int, *, equal: bool = False) -> float:
    """Of a sweep within the bar ``row``, whose volume is nothing out of the ordinary."""
    low = canvas.low(row)
    strength = (canvas.close(row) - low) / (canvas.high(row) - low)
    return 0.6 + 0.2 * strength + (0.05 if equal else 0.0)


def _pools(
    canvas: Canvas, name: str, expected: Sequence[Event], types: tuple[str, ...], misses: str = ""
) -> Drawing:
    return drawn(
        canvas,
        name,
        "liquidity_pool",
        expected,
        types=types,
        begins=LEAD,
        states=OUTCOMES,
        misses=misses,
    )


def _sweeps(canvas: Canvas, name: str, expected: list[Event], misses: str = "") -> Drawing:
    return drawn(
        canvas, name, "liquidity_sweep", expected, types=("sweep",), begins=LEAD, misses=misses
    )


def _two_lows(apart: float, back: Return) -> tuple[Canvas, int, int, int]:
    """A low of 101 and one ``apart`` above it, and a breach of both; rows of second low, breach, return."""
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    canvas.leg(104.0, 10)
    second = canvas.leg(101.0 + apart, 10)
    canvas.leg(103.5, 9)
    canvas.leg_to_close(102.0, 5)
    breached, returned = breach(canvas, 101.0, back)
    canvas.leg(103.2, 10)
    return canvas, second, breached, returned


def _equal_pool(back: Return, apart: float) -> Drawing:
    canvas, second, breached, returned = _two_lows(apart, back)
    event = Event(
        type="equal_pool",
        direction=1,
        known=second + WAIT,
        changes=back.life(breached, returned),
    )
    return _pools(
        canvas, f"lows {apart} ATR apart, {back.name}", [event], ("equal_pool",), back.misses
    )


def _nearly_equal_lows() -> Drawing:
    canvas, *_rows = _two_lows(WIDTH + 0.01, RETURNS[0])
    misses = "equal lows lie within 0.15 ATR"
    return _pools(canvas, "lows 0.16 ATR apart", [], ("equal_pool",), misses)


def _sweep_of_an_equal_pool() -> Drawing:
    canvas, _second, _breached, returned = _two_lows(0.1, RETURNS[0])
    confidence = _confidence(canvas, returned, equal=True)
    sweep = Event(type="sweep", direction=1, known=returned, measure=confidence)
    return _sweeps(canvas, "a sweep of equal lows", [sweep])


def _lows_apart() -> tuple[Drawing, Drawing]:
    """Lows 0.35 ATR apart are two pools, swept one after the other.

    The bar that sweeps the lower one closes under the other, and the bar after it closes above both.
    """
    canvas, _second, _breached, returned = _two_lows(0.35, RETURNS[0])
    sweeps = [Event(type="sweep", direction=1, known=row) for row in (returned, returned + 1)]
    return (
        _pools(
            canvas, "lows 0.35 ATR apart", [], ("equal_pool",), "equal lows lie within 0.15 ATR"
        ),
        _sweeps(canvas, "a sweep of lows 0.35 ATR apart", sweeps),
    )


def _equal_lows_far_apart() -> Drawing:
    canvas = risen()
    canvas.leg(105.0, 14)
    canvas.leg(101.0, 12)
    # The second low comes 101 bars after the first.
    canvas.leg(112.0, 45)
    canvas.leg(101.1, 101 - 45)
    canvas.leg(105.0, 12)
    misses = "equal lows lie at most 100 bars apart"
    return _pools(canvas, "equal lows 101 bars apart", [], ("equal_pool",), misses)


MAJOR: Final = 50


def _with_major_low(minor: float = 101.5) -> Canvas:
    """A low of 95 that is a pivot P(50,50), and a minor low above it."""
    canvas = Canvas(113.0)
    canvas.drift(-0.05, LEAD)
    canvas.leg(95.0, 54)
    canvas.leg(106.0, MAJOR + 2)
    canvas.leg(minor, round((canvas.price - minor) / 0.38))
    return canvas


def _inducement() -> Drawing:
    canvas = _with_major_low()
    canvas.leg(104.5, 10)
    canvas.leg_to_close(102.1, 6)
    _breached, returned = breach(canvas, 101.5, RETURNS[0])
    canvas.leg(104.0, 10)
    event = Event(type="inducement", direction=1, known=returned)
    return _induced(canvas, "a minor low swept before the major one", [event])


def _no_inducement() -> Drawing:
    canvas = _with_major_low()
    canvas.leg(104.5, 10)
    canvas.leg_to_close(102.1, 6)
    canvas.bar(high=canvas.price + 0.1, low=101.46, close=101.8)
    canvas.bar(high=canvas.price + 0.8, low=canvas.price - 0.1, close=canvas.price + 0.6)
    canvas.leg(104.0, 10)
    misses = "the low is breached by 0.04 ATR only"
    return _induced(canvas, "a minor low that holds", [], misses)


def _major_low_swept_too() -> Drawing:
    """The minor low lies 0.2 points above the major one: one bar sweeps both."""
    canvas = _with_major_low(minor=95.2)
    canvas.leg(99.0, 10)
    canvas.leg_to_close(95.8, 7)
    breach(canvas, 95.0, RETURNS[0])
    canvas.leg(98.0, 10)
    misses = "the major low is swept with the minor one, not after it"
    return _induced(canvas, "a minor and a major low swept at once", [], misses)


def _induced(canvas: Canvas, name: str, expected: list[Event], misses: str = "") -> Drawing:
    return drawn(
        canvas,
        name,
        "inducement",
        expected,
        types=("inducement",),
        begins=LEAD + MAJOR,
        misses=misses,
    )
