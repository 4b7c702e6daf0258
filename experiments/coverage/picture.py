"""What the coverage picture shows: sections, rows, segments and markers, in percent of the time axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from datasets import DEFECTS, Finding, time_text
from datasets.quality import DatasetQuality, Gap, QualityReport, Refusal
from datasets.quality.check import counted

from .axis import Tick, ticks_of

CAUSE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "present": "present",
        "outage": "outage of the venue",
        "download_hole": "hole in the download",
        "delisted": "delisted",
        "before_listing": "before listing",
        "no_session": "no session",
        "unknown": "missing, cause unknown",
        "outside": "outside the recording",
    }
)
"""States in the order of the legend; the keys are also the CSS classes."""
LEAST_WIDTH: Final = 0.22
"""Percent of the axis: shorter gaps are drawn this wide, or nobody would see them."""
FINDINGS_SHOWN: Final = 100
_UNMARKED: Final = ("gap", "no_session")
"""Defects that the bar itself shows."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one state; ``x`` and ``width`` are percent of the axis."""

    state: str
    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Marker:
    """Where findings begin; ``x`` is percent of the axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One data set."""

    symbol: str
    place: str
    summary: str
    segments: tuple[Segment, ...]
    markers: tuple[Marker, ...]
    rows: int
    missing: int
    findings: int


