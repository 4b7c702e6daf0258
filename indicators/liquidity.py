"""Liquidity: pools of resting orders beyond swing points, and the sweeps that raid them."""

from dataclasses import dataclass

import numpy as np

from engine import DAY_NS, WEEK_NS, Bool1D, Float1D, kernel

from .fair_value_gap import ATR_LENGTH, distance_atr
from .pivot import confirmed_pivots, held_level, long_gaps, pivot_stable_rows
from .rolling import previous_mean_ratio
from .session import ASIAN_RAID, new_york_time, session_range
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

POOL_CAPACITY = 128
VOLUME_LENGTH, BUSY_RATIO = 10, 1.5
MAX_RETURN_BARS = 3
MAX_DEPTH_ATR = 1.5
EQUAL_MAX_BARS = 100
MONDAY_NS = 4 * DAY_NS
"""1970-01-05, the first Monday of the epoch."""

_LEVEL, _BORN, _ANCHOR, _SOURCE, _EQUAL, _BREACHED, _DEEPEST, _FARTHEST = range(8)
_FIELDS = 8


@kernel(nogil=True)
def _period_extreme_kernel(
    period: Float1D, high: Float1D, low: Float1D, is_gap: Float1D
) -> tuple[Float1D, Float1D]:
    # High and low of the period before, on the first row of each next one; NaN elsewhere.
    rows = len(period)
    top, bottom = np.full(rows, np.nan), np.full(rows, np.nan)
    run_top, run_bottom, complete = -np.inf, np.inf, False
    for t in range(rows):
        if t == 0 or period[t] != period[t - 1]:
            if complete and run_top > -np.inf:
                top[t], bottom[t] = run_top, run_bottom
            run_top, run_bottom, complete = -np.inf, np.inf, t > 0
        if is_gap[t] < 0.5:
            run_top, run_bottom = max(run_top, high[t]), min(run_bottom, low[t])
    return top, bottom


@kernel(nogil=True)
def _insert_kernel(
    pools: Float1D, count: int, level: float, born: int, anchor: int, source: int, width: float
) -> int:
    # A swing point within width of another one makes equal lows of it; a period's extreme takes
    # the place of the one before. Fields lie in rows of _FIELDS; the oldest makes room.
    for slot in range(count):
        k = slot * _FIELDS
        if pools[k + _SOURCE] != source:
            continue
        if source > 0:
            pools[k + _LEVEL] = np.nan
        elif (
            abs(pools[k + _LEVEL] - level) <= width
            and pools[k + _BREACHED] < 0
            and anchor - pools[k + _ANCHOR] <= EQUAL_MAX_BARS
        ):
            pools[k + _LEVEL] = min(pools[k + _LEVEL], level)
            pools[k + _BORN], pools[k + _ANCHOR] = float(born), float(anchor)
            pools[k + _EQUAL] = 1.0
            return count
    if count == len(pools) // _FIELDS:
        pools[: (count - 1) * _FIELDS] = pools[_FIELDS : count * _FIELDS].copy()
        count -= 1
    k = count * _FIELDS
    pools[k : k + _FIELDS] = 0.0
    pools[k + _LEVEL], pools[k + _BORN], pools[k + _ANCHOR] = level, float(born), float(anchor)
    pools[k + _SOURCE], pools[k + _BREACHED] = float(source), -1.0
    return count + 1


@kernel(nogil=True)
def _swept_kernel(
    pool: Float1D, t: int, high: float, low: float, close: float, atr: float, epsilon_atr: float
) -> bool:
    # Advances one pool of lows by one bar; a pool that is broken becomes NaN.
    level = pool[_LEVEL]
    if pool[_BREACHED] < 0:
        if not low < level - epsilon_atr * atr:
            return False
        pool[_BREACHED], pool[_DEEPEST], pool[_FARTHEST] = float(t), low, high
    else:
        pool[_DEEPEST] = min(pool[_DEEPEST], low)
        pool[_FARTHEST] = max(pool[_FARTHEST], high)
    if level - pool[_DEEPEST] > MAX_DEPTH_ATR * atr:
        pool[_LEVEL] = np.nan
        return False
    if close > level:
        return True
    if t - pool[_BREACHED] >= MAX_RETURN_BARS:
        pool[_LEVEL] = np.nan
    return False


