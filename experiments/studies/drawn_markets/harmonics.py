"""Harmonic figures drawn to their ratios up to C; the zone of D entered, left, passed or not reached."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .swings import LEAD, LEAD_STEP, WAIT

XA: Final = 12.0
"""Height of the first leg in points, which are average true ranges."""
TOLERANCE: Final = 0.03
"""Of the ratio that places D, relative."""
STEP: Final = 0.38
CD_STEP: Final = 0.45
FLAT_AB: Final = 0.22
"""Steps of a short AB, so that it lasts longer than CD / 2.618."""
ALL: Final = (
    *("gartley", "bat", "alternate_bat", "butterfly", "crab", "deep_crab", "abcd"),
    *("shark", "deep_shark", "cypher", "five_zero"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its ratios b = AB/XA and c = BC/AB, and how far D lies beyond C.

    ``reach`` is the distance of D from A in XA, or from C in ``unit``: the leg AB (``ab``), BC (``bc``) or
    XC (``xc``). ``beside`` are the other figures whose ranges the same points fall into: name, direction
    and the last point that they need.
    """

    name: str
    b: float
    c: float
    reach: float
    unit: str = "xa"
    beside: tuple[tuple[str, int, str], ...] = ()

    def depth(self, ratio: float) -> float:
        """How far under A the point lies that is ``ratio`` units away, in points."""
        c_depth = XA * self.b * (1.0 - self.c)
        units = {
            "ab": XA * self.b,
            "bc": XA * self.b * self.c,
            "xc": XA - c_depth,
        }
        return ratio * XA if self.unit == "xa" else c_depth + ratio * units[self.unit]


AB_CD: Final = (("abcd", -1, "B"), ("abcd", 1, "C"))
"""X, A, B and A, B, C where b and c lie in 0.382 to 0.886: each is the beginning of an ABCD."""
# Every pair (b, c) is one at which CD/BC stays inside the figure's range over the whole zone. The figures
# beside it follow from the table of ratios in the same way.
FIGURES: Final = (
    Figure(
        *("gartley", 0.618, 0.618, 0.786),
        beside=(*AB_CD, ("crab", 1, "C"), ("deep_shark", -1, "D")),
    ),
    Figure("bat", 0.45, 0.70, 0.886, beside=AB_CD),
    Figure("alternate_bat", 0.382, 0.85, 1.13, beside=(*AB_CD, ("bat", 1, "C"))),
    Figure("butterfly", 0.786, 0.618, 1.27, beside=AB_CD),
    Figure("crab", 0.58, 0.80, 1.618, beside=AB_CD),
    Figure("deep_crab", 0.886, 0.618, 1.618, beside=AB_CD),
    Figure("abcd", 0.618, 0.618, 1.0, "ab"),
    Figure(
        *("shark", 0.45, 1.30, 0.886),
        beside=(AB_CD[0], ("deep_shark", 1, "C"), ("five_zero", -1, "D")),
    ),
    Figure(
        *("deep_shark", 0.50, 1.30, 1.13),
        beside=(AB_CD[0], ("shark", 1, "C"), ("five_zero", -1, "D")),
    ),
    Figure("cypher", 0.40, 1.875, 0.786, "xc", (AB_CD[0],)),
    Figure("five_zero", 1.30, 1.90, 0.5, "bc", (("abcd", -1, "D"),)),
)


@dataclass(frozen=True, slots=True)
class Miss:
    """A figure whose ``b`` or ``c`` is moved just outside its range."""

    figure: str
    misses: str
    b: float | None = None
    c: float | None = None


