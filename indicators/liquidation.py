"""Forced closing of positions, inferred from open interest on the clock ``metrics``.

No archive of liquidations is complete, so a proxy stands in (SPEC H9.5): open interest falls while
price moves by more than 1.5 deviations and takers push the same way. Price is read from the same
rows as open interest in dollars over open interest in coins. Windows are measured on ``event_time``;
``stable`` counts rows of the hourly clock.
"""

from typing import Final

import numpy as np

from engine import HOUR_NS, Float1D, kernel

from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import log_returns
from .time_window import window_moments, window_z_score

_MOVE_DEVIATIONS: Final = 1.5
_ROWS_PER_DAY: Final = 24
_SETTLE_DAYS: Final = 5


@kernel(nogil=True)
def _decayed_sum_kernel(event_time: Float1D, values: Float1D, half_life_ns: float) -> Float1D:
    out = np.zeros(len(values))
    total = 0.0
    for t in range(len(values)):
        if t > 0:
            total *= 0.5 ** (max(event_time[t] - event_time[t - 1], 0.0) / half_life_ns)
        total += values[t]
        out[t] = total
    return out


def liquidated_usd(
    open_interest: Float1D, open_interest_usd: Float1D, taker_ratio: Float1D, move_limit: Float1D
) -> tuple[Float1D, Float1D]:
    """Dollars of longs and of shorts presumed liquidated on each row, ``(T,)`` each, not negative.

    ``move_limit`` is the log return whose size has to be exceeded; NaN means none is counted.
    """
    positive = open_interest > 0
    price = np.where(positive, open_interest_usd / np.where(positive, open_interest, 1.0), 0.0)
    log_return = log_returns(price)
    closed = np.zeros(len(price))
    closed[1:] = np.maximum(open_interest[:-1] - open_interest[1:], 0.0) * price[1:]
    falls = (log_return < -move_limit) & (taker_ratio < 1.0)
    rises = (log_return > move_limit) & (taker_ratio > 1.0)
    return np.where(falls, closed, 0.0), np.where(rises, closed, 0.0)


def _presumed_usd(columns: Columns, days: float) -> tuple[Float1D, Float1D]:
    """Dollars of longs and shorts presumed liquidated, moves judged against the last ``days``."""
    coins, usd = columns["sum_open_interest"], columns["sum_open_interest_value"]
    positive = coins > 0
    price = np.where(positive, usd / np.where(positive, coins, 1.0), 0.0)
    _, deviation = window_moments(columns["event_time"], log_returns(price), days, days / 2.0)
    return liquidated_usd(
        coins, usd, columns["sum_taker_long_short_vol_ratio"], _MOVE_DEVIATIONS * deviation
    )


def _proxy(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    days = parameters["window_days"]
    longs, shorts = _presumed_usd(columns, days)
    z = window_z_score(columns["event_time"], longs + shorts, days, days)
    burst = np.where(np.isnan(z), 0.0, z) > parameters["burst"]
    return longs, shorts, z, np.where(burst, np.sign(shorts - longs), 0.0)


def _liquidation(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time = columns["event_time"]
    days = parameters["window_days"]
    longs, shorts = _presumed_usd(columns, days)
    half_life_ns = parameters["half_life_hours"] * HOUR_NS
    long_mass = _decayed_sum_kernel(event_time, np.sqrt(longs), half_life_ns)
    short_mass = _decayed_sum_kernel(event_time, np.sqrt(shorts), half_life_ns)
    mass = long_mass + short_mass
    intensity = window_z_score(event_time, mass, days, days)
    lean = (long_mass - short_mass) / np.where(mass > 0, mass, 1.0)
    return _pressure_score(intensity, lean), intensity, lean


def _pressure_score(intensity: Float1D, lean: Float1D) -> Float1D:
    """Against the side being liquidated while it grows, with it once it has faded for two rows."""
    step = np.zeros(len(intensity))
    step[1:] = intensity[1:] - intensity[:-1]
    fell_twice = np.zeros(len(intensity), dtype=bool)
    fell_twice[1:] = (step[1:] < 0) & (step[:-1] < 0)
    grows = (step > 0) & (intensity > 1.0)
    fades = fell_twice & (intensity > 2.0)
    direction = fades.astype(np.float64) - grows
    return 50.0 + 50.0 * direction * lean * np.clip(intensity / 4.0, 0.0, 1.0)


_INPUTS: Final = (
    "event_time",
    "sum_open_interest",
    "sum_open_interest_value",
    "sum_taker_long_short_vol_ratio",
)

LIQUIDATION = Indicator(
    name="liquidation",
    text="Liquidations inferred from falling open interest: pressure first, exhaustion afterwards.",
    inputs=_INPUTS,
    parameters=(
        Parameter("window_days", 30, 7, 90),
        Parameter("half_life_hours", 3.5, 1.0, 6.0, integer=False),
    ),
    outputs=(
        Output("score", "level", "score", "50 -/+ 50 lean min(1, intensity / 4)", 0.0, 100.0),
        Output("intensity", "level", "deviations", "z-score of the decayed roots of the dollars"),
        Output("lean", "value", "fraction", "longs less shorts over both", -1.0, 1.0),
    ),
    compute=_liquidation,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(2 * parameters["window_days"] + _SETTLE_DAYS) * _ROWS_PER_DAY + 1,
)

LIQUIDATION_PROXY = Indicator(
    name="liquidation_proxy",
    text=(
        "Dollars presumed liquidated on each row and their bursts: the label that a cascade model is "
        "fitted on."
    ),
    inputs=_INPUTS,
    parameters=(
        Parameter("window_days", 30, 7, 90),
        Parameter("burst", 3.0, 1.0, 6.0, integer=False),
    ),
    outputs=(
        Output("long_usd", "level", "USD", "longs closed while price fell and takers sold", 0.0),
        Output(
            "short_usd", "level", "USD", "shorts closed while price rose and takers bought", 0.0
        ),
        Output("z", "level", "deviations", "z-score of both over `window_days`"),
        Output(
            "burst",
            "signal",
            "",
            "-1 where z exceeds `burst` on longs, 1 on shorts",
            firing_rate=(0.002, 0.06),
        ),
    ),
    compute=_proxy,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(2 * parameters["window_days"]) * _ROWS_PER_DAY + 1,
)

INDICATORS = (LIQUIDATION, LIQUIDATION_PROXY)
