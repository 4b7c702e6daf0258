"""Liquidity: pools of resting orders beyond swing points, and the sweeps that raid them."""

from dataclasses import dataclass

import numpy as np

from engine import DAY_NS, WEEK_NS, Bool1D, Float1D, Float2D, Int1D, kernel

from ._liquidity_kernel import (
    EQUAL,
    KIND,
    LEVEL,
    PRICES,
    pool_kernel,
)
from .completed_range import MONDAY_NS, CompletedRanges, period_ranges
from .fair_value_gap import ATR_LENGTH, distance_atr
from .new_york import new_york_time
from .pivot import confirmed_pivots, long_gaps, pivot_stable_rows
from .rolling import previous_mean_ratio
from .session import ASIAN_RAID, LONDON_RAID, session_ranges
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .swing import SWING_PARAMETERS, Swings, pivot_swings, swing_stable_rows, swings_of
from .volatility import average_true_range, wilder_stable_rows

POOL_CAPACITY = 128
VOLUME_LENGTH, BUSY_RATIO = 10, 1.5


@kernel(nogil=True)
def _standing_kernel(
    low: Float1D, pivot_low: Float1D, right: int, resets: Bool1D
) -> tuple[Float1D, Float1D]:
    # The newest confirmed low while no bar has gone under it, and its row.
    level, anchor = np.full(len(low), np.nan), np.full(len(low), -1.0)
    standing, row, first_valid_anchor = np.nan, -1.0, 0
    for t in range(len(low)):
        if resets[t]:
            standing, row, first_valid_anchor = np.nan, -1.0, t + 1
            continue
        if not np.isnan(pivot_low[t]) and t - right >= first_valid_anchor:
            standing, row = pivot_low[t], float(t - right)
        if low[t] < standing:
            standing, row = np.nan, -1.0
        level[t], anchor[t] = standing, row
    return level, anchor


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Pools of one side and their sweeps; float64 ``(T,)`` but for ``pool`` and ``pools``.

    Row *t* is known at close *t*. ``confidence``: 0 without a sweep, else .60 + .20 strength + .10
    busy + .05 equal, at most .95. ``strength``: how far the close came back inside the range of the
    bars of the raid, 0 to 1. ``distance``: from the close to the nearest pool, in price, NaN without
    one. ``pool`` int64: the record in ``pools`` of the swept pool, of several the one whose sweep has the
    highest confidence; -1 without a sweep. ``pools`` ``(N, FIELDS)``: every pool there was, as
    ``_liquidity_kernel.py`` names its numbers, prices as traded.
    """

    confidence: Float1D
    strength: Float1D
    distance: Float1D
    pool: Int1D
    pools: Float2D

    def of_swept(self, field: int, otherwise: float) -> Float1D:
        """A number of the swept pool's record on each row, ``otherwise`` where none was swept."""
        if not len(self.pools):
            return np.full(len(self.pool), otherwise)
        values: Float1D = np.where(self.pool >= 0, self.pools[self.pool, field], otherwise)
        return values

    @property
    def level(self) -> Float1D:
        """The swept price, NaN without a sweep."""
        return self.of_swept(LEVEL, np.nan)

    @property
    def equal(self) -> Float1D:
        """1 where it was a pool of equal lows or highs."""
        equal: Float1D = (self.of_swept(KIND, -1.0) == EQUAL).astype(np.float64)
        return equal


def busy_bars(volume: Float1D) -> Float1D:
    """1 where the volume is 1.5 times the mean of the ten bars before it or more, else 0."""
    return (previous_mean_ratio(volume, VOLUME_LENGTH) >= BUSY_RATIO).astype(np.float64)


def _ranges(columns: Columns, weekend: bool) -> tuple[CompletedRanges, ...]:
    """The ranges whose extremes are pools, in the order of the kinds from ``DAY`` on."""
    local = new_york_time(columns["open_time"])
    asian, london = (
        session_ranges(columns, window, weekend=weekend, local=local)
        for window in (ASIAN_RAID, LONDON_RAID)
    )
    week = period_ranges(columns, WEEK_NS, MONDAY_NS)
    return period_ranges(columns, DAY_NS), week, asian, london


def _no_ranges(rows: int) -> tuple[CompletedRanges, ...]:
    none = np.full(rows, np.nan)
    return (CompletedRanges(none, none, none, none, none, none),) * 4


def _mirrored(pools: Float2D) -> Float2D:
    """Records of pools of mirrored prices, as traded."""
    traded = pools.copy()
    traded[:, PRICES] *= -1.0
    return traded


