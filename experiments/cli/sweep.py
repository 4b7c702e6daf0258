"""``ninefold sweep``: search a configuration, and look at what was found."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .errors import EXIT_INTERRUPTED
from .options import (
    DEFAULT_RUNS,
    DEFAULT_STORE,
    AsJson,
    ConfigPath,
    Overrides,
    RunsPath,
    StorePath,
)
from .output import kernel_progress, print_json, stdout

if TYPE_CHECKING:
    from engine import DataError

    from ..sweeps.config import SweepConfig
    from ..sweeps.executors import Workers
    from ..sweeps.ledger import Ledger

app = typer.Typer(
    help="Search a space of configurations; every trial is kept.",
    no_args_is_help=True,
    add_completion=False,
)

SweepName = Annotated[
    str, typer.Argument(metavar="SWEEP", help="Sweep folder, sweep id, its beginning, or latest.")
]
Threads = Annotated[
    int, typer.Option("--threads", min=1, help="Threads of each worker; they change only the time.")
]
WorkerCount = Annotated[
    int, typer.Option("--workers", min=1, help="Processes; they change only the time.")
]
ExecutorName = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="threads (this process), processes or ray; by default what --workers needs.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="HOST:PORT", help="Ray cluster; without, one is started here."
    ),
]


@app.command()
def run(
    config: ConfigPath,
    overrides: Overrides = None,
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    threads: Threads = 1,
    workers: WorkerCount = 1,
    executor: ExecutorName = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Run a sweep, or go on with it where it stopped."""
    from ..sweeps.executors import Workers
    from ..sweeps.space import load_searchable

    placed = Workers(count=workers, threads=threads, executor=executor, address=address)
    loaded = load_searchable(config, overrides or ())
    _run(loaded, store, runs, placed, as_json, tuple(overrides or ()))


@app.command()
def resume(
    sweep: SweepName = "latest",
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    threads: Threads = 1,
    workers: WorkerCount = 1,
    executor: ExecutorName = None,
    address: Address = None,
    as_json: AsJson = False,
) -> None:
    """Go on with a sweep that stopped, from the configuration in its ledger."""
    from ..sweeps.best import sweep_config
    from ..sweeps.executors import Workers
    from ..sweeps.families import find_sweep

    placed = Workers(count=workers, threads=threads, executor=executor, address=address)
    ledger = find_sweep(runs, sweep)
    overrides = tuple(ledger.sweep["overrides"])
    _run(sweep_config(ledger), store, runs, placed, as_json, overrides)


@app.command()
def status(
    sweep: Annotated[str | None, typer.Argument(metavar="[SWEEP]", help="One sweep only.")] = None,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Show how far sweeps are and how many trials their families have cost."""
    from ..sweep_tables import print_family, print_sweeps
    from ..sweeps.families import family_trials, find_sweep, list_sweeps

    ledgers = list_sweeps(runs) if sweep is None else (find_sweep(runs, sweep),)
    rows = [_status_of(ledger) for ledger in ledgers]
    families = {row["family"]: family_trials(runs, row["family"]) for row in rows}
    if as_json:
        counts = {
            name: {"sweeps": count.sweeps, "trials": count.trials, "failed": count.failed,
                   "infeasible": count.infeasible, "by_hand": count.by_hand,
                   "unreadable": count.unreadable}
            for name, count in families.items()
        }  # fmt: skip
        print_json({"sweeps": rows, "families": counts})
        return
    print_sweeps(rows, stdout())
    for name, count in families.items():
        print_family(name, count, stdout())


@app.command()
def top(
    sweep: SweepName = "latest",
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="How many trials.")] = 10,
    trial: Annotated[
        int | None, typer.Option("--trial", help="Write out this trial instead of the best.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write a configuration that `ninefold run` takes."
        ),
    ] = None,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Show the best feasible trials, or write one out as a configuration."""
    from ..sweep_tables import print_top
    from ..sweeps.best import top_trials
    from ..sweeps.families import find_sweep

    ledger = find_sweep(runs, sweep)
    rows = [_shown(ledger, row) for row in top_trials(ledger, count).to_pylist()]
    if out is not None:
        _write_config(ledger, rows[0]["trial"] if trial is None else trial, out)
    if as_json:
        print_json({"sweep_id": ledger.sweep_id, "trials": rows, "written": out and str(out)})
        return
    print_top(ledger.sweep_id, rows, stdout())
    if out is not None:
        stdout().print(f"written: {out}")


@app.command()
def export(
    sweep: SweepName = "latest",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Every trial, as .parquet or .csv."),
    ] = None,
    optuna: Annotated[
        Path | None,
        typer.Option("--optuna", metavar="FILE", help="An Optuna journal for optuna-dashboard."),
    ] = None,
    runs: RunsPath = DEFAULT_RUNS,
) -> None:
    """Write the trials of a sweep to a file."""
    from engine import ConfigError

    from ..sweeps.export import export_trials
    from ..sweeps.families import find_sweep
    from ..sweeps.mirror import write_mirror

    if out is None and optuna is None:
        raise ConfigError("export: state --out FILE, --optuna FILE or both")
    ledger = find_sweep(runs, sweep)
    if out is not None:
        export_trials(ledger, out)
        stdout().print(f"written: {out}")
    if optuna is not None:
        write_mirror(ledger, optuna)
        stdout().print(f"written: {optuna}; `optuna-dashboard {optuna}` opens it")


