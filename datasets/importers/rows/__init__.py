"""Rows of one series as a file has them, and the rules that decide which of them are taken."""

from .bars import taken_bars
from .source_rows import (
    MAX_OFF_GRID_SHARE,
    RefusedRowsError,
    SourceRows,
    check_spacing,
    common_step,
    source_rows,
    taken,
    taken_settlements,
)

__all__ = [
    "MAX_OFF_GRID_SHARE",
    "RefusedRowsError",
    "SourceRows",
    "check_spacing",
    "common_step",
    "source_rows",
    "taken",
    "taken_bars",
    "taken_settlements",
]
