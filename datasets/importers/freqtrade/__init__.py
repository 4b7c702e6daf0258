"""Files of freqtrade's data folder."""

from .files import FORMATS

__all__ = ["FORMATS"]
