"""Wyckoff: trading ranges of accumulation and distribution, and the events inside them.

A climax on volume after a trend, the automatic rally that answers it and the range between the two;
then secondary tests, spring or upthrust after distribution, test, sign of strength or weakness,
last point of support or supply, backup, mark-up or mark-down. Sources: R. D. Wyckoff's course
(1931), H. Evans (spring), H. Pruden (2007), StockCharts ChartSchool's glossary; none gives figures,
so every threshold is Ninefold's own. v is the volume over the mean of the 20 bars before, s the
range over ATR20, S and R support and resistance of the range, H their distance:

    before      (highest high of 100 bars - low) >= 8 ATR and close < mean of 50 closes
    PS          v >= 1.5, s >= 1.2, close in the upper 60 % of the bar, 20-bar low; at most 40 bars
                before SC, the newest such bar
    SC          v >= 2 or volume rank >= 97 of 100, s >= 1.5, down bar or close in the lower 60 %,
                50-bar low
    AR          pivot high P(3, 3) at most 30 bars later, >= 3 ATR and >= .382 of the fall from the
                newest alternating pivot high before SC, no low under SC since: range
    ST          pivot low in [S - .5 ATR, S + .33 H], mean volume of its last three bars < .7 of the
                climax, s < 1.2; phase B
    UA          high > R and a close < R at most 3 bars later, in phase B
    undercut    low < S and a close > S at most 3 bars later, in phase B, and no spring
    spring      >= 20 bars after SC: low < S - .05 ATR, not deeper than min(2 ATR, .3 H), close > S
                at most 3 bars later; phase C, in which only a lower low is another spring
    test        pivot low at most 25 bars after the spring, above it, <= S + .25 H, < .75 of its volume
    SOS         close > S + .75 H, s >= 1.2, v >= 1.2, close in the upper 40 %; phase D; a jump across
                the creek when close > R; in phase D the first jump alone is another
    LPS         pivot low >= S + .5 H after SOS, giving back <= .62 of the leg from the last pivot low
                before SOS, < .7 of its volume; a backup when it follows a jump, within .75 ATR of R
    markup      3 closes > R since the first LPS was known, or close > R + .5 H; phase E, left by a
                close under the middle of the range
    failure     close < min(S, spring low) - 1 ATR: the range is over; with v >= 1.5 a sign of weakness
    end         close > R + .5 H before a sign of strength: the box is left without a verdict, and
                what comes back to it 300 bars later tests something else
    target      S + 3 boxes of .5 ATR for each column of the point-and-figure chart of the closes
                since SC, a column turning after 3 boxes: the horizontal count, an objective, no vote

With ``seed_thresholds`` the climax is 2 % of the price wide instead of 1.5 ATR, and a sign of strength
1.5 % of the price on v >= 1.5. The seed's volume rules for springs (v < .8) and upthrusts (v >= 1.5, or
volume that declines for three bars, which would be known three bars later) contradict one another
under reflection: volume grades a spring (``spring_type``) and admits none.

**Distribution** is the same on negated prices. Two names do not follow from the reflection, since the
field gives them by what price does: the mirror of an undercut is the upthrust of a distribution's
phase B (a failed break above R that is no upthrust after distribution), and the mirror of UA is the
minor sign of weakness (a failed break under S). Directions follow the failed break: it argues back
into the range.

**Re-accumulation** stops an up-trend as a distribution does, with a buying climax and the reaction to
it, and leaves upwards as an accumulation does. So every range of a distribution has a second reading:
the phases of accumulation on the same box, S the low of the reaction, R the high of the climax. In
phases A and B the two are one range, and its climax names it: the second reading is silent, though
it needs its own secondary test. From phase C on (a spring, or a sign of strength out of phase B) it
speaks, its events are events of accumulation, and its end is said. Redistribution is the mirror:
the phases of distribution in a range of accumulation. (A selling climax is a 50-bar low, which the
condition turned around, 8 ATR above the lowest low of 100 bars, all but rules out.)

Every event stands on the row where it is known: a climax becomes a range when its rally is confirmed,
pivots are known ``pivot_right`` bars late. Ranges live side by side, ``max_range_bars`` from their
climax at most; more than three missing bars in a row end them all. Of several ranges that name one
event on one row, the oldest gives what it describes.
"""

