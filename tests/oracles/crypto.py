"""Slow, literal versions of the crypto and sentiment indicators and of the two heads' votes.

Written from the formulas, in plain Python over lists: every row recomputes its window by filtering.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

DAY_NS = 86_400_000_000_000
FEWEST_ROWS = 20
NAN = math.nan


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / len(values))


def squash(value: float, scale: float) -> float:
    return 50.0 + 50.0 * math.tanh(value / scale)


def sign(value: float) -> int:
    return int(value > 0) - int(value < 0)


def rows_in_days(times, t, days, *, include_row, keep_edge, fewest=FEWEST_ROWS):
    """Rows of the window that ends at ``t``: by time, or the last ``fewest`` where time has fewer."""
    oldest = times[t] - days * DAY_NS
    inside = [i for i in range(t + 1) if times[i] > oldest or (keep_edge and times[i] == oldest)]
    if not include_row:
        inside.remove(t)
    last = range(max(0, t + 1 - fewest), t + 1) if include_row else range(max(0, t - fewest), t)
    return inside if len(inside) >= len(last) else list(last)


def z_score_in_days(times, values, days, minimum_days):
    out = []
    for t in range(len(values)):
        if times[t] - times[0] < minimum_days * DAY_NS or t + 1 < FEWEST_ROWS:
            out.append(NAN)
            continue
        rows = rows_in_days(times, t, days, include_row=True, keep_edge=False)
        window = [values[i] for i in rows]
        spread = deviation(window)
        out.append((values[t] - mean(window)) / spread if spread > 1e-12 else 0.0)
    return out


def percent_rank_in_days(times, values, days, minimum_days):
    out = []
    for t in range(len(values)):
        if times[t] - times[0] < minimum_days * DAY_NS or t < FEWEST_ROWS:
            out.append(NAN)
            continue
        rows = rows_in_days(times, t, days, include_row=False, keep_edge=True)
        out.append(100.0 * sum(values[i] <= values[t] for i in rows) / len(rows))
    return out


def slope_in_days(times, values, days):
    """Least squares by numpy's polynomial fit, per day."""
    out = []
    for t in range(len(values)):
        if t == 0 or times[t] - times[0] < days * DAY_NS:
            out.append(NAN)
            continue
        rows = rows_in_days(times, t, days, include_row=True, keep_edge=False, fewest=2)
        ages = [(times[i] - times[t]) / DAY_NS for i in rows]
        out.append(np.polynomial.Polynomial.fit(ages, [values[i] for i in rows], 1).deriv()(0.0))
    return out


def value_days_ago(times, values, days):
    out = []
    for t in range(len(values)):
        old = [values[i] for i in range(t) if times[i] <= times[t] - days * DAY_NS]
        out.append(old[-1] if old else NAN)
    return out


def funding_scores(rate, interval_hours, *, length=90, scale=3e-4, floor=5e-6):
    """Rows of (score, level, z, momentum), NaN during warm-up."""
    f8 = [r * 8.0 / h for r, h in zip(rate, interval_hours, strict=True)]
    rows = []
    for t, now in enumerate(f8):
        if t < length - 1:
            rows.append((NAN,) * 4)
            continue
        window = f8[t - length + 1 : t + 1]
        spread = deviation(window)
        z = (now - mean(window)) / spread if spread >= floor else 0.0
        level = squash(-(now - 1e-4), scale)
        momentum = squash(-(now - mean(f8[t - 2 : t + 1])), scale)
        stretch = 50.0 - 25.0 * max(-2.0, min(2.0, z))
        rows.append((0.5 * level + 0.3 * stretch + 0.2 * momentum, level, z, momentum))
    return rows


def funding_calm(rate, interval_hours, *, length=21, rank_length=180):
    """Rows of (score, deviation, rank)."""
    f8 = [r * 8.0 / h for r, h in zip(rate, interval_hours, strict=True)]
    spread = [
        deviation(f8[t - length + 1 : t + 1]) if t >= length - 1 else NAN for t in range(len(f8))
    ]
    rows = []
    for t in range(len(f8)):
        if t < length + rank_length - 1:
            rows.append((NAN,) * 3)
            continue
        rank = 100.0 * sum(x <= spread[t] for x in spread[t - rank_length : t]) / rank_length
        accelerates = f8[t] - 2 * f8[t - 1] + f8[t - 2] > 0
        damping = 0.8 if accelerates else 1.0
        rows.append((50.0 + (50.0 - rank) * 0.5 * damping, spread[t], rank))
    return rows


def liquidation_masses(times, coins, usd, taker_ratio, limits, half_life_hours):
    """Decayed roots of liquidated longs and shorts, by summing every past event afresh."""
    price = [u / c for u, c in zip(usd, coins, strict=True)]
    events = []
    for t in range(1, len(price)):
        step = math.log(price[t] / price[t - 1])
        closed = (coins[t - 1] - coins[t]) * price[t]
        if closed <= 0 or math.isnan(limits[t]) or abs(step) <= limits[t]:
            continue
        if (step < 0) == (taker_ratio[t] < 1.0) and taker_ratio[t] != 1.0:
            events.append((t, math.sqrt(closed), step < 0))
    longs, shorts = [], []
    for t in range(len(price)):
        totals = [0.0, 0.0]
        for row, size, is_long in events:
            if row <= t:
                hours = (times[t] - times[row]) / 3.6e12
                totals[0 if is_long else 1] += size * 0.5 ** (hours / half_life_hours)
        longs.append(totals[0])
        shorts.append(totals[1])
    return longs, shorts


