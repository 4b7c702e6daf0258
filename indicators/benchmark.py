"""A coin beside bitcoin: correlation and beta of their returns.

Computed on the rows of a panel on which both have a close: ``benchmark`` (bars of the run's timeframe)
or ``universe`` (days). A missing bar is no row, so that a return may span one. Returns are close over
the close of the row before, less 1. For bitcoin itself both are 1, unless its price stands still.
"""

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .statistics import rolling_beta, rolling_correlation


def simple_returns(close: Float1D) -> Float1D:
    """``close / close before - 1``, ``(T,)``; NaN on the first row, 0 after a close of 0."""
    returns = np.full(len(close), np.nan)
    before = close[:-1]
    moves = np.where(before > 0, close[1:] / np.where(before > 0, before, 1.0) - 1.0, 0.0)
    returns[1:] = np.where(np.isnan(before), np.nan, moves)
    return returns


def _returns(columns: Columns) -> tuple[Float1D, Float1D]:
    return simple_returns(columns["own_close"]), simple_returns(columns["benchmark_close"])


def _correlation(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    own, benchmark = _returns(columns)
    return (rolling_correlation(own, benchmark, int(parameters["length"])),)


def _beta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    own, benchmark = _returns(columns)
    return (rolling_beta(own, benchmark, int(parameters["length"])),)


BENCHMARK_CORRELATION = Indicator(
    name="benchmark_correlation",
    text="Pearson's correlation of the returns with bitcoin's, `length` rows; 0 where one stands still.",
    inputs=("own_close", "benchmark_close"),
    parameters=(Parameter("length", 30, 10, 500),),
    outputs=(Output("value", "value", "", "correlation with bitcoin", -1.0, 1.0),),
    compute=_correlation,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]) + 1,
)

BENCHMARK_BETA = Indicator(
    name="benchmark_beta",
    text="Slope of the returns on bitcoin's over `length` rows; 0 where bitcoin stands still.",
    inputs=("own_close", "benchmark_close"),
    parameters=(Parameter("length", 30, 10, 500),),
    outputs=(Output("value", "value", "ratio", "return for each 1 % of bitcoin"),),
    compute=_beta,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]) + 1,
)

INDICATORS = (BENCHMARK_CORRELATION, BENCHMARK_BETA)
