"""Volatility from the four prices of each bar: Parkinson, Garman-Klass, Rogers-Satchell, Yang-Zhang.

For one precision they need a fifth (Parkinson) to a fourteenth (Yang-Zhang) of the bars that a
deviation of closes needs. Each gives the deviation of one row and the annual one, which is that
times the square root of the rows in 365 days; the length of a row is the mean one of the window.
"""

import math
from collections.abc import Callable

import numpy as np

from engine import DAY_NS, Float1D

from .rolling import rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters

YEAR_NS = 365 * DAY_NS
PRICES = ("open", "high", "low", "close")


def parkinson_variance(high: Float1D, low: Float1D, length: int) -> Float1D:
    """Parkinson (1980): mean of ``ln(h / l)^2 / (4 ln 2)``; NaN for ``length - 1`` rows.

    Right for a driftless price that does not jump between bars. Squared log returns of one row.
    """
    squares = rolling_sum(np.log(high / low) ** 2, length)
    return squares / (4.0 * math.log(2.0) * length)


def garman_klass_variance(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D, length: int
) -> Float1D:
    """Garman and Klass (1980): mean of ``ln(h / l)^2 / 2 - (2 ln 2 - 1) ln(c / o)^2``.

    Right for a driftless price that does not jump between bars. NaN for ``length - 1`` rows.
    """
    spread, body = np.log(high / low), np.log(close / open_)
    terms = 0.5 * spread**2 - (2.0 * math.log(2.0) - 1.0) * body**2
    return rolling_sum(np.maximum(terms, 0.0), length) / length


def _rogers_satchell_terms(open_: Float1D, high: Float1D, low: Float1D, close: Float1D) -> Float1D:
    rise: Float1D = np.log(high / close) * np.log(high / open_)
    fall: Float1D = np.log(low / close) * np.log(low / open_)
    return rise + fall


def rogers_satchell_variance(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D, length: int
) -> Float1D:
    """Rogers and Satchell (1991): mean of ``ln(h/c) ln(h/o) + ln(l/c) ln(l/o)``, whatever the drift.

    NaN for ``length - 1`` rows.
    """
    return rolling_sum(_rogers_satchell_terms(open_, high, low, close), length) / length


def yang_zhang_variance(
    open_: Float1D, high: Float1D, low: Float1D, close: Float1D, length: int
) -> Float1D:
    """Yang and Zhang (2000): variance of ``ln(o / previous c)`` + k variance of ``ln(c / o)`` +
    (1 - k) Rogers-Satchell, with ``k = 0.34 / (1.34 + (n + 1) / (n - 1))`` and variances of ddof 1.

    Right for any drift and for jumps between bars. NaN for ``length`` rows.
    """
    jump = np.full(len(close), np.nan)
    jump[1:] = np.log(open_[1:] / close[:-1])
    unbiased = length / (length - 1.0)
    share = 0.34 / (1.34 + (length + 1.0) / (length - 1.0))
    between = unbiased * rolling_std(jump, length) ** 2
    within = unbiased * rolling_std(np.log(close / open_), length) ** 2
    steady = rogers_satchell_variance(open_, high, low, close, length)
    return between + share * within + (1.0 - share) * steady


def rows_a_year(open_time: Float1D, length: int) -> Float1D:
    """Rows in 365 days at the mean step of the last ``length`` rows; NaN for ``length - 1`` rows."""
    rows = np.full(len(open_time), np.nan)
    if len(open_time) >= length:
        span = open_time[length - 1 :] - open_time[: len(open_time) - length + 1]
        rows[length - 1 :] = YEAR_NS * (length - 1) / span
    return rows


def _estimator(
    name: str,
    text: str,
    inputs: tuple[str, ...],
    variance: Callable[..., Float1D],
    *,
    rows_before: int = 0,
) -> Indicator:
    def compute(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
        length = int(parameters["length"])
        deviation = np.sqrt(variance(*(columns[column] for column in inputs), length))
        return deviation, deviation * np.sqrt(rows_a_year(columns["open_time"], length))

    def lookback(parameters: Parameters) -> int:
        return int(parameters["length"]) - 1 + rows_before

    return Indicator(
        name=name,
        text=text,
        inputs=("open_time", *inputs),
        parameters=(Parameter("length", 20, 2, 400),),
        outputs=(
            Output("deviation", "value", "log return", "deviation of one row", low=0.0),
            Output("annual", "value", "log return", "deviation of 365 days", low=0.0),
        ),
        compute=compute,
        lookback=lookback,
        stable=lookback,
    )


PARKINSON = _estimator(
    "parkinson", "Volatility from the range (Parkinson).", ("high", "low"), parkinson_variance
)
GARMAN_KLASS = _estimator(
    "garman_klass", "Volatility from range and body (Garman-Klass).", PRICES, garman_klass_variance
)
ROGERS_SATCHELL = _estimator(
    "rogers_satchell",
    "Volatility from four prices, whatever the drift (Rogers-Satchell).",
    PRICES,
    rogers_satchell_variance,
)
YANG_ZHANG = _estimator(
    "yang_zhang",
    "Volatility from four prices, whatever drift and jumps (Yang-Zhang).",
    PRICES,
    yang_zhang_variance,
    rows_before=1,
)

INDICATORS = (PARKINSON, GARMAN_KLASS, ROGERS_SATCHELL, YANG_ZHANG)
