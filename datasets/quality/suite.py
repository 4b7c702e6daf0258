"""Checking data sets one by one, and then beside each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..findings import Finding
from .gaps import Period, classified, gap_findings
from .holes import holes_of
from .neighbours import Neighbours
from .registry import GROUP_CHECKS, SERIES_CHECKS
from .report import DatasetQuality, QualityReport, Refusal
from .series import CheckedSeries, Outline, outline_of
from .settings import QualitySettings
from .sources import ReadSeries, disagreements

DEFAULT_SETTINGS = QualitySettings()


@dataclass(frozen=True, slots=True)
class _Checked:
    outline: Outline
    findings: tuple[Finding, ...]


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
    again for comparisons. ``period`` is the period asked for; None means that of each source.
    ``others`` are not checked, but tell something about the gaps of those that are.
    """
    checked = sorted(
        (_checked_alone(one, settings) for one in series), key=lambda one: one.outline.key
    )
    outlines = [one.outline for one in checked]
    neighbours = Neighbours([*outlines, *others])
    datasets = []
    for one in checked:
        outline = one.outline
        gaps = classified(outline, neighbours, settings, period)
        datasets.append(
            DatasetQuality(
                key=outline.key,
                rows=outline.rows,
                first_ns=outline.first_ns,
                last_ns=outline.last_ns,
                interval_ns=outline.interval_ns,
                gaps=gaps,
                findings=(*one.findings, *_untold(gap_findings(outline.key, gaps), one.findings)),
            )
        )
    comparisons = [f for check in GROUP_CHECKS for f in check.find(outlines, settings)]
    comparisons += disagreements(outlines, read)
    return QualityReport(tuple(datasets), tuple(comparisons), tuple(refusals), settings)


def _checked_alone(series: CheckedSeries, settings: QualitySettings) -> _Checked:
    found = [f for check in SERIES_CHECKS for f in check.find(series, settings)]
    new = _untold(found, series.findings)
    return _Checked(outline_of(series, holes_of(series, settings)), (*series.findings, *new))


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