def liquidity_sweeps(
    columns: Columns,
    swings: Swings,
    *,
    epsilon_atr: float = 0.05,
    equal_width_atr: float = 0.15,
    expiry_bars: int = 300,
    with_ranges: bool = True,
    weekend: bool = False,
    capacity: int = POOL_CAPACITY,
) -> tuple[Sweeps, Sweeps]:
    """Pools and sweeps under the market and over it, as (bullish, bearish).

    Pools are ``swings``; equal ones of them (within ``equal_width_atr`` ATR of the open pool and
    100 bars of its newest swing; the most extreme price counts); and, ``with_ranges``, the extremes of
    the previous UTC day and week and of the previous Asian and London session, those of a Saturday or
    Sunday only with ``weekend``. A pool known by *t* - 1 is breached by a low under ``level -
    epsilon_atr * ATR`` and swept by the first close back over it, on the same bar or one of the next
    three; deeper than 1.5 ATR, or later, it is broken. A period's extreme is replaced by that of the
    next one, a swing by the equal ones that it becomes part of. A pool lives ``expiry_bars`` bars; when
    ``capacity`` pools are open, the one with the oldest first point makes room. More than three missing
    bars in a row forget all of them.

    ``columns`` needs high, low, close and is_gap, open_time for ranges, and volume if the sweep of a
    busy bar is to count more. Nothing is breached before the ATR is known.
    """
    high, low, close = columns["high"], columns["low"], columns["close"]
    rows = len(close)
    atr = average_true_range(high, low, close, ATR_LENGTH)
    busy = busy_bars(columns["volume"]) if "volume" in columns else np.zeros(rows)
    resets = long_gaps(columns["is_gap"], rows)
    ranges = _ranges(columns, weekend) if with_ranges else _no_ranges(rows)
    rules = (resets, epsilon_atr, equal_width_atr, expiry_bars, capacity)
    confidence, strength, pool, distance, pools = pool_kernel(
        (high, low, close),
        atr,
        busy,
        (swings.low, swings.low_anchor),
        tuple(one.low for one in ranges),
        tuple(one.low_row for one in ranges),
        *rules,
    )
    bullish = Sweeps(confidence, strength, distance, pool, pools)
    confidence, strength, pool, distance, pools = pool_kernel(
        (-low, -high, -close),
        atr,
        busy,
        (-swings.high, swings.high_anchor),
        tuple(-one.high for one in ranges),
        tuple(one.high_row for one in ranges),
        *rules,
    )
    return bullish, Sweeps(confidence, strength, distance, pool, _mirrored(pools))


@dataclass(frozen=True, slots=True)
class Inducements:
    """Minor sweeps over a standing major pivot, of one side; float64 ``(T,)``, known at close *t*.

    ``fires`` bool; ``major`` and ``major_row``: the standing major pivot and its row, NaN and -1 where
    there is none.
    """

    fires: Bool1D
    major: Float1D
    major_row: Float1D


def inducements(
    columns: Columns, minor: tuple[Sweeps, Sweeps], side_bars: int
) -> tuple[Inducements, Inducements]:
    """Sweeps of ``minor`` pivots while the newest major one beyond them stands, as (bullish, bearish).

    A major pivot is ``P(side_bars, side_bars)``; it stands from its confirmation until a bar goes
    beyond it. ``columns`` needs high, low and is_gap.
    """
    high, low = columns["high"], columns["low"]
    resets = long_gaps(columns["is_gap"], len(high))
    pivot_high, pivot_low = confirmed_pivots(high, low, side_bars, side_bars)
    bottom, bottom_row = _standing_kernel(low, pivot_low, side_bars, resets)
    top, top_row = _standing_kernel(-high, -pivot_high, side_bars, resets)
    lows = (minor[0].confidence > 0) & (bottom < minor[0].level)
    highs = (minor[1].confidence > 0) & (top < -minor[1].level)
    return Inducements(lows, bottom, bottom_row), Inducements(highs, -top, top_row)


@shared
def sweeps_of(columns: Columns, parameters: Parameters) -> tuple[Sweeps, Sweeps]:
    """``liquidity_sweeps`` with the parameters of the indicator ``liquidity_sweep``."""
    return liquidity_sweeps(
        columns,
        swings_of(columns, parameters),
        epsilon_atr=parameters["epsilon_atr"],
        equal_width_atr=parameters["equal_width_atr"],
        expiry_bars=int(parameters["expiry_bars"]),
        weekend=parameters["weekend"] != 0,
    )


