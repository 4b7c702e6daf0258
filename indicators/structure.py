"""Breaks of market structure: of swings in the direction of the trend, and against it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bool1D, Float1D, kernel

from .fair_value_gap import ATR_LENGTH, fair_value_gaps
from .pivot import held_level, long_gaps
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .swing import SWING_PARAMETERS, Swings, swing_stable_rows, swings_of
from .volatility import wilder_stable_rows

NO_BREAK, BOS_UP, CHOCH_UP, BOS_DOWN, CHOCH_DOWN = range(5)
"""Codes of ``structure_break.newest``."""


@kernel(nogil=True)
def _break_kernel(
    reach: tuple[Float1D, Float1D],
    swings: tuple[Float1D, Float1D, Float1D, Float1D],
    resets: Bool1D,
) -> tuple[Float1D, Float1D, Float1D, Float1D, Float1D, Float1D]:
    highest, lowest = reach
    swing_high, swing_low, high_anchor, low_anchor = swings
    rows = len(highest)
    event, change = np.zeros(rows), np.zeros(rows)
    trend, level = np.zeros(rows), np.full(rows, np.nan)
    origin, broken = np.full(rows, -1.0), np.full(rows, -1.0)
    state, first_valid_anchor = 0.0, 0
    top, bottom, top_anchor, bottom_anchor = np.nan, np.nan, -1.0, -1.0
    for t in range(rows):
        if resets[t]:
            state, first_valid_anchor = 0.0, t + 1
            top, bottom, top_anchor, bottom_anchor = np.nan, np.nan, -1.0, -1.0
            continue
        if not np.isnan(swing_high[t]) and high_anchor[t] >= first_valid_anchor:
            top, top_anchor = swing_high[t], high_anchor[t]
        if not np.isnan(swing_low[t]) and low_anchor[t] >= first_valid_anchor:
            bottom, bottom_anchor = swing_low[t], low_anchor[t]
        above, below = highest[t] > top, lowest[t] < bottom
        if above != below:
            side = 1.0 if above else -1.0
            event[t], level[t] = side, top if above else bottom
            change[t] = side if state == -side else 0.0
            origin[t] = bottom_anchor if above else top_anchor
            broken[t] = top_anchor if above else bottom_anchor
            state = side
            if above:
                top = np.nan
            else:
                bottom = np.nan
        trend[t] = state
    return event, change, trend, level, origin, broken


@kernel(nogil=True)
def _displaced_kernel(
    event: Float1D, origin: Float1D, gap: Float1D
) -> tuple[Float1D, Float1D, Float1D]:
    rows = len(event)
    shift, broke_at, began_at = np.zeros(rows), np.full(rows, -1.0), np.full(rows, -1.0)
    waiting, newest_up, newest_down = -1, -1.0, -1.0
    for t in range(rows):
        if gap[t] > 0:
            newest_up = float(t)
        elif gap[t] < 0:
            newest_down = float(t)
        if waiting >= 0 and gap[t] == event[waiting]:
            shift[t], broke_at[t], began_at[t] = event[waiting], float(waiting), origin[waiting]
        waiting = -1
        if event[t] == 0 or origin[t] < 0:
            continue
        # The middle bar of the gap must lie on the leg, so its third bar lies two bars behind the
        # origin at the earliest and one bar behind the break at the latest.
        if (newest_up if event[t] > 0 else newest_down) >= origin[t] + 2:
            shift[t], broke_at[t], began_at[t] = event[t], float(t), origin[t]
        else:
            waiting = t
    return shift, broke_at, began_at


@dataclass(frozen=True, slots=True, eq=False)
class StructureBreaks:
    """Breaks of structure; every array is float64 ``(T,)`` and row *t* is known at close *t*.

    ``event``: 1 where the newest unbroken swing high is broken, -1 for the low. ``change``: the same
    where it goes against the trend before it (CHoCH; the others are BOS). ``trend``: the side of the
    newest break, 0 before the first. ``level`` and ``broken``: price and row of the broken swing, NaN
    and -1 elsewhere. ``origin``: row of the newest opposite swing, where the breaking leg begins, -1
    where there is none.
    """

    event: Float1D
    change: Float1D
    trend: Float1D
    level: Float1D
    origin: Float1D
    broken: Float1D

    @property
    def continuation(self) -> Float1D:
        """The breaks that do not go against a trend: BOS."""
        return self.event - self.change


@dataclass(frozen=True, slots=True, eq=False)
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
    columns: Columns, swings: Swings, *, at_wicks: bool = False
) -> StructureBreaks:
    """Break state machine over ``swings`` (SPEC H5.2); reads high, low, close and is_gap ``(T,)``.

    A close beyond a swing breaks it, or ``at_wicks`` any price of the bar. Each swing breaks once; a
    newer one takes the place of the one before it. The earliest break is on the row of confirmation.
    A bar that is beyond both sides breaks neither: the order inside it is not known. After a long run
    of missing bars everything starts again.
    """
    close = np.ascontiguousarray(columns["close"])
    reach = (
        (np.ascontiguousarray(columns["high"]), np.ascontiguousarray(columns["low"]))
        if at_wicks
        else (close, close)
    )
    prices = (swings.high, swings.low, swings.high_anchor, swings.low_anchor)
    return StructureBreaks(*_break_kernel(reach, prices, long_gaps(columns["is_gap"], len(close))))


def displaced_breaks(event: Float1D, origin: Float1D, gap: Float1D) -> DisplacedBreaks:
    """The breaks in ``event`` whose leg from ``origin`` holds a ``gap`` of their side.

    Arrays ``(T,)``: ``event`` may be a subset of ``StructureBreaks.event``; ``gap`` is the direction
    of ``fair_value_gaps``.
    """
    return DisplacedBreaks(*_displaced_kernel(event, origin, np.ascontiguousarray(gap)))


def breaks_and_shifts(
    columns: Columns, parameters: Parameters, gap: Float1D
) -> tuple[StructureBreaks, DisplacedBreaks]:
    """Breaks of structure and the changes of character whose leg holds a ``gap`` (MSS) among them.

    ``parameters`` are ``SWING_PARAMETERS`` and ``AT_WICKS``; ``gap`` as for ``displaced_breaks``.
    """
    breaks = structure_breaks(
        columns, swings_of(columns, parameters), at_wicks=bool(parameters["at_wicks"])
    )
    return breaks, displaced_breaks(breaks.change, breaks.origin, gap)


@shared
def found_breaks(
    columns: Columns, parameters: Parameters
) -> tuple[StructureBreaks, DisplacedBreaks]:
    """``breaks_and_shifts`` with the gaps that ``STRUCTURE``'s own parameters ask for."""
    gap, _, _ = fair_value_gaps(
        columns, parameters["min_size_atr"], parameters["min_displacement_atr"]
    )
    return breaks_and_shifts(columns, parameters, gap)


