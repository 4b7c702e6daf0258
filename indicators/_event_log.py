"""Logs of events that kernels write row by row, without knowing how many there will be."""

from typing import Final

import numpy as np

from engine import Float2D, kernel

FIRST_ROOM: Final = 64
"""Rows that a log begins with."""


@kernel(nogil=True)
def with_room_kernel(log: Float2D, count: int) -> Float2D:
    """``log`` where its first ``count`` rows leave room for one more, else a copy twice as long."""
    if count < len(log):
        return log
    longer = np.empty((2 * max(len(log), 1), log.shape[1]))
    longer[: len(log)] = log
    return longer
