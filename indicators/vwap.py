"""Volume-weighted average price: of the day, of the last hours, since the newest pivot.

The price of a bar is its typical price, (high + low + close) / 3. The deviation of price around the
average is weighted by volume as well, and bands lie one and two of them away. Means and squares are
built up from the beginning of each window, so nothing that has left it is remembered.
"""

from typing import Final

import numpy as np

from engine import Float1D, Int1D, kernel

from .bar_step import ROWS_OF_A_DAY, ROWS_OF_AN_HOUR, day_start, window_start
from .pivot import confirmed_pivots, pivot_stable_rows
from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters


@kernel(nogil=True)
def _joined_kernel(
    traded: float, mean: float, squares: float, price: float, volume: float
) -> tuple[float, float, float]:
    if not volume > 0:
        return traded, mean, squares
    if traded == 0:
        return volume, price, 0.0
    traded += volume
    step = price - mean
    mean += step * volume / traded
    return traded, mean, squares + volume * step * (price - mean)


@kernel(nogil=True)
def _anchored_kernel(start: Int1D, typical: Float1D, volume: Float1D) -> tuple[Float1D, Float1D]:
    vwap, deviation = np.full(len(start), np.nan), np.full(len(start), np.nan)
    traded, mean, squares, anchor = 0.0, 0.0, 0.0, -1
    for t in range(len(start)):
        if start[t] < 0:
            continue
        first = t
        if start[t] != anchor:
            first = anchor = start[t]
            traded, mean, squares = 0.0, typical[first], 0.0
        for row in range(first, t + 1):
            traded, mean, squares = _joined_kernel(traded, mean, squares, typical[row], volume[row])
        vwap[t] = mean
        deviation[t] = np.sqrt(max(squares, 0.0) / traded) if traded > 0 else 0.0
    return vwap, deviation


@kernel(nogil=True)
def _rolling_kernel(typical: Float1D, volume: Float1D, length: int) -> tuple[Float1D, Float1D]:
    # A window is the tail of one block of rows and the head of the next, each built up afresh.
    rows = len(typical)
    vwap, deviation = np.full(rows, np.nan), np.full(rows, np.nan)
    tail = np.zeros((3, length + 1))
    traded, mean, squares = 0.0, 0.0, 0.0
    for t in range(rows):
        position = t % length
        if position == 0:
            traded, mean, squares = 0.0, 0.0, 0.0
        traded, mean, squares = _joined_kernel(traded, mean, squares, typical[t], volume[t])
        if t >= length - 1:
            total, centre, spread = traded, mean, squares
            if position < length - 1:
                older = tail[0, position + 1]
                if traded == 0:
                    total, centre, spread = older, tail[1, position + 1], tail[2, position + 1]
                elif older > 0:
                    total = traded + older
                    step = tail[1, position + 1] - mean
                    centre = mean + step * older / total
                    spread = squares + tail[2, position + 1] + step * step * older * traded / total
            vwap[t] = centre if total > 0 else typical[t]
            deviation[t] = np.sqrt(max(spread, 0.0) / total) if total > 0 else 0.0
        if position == length - 1:
            total, centre, spread = 0.0, 0.0, 0.0
            for back in range(length):
                row = t - back
                total, centre, spread = _joined_kernel(
                    total, centre, spread, typical[row], volume[row]
                )
                slot = length - 1 - back
                tail[0, slot], tail[1, slot], tail[2, slot] = total, centre, spread
    return vwap, deviation


@kernel(nogil=True)
def _newest_pivot_kernel(pivot_high: Float1D, pivot_low: Float1D, right: int) -> Int1D:
    anchor = np.full(len(pivot_high), -1)
    newest = -1
    for t in range(len(pivot_high)):
        if not (np.isnan(pivot_high[t]) and np.isnan(pivot_low[t])):
            newest = t - right
        anchor[t] = newest
    return anchor


def anchored_vwap(start: Int1D, typical: Float1D, volume: Float1D) -> tuple[Float1D, Float1D]:
    """VWAP from row ``start[t]`` to row *t*, and the volume-weighted deviation of price around it.

    Shapes ``(T,)``; NaN where ``start`` is -1. Before the first trade of a window the VWAP is its
    first typical price and the deviation 0. Known at close *t* if ``start[t]`` is.
    """
    vwap, deviation = _anchored_kernel(start, typical, np.ascontiguousarray(volume))
    return vwap, deviation


