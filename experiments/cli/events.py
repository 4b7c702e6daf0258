"""``ninefold events CONFIG``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DEFAULT_STORE, AsJson, ConfigPath, EventTypes, Overrides, StorePath, time_given
from .output import kernel_progress, print_json, stdout

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 20
"""Rows that the terminal shows unless ``--limit`` says otherwise."""


def events(
    config: ConfigPath,
    overrides: Overrides = None,
    head: Annotated[
        list[str] | None, typer.Option("--head", help="Events of this head only. Repeatable.")
    ] = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="This symbol only. Repeatable.")
    ] = None,
    types: EventTypes = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Events that became known from this time on."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Nothing that became known after this time."),
    ] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="The changes of their states instead.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Rows that the terminal shows.")
    ] = SHOWN,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write all of them as .parquet or .csv."),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """List what the heads' detectors find, each event with the time at which it was known."""
    from .. import load_config
    from ..events.found import found_events
    from ..events.table import changes_table, check_name, events_table, write_table
    from ..events.terminal import print_changes, print_events

    if out is not None:
        check_name(out)
    found = found_events(
        load_config(config, overrides or ()),
        store=store,
        heads=head or (),
        symbols=symbol or (),
        types=types or (),
        start_ns=time_given(start, "--from"),
        end_ns=time_given(end, "--to"),
        progress=kernel_progress(),
    )
    listed = events_table(found)
    moved = changes_table(found) if changes else None
    if out is not None:
        write_table(out, listed if moved is None else moved)
    if as_json:
        print_json(_facts(listed, moved, out))
    elif moved is None:
        print_events(found, listed, stdout(), limit=limit)
    else:
        print_changes(found, listed, moved, stdout(), limit=limit)
    if out is not None and not as_json:
        typer.echo(str(out))


def _facts(events: "pa.Table", changes: "pa.Table | None", out: Path | None) -> dict[str, Any]:
    import json

    from ..events.table import FACTS_KEY, plain
    from ..events.terminal import counted

    facts: dict[str, Any] = json.loads(events.schema.metadata[FACTS_KEY])
    facts["counts"] = counted(events)
    if out is not None:
        return {**facts, "path": str(out)}
    name, table = ("events", events) if changes is None else ("changes", changes)
    return {**facts, name: [plain(row) for row in table.to_pylist()]}