@dataclass(frozen=True, slots=True)
class Section:
    """Data sets of one kind and step on one time axis; ``place`` is where all of them are from."""

    title: str
    place: str
    period: str
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class DefectList:
    """The findings of one defect; ``hidden`` more are not listed."""

    name: str
    meaning: str
    count: int
    findings: tuple[Finding, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page. ``causes`` count the gaps by state, in the order of the legend."""

    datasets: int
    rows: int
    causes: Mapping[str, int]
    legend: Mapping[str, str]
    sections: tuple[Section, ...]
    defects: tuple[DefectList, ...]
    refusals: tuple[Refusal, ...]


def page_of(report: QualityReport) -> Page:
    """The page of ``report``."""
    counts = dict.fromkeys(CAUSE_TITLES, 0)
    for dataset in report.datasets:
        for gap in dataset.gaps:
            counts[_state_of(gap)] += 1
    shown = {state for state, number in counts.items() if number} | {"present"}
    return Page(
        datasets=len(report.datasets),
        rows=sum(dataset.rows for dataset in report.datasets),
        causes={state: number for state, number in counts.items() if number},
        legend={state: title for state, title in CAUSE_TITLES.items() if state in shown},
        sections=_sections(report.datasets),
        defects=_defects(report.findings),
        refusals=report.refusals,
    )


def _state_of(gap: Gap) -> str:
    """How a gap is drawn: where a recording merely begins or ends later than others, faintly."""
    return gap.cause if gap.inside or gap.cause != "unknown" else "outside"


def _sections(datasets: Sequence[DatasetQuality]) -> tuple[Section, ...]:
    groups: dict[str, list[DatasetQuality]] = {}
    for dataset in datasets:
        key = dataset.key
        title = key.kind if not dataset.interval_ns else f"{key.kind} {key.step}"
        groups.setdefault(title, []).append(dataset)
    return tuple(_section(title, group) for title, group in groups.items())


def _section(title: str, group: Sequence[DatasetQuality]) -> Section:
    starts = [dataset.first_ns for dataset in group]
    ends = [dataset.end_ns for dataset in group]
    for dataset in group:
        starts += [gap.start_ns for gap in dataset.gaps]
        ends += [gap.end_ns for gap in dataset.gaps]
    start, end = min(starts), max(ends)
    end = max(end, start + 1)
    places = {f"{d.key.venue}/{d.key.market}" for d in group}
    ordered = sorted(group, key=lambda d: (d.key.symbol, d.key.venue, d.key.market, d.key.source))
    return Section(
        title=title,
        place=", ".join(sorted(places)) if len(places) == 1 else "",
        period=f"{time_text(start)} to {time_text(end)}",
        ticks=ticks_of(start, end),
        rows=tuple(_row(dataset, _place(dataset, group), start, end) for dataset in ordered),
    )


def _place(dataset: DatasetQuality, group: Sequence[DatasetQuality]) -> str:
    """What tells a data set apart from others of its section, besides the symbol."""
    key = dataset.key
    place = f"{key.venue}/{key.market}"
    parts = [place] if len({(d.key.venue, d.key.market) for d in group}) > 1 else []
    parts += [key.source] if len({d.key.source for d in group}) > 1 else []
    return " · ".join(parts)


def _row(dataset: DatasetQuality, place: str, start_ns: int, end_ns: int) -> Row:
    def percent(time_ns: int) -> float:
        return round(100.0 * (time_ns - start_ns) / (end_ns - start_ns), 2)

    def segment(state: str, first_ns: int, last_ns: int, text: str) -> Segment:
        width = max(percent(last_ns) - percent(first_ns), LEAST_WIDTH)
        return Segment(state, min(percent(first_ns), 100.0 - LEAST_WIDTH), round(width, 2), text)

    period = f"{time_text(dataset.first_ns)} to {time_text(dataset.end_ns)}"
    present = f"{counted(dataset.rows, 'row')}, {period}" if dataset.rows else "no row"
    segments = [
        segment("present", first, last, present)
        for first, last in dataset.stretches or [(dataset.first_ns, dataset.end_ns)]
        if dataset.rows
    ]
    reach_ns = (end_ns - start_ns) * LEAST_WIDTH / 100.0
    for gaps in _joined(_visible(dataset.gaps, reach_ns), reach_ns):
        segments.append(
            segment(_state_of(gaps[0]), gaps[0].start_ns, gaps[-1].end_ns, _gap_text(gaps))
        )
    marked: dict[float, list[str]] = {}
    for finding in dataset.findings:
        if finding.defect in _UNMARKED:
            continue
        at = dataset.first_ns if finding.first_ns is None else finding.first_ns
        x = min(max(percent(at), 0.0), 100.0)
        marked.setdefault(x, []).append(f"{finding.defect} ×{finding.count}: {finding.message}")
    key = dataset.key
    findings = sum(finding.defect not in _UNMARKED for finding in dataset.findings)
    causes = ", ".join(
        f"{number} {CAUSE_TITLES[cause]}" for cause, number in dataset.gaps_by_cause().items()
    )
    return Row(
        symbol=key.symbol,
        place=place,
        summary=f"{key.symbol}, {key.venue} {key.market}, {key.source}: {present}; "
        f"{causes or 'no gap'}; {counted(findings, 'finding')}",
        segments=tuple(segments),
        markers=tuple(Marker(x, "\n".join(texts)) for x, texts in sorted(marked.items())),
        rows=dataset.rows,
        missing=dataset.missing_rows,
        findings=findings,
    )


def _visible(gaps: Sequence[Gap], reach_ns: float) -> list[Gap]:
    """Gaps without the weekends that are too short to be seen: drawn wider they hide the days between."""
    return [
        gap for gap in gaps if gap.cause != "no_session" or gap.end_ns - gap.start_ns >= reach_ns
    ]


def _joined(gaps: Sequence[Gap], reach_ns: float) -> list[list[Gap]]:
    """Gaps of one cause that would be drawn on top of each other, together."""
    groups: list[list[Gap]] = []
    for gap in gaps:
        last = groups[-1][-1] if groups else None
        if (
            last is not None
            and _state_of(last) == _state_of(gap)
            and gap.cause != "no_session"
            and gap.start_ns - last.end_ns < reach_ns
        ):
            groups[-1].append(gap)
        else:
            groups.append([gap])
    return groups


def _gap_text(gaps: Sequence[Gap]) -> str:
    title = CAUSE_TITLES[_state_of(gaps[0])]
    period = f"{time_text(gaps[0].start_ns)} to {time_text(gaps[-1].end_ns)}"
    rows = sum(gap.missing_rows for gap in gaps)
    if len(gaps) == 1:
        return f"{title}: {period}, {counted(rows, 'row')} ({gaps[0].reason})"
    return f"{title}: {len(gaps)} gaps, {period}, {counted(rows, 'row')}"


def _defects(findings: Sequence[Finding]) -> tuple[DefectList, ...]:
    by_name: dict[str, list[Finding]] = {}
    for finding in findings:
        by_name.setdefault(finding.defect, []).append(finding)
    return tuple(
        DefectList(
            name=name,
            meaning=meaning,
            count=sum(finding.count for finding in by_name[name]),
            findings=tuple(by_name[name][:FINDINGS_SHOWN]),
            hidden=max(0, len(by_name[name]) - FINDINGS_SHOWN),
        )
        for name, meaning in DEFECTS.items()
        if name in by_name
    )
