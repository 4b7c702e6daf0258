"""The price path in one-minute steps.

1. Hourly log volatility = regime + slow + middle part, each partly common to all symbols, + the
   profile of the hour of day and weekday.
2. Minute log volatility adds a fast part, which jumps push up for the minutes that follow.
3. A minute's log return is ``volatility * shock + jumps - compensator``; the compensator makes the
   expected ratio of the next price to this one exactly 1, whatever is known.
4. High and low of a minute are drawn from the extremes of a Brownian bridge between its ends.
"""

import math

import numpy as np

from engine import Bool1D, Float1D, Int1D, kernel

from .parameters import (
    COMMON_RETURN_CORRELATION,
    COMMON_VOLATILITY_SHARE,
    FAST_HALF_LIFE_MINUTES,
    FAST_LOG_VOLATILITY,
    HOURS_PER_DAY,
    JUMP_LARGEST,
    JUMP_LOG_VOLATILITY_KICK,
    JUMP_SMALLEST,
    MARKET_JUMPS_PER_HOUR,
    MIDDLE_HALF_LIFE_HOURS,
    MIDDLE_LOG_VOLATILITY,
    MINUTES_PER_HOUR,
    OWN_JUMPS_PER_HOUR,
    REGIME_LOG_VOLATILITY,
    REGIME_TRANSITION,
    SLOW_HALF_LIFE_HOURS,
    SLOW_LOG_VOLATILITY,
)


@kernel
def _regime_kernel(uniforms: Float1D, transition: np.ndarray) -> Int1D:
    out = np.empty(len(uniforms), dtype=np.int64)
    state = 1
    for t in range(len(uniforms)):
        reach = 0.0
        for code in range(transition.shape[1]):
            reach += transition[state, code]
            if uniforms[t] < reach:
                state = code
                break
        out[t] = state
    return out


@kernel
def _mean_reverting_kernel(noise: Float1D, persistence: float) -> Float1D:
    out = np.empty(len(noise))
    innovation = math.sqrt(1.0 - persistence * persistence)
    level = 0.0
    for t in range(len(noise)):
        level = noise[t] if t == 0 else persistence * level + innovation * noise[t]
        out[t] = level
    return out


@kernel
def _average_kernel(values: Float1D, persistence: float) -> Float1D:
    out = np.empty(len(values))
    level = 0.0
    for t in range(len(values)):
        level = persistence * level + (1.0 - persistence) * values[t]
        out[t] = level
    return out


