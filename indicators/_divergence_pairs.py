"""Pairs of confirmed pivots of price against what a measure did between them."""

import numpy as np

from engine import Bool1D, Float1D, kernel

from .pivot import confirmed_pivots, long_gaps


@kernel(nogil=True)
def _beyond_kernel(measure: Float1D, accumulates: bool, row: int, reach: int, side: float) -> float:
    """How far the measure's extreme within ``reach`` rows of ``row`` lies beyond its value there."""
    best = 0.0
    for direction in (1, -1):
        line = 0.0
        for away in range(1, reach + 1):
            if not accumulates:
                line = measure[row + direction * away] - measure[row]
            elif direction > 0:
                line += measure[row + away]
            else:
                line -= measure[row - away + 1]
            if np.isnan(line) or side * line < side * best:
                best = line
    return best


@kernel(nogil=True)
def _divergence_kernel(
    pivot_high: Float1D,
    pivot_low: Float1D,
    measure: Float1D,
    accumulates: bool,
    price_unit: Float1D,
    measure_unit: Float1D,
    resets: Bool1D,
    left: int,
    right: int,
    nearest: int,
    furthest: int,
    separation: float,
    reach: int,
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(measure)
    regular, hidden, strength = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    last_row = np.full(2, -1)
    last_price, last_beyond = np.zeros(2), np.zeros(2)
    first_usable = 0
    for t in range(rows):
        if resets[t]:
            last_row[:] = -1
            first_usable = t + 1
        row = t - right
        if row - left < first_usable:
            continue
        for kind in range(2):
            price = pivot_low[t] if kind == 0 else pivot_high[t]
            if np.isnan(price):
                continue
            side = 1.0 if kind == 0 else -1.0
            before, before_price, gained = last_row[kind], last_price[kind], -last_beyond[kind]
            beyond = _beyond_kernel(measure, accumulates, row, reach, side)
            last_row[kind], last_price[kind], last_beyond[kind] = row, price, beyond
            if before < 0 or row - before < nearest or row - before > furthest:
                continue
            gained += beyond
            if accumulates:
                for i in range(before + 1, row + 1):
                    gained += measure[i]
            else:
                gained += measure[row] - measure[before]
            rise, turn = side * (price - before_price), side * gained
            far = abs(rise) >= separation * price_unit[t] and price_unit[t] > 0
            apart = abs(turn) >= separation * measure_unit[t] and measure_unit[t] > 0
            if not (far and apart):
                continue
            if rise < 0 and turn > 0:
                regular[t] = side
            elif rise > 0 and turn < 0:
                hidden[t] = side
            else:
                continue
            size = 0.25 * (abs(rise) / price_unit[t] + abs(turn) / measure_unit[t])
            strength[t] = min(1.0, size)
    return regular, hidden, strength


@kernel(nogil=True)
def active_kernel(event: Float1D, strength: Float1D, validity: int) -> Float1D:
    """Signed strength of the newest event of the last ``validity`` rows, its own included; else 0."""
    out = np.zeros(len(event))
    active, age = 0.0, 0
    for t in range(len(event)):
        age += 1
        if event[t] != 0:
            active, age = event[t] * strength[t], 0
        elif age >= validity:
            active = 0.0
        out[t] = active
    return out


def divergences(
    price: Float1D,
    measure: Float1D,
    price_unit: Float1D,
    measure_unit: Float1D,
    is_gap: Float1D,
    *,
    price_of_lows: Float1D | None = None,
    left: int = 5,
    right: int = 5,
    nearest: int = 5,
    furthest: int = 60,
    separation: float = 0.25,
    reach: int = 0,
    accumulates: bool = False,
) -> tuple[Float1D, Float1D, Float1D]:
    """Regular and hidden divergences of ``measure`` from ``price``, and their strength.

    Arrays ``(T,)``. ``price_unit`` is an ATR, ``measure_unit`` a deviation of the one-row change of
    the measure; a pair is judged only where both are known and positive. Lows are those of
    ``price_of_lows`` where it is given. With ``reach`` a pivot takes the lowest (at a low) or highest
    (at a high) value of the measure within as many rows around it, ``reach <= left, right``. With
    ``accumulates`` the array is the flow of a cumulative line: its one-row change. The first two
    results are -1, 0 or 1 on the row where the later pivot becomes known, ``right`` rows after it.
    Strength is ``min(1, (|rise| / 2 ATR + |turn| / 2 deviations) / 2)`` on those rows, 0 elsewhere.
    """
    lows = price if price_of_lows is None else price_of_lows
    pivot_high, pivot_low = confirmed_pivots(price, lows, left, right)
    regular, hidden, strength = _divergence_kernel(
        pivot_high, pivot_low, measure, accumulates, price_unit, measure_unit,
        long_gaps(is_gap, len(price)), left, right, nearest, furthest, separation, reach,
    )  # fmt: skip
    return regular, hidden, strength
