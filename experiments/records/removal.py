"""Removing a run: its folder as a whole or not at all, and never a folder that is something else."""

import shutil
from pathlib import Path
from typing import Final

from engine import DataError

from ..artefacts import ARTEFACTS
from ..record import RECORD_NAME, REPORT_NAME, RunRecord, load_run
from ..validation.keeping import is_only_validations

_REMOVED: Final = ".ninefold-removed-"


def removable_run(name: str, runs: Path) -> RunRecord:
    """A run as ``load_run`` finds it, or one whose record cannot be read, by its folder or its whole id.

    Of such a one every table that runs write counts as its own.
    """
    try:
        return load_run(name, runs)
    except DataError:
        folders = [path for path in (Path(name), runs / name) if (path / RECORD_NAME).is_file()]
        if not folders:
            raise
    tables = dict.fromkeys(f"{table}.parquet" for table in ARTEFACTS)
    return RunRecord(run_dir=folders[0], content={"run_id": folders[0].name, "artefacts": tables})


def check_removable(record: RunRecord) -> None:
    """DataError unless the folder of ``record`` holds a run, its validations and nothing else."""
    folder, content = record.run_dir, record.content
    if folder.is_symlink():
        raise DataError(f"{folder}: is a link; remove the run where it lies")
    if "run_id" not in content or "artefacts" not in content:
        raise DataError(
            f"{folder}: its {RECORD_NAME} is not the record of a run; nothing is removed"
        )
    written = {RECORD_NAME, REPORT_NAME, *content["artefacts"]}
    others = sorted(
        path.name
        for path in folder.iterdir()
        if (path.name not in written or path.is_dir()) and not is_only_validations(path)
    )
    if others:
        raise DataError(
            f"{folder}: holds {others[0]!r}, which no run wrote; move it away, then remove the run"
        )


def remove_run(record: RunRecord) -> None:
    """Remove the folder of a run: it gets a hidden name first, so that no half of a run is ever listed.

    What an interrupted removal left beside it goes too. Raises DataError for a folder that is not
    that of a run, or that holds files which no run wrote.
    """
    check_removable(record)
    folder = record.run_dir.resolve()
    folder.rename(folder.with_name(f"{_REMOVED}{folder.name}"))
    for leftover in folder.parent.glob(f"{_REMOVED}*"):
        shutil.rmtree(leftover, ignore_errors=True)
        if leftover.exists():
            raise DataError(
                f"{leftover}: cannot be deleted; it is no run any more, delete it by hand"
            )