@kernel
def _return_kernel(
    hour_log_volatility: Float1D,
    fast_noise: Float1D,
    shock: Float1D,
    market_jump: Float1D,
    own_jump: Float1D,
    fast_deviation: float,
    fast_persistence: float,
    jump_rules: Float1D,
) -> tuple[Float1D, Float1D, Float1D]:
    count = len(shock)
    log_return = np.empty(count)
    volatility = np.empty(count)
    standard = np.empty(count)
    market_probability, own_probability, smallest, largest, kick = jump_rules
    innovation = fast_deviation * math.sqrt(1.0 - fast_persistence * fast_persistence)
    fast = 0.0
    jump_volatility = 0.0
    jump_drift = 0.0
    for m in range(count):
        if m % 60 == 0:
            # a jump is measured against an hour of volatility, and its expected ratio taken out
            jump_volatility = math.exp(hour_log_volatility[m // 60]) * math.sqrt(60.0)
            reach = jump_volatility * (largest - smallest)
            excess = (
                math.sinh(jump_volatility * largest) - math.sinh(jump_volatility * smallest)
            ) / reach - 1.0
            jump_drift = -math.log1p(market_probability * excess) - math.log1p(
                own_probability * excess
            )
        sigma = math.exp(hour_log_volatility[m // 60] + fast)
        jump = market_jump[m] + own_jump[m]
        log_return[m] = jump_drift - 0.5 * sigma * sigma + sigma * shock[m] + jump_volatility * jump
        volatility[m] = sigma
        standard[m] = log_return[m] / sigma
        fast = fast_persistence * fast + innovation * fast_noise[m]
        if jump != 0.0:
            fast += kick
        fast = min(max(fast, -2.0), 2.0)
    return log_return, volatility, standard


@kernel
def _price_kernel(
    log_return: Float1D,
    hour_drift: Float1D,
    volatility: Float1D,
    high_draw: Float1D,
    low_draw: Float1D,
    start: float,
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    count = len(log_return)
    opened = np.empty(count)
    high = np.empty(count)
    low = np.empty(count)
    close = np.empty(count)
    level = math.log(start)
    for m in range(count):
        step = log_return[m] + hour_drift[m // 60] / 60.0
        variance = 2.0 * volatility[m] * volatility[m]
        above = 0.5 * (step + math.sqrt(step * step + variance * high_draw[m]))
        below = 0.5 * (step - math.sqrt(step * step + variance * low_draw[m]))
        opened[m] = math.exp(level) if m == 0 else close[m - 1]
        close[m] = math.exp(level + step)
        high[m] = max(math.exp(level + above), opened[m], close[m])
        low[m] = min(math.exp(level + below), opened[m], close[m])
        level += step
    return opened, high, low, close


def half_life_persistence(half_life: float) -> float:
    """Weight of the last value in a process that halves its distance in ``half_life`` steps."""
    return math.exp(-math.log(2.0) / half_life)


def mean_reverting(noise: Float1D, half_life: float) -> Float1D:
    """Stationary AR(1) of unit variance from standard normal ``noise``, ``(N,)``."""
    return _mean_reverting_kernel(noise, half_life_persistence(half_life))


def exponential_average(values: Float1D, half_life: float) -> Float1D:
    """Exponentially weighted mean of ``values`` up to each row, started at 0, ``(N,)``."""
    return _average_kernel(values, half_life_persistence(half_life))


def regimes(generator: np.random.Generator, hours: int) -> Int1D:
    """Regime of each hour, ``(H,)``: 0 calm, 1 normal, 2 turbulent."""
    return _regime_kernel(generator.random(hours), REGIME_TRANSITION)


def profile_by_hour(by_hour: Float1D, by_weekday: Float1D, first_hour: int, hours: int) -> Float1D:
    """Logarithm of the profile at each hour, ``(H,)``; ``first_hour`` counts from the epoch."""
    hour = first_hour + np.arange(hours)
    # the epoch was a Thursday, the weekday three after Monday
    weekday = (hour // HOURS_PER_DAY + 3) % 7
    profile: Float1D = np.log(by_hour[hour % HOURS_PER_DAY] * by_weekday[weekday])
    return profile


def hourly_log_volatility(
    regime: Int1D,
    market: tuple[Float1D, Float1D],
    own: tuple[Float1D, Float1D],
    seasonal: Float1D,
    base: float,
) -> Float1D:
    """Log of the minute volatility in each hour without its fast part, ``(H,)``.

    ``market`` and ``own`` hold standard normal noise for the slow and the middle part.
    """
    parts = (
        (SLOW_LOG_VOLATILITY, SLOW_HALF_LIFE_HOURS),
        (MIDDLE_LOG_VOLATILITY, MIDDLE_HALF_LIFE_HOURS),
    )
    total: Float1D = math.log(base) + REGIME_LOG_VOLATILITY[regime] + seasonal
    common = math.sqrt(COMMON_VOLATILITY_SHARE)
    private = math.sqrt(1.0 - COMMON_VOLATILITY_SHARE)
    for (deviation, half_life), shared, single in zip(parts, market, own, strict=True):
        noise = common * shared + private * single
        total = total + deviation * mean_reverting(noise, half_life)
    return total


def jumps(generator: np.random.Generator, minutes: int, jumps_per_hour: float) -> Float1D:
    """Jumps of each minute in hourly volatilities, 0 where there is none, ``(M,)``.

    One uniform draw decides all: below the probability there is a jump, the lower half of that
    range is down, and the place within the half is the size.
    """
    probability = jumps_per_hour / MINUTES_PER_HOUR
    draws = generator.random(minutes)
    hit = draws < probability
    place = 2.0 * draws[hit] / probability
    size = JUMP_SMALLEST + (JUMP_LARGEST - JUMP_SMALLEST) * (place % 1.0)
    result = np.zeros(minutes)
    result[hit] = np.where(place < 1.0, -size, size)
    return result


def minute_returns(
    log_volatility: Float1D,
    market_shock: Float1D,
    market_jump: Float1D,
    generators: dict[str, np.random.Generator],
) -> tuple[Float1D, Float1D, Float1D]:
    """Minute log returns without drift, volatility, and returns in units of it, each ``(M,)``."""
    minutes = len(market_shock)
    own = math.sqrt(1.0 - COMMON_RETURN_CORRELATION**2)
    shock = generators["shock"].standard_normal(minutes)
    shock *= own
    shock += COMMON_RETURN_CORRELATION * market_shock
    return _return_kernel(
        log_volatility,
        generators["fast"].standard_normal(minutes),
        shock,
        market_jump,
        jumps(generators["jump"], minutes, OWN_JUMPS_PER_HOUR),
        FAST_LOG_VOLATILITY,
        half_life_persistence(FAST_HALF_LIFE_MINUTES),
        np.array(
            [
                MARKET_JUMPS_PER_HOUR / MINUTES_PER_HOUR,
                OWN_JUMPS_PER_HOUR / MINUTES_PER_HOUR,
                JUMP_SMALLEST,
                JUMP_LARGEST,
                JUMP_LOG_VOLATILITY_KICK,
            ]
        ),
    )


def minute_prices(
    log_return: Float1D,
    hour_drift: Float1D,
    volatility: Float1D,
    generators: dict[str, np.random.Generator],
    start: float,
) -> tuple[Float1D, Float1D, Float1D, Float1D]:
    """Open, high, low, close of every minute, each ``(M,)``, in quote currency."""
    minutes = len(log_return)
    return _price_kernel(
        log_return,
        hour_drift,
        volatility,
        generators["high"].standard_exponential(minutes),
        generators["low"].standard_exponential(minutes),
        start,
    )


def outages(generator: np.random.Generator, days: int, outages_per_year: float) -> Bool1D:
    """Minutes in which the venue is down, ``(M,)``; one to twelve hours, never on the first day."""
    down = np.zeros(days * HOURS_PER_DAY * MINUTES_PER_HOUR, dtype=np.bool_)
    draws = generator.random((days, 3))
    for day in np.flatnonzero(draws[:, 0] < outages_per_year / 365.0):
        if day == 0:
            continue
        start = int((day + draws[day, 1]) * HOURS_PER_DAY * MINUTES_PER_HOUR)
        length = int(60.0 * 12.0 ** draws[day, 2])
        down[start : start + length] = True
    return down