def confirmed_pivots(price, broken, t, left, right):
    """(row, is_low) of every pivot that the prefix ending at ``t`` confirms."""
    found = []
    for j in range(left, t - right + 1):
        if any(broken[j - left : j + right + 1]):
            continue
        before, after = price[j - left : j], price[j + 1 : j + right + 1]
        if price[j] < min(before) and price[j] <= min(after):
            found.append((j, True))
        if price[j] > max(before) and price[j] >= max(after):
            found.append((j, False))
    return found


def divergence_events(price, measure, price_unit, measure_unit, is_gap, *, left=5, right=5):
    """Rows of (regular, hidden, strength); pivots recomputed from nothing on every prefix."""
    broken = []
    run = 0
    for gap in is_gap:
        run = run + 1 if gap else 0
        broken.append(run > 3)
    rows = []
    for t in range(len(price)):
        rows.append((0, 0, 0.0))
        pivots = confirmed_pivots(price, broken, t, left, right)
        if not pivots or pivots[-1][0] != t - right:
            continue
        j, is_low = pivots[-1]
        earlier = [i for i, low in pivots[:-1] if low == is_low]
        if not earlier or any(broken[earlier[-1] : t + 1]) or not 5 <= j - earlier[-1] <= 60:
            continue
        i = earlier[-1]
        rise, turn = price[j] - price[i], measure[j] - measure[i]
        if not (abs(rise) >= 0.25 * price_unit[t] and abs(turn) >= 0.25 * measure_unit[t]):
            continue
        strength = min(1.0, 0.5 * (abs(rise) / 2 / price_unit[t] + abs(turn) / 2 / measure_unit[t]))
        if is_low and rise < 0 < turn:
            rows[-1] = (1, 0, strength)
        elif is_low and turn < 0 < rise:
            rows[-1] = (0, 1, strength)
        elif not is_low and turn < 0 < rise:
            rows[-1] = (-1, 0, strength)
        elif not is_low and rise < 0 < turn:
            rows[-1] = (0, -1, strength)
    return rows


def exhaustion(close, volume, rsi, is_gap):
    """Rows of -1, 0, 1 from the count of closes beyond the close four bars before."""
    rows, broken, run = [], [], 0
    for gap in is_gap:
        run = run + 1 if gap else 0
        broken.append(run > 3)
    for t in range(len(close)):
        if t < 20 or not volume[t] > 2.0 * mean(volume[t - 20 : t]):
            rows.append(0)
            continue
        count = {1: 0, -1: 0}
        for side in count:
            k = t
            while (
                k >= 4 and not any(broken[k - 4 : t + 1]) and sign(close[k] - close[k - 4]) == side
            ):
                count[side] += 1
                k -= 1
        rows.append(int(count[-1] >= 9 and rsi[t] < 25) - int(count[1] >= 9 and rsi[t] > 75))
    return rows


def sentiment_row(scores: Mapping[str, float], weights: Mapping[str, float], event: int):
    """(direction, probability, confidence, score, coverage) of one bar; NaN scores drop out."""
    there = {name: score for name, score in scores.items() if not math.isnan(score)}
    if not there:
        return 0, 0.5, 0.0, 50.0, 0.0
    parts = [(weights[name], score) for name, score in there.items()]
    if event:
        parts.append((weights["exhaustion"], 50.0 + 50.0 * event))
    total = sum(weight for weight, _ in parts)
    centre = sum(weight * score for weight, score in parts) / total
    sigma = math.sqrt(sum(weight * (score - centre) ** 2 for weight, score in parts) / total)
    coverage = sum(weights[name] for name in there) / sum(weights[name] for name in scores)
    u = (centre - 50.0) / 50.0
    if abs(u) < 0.25:
        return 0, 0.5, 0.0, centre, coverage
    confidence = 0.5 + 0.5 * coverage * (1.0 - sigma / 50.0)
    return sign(u), min(0.9, 0.5 + 0.4 * abs(u)), confidence, centre, coverage


def crypto_row(signals: Sequence[tuple[int, float] | None]):
    """(direction, probability, confidence, coverage) from (side, confidence), None without data."""
    bulls = [c for s in signals if s is not None and s[0] > 0 for c in (s[1],)]
    bears = [c for s in signals if s is not None and s[0] < 0 for c in (s[1],)]
    coverage = sum(s is not None for s in signals) / len(signals)
    if len(bulls) == len(bears):
        return 0, 0.5, 0.0, coverage
    winners = bulls if len(bulls) > len(bears) else bears
    n, c_bar = len(winners), sum(winners) / len(winners)
    if n >= 5:
        confidence = min(0.90, 0.85 + 0.25 * (c_bar - 0.80))
    elif n >= 3:
        confidence = min(0.85, 0.80 + 0.20 * (c_bar - 0.75))
    else:
        confidence = min(0.80, c_bar)
    return (1 if winners is bulls else -1), min(0.90, 0.65 + 0.08 * n), confidence, coverage


def newest_within(events: Sequence[float], rows: int) -> list[float]:
    """The newest event other than 0 among the last ``rows`` rows, 0 when there is none."""
    out = []
    for t in range(len(events)):
        recent = [event for event in events[max(0, t - rows + 1) : t + 1] if event != 0]
        out.append(recent[-1] if recent else 0.0)
    return out


def log_steps(close: Sequence[float]) -> list[float]:
    return [0.0, *(math.log(b / a) for a, b in pairwise(close))]