def rolling_vwap(typical: Float1D, volume: Float1D, length: int) -> tuple[Float1D, Float1D]:
    """The same over the last ``length`` rows; NaN for ``length - 1`` of them.

    Of a window without volume the VWAP is the newest typical price, the deviation 0.
    """
    vwap, deviation = _rolling_kernel(typical, np.ascontiguousarray(volume), length)
    return vwap, deviation


def _typical(columns: Columns) -> Float1D:
    return (columns["high"] + columns["low"] + columns["close"]) / 3.0


def _shown(close: Float1D, vwap: Float1D, deviation: Float1D) -> tuple[Float1D, ...]:
    bands = (vwap + width * deviation for width in (1.0, -1.0, 2.0, -2.0))
    return vwap, quotient(close - vwap, deviation, 0.0), *bands


def _session(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    start = day_start(columns["open_time"])
    return _shown(columns["close"], *anchored_vwap(start, _typical(columns), columns["volume"]))


def _rolling(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    start = window_start(columns["open_time"], int(parameters["hours"]))
    known = start >= 0
    if not known.any():
        unknown = np.full(len(start), np.nan)
        return _shown(unknown, unknown, unknown)
    length = int(np.argmax(known)) - int(start[known][0]) + 1
    vwap, deviation = rolling_vwap(_typical(columns), columns["volume"], length)
    vwap, deviation = (np.where(known, column, np.nan) for column in (vwap, deviation))
    return _shown(columns["close"], vwap, deviation)


def _pivot(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    pivots = confirmed_pivots(columns["high"], columns["low"], left, right)
    start = _newest_pivot_kernel(*pivots, right)
    return _shown(columns["close"], *anchored_vwap(start, _typical(columns), columns["volume"]))


def _outputs(window: str) -> tuple[Output, ...]:
    return (
        Output("vwap", "level", "price", f"volume-weighted typical price {window}"),
        Output("deviation", "level", "deviations", "(close - VWAP) / deviation, 0 when that is 0"),
        Output("upper_1", "level", "price", "VWAP plus one deviation"),
        Output("lower_1", "level", "price", "VWAP less one deviation"),
        Output("upper_2", "level", "price", "VWAP plus two deviations"),
        Output("lower_2", "level", "price", "VWAP less two deviations"),
    )


_INPUTS: Final = ("high", "low", "close", "volume")

SESSION_VWAP = Indicator(
    name="session_vwap",
    text="VWAP of the UTC day so far; it is unknown until the first midnight of the series.",
    inputs=("open_time", *_INPUTS),
    parameters=(),
    outputs=_outputs("of the day so far"),
    compute=_session,
    lookback=lambda parameters: 0,
    stable=lambda parameters: ROWS_OF_A_DAY,
)
ROLLING_VWAP = Indicator(
    name="rolling_vwap",
    text="VWAP of the last hours; 24 are a day, 168 a week.",
    inputs=("open_time", *_INPUTS),
    parameters=(Parameter("hours", 24, 1, 720),),
    outputs=_outputs("of the last hours"),
    compute=_rolling,
    lookback=lambda parameters: 0,
    stable=lambda parameters: int(parameters["hours"]) * ROWS_OF_AN_HOUR + 1,
)
PIVOT_VWAP = Indicator(
    name="pivot_vwap",
    text=(
        "VWAP anchored at the newest confirmed pivot, high or low, its own bar included; a pivot is "
        "confirmed right bars later and takes over on that bar."
    ),
    inputs=_INPUTS,
    parameters=(Parameter("left", 5, 2, 12), Parameter("right", 5, 2, 12)),
    outputs=_outputs("since the newest confirmed pivot"),
    compute=_pivot,
    lookback=lambda parameters: 0,
    stable=lambda parameters: pivot_stable_rows(int(parameters["left"]), int(parameters["right"])),
)

INDICATORS = (SESSION_VWAP, ROLLING_VWAP, PIVOT_VWAP)
