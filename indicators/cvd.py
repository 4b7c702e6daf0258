"""Cumulative volume delta (CVD): sums over windows and sessions, sign with hysteresis, levels.

A sum over a window or a session, never a sum from where the file starts (SPEC H9.1). Levels are
clusters of confirmed pivots of the windowed sum; crossing the nearest one is a breakout. Every row is
made of one source of delta (``volume_delta``), which it names.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Float1D, Int1D, kernel

from .pivot import confirmed_pivots
from .rolling import quotient, rolling_std, rolling_sum
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import known_from
from .volume_delta import (
    BEST_SOURCE,
    CLOCK,
    INPUTS,
    MAY_LACK,
    SOURCE,
    last_rows,
    of_one_source,
)

MOST_GAPS: Final = 3
_MOST_PIVOTS: Final = 64
_FEWEST_PIVOTS: Final = 2
_DEVIATION_LENGTH: Final = 100
_ROWS_OF_A_DAY: Final = 96
"""Rows after which a UTC day has begun, at the shortest decision step, 15 minutes."""
_SETTLING_ROWS: Final = 500
"""Rows allowed for the sum to leave the band around zero once."""


@kernel(nogil=True)
def _session_sum_kernel(open_time: Float1D, values: Float1D) -> Float1D:
    out = np.empty(len(values))
    total, day = 0.0, np.nan
    for t in range(len(values)):
        today = np.floor(open_time[t] / DAY_NS)
        if today != day:
            total, day = 0.0, today
        total += values[t]
        out[t] = total
    return out


@kernel(nogil=True)
def _session_start_kernel(open_time: Float1D) -> Int1D:
    out = np.zeros(len(open_time), dtype=np.int64)
    for t in range(1, len(open_time)):
        same = np.floor(open_time[t] / DAY_NS) == np.floor(open_time[t - 1] / DAY_NS)
        out[t] = out[t - 1] if same else t
    return out


@kernel(nogil=True)
def _side_kernel(share: Float1D, source: Float1D, band: float) -> Float1D:
    """1 since the share last reached ``band``, -1 since it last reached ``-band``, 0 before.

    A share from another source begins anew.
    """
    out = np.zeros(len(share))
    side = 0.0
    for t in range(len(share)):
        if t > 0 and source[t] != source[t - 1]:
            side = 0.0
        if share[t] >= band:
            side = 1.0
        elif share[t] <= -band:
            side = -1.0
        out[t] = side
    return out


@kernel(nogil=True)
def _cluster_kernel(
    pivots: Float1D, rows: np.ndarray, count: int, oldest: int, value: float, width: float
) -> tuple[float, float, int]:
    """Nearest cluster above and below ``value`` (NaN without one), and how many pivots count.

    A cluster is the mean of the pivots within ``width`` of one of them, at least two.
    """
    above, below, alive = np.nan, np.nan, 0
    for i in range(count):
        if rows[i] < oldest:
            continue
        alive += 1
        total, members = 0.0, 0
        for j in range(count):
            if rows[j] >= oldest and abs(pivots[j] - pivots[i]) <= width:
                total += pivots[j] - pivots[i]
                members += 1
        if members < _FEWEST_PIVOTS:
            continue
        level = pivots[i] + total / members
        if level > value and not level >= above:
            above = level
        if level < value and not level <= below:
            below = level
    return above, below, alive


@kernel(nogil=True)
def _levels_kernel(
    cvd: Float1D, width: Float1D, high: Float1D, low: Float1D, is_gap: Float1D,
    right: int, memory: int,
) -> tuple[Float1D, Float1D, Float1D]:  # fmt: skip
    rows = len(cvd)
    above, below = np.full(rows, np.nan), np.full(rows, np.nan)
    breakout = np.zeros(rows)
    pivots, born = np.zeros(_MOST_PIVOTS), np.full(_MOST_PIVOTS, -1)
    pushed, gaps, first = 0, 0, 0
    for t in range(rows):
        gaps = gaps + 1 if is_gap[t] > 0.5 else 0
        if gaps > MOST_GAPS:
            first = t + 1
            continue
        if t > 0 and not np.isnan(above[t - 1]) and cvd[t] > above[t - 1]:
            breakout[t] = 1.0
        elif t > 0 and not np.isnan(below[t - 1]) and cvd[t] < below[t - 1]:
            breakout[t] = -1.0
        for pivot in (high[t], low[t]):
            if not np.isnan(pivot):
                pivots[pushed % _MOST_PIVOTS], born[pushed % _MOST_PIVOTS] = pivot, t - right
                pushed += 1
        if np.isnan(cvd[t]) or np.isnan(width[t]):
            continue
        oldest = max(t - memory, first)
        above[t], below[t], _ = _cluster_kernel(
            pivots, born, min(pushed, _MOST_PIVOTS), oldest, cvd[t], width[t]
        )
    return above, below, breakout


def _cvd(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length, half = int(parameters["length"]), int(parameters["momentum_length"])
    known, lean = _cvd_lookback(parameters), parameters["threshold"]

    def sums(delta: Float1D, volume: Float1D) -> tuple[Float1D, ...]:
        trend = quotient(rolling_sum(delta, length), rolling_sum(volume, length), 0.0)
        short = quotient(rolling_sum(delta, half), rolling_sum(volume, half), 0.0)
        momentum = np.full(len(delta), np.nan)
        momentum[half:] = short[half:] - short[:-half]
        return known_from(known, rolling_sum(delta, int(parameters["cvd_length"])), trend, momentum)

    since = last_rows(len(columns["volume"]), known + 1)
    cvd, trend, momentum, source = of_one_source(columns, parameters["best_source"], since, sums)
    side = (trend > lean).astype(np.float64) - (trend < -lean)
    return cvd, trend, momentum, 50.0 + 50.0 * np.tanh(trend / 0.1), side, source


def _cvd_lookback(parameters: Parameters) -> int:
    momentum_rows = 2 * int(parameters["momentum_length"]) - 1
    return max(int(parameters["length"]) - 1, int(parameters["cvd_length"]) - 1, momentum_rows)


def _session(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time = columns["open_time"]

    def sums(delta: Float1D, volume: Float1D) -> tuple[Float1D, ...]:
        total = _session_sum_kernel(open_time, delta)
        return total, quotient(total, _session_sum_kernel(open_time, volume), 0.0)

    since = _session_start_kernel(open_time)
    return of_one_source(columns, parameters["best_source"], since, sums)


def _flip(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    length = int(parameters["cvd_length"])

    def shares(delta: Float1D, volume: Float1D) -> tuple[Float1D, ...]:
        return (quotient(rolling_sum(delta, length), rolling_sum(volume, length), 0.0),)

    since = last_rows(len(columns["volume"]), length)
    share, source = of_one_source(columns, parameters["best_source"], since, shares)
    side = _side_kernel(share, source, parameters["hysteresis"])
    flip = np.zeros(len(side))
    turned = (side[1:] != side[:-1]) & (side[:-1] != 0) & (source[1:] == source[:-1])
    flip[1:] = np.where(turned, side[1:], 0.0)
    return share, side, flip, source


def _levels(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    since = last_rows(len(columns["volume"]), _levels_stable(parameters))
    return of_one_source(
        columns,
        parameters["best_source"],
        since,
        lambda delta, _: _levels_of(delta, columns["is_gap"], parameters),
    )


def _levels_of(delta: Float1D, is_gap: Float1D, parameters: Parameters) -> tuple[Float1D, ...]:
    right = int(parameters["right"])
    cvd = rolling_sum(delta, int(parameters["cvd_length"]))
    change = np.full(len(cvd), np.nan)
    change[1:] = cvd[1:] - cvd[:-1]
    unit = rolling_std(change, _DEVIATION_LENGTH)
    high, low = confirmed_pivots(cvd, cvd, int(parameters["left"]), right)
    above, below, breakout = _levels_kernel(
        cvd, parameters["width"] * unit, high, low, is_gap, right, int(parameters["memory"])
    )
    moves = unit > 0
    scale = np.where(moves, unit, 1.0)
    return (
        np.where(moves, (above - cvd) / scale, np.nan),
        np.where(moves, (cvd - below) / scale, np.nan),
        breakout,
    )


def _levels_stable(parameters: Parameters) -> int:
    pivots = int(parameters["memory"] + parameters["left"] + parameters["right"])
    return int(parameters["cvd_length"]) + _DEVIATION_LENGTH + pivots + MOST_GAPS + 1


CVD = Indicator(
    name="cvd",
    text="Cumulative volume delta over windows: sum, share of volume (trend), momentum and side.",
    inputs=INPUTS,
    parameters=(
        Parameter("length", 20, 5, 200),
        Parameter("momentum_length", 10, 2, 100),
        Parameter("cvd_length", 24, 5, 500),
        Parameter("threshold", 0.05, 0.02, 0.15, integer=False),
        BEST_SOURCE,
    ),
    outputs=(
        Output("cvd", "value", "base units", "sum of delta over `cvd_length` rows"),
        Output("trend", "value", "fraction", "sum of delta / sum of volume", -1.0, 1.0),
        Output("momentum", "value", "fraction", "short trend less itself before", -2.0, 2.0),
        Output("score", "value", "score", "50 + 50 tanh(trend / 0.1)", 0.0, 100.0),
        Output(
            "side",
            "signal",
            "",
            "sign of the trend where its size exceeds `threshold`",
            firing_rate=(0.03, 0.45),
        ),
        SOURCE,
    ),
    compute=_cvd,
    lookback=_cvd_lookback,
    stable=_cvd_lookback,
    only_clock=CLOCK,
    may_lack=MAY_LACK,
)

CVD_SESSION = Indicator(
    name="cvd_session",
    text="Delta summed since 00:00 UTC, and its share of the session's volume.",
    inputs=("open_time", *INPUTS),
    parameters=(BEST_SOURCE,),
    outputs=(
        Output("cvd", "value", "base units", "delta since the session began"),
        Output("share", "value", "fraction", "over the volume since then", -1.0, 1.0),
        SOURCE,
    ),
    compute=_session,
    lookback=lambda parameters: 0,
    stable=lambda parameters: _ROWS_OF_A_DAY,
    only_clock=CLOCK,
    may_lack=MAY_LACK,
)

CVD_FLIP = Indicator(
    name="cvd_flip",
    text="Sign of the windowed CVD with hysteresis: it turns only beyond a share of the volume.",
    inputs=INPUTS,
    parameters=(
        Parameter("cvd_length", 24, 5, 500),
        Parameter("hysteresis", 0.02, 0.0, 0.10, integer=False),
        BEST_SOURCE,
    ),
    outputs=(
        Output("share", "value", "fraction", "sum of delta / sum of volume", -1.0, 1.0),
        Output(
            "side",
            "signal",
            "",
            "the sign that the share last reached beyond `hysteresis`",
            firing_rate=(0.80, 1.0),
        ),
        Output(
            "flip",
            "signal",
            "",
            "on the row where the side turns, the side it turns to",
            firing_rate=(0.002, 0.06),
        ),
        SOURCE,
    ),
    compute=_flip,
    lookback=lambda parameters: int(parameters["cvd_length"]) - 1,
    stable=lambda parameters: int(parameters["cvd_length"]) + _SETTLING_ROWS,
    only_clock=CLOCK,
    may_lack=MAY_LACK,
)

CVD_LEVELS = Indicator(
    name="cvd_levels",
    text=(
        "Support and resistance of the windowed CVD: clusters of its confirmed pivots, and the rows "
        "on which it closes beyond the nearest. Pivots are forgotten after `memory` rows and after "
        "more than three missing bars."
    ),
    inputs=(*INPUTS, "is_gap"),
    parameters=(
        Parameter("cvd_length", 24, 5, 500),
        Parameter("left", 5, 2, 12),
        Parameter("right", 5, 2, 12),
        Parameter("memory", 200, 50, 500),
        Parameter("width", 0.5, 0.1, 2.0, integer=False),
        BEST_SOURCE,
    ),
    outputs=(
        Output("resistance", "sparse", "deviations", "up to the nearest cluster above", low=0.0),
        Output("support", "sparse", "deviations", "down to the nearest cluster below", low=0.0),
        Output(
            "breakout",
            "signal",
            "",
            "1 on a close above the cluster that was nearest above, -1 mirrored",
            firing_rate=(0.01, 0.25),
        ),
        SOURCE,
    ),
    compute=_levels,
    lookback=lambda parameters: 0,
    stable=_levels_stable,
    only_clock=CLOCK,
    may_lack=MAY_LACK,
)

INDICATORS = (CVD, CVD_SESSION, CVD_FLIP, CVD_LEVELS)
