"""Pools of one side: a record for every pool there ever was, and what each bar does to the open ones.

A record is a row of ``FIELDS`` numbers. Open pools are named by a ring of row numbers of fixed
capacity, so that a bar costs the same however long the history is.
"""

from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, Int1D, kernel

SWING, EQUAL, DAY, WEEK, ASIAN, LONDON = range(6)
"""Kinds of pools, in the order of the types of events."""
SWEPT, BROKEN, REPLACED, EXPIRED = range(4)
"""How a pool ends, in the order of the states of events."""
(
    KIND,
    LEVEL,
    KNOWN,
    FIRST_ROW,
    FIRST_PRICE,
    LAST_ROW,
    LAST_PRICE,
    PIVOTS,
    BREACHED,
    DEEPEST,
    DEEPEST_ROW,
    FARTHEST,
    END,
    END_ROW,
) = range(14)
FIELDS: Final = 14
PRICES: Final = (LEVEL, FIRST_PRICE, LAST_PRICE, DEEPEST, FARTHEST)

_MAX_RETURN_BARS = 3
_MAX_DEPTH_ATR = 1.5
_EQUAL_MAX_BARS = 100
_NEVER = -1.0


@kernel(nogil=True)
def _end_kernel(pool: Float1D, state: int, t: int) -> None:
    pool[END], pool[END_ROW] = float(state), float(t)


@kernel(nogil=True)
def _advance_kernel(
    pool: Float1D, t: int, high: float, low: float, close: float, atr: float, epsilon_atr: float
) -> None:
    # One bar of an open pool of lows: breach, depth, the close back over it.
    level = pool[LEVEL]
    if pool[BREACHED] < 0:
        if not low < level - epsilon_atr * atr:
            return
        pool[BREACHED], pool[DEEPEST], pool[FARTHEST] = float(t), low, high
        pool[DEEPEST_ROW] = float(t)
    else:
        if low < pool[DEEPEST]:
            pool[DEEPEST], pool[DEEPEST_ROW] = low, float(t)
        pool[FARTHEST] = max(pool[FARTHEST], high)
    if level - pool[DEEPEST] > _MAX_DEPTH_ATR * atr:
        _end_kernel(pool, BROKEN, t)
    elif close > level:
        _end_kernel(pool, SWEPT, t)
    elif t - pool[BREACHED] >= _MAX_RETURN_BARS:
        _end_kernel(pool, BROKEN, t)


@kernel(nogil=True)
def _won_back_kernel(pool: Float1D, close: float) -> float:
    span = pool[FARTHEST] - pool[DEEPEST]
    return (close - pool[DEEPEST]) / span if span > 0 else 0.5


@kernel(nogil=True)
def _new_kernel(pool: Float1D, kind: int, level: float, t: int, anchor: float) -> None:
    pool[:] = np.nan
    pool[KIND], pool[LEVEL], pool[KNOWN] = float(kind), level, float(t)
    pool[FIRST_ROW], pool[FIRST_PRICE] = anchor, level
    pool[LAST_ROW], pool[PIVOTS] = _NEVER, 1.0
    pool[BREACHED], pool[END] = _NEVER, _NEVER


@kernel(nogil=True)
def _joins_kernel(pool: Float1D, level: float, anchor: float, width: float) -> bool:
    if pool[KIND] > EQUAL or pool[BREACHED] >= 0:
        return False
    newest = max(pool[FIRST_ROW], pool[LAST_ROW])
    joins: bool = abs(pool[LEVEL] - level) <= width and anchor - newest <= _EQUAL_MAX_BARS
    return joins


