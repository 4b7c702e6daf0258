"""Volatility: true range and its averages, deviations of closes, and the exits hung below them."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import wilder_mean, wilder_stable_rows
from .rolling import percent_rank, rolling_max, rolling_min, rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters

__all__ = [
    "INDICATORS",
    "average_true_range",
    "realised_volatility",
    "true_range",
    "wilder_stable_rows",
]


@kernel(nogil=True)
def _true_range_kernel(high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    out = np.empty(len(close))
    for t in range(len(close)):
        spread = high[t] - low[t]
        if t > 0:
            spread = max(spread, abs(high[t] - close[t - 1]), abs(low[t] - close[t - 1]))
        out[t] = spread
    return out


@kernel(nogil=True)
def _chandelier_kernel(
    close: Float1D, highest: Float1D, lowest: Float1D, atr: Float1D, multiple: float
) -> tuple[Float1D, Float1D, Float1D]:
    long_stop, short_stop, side = np.empty(len(close)), np.empty(len(close)), np.empty(len(close))
    for t in range(len(close)):
        long_stop[t] = highest[t] - multiple * atr[t]
        short_stop[t] = lowest[t] + multiple * atr[t]
        if np.isnan(long_stop[t]) or np.isnan(short_stop[t]) or np.isnan(close[t]):
            side[t] = np.nan
        else:
            side[t] = (1.0 if close[t] > long_stop[t] else 0.0) - (
                1.0 if close[t] < short_stop[t] else 0.0
            )
    return long_stop, short_stop, side


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
    return wilder_mean(true_range(high, low, close), length, 1)


def realised_volatility(close: Float1D, length: int) -> Float1D:
    """Standard deviation (ddof 0) of the last ``length`` logarithmic returns, in returns of one row.

    Array ``(T,)``; known at close *t*; NaN for the first ``length`` rows. Times the square root of the
    rows in a year it is the annual volatility.
    """
    returns = np.full(len(close), np.nan)
    returns[1:] = np.log(close[1:] / close[:-1])
    return rolling_std(returns, length)


def _true_range(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (true_range(columns["high"], columns["low"], columns["close"]),)


TRUE_RANGE = Indicator(
    name="true_range",
    text="Largest of the bar's range and its reach from the previous close.",
    inputs=("high", "low", "close"),
    parameters=(),
    outputs=(Output("true_range", "value", "price", "true range", low=0.0),),
    compute=_true_range,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 1,
)


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
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, 1e-8),
)


def _atr_rank(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    _, fraction = _atr(columns, parameters)
    return (percent_rank(fraction, int(parameters["window"])),)


ATR_RANK = Indicator(
    name="atr_rank",
    text="Percent rank of ATR / close among the rows before it.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200), Parameter("window", 200, 20, 1000)),
    outputs=(Output("atr_rank", "value", "percent", "percent rank", low=0.0, high=100.0),),
    compute=_atr_rank,
    lookback=lambda parameters: int(parameters["length"] + parameters["window"]),
    # A rank jumps at ties, so the average must have settled to rounding before the window begins.
    stable=lambda parameters: (
        wilder_stable_rows(int(parameters["length"]), 1, 1e-13) + int(parameters["window"])
    ),
)


def _natr(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    _, fraction = _atr(columns, parameters)
    return (100.0 * fraction,)


NATR = Indicator(
    name="natr",
    text="Normalised average true range: ATR in percent of the close.",
    inputs=("high", "low", "close"),
    parameters=(Parameter("length", 14, 2, 200),),
    outputs=(Output("natr", "value", "percent", "100 average true range / close", low=0.0),),
    compute=_natr,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, 1e-8),
)
ADR = Indicator(
    name="adr",
    text="Average range of the bars, without their jumps: simple mean of high less low.",
    inputs=("high", "low"),
    parameters=(Parameter("length", 14, 1, 200),),
    outputs=(Output("adr", "value", "price", "mean of high less low", low=0.0),),
    compute=lambda columns, parameters: (
        rolling_sum(columns["high"] - columns["low"], int(parameters["length"]))
        / int(parameters["length"]),
    ),
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)
STANDARD_DEVIATION = Indicator(
    name="standard_deviation",
    text="Standard deviation of the close (ddof 0).",
    inputs=("close",),
    parameters=(Parameter("length", 20, 2, 400),),
    outputs=(Output("deviation", "value", "price", "standard deviation", low=0.0),),
    compute=lambda columns, parameters: (rolling_std(columns["close"], int(parameters["length"])),),
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)


def _chandelier(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    length = int(parameters["length"])
    atr = average_true_range(high, low, close, length)
    highest, lowest = rolling_max(high, length), rolling_min(low, length)
    return _chandelier_kernel(close, highest, lowest, atr, parameters["multiple"])


CHANDELIER = Indicator(
    name="chandelier",
    text="Chandelier exits (Le Beau), not ratcheted.",
    inputs=("high", "low", "close"),
    parameters=(
        Parameter("length", 22, 5, 100),
        Parameter("multiple", 3.0, 0.5, 10.0, integer=False),
    ),
    outputs=(
        Output("long_stop", "value", "price", "highest high less the multiple of the ATR"),
        Output("short_stop", "value", "price", "lowest low plus the multiple of the ATR"),
        Output("side", "value", "side", "1 clear of both stops, -1 beyond both, else 0", -1.0, 1.0),
    ),
    compute=_chandelier,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: wilder_stable_rows(int(parameters["length"]), 1, 1e-8),
)
REALISED_VOLATILITY = Indicator(
    name="realised_volatility",
    text="Standard deviation of logarithmic returns (ddof 0), not annualised.",
    inputs=("close",),
    parameters=(Parameter("length", 720, 20, 2000),),
    outputs=(Output("deviation", "value", "log return", "deviation of one row", low=0.0),),
    compute=lambda columns, parameters: (
        realised_volatility(columns["close"], int(parameters["length"])),
    ),
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (
    TRUE_RANGE,
    ATR,
    NATR,
    ATR_RANK,
    ADR,
    STANDARD_DEVIATION,
    REALISED_VOLATILITY,
    CHANDELIER,
)
