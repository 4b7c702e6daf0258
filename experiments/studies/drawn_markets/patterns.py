"""Chart patterns: double tops, head and shoulders, triangles, flags; mirrored, their opposites."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from .canvas import Canvas
from .drawing import Drawing, Event, both_ways, drawn
from .swings import LEAD, WAIT, risen

MIRROR: Final = {
    "double_top": "double_bottom",
    "head_and_shoulders": "inverse_head_and_shoulders",
    "ascending_triangle": "descending_triangle",
    **{"double_bottom": "double_top", "inverse_head_and_shoulders": "head_and_shoulders"},
    "descending_triangle": "ascending_triangle",
}
PATTERNS: Final = (*MIRROR, "symmetric_triangle", "flag")
SLOPE: Final = 0.35
"""Steps of the legs: ten of them are 3.5 ATR, too little for the pole of a flag."""


def pattern_drawings() -> Iterator[Drawing]:
    """Everything of this family."""
    for drawing in (
        *_double_tops(),
        *_heads(),
        *_ascending_triangles(),
        *_symmetric_triangles(),
        *_flags(),
    ):
        yield from both_ways(drawing, MIRROR)


def _path(canvas: Canvas, extremes: Sequence[float]) -> list[int]:
    """Legs of about ``SLOPE`` a bar, the shortest of six bars; the rows of their ends."""
    rows = []
    for extreme in extremes:
        far = abs(extreme - canvas.price) - 0.5
        rows.append(canvas.leg(extreme, max(6, round(far / SLOPE))))
    return rows


def _pattern(
    canvas: Canvas,
    name: str,
    type: str,
    found: tuple[int, int] | None,
    *,
    direction: int = -1,
    misses: str = "",
    types: Sequence[str] = PATTERNS,
) -> Drawing:
    """One pattern, ``found`` its first row and the row of its trigger, or none."""
    expected = []
    if found is not None and not misses:
        anchor, known = found
        expected.append(Event(type=type, direction=direction, anchor=anchor, known=known))
    return drawn(canvas, name, "chart_pattern", expected, types=types, begins=LEAD, misses=misses)


def _trigger(canvas: Canvas, trough: int, second: int) -> int:
    """The first close under the trough once the second top is known."""
    return canvas.first(second + WAIT, lambda row: canvas.close(row) < canvas.low(trough))


def _double_top(
    name: str,
    extremes: tuple[float, float, float] = (108.0, 105.0, 108.2),
    *,
    sideways: int = 0,
    misses: str = "",
) -> Drawing:
    """Two highs with a trough between, and the first close under the trough."""
    canvas = risen()
    first, trough, second = _path(canvas, extremes)
    if sideways:
        canvas.drift(-0.05, sideways)
    _path(canvas, [extremes[1] - 2.0])
    known = _trigger(canvas, trough, second)
    return _pattern(canvas, name, "double_top", (first, known), misses=misses)


def _tops(down: int, up: int, name: str, *, misses: str = "") -> Drawing:
    """Tops of one height, ``down`` bars to the trough between them and ``up`` bars from it."""
    canvas = risen()
    first = canvas.leg(108.0, 23)
    trough = canvas.leg(105.4, down)
    second = canvas.leg(108.0, up)
    canvas.leg(103.0, 14)
    known = _trigger(canvas, trough, second)
    return _pattern(canvas, name, "double_top", (first, known), misses=misses)


def _double_tops() -> Iterator[Drawing]:
    yield _double_top("a double top")
    for made in (
        _double_top("tops 0.48 ATR apart", (108.0, 105.0, 108.48)),
        _double_top("tops over a trough of 2.05 ATR", (108.0, 105.95, 108.0)),
        _tops(5, 5, "tops ten bars apart"),
        _tops(50, 50, "tops a hundred bars apart"),
    ):
        yield replace(made, just_made=True)
    yield _tops(5, 4, "tops nine bars apart", misses="tops lie at least 10 bars apart")
    yield _tops(50, 51, "tops 101 bars apart", misses="tops lie at most 100 bars apart")
    yield _double_top(
        "tops 0.52 ATR apart", (108.0, 105.0, 108.52), misses="the tops lie within 0.5 ATR"
    )
    yield _double_top(
        "tops over a shallow trough", (108.0, 106.05, 108.0), misses="the trough is 1.95 ATR deep"
    )
    yield _double_top("a double top that waits", sideways=40, misses="its own span has passed")
    canvas = risen()
    _path(canvas, (108.0, 105.0, 108.2))
    canvas.leg_to_close(105.6, 7)
    canvas.bar(high=105.9, low=104.8, close=105.2)
    _path(canvas, [107.6])
    yield _pattern(
        canvas, "a trough passed by a wick", "double_top", None, misses="no close under the trough"
    )


def _head(
    name: str,
    extremes: tuple[float, float, float, float, float] = (106.0, 104.2, 109.0, 103.2, 106.3),
    *,
    wait: int = 0,
    misses: str = "",
) -> Drawing:
    """Shoulder, trough, head, trough, shoulder and the first close under the line of the troughs.

    The troughs fall, as the highs after the head do: no triangle is drawn with them.
    """
    canvas = risen()
    left, first, _head_row = _path(canvas, extremes[:3])
    if wait:
        canvas.drift(-0.05, wait)
    second, right = _path(canvas, extremes[3:])
    begin = len(canvas)
    _path(canvas, [extremes[3] - 4.0])
    slope = (extremes[3] - extremes[1]) / (second - first)
    known = canvas.first(
        max(begin, right + WAIT),
        lambda row: canvas.close(row) < extremes[1] + slope * (row - first),
    )
    types = ("head_and_shoulders", "inverse_head_and_shoulders") if misses else PATTERNS
    return _pattern(canvas, name, "head_and_shoulders", (left, known), misses=misses, types=types)


def _heads() -> Iterator[Drawing]:
    yield _head("head and shoulders")
    yield _head(
        "a head hardly above its shoulders",
        (106.0, 103.2, 106.7, 102.2, 106.3),
        misses="the head is 0.4 ATR above the higher shoulder",
    )
    yield _head(
        "uneven shoulders",
        (106.0, 104.0, 109.0, 102.0, 104.3),
        misses="the shoulders are 1.7 ATR apart",
    )
    yield _head(
        "a head far from one shoulder", wait=30, misses="one side lasts 2.5 times the other"
    )


def _line(rows: tuple[int, int], prices: tuple[float, float], row: int) -> float:
    return prices[0] + (prices[1] - prices[0]) * (row - rows[0]) / (rows[1] - rows[0])


def _triangle(
    name: str,
    type: str,
    extremes: tuple[float, float, float, float],
    *,
    wait: int = 0,
    target: float = 111.0,
    misses: str = "",
) -> Drawing:
    """High, low, high, low, and the first close 0.25 ATR above the line of the highs."""
    canvas = risen()
    first, _low, second, last = _path(canvas, extremes)
    # Inside the triangle, along the line of its lows.
    canvas.drift(0.12, wait)
    begin = max(len(canvas), last + WAIT)
    _path(canvas, [target])
    known = None
    if not misses:
        known = canvas.first(
            begin,
            lambda row: (
                canvas.close(row) > _line((first, second), (extremes[0], extremes[2]), row) + 0.25
            ),
        )
    return _pattern(
        canvas,
        name,
        type,
        None if known is None else (first, known),
        direction=1,
        misses=misses,
    )


def _ascending_triangles() -> Iterator[Drawing]:
    kind = "ascending_triangle"
    yield _triangle("an ascending triangle", kind, (108.0, 104.0, 108.0, 105.8))
    yield _triangle(
        "a triangle whose highs rise",
        kind,
        (108.0, 104.0, 109.0, 106.0),
        misses="the highs rise by 0.05 ATR a bar",
    )
    yield _triangle(
        "a triangle whose lows hardly rise",
        kind,
        (108.0, 104.0, 108.0, 104.7),
        misses="the lows rise by 0.047 ATR a bar",
    )
    yield _triangle(
        "a triangle near its apex",
        kind,
        (108.0, 104.0, 108.0, 105.8),
        wait=14,
        misses="the line is passed after nine tenths of the way to the apex",
    )
    yield _triangle(
        "a triangle hardly left",
        kind,
        (108.0, 104.0, 108.0, 105.8),
        target=108.6,
        misses="no close lies 0.25 ATR above the line",
    )


def _symmetric_triangles() -> Iterator[Drawing]:
    kind = "symmetric_triangle"
    yield _triangle("a symmetric triangle", kind, (112.0, 104.0, 109.6, 105.9))
    yield _triangle(
        "a triangle whose highs hardly fall",
        kind,
        (112.0, 104.0, 110.4, 105.9),
        misses="the highs fall by 0.04 ATR a bar: neither level nor sloped",
    )
    # Highs that fall by 0.02 ATR a bar are level: it is the other triangle.
    yield _triangle(
        "a triangle whose highs are nearly level",
        "ascending_triangle",
        (112.0, 104.0, 111.2, 106.5),
        target=114.0,
    )


def _flag(
    name: str,
    *,
    pole: float = 0.5,
    bars: int = 8,
    step: float = -0.1,
    height: float = 1.0,
    up: bool = True,
    misses: str = "",
) -> Drawing:
    """A pole of ten bars, ``bars`` bars of rest and a close beyond them."""
    canvas = risen()
    canvas.drift(pole, 10)
    first = len(canvas)
    for number in range(bars):
        close = canvas.price + step
        room = (height - abs(step)) / 2.0
        # The second bar is the tallest where a height is asked for.
        wide = room if number == 1 or height == 1.0 else (1.0 - abs(step)) / 2.0
        canvas.bar(
            high=max(canvas.price, close) + wide, low=min(canvas.price, close) - wide, close=close
        )
    rows = range(first, len(canvas))
    if up:
        close = max(canvas.high(row) for row in range(first - 1, len(canvas))) + 0.3
        known = canvas.bar(high=close + 0.2, low=canvas.price - 0.2, close=close)
    else:
        close = min(canvas.low(row) for row in rows) - 0.3
        known = canvas.bar(high=canvas.price + 0.2, low=close - 0.2, close=close)
    canvas.drift(0.05 if up else -0.05, 2)
    expected = [] if misses else [Event(type="flag", direction=1, known=known)]
    return drawn(
        canvas, name, "chart_pattern", expected, types=PATTERNS, begins=LEAD, misses=misses
    )


def _flags() -> Iterator[Drawing]:
    yield _flag("a flag")
    yield _flag("a flat flag of five bars", bars=5, step=-0.02)
    yield _flag("a short pole", pole=0.38, misses="the pole is 3.8 ATR high")
    yield _flag("a flag of three bars", bars=3, misses="it lasts fewer than 5 bars")
    yield _flag("a flag of 26 bars", bars=26, step=-0.02, misses="it lasts more than 20 bars")
    yield _flag("a tall flag", height=3.4, misses="it is taller than half of its pole")
    yield _flag("a flag that rises", step=0.1, misses="it rises by 0.1 ATR a bar")
    yield _flag("a flag left downwards", up=False, misses="it is left against its pole")
