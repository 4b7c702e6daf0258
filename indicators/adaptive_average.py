"""Averages that follow a trend closely and noise slowly: Kaufman's efficiency ratio and KAMA, MAMA."""

import numpy as np

from engine import ConfigError, Float1D, kernel

from .moving_average import forgetting_rows
from .rolling import rolling_sum_kernel
from .spec import Columns, Indicator, Output, Parameter, Parameters

FASTEST_ROWS, SLOWEST_ROWS = 2, 30
"""Lengths of the EMAs between which KAMA moves (Kaufman 1995)."""
FIRST_PHASE_ROW = 12
"""Row on which MAMA starts: the phase needs the smoothed prices of nine rows before."""
PHASE_ROWS = 32
"""Rows until every part of the phase has been fed; TA-Lib's warm-up."""
PHASE_SETTLING_ROWS = 300
"""Rows allowed for the measured period to forget its start; 120 starts on null hourly bars took 281."""


@kernel(nogil=True)
def _efficiency_kernel(values: Float1D, length: int, flat: float) -> Float1D:
    count = len(values)
    steps = np.zeros(count)
    for t in range(1, count):
        steps[t] = abs(values[t] - values[t - 1])
    path = rolling_sum_kernel(steps, length)
    out = np.full(count, np.nan)
    for t in range(length, count):
        way = abs(values[t] - values[t - length])
        out[t] = flat if path[t] == 0.0 else min(way / path[t], 1.0)
    return out


@kernel(nogil=True)
def _kaufman_kernel(values: Float1D, length: int, fastest: float, slowest: float) -> Float1D:
    efficiency = _efficiency_kernel(values, length, 1.0)
    out = np.full(len(values), np.nan)
    if len(values) <= length:
        return out
    gap = 0.0
    for t in range(length, len(values)):
        speed = efficiency[t] * (fastest - slowest) + slowest
        gap = (gap + (values[t] - values[t - 1])) * (1.0 - speed * speed)
        out[t] = values[t] - gap
    return out


@kernel(inlined=True)
def _quadrature_kernel(line: Float1D, at: int, adjustment: float) -> float:
    """Ehlers' Hilbert transform of ``line`` on row ``at``: what moves, a quarter of a period late."""
    far, near = line[at] - line[at - 6], line[at - 2] - line[at - 4]
    moved: float = (0.0962 * far + 0.5769 * near) * adjustment
    return moved


@kernel(nogil=True)
def _mesa_kernel(values: Float1D, fast: float, slow: float) -> tuple[Float1D, Float1D]:
    count = len(values)
    leading, following = np.full(count, np.nan), np.full(count, np.nan)
    # Row t of the lines is at t + 12, so that the rows before the first are zeros.
    smooth, detrended, quadrature = np.zeros(count + 12), np.zeros(count + 12), np.zeros(count + 12)
    period, phase = 0.0, 0.0
    in_phase_before, quadrature_before, real, imaginary = 0.0, 0.0, 0.0, 0.0
    average = follower = values[FIRST_PHASE_ROW] if count > FIRST_PHASE_ROW else 0.0
    degrees = 180.0 / np.pi
    for t in range(FIRST_PHASE_ROW, count):
        at = t + 12
        weighted = 4.0 * values[t] + 3.0 * values[t - 1] + 2.0 * values[t - 2] + values[t - 3]
        smooth[at] = weighted * 0.1
        adjustment = 0.075 * period + 0.54
        detrended[at] = _quadrature_kernel(smooth, at, adjustment)
        quadrature[at] = _quadrature_kernel(detrended, at, adjustment)
        in_phase = detrended[at - 3]
        phase_before = phase
        phase = np.arctan(quadrature[at] / in_phase) * degrees if in_phase != 0.0 else 0.0
        turned = max(phase_before - phase, 1.0)
        alpha = max(fast / turned, slow) if turned > 1.0 else fast
        average = average + (values[t] - average) * alpha
        follower = follower + (average - follower) * (0.5 * alpha)
        leading[t], following[t] = average, follower
        of_in_phase = _quadrature_kernel(detrended, at - 3, adjustment)
        of_quadrature = _quadrature_kernel(quadrature, at, adjustment)
        turned_quadrature = 0.2 * (quadrature[at] + of_in_phase) + 0.8 * quadrature_before
        turned_in_phase = 0.2 * (in_phase - of_quadrature) + 0.8 * in_phase_before
        same = turned_in_phase * in_phase_before + turned_quadrature * quadrature_before
        across = turned_in_phase * quadrature_before - turned_quadrature * in_phase_before
        real, imaginary = 0.2 * same + 0.8 * real, 0.2 * across + 0.8 * imaginary
        quadrature_before, in_phase_before = turned_quadrature, turned_in_phase
        measured = period
        if imaginary != 0.0 and real != 0.0:
            measured = 360.0 / (np.arctan(imaginary / real) * degrees)
        measured = max(min(measured, 1.5 * period), 0.67 * period)
        period = 0.2 * min(max(measured, 6.0), 50.0) + 0.8 * period
    leading[:PHASE_ROWS], following[:PHASE_ROWS] = np.nan, np.nan
    return leading, following


