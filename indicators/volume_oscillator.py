"""Averages of volume, and of where it went, against longer ones."""

import numpy as np

from engine import Float1D, kernel

from .moving_average import exponential_mean, exponential_stable_rows
from .rolling import percent_rank, quotient, rolling_mean, rolling_std
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volume import close_location_flow


def _pvo(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume = columns["volume"]
    fast, slow, signal = (int(parameters[name]) for name in ("fast", "slow", "signal"))
    short = exponential_mean(volume, fast, slow - fast)
    long = exponential_mean(volume, slow)
    line = 100.0 * quotient(short - long, long, 0.0)
    smooth = exponential_mean(line, signal, slow - 1)
    return line + 0.0 * smooth, smooth, line - smooth


@kernel(nogil=True)
def _chaikin_kernel(flow: Float1D, fast: int, slow: int) -> Float1D:
    # Of the accumulating line and its mean only the distance is kept: (1 - alpha) (distance + flow).
    out = np.full(len(flow), np.nan)
    keep_fast, keep_slow = 1.0 - 2.0 / (fast + 1.0), 1.0 - 2.0 / (slow + 1.0)
    line, fast_total, slow_total = 0.0, 0.0, 0.0
    from_fast, from_slow = 0.0, 0.0
    for t in range(len(flow)):
        if t < slow:
            line += flow[t]
            fast_total += line
            slow_total += line
        from_fast = keep_fast * (from_fast + flow[t])
        from_slow = keep_slow * (from_slow + flow[t])
        if t == fast - 1:
            from_fast = line - fast_total / fast
        if t == slow - 1:
            from_slow = line - slow_total / slow
        if t >= slow - 1:
            out[t] = from_slow - from_fast
    return out


def _adosc(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, slow = columns["volume"], int(parameters["slow"])
    flow = close_location_flow(columns["high"], columns["low"], columns["close"], volume)
    oscillator = _chaikin_kernel(flow, int(parameters["fast"]), slow)
    return oscillator, quotient(oscillator, rolling_mean(volume, slow), 0.0)


def _volume_trend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, slow = columns["volume"], int(parameters["slow"])
    usual = rolling_mean(volume, slow)
    short = rolling_mean(volume, int(parameters["fast"]))
    trend = quotient(short - usual, usual, 0.0)
    volatility = quotient(rolling_std(volume, slow), usual, 0.0)
    rank = percent_rank(volatility, int(parameters["rank_length"]))
    known = 0.0 * rank
    return trend + known, 50.0 + 50.0 * np.tanh(trend / 0.3) + known, volatility + known, rank


PVO = Indicator(
    name="pvo",
    text="Percentage volume oscillator: fast EMA of volume less the slow one, in percent of that.",
    inputs=("volume",),
    parameters=(
        Parameter("fast", 12, 2, 25),
        Parameter("slow", 26, 26, 200),
        Parameter("signal", 9, 2, 50),
    ),
    outputs=(
        Output("pvo", "value", "percent", "(fast - slow) / slow; 0 without volume"),
        Output("signal", "value", "percent", "EMA of the line"),
        Output("histogram", "value", "percent", "line less signal"),
    ),
    compute=_pvo,
    lookback=lambda parameters: int(parameters["slow"] + parameters["signal"]) - 2,
    stable=lambda parameters: exponential_stable_rows(
        int(max(parameters["slow"], parameters["signal"])), 2, 1e-8
    ),
)
ADOSC = Indicator(
    name="adosc",
    text="Chaikin oscillator: fast less slow EMA of the accumulation and distribution line.",
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("fast", 3, 2, 9), Parameter("slow", 10, 10, 100)),
    outputs=(
        Output("adosc", "value", "base units", "fast less slow EMA of ADL"),
        Output("share", "value", "mean volumes", "the same over the mean volume of slow rows"),
    ),
    compute=_adosc,
    lookback=lambda parameters: int(parameters["slow"]) - 1,
    stable=lambda parameters: exponential_stable_rows(int(parameters["slow"]), 1, 1e-8),
)
VOLUME_TREND = Indicator(
    name="volume_trend",
    text="Short mean volume against a longer one, and how unsteady volume is.",
    inputs=("volume",),
    parameters=(
        Parameter("fast", 5, 2, 19),
        Parameter("slow", 20, 20, 200),
        Parameter("rank_length", 100, 20, 500),
    ),
    outputs=(
        Output("trend", "value", "fraction", "fast / slow mean - 1; 0 without volume", low=-1.0),
        Output("score", "value", "0 to 100", "50 + 50 tanh(trend / 0.3)", 0.0, 100.0),
        Output("volatility", "value", "ratio", "deviation / mean of slow rows", low=0.0),
        Output("volatility_rank", "value", "percent", "its rank among the rows before", 0.0, 100.0),
    ),
    compute=_volume_trend,
    lookback=lambda parameters: int(parameters["slow"] + parameters["rank_length"]) - 1,
    stable=lambda parameters: int(parameters["slow"] + parameters["rank_length"]) - 1,
)

INDICATORS = (PVO, ADOSC, VOLUME_TREND)
