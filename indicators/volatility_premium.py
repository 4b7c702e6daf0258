"""Realised volatility in its own past, and implied volatility against it (SPEC H9.10).

Realised volatility is ``sqrt(mean squared log return of a bar * bars a year)`` in percent, over 7 and
over 30 days. Implied volatility looks 30 days ahead and usually lies above it: not the sign of the
difference but its z-score says something. Neither is a direction. ``stable`` counts hourly rows.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D

from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import log_returns
from .time_window import value_before, window_moments, window_percent_rank, window_z_score

EXTREME_LOW: Final = 1
EXTREME_HIGH: Final = 5
_EDGES: Final = (20.0, 40.0, 60.0, 80.0)
_YEAR_DAYS: Final = 365.0
_SHORT_DAYS: Final = 7.0
_LONG_DAYS: Final = 30.0
_TREND_DAYS: Final = 5.0
_ROWS_PER_DAY: Final = 24


def realised_percent(open_time: Float1D, close: Float1D, days: float) -> Float1D:
    """Realised volatility of the last ``days``, percent a year, ``(T,)``; NaN for as long.

    The step is that of the first two rows: bars stand on a full grid.
    """
    if len(close) < 2:
        return np.full(len(close), np.nan)
    rows_per_year = _YEAR_DAYS * DAY_NS / max(open_time[1] - open_time[0], 1.0)
    mean_square, _ = window_moments(open_time, log_returns(close) ** 2, days, days)
    percent: Float1D = 100.0 * np.sqrt(mean_square * rows_per_year)
    return percent


def volatility_band(rank: Float1D) -> Float1D:
    """1 below rank 20, 2 to 40, 3 to 60, 4 to 80, 5 from there; 0 where the rank is NaN."""
    band = 1.0 + sum((rank >= edge).astype(np.float64) for edge in _EDGES)
    return np.where(np.isnan(rank), 0.0, band)


def _regime(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time, close = columns["open_time"], columns["close"]
    short = realised_percent(open_time, close, _SHORT_DAYS)
    long = realised_percent(open_time, close, _LONG_DAYS)
    first = int(np.argmax(~np.isnan(long))) if (~np.isnan(long)).any() else len(long)
    rank = np.full(len(long), np.nan)
    trend = np.zeros(len(long))
    if first < len(long):
        # Only rows that have a volatility: a NaN would be ranked as the largest number.
        minimum = min(parameters["minimum_days"], parameters["window_days"])
        rank[first:] = window_percent_rank(
            open_time[first:], long[first:], parameters["window_days"], minimum
        )
        mean, _ = window_moments(open_time[first:], short[first:], _TREND_DAYS, _TREND_DAYS)
        ratio = quotient(mean, value_before(open_time[first:], mean, _TREND_DAYS), 1.0)
        band = 2.0 + (ratio > 1.0 + parameters["trend"]) - (ratio < 1.0 - parameters["trend"])
        trend[first:] = np.where(np.isnan(ratio), 0.0, band)
    return short, long, rank, volatility_band(rank), trend


def _premium(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time = columns["open_time"]
    realised = realised_percent(open_time, columns["close"], _LONG_DAYS)
    spread = columns["implied_volatility.dvol_close"] - realised
    z = np.full(len(spread), np.nan)
    known = ~np.isnan(spread)
    if known.any():
        window, minimum = parameters["window_days"], parameters["minimum_days"]
        z[known] = window_z_score(open_time[known], spread[known], window, min(minimum, window))
    expected = np.where(known, 1.0 + (spread < 0), 0.0)
    return spread, z, expected


VOLATILITY_REGIME = Indicator(
    name="volatility_regime",
    text="Realised volatility over 7 and 30 days, where it stands in its past, and its trend.",
    inputs=("open_time", "close"),
    parameters=(
        Parameter("window_days", 365, 90, 730),
        Parameter("minimum_days", 180, 30, 365),
        Parameter("trend", 0.10, 0.02, 0.50, integer=False),
    ),
    outputs=(
        Output("realised_7d", "level", "percent a year", "realised volatility of 7 days", 0.0),
        Output("realised_30d", "level", "percent a year", "realised volatility of 30 days", 0.0),
        Output("rank", "level", "percent", "percent rank of the 30 days", 0.0, 100.0),
        Output(
            "regime", "state", "", "of the rank: 1 below 20, 2 to 40, 3 to 60, 4 to 80, 5 above"
        ),
        Output("trend", "state", "", "mean of 5 days to the 5 before: 1 falls, 2 steady, 3 rises"),
    ),
    compute=_regime,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        int(max(parameters["window_days"], parameters["minimum_days"]) + _LONG_DAYS + 11)
        * _ROWS_PER_DAY
    ),
)

VOLATILITY_PREMIUM = Indicator(
    name="volatility_premium",
    text=(
        "Implied less realised volatility of 30 days: the spread and its z-score. Realised volatility "
        "is that of all bars; where no implied one is known there is no spread."
    ),
    inputs=("open_time", "close", "implied_volatility.dvol_close"),
    may_lack=("implied_volatility.dvol_close",),
    only_clock="bars+implied_volatility",
    parameters=(Parameter("window_days", 180, 30, 365), Parameter("minimum_days", 90, 20, 365)),
    outputs=(
        Output("spread", "sparse", "percent a year", "implied - realised"),
        Output("z", "sparse", "deviations", "z-score of the spread over `window_days`"),
        Output("expected", "state", "", "1 contraction (implied above realised), 2 expansion"),
    ),
    compute=_premium,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        int(max(parameters["window_days"], parameters["minimum_days"]) + _LONG_DAYS + 1)
        * _ROWS_PER_DAY
    ),
)

INDICATORS = (VOLATILITY_REGIME, VOLATILITY_PREMIUM)
