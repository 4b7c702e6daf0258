"""The command line ``ninefold``: parse arguments, call one documented function, show what it returns.

Nothing heavy is imported here or at the top of a command file, so that help answers at once. Exit
codes: 0 fine, 1 a check failed, 2 usage or configuration, 3 data, 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from . import (
    ablate,
    check,
    compare,
    config,
    data,
    doctor,
    draw,
    events,
    explain,
    features,
    report,
    run,
    runs,
    serve,
    sweep,
    validate,
)
from .errors import EXIT_INTERRUPTED, exit_code_of
from .interrupts import Interrupts
from .output import command_ended

app = typer.Typer(
    name="ninefold",
    help="Backtesting for crypto: a consensus of nine heads, replayed without look-ahead.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data.app, name="data")
app.command("run")(run.run)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.add_typer(runs.app, name="runs")
app.command("serve")(serve.serve)
app.add_typer(sweep.app, name="sweep")
app.command("validate")(validate.validate)
app.command("ablate")(ablate.ablate)
app.command("features")(features.features)
app.command("events")(events.events)
app.command("draw")(draw.draw)
app.add_typer(config.app, name="config")
app.add_typer(check.app, name="check")
app.command("doctor")(doctor.doctor)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"ninefold {version('ninefold')}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (or NINEFOLD_DEBUG=1).")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    if debug:
        os.environ["NINEFOLD_DEBUG"] = "1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``arguments`` default to those of the process."""
    code = EXIT_INTERRUPTED
    with Interrupts() as interrupts:
        try:
            code = _exit_code(arguments, interrupts)
            interrupts.end()
        except KeyboardInterrupt:
            interrupts.end()
        command_ended()
    if interrupts.seen:
        # Also where Python drops it, such as in a finalizer.
        code = EXIT_INTERRUPTED
    if code == EXIT_INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return code


def _exit_code(arguments: Sequence[str] | None, interrupts: Interrupts) -> int:
    try:
        code = app(
            args=None if arguments is None else list(arguments),
            prog_name="ninefold",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except Exception as error:  # noqa: BLE001 - the border of the program: every error gets a code
        return EXIT_INTERRUPTED if interrupts.seen else exit_code_of(error)
    return code if isinstance(code, int) else 0
