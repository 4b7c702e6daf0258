"""Feature matrices, and what an indicator is, on a terminal of 80 columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from .features.describe import NAN_RULES, Description, family_of
from .tables import table_of

if TYPE_CHECKING:
    from rich.console import Console

    from indicators import Indicator

    from .features.build import BuiltMatrix

NAMES_TOLD = 4
"""Columns of one matrix that a note names."""


def print_matrices(
    matrices: Sequence["BuiltMatrix"], console: "Console", *, with_columns: bool
) -> None:
    """What was computed and what was reused, where it lies, what is absent, and what stays warming up."""
    table = table_of(
        None,
        [
            ("symbol", "left"),
            ("step", "left"),
            ("rows", "right"),
            ("columns", "right"),
            ("computed", "right"),
            ("reused", "right"),
            ("absent", "right"),
            ("seconds", "right"),
        ],
    )
    for one in matrices:
        counts = (one.rows, len(one.columns), one.computed, one.reused, len(one.absent))
        table.add_row(
            escape(one.symbol), one.timeframe, *(f"{n:,}" for n in counts), f"{one.seconds:.2f}"
        )
    console.print(table)
    if with_columns:
        for one in matrices:
            _print_columns(one, console)
    for note in _notes(matrices):
        console.print(f"note: {escape(note)}")
    pruned = sum(one.pruned for one in matrices)
    if pruned:
        console.print(f"pruned: {pruned} older matrices")
    for one in matrices:
        console.print(escape(str(one.path)), soft_wrap=True)


def _print_columns(matrix: "BuiltMatrix", console: "Console") -> None:
    table = table_of(
        f"{escape(matrix.symbol)} {matrix.timeframe}: warm-up in rows of {matrix.rows:,}",
        [("column", "left"), ("type", "left"), ("lookback", "right"), ("stable", "right")],
    )
    for one in matrix.columns:
        table.add_row(escape(one.name), one.dtype, _rows(one.lookback), _rows(one.stable))
    console.print(table)


def _notes(matrices: Sequence["BuiltMatrix"]) -> Iterable[str]:
    """What is to be known about matrices; what several share is said once."""
    owners: dict[str, list[str]] = {}
    for one in matrices:
        for text in _notes_of(one):
            owners.setdefault(text, []).append(f"{one.symbol} {one.timeframe}")
    for text, names in owners.items():
        yield f"{_few(names)}: {text}"


def _notes_of(matrix: "BuiltMatrix") -> Iterable[str]:
    reasons: dict[str, list[str]] = {}
    for absence in matrix.absent:
        reasons.setdefault(absence.reason, []).append(str(absence.feature))
    for reason, features in reasons.items():
        yield f"{reason}; left out: {_few(features)}"
    if matrix.warming_up:
        columns = [f"{each.name} ({_settled(each.stable)})" for each in matrix.warming_up]
        yield (
            f"{len(columns)} of the columns would differ on all of the {matrix.rows:,} rows, had the data "
            f"begun elsewhere; bars until they would not: {_few(columns)}"
        )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return ", ".join(names[:NAMES_TOLD]) + more


def _rows(count: int | None) -> str:
    return "beyond" if count is None else f"{count:,}"


def _settled(stable: int | None) -> str:
    return "more than there are" if stable is None else f"{stable:,}"


def print_indicators(indicators: Iterable["Indicator"], console: "Console") -> None:
    """One line for each indicator, by family."""
    table = table_of(None, [("indicator", "left"), ("family", "left"), ("what it is", "left")])
    for one in indicators:
        table.add_row(escape(one.name), escape(family_of(one)), escape(one.text))
    console.print(table)


def print_description(description: Description, console: "Console") -> None:
    """Definition, formula, parameters, outputs, warm-up, and when a row is known."""
    facts = description.facts()
    console.print(f"[bold]{escape(facts['name'])}[/]  {escape(facts['home'])}")
    console.print(escape(facts["text"]))
    for name, text in facts["formulas"].items():
        console.print(f"\n[bold]{escape(name)}[/]\n{escape(text)}")
    if facts["parameters"]:
        console.print(_parameters(facts["parameters"]))
    table = table_of(
        None,
        [("output", "left"), ("kind", "left"), ("unit", "left"), ("range", "left"), ("", "left")],
    )
    for one in facts["outputs"]:
        table.add_row(one["name"], one["kind"], escape(one["unit"]), _range(one), _told(one))
    console.print(table)
    for kind in dict.fromkeys(one["kind"] for one in facts["outputs"]):
        console.print(f"{kind}: {NAN_RULES[kind]}")
    only = f", on clock {facts['only_clock']} only" if facts["only_clock"] else ""
    console.print(f"reads {escape(', '.join(facts['inputs']))}{escape(only)}")
    console.print(f"known {escape(facts['known'])}")
    console.print(
        f"lookback {facts['lookback']:,}, stable {facts['stable']:,} rows of clock {facts['clock']}"
    )


def _parameters(parameters: Sequence[Mapping[str, Any]]) -> Any:
    table = table_of(
        None,
        [("parameter", "left"), ("value", "right"), ("default", "right"), ("range", "left")],
    )
    for one in parameters:
        whole = ", whole" if one["whole"] else ""
        bounds = f"{one['low']:g} to {one['high']:g}{whole}"
        table.add_row(one["name"], f"{one['value']:g}", f"{one['default']:g}", bounds)
    return table


def _range(output: Mapping[str, Any]) -> str:
    low, high = output["low"], output["high"]
    if low == -high and high == float("inf"):
        return "any"
    return f"{low:g} to {high:g}"


def _told(output: Mapping[str, Any]) -> str:
    text: str = escape(output["text"])
    if output["firing_rate"]:
        low, high = output["firing_rate"]
        text += f"; expected on {low:.2%} to {high:.2%} of hourly bars"
    return text
