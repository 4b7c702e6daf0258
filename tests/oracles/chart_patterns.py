"""Oracle of chart patterns, from SPEC H4: candidates of all rows first, then each one's first trigger.

Nothing of the project is used. A pattern is told as the project's table tells it: type, side, the row of
its trigger, its points (row, price) oldest first, the broken line, the other edge and the target.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .structure import Pivot, Prices, collapsed, forgotten_before, long_gap_rows

Point = tuple[int, float]


@dataclass(frozen=True)
class Pattern:
    type: str
    side: int
    known: int
    points: tuple[Point, ...]
    line: float
    other: float
    target: float


@dataclass(frozen=True)
class _Candidate:
    """A shape complete on row ``formed``: its lines as functions of the row, alive up to ``last``."""

    type: str
    slot: str
    formed: int
    last: float
    points: tuple[Pivot, ...]
    upper: Callable[[int], float]
    lower: Callable[[int], float]
    height: float
    void: float | None
    both: bool
    side: int


def _line(one: Pivot, other: Pivot) -> Callable[[int], float]:
    slope = (other.price - one.price) / (other.anchor - one.anchor)
    return lambda t: one.price + slope * (t - one.anchor)


def lists_of_rows(turns: Sequence[Pivot], is_gap: Sequence[bool]) -> list[list[Pivot]]:
    """The alternating list of each row, empty in a hole."""
    gaps = long_gap_rows(is_gap)
    rows = []
    for t in range(len(is_gap)):
        start = forgotten_before(t, gaps)
        there = [p for p in turns if start <= p.known <= t and p.anchor >= start]
        rows.append([] if t in gaps else collapsed(there))
    return rows


def _double(listed: list[Pivot], t: int, difference: float, depth: float) -> _Candidate | None:
    first, middle, second = listed[-3:]
    side = -second.side
    outer = max(side * first.price, side * second.price)
    span = second.anchor - first.anchor
    if abs(second.price - first.price) > difference or not 10 <= span <= 100:
        return None
    if side * middle.price - outer < depth:
        return None
    extreme = side * min(side * first.price, side * second.price)
    name = "double_bottom" if side > 0 else "double_top"
    return _Candidate(
        name, name, t, t + span, (first, middle, second), lambda _: middle.price,
        lambda _: middle.price, abs(middle.price - extreme), extreme, False, side,
    )  # fmt: skip


def _head(listed: list[Pivot], t: int, atr: float) -> _Candidate | None:
    left, one, head, two, right = listed[-5:]
    side = -right.side
    early, late = head.anchor - left.anchor, right.anchor - head.anchor
    if side * head.price > min(side * left.price, side * right.price) - 0.5 * atr:
        return None
    if abs(left.price - right.price) > 1.5 * atr or max(early, late) > 2.5 * min(early, late):
        return None
    neckline = _line(one, two)
    name = "inverse_head_and_shoulders" if side > 0 else "head_and_shoulders"
    return _Candidate(
        name, name, t, t + right.anchor - left.anchor, (left, one, head, two, right), neckline,
        neckline, side * (neckline(head.anchor) - head.price), head.price, False, side,
    )  # fmt: skip


def _triangle(listed: list[Pivot], t: int, atr: float) -> _Candidate | None:
    four = tuple(listed[-4:])
    highs, lows = [p for p in four if p.side > 0], [p for p in four if p.side < 0]
    top, bottom = _line(*highs), _line(*lows)
    up, lift = (top(1) - top(0)) / atr, (bottom(1) - bottom(0)) / atr
    span = four[-1].anchor - four[0].anchor
    if abs(up) <= 0.03 and lift >= 0.05:
        name = "ascending_triangle"
    elif abs(lift) <= 0.03 and up <= -0.05:
        name = "descending_triangle"
    elif up <= -0.05 and lift >= 0.05:
        name = "symmetric_triangle"
    else:
        return None
    if not 20 <= span <= 120:
        return None
    first = four[0].anchor
    apex = t + (top(t) - bottom(t)) / ((lift - up) * atr)
    last = min(first + 0.9 * (apex - first), t + span) if top(t) > bottom(t) else t - 1
    return _Candidate(
        name, "triangle", t, last, four, top, bottom, top(first) - bottom(first), None, True, 0
    )


def patterns(
    lists: Sequence[list[Pivot]], close: Prices, atr: Prices,
    difference: Prices, depth: Prices, is_gap: Sequence[bool],
) -> list[Pattern]:  # fmt: skip
    """Doubles, heads and triangles in the order of their candidates."""
    candidates = []
    newest = -1
    for t, listed in enumerate(lists):
        anchor = listed[-1].anchor if listed else -1
        fresh, newest = anchor != newest, anchor
        if not fresh:
            continue
        made = [
            _double(listed, t, difference[t], depth[t]) if len(listed) >= 3 else None,
            _head(listed, t, atr[t]) if len(listed) >= 5 else None,
            _triangle(listed, t, atr[t]) if len(listed) >= 4 else None,
        ]
        candidates += [one for one in made if one is not None]
    gaps = long_gap_rows(is_gap)
    found = []
    for number, one in enumerate(candidates):
        later = [c.formed for c in candidates[number + 1 :] if c.slot == one.slot]
        holes = [t for t in gaps if t >= one.formed]
        for t in range(one.formed, min([len(close), *later[:1], *holes])):
            if t > one.last:
                break
            away = 0.25 * atr[t] if one.both else 0.0
            side = int(close[t] > one.upper(t) + away) - int(close[t] < one.lower(t) - away)
            if side and (one.both or side == one.side):
                line, other = (one.upper, one.lower) if side > 0 else (one.lower, one.upper)
                edge = other(t) if one.void is None else one.void
                points = tuple((p.anchor, p.price) for p in one.points)
                target = line(t) + side * one.height
                found.append(Pattern(one.type, side, t, points, line(t), edge, target))
                break
            if one.void is not None and one.side * (close[t] - one.void) < 0:
                break
    return found


def flags(
    bars: tuple[Prices, Prices, Prices], atr: Prices, is_gap: Sequence[bool]
) -> list[Pattern]:
    """On each row the shortest pause, and before it the shortest pole."""
    high, low, close = bars
    gaps = long_gap_rows(is_gap)
    found: list[Pattern] = []
    for t in range(len(close)):
        if t in gaps:
            continue
        earliest = max([forgotten_before(t, gaps), *(one.known for one in found[-1:])])
        shapes = [
            (t - pause - 1, t - pause - 1 - length)
            for pause in range(5, 21)
            for length in range(1, 11)
            if t - pause - 1 - length >= earliest
        ]
        for end, start in shapes:
            pole = close[end] - close[start]
            top, bottom = max(high[end + 1 : t]), min(low[end + 1 : t])
            side = 1 if pole > 0 else -1
            edge, other = (top, bottom) if side > 0 else (bottom, top)
            if (
                abs(pole) >= 4.0 * atr[end]
                and top - bottom <= 0.5 * abs(pole)
                and side * (close[t] - edge) > 0
                and side * (close[t - 1] - close[end]) <= 0
            ):
                points = tuple((row, close[row]) for row in (start, end, t - 1))
                found.append(Pattern("flag", side, t, points, edge, other, edge + pole))
                break
    return found
