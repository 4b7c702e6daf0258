"""Premium of the perpetual over its index, computed on the rows of the clock ``premium_index``.

Bands in percent (SPEC H9.4): below -0.3 extreme discount, to -0.1 discount, to 0.2 normal, to 0.5
high, above extreme. The vote is against the crowd. ``stable`` counts rows of the hourly clock.
"""

from typing import Final

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_percent_rank, window_z_score

EXTREME_DISCOUNT: Final = 1
DISCOUNT: Final = 2
NORMAL: Final = 3
HIGH: Final = 4
EXTREME_HIGH: Final = 5
_ROWS_PER_DAY: Final = 24


def premium_band(percent: Float1D) -> Float1D:
    """Code of the band of each premium in percent, ``(T,)``: 1 to 5 from discount to high."""
    band = np.full(len(percent), float(NORMAL))
    band[percent > 0.2] = HIGH
    band[percent > 0.5] = EXTREME_HIGH
    band[percent < -0.1] = DISCOUNT
    band[percent < -0.3] = EXTREME_DISCOUNT
    return band


def _premium(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    percent = 100.0 * columns["close"]
    band = premium_band(percent)
    return percent, band, np.sign(NORMAL - band)


def _premium_history(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, premium = columns["event_time"], columns["close"]
    z = window_z_score(event_time, premium, parameters["z_days"], parameters["z_days"])
    minimum_days = min(parameters["minimum_days"], parameters["rank_days"])
    rank = window_percent_rank(event_time, np.abs(premium), parameters["rank_days"], minimum_days)
    return z, rank


PREMIUM = Indicator(
    name="premium",
    text="Perpetual premium over the index in percent, its band and the side against the crowd.",
    inputs=("close",),
    only_clock="premium_index",
    parameters=(),
    outputs=(
        Output("percent", "value", "percent", "100 (mark - index) / index"),
        Output("band", "state", "", "1 extreme discount, 2 discount, 3 normal, 4 high, 5 extreme"),
        Output(
            "contrarian",
            "signal",
            "",
            "-1 in the two high bands, 1 in the two discounts",
            firing_rate=(0.002, 0.25),
        ),
    ),
    compute=_premium,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

PREMIUM_HISTORY = Indicator(
    name="premium_history",
    text="The premium against its own past: z-score, and percent rank of its size.",
    inputs=("event_time", "close"),
    only_clock="premium_index",
    parameters=(
        Parameter("z_days", 30, 7, 90),
        Parameter("rank_days", 180, 30, 365),
        Parameter("minimum_days", 60, 14, 365),
    ),
    outputs=(
        Output("z", "level", "deviations", "z-score of the premium over `z_days`"),
        Output("size_rank", "level", "percent", "percent rank of |premium|", 0.0, 100.0),
    ),
    compute=_premium_history,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        int(max(parameters["z_days"], parameters["rank_days"])) * _ROWS_PER_DAY + 1
    ),
)

INDICATORS = (PREMIUM, PREMIUM_HISTORY)
