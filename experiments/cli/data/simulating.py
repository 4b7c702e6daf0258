"""``ninefold data simulate``."""

from datetime import datetime
from typing import Annotated

import typer

from ..options import DEFAULT_STORE, AsJson, StorePath
from ..output import print_json, progress


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

    from ...config_file import config_of
    from ...simulation import ensure_simulated

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
