"""Options that several commands share; defaults live here and nowhere else."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

DEFAULT_STORE = Path("data")
DEFAULT_RUNS = Path("runs")

ConfigPath: TypeAlias = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="YAML file that says what to run.")
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "-s", "--set", metavar="KEY=VALUE", help="Override a key, such as -s a.b=c. Repeatable."
    ),
]
StorePath: TypeAlias = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="Folder of the data store.")
]
RunsPath: TypeAlias = Annotated[
    Path, typer.Option("--runs", metavar="DIR", help="Folder of the run folders.")
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout, and nothing else.")
]
Verbose: TypeAlias = Annotated[
    bool, typer.Option("--verbose", help="More metrics; each head on each symbol.")
]
RunName: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN", help="Run folder, run id, its beginning, or latest.")
]
EventTypes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="NAME",
        help="This type of event, or all types of a detector. Repeatable.",
    ),
]
SymbolName: TypeAlias = Annotated[
    str | None, typer.Option("--symbol", help="Symbol, such as BTCUSDT.")
]
VenueName: TypeAlias = Annotated[
    str | None, typer.Option("--venue", help="Venue, such as binance.")
]
MarketName: TypeAlias = Annotated[
    str | None, typer.Option("--market", help="Market, such as spot or um_perp.")
]
RowStep: TypeAlias = Annotated[
    str | None, typer.Option("--timeframe", help="Step of the rows, such as 1h.")
]
FormatName: TypeAlias = Annotated[
    str | None, typer.Option("--format", help="File format; `data formats` lists them.")
]
MappingPath: TypeAlias = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE.yaml", help="Columns of a file of no known format."),
]


def time_given(text: str | None, option: str) -> int | None:
    """What ``option`` states, int64 ns UTC; None where it is not given. ConfigError names the option."""
    from datasets import time_ns_of

    return None if text is None else time_ns_of(text, option)
