"""Harmonic patterns once more, in plain Python and in ratios instead of prices.

The pivot list is folded afresh for every prefix, each zone is followed alone to its end, and the
table is typed again from the text: nothing is shared with the compiled loops.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import inf

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


@dataclass
class Zone:
    """What C foretells: edges in prices, and what is needed to grade D."""

    name: str
    row: int
    low: float
    high: float
    ideal: float
    band: float
    errors: list[float]
    q_range: tuple[float, float] | None


def error(value: float, wanted: float | tuple[float, float], tolerance: float) -> float:
    low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
    return max(0.0, (1 - value / low) / tolerance, (value / high - 1) / tolerance)


def zones_of(x: float, a: float, b: float, c: float, row: int, rules: Rules) -> list[Zone]:
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
    ) -> None:
        band = min(band, widest / 2)
        low, high = ideal - band, ideal + band
        if q_range:
            low = max(low, c - q_range[1] * (1 + wide) * bc)
            high = min(high, c - q_range[0] * (1 - wide) * bc)
        if max(errors) <= 1 and low <= high:
            found.append(Zone(name, row, low, high, ideal, band, errors, q_range))

    if xa > 0:
        ratio_b = ab / xa
        for name, (want_b, want_c, q_range, d) in ON_XA.items():
            tolerance_b = wide if isinstance(want_b, tuple) else rules.point_tolerance
            errors = [error(ratio_b, want_b, tolerance_b), error(ratio_c, want_c, wide)]
            add(name, errors, x + xa * (1 - d), wide * d * xa, 0.1 * xa, q_range)
        xc = (c - x) / xa
        errors = [error(ratio_b, (0.382, 0.618), wide), error(xc, (1.272, 1.414), wide)]
        size = 0.786 * (c - x)
        add("cypher", errors, x + 0.214 * (c - x), wide * size, 0.1 * xa, (1.272, 2.0))
        errors = [error(ratio_b, (1.13, 1.618), wide), error(ratio_c, (1.618, 2.24), wide)]
        add("five_zero", errors, (b + c) / 2, wide * bc / 2, 0.1 * xa, None)
    errors = [error(ratio_c, RETRACEMENT, wide)]
    add("abcd", errors, c - ab, wide * ab, 0.1 * ab, None)
    return found


class Bullish:
    """All zones of one side: events by row, active count and precision on every row."""

    def __init__(self, bars: Bars, rules: Rules) -> None:
        self.bars, self.rules = bars, rules
        self.atr = wilder_atr(bars, 14)
        self.resets = reset_rows(bars.is_gap)
        self.published: list[tuple[int, str]] = []
        self.entered: list[tuple[int, str]] = []
        self.failed: list[tuple[int, str]] = []
        self.confirmed: list[tuple[int, str, float]] = []
        self.count = [0] * len(bars)
        self.precision = [0.0] * len(bars)
        pivots = Pivots(bars, rules.right, self.resets, rules.left)
        known_rows = {known for known, _, _ in pivots.found}
        newest = None
        for t in range(1, len(bars)):
            if t not in known_rows and t not in self.resets:
                continue
            turns = pivots.alternating(t)
            current = turns[-1] if turns else None
            if current == newest:
                continue
            newest = current
            if current and current[1] == 1 and t not in self.resets:
                self.consider(turns, pivots, t)

    def consider(self, turns: list[tuple[int, int]], pivots: Pivots, t: int) -> None:
        rows = [j for j, _ in turns][-4:]
        prices = [pivots.price(j, kind) for j, kind in turns][-4:]
        if len(rows) < 3:
            return
        if len(rows) == 3:
            rows, prices = [-(10**9), *rows], [inf, *prices]
        for zone in zones_of(*prices, t, self.rules):
            own = rows[1:] if zone.name == "abcd" else rows
            legs = [later - earlier for earlier, later in pairwise(own)]
            if min(legs) < 3 or own[-1] - own[0] > self.rules.max_span_bars:
                continue
            if min(self.bars.low[own[-1] : t + 1]) <= zone.high:
                continue
            self.published.append((t, zone.name))
            self.follow(zone, rows, prices)

    def follow(self, zone: Zone, rows: list[int], prices: list[float]) -> None:
        """One zone from the row after C was known until it is over."""
        bars, rules = self.bars, self.rules
        x, _, b, c = prices
        ab_bars = rows[2] - rows[1]
        entry = confirmed = None
        lowest, precision = inf, 0.0
        inside_x = zone.name in ON_XA and ON_XA[zone.name][3] < 1
        for t in range(zone.row + 1, len(bars)):
            if t in self.resets:
                return
            close = bars.close[t]
            broken = close < zone.low - self.atr[t] or (inside_x and close < x - 0.01 * abs(x))
            if confirmed is not None:
                d = min(bars.low[entry : t + 1])
                if t - confirmed >= rules.validity_bars or broken or (inside_x and d < x):
                    return
            else:
                if entry is None:
                    waited = t - rows[3]
                    if bars.high[t] > c or t - zone.row > rules.max_open_bars:
                        return
                    if waited / ab_bars > 2.618:
                        return
                    if bars.low[t] <= zone.high and bars.high[t] >= zone.low:
                        if waited < 3 or waited / ab_bars < 0.382:
                            return
                        entry = t
                        self.entered.append((t, zone.name))
                if entry is not None and inside_x and min(bars.low[entry : t + 1]) < x:
                    broken = True
                if broken:
                    self.failed.append((t, zone.name))
                    return
                if entry is None:
                    continue
                if t - entry > 5:
                    return
                lowest = min(lowest, bars.low[t])
                if close <= zone.high:
                    continue
                confirmed = t
                precision = graded(zone, lowest, b, c, rules)
                self.confirmed.append((t, zone.name, precision))
            self.count[t] += 1
            self.precision[t] += precision


def graded(zone: Zone, d: float, b: float, c: float, rules: Rules) -> float:
    """1 minus the mean error of every ratio that the pattern names, none counted above 1."""
    errors = [*zone.errors, min(1.0, abs(d - zone.ideal) / zone.band)]
    if zone.q_range:
        errors.append(min(1.0, error((c - d) / (c - b), zone.q_range, rules.tolerance)))
    return 1 - sum(errors) / len(errors)


def completed(bars: Bars, rules: Rules) -> list[tuple[int, str, float]]:
    """(row, name, precision) of the best bullish pattern whose D has just become a pivot."""
    resets = reset_rows(bars.is_gap)
    pivots = Pivots(bars, rules.right, resets, rules.left)
    found = []
    newest = None
    for t in sorted({known for known, _, _ in pivots.found} | resets):
        turns = pivots.alternating(t)
        current = turns[-1] if turns else None
        if current == newest:
            continue
        newest = current
        if not current or current[1] != -1 or len(turns) < 4:
            continue
        rows = [j for j, _ in turns][-5:]
        prices = [pivots.price(j, kind) for j, kind in turns][-5:]
        if len(rows) == 4:
            rows, prices = [-(10**9), *rows], [inf, *prices]
        x, a, b, c, d = prices
        if rows[2] == rows[1] or not 0.382 <= (rows[4] - rows[3]) / (rows[2] - rows[1]) <= 2.618:
            continue
        best: tuple[int, str, float] | None = None
        for zone in zones_of(x, a, b, c, t, rules):
            own = rows[1:] if zone.name == "abcd" else rows
            legs = [later - earlier for earlier, later in pairwise(own)]
            if min(legs) < 3 or own[-1] - own[0] > rules.max_span_bars:
                continue
            precision = graded(zone, d, b, c, rules)
            if zone.low <= d <= zone.high and (best is None or precision > best[2]):
                best = (t, zone.name, precision)
        if best:
            found.append(best)
    return found
