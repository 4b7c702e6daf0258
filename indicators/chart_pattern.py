"""Chart patterns over confirmed turning points, each fired once, at the close that triggers it.

The turning points are the alternating list of confirmed pivots ``P(left, right)`` as it stood on each
row, or, with ``by_turns``, the turns of the directional change. A pattern whose last point is
confirmed waits for its trigger as long as it took to form, and a triangle until .9 of the way to its
apex at most; a close beyond its own extreme ends it before. The tolerances of doubles are in ATR, or
in percent of the close where a percentage above 0 is given.
"""

import numpy as np

from engine import Float1D, Float2D

from ._chart_pattern_kernel import (
    DOUBLE_BOTTOM,
    DOUBLE_TOP,
    FLAG,
    HEAD_AND_SHOULDERS,
    INVERSE_HEAD_AND_SHOULDERS,
    POINTS,
    double_kernel,
    flag_kernel,
    head_shoulders_kernel,
    triangle_kernel,
)
from .event_table import LOG_DIRECTION, LOG_KNOWN, LOG_TYPE
from .fair_value_gap import ATR_LENGTH
from .pivot import long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .swing import SWING_PARAMETERS, swing_stable_rows, swings_of
from .volatility import average_true_range, wilder_stable_rows


@shared
def chart_pattern_log(columns: Columns, parameters: Parameters) -> Float2D:
    """The patterns that triggered, a log of events as ``table_of_logs`` takes it, kind after kind.

    ``columns`` and ``parameters`` are those of ``CHART_PATTERN``. Each row names the type (position
    in the types of the detector), the side of the break, the first row of the shape, the row of the
    trigger, the line that was broken and the extreme on the other side, the points of the shape,
    oldest first, and the levels of the detector.
    """
    high, low, close = columns["high"], columns["low"], columns["close"]
    resets = long_gaps(columns["is_gap"], len(close))
    atr = average_true_range(high, low, close, ATR_LENGTH)
    points = swings_of(columns, parameters).alternating(POINTS, columns["is_gap"])

    def tolerance(name: str) -> Float1D:
        percent = parameters[f"{name}_percent"]
        return percent / 100.0 * np.abs(close) if percent > 0 else parameters[f"{name}_atr"] * atr

    bars = (int(parameters["min_bars"]), int(parameters["max_bars"]))
    return np.concatenate(
        [
            double_kernel(
                close, *points, resets, tolerance("max_difference"), tolerance("min_depth"), bars
            ),
            head_shoulders_kernel(close, atr, *points, resets),
            triangle_kernel(close, atr, *points, resets),
            flag_kernel(high, low, close, atr, resets),
        ]
    )


def _chart_pattern(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    log = chart_pattern_log(columns, parameters)
    rows = len(columns["close"])
    known, code = log[:, LOG_KNOWN].astype(np.int64), log[:, LOG_TYPE]
    doubles = (code == DOUBLE_TOP) | (code == DOUBLE_BOTTOM)
    heads = (code == HEAD_AND_SHOULDERS) | (code == INVERSE_HEAD_AND_SHOULDERS)
    triangles = ~doubles & ~heads & (code != FLAG)

    def signal(of_kind: np.ndarray) -> Float1D:
        sides = np.zeros(rows)
        np.add.at(sides, known[of_kind], log[of_kind, LOG_DIRECTION])
        return np.sign(sides)

    return signal(doubles), signal(heads), signal(triangles), signal(code == FLAG)


def _stable_rows(parameters: Parameters) -> int:
    points = 2 * swing_stable_rows(parameters)
    return points + int(parameters["max_bars"]) + 3 * wilder_stable_rows(ATR_LENGTH) // 2


CHART_PATTERN = Indicator(
    name="chart_pattern",
    text="Double tops and bottoms, heads and shoulders, triangles, flags; fired at the trigger.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(
        *SWING_PARAMETERS,
        Parameter("max_difference_atr", 0.5, 0.1, 2.0, integer=False),
        Parameter("max_difference_percent", 0.0, 0.0, 10.0, integer=False),
        Parameter("min_depth_atr", 2.0, 0.5, 10.0, integer=False),
        Parameter("min_depth_percent", 0.0, 0.0, 30.0, integer=False),
        Parameter("min_bars", 10, 2, 50),
        Parameter("max_bars", 100, 20, 500),
    ),
    outputs=(
        Output(
            "double",
            "signal",
            "direction",
            "two lows of one height, then a close over the peak between them; tops mirrored",
            firing_rate=(0.0005, 0.01),
        ),
        Output(
            "head_shoulders",
            "signal",
            "direction",
            "-1 a close under the neckline of three highs, 1 over that of three lows",
            firing_rate=(0.0002, 0.01),
        ),
        Output(
            "triangle",
            "signal",
            "direction",
            "a close .25 ATR beyond the line of an ascending, descending or symmetric triangle",
            firing_rate=(0.0005, 0.02),
        ),
        Output(
            "flag",
            "signal",
            "direction",
            "a close out of a narrow pause, in the direction of the pole before it",
            firing_rate=(0.0002, 0.01),
        ),
    ),
    compute=_chart_pattern,
    lookback=lambda parameters: 0,
    stable=_stable_rows,
)

INDICATORS = (CHART_PATTERN,)
