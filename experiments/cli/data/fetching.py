"""``ninefold data fetch``: from exchanges and from the bulk archive of Binance into the store."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import EXIT_DATA, EXIT_INTERRUPTED
from ..options import DEFAULT_STORE, AsJson, Overrides, StorePath
from ..output import print_json, stdout

if TYPE_CHECKING:
    from ...config_fetch import FetchConfig

_LISTED = ("symbols", "kinds")


def fetch(
    config: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="YAML file that says what to fetch.")
    ] = None,
    exchange: Annotated[str | None, typer.Option(help="Exchange, as ccxt calls it.")] = None,
    symbols: Annotated[
        str | None, typer.Option(metavar="A,B", help="BTC/USDT spot, BTC/USDT:USDT perpetual.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Step of bars; 1h.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="First moment, UTC.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="End, exclusive; now when left out.")
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="ohlcv, funding, metrics, trades; ohlcv when left out."),
    ] = None,
    metrics_timeframe: Annotated[str | None, typer.Option(help="Step of metrics; 5m.")] = None,
    market: Annotated[
        str | None, typer.Option(help="Where a symbol names several: spot, linear, inverse.")
    ] = None,
    archive: Annotated[
        bool, typer.Option("--archive", help="Binance's bulk archive instead of the API.")
    ] = False,
    tail: Annotated[
        bool, typer.Option("--tail", help="After the archive, the API for what it lacks.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Ask also for what was asked before.")
    ] = False,
    on_conflict: Annotated[
        str | None, typer.Option(help="Contradicting values: revise, keep, replace, refuse.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Fetch history into the store; the same command goes on where it was stopped."""
    given: dict[str, Any] = {
        "exchange": exchange,
        "symbols": symbols,
        "timeframe": timeframe,
        "since": since,
        "until": until,
        "kinds": kinds,
        "metrics_timeframe": metrics_timeframe,
        "market": market,
        "archive": archive or None,
        "tail": tail or None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    checked = _config(config, given, on_conflict, overrides or [])

    from datasets import Store
    from datasets.fetch import fetch as fetch_all

    from ...fetch_progress import progress_of
    from ...fetch_tables import errors_of, fetch_content, print_fetch

    with progress_of(sys.stderr, quiet=as_json) as show:
        reports = fetch_all(
            Store(store), checked.jobs(), checked.rules(again=again), on_progress=show
        )
    if as_json:
        print_json({"fetches": [fetch_content(report) for report in reports]})
    else:
        print_fetch(reports, stdout())
    for error in errors_of(reports):
        sys.stderr.write(f"error: {error}\n")
    if any(report.status == "interrupted" for report in reports):
        words = _words(
            config, given, on_conflict, store, overrides or [], as_json=as_json, again=again
        )
        sys.stderr.write(f"to go on: {shlex.join(words)}\n")
        raise typer.Exit(EXIT_INTERRUPTED)
    if any(report.status == "failed" for report in reports):
        raise typer.Exit(EXIT_DATA)


def _config(
    config: Path | None, given: dict[str, Any], on_conflict: str | None, overrides: list[str]
) -> "FetchConfig":
    from engine import ConfigError

    from ...config_fetch import fetch_config_of, load_fetch_config

    rule = [] if on_conflict is None else [f"on_conflict={on_conflict}"]
    if config is not None:
        if given:
            name = next(iter(given)).replace("_", "-")
            raise ConfigError(
                f"--{name} cannot stand beside {config}, which says what to fetch; change the file, or "
                "override a key with -s, such as -s fetch.0.until=2024-01-01"
            )
        return load_fetch_config(config, [*overrides, *rule])
    for name in ("exchange", "symbols", "since"):
        if name not in given:
            raise ConfigError(f"--{name} is missing; give it, or a configuration file")
    item = {
        name: [part.strip() for part in value.split(",")] if name in _LISTED else value
        for name, value in given.items()
    }
    return fetch_config_of({"fetch": [item]}, [*overrides, *rule])


def _words(
    config: Path | None,
    given: dict[str, Any],
    on_conflict: str | None,
    store: Path,
    overrides: list[str],
    *,
    as_json: bool,
    again: bool,
) -> list[str]:
    """The command that does the same, word by word."""
    words = ["ninefold", "data", "fetch", *([str(config)] if config is not None else [])]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        words += [option] if value is True else [option, str(value)]
    words += [] if on_conflict is None else ["--on-conflict", on_conflict]
    words += [] if store == DEFAULT_STORE else ["--store", str(store)]
    for override in overrides:
        words += ["-s", override]
    # What --again has asked for anew is not remembered: only a whole repetition is complete.
    return [*words, *(["--again"] if again else []), *(["--json"] if as_json else [])]
