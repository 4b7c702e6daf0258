"""Price zones that later bars touch, fill and break: gaps, blocks and balanced ranges share it.

A zone is a record (side, top, bottom, row on which it became known). It lives in a ring buffer of
``ZONE_CAPACITY`` slots for at most ``expiry_bars`` bars; when the ring is full, the oldest zone makes
room. A zone of side 1 expects price to hold above it, one of side -1 below it.
"""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

ZONE_CAPACITY = 256

_SIDE, _TOP, _BOTTOM, _BORN, _TOUCHES, _INSIDE, _MIDDLE, _FILLED, _FLIPPED = range(9)
_FIELDS = 9
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
) = range(13)
_OUTPUTS = 13


@kernel(nogil=True)
def _advance_kernel(
    zone: Float1D, high: float, low: float, close: float, max_touches: int, out: Float1D
) -> None:
    # Mirrored through side, every zone is one that price should hold above: far < near.
    side = zone[_SIDE]
    near = zone[_TOP] if side > 0 else -zone[_BOTTOM]
    far = zone[_BOTTOM] if side > 0 else -zone[_TOP]
    reach = low if side > 0 else -high
    middle = 0.5 * (near + far)
    holds = not side * close < far
    touches = reach <= near
    if touches and zone[_INSIDE] == 0:
        votes = zone[_TOUCHES] < max_touches and zone[_MIDDLE] == 0
        zone[_TOUCHES] += 1.0
        if votes and holds:
            out[_OUT_FLIP_TOUCH if zone[_FLIPPED] else _OUT_TOUCH] += side
    zone[_INSIDE] = 1.0 if touches else 0.0
    if reach <= middle and zone[_MIDDLE] == 0:
        zone[_MIDDLE] = 1.0
        if zone[_FLIPPED] == 0 and side * close > middle:
            out[_OUT_REACTION] += side
    if reach <= far:
        zone[_FILLED] = 1.0
    if holds:
        return
    if zone[_FLIPPED]:
        zone[_SIDE] = 0.0
        return
    out[_OUT_FLIP] -= side
    zone[_SIDE], zone[_FLIPPED] = -side, 1.0
    zone[_TOUCHES] = zone[_MIDDLE] = zone[_FILLED] = 0.0
    zone[_INSIDE] = 1.0 if (-high <= -zone[_BOTTOM] if side > 0 else low <= zone[_TOP]) else 0.0


@kernel(nogil=True)
def _observe_kernel(zone: Float1D, close: float, out: Float1D) -> None:
    bearish = 1 if zone[_SIDE] < 0 else 0
    if zone[_FLIPPED]:
        out[_OUT_FLIPPED_BULLISH + bearish] += 1.0
        return
    if zone[_TOUCHES] == 0:
        out[_OUT_FRESH_BULLISH + bearish] += 1.0
    if zone[_FILLED]:
        return
    out[_OUT_OPEN_BULLISH + bearish] += 1.0
    if zone[_BOTTOM] <= close <= zone[_TOP]:
        out[_OUT_INSIDE] += zone[_SIDE]
    edge = zone[_BOTTOM] if bearish else zone[_TOP]
    distance = max(zone[_SIDE] * (close - edge), 0.0)
    column = _OUT_DISTANCE_BULLISH + bearish
    if np.isnan(out[column]) or distance < out[column]:
        out[column] = distance


@kernel(nogil=True)
def _zone_kernel(
    high: Float1D,
    low: Float1D,
    close: Float1D,
    direction: Float1D,
    top: Float1D,
    bottom: Float1D,
    resets: Bool1D,
    expiry_bars: int,
    max_touches: int,
    capacity: int,
) -> Float2D:
    rows = len(close)
    out = np.zeros((rows, _OUTPUTS))
    out[:, _OUT_DISTANCE_BULLISH:] = np.nan
    ring = np.zeros((capacity, _FIELDS))
    first, count = 0, 0
    for t in range(rows):
        if resets[t]:
            first, count = 0, 0
            continue
        while count > 0 and t - ring[first, _BORN] > expiry_bars:
            first, count = (first + 1) % capacity, count - 1
        for offset in range(count):
            zone = ring[(first + offset) % capacity]
            if zone[_SIDE] != 0:
                _advance_kernel(zone, high[t], low[t], close[t], max_touches, out[t])
        if direction[t] != 0 and top[t] > bottom[t]:
            if count == capacity:
                first, count = (first + 1) % capacity, count - 1
            zone = ring[(first + count) % capacity]
            zone[:] = 0.0
            zone[_SIDE], zone[_BORN] = direction[t], float(t)
            zone[_TOP], zone[_BOTTOM] = top[t], bottom[t]
            count += 1
        for offset in range(count):
            zone = ring[(first + offset) % capacity]
            if zone[_SIDE] != 0:
                _observe_kernel(zone, close[t], out[t])
    return out


@dataclass(frozen=True, slots=True)
class ZoneTrack:
    """What became of a set of zones; every array is float64 ``(T,)`` and row *t* is known at close.

    ``touch``: 1 or -1 where price comes into a zone that still votes and closes without breaking it.
    ``reaction``: where price reaches the middle of a zone for the first time and closes back on its
    side. ``flip``: the new side of a zone that a close broke. ``flip_touch``: as ``touch``, for such
    flipped zones. ``inside``: side of the unfilled zones that hold the close. These five are 0 where
    nothing happens or both sides weigh the same. ``fresh``, ``open`` and ``flipped`` count zones
    (never touched; not filled by a wick; flipped and not crossed back) by side. ``distance``: from
    the close to the nearest unfilled zone, in price, 0 inside it, NaN where there is none.
    """

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


def tracked_zones(
    prices: tuple[Float1D, Float1D, Float1D],
    direction: Float1D,
    edges: tuple[Float1D, Float1D],
    resets: Bool1D,
    *,
    expiry_bars: int,
    max_touches: int = 1,
    capacity: int = ZONE_CAPACITY,
) -> ZoneTrack:
    """Follow zones from the row after they become known to their end.

    ``prices`` is (high, low, close); ``direction`` is 1 or -1 where a zone becomes known and
    ``edges`` is its (top, bottom) there; ``resets`` marks rows on which every zone is forgotten. All
    arrays ``(T,)``. A zone votes on its first ``max_touches`` visits, unless price reached its
    middle on an earlier one. A close beyond its far edge flips it; a flipped zone ends when a close
    crosses back over it. A zone whose top is not above its bottom is left out.
    """
    high, low, close = prices
    out = _zone_kernel(
        np.ascontiguousarray(high),
        np.ascontiguousarray(low),
        np.ascontiguousarray(close),
        np.ascontiguousarray(direction, dtype=np.float64),
        np.ascontiguousarray(edges[0]),
        np.ascontiguousarray(edges[1]),
        resets,
        expiry_bars,
        max_touches,
        capacity,
    )
    out[:, : _OUT_INSIDE + 1] = np.sign(out[:, : _OUT_INSIDE + 1])
    return ZoneTrack(*(np.ascontiguousarray(out[:, column]) for column in range(_OUTPUTS)))
