"""Slow oracles of the structure family, written from SPEC: plain lists, everything from scratch.

None of it imports the project. An event is told by the row on which it is known; where a rule speaks
of "as of row t", the oracle is called on the first t + 1 bars.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Prices = Sequence[float]


def long_gap_rows(is_gap: Sequence[bool]) -> set[int]:
    """Rows at which at least four bars in a row, this one included, are missing."""
    return {t for t in range(3, len(is_gap)) if all(is_gap[t - 3 : t + 1])}


def forgotten_before(t: int, long_gaps: set[int]) -> int:
    """First row behind the newest long run of missing bars at or before row ``t``."""
    return max((row + 1 for row in long_gaps if row <= t), default=0)


def pivot_anchors(high: Prices, left: int, right: int) -> list[int]:
    """Rows whose high is above the left ones and not below the right ones, all of them there."""
    return [
        j
        for j in range(left, len(high) - right)
        if high[j] > max(high[j - left : j]) and high[j] >= max(high[j + 1 : j + right + 1])
    ]


@dataclass
class Pivot:
    known: int
    anchor: int
    side: int
    price: float


def pivots(high: Prices, low: Prices, left: int, right: int, is_gap: Sequence[bool]) -> list[Pivot]:
    """Confirmed pivots in the order in which they become known, long gaps respected."""
    found = [Pivot(j + right, j, 1, high[j]) for j in pivot_anchors(high, left, right)]
    negative = [-value for value in low]
    found += [Pivot(j + right, j, -1, low[j]) for j in pivot_anchors(negative, left, right)]
    gaps = long_gap_rows(is_gap)
    kept = [p for p in found if p.known not in gaps]
    kept = [p for p in kept if p.anchor >= forgotten_before(p.known, gaps)]
    return sorted(kept, key=lambda p: p.known)


def alternating(
    high: Prices, low: Prices, left: int, right: int, is_gap: Sequence[bool]
) -> list[Pivot]:
    """The alternating list as of the last row of the given bars, oldest first."""
    start = forgotten_before(len(high) - 1, long_gap_rows(is_gap))
    return collapsed([p for p in pivots(high, low, left, right, is_gap) if p.known >= start])


def collapsed(rows: Sequence[Pivot]) -> list[Pivot]:
    """Highs and lows taking turns, oldest first, of pivots in the order in which they became known."""
    listed: list[Pivot] = []
    for known in sorted({p.known for p in rows}):
        now = [p for p in rows if p.known == known]
        if len(now) == 2:
            if not listed:
                continue
            now.sort(key=lambda p: p.side == listed[-1].side)
        for pivot in now:
            if listed and listed[-1].side == pivot.side:
                if pivot.side * pivot.price > pivot.side * listed[-1].price:
                    listed[-1] = pivot
            else:
                listed.append(pivot)
    return listed


def directional_changes(
    high: Prices, low: Prices, close: Prices, threshold: Prices, is_gap: Sequence[bool]
) -> list[Pivot]:
    """Confirmed turns; each leg's extreme is sought again in all its bars on every row."""
    gaps = long_gap_rows(is_gap)
    turns: list[Pivot] = []
    side, start = 0, 0
    for t in range(len(close)):
        if t in gaps:
            side, start = 0, t + 1
            continue
        top = max(range(start, t + 1), key=lambda i: (high[i], -i))
        bottom = min(range(start, t + 1), key=lambda i: (low[i], i))
        falls = side >= 0 and top < t and high[top] - close[t] >= threshold[t]
        rises = side <= 0 and bottom < t and close[t] - low[bottom] >= threshold[t]
        if falls and rises and top == bottom:
            continue
        if falls and not (rises and bottom > top):
            turns.append(Pivot(t, top, 1, high[top]))
            side, start = -1, top + 1
        elif rises:
            turns.append(Pivot(t, bottom, -1, low[bottom]))
            side, start = 1, bottom + 1
    return turns


@dataclass
class Break:
    row: int
    side: int
    level: float
    change: bool
    origin: int


