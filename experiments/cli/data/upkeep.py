"""``ninefold data verify``, ``compact``, ``rm`` and ``export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import EXIT_CHECK
from ..options import DEFAULT_STORE, AsJson, StorePath, time_given
from ..output import print_json

if TYPE_CHECKING:
    from datasets import DatasetKey, Store

WAIT_SECONDS = 60.0
"""So long a command waits for another writer before it gives up."""

DatasetNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[DATASET]...",
        help="kind/venue/market/symbol/step/source as `data ls --json` prints it; * fits any part.",
    ),
]


def verify(store: StorePath = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Hash every part again and check every row; exit code 1 when something is wrong."""
    from datasets import Store

    opened = Store(store, create=False)
    problems, count = opened.verify(), len(opened.keys())
    leftovers = opened.leftovers()
    if as_json:
        print_json(
            {
                "sound": not problems,
                "datasets": count,
                "problems": [str(one) for one in problems],
                "leftovers": [str(path) for path in leftovers],
            }
        )
    else:
        for problem in problems:
            typer.echo(f"wrong: {problem}")
        typer.echo(
            f"{store}: {_counted(count)}, "
            + ("all sound" if not problems else f"wrong in {len(problems)} places")
        )
        if leftovers:
            typer.echo(
                f"{len(leftovers)} files of interrupted writers; `ninefold data compact` removes them"
            )
    if problems:
        raise typer.Exit(EXIT_CHECK)


def compact(
    names: DatasetNames = None, store: StorePath = DEFAULT_STORE, as_json: AsJson = False
) -> None:
    """Join the small parts of data sets to one per period, and clear what interrupted writers left."""
    from datasets import Store

    opened = Store(store, create=False, wait_seconds=WAIT_SECONDS)
    keys = _chosen(opened, names)
    results = opened.compact(keys)
    changed = [str(result.key) for result in results if result.changed]
    if as_json:
        print_json({"datasets": len(keys), "compacted": changed})
        return
    for name in changed:
        typer.echo(f"compacted {name}")
    typer.echo(f"{_counted(len(keys))}, {len(changed)} had parts to join")


def rm(
    names: DatasetNames = None,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Remove data sets from the store."""
    from datasets import Store
    from engine import ConfigError

    if not names:
        raise ConfigError("data rm: name the data sets to remove; `data ls --json` lists them")
    opened = Store(store, create=False, wait_seconds=WAIT_SECONDS)
    keys = _chosen(opened, names)
    if not yes:
        if as_json:
            raise ConfigError("data rm: --json does not ask; give --yes")
        for key in keys:
            typer.echo(str(key))
        typer.confirm(f"Remove {_counted(len(keys))} from {store}?", abort=True)
    for key in keys:
        opened.remove(key)
    if as_json:
        print_json({"removed": [str(key) for key in keys]})
        return
    typer.echo(f"removed {_counted(len(keys))}")


def export(
    name: Annotated[
        str, typer.Argument(metavar="DATASET", help="The data set, as `data ls --json` prints it.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="A .parquet or .csv file to write.")
    ],
    since: Annotated[str | None, typer.Option(metavar="TIME", help="First time, UTC.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="First time left out, UTC.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was known then, UTC; else every revision."),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Write one data set to a Parquet or CSV file."""
    from datasets import DatasetKey, Store

    rows = Store(store, create=False).export(
        DatasetKey.parse(name),
        out,
        start_ns=time_given(since, "--since"),
        end_ns=time_given(until, "--until"),
        as_of_ns=time_given(as_of, "--as-of"),
    )
    if as_json:
        print_json({"dataset": name, "file": str(out), "rows": rows})
        return
    typer.echo(f"{out}: {rows} rows of {name}")


def _counted(count: int) -> str:
    return "1 data set" if count == 1 else f"{count} data sets"


def _chosen(store: "Store", names: list[str] | None) -> "list[DatasetKey]":
    """The data sets that the patterns name; ConfigError for a pattern that names none."""
    from fnmatch import fnmatchcase

    from engine import ConfigError

    keys = list(store.keys())
    if not names:
        return keys
    chosen = []
    for name in names:
        fitting = [key for key in keys if fnmatchcase(str(key), name)]
        if not fitting:
            raise ConfigError(
                f"{name}: no data set of the store fits; `ninefold data ls` lists them"
            )
        chosen += [key for key in fitting if key not in chosen]
    return chosen
