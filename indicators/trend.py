"""Trend of the close: MACD, crossing means, detrended price, vertical-horizontal filter."""

import numpy as np

from engine import Float1D, kernel

from .momentum import check_order
from .moving_average import (
    exponential_mean,
    exponential_stable_rows,
    wilder_stable_rows,
)
from .rolling import quotient, rolling_extreme_kernel, rolling_mean, rolling_sum_kernel
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range

TIGHT = 1e-8
"""Memory left at ``stable`` in differences of averages, whose errors weigh more than in prices."""
_ATR_LENGTH = Parameter("atr_length", 14, 2, 200)


@kernel(nogil=True)
def _spread_kernel(fast: Float1D, slow: Float1D) -> tuple[Float1D, Float1D]:
    """``fast - slow`` and the rows on which its sign changes."""
    spread, cross = np.empty(len(fast)), np.zeros(len(fast))
    before = np.nan
    for t in range(len(fast)):
        now = fast[t] - slow[t]
        if now > 0 and before <= 0:
            cross[t] = 1.0
        elif now < 0 and before >= 0:
            cross[t] = -1.0
        spread[t] = before = now
    return spread, cross


@kernel(nogil=True)
def _histogram_kernel(line: Float1D, smooth: Float1D, first: int) -> Float1D:
    """``line - smooth``; ``line`` becomes NaN before ``first``, the first row of ``smooth``."""
    line[:first] = np.nan
    return line - smooth


@kernel(nogil=True)
def _detrended_kernel(values: Float1D, mean: Float1D, back: int) -> Float1D:
    out = mean.copy()
    for t in range(back, len(values)):
        out[t] = values[t - back] - mean[t]
    return out


@kernel(nogil=True)
def _vertical_horizontal_kernel(values: Float1D, length: int) -> Float1D:
    count = len(values)
    steps = np.zeros(count)
    for t in range(1, count):
        steps[t] = abs(values[t] - values[t - 1])
    path = rolling_sum_kernel(steps, length)
    out = rolling_extreme_kernel(values, length, 1.0)
    lowest = rolling_extreme_kernel(values, length, -1.0)
    for t in range(count):
        ratio = (out[t] - lowest[t]) / path[t] if path[t] != 0.0 else 0.0
        out[t] = ratio if t >= length else np.nan
    return out


def moving_average_convergence(
    close: Float1D, fast: int, slow: int, signal: int
) -> tuple[Float1D, Float1D, Float1D]:
    """MACD (Appel): EMA(fast) - EMA(slow), the EMA of that, and their difference.

    Arrays ``(T,)`` in price units; known at close *t*; all NaN for ``slow + signal - 2`` rows. Both
    EMAs are seeded so that they begin on the same row, as in TA-Lib.
    """
    line, _ = _spread_kernel(
        exponential_mean(close, fast, slow - fast), exponential_mean(close, slow)
    )
    smooth = exponential_mean(line, signal, slow - 1)
    return line, smooth, _histogram_kernel(line, smooth, slow + signal - 2)


def detrended_price(close: Float1D, length: int) -> Float1D:
    """DPO in its causal form: the close ``length // 2 + 1`` rows ago less the mean of ``length`` rows.

    Array ``(T,)`` in price units; known at close *t*; NaN for ``length - 1`` rows, or for
    ``length // 2 + 1`` if that is more. The form that puts the difference back to the row of its close
    shows every row what the next ``length // 2 + 1`` will be.
    """
    back = length // 2 + 1
    out = _detrended_kernel(close, rolling_mean(close, length), back)
    out[:back] = np.nan
    return out


def vertical_horizontal_filter(close: Float1D, length: int) -> Float1D:
    """VHF (White 1991): range of the last ``length`` closes over the path of ``length`` steps.

    Array ``(T,)``, 0 to 1, without direction, 0 when flat; known at close *t*; NaN for ``length``
    rows. The path begins one row before the range.
    """
    return np.minimum(_vertical_horizontal_kernel(close, length), 1.0)


