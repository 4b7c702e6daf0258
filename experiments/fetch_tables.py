"""What a fetch brought, for the terminal and for JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from datasets import time_text
from datasets.fetch import FetchReport

from .tables import table_of

CONFLICTS_SHOWN = 5


def fetch_content(report: FetchReport) -> dict[str, Any]:
    """One fetch as plain JSON values."""
    return {
        "name": report.name,
        "dataset": None if report.key is None else str(report.key),
        "status": report.status,
        "rows": report.rows,
        "added_rows": report.added_rows,
        "first_time": None if report.first_ns is None else time_text(report.first_ns),
        "end_time": None if report.last_ns is None else time_text(report.last_ns),
        "requests": report.requests,
        "repeated_requests": report.repeated,
        "findings": [finding.to_json() for finding in report.findings],
        "conflicts": [str(conflict) for conflict in report.conflicts],
        "error": report.error,
    }


def print_fetch(reports: Sequence[FetchReport], console: Console) -> None:
    """One line per data set, then everything that was odd."""
    columns = [("data set", "left"), ("status", "left"), ("rows", "right"), ("new", "right")]
    table = table_of(None, [*columns, ("again", "right")])
    for report in reports:
        name = report.name if report.key is None else str(report.key)
        table.add_row(
            escape(name), report.status, f"{report.rows:,}", f"{report.added_rows:,}",
            f"{report.repeated:,}",
        )  # fmt: skip
    console.print(table)
    for report in reports:
        for finding in report.findings:
            console.print(
                f"{escape(report.name)}: [bold]{finding.defect}[/]: {escape(finding.message)}",
                soft_wrap=True,
            )
        for conflict in report.conflicts[:CONFLICTS_SHOWN]:
            console.print(f"[bold]conflict[/]: {escape(str(conflict))}", soft_wrap=True)
        if len(report.conflicts) > CONFLICTS_SHOWN:
            rest = len(report.conflicts) - CONFLICTS_SHOWN
            console.print(f"{escape(report.name)}: {rest} more conflicts; --json lists them")


def errors_of(reports: Iterable[FetchReport]) -> list[str]:
    """Why data sets failed, one line each."""
    return [" ".join(report.error.split()) for report in reports if report.error is not None]
