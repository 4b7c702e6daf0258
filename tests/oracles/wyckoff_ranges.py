"""Wyckoff's ranges once more, in plain Python: one range at a time, rules as the text states them.

Slow on purpose. A range is followed alone from its birth to its end, and nothing is shared with the
compiled loops.
"""

from dataclasses import dataclass, field
from statistics import fmean

from tests.oracles.wyckoff import (
    Bars,
    Pivots,
    Rules,
    figure_columns,
    is_pivot_high,
    reset_rows,
    wilder_atr,
)


@dataclass
class Event:
    """Something that one range says; ``born`` is the row on which that range began to exist."""

    name: str
    known: int
    anchor: int
    price: float
    born: tuple[int, bool]
    own: "Range | None"


@dataclass
class Range:
    """One range as it was said: from its rally on, a second reading from phase C on."""

    second: bool
    climax: int
    rally: int
    support: float
    resistance: float
    born: int
    states: list[tuple[str, int]] = field(default_factory=list)

    def lives(self, t: int) -> bool:
        """Whether it is known at the close of row ``t`` and not over."""
        over = self.states[-1][1] if self.states[-1][0] in ("failed", "ended") else t + 1
        return self.states[0][1] <= t < over

    def phase(self, t: int) -> str:
        """The newest state at the close of row ``t``."""
        return [name for name, row in self.states if row <= t][-1]


