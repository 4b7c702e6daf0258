"""Cycles (Ehlers, Rocket Science for Traders, 2001): dominant period, and cycle or trend mode.

Both follow TA-Lib's HT_DCPERIOD and HT_TRENDMODE. They begin from the first prices instead of from
zeros, which spares them the jump from 0 to the price level, and take the sums of the cycle around
the newest price, so that a market without moves leaves exactly nothing to measure.
"""

import numpy as np

from engine import Float1D, kernel

from .spec import Columns, Indicator, Output, Parameters

SHORTEST_PERIOD, LONGEST_PERIOD = 6.0, 50.0
FILTER_ROWS = 9
"""Rows before the first in-phase and quadrature parts: 3 of smoothing and 6 of the Hilbert filter."""
TREND_DISTANCE = 0.015
"""Distance of price from the trend line, over that line, at which a trend is on whatever the phase."""
PERIOD_LOOKBACK, MODE_LOOKBACK = 32, 63
"""Leading unknown rows, as in TA-Lib."""
SETTLING_ROWS = 600
"""Rows in which the period forgets its start; 400 starts on null hourly bars took at most 305."""


@kernel(nogil=True, inlined=True)
def _hilbert_kernel(values: Float1D, t: int) -> float:
    part: float = 0.0962 * (values[t] - values[t - 6]) + 0.5769 * (values[t - 2] - values[t - 4])
    return part


@kernel(nogil=True)
def _cycle_kernel(values: Float1D) -> tuple[Float1D, Float1D]:
    rows = len(values)
    smooth, detrended, quadrature = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    inphase = np.zeros(rows)
    period_at = np.full(rows, np.nan)
    for t in range(3, min(rows, FILTER_ROWS)):
        smooth[t] = (4 * values[t] + 3 * values[t - 1] + 2 * values[t - 2] + values[t - 3]) / 10.0
    period, shown = 0.0, 0.0
    i2, q2, real, imaginary = 0.0, 0.0, 0.0, 0.0
    for t in range(FILTER_ROWS, rows):
        smooth[t] = (4 * values[t] + 3 * values[t - 1] + 2 * values[t - 2] + values[t - 3]) / 10.0
        gain = 0.075 * period + 0.54
        detrended[t] = _hilbert_kernel(smooth, t) * gain
        quadrature[t] = _hilbert_kernel(detrended, t) * gain
        inphase[t] = detrended[t - 3]
        before_i2, before_q2 = i2, q2
        i2 = 0.2 * (inphase[t] - _hilbert_kernel(quadrature, t) * gain) + 0.8 * before_i2
        q2 = 0.2 * (quadrature[t] + _hilbert_kernel(inphase, t) * gain) + 0.8 * before_q2
        real = 0.2 * (i2 * before_i2 + q2 * before_q2) + 0.8 * real
        imaginary = 0.2 * (i2 * before_q2 - q2 * before_i2) + 0.8 * imaginary
        before = period
        if imaginary != 0.0 and real != 0.0:
            period = 2.0 * np.pi / np.arctan(imaginary / real)
        period = min(max(min(period, 1.5 * before), 0.67 * before), LONGEST_PERIOD)
        period = 0.2 * max(period, SHORTEST_PERIOD) + 0.8 * before
        shown = 0.33 * period + 0.67 * shown
        period_at[t] = shown
    return smooth, period_at


