"""Small tools on event columns that several heads share."""

from engine import Float1D, kernel


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