@shared
def inducements_of(
    columns: Columns, parameters: Parameters
) -> tuple[tuple[Sweeps, Sweeps], tuple[Inducements, Inducements]]:
    """Minor sweeps and inducements with the parameters of the indicator ``inducement``."""
    side = int(parameters["minor"])
    # Volume grades a sweep's confidence only, and here a sweep counts whatever its confidence.
    priced = {name: columns[name] for name in ("high", "low", "close", "is_gap")}
    swings = pivot_swings(priced["high"], priced["low"], side, side)
    minor = liquidity_sweeps(priced, swings, with_ranges=False)
    return minor, inducements(columns, minor, int(parameters["major"]))


def _sweep(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    bullish, bearish = sweeps_of(columns, parameters)
    atr = average_true_range(columns["high"], columns["low"], columns["close"], ATR_LENGTH)
    event = (bullish.confidence > 0).astype(np.float64) - (bearish.confidence > 0)
    unknown = np.where(np.isnan(atr), np.nan, 0.0)
    pick = np.where(event > 0, bullish.confidence, bearish.confidence)
    strength = np.where(event > 0, bullish.strength, bearish.strength)
    equal = np.where(event > 0, bullish.equal, bearish.equal)
    return (
        event,
        np.where(event != 0, pick, 0.0) + unknown,
        np.where(event != 0, strength, 0.0) + unknown,
        np.where(event != 0, equal, 0.0),
        np.where(event != 0, busy_bars(columns["volume"]), 0.0),
        distance_atr(bearish.distance, atr),
        distance_atr(bullish.distance, atr),
    )


def _inducement(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    _, (bullish, bearish) = inducements_of(columns, parameters)
    return (bullish.fires.astype(np.float64) - bearish.fires,)


_COLUMNS = ("open_time", "high", "low", "close", "is_gap")

LIQUIDITY_SWEEP = Indicator(
    name="liquidity_sweep",
    text="Raids of swing points, equal highs and lows, the previous day, week and sessions.",
    inputs=(*_COLUMNS, "volume"),
    parameters=(
        *SWING_PARAMETERS,
        Parameter("epsilon_atr", 0.05, 0.0, 0.2, integer=False),
        Parameter("equal_width_atr", 0.15, 0.05, 0.3, integer=False),
        Parameter("expiry_bars", 300, 10, 500),
        Parameter("weekend", 0, 0, 1),
    ),
    outputs=(
        Output(
            "sweep",
            "signal",
            "direction",
            "1 where lows were raided and the close is back over them, -1 for highs",
            firing_rate=(0.02, 0.15),
        ),
        Output(
            "confidence",
            "value",
            "score",
            ".60 + .20 strength + .10 busy + .05 equal lows or highs; 0 without a sweep",
            low=0.0,
            high=0.95,
        ),
        Output(
            "strength",
            "value",
            "fraction",
            "how far the close came back inside the raid's range; 0 without a sweep",
            low=0.0,
            high=1.0,
        ),
        Output("equal", "state", "code", "1 where equal lows or highs were swept", high=1.0),
        Output(
            "busy", "state", "code", "1 where the sweep's bar had 1.5 times the volume", high=1.0
        ),
        Output(
            "pool_above_atr",
            "value",
            "ATR",
            "to the nearest pool above, 10 when farther or none",
            low=0.0,
            high=10.0,
        ),
        Output(
            "pool_below_atr",
            "value",
            "ATR",
            "to the nearest pool below, 10 when farther or none",
            low=0.0,
            high=10.0,
        ),
    ),
    compute=_sweep,
    lookback=lambda parameters: ATR_LENGTH,
    stable=lambda parameters: (
        swing_stable_rows(parameters)
        + int(parameters["expiry_bars"])
        + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDUCEMENT = Indicator(
    name="inducement",
    text="Minor swing points swept while the newest major one beyond them still stands.",
    inputs=_COLUMNS[1:],
    parameters=(Parameter("minor", 5, 2, 20), Parameter("major", 50, 20, 100)),
    outputs=(
        Output(
            "event",
            "signal",
            "direction",
            "1 where a minor low is swept over a standing major low, -1 for highs",
            firing_rate=(0.01, 0.08),
        ),
    ),
    compute=_inducement,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        pivot_stable_rows(int(parameters["major"]), int(parameters["major"]))
        + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDICATORS = (LIQUIDITY_SWEEP, INDUCEMENT)
