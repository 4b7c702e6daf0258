"""Chart patterns over confirmed pivots, each fired once, at the close of the bar that triggers it.

A candidate forms when its last pivot is confirmed and lives for the pattern's own span. The newest
candidate of a kind and side takes the place of the one before it.
"""

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from .fair_value_gap import ATR_LENGTH
from .pivot import alternating_pivots, confirmed_pivots, long_gaps, pivot_stable_rows
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import average_true_range, wilder_stable_rows

MAX_ASYMMETRY = 2.5
FLAT_SLOPE_ATR, RISING_SLOPE_ATR = 0.03, 0.05
APEX_SHARE = 0.9
BREAKOUT_ATR = 0.25
POLE_ATR, POLE_BARS = 4.0, 10
FLAG_MIN_BARS, FLAG_MAX_BARS = 5, 20


@kernel(nogil=True)
def _double_kernel(
    close: Float1D,
    atr: Float1D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    resets: Bool1D,
    max_difference_atr: float,
    min_depth_atr: float,
    bars: tuple[int, int],
) -> Float1D:
    rows = len(close)
    out = np.zeros(rows)
    trigger, void, deadline = np.full(2, np.nan), np.full(2, np.nan), np.full(2, -1.0)
    for t in range(rows):
        if resets[t]:
            trigger[:] = np.nan
            continue
        fresh = kind[t, 2] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0])
        if fresh:
            # side 1: two lows that hold, -1: two highs; mirrored prices make both a bottom.
            side = -kind[t, 0]
            second, peak, first = side * price[t, 0], side * price[t, 1], side * price[t, 2]
            span = anchor[t, 0] - anchor[t, 2]
            level = abs(second - first) <= max_difference_atr * atr[t]
            deep = peak - max(first, second) >= min_depth_atr * atr[t]
            if level and deep and bars[0] <= span <= bars[1]:
                slot = 0 if side > 0 else 1
                trigger[slot], void[slot], deadline[slot] = peak, min(first, second), t + span
        for slot in range(2):
            if np.isnan(trigger[slot]):
                continue
            side = 1.0 if slot == 0 else -1.0
            if side * close[t] > trigger[slot]:
                out[t] += side
                trigger[slot] = np.nan
            elif side * close[t] < void[slot] or t >= deadline[slot]:
                trigger[slot] = np.nan
    return out


@kernel(nogil=True)
def _head_shoulders_kernel(
    close: Float1D,
    atr: Float1D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    resets: Bool1D,
    min_head_atr: float,
    max_shoulder_atr: float,
) -> Float1D:
    rows = len(close)
    out = np.zeros(rows)
    start, slope, row = np.full(2, np.nan), np.zeros(2), np.zeros(2)
    void, deadline = np.zeros(2), np.zeros(2)
    for t in range(rows):
        if resets[t]:
            start[:] = np.nan
            continue
        if kind[t, 4] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0]):
            # side 1: the inverse pattern, three lows; mirrored prices make both of that form.
            side = -kind[t, 0]
            right_shoulder, head, left_shoulder = (
                side * price[t, 0],
                side * price[t, 2],
                side * price[t, 4],
            )
            late, early = anchor[t, 0] - anchor[t, 2], anchor[t, 2] - anchor[t, 4]
            stands_out = head <= min(left_shoulder, right_shoulder) - min_head_atr * atr[t]
            level = abs(left_shoulder - right_shoulder) <= max_shoulder_atr * atr[t]
            even = late <= MAX_ASYMMETRY * early and early <= MAX_ASYMMETRY * late
            if stands_out and level and even:
                slot = 0 if side > 0 else 1
                width = anchor[t, 1] - anchor[t, 3]
                start[slot], row[slot] = side * price[t, 3], anchor[t, 3]
                slope[slot] = side * (price[t, 1] - price[t, 3]) / width
                void[slot], deadline[slot] = head, t + anchor[t, 0] - anchor[t, 4]
        for slot in range(2):
            if np.isnan(start[slot]):
                continue
            side = 1.0 if slot == 0 else -1.0
            if side * close[t] > start[slot] + slope[slot] * (t - row[slot]):
                out[t] += side
                start[slot] = np.nan
            elif side * close[t] < void[slot] or t >= deadline[slot]:
                start[slot] = np.nan
    return out


