"""Momentum of the bar's body: how far close stands from open, against the range of the bar."""

import numpy as np

from engine import Float1D

from .rolling import quotient, rolling_mean, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters

SMOOTHING_ROWS = 4
"""Rows that the symmetric weights 1, 2, 2, 1 of the relative vigor index span."""


def symmetric_mean(values: Float1D) -> Float1D:
    """Mean of four rows with weights 1, 2, 2, 1, row *t* included; NaN for 3 rows."""
    out = np.full(len(values), np.nan)
    if len(values) >= SMOOTHING_ROWS:
        inner = values[1:-2] + values[2:-1]
        out[3:] = (values[:-3] + 2.0 * inner + values[3:]) / 6.0
    return out


def intraday_momentum_index(open_: Float1D, close: Float1D, length: int) -> Float1D:
    """IMI (Chande and Kroll 1994): 100 x bodies of rising bars / all bodies over ``length`` rows.

    Array ``(T,)``, 0 to 100, 50 where no bar has a body; known at close *t*; NaN for ``length - 1``
    rows.
    """
    body = close - open_
    gain = rolling_sum(np.maximum(body, 0.0), length)
    loss = rolling_sum(np.maximum(-body, 0.0), length)
    return 100.0 * quotient(gain, gain + loss, 0.5)


def relative_vigor_index(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D, length: int
) -> Float1D:
    """RVGI (Ehlers 2002): sum of symmetrically smoothed bodies over that of smoothed ranges.

    Array ``(T,)``, -1 to 1, 0 where no bar has a range; known at close *t*; NaN for ``length + 2``
    rows.
    """
    body = rolling_sum(symmetric_mean(close - open_), length)
    spread = rolling_sum(symmetric_mean(high - low), length)
    return np.clip(quotient(body, spread, 0.0), -1.0, 1.0)


def _bop(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    spread = columns["high"] - columns["low"]
    return (quotient(columns["close"] - columns["open"], spread, 0.0),)


BOP = Indicator(
    name="bop",
    text="Balance of power (Livshin 2001): body over range of the bar; 0 without a range.",
    inputs=("open", "high", "low", "close"),
    parameters=(),
    outputs=(Output("bop", "value", "-1 to 1", "body over range", -1.0, 1.0),),
    compute=_bop,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)


def _imi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (intraday_momentum_index(columns["open"], columns["close"], int(parameters["length"])),)


IMI = Indicator(
    name="imi",
    text="Intraday momentum index (Chande and Kroll): the RSI of bodies; 50 without a body.",
    inputs=("open", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(Output("imi", "value", "0 to 100", "intraday momentum", 0.0, 100.0),),
    compute=_imi,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _qstick(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (rolling_mean(columns["close"] - columns["open"], int(parameters["length"])),)


QSTICK = Indicator(
    name="qstick",
    text="QStick (Chande): simple mean of close less open.",
    inputs=("open", "close"),
    parameters=(Parameter("length", 10, 2, 200),),
    outputs=(Output("qstick", "value", "price", "mean body"),),
    compute=_qstick,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _rvgi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_, high, low, close = (columns[name] for name in ("open", "high", "low", "close"))
    line = relative_vigor_index(open_, high, low, close, int(parameters["length"]))
    signal = np.clip(symmetric_mean(line), -1.0, 1.0)
    return np.where(np.isnan(signal), np.nan, line), signal


def _rvgi_lookback(parameters: Parameters) -> int:
    return int(parameters["length"]) + 2 * SMOOTHING_ROWS - 3


RVGI = Indicator(
    name="rvgi",
    text="Relative vigor index (Ehlers) and its signal line; 0 without a range.",
    inputs=("open", "high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(
        Output("rvgi", "value", "-1 to 1", "relative vigor", -1.0, 1.0),
        Output("signal", "value", "-1 to 1", "symmetric mean of the index", -1.0, 1.0),
    ),
    compute=_rvgi,
    lookback=_rvgi_lookback,
    stable=_rvgi_lookback,
)

INDICATORS = (BOP, IMI, QSTICK, RVGI)
