"""Differences and verifications of runs as terminal tables that fit 80 columns."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from ..formats import formatted, metric_label
from ..run_tables import HEADLINES
from ..tables import table_of
from .difference import ConfigDifference, Difference, RunDifference
from .table_difference import value_text
from .verification import Verification

MOST_ITEMS: Final = 3
"""Items of a list that one run alone has, as far as the terminal shows them."""
IS_DIGEST: Final = re.compile(r"[0-9a-f]{40,64}")
DIGITS: Final = 12
"""Leading digits of a digest that the terminal shows."""


def print_difference(found: RunDifference, console: Console) -> None:
    """What differs between two runs: configuration, data, code, versions, metrics, tables."""
    first, second = found.first, found.second
    for label, record in (("A", first), ("B", second)):
        console.print(f"{label}  {escape(record.run_id)}", soft_wrap=True)
    if found.is_empty:
        console.print("[green]the two runs are equal[/] in everything but their names and moments")
        return
    if found.config:
        table = table_of("configuration", [("key", "left"), ("A", "left"), ("B", "left")])
        for row in found.config:
            table.add_row(escape(row.key), *map(escape, _config_values(row)))
        console.print(table)
    else:
        console.print("configuration: equal")
    for title, rows in (("data", found.data), ("code", found.code), ("versions", found.versions)):
        _print_rows(title, rows, console)
    _print_metrics(found, console)
    tables = ", ".join(found.tables) or "none"
    console.print(f"tables that differ: {escape(tables)}")


def print_verification(found: Verification, console: Console) -> None:
    """What was compared, what explains a difference, and the outcome."""
    table = table_of(None, [("compared", "left"), ("", "left"), ("first difference", "left")])
    for row in found.rows:
        mark = "[green]equal[/]" if row.is_equal else "[bold red]DIFFERS[/]"
        table.add_row(escape(row.subject), mark, escape(row.detail))
    console.print(table)
    for note in found.notes:
        console.print(f"note: {escape(note)}")
    bad = sum(not row.is_equal for row in found.rows)
    name = escape(found.record.run_id)
    if found.passed:
        console.print(f"[green]passed[/]: {name} says again what it said", soft_wrap=True)
    else:
        console.print(f"[bold red]FAILED[/]: {name} differs in {bad} places", soft_wrap=True)


def difference_json(found: RunDifference) -> dict[str, Any]:
    """A difference as plain values, complete."""
    from dataclasses import asdict

    parts = ("config", "data", "code", "versions", "metrics", "benchmark_metrics")
    return {
        "first": found.first.run_id,
        "second": found.second.run_id,
        "equal": found.is_empty,
        **{part: [asdict(row) for row in getattr(found, part)] for part in parts},
        "tables": list(found.tables),
    }


def _config_values(row: ConfigDifference) -> tuple[str, str]:
    return (
        f"{json.dumps(row.first)} ({row.first_from})",
        f"{json.dumps(row.second)} ({row.second_from})",
    )


def _print_rows(title: str, rows: Sequence[Difference], console: Console) -> None:
    if not rows:
        console.print(f"{title}: equal")
        return
    table = table_of(title, [("", "left"), ("A", "left"), ("B", "left")])
    for row in rows:
        table.add_row(escape(row.key), *map(escape, _values(row)))
    console.print(table)


def _values(row: Difference) -> tuple[str, str]:
    """Both values; of two lists what only one of them holds."""
    if not isinstance(row.first, list) or not isinstance(row.second, list):
        return _short(row.first), _short(row.second)
    return (
        _only([item for item in row.first if item not in row.second]),
        _only([item for item in row.second if item not in row.first]),
    )


def _only(items: Sequence[Any]) -> str:
    more = f" and {len(items) - MOST_ITEMS} more" if len(items) > MOST_ITEMS else ""
    shown = ", ".join(map(_short, items[:MOST_ITEMS]))
    return f"only here: {shown}{more}" if items else ""


def _short(value: Any) -> str:
    if isinstance(value, str):
        return value[:DIGITS] if IS_DIGEST.fullmatch(value) else value
    return json.dumps(value)


def _print_metrics(found: RunDifference, console: Console) -> None:
    if not found.metrics:
        console.print("metrics: equal")
        return
    units: Mapping[str, str] = {
        **found.second.content["metric_units"],
        **found.first.content["metric_units"],
    }
    shown = [row for row in found.metrics if row.key in HEADLINES]
    table = table_of(
        "metrics", [("metric", "left"), ("A", "right"), ("B", "right"), ("B - A", "right")]
    )
    for row in sorted(shown, key=lambda row: HEADLINES.index(row.key)):
        table.add_row(metric_label(row.key, units[row.key]), *_sides(row, units[row.key]))
    if shown:
        console.print(table)
    rest = len(found.metrics) - len(shown)
    if rest:
        console.print(f"{rest} more metrics differ; --json has them all")


def _sides(row: Difference, unit: str) -> Iterable[str]:
    """Both values and their difference; with every digit where rounding would hide it."""
    a, b = formatted(row.first, unit), formatted(row.second, unit)
    if a == b:
        a, b = value_text(row.first), value_text(row.second)
    if row.first is None or row.second is None:
        return a, b, ""
    change = row.second - row.first
    return a, b, formatted(change, unit) if unit != "flag" else ""
