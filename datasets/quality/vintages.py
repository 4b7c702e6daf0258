"""When values became known: revisions, and moments of capture instead of publication."""

import math
from collections.abc import Iterator

import numpy as np

from engine import DAY_NS, HOUR_NS, Float1D, Int1D

from ..findings import Finding
from ..tables import available_at_ns, equal_values, floats_of, same_identity, times_ns
from ..timestamps import time_text
from .check import SeriesCheck, counted, rows_finding
from .series import CheckedSeries
from .settings import QualitySettings


def _revisions(series: CheckedSeries, _: QualitySettings) -> Iterator[Finding]:
    kind, table = series.kind, series.sorted_table
    again = same_identity(kind, table, same_moment=False)
    again &= ~same_identity(kind, table, same_moment=True)
    rows = np.flatnonzero(again).astype(np.int64)
    rows = rows[~equal_values(kind, table, rows)]
    if not rows.size:
        return
    change = _largest_change(series, rows)
    yield rows_finding(
        series,
        "revision",
        times_ns(kind, table)[rows],
        f"{counted(len(rows), 'value')} changed after publication, {change_text(change)}; a load as of a "
        "moment sees what was known then",
    )


def change_text(change: Float1D) -> str:
    """Median and maximum of relative changes in percent, both with the decimals of the smaller."""
    median, largest = 100.0 * float(np.median(change)), 100.0 * float(change.max())
    smaller = median or largest
    decimals = max(0, 1 - math.floor(math.log10(smaller))) if smaller else 0
    return f"by {median:.{decimals}f}% in the median and {largest:.{decimals}f}% at most"


def _largest_change(series: CheckedSeries, rows: Int1D) -> Float1D:
    """Largest relative change of a number column at each of ``rows``; 0 without a number."""
    largest: Float1D = np.zeros(len(rows))
    for column in series.kind.columns:
        if not column.is_number or column.name in series.kind.row_key:
            continue
        values = floats_of(series.sorted_table, column.name)
        later, earlier = values[rows], values[rows - 1]
        known = np.isfinite(later) & np.isfinite(earlier) & (earlier != 0)
        change = np.abs(later[known] / earlier[known] - 1.0)
        largest[known] = np.maximum(largest[known], change)
    return largest


def _late(series: CheckedSeries, settings: QualitySettings) -> Iterator[Finding]:
    known_ns = available_at_ns(series.ordered)
    usual_ns = series.kind.available_ns(series.time_ns, series.key.step)
    late_ns = known_ns - usual_ns
    late = late_ns > max(series.step_ns, HOUR_NS)
    if not late.any():
        return
    moments, counts = np.unique(known_ns[late], return_counts=True)
    shared = moments[counts >= settings.capture_least_rows]
    captured = late & np.isin(known_ns, shared)
    if not captured.any():
        return
    yield rows_finding(
        series,
        "capture_time",
        series.time_ns[captured],
        f"{counted(int(captured.sum()), 'row')} became known together, up to "
        f"{late_ns[captured].max() / DAY_NS:.1f} days after they were due: their available_at is the "
        f"moment of a capture, {time_text(int(shared[0]))}"
        + (f" and {len(shared) - 1} more" if len(shared) > 1 else ""),
    )


CHECKS = (
    SeriesCheck("revised values", ("revision",), _revisions),
    SeriesCheck("late availability", ("capture_time",), _late),
)
