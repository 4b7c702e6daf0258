"""Oracle of levels: each row's pivots clustered by scipy's complete linkage, every row from scratch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from .structure import Pivot, Prices, forgotten_before, long_gap_rows, pivots


@dataclass
class Cluster:
    pivots: list[Pivot]

    @property
    def level(self) -> float:
        return sum(p.price for p in self.pivots) / len(self.pivots)

    def strength(self, t: int) -> float:
        return sum(math.exp(-(t - p.anchor) / 100.0) for p in self.pivots)


@dataclass
class Level:
    """The cluster that a pivot joined on row ``known``; ``changes`` are (state, row)."""

    known: int
    members: list[Pivot]
    strength: float
    changes: list[tuple[str, int]] = field(default_factory=list)

    @property
    def newest(self) -> Pivot:
        return max(self.members, key=lambda p: p.anchor)


def clusters(members: Sequence[Pivot], width: float) -> list[Cluster]:
    """Clusters of ``members`` none of which is wider than ``width``, from the lowest up."""
    if len(members) < 2:
        return [Cluster(list(members))] if members else []
    prices = np.array([[p.price] for p in members])
    label = fcluster(linkage(prices, "complete"), width, criterion="distance")
    found = [
        Cluster([p for p, of in zip(members, label, strict=True) if of == one])
        for one in set(label)
    ]
    return sorted(found, key=lambda one: one.level)


def clusters_of_rows(
    bars: tuple[Prices, Prices], width: Prices, is_gap: Sequence[bool], sides: int, window: int
) -> list[list[Cluster]]:
    """The clusters of each row; none in a hole and while ``width`` is NaN."""
    listed = pivots(*bars, sides, sides, is_gap)
    gaps = long_gap_rows(is_gap)
    rows = []
    for t, wide in enumerate(width):
        start = forgotten_before(t, gaps)
        there = [p for p in listed if start <= p.known <= t and t - p.anchor < window]
        rows.append([] if t in gaps or math.isnan(wide) else clusters(there, wide))
    return rows


def levels(
    rows: Sequence[Sequence[Cluster]], is_gap: Sequence[bool], sides: int, window: int
) -> list[Level]:
    """The cluster that each pivot joined, and what became of it before the next hole."""
    found = [
        Level(t, one.pivots, one.strength(t))
        for t, of_row in enumerate(rows)
        for one in of_row
        if any(p.anchor == t - sides for p in one.pivots)
    ]
    gaps = long_gap_rows(is_gap)
    for number, one in enumerate(found):
        hole = min((t for t in gaps if t > one.known), default=len(rows))
        later = [
            other.known
            for other in found[number + 1 :]
            if any(p is one.newest for p in other.members)
        ]
        replaced, gone = min(later, default=len(rows)), one.newest.anchor + window
        if replaced < min(gone, hole):
            one.changes.append(("replaced", replaced))
        elif gone < min(hole, len(rows)):
            one.changes.append(("expired", gone))
    return found
