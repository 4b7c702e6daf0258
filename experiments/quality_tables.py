"""What a check of data sets found, as terminal tables that fit 80 columns."""

from typing import TYPE_CHECKING

from rich.markup import escape

from datasets import time_text

from .tables import table_of

if TYPE_CHECKING:
    from rich.console import Console

    from datasets.quality import DatasetQuality, QualityReport

GAPS_SHOWN = 40
"""Gaps of one data set that the terminal shows."""
DATASETS_WITH_GAPS_SHOWN = 1
"""Where more data sets have gaps, the terminal counts them only."""
SUBJECTS_SHOWN = 2
_ABBREVIATIONS = {
    "before_listing": "before listing",
    "download_hole": "download",
    "no_session": "no session",
}


def print_quality(report: "QualityReport", console: "Console") -> None:
    """Data sets with gaps, the gaps of a few of them, and every defect with its subjects."""
    for refusal in report.refusals:
        console.print(
            f"[bold]refused[/] ({refusal.defect}): {escape(refusal.message)}", soft_wrap=True
        )
    _print_datasets(report, console)
    with_gaps = [one for one in report.datasets if one.gaps]
    if len(with_gaps) <= DATASETS_WITH_GAPS_SHOWN:
        for dataset in with_gaps:
            _print_gaps(dataset, console)
    _print_defects(report, console)


def _print_datasets(report: "QualityReport", console: "Console") -> None:
    shown = [one for one in report.datasets if one.gaps or one.findings]
    for kind, step in dict.fromkeys((one.key.kind, one.key.step) for one in shown):
        table = table_of(
            f"{kind} {step}",
            [
                ("data set", "left"),
                ("from", "left"),
                ("to", "left"),
                ("missing", "right"),
                ("gaps", "left"),
            ],
        )
        for one in shown:
            if (one.key.kind, one.key.step) != (kind, step):
                continue
            causes = ", ".join(
                f"{number} {_ABBREVIATIONS.get(cause, cause)}"
                for cause, number in one.gaps_by_cause().items()
            )
            table.add_row(
                escape(f"{one.key.venue}/{one.key.market}/{one.key.symbol} {one.key.source}"),
                time_text(one.first_ns)[:10],
                time_text(one.last_ns)[:10],
                str(one.missing_rows or "-"),
                causes or "-",
            )
        console.print(table)
    clean = len(report.datasets) - len(shown)
    if report.datasets:
        console.print(f"{len(report.datasets)} data sets, {clean} of them without any finding")


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
    for gap in dataset.gaps[:GAPS_SHOWN]:
        table.add_row(
            time_text(gap.start_ns)[:16],
            time_text(gap.end_ns)[:16],
            str(gap.missing_rows),
            gap.cause,
            escape(gap.reason),
        )
    console.print(table)
    if len(dataset.gaps) > GAPS_SHOWN:
        console.print(
            f"{len(dataset.gaps) - GAPS_SHOWN} more gaps; --json and --html have them all"
        )


def _print_defects(report: "QualityReport", console: "Console") -> None:
    if not report.findings:
        return
    table = table_of("defects", [("defect", "left"), ("rows", "right"), ("where", "left")])
    for name, count in report.defects().items():
        found = [finding for finding in report.findings if finding.defect == name]
        if not found:
            continue
        lines = [f"{finding.subject}: {finding.message}" for finding in found[:SUBJECTS_SHOWN]]
        if len(found) > SUBJECTS_SHOWN:
            lines.append(f"and {len(found) - SUBJECTS_SHOWN} more data sets")
        table.add_row(name, str(count), escape("\n".join(lines)))
    console.print(table)
