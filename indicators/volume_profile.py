"""Volume by price: point of control, value area and nodes (P. Steidlmayer), over moving windows.

Prices lie on one fixed grid of logarithms, so that a bar's volume is added to the bins between its
low and its high, evenly, and taken away from the same bins when it leaves the window. A bin is
``bin`` wide in the logarithm of price, rounded so that a doubling is a whole number of bins: in
another unit of price, twice as large, the profile is the same.

The point of control is the bin with the most volume; of equals the one nearest to the middle of the
profile, and then the lower. The value area grows from it by the two-row rule: the next two bins above
are compared with the next two below, the larger pair joins, of equals the upper one, until
``value_area`` of the volume is inside. High-volume nodes are local maxima of the profile, smoothed
over three bins, at or above mean + 0.5 deviations; low-volume nodes local minima at or below half the
mean, with a high-volume node on either side. Runs of level bins count as one, at their middle.
"""

from typing import Final, NamedTuple

import numpy as np

from engine import Float1D, Int1D

from ._volume_profile_kernel import ProfileRows, volume_profile_kernel
from .bar_step import ROWS_OF_A_DAY, ROWS_OF_AN_HOUR, day_start, window_start
from .rolling import previous_mean_ratio, quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

ATR_LENGTH: Final = 14
FARTHEST_NODE_ATR: Final = 10.0
"""Shown for a node at least this far away, and where there is none on that side."""
_LONGEST_LOG2: Final = 128.0
"""Prices beyond 2 to this power have no bin."""


class ValueArea(NamedTuple):
    """Point of control and both edges of the value area, prices ``(T,)``; NaN before the first."""

    poc: Float1D
    low: Float1D
    high: Float1D


class _Grid(NamedTuple):
    bins_of_a_doubling: int
    origin: int

    def price(self, place: Float1D) -> Float1D:
        price: Float1D = np.exp2((place + self.origin) / self.bins_of_a_doubling)
        return price


def _places(price: Float1D, bins_of_a_doubling: int) -> Float1D:
    logs = np.log2(np.where(price > 0, price, np.nan))
    return np.where(np.abs(logs) <= _LONGEST_LOG2, logs, np.nan) * bins_of_a_doubling


def profile_rows(
    columns: Columns, start: Int1D, bin_width: float, part: float
) -> tuple[ProfileRows, _Grid, Float1D]:
    """The profile of the rows ``start[t]`` to *t* on each row; -1 for none.

    ``columns`` needs high, low, close and volume, ``(T,)``. ``bin_width`` is in the logarithm of
    price, ``part`` of the volume lies in the value area. Returns the rows in bins, the grid that turns
    these into prices, and the bin that each close lies in. Known at close *t*. A window without
    volume has its three levels at the close. A row whose prices are not positive has no place.
    """
    fine = max(round(np.log(2.0) / bin_width), 1)
    low, high = _places(columns["low"], fine), _places(columns["high"], fine)
    place = _places(columns["close"], fine)
    usable = ~np.isnan(low) & ~np.isnan(high)
    origin = int(np.floor(low[usable].min())) if usable.any() else 0
    bins = int(np.floor(high[usable].max())) - origin + 1 if usable.any() else 1
    bottom = np.where(usable, np.floor(np.where(usable, low, 0.0)) - origin, -1.0)
    top = np.where(usable, np.floor(np.where(usable, high, 0.0)) - origin, -1.0)
    shown = np.where(usable, place - origin, np.nan)
    rows = volume_profile_kernel(
        bottom.astype(np.int64),
        top.astype(np.int64),
        np.ascontiguousarray(columns["volume"]),
        shown,
        start,
        max(bins, 1),
        part,
    )
    return rows, _Grid(fine, origin), shown


def _in_atr(difference: Float1D, atr: Float1D) -> Float1D:
    return quotient(difference, atr, 0.0)


def _score(close: Float1D, area: ValueArea, inside: Float1D) -> Float1D:
    width = area.high - area.low
    within = 50.0 + 20.0 * quotient(close - area.poc, width, 0.0)
    outside = np.where(close >= area.high, 70.0, 30.0)
    score = np.where(inside > 0, within, np.where(width > 0, outside, 50.0))
    return np.where(np.isnan(width), np.nan, score)


def _area_outputs(close: Float1D, area: ValueArea, atr: Float1D) -> tuple[Float1D, ...]:
    inside = ((close >= area.low) & (close < area.high)).astype(np.float64)
    position = quotient(close - area.poc, area.high - area.low, 0.0)
    distance = _in_atr(close - area.poc, atr)
    score = np.clip(_score(close, area, inside), 0.0, 100.0)
    return area.poc, area.low, area.high, distance, position, inside, score


def _area(rows: ProfileRows, grid: _Grid) -> ValueArea:
    return ValueArea(grid.price(rows.poc), grid.price(rows.bottom), grid.price(rows.top))


def _atr(columns: Columns) -> Float1D:
    return average_true_range(columns["high"], columns["low"], columns["close"], ATR_LENGTH)


