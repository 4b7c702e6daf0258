"""Rates of change of the close: plain, smoothed (TRIX) and summed over horizons (Coppock, KST)."""

import numpy as np

from engine import Float1D, kernel

from .compound_average import cascaded_mean
from .momentum import TIGHT, check_order
from .moving_average import exponential_stable_rows, weighted_mean
from .rolling import rolling_mean
from .spec import Columns, Indicator, Output, Parameter, Parameters

KST_WEIGHTS = (1.0, 2.0, 3.0, 4.0)


@kernel(nogil=True)
def _rate_of_change_kernel(values: Float1D, length: int) -> Float1D:
    out = np.empty(len(values))
    out[:length] = np.nan
    for t in range(length, len(values)):
        out[t] = 100.0 * (values[t] / values[t - length] - 1.0)
    return out


def change(values: Float1D, length: int) -> Float1D:
    """``x_t - x_{t - length}``; NaN for ``length`` rows."""
    out = np.empty(len(values))
    out[:length] = np.nan
    np.subtract(values[length:], values[:-length], out=out[length:])
    return out


def rate_of_change(values: Float1D, length: int) -> Float1D:
    """``100 (x_t / x_{t - length} - 1)`` in percent; NaN for ``length`` rows."""
    return _rate_of_change_kernel(values, length)


def triple_smoothed_change(close: Float1D, length: int) -> Float1D:
    """TRIX: percent change over one bar of the close smoothed by three EMAs.

    Array ``(T,)`` in percent; known at close *t*; NaN for ``3 (length - 1) + 1`` rows.
    """
    return _rate_of_change_kernel(cascaded_mean(close, length, (0.0, 0.0, 1.0)), 1)


def coppock_curve(close: Float1D, short: int, long: int, length: int) -> Float1D:
    """Coppock curve (1962): weighted mean of the sum of two rates of change.

    Array ``(T,)`` in percent, unbounded; known at close *t*; NaN for ``long + length - 1`` rows.
    """
    total = rate_of_change(close, short) + rate_of_change(close, long)
    return weighted_mean(total, length)


def know_sure_thing(
    close: Float1D, roc_lengths: tuple[int, ...], mean_lengths: tuple[int, ...]
) -> Float1D:
    """KST (Pring 1992): four smoothed rates of change, with weights 1 to 4.

    Array ``(T,)`` in percent, unbounded; known at close *t*; NaN until the longest pair of
    ``roc + mean - 1`` rows is full.
    """
    total = np.zeros(len(close))
    for weight, roc_length, mean_length in zip(KST_WEIGHTS, roc_lengths, mean_lengths, strict=True):
        total = total + weight * rolling_mean(rate_of_change(close, roc_length), mean_length)
    return total


def _momentum(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (change(columns["close"], int(parameters["length"])),)


def _roc(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (rate_of_change(columns["close"], int(parameters["length"])),)


def _trix(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (triple_smoothed_change(columns["close"], int(parameters["length"])),)


def _coppock(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    check_order("coppock", "short", "long", parameters)
    lengths = [int(parameters[name]) for name in ("short", "long", "length")]
    return (coppock_curve(columns["close"], *lengths),)


_KST_ROCS = tuple(f"roc_{place}" for place in range(1, 5))
_KST_MEANS = tuple(f"mean_{place}" for place in range(1, 5))


def _kst(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    rocs = tuple(int(parameters[name]) for name in _KST_ROCS)
    means = tuple(int(parameters[name]) for name in _KST_MEANS)
    line = know_sure_thing(columns["close"], rocs, means)
    signal = rolling_mean(line, int(parameters["signal"]))
    return np.where(np.isnan(signal), np.nan, line), signal


def _kst_lookback(parameters: Parameters) -> int:
    pairs = zip(_KST_ROCS, _KST_MEANS, strict=True)
    longest = max(parameters[roc] + parameters[mean] for roc, mean in pairs)
    return int(longest + parameters["signal"]) - 2


MOMENTUM = Indicator(
    name="momentum",
    text="Change of the close.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 1, 400),),
    outputs=(Output("momentum", "value", "price", "close less the close length bars ago"),),
    compute=_momentum,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
ROC = Indicator(
    name="roc",
    text="Rate of change of the close.",
    inputs=("close",),
    parameters=(Parameter("length", 10, 1, 400),),
    outputs=(Output("roc", "value", "percent", "percent change over length bars"),),
    compute=_roc,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
TRIX = Indicator(
    name="trix",
    text="One-bar percent change of a triple EMA.",
    inputs=("close",),
    parameters=(Parameter("length", 15, 2, 100),),
    outputs=(Output("trix", "value", "percent", "change of the triple EMA"),),
    compute=_trix,
    lookback=lambda parameters: int(3 * (parameters["length"] - 1)) + 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 3, TIGHT) + 1,
)
COPPOCK = Indicator(
    name="coppock",
    text="Coppock curve: weighted mean of the sum of two rates of change.",
    inputs=("close",),
    parameters=(
        Parameter("short", 11, 2, 100),
        Parameter("long", 14, 3, 200),
        Parameter("length", 10, 2, 100),
    ),
    outputs=(Output("coppock", "value", "percent", "weighted mean of two rates of change"),),
    compute=_coppock,
    lookback=lambda parameters: int(parameters["long"] + parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["long"] + parameters["length"]) - 1,
)
KST = Indicator(
    name="kst",
    text="Know sure thing (Pring): four smoothed rates of change, and the simple mean of their sum.",
    inputs=("close",),
    parameters=(
        *(
            Parameter(name, default, 2, 200)
            for name, default in zip(_KST_ROCS, (10, 15, 20, 30), strict=True)
        ),
        *(
            Parameter(name, default, 1, 100)
            for name, default in zip(_KST_MEANS, (10, 10, 10, 15), strict=True)
        ),
        Parameter("signal", 9, 1, 50),
    ),
    outputs=(
        Output("kst", "value", "percent", "weighted sum of smoothed rates of change"),
        Output("signal", "value", "percent", "simple mean of the line"),
    ),
    compute=_kst,
    lookback=_kst_lookback,
    stable=_kst_lookback,
)

INDICATORS = (MOMENTUM, ROC, TRIX, COPPOCK, KST)
