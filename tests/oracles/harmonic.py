"""Harmonic patterns once more, in plain Python and in ratios instead of prices.

The list of swings is folded afresh for every prefix, figures are sought among all choices of its last
members, each zone is followed alone to its end, and the table is typed again from the text: nothing
is shared with the compiled loops.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from math import inf, nan

from tests.oracles.wyckoff import Bars, Pivots, reset_rows, wilder_atr

RETRACEMENT = (0.382, 0.886)
# name: (b, c, q, d); a single number is a point.
ON_XA = {
    "gartley": (0.618, RETRACEMENT, (1.13, 1.618), 0.786),
    "bat": ((0.382, 0.5), RETRACEMENT, (1.618, 2.618), 0.886),
    "alternate_bat": (0.382, RETRACEMENT, (2.0, 3.618), 1.13),
    "butterfly": (0.786, RETRACEMENT, (1.618, 2.24), 1.27),
    "crab": ((0.382, 0.618), RETRACEMENT, (2.24, 3.618), 1.618),
    "deep_crab": (0.886, RETRACEMENT, (2.0, 3.618), 1.618),
    "shark": ((0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 0.886),
    "deep_shark": ((0.382, 0.618), (1.13, 1.618), (1.618, 2.24), 1.13),
}
WIDER_B = {"gartley", "butterfly", "deep_crab"}
INSIDE_X = {"gartley", "bat", "shark", "cypher"}
BEYOND = {
    "alternate_bat": 1.27,
    "butterfly": 1.414,
    "crab": 1.828,
    "deep_crab": 1.828,
    "deep_shark": 1.27,
}
ABCD_STOPS = {1.0: 1.13, 1.27: 1.414, 1.618: 1.828}
CODES = {
    name: code
    for code, name in enumerate(
        ("gartley", "bat", "alternate_bat", "butterfly", "crab", "deep_crab", "abcd", "shark",
         "deep_shark", "cypher", "five_zero"),
        start=1,
    )
}  # fmt: skip


@dataclass
class Rules:
    left: int = 5
    right: int = 5
    tolerance: float = 0.03
    point_tolerance: float = 0.05
    max_span_bars: int = 400
    max_open_bars: int = 200
    validity_bars: int = 10
    minor_swings: int = 0
    alternate_abcd: int = 0
    by_turns: int = 0
    turn_atr: float = 2.5


@dataclass
class Zone:
    """What C foretells: edges in prices, and what is needed to grade D."""

    name: str
    low: float
    high: float
    ideal: float
    band: float
    errors: list[float]
    q_range: tuple[float, float] | None
    stop: float


@dataclass
class Event:
    """A zone or a completed figure, and what became of it: (row, state) in order."""

    name: str
    known: int
    rows: list[int]
    prices: list[float]
    low: float
    high: float
    measure: float
    levels: list[float]
    changes: list[tuple[int, str]] = field(default_factory=list)
    precision: float = nan

    @property
    def anchor(self) -> int:
        return self.rows[0] if self.rows[0] >= 0 else self.rows[1]

    def negated(self) -> "Event":
        return Event(
            self.name,
            self.known,
            self.rows,
            [-price for price in self.prices],
            -self.high,
            -self.low,
            self.measure,
            [-level for level in self.levels],
            self.changes,
            self.precision,
        )


def harmonic_ratios(
    x: float, a: float, b: float, c: float, d: float
) -> tuple[float, float, float, float]:
    """AB/XA, BC/AB, CD/BC and AD/XA of five prices; each signed, so that d = b (1 - c + c q) holds."""
    return (a - b) / (a - x), (c - b) / (a - b), (c - d) / (c - b), (a - d) / (a - x)


def error(value: float, wanted: float | tuple[float, float], tolerance: float) -> float:
    low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    return max(0.0, (1 - value / low) / tolerance, (value / high - 1) / tolerance)


def zones_of(x: float, a: float, b: float, c: float, rules: Rules) -> list[Zone]:
    """Every bullish zone of four prices, before legs and durations are looked at."""
    ab, bc = a - b, c - b
    xa = a - x
    ratio_c = bc / ab
    wide = rules.tolerance
    found = []

    def add(
        name: str,
        errors: list[float],
        ideal: float,
        band: float,
        widest: float,
        q_range: tuple[float, float] | None,
        stop: float,
    ) -> None:
        band = min(band, widest / 2)
        low, high = ideal - band, ideal + band
        if q_range:
            low = max(low, c - q_range[1] * (1 + wide) * bc)
            high = min(high, c - q_range[0] * (1 - wide) * bc)
        if max(errors) <= 1 and low <= high:
            found.append(Zone(name, low, high, ideal, band, errors, q_range, stop))

    if xa > 0:
        ratio_b = ab / xa
        for name, (want_b, want_c, q_range, d) in ON_XA.items():
            tolerance_b = rules.point_tolerance if name in WIDER_B else wide
            errors = [error(ratio_b, want_b, tolerance_b), error(ratio_c, want_c, wide)]
            stop = x if name in INSIDE_X else a - BEYOND[name] * xa
            add(name, errors, x + xa * (1 - d), wide * d * xa, 0.1 * xa, q_range, stop)
        xc = (c - x) / xa
        errors = [error(ratio_b, (0.382, 0.618), wide), error(xc, (1.272, 1.414), wide)]
        size = 0.786 * (c - x)
        add("cypher", errors, x + 0.214 * (c - x), wide * size, 0.1 * xa, (1.272, 2.0), x)
        errors = [error(ratio_b, (1.13, 1.618), wide), error(ratio_c, (1.618, 2.24), wide)]
        add("five_zero", errors, (b + c) / 2, wide * bc / 2, 0.1 * xa, None, c - 0.618 * bc)
    errors = [error(ratio_c, RETRACEMENT, wide)]
    for ratio in (1.0, 1.27, 1.618) if rules.alternate_abcd else (1.0,):
        stop = c - ABCD_STOPS[ratio] * ab
        add("abcd", errors, c - ratio * ab, wide * ratio * ab, 0.1 * ab, None, stop)
    return found


def directional_turns(bars: Bars, multiple: float, resets: set[int]) -> list[tuple[int, int, int]]:
    """(known row, row, kind) of the turns, each extreme sought again in all bars of its leg."""
    atr = wilder_atr(bars, 14)
    found = []
    leg, start = 0, 0
    for t in range(len(bars)):
        if t in resets:
            leg, start = 0, t + 1
            continue
        span = range(start, t + 1)
        top = max(span, key=lambda row: (bars.high[row], -row))
        bottom = min(span, key=lambda row: (bars.low[row], row))
        far = multiple * atr[t]
        falls = leg >= 0 and top < t and bars.high[top] - bars.close[t] >= far
        rises = leg <= 0 and bottom < t and bars.close[t] - bars.low[bottom] >= far
        if falls and (not rises or top > bottom):
            found.append((t, top, 1))
            leg, start = -1, top + 1
        elif rises and (not falls or bottom > top):
            found.append((t, bottom, -1))
            leg, start = 1, bottom + 1
    return found


class Swings:
    """The alternating list at any row, of pivots or of turns."""

    def __init__(self, bars: Bars, rules: Rules, resets: set[int]) -> None:
        self.bars, self.resets, self.by_turns = bars, resets, bool(rules.by_turns)
        self.pivots = Pivots(bars, rules.right, resets, rules.left)
        if self.by_turns:
            self.found = directional_turns(bars, rules.turn_atr, resets)
        else:
            self.found = self.pivots.found

    def at(self, t: int) -> list[tuple[int, int]]:
        """(row, kind) in order, as known at row ``t``."""
        if not self.by_turns:
            return self.pivots.alternating(t)
        start = max((row for row in self.resets if row <= t), default=-1)
        return [(row, kind) for known, row, kind in self.found if start < known <= t]

    def news(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """(row, list) wherever the newest member of the list is another one than before."""
        newest = None
        for t in sorted({known for known, _, _ in self.found} | self.resets):
            turns = self.at(t)
            current = turns[-1] if turns else None
            if current != newest and current and t > 0:
                yield t, turns
            newest = current

    def figures(
        self, turns: list[tuple[int, int]], points: int, minor_swings: int
    ) -> Iterator[tuple[list[int], list[float]]]:
        """Rows and prices of every choice of ``points`` members that ends with the newest one."""
        tail = turns[-(points + 2 * minor_swings) :]
        price = [self.pivots.price(row, kind) for row, kind in tail]
        for chosen in combinations(range(len(tail)), points):
            if (
                chosen[-1] != len(tail) - 1
                or chosen[-1] - chosen[0] + 1 > points + 2 * minor_swings
            ):
                continue
            kinds = [tail[i][1] for i in chosen]
            alternates = all(one != other for one, other in pairwise(kinds))
            stays_inside = all(
                min(price[i], price[k]) < price[j] < max(price[i], price[k])
                for i, k in pairwise(chosen)
                for j in range(i + 1, k)
            )
            if alternates and stays_inside:
                yield [tail[i][0] for i in chosen], [price[i] for i in chosen]


class Bullish:
    """All zones of one side as ``events``, active count and precision on every row."""

    def __init__(self, bars: Bars, rules: Rules) -> None:
        self.bars, self.rules = bars, rules
        self.atr = wilder_atr(bars, 14)
        self.resets = reset_rows(bars.is_gap)
        self.events: list[Event] = []
        self.count = [0] * len(bars)
        self.precision = [0.0] * len(bars)
        self.active: list[set[str]] = [set() for _ in bars.close]
        swings = Swings(bars, rules, self.resets)
        for t, turns in swings.news():
            if turns[-1][1] != 1 or t in self.resets:
                continue
            for rows, prices in swings.figures(turns, 4, rules.minor_swings):
                self.consider(rows, prices, t, with_x=True)
            for rows, prices in swings.figures(turns, 3, rules.minor_swings):
                self.consider([-1, *rows], [inf, *prices], t, with_x=False)

    def consider(self, rows: list[int], prices: list[float], t: int, *, with_x: bool) -> None:
        if not long_enough(rows if with_x else rows[1:], self.rules):
            return
        for zone in zones_of(*prices, self.rules):
            if (zone.name != "abcd") != with_x:
                continue
            if min(self.bars.low[rows[-1] : t + 1]) <= zone.high:
                continue
            measure = 1 - sum(zone.errors) / len(zone.errors)
            event = made(zone, t, rows, prices, measure, zone.ideal)
            self.events.append(event)
            self.follow(zone, event, rows, prices)

    def follow(self, zone: Zone, event: Event, rows: list[int], prices: list[float]) -> None:
        """One zone from the row after C was known until it is over."""
        bars, rules = self.bars, self.rules
        x, _, b, c = prices
        ab_bars = rows[2] - rows[1]
        entry = confirmed = None
        lowest, precision = inf, 0.0
        inside_x = zone.name in INSIDE_X
        for t in range(event.known + 1, len(bars)):
            if t in self.resets:
                return
            close = bars.close[t]
            over = None
            if confirmed is not None and t - confirmed >= rules.validity_bars:
                over = "expired"
            elif entry is None:
                waited = t - rows[3]
                late = t - event.known > rules.max_open_bars or waited / ab_bars > 2.618
                touched = bars.low[t] <= zone.high and bars.high[t] >= zone.low
                if (
                    bars.high[t] > c
                    or late
                    or (touched and (waited < 3 or waited / ab_bars < 0.382))
                ):
                    over = "expired"
                elif touched:
                    entry = t
                    event.changes.append((t, "entered"))
            if over is None:
                d_beyond = entry is not None and min(bars.low[entry : t + 1]) < x
                close_beyond = close < x - 0.01 * abs(x)
                if close < zone.low - self.atr[t] or (inside_x and (d_beyond or close_beyond)):
                    over = "failed"
                elif confirmed is None and entry is not None and t - entry > 5:
                    over = "expired"
            if over is not None:
                event.changes.append((t, over))
                return
            if confirmed is None and entry is not None:
                lowest = min(lowest, bars.low[t])
                if close > zone.high:
                    confirmed = t
                    precision = event.precision = graded(zone, lowest, b, c, rules)
                    event.changes.append((t, "confirmed"))
            if confirmed is not None:
                self.count[t] += 1
                self.precision[t] += precision
                self.active[t].add(zone.name)


def long_enough(rows: list[int], rules: Rules) -> bool:
    """Legs of at least three bars, the whole not longer than the rules allow."""
    legs = [later - earlier for earlier, later in pairwise(rows)]
    return min(legs) >= 3 and rows[-1] - rows[0] <= rules.max_span_bars


def made(
    zone: Zone, t: int, rows: list[int], prices: list[float], measure: float, d: float
) -> Event:
    """The event of a zone or a completed figure; targets start at ``d``."""
    a, b, c = prices[1:4]
    levels = [zone.ideal, a - 0.618 * (a - d), a - 0.382 * (a - d), c, zone.stop, b + c - a]
    first = prices[0] if rows[0] >= 0 else nan
    return Event(zone.name, t, rows, [first, *prices[1:]], zone.low, zone.high, measure, levels)


def graded(zone: Zone, d: float, b: float, c: float, rules: Rules) -> float:
    """1 minus the mean error of every ratio that the pattern names, none counted above 1."""
    errors = [*zone.errors, min(1.0, abs(d - zone.ideal) / zone.band)]
    if zone.q_range:
        errors.append(min(1.0, error((c - d) / (c - b), zone.q_range, rules.tolerance)))
    return 1 - sum(errors) / len(errors)


def completed(bars: Bars, rules: Rules) -> list[Event]:
    """Bullish patterns whose D has just become a pivot, all of each row."""
    resets = reset_rows(bars.is_gap)
    swings = Swings(bars, rules, resets)
    found = []
    for t, turns in swings.news():
        if turns[-1][1] != -1:
            continue
        whole = swings.figures(turns, 5, rules.minor_swings)
        without_x = swings.figures(turns, 4, rules.minor_swings)
        choices = [(rows, prices, True) for rows, prices in whole]
        choices += [([-1, *rows], [inf, *prices], False) for rows, prices in without_x]
        for rows, prices, with_x in choices:
            if not long_enough(rows if with_x else rows[1:], rules):
                continue
            d = prices[4]
            if not 0.382 <= (rows[4] - rows[3]) / (rows[2] - rows[1]) <= 2.618:
                continue
            for zone in zones_of(*prices[:4], rules):
                if (zone.name != "abcd") == with_x and zone.low <= d <= zone.high:
                    measure = graded(zone, d, prices[2], prices[3], rules)
                    found.append(made(zone, t, rows, prices, measure, d))
    return found
