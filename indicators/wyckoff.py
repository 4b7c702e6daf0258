"""Wyckoff: trading ranges of accumulation and distribution, and the events inside them.

A climax on volume after a trend, the automatic rally that answers it and the range between the two;
then secondary tests, spring or upthrust after distribution, test, sign of strength or weakness,
last point of support or supply, backup, mark-up or mark-down. Sources: R. D. Wyckoff's course
(1931), H. Evans (spring), H. Pruden (2007), StockCharts ChartSchool's glossary; none gives figures,
so every threshold is Ninefold's own. v is the volume over the mean of the 20 bars before, s the
range over ATR20, S and R support and resistance of the range, H their distance:

    before      (highest high of 100 bars - low) >= 8 ATR and close < mean of 50 closes
    PS          v >= 1.5, s >= 1.2, close in the upper 60 % of the bar, 20-bar low
    SC          v >= 2 or volume rank >= 97 of 100, s >= 1.5, down bar or close in the lower 60 %,
                50-bar low
    AR          pivot high P(3, 3) at most 30 bars later, >= 3 ATR and >= .382 of the fall: range
    ST          pivot low in [S - .5 ATR, S + .33 H], mean volume of its last three bars < .7 of the
                climax, s < 1.2; phase B
    UT          high > R and a close < R at most 3 bars later, in phase B
    spring      >= 20 bars after SC: low < S - .05 ATR, not deeper than min(2 ATR, .3 H), close > S
                at most 3 bars later; phase C, in which only a lower low is another spring
    test        pivot low at most 25 bars after the spring, above it, <= S + .25 H, < .75 of its volume
    SOS         close > S + .75 H, s >= 1.2, v >= 1.2, close in the upper 40 %; phase D; a jump when
                close > R
    LPS         pivot low >= S + .5 H after SOS, giving back <= .62 of the leg from the last pivot low
                before SOS, < .7 of its volume; a backup when it follows a jump, within .75 ATR of R
    markup      3 closes > R since the first LPS was known, or close > R + .5 H; phase E, left by a
                close under the middle of the range
    failure     close < min(S, spring low) - 1 ATR: the range is over

Distribution is the same on negated prices. Every event stands on the row where it is known: a climax
becomes a range when its rally is confirmed, pivots are known ``pivot_right`` bars late. Ranges live
side by side, ``max_range_bars`` from their climax at most; more than three missing bars in a row end
them all.
"""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from . import _wyckoff_range as side_kernels
from .pivot import alternating_pivots, confirmed_pivots, long_gaps
from .rolling import (
    percent_rank,
    previous_mean_ratio,
    quotient,
    rolling_max,
    rolling_mean,
    rolling_min,
)
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

LOOKBACK = 150
"""Rows before which no value is given: the slowest window (100) and room for a first pivot leg."""

ATR_LENGTH = 20
TREND_LENGTH = 100
RALLY_SIDE = 3

EVENT_WEIGHTS = {
    "range_start": 0.2,
    "secondary_test": 0.2,
    "upthrust": 0.2,
    "spring": 0.6,
    "test": 0.4,
    "strength": 0.5,
    "support_point": 0.4,
    "markup": 0.3,
    "failure": 0.6,
}
"""Weight of each event in the composite operator; ours, in the order of how much it commits."""


