"""What the store holds and what an import did, for the terminal and for JSON."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape

from datasets import DatasetInfo, ImportReport, time_text

from .tables import table_of

if TYPE_CHECKING:
    import pandas as pd

LINES_SHOWN = 5


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
        "dropped": list(report.dropped),
        "notes": list(report.notes),
    }


def print_import(report: ImportReport, console: Console) -> None:
    """What one file brought: rows, period, gaps, rows left out."""
    console.print(
        f"[bold]{escape(str(report.key))}[/]\n  {report.rows} rows ({report.added_rows} new), "
        f"{time_text(report.first_ns)} to {time_text(report.last_ns)}, {report.gaps} gaps "
        f"({report.missing_rows} bars missing)",
        soft_wrap=True,
    )
    for title, lines in (("left out", report.dropped), ("note", report.notes)):
        for line in lines[:LINES_SHOWN]:
            console.print(f"  {title}: {escape(line)}", soft_wrap=True)
        if len(lines) > LINES_SHOWN:
            console.print(f"  … {len(lines) - LINES_SHOWN} more; --json lists them all")


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
    """A table for each kind and step, one line for each data set."""
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
        for info in infos:
            if (info.key.kind, info.key.step) == (kind, step):
                table.add_row(
                    escape(f"{info.key.venue}/{info.key.market}/{info.key.symbol}"),
                    escape(info.key.source),
                    str(info.rows),
                    time_text(info.first_ns)[:10],
                    time_text(info.last_ns)[:10],
                    str(len(info.gaps)),
                )
        console.print(table)
    if not infos:
        console.print("the store is empty; `ninefold data import` or `ninefold data simulate`")


def frame_content(frame: "pd.DataFrame") -> dict[str, Any]:
    """A query's answer: column names and rows of plain JSON values."""
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [[_plain(value) for value in row] for row in frame.itertuples(index=False)],
    }


def print_frame(frame: "pd.DataFrame", console: Console, limit: int) -> None:
    """A query's answer as a table of at most ``limit`` rows."""
    table = table_of(None, [(str(name), "left") for name in frame.columns])
    for row in frame.head(limit).itertuples(index=False):
        table.add_row(*(escape(_shown(value)) for value in row))
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
