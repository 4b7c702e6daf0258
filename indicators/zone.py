"""Price zones that later bars touch, fill and break: gaps, blocks and balanced ranges share it.

A zone is a record (side, top, bottom, row on which it became known). It lives for at most
``expiry_bars`` bars, and at most ``ZONE_CAPACITY`` live at a time: the oldest makes room. A zone of
side 1 expects price to hold above it, one of side -1 below it.

The loop that counts zones and their touches also writes the log of what became of each, so that
columns and tables of events cannot differ.
"""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from .event_table import CHANGE_FIELDS

ZONE_CAPACITY = 256

TOUCHED, CONSUMED, MIDDLE, FILLED, FLIPPED, FLIP_TOUCHED, REMOVED, EXPIRED = range(8)
"""What may happen to a zone, in the order in which it is told when it happens on one row."""

_SIDE, _NEAR, _FAR, _BORN, _TOUCHES, _INSIDE, _MIDDLE, _FILLED, _FLIPPED, _CONSUMED = range(10)
_FIELDS = 10
(
    _OUT_TOUCH,
    _OUT_REACTION,
    _OUT_FLIP,
    _OUT_FLIP_TOUCH,
    _OUT_INSIDE,
    _OUT_FRESH_BULLISH,
    _OUT_FRESH_BEARISH,
    _OUT_OPEN_BULLISH,
    _OUT_OPEN_BEARISH,
    _OUT_FLIPPED_BULLISH,
    _OUT_FLIPPED_BEARISH,
    _OUT_DISTANCE_BULLISH,
    _OUT_DISTANCE_BEARISH,
    _OUT_FLIPPED_DISTANCE_BULLISH,
    _OUT_FLIPPED_DISTANCE_BEARISH,
) = range(15)
_OUTPUTS = 15


@kernel(nogil=True, inlined=True)
def _write_kernel(log: Float2D, count: int, born: float, happened: int, row: int) -> int:
    log[count, 0], log[count, 1], log[count, 2] = born, float(happened), float(row)
    return count + 1


@kernel(nogil=True, inlined=True)
def _reached_kernel(
    zones: Float2D,
    k: int,
    t: int,
    reach: float,
    close: float,
    max_touches: int,
    out: Float2D,
    log: Float2D,
    count: int,
) -> int:
    # A bar that reaches into zone k: visits, the middle, the far edge.
    side, born, flipped = zones[k, _SIDE], zones[k, _BORN], zones[k, _FLIPPED] > 0
    near, far = zones[k, _NEAR], zones[k, _FAR]
    middle = 0.5 * (near + far)
    if zones[k, _INSIDE] == 0:
        votes = zones[k, _TOUCHES] < max_touches and zones[k, _MIDDLE] == 0
        zones[k, _TOUCHES] += 1.0
        if votes:
            count = _write_kernel(log, count, born, FLIP_TOUCHED if flipped else TOUCHED, t)
        if votes and not close < far:
            out[t, _OUT_FLIP_TOUCH if flipped else _OUT_TOUCH] += side
        zones[k, _INSIDE] = 1.0
    reaches_middle = reach <= middle and zones[k, _MIDDLE] == 0
    if reaches_middle:
        zones[k, _MIDDLE] = 1.0
        if not flipped and close > middle:
            out[t, _OUT_REACTION] += side
    worn = zones[k, _TOUCHES] >= max_touches or zones[k, _MIDDLE] > 0
    if not flipped and zones[k, _CONSUMED] == 0 and worn:
        zones[k, _CONSUMED] = 1.0
        count = _write_kernel(log, count, born, CONSUMED, t)
    if reaches_middle and not flipped:
        count = _write_kernel(log, count, born, MIDDLE, t)
    if reach <= far and zones[k, _FILLED] == 0:
        zones[k, _FILLED] = 1.0
        if not flipped:
            count = _write_kernel(log, count, born, FILLED, t)
    return count


