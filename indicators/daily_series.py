"""Daily series: fear and greed, exchange reserves, value locked in DeFi, implied volatility.

Each runs on its own clock. Changes are taken from the last row that is at least so many days old,
so a missing day lengthens the comparison and never shifts it into the future. Providers restate
reserves and locked value; only point-in-time vintages, or rows made available late, are safe.
``stable`` counts daily rows.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D, kernel

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import value_before, window_percent_rank, window_z_score

_RELABEL_SHARE: Final = 0.20


@kernel
def _recent_kernel(event_time: Float1D, happened: Float1D, span_ns: float) -> Float1D:
    """1 where ``happened`` is not 0 on a row less than ``span_ns`` old, row *t* included."""
    out = np.zeros(len(happened))
    last = -1
    for t in range(len(happened)):
        if happened[t] != 0:
            last = t
        if last >= 0 and event_time[t] - event_time[last] < span_ns:
            out[t] = 1.0
    return out


def _change_percent(event_time: Float1D, values: Float1D, days: float) -> Float1D:
    before = value_before(event_time, values, days)
    usable = before > 0
    change = 100.0 * (values / np.where(usable, before, 1.0) - 1.0)
    return np.where(usable, change, before * 0.0)


def _side(event_time: Float1D, change: Float1D, days: float, threshold: float) -> Float1D:
    """1 where ``change`` is at least ``threshold``, -1 mirrored, 0 where a hole doubled its span."""
    age = event_time - value_before(event_time, event_time, days)
    side = (change >= threshold).astype(np.float64) - (change <= -threshold)
    return np.where(age <= 2.0 * days * DAY_NS, side, 0.0)


def _fear_greed(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    value, fear = columns["value"], parameters["fear"]
    extreme = (value < fear).astype(np.float64) - (value > 100.0 - fear)
    score = np.where(extreme != 0, 100.0 - np.clip(value, 0.0, 100.0), 50.0)
    return score, extreme


def _reserves(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, reserve = columns["event_time"], columns["reserve"]
    day = _change_percent(event_time, reserve, 1.0)
    week = _change_percent(event_time, reserve, 7.0)
    month = _change_percent(event_time, reserve, 30.0)
    step = np.zeros(len(reserve))
    base = np.where(reserve[:-1] > 0, reserve[:-1], 1.0)
    step[1:] = np.abs(reserve[1:] / base - 1.0) > _RELABEL_SHARE
    day_is_sound = _recent_kernel(event_time, step, float(DAY_NS)) == 0
    week_is_sound = _recent_kernel(event_time, step, 7.0 * DAY_NS) == 0
    rank = window_percent_rank(
        event_time, reserve, parameters["rank_days"], parameters["minimum_days"]
    )
    inflow = _side(event_time, day, 1.0, parameters["sharp_percent"])
    sharp = np.where(day_is_sound, 0.0 - inflow, 0.0)
    inflow = _side(event_time, week, 7.0, parameters["steady_percent"])
    steady = np.where(week_is_sound, 0.0 - inflow, 0.0)
    scarce = (rank < parameters["scarce_rank"]).astype(np.float64)
    return day, week, month, rank, sharp, steady, scarce


def _tvl(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, locked = columns["event_time"], columns["tvl_usd"]
    week = _change_percent(event_time, locked, 7.0)
    month = _change_percent(event_time, locked, 30.0)
    return week, month, _side(event_time, week, 7.0, parameters["strong_percent"])


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

EXCHANGE_RESERVES = Indicator(
    name="exchange_reserves",
    text=(
        "Coins held by exchanges: changes, rank in their own past, and outflows as signals. A step "
        "of more than 20 % is a wallet relabelled; the signals are 0 while it is in their window."
    ),
    inputs=("event_time", "reserve"),
    parameters=(
        Parameter("sharp_percent", 5.0, 2.0, 10.0, integer=False),
        Parameter("steady_percent", 3.0, 1.0, 8.0, integer=False),
        Parameter("rank_days", 1095, 180, 1825),
        Parameter("minimum_days", 730, 90, 1825),
        Parameter("scarce_rank", 10.0, 1.0, 30.0, integer=False),
    ),
    outputs=(
        Output("change_1d", "level", "percent", "change over one day"),
        Output("change_7d", "level", "percent", "change over seven days"),
        Output("change_30d", "level", "percent", "change over thirty days"),
        Output("rank", "level", "percent", "percent rank of the reserve", 0.0, 100.0),
        Output(
            "sharp",
            "signal",
            "",
            "1 where a day took out `sharp_percent`, -1 where it brought it in",
            firing_rate=(0.0, 0.03),
        ),
        Output(
            "steady",
            "signal",
            "",
            "1 where seven days took out `steady_percent`, -1 where they brought it in",
            firing_rate=(0.002, 0.25),
        ),
        Output(
            "scarce",
            "signal",
            "",
            "1 where the reserve ranks below `scarce_rank`",
            firing_rate=(0.0, 0.60),
        ),
    ),
    compute=_reserves,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(max(parameters["rank_days"], parameters["minimum_days"])) + 1,
)

TVL = Indicator(
    name="tvl",
    text="Growth of the dollar value locked in DeFi; it contains the price of the tokens.",
    inputs=("event_time", "tvl_usd"),
    parameters=(Parameter("strong_percent", 10.0, 3.0, 30.0, integer=False),),
    outputs=(
        Output("growth_7d", "level", "percent", "growth over seven days"),
        Output("growth_30d", "level", "percent", "growth over thirty days"),
        Output(
            "strong",
            "signal",
            "",
            "sign of the growth of seven days where it reaches `strong_percent`",
            firing_rate=(0.03, 0.40),
        ),
    ),
    compute=_tvl,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 31,
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

INDICATORS = (FEAR_GREED, EXCHANGE_RESERVES, TVL, IMPLIED_VOLATILITY)
