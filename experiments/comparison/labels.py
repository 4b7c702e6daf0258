"""Short names of the runs of a comparison, and its numbers as text."""

import math
from collections.abc import Mapping
from string import ascii_uppercase

from ..formats import signed
from ..run_tables import HEADLINES
from .comparison import Comparison
from .differences import MetricDifference


def label(number: int) -> str:
    """A for the first run, B for the second."""
    return ascii_uppercase[number]


def units_of(found: Comparison) -> Mapping[str, str]:
    """The unit of every metric."""
    units: Mapping[str, str] = found.records[0].content["metric_units"]
    return units


def interval_text(row: MetricDifference, unit: str) -> str:
    """The bounds of a difference, or n/a."""
    if math.isnan(row.low):
        return "n/a"
    return f"{signed(row.low, unit)} to {signed(row.high, unit)}"


def headline_rows(found: Comparison) -> list[tuple[str, tuple[float | None, ...]]]:
    """The metrics that matter first, without those that are equal in all runs."""
    rows = [row for row in found.metrics if row[0] in HEADLINES and len(set(row[1])) > 1]
    return sorted(rows, key=lambda row: HEADLINES.index(row[0]))


def sentence(found: Comparison) -> str:
    """What the intervals are of."""
    curves = found.curves
    if curves.is_whole:
        return f"95 % intervals: paired bootstrap of the {len(curves.time_ns):,} closes of all runs"
    ranges = ", ".join(f"{label(number)} has {bars:,}" for number, bars in enumerate(curves.bars))
    return (
        f"95 % intervals: paired bootstrap of {len(curves.time_ns):,} common closes ({ranges}); the "
        "metrics are those of the whole runs"
    )


def interval_of(found: Comparison, other: int, name: str) -> MetricDifference | None:
    """The interval of one metric of run ``other`` (1 for B), or None where there is none of its kind."""
    return next((row for row in found.intervals[other - 1] if row.name == name), None)
