"""Runs of rows that have something in common."""

import numpy as np

from engine import Bool1D, Int1D


def runs_of(flags: Bool1D) -> tuple[Int1D, Int1D]:
    """First position and length of every run of True."""
    edges = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    starts = np.flatnonzero(edges == 1).astype(np.int64)
    return starts, np.flatnonzero(edges == -1).astype(np.int64) - starts
