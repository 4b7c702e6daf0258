"""``ninefold serve``."""

import sys
from typing import Annotated

import typer

from .options import DEFAULT_RUNS, RunsPath


def serve(
    runs: RunsPath = DEFAULT_RUNS,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where it listens.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="PORT", help="Default: the first free one from 8765 on; 0 is any."
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    allow_network: Annotated[
        bool,
        typer.Option("--allow-network", help="Let other machines read it; there is no password."),
    ] = False,
) -> None:
    """Browse runs and sweeps, compare them, watch a sweep: a local web app that only reads."""
    from ..serve import Address
    from ..serve import serve as serve_runs

    def started(address: Address) -> None:
        if not address.is_local:
            sys.stderr.write(
                f"warning: every machine that reaches {address.host} can read all of {runs}; there "
                "is no password\n"
            )
        typer.echo(f"{runs} at {address.url} (Ctrl-C ends it)")
        sys.stdout.flush()
        if open_:
            typer.launch(address.url)

    serve_runs(runs, host=host, port=port, allow_network=allow_network, started=started)
