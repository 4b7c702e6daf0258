"""``ninefold validate SWEEP|RUN``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_RUNS, DEFAULT_STORE, AsJson, RunsPath, StorePath
from .output import print_json, progress, stdout

if TYPE_CHECKING:
    from ..record import RunRecord
    from ..sweeps.ledger import Ledger


def validate(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP|RUN", help="Sweep or run: folder, id, its beginning, or latest."
        ),
    ],
    shifts: Annotated[
        int, typer.Option("--shifts", min=1, help="Shifts of the votes for the primary test.")
    ] = 200,
    trials: Annotated[
        int, typer.Option("--trials", min=32, help="Trials of the random stage in each test.")
    ] = 256,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of everything drawn.")] = 7,
    threads: Annotated[
        int, typer.Option("--threads", min=1, help="Threads; they change only the time.")
    ] = 1,
    open_holdout: Annotated[
        bool, typer.Option("--open-holdout", help="Look at the locked days; it is recorded.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the JSON object there too.")
    ] = None,
    store: StorePath = DEFAULT_STORE,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Try to disprove a sweep or a run, and say what is left."""
    from datasets import Store
    from datasets.durable import replace_file
    from engine import ConfigError

    from ..record import RunRecord, json_text
    from ..validation.report import print_validation, validation_json
    from ..validation.validate import validate_run, validate_sweep

    opened, say = Store(store), progress()
    named = _named(subject, runs)
    if not isinstance(named, RunRecord):
        found = validate_sweep(
            named, store=opened, shifts=shifts, trials=trials, seed=seed,
            threads=threads, opens_holdout=open_holdout, say=say,
        )  # fmt: skip
    elif open_holdout:
        raise ConfigError(f"--open-holdout: {named.run_id} is a run, and a run has no holdout")
    else:
        found = validate_run(
            named, runs=runs, store=opened, shifts=shifts, seed=seed, threads=threads, say=say
        )
    tree = validation_json(found)
    if out is not None:
        replace_file(out, f"{json_text(tree)}\n".encode())
    if as_json:
        print_json(tree)
        return
    print_validation(found, stdout())
    if out is not None:
        stdout().print(f"written: {out}")


def _named(subject: str, runs: Path) -> "Ledger | RunRecord":
    """The sweep of that name, or else the run."""
    from engine import DataError

    from ..record import load_run
    from ..sweeps.families import find_sweep

    try:
        return find_sweep(runs, subject)
    except DataError as error:
        no_sweep = error
    try:
        return load_run(subject, runs)
    except DataError as no_run:
        raise DataError(f"{no_sweep}; {no_run}") from None
