"""``ninefold explain RUN --at TIME``."""

from typing import Annotated

import typer

from .options import DEFAULT_RUNS, DEFAULT_STORE, AsJson, RunName, RunsPath, StorePath
from .output import kernel_progress, print_json, stdout


def explain(
    run: RunName,
    at: Annotated[
        str,
        typer.Option("--at", metavar="TIME", help="A time in UTC; the last bar closed by then."),
    ],
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="SYMBOL", help="Where the run has several.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Show why a run decided what it decided: votes, reasons, consensus, contributions."""
    from .. import explain as explained
    from .. import load_run
    from ..explanation.plain import plain_explanation
    from ..explanation.terminal import print_explanation

    explanation = explained(
        load_run(run, runs), at, symbol=symbol, store=store, progress=kernel_progress(quiet=as_json)
    )
    if as_json:
        print_json(plain_explanation(explanation))
        return
    print_explanation(explanation, stdout())
