"""From bars to events, what followed them, and what followed any bar of the same volatility."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine import HOUR_NS, WEEK_NS, Bars, Float1D, Int1D, Market
from indicators import DETECTORS, DETECTORS_BY_NAME, Detection, EventTable, find_events
from strategies import HEADS

HORIZONS_HOURS: Final = (1, 4, 24, 72)
MOST_MISSING_BARS: Final = 3
MONDAY_NS: Final = 4 * 24 * HOUR_NS
"""1970-01-05, the first Monday of the epoch."""
WEEK_BARS: Final = 168
BPS: Final = 1e4
OVER: Final = frozenset({"ended", "expired", "removed", "replaced", "suspended"})
"""States in which an event is put away: nothing that price did there is named."""


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """One kind of event: a detector with its parameters, a type, and a state, empty as it became known."""

    detector: str
    type: str
    state: str = ""

    def __str__(self) -> str:
        return f"{self.detector}: {self.type}" + (f", {self.state}" if self.state else "")


@dataclass(slots=True)
class Weeks:
    """Sums and counts of one kind at one horizon, by calendar week since 1970-01-05."""

    sums: dict[int, float] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, week: Int1D, values: Float1D) -> None:
        """Add ``values``, each to its week."""
        for one in np.unique(week):
            inside = week == one
            self.sums[int(one)] = self.sums.get(int(one), 0.0) + float(values[inside].sum())
            self.counts[int(one)] = self.counts.get(int(one), 0) + int(inside.sum())


@dataclass(slots=True)
class Tally:
    """What was found in one sample: bars, events by kind and side, and excess returns by horizon."""

    bars: int = 0
    symbols: int = 0
    events: dict[Kind, list[int]] = field(default_factory=dict)
    excess: dict[tuple[Kind, int], Weeks] = field(default_factory=dict)
    raw: dict[tuple[Kind, int], float] = field(default_factory=dict)

    def add(self, bars: Bars, detections: Iterable[Detection], *, returns: bool = True) -> None:
        """Find and measure the events of one symbol; without ``returns`` they are counted only."""
        self.bars += int((~bars.is_gap).sum())
        self.symbols += 1
        followed = Followed(bars) if returns else None
        for kind, row, side in occurrences(bars, detections):
            count = self.events.setdefault(kind, [0, 0, 0])
            for position, wanted in enumerate((1, -1, 0)):
                count[position] += int((side == wanted).sum())
            if followed is not None:
                self._follow(kind, *_one_sided(row, side), followed)

    def _follow(self, kind: Kind, row: Int1D, side: Int1D, followed: "Followed") -> None:
        for hours in HORIZONS_HOURS:
            known, gain, usual = followed.after(row, hours)
            if not known.any():
                continue
            excess = side[known] * (gain - usual)
            self.excess.setdefault((kind, hours), Weeks()).add(followed.week[row[known]], excess)
            total = self.raw.get((kind, hours), 0.0)
            self.raw[kind, hours] = total + float((side[known] * gain).sum())


class Followed:
    """Returns behind every bar of one symbol, and their means by the state of volatility."""

    def __init__(self, bars: Bars) -> None:
        self.week: Int1D = (bars.close_time - MONDAY_NS) // WEEK_NS
        state = volatility_state(bars)
        self._returns = {
            hours: _matched(forward_returns(bars, hours), state) for hours in HORIZONS_HOURS
        }

    def after(self, row: Int1D, hours: int) -> tuple[np.ndarray, Float1D, Float1D]:
        """Which of the rows have a return, and for these the return and its state's mean, in bps."""
        gain, usual = self._returns[hours]
        known = ~np.isnan(gain[row])
        return known, gain[row[known]], usual[row[known]]


def forward_returns(bars: Bars, hours: int) -> Float1D:
    """From the open after row *t* to the open ``hours`` later, in bps; NaN where it does not exist."""
    rows = len(bars)
    out = np.full(rows, np.nan)
    count = rows - 1 - hours
    if count <= 0:
        return out
    entry, leave = bars.open[1 : 1 + count], bars.open[1 + hours : 1 + hours + count]
    missing = np.concatenate(([0], np.cumsum(bars.is_gap)))
    between = missing[2 + hours : 2 + hours + count] - missing[1 : 1 + count]
    exists = ~bars.is_gap[1 : 1 + count] & ~bars.is_gap[1 + hours : 1 + hours + count]
    exists &= between <= MOST_MISSING_BARS
    out[:count] = np.where(exists, BPS * (leave / entry - 1.0), np.nan)
    return out


