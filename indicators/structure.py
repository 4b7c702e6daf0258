"""Market structure: trend of the alternating pivots, breaks of structure, changes of character."""

from dataclasses import dataclass

import numpy as np

from engine import Bool1D, Float1D, kernel

from .fair_value_gap import ATR_LENGTH, fair_value_gaps
from .pivot import (
    alternating_pivots,
    confirmed_pivots,
    held_level,
    long_gaps,
    pivot_stable_rows,
)
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .volatility import wilder_stable_rows


@kernel(nogil=True)
def _break_kernel(
    close: Float1D, pivot_high: Float1D, pivot_low: Float1D, right: int, resets: Bool1D
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D]:
    rows = len(close)
    event, change = np.zeros(rows), np.zeros(rows)
    trend, level, origin = np.zeros(rows), np.full(rows, np.nan), np.full(rows, -1.0)
    state, first_valid_anchor = 0.0, 0
    top, bottom, top_anchor, bottom_anchor = np.nan, np.nan, -1, -1
    for t in range(rows):
        if resets[t]:
            state, first_valid_anchor = 0.0, t + 1
            top, bottom, top_anchor, bottom_anchor = np.nan, np.nan, -1, -1
            continue
        if t - right >= first_valid_anchor:
            if not np.isnan(pivot_high[t]):
                top, top_anchor = pivot_high[t], t - right
            if not np.isnan(pivot_low[t]):
                bottom, bottom_anchor = pivot_low[t], t - right
        above, below = close[t] > top, close[t] < bottom
        if above != below:
            side = 1.0 if above else -1.0
            event[t], level[t] = side, top if above else bottom
            change[t] = side if state == -side else 0.0
            origin[t] = float(bottom_anchor if above else top_anchor)
            state = side
            if above:
                top = np.nan
            else:
                bottom = np.nan
        trend[t] = state
    return event, change, trend, level, origin