MISSES: Final = (
    Miss("gartley", "b is 0.618 + 5.3 %", b=0.651),
    Miss("gartley", "b is 0.618 - 5.3 %", b=0.585),
    Miss("gartley", "c is 0.886 + 3.3 %", c=0.9155),
    Miss("bat", "b is 0.382 - 3.3 %", b=0.3695, c=0.85),
    Miss("bat", "b is 0.5 + 3.3 %", b=0.5165),
    Miss("bat", "CD/BC would be 3.5, not at most 2.618", c=0.385),
    Miss("alternate_bat", "b is 0.382 + 3.4 %", b=0.395),
    Miss("alternate_bat", "b is 0.382 - 3.4 %", b=0.369),
    Miss("alternate_bat", "CD/BC would be 4.2, not at most 3.618", c=0.60),
    Miss("butterfly", "b is 0.786 + 5.3 %", b=0.828),
    Miss("butterfly", "b is 0.786 - 5.3 %", b=0.744),
    Miss("butterfly", "c is 0.886 + 3.3 %", c=0.9155),
    Miss("crab", "b is 0.618 + 3.3 %", b=0.6385),
    Miss("crab", "CD/BC would be 3.9 where b is 0.46", b=0.46, c=0.86),
    Miss("deep_crab", "b is 0.886 + 5.3 %", b=0.933),
    Miss("deep_crab", "b is 0.886 - 5.3 %", b=0.839),
    Miss("abcd", "c is 0.382 - 3.4 %", c=0.369),
    Miss("abcd", "c is 0.886 + 3.3 %", c=0.9155),
    Miss("shark", "c is 1.13 - 3.4 %", c=1.0915),
    Miss("shark", "c is 1.618 + 3.4 %", c=1.673),
    Miss("deep_shark", "c is 1.13 - 3.4 %", c=1.0915),
    Miss("deep_shark", "c is 1.618 + 3.4 %", c=1.673),
    Miss("cypher", "XC/XA is 1.414 + 3.4 %", c=2.155),
    Miss("cypher", "XC/XA is 1.272 - 3.4 %", c=1.572),
    Miss("cypher", "b is 0.382 - 3.4 %", b=0.369),
    Miss("five_zero", "b is 1.618 + 3.4 %", b=1.673),
    Miss("five_zero", "b is 1.13 - 3.4 %", b=1.0915),
    Miss("five_zero", "c is 2.24 + 3.4 %", c=2.316),
    Miss("five_zero", "c is 1.618 - 3.4 %", c=1.563),
)
JUST_MADE: Final = (
    ("gartley", 0.648, 0.618),
    ("gartley", 0.588, 0.618),
    ("gartley", 0.618, 0.910),
    ("bat", 0.372, 0.850),
    ("bat", 0.513, 0.700),
    ("alternate_bat", 0.392, 0.850),
    ("alternate_bat", 0.372, 0.850),
    ("butterfly", 0.824, 0.618),
    ("butterfly", 0.748, 0.618),
    ("crab", 0.635, 0.800),
    ("deep_crab", 0.929, 0.618),
    ("deep_crab", 0.843, 0.618),
    ("abcd", 0.618, 0.373),
    ("abcd", 0.618, 0.910),
    ("shark", 0.450, 1.100),
    ("shark", 0.450, 1.660),
    ("cypher", 0.372, 1.875),
    ("five_zero", 1.660, 1.900),
    ("five_zero", 1.100, 1.900),
    ("five_zero", 1.300, 2.300),
    ("five_zero", 1.300, 1.575),
)
"""Figures whose b and c lie just inside: by name, b, c."""


def harmonic_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for figure in FIGURES:
        for drawing in (
            _confirmed(figure),
            _failed(figure),
            _never_reached(figure),
            _at_the_pivot(figure),
            replace(_at_the_pivot(figure, off=0.027), just_made=True),
            _at_the_pivot(figure, off=0.033),
        ):
            yield from both_ways(drawing)
    by_name = {figure.name: figure for figure in FIGURES}
    for miss in MISSES:
        figure = by_name[miss.figure]
        missed = replace(
            figure,
            b=figure.b if miss.b is None else miss.b,
            c=figure.c if miss.c is None else miss.c,
        )
        for drawing in (
            _confirmed(missed, miss.misses, alone=True),
            _at_the_pivot(missed, miss.misses),
        ):
            yield from both_ways(drawing)
    for name, b, c in JUST_MADE:
        made = replace(by_name[name], b=b, c=c)
        for drawing in (_confirmed(made, alone=True), _at_the_pivot(made)):
            yield from both_ways(replace(drawing, just_made=True))


def _bars(far: float, step: float) -> int:
    return max(7, round(far / step))


def drawn_to_c(figure: Figure) -> tuple[Canvas, int, int, int]:
    """The market up to C, and the rows of X, B and C; ABCD has no X and begins with A.

    X lies 12 points under A.
    """
    first = 0
    if figure.name == "abcd":
        canvas = Canvas(100.0 - LEAD_STEP * LEAD)
        canvas.drift(LEAD_STEP, LEAD)
        first = canvas.leg(108.0, 20)
        top = 108.0
    else:
        canvas = Canvas(100.0 + LEAD_STEP * LEAD)
        canvas.drift(-LEAD_STEP, LEAD)
        bottom = 95.0
        first = canvas.leg(bottom, 12)
        top = bottom + XA
        canvas.leg(top, _bars(XA, STEP))
    ab = figure.b * XA
    b_row = canvas.leg(top - ab, _bars(ab, FLAT_AB if figure.b < 0.52 else 0.3))
    c_row = canvas.leg(top - ab * (1.0 - figure.c), _bars(ab * figure.c, STEP))
    return canvas, first, b_row, c_row


def _top(canvas: Canvas, figure: Figure) -> float:
    return 108.0 if figure.name == "abcd" else 95.0 + XA


def _zone(canvas: Canvas, figure: Figure) -> tuple[float, float, float]:
    """Top, middle and bottom of the zone: D within 3 % of its ratio."""
    a = _top(canvas, figure)
    return (
        a - figure.depth(figure.reach * (1.0 - TOLERANCE)),
        a - figure.depth(figure.reach),
        a - figure.depth(figure.reach * (1.0 + TOLERANCE)),
    )


