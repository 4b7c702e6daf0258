"""What the store holds and what an import did, for the terminal and for JSON."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from datasets import DatasetInfo, Finding, ImportReport, Kind, time_text
from datasets.importers.format import Format
from datasets.kinds import EVENT_STEP
from datasets.kinds.text import availability_text, column_text, duration_text

from .formats import counted
from .tables import table_of

if TYPE_CHECKING:
    import pandas as pd

LINES_SHOWN = 5
DATASETS_SHOWN = 8
"""An import of more data sets than this is summed up."""


def import_content(report: ImportReport) -> dict[str, Any]:
    """One import as plain JSON values."""
    return {
        "path": str(report.path),
        "format": report.format,
        "dataset": str(report.key),
        "rows": report.rows,
        "added_rows": report.added_rows,
        "first_time": time_text(report.first_ns),
        "last_time": time_text(report.last_ns),
        "gaps": report.gaps,
        "missing_rows": report.missing_rows,
        "findings": [finding.to_json() for finding in report.findings],
        "conflicts": [str(conflict) for conflict in report.conflicts],
    }


def print_imports(reports: Sequence[ImportReport], console: Console) -> None:
    """What one file brought: each data set, or a summary where they are many."""
    if len(reports) <= DATASETS_SHOWN:
        for report in reports:
            print_import(report, console)
        return
    path, kinds = reports[0].path, dict.fromkeys(report.key.kind for report in reports)
    console.print(f"[bold]{escape(str(path))}[/]", soft_wrap=True)
    _print_indented(
        f"{counted(len(reports), 'data set')} of {', '.join(kinds)}, "
        f"{counted(sum(r.rows for r in reports), 'row')} ({sum(r.added_rows for r in reports):,} new), "
        f"{time_text(min(r.first_ns for r in reports))} to "
        f"{time_text(max(r.last_ns for r in reports))}, {counted(sum(r.gaps for r in reports), 'gap')} "
        f"({counted(sum(r.missing_rows for r in reports), 'row')} missing)",
        console,
    )
    found: dict[str, list[tuple[ImportReport, Finding]]] = {}
    for report in reports:
        for finding in report.findings:
            found.setdefault(finding.defect, []).append((report, finding))
    for defect, pairs in found.items():
        report, finding = pairs[0]
        rows = counted(sum(one.count for _, one in pairs), "row")
        _print_indented(
            f"[bold]{defect}[/]: {rows} in {counted(len(pairs), 'finding')}, such as "
            f"{escape(report.key.symbol)}: {escape(finding.message)}",
            console,
        )
    conflicts = [conflict for report in reports for conflict in report.conflicts]
    if conflicts:
        _print_indented(
            f"[bold]conflict[/]: {len(conflicts):,}, such as {escape(str(conflicts[0]))}", console
        )
    console.print("  [dim]--json lists every data set and every finding[/]")


def print_import(report: ImportReport, console: Console) -> None:
    """What one file brought: rows, period, gaps, and everything that was found wrong."""
    console.print(f"[bold]{escape(str(report.key))}[/]", soft_wrap=True)
    _print_indented(
        f"{counted(report.rows, 'row')} ({report.added_rows:,} new), {time_text(report.first_ns)} to "
        f"{time_text(report.last_ns)}, {counted(report.gaps, 'gap')} "
        f"({counted(report.missing_rows, 'bar')} missing)",
        console,
    )
    for finding in report.findings:
        _print_indented(f"[bold]{finding.defect}[/]: {escape(finding.message)}", console)
        for line in finding.lines[:LINES_SHOWN]:
            console.print(f"    {escape(line)}", soft_wrap=True)
        if finding.count > LINES_SHOWN < len(finding.lines):
            console.print(f"    … {finding.count - LINES_SHOWN:,} more; --json lists them")
    for conflict in report.conflicts[:LINES_SHOWN]:
        _print_indented(f"[bold]conflict[/]: {escape(str(conflict))}", console)


def _print_indented(text: str, console: Console) -> None:
    console.print(Padding(text, (0, 0, 0, 2)))


def format_content(one: Format) -> dict[str, Any]:
    """One file format as plain JSON values."""
    return {
        "name": one.name,
        "title": one.title,
        "kinds": list(one.kinds),
        "recognised_by": one.hint,
        "holds": one.holds,
    }


def print_formats(formats: Iterable[Format], console: Console) -> None:
    """Every file format: its name, what it holds, how it is recognised."""
    for one in formats:
        console.print(f"[bold]{one.name}[/]  {escape(one.title)} → {', '.join(one.kinds)}")
        console.print(f"  recognised by {escape(one.hint)}", style="dim")


def kind_content(kind: Kind) -> dict[str, Any]:
    """One kind of data as plain JSON values."""
    return {
        "kind": kind.name,
        "title": kind.title,
        "time_column": kind.time_column,
        "row_key": list(kind.row_key),
        "native_step": kind.native_step,
        "usable_from": availability_text(kind),
        "availability_rule": kind.lag_source,
        "shown_for": duration_text(kind.max_age_ns),
        "columns": [
            {
                "name": column.name,
                "type": column.type,
                "unit": column.unit,
                "required": column.required,
                "words": list(column.words),
            }
            for column in kind.columns
        ],
    }


def print_kinds(kinds: Iterable[Kind], console: Console) -> None:
    """Every kind in a few lines: what it is, its step, when a row is known, its columns by unit."""
    for kind in kinds:
        console.print(f"[bold]{kind.name}[/]  {escape(kind.title)}")
        lines = [
            f"step {kind.native_step}, usable from {availability_text(kind)}: {kind.lag_source}"
        ]
        units: dict[str, list[str]] = {}
        for column in kind.columns:
            units.setdefault(column.unit, []).append(column_text(column))
        lines += [f"{', '.join(names)}: {unit}" for unit, names in units.items()]
        for line in lines:
            console.print(Padding(escape(line), (0, 0, 0, 2)))
    console.print(
        "[dim]`ninefold data kinds KIND` shows types and units; \\[columns] may be empty[/]"
    )


def print_kind(kind: Kind, console: Console) -> None:
    """One kind with its columns and rules."""
    console.print(f"[bold]{kind.name}[/]  {escape(kind.title)}")
    console.print(f"  rows told apart by {', '.join(kind.identity)}")
    console.print(f"  usable from {availability_text(kind)}: {escape(kind.lag_source)}")
    console.print(f"  shown for {duration_text(kind.max_age_ns)} after its time")
    table = table_of(None, [("column", "left"), ("type", "left"), ("unit or meaning", "left")])
    for column in kind.columns:
        words = f" ({', '.join(column.words)})" if column.words else ""
        table.add_row(escape(column_text(column)), column.type, escape(column.unit + words))
    console.print(table)


def dataset_content(info: DatasetInfo) -> dict[str, Any]:
    """One data set as plain JSON values."""
    return {
        "dataset": str(info.key),
        "rows": info.rows,
        "first_time": time_text(info.first_ns),
        "last_time": time_text(info.last_ns),
        "gaps": len(info.gaps),
        "missing_rows": info.missing_rows,
        "parts": len(info.parts),
        "sha256": info.sha256,
        "simulated": info.key.venue == "simulated",
        "provenance": [dict(entry) for entry in info.provenance],
    }


def print_datasets(infos: Iterable[DatasetInfo], console: Console) -> None:
    """A table for each kind and step, one line for each data set; rows of events have no gaps."""
    infos = tuple(infos)
    for kind, step in dict.fromkeys((info.key.kind, info.key.step) for info in infos):
        table = table_of(
            f"{kind} {step}",
            [
                ("instrument", "left"),
                ("source", "left"),
                ("rows", "right"),
                ("from", "left"),
                ("to", "left"),
                ("gaps", "right"),
            ],
        )
        table.columns[0].no_wrap = True
        for place in (2, 3, 4, 5):
            table.columns[place].no_wrap = True
        for info in infos:
            if (info.key.kind, info.key.step) == (kind, step):
                table.add_row(
                    escape(f"{info.key.venue}/{info.key.market}/{info.key.symbol}"),
                    escape(info.key.source),
                    f"{info.rows:,}",
                    time_text(info.first_ns)[:10],
                    time_text(info.last_ns)[:10],
                    "" if step == EVENT_STEP else f"{len(info.gaps):,}",
                )
        console.print(table)
    if not infos:
        console.print("no data sets; `ninefold data import`, `data fetch` or `data simulate`")


def frame_content(frame: "pd.DataFrame") -> dict[str, Any]:
    """A query's answer: column names and rows of plain JSON values."""
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [[_plain(value) for value in row] for row in frame.itertuples(index=False)],
    }


def print_frame(frame: "pd.DataFrame", console: Console, limit: int) -> None:
    """A query's answer: a table of at most ``limit`` rows, or one line per cell where it is too wide."""
    names = [str(name) for name in frame.columns]
    rows = [[_shown(value) for value in row] for row in frame.head(limit).itertuples(index=False)]
    widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)]
    if sum(widths) + 2 * len(widths) > console.width:
        for row in rows:
            for name, cell in zip(names, row, strict=True):
                console.print(f"{name:>{max(map(len, names))}}  {cell}", markup=False)
            console.print()
    else:
        table = table_of(None, [(name, "left") for name in names])
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    if len(frame) > limit:
        console.print(f"{limit} of {len(frame)} rows; --limit or --json show more")


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, bool | int | float | str):
        return value
    text = str(value)
    return None if text in ("NaT", "<NA>") else text


def _shown(value: Any) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    return f"{plain:.10g}" if isinstance(plain, float) else str(plain)