@kernel(nogil=True)
def _displaced_kernel(
    event: Float1D, origin: Float1D, gap: Float1D
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(event)
    shift, broke_at, began_at = np.zeros(rows), np.full(rows, -1.0), np.full(rows, -1.0)
    waiting = -1
    for t in range(rows):
        if waiting >= 0 and gap[t] == event[waiting]:
            shift[t], broke_at[t], began_at[t] = event[waiting], float(waiting), origin[waiting]
        waiting = -1
        if event[t] == 0 or origin[t] < 0:
            continue
        # The middle bar of the gap must lie on the leg, so its third bar lies two bars behind the
        # origin at the earliest and one bar behind the break at the latest.
        found = False
        for i in range(int(origin[t]) + 2, t + 1):
            if gap[i] == event[t]:
                found = True
        if found:
            shift[t], broke_at[t], began_at[t] = event[t], float(t), origin[t]
        else:
            waiting = t
    return shift, broke_at, began_at


@dataclass(frozen=True, slots=True)
class StructureBreaks:
    """Breaks of structure; every array is float64 ``(T,)`` and row *t* is known at close *t*.

    ``event``: 1 where the close breaks the newest unbroken pivot high, -1 for the low. ``change``:
    the same where it goes against the trend before it (CHoCH; the others are BOS). ``trend``: the
    side of the newest break, 0 before the first. ``level``: the broken price, NaN elsewhere.
    ``origin``: row of the newest opposite pivot, where the breaking leg begins, -1 where none.
    """

    event: Float1D
    change: Float1D
    trend: Float1D
    level: Float1D
    origin: Float1D


@dataclass(frozen=True, slots=True)
class DisplacedBreaks:
    """Breaks whose leg holds a fair value gap of their side; float64 ``(T,)``.

    ``event``: 1 or -1 on the row where break and gap are both known: the break's own row, or the
    one after it when the gap is complete only then. ``broke_at`` and ``began_at``: rows of the break
    and of the leg's origin, -1 elsewhere.
    """

    event: Float1D
    broke_at: Float1D
    began_at: Float1D


def structure_breaks(
    close: Float1D,
    pivots: tuple[Float1D, Float1D],
    right: int,
    is_gap: Float1D | None = None,
) -> StructureBreaks:
    """Break state machine over ``pivots`` = ``confirmed_pivots(..., right)``, by closes (SPEC H5.2).

    Each pivot breaks once; a newer pivot takes the place of the one before it. The earliest break is
    on the row of confirmation. After a long run of missing bars everything starts again.
    """
    return StructureBreaks(
        *_break_kernel(
            np.ascontiguousarray(close), pivots[0], pivots[1], right, long_gaps(is_gap, len(close))
        )
    )


def displaced_breaks(event: Float1D, origin: Float1D, gap: Float1D) -> DisplacedBreaks:
    """The breaks in ``event`` whose leg from ``origin`` holds a ``gap`` of their side.

    Arrays ``(T,)``: ``event`` may be a subset of ``StructureBreaks.event``; ``gap`` is the direction
    of ``fair_value_gaps``.
    """
    return DisplacedBreaks(*_displaced_kernel(event, origin, np.ascontiguousarray(gap)))


def pivot_trend(
    high: Float1D, low: Float1D, left: int, right: int, is_gap: Float1D | None = None
) -> tuple[Float1D, Float1D]:
    """Trend of the alternating pivots, and whether four of them are there to judge by.

    1 when the newest high and low are both above the ones before them, -1 when both are below, else
    0. Arrays ``(T,)``.
    """
    pivots = confirmed_pivots(high, low, left, right)
    price, _, _ = alternating_pivots(*pivots, right, 4, is_gap)
    newer, older = price[:, :2], price[:, 2:]
    rising = (newer[:, 0] > older[:, 0]) & (newer[:, 1] > older[:, 1])
    falling = (newer[:, 0] < older[:, 0]) & (newer[:, 1] < older[:, 1])
    return rising.astype(np.float64) - falling, (~np.isnan(price[:, 3])).astype(np.float64)


def _structure(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    pivots = confirmed_pivots(columns["high"], columns["low"], left, right)
    breaks = structure_breaks(columns["close"], pivots, right, columns["is_gap"])
    gap, _, _ = fair_value_gaps(
        columns, parameters["min_size_atr"], parameters["min_displacement_atr"]
    )
    shift = displaced_breaks(breaks.change, breaks.origin, gap)
    continuation = breaks.event - breaks.change
    return continuation, breaks.change, shift.event, breaks.trend, held_level(breaks.level)


def _market_trend(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    left, right = int(parameters["left"]), int(parameters["right"])
    return pivot_trend(columns["high"], columns["low"], left, right, columns["is_gap"])


def _stable_rows(parameters: Parameters) -> int:
    # A trend needs a pivot on each side and a break behind it, about twice what the pivots need.
    spans = 2 * pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
    return spans + 3 * wilder_stable_rows(ATR_LENGTH) // 2


_SIDES = (Parameter("left", 5, 1, 100), Parameter("right", 5, 1, 100))

STRUCTURE = Indicator(
    name="structure",
    text="Breaks of structure (BOS), changes of character (CHoCH) and shifts (MSS), by closes.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        *_SIDES,
        Parameter("min_size_atr", 0.1, 0.0, 1.0, integer=False),
        Parameter("min_displacement_atr", 1.0, 0.0, 2.0, integer=False),
    ),
    outputs=(
        Output(
            "bos",
            "signal",
            "direction",
            "a pivot is broken in the direction of the trend, or before there is one",
            firing_rate=(0.01, 0.06),
        ),
        Output(
            "choch",
            "signal",
            "direction",
            "a pivot is broken against the trend, which turns",
            firing_rate=(0.005, 0.04),
        ),
        Output(
            "mss",
            "signal",
            "direction",
            "a change of character whose leg holds a fair value gap",
            firing_rate=(0.001, 0.04),
        ),
        Output(
            "trend",
            "signal",
            "direction",
            "side of the newest break",
            firing_rate=(0.85, 1.0),
        ),
        Output("broken_level", "level", "price", "newest broken pivot", low=0.0),
    ),
    compute=_structure,
    lookback=lambda parameters: 0,
    stable=_stable_rows,
)

MARKET_TREND = Indicator(
    name="market_trend",
    text="Higher highs and higher lows, or lower ones, of the alternating pivots.",
    inputs=("high", "low", "is_gap"),
    parameters=_SIDES,
    outputs=(
        Output(
            "trend",
            "signal",
            "direction",
            "1 higher high and low, -1 lower high and low, 0 mixed or unknown",
            firing_rate=(0.3, 0.8),
        ),
        Output("known", "state", "code", "1 when four pivots are there to judge by", high=1.0),
    ),
    compute=_market_trend,
    lookback=lambda parameters: 0,
    stable=_stable_rows,
)

INDICATORS = (STRUCTURE, MARKET_TREND)
