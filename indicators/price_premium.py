"""Prices of the same coin elsewhere: funds that hold it, and Korea (SPEC H9.11). Daily rows."""

from typing import Final

import numpy as np

from engine import Float1D

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_z_score

CONVERSION_NS: Final = 1_704_931_200_000_000_000
"""2024-01-11 00:00 UTC: the trust became a fund that creates and redeems, and its discount closed."""


def _band(z: Float1D, limit: float) -> Float1D:
    """1 at or below ``-limit``, 2 between, 3 at or above it; 0 where z is NaN."""
    known = np.where(np.isnan(z), 0.0, z)
    side = (known >= limit).astype(np.float64) - (known <= -limit)
    return np.where(np.isnan(z), 0.0, 2.0 + side)


def _etf_premium(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    nav, price, event_time = columns["nav"], columns["price"], columns["event_time"]
    sound = np.where(nav > 0, nav, 1.0)
    premium = np.where(nav > 0, 100.0 * (price / sound - 1.0), 0.0)
    z = window_z_score(event_time, premium, parameters["window_days"], parameters["window_days"])
    band = np.where(event_time < CONVERSION_NS, _band(z, parameters["threshold"]), 0.0)
    return premium, z, band


def _etf_flow(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    days = parameters["window_days"]
    z = window_z_score(columns["event_time"], columns["flow_usd"], days, days)
    return z, _band(z, parameters["threshold"])


def _kimchi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    percent = 100.0 * columns["premium"]
    days = parameters["window_days"]
    z = window_z_score(columns["event_time"], percent, days, days)
    crowded = (z > parameters["threshold"]).astype(np.float64)
    band = np.where(np.isnan(z), 0.0, 1.0 + crowded)
    return percent, z, band, 0.0 - crowded


_WINDOW: Final = Parameter("window_days", 90, 20, 365)
_THRESHOLD: Final = Parameter("threshold", 2.0, 1.0, 3.0, integer=False)
_BANDS: Final = "1 at or below -`threshold` deviations, 2 between, 3 above"

ETF_PREMIUM = Indicator(
    name="etf_premium",
    text=(
        "Price of a fund's share over the coins behind it. Its band ends with the conversion of "
        "2024-01-11: shares are created and redeemed since, so that a premium no longer lasts."
    ),
    inputs=("event_time", "price", "nav"),
    only_clock="etf",
    parameters=(_WINDOW, _THRESHOLD),
    outputs=(
        Output("premium", "value", "percent", "100 (price / nav - 1)", low=-100.0),
        Output("z", "level", "deviations", "z-score of the premium"),
        Output("band", "state", "", _BANDS + "; 0 from the conversion on"),
    ),
    compute=_etf_premium,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["window_days"]) + 1,
)

ETF_FLOW = Indicator(
    name="etf_flow",
    text="Money that flows into funds that hold the coin, against its own past.",
    inputs=("event_time", "flow_usd"),
    only_clock="etf",
    parameters=(_WINDOW, _THRESHOLD),
    outputs=(
        Output("z", "level", "deviations", "z-score of a day's flow"),
        Output("band", "state", "", _BANDS),
    ),
    compute=_etf_flow,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["window_days"]) + 1,
)

KIMCHI_PREMIUM = Indicator(
    name="kimchi_premium",
    text="Premium of Bitcoin in won over its price in dollars: high is a crowd of small buyers.",
    inputs=("event_time", "premium"),
    only_clock="krw_premium",
    parameters=(_WINDOW, _THRESHOLD),
    outputs=(
        Output("percent", "value", "percent", "100 (won price / (dollar price * rate) - 1)"),
        Output("z", "level", "deviations", "z-score over `window_days`"),
        Output("band", "state", "", "1 normal, 2 above `threshold` deviations"),
        Output(
            "contrarian",
            "signal",
            "",
            "-1 above `threshold` deviations",
            firing_rate=(0.005, 0.12),
        ),
    ),
    compute=_kimchi,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["window_days"]) + 1,
)

INDICATORS = (ETF_PREMIUM, ETF_FLOW, KIMCHI_PREMIUM)
