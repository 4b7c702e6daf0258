"""Funding histories of any source: settlements on the hour, and where their interval changes."""

from typing import Final

import numpy as np

from engine import HOUR_NS, Int1D

from .source_rows import SourceRows, taken_settlements

_LEAST_RUN: Final = 2
"""So many equal distances in a row are an interval; a single longer one is a hole."""


def taken_funding(rows: SourceRows) -> SourceRows:
    """The settlements that are imported, with a finding where their interval changes."""
    rows = taken_settlements(rows)
    intervals = _intervals(np.diff(rows.time_ns()))
    if len(intervals) < 2:
        return rows
    words = " to ".join(f"{interval / HOUR_NS:g} h" for interval in intervals[:8])
    more = " and on" if len(intervals) > 8 else ""
    return rows.noting(
        "interval_change",
        f"the interval between settlements changes from {words}{more}",
        len(intervals) - 1,
    )


def _intervals(distances: Int1D) -> list[int]:
    """The intervals of a history in their order, each once until the next one begins."""
    found: list[int] = []
    begins = np.flatnonzero(np.diff(distances, prepend=-1))
    lengths = np.diff(np.append(begins, len(distances)))
    for start, length in zip(begins, lengths, strict=True):
        interval = int(distances[start])
        if length >= _LEAST_RUN and (not found or found[-1] != interval):
            found.append(interval)
    return found
