"""What surrounds the perpetual: premium, funding, open interest, long/short ratios.

All of it follows returns that have happened and noise of its own, hour by hour; the value of an hour
that is used inside that hour (the premium) knows nothing of it.
"""

import math

import numpy as np

from engine import Float1D, Int1D, kernel

from .parameters import (
    FUNDING_CLAMP,
    FUNDING_HOURS,
    INTEREST_RATE,
    PREMIUM_BPS,
    PREMIUM_FAST,
    PREMIUM_FAST_HALF_LIFE_HOURS,
    PREMIUM_ON_TREND,
    PREMIUM_SLOW,
    PREMIUM_SLOW_HALF_LIFE_HOURS,
    PREMIUM_STATE,
)
from .path import exponential_average, mean_reverting

TREND_HALF_LIFE_HOURS = 84.0
DAY_HALF_LIFE_HOURS = 12.0
LOG_ACCOUNT_RATIO = math.log(1.6)
ACCOUNT_RATIO_NOISE = 0.15
ACCOUNT_RATIO_ON_DAY = -0.10
"""Mean log ratio of long to short accounts, its own deviation, and its fall after a day that rose
by one standard deviation: the crowd buys what has fallen."""
OPEN_INTEREST_HOURS_OF_TURNOVER = 10.0
"""Level of open interest in hours of the perpetual's median turnover."""


@kernel
def _open_interest_kernel(standard_return: Float1D, trend: Float1D, noise: Float1D) -> Float1D:
    """Log of open interest relative to its level at the end of each hour."""
    out = np.empty(len(standard_return))
    level = 0.0
    for t in range(len(standard_return)):
        size = min(abs(standard_return[t]), 8.0)
        shed = 0.012 * max(size - 1.5, 0.0)
        grown = 0.0015 * min(abs(trend[t]), 3.0)
        level += -0.004 * level + grown - shed + 0.005 * noise[t]
        out[t] = level
    return out


def trend_strength(hour_return: Float1D, hourly_volatility: float, half_life: float) -> Float1D:
    """Exponential mean of hourly returns in units of its standard deviation, ``(H,)``."""
    persistence = 0.5 ** (1.0 / half_life)
    deviation = hourly_volatility * math.sqrt((1.0 - persistence) / (1.0 + persistence))
    strength: Float1D = exponential_average(hour_return, half_life) / deviation
    return strength


def premium_of_hours(hour_return: Float1D, hourly_volatility: float, noise: Float1D) -> Float1D:
    """Premium of the perpetual over spot in each hour, a fraction, ``(H,)``.

    ``noise`` is standard normal ``(2, H)``. The hour uses returns up to the hour before it.
    """
    trend = trend_strength(hour_return, hourly_volatility, TREND_HALF_LIFE_HOURS)
    state = (
        PREMIUM_SLOW * mean_reverting(noise[0], PREMIUM_SLOW_HALF_LIFE_HOURS)
        + PREMIUM_FAST * mean_reverting(noise[1], PREMIUM_FAST_HALF_LIFE_HOURS)
        + PREMIUM_ON_TREND * np.concatenate(([0.0], trend[:-1]))
    )
    premium: Float1D = 1e-4 * np.interp(state, PREMIUM_STATE, PREMIUM_BPS)
    return premium


def settled_funding(premium: Float1D) -> Float1D:
    """Funding at the end of each eight hours from the premium in them, fractions, ``(H // 8,)``.

    ``F = P + clamp(I - P, -0.05 %, 0.05 %)`` with ``I = 0.01 %`` for eight hours and ``P`` the mean
    of the interval's premium weighted 1, 2, ... towards its end, as Binance publishes it.
    """
    count = len(premium) // FUNDING_HOURS
    weights = np.arange(1.0, FUNDING_HOURS + 1.0)
    weights /= weights.sum()
    average = (premium[: count * FUNDING_HOURS].reshape(count, FUNDING_HOURS) * weights).sum(axis=1)
    funding: Float1D = average + np.clip(INTEREST_RATE - average, -FUNDING_CLAMP, FUNDING_CLAMP)
    return funding


def open_interest(
    hour_return: Float1D,
    hourly_volatility: float,
    noise: Float1D,
    turnover_per_hour: float,
    start_price: float,
) -> Float1D:
    """Open interest at the end of each hour in base units, ``(H,)``.

    It grows in trends, falls after large moves (positions are closed by force) and returns slowly
    to its level.
    """
    trend = trend_strength(hour_return, hourly_volatility, TREND_HALF_LIFE_HOURS)
    level = OPEN_INTEREST_HOURS_OF_TURNOVER * turnover_per_hour / start_price
    interest: Float1D = level * np.exp(
        _open_interest_kernel(hour_return / hourly_volatility, trend, noise)
    )
    return interest


def long_short_ratios(
    hour_return: Float1D, hourly_volatility: float, noise: Float1D
) -> dict[str, Float1D]:
    """Long/short ratios at the end of each hour, each ``(H,)``; ``noise`` is standard normal ``(3, H)``.

    Accounts lean against the last day's return; the positions of top traders follow the trend a
    little and move less.
    """
    day = trend_strength(hour_return, hourly_volatility, DAY_HALF_LIFE_HOURS)
    trend = trend_strength(hour_return, hourly_volatility, TREND_HALF_LIFE_HOURS)
    crowd, top, positions = (
        mean_reverting(noise[row], half_life) for row, half_life in enumerate((60.0, 60.0, 48.0))
    )
    lean = np.clip(ACCOUNT_RATIO_ON_DAY * day, -0.6, 0.6)
    return {
        "count_toptrader_long_short_ratio": np.exp(
            math.log(1.5) + 0.8 * lean + 0.10 * crowd + 0.10 * top
        ),
        "sum_toptrader_long_short_ratio": np.exp(
            math.log(1.2) + np.clip(0.03 * trend, -0.2, 0.2) + 0.08 * positions
        ),
        "count_long_short_ratio": np.exp(LOG_ACCOUNT_RATIO + lean + ACCOUNT_RATIO_NOISE * crowd),
    }


def taker_ratio(taker_buy: Float1D, volume: Float1D) -> Float1D:
    """Volume bought by takers over volume sold by them, finite, 1 where nothing traded, ``(H,)``."""
    sold = volume - taker_buy
    known = (sold > 0.0) & (volume > 0.0)
    ratio: Float1D = np.where(known, taker_buy / np.where(known, sold, 1.0), 1.0)
    return ratio


def hour_rows(rows: int, stride: int) -> Int1D:
    """Row of the last hour of every whole block of ``stride`` hours."""
    return np.arange(stride - 1, rows, stride, dtype=np.int64)