@kernel(nogil=True)
def _triangle_kernel(
    close: Float1D,
    atr: Float1D,
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    resets: Bool1D,
    bars: tuple[int, int],
) -> Float1D:
    rows = len(close)
    out = np.zeros(rows)
    live, deadline = False, 0.0
    top, top_slope, top_row, bottom, bottom_slope, bottom_row = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(rows):
        if resets[t]:
            live = False
            continue
        if kind[t, 3] != 0 and (t == 0 or anchor[t, 0] != anchor[t - 1, 0]):
            high, low = (0, 1) if kind[t, 0] > 0 else (1, 0)
            span = anchor[t, 0] - anchor[t, 3]
            up = (price[t, high] - price[t, high + 2]) / (anchor[t, high] - anchor[t, high + 2])
            lift = (price[t, low] - price[t, low + 2]) / (anchor[t, low] - anchor[t, low + 2])
            flat, steep = FLAT_SLOPE_ATR * atr[t], RISING_SLOPE_ATR * atr[t]
            ascending = abs(up) <= flat and lift >= steep
            descending = abs(lift) <= flat and up <= -steep
            symmetric = up <= -flat and lift >= flat
            shaped = (ascending or descending or symmetric) and lift > up
            if shaped and bars[0] <= span <= bars[1]:
                top, top_slope, top_row = price[t, high], up, anchor[t, high]
                bottom, bottom_slope, bottom_row = price[t, low], lift, anchor[t, low]
                gap = (top + up * (t - top_row)) - (bottom + lift * (t - bottom_row))
                apex = t + gap / (lift - up)
                deadline = min(anchor[t, 3] + APEX_SHARE * (apex - anchor[t, 3]), t + span)
                live = gap > 0
        if live:
            beyond = BREAKOUT_ATR * atr[t]
            upper = top + top_slope * (t - top_row)
            lower = bottom + bottom_slope * (t - bottom_row)
            if t > deadline:
                live = False
            elif close[t] > upper + beyond:
                out[t], live = 1.0, False
            elif close[t] < lower - beyond:
                out[t], live = -1.0, False
    return out


@kernel(nogil=True)
def _is_flag_kernel(
    high: Float1D, low: Float1D, close: Float1D, t: int, end: int, pole: float
) -> bool:
    # Rows end + 1 to t - 1 consolidate against the pole that ended on row end; close t leaves them.
    side = 1.0 if pole > 0 else -1.0
    top, bottom = high[end + 1], low[end + 1]
    for i in range(end + 1, t):
        top, bottom = max(top, high[i]), min(bottom, low[i])
    edge = top if side > 0 else bottom
    narrow: bool = top - bottom <= 0.5 * abs(pole)
    leaves: bool = side * (close[t] - edge) > 0
    against: bool = side * (close[t - 1] - close[end]) <= 0
    return leaves and narrow and against


@kernel(nogil=True)
def _flag_kernel(
    high: Float1D, low: Float1D, close: Float1D, atr: Float1D, resets: Bool1D
) -> Float1D:
    rows = len(close)
    out = np.zeros(rows)
    earliest = 0
    for t in range(rows):
        if resets[t]:
            earliest = t + 1
            continue
        for bars in range(FLAG_MIN_BARS, FLAG_MAX_BARS + 1):
            end = t - bars - 1
            for length in range(1, POLE_BARS + 1):
                if end - length < earliest or out[t] != 0:
                    break
                pole = close[end] - close[end - length]
                if abs(pole) >= POLE_ATR * atr[end] and _is_flag_kernel(
                    high, low, close, t, end, pole
                ):
                    out[t] = 1.0 if pole > 0 else -1.0
        if out[t] != 0:
            earliest = t
    return out


def _chart_pattern(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    left, right = int(parameters["left"]), int(parameters["right"])
    resets = long_gaps(columns["is_gap"], len(close))
    atr = average_true_range(high, low, close, ATR_LENGTH)
    pivots = confirmed_pivots(high, low, left, right)
    pivot_list = alternating_pivots(*pivots, right, 5, columns["is_gap"])
    return (
        np.sign(
            _double_kernel(
                close,
                atr,
                *pivot_list,
                resets,
                parameters["max_difference_atr"],
                parameters["min_depth_atr"],
                (int(parameters["min_bars"]), int(parameters["max_bars"])),
            )
        ),
        np.sign(_head_shoulders_kernel(close, atr, *pivot_list, resets, 0.5, 1.5)),
        _triangle_kernel(close, atr, *pivot_list, resets, (20, 120)),
        _flag_kernel(high, low, close, atr, resets),
    )


CHART_PATTERN = Indicator(
    name="chart_pattern",
    text="Double tops and bottoms, heads and shoulders, triangles, flags; fired at the trigger.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(
        Parameter("left", 5, 1, 50),
        Parameter("right", 5, 1, 50),
        Parameter("max_difference_atr", 0.5, 0.1, 2.0, integer=False),
        Parameter("min_depth_atr", 2.0, 0.5, 10.0, integer=False),
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
    stable=lambda parameters: (
        2 * pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
        + int(parameters["max_bars"])
        + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDICATORS = (CHART_PATTERN,)
