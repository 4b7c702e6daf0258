"""Volatility: true range, average true range."""

import numpy as np

from engine import Float1D, kernel

from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel
def _true_range_kernel(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    out = np.empty(len(close))
    for t in range(len(close)):
        spread = high[t] - low[t]
        if t > 0:
            spread = max(spread, abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))
        out[t] = spread
    return out


@kernel
def _wilder_kernel(values: Float1D, length: int, start: int) -> Float1D:
    out = np.full(len(values), np.nan)
    if len(values) < start + length:
        return out
    total = 0.0
    for t in range(start, start + length):
        total += values[t]
    average = total / length
    out[start + length - 1] = average
    for t in range(start + length, len(values)):
        average = (average * (length - 1) + values[t]) / length
        out[t] = average
    return out


def true_range(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    """Largest of high - low, |high - previous close|, |low - previous close|; row 0 is high - low.

    Arrays ``(T,)`` in price units; known at close *t*; no warm-up.
    """
    return _true_range_kernel(high, low, close)


def average_true_range(high: Float1D, low: Float1D, close: Float1D, length: int) -> Float1D:
    """Wilder's mean of the true range, seeded with the mean of rows 1 to ``length``.

    Arrays ``(T,)`` in price units; known at close *t*; NaN for the first ``length`` rows. Equal to
    TA-Lib's ATR.
    """
    return _wilder_kernel(_true_range_kernel(high, low, close), length, 1)


def wilder_stable_rows(length: int) -> int:
    """Rows until a Wilder average has forgotten its start to 1e-6: ``ceil(ln 1e6 / -ln(1 - 1/n))``."""
    return length + int(np.ceil(np.log(1e6) / -np.log1p(-1.0 / length))) if length > 1 else 1


def _atr(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["length"])
    atr = average_true_range(columns["high"], columns["low"], columns["close"], length)
    return atr, atr / columns["close"]


ATR = Indicator(
    name="atr",
    text="Average true range (Wilder 1978), in price units and as a fraction of the close.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(
        Output("atr", "value", "price", "average true range", low=0.0),
        Output("atr_frac", "value", "fraction of close", "average true range / close", low=0.0),
    ),
    compute=_atr,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"])),
)

INDICATORS = (ATR,)