@kernel(nogil=True)
def _insert_kernel(
    pools: Float2D,
    count: int,
    open_pools: Int1D,
    open_count: int,
    kind: int,
    level: float,
    t: int,
    anchor: float,
    width: float,
) -> int:
    # A swing point within width of an open one makes equal lows of it, in its place; the range of a
    # period takes the place of the one before. The pool whose first point is oldest makes room.
    # Returns how many pools are open then.
    pool = pools[count]
    _new_kernel(pool, kind, level, t, anchor)
    for slot in range(open_count):
        other = pools[open_pools[slot]]
        if kind == SWING and _joins_kernel(other, level, anchor, width):
            pool[KIND], pool[PIVOTS] = float(EQUAL), other[PIVOTS] + 1.0
            pool[LEVEL] = min(other[LEVEL], level)
            pool[LAST_ROW], pool[LAST_PRICE] = anchor, level
            pool[FIRST_ROW], pool[FIRST_PRICE] = other[FIRST_ROW], other[FIRST_PRICE]
            _end_kernel(other, REPLACED, t)
            open_pools[slot] = count
            return open_count
        if kind > EQUAL and other[KIND] == kind:
            _end_kernel(other, REPLACED, t)
            open_pools[slot : open_count - 1] = open_pools[slot + 1 : open_count].copy()
            open_count -= 1
            break
    if open_count == len(open_pools):
        _end_kernel(pools[open_pools[0]], EXPIRED, t)
        open_pools[:-1] = open_pools[1:].copy()
        open_count -= 1
    open_pools[open_count] = count
    return open_count + 1


@kernel(nogil=True)
def _stated_kernel(values: Float1D) -> int:
    count = 0
    for value in values:
        count += not np.isnan(value)
    return count


@kernel(nogil=True)
def pool_kernel(
    prices: tuple[Float1D, Float1D, Float1D],
    atr: Float1D,
    busy: Float1D,
    swing: tuple[Float1D, Float1D],
    levels: tuple[Float1D, ...],
    level_rows: tuple[Float1D, ...],
    resets: Bool1D,
    epsilon_atr: float,
    equal_width_atr: float,
    expiry_bars: int,
    capacity: int,
) -> tuple[Float1D, Float1D, Int1D, Float1D, Float2D]:
    """Pools of lows; the caller mirrors prices for pools of highs.

    ``swing``: the swing low that becomes known on each row, NaN without one, and the row of its
    extreme. ``levels`` and ``level_rows``: the range of each kind from ``DAY`` on where it becomes
    known, and the row of its extreme. Returns confidence and strength of the sweep on each row (0
    without one), the record of the swept pool (-1), the distance from the close to the nearest pool
    (NaN without one), and the records of all pools in the order in which they became known.
    """
    high, low, close = prices
    swing_low, swing_row = swing
    rows = len(close)
    confidence, strength = np.zeros(rows), np.zeros(rows)
    swept, distance = np.full(rows, -1), np.full(rows, np.nan)
    possible = _stated_kernel(swing_low)
    for source in range(len(levels)):
        possible += _stated_kernel(levels[source])
    pools = np.empty((possible, FIELDS))
    open_pools = np.empty(capacity, dtype=np.int64)
    count, open_count, first_valid_anchor = 0, 0, 0
    for t in range(rows):
        if resets[t]:
            open_count, first_valid_anchor = 0, t + 1
            continue
        kept = 0
        for slot in range(open_count):
            number = open_pools[slot]
            pool = pools[number]
            _advance_kernel(pool, t, high[t], low[t], close[t], atr[t], epsilon_atr)
            if pool[END] == SWEPT:
                won_back = _won_back_kernel(pool, close[t])
                value = 0.6 + 0.2 * won_back + 0.1 * busy[t] + 0.05 * (pool[KIND] == EQUAL)
                if value > confidence[t]:
                    confidence[t], strength[t] = min(value, 0.95), won_back
                    swept[t] = number
            if pool[END] < 0 and t - pool[KNOWN] >= expiry_bars:
                _end_kernel(pool, EXPIRED, t)
            if pool[END] < 0:
                open_pools[kept] = number
                kept += 1
        open_count = kept
        if not np.isnan(swing_low[t]) and swing_row[t] >= first_valid_anchor:
            width = equal_width_atr * atr[t]
            open_count = _insert_kernel(
                pools, count, open_pools, open_count, SWING, swing_low[t], t, swing_row[t], width
            )
            count += 1
        for source in range(len(levels)):
            level = levels[source][t]
            if not np.isnan(level):
                open_count = _insert_kernel(
                    pools, count, open_pools, open_count, DAY + source, level, t,
                    level_rows[source][t], 0.0,
                )  # fmt: skip
                count += 1
        for slot in range(open_count):
            away = max(close[t] - pools[open_pools[slot], LEVEL], 0.0)
            if np.isnan(distance[t]) or away < distance[t]:
                distance[t] = away
    return confidence, strength, swept, distance, pools[:count]
