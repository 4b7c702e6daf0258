"""Data sets that can tell something about the gaps of another one."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from ..keys import DatasetKey
from .series import Hole, Outline


class Neighbours:
    """The data sets that can tell something about the gaps of another one."""

    def __init__(self, outlines: Sequence[Outline]) -> None:
        self._market: dict[tuple[str, str, str], list[Outline]] = defaultdict(list)
        self._source: dict[tuple[str, ...], list[Outline]] = defaultdict(list)
        for outline in outlines:
            self._market[_market_of(outline.key)].append(outline)
            self._source[_source_of(outline.key)].append(outline)

    def same_instrument(self, outline: Outline) -> list[Outline]:
        """Other sources and finer steps of the instrument."""
        return [
            other
            for other in self._market[_market_of(outline.key)]
            if other.key.symbol == outline.key.symbol
            and other.key != outline.key
            and other.interval_ns <= outline.interval_ns
        ]

    def of_source(self, outline: Outline) -> list[Outline]:
        """All data sets of the source, venue, market, kind and step, ``outline`` among them."""
        return self._source[_source_of(outline.key)]

    def witnesses(self, outline: Outline, start_ns: int, end_ns: int) -> dict[str, list[Outline]]:
        """Other symbols with rows before ``start_ns`` and from ``end_ns`` on."""
        found: dict[str, list[Outline]] = defaultdict(list)
        for other in self._market[_market_of(outline.key)]:
            if (
                other.key.symbol != outline.key.symbol
                and other.interval_ns <= outline.interval_ns
                and other.first_ns < start_ns
                and other.last_ns >= end_ns
            ):
                found[other.key.symbol].append(other)
        return dict(found)

    def parts(self, outline: Outline, hole: Hole, *, of_witnesses: bool) -> list[Hole]:
        """The hole cut where others begin or end to fill it: the rest of it may have another cause."""
        others = self.same_instrument(outline)
        if of_witnesses:
            sources = self.witnesses(outline, hole.start_ns, hole.end_ns).values()
            others = [*others, *(one for group in sources for one in group)]
        edges = {
            edge
            for other in others
            for filler in other.fillers
            for edge in (filler.start_ns, filler.end_ns)
            if hole.start_ns < edge < hole.end_ns
        }
        times = [hole.start_ns, *sorted(edges), hole.end_ns]
        parts = (hole.between(first, last) for first, last in pairwise(times))
        return [part for part in parts if part is not None]


def _market_of(key: DatasetKey) -> tuple[str, str, str]:
    return key.kind, key.venue, key.market


def _source_of(key: DatasetKey) -> tuple[str, ...]:
    return key.kind, key.venue, key.market, key.step, key.source
