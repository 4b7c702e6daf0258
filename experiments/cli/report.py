"""``ninefold report RUN|SWEEP``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_RUNS, AsJson, RunsPath
from .output import print_json, progress

if TYPE_CHECKING:
    from ..pages import Document


def report(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="RUN|SWEEP", help="Run or sweep: folder, id, its beginning, or latest of both."
        ),
    ],
    format_: Annotated[
        str, typer.Option("--format", metavar="html|json|md|pdf", help="What is written.")
    ] = "html",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="Default: report.FORMAT in the folder; -: print it."
        ),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    runs: RunsPath = DEFAULT_RUNS,
    as_json: AsJson = False,
) -> None:
    """Write the report of a run or a sweep from what its folder holds: one page, no network."""
    import sys

    from engine import ConfigError

    from ..pages.writing import FORMATS, check_format, write_document

    check_format(format_)
    if output is not None and output.is_dir():
        raise ConfigError(f"--output {output}: is a folder; name a file in it")
    say = progress(quiet=as_json)
    document, folder = _subject(subject, runs, say)
    if str(output) == "-":
        text = FORMATS[format_].text
        if text is None or open_:
            raise ConfigError(f"--output -: {format_} with --open or as PDF needs a file")
        sys.stdout.write(text(document))
        return
    if FORMATS[format_].text is None:
        say("printing it")
    path = write_document(document, output or folder / f"report.{format_}", format_)
    if open_:
        import webbrowser

        webbrowser.open(path.absolute().as_uri())
    if as_json:
        print_json({"subject": folder.name, "format": format_, "report": str(path)})
        return
    typer.echo(str(path))


def _subject(name: str, runs: Path, say: Callable[[str], None]) -> "tuple[Document, Path]":
    """The page of the run or the sweep of that name, and its folder."""
    from ..record import RunRecord
    from ..subjects import find_subject

    subject = find_subject(name, runs)
    if isinstance(subject, RunRecord):
        from ..report import run_document

        say(f"making the report of the run {subject.run_id}")
        return run_document(subject), subject.run_dir
    from ..sweep_report import sweep_document

    say(f"making the report of the sweep {subject.sweep_id}")
    return sweep_document(subject), subject.folder
