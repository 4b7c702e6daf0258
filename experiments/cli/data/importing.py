"""``ninefold data import`` and ``ninefold data formats``."""

from pathlib import Path
from typing import Annotated

import typer

from ..options import (
    DEFAULT_STORE,
    AsJson,
    FormatName,
    MappingPath,
    MarketName,
    RowStep,
    StorePath,
    SymbolName,
    VenueName,
)
from ..output import print_json, progress, stdout


def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files to import.")],
    kind: Annotated[
        str | None, typer.Option("--as", metavar="KIND", help="What it is, such as ohlcv.")
    ] = None,
    symbol: SymbolName = None,
    venue: VenueName = None,
    market: MarketName = None,
    timeframe: RowStep = None,
    source: Annotated[str | None, typer.Option(help="Name of this source in the store.")] = None,
    format_name: FormatName = None,
    mapping: MappingPath = None,
    on_conflict: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Rows that contradict stored ones: refuse, keep (the stored), replace, revise.",
        ),
    ] = "refuse",
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Import files; what a file says about itself needs no option."""
    from datasets import ImportReport, Store, import_files

    from ...data_tables import import_content, print_imports
    from ...formats import counted

    console = stdout()
    say = progress()

    def show(of_file: tuple[ImportReport, ...]) -> None:
        rows = sum(report.rows for report in of_file)
        sets = counted(len(of_file), "data set")
        say(f"{of_file[0].path}: {counted(rows, 'row')} into {sets}")
        if not as_json:
            print_imports(of_file, console)

    reports = import_files(
        Store(store, wait_seconds=60.0),
        paths,
        kind=kind,
        venue=venue,
        market=market,
        symbol=symbol,
        timeframe=timeframe,
        source=source,
        format_name=format_name,
        mapping=mapping,
        on_conflict=on_conflict,
        on_file=show,
    )
    if as_json:
        print_json({"imports": [import_content(report) for report in reports]})


def formats(as_json: AsJson = False) -> None:
    """List the file formats that can be imported, and how each is recognised."""
    from datasets.importers import FORMATS

    from ...data_tables import format_content, print_formats

    if as_json:
        print_json({"formats": [format_content(one) for one in FORMATS]})
        return
    print_formats(FORMATS, stdout())
