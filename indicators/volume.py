"""Volume: who was the aggressor, where money flowed, how unusual the volume was.

Delta, bought less sold, is estimated in this order: taker columns, place of the close in its range,
colour of the bar. Each estimate is an indicator of its own, so that its user says which it took.
Lines that accumulate for ever (OBV, ADL) depend on where the file starts; here they appear only as
scores and differences that do not.
"""

import numpy as np

from engine import DAY_NS, Float1D, kernel

from .moving_average import exponential_mean, exponential_stable_rows
from .rolling import (
    previous_mean_ratio,
    quotient,
    rolling_std,
    rolling_sum,
)
from .spec import Columns, Indicator, Output, Parameter, Parameters

ROWS_OF_A_DAY = 96
"""Rows after which a UTC day has begun, at the shortest decision step, 15 minutes."""


@kernel
def _on_balance_score_kernel(signed_volume: Float1D, length: int) -> Float1D:
    out = np.full(len(signed_volume), np.nan)
    line = np.empty(length)
    for t in range(length - 1, len(signed_volume)):
        line[length - 1] = 0.0
        total = 0.0
        for back in range(1, length):
            row = t - back + 1
            line[length - 1 - back] = line[length - back] - signed_volume[row]
            total += line[length - 1 - back]
        mean = total / length
        squares = 0.0
        for i in range(length):
            squares += (line[i] - mean) ** 2
        deviation = np.sqrt(squares / length)
        if np.isnan(deviation):
            continue
        out[t] = -mean / deviation if deviation > 0 else 0.0
    return out


@kernel
def _distance_from_mean_kernel(flow: Float1D, length: int) -> Float1D:
    out = np.full(len(flow), np.nan)
    if len(flow) < length:
        return out
    line, total = 0.0, 0.0
    for t in range(length):
        line += flow[t]
        total += line
    distance = line - total / length
    out[length - 1] = distance
    keep = 1.0 - 2.0 / (length + 1.0)
    for t in range(length, len(flow)):
        distance = keep * (distance + flow[t])
        out[t] = distance
    return out


@kernel
def _session_vwap_kernel(
    day: Float1D, typical: Float1D, volume: Float1D
) -> tuple[Float1D, Float1D]:
    vwap = np.full(len(day), np.nan)
    deviation = np.full(len(day), np.nan)
    started = False
    traded, mean, squares = 0.0, 0.0, 0.0
    for t in range(len(day)):
        if day[t] == np.floor(day[t]) or (t > 0 and np.floor(day[t]) != np.floor(day[t - 1])):
            started = True
            traded, mean, squares = 0.0, typical[t], 0.0
        if not started:
            continue
        if volume[t] > 0:
            traded += volume[t]
            step = typical[t] - mean
            mean += step * volume[t] / traded
            squares += volume[t] * step * (typical[t] - mean)
        vwap[t] = mean
        deviation[t] = np.sqrt(max(squares, 0.0) / traded) if traded > 0 else 0.0
    return vwap, deviation


def signed_volume(close: Float1D, volume: Float1D) -> Float1D:
    """The bar's volume with the sign of its change of close; row 0 is 0."""
    step = np.zeros(len(close))
    step[1:] = np.sign(close[1:] - close[:-1])
    return step * volume


def close_location_flow(high: Float1D, low: Float1D, close: Float1D, volume: Float1D) -> Float1D:
    """``V (2 clv - 1)`` with ``clv = (c - l) / (h - l)``; 0 when the bar has no range."""
    return volume * (2.0 * quotient(close - low, high - low, 0.5) - 1.0)


def delta_ratio(delta: Float1D, volume: Float1D, length: int) -> Float1D:
    """Share of buying over ``length`` rows, ``1/2 + sum(delta) / (2 sum(V))``; 0.5 without volume.

    Array ``(T,)``, 0 to 1; known at close *t*; NaN for ``length - 1`` rows.
    """
    share = 0.5 + 0.5 * quotient(rolling_sum(delta, length), rolling_sum(volume, length), 0.0)
    return np.clip(share, 0.0, 1.0)


def on_balance_score(close: Float1D, volume: Float1D, length: int) -> Float1D:
    """z score of on-balance volume among its last ``length`` rows; 0 when it did not move.

    Array ``(T,)``; known at close *t*; NaN for ``length - 1`` rows. OBV is rebuilt within each
    window, because a constant added to it does not change the score.
    """
    return _on_balance_score_kernel(signed_volume(close, volume), length)


def accumulation_distance(flow: Float1D, length: int) -> Float1D:
    """Accumulated ``flow`` less its EMA (TA-Lib seeding), without accumulating for ever.

    With D the distance, ``D_t = (1 - alpha) (D_{t-1} + flow_t)``. Array ``(T,)`` in the units of
    ``flow``; known at close *t*; NaN for ``length - 1`` rows.
    """
    return _distance_from_mean_kernel(flow, length)