@kernel(nogil=True, inlined=True)
def _observe_kernel(zones: Float2D, k: int, t: int, close: float, out: Float2D) -> None:
    # close: times the side of the zone, as its edges are.
    bearish = 1 if zones[k, _SIDE] < 0 else 0
    flipped = zones[k, _FLIPPED] > 0
    if flipped:
        out[t, _OUT_FLIPPED_BULLISH + bearish] += 1.0
    else:
        if zones[k, _TOUCHES] == 0:
            out[t, _OUT_FRESH_BULLISH + bearish] += 1.0
        if zones[k, _FILLED] > 0:
            return
        out[t, _OUT_OPEN_BULLISH + bearish] += 1.0
    distance = close - zones[k, _NEAR]
    if distance <= 0.0:
        if not flipped and close >= zones[k, _FAR]:
            out[t, _OUT_INSIDE] += zones[k, _SIDE]
        distance = 0.0
    column = (_OUT_FLIPPED_DISTANCE_BULLISH if flipped else _OUT_DISTANCE_BULLISH) + bearish
    if not out[t, column] <= distance:
        out[t, column] = distance


@kernel(nogil=True)
def _zone_kernel(
    prices: tuple[Float1D, Float1D, Float1D],
    direction: Float1D,
    top: Float1D,
    bottom: Float1D,
    resets: Bool1D,
    expiry_bars: int,
    max_touches: int,
    flips: bool,
    capacity: int,
) -> tuple[Float2D, Float2D]:
    high, low, close = prices
    rows = len(close)
    out = np.zeros((rows, _OUTPUTS))
    out[:, _OUT_DISTANCE_BULLISH:] = np.nan
    # A zone is touched max_touches times on each of its sides and enters every other state once.
    log = np.empty((np.count_nonzero(direction) * (6 + 2 * max_touches), CHANGE_FIELDS))
    # Mirrored through its side, every zone is one that price should hold above: far < near. The open
    # ones lie in the first rows, the oldest first.
    zones = np.zeros((capacity, _FIELDS))
    count, written = 0, 0
    for t in range(rows):
        if resets[t]:
            count = 0
            continue
        kept = 0
        for k in range(count):
            if t - zones[k, _BORN] > expiry_bars:
                written = _write_kernel(log, written, zones[k, _BORN], EXPIRED, t)
                continue
            side = zones[k, _SIDE]
            reach, at_close = low[t] if side > 0 else -high[t], side * close[t]
            if reach <= zones[k, _NEAR]:
                written = _reached_kernel(
                    zones, k, t, reach, at_close, max_touches, out, log, written
                )
            else:
                zones[k, _INSIDE] = 0.0
            if at_close < zones[k, _FAR]:
                if zones[k, _FLIPPED] > 0 or not flips:
                    written = _write_kernel(log, written, zones[k, _BORN], REMOVED, t)
                    continue
                out[t, _OUT_FLIP] -= side
                written = _write_kernel(log, written, zones[k, _BORN], FLIPPED, t)
                zones[k, _SIDE], zones[k, _FLIPPED] = -side, 1.0
                zones[k, _NEAR], zones[k, _FAR] = -zones[k, _FAR], -zones[k, _NEAR]
                zones[k, _TOUCHES] = zones[k, _MIDDLE] = zones[k, _FILLED] = 0.0
                other = -high[t] if side > 0 else low[t]
                zones[k, _INSIDE] = 1.0 if other <= zones[k, _NEAR] else 0.0
            if kept < k:
                for field in range(_FIELDS):
                    zones[kept, field] = zones[k, field]
            kept += 1
        count = kept
        if direction[t] != 0 and top[t] > bottom[t]:
            if count == capacity:
                written = _write_kernel(log, written, zones[0, _BORN], EXPIRED, t)
                zones[:-1] = zones[1:].copy()
                count -= 1
            zones[count] = 0.0
            zones[count, _SIDE], zones[count, _BORN] = direction[t], float(t)
            zones[count, _NEAR] = top[t] if direction[t] > 0 else -bottom[t]
            zones[count, _FAR] = bottom[t] if direction[t] > 0 else -top[t]
            count += 1
        for k in range(count):
            _observe_kernel(zones, k, t, zones[k, _SIDE] * close[t], out)
    return out, log[:written].copy()


