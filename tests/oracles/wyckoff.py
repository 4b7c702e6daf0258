"""Wyckoff's ranges once more, in plain Python: one range at a time, rules as the text states them.

Slow on purpose. The pivot list is folded again from the beginning for every row that asks for it, a
range is followed alone from its birth to its end, and nothing is shared with the compiled loops.
"""

from dataclasses import dataclass, field
from statistics import fmean

NONE = float("nan")


@dataclass
class Bars:
    """Plain lists; ``negated`` turns tops into bottoms."""

    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    is_gap: list[bool]

    def negated(self) -> "Bars":
        return Bars(
            [-x for x in self.open],
            [-x for x in self.low],
            [-x for x in self.high],
            [-x for x in self.close],
            self.volume,
            self.is_gap,
        )

    def __len__(self) -> int:
        return len(self.close)


@dataclass
class Rules:
    climax_volume: float = 2.0
    trend_atr: float = 8.0
    spring_depth: float = 0.3
    pivot_right: int = 5
    max_range_bars: int = 400


def wilder_atr(bars: Bars, length: int = 20) -> list[float]:
    """Mean of the first ``length`` true ranges after row 0, then Wilder's recursion."""
    ranges = [bars.high[0] - bars.low[0]]
    for t in range(1, len(bars)):
        before = bars.close[t - 1]
        ranges.append(max(bars.high[t], before) - min(bars.low[t], before))
    out = [NONE] * len(bars)
    for t in range(length, len(bars)):
        if t == length:
            out[t] = fmean(ranges[1 : length + 1])
        else:
            out[t] = out[t - 1] + (ranges[t] - out[t - 1]) / length
    return out


def is_pivot_high(highs: list[float], j: int, left: int, right: int) -> bool:
    if j - left < 0 or j + right >= len(highs):
        return False
    return highs[j] > max(highs[j - left : j]) and highs[j] >= max(highs[j + 1 : j + right + 1])


def reset_rows(is_gap: list[bool]) -> set[int]:
    return {t for t in range(3, len(is_gap)) if all(is_gap[t - 3 : t + 1])}


@dataclass
class Pivots:
    """Confirmed pivots as (known row, row, kind), and the alternating list at any row."""

    bars: Bars
    right: int
    resets: set[int]
    left: int | None = None
    found: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        lows = [-x for x in self.bars.low]
        left = self.left or self.right
        for j in range(len(self.bars)):
            for values, kind in ((self.bars.high, 1), (lows, -1)):
                if is_pivot_high(values, j, left, self.right):
                    self.found.append((j + self.right, j, kind))
        self.low_rows = {j for _, j, kind in self.found if kind == -1}

    def price(self, j: int, kind: int) -> float:
        return self.bars.high[j] if kind == 1 else self.bars.low[j]

    def alternating(self, t: int) -> list[tuple[int, int]]:
        """(row, kind) in order, as known at row ``t``."""
        start = max((r for r in self.resets if r <= t), default=-1)
        known: dict[int, list[int]] = {}
        for row, j, kind in self.found:
            if row <= t and j > start:
                known.setdefault(j, []).append(kind)
        turns: list[tuple[int, int]] = []
        for j in sorted(known):
            kinds = known[j]
            if len(kinds) == 2:
                if not turns:
                    continue
                kinds = [-turns[-1][1], turns[-1][1]]
            for kind in kinds:
                if not turns or turns[-1][1] != kind:
                    turns.append((j, kind))
                elif kind * self.price(j, kind) > kind * self.price(*turns[-1]):
                    turns[-1] = (j, kind)
        return turns

    def newest(self, t: int, kind: int) -> float | None:
        """Price of the newest turn of ``kind`` among the last two."""
        for j, own in reversed(self.alternating(t)[-2:]):
            if own == kind:
                return self.price(j, kind)
        return None


