"""The report of a sweep, and of what a validation found about a sweep or a run."""

from .document import sweep_document
from .validation_sections import validation_sections

__all__ = ["sweep_document", "validation_sections"]
