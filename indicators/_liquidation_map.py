"""The map of presumed liquidation levels, carried from bar to bar (SPEC H9.5, steps 1 to 5).

Levels stand on an absolute grid, ``floor(ln price / 0.001)``. Longs lie below the price and shorts
above it, each in a ring of ``_RING`` bins around the close, so memory is bounded; what is further away
than ``_REACH`` bins is forgotten. A common factor carries decay and shrinking open interest, so a bar
costs the levels that it adds or touches. Sums of ``BLOCK`` bins, a window of 2 % aligned to the grid,
are the clusters.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D, Float2D, kernel

GRID: Final = 0.001
BLOCK: Final = 20
"""Bins in a cluster."""
_RING: Final = 4_000
_REACH: Final = 1_000
_BLOCKS: Final = _RING // BLOCK
MOST_GAPS: Final = 3
DOMINO_STEPS: Final = 10
_SMALLEST_CLUSTER: Final = 1e-3
"""Least share of its side's mass that makes a cluster; dust of old levels is none."""
_RENORMALISED_BELOW: Final = 1e-60
NOWHERE: Final = 100.0
"""Distance in percent where a side holds no cluster."""


@kernel(nogil=True)
def _clear_kernel(mass: Float1D, blocks: Float1D, first: int, last: int) -> float:
    """Empty the bins ``first`` to ``last`` of one side; what they held, in stored units."""
    gone = 0.0
    if last - first >= _RING - 1:
        gone = float(blocks.sum())
        mass[:] = 0.0
        blocks[:] = 0.0
        return gone
    for level in range(first, last + 1):
        held = mass[level % _RING]
        if held > 0:
            mass[level % _RING] = 0.0
            gone += held
            block = (level // BLOCK) % _BLOCKS
            # A sum afresh: subtracting would leave rounding where nothing is.
            total = 0.0
            start = level // BLOCK * BLOCK
            for other in range(start, start + BLOCK):
                total += mass[other % _RING]
            blocks[block] = total
    return gone


@kernel(nogil=True)
def _add_kernel(mass: Float1D, blocks: Float1D, level: int, amount: float) -> None:
    mass[level % _RING] += amount
    blocks[(level // BLOCK) % _BLOCKS] += amount


@kernel(nogil=True)
def _near_edge_kernel(mass: Float1D, block: int, side: float) -> float:
    """Log price of the level of ``block`` that price meets first; ``side`` 1 below it, -1 above."""
    start = block * BLOCK
    for step in range(BLOCK):
        level = start + BLOCK - 1 - step if side > 0 else start + step
        if mass[level % _RING] > 0:
            return (level + 0.5) * GRID
    return (start + 0.5 * BLOCK) * GRID


@kernel(nogil=True)
def _nearest_kernel(
    blocks: Float1D, centre: int, side: float, least: float, floor: float
) -> tuple[int, float]:
    """The block nearest the price whose sum is at least ``least``, else the heaviest; and its sum.

    Blocks below ``floor`` are none. The sum is 0 where there is no block at all.
    """
    heaviest, weight = 0, 0.0
    first = centre // BLOCK
    for step in range(_REACH // BLOCK + 2):
        block = first - step if side > 0 else first + step
        held = blocks[block % _BLOCKS]
        if held <= floor:
            continue
        if held >= least:
            return block, held
        if held > weight:
            heaviest, weight = block, held
    return heaviest, weight


@kernel(nogil=True)
def _domino_kernel(
    mass: Float1D, blocks: Float1D, block: int, side: float, least: float, floor: float,
    factor: float, impact: float,
) -> tuple[float, float]:  # fmt: skip
    """Log price where a fall (or rise) into ``block`` ends, and the dollars liquidated on the way.

    ``impact`` is the log return of one dollar. A further zone that the impacted price reaches adds its
    mass, at most ``DOMINO_STEPS`` times.
    """
    edge = _near_edge_kernel(mass, block, side)
    total = blocks[block % _BLOCKS] * factor
    reached = edge - side * impact * total
    current = block
    for _ in range(DOMINO_STEPS):
        found = False
        for step in range(1, _REACH // BLOCK + 2):
            other = current - step if side > 0 else current + step
            held = blocks[other % _BLOCKS]
            if abs(other - block) > _REACH // BLOCK:
                break
            if held > floor and held >= least:
                found = True
                current = other
                break
        if not found or side * (reached - _near_edge_kernel(mass, current, side)) > 0:
            break
        total += blocks[current % _BLOCKS] * factor
        reached = edge - side * impact * total
    return reached, total


@kernel(nogil=True)
def _threshold_kernel(
    population: Float2D, counts: np.ndarray, days: int, percentile: float
) -> float:
    """The least mass with at least ``percentile`` of the population not above it; inf without any."""
    together = 0
    for day in range(days):
        together += counts[day]
    if together == 0:
        return np.inf
    values = np.empty(together)
    at = 0
    for day in range(days):
        for k in range(counts[day]):
            values[at] = population[day, k]
            at += 1
    rank = min(int(np.ceil(percentile / 100.0 * together)), together) - 1
    return float(np.partition(values, rank)[rank])


@kernel(nogil=True)
def _met_kernel(
    masses: Float2D, blocks: Float2D, low: float, high: float, centre: int, level: int, side: int
) -> float:
    """Clear what a bar touched of one side, and forget what its close left too far behind.

    ``centre`` and ``level`` are the levels of the last and of this close. Returns what was touched, in
    stored units. Longs were added below the close of their bar, and what later lows met is gone, so
    none lies above ``centre``; shorts mirrored.
    """
    if side == 0:
        gone = _clear_kernel(masses[0], blocks[0], int(np.floor(np.log(low) / GRID)), centre)
        _clear_kernel(masses[0], blocks[0], centre - _REACH, level - _REACH - 1)
    else:
        gone = _clear_kernel(masses[1], blocks[1], centre, int(np.floor(np.log(high) / GRID)))
        _clear_kernel(masses[1], blocks[1], level + _REACH + 1, centre + _REACH)
    return gone


@kernel(nogil=True)
def _open_kernel(
    masses: Float2D, blocks: Float2D, close: float, stored: float, long_share: float,
    weights: Float1D, leverages: Float1D, maintenance: float,
) -> None:  # fmt: skip
    """Put ``stored`` units of new interest at the levels of every leverage, longs and shorts."""
    for k in range(len(leverages)):
        room = 1.0 / leverages[k] - maintenance
        down = int(np.floor(np.log(close * (1.0 - room)) / GRID))
        up = int(np.floor(np.log(close * (1.0 + room)) / GRID))
        _add_kernel(masses[0], blocks[0], down, stored * weights[k] * long_share)
        _add_kernel(masses[1], blocks[1], up, stored * weights[k] * (1.0 - long_share))


@kernel(nogil=True)
def _snapshot_kernel(blocks: Float2D, level: int, factor: float, masses_of_day: Float1D) -> int:
    """Write the dollars of every cluster of both sides; how many there are."""
    count = 0
    for side in range(2):
        floor = _SMALLEST_CLUSTER * blocks[side].sum()
        for step in range(_REACH // BLOCK + 2):
            at = level // BLOCK - step if side == 0 else level // BLOCK + step
            held = blocks[side, at % _BLOCKS]
            if held > floor:
                masses_of_day[count] = held * factor
                count += 1
    return count


@kernel(nogil=True)
def _judge_kernel(
    masses: Float2D, blocks: Float2D, log_close: float, factor: float, least: float,
    impact: float, row: Float1D,
) -> None:  # fmt: skip
    """Nearest zones of both sides and the cascade into the nearer one, into ``row``."""
    level = int(np.floor(log_close / GRID))
    found = np.zeros(2, dtype=np.int64)
    for side in range(2):
        sign = 1.0 if side == 0 else -1.0
        floor = _SMALLEST_CLUSTER * blocks[side].sum()
        found[side], held = _nearest_kernel(blocks[side], level, sign, least / factor, floor)
        row[3 * side] = NOWHERE
        if held > 0:
            edge = _near_edge_kernel(masses[side], found[side], sign)
            row[3 * side] = 100.0 * abs(np.exp(edge - log_close) - 1.0)
            row[3 * side + 1] = held * factor
            row[3 * side + 2] = 1.0 if held * factor >= least else 0.0
    side = 0 if row[0] <= row[3] else 1
    if row[3 * side + 1] > 0:
        floor = _SMALLEST_CLUSTER * blocks[side].sum()
        reached, row[7] = _domino_kernel(
            masses[side], blocks[side], found[side], 1.0 - 2.0 * side, least / factor, floor,
            factor, impact,
        )  # fmt: skip
        row[6] = 100.0 * (np.exp(reached - log_close) - 1.0)


@kernel(nogil=True)
def liquidation_map_kernel(
    open_time: Float1D, known_at: Float1D, high: Float1D, low: Float1D, close: Float1D,
    is_gap: Float1D, open_interest: Float1D, long_share: Float1D, weights: Float2D,
    leverages: Float1D, impact: Float1D, maintenance: float, half_life_ns: float, rank_days: int,
    percentile: float,
) -> Float2D:  # fmt: skip
    """Rows of (distance, mass, is a zone) for longs then shorts, domino size and mass, cleared longs
    and shorts as a multiple of the zone threshold, ``(T, 10)``.

    ``weights`` ``(T, L)`` spread each bar's new interest over ``leverages`` ``(L,)``; ``impact`` is the
    log return of a dollar. Distances in percent of the close, masses in dollars.
    """
    rows = len(close)
    out = np.zeros((rows, 10))
    masses, blocks = np.zeros((2, _RING)), np.zeros((2, _BLOCKS))
    population = np.zeros((rank_days, 2 * (_REACH // BLOCK + 2)))
    counts = np.zeros(rank_days, dtype=np.int64)
    pushed, day, centre = 0, -1, 0
    least, factor = np.inf, 1.0
    before, gaps = -1, 0
    for t in range(rows):
        gaps = gaps + 1 if is_gap[t] > 0.5 else 0
        sound = open_interest[t] > 0 and low[t] > 0 and low[t] <= close[t] <= high[t] < 1e18
        longest_ns = (MOST_GAPS + 1.5) * (known_at[t] - open_time[t])
        torn = before >= 0 and open_time[t] - open_time[before] > longest_ns
        if gaps > MOST_GAPS or torn or not sound:
            masses[:] = 0.0
            blocks[:] = 0.0
            factor, before = 1.0, -1
        if not sound:
            out[t, 0] = out[t, 3] = NOWHERE
            continue
        level = int(np.floor(np.log(close[t]) / GRID))
        if before >= 0:
            age_ns = max(open_time[t] - open_time[before], 0.0)
            factor *= 0.5 ** (age_ns / half_life_ns)
            for side in range(2):
                gone = _met_kernel(masses, blocks, low[t], high[t], centre, level, side)
                out[t, 8 + side] = gone * factor / least
            opened = open_interest[t] - open_interest[before]
            if opened < 0:
                factor *= open_interest[t] / open_interest[before]
            if factor < _RENORMALISED_BELOW:
                masses *= factor
                blocks *= factor
                factor = 1.0
            if opened > 0:
                _open_kernel(
                    masses, blocks, close[t], opened * close[t] / factor, long_share[t],
                    weights[t], leverages, maintenance,
                )  # fmt: skip
        before, centre = t, level
        today = int(np.floor(open_time[t] / DAY_NS))
        if today != day:
            day = today
            slot = pushed % rank_days
            counts[slot] = _snapshot_kernel(blocks, level, factor, population[slot])
            pushed += 1
            # A mass that is itself the threshold reaches it, however it was rounded.
            least = _threshold_kernel(population, counts, min(pushed, rank_days), percentile)
            least *= 1.0 - 1e-9
        _judge_kernel(masses, blocks, np.log(close[t]), factor, least, impact[t], out[t])
    return out
