"""Checking data sets one by one, and then beside each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..findings import Finding
from ..keys import DatasetKey
from .gap import Period
from .gaps import classified, gap_findings
from .holes import holes_of
from .neighbours import Neighbours
from .registry import GROUP_CHECKS, SERIES_CHECKS
from .report import DatasetQuality, QualityReport, Refusal
from .series import CheckedSeries, Outline, outline_of
from .settings import QualitySettings
from .sources import ReadSeries, disagreements
from .within import findings_within, gaps_within, outline_within, rows_within, told_within

DEFAULT_SETTINGS = QualitySettings()


@dataclass(frozen=True, slots=True)
class _Checked:
    """What stays of a series: its outline, and that of its rows in the period (None without any)."""

    outline: Outline
    within: Outline | None
    findings: tuple[Finding, ...]
    stretches: tuple[tuple[int, int], ...]


def check_series(
    series: Iterable[CheckedSeries],
    read: ReadSeries,
    settings: QualitySettings = DEFAULT_SETTINGS,
    period: Period | None = None,
    refusals: Sequence[Refusal] = (),
    others: Sequence[Outline] = (),
) -> QualityReport:
    """Check data sets one after the other, then compare them.

    Only one data set is held at a time where ``series`` gives them one at a time; ``read`` gives one
    again for comparisons. ``period`` is the period asked for, and nothing outside it is told; None
    means all, and for the edges of a data set the period of its source. ``others`` are not checked,
    but tell something about the gaps of those that are.
    """
    checked = sorted(
        (_checked_alone(one, settings, period) for one in series), key=lambda one: one.outline.key
    )
    neighbours = Neighbours([*(one.outline for one in checked), *others])
    datasets = tuple(_dataset(one, neighbours, settings, period) for one in checked)
    comparisons = _compared(checked, read, settings, period)
    return QualityReport(datasets, comparisons, tuple(refusals), settings)


def _checked_alone(
    series: CheckedSeries, settings: QualitySettings, period: Period | None
) -> _Checked:
    found = _found(series, settings)
    part = rows_within(series, period)
    again = _found(part, settings) if part is not None and part is not series else []
    recounted = [defect for check in SERIES_CHECKS for defect in check.defects]
    told = tuple(told_within(series.findings, recounted, period))
    new = _untold(found if part is series else findings_within(found, again, period), told)
    outline = outline_of(series, holes_of(series, settings))
    return _Checked(
        outline=outline,
        within=None if part is None else outline_within(outline, part),
        findings=(*told, *new),
        stretches=() if part is None else part.stretches,
    )


def _found(series: CheckedSeries, settings: QualitySettings) -> list[Finding]:
    return [finding for check in SERIES_CHECKS for finding in check.find(series, settings)]


def _dataset(
    one: _Checked, neighbours: Neighbours, settings: QualitySettings, period: Period | None
) -> DatasetQuality:
    outline = one.within or one.outline
    gaps = gaps_within(classified(one.outline, neighbours, settings, period), period)
    return DatasetQuality(
        key=outline.key,
        rows=0 if one.within is None else outline.rows,
        first_ns=outline.first_ns,
        last_ns=outline.last_ns,
        interval_ns=outline.interval_ns,
        gaps=gaps,
        findings=(*one.findings, *_untold(gap_findings(outline.key, gaps), one.findings)),
        stretches=one.stretches,
    )


def _compared(
    checked: Sequence[_Checked], read: ReadSeries, settings: QualitySettings, period: Period | None
) -> tuple[Finding, ...]:
    outlines = [one.outline for one in checked]
    within = [one.within for one in checked if one.within is not None]

    def read_within(key: DatasetKey) -> CheckedSeries:
        series = read(key)
        return rows_within(series, period) or series

    found = [f for check in GROUP_CHECKS for f in check.find(outlines, settings)]
    again = [f for check in GROUP_CHECKS for f in check.find(within, settings)]
    return (*findings_within(found, again, period), *disagreements(within, read_within))


def _untold(found: Iterable[Finding], told: Iterable[Finding]) -> list[Finding]:
    """Findings but those that the importer has told: what it kept, the checks see again.

    What an importer says is about the rows of one file; a finding that goes beyond all of its files is
    another one.
    """
    kept: dict[str, list[Finding]] = {}
    for finding in told:
        if finding.action == "kept":
            kept.setdefault(finding.defect, []).append(finding)
    return [one for one in found if not _covers(kept.get(one.defect, ()), one)]


def _covers(told: Sequence[Finding], found: Finding) -> bool:
    firsts = [one.first_ns for one in told if one.first_ns is not None]
    lasts = [one.last_ns for one in told if one.last_ns is not None]
    if len(firsts) < len(told) or len(lasts) < len(told):
        return True
    if not told or found.first_ns is None or found.last_ns is None:
        return bool(told)
    return min(firsts) <= found.first_ns and found.last_ns <= max(lasts)