from collections.abc import Iterator

import numpy as np

from engine import Bool1D, Float1D, kernel

from . import _wyckoff_range as range_kernels
from . import _wyckoff_record as of
from ._wyckoff_side import ATR_LENGTH, TREND_LENGTH, Side, both_sides
from .rolling import rolling_max, rolling_min
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import wilder_stable_rows

LOOKBACK = 150
"""Rows before which no value is given: the slowest window (100) and room for a first pivot leg."""

EVENT_WEIGHTS = {
    "range_start": 0.2,
    "secondary_test": 0.2,
    "upthrust": 0.2,
    "undercut": 0.2,
    "spring": 0.6,
    "test": 0.4,
    "strength": 0.5,
    "support_point": 0.4,
    "markup": 0.3,
    "failure": 0.6,
}
"""Weight of each event in the composite operator; ours, in the order of how much it commits."""

EVENT_ROWS = {
    "range_start": (of.RANGE_START, 1.0),
    "secondary_test": (of.SECONDARY_TEST, 1.0),
    "upthrust": (of.UPTHRUST, -1.0),
    "undercut": (of.UNDERCUT, 1.0),
    "spring": (of.SPRING, 1.0),
    "spring_confirmed": (of.SPRING_CONFIRMED, 1.0),
    "test": (of.TEST, 1.0),
    "strength": (of.STRENGTH, 1.0),
    "jump": (of.JUMP, 1.0),
    "support_point": (of.SUPPORT_POINT, 1.0),
    "backup": (of.BACKUP, 1.0),
    "markup": (of.MARKUP, 1.0),
    "failure": (of.FAILURE, -1.0),
}
"""Row of the loops' events behind each column, and what it argues for on the side of accumulation."""

_CODES = (
    ("climax", 2, 22, 1.0),
    ("preliminary", 1, 21, 1.0),
    ("range_start", 3, 23, 1.0),
    ("secondary_test", 4, 24, 1.0),
    ("upthrust", 5, 28, -1.0),
    ("undercut", 0, 25, 1.0),
    ("spring", 6, 26, 1.0),
    ("test", 7, 27, 1.0),
    ("strength", 8, 28, 1.0),
    ("support_point", 9, 29, 1.0),
    ("backup", 10, 29, 1.0),
    ("jump", 8, 30, 1.0),
    ("markup", 11, 31, 1.0),
)
"""Column, its code for accumulation and for distribution, the column's sign for accumulation; the
furthest in the course of a range last, but that a climax with a preliminary bar is named by this."""


@kernel(nogil=True)
def _decayed_sum_kernel(values: Float1D, decay: float) -> Float1D:
    out = np.empty(len(values))
    total = 0.0
    for t in range(len(values)):
        total = total * decay + values[t]
        out[t] = total
    return out


def strength_fires(own: Side, other: Side) -> Bool1D:
    """Signs of strength of one side: its own, and failures of the other side on volume, ``(T,)``."""
    fires: Bool1D = (own.events[of.STRENGTH] > 0) | (other.events[of.FAILURE_ON_VOLUME] > 0)
    return fires


def _signed_events(long: Side, short: Side) -> dict[str, Float1D]:
    """Every event as +1 (argues for a rise), -1 (for a fall) or 0 (none, or both at once)."""
    signed = {
        "preliminary": 1.0 * (long.preliminary >= 0) - 1.0 * (short.preliminary >= 0),
        "climax": 1.0 * long.climax - 1.0 * short.climax,
    }
    for name, (row, side) in EVENT_ROWS.items():
        difference = long.events[row] - short.events[row]
        signed[name] = difference if side > 0 else 0.0 - difference
    signed["strength"] = 1.0 * strength_fires(long, short) - 1.0 * strength_fires(short, long)
    return signed


def composite_operator(events: dict[str, Float1D], half_life_bars: float) -> Float1D:
    """``tanh`` of the decayed sum of signed event weights (``EVENT_WEIGHTS``), ``(T,)`` in [-1, 1].

    Row *t* counts the events of row *t* itself.
    """
    weighted = np.zeros(len(events["spring"]))
    for name, weight in EVENT_WEIGHTS.items():
        weighted += weight * events[name]
    composite: Float1D = np.tanh(_decayed_sum_kernel(weighted, 0.5 ** (1.0 / half_life_bars)))
    return composite


