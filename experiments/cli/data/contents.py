"""``ninefold data ls`` and ``ninefold data sql``."""

from typing import Annotated

import typer

from ..options import DEFAULT_STORE, AsJson, StorePath
from ..output import print_json, stdout

MAX_ROWS_SHOWN = 40


def ls(
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as ohlcv.")] = None,
    venue: Annotated[str | None, typer.Option(help="Only this venue.")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="Only this symbol; * fits any letters.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """List the data sets of the store."""
    from fnmatch import fnmatchcase

    from datasets import Store

    from ...data_tables import dataset_content, print_datasets

    opened = Store(store, create=False)
    wanted = ((kind, "kind"), (venue, "venue"), (symbol, "symbol"))
    found = [
        info
        for info in opened.datasets()
        if all(w is None or fnmatchcase(getattr(info.key, part), w) for w, part in wanted)
    ]
    problems = opened.problems()
    if as_json:
        print_json(
            {
                "store": str(store),
                "datasets": [dataset_content(info) for info in found],
                "problems": [str(one) for one in problems],
            }
        )
        return
    print_datasets(found, stdout())
    for problem in problems:
        typer.echo(f"cannot be listed: {problem}", err=True)


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

    from ...data_tables import frame_content, print_frame

    frame = answer(Store(store, create=False), query)
    if as_json:
        print_json(frame_content(frame))
        return
    print_frame(frame, stdout(), limit)
