"""What Wyckoff's ranges rest on once more, in plain Python: true range, pivots, figure charts.

Slow on purpose. The pivot list is folded again from the beginning for every row that asks for it,
point-and-figure columns are drawn box by box from the first close on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from statistics import fmean

import numpy as np

NONE = float("nan")


@dataclass
class Bars:
    """Plain lists; ``negated`` turns tops into bottoms."""

    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]
    is_gap: list[bool]

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray]) -> "Bars":
        prices = (columns[name].tolist() for name in ("open", "high", "low", "close", "volume"))
        return cls(*prices, (columns["is_gap"] > 0).tolist())

    def negated(self) -> "Bars":
        return Bars(
            [-x for x in self.open],
            [-x for x in self.low],
            [-x for x in self.high],
            [-x for x in self.close],
            self.volume,
            self.is_gap,
        )

    def __len__(self) -> int:
        return len(self.close)


@dataclass
class Rules:
    climax_volume: float = 2.0
    trend_atr: float = 8.0
    spring_depth: float = 0.3
    pivot_right: int = 5
    max_range_bars: int = 400
    seed_thresholds: int = 0


def wilder_atr(bars: Bars, length: int = 20) -> list[float]:
    """Mean of the first ``length`` true ranges after row 0, then Wilder's recursion."""
    ranges = [bars.high[0] - bars.low[0]]
    for t in range(1, len(bars)):
        before = bars.close[t - 1]
        ranges.append(max(bars.high[t], before) - min(bars.low[t], before))
    out = [NONE] * len(bars)
    for t in range(length, len(bars)):
        if t == length:
            out[t] = fmean(ranges[1 : length + 1])
        else:
            out[t] = out[t - 1] + (ranges[t] - out[t - 1]) / length
    return out


def is_pivot_high(highs: list[float], j: int, left: int, right: int) -> bool:
    if j - left < 0 or j + right >= len(highs):
        return False
    return highs[j] > max(highs[j - left : j]) and highs[j] >= max(highs[j + 1 : j + right + 1])


def reset_rows(is_gap: list[bool]) -> set[int]:
    return {t for t in range(3, len(is_gap)) if all(is_gap[t - 3 : t + 1])}


@dataclass
class Pivots:
    """Confirmed pivots as (known row, row, kind), and the alternating list at any row."""

    bars: Bars
    right: int
    resets: set[int]
    left: int | None = None
    found: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        lows = [-x for x in self.bars.low]
        left = self.left or self.right
        for j in range(len(self.bars)):
            for values, kind in ((self.bars.high, 1), (lows, -1)):
                if is_pivot_high(values, j, left, self.right):
                    self.found.append((j + self.right, j, kind))
        self.low_rows = {j for _, j, kind in self.found if kind == -1}

    def price(self, j: int, kind: int) -> float:
        return self.bars.high[j] if kind == 1 else self.bars.low[j]

    def alternating(self, t: int) -> list[tuple[int, int]]:
        """(row, kind) in order, as known at row ``t``."""
        start = max((r for r in self.resets if r <= t), default=-1)
        known: dict[int, list[int]] = {}
        for row, j, kind in self.found:
            if row <= t and j > start:
                known.setdefault(j, []).append(kind)
        turns: list[tuple[int, int]] = []
        for j in sorted(known):
            kinds = known[j]
            if len(kinds) == 2:
                if not turns:
                    continue
                kinds = [-turns[-1][1], turns[-1][1]]
            for kind in kinds:
                if not turns or turns[-1][1] != kind:
                    turns.append((j, kind))
                elif kind * self.price(j, kind) > kind * self.price(*turns[-1]):
                    turns[-1] = (j, kind)
        return turns

    def newest(self, t: int, kind: int) -> float | None:
        """Price of the newest turn of ``kind`` among the last two."""
        for j, own in reversed(self.alternating(t)[-2:]):
            if own == kind:
                return self.price(j, kind)
        return None


def figure_columns(heights: list[float], rises: bool) -> int:
    """Columns of a three-box reversal chart of ``heights`` in boxes, drawn box by box.

    The first height begins a column that rises or falls. A rising column fills a box up to every
    whole number that is reached, a falling one down to it.
    """
    whole = floor(heights[0]) if rises else ceil(heights[0])
    columns, direction, end = 1, 1 if rises else -1, whole
    for height in heights[1:]:
        if direction * (height - end) > 0:
            while direction * (height - end) >= 1:
                end += direction
        elif direction * (end - height) >= 3:
            columns, direction = columns + 1, -direction
            while direction * (height - end) >= 1:
                end += direction
    return columns
