"""Order flow of each minute: volume, trades and the share that takers bought.

Volume follows volatility, the size of the same minute's shock, the hour of day, the weekday and
noise of its own. The taker-buy share follows the same minute's shock, a persistent hourly lean and
noise; neither of the latter has anything to do with later prices.
"""

import math

import numpy as np

from engine import Float1D, kernel

from .parameters import (
    MINUTES_PER_HOUR,
    TAKER_HOUR,
    TAKER_HOUR_HALF_LIFE_HOURS,
    TAKER_MEAN,
    TAKER_MINUTE,
    TAKER_ON_SHOCK,
    VOLUME_FAST,
    VOLUME_FAST_HALF_LIFE_HOURS,
    VOLUME_MINUTE,
    VOLUME_ON_SHOCK,
    VOLUME_ON_VOLATILITY,
    VOLUME_SLOW,
    VOLUME_SLOW_HALF_LIFE_HOURS,
)
from .path import mean_reverting

SHOCK_LIMIT = 5.0
"""Shocks count up to this many standard deviations: a jump is one minute, not an hour of trading."""


@kernel
def _flow_kernel(
    hour_log_volume: Float1D,
    hour_taker: Float1D,
    volatility: Float1D,
    standard_return: Float1D,
    volume_noise: Float1D,
    taker_noise: Float1D,
    base_volatility: float,
    coefficients: Float1D,
) -> tuple[Float1D, Float1D]:
    count = len(volatility)
    volume = np.empty(count)
    share = np.empty(count)
    on_volatility, on_shock, noise_size, taker_on_shock, taker_size, limit = coefficients
    for m in range(count):
        shock = min(max(standard_return[m], -limit), limit)
        volume[m] = math.exp(
            hour_log_volume[m // 60]
            + on_volatility * math.log(volatility[m] / base_volatility)
            + on_shock * abs(shock)
            + noise_size * volume_noise[m]
        )
        logit = hour_taker[m // 60] + taker_on_shock * shock + taker_size * taker_noise[m]
        share[m] = 1.0 / (1.0 + math.exp(-logit))
    return volume, share


def hour_log_volume(
    median_per_hour: float,
    seasonal: Float1D,
    slow: Float1D,
    fast: Float1D,
) -> Float1D:
    """Log of a minute's volume in each hour at base volatility and without shock, ``(H,)``.

    ``slow`` and ``fast`` are standard normal noise of its two parts. ``seasonal`` is the log
    profile of volume that volatility does not already explain.
    """
    # a typical minute has a shock of 0.8 standard deviations, an hour sixty uneven minutes
    typical = math.log(median_per_hour / MINUTES_PER_HOUR) - 0.8 * VOLUME_ON_SHOCK
    centred = typical - 0.5 * VOLUME_MINUTE**2
    level: Float1D = (
        centred
        + seasonal
        + VOLUME_SLOW * mean_reverting(slow, VOLUME_SLOW_HALF_LIFE_HOURS)
        + VOLUME_FAST * mean_reverting(fast, VOLUME_FAST_HALF_LIFE_HOURS)
    )
    return level


def hour_taker_lean(noise: Float1D) -> Float1D:
    """Persistent part of the logit of the taker-buy share in each hour, ``(H,)``."""
    return TAKER_MEAN + TAKER_HOUR * mean_reverting(noise, TAKER_HOUR_HALF_LIFE_HOURS)


def minute_flow(
    log_volume: Float1D,
    taker_lean: Float1D,
    volatility: Float1D,
    standard_return: Float1D,
    base_volatility: float,
    volume_generator: np.random.Generator,
    taker_generator: np.random.Generator,
) -> tuple[Float1D, Float1D]:
    """Volume in base units and taker-buy share of every minute, each ``(M,)``."""
    minutes = len(volatility)
    return _flow_kernel(
        log_volume,
        taker_lean,
        volatility,
        standard_return,
        volume_generator.standard_normal(minutes),
        taker_generator.standard_normal(minutes),
        base_volatility,
        np.array(
            [
                VOLUME_ON_VOLATILITY,
                VOLUME_ON_SHOCK,
                VOLUME_MINUTE,
                TAKER_ON_SHOCK,
                TAKER_MINUTE,
                SHOCK_LIMIT,
            ]
        ),
    )
