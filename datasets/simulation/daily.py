"""Daily series: fear and greed, exchange reserves, value locked, implied volatility.

Each follows returns that have happened and noise of its own. Fear and greed dated D is made of
days before D, the other three describe the whole of D.
"""

import math

import numpy as np

from engine import Float1D

from .parameters import HOURS_PER_DAY
from .path import exponential_average, mean_reverting


def fear_greed(day_return: Float1D, day_volatility: Float1D, noise: Float1D) -> Float1D:
    """Index 0 to 100 for each day from the return and volatility of the days before it, ``(D,)``."""
    long_run = _running_mean(day_volatility)
    trend = exponential_average(day_return / long_run, 20.0) / 0.13
    calm = -np.log(exponential_average(day_volatility / long_run - 1.0, 10.0) + 1.0)
    score = 0.8 * trend + 0.8 * calm
    before = np.concatenate(([0.0], score[:-1]))
    value = 100.0 / (1.0 + np.exp(-(before - 0.1 + 0.35 * mean_reverting(noise, 3.0))))
    rounded: Float1D = np.round(value)
    return rounded


def exchange_reserves(day_return: Float1D, coins: float, noise: Float1D) -> Float1D:
    """Coins on exchanges at the end of each day, ``(D,)``; after rises some coins are withdrawn."""
    steps = -0.00025 + 0.0032 * noise - 0.002 * np.clip(day_return, -0.2, 0.2)
    reserves: Float1D = coins * np.exp(np.cumsum(steps))
    return reserves


def value_locked(day_close: Float1D, coins: float, noise: Float1D) -> Float1D:
    """Value locked in USD at the end of each day: coins that wander, at the day's price, ``(D,)``."""
    locked: Float1D = 0.05 * coins * np.exp(np.cumsum(0.008 * noise)) * day_close
    return locked


def implied_volatility(hour_return: Float1D, hourly_volatility: float, noise: Float1D) -> Float1D:
    """Annualised percent at the end of each day, ``(D,)``: recent and long-run volatility, plus 10 %."""
    excess = np.minimum((hour_return / hourly_volatility) ** 2, 100.0) - 1.0
    recent = 1.0 + exponential_average(excess, 24.0 * 4)
    month = 1.0 + exponential_average(excess, 24.0 * 20)
    variance = 0.3 * recent + 0.4 * month + 0.3
    days = variance.reshape(-1, HOURS_PER_DAY)[:, -1]
    annual = 100.0 * hourly_volatility * math.sqrt(365.0 * HOURS_PER_DAY)
    level: Float1D = 1.1 * annual * np.sqrt(days) * np.exp(0.04 * mean_reverting(noise, 5.0))
    return level


def _running_mean(values: Float1D) -> Float1D:
    mean: Float1D = np.cumsum(values) / np.arange(1.0, len(values) + 1.0)
    return mean
