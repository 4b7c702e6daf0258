"""Slow oracles of pools, sweeps, inducements and session ranges, written from SPEC: plain lists.

What becomes of a pool on its own is searched forward from the row on which it is known; the pools are
then put together in the order in which they became known. None of it imports the project.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from .structure import Pivot, forgotten_before, long_gap_rows, pivots

Prices = Sequence[float]
NEW_YORK = ZoneInfo("America/New_York")


@dataclass
class Range:
    """A period that is over at the close of row ``known``."""

    known: int
    first: int
    high_row: int
    low_row: int


def _group_ranges(
    group_of: Callable[[datetime], object], opens: Sequence[datetime], step: timedelta,
    high: Prices, low: Prices, is_gap: Sequence[bool],
) -> list[Range]:  # fmt: skip
    """Ranges of the runs of bars in one group; None is no group."""
    gaps, found = long_gap_rows(is_gap), []
    rows_of: dict[object, list[int]] = {}
    for t, moment in enumerate(opens):
        rows_of.setdefault(group_of(moment), []).append(t)
    for group, rows in rows_of.items():
        whole = group is not None and rows[0] > 0 and group_of(opens[rows[-1]] + step) != group
        traded = [t for t in rows if not is_gap[t]]
        if whole and traded and not gaps & set(rows):
            top = max(traded, key=lambda t: (high[t], -t))
            bottom = min(traded, key=lambda t: (low[t], t))
            found.append(Range(rows[-1], rows[0], top, bottom))
    return found


def day_of(moment: datetime) -> object:
    """The UTC date."""
    return moment.astimezone(UTC).date()


def week_of(moment: datetime) -> object:
    """Year and number of the week, Mondays first."""
    return moment.astimezone(UTC).isocalendar()[:2]


def session_of(first_hour: int, last_hour: int, *, weekend: bool) -> Callable[[datetime], object]:
    """The New York date of a session of whole hours; an evening belongs to the date on which it ends."""

    def group(moment: datetime) -> date | None:
        local = moment.astimezone(NEW_YORK)
        if not first_hour <= local.hour < last_hour:
            return None
        day = local.date() + timedelta(days=1 if last_hour == 24 else 0)
        return day if weekend or day.weekday() < 5 else None

    return group


def ranges(
    kind: str, opens: Sequence[datetime], high: Prices, low: Prices, is_gap: Sequence[bool],
    *, weekend: bool = False, step: timedelta = timedelta(hours=1),
) -> list[Range]:  # fmt: skip
    """The completed ranges of one kind: day, week, asian or london."""
    group_of = {
        "day": day_of,
        "week": week_of,
        "asian": session_of(20, 24, weekend=weekend),
        "london": session_of(2, 5, weekend=weekend),
    }[kind]
    return _group_ranges(group_of, opens, step, high, low, is_gap)


KINDS = ("swing", "equal", "day", "week", "asian", "london")


@dataclass
class Pool:
    """A pool of lows (of mirrored highs), its points (row, price) in order, and its end."""

    kind: str
    level: float
    known: int
    points: list[tuple[int, float]]
    order: int
    breached: int | None = None
    deepest_row: int | None = None
    end: tuple[str, int] | None = None
    closed: int = 0
    strength: float = math.nan


def _follow(
    pool: Pool, bars: tuple[Prices, Prices, Prices], atr: Prices, gaps: set[int],
    epsilon: float, expiry: int,
) -> None:  # fmt: skip
    """What becomes of the pool if nothing takes its place."""
    high, low, close = bars
    cut = min([g for g in gaps if g > pool.known], default=len(close))
    pool.closed = cut
    breaches = [
        t
        for t in range(pool.known + 1, cut)
        if low[t] < pool.level - epsilon * atr[t] and t <= pool.known + expiry
    ]
    pool.breached = breaches[0] if breaches else None
    last = pool.known + expiry
    if pool.breached is not None:
        for t in range(pool.breached, min(pool.breached + 4, cut)):
            raid = range(pool.breached, t + 1)
            pool.deepest_row = min(raid, key=lambda i: (low[i], i))
            deepest = low[pool.deepest_row]
            if pool.level - deepest > 1.5 * atr[t]:
                pool.end = ("broken", t)
            elif close[t] > pool.level:
                pool.end = ("swept", t)
                span = max(high[i] for i in raid) - deepest
                pool.strength = (close[t] - deepest) / span if span > 0 else 0.5
            elif t == pool.breached + 3:
                pool.end = ("broken", t)
            elif t >= last:
                pool.end = ("expired", t)
            if pool.end:
                break
    elif last < cut:
        pool.end = ("expired", last)
    if pool.end:
        pool.closed = pool.end[1]


def pools(
    bars: tuple[Prices, Prices, Prices], atr: Prices, is_gap: Sequence[bool],
    swings: Sequence[Pivot], levels: dict[str, list[tuple[int, int, float]]],
    *, epsilon: float = 0.05, width: float = 0.15, expiry: int = 300,
) -> list[Pool]:  # fmt: skip
    """Every pool of lows: ``swings`` are the pivot lows, ``levels`` (known, row, price) by kind."""
    gaps = long_gap_rows(is_gap)
    births = [(p.known, "swing", p.anchor, p.price) for p in swings]
    births += [(k, kind, row, price) for kind, found in levels.items() for k, row, price in found]
    births.sort(key=lambda birth: (birth[0], KINDS.index(birth[1])))
    found: list[Pool] = []
    for known, kind, row, price in births:
        standing = sorted(
            (p for p in found if p.closed > known and (p.breached is None or p.breached > known)),
            key=lambda p: p.order,
        )
        pool = Pool(kind, price, known, [(row, price)], len(found))
        if kind == "swing":
            near = [
                p
                for p in standing
                if p.kind in ("swing", "equal")
                and abs(p.level - price) <= width * atr[known]
                and row - max(point[0] for point in p.points) <= 100
            ]
            if near:
                old = near[0]
                pool.kind, pool.level = "equal", min(old.level, price)
                pool.points, pool.order = [*old.points, (row, price)], old.order
                old.end, old.closed = ("replaced", known), known
        else:
            for old in (p for p in found if p.kind == kind and p.closed > known):
                old.end, old.closed = ("replaced", known), known
        _follow(pool, bars, atr, gaps, epsilon, expiry)
        found.append(pool)
    return found


def standing_majors(
    low: Prices, is_gap: Sequence[bool], side_bars: int, rows: Sequence[int]
) -> list[Pivot | None]:
    """On each of ``rows`` the newest confirmed major low that no bar since has gone under."""
    gaps = long_gap_rows(is_gap)
    high = [math.inf] * len(low)
    majors = [p for p in pivots(high, low, side_bars, side_bars, is_gap) if p.side < 0]
    out: list[Pivot | None] = []
    for t in rows:
        known = [p for p in majors if forgotten_before(t, gaps) <= p.known <= t]
        holds = known and min(low[known[-1].known : t + 1]) >= known[-1].price
        out.append(known[-1] if holds else None)
    return out


@dataclass
class Judas:
    """A failed raid of a range: known on ``row``, begun on ``began``."""

    row: int
    side: int
    strength: float
    began: int
    extreme: float


def judas_swings(
    opens: Sequence[datetime], bars: tuple[Prices, Prices, Prices, Prices], atr: Prices,
    is_gap: Sequence[bool], *, kind: str = "asian", window: tuple[int, int] = (0, 5 * 60),
    reach: float = 0.1, least: float = 0.3, shift: Sequence[float] | None = None,
    step: timedelta = timedelta(hours=1),
) -> list[Judas]:  # fmt: skip
    """Failed raids inside ``window`` (minutes of the New York day), date by date, weekends left out."""
    open_, high, low, close = bars
    local = [moment.astimezone(NEW_YORK) for moment in opens]
    gaps = long_gap_rows(is_gap)
    formed = {}
    for one in ranges(kind, opens, high, low, is_gap, step=step):
        day = local[one.known].date() + timedelta(days=1 if kind == "asian" else 0)
        formed[day] = one
    found = []
    for day in sorted({moment.date() for moment in local}):
        if day not in formed:
            continue
        one = formed[day]
        top, bottom = high[one.high_row], low[one.low_row]
        rows = [t for t, moment in enumerate(local) if moment.date() == day]
        inside = [t for t in rows if window[0] <= local[t].hour * 60 + local[t].minute < window[1]]
        fired = {1: False, -1: False}
        for t in inside if top > bottom else []:
            if any(one.known < g <= t for g in gaps):
                break
            now: dict[int, Judas] = {}
            for side in (-1, 1):
                edge = top if side < 0 else -bottom
                reached = high if side < 0 else [-value for value in low]
                midnight = -side * open_[rows[0]]
                raids = [
                    s for s in inside
                    if s <= t and reached[s] >= edge + reach * atr[s] and reached[s] > midnight
                ]  # fmt: skip
                if not raids or fired[side]:
                    continue
                turned = shift is None or any(shift[s] == side for s in range(raids[0], t + 1))
                extreme = max(reached[raids[0] : t + 1])
                strength = (extreme + side * close[t]) / (top - bottom)
                if -side * close[t] < edge and strength >= least and turned:
                    now[side] = Judas(t, side, strength, raids[0], -side * extreme)
            for side in now:
                fired[side] = True
            if len(now) == 1:
                found += now.values()
    return found
