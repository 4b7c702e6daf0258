"""``ninefold runs``: what has been run."""

import typer

from .options import DEFAULT_RUNS, AsJson, RunName, RunsPath
from .output import print_json, stdout

app = typer.Typer(help="List and show past runs.", no_args_is_help=True, add_completion=False)


@app.command("list")
def list_(runs: RunsPath = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """List finished runs, oldest first."""
    from .. import list_runs
    from ..tables import print_runs

    records = list_runs(runs)
    if as_json:
        keys = ("run_id", "name", "created_at", "config_hash", "data_fingerprint", "n_trades")
        print_json(
            {
                "runs": [
                    {key: record.content[key] for key in keys}
                    | {"run_dir": str(record.run_dir), "metrics": record.content["metrics"]}
                    for record in records
                ]
            }
        )
        return
    print_runs(records, stdout())


@app.command()
def show(run: RunName, runs: RunsPath = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """Show the summary of one run."""
    from .. import load_run
    from ..tables import print_run

    record = load_run(run, runs)
    if as_json:
        print_json({**record.content, "run_dir": str(record.run_dir)})
        return
    print_run(record, stdout())
