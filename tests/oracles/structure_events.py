"""Slow oracle of the tables of events of structure, gaps, blocks and entries, written from SPEC.

Each event is followed by itself, each of its states is sought by a search of its own over the rows of
its life, and lists "as of row t" are made from scratch. Nothing here imports the project.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.oracles.structure import (
    Break,
    Pivot,
    Prices,
    Zone,
    collapsed,
    forgotten_before,
    long_gap_rows,
)

Bars = tuple[Prices, Prices, Prices, Prices]
"""open, high, low, close."""


@dataclass
class Event:
    """What a table must say of one event; ``changes`` are (state, row) in the order of the table."""

    type: str
    direction: int
    anchor: int
    known: int
    top: float = math.nan
    bottom: float = math.nan
    points: list[int] = field(default_factory=list)
    changes: list[tuple[str, int]] = field(default_factory=list)


def breaks_of(
    swings: Sequence[Pivot], above: Prices, below: Prices, is_gap: Sequence[bool]
) -> tuple[list[Break], dict[int, int]]:
    """The breaks of ``swings`` by the prices of the bars, and the row of the swing each broke.

    Bar by bar: the newest swing of each side that no bar has broken yet, and whether this one does.
    """
    gaps = long_gap_rows(is_gap)
    found: list[Break] = []
    broken: set[int] = set()
    rows: dict[int, int] = {}
    sides = {side: [i for i, p in enumerate(swings) if p.side == side] for side in (1, -1)}
    for t in range(len(above)):
        if t in gaps:
            continue
        start = forgotten_before(t, gaps)
        newest = {
            side: next(
                (
                    i
                    for i in reversed(own)
                    if start <= swings[i].known <= t and swings[i].anchor >= start
                ),
                None,
            )
            for side, own in sides.items()
        }
        beyond = [
            side
            for side, i in newest.items()
            if i is not None
            and i not in broken
            and (above[t] > swings[i].price if side > 0 else below[t] < swings[i].price)
        ]
        if len(beyond) != 1:
            continue
        side = beyond[0]
        own, other = newest[side], newest[-side]
        assert own is not None
        broken.add(own)
        before = [b for b in found if b.row >= start]
        change = bool(before) and before[-1].side == -side
        origin = -1 if other is None else swings[other].anchor
        found.append(Break(t, side, swings[own].price, change, origin))
        rows[t] = swings[own].anchor
    return found, rows


def displaced(breaks: Sequence[Break], gaps: Sequence[Zone]) -> list[tuple[int, Break]]:
    """The breaks whose leg holds a gap of their side, each with the row on which both are known."""
    found = []
    for one in breaks:
        if one.origin < 0:
            continue
        # The gap's second bar lies on the leg, which begins behind its origin and ends at the break.
        on_leg = [
            g.known for g in gaps if g.side == one.side and one.origin < g.known - 1 <= one.row
        ]
        if on_leg:
            found.append((max(one.row, min(on_leg)), one))
    return found


def structure_events(
    breaks: Sequence[Break], broken: dict[int, int], shifts: Sequence[tuple[int, Break]]
) -> list[Event]:
    """BOS, CHoCH and MSS."""
    events = []
    for one in breaks:
        name = "choch" if one.change else "bos"
        points = [one.origin, broken[one.row], one.row]
        events.append(Event(name, one.side, one.row, one.row, one.level, one.level, points))
    for known, one in shifts:
        points = [one.origin, broken[one.row], one.row]
        events.append(Event("mss", one.side, one.row, known, one.level, one.level, points))
    return events


def alternating_lists(swings: Sequence[Pivot], gaps: set[int], rows: int) -> list[list[Pivot]]:
    """The alternating list as of every row, oldest first; none in a long run of missing bars.

    It can only change where a swing becomes known or a run of missing bars forgets it, and is then
    made from all that is known.
    """
    stirs = {p.known for p in swings} | gaps
    lists: list[list[Pivot]] = []
    for t in range(rows):
        lists.append(alternating_at(swings, t, gaps) if t in stirs or not t else lists[-1])
    return lists


def alternating_at(swings: Sequence[Pivot], t: int, gaps: set[int]) -> list[Pivot]:
    """The alternating list as of row ``t``."""
    if t in gaps:
        return []
    start = forgotten_before(t, gaps)
    return collapsed([p for p in swings if start <= p.known <= t and p.anchor >= start])


def trend_events(swings: Sequence[Pivot], is_gap: Sequence[bool]) -> list[Event]:
    """Rows on which the last four alternating pivots begin to say something else."""
    gaps = long_gap_rows(is_gap)
    events: list[Event] = []
    said: str | None = None
    for t, listed in enumerate(alternating_lists(swings, gaps, len(is_gap))):
        if t in gaps:
            said = None
            continue
        last = listed[-4:]
        if len(last) < 4:
            continue
        rises = [last[2].price > last[0].price, last[3].price > last[1].price]
        falls = [last[2].price < last[0].price, last[3].price < last[1].price]
        name = "trend_up" if all(rises) else "trend_down" if all(falls) else "trend_mixed"
        if name != said:
            side = {"trend_up": 1, "trend_down": -1, "trend_mixed": 0}[name]
            points = [p.anchor for p in last]
            events.append(Event(name, side, last[3].anchor, t, points=points))
        said = name
    return events


def balanced_ranges(gaps: Sequence[Zone], window: int, is_gap: Sequence[bool]) -> list[Event]:
    """Every gap with the newest opposite one before it that it overlaps."""
    holes = long_gap_rows(is_gap)
    events = []
    for later in gaps:
        earlier = [
            g
            for g in gaps
            if g.side == -later.side
            and 0 < later.known - g.known <= window
            and not any(g.known <= row <= later.known for row in holes)
            and min(g.top, later.top) > max(g.bottom, later.bottom)
        ]
        if earlier:
            other = earlier[-1]
            top, bottom = min(other.top, later.top), max(other.bottom, later.bottom)
            events.append(
                Event("balanced_price_range", later.side, other.known - 2, later.known, top, bottom)
            )
    return events


def order_block(
    bars: Bars, is_gap: Sequence[bool], known: int, one: Break, *, by_body: bool
) -> Event | None:
    """The last candle against a break, if its leg has one."""
    open_, high, low, close = bars
    if one.origin < 0:
        return None
    against = [
        i
        for i in range(one.origin, one.row)
        if one.side * (close[i] - open_[i]) < 0 and not is_gap[i]
    ]
    if not against:
        return None
    i = against[-1]
    top, bottom = high[i], low[i]
    if by_body and one.side > 0:
        top = open_[i]
    elif by_body:
        bottom = open_[i]
    return Event("order_block", one.side, i, known, top, bottom, [i, one.row])


def strength(bars: Bars, volume: Prices, atr: Prices, event: Event, length: int = 20) -> float:
    """60 % relative volume of the leg, 40 % distance of the break's close from the zone, in ATR."""
    close = bars[3]
    first, last = event.points
    ratios = []
    for i in range(first, last + 1):
        mean = sum(volume[i - length : i]) / length if i >= length else math.nan
        if not math.isnan(mean):
            ratios.append(volume[i] / mean if mean > 0 else 1.0)
    if not ratios:
        return math.nan
    distance = close[last] - event.top if event.direction > 0 else event.bottom - close[last]
    volume_part = min(max((sum(ratios) / len(ratios) - 0.5) / 2.0, 0.0), 1.0)
    return 60.0 * volume_part + 40.0 * min(max(distance / atr[last] / 5.0, 0.0), 1.0)