def _published(canvas: Canvas, figure: Figure, first: int, c_row: int) -> Event:
    top, _middle, bottom = _zone(canvas, figure)
    return Event(
        type=figure.name,
        direction=1,
        anchor=first,
        known=c_row + WAIT,
        # SPEC gives a tolerance on d; where D is placed from C it leaves the edges open.
        top=top if figure.unit == "xa" else None,
        bottom=bottom if figure.unit == "xa" else None,
    )


def _falls_to(canvas: Canvas, price: float) -> None:
    """Steps down to a close of ``price`` that leave room for a bar into the zone."""
    canvas.leg_to_close(price, _bars(canvas.price - price, CD_STEP))


def _enters(canvas: Canvas, figure: Figure) -> int:
    """A bar from above the zone to its middle, which closes between the middle and the top; its row."""
    top, middle, _bottom = _zone(canvas, figure)
    _falls_to(canvas, top + 0.4)
    return canvas.bar(high=canvas.price + 0.2, low=middle, close=middle + (top - middle) / 4.0)


def _harmonic(
    canvas: Canvas, figure: Figure, name: str, expected: list[Event], misses: str
) -> Drawing:
    return drawn(
        canvas,
        name,
        "harmonic",
        [] if misses else expected,
        types=(figure.name,),
        begins=LEAD,
        misses=misses,
    )


def _title(figure: Figure) -> str:
    return f"{figure.name} (b {figure.b}, c {figure.c})"


def _confirmed(figure: Figure, misses: str = "", *, alone: bool = False) -> Drawing:
    """Every figure that the points make; of the one drawn, its life. ``alone``: of that one, no edges.

    Where b or c is at the end of its range, other figures take its place and CD/BC cuts the zone.
    """
    canvas, first, b_row, c_row = drawn_to_c(figure)
    entered = _enters(canvas, figure)
    top, middle, _bottom = _zone(canvas, figure)
    # D is the low of the bar that entered: this one holds above it.
    confirmed = canvas.bar(high=top + 0.4, low=(canvas.price + middle) / 2.0, close=top + 0.2)
    canvas.leg(canvas.price + 3.5, 10)
    changes = (("entered", entered), ("confirmed", confirmed))
    event = replace(_published(canvas, figure, first, c_row), changes=changes)
    if alone:
        event = replace(event, top=None, bottom=None)
    rows = {"B": b_row, "C": c_row, "D": entered}
    beside = [
        Event(type=name, direction=side, known=rows[point] + WAIT, changes=None)
        for name, side, point in ([] if alone else figure.beside)
    ]
    drawing = _harmonic(canvas, figure, f"{_title(figure)}, confirmed", [event, *beside], misses)
    return replace(drawing, types=drawing.types if alone else ALL, states=("entered", "confirmed"))


def _failed(figure: Figure) -> Drawing:
    canvas, first, _b_row, c_row = drawn_to_c(figure)
    entered = _enters(canvas, figure)
    _top_edge, _middle, bottom = _zone(canvas, figure)
    failed = canvas.bar(high=canvas.price + 0.1, low=bottom - 1.6, close=bottom - 1.4)
    canvas.drift(-0.1, 3)
    changes = (("entered", entered), ("failed", failed))
    event = replace(_published(canvas, figure, first, c_row), changes=changes)
    return _harmonic(canvas, figure, f"{_title(figure)}, failed", [event], "")


def _never_reached(figure: Figure) -> Drawing:
    """C is passed before D is reached: the figure is over, its zone was never entered."""
    canvas, first, _b_row, c_row = drawn_to_c(figure)
    canvas.drift(-0.1, WAIT + 2)
    begin = len(canvas)
    # It ends before the low under C is known, which would be a further point.
    canvas.drift(0.45, WAIT - 1)
    over = canvas.first(begin, lambda row: canvas.high(row) > canvas.high(c_row))
    event = replace(_published(canvas, figure, first, c_row), changes=(("expired", over),))
    return _harmonic(canvas, figure, f"{_title(figure)}, not reached", [event], "")


def _at_the_pivot(figure: Figure, misses: str = "", *, off: float = 0.0) -> Drawing:
    """D as a confirmed pivot at its ratio, or ``off`` beside it by more than the tolerance."""
    canvas, first, _b_row, _c_row = drawn_to_c(figure)
    a = _top(canvas, figure)
    price = a - figure.depth(figure.reach * (1.0 + off))
    if off > TOLERANCE:
        misses = "D lies 3.3 % beside its ratio"
    _falls_to(canvas, price + 1.0)
    d_row = canvas.bar(high=canvas.price + 0.1, low=price, close=price + 0.4)
    canvas.leg(canvas.price + 3.5, 10)
    event = Event(type=figure.name, direction=1, anchor=first, known=d_row + WAIT, changes=None)
    return drawn(
        canvas,
        f"{_title(figure)}, D a pivot" + (f" {off:.1%} off" if off else ""),
        "harmonic_pivot",
        [] if misses else [event],
        types=(figure.name,),
        begins=LEAD,
        misses=misses,
    )
