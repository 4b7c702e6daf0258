"""``ninefold draw CONFIG --head NAME``."""

import re
from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_STORE, AsJson, ConfigPath, EventTypes, Overrides, StorePath, time_given
from .output import kernel_progress, print_json


def draw(
    config: ConfigPath,
    head: Annotated[str, typer.Option("--head", help="Whose events and votes: one head a page.")],
    overrides: Overrides = None,
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="SYMBOL", help="Where the configuration has several."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="First bar drawn; 300 bars unless given."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="TIME", help="Last close drawn; that of the data."),
    ] = None,
    types: EventTypes = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Default: SYMBOL-HEAD.html in this folder."),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show the page in a browser.")] = False,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Draw one head's events, zones and votes on the chart of prices: one HTML page."""
    from .. import load_config
    from ..drawing.draw import draw as drawn

    page = drawn(
        load_config(config, overrides or ()),
        head=head,
        symbol=symbol,
        start_ns=time_given(start, "--from"),
        end_ns=time_given(end, "--to"),
        types=types or (),
        store=store,
        progress=kernel_progress(quiet=as_json),
    )
    path = page.write(out or Path(f"{_file_name(page.symbol)}-{page.head}.html"))
    if open_:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    if as_json:
        marked = sum(one.is_marked for one in page.picture.events)
        print_json(
            {
                "path": str(path),
                "symbol": page.symbol,
                "head": page.head,
                "bars": len(page.window),
                "events": marked,
                "zones_from_before": len(page.picture.events) - marked,
            }
        )
        return
    typer.echo(str(path))


def _file_name(symbol: str) -> str:
    """The symbol as a part of a file's name: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", symbol).lstrip(".") or "symbol"
