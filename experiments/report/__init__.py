"""The report of a run: a page made from the run folder alone."""

from pathlib import Path

from ..pages.writing import write_document
from ..record import RunRecord
from .run_page import run_document

__all__ = ["run_document", "write_report"]


def write_report(record: RunRecord, path: Path | str, format_: str = "html") -> Path:
    """Write the report of ``record`` to ``path`` and return it, as ``write_document`` does.

    DataError for a damaged table or disk.
    """
    return write_document(run_document(record), path, format_)