def efficiency_ratio(values: Float1D, length: int) -> Float1D:
    """Kaufman's efficiency ratio: the way made in ``length`` rows over the path walked; 0 when flat.

    Array ``(T,)``, 0 to 1, without direction; known at close *t*; NaN for ``length`` rows.
    """
    return _efficiency_kernel(values, length, 0.0)


def kaufman_mean(values: Float1D, length: int) -> Float1D:
    """KAMA (Kaufman 1995): an EMA whose alpha is ``(er (2/3 - 2/31) + 2/31)^2``.

    ``er`` is the efficiency ratio over ``length`` rows, here 1 where nothing moved, as in TA-Lib.
    Array ``(T,)`` in and out, in the units of ``values``; starts from row ``length - 1``; known at
    close *t*; NaN for ``length`` rows.
    """
    fastest, slowest = (2.0 / (rows + 1.0) for rows in (FASTEST_ROWS, SLOWEST_ROWS))
    return _kaufman_kernel(values, length, fastest, slowest)


def mesa_mean(values: Float1D, fast: float, slow: float) -> tuple[Float1D, Float1D]:
    """MAMA and FAMA (Ehlers 2001): averages whose alpha is ``fast`` over the degrees the phase turned.

    The phase comes from a Hilbert transform of the smoothed values, tuned to the period that it
    measures (6 to 50 rows). Alpha stays between ``slow`` and ``fast``; FAMA follows MAMA with half of
    it. Arrays ``(T,)`` in the units of ``values``; known at close *t*; NaN for 32 rows. Both start at
    the value of row 12, TA-Lib's at 0, which takes it some hundred rows to forget.
    """
    return _mesa_kernel(values, fast, slow)


def _length(parameters: Parameters) -> int:
    return int(parameters["length"])


ER = Indicator(
    name="er",
    text="Efficiency ratio of the close (Kaufman); it has no direction; 0 when flat.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 2, 400),),
    outputs=(Output("er", "value", "share", "way made over path walked", 0.0, 1.0),),
    compute=lambda columns, parameters: (efficiency_ratio(columns["close"], _length(parameters)),),
    lookback=_length,
    stable=_length,
)


def _kama(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    average = kaufman_mean(close, _length(parameters))
    return average, close - average


KAMA = Indicator(
    name="kama",
    text="Kaufman's adaptive mean of the close, as fast as an EMA of 2 and as slow as one of 30 squared.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 2, 200),),
    outputs=(
        Output("kama", "value", "price", "adaptive mean"),
        Output("distance", "value", "price", "close less the average"),
    ),
    compute=_kama,
    lookback=_length,
    # The rows that the slowest alpha takes: what a market without any trend needs.
    stable=lambda parameters: (
        _length(parameters) + forgetting_rows((2.0 / (SLOWEST_ROWS + 1.0)) ** 2)
    ),
)


def _mama(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    fast, slow = parameters["fast_limit"], parameters["slow_limit"]
    if slow > fast:
        raise ConfigError(
            f"indicator mama: slow_limit={slow:g} must not be more than fast_limit={fast:g}"
        )
    leading, following = mesa_mean(columns["close"], fast, slow)
    return leading, following, leading - following


MAMA = Indicator(
    name="mama",
    text="MESA adaptive mean of the close and the mean that follows it (Ehlers).",
    inputs=("close",),
    parameters=(
        Parameter("fast_limit", 0.5, 0.1, 0.9, integer=False),
        Parameter("slow_limit", 0.05, 0.02, 0.3, integer=False),
    ),
    outputs=(
        Output("mama", "value", "price", "the mean that leads"),
        Output("fama", "value", "price", "the mean that follows"),
        Output("spread", "value", "price", "mama less fama; above 0 the trend is up"),
    ),
    compute=_mama,
    lookback=lambda parameters: PHASE_ROWS,
    stable=lambda parameters: (
        PHASE_SETTLING_ROWS + forgetting_rows(0.5 * parameters["slow_limit"], 2, 1e-8)
    ),
)

INDICATORS = (ER, KAMA, MAMA)
