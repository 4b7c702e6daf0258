"""What the coverage page shows, as numbers: groups of data sets, their stretches, where findings begin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from datasets import DEFECTS, Finding, time_text
from datasets.quality import DatasetQuality, Gap, QualityReport, Refusal

PRESENT: Final = "present"
STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        PRESENT: "present",
        "outage": "outage of the venue",
        "download_hole": "hole in the download",
        "delisted": "delisted",
        "before_listing": "before listing",
        "no_session": "no session",
        "unknown": "missing, cause unknown",
        "outside": "outside the recording",
    }
)
"""What a stretch of a data set can be, in the order of the legend, with its title."""
LEAST_SHARE: Final = 0.0025
"""Of the time axis: shorter gaps are drawn this wide, or nobody would see them."""
FINDINGS_SHOWN: Final = 100
_UNMARKED: Final = ("gap", "no_session")
"""Defects that the stretches themselves show."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the time axis in one state, as it is drawn (int64 ns UTC), and its numbers in words."""

    state: str
    start_ns: int
    end_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Where findings begin, and what they are."""

    time_ns: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One data set; ``place`` tells it apart from others of the symbol in its group.

    ``gaps`` count those of each state, ``missing`` the rows that lack between the first and the last.
    """

    key: str
    symbol: str
    place: str
    first_ns: int
    end_ns: int
    rows: int
    missing: int
    gaps: Mapping[str, int]
    findings: int
    stretches: tuple[Stretch, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Data sets of one kind and step on one time axis; ``place`` is where all of them are from."""

    title: str
    place: str
    start_ns: int
    end_ns: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """Gaps of one state: how many, in how many data sets, and rows missing."""

    state: str
    gaps: int
    datasets: int
    rows: int


@dataclass(frozen=True, slots=True)
class DefectList:
    """The findings of one defect; ``count`` are the rows concerned, ``hidden`` findings are not listed."""

    name: str
    meaning: str
    count: int
    findings: tuple[Finding, ...]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Everything on the page."""

    datasets: int
    rows: int
    missing: int
    causes: tuple[Cause, ...]
    groups: tuple[Group, ...]
    defects: tuple[DefectList, ...]
    refusals: tuple[Refusal, ...]


def coverage_of(report: QualityReport) -> Coverage:
    """What ``report`` says, as it is drawn."""
    return Coverage(
        datasets=len(report.datasets),
        rows=sum(dataset.rows for dataset in report.datasets),
        missing=sum(dataset.missing_rows for dataset in report.datasets),
        causes=_causes(report.datasets),
        groups=_groups(report.datasets),
        defects=_defects(report.findings),
        refusals=report.refusals,
    )


def _state_of(gap: Gap) -> str:
    """How a gap is drawn: where a recording merely begins or ends later than others, faintly."""
    return gap.cause if gap.inside or gap.cause != "unknown" else "outside"


def _causes(datasets: Sequence[DatasetQuality]) -> tuple[Cause, ...]:
    found: dict[str, list[tuple[int, int]]] = {state: [] for state in STATES}
    for number, dataset in enumerate(datasets):
        for gap in dataset.gaps:
            found[_state_of(gap)].append((number, gap.missing_rows))
    return tuple(
        Cause(state, len(gaps), len({number for number, _ in gaps}), sum(rows for _, rows in gaps))
        for state, gaps in found.items()
        if gaps
    )


def _groups(datasets: Sequence[DatasetQuality]) -> tuple[Group, ...]:
    by_title: dict[str, list[DatasetQuality]] = {}
    for dataset in datasets:
        key = dataset.key
        title = key.kind if not dataset.interval_ns else f"{key.kind} {key.step}"
        by_title.setdefault(title, []).append(dataset)
    return tuple(_group(title, members) for title, members in by_title.items())


def _group(title: str, members: Sequence[DatasetQuality]) -> Group:
    starts = [dataset.first_ns for dataset in members]
    ends = [dataset.end_ns for dataset in members]
    for dataset in members:
        starts += [gap.start_ns for gap in dataset.gaps]
        ends += [gap.end_ns for gap in dataset.gaps]
    start_ns = min(starts)
    end_ns = max(*ends, start_ns + 1)
    places = {f"{one.key.venue}/{one.key.market}" for one in members}
    ordered = sorted(members, key=lambda d: (d.key.symbol, d.key.venue, d.key.market, d.key.source))
    return Group(
        title=title,
        place=places.pop() if len(places) == 1 else "",
        start_ns=start_ns,
        end_ns=end_ns,
        rows=tuple(_row(one, _place(one, members), start_ns, end_ns) for one in ordered),
    )


def _place(dataset: DatasetQuality, members: Sequence[DatasetQuality]) -> str:
    key = dataset.key
    parts = (
        [f"{key.venue}/{key.market}"]
        if len({(d.key.venue, d.key.market) for d in members}) > 1
        else []
    )
    parts += [key.source] if len({d.key.source for d in members}) > 1 else []
    return " · ".join(parts)


def _row(dataset: DatasetQuality, place: str, start_ns: int, end_ns: int) -> Row:
    gaps = list(_gap_stretches(dataset, start_ns, end_ns))
    period = f"{time_text(dataset.first_ns)} to {time_text(dataset.end_ns)}"
    told = f"{STATES[PRESENT]}: {_rows_text(dataset.rows)}, {period}"
    stretches = [
        Stretch(PRESENT, first, last, told)
        for whole in dataset.stretches or [(dataset.first_ns, dataset.end_ns)]
        if dataset.rows
        for first, last in _without(_widened(*whole, start_ns, end_ns), gaps)
    ]
    marked: dict[int, list[str]] = {}
    findings = 0
    for finding in dataset.findings:
        if finding.defect in _UNMARKED:
            continue
        findings += 1
        at = dataset.first_ns if finding.first_ns is None else finding.first_ns
        told = f"{finding.defect} ×{finding.count}: {finding.message}"
        marked.setdefault(min(max(at, start_ns), end_ns), []).append(told)
    counts = dict.fromkeys(STATES, 0)
    for gap in dataset.gaps:
        counts[_state_of(gap)] += 1
    return Row(
        key=str(dataset.key),
        symbol=dataset.key.symbol,
        place=place,
        first_ns=dataset.first_ns,
        end_ns=dataset.end_ns,
        rows=dataset.rows,
        missing=dataset.missing_rows,
        gaps={state: number for state, number in counts.items() if number},
        findings=findings,
        stretches=(*stretches, *gaps),
        marks=tuple(Mark(at, "\n".join(texts)) for at, texts in sorted(marked.items())),
    )


def _rows_text(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"


def _widened(first_ns: int, last_ns: int, start_ns: int, end_ns: int) -> tuple[int, int]:
    """At least as wide as can be seen, inside the axis."""
    least = int((end_ns - start_ns) * LEAST_SHARE)
    first_ns = max(start_ns, min(first_ns, end_ns - least))
    return first_ns, min(max(last_ns, first_ns + least), end_ns)


def _without(whole: tuple[int, int], gaps: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """What the gaps, in order of time, leave of a stretch."""
    at, end = whole
    for gap in gaps:
        if gap.start_ns > at:
            yield at, min(gap.start_ns, end)
        at = max(at, gap.end_ns)
        if at >= end:
            return
    yield at, end


def _gap_stretches(dataset: DatasetQuality, start_ns: int, end_ns: int) -> Iterator[Stretch]:
    reach_ns = int((end_ns - start_ns) * LEAST_SHARE)
    for gaps in _joined(_visible(dataset.gaps, reach_ns), reach_ns):
        first, last = _widened(gaps[0].start_ns, gaps[-1].end_ns, start_ns, end_ns)
        yield Stretch(_state_of(gaps[0]), first, last, _gap_text(gaps))


def _visible(gaps: Sequence[Gap], reach_ns: int) -> list[Gap]:
    """Gaps without the weekends that are too short to be seen: drawn wider they hide the days between."""
    return sorted(
        (gap for gap in gaps if gap.cause != "no_session" or gap.end_ns - gap.start_ns >= reach_ns),
        key=lambda gap: gap.start_ns,
    )


def _joined(gaps: Sequence[Gap], reach_ns: int) -> list[list[Gap]]:
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
    title = STATES[_state_of(gaps[0])]
    period = f"{time_text(gaps[0].start_ns)} to {time_text(gaps[-1].end_ns)}"
    rows = _rows_text(sum(gap.missing_rows for gap in gaps))
    if len(gaps) == 1:
        return f"{title}: {period}, {rows} ({gaps[0].reason})"
    return f"{title}: {len(gaps)} gaps, {period}, {rows}"


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
