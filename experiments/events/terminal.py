"""Events on a terminal of 80 columns: how many of each type, and the newest."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from rich.markup import escape

from ..formats import spoken
from ..tables import table_of
from .found import HeadEvents

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SIGNS: Final = {1: "[green]+[/]", -1: "[red]-[/]", 0: ""}
"""How a direction is shown."""
TIME_FORMAT: Final = "%Y-%m-%d %H:%M"


def counted(events: pa.Table) -> list[dict[str, Any]]:
    """How many events of each head and type: all, rising, falling, over; in order of appearance."""
    if not len(events):
        return []
    flags = pa.table(
        {
            "head": events["head"],
            "type": events["type"],
            "rising": pc.equal(events["direction"], 1).cast(pa.int64()),
            "falling": pc.equal(events["direction"], -1).cast(pa.int64()),
            "over": events["is_over"].cast(pa.int64()),
        }
    )
    sums = flags.group_by(["head", "type"], use_threads=False).aggregate(
        [([], "count_all"), ("rising", "sum"), ("falling", "sum"), ("over", "sum")]
    )
    return [
        {"head": row["head"], "type": row["type"], "events": row["count_all"]}
        | {name: row[f"{name}_sum"] for name in ("rising", "falling", "over")}
        for row in sums.to_pylist()
    ]


def print_events(
    found: Sequence[HeadEvents], events: pa.Table, console: "Console", *, limit: int
) -> None:
    """Counts by head and type, then the ``limit`` newest events, the newest last."""
    _print_counts(found, events, console)
    if not len(events):
        return
    table = table_of(
        "the newest by the close at which they became known (UTC)",
        [
            ("known", "left"),
            ("event", "left"),
            ("", "left"),
            ("bars late", "right"),
            ("levels", "right"),
            ("state", "left"),
        ],
    )
    several = _several(found)
    shown = newest(events, "known_time", limit)
    for row in shown.to_pylist():
        table.add_row(
            f"{row['known_time']:{TIME_FORMAT}}",
            _name(row, several),
            SIGNS[row["direction"]],
            str(row["delay"]),
            _levels(row["bottom"], row["top"]),
            escape(row["state"] or ""),
        )
    _print_newest(table, "events", len(events) - len(shown), console)


def print_changes(
    found: Sequence[HeadEvents],
    events: pa.Table,
    changes: pa.Table,
    console: "Console",
    *,
    limit: int,
) -> None:
    """Counts by head and type, then the ``limit`` newest changes of state, the newest last."""
    _print_counts(found, events, console)
    if not len(changes):
        if len(events):
            console.print("none of these events has changed its state")
        return
    table = table_of(
        "the newest changes of state (UTC)",
        [
            ("time", "left"),
            ("event", "left"),
            ("", "left"),
            ("known since", "left"),
            ("state", "left"),
        ],
    )
    several = _several(found)
    shown = newest(changes, "time", limit)
    for row in shown.to_pylist():
        table.add_row(
            f"{row['time']:{TIME_FORMAT}}",
            _name(row, several),
            SIGNS[row["direction"]],
            f"{row['known_time']:{TIME_FORMAT}}",
            escape(row["state"]),
        )
    _print_newest(table, "changes", len(changes) - len(shown), console)


def newest(table: pa.Table, column: str, limit: int) -> pa.Table:
    """The ``limit`` rows with the latest ``column``, the latest last; of equals the later row."""
    order = pc.sort_indices(table[column])
    return table.take(order[max(0, len(order) - limit) :])


def _print_counts(found: Sequence[HeadEvents], events: pa.Table, console: "Console") -> None:
    if not len(events):
        console.print("no event became known")
        return
    columns = ("events", "rising", "falling", "over")
    table = table_of(
        None, [("head", "left"), ("type", "left"), *((name, "right") for name in columns)]
    )
    head = ""
    for row in counted(events):
        shown = row["head"] if row["head"] != head else ""
        head = row["head"]
        numbers = (f"{row[name]:,}" for name in columns)
        table.add_row(escape(spoken(shown)), escape(row["type"]), *numbers)
    console.print(table)
    symbols = list(dict.fromkeys(one.symbol for one in found))
    told = ", ".join(symbols) if len(symbols) < 5 else f"{len(symbols)} symbols"
    console.print(
        f"{len(events):,} events of {escape(told)}; over: their story has ended (used up, broken or too "
        "old), and their state changes no more\n"
    )


def _several(found: Sequence[HeadEvents]) -> list[str]:
    """Which of symbol and head tell events apart."""
    return [name for name in ("symbol", "head") if len({getattr(one, name) for one in found}) > 1]


def _name(row: Mapping[str, Any], several: Sequence[str]) -> str:
    """What an event is, after whose it is; one on longer bars names them."""
    clock = row["clock"].partition(":")[2]
    words = [*(row[name] for name in several), row["type"], f"({clock})" if clock else ""]
    return escape(" ".join(words).strip())


def _print_newest(table: "Table", what: str, hidden: int, console: "Console") -> None:
    """Print a table whose events alone may fold, and how many older rows it leaves out."""
    for column in table.columns:
        column.no_wrap = column.header != "event"
    console.print(table)
    if hidden:
        console.print(
            f"{hidden:,} older {what} are not shown; --limit N shows more, --out FILE.parquet "
            "or .csv and --json have all of them"
        )


def _levels(bottom: float | None, top: float | None) -> str:
    if bottom is None or top is None:
        return ""
    return f"{top:.6g}" if bottom == top else f"{bottom:.6g}-{top:.6g}"