@kernel(nogil=True)
def _mode_kernel(values: Float1D, smooth: Float1D, period_at: Float1D, start: int) -> Float1D:
    out = np.full(len(values), np.nan)
    phase, sine, lead = 0.0, 0.0, 0.0
    mean_1, mean_2, mean_3 = 0.0, 0.0, 0.0
    rows_in_trend = 0
    for t in range(start, len(values)):
        period = period_at[t]
        if np.isnan(period):
            continue
        count = int(period + 0.5)
        real, imaginary, total = 0.0, 0.0, 0.0
        for back in range(count):
            angle = back * 2.0 * np.pi / count
            real += np.sin(angle) * (smooth[t - back] - smooth[t])
            imaginary += np.cos(angle) * (smooth[t - back] - smooth[t])
            total += values[t - back] - values[t]
        mean = values[t] + total / count
        line = (4.0 * mean + 3.0 * mean_1 + 2.0 * mean_2 + mean_3) / 10.0
        mean_1, mean_2, mean_3 = mean, mean_1, mean_2
        before_phase, before_sine, before_lead = phase, sine, lead
        moved = real != 0.0 or imaginary != 0.0
        if moved:
            phase = np.arctan(real / imaginary) * 180.0 / np.pi if imaginary != 0.0 else phase
            if imaginary == 0.0:
                phase += 90.0 * np.sign(real)
            phase += 90.0 + 360.0 / period
            if imaginary < 0.0:
                phase += 180.0
            if phase > 315.0:
                phase -= 360.0
            sine = np.sin(phase * np.pi / 180.0)
            lead = np.sin((phase + 45.0) * np.pi / 180.0)
        crossed = (sine > lead and before_sine <= before_lead) or (
            sine < lead and before_sine >= before_lead
        )
        if crossed:
            rows_in_trend = 0
        rows_in_trend += 1
        trend = moved and not crossed and rows_in_trend >= 0.5 * period
        turned = (phase - before_phase) * period / 360.0
        if 0.67 < turned < 1.5:
            trend = False
        if abs(smooth[t] - line) >= TREND_DISTANCE * abs(line):
            trend = True
        out[t] = 1.0 if trend else 0.0
    return out


def dominant_cycle(close: Float1D) -> Float1D:
    """Period of the dominant cycle in rows, by the homodyne discriminator of the Hilbert transform.

    Array ``(T,)``, at most 50 rows and in the long run at least 6; known at close *t*; NaN for 32 rows.
    Where nothing moves the last period is held, 6 when nothing ever did; on a straight line it wanders
    between 40 and 50.
    """
    _, period = _cycle_kernel(close)
    period[:PERIOD_LOOKBACK] = np.nan
    return period


def trend_mode(close: Float1D) -> Float1D:
    """1 in a trend, 0 in a cycle: a trend is on unless the sine wave crossed its lead less than half a
    cycle ago or the phase advances as a cycle's does, and always where the smoothed price is 1.5 % or
    more from the trend line.

    Array ``(T,)``; 0 in a market without moves; known at close *t*; NaN for 63 rows.
    """
    smooth, period = _cycle_kernel(close)
    mode = _mode_kernel(close, smooth, period, MODE_LOOKBACK - 10)
    mode[:MODE_LOOKBACK] = np.nan
    return mode


def _dominant_cycle(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (dominant_cycle(columns["close"]),)


DOMINANT_CYCLE = Indicator(
    name="dominant_cycle",
    text="Period of the dominant cycle (Ehlers), in rows.",
    inputs=("close",),
    parameters=(),
    outputs=(Output("period", "value", "rows", "period of the dominant cycle", 0.0, 50.0),),
    compute=_dominant_cycle,
    lookback=lambda parameters: PERIOD_LOOKBACK,
    stable=lambda parameters: SETTLING_ROWS,
)


def _trend_mode(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (trend_mode(columns["close"]),)


TREND_MODE = Indicator(
    name="trend_mode",
    text="Whether price trends or cycles (Ehlers); it has no direction.",
    inputs=("close",),
    parameters=(),
    outputs=(Output("mode", "value", "flag", "1 trend, 0 cycle or nothing moved", 0.0, 1.0),),
    compute=_trend_mode,
    lookback=lambda parameters: MODE_LOOKBACK,
    stable=lambda parameters: SETTLING_ROWS,
)

INDICATORS = (DOMINANT_CYCLE, TREND_MODE)
