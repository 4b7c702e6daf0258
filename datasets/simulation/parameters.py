"""Numbers of the simulated market.

The targets are moments of real files, printed by ``python -m benchmarks.simulated_moments``: hourly spot
bars of BTCUSDT and ETHUSDT 2021-2023 and SOLUSDT 2024, perpetual against spot 2021-2022, settled
funding of BTCUSDT 2021-2023. The same script prints what the simulation gives for them;
``docs/simulated-market.md`` shows both. Profiles by hour and weekday are the mean of the BTCUSDT and
ETHUSDT profiles, rounded.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Float1D

MODEL_VERSION: Final = 1
"""Raised whenever the same spec gives other numbers than before."""

MINUTES_PER_HOUR: Final = 60
HOURS_PER_DAY: Final = 24
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

SLOW_LOG_VOLATILITY: Final = 0.42
"""Standard deviation of the slow part of log volatility (half-life 15 days)."""
SLOW_HALF_LIFE_HOURS: Final = 360.0
MIDDLE_LOG_VOLATILITY: Final = 0.32
"""Standard deviation of the middle part of log volatility (half-life 30 hours)."""
MIDDLE_HALF_LIFE_HOURS: Final = 30.0
FAST_LOG_VOLATILITY: Final = 0.28
"""Standard deviation of the fast part of log volatility (half-life 90 minutes)."""
FAST_HALF_LIFE_MINUTES: Final = 90.0
COMMON_VOLATILITY_SHARE: Final = 0.9
"""Share of the variance of slow and middle log volatility that all symbols have in common."""
COMMON_RETURN_CORRELATION: Final = 0.97
"""Loading of a symbol's minute shock on the market's."""

MARKET_JUMPS_PER_HOUR: Final = 0.006
OWN_JUMPS_PER_HOUR: Final = 0.002
"""Expected jumps in an hour, of the whole market and of each symbol alone."""
JUMP_SMALLEST: Final = 1.5
JUMP_LARGEST: Final = 5.0
"""A jump is up or down with even chances, its size uniform between these, in hourly volatilities."""
JUMP_LOG_VOLATILITY_KICK: Final = 0.8
"""Rise of the fast log volatility in the minute after a jump."""

VOLUME_ON_VOLATILITY: Final = 0.90
"""Elasticity of volume to volatility."""
VOLUME_ON_SHOCK: Final = 0.30
"""Rise of log volume for each standard deviation of the absolute minute shock."""
VOLUME_SLOW: Final = 0.35
VOLUME_SLOW_HALF_LIFE_HOURS: Final = 240.0
VOLUME_FAST: Final = 0.40
VOLUME_FAST_HALF_LIFE_HOURS: Final = 1.5
SHARED_VOLUME_NOISE: Final = 0.3
"""Share of the variance of the fast part that spot and perpetual have in common."""
VOLUME_MINUTE: Final = 0.60
"""Standard deviations of the parts of log volume that are unrelated to volatility."""

TAKER_ON_SHOCK: Final = 0.58
"""Change of the logit of the minute's taker-buy share for each standard deviation of its shock."""
TAKER_HOUR: Final = 0.10
TAKER_HOUR_HALF_LIFE_HOURS: Final = 4.0
TAKER_MINUTE: Final = 1.00
TAKER_MEAN: Final = -0.03
"""Parts of that logit that are unrelated to price: an hourly persistent one, noise, the mean."""

PREMIUM_STATE: Final = np.array([-3.0, -2.326, -1.645, -1.117, -0.096, 0.978, 1.645, 2.326, 3.0])
PREMIUM_BPS: Final = np.array([-9.0, -6.7, -5.5, -5.0, -4.0, 6.0, 10.8, 17.6, 26.0])
"""Premium at values of a standard normal state: the quantiles of real funding (1, 5, 13.2, 46.2,
83.6, 95 and 99 %) taken back through the funding formula, linear between them."""
PREMIUM_SLOW_HALF_LIFE_HOURS: Final = 360.0
PREMIUM_FAST_HALF_LIFE_HOURS: Final = 16.0
PREMIUM_SLOW: Final = 0.80
PREMIUM_FAST: Final = 0.42
PREMIUM_ON_TREND: Final = 0.40
"""Weights in z: slow and fast mean-reverting parts and the standardised return of the last week."""

INTEREST_RATE: Final = 1e-4
"""Interest component of funding for eight hours (Binance)."""
FUNDING_CLAMP: Final = 5e-4
"""Bound of the difference of interest and premium (Binance)."""


VOLATILITY_INFLATION: Final = 1.48
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
"""Turnover of the perpetual relative to spot (real: 4.9 and 4.3)."""
PERP_TRADE_RATIO: Final = 1.5
"""Mean trade on the perpetual relative to spot."""


def symbol_parameters(symbol: str) -> SymbolParameters:
    """Parameters of ``symbol``; a name that is not listed gets :data:`OTHER_SYMBOL`."""
    return SYMBOLS.get(symbol, OTHER_SYMBOL)