def breaks(
    high: Prices, low: Prices, close: Prices, left: int, right: int, is_gap: Sequence[bool]
) -> list[Break]:
    """Every pivot's first close beyond it while it is the newest of its side."""
    gaps = long_gap_rows(is_gap)
    listed = pivots(high, low, left, right, is_gap)
    found = []
    for side in (1, -1):
        own = [p for p in listed if p.side == side]
        for position, pivot in enumerate(own):
            end = own[position + 1].known if position + 1 < len(own) else len(close)
            end = min([end, *(row for row in gaps if row > pivot.known)])
            beyond = [t for t in range(pivot.known, end) if side * close[t] > side * pivot.price]
            if beyond:
                t = beyond[0]
                start = forgotten_before(t, gaps)
                opposite = [p for p in listed if p.side == -side and start <= p.known <= t]
                origin = opposite[-1].anchor if opposite else -1
                found.append(Break(t, side, pivot.price, False, origin))
    found.sort(key=lambda b: b.row)
    for earlier, later in pairwise(found):
        no_gap = not any(earlier.row < row <= later.row for row in gaps)
        later.change = no_gap and earlier.side == -later.side
    return found


@dataclass
class Zone:
    known: int
    side: int
    top: float
    bottom: float
    events: dict[str, int] = field(default_factory=dict)


def gaps_of_three(
    bars: tuple[Prices, Prices, Prices, Prices],
    atr: Prices,
    is_gap: Sequence[bool],
    min_size: float,
    min_displacement: float,
) -> list[Zone]:
    """Fair value gaps at their third bar."""
    open_, high, low, close = bars
    found = []
    for t in range(2, len(close)):
        if any(is_gap[t - 2 : t + 1]) or math.isnan(atr[t]):
            continue
        if low[t] > high[t - 2]:
            zone = Zone(t, 1, low[t], high[t - 2])
        elif high[t] < low[t - 2]:
            zone = Zone(t, -1, low[t - 2], high[t])
        else:
            continue
        if zone.top - zone.bottom < min_size * atr[t]:
            continue
        if min_displacement > 0:
            span = high[t - 1] - low[t - 1]
            body = abs(close[t - 1] - open_[t - 1])
            if math.isnan(atr[t - 1]) or body < 0.5 * span or span < min_displacement * atr[t - 1]:
                continue
        found.append(zone)
    return found


def follow(
    zone: Zone,
    high: Prices,
    low: Prices,
    close: Prices,
    *,
    expiry: int,
    gaps: set[int],
    max_touches: int = 1,
) -> None:
    """Write into ``zone.events`` the rows of what happens to one zone, searching each by itself."""
    last = min([zone.known + expiry, len(close) - 1, *(g - 1 for g in gaps if g > zone.known)])
    rows = range(zone.known + 1, last + 1)
    bullish = zone.side > 0
    near, far = (zone.top, zone.bottom) if bullish else (-zone.bottom, -zone.top)
    middle = 0.5 * (near + far)
    reach = [low[t] if bullish else -high[t] for t in range(len(close))]
    at_close = [zone.side * value for value in close]
    flip = next((t for t in rows if at_close[t] < far), None)
    alive = [t for t in rows if flip is None or t <= flip]
    zone.events["last"] = last
    if flip is not None:
        zone.events["flip"] = flip
        ends = (t for t in rows if t > flip and at_close[t] > near)
        zone.events["end"] = next(ends, len(close))
    middles = [t for t in alive if reach[t] <= middle]
    if middles and at_close[middles[0]] > middle:
        zone.events["reaction"] = middles[0]
    fills = [t for t in alive if reach[t] <= far]
    if fills:
        zone.events["filled"] = fills[0]
    visits = [t for t in alive if reach[t] <= near and (t == zone.known + 1 or reach[t - 1] > near)]
    if visits:
        zone.events["visited"] = visits[0]
    for number, t in enumerate(visits[:max_touches]):
        if at_close[t] >= far and not any(m < t for m in middles):
            zone.events[f"touch{number}"] = t