def _event_code(events: dict[str, Float1D]) -> Float1D:
    """Code of the furthest event of a row; a stage that both sides reach at once does not count."""
    code = np.zeros(len(events["spring"]))
    for name, long, short, side in _CODES:
        rises, falls = events[name] == side, events[name] == -side
        if long:
            code[rises] = long
        code[falls] = short
    return code


def _leading(long: Side, short: Side, row: int) -> Iterator[Float1D]:
    """One row of the leading ranges: accumulation, distribution, re-accumulation, redistribution.

    Prices are those of the market. Support and resistance of a side of negated prices change places.
    """
    opposite = {
        range_kernels.LEADING_SUPPORT: range_kernels.LEADING_RESISTANCE,
        range_kernels.LEADING_RESISTANCE: range_kernels.LEADING_SUPPORT,
    }
    is_price = row in opposite or row == range_kernels.LEADING_TARGET
    for first in (0, range_kernels.LEADING_ROWS):
        yield long.leading[first + row]
        column = short.leading[first + opposite.get(row, row)]
        yield -column if is_price else column


def _newest_leading(long: Side, short: Side) -> tuple[Float1D, ...]:
    """Schematic, phase, support, resistance, row of the climax and target of the newest leading range.

    Of the two readings of one range the second is the newer. NaN, and 0 for the codes, without one.
    """
    climaxes = np.stack(list(_leading(long, short, range_kernels.LEADING_CLIMAX)))
    newness = np.nan_to_num(climaxes, nan=-1.0) + np.array([[0.0], [0.0], [0.5], [0.5]])
    newest = np.argmax(newness, axis=0)
    chosen = [
        np.choose(newest, list(_leading(long, short, row)))
        for row in (
            range_kernels.LEADING_PHASE,
            range_kernels.LEADING_SUPPORT,
            range_kernels.LEADING_RESISTANCE,
            range_kernels.LEADING_CLIMAX,
            range_kernels.LEADING_TARGET,
        )
    ]
    schematic = np.where(chosen[0] > 0, newest + 1.0, 0.0)
    schematic[short.events[of.FAILURE_ON_VOLUME] > 0] = 3.0
    schematic[long.events[of.FAILURE_ON_VOLUME] > 0] = 4.0
    return schematic, *chosen


def _spring_type(long: Side, short: Side, spring: Float1D) -> Float1D:
    """1, 2 or 3 for the volume of the lowest bar of a spring, highest bar of an upthrust; else 0."""
    code = np.zeros(len(spring))
    for side in (short, long):
        rows = np.flatnonzero(
            (spring == side.sign) | ((spring == 0) & (side.events[of.SPRING] > 0))
        )
        volume = side.relative_volume[side.facts[0][of.SPRING, rows].astype(np.int64)]
        code[rows] = np.where(volume > 1.5, 1.0, np.where(volume >= 0.8, 2.0, 3.0))
    return code


