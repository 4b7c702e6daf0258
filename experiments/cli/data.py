"""``ninefold data``: what the store holds, and how it gets there."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from .errors import EXIT_CHECK
from .options import DEFAULT_STORE, AsJson, StorePath
from .output import print_json, progress, stdout

app = typer.Typer(
    help="Import, simulate, list, verify and query data.",
    no_args_is_help=True,
    add_completion=False,
)

MAX_ROWS_SHOWN = 40


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Parquet or CSV files.")],
    kind: Annotated[
        str | None, typer.Option("--as", metavar="KIND", help="What it is, such as ohlcv.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="Symbol, such as BTCUSDT.")] = None,
    venue: Annotated[str | None, typer.Option(help="Venue, such as binance.")] = None,
    market: Annotated[str | None, typer.Option(help="Market: spot or um_perp.")] = None,
    timeframe: Annotated[str | None, typer.Option(help="Step of the bars, such as 1h.")] = None,
    source: Annotated[str | None, typer.Option(help="Name of this source in the store.")] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Import files; what a file says about itself needs no option."""
    from datasets import ImportReport, Store, import_files

    from ..data_tables import import_content, print_import

    console = stdout()
    say = progress()

    def show(report: ImportReport) -> None:
        say(f"{report.path}: {report.rows} rows into {report.key}")
        if not as_json:
            print_import(report, console)

    reports = import_files(
        Store(store),
        paths,
        kind=kind,
        venue=venue,
        market=market,
        symbol=symbol,
        timeframe=timeframe,
        source=source,
        on_report=show,
    )
    if as_json:
        print_json({"imports": [import_content(report) for report in reports]})


@app.command()
def simulate(
    mode: Annotated[
        str, typer.Option(help="null: nothing predicts anything; planted: a stated edge.")
    ] = "null",
    symbols: Annotated[
        str | None, typer.Option(metavar="A,B", help="Symbols, separated by commas.")
    ] = None,
    days: Annotated[int | None, typer.Option(help="Days of history.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed; the same seed, the same market.")] = None,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC).")
    ] = None,
    planted_column: Annotated[
        str | None, typer.Option(help="Column that carries the planted edge.")
    ] = None,
    planted_edge: Annotated[
        float | None, typer.Option(help="Drift in bps per hour and standard deviation.")
    ] = None,
    planted_horizon_hours: Annotated[
        int | None, typer.Option(help="Hours that the drift lasts.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Create a simulated market in the store; repeating it changes nothing."""
    from datasets import Store

    from ..config_file import config_of
    from ..simulation import ensure_simulated

    given = {
        "symbols": None if symbols is None else symbols.split(","),
        "days": days,
        "seed": seed,
        "start": None if start is None else start.date(),
        "planted_column": planted_column,
        "planted_edge": planted_edge,
        "planted_horizon_hours": planted_horizon_hours,
    }
    simulated = {"mode": mode} | {key: value for key, value in given.items() if value is not None}
    config = config_of({"data": {"simulated": simulated}})
    progress()("simulating one-minute steps; this takes a moment")
    written = ensure_simulated(config, Store(store))
    content = {
        "seed": config.simulation.seed if config.simulation else None,
        "written": [str(key) for key in written],
        "simulated": True,
    }
    if as_json:
        print_json(content)
        return
    for key in written:
        typer.echo(f"SIMULATED {key}")
    if not written:
        typer.echo("the store holds this simulated market already")


@app.command()
def ls(store: StorePath = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """List the data sets of the store."""
    from datasets import Store

    from ..data_tables import dataset_content, print_datasets

    found = Store(store, create=False).datasets()
    if as_json:
        print_json({"store": str(store), "datasets": [dataset_content(info) for info in found]})
        return
    print_datasets(found, stdout())


@app.command()
def verify(store: StorePath = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Hash every part again; exit code 1 when something is wrong."""
    from datasets import Store

    opened = Store(store, create=False)
    problems, count = opened.verify(), len(opened.datasets()) if store.exists() else 0
    if as_json:
        print_json(
            {"sound": not problems, "datasets": count, "problems": [str(one) for one in problems]}
        )
    else:
        for problem in problems:
            typer.echo(f"wrong: {problem}")
        typer.echo(
            f"{store}: {count} data sets, "
            + ("all sound" if not problems else f"{len(problems)} problems")
        )
    if problems:
        raise typer.Exit(EXIT_CHECK)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; a view per kind.")],
    store: StorePath = DEFAULT_STORE,
    limit: Annotated[
        int, typer.Option(min=1, help="Rows shown in the table; --json gives all.")
    ] = MAX_ROWS_SHOWN,
    as_json: AsJson = False,
) -> None:
    """Answer a SQL query over the store (DuckDB, read only)."""
    from datasets import Store
    from datasets import sql as answer

    from ..data_tables import frame_content, print_frame

    frame = answer(Store(store, create=False), query)
    if as_json:
        print_json(frame_content(frame))
        return
    print_frame(frame, stdout(), limit)
