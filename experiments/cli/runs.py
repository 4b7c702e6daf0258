"""``ninefold runs``: what has been run, whether it still holds, and what set two runs apart."""

from typing import Annotated

import typer

from .errors import EXIT_CHECK
from .options import DEFAULT_RUNS, DEFAULT_STORE, AsJson, RunName, RunsPath, StorePath, Verbose
from .output import kernel_progress, print_json, stdout

app = typer.Typer(
    help="List, show, compare, verify and remove past runs.",
    no_args_is_help=True,
    add_completion=False,
)

RunNames = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Run folders, run ids or their beginnings.")
]


@app.command("list")
def list_(runs: RunsPath = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """List finished runs, oldest first."""
    from ..record import readable_runs
    from ..tables import print_runs

    records, unreadable = readable_runs(runs)
    if as_json:
        keys = ("run_id", "name", "created_at", "config_hash", "data_fingerprint", "n_trades")
        print_json(
            {
                "runs": [
                    {key: record.content[key] for key in keys}
                    | {"run_dir": str(record.run_dir), "metrics": record.content["metrics"]}
                    for record in records
                ],
                "unreadable": list(unreadable),
            }
        )
        return
    if records or not unreadable:
        print_runs(records, stdout())
    for reason in unreadable:
        typer.echo(f"cannot be read: {reason}", err=True)


@app.command()
def show(
    run: RunName,
    runs: RunsPath = DEFAULT_RUNS,
    verbose: Verbose = False,
    as_json: AsJson = False,
) -> None:
    """Show the summary of one run."""
    from .. import load_run
    from ..run_tables import print_run

    record = load_run(run, runs)
    if as_json:
        print_json({**record.content, "run_dir": str(record.run_dir)})
        return
    print_run(record, stdout(), verbose=verbose)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A run, as in `runs show`.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Show what differs between two runs: configuration, data, code, versions, metrics."""
    from .. import load_run, run_difference
    from ..records.terminal import difference_json, print_difference

    found = run_difference(load_run(first, runs), load_run(second, runs))
    if as_json:
        print_json(difference_json(found))
        return
    print_difference(found, stdout())


@app.command()
def verify(
    run: RunName,
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Compute a run again from its record; exit code 1 unless every file and number is the same."""
    from dataclasses import asdict

    from .. import load_run, verify_run
    from ..records.terminal import print_verification

    found = verify_run(load_run(run, runs), store=store, progress=kernel_progress())
    if as_json:
        print_json(
            {
                "run_id": found.record.run_id,
                "passed": found.passed,
                "rows": [asdict(row) for row in found.rows],
                "notes": list(found.notes),
            }
        )
    else:
        print_verification(found, stdout())
    if not found.passed:
        raise typer.Exit(EXIT_CHECK)


@app.command()
def rm(
    names: RunNames,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Remove runs; a folder that holds anything else is left as it is."""
    from .. import remove_run
    from ..records.removal import check_removable, removable_run

    chosen = {
        record.run_dir.resolve(): record for name in names for record in [removable_run(name, runs)]
    }
    for record in chosen.values():
        check_removable(record)
    if not yes:
        for folder in chosen:
            typer.echo(str(folder), err=True)
        counted = "1 run" if len(chosen) == 1 else f"{len(chosen)} runs"
        typer.confirm(f"Remove {counted}?", abort=True, err=True)
    for record in chosen.values():
        remove_run(record)
    if as_json:
        print_json({"removed": [str(folder) for folder in chosen]})
        return
    for folder in chosen:
        typer.echo(f"removed {folder}")
