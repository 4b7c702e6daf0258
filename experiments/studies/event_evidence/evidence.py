"""From the tallies of the samples to one family of joint intervals, and how often it is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bars, Float1D

from ...statistics.clustered_means import ClusteredMeans, clustered_means, excludes_zero
from .measured import HORIZONS_HOURS, Kind, Tally, Weeks, studied_detections
from .samples import mirrored_walk

LEAST_EVENTS: Final = 30
LEAST_WEEKS: Final = 20
SEED: Final = 20


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """What one interval is about."""

    sample: str
    kind: Kind
    hours: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The judged groups in order and their means; ``raw_bps`` are the means before matching."""

    groups: tuple[Group, ...]
    means: ClusteredMeans
    raw_bps: Float1D
    events: Float1D

    def position(self, group: Group) -> int | None:
        """Where ``group`` stands, or None when there was too little to judge it."""
        return self.groups.index(group) if group in self.groups else None

    def found(self) -> list[int]:
        """Positions of the groups whose joint interval does not hold 0, the surest first."""
        outside = np.flatnonzero(excludes_zero(self.means))
        size = np.abs(self.means.mean / self.means.standard_error)
        return sorted(outside.tolist(), key=lambda position: -float(size[position]))


def judged(tallies: Mapping[str, Tally], *, repetitions: int, seed: int = SEED) -> Evidence:
    """Every group with enough events in enough weeks, judged as one family."""
    kept: list[tuple[Group, Weeks]] = []
    for sample, tally in tallies.items():
        for (kind, hours), weeks in sorted(tally.excess.items(), key=lambda item: item[0]):
            enough = sum(weeks.counts.values()) >= LEAST_EVENTS
            if enough and len(weeks.counts) >= LEAST_WEEKS:
                kept.append((Group(sample, kind, hours), weeks))
    every_week = sorted({week for _, weeks in kept for week in weeks.counts})
    position = {week: row for row, week in enumerate(every_week)}
    sums = np.zeros((len(every_week), len(kept)))
    counts = np.zeros_like(sums)
    for column, (_, weeks) in enumerate(kept):
        for week, count in weeks.counts.items():
            counts[position[week], column] = count
            sums[position[week], column] = weeks.sums[week]
    total = counts.sum(axis=0)
    raw = np.array([tallies[group.sample].raw[group.kind, group.hours] for group, _ in kept])
    return Evidence(
        tuple(group for group, _ in kept),
        clustered_means(sums, counts, repetitions=repetitions, seed=seed),
        raw / np.maximum(total, 1.0),
        total,
    )


def wrong_families(bars: Bars, walks: Sequence[int], *, repetitions: int) -> tuple[int, int]:
    """On walks of the volatility of ``bars``: families with any interval without 0, and intervals a walk.

    ``walks`` are their seeds.
    """
    wrong, judged_groups = 0, 0
    for seed in walks:
        tally = Tally()
        tally.add(mirrored_walk(bars, seed), studied_detections())
        evidence = judged({bars.symbol: tally}, repetitions=repetitions)
        wrong += bool(evidence.found())
        judged_groups = len(evidence.groups)
    return wrong, judged_groups


def frequencies(tally: Tally) -> dict[Kind, float]:
    """Events per 1,000 bars by kind."""
    return {kind: 1000.0 * sum(count) / tally.bars for kind, count in tally.events.items()}


def horizons_of(sample: str, kind: Kind) -> tuple[Group, ...]:
    """The groups of one line of a table."""
    return tuple(Group(sample, kind, hours) for hours in HORIZONS_HOURS)
