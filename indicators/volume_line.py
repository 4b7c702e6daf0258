"""Cumulative lines of volume (OBV, ADL, PVT, NVI, PVI) as what does not depend on their start.

A line that accumulates for ever depends on where the file begins. Here each appears as its place among
its own last rows, or as what it gained over them; a constant added to the line changes neither.
"""

import numpy as np

from engine import Float1D, kernel

from .moving_average import exponential_stable_rows
from .rolling import quotient, rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volume import close_location_flow, signed_volume


@kernel(nogil=True)
def _line_score_kernel(flow: Float1D, length: int) -> Float1D:
    # The line stands at 0 on the last row of the block before, which every window reaches back to: the
    # rows up to there are added up backwards, those behind it forwards, each block afresh.
    out = np.full(len(flow), np.nan)
    tail_mean, tail_squares = np.zeros(length + 1), np.zeros(length + 1)
    line, mean, squares = 0.0, 0.0, 0.0
    for t in range(len(flow)):
        position = t % length
        if position == 0:
            line, mean, squares = 0.0, 0.0, 0.0
        line += flow[t]
        step = line - mean
        mean += step / (position + 1)
        squares += step * (line - mean)
        if t >= length - 1:
            older = length - 1 - position
            apart = tail_mean[position + 1] - mean
            centre = mean + apart * older / length
            spread = squares
            if older > 0:
                spread += tail_squares[position + 1]
                spread += apart * apart * older * (position + 1) / length
            if not np.isnan(spread):
                out[t] = (line - centre) / np.sqrt(spread / length) if spread > 0 else 0.0
        if position == length - 1:
            level, middle, total = 0.0, 0.0, 0.0
            for back in range(length):
                step = level - middle
                middle += step / (back + 1)
                total += step * (level - middle)
                tail_mean[length - 1 - back], tail_squares[length - 1 - back] = middle, total
                level -= flow[t - back]
    return out


@kernel(nogil=True)
def _trend_flow_kernel(close: Float1D, volume: Float1D) -> Float1D:
    out = np.zeros(len(close))
    for t in range(1, len(close)):
        if close[t - 1] > 0:
            out[t] = (close[t] / close[t - 1] - 1.0) * volume[t]
    return out


@kernel(nogil=True)
def _counted_return_kernel(close: Float1D, volume: Float1D, side: float) -> Float1D:
    out = np.zeros(len(close))
    for t in range(1, len(close)):
        if side * (volume[t] - volume[t - 1]) > 0 and close[t - 1] > 0 and close[t] > 0:
            out[t] = np.log(close[t] / close[t - 1])
    return out


@kernel(nogil=True)
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


def line_score(flow: Float1D, length: int) -> Float1D:
    """z score of the line that accumulates ``flow`` among its last ``length`` rows.

    Array ``(T,)``; known at close *t*; NaN for ``length - 1`` rows; 0 where the line did not move. The
    line is rebuilt within each window.
    """
    return _line_score_kernel(flow, length)


def on_balance_score(close: Float1D, volume: Float1D, length: int) -> Float1D:
    """z score of on-balance volume among its last ``length`` rows; 0 when it did not move."""
    return line_score(signed_volume(close, volume), length)


def accumulation_distance(flow: Float1D, length: int) -> Float1D:
    """Accumulated ``flow`` less its EMA (TA-Lib seeding), without accumulating for ever.

    With D the distance, ``D_t = (1 - alpha) (D_{t-1} + flow_t)``. Array ``(T,)`` in the units of
    ``flow``; known at close *t*; NaN for ``length - 1`` rows.
    """
    return _distance_from_mean_kernel(flow, length)


def _obv(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    score = on_balance_score(columns["close"], columns["volume"], int(parameters["length"]))
    return score, 50.0 + 50.0 * np.tanh(score / 2.0)


def _adl(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, window = int(parameters["length"]), int(parameters["window"])
    flow = close_location_flow(columns["high"], columns["low"], columns["close"], columns["volume"])
    spread = rolling_std(flow, window) * np.sqrt(length)
    score = quotient(accumulation_distance(flow, length), spread, 0.0)
    score = np.where(np.isnan(spread), np.nan, score)
    return score, 50.0 + 50.0 * np.tanh(score)


def _windowed(flow: Float1D, length: int) -> tuple[Float1D, Float1D]:
    # Row 0 has no bar before it, so the first window begins with row 1.
    gained, score = rolling_sum(flow, length), line_score(flow, length)
    gained[:length], score[:length] = np.nan, np.nan
    return gained, score


def _pvt(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    volume, length = columns["volume"], int(parameters["length"])
    gained, score = _windowed(_trend_flow_kernel(columns["close"], volume), length)
    return gained, quotient(gained, rolling_sum(volume, length), 0.0), score


def _volume_index(side: float, columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    flow = _counted_return_kernel(columns["close"], columns["volume"], side)
    return _windowed(flow, int(parameters["length"]))


def _nvi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return _volume_index(-1.0, columns, parameters)


def _pvi(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    return _volume_index(1.0, columns, parameters)


OBV = Indicator(
    name="obv",
    text="On-balance volume (Granville) as a z score within the window.",
    inputs=("close", "volume"),
    parameters=(Parameter("length", 100, 10, 500),),
    outputs=(
        Output("z", "value", "deviations", "z score of OBV in its window"),
        Output("score", "value", "0 to 100", "100 / (1 + exp(-z))", 0.0, 100.0),
    ),
    compute=_obv,
    lookback=lambda parameters: int(parameters["length"]) - 1,
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
    outputs=(
        Output("z", "value", "deviations", "(ADL - EMA) / (std(change) sqrt(length))"),
        Output("score", "value", "0 to 100", "50 + 50 tanh(z)", 0.0, 100.0),
    ),
    compute=_adl,
    lookback=lambda parameters: int(max(parameters["length"], parameters["window"])) - 1,
    stable=lambda parameters: max(
        exponential_stable_rows(int(parameters["length"]), 1, 1e-8), int(parameters["window"])
    ),
)
_LENGTH = Parameter("length", 100, 10, 500)


def _full_window(parameters: Parameters) -> int:
    return int(parameters["length"])


PVT = Indicator(
    name="pvt",
    text="Price-volume trend: what sum(V x return) gained over the window.",
    inputs=("close", "volume"),
    parameters=(_LENGTH,),
    outputs=(
        Output("gain", "value", "base units", "sum of volume x return over length rows"),
        Output("mean_return", "value", "fraction", "the same over the volume; 0 without volume"),
        Output("z", "value", "deviations", "z score of the line in its window"),
    ),
    compute=_pvt,
    lookback=_full_window,
    stable=_full_window,
)


def _volume_index_outputs(which: str) -> tuple[Output, ...]:
    return (
        Output("gain", "value", "log return", f"return over length rows on bars of {which} volume"),
        Output("z", "value", "deviations", "z score of the log of the line in its window"),
    )


NVI = Indicator(
    name="nvi",
    text="Negative volume index: log return of the bars with less volume than the one before.",
    inputs=("close", "volume"),
    parameters=(_LENGTH,),
    outputs=_volume_index_outputs("falling"),
    compute=_nvi,
    lookback=_full_window,
    stable=_full_window,
)
PVI = Indicator(
    name="pvi",
    text="Positive volume index: log return of the bars with more volume than the one before.",
    inputs=("close", "volume"),
    parameters=(_LENGTH,),
    outputs=_volume_index_outputs("rising"),
    compute=_pvi,
    lookback=_full_window,
    stable=_full_window,
)

INDICATORS = (OBV, ADL, PVT, NVI, PVI)