ORDER = (
    "touched", "consumed", "half", "filled", "inverted", "breaker", "breaker_touched", "removed",
    "expired",
)  # fmt: skip


def live(
    event: Event, bars: Bars, gaps: set[int], *, expiry: int, touches: int, flips: str | None
) -> None:
    """Write into ``event.changes`` everything that happens to its zone.

    ``flips`` names the state in which a broken zone turns round; None: a break ends it.
    """
    _, high, low, close = bars
    holes = sorted(row for row in gaps if row > event.known)
    end = min([holes[0] if holes else len(close), event.known + expiry + 1, len(close)])
    rows = range(event.known + 1, end)
    up = event.direction > 0
    changes: list[tuple[str, int]] = []

    def inside(t: int, side_up: bool) -> bool:
        return low[t] <= event.top if side_up else high[t] >= event.bottom

    def beyond(t: int, side_up: bool) -> bool:
        return close[t] < event.bottom if side_up else close[t] > event.top

    def half(t: int, side_up: bool) -> bool:
        middle = (event.top + event.bottom) / 2
        return low[t] <= middle if side_up else high[t] >= middle

    flip = next((t for t in rows if beyond(t, up)), None)
    first_life = [t for t in rows if flip is None or t <= flip]

    def visits(span: Sequence[int], side_up: bool, before: bool) -> list[int]:
        found, was_inside = [], before
        for t in span:
            if inside(t, side_up) and not was_inside:
                found.append(t)
            was_inside = inside(t, side_up)
        return found

    halves = [t for t in first_life if half(t, up)]
    counted = [
        t
        for t in visits(first_life, up, before=False)[:touches]
        if not any(earlier < t for earlier in halves)
    ]
    changes += [("touched", t) for t in counted]
    used = [*([counted[touches - 1]] if len(counted) >= touches else []), *halves[:1]]
    if used:
        changes.append(("consumed", min(used)))
    changes += [("half", t) for t in halves[:1]]
    fills = [t for t in first_life if (low[t] <= event.bottom if up else high[t] >= event.top)]
    changes += [("filled", t) for t in fills[:1]]
    over = None
    if flip is not None and flips is None:
        changes.append(("removed", flip))
        over = flip
    elif flip is not None and flips is not None:
        changes.append((flips, flip))
        second = [t for t in rows if t > flip]
        over = next((t for t in second if beyond(t, not up)), None)
        second = [t for t in second if over is None or t <= over]
        again = [t for t in second if half(t, not up)]
        back = [
            t
            for t in visits(second, not up, before=inside(flip, not up))[:touches]
            if not any(earlier < t for earlier in again)
        ]
        changes += [("breaker_touched", t) for t in back]
        if over is not None:
            changes.append(("removed", over))
    past = event.known + expiry + 1
    if over is None and past < len(close) and not any(hole <= past for hole in holes):
        changes.append(("expired", past))
    event.changes = sorted(changes, key=lambda change: (change[1], ORDER.index(change[0])))