@dataclass(frozen=True, slots=True, eq=False)
class ZoneTrack:
    """What became of a set of zones; every array is float64 ``(T,)`` and row *t* is known at close.

    ``touch``: 1 or -1 where price comes into a zone that still votes and closes without breaking it.
    ``reaction``: where price reaches the middle of a zone for the first time and closes back on its
    side. ``flip``: the new side of a zone that a close broke. ``flip_touch``: as ``touch``, for such
    flipped zones. ``inside``: side of the unfilled zones that hold the close. These five are 0 where
    nothing happens or both sides weigh the same. ``fresh``, ``open`` and ``flipped`` count zones
    (never touched; not filled by a wick; flipped and not crossed back) by side. ``distance``: from
    the close to the nearest unfilled zone, ``flipped_distance`` to the nearest flipped one, in price, 0
    inside it, NaN where there is none.

    ``log`` ``(M, 3)``: row on which a zone became known, what happened to it, row on which it did, in
    order of rows. ``TOUCHED`` is each visit that counts, ``CONSUMED`` the last of them or the first at
    the middle, ``MIDDLE`` and ``FILLED`` the first bar that reaches the middle and the far edge,
    ``FLIPPED`` the close beyond that edge, ``FLIP_TOUCHED`` each visit that counts afterwards,
    ``REMOVED`` the close that ends it, ``EXPIRED`` the first row behind its ``expiry_bars`` or that on
    which a newer zone took its place. A long run of missing bars ends zones without a word.
    """

    log: Float2D
    touch: Float1D
    reaction: Float1D
    flip: Float1D
    flip_touch: Float1D
    inside: Float1D
    fresh_bullish: Float1D
    fresh_bearish: Float1D
    open_bullish: Float1D
    open_bearish: Float1D
    flipped_bullish: Float1D
    flipped_bearish: Float1D
    distance_bullish: Float1D
    distance_bearish: Float1D
    flipped_distance_bullish: Float1D
    flipped_distance_bearish: Float1D


def tracked_zones(
    prices: tuple[Float1D, Float1D, Float1D],
    direction: Float1D,
    edges: tuple[Float1D, Float1D],
    resets: Bool1D,
    *,
    expiry_bars: int,
    max_touches: int = 1,
    flips: bool = True,
    capacity: int = ZONE_CAPACITY,
) -> ZoneTrack:
    """Follow zones from the row after they become known to their end.

    ``prices`` is (high, low, close); ``direction`` is 1 or -1 where a zone becomes known and
    ``edges`` is its (top, bottom) there; ``resets`` marks rows on which every zone is forgotten. All
    arrays ``(T,)``. A zone votes on its first ``max_touches`` visits, unless price reached its
    middle on an earlier one. A close beyond its far edge flips it; a flipped zone ends when a close
    crosses back over it; without ``flips`` the first such close ends it. A zone whose top is not
    above its bottom is left out.
    """
    high, low, close = prices
    out, log = _zone_kernel(
        (np.ascontiguousarray(high), np.ascontiguousarray(low), np.ascontiguousarray(close)),
        np.ascontiguousarray(direction, dtype=np.float64),
        np.ascontiguousarray(edges[0]),
        np.ascontiguousarray(edges[1]),
        resets,
        expiry_bars,
        max_touches,
        flips,
        capacity,
    )
    out[:, : _OUT_INSIDE + 1] = np.sign(out[:, : _OUT_INSIDE + 1])
    columns = (np.ascontiguousarray(out[:, column]) for column in range(_OUTPUTS))
    return ZoneTrack(log, *columns)
