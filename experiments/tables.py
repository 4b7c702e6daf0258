"""Results as terminal tables that fit 80 columns."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .formats import formatted
from .record import RunRecord

if TYPE_CHECKING:
    from .checks import CheckReport
    from .checks.parity import ParityReport
    from .diagnosis import Finding

WARNINGS_TOLD = 4
"""Warnings of one check that the terminal shows."""


def table_of(title: str | None, columns: Sequence[tuple[str, str]]) -> Table:
    """An empty table with a title and columns of (heading, justification)."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1)
    )
    for heading, justify in columns:
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def print_runs(records: Iterable[RunRecord], console: Console) -> None:
    """One line for each run."""
    table = table_of(
        None, [("run", "left"), ("trades", "right"), ("return", "right"), ("sharpe", "right")]
    )
    for record in records:
        values = record.content["metrics"]
        table.add_row(
            escape(record.run_id),
            str(record.content["n_trades"]),
            formatted(values.get("total_return"), "fraction"),
            formatted(values.get("sharpe"), "ratio"),
        )
    console.print(table if table.row_count else "no runs yet")


def print_findings(findings: Iterable["Finding"], console: Console) -> None:
    """One line for each finding of the doctor."""
    table = table_of(None, [("", "left"), ("check", "left"), ("found", "left")])
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]wrong[/]"
        table.add_row(mark, finding.name, escape(finding.text))
    console.print(table)


def print_check(found: "CheckReport", console: Console) -> None:
    """Counts of each check, every failure, the first warnings of each check, and the outcome."""
    table = table_of(
        None,
        [("check", "left"), ("looked at", "right"), ("failed", "right"), ("warnings", "right")],
    )
    for check in dict.fromkeys(row.check for row in found.rows):
        rows = found.of(check)
        bad = [row.severity for row in rows if not row.passed]
        table.add_row(
            escape(check), str(len(rows)), str(bad.count("error")), str(bad.count("warning"))
        )
    console.print(table)
    told: dict[str, int] = {}
    for row in found.failures:
        is_error = row.severity == "error"
        told[row.check] = told.get(row.check, 0) + (not is_error)
        if not is_error and told[row.check] > WARNINGS_TOLD:
            continue
        mark = "[bold red]FAILED[/]" if is_error else "[yellow]warning[/]"
        console.print(f"{mark} {escape(f'{row.check}: {row.subject}: {row.detail}')}")
    for check, count in told.items():
        if count > WARNINGS_TOLD:
            console.print(
                f"… {count - WARNINGS_TOLD} more warnings of {check}; --json lists them all"
            )
    console.print("[green]passed[/]" if found.passed else "[bold red]FAILED[/]")


QUIET_OVERRIDES = ("consensus.", "initial_cash", "costs.maker_fee", "margin.liquidation_fee")
"""Every sampled configuration has those; all are told of the one that differs."""


def _sampled(overrides: Sequence[str]) -> str:
    """What sets a sampled configuration apart, without its section names."""
    shown = [
        override.partition(".")[2]
        for override in overrides
        if not override.startswith(QUIET_OVERRIDES) and not override.endswith(("=null", "=false"))
    ]
    return " ".join(shown) or "as given"


def print_parity(found: "ParityReport", console: Console) -> None:
    """A row for each configuration, and of the first that differs all that is needed to repeat it."""
    table = table_of(
        None,
        [
            ("no.", "right"),
            ("around the given one", "left"),
            ("trades", "right"),
            ("final equity", "right"),
            ("numbers", "right"),
            ("", "left"),
        ],
    )
    for row in found.rows:
        table.add_row(
            str(row.configuration),
            escape(_sampled(row.overrides)),
            f"{row.trades:,}",
            f"{row.final_equity:,.2f}",
            str(row.compared),
            "[green]equal[/]" if row.difference is None else "[bold red]DIFFERS[/]",
        )
    console.print(table)
    first = found.first_difference
    if first is not None:
        console.print(
            f"[bold red]FAILED[/] configuration {first.configuration}: "
            f"{escape(str(first.difference))}"
        )
        for override in first.overrides:
            console.print(f"  -s {escape(override)}", soft_wrap=True)
        return
    trades = sum(row.trades for row in found.rows)
    console.print(
        f"[green]passed[/]: {len(found.rows)} configurations, {trades:,} trades, "
        f"{sum(row.compared for row in found.rows):,} numbers equal to the last bit"
    )
