"""Small tools on event columns that several heads share."""

import numpy as np

from engine import Float1D, Int1D, kernel


@kernel
def _held_kernel(signal: Float1D, validity_bars: int) -> Float1D:
    held = signal.copy()
    last, age = 0.0, 0
    for t in range(len(signal)):
        if signal[t] != 0:
            last, age = signal[t], 0
        elif age + 1 < validity_bars:
            age += 1
        else:
            last = 0.0
        held[t] = last
    return held


def held(signal: Float1D, validity_bars: int) -> Float1D:
    """The newest event of the last ``validity_bars`` rows, its own row included; 0 when there is none.

    ``signal`` is ``(T,)`` with 0 for no event; so is the result. Row *t* reads rows <= *t*.
    """
    return _held_kernel(signal, validity_bars)


def event_row(signal: Float1D, validity_bars: int) -> Int1D:
    """Row of the newest event of the last ``validity_bars`` rows, -1 where there is none, ``(T,)``."""
    rows = np.arange(len(signal))
    newest = np.maximum.accumulate(np.where(signal != 0, rows, -1))
    row: Int1D = np.where((newest >= 0) & (rows - newest < validity_bars), newest, -1)
    return row


def at_event(values: Float1D, signal: Float1D, validity_bars: int) -> Float1D:
    """``values`` on the row of the newest event that ``held`` shows; 0 where there is none, ``(T,)``."""
    row = event_row(signal, validity_bars)
    # Without an event the row is -1, which would read the last bar.
    return np.where(row >= 0, values[np.maximum(row, 0)], 0.0)
