"""Value locked in decentralised finance, on its daily clock (SPEC H9.8).

In dollars it contains the price of the tokens that are locked, so it grows when they do. In coins
(``tvl_eth``) it does not: the two together state the price, and what flowed beside it. Sources restate
their history; rows are safe only as vintages or late. ``stable`` counts daily rows.
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .growth import growth_percent, growth_side
from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters

_CORRELATION_DAYS: Final = (7, 30, 90)
_GROWTH_SHARE: Final = 0.4
_FLOW_SHARE: Final = 0.3
"""Weights of SPEC H9.8; the breadth of protocols (0.3) has no series and drops out."""


@kernel(nogil=True)
def _correlation_kernel(first: Float1D, second: Float1D, length: int) -> Float1D:
    """Correlation of the last ``length`` rows; 0 where one of the two does not move."""
    out = np.full(len(first), np.nan)
    for t in range(length, len(first)):
        mean_first, mean_second = 0.0, 0.0
        for i in range(t - length + 1, t + 1):
            mean_first += first[i] / length
            mean_second += second[i] / length
        together, squares_first, squares_second = 0.0, 0.0, 0.0
        for i in range(t - length + 1, t + 1):
            together += (first[i] - mean_first) * (second[i] - mean_second)
            squares_first += (first[i] - mean_first) ** 2
            squares_second += (second[i] - mean_second) ** 2
        product = squares_first * squares_second
        out[t] = min(1.0, max(-1.0, together / np.sqrt(product))) if product > 1e-30 else 0.0
    return out


def _log_steps(values: Float1D) -> Float1D:
    sound = np.where(values > 0, values, 1.0)
    steps = np.zeros(len(values))
    steps[1:] = np.where((values[1:] > 0) & (values[:-1] > 0), np.diff(np.log(sound)), 0.0)
    return steps


def _tvl(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, locked = columns["event_time"], columns["tvl_usd"]
    week, month = (growth_percent(event_time, locked, days) for days in (7.0, 30.0))
    strong, steady = parameters["strong_percent"], parameters["steady_percent"]
    band = 1.0 + (week >= -strong) + (week >= -steady) + (week > steady) + (week > strong)
    return (
        week, month, growth_side(event_time, week, 7.0, strong),
        np.where(np.isnan(week), 0.0, band),
    )  # fmt: skip


def _tvl_flow(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, coins = columns["event_time"], columns["tvl_eth"]
    week, month = (growth_percent(event_time, coins, days) for days in (7.0, 30.0))
    side = growth_side(event_time, week, 7.0, parameters["strong_percent"])
    return week, month, np.where(np.isnan(week), 0.0, 2.0 + side)


def _tvl_health(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time = columns["event_time"]
    locked, coins = columns["tvl_usd"], columns["tvl_eth"]
    price = quotient(locked, np.where(coins > 0, coins, 0.0), 0.0)
    steps, price_steps = _log_steps(locked), _log_steps(price)
    correlations = [_correlation_kernel(steps, price_steps, days) for days in _CORRELATION_DAYS]
    grown, flow = (growth_percent(event_time, one, 30.0) for one in (locked, coins))
    scale = parameters["scale_percent"]
    health = 50.0 + 50.0 * (
        _GROWTH_SHARE * np.tanh(grown / scale) + _FLOW_SHARE * np.tanh(flow / scale)
    ) / (_GROWTH_SHARE + _FLOW_SHARE)
    return *correlations, health


TVL = Indicator(
    name="tvl",
    text="Growth of the dollar value locked in DeFi; it contains the price of the tokens.",
    inputs=("event_time", "tvl_usd"),
    only_clock="tvl",
    parameters=(
        Parameter("strong_percent", 10.0, 3.0, 30.0, integer=False),
        Parameter("steady_percent", 3.0, 0.5, 10.0, integer=False),
    ),
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
        Output(
            "band",
            "state",
            "",
            "of seven days: 1 below -`strong_percent`, 2 to -`steady_percent`, 3 to it, 4, 5 above",
        ),
    ),
    compute=_tvl,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 31,
)

TVL_FLOW = Indicator(
    name="tvl_flow",
    text="Growth of the value locked in DeFi in coins, which holds no price of the tokens.",
    inputs=("event_time", "tvl_eth"),
    only_clock="tvl",
    parameters=(Parameter("strong_percent", 5.0, 1.0, 30.0, integer=False),),
    outputs=(
        Output("flow_7d", "level", "percent", "growth in coins over seven days"),
        Output("flow_30d", "level", "percent", "growth in coins over thirty days"),
        Output(
            "band", "state", "", "of `flow_7d`: 1 at or below -`strong_percent`, 2 between, 3 above"
        ),
    ),
    compute=_tvl_flow,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 31,
)

TVL_HEALTH = Indicator(
    name="tvl_health",
    text=(
        "Value locked beside the price of what is locked: correlation of their daily log changes, "
        "and health: 4/7 dollar growth, 3/7 growth in coins of 30 days."
    ),
    inputs=("event_time", "tvl_usd", "tvl_eth"),
    only_clock="tvl",
    parameters=(Parameter("scale_percent", 10.0, 2.0, 50.0, integer=False),),
    outputs=(
        *(
            Output(f"correlation_{days}d", "value" if days == 90 else "level", "", text, -1.0, 1.0)
            for days, text in ((7, "of 7 days"), (30, "of 30 days"), (90, "of 90 days"))
        ),
        Output("health", "level", "score", "above 50 where it grows", 0.0, 100.0),
    ),
    compute=_tvl_health,
    lookback=lambda parameters: 90,
    stable=lambda parameters: 92,
)

INDICATORS = (TVL, TVL_FLOW, TVL_HEALTH)
