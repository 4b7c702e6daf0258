"""The coverage page: which rows of which data set are there, and why not.

``picture`` computes what is drawn, ``page`` places it in a document as every page is made of.
"""

from pathlib import Path

from datasets.quality import QualityReport

from ..pages.writing import write_document
from .page import coverage_document

__all__ = ["coverage_document", "write_coverage"]


def write_coverage(report: QualityReport, path: Path | str) -> Path:
    """Write the page of ``report`` as HTML to ``path`` and return it. DataError where the disk refuses."""
    return write_document(coverage_document(report), path)