def _wyckoff(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    long, short = both_sides(columns, parameters)
    events = _signed_events(long, short)
    composite = composite_operator(events, parameters["half_life_bars"])
    schematic, phase, support, resistance, climax, target = _newest_leading(long, short)
    none = np.isnan(climax)
    support = np.where(none, rolling_min(columns["low"], TREND_LENGTH), support)
    resistance = np.where(none, rolling_max(columns["high"], TREND_LENGTH), resistance)
    range_bars = np.where(none, 0.0, np.arange(len(climax)) - climax)
    values = [composite, support, resistance, range_bars]
    for value in values:
        value[:LOOKBACK] = np.nan
    return (
        *events.values(),
        _event_code(events),
        _spring_type(long, short, events["spring"]),
        long.leading[range_kernels.LEADING_PHASE],
        short.leading[range_kernels.LEADING_PHASE],
        phase,
        schematic,
        *values,
        target,
    )


def _stable_rows(parameters: Parameters) -> int:
    """What the oldest living range can have seen, then twenty half-lives of the composite.

    A range reaches back ``max_range_bars`` to its climax and that another 100 bars; before it the
    average true range and the pivot list have to have settled.
    """
    settled = wilder_stable_rows(ATR_LENGTH) + 40 * (2 * int(parameters["pivot_right"]) + 1)
    reach = int(parameters["max_range_bars"]) + TREND_LENGTH
    return settled + reach + int(np.ceil(24 * parameters["half_life_bars"]))


def _event(name: str, text: str, low: float, high: float) -> Output:
    return Output(name, "signal", "direction", text, firing_rate=(low, high))


WYCKOFF = Indicator(
    name="wyckoff",
    text="Wyckoff's accumulation and distribution: events, phases and levels of trading ranges.",
    inputs=("open", "high", "low", "close", "volume", "is_gap"),
    parameters=(
        Parameter("climax_volume", 2.0, 1.8, 3.0, integer=False),
        Parameter("trend_atr", 8.0, 5.0, 15.0, integer=False),
        Parameter("spring_depth", 0.3, 0.1, 0.3, integer=False),
        Parameter("pivot_right", 5, 3, 8),
        Parameter("max_range_bars", 400, 100, 1000),
        Parameter("half_life_bars", 50, 10, 200),
        Parameter("seed_thresholds", 0, 0, 1),
    ),
    outputs=(
        _event("preliminary", "1 preliminary support, -1 supply, on the climax row", 1e-4, 0.02),
        _event("climax", "1 selling climax, -1 buying climax, not yet confirmed", 5e-4, 0.04),
        _event("range_start", "1 automatic rally, -1 reaction: a range exists", 3e-4, 0.008),
        _event("secondary_test", "1 secondary test of support, -1 of resistance", 2e-4, 0.01),
        _event("upthrust", "-1 failed break upwards in phase B, 1 downwards", 5e-5, 0.01),
        _event("undercut", "1 failed break downwards in phase B, -1 upthrust", 5e-6, 0.01),
        _event("spring", "1 spring, -1 upthrust after distribution", 2e-5, 0.004),
        _event("spring_confirmed", "1 three lows above support after a spring", 1e-5, 0.004),
        _event("test", "1 test of a spring, -1 of an upthrust", 5e-6, 0.002),
        _event("strength", "1 sign of strength, -1 of weakness, or failed on volume", 1e-4, 0.006),
        _event("jump", "1 jump across the creek, -1 fall through the ice", 5e-5, 0.005),
        _event("support_point", "1 last point of support, -1 of supply", 2e-5, 0.004),
        _event("backup", "1 backup to the edge of the creek, -1 mirrored", 5e-6, 0.002),
        _event("markup", "1 mark-up, -1 mark-down: phase E begins", 5e-5, 0.005),
        _event("failure", "-1 an accumulation range broke down, 1 distribution up", 1e-4, 0.006),
        Output(
            "event",
            "state",
            "code",
            "furthest event of the row: 1 PS, 2 SC, 3 AR, 4 ST, 5 UA, 6 spring, 7 test, 8 SOS, 9 LPS, "
            "10 BU, 11 markup; 21 PSY, 22 BC, 23 AR, 24 ST, 25 UT, 26 UTAD, 27 its test, 28 SOW, "
            "29 LPSY, 30 fall through the ice, 31 markdown",
            high=31.0,
        ),
        Output("spring_type", "state", "code", "1 heavy, 2 medium, 3 light volume", high=3.0),
        Output("accumulation_phase", "state", "code", "0 none, 1 to 5 phase A to E", high=5.0),
        Output("distribution_phase", "state", "code", "0 none, 1 to 5 phase A to E", high=5.0),
        Output("phase", "state", "code", "of the newest leading range, 1 to 5: A to E", high=5.0),
        Output(
            "schematic",
            "state",
            "code",
            "1 accumulation, 2 distribution, 3 re-accumulation, 4 redistribution",
            high=4.0,
        ),
        Output("composite", "value", "score", "composite operator", low=-1.0, high=1.0),
        Output("support", "value", "price", "of the newest leading range, else the 100-bar low"),
        Output("resistance", "value", "price", "of that range, else the 100-bar high"),
        Output("range_bars", "value", "bars", "since that range's climax, 0 without one", low=0.0),
        Output("target", "sparse", "price", "horizontal count of that range, while there is one"),
    ),
    compute=_wyckoff,
    lookback=lambda parameters: LOOKBACK,
    stable=_stable_rows,
)

INDICATORS = (WYCKOFF,)
