"""``ninefold check``: claims that are tested, not believed."""

import typer

from .errors import EXIT_CHECK
from .options import DEFAULT_STORE, AsJson, ConfigPath, Overrides, StorePath
from .output import print_json, progress, stdout

app = typer.Typer(help="Test what a result rests on.", no_args_is_help=True, add_completion=False)


@app.callback()
def _group() -> None:
    """Test what a result rests on."""


@app.command()
def lookahead(
    config: ConfigPath,
    overrides: Overrides = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Look for look-ahead in every indicator, head, the consensus and the replay."""
    from dataclasses import asdict

    from datasets import Store

    from .. import check_lookahead, load_config
    from ..tables import print_check

    loaded = load_config(config, overrides or ())
    progress()("checking every indicator, head, the consensus and the replay; this takes a while")
    found = check_lookahead(loaded, Store(store))
    if as_json:
        print_json({"passed": found.passed, "rows": [asdict(row) for row in found.rows]})
    else:
        print_check(found, stdout())
    if not found.passed:
        raise typer.Exit(EXIT_CHECK)
