"""``ninefold check``: claims that are tested, not believed."""

from typing import Annotated

import typer

from .errors import EXIT_CHECK
from .options import DEFAULT_STORE, AsJson, ConfigPath, Overrides, StorePath
from .output import kernel_progress, print_json, stdout

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
    found = check_lookahead(loaded, Store(store), progress=kernel_progress())
    if as_json:
        print_json({"passed": found.passed, "rows": [asdict(row) for row in found.rows]})
    else:
        print_check(found, stdout())
    if not found.passed:
        raise typer.Exit(EXIT_CHECK)


@app.command()
def indicators(config: ConfigPath, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Look for look-ahead and broken promises in the indicators of one's own."""
    from dataclasses import asdict

    from .. import load_config
    from ..checks import check_own_indicators
    from ..tables import print_check

    found = check_own_indicators(load_config(config, overrides or ()))
    if as_json:
        print_json({"passed": found.passed, "rows": [asdict(row) for row in found.rows]})
    else:
        print_check(found, stdout())
    if not found.passed:
        raise typer.Exit(EXIT_CHECK)


@app.command()
def parity(
    config: ConfigPath,
    overrides: Overrides = None,
    store: StorePath = DEFAULT_STORE,
    samples: Annotated[
        int, typer.Option("--samples", help="How many configurations are compared.", min=1)
    ] = 40,
    seed: Annotated[int, typer.Option("--seed", help="Which configurations are drawn.")] = 7,
    threads: Annotated[int, typer.Option("--threads", help="Threads of the sweep.", min=1)] = 2,
    as_json: AsJson = False,
) -> None:
    """Prove that a sweep's numbers are those of single runs, to the last bit."""
    from dataclasses import asdict

    from datasets import Store

    from .. import check_parity, load_config
    from ..tables import print_parity

    loaded = load_config(config, overrides or ())
    kernel_progress()(f"computing {samples} configurations by one sweep and one by one")
    found = check_parity(loaded, Store(store), samples=samples, seed=seed, threads=threads)
    if as_json:
        print_json({"passed": found.passed, "rows": [asdict(row) for row in found.rows]})
    else:
        print_parity(found, stdout())
    if not found.passed:
        raise typer.Exit(EXIT_CHECK)
