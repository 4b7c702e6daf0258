"""CSV files of Tardis."""

from .files import FORMATS

__all__ = ["FORMATS"]