def _run(
    config: "SweepConfig",
    store: Path,
    runs: Path,
    workers: "Workers",
    as_json: bool,
    overrides: tuple[str, ...],
) -> None:
    from ..sweep_progress import interrupts, progress_of
    from ..sweep_tables import print_family, print_top
    from ..sweeps.best import top_trials
    from ..sweeps.families import family_trials
    from ..sweeps.run import run_sweep

    with progress_of(sys.stderr, quiet=False) as watch, interrupts(sys.stderr) as should_stop:
        outcome = run_sweep(
            config,
            store=store,
            runs=runs,
            overrides=overrides,
            workers=workers,
            watch=watch,
            should_stop=should_stop,
            say=kernel_progress(),
        )
    ledger = outcome.ledger
    if outcome.resumed_from and outcome.resumed_from == ledger.count and outcome.is_finished:
        sys.stderr.write("· this sweep is finished: nothing was left to do\n")
    unmirrored = _mirrored(ledger)
    count = family_trials(runs, config.family)
    if outcome.retries:
        sys.stderr.write(
            f"workers were lost; {outcome.retries} chunks of trials were evaluated again\n"
        )
    if not outcome.is_finished:
        sys.stderr.write(
            f"stopped after {ledger.count:,} trials; go on with: ninefold sweep resume "
            f"{ledger.sweep_id} --store {store} --runs {runs}\n"
        )
        raise typer.Exit(EXIT_INTERRUPTED)
    rows = [_shown(ledger, row) for row in top_trials(ledger, 10).to_pylist()]
    if as_json:
        print_json(
            {
                **_status_of(ledger),
                "folder": str(ledger.folder),
                "resumed_from": outcome.resumed_from,
                "retries": outcome.retries,
                "family_trials": count.trials,
                "top": rows,
            }
        )
    else:
        print_top(ledger.sweep_id, rows, stdout())
        print_family(config.family, count, stdout())
    if unmirrored is not None:
        raise unmirrored


def _mirrored(ledger: "Ledger") -> "DataError | None":
    """The mirror for optuna-dashboard; what keeps it from being written must not hide the result."""
    from engine import DataError

    from ..sweeps.mirror import write_mirror

    try:
        write_mirror(ledger)
    except DataError as error:
        return DataError(
            f"{error}; every trial is kept, and `ninefold sweep export --optuna FILE` writes it elsewhere"
        )
    return None


def _status_of(ledger: "Ledger") -> dict[str, Any]:
    from ..sweeps.best import sweep_config
    from ..sweeps.ranking import ranked_trials

    config = sweep_config(ledger)
    trials = ledger.trials()
    ranked = ranked_trials(config, trials)
    return {
        "sweep_id": ledger.sweep_id,
        "family": config.family,
        "created_at": ledger.sweep["created_at"],
        "trials": len(trials),
        "planned": config.sweep.planned_trials,
        "objectives": [one.metric for one in config.sweep.objectives],
        "best": ranked["score"][0].as_py() if len(ranked) else None,
    }


def _shown(ledger: "Ledger", row: dict[str, Any]) -> dict[str, Any]:
    import json

    return {
        "trial": row["trial"],
        "stage": row["stage"],
        "score": row["score"],
        "objectives": list(ledger.objectives),
        "values": json.loads(row["values"]),
        "metrics": {name: row[name] if row[name] == row[name] else None for name in ledger.metrics},
    }


def _write_config(ledger: "Ledger", trial: int, out: Path) -> None:
    from datasets.durable import replace_file

    from ..sweeps.best import config_yaml, trial_config

    text = config_yaml(
        trial_config(ledger, trial),
        f"Trial {trial} of the sweep {ledger.sweep_id}: `ninefold sweep top`.",
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, text.encode())
