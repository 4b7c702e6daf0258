"""Numbers of the simulated market.

The targets are moments of real files, printed by ``benchmarks/simulated_moments.py``: hourly spot
bars of BTCUSDT and ETHUSDT 2021-2023 and SOLUSDT 2024, perpetual against spot 2021-2022, settled
funding of BTCUSDT 2021-2023. The same script prints what the simulation gives for them;
``docs/simulated-market.md`` shows both. Profiles by hour and weekday are the mean of the BTCUSDT and
ETHUSDT profiles, rounded.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D

MINUTES_PER_HOUR: Final = 60
HOURS_PER_DAY: Final = 24
HOURS_PER_WEEK: Final = 168
FUNDING_HOURS: Final = 8


def _profile(*values: float) -> Float1D:
    profile = np.array(values)
    profile /= profile.mean()
    profile.flags.writeable = False
    return profile


RETURN_BY_HOUR: Final = _profile(
    1.227, 1.079, 0.894, 0.871, 0.733, 0.790, 0.827, 0.879, 0.984, 0.887, 0.844, 0.898,
    1.064, 1.137, 1.298, 1.204, 1.124, 1.034, 1.033, 1.039, 1.106, 1.043, 0.992, 1.012,
)  # fmt: skip
"""Mean absolute return by hour of day UTC, relative to its mean."""

RETURN_BY_WEEKDAY: Final = _profile(1.097, 1.092, 1.121, 1.034, 1.053, 0.767, 0.838)
"""Mean absolute return by weekday from Monday, relative to its mean."""

VOLUME_BY_HOUR: Final = _profile(
    1.074, 0.933, 0.858, 0.799, 0.775, 0.773, 0.830, 0.909, 0.996, 0.954, 0.947, 0.939,
    1.186, 1.325, 1.465, 1.388, 1.339, 1.068, 1.058, 1.019, 0.973, 0.753, 0.811, 0.829,
)  # fmt: skip
"""Mean volume by hour of day UTC, relative to its mean."""

VOLUME_BY_WEEKDAY: Final = _profile(1.106, 1.112, 1.142, 1.076, 1.088, 0.727, 0.752)
"""Mean volume by weekday from Monday, relative to its mean."""

REGIME_LOG_VOLATILITY: Final = np.array([-0.45, 0.0, 0.55])
"""Shift of log volatility in the calm, normal and turbulent regime."""

REGIME_TRANSITION: Final = np.array(
    [
        [1.0 - 1.0 / 480.0, 1.0 / 480.0, 0.0],
        [0.6 / 480.0, 1.0 - 1.0 / 480.0, 0.4 / 480.0],
        [0.0, 1.0 / 168.0, 1.0 - 1.0 / 168.0],
    ]
)
"""Hourly transition probabilities: calm and normal last 20 days on average, turbulence 7 days."""

SLOW_LOG_VOLATILITY: Final = 0.30
"""Standard deviation of the slow part of log volatility (half-life 15 days)."""
SLOW_HALF_LIFE_HOURS: Final = 360.0
MIDDLE_LOG_VOLATILITY: Final = 0.30
"""Standard deviation of the middle part of log volatility (half-life 30 hours)."""
MIDDLE_HALF_LIFE_HOURS: Final = 30.0
FAST_LOG_VOLATILITY: Final = 0.35
"""Standard deviation of the fast part of log volatility (half-life 90 minutes)."""
FAST_HALF_LIFE_MINUTES: Final = 90.0
COMMON_VOLATILITY_SHARE: Final = 0.8
"""Share of the variance of slow and middle log volatility that all symbols have in common."""
COMMON_RETURN_CORRELATION: Final = 0.91
"""Loading of a symbol's minute shock on the market's, so that two symbols correlate 0.83."""

JUMPS_PER_HOUR: Final = 0.012
"""Expected jumps in an hour, of the market and again of each symbol."""
JUMP_SIZE: Final = 2.2
"""Standard deviation of a jump in units of the volatility of that hour."""
JUMP_LOG_VOLATILITY_KICK: Final = 0.8
"""Rise of the fast log volatility in the minute after a jump."""

VOLUME_ON_VOLATILITY: Final = 0.70
"""Elasticity of volume to volatility."""
VOLUME_ON_SHOCK: Final = 0.30
"""Rise of log volume for each standard deviation of the absolute minute shock."""
VOLUME_SLOW: Final = 0.45
VOLUME_SLOW_HALF_LIFE_HOURS: Final = 240.0
VOLUME_FAST: Final = 0.28
VOLUME_FAST_HALF_LIFE_HOURS: Final = 5.0
VOLUME_MINUTE: Final = 0.60
"""Standard deviations of the parts of log volume that are unrelated to volatility."""

TAKER_ON_SHOCK: Final = 0.50
"""Change of the logit of the minute's taker-buy share for each standard deviation of its shock."""
TAKER_HOUR: Final = 0.10
TAKER_HOUR_HALF_LIFE_HOURS: Final = 4.0
TAKER_MINUTE: Final = 0.80
TAKER_MEAN: Final = -0.03
"""Parts of that logit that are unrelated to price: an hourly persistent one, noise, the mean."""

PREMIUM_SHIFT: Final = -6.2e-4
PREMIUM_SCALE: Final = 3.3e-4
PREMIUM_SHAPE: Final = 0.95
PREMIUM_LIMIT: Final = 2.7
"""premium = shift + scale * exp(shape * z), z clipped to +-limit: the right skew of real funding."""
PREMIUM_SLOW_HALF_LIFE_HOURS: Final = 360.0
PREMIUM_FAST_HALF_LIFE_HOURS: Final = 18.0
PREMIUM_SLOW: Final = 0.70
PREMIUM_FAST: Final = 0.60
PREMIUM_ON_TREND: Final = 0.40
"""Weights in z: slow and fast mean-reverting parts and the standardised return of the last week."""

INTEREST_RATE: Final = 1e-4
"""Interest component of funding for eight hours (Binance)."""
FUNDING_CLAMP: Final = 5e-4
"""Bound of the difference of interest and premium (Binance)."""


VOLATILITY_INFLATION: Final = 1.4
"""Root mean square of hourly volatility over its median level: regimes, noise and jumps together."""


@dataclass(frozen=True, slots=True)
class SymbolParameters:
    """What differs between symbols.

    ``hourly_volatility`` is the standard deviation of hourly log returns; ``quote_per_hour`` the
    median spot turnover and ``quote_per_trade`` the mean trade in quote currency.
    """

    start_price: float
    hourly_volatility: float
    quote_per_hour: float
    quote_per_trade: float
    coins_on_exchanges: float


SYMBOLS: Final = {
    "BTCSIM": SymbolParameters(30_000.0, 0.0071, 8.9e7, 1166.0, 2.4e6),
    "ETHSIM": SymbolParameters(2_000.0, 0.0090, 4.0e7, 1433.0, 1.8e7),
    "SOLSIM": SymbolParameters(100.0, 0.0098, 2.0e7, 616.0, 4.0e7),
}
OTHER_SYMBOL: Final = SymbolParameters(10.0, 0.0098, 1.0e7, 600.0, 1.0e8)
"""Parameters of a symbol that :data:`SYMBOLS` does not name."""

PERP_VOLUME_RATIO: Final = 4.5
"""Turnover of the perpetual relative to spot (real: 4.4 and 4.6)."""


def symbol_parameters(symbol: str) -> SymbolParameters:
    """Parameters of ``symbol``; a name that is not listed gets :data:`OTHER_SYMBOL`."""
    return SYMBOLS.get(symbol, OTHER_SYMBOL)
