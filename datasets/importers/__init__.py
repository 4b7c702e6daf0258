"""Files of other people: recognised by their columns, checked whole, imported or refused."""

from .files import import_files, read_file
from .format import Format
from .formats import FORMATS
from .report import ImportReport, Request
from .rows import SourceRows

__all__ = [
    "FORMATS",
    "Format",
    "ImportReport",
    "Request",
    "SourceRows",
    "import_files",
    "read_file",
]
