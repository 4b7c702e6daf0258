"""``ninefold report RUN``."""

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_RUNS, AsJson, RunName, RunsPath
from .output import print_json


def report(
    run: RunName,
    runs: RunsPath = DEFAULT_RUNS,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Default: report.html in the run folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a run again, from what its folder holds."""
    from .. import load_run, write_report

    record = load_run(run, runs)
    path = write_report(record, output or record.run_dir / "report.html")
    if as_json:
        print_json({"run_id": record.run_id, "report": str(path)})
        return
    typer.echo(str(path))