@kernel(nogil=True)
def _sweep_kernel(
    prices: tuple[Float1D, Float1D, Float1D],
    atr: Float1D,
    busy: Float1D,
    swing: Float1D,
    levels: tuple[Float1D, Float1D, Float1D],
    right: int,
    resets: Bool1D,
    epsilon_atr: float,
    equal_width_atr: float,
    expiry_bars: int,
    capacity: int,
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    # Pools of lows; the caller mirrors prices for pools of highs.
    high, low, close = prices
    rows = len(close)
    confidence, strength = np.zeros(rows), np.zeros(rows)
    swept, equal, distance = np.full(rows, np.nan), np.zeros(rows), np.full(rows, np.nan)
    pools = np.zeros(capacity * _FIELDS)
    count, first_valid_anchor = 0, 0
    for t in range(rows):
        if resets[t]:
            count, first_valid_anchor = 0, t + 1
            continue
        kept = 0
        for slot in range(count):
            pool = pools[slot * _FIELDS : (slot + 1) * _FIELDS]
            if _swept_kernel(pool, t, high[t], low[t], close[t], atr[t], epsilon_atr):
                span = pool[_FARTHEST] - pool[_DEEPEST]
                recovered = (close[t] - pool[_DEEPEST]) / span if span > 0 else 0.5
                value = 0.6 + 0.2 * recovered + 0.1 * busy[t] + 0.05 * pool[_EQUAL]
                if value > confidence[t]:
                    confidence[t], strength[t] = min(value, 0.95), recovered
                    swept[t], equal[t] = pool[_LEVEL], pool[_EQUAL]
                continue
            if np.isnan(pool[_LEVEL]) or t - pool[_BORN] >= expiry_bars:
                continue
            pools[kept * _FIELDS : (kept + 1) * _FIELDS] = pool.copy()
            kept += 1
        count = kept
        if t - right >= first_valid_anchor and not np.isnan(swing[t]):
            width = equal_width_atr * atr[t]
            count = _insert_kernel(pools, count, swing[t], t, t - right, 0, width)
        for source in range(len(levels)):
            if not np.isnan(levels[source][t]):
                count = _insert_kernel(pools, count, levels[source][t], t, t, source + 1, 0.0)
        for slot in range(count):
            level = pools[slot * _FIELDS + _LEVEL]
            away = max(close[t] - level, 0.0)
            if not np.isnan(level) and (np.isnan(distance[t]) or away < distance[t]):
                distance[t] = away
    return confidence, strength, swept, equal, distance


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Sweeps of one side's pools; every array is float64 ``(T,)``, row *t* known at close *t*.

    ``confidence``: 0 without a sweep, else .60 + .20 strength + .10 busy + .05 equal, at most .95.
    ``strength``: how far the close came back inside the range of the bars of the raid, 0 to 1.
    ``level``: the swept price (NaN without a sweep). ``equal``: 1 where it was a pool of equal
    lows or highs. ``distance``: from the close to the nearest pool, in price, NaN without one.
    """

    confidence: Float1D
    strength: Float1D
    level: Float1D
    equal: Float1D
    distance: Float1D


def period_extremes(
    columns: Columns, period_ns: int, origin_ns: int = 0
) -> tuple[Float1D, Float1D]:
    """High and low of the previous period, on the first row of the next one; NaN elsewhere.

    A period counts when the series holds its beginning and a bar of it was traded. ``columns`` needs
    open_time, high, low and is_gap, each ``(T,)``.
    """
    period = np.floor((columns["open_time"] - origin_ns) / period_ns)
    return _period_extreme_kernel(period, columns["high"], columns["low"], columns["is_gap"])


def busy_bars(volume: Float1D) -> Float1D:
    """1 where the volume is 1.5 times the mean of the ten bars before it or more, else 0."""
    return (previous_mean_ratio(volume, VOLUME_LENGTH) >= BUSY_RATIO).astype(np.float64)


def liquidity_sweeps(
    columns: Columns,
    left: int,
    right: int,
    *,
    epsilon_atr: float = 0.05,
    equal_width_atr: float = 0.15,
    expiry_bars: int = 300,
    session_levels: tuple[Float1D, Float1D] | None = None,
    capacity: int = POOL_CAPACITY,
) -> tuple[Sweeps, Sweeps]:
    """Sweeps of pools under the market and over it, as (bullish, bearish).

    Pools are confirmed pivots, equal ones of them (within ``equal_width_atr`` ATR and 100 bars; the
    more extreme price counts), the previous UTC day's and week's extreme, and ``session_levels``, a
    (high, low) that is finite on the row where a session's range becomes known. A pool known by
    *t* - 1 is breached by a low under ``level - epsilon_atr * ATR`` and swept by the first close
    back over it, on the same bar or one of the next three; deeper than 1.5 ATR it is a break. A pool
    is swept or broken once and lives ``expiry_bars`` bars; when the ring of ``capacity`` pools is
    full, the oldest makes room. ``columns`` needs open_time, high, low, close, volume and is_gap.
    """
    high, low, close = columns["high"], columns["low"], columns["close"]
    atr = average_true_range(high, low, close, ATR_LENGTH)
    busy = busy_bars(columns["volume"])
    resets = long_gaps(columns["is_gap"], len(close))
    pivot_high, pivot_low = confirmed_pivots(high, low, left, right)
    day_high, day_low = period_extremes(columns, DAY_NS)
    week_high, week_low = period_extremes(columns, WEEK_NS, MONDAY_NS)
    none = np.full(len(close), np.nan)
    session_high, session_low = session_levels if session_levels is not None else (none, none)
    rules = (right, resets, epsilon_atr, equal_width_atr, expiry_bars, capacity)
    under = _sweep_kernel(
        (high, low, close), atr, busy, pivot_low, (day_low, week_low, session_low), *rules
    )
    over = _sweep_kernel(
        (-low, -high, -close),
        atr,
        busy,
        -pivot_high,
        (-day_high, -week_high, -session_high),
        *rules,
    )
    confidence, strength, level, equal, distance = over
    return Sweeps(*under), Sweeps(confidence, strength, -level, equal, distance)


def inducements(
    columns: Columns, minor: tuple[Sweeps, Sweeps], major: tuple[Float1D, Float1D]
) -> Float1D:
    """1 where a minor low is swept while the newest major pivot low under it still stands.

    ``major`` is the newest confirmed major pivot high and low on each row (NaN before the first);
    -1 for highs, 0 where neither or both. Arrays ``(T,)``.
    """
    major_high, major_low = major
    lows = (minor[0].confidence > 0) & (major_low < minor[0].level)
    lows &= columns["low"] >= major_low
    highs = (minor[1].confidence > 0) & (major_high > minor[1].level)
    highs &= columns["high"] <= major_high
    return lows.astype(np.float64) - highs


def _asian_levels(columns: Columns) -> tuple[Float1D, Float1D]:
    top, bottom, owner = session_range(columns, new_york_time(columns["open_time"]), ASIAN_RAID)
    begins = (owner >= 0) & (owner != np.concatenate(([-1.0], owner[:-1])))
    return np.where(begins, top, np.nan), np.where(begins, bottom, np.nan)


def _sweep(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    bullish, bearish = liquidity_sweeps(
        columns,
        int(parameters["left"]),
        int(parameters["right"]),
        epsilon_atr=parameters["epsilon_atr"],
        equal_width_atr=parameters["equal_width_atr"],
        expiry_bars=int(parameters["expiry_bars"]),
        session_levels=_asian_levels(columns),
    )
    atr = average_true_range(columns["high"], columns["low"], close, ATR_LENGTH)
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
    # Volume grades a sweep's confidence only, and here a sweep counts whatever its confidence.
    priced = {**columns, "volume": np.zeros(len(columns["close"]))}
    minor = liquidity_sweeps(priced, int(parameters["minor"]), int(parameters["minor"]))
    side = int(parameters["major"])
    major_high, major_low = confirmed_pivots(columns["high"], columns["low"], side, side)
    return (inducements(columns, minor, (held_level(major_high), held_level(major_low))),)


_COLUMNS = ("open_time", "high", "low", "close", "is_gap")

LIQUIDITY_SWEEP = Indicator(
    name="liquidity_sweep",
    text="Raids of swing points, equal highs and lows, previous day, week and Asian range.",
    inputs=(*_COLUMNS, "volume"),
    parameters=(
        Parameter("left", 5, 2, 100),
        Parameter("right", 5, 2, 100),
        Parameter("epsilon_atr", 0.05, 0.0, 0.2, integer=False),
        Parameter("equal_width_atr", 0.15, 0.05, 0.3, integer=False),
        Parameter("expiry_bars", 300, 10, 500),
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
        pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
        + int(parameters["expiry_bars"])
        + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDUCEMENT = Indicator(
    name="inducement",
    text="Minor swing points swept while the newest major one beyond them still stands.",
    inputs=_COLUMNS,
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