def _volume_profile(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    start = window_start(columns["open_time"], int(parameters["hours"]))
    rows, grid, _ = profile_rows(columns, start, parameters["bin"], parameters["value_area"])
    close, atr = columns["close"], _atr(columns)
    *levels, score = _area_outputs(close, _area(rows, grid), atr)
    relative = previous_mean_ratio(columns["volume"], 20)
    crossed = np.where(relative >= parameters["surge"], rows.crossed, 0.0)
    nodes = []
    for node in (rows.high_above, rows.high_below, rows.low_above, rows.low_below):
        away = np.abs(_in_atr(grid.price(node) - close, atr))
        nearest = np.where(np.isnan(node), FARTHEST_NODE_ATR, np.minimum(away, FARTHEST_NODE_ATR))
        nodes.append(np.where(np.isnan(rows.poc) | np.isnan(atr), np.nan, nearest))
    return *levels, np.clip(score + 15.0 * crossed, 0.0, 100.0), *nodes, crossed


def _session_profile(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    start = day_start(columns["open_time"])
    rows, grid, _ = profile_rows(columns, start, parameters["bin"], parameters["value_area"])
    return _area_outputs(columns["close"], _area(rows, grid), _atr(columns))


def _previous_profile(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    start = day_start(columns["open_time"])
    rows, grid, _ = profile_rows(columns, start, parameters["bin"], parameters["value_area"])
    developing = _area(rows, grid)
    last = start - 1
    complete = [np.where(last >= 0, level[np.maximum(last, 0)], np.nan) for level in developing]
    return _area_outputs(columns["close"], ValueArea(*complete), _atr(columns))


_INPUTS: Final = ("open_time", "high", "low", "close", "volume")
_GRID: Final = (
    Parameter("bin", 0.001, 0.0005, 0.005, integer=False),
    Parameter("value_area", 0.70, 0.60, 0.80, integer=False),
)


def _outputs(window: str) -> tuple[Output, ...]:
    return (
        Output("poc", "level", "price", f"point of control of {window}", low=0.0),
        Output("val", "level", "price", "lower edge of the value area", low=0.0),
        Output("vah", "level", "price", "upper edge of the value area", low=0.0),
        Output("poc_distance", "level", "ATR", "close less point of control"),
        Output("position", "level", "widths", "close less point of control, in value areas"),
        Output("in_value_area", "state", "code", "1 where the close lies in it", high=1.0),
        Output(
            "score",
            "level",
            "0 to 100",
            "50 + 20 position inside, 70 above, 30 below the value area",
            0.0,
            100.0,
        ),
    )


VOLUME_PROFILE = Indicator(
    name="volume_profile",
    text=(
        "Volume by price over the last hours. A close that crosses a low-volume node on a volume of "
        "surge times the mean of 20 bars moves the score by 15."
    ),
    inputs=_INPUTS,
    parameters=(
        Parameter("hours", 24, 6, 720),
        *_GRID,
        Parameter("surge", 1.5, 1.0, 5.0, integer=False),
    ),
    outputs=(
        *_outputs("the last hours"),
        *(
            Output(
                f"{node}_{side}", "level", "ATR", f"nearest {word} {side}, 10 where none", 0.0, 10.0
            )
            for node, word in (("hvn", "high-volume node"), ("lvn", "low-volume node"))
            for side in ("above", "below")
        ),
        Output(
            "lvn_cross",
            "signal",
            "side",
            "the close went through a low-volume node on a surge of volume",
            firing_rate=(0.0005, 0.05),
        ),
    ),
    compute=_volume_profile,
    lookback=lambda parameters: 0,
    stable=lambda parameters: max(
        int(parameters["hours"]) * ROWS_OF_AN_HOUR, wilder_stable_rows(ATR_LENGTH, 1, 1e-8)
    ),
)
SESSION_VOLUME_PROFILE = Indicator(
    name="session_volume_profile",
    text="Volume by price of the UTC day so far; unknown until the first midnight of the series.",
    inputs=_INPUTS,
    parameters=_GRID,
    outputs=_outputs("the day so far"),
    compute=_session_profile,
    lookback=lambda parameters: 0,
    stable=lambda parameters: max(ROWS_OF_A_DAY, wilder_stable_rows(ATR_LENGTH, 1, 1e-8)),
)
PREVIOUS_VOLUME_PROFILE = Indicator(
    name="previous_volume_profile",
    text="Volume by price of the UTC day before, whole; shown from the first bar of the next day on.",
    inputs=_INPUTS,
    parameters=_GRID,
    outputs=_outputs("the day before"),
    compute=_previous_profile,
    lookback=lambda parameters: 0,
    stable=lambda parameters: max(2 * ROWS_OF_A_DAY, wilder_stable_rows(ATR_LENGTH, 1, 1e-8)),
)

INDICATORS = (VOLUME_PROFILE, SESSION_VOLUME_PROFILE, PREVIOUS_VOLUME_PROFILE)