def session_vwap(open_time: Float1D, typical: Float1D, volume: Float1D) -> tuple[Float1D, Float1D]:
    """VWAP of the UTC day so far and the volume-weighted deviation of price around it.

    Shapes ``(T,)``; ``open_time`` in ns. Both are NaN until the first midnight of the series: a day
    seen in part has another VWAP. Before the first trade of a day the VWAP is its typical price and
    the deviation 0. Known at close *t*.
    """
    return _session_vwap_kernel(open_time / DAY_NS, typical, volume)


def _taker_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    delta = 2.0 * columns["taker_buy_volume"] - volume
    return rolling_sum(delta, length), delta_ratio(delta, volume, length)


def _close_location_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    delta = close_location_flow(columns["high"], columns["low"], columns["close"], volume)
    return rolling_sum(delta, length), delta_ratio(delta, volume, length)


def _colour_delta(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    delta = volume * np.sign(columns["close"] - columns["open"])
    return rolling_sum(delta, length), delta_ratio(delta, volume, length)


def _cmf(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    flow = close_location_flow(columns["high"], columns["low"], columns["close"], volume)
    return (2.0 * delta_ratio(flow, volume, length) - 1.0,)


def _rvol(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    ratio = previous_mean_ratio(columns["volume"], int(parameters["length"]))
    step = np.zeros(len(close))
    step[1:] = np.sign(close[1:] - close[:-1])
    rise = 1.0 / (1.0 + np.where(ratio > 0, ratio, np.inf) ** -1.5)
    bounded = np.where(ratio > 0, rise, 0.0)
    spike = np.where(ratio >= parameters["spike"], step, 0.0)
    return ratio, np.where(np.isnan(ratio), np.nan, 50.0 + step * (100.0 * bounded - 50.0)), spike


def _obv(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return (on_balance_score(columns["close"], columns["volume"], int(parameters["length"])),)


def _adl(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, window = int(parameters["length"]), int(parameters["window"])
    flow = close_location_flow(columns["high"], columns["low"], columns["close"], columns["volume"])
    spread = rolling_std(flow, window) * np.sqrt(length)
    score = quotient(accumulation_distance(flow, length), spread, 0.0)
    return (np.where(np.isnan(spread), np.nan, score),)


def _force(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close, length = columns["close"], int(parameters["length"])
    raw = np.full(len(close), np.nan)
    raw[1:] = (close[1:] - close[:-1]) * columns["volume"][1:]
    force = exponential_mean(raw, length, 1)
    balance = quotient(force, exponential_mean(np.abs(raw), length, 1), 0.0)
    return force, np.clip(balance, -1.0, 1.0)


def _emv(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, volume = columns["high"], columns["low"], columns["volume"]
    length = int(parameters["length"])
    middle = (high + low) / 2.0
    raw = np.full(len(high), np.nan)
    raw[1:] = (middle[1:] - middle[:-1]) * quotient((high - low)[1:], volume[1:] / 1e8, 0.0)
    total = rolling_sum(raw, length)
    balance = quotient(total, rolling_sum(np.abs(raw), length), 0.0)
    return total / length, np.clip(balance, -1.0, 1.0)


def _mfi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3.0
    length = int(parameters["length"])
    step = np.full(len(typical), np.nan)
    step[1:] = typical[1:] - typical[:-1]
    money = typical * columns["volume"] + 0.0 * step
    bought = rolling_sum(np.where(step > 0, money, 0.0 * money), length)
    sold = rolling_sum(np.where(step < 0, money, 0.0 * money), length)
    return (100.0 * quotient(bought, bought + sold, 0.5),)


def _session_vwap(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    close = columns["close"]
    typical = (columns["high"] + columns["low"] + close) / 3.0
    vwap, deviation = session_vwap(columns["open_time"], typical, columns["volume"])
    return vwap, quotient(close - vwap, deviation, 0.0)


_DELTA_LENGTH = Parameter("length", 20, 1, 100)


def _delta_outputs(how: str) -> tuple[Output, ...]:
    return (
        Output("delta", "value", "base units", f"bought less sold over length rows, {how}"),
        Output("ratio", "value", "share", "share of buying, 0.5 without volume", 0.0, 1.0),
    )


def _window_lookback(parameters: Parameters) -> int:
    return int(parameters["length"]) - 1


TAKER_DELTA = Indicator(
    name="taker_delta",
    text="Volume delta from the taker columns: 2 taker_buy_volume - volume.",
    inputs=("volume", "taker_buy_volume"),
    parameters=(_DELTA_LENGTH,),
    outputs=_delta_outputs("as the exchange counted it"),
    compute=_taker_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
)
CLOSE_LOCATION_DELTA = Indicator(
    name="close_location_delta",
    text="Volume delta estimated from the place of the close in the bar's range.",
    inputs=("high", "low", "close", "volume"),
    parameters=(_DELTA_LENGTH,),
    outputs=_delta_outputs("from the close location"),
    compute=_close_location_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
)
COLOUR_DELTA = Indicator(
    name="colour_delta",
    text="Volume delta estimated from the colour of the bar; 0 for a bar without a body.",
    inputs=("open", "close", "volume"),
    parameters=(_DELTA_LENGTH,),
    outputs=_delta_outputs("from the colour"),
    compute=_colour_delta,
    lookback=_window_lookback,
    stable=_window_lookback,
)
CMF = Indicator(
    name="cmf",
    text="Chaikin money flow: sum of close-location flow over sum of volume; 0 without volume.",
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("length", 20, 2, 200),),
    outputs=(Output("cmf", "value", "-1 to 1", "money flow", -1.0, 1.0),),
    compute=_cmf,
    lookback=_window_lookback,
    stable=_window_lookback,
)
RVOL = Indicator(
    name="rvol",
    text="Volume over the mean of the bars before it (0 where that is 0), and its score.",
    inputs=("close", "volume"),
    parameters=(
        Parameter("length", 20, 2, 200),
        Parameter("spike", 2.0, 1.1, 10.0, integer=False),
    ),
    outputs=(
        Output("rvol", "value", "ratio", "relative volume", low=0.0),
        Output(
            "score",
            "value",
            "0 to 100",
            "50 + sign of the return x (100 / (1 + rvol^-1.5) - 50)",
            0.0,
            100.0,
        ),
        Output(
            "spike",
            "signal",
            "side",
            "sign of the return where rvol reaches the spike ratio",
            firing_rate=(0.02, 0.20),
        ),
    ),
    compute=_rvol,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
OBV = Indicator(
    name="obv",
    text="On-balance volume (Granville) as a z score within the window.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 100, 10, 500),),
    outputs=(Output("z", "value", "deviations", "z score of OBV in its window"),),
    compute=_obv,
    lookback=_window_lookback,
    stable=lambda parameters: int(parameters["length"]),
)
ADL = Indicator(
    name="adl",
    text=(
        "Accumulation and distribution line less its EMA, in deviations of the line's change over "
        "as many bars."
    ),
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("length", 20, 5, 100), Parameter("window", 100, 20, 500)),
    outputs=(Output("z", "value", "deviations", "(ADL - EMA) / (std(change) sqrt(length))"),),
    compute=_adl,
    lookback=lambda parameters: int(max(parameters["length"], parameters["window"])) - 1,
    stable=lambda parameters: max(
        exponential_stable_rows(int(parameters["length"]), 1, 1e-8), int(parameters["window"])
    ),
)
FORCE = Indicator(
    name="force",
    text="Force index (Elder): EMA of price change x volume, and the same over its absolute flow.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 13, 2, 100),),
    outputs=(
        Output("force", "value", "price x base units", "force index"),
        Output("balance", "value", "-1 to 1", "force over absolute force, 0 when flat", -1.0, 1.0),
    ),
    compute=_force,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: exponential_stable_rows(int(parameters["length"]), 1, 1e-8) + 1,
)
EMV = Indicator(
    name="emv",
    text="Ease of movement (Arms): move of the middle x range per 1e8 volume; 0 without volume.",
    inputs=("high", "low", "volume"),
    parameters=(Parameter("length", 14, 2, 100),),
    outputs=(
        Output("emv", "value", "price^2 per 1e8 base units", "mean ease of movement"),
        Output("balance", "value", "-1 to 1", "sum over absolute sum, 0 when flat", -1.0, 1.0),
    ),
    compute=_emv,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
MFI = Indicator(
    name="mfi",
    text="Money flow index: the RSI of typical price x volume, of plain sums; 50 when flat.",
    inputs=("high", "low", "close", "volume"),
    parameters=(Parameter("length", 14, 2, 100),),
    outputs=(Output("mfi", "value", "0 to 100", "money flow index", 0.0, 100.0),),
    compute=_mfi,
    lookback=lambda parameters: int(parameters["length"]),
    stable=lambda parameters: int(parameters["length"]),
)
SESSION_VWAP = Indicator(
    name="session_vwap",
    text="VWAP of the UTC day so far; it is unknown until the first midnight of the series.",
    inputs=("open_time", "high", "low", "close", "volume"),
    parameters=(),
    outputs=(
        Output("vwap", "level", "price", "volume-weighted typical price of the day so far"),
        Output("deviation", "level", "deviations", "(close - VWAP) / deviation, 0 when that is 0"),
    ),
    compute=_session_vwap,
    lookback=lambda parameters: 0,
    stable=lambda parameters: ROWS_OF_A_DAY,
)

INDICATORS = (
    TAKER_DELTA,
    CLOSE_LOCATION_DELTA,
    COLOUR_DELTA,
    CMF,
    RVOL,
    OBV,
    ADL,
    FORCE,
    EMV,
    MFI,
    SESSION_VWAP,
)
