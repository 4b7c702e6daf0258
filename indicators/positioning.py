"""Positioning of traders, computed on the rows of the clock ``metrics``.

The clock has one row an hour or one in five minutes, so every window is stated in days and measured
on ``event_time``. ``stable`` counts rows of the hourly clock; the five-minute archive needs twelve
times as many. Ratios are long over short and positive; one at or below zero is read as 1e-6.
"""

from typing import Final

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_percent_rank, window_slope, window_z_score

_SMALLEST_RATIO: Final = 1e-6
_ROWS_PER_DAY: Final = 24


def _log_ratio(ratio: Float1D) -> Float1D:
    return np.log(np.maximum(ratio, _SMALLEST_RATIO))


def _long_short(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time = columns["event_time"]
    log_ratio = _log_ratio(columns["count_long_short_ratio"])
    minimum_days = min(parameters["minimum_days"], parameters["window_days"])
    z = window_z_score(event_time, log_ratio, parameters["window_days"], minimum_days)
    slope = window_slope(event_time, log_ratio, 1.0) + z * 0.0
    contrarian = 50.0 - 50.0 * np.tanh(z / 2.0)
    return contrarian, 50.0 - 50.0 * np.tanh(5.0 * slope), z, slope


def _extreme(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    ratio = columns["count_long_short_ratio"]
    minimum_days = min(parameters["minimum_days"], parameters["window_days"])
    rank = window_percent_rank(
        columns["event_time"], ratio, parameters["window_days"], minimum_days
    )
    high = parameters["percentile"]
    relative = (rank <= 100.0 - high).astype(np.float64) - (rank >= high)
    crowded, heavy = parameters["crowded_ratio"], parameters["heavy_ratio"]
    absolute = (ratio < 1.0 / crowded).astype(np.float64) - (ratio > crowded)
    band = np.ones(len(ratio))
    for step in (ratio >= 1.0 / crowded, ratio >= 1.0 / heavy, ratio > heavy, ratio > crowded):
        band += step
    relative_band = np.where(np.isnan(rank), 0.0, 2.0 - relative)
    return rank, relative, relative_band, absolute, band


def _elite(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    gap = _log_ratio(columns["sum_toptrader_long_short_ratio"]) - _log_ratio(
        columns["count_long_short_ratio"]
    )
    minimum_days = min(parameters["minimum_days"], parameters["window_days"])
    z = window_z_score(columns["event_time"], gap, parameters["window_days"], minimum_days)
    follow = np.where(np.abs(z) >= parameters["threshold"], np.sign(z), 0.0)
    return z, follow, np.where(np.isnan(z), 0.0, 2.0 + follow)


def _top_traders(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    accounts = _log_ratio(columns["count_toptrader_long_short_ratio"])
    positions = _log_ratio(columns["sum_toptrader_long_short_ratio"])
    return accounts, positions, positions - accounts


def _taker_share(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    ratio = np.maximum(columns["sum_taker_long_short_vol_ratio"], 0.0)
    return (ratio / (1.0 + ratio),)


def _window_rows(parameters: Parameters) -> int:
    return int(np.ceil(parameters["window_days"] * _ROWS_PER_DAY)) + 1


LONG_SHORT = Indicator(
    name="long_short",
    text="Long/short ratio of all accounts read against the crowd: level and one-day slope.",
    inputs=("event_time", "count_long_short_ratio"),
    parameters=(Parameter("window_days", 30, 7, 90), Parameter("minimum_days", 30, 7, 90)),
    outputs=(
        Output("contrarian", "level", "score", "50 - 50 tanh(z / 2)", 0.0, 100.0),
        Output("trend", "level", "score", "50 - 50 tanh(5 slope)", 0.0, 100.0),
        Output("z", "level", "deviations", "z-score of ln ratio over `window_days`"),
        Output("slope", "level", "per day", "slope of ln ratio over the last day"),
    ),
    compute=_long_short,
    lookback=lambda parameters: 0,
    stable=_window_rows,
)

LONG_SHORT_EXTREME = Indicator(
    name="long_short_extreme",
    text="Crowded accounts: the ratio's rank in its own past, and the seed's absolute bands.",
    inputs=("event_time", "count_long_short_ratio"),
    parameters=(
        Parameter("window_days", 90, 14, 365),
        Parameter("minimum_days", 30, 7, 180),
        Parameter("percentile", 95.0, 90.0, 99.0, integer=False),
        Parameter("crowded_ratio", 3.0, 1.5, 5.0, integer=False),
        Parameter("heavy_ratio", 2.0, 1.2, 5.0, integer=False),
    ),
    outputs=(
        Output("rank", "level", "percent", "percent rank of the ratio", 0.0, 100.0),
        Output(
            "relative",
            "signal",
            "",
            "-1 at or above `percentile`, 1 at or below its mirror: against the crowd",
            firing_rate=(0.03, 0.25),
        ),
        Output("relative_band", "state", "", "by rank: 1 crowded short, 2 between, 3 crowded long"),
        Output(
            "absolute",
            "signal",
            "",
            "-1 above `crowded_ratio`, 1 below its inverse; retail accounts lean long, so recorded",
            firing_rate=(0.0, 0.20),
        ),
        Output(
            "absolute_band",
            "state",
            "",
            "by ratio: 1 extreme short, 2 heavy short, 3 balanced, 4 heavy long, 5 extreme long",
        ),
    ),
    compute=_extreme,
    lookback=lambda parameters: 0,
    stable=_window_rows,
)

ELITE_DIVERGENCE = Indicator(
    name="elite_divergence",
    text="Positions of top traders against all accounts: ln(top positions) - ln(accounts).",
    inputs=("event_time", "sum_toptrader_long_short_ratio", "count_long_short_ratio"),
    parameters=(
        Parameter("window_days", 30, 7, 90),
        Parameter("minimum_days", 30, 7, 90),
        Parameter("threshold", 2.0, 1.0, 3.0, integer=False),
    ),
    outputs=(
        Output("z", "level", "deviations", "z-score of the difference over `window_days`"),
        Output(
            "follow",
            "signal",
            "",
            "sign of z where |z| is at least `threshold`: with the top traders",
            firing_rate=(0.01, 0.12),
        ),
        Output("band", "state", "", "1 far more short than the accounts, 2 alike, 3 far more long"),
    ),
    compute=_elite,
    lookback=lambda parameters: 0,
    stable=_window_rows,
)

TOP_TRADERS = Indicator(
    name="top_traders",
    text="Top traders by accounts and by positions; where positions lean further, the larger ones do.",
    inputs=("count_toptrader_long_short_ratio", "sum_toptrader_long_short_ratio"),
    parameters=(),
    outputs=(
        Output("accounts", "value", "log ratio", "ln(long accounts / short accounts)"),
        Output("positions", "value", "log ratio", "ln(long positions / short positions)"),
        Output("conviction", "value", "log ratio", "positions - accounts"),
    ),
    compute=_top_traders,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

TAKER_SHARE = Indicator(
    name="taker_share",
    text="Taker buy share that the venue reports for the perpetual: r / (1 + r).",
    inputs=("sum_taker_long_short_vol_ratio",),
    parameters=(),
    outputs=(Output("share", "value", "fraction", "taker buys over all taker volume", 0.0, 1.0),),
    compute=_taker_share,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

INDICATORS = (LONG_SHORT, LONG_SHORT_EXTREME, ELITE_DIVERGENCE, TOP_TRADERS, TAKER_SHARE)