def volatility_state(bars: Bars) -> Int1D:
    """Fifth of the volatility of the last week among all bars of the symbol, 1 to 5; 0 before a week.

    Volatility is the root of the mean square of hourly logarithmic returns; int64 ``(T,)``, known at *t*.
    """
    squares = np.concatenate(([0.0], np.diff(np.log(bars.close)) ** 2))
    total = np.concatenate((np.zeros(1), np.cumsum(squares)))
    state = np.zeros(len(bars), dtype=np.int64)
    if len(bars) > WEEK_BARS:
        mean = np.maximum(total[WEEK_BARS + 1 :] - total[1:-WEEK_BARS], 0.0)
        edges = np.quantile(mean, (0.2, 0.4, 0.6, 0.8))
        state[WEEK_BARS:] = 1 + np.searchsorted(edges, mean, side="right")
    return state


def _matched(returns: Float1D, state: Int1D) -> tuple[Float1D, Float1D]:
    """The returns, and on every row the mean of those that exist in its state."""
    known = ~np.isnan(returns)
    count = np.bincount(state[known], minlength=6)
    total = np.bincount(state[known], weights=returns[known], minlength=6)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return returns, mean[state]


def studied_detections() -> tuple[Detection, ...]:
    """Every detector with its defaults, and as the heads with theirs use it, on the decision bars."""
    wanted = [Detection(detector.name) for detector in DETECTORS]
    wanted += [one for head in HEADS for one in head().detections().values()]
    resolved: dict[tuple[str, tuple[tuple[str, float], ...]], Detection] = {}
    for one in wanted:
        if one.clock == "bars":
            values = DETECTORS_BY_NAME[one.detector].resolved(dict(one.parameters))
            resolved.setdefault((one.detector, tuple(sorted(values.items()))), one)
    return tuple(resolved.values())


def occurrences(bars: Bars, detections: Iterable[Detection]) -> Iterable[tuple[Kind, Int1D, Int1D]]:
    """Rows and sides of every kind of event in ``bars``; one kind and side on one row counts once."""
    market = Market(bars=bars, series={})
    for wanted, found in find_events(market, detections, detectors=DETECTORS_BY_NAME).items():
        detector, name = found.detector, _named(wanted)
        for code, type_ in enumerate(detector.types):
            rows, sides = _of_type(found.table, code)
            yield Kind(name, type_.name), rows, sides
            for number, state in enumerate(detector.states):
                if state.name in OVER:
                    continue
                rows, sides = _of_state(found.table, code, number)
                yield Kind(name, type_.name, state.name), rows, state.sign * sides


def _named(wanted: Detection) -> str:
    """The detector, and its parameters where they are not its defaults."""
    defaults: Mapping[str, float] = DETECTORS_BY_NAME[wanted.detector].resolved({})
    other = [f"{name}={value:g}" for name, value in wanted.parameters if defaults[name] != value]
    return f"{wanted.detector}({', '.join(other)})" if other else wanted.detector


def _of_type(table: EventTable, code: int) -> tuple[Int1D, Int1D]:
    chosen = table.type == code
    return _once(table.known[chosen], table.direction[chosen])


def _of_state(table: EventTable, code: int, state: int) -> tuple[Int1D, Int1D]:
    chosen = (table.change_state == state) & (table.type[table.change_event] == code)
    return _once(table.change_row[chosen], table.direction[table.change_event[chosen]])


def _once(rows: Int1D, sides: np.ndarray) -> tuple[Int1D, Int1D]:
    pairs = np.unique(np.stack((rows, sides.astype(np.int64)), axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _one_sided(rows: Int1D, sides: Int1D) -> tuple[Int1D, Int1D]:
    """The rows with one side: two sides at once say nothing."""
    _, position, count = np.unique(rows, return_inverse=True, return_counts=True)
    kept = (count[position] == 1) & (sides != 0)
    return rows[kept], sides[kept]
