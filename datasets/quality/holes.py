"""Missing rows of one data set: against its step, or for funding against the interval in force."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine import HOUR_NS, MINUTE_NS, Bool1D, Int1D

from ..findings import Finding
from ..manifest import gaps_between
from ..timestamps import time_text
from .check import SeriesCheck, counted, rows_finding
from .runs import runs_of
from .series import CheckedSeries, Hole
from .settings import QualitySettings


def holes_of(series: CheckedSeries, settings: QualitySettings) -> tuple[Hole, ...]:
    """Where rows are missing between others, in time order; events have no holes."""
    if series.kind.is_event:
        return ()
    if series.key.kind == "funding":
        return _funding_holes(series, settings)
    step_ns = series.step_ns
    distinct = np.unique(series.time_ns)
    return tuple(
        Hole(gap.after_ns + step_ns, gap.before_ns, gap.missing_rows)
        for gap in gaps_between(distinct, series.key.step)
    )


@dataclass(frozen=True, slots=True)
class FundingIntervals:
    """Distances of settlements and the intervals they obey, all ``(N - 1,)`` int64 ns.

    ``distance_ns[i]`` lies between settlement ``i`` and ``i + 1``; ``in_force_ns[i]`` is the interval
    that the schedule allows there: the longer one where it changes.
    """

    distance_ns: Int1D
    in_force_ns: Int1D
    changes: Int1D

    @property
    def is_hole(self) -> Bool1D:
        """True where a settlement is missing."""
        missing: Bool1D = self.distance_ns > self.in_force_ns
        return missing


def funding_intervals(series: CheckedSeries, settings: QualitySettings) -> FundingIntervals:
    """The intervals of a funding series: as stated in it, else as its settlements show them.

    An interval is one that ``regime_least_run`` settlements in a row obey. ``changes`` are the
    positions of the settlements from which another interval is in force.
    """
    # Stamps are up to a second late where nobody has put them on the settlement.
    time_ns = np.round(series.time_ns / MINUTE_NS).astype(np.int64) * MINUTE_NS
    distance = np.diff(time_ns)
    stated = series.numbers("interval_hours")[1:] * HOUR_NS
    if np.isfinite(stated).all():
        in_force, obeyed = stated.astype(np.int64), np.ones(len(distance), dtype=np.bool_)
        shown = in_force
    else:
        obeyed = _obeyed(distance, settings.regime_least_run)
        in_force = np.where(obeyed, distance, _longer_neighbour(distance, obeyed))
        shown = distance
    at = np.flatnonzero(obeyed)
    turns = np.flatnonzero(np.diff(shown[at]) != 0) + 1
    # Settlement i is the start of distance i, the first that has the other length.
    return FundingIntervals(distance, in_force, at[turns].astype(np.int64))


def _longer_neighbour(distance: Int1D, obeyed: Bool1D) -> Int1D:
    """For each distance the longer of the nearest intervals before and after it."""
    at = np.flatnonzero(obeyed)
    if not at.size:
        return distance
    position = np.arange(len(distance))
    later = np.minimum(np.searchsorted(at, position), len(at) - 1)
    earlier = np.maximum(np.searchsorted(at, position, side="right") - 1, 0)
    longer: Int1D = np.maximum(distance[at[earlier]], distance[at[later]])
    return longer


def _obeyed(distance: Int1D, least_run: int) -> Bool1D:
    """True where a distance is one of so many equal ones in a row, or the usual one where none is."""
    regular = np.zeros(len(distance), dtype=np.bool_)
    alike = np.concatenate([[False], np.diff(distance) == 0])
    starts, lengths = runs_of(alike)
    for start, length in zip(starts, lengths, strict=True):
        if length + 1 >= least_run and distance[start] > 0:
            regular[start - 1 : start + length] = True
    if len(distance) and not regular.any():
        regular = (distance == np.median(distance)) & (distance > 0)
    return regular


def _funding_holes(series: CheckedSeries, settings: QualitySettings) -> tuple[Hole, ...]:
    intervals = funding_intervals(series, settings)
    holes = []
    for row in map(int, np.flatnonzero(intervals.is_hole)):
        interval = int(intervals.in_force_ns[row])
        missing = -(-int(intervals.distance_ns[row]) // interval) - 1
        start = int(series.time_ns[row]) + interval
        holes.append(Hole(start, int(series.time_ns[row + 1]), missing))
    return tuple(holes)


def _interval_changes(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    if series.key.kind != "funding":
        return
    intervals = funding_intervals(series, settings)
    if not intervals.changes.size:
        return
    lines = [
        f"{time_text(int(series.time_ns[row]))}: every {intervals.in_force_ns[row] / HOUR_NS:g} h "
        "from here on"
        for row in intervals.changes
    ]
    yield rows_finding(
        series,
        "interval_change",
        series.time_ns[intervals.changes],
        f"the interval between settlements changes {counted(len(lines), 'time')}",
        lines,
    )


CHECKS = (SeriesCheck("funding intervals", ("interval_change",), _interval_changes),)