class Accumulation:
    """All accumulation events of a series: a list of (name, row) and the raw climaxes."""

    def __init__(self, bars: Bars, rules: Rules) -> None:
        self.bars, self.rules = bars, rules
        self.atr = wilder_atr(bars)
        self.resets = reset_rows(bars.is_gap)
        self.pivots = Pivots(bars, rules.pivot_right, self.resets)
        self.events: list[tuple[str, int]] = []
        self.springs: dict[int, int] = {}
        self.climaxes = [t for t in range(len(bars)) if self.is_climax(t)]
        candidates = {t for t in range(len(bars)) if self.is_preliminary(t)}
        for t in self.climaxes:
            self.events.append(("climax", t))
            if any(t - back in candidates for back in range(1, 41)):
                self.events.append(("preliminary", t))
        for climax in self.climaxes:
            birth = self.birth(climax)
            if birth is not None:
                self.follow(climax, birth)

    def relative_volume(self, t: int) -> float:
        mean = fmean(self.bars.volume[t - 20 : t])
        return self.bars.volume[t] / mean if mean > 0 else 0.0

    def spread(self, t: int) -> float:
        return (self.bars.high[t] - self.bars.low[t]) / self.atr[t] if self.atr[t] else 0.0

    def close_location(self, t: int) -> float:
        size = self.bars.high[t] - self.bars.low[t]
        return (self.bars.close[t] - self.bars.low[t]) / size if size else 0.5

    def after_fall(self, t: int) -> bool:
        if t < 100:
            return False
        b = self.bars
        fallen = max(b.high[t - 99 : t + 1]) - b.low[t] >= self.rules.trend_atr * self.atr[t]
        return fallen and b.close[t] < fmean(b.close[t - 49 : t + 1])

    def is_climax(self, t: int) -> bool:
        b = self.bars
        if not self.after_fall(t):
            return False
        rank = sum(v <= b.volume[t] for v in b.volume[t - 100 : t])
        return (
            (self.relative_volume(t) >= self.rules.climax_volume or rank >= 97)
            and self.spread(t) >= 1.5
            and (b.close[t] < b.open[t] or self.close_location(t) <= 0.6)
            and b.low[t] == min(b.low[t - 49 : t + 1])
        )

    def is_preliminary(self, t: int) -> bool:
        return (
            self.after_fall(t)
            and self.relative_volume(t) >= 1.5
            and self.spread(t) >= 1.2
            and self.close_location(t) >= 0.4
            and self.bars.low[t] == min(self.bars.low[t - 19 : t + 1])
        )

    def birth(self, climax: int) -> tuple[int, int] | None:
        """(row of the rally's high, row where it is known) of the first rally that qualifies."""
        b = self.bars
        top_of_fall = self.pivots.newest(climax, 1)
        if top_of_fall is None or not top_of_fall > b.low[climax]:
            return None
        for top in range(climax + 1, climax + 31):
            known = top + 3
            if known >= len(b):
                return None
            after = range(climax + 1, known + 1)
            if any(r in self.resets for r in range(climax, known + 1)):
                return None
            if min(b.low[climax + 1 : known + 1]) < b.low[climax]:
                return None
            if any(other in after for other in self.climaxes):
                return None
            rally = b.high[top] - b.low[climax]
            if (
                is_pivot_high(b.high, top, 3, 3)
                and rally >= 3 * self.atr[top]
                and rally >= 0.382 * (top_of_fall - b.low[climax])
            ):
                return top, known
        return None

    def follow(self, climax: int, birth: tuple[int, int]) -> None:
        """Every event of one range until it ends."""
        rally, start = birth
        self.events.append(("range_start", start))
        b, right = self.bars, self.rules.pivot_right
        support, resistance = b.low[climax], b.high[rally]
        height = resistance - support
        phase = "A"
        dip: list[int] = []
        spent = False
        spring: tuple[int, int] | None = None
        above: int | None = None
        strength = jump = point = None
        closes = 0
        for t in range(start + 1, len(b)):
            if t in self.resets or t - climax > self.rules.max_range_bars:
                return
            floor = b.low[spring[1]] if spring else support
            if b.close[t] < floor - self.atr[t]:
                self.events.append(("failure", t))
                if self.relative_volume(t) >= 1.5:
                    self.events.append(("broken", t))
                return
            if phase == "E":
                if b.close[t] < (support + resistance) / 2:
                    return
                continue
            j = t - right
            if j in self.pivots.low_rows and j > rally:
                low = b.low[j]
                if phase in "AB":
                    if (
                        support - 0.5 * self.atr[j] <= low <= support + 0.33 * height
                        and fmean(b.volume[j - 2 : j + 1]) < 0.7 * b.volume[climax]
                        and self.spread(j) < 1.2
                    ):
                        self.events.append(("secondary_test", t))
                        phase = "B"
                elif spring and (phase == "C" or j <= strength):
                    if (
                        spring[1] < j <= spring[0] + 25
                        and b.low[spring[1]] < low <= support + 0.25 * height
                        and b.volume[j] < 0.75 * b.volume[spring[1]]
                    ):
                        self.events.append(("test", t))
                elif phase == "D" and j > strength:
                    peak = max(b.high[strength : j + 1])
                    leg_low = self.pivots.newest(strength, -1)
                    leg = peak - (support if leg_low is None else leg_low)
                    if (
                        low >= support + 0.5 * height
                        and peak - low <= 0.62 * leg
                        and b.volume[j] < 0.7 * b.volume[strength]
                    ):
                        self.events.append(("support_point", t))
                        point = t if point is None else point
                        near = abs(low - resistance) <= 0.75 * self.atr[j]
                        if jump is not None and jump <= j and near:
                            self.events.append(("backup", t))
            if phase in "BC":
                penetrates = b.low[t] < support - 0.05 * self.atr[t]
                if not dip and not spent and penetrates and t - climax >= 20:
                    dip = [t]
                elif dip:
                    dip.append(t)
                if len(dip) > 4:
                    dip, spent = [], True
                if b.close[t] > support:
                    if dip:
                        lowest = min(dip, key=lambda row: (b.low[row], row))
                        depth = support - b.low[lowest]
                        deepest = min(2 * self.atr[lowest], self.rules.spring_depth * height)
                        new = spring is None or b.low[lowest] < b.low[spring[1]]
                        if new and depth <= deepest:
                            spring, phase = (t, lowest), "C"
                            self.events.append(("spring", t))
                            v = self.relative_volume(lowest)
                            self.springs[t] = 1 if v > 1.5 else 2 if v >= 0.8 else 3
                    dip, spent = [], False
            if spring and t == spring[0] + 3 and min(b.low[t - 2 : t + 1]) > support:
                self.events.append(("spring_confirmed", t))
            if above is None and b.high[t] > resistance:
                above = t
            if above is not None and b.close[t] < resistance:
                if t - above <= 3 and phase == "B":
                    self.events.append(("upthrust", t))
                above = None
            strong = (
                b.close[t] > support + 0.75 * height
                and self.spread(t) >= 1.2
                and self.relative_volume(t) >= 1.2
                and self.close_location(t) >= 0.6
            )
            if strong and phase in "BCD":
                first_jump = b.close[t] > resistance and jump is None
                if phase in "BC":
                    phase, strength = "D", t
                    self.events.append(("strength", t))
                elif first_jump:
                    self.events.append(("strength", t))
                if first_jump:
                    jump = t
                    self.events.append(("jump", t))
            if phase == "D":
                if point is not None and b.close[t] > resistance:
                    closes += 1
                if closes >= 3 or b.close[t] > resistance + 0.5 * height:
                    phase = "E"
                    self.events.append(("markup", t))
