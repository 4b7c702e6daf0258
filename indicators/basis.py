"""Derivatives against their index: the perpetual's mark and futures with an expiry (SPEC H9.4).

``mark_premium`` runs on ``mark_price&index_price``, ``dated_basis`` on ``dated_futures&index_price``:
rows that both state for one moment, so that no difference of time passes for a difference of price.
Where a market has no index of its own, closes of the coin's spot bars may stand as ``index_price``: the
spot price known at the same moment is the S of (F - S) / S.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D

from .premium import premium_band
from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters

BACKWARDATION: Final = 1
FLAT: Final = 2
CONTANGO: Final = 3
STEEP: Final = 4
_DAYS_PER_YEAR: Final = 365.0


def _percent(price: Float1D, index: Float1D) -> Float1D:
    return 100.0 * quotient(price - index, np.where(index > 0, index, 0.0), 0.0)


def _mark_premium(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    percent = _percent(columns["close"], columns["index_price.close"])
    return percent, premium_band(percent)


def _dated_basis(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    percent = _percent(columns["close"], columns["index_price.close"])
    days = (columns["expiry"] - columns["known_at"]) / DAY_NS
    usable = days > parameters["least_days"]
    annual = np.where(usable, percent * _DAYS_PER_YEAR / np.where(usable, days, 1.0), np.nan)
    band = np.where(percent > 0, float(CONTANGO), float(FLAT))
    band = np.where(percent < -parameters["backwardation"], float(BACKWARDATION), band)
    band = np.where(annual > parameters["steep"], float(STEEP), band)
    return percent, annual, np.where(usable, days, np.nan), np.where(usable, band, 0.0)


MARK_PREMIUM = Indicator(
    name="mark_premium",
    text="Premium of the mark price over the index, where the venue publishes no premium itself.",
    inputs=("close", "index_price.close"),
    only_clock="mark_price&index_price",
    parameters=(),
    outputs=(
        Output("percent", "value", "percent", "100 (mark - index) / index"),
        Output("band", "state", "", "1 extreme discount, 2 discount, 3 normal, 4 high, 5 extreme"),
    ),
    compute=_mark_premium,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

DATED_BASIS = Indicator(
    name="dated_basis",
    text=(
        "Basis of a dated future, a year's worth of it by the time that its row became known, and "
        "its band. Nothing is stated for the last `least_days` before expiry."
    ),
    inputs=("known_at", "close", "expiry", "index_price.close"),
    only_clock="dated_futures&index_price",
    parameters=(
        Parameter("least_days", 2.0, 0.5, 10.0, integer=False),
        Parameter("steep", 20.0, 5.0, 60.0, integer=False),
        Parameter("backwardation", 0.1, 0.0, 2.0, integer=False),
    ),
    outputs=(
        Output("percent", "value", "percent", "100 (future - index) / index"),
        Output("annual", "sparse", "percent a year", "percent * 365 / days to expiry"),
        Output("days", "sparse", "days", "to expiry", low=0.0),
        Output(
            "band",
            "state",
            "",
            "1 below -`backwardation` percent, 2 to 0, 3 contango, 4 above `steep` a year",
        ),
    ),
    compute=_dated_basis,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

INDICATORS = (MARK_PREMIUM, DATED_BASIS)
