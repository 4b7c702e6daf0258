"""Findings, gaps and outlines of one period, where the check was asked for a period."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import pyarrow as pa

from ..findings import Finding
from ..tables import times_ns
from .gap import Gap, Period
from .series import CheckedSeries, Hole, Outline


def rows_within(series: CheckedSeries, period: Period | None) -> CheckedSeries | None:
    """The series with its rows of ``period`` only; None where it has none there."""
    if period is None:
        return series
    time_ns = times_ns(series.kind, series.table)
    chosen = period.holds(time_ns)
    if chosen.all():
        return series
    if not chosen.any():
        return None
    return CheckedSeries(series.key, series.table.filter(pa.array(chosen)), series.findings)


def findings_within(
    found: Sequence[Finding], again: Iterable[Finding], period: Period | None
) -> Iterator[Finding]:
    """Findings of all rows that concern ``period``, counted there.

    ``again`` are those of the rows of the period alone. They count for a finding that reaches beyond
    the period; by themselves they would take the edges of the period for those of the data.
    """
    recounted = {(one.defect, one.subject): one for one in again}
    for finding in found:
        place = _place(finding, period)
        if place == "inside":
            yield finding
        elif place == "across" and (finding.defect, finding.subject) in recounted:
            yield recounted[finding.defect, finding.subject]


def told_within(
    told: Iterable[Finding], recounted: Iterable[str], period: Period | None
) -> Iterator[Finding]:
    """Findings of an importer that concern ``period``.

    The checks see again what was kept and is of the defects ``recounted``; where that reaches beyond
    the period it is left to them. Nothing else can be counted anew, so it stays as it was told.
    """
    names = frozenset(recounted)
    for finding in told:
        place = _place(finding, period)
        is_left = finding.action == "kept" and finding.defect in names
        if place == "inside" or (place == "across" and not is_left):
            yield finding


def _place(finding: Finding, period: Period | None) -> Literal["inside", "across", "outside"]:
    """Where the rows of a finding are; inside, where it does not say it."""
    first, last = finding.first_ns, finding.last_ns
    if period is None or first is None or last is None or period.contains(first, last):
        return "inside"
    return "across" if period.touches(first, last) else "outside"


def gaps_within(gaps: Sequence[Gap], period: Period | None) -> tuple[Gap, ...]:
    """Gaps cut to ``period``, without those outside it."""
    if period is None:
        return tuple(gaps)
    return tuple(cut for gap in gaps if (cut := _cut(gap, period)) is not None)


def _cut(gap: Gap, period: Period) -> Gap | None:
    start = gap.start_ns if period.start_ns is None else period.start_ns
    end = gap.end_ns if period.end_ns is None else period.end_ns
    part = Hole(gap.start_ns, gap.end_ns, gap.missing_rows).between(start, end)
    if part is None:
        return None
    return replace(gap, start_ns=part.start_ns, end_ns=part.end_ns, missing_rows=part.missing_rows)


def outline_within(outline: Outline, part: CheckedSeries) -> Outline:
    """The outline of ``part``, the rows of a series that lie in a period."""
    first, last = int(part.time_ns[0]), int(part.time_ns[-1])
    return replace(
        outline,
        rows=len(part.table),
        first_ns=first,
        last_ns=last,
        last_volume_ratio=outline.last_volume_ratio if last == outline.last_ns else None,
    )
