"""Daily series: fear and greed, implied volatility, each on its own clock.

``stable`` counts daily rows.
"""

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_percent_rank, window_z_score


def _fear_greed(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    value, fear = columns["value"], parameters["fear"]
    extreme = (value < fear).astype(np.float64) - (value > 100.0 - fear)
    score = np.where(extreme != 0, 100.0 - np.clip(value, 0.0, 100.0), 50.0)
    return score, extreme


def _implied_volatility(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, implied = columns["event_time"], columns["dvol_close"]
    minimum_days = min(parameters["minimum_days"], parameters["window_days"])
    rank = window_percent_rank(event_time, implied, parameters["window_days"], minimum_days)
    z = window_z_score(event_time, implied, parameters["window_days"], minimum_days)
    return implied + 0.0, rank, z


FEAR_GREED = Indicator(
    name="fear_greed",
    text="Fear and greed index read against the crowd at its extremes, neutral between them.",
    inputs=("value",),
    parameters=(Parameter("fear", 25.0, 5.0, 45.0, integer=False),),
    outputs=(
        Output("score", "value", "score", "100 - index beyond the extremes, else 50", 0.0, 100.0),
        Output(
            "extreme",
            "signal",
            "",
            "1 below `fear`, -1 above 100 - `fear`",
            firing_rate=(0.10, 0.50),
        ),
    ),
    compute=_fear_greed,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

IMPLIED_VOLATILITY = Indicator(
    name="implied_volatility",
    text="Implied volatility and where it stands in its own past; not a direction.",
    inputs=("event_time", "dvol_close"),
    parameters=(Parameter("window_days", 365, 90, 730), Parameter("minimum_days", 180, 30, 365)),
    outputs=(
        Output("percent", "value", "percent a year", "implied volatility", low=0.0),
        Output("rank", "level", "percent", "percent rank in `window_days`", 0.0, 100.0),
        Output("z", "level", "deviations", "z-score over `window_days`"),
    ),
    compute=_implied_volatility,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["window_days"]) + 1,
)

INDICATORS = (FEAR_GREED, IMPLIED_VOLATILITY)
