"""Results as terminal tables that fit 80 columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .checks import CheckReport
from .diagnosis import Finding
from .firing import SYMBOLS_APART, over_symbols
from .formats import formatted, is_of_equity, is_silent, metric_label
from .notes import grouped_notes
from .record import REPORT_NAME, RunRecord
from .verdict import verdict

if TYPE_CHECKING:
    from .checks.parity import ParityReport

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


def print_run(record: RunRecord, console: Console, *, verbose: bool = False) -> None:
    """Summary of one run: what it was, what came out, how often the heads spoke.

    Many symbols share one table of heads, and notes that say the same of them are one, unless ``verbose``.
    """
    content = record.content
    is_brief = len(content["symbols"]) > SYMBOLS_APART and not verbose
    symbols = f"{len(content['symbols'])} symbols" if is_brief else ", ".join(content["symbols"])
    console.print(
        f"[bold]{escape(content['name'])}[/]  {escape(symbols)}  {content['timeframe']}, "
        f"{content['bars']} bars\n{content['start_time']} to {content['end_time']} UTC"
    )
    for override in content["overrides"]:
        console.print(f"override  -s {escape(override)}")
    for line in verdict(content):
        console.print(f"[yellow]{escape(line)}[/]")
    table = table_of(None, [("metric", "left"), ("run", "right"), ("buy & hold", "right")])
    for name in HEADLINES:
        unit, value = content["metric_units"][name], content["metrics"][name]
        if is_silent(name, value):
            continue
        held = content["benchmark_metrics"][name]
        table.add_row(
            metric_label(name, unit),
            formatted(value, unit),
            formatted(held, unit) if is_of_equity(content["metric_groups"][name]) else "",
        )
    console.print(table)
    for firing in [over_symbols(content["firing"])] if is_brief else content["firing"]:
        console.print(_firing(firing))
        console.print(_gates(firing))
    notes = content["notes"]
    for note in grouped_notes(notes, content["symbols"]) if is_brief else notes:
        console.print(f"note: {escape(note)}")
    if is_brief:
        console.print("of each symbol: the report, or `ninefold runs show --verbose`")
    console.print(f"run     {escape(str(record.run_dir))}", soft_wrap=True)
    console.print(f"report  {escape(str(record.run_dir / REPORT_NAME))}", soft_wrap=True)


HEADLINES = (
    "total_return",
    "annual_return",
    "annual_volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "longest_drawdown_bars",
    "exposure",
    "mean_gross_leverage",
    "turnover",
    "trades",
    "win_rate",
    "profit_factor",
    "payoff",
    "expectancy",
    "mean_bars_held",
    "return_before_costs",
    "fees",
    "spread",
    "impact",
    "funding",
    "borrow",
    "shortfall",
    "orders",
    "orders_rejected",
    "orders_cut",
    "ambiguous_exits",
    "unresolved_bars",
    "liquidations",
    "ruined",
)
"""Metrics that the terminal shows; the report has all of them."""


def _firing(firing: Mapping[str, Any]) -> Table:
    table = table_of(
        f"{escape(firing['symbol'])}: shares of {firing['bars']} bars",
        [
            ("head", "left"),
            ("has data", "right"),
            ("coverage", "right"),
            ("votes", "right"),
            ("expected", "right"),
            ("valid", "right"),
        ],
    )
    for head in firing["heads"]:
        low, high = head["expected"]
        table.add_row(
            head["name"] if head["enabled"] else f"{head['name']} (off)",
            f"{head['present']:.1%}",
            f"{head['coverage']:.2f}",
            f"{head['voted']:.1%}",
            f"{low:.1%}-{high:.1%}",
            f"{head['valid']:.1%}",
        )
    return table


def _gates(firing: Mapping[str, Any]) -> str:
    blocked = ", ".join(
        f"{name.replace('_', ' ')} {count}" for name, count in firing["gates"].items() if count
    )
    return (
        f"consensus, bars by outcome (stands, or the first gate that failed): {blocked}; "
        f"decisions {firing['decisions']}"
    )


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


def print_findings(findings: Iterable[Finding], console: Console) -> None:
    """One line for each finding of the doctor."""
    table = table_of(None, [("", "left"), ("check", "left"), ("found", "left")])
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]wrong[/]"
        table.add_row(mark, finding.name, escape(finding.text))
    console.print(table)


def print_check(found: CheckReport, console: Console) -> None:
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
