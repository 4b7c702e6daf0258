"""Timing of units of work: best and median of several runs, after one that warms caches up."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """Seconds of the fastest and of the median run."""

    best_s: float
    median_s: float


def timed(
    work: Callable[[], object], *, runs: int = 5, clock: Callable[[], float] = time.perf_counter
) -> Timing:
    """Run ``work`` once to warm up, then ``runs`` times, by ``clock`` (``time.process_time`` where
    other programs run and the work has one thread)."""
    work()
    seconds = []
    for _ in range(runs):
        start = clock()
        work()
        seconds.append(clock() - start)
    return Timing(min(seconds), statistics.median(seconds))


def timed_pair(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    runs: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Timing, Timing]:
    """Two pieces of work, run alternately so that a busy machine slows both alike; as ``timed``."""
    ours()
    theirs()
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for work, kept in ((ours, seconds[0]), (theirs, seconds[1])):
            start = clock()
            work()
            kept.append(clock() - start)
    return (
        Timing(min(seconds[0]), statistics.median(seconds[0])),
        Timing(min(seconds[1]), statistics.median(seconds[1])),
    )
