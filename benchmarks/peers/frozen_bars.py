"""Bars for a peer whose answers are kept in a file: the same on every machine and in every version.

Python promises the sequence of ``random.Random(seed).random()``; numpy promises none of its own. The
bars draw one harmonic figure after the other, D of each being X of the next, with every ratio a few
percent off, so that most figures just fit and some just do not.
"""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np

SPREAD: Final = 0.035
"""Greatest relative distance of a ratio from where it was drawn."""
START_PRICE: Final = 5000.0
SMALLEST_XA, GREATEST_XA = 20.0, 150.0
SHORTEST_LEG, LEG_BARS = 4, 9

RETRACEMENT: Final = (0.45, 0.85)
FIGURES: Final = (
    ((0.618, 0.618), RETRACEMENT, "A", 0.786),
    ((0.4, 0.5), RETRACEMENT, "A", 0.886),
    ((0.382, 0.382), (0.8, 0.88), "A", 1.13),
    ((0.786, 0.786), RETRACEMENT, "A", 1.27),
    ((0.55, 0.618), (0.5, 0.85), "A", 1.618),
    ((0.886, 0.886), RETRACEMENT, "A", 1.618),
    ((0.4, 0.6), (1.15, 1.6), "A", 0.886),
    ((0.4, 0.6), (1.15, 1.6), "A", 1.13),
    ((0.4, 0.6), (1.15, 1.6), "C", 0.886),
    ((0.4, 0.6), (1.15, 1.6), "C", 1.13),
    ((0.4, 0.6), (1.3, 2.0), "C", 0.786),
    ((1.15, 1.6), (1.65, 2.2), "BC", 0.5),
    ((0.5, 0.9), RETRACEMENT, "AB", 1.0),
)
"""Ranges of AB/XA and BC/AB, and D: from A or C in lengths down to X, from C in BC or in AB."""


def _points(x: float, side: float, uniform: Callable[[], float]) -> list[float]:
    """A, B, C, D of one figure that starts at ``x`` and first goes to ``side``."""

    def drawn(low: float, high: float) -> float:
        return (low + (high - low) * uniform()) * (1.0 + SPREAD * (2.0 * uniform() - 1.0))

    b_range, c_range, origin, target = FIGURES[int(uniform() * len(FIGURES))]
    xa = SMALLEST_XA + (GREATEST_XA - SMALLEST_XA) * uniform()
    a = xa
    b = a - drawn(*b_range) * xa
    c = b + drawn(*c_range) * (a - b)
    ratio = drawn(target, target)
    d = {
        "A": a - ratio * xa,
        "C": c - ratio * c,
        "BC": c - ratio * (c - b),
        "AB": c - ratio * (a - b),
    }[origin]
    return [x + side * point for point in (a, b, c, d)]


def figure_bars(seed: int, figures: int) -> dict[str, np.ndarray]:
    """Open, high, low and close ``(T,)`` of ``figures`` figures drawn by legs of 4 to 12 bars."""
    uniform = random.Random(seed).random
    side = 1.0
    turns = [START_PRICE]
    for _ in range(figures):
        if uniform() < 0.5:
            turns.append(turns[-1] + side * SMALLEST_XA * (1.0 + 3.0 * uniform()))
            side = -side
        turns += _points(turns[-1], side, uniform)
    closes, reach = [START_PRICE], [0.1]
    for start, end in pairwise(turns):
        bars = SHORTEST_LEG + int(LEG_BARS * uniform())
        step = (end - start) / bars
        for bar in range(1, bars + 1):
            bend = 0.0 if bar == bars else 0.6 * step * (uniform() - 0.5)
            closes.append(start + bar * step + bend)
            reach.append(0.02 * abs(step))
    opens = [closes[0], *closes[:-1]]
    bodies = list(zip(opens, closes, reach, strict=True))
    columns = {
        "open": opens,
        "high": [max(first, last) + wick * uniform() for first, last, wick in bodies],
        "low": [min(first, last) - wick * uniform() for first, last, wick in bodies],
        "close": closes,
    }
    return {name: np.round(np.array(column), 6) for name, column in columns.items()}