def _structure(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    breaks, shift = found_breaks(columns, parameters)
    return (
        breaks.continuation,
        breaks.change,
        shift.event,
        breaks.trend,
        held_level(breaks.level),
    )


def _structure_break(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    breaks = structure_breaks(
        columns, swings_of(columns, parameters), at_wicks=bool(parameters["at_wicks"])
    )
    code = np.where(breaks.change != 0, CHOCH_UP, BOS_UP) + np.where(breaks.event < 0, 2.0, 0.0)
    newest = held_level(np.where(breaks.event != 0, code, np.nan))
    return (np.where(breaks.trend != 0, newest, float(NO_BREAK)),)


def structure_stable_rows(parameters: Parameters) -> int:
    """About twice what the swings need: a trend needs one on each side and a break behind it."""
    return 2 * swing_stable_rows(parameters) + 3 * wilder_stable_rows(ATR_LENGTH) // 2


AT_WICKS: Final = Parameter("at_wicks", 0, 0, 1)
"""1 where a wick beyond a swing breaks it, 0 where only a close does."""

STRUCTURE = Indicator(
    name="structure",
    text="Breaks of structure (BOS), changes of character (CHoCH) and shifts (MSS) of swings.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(
        *SWING_PARAMETERS,
        AT_WICKS,
        Parameter("min_size_atr", 0.1, 0.0, 1.0, integer=False),
        Parameter("min_displacement_atr", 1.0, 0.0, 2.0, integer=False),
    ),
    outputs=(
        Output(
            "bos",
            "signal",
            "direction",
            "a swing is broken in the direction of the trend, or before there is one",
            firing_rate=(0.01, 0.06),
        ),
        Output(
            "choch",
            "signal",
            "direction",
            "a swing is broken against the trend, which turns",
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
        Output("broken_level", "level", "price", "newest broken swing", low=0.0),
    ),
    compute=_structure,
    lookback=lambda parameters: 0,
    stable=structure_stable_rows,
)

STRUCTURE_BREAK = Indicator(
    name="structure_break",
    text="Kind and side of the newest break of structure; a long run of missing bars forgets it.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(*SWING_PARAMETERS, AT_WICKS),
    outputs=(
        Output(
            "newest",
            "state",
            "code",
            "0 none, 1 BOS up, 2 CHoCH up, 3 BOS down, 4 CHoCH down",
            high=4.0,
        ),
    ),
    compute=_structure_break,
    lookback=lambda parameters: 0,
    stable=structure_stable_rows,
)

INDICATORS = (STRUCTURE, STRUCTURE_BREAK)
