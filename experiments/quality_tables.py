"""What a check of data sets found, as terminal tables that fit 80 columns."""

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.markup import escape

from datasets import time_text
from datasets.quality.report import PROBLEMS

from .formats import counted
from .tables import table_of

if TYPE_CHECKING:
    from rich.console import Console

    from datasets.quality import DatasetQuality, QualityReport

ROWS_SHOWN = 40
"""Rows of one table that the terminal shows."""
DATASETS_WITH_GAPS_SHOWN = 1
"""Where more data sets have gaps, the terminal counts them only."""
_ABBREVIATIONS = {
    "before_listing": "before listing",
    "download_hole": "download",
    "no_session": "no session",
}


def print_quality(report: "QualityReport", console: "Console") -> None:
    """Refused files, defects, gaps by cause, and the data sets that have something wrong."""
    for refusal in report.refusals:
        reason = f" ({refusal.defect})" if refusal.defect else ""
        console.print(f"[bold]refused[/]{reason}: {escape(refusal.message)}")
    _print_defects(report, console)
    _print_causes(report, console)
    with_gaps = [one for one in report.datasets if one.gaps]
    if len(with_gaps) <= DATASETS_WITH_GAPS_SHOWN:
        for dataset in with_gaps:
            _print_gaps(dataset, console)
    _print_datasets(report, console)


def _print_defects(report: "QualityReport", console: "Console") -> None:
    if not report.findings:
        return
    table = table_of("defects", [("defect", "left"), ("rows", "right"), ("where", "left")])
    for name, count in report.defects().items():
        found = [finding for finding in report.findings if finding.defect == name]
        if not found:
            continue
        text = f"{found[0].subject}\n{found[0].message}"
        if len(found) > 1:
            text += f"\nand {counted(len(found) - 1, 'more finding')}"
        table.add_row(name, f"{count:,}", escape(text))
    console.print(table)


def _print_causes(report: "QualityReport", console: "Console") -> None:
    """How many gaps of which cause, by kind: a few lines for any number of data sets."""
    gaps: dict[tuple[str, str], list[int]] = defaultdict(list)
    holders: dict[tuple[str, str], int] = defaultdict(int)
    for one in report.datasets:
        for cause in one.gaps_by_cause():
            name = (f"{one.key.kind} {one.key.step}", cause)
            gaps[name] += [gap.missing_rows for gap in one.gaps if gap.cause == cause]
            holders[name] += 1
    if not gaps:
        return
    table = table_of(
        "gaps by cause",
        [
            ("kind", "left"),
            ("cause", "left"),
            ("data sets", "right"),
            ("gaps", "right"),
            ("rows", "right"),
        ],
    )
    names = sorted(gaps)
    for name in names[:ROWS_SHOWN]:
        rows = gaps[name]
        table.add_row(*name, str(holders[name]), str(len(rows)), str(sum(rows)))
    console.print(table)
    _print_rest(len(names), console)


def _print_gaps(dataset: "DatasetQuality", console: "Console") -> None:
    table = table_of(
        escape(f"gaps of {dataset.key}"),
        [
            ("first missing", "left"),
            ("until", "left"),
            ("rows", "right"),
            ("cause", "left"),
            ("because", "left"),
        ],
    )
    for gap in dataset.gaps[:ROWS_SHOWN]:
        table.add_row(
            time_text(gap.start_ns)[:16],
            time_text(gap.end_ns)[:16],
            f"{gap.missing_rows:,}",
            gap.cause,
            escape(gap.reason),
        )
    console.print(table)
    _print_rest(len(dataset.gaps), console)


def _print_datasets(report: "QualityReport", console: "Console") -> None:
    """Data sets with something wrong, those that lack most first; the others as counts."""
    shown = sorted(
        (one for one in report.datasets if _has_something_wrong(one)),
        key=lambda one: (-one.missing_rows, one.key),
    )
    if shown:
        table = table_of(
            "data sets",
            [("data set", "left"), ("missing", "right"), ("gaps and findings", "left")],
        )
        for one in shown[:ROWS_SHOWN]:
            table.add_row(
                escape(str(one.key)),
                f"{one.missing_rows:,}" if one.missing_rows else "-",
                _summary(one),
            )
        console.print(table)
        _print_rest(len(shown), console)
    sound: dict[str, int] = defaultdict(int)
    for one in report.datasets:
        sound[f"{one.key.kind} {one.key.step}"] += not _has_something_wrong(one)
    for kind, number in sound.items():
        if number:
            console.print(f"{kind}: {counted(number, 'data set')} with nothing wrong")
    if report.datasets:
        console.print(
            f"{counted(len(report.datasets), 'data set')}, {len(shown)} of them with something wrong"
        )


def _has_something_wrong(one: "DatasetQuality") -> bool:
    """True for wrong rows and missing ones; what is merely worth knowing stands among the defects."""
    return any(
        finding.defect == "gap" or (finding.defect in PROBLEMS and finding.action == "kept")
        for finding in one.findings
    ) or any(gap.cause == "download_hole" for gap in one.gaps)


def _summary(one: "DatasetQuality") -> str:
    causes = [
        f"{number} {_ABBREVIATIONS.get(cause, cause)}"
        for cause, number in one.gaps_by_cause().items()
    ]
    defects = [f.defect for f in one.findings if f.defect not in ("gap", "no_session")]
    return ", ".join([*causes, *dict.fromkeys(defects)])


def _print_rest(number: int, console: "Console") -> None:
    if number > ROWS_SHOWN:
        console.print(f"{number - ROWS_SHOWN} more; --json lists all")