class Accumulation:
    """What one side says: events of all its ranges, the ranges, and the raw climaxes.

    ``live`` follows the ranges that were born of this side's climaxes, and the second readings of
    those that were born of the other's.
    """

    def __init__(self, bars: Bars, rules: Rules) -> None:
        self.bars, self.rules = bars, rules
        self.atr = wilder_atr(bars)
        self.resets = reset_rows(bars.is_gap)
        self.pivots = Pivots(bars, rules.pivot_right, self.resets)
        self.said: list[Event] = []
        self.ranges: list[Range] = []
        self.climaxes = [t for t in range(len(bars)) if self.is_climax(t)]
        candidates = {t for t in range(len(bars)) if self.is_preliminary(t)}
        for t in self.climaxes:
            self.say("climax", t, t, bars.low[t])
            for back in range(1, 41):
                if any(row in self.resets for row in range(t - back + 1, t + 1)):
                    break
                if t - back in candidates:
                    self.say("preliminary", t, t - back, bars.low[t - back])
                    break
        found = [(climax, self.birth(climax)) for climax in self.climaxes]
        self.births = {climax: birth for climax, birth in found if birth is not None}

    def live(self, other: "Accumulation") -> None:
        for climax, (rally, start) in self.births.items():
            own = Range(False, climax, rally, self.bars.low[climax], self.bars.high[rally], start)
            self.say("range_start", start, rally, own.resistance, own)
            own.states.append(("phase_a", start))
            self.follow(own)
        for climax, (rally, start) in other.births.items():
            self.follow(
                Range(True, climax, rally, self.bars.low[rally], self.bars.high[climax], start)
            )

    def say(
        self, name: str, known: int, anchor: int, price: float, own: Range | None = None
    ) -> None:
        born = (known, False) if own is None else (own.born, own.second)
        self.said.append(Event(name, known, anchor, price, born, own))

    def events(self) -> dict[tuple[str, int], Event]:
        """By name and row: of several ranges the oldest, first readings before second."""
        chosen: dict[tuple[str, int], Event] = {}
        for event in sorted(self.said, key=lambda event: event.born, reverse=True):
            chosen[event.name, event.known] = event
        return chosen

    def leading(self, t: int, second: bool) -> Range | None:
        """The oldest range at work on row ``t``, else the newest in phase E."""
        alive = [one for one in self.ranges if one.second == second and one.lives(t)]
        alive.sort(key=lambda one: one.born)
        at_work = [one for one in alive if one.phase(t) != "phase_e"]
        return at_work[0] if at_work else alive[-1] if alive else None

    def target(self, own: Range, t: int) -> float:
        """Horizontal count of a range on row ``t``: the chart ends where phase E begins."""
        last = min([t, *(row for name, row in own.states if name == "phase_e")])
        box = 0.5 * self.atr[own.rally]
        heights = [(x - own.support) / box for x in self.bars.close[own.climax : last + 1]]
        return own.support + 3 * box * figure_columns(heights, rises=own.second)

    def relative_volume(self, t: int) -> float:
        mean = fmean(self.bars.volume[t - 20 : t])
        return self.bars.volume[t] / mean if mean > 0 else 0.0

    def spread(self, t: int) -> float:
        return (self.bars.high[t] - self.bars.low[t]) / self.atr[t] if self.atr[t] else 0.0

    def share_of_price(self, t: int) -> float:
        return (self.bars.high[t] - self.bars.low[t]) / abs(self.bars.close[t])

    def is_strong(self, t: int) -> bool:
        if self.rules.seed_thresholds:
            return self.relative_volume(t) >= 1.5 and self.share_of_price(t) >= 0.015
        return self.relative_volume(t) >= 1.2 and self.spread(t) >= 1.2

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
        wide = self.spread(t) >= 1.5
        if self.rules.seed_thresholds:
            wide = self.share_of_price(t) >= 0.02
        return (
            (self.relative_volume(t) >= self.rules.climax_volume or rank >= 97)
            and wide
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

    def given_up(self, climax: int) -> int | None:
        """The first row on which no rally can answer a climax that none has answered."""
        if climax in self.births:
            return None
        for t in range(climax + 1, min(climax + 34, len(self.bars))):
            if t in self.resets or t in self.climaxes or self.bars.low[t] < self.bars.low[climax]:
                return t
        return climax + 33 if climax + 33 < len(self.bars) else None

    def follow(self, own: Range) -> None:
        """Every event and state of one range until it ends."""
        b, right = self.bars, self.rules.pivot_right
        support, resistance, climax = own.support, own.resistance, own.climax
        height = resistance - support
        phase = "A"
        dip: list[int] = []
        spent = False
        spring: tuple[int, int] | None = None
        above: int | None = None
        below: int | None = None
        strength = jump = point = None
        closes = 0

        def say(name: str, known: int, anchor: int, price: float) -> None:
            if not own.second or phase in "CDE":
                self.say(name, known, anchor, price, own)

        def end(state: str, t: int) -> None:
            if own.states:
                own.states.append((state, t))

        if not own.second:
            self.ranges.append(own)
        for t in range(own.born + 1, len(b)):
            before = phase
            if t in self.resets or t - climax > self.rules.max_range_bars:
                return end("ended", t)
            floor = b.low[spring[1]] if spring else support
            if b.close[t] < floor - self.atr[t]:
                say("failure", t, t, floor)
                if self.relative_volume(t) >= 1.5:
                    say("broken", t, t, b.close[t])
                return end("failed", t)
            if phase == "E":
                if b.close[t] < (support + resistance) / 2:
                    return end("ended", t)
                continue
            j = t - right
            if j in self.pivots.low_rows and j > own.rally:
                low = b.low[j]
                if phase in "AB":
                    if (
                        support - 0.5 * self.atr[j] <= low <= support + 0.33 * height
                        and fmean(b.volume[j - 2 : j + 1]) < 0.7 * b.volume[climax]
                        and self.spread(j) < 1.2
                    ):
                        say("secondary_test", t, j, low)
                        phase = "B"
                elif spring and (phase == "C" or j <= strength):
                    if (
                        spring[1] < j <= spring[0] + 25
                        and b.low[spring[1]] < low <= support + 0.25 * height
                        and b.volume[j] < 0.75 * b.volume[spring[1]]
                    ):
                        say("test", t, j, low)
                elif phase == "D" and j > strength:
                    peak = max(b.high[strength : j + 1])
                    leg_low = self.pivots.newest(strength, -1)
                    leg = peak - (support if leg_low is None else leg_low)
                    if (
                        low >= support + 0.5 * height
                        and peak - low <= 0.62 * leg
                        and b.volume[j] < 0.7 * b.volume[strength]
                    ):
                        say("support_point", t, j, low)
                        point = t if point is None else point
                        near = abs(low - resistance) <= 0.75 * self.atr[j]
                        if jump is not None and jump <= j and near:
                            say("backup", t, j, low)
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
                            say("spring", t, lowest, b.low[lowest])
                    dip, spent = [], False
            if spring and t == spring[0] + 3 and min(b.low[t - 2 : t + 1]) > support:
                say("spring_confirmed", t, spring[1], b.low[spring[1]])
            if above is None and b.high[t] > resistance:
                above = t
            if above is not None and b.close[t] < resistance:
                if t - above <= 3 and phase == "B":
                    top = max(range(above, t + 1), key=lambda row: (b.high[row], -row))
                    say("upthrust", t, top, b.high[top])
                above = None
            if below is None and b.low[t] < support:
                below = t
            if below is not None and b.close[t] > support:
                if t - below <= 3 and phase == "B":
                    bottom = min(range(below, t + 1), key=lambda row: (b.low[row], row))
                    say("undercut", t, bottom, b.low[bottom])
                below = None
            strong = (
                b.close[t] > support + 0.75 * height
                and self.is_strong(t)
                and self.close_location(t) >= 0.6
            )
            if strong and phase in "BCD":
                first_jump = b.close[t] > resistance and jump is None
                if phase in "BC" or first_jump:
                    if phase in "BC":
                        phase, strength = "D", t
                    say("strength", t, t, b.close[t])
                if first_jump:
                    jump = t
                    say("jump", t, t, resistance)
            if phase == "D":
                if point is not None and b.close[t] > resistance:
                    closes += 1
                if closes >= 3 or b.close[t] > resistance + 0.5 * height:
                    phase = "E"
                    say("markup", t, t, resistance)
            if phase != before and (not own.second or phase in "CDE"):
                if not own.states:
                    self.ranges.append(own)
                own.states.append(("phase_" + phase.lower(), t))
            if phase in "ABC" and b.close[t] > resistance + 0.5 * height:
                return end("ended", t)


def both_sides(bars: Bars, rules: Rules) -> tuple[Accumulation, Accumulation]:
    """Accumulation of the bars, and distribution as accumulation of the negated ones."""
    long, short = Accumulation(bars, rules), Accumulation(bars.negated(), rules)
    long.live(short)
    short.live(long)
    return long, short
