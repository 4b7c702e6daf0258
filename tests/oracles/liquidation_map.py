"""The liquidation map over plain dictionaries: every level is scaled by hand on every bar."""

import math

GRID = 0.001
BLOCK = 20
REACH = 1_000
NOWHERE = 100.0
DAY_NS = 86_400_000_000_000


def level_of(price):
    return math.floor(math.log(price) / GRID)


def middle(level):
    return (level + 0.5) * GRID


def clusters(levels, near, side, floor=None):
    """(block, mass) outwards from the price, without dust."""
    sums = {}
    for level, mass in levels.items():
        sums[level // BLOCK] = sums.get(level // BLOCK, 0.0) + mass
    floor = 1e-3 * sum(sums.values())
    first = near // BLOCK
    seen = []
    for step in range(REACH // BLOCK + 2):
        block = first - step if side > 0 else first + step
        if sums.get(block, 0.0) > floor:
            seen.append((block, sums[block]))
    return seen


def edge_of(levels, block, side):
    inside = [level for level, mass in levels.items() if level // BLOCK == block and mass > 0]
    return middle(max(inside) if side > 0 else min(inside))


def rows_of_map(bars, *, weights, leverages, half_life_days, rank_days, percentile, maintenance):
    """``bars``: dictionaries of open_time, step, high, low, close, is_gap, interest, share, impact."""
    longs, shorts, days = {}, {}, []
    last, gaps, day, least = None, 0, None, math.inf
    rows = []
    for bar, weight in zip(bars, weights, strict=True):
        row = [0.0] * 10
        rows.append(row)
        gaps = gaps + 1 if bar["is_gap"] else 0
        if last and bar["open_time"] - last["open_time"] > 4.5 * bar["step"]:
            last = None
        if gaps > 3:
            last = None
        if last is None:
            longs, shorts = {}, {}
        near = level_of(bar["close"])
        if last is not None:
            age = (bar["open_time"] - last["open_time"]) / DAY_NS
            fade = 0.5 ** (age / half_life_days)
            longs = {level: mass * fade for level, mass in longs.items()}
            shorts = {level: mass * fade for level, mass in shorts.items()}
            low, high = level_of(bar["low"]), level_of(bar["high"])
            row[8] = sum(mass for level, mass in longs.items() if level >= low) / least
            row[9] = sum(mass for level, mass in shorts.items() if level <= high) / least
            longs = {k: m for k, m in longs.items() if near - REACH <= k < low}
            shorts = {k: m for k, m in shorts.items() if high < k <= near + REACH}
            if bar["interest"] < last["interest"]:
                shrink = bar["interest"] / last["interest"]
                longs = {level: mass * shrink for level, mass in longs.items()}
                shorts = {level: mass * shrink for level, mass in shorts.items()}
            opened = max(bar["interest"] - last["interest"], 0.0) * bar["close"]
            if opened > 0:
                for leverage, part in zip(leverages, weight, strict=True):
                    down = level_of(bar["close"] * (1 - 1 / leverage + maintenance))
                    up = level_of(bar["close"] * (1 + 1 / leverage - maintenance))
                    longs[down] = longs.get(down, 0.0) + opened * part * bar["share"]
                    shorts[up] = shorts.get(up, 0.0) + opened * part * (1 - bar["share"])
        last = bar
        sides = ((longs, 1), (shorts, -1))
        if bar["open_time"] // DAY_NS != day:
            day = bar["open_time"] // DAY_NS
            days.append(
                [mass for levels, side in sides for _, mass in clusters(levels, near, side)]
            )
            seen = sorted(mass for one in days[-rank_days:] for mass in one)
            least = seen[math.ceil(percentile / 100 * len(seen)) - 1] if seen else math.inf
            least *= 1 - 1e-9
        found = []
        for position, (levels, side) in enumerate(sides):
            there = clusters(levels, near, side)
            zones = [one for one in there if one[1] >= least]
            row[3 * position] = NOWHERE
            chosen = zones[0] if zones else max(there, key=lambda one: one[1], default=None)
            if chosen:
                edge = edge_of(levels, chosen[0], side)
                row[3 * position] = 100 * abs(math.exp(edge - math.log(bar["close"])) - 1)
                row[3 * position + 1] = chosen[1]
                row[3 * position + 2] = float(bool(zones))
            found.append((levels, side, chosen, zones))
        levels, side, chosen, zones = found[0 if row[0] <= row[3] else 1]
        if chosen:
            edge, total = edge_of(levels, chosen[0], side), chosen[1]
            for block, mass in [zone for zone in zones if zone[0] != chosen[0]][:10]:
                reached = edge - side * bar["impact"] * total
                if side * (reached - edge_of(levels, block, side)) > 0:
                    break
                total += mass
            reached = edge - side * bar["impact"] * total
            row[6] = 100 * (math.exp(reached - math.log(bar["close"])) - 1)
            row[7] = total
    return rows
