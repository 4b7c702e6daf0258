"""The summary of a run in a terminal: what matters first, then what warns, then where the rest is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .firing import SYMBOLS_APART, over_symbols
from .formats import counted, formatted, is_of_equity, is_silent, metric_label, spoken
from .notes import grouped_notes
from .record import REPORT_NAME, RunRecord
from .report.reading import RunReading
from .report.run_page import verdict_texts
from .sparkline import sparkline
from .tables import table_of

SPARKLINE_WIDTH: Final = 60
"""Characters of the curve of equity."""
WHOLE_MONEY: Final = 1_000.0
"""From this amount on equity is told without decimals."""
FIRST: Final = (
    ("total return", "total_return"),
    ("Sharpe", "sharpe"),
    ("max drawdown", "max_drawdown"),
    ("trades", "trades"),
    ("time in market", "exposure"),
)
"""The five metrics that matter first, under these headings."""
BRIEF: Final = (
    "annual_return",
    "annual_volatility",
    "win_rate",
    "profit_factor",
    "return_before_costs",
    "fees",
    "spread",
    "impact",
    "funding",
    "borrow",
    "shortfall",
    "orders_rejected",
    "orders_cut",
    "ambiguous_exits",
    "unresolved_bars",
    "liquidations",
)
"""Metrics that are shown beneath; what counts a mishap is left out while it is zero."""
HEADLINES: Final = (
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
"""Metrics that ``--verbose`` shows; the report has all of them."""


def print_run(record: RunRecord, console: Console, *, verbose: bool = False) -> None:
    """Summary of one run: the verdict, the numbers that matter first, equity as a line, what warns.

    ``verbose`` adds more metrics and how often each head spoke on each symbol. No line is longer than
    the console is wide, but those of the paths at the end. DataError when the table of equity is
    missing or was changed.
    """
    content = record.content
    is_many = len(content["symbols"]) > SYMBOLS_APART and not verbose
    symbols = f"{len(content['symbols'])} symbols" if is_many else ", ".join(content["symbols"])
    console.print(
        f"[bold]{escape(content['name'])}[/]  {escape(symbols)}  {content['timeframe']}, "
        f"{counted(content['bars'], 'bar')}\n{content['start_time']} to {content['end_time']} UTC"
    )
    for override in content["overrides"]:
        console.print(f"override  -s {escape(override)}")
    console.print()
    for text, style in zip(verdict_texts(RunReading(record)), ("bold", "yellow"), strict=True):
        for line in text.paragraphs:
            console.print(f"[{style}]{escape(line)}[/]")
    console.print(_first_table(content))
    _print_equity(record, console)
    console.print(_metric_table(content, HEADLINES if verbose else BRIEF))
    if verbose:
        for firing in content["firing"]:
            console.print(_firing_table(firing))
            console.print(_gates(firing))
    else:
        firings = content["firing"]
        together = over_symbols(firings) if len(firings) > 1 else firings[0]
        if content["decisions_from"] == "consensus":
            console.print(_gates(together))
            for line in _odd_heads(together):
                console.print(line)
        else:
            decided = counted(together["decisions"], "decision")
            console.print(
                f"{decided} from {escape(content['decisions_from'])}; what the heads vote decides nothing"
            )
    notes = content["notes"]
    for note in notes if verbose else grouped_notes(notes, content["symbols"]):
        console.print(f"note: {escape(note)}")
    if not verbose:
        console.print("more metrics, and how often each head spoke: --verbose, or the report")
    console.print(f"run     {escape(str(record.run_dir))}", soft_wrap=True)
    console.print(f"report  {escape(str(record.run_dir / REPORT_NAME))}", soft_wrap=True)


def _first_table(content: Mapping[str, Any]) -> Table:
    table = table_of(None, [("", "left"), *((heading, "right") for heading, _ in FIRST)])
    units, groups = content["metric_units"], content["metric_groups"]

    def cells(values: Mapping[str, Any], names: Iterable[str]) -> list[str]:
        return [formatted(values[name], units[name]) for name in names]

    names = [name for _, name in FIRST]
    table.add_row("run", *cells(content["metrics"], names), style="bold")
    of_equity = [name for name in names if is_of_equity(groups[name])]
    held = dict(zip(of_equity, cells(content["benchmark_metrics"], of_equity), strict=True))
    table.add_row(_held(content), *(held.get(name, "") for name in names))
    return table


def _print_equity(record: RunRecord, console: Console) -> None:
    table = record.table("equity")
    equity = table["equity"].to_numpy()
    start = float(record.content["config"]["initial_cash"])
    drawn = sparkline(
        equity,
        min(SPARKLINE_WIDTH, console.width - len("equity  ")),
        ascii_only=console.options.ascii_only,
    )
    if len(equity) > 1:
        console.print(f"equity  {drawn}", markup=False)
    lowest = int(np.argmin(equity))
    when = table["time"][lowest].as_py()
    text = f"equity  {_money(start)} to {_money(float(equity[-1]))}"
    if equity[lowest] < start:
        text += f"; lowest {_money(float(equity[lowest]))} on {when:%Y-%m-%d}"
    else:
        text += "; never below the start"
    console.print(text, markup=False)


def _money(value: float) -> str:
    """An amount in the settlement currency: four digits at least, for accounts in coins."""
    return f"{value:,.0f}" if abs(value) >= WHOLE_MONEY else f"{value:.4g}"


def _held(content: Mapping[str, Any]) -> str:
    """What the benchmark did: inverse contracts are measured in coins, which are kept."""
    is_inverse = content["config"]["margin"]["contract"] == "inverse"
    return "coins kept" if is_inverse else "buy & hold"


def _metric_table(content: Mapping[str, Any], names: Sequence[str]) -> Table:
    table = table_of(None, [("metric", "left"), ("run", "right"), (_held(content), "right")])
    for name in names:
        unit, value = content["metric_units"][name], content["metrics"][name]
        if is_silent(name, value):
            continue
        held = content["benchmark_metrics"][name]
        table.add_row(
            metric_label(name, unit),
            formatted(value, unit),
            formatted(held, unit) if is_of_equity(content["metric_groups"][name]) else "",
        )
    return table


def _firing_table(firing: Mapping[str, Any]) -> Table:
    table = table_of(
        f"{escape(firing['symbol'])}: shares of {counted(firing['bars'], 'bar')}",
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
            escape(spoken(head["name"]) + ("" if head["enabled"] else " (off)")),
            f"{head['present']:.1%}",
            f"{head['coverage']:.2f}",
            f"{head['voted']:.1%}",
            f"{low:.1%}-{high:.1%}",
            f"{head['valid']:.1%}",
        )
    return table


def _odd_heads(firing: Mapping[str, Any]) -> list[str]:
    """Heads that are off, and heads that vote on more or fewer bars than they state."""
    off = [spoken(head["name"]) for head in firing["heads"] if not head["enabled"]]
    odd = [
        f"{spoken(head['name'])} {head['voted']:.1%} (expected {head['expected'][0]:.1%}-"
        f"{head['expected'][1]:.1%})"
        for head in firing["heads"]
        if head["enabled"]
        and head["present"]
        and not head["expected"][0] <= head["voted"] <= head["expected"][1]
    ]
    lines = []
    if off:
        lines.append(f"heads that are off: {escape(', '.join(off))}")
    if odd:
        lines.append(
            f"heads that vote on more or fewer bars than expected: {escape(', '.join(odd))}"
        )
    return lines


def _gates(firing: Mapping[str, Any]) -> str:
    gates = dict(firing["gates"])
    stands = gates.pop("stands")
    stopped = ", ".join(
        f"{spoken(name)} {count:,}"
        for name, count in sorted(gates.items(), key=lambda gate: -gate[1])
        if count
    )
    return (
        f"{escape(firing['symbol'])}: consensus stood on {stands:,} of {counted(firing['bars'], 'bar')}"
        f"{f', stopped first by: {stopped}' if stopped else ''}; decisions "
        f"{firing['decisions']:,}"
    )
