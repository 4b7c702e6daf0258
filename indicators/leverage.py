"""How much open interest stands on a market's turnover, on the clock ``bars+metrics`` (SPEC H2.7).

Open interest is that which was published by the close of the bar. ``stable`` counts hourly bars.
"""

from typing import Final

import numpy as np

from engine import Float1D

from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_moments, window_percent_rank

_ROWS_PER_DAY: Final = 24


def _leverage(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time = columns["open_time"]
    volume_days, rank_days = parameters["volume_days"], parameters["rank_days"]
    turnover, _ = window_moments(open_time, columns["quote_volume"], volume_days, volume_days)
    ratio = quotient(columns["metrics.sum_open_interest_value"], turnover, 0.0)
    # The first ratios are unknown, and a rank among them would count them as larger than all others.
    known = ~np.isnan(ratio)
    first = int(known.argmax()) if known.any() else len(ratio)
    rank = np.full(len(ratio), np.nan)
    minimum_days = min(parameters["minimum_days"], rank_days)
    rank[first:] = window_percent_rank(open_time[first:], ratio[first:], rank_days, minimum_days)
    return ratio, rank


OPEN_INTEREST_LEVERAGE = Indicator(
    name="open_interest_leverage",
    text="Open interest over the mean quote volume of a bar, and its rank: how far a market is leveraged.",
    inputs=("open_time", "quote_volume", "metrics.sum_open_interest_value"),
    only_clock="bars+metrics",
    parameters=(
        Parameter("volume_days", 30, 7, 90),
        Parameter("rank_days", 180, 30, 365),
        Parameter("minimum_days", 60, 14, 365),
    ),
    outputs=(
        Output("ratio", "level", "bars' mean quote volumes", "open interest over turnover", 0.0),
        Output("rank", "level", "percent", "percent rank of the ratio", 0.0, 100.0),
    ),
    compute=_leverage,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        int(parameters["volume_days"] + parameters["rank_days"]) * _ROWS_PER_DAY + 2
    ),
)

INDICATORS = (OPEN_INTEREST_LEVERAGE,)