@kernel(nogil=True)
def _decayed_sum_kernel(values: Float1D, decay: float) -> Float1D:
    out = np.empty(len(values))
    total = 0.0
    for t in range(len(values)):
        total = total * decay + values[t]
        out[t] = total
    return out


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side of the method yields; every array ``(T,)``, or ``(rows of the kernel, T)``."""

    preliminary: Float1D
    climax: Bool1D
    events: Float2D
    leading: Float2D


def _newest_pivot(price: Float2D, kind: Float2D, side: float) -> Float1D:
    """Price of the newest pivot of one kind in the alternating list, NaN when there is none."""
    second = np.where(kind[:, 1] == side, price[:, 1], np.nan)
    return np.where(kind[:, 0] == side, price[:, 0], second)


def _one_side(columns: Columns, parameters: Parameters, sign: float) -> _Side:
    """Accumulation for ``sign`` 1; for -1 distribution, as accumulation of the negated prices."""
    up = sign > 0
    open_, close = sign * columns["open"], sign * columns["close"]
    high = columns["high"] if up else -columns["low"]
    low = columns["low"] if up else -columns["high"]
    volume, rows = columns["volume"], len(close)
    right = int(parameters["pivot_right"])
    atr = average_true_range(columns["high"], columns["low"], columns["close"], ATR_LENGTH)
    resets = long_gaps(columns["is_gap"], rows)
    relative_volume = previous_mean_ratio(volume, 20)
    spread = quotient(high - low, atr, 0.0)
    close_location = quotient(close - low, high - low, 0.5)

    fallen = rolling_max(high, TREND_LENGTH) - low >= parameters["trend_atr"] * atr
    before = fallen & (close < rolling_mean(close, 50))
    heavy = relative_volume >= parameters["climax_volume"]
    heavy |= percent_rank(volume, 100) >= 97.0
    climax = before & heavy & (spread >= 1.5) & ((close < open_) | (close_location <= 0.6))
    climax &= low == rolling_min(low, 50)
    preliminary = before & (relative_volume >= 1.5) & (spread >= 1.2) & (close_location >= 0.4)
    preliminary &= low == rolling_min(low, 20)

    pivot_high, pivot_low = confirmed_pivots(high, low, right, right)
    price, _, kind = alternating_pivots(pivot_high, pivot_low, right, 2, is_gap=columns["is_gap"])
    rally_high, _ = confirmed_pivots(high, low, RALLY_SIDE, RALLY_SIDE)
    births = side_kernels.birth_kernel(
        climax, low, atr, _newest_pivot(price, kind, 1.0), rally_high, RALLY_SIDE, resets
    )
    bars = np.empty((side_kernels.BAR_ROWS, rows))
    for row, column in (
        (side_kernels.BAR_HIGH, high),
        (side_kernels.BAR_LOW, low),
        (side_kernels.BAR_CLOSE, close),
        (side_kernels.BAR_VOLUME, volume),
        (side_kernels.BAR_ATR, atr),
        (side_kernels.BAR_RELATIVE_VOLUME, relative_volume),
        (side_kernels.BAR_SPREAD, spread),
        (side_kernels.BAR_CLOSE_LOCATION, close_location),
        (side_kernels.BAR_LEG_LOW, _newest_pivot(price, kind, -1.0)),
        (side_kernels.BAR_PIVOT_LOW, pivot_low),
    ):
        bars[row] = column
    events, leading = side_kernels.life_kernel(
        bars,
        births,
        rally_high,
        RALLY_SIDE,
        resets,
        int(parameters["max_range_bars"]),
        right,
        parameters["spring_depth"],
    )
    return _Side(side_kernels.preliminary_kernel(preliminary, climax), climax, events, leading)


def _signed_events(long: _Side, short: _Side) -> dict[str, Float1D]:
    """Every event as +1 (argues for a rise), -1 (for a fall) or 0 (none, or both at once)."""

    def difference(row: int) -> Float1D:
        signed: Float1D = long.events[row] - short.events[row]
        return signed

    broken = difference(side_kernels.FAILURE_ON_VOLUME)
    return {
        "preliminary": long.preliminary - short.preliminary,
        "climax": long.climax.astype(np.float64) - short.climax,
        "range_start": difference(side_kernels.RANGE_START),
        "secondary_test": difference(side_kernels.SECONDARY_TEST),
        "upthrust": 0.0 - difference(side_kernels.UPTHRUST),
        "spring": difference(side_kernels.SPRING),
        "spring_confirmed": difference(side_kernels.SPRING_CONFIRMED),
        "test": difference(side_kernels.TEST),
        "strength": np.sign(difference(side_kernels.STRENGTH) - broken),
        "jump": difference(side_kernels.JUMP),
        "support_point": difference(side_kernels.SUPPORT_POINT),
        "backup": difference(side_kernels.BACKUP),
        "markup": difference(side_kernels.MARKUP),
        "failure": 0.0 - difference(side_kernels.FAILURE),
    }


def composite_operator(events: dict[str, Float1D], half_life_bars: float) -> Float1D:
    """``tanh`` of the decayed sum of signed event weights (``EVENT_WEIGHTS``), ``(T,)`` in [-1, 1].

    Row *t* counts the events of row *t* itself.
    """
    weighted = np.zeros(len(events["spring"]))
    for name, weight in EVENT_WEIGHTS.items():
        weighted += weight * events[name]
    composite: Float1D = np.tanh(_decayed_sum_kernel(weighted, 0.5 ** (1.0 / half_life_bars)))
    return composite


def _schematic(long: _Side, short: _Side) -> Float1D:
    """The kind of the newest leading range; on the row where one fails on volume, what it became."""
    climax_long = np.nan_to_num(long.leading[side_kernels.LEADING_CLIMAX], nan=-1.0)
    climax_short = np.nan_to_num(short.leading[side_kernels.LEADING_CLIMAX], nan=-1.0)
    newest = np.where(climax_long >= climax_short, 1.0, 2.0)
    code = np.where((climax_long < 0) & (climax_short < 0), 0.0, newest)
    code = np.where(short.events[side_kernels.FAILURE_ON_VOLUME] > 0, 3.0, code)
    return np.where(long.events[side_kernels.FAILURE_ON_VOLUME] > 0, 4.0, code)


def _levels(columns: Columns, long: _Side, short: _Side) -> tuple[Float1D, Float1D, Float1D]:
    """Support, resistance and age of the newest leading range, else the extremes of 100 bars."""
    climax_long = np.nan_to_num(long.leading[side_kernels.LEADING_CLIMAX], nan=-1.0)
    climax_short = np.nan_to_num(short.leading[side_kernels.LEADING_CLIMAX], nan=-1.0)
    climax = np.maximum(climax_long, climax_short)
    is_long, none = climax_long >= climax_short, climax < 0
    support = np.where(
        is_long,
        long.leading[side_kernels.LEADING_SUPPORT],
        -short.leading[side_kernels.LEADING_RESISTANCE],
    )
    resistance = np.where(
        is_long,
        long.leading[side_kernels.LEADING_RESISTANCE],
        -short.leading[side_kernels.LEADING_SUPPORT],
    )
    support = np.where(none, rolling_min(columns["low"], TREND_LENGTH), support)
    resistance = np.where(none, rolling_max(columns["high"], TREND_LENGTH), resistance)
    age = np.where(none, 0.0, np.arange(len(climax)) - climax)
    return support, resistance, age


def _wyckoff(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    long, short = _one_side(columns, parameters, 1.0), _one_side(columns, parameters, -1.0)
    events = _signed_events(long, short)
    composite = composite_operator(events, parameters["half_life_bars"])
    spring_type = np.where(
        events["spring"] >= 0,
        long.events[side_kernels.SPRING_TYPE],
        short.events[side_kernels.SPRING_TYPE],
    )
    values = [composite, *_levels(columns, long, short)]
    for value in values:
        value[:LOOKBACK] = np.nan
    return (
        *events.values(),
        spring_type,
        long.leading[side_kernels.LEADING_PHASE],
        short.leading[side_kernels.LEADING_PHASE],
        _schematic(long, short),
        *values,
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
    ),
    outputs=(
        _event("preliminary", "1 preliminary support, -1 supply, on the climax row", 1e-4, 0.02),
        _event("climax", "1 selling climax, -1 buying climax, not yet confirmed", 5e-4, 0.04),
        _event("range_start", "1 automatic rally, -1 reaction: a range exists", 3e-4, 0.008),
        _event("secondary_test", "1 secondary test of support, -1 of resistance", 2e-4, 0.01),
        _event("upthrust", "-1 failed break upwards in phase B, 1 downwards", 5e-5, 0.01),
        _event("spring", "1 spring, -1 upthrust after distribution", 2e-5, 0.004),
        _event("spring_confirmed", "1 three lows above support after a spring", 1e-5, 0.004),
        _event("test", "1 test of a spring, -1 of an upthrust", 5e-6, 0.002),
        _event("strength", "1 sign of strength, -1 of weakness, or failed on volume", 1e-4, 0.006),
        _event("jump", "1 jump across the creek, -1 fall through the ice", 5e-5, 0.005),
        _event("support_point", "1 last point of support, -1 of supply", 2e-5, 0.004),
        _event("backup", "1 backup to the edge of the creek, -1 mirrored", 5e-6, 0.002),
        _event("markup", "1 mark-up, -1 mark-down: phase E begins", 5e-5, 0.005),
        _event("failure", "-1 an accumulation range broke down, 1 distribution up", 1e-4, 0.006),
        Output("spring_type", "state", "code", "1 heavy, 2 medium, 3 light volume", high=3.0),
        Output("accumulation_phase", "state", "code", "0 none, 1 to 5 phase A to E", high=5.0),
        Output("distribution_phase", "state", "code", "0 none, 1 to 5 phase A to E", high=5.0),
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
    ),
    compute=_wyckoff,
    lookback=lambda parameters: LOOKBACK,
    stable=_stable_rows,
)

INDICATORS = (WYCKOFF,)
