"""``ninefold validate SWEEP|RUN``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DEFAULT_RUNS, DEFAULT_STORE, AsJson, RunsPath, StorePath
from .output import kernel_progress, print_json, stdout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine import DataError


def validate(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SWEEP|RUN", help="Sweep or run: folder, id, its beginning, or latest of both."
        ),
    ],
    shifts: Annotated[
        int | None, typer.Option("--shifts", help="Shifts of the votes for the primary test.")
    ] = None,
    permutations: Annotated[
        int | None,
        typer.Option("--permutations", help="Orders of the bars that are searched anew; 0: none."),
    ] = None,
    block: Annotated[
        int | None, typer.Option("--block", metavar="BARS", help="Permute blocks of so many bars.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Trials of the random stage in each test.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of everything drawn.")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "-s",
            "--set",
            metavar="KEY=VALUE",
            help="Change a key of the section validation; repeat for several.",
        ),
    ] = None,
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
    """Try to disprove a sweep or a run, and say what is left; every validation is kept beside it."""
    from datasets import Store
    from datasets.durable import replace_file
    from engine import ConfigError

    from ..record import RunRecord, json_text
    from ..subjects import find_subject
    from ..validation.content import validation_json
    from ..validation.keeping import check_keepable
    from ..validation.report import print_validation
    from ..validation.validate import validate_run, validate_sweep

    stated = {
        "shifts": shifts,
        "permutations": permutations,
        "permutation_block_bars": block,
        "trials": trials,
        "seed": seed,
    }
    changed = [
        *(overrides or ()),
        *(f"validation.{key}={value}" for key, value in stated.items() if value is not None),
    ]
    opened, say = Store(store), kernel_progress()
    named = find_subject(subject, runs)
    folder = named.run_dir if isinstance(named, RunRecord) else named.folder
    check_keepable(folder)
    if not isinstance(named, RunRecord):
        found = validate_sweep(
            named, store=opened, overrides=changed,
            threads=threads, opens_holdout=open_holdout, say=say,
        )  # fmt: skip
    elif open_holdout:
        raise ConfigError(f"--open-holdout: {named.run_id} is a run, and a run has no holdout")
    else:
        found = validate_run(
            named, runs=runs, store=opened, overrides=changed, threads=threads, say=say
        )
    tree = validation_json(found)
    # A full disk must not take what hours have found: everything is said before that is.
    kept = _kept(folder, tree)
    if as_json:
        print_json({**tree, "kept": str(kept) if isinstance(kept, Path) else None})
    else:
        print_validation(found, stdout())
    if out is not None:
        replace_file(out, f"{json_text(tree)}\n".encode())
    if not isinstance(kept, Path):
        raise kept
    if not as_json:
        if out is not None:
            stdout().print(f"written: {out}")
        stdout().print(f"kept: {kept.parent.name}/{kept.name}")
        stdout().print(f"pictures of it: ninefold report {found.subject}")


def _kept(folder: Path, tree: "Mapping[str, Any]") -> "Path | DataError":
    """Where the validation is kept, or what forbade it."""
    from datetime import UTC, datetime

    from engine import DataError

    from ..validation.keeping import keep_validation

    try:
        return keep_validation(folder, tree, datetime.now(UTC))
    except DataError as error:
        return error
