"""Files of other people: recognised by their columns, checked whole, imported or refused."""

from .files import import_files
from .report import ImportReport

__all__ = ["ImportReport", "import_files"]
