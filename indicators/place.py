"""Where a value stands between two lines."""

import numpy as np

from engine import Float1D, kernel


@kernel(nogil=True)
def _place_kernel(
    values: Float1D, lower: Float1D, upper: Float1D, scale: float, shift: float, least: float
) -> Float1D:
    out = np.empty(len(values))
    for t in range(len(values)):
        spread = upper[t] - lower[t]
        place = 0.5 + 0.0 * values[t] if spread <= least else (values[t] - lower[t]) / spread
        out[t] = scale * place + shift
    return out


def place_between(
    values: Float1D,
    lower: Float1D,
    upper: Float1D,
    *,
    scale: float = 1.0,
    shift: float = 0.0,
    least: float = 0.0,
) -> Float1D:
    """``scale (x - lower) / (upper - lower) + shift``, with the place 1/2 where nothing is between.

    Nothing is between two lines that are at most ``least`` apart. Arrays ``(T,)`` of one unit in, a
    number out; NaN where any of the three is.
    """
    return _place_kernel(values, lower, upper, scale, shift, least)
