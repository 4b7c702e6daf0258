"""Rows of one series as a file has them, and the rules that decide which of them are taken."""

from .source_rows import (
    MAX_OFF_GRID_SHARE,
    RefusedRowsError,
    SourceRows,
    common_step,
    source_rows,
    taken,
    taken_bars,
    taken_settlements,
)

__all__ = [
    "MAX_OFF_GRID_SHARE",
    "RefusedRowsError",
    "SourceRows",
    "common_step",
    "source_rows",
    "taken",
    "taken_bars",
    "taken_settlements",
]
