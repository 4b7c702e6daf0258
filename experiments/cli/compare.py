"""``ninefold compare A B …``."""

from pathlib import Path
from typing import Annotated

import typer

from .options import DEFAULT_RUNS, AsJson, RunsPath
from .output import print_json, progress, stdout


def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Two to ten runs, as in `runs show`.")
    ],
    runs: RunsPath = DEFAULT_RUNS,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a page with the curves.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the intervals.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Put runs beside each other: what differs, metrics with intervals, equity curves."""
    from .. import load_run
    from ..comparison import compare_runs
    from ..comparison.comparison import as_json as plain
    from ..comparison.page import write_page
    from ..comparison.terminal import print_comparison

    found = compare_runs([load_run(name, runs) for name in _runs_among(names, runs)], seed=seed)
    written = None if out is None else write_page(found, out)
    if as_json:
        print_json(plain(found) | {"page": None if written is None else str(written)})
        return
    print_comparison(found, stdout())
    if written is not None:
        typer.echo(f"page  {written}")


def _runs_among(names: list[str], runs: Path) -> list[str]:
    """The names without what else lies in the folder of runs: the shell's ``runs/*`` names that too."""
    from ..record import RECORD_NAME

    kept = []
    for name in names:
        path = Path(name)
        is_listed = path.exists() and path.parent.resolve() == runs.resolve()
        if is_listed and not (path / RECORD_NAME).is_file():
            progress()(f"{name}: no run, left out")
        else:
            kept.append(name)
    return kept