def entries(
    swings: Sequence[Pivot],
    shifts: Sequence[tuple[int, Break]],
    bars: Bars,
    is_gap: Sequence[bool],
    *,
    expiry: int,
) -> list[Event]:
    """The pull-back zones of every displaced break, followed break by break."""
    _, high, low, close = bars
    gaps = long_gap_rows(is_gap)
    count = len(close)
    listed = alternating_lists(swings, gaps, count)
    # Where two breaks become known on one row, the later one is followed.
    by_row = dict(sorted(shifts, key=lambda shift: (shift[0], shift[1].row)))
    starts = sorted(by_row)
    events: list[Event] = []
    for number, armed in enumerate(starts):
        one = by_row[armed]
        following = starts[number + 1] if number + 1 < len(starts) else None
        hole = min((row for row in gaps if row > armed), default=count)
        stop = min(hole, count, count if following is None else following + 1)
        current: Event | None = None
        tip_row = base_row = -1
        side = one.side
        suspended = False
        for t in range(armed, stop):
            if t > armed + expiry:
                if current is not None:
                    current.changes.append(("ended", t))
                break
            pair = listed[t][-2:]
            fresh = (
                len(pair) == 2
                and pair[1].side == side
                and pair[1].anchor >= one.row
                and pair[1].anchor != tip_row
            )
            if fresh and tip_row >= 0 and pair[0].anchor != base_row:
                if current is not None:
                    current.changes.append(("ended", t))
                break
            if fresh:
                if current is not None:
                    current.changes.append(("ended", t))
                tip, base = pair[1].price, pair[0].price
                tip_row, base_row, suspended = pair[1].anchor, pair[0].anchor, False
                if not side * tip > side * base or side * close[t] < side * base:
                    break
                edges = [tip - share * (tip - base) for share in (0.62, 0.79)]
                current = Event(
                    "optimal_trade_entry", side, base_row, t, max(edges), min(edges),
                    [base_row, tip_row],
                )  # fmt: skip
                events.append(current)
            elif current is not None:
                extreme, reach = (high[t], low[t]) if side > 0 else (low[t], high[t])
                if side * extreme > side * tip and not suspended:
                    suspended = True
                    current.changes.append(("suspended", t))
                if side * close[t] < side * base:
                    current.changes.append(("invalid", t))
                    break
                entered = any(state == "entered" for state, _ in current.changes)
                near = current.top if side > 0 else current.bottom
                if not suspended and not entered and side * reach <= side * near:
                    current.changes.append(("entered", t))
        else:
            if current is not None and following is not None and stop == following + 1:
                current.changes.append(("ended", following))
    return events
