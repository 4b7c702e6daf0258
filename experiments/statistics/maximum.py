"""The best of K independent standard normal draws: what the luckiest of K trials without skill shows.

Its mean in the field's approximation (the False Strategy theorem: Bailey and López de Prado, *The Deflated
Sharpe Ratio*, 2014) and exactly, and its variance, which the tests of 2025 use.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import log_ndtr, ndtri

from engine.errors import ConfigError

_STEP: Final = 0.005
_DRAWS: Final = np.arange(-2400, 2401) * _STEP


def expected_maximum(trials: float) -> float:
    """Expected maximum of ``trials`` standard normals, (1 − γ)Φ⁻¹(1 − 1/N) + γΦ⁻¹(1 − 1/(N·e)).

    γ = 0.5772… (Euler–Mascheroni). 0 for one trial; between one and two, which only an effective
    number can be, in proportion, since the formula falls below 0 there. From three trials on it lies
    above the exact mean, by 2.5 % at most. Raises ConfigError below one trial.
    """
    require_trials("trials", trials)
    if trials < 2.0:
        return (trials - 1.0) * expected_maximum(2.0)
    first = float(ndtri(1.0 - 1.0 / trials))
    second = float(ndtri(1.0 - 1.0 / (trials * math.e)))
    return (1.0 - np.euler_gamma) * first + np.euler_gamma * second


def exact_expected_maximum(trials: float) -> float:
    """Expected maximum of ``trials`` standard normals, ∫ z·N·φ(z)·Φ(z)^(N−1) dz, to 1e-12."""
    return _moments(trials)[0]


def variance_of_maximum(trials: float) -> float:
    """Variance of the maximum of ``trials`` standard normals; 1 for one trial, less for more."""
    return _moments(trials)[1]


def require_trials(name: str, trials: float) -> None:
    """Raise ConfigError unless ``trials`` is a finite number from 1 to 1e12."""
    if not 1.0 <= trials <= 1e12:
        raise ConfigError(f"{name}={trials} must be a number of trials from 1 to 1e12")


@lru_cache(maxsize=1024)
def _moments(trials: float) -> tuple[float, float]:
    """Mean and variance; the trapezoidal rule is exact to rounding on a smooth density."""
    require_trials("trials", trials)
    log_density = (
        math.log(trials)
        - 0.5 * _DRAWS**2
        - 0.5 * math.log(2.0 * math.pi)
        + (trials - 1.0) * log_ndtr(_DRAWS)
    )
    weight = np.exp(log_density) * _STEP
    mean = float((weight * _DRAWS).sum())
    return mean, float((weight * (_DRAWS - mean) ** 2).sum())
