"""A comparison as terminal tables that fit 80 columns."""

from typing import Final

from rich.console import Console
from rich.markup import escape

from ..formats import counted, formatted, metric_label, signed
from ..tables import table_of
from .comparison import Comparison, value_text
from .labels import headline_rows, interval_of, interval_text, label, sentence, units_of

BESIDE: Final = 3
"""Runs whose values stand beside each other; those of more stand under each other."""


def print_comparison(found: Comparison, console: Console) -> None:
    """Configurations, inputs, metrics; each of the others against the first."""
    for number, record in enumerate(found.records):
        console.print(f"{label(number)}  {escape(record.run_id)}", soft_wrap=True)
    _print_config(found, console)
    for part in ("data", "code", "versions"):
        _print_part(found, part, console)
    _print_metrics(found, console)
    console.print(sentence(found))


def _print_config(found: Comparison, console: Console) -> None:
    if not found.config:
        console.print("configuration: equal")
        return
    count = len(found.records)
    if count <= BESIDE:
        columns = [("key", "left"), *((label(number), "left") for number in range(count))]
        table = table_of("configuration", columns)
        for row in found.config:
            table.add_row(escape(row.key), *(escape(value_text(value)) for value in row.values))
    else:
        table = table_of("configuration", [("key", "left"), ("", "left"), ("value", "left")])
        for row in found.config:
            for number, value in enumerate(row.values):
                key = escape(row.key) if number == 0 else ""
                table.add_row(key, label(number), escape(value_text(value)))
    console.print(table)


def _print_part(found: Comparison, part: str, console: Console) -> None:
    differing = [
        f"{label(1 + number)} differs from A in {counted(len(rows), 'place')} "
        f"({', '.join(row.key for row in rows[:3])}{', …' if len(rows) > 3 else ''})"
        for number, one in enumerate(found.differences)
        if (rows := getattr(one, part))
    ]
    told = "; ".join(differing) or "equal"
    console.print(f"{part}: {escape(told)}")


def _print_metrics(found: Comparison, console: Console) -> None:
    rows, units = headline_rows(found), units_of(found)
    if not rows:
        console.print("metrics: equal")
        return
    for other in range(1, len(found.records)):
        name = label(other)
        table = table_of(
            f"{name} against A",
            [("metric", "left"), ("A", "right"), (name, "right"), (f"{name} - A", "right"),
             ("95 % of the difference", "right")],
        )  # fmt: skip
        for metric, values in rows:
            unit, own, its = units[metric], values[0], values[other]
            change = None if own is None or its is None else its - own
            interval = interval_of(found, other, metric)
            table.add_row(
                metric_label(metric, unit),
                formatted(own, unit),
                formatted(its, unit),
                signed(change, unit),
                "" if interval is None else interval_text(interval, unit),
            )
        console.print(table)