def _over_atr(
    columns: Columns, parameters: Parameters, lookback: int, lines: tuple[Float1D, ...]
) -> tuple[Float1D, ...]:
    """``lines`` and each of them over the ATR, 0 where that is 0; all NaN for ``lookback`` rows."""
    atr = average_true_range(
        columns["high"], columns["low"], columns["close"], int(parameters["atr_length"])
    )
    ratios = tuple(quotient(line, atr, 0.0) for line in lines)
    for line in (*lines, *ratios):
        line[:lookback] = np.nan
    return (*lines, *ratios)


def _macd(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("macd", "fast", "slow", parameters)
    lengths = [int(parameters[name]) for name in ("fast", "slow", "signal")]
    lines = moving_average_convergence(columns["close"], *lengths)
    return _over_atr(columns, parameters, _macd_lookback(parameters), lines)


def _macd_lookback(parameters: Parameters) -> int:
    return int(max(parameters["slow"] + parameters["signal"] - 2, parameters["atr_length"]))


def _atr_stable(parameters: Parameters) -> int:
    return wilder_stable_rows(int(parameters["atr_length"]), 1, TIGHT)


MACD = Indicator(
    name="macd",
    text=(
        "Moving average convergence and divergence (Appel), seeds aligned as in TA-Lib; in prices and "
        "in ATR."
    ),
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("fast", 12, 2, 100),
        Parameter("slow", 26, 3, 400),
        Parameter("signal", 9, 2, 100),
        _ATR_LENGTH,
    ),
    outputs=(
        Output("macd", "value", "price", "EMA(fast) less EMA(slow)"),
        Output("signal", "value", "price", "EMA of the line"),
        Output("histogram", "value", "price", "line less signal"),
        Output("macd_atr", "value", "ATR", "line / ATR"),
        Output("signal_atr", "value", "ATR", "signal / ATR"),
        Output("histogram_atr", "value", "ATR", "histogram / ATR"),
    ),
    compute=_macd,
    lookback=_macd_lookback,
    stable=lambda parameters: max(
        exponential_stable_rows(int(max(parameters["slow"], parameters["signal"])), 2, TIGHT),
        _atr_stable(parameters),
    ),
)


def _ema_cross(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("ema_cross", "fast", "slow", parameters)
    close, fast, slow = columns["close"], int(parameters["fast"]), int(parameters["slow"])
    return _spread_kernel(exponential_mean(close, fast, slow - fast), exponential_mean(close, slow))


EMA_CROSS = Indicator(
    name="ema_cross",
    text="Fast less slow EMA, and the rows on which its sign changes.",
    inputs=("close",),
    parameters=(Parameter("fast", 12, 2, 100), Parameter("slow", 26, 3, 400)),
    outputs=(
        Output("spread", "value", "price", "fast less slow EMA"),
        Output(
            "cross", "signal", "side", "1 crossed upwards, -1 downwards", firing_rate=(0.01, 0.08)
        ),
    ),
    compute=_ema_cross,
    lookback=lambda parameters: int(parameters["slow"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["slow"]), 1, TIGHT),
)


def _dpo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    line = detrended_price(columns["close"], int(parameters["length"]))
    return _over_atr(columns, parameters, _dpo_lookback(parameters), (line,))


def _dpo_lookback(parameters: Parameters) -> int:
    length = int(parameters["length"])
    return max(length - 1, length // 2 + 1, int(parameters["atr_length"]))


DPO = Indicator(
    name="dpo",
    text="Detrended price in its causal form, in prices and in ATR.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 20, 2, 400), _ATR_LENGTH),
    outputs=(
        Output("dpo", "value", "price", "close length / 2 + 1 rows ago less the mean"),
        Output("dpo_atr", "value", "ATR", "dpo / ATR"),
    ),
    compute=_dpo,
    lookback=_dpo_lookback,
    stable=lambda parameters: max(_dpo_lookback(parameters), _atr_stable(parameters)),
)

VHF = Indicator(
    name="vhf",
    text="Vertical-horizontal filter (White); it has no direction; 0 when flat.",
    inputs=("close",),
    parameters=(Parameter("length", 28, 2, 400),),
    outputs=(Output("vhf", "value", "share", "range over path", 0.0, 1.0),),
    compute=lambda columns, parameters: (
        vertical_horizontal_filter(columns["close"], int(parameters["length"])),
    ),
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (MACD, EMA_CROSS, DPO, VHF)
