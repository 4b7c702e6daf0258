"""Funding of a perpetual, computed on its own settlements (clock ``funding``).

Rates are made comparable first: ``f8 = rate * 8 / interval_hours``. A venue's interest component
alone is 0.01 % for eight hours, so levels are measured from that baseline and not from zero.
Windows count settlements.
"""

from typing import Final

import numpy as np

from engine import Float1D, kernel

from .rolling import percent_rank, rolling_mean, rolling_std
from .spec import Columns, Indicator, Output, Parameter, Parameters

BASELINE: Final = 1e-4
"""Interest component of funding for eight hours, as a fraction."""
_HOURS_PER_YEAR: Final = 8760.0


@kernel(nogil=True)
def _scaled_rate_kernel(rate: Float1D, interval_hours: Float1D, hours: float) -> Float1D:
    out = np.empty(len(rate))
    for t in range(len(rate)):
        out[t] = rate[t] * hours / interval_hours[t] if interval_hours[t] > 0 else 0.0
    return out


def funding_for(rate: Float1D, interval_hours: Float1D, hours: float) -> Float1D:
    """The rate for ``hours`` hours: ``rate * hours / interval_hours``, fraction, ``(T,)``.

    An interval that is not positive has no rate; its row is 0.
    """
    return _scaled_rate_kernel(rate, interval_hours, hours)


def funding_z_score(f8: Float1D, length: int, deviation_floor: float) -> Float1D:
    """``(f8 - mean) / deviation`` over ``length`` settlements; NaN for ``length - 1`` rows.

    0 where the deviation is below ``deviation_floor``: funding pinned at its baseline has none.
    """
    deviation = rolling_std(f8, length)
    centred = f8 - rolling_mean(f8, length)
    moved = deviation >= deviation_floor
    return np.where(moved, centred / np.where(moved, deviation, 1.0), centred * 0.0)


def _funding_rate(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    rate, interval_hours = columns["rate"], columns["interval_hours"]
    f8 = funding_for(rate, interval_hours, 8.0)
    excess = f8 - BASELINE
    extreme = parameters["extreme"]
    contrarian = (excess <= -extreme).astype(np.float64) - (excess >= extreme)
    annual = funding_for(rate, interval_hours, _HOURS_PER_YEAR)
    return f8, excess, annual, contrarian, 2.0 - contrarian


def _sentiment(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    scale, length = parameters["scale"], int(parameters["length"])
    f8 = funding_for(columns["rate"], columns["interval_hours"], 8.0)
    z = funding_z_score(f8, length, parameters["deviation_floor"])
    known = z * 0.0
    level = 50.0 - 50.0 * np.tanh((f8 - BASELINE) / scale) + known
    stretch = 50.0 - 25.0 * np.clip(z, -2.0, 2.0)
    momentum = 50.0 - 50.0 * np.tanh((f8 - rolling_mean(f8, 3)) / scale) + known
    return 0.5 * level + 0.3 * stretch + 0.2 * momentum, level, z, momentum


def _volatility(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, rank_length = int(parameters["length"]), int(parameters["rank_length"])
    f8 = funding_for(columns["rate"], columns["interval_hours"], 8.0)
    deviation = rolling_std(f8, length)
    rank = percent_rank(deviation, rank_length)
    acceleration = np.full(len(f8), np.nan)
    acceleration[2:] = f8[2:] - 2.0 * f8[1:-1] + f8[:-2]
    score = 50.0 + (50.0 - rank) * 0.5 * np.where(acceleration <= 0, 1.0, 0.8)
    return score, deviation + rank * 0.0, rank


def _anomaly(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    f8 = funding_for(columns["rate"], columns["interval_hours"], 8.0)
    z = funding_z_score(f8, int(parameters["length"]), parameters["deviation_floor"])
    signal = np.zeros(len(z))
    fades = np.abs(z[1:]) < np.abs(z[:-1])
    signal[1:] = np.where((np.abs(z[1:]) >= parameters["threshold"]) & fades, -np.sign(z[1:]), 0.0)
    return (signal,)


_LENGTH: Final = Parameter("length", 90, 20, 400)
_FLOOR: Final = Parameter("deviation_floor", 5e-6, 0.0, 1e-4, integer=False)

FUNDING_RATE = Indicator(
    name="funding_rate",
    text="Funding for eight hours, its excess over the 0.01 % baseline, per year, and its extremes.",
    inputs=("rate", "interval_hours"),
    parameters=(Parameter("extreme", 3e-4, 5e-5, 2e-3, integer=False),),
    outputs=(
        Output("f8", "value", "fraction per 8 hours", "rate * 8 / interval_hours"),
        Output("excess", "value", "fraction per 8 hours", "f8 less the baseline of 0.0001"),
        Output("annual", "value", "fraction per year", "rate * 8760 / interval_hours"),
        Output(
            "contrarian",
            "signal",
            "",
            "-1 where the excess is at least `extreme`, 1 where it is at most -`extreme`",
            firing_rate=(0.01, 0.20),
        ),
        Output(
            "band", "state", "", "1 as low as -`extreme` beyond the baseline, 2 between, 3 high"
        ),
    ),
    compute=_funding_rate,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

FUNDING_SENTIMENT = Indicator(
    name="funding_sentiment",
    text="Contrarian score of funding: half its level, the rest its z-score and its momentum.",
    inputs=("rate", "interval_hours"),
    parameters=(_LENGTH, Parameter("scale", 3e-4, 1e-4, 1e-3, integer=False), _FLOOR),
    outputs=(
        Output("score", "value", "score", "0.5 level + 0.3 stretch + 0.2 momentum", 0.0, 100.0),
        Output("level", "value", "score", "50 - 50 tanh((f8 - baseline) / scale)", 0.0, 100.0),
        Output("z", "value", "deviations", "z-score of f8 over `length` settlements"),
        Output("momentum", "value", "score", "50 - 50 tanh((f8 - mean of 3) / scale)", 0.0, 100.0),
    ),
    compute=_sentiment,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: int(parameters["length"]) - 1,
)

FUNDING_VOLATILITY = Indicator(
    name="funding_volatility",
    text="How calm funding is against its own past: calm scores above 50, damped while it speeds up.",
    inputs=("rate", "interval_hours"),
    parameters=(Parameter("length", 21, 9, 63), Parameter("rank_length", 180, 60, 720)),
    outputs=(
        Output(
            "score", "value", "score", "50 + (50 - rank) / 2, x 0.8 if accelerating", 25.0, 75.0
        ),
        Output("deviation", "value", "fraction per 8 hours", "deviation of the last f8", low=0.0),
        Output("rank", "value", "percent", "percent rank of the deviation", 0.0, 100.0),
    ),
    compute=_volatility,
    lookback=lambda parameters: int(parameters["length"] + parameters["rank_length"]) - 1,
    stable=lambda parameters: int(parameters["length"] + parameters["rank_length"]) - 1,
)

FUNDING_ANOMALY = Indicator(
    name="funding_anomaly",
    text="Funding far from its mean that has begun to return: against the crowd, once confirmed.",
    inputs=("rate", "interval_hours"),
    parameters=(_LENGTH, Parameter("threshold", 2.0, 1.5, 3.0, integer=False), _FLOOR),
    outputs=(
        Output(
            "reversal",
            "signal",
            "",
            "-sign(z) where |z| is at least `threshold` and smaller than a settlement ago",
            firing_rate=(0.002, 0.06),
        ),
    ),
    compute=_anomaly,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)

INDICATORS = (FUNDING_RATE, FUNDING_SENTIMENT, FUNDING_VOLATILITY, FUNDING_ANOMALY)
