"""Dealing range: premium and discount, and the optimal trade entry of a displaced leg.

The seed's distance from equilibrium is ``rolling_position - 0.5`` at lengths of 20, 50 and 100 bars; it
argues for no side and so has no column of its own (SPEC H5.4).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from .event_table import CHANGE_FIELDS
from .fair_value_gap import ATR_LENGTH, MIN_DISPLACEMENT_ATR, MIN_SIZE_ATR, fair_value_gaps
from .pivot import held_level, long_gaps
from .rolling import rolling_max, rolling_min
from .shared_work import shared
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .structure import AT_WICKS, displaced_breaks, structure_breaks
from .swing import SWING_PARAMETERS, swing_stable_rows, swings_of
from .volatility import wilder_stable_rows

UNKNOWN, DISCOUNT, EQUILIBRIUM, PREMIUM = range(4)
"""Codes of ``dealing_range.zone`` and ``dealing_range.rolling_zone``."""

EQUILIBRIUM_LOW, EQUILIBRIUM_HIGH = 0.45, 0.55
OTE_SHALLOW, OTE_DEEP = 0.62, 0.79

ENTERED, SUSPENDED, INVALID, ENDED = range(4)
"""What may happen to an entry zone, in the order in which it is told when it happens on one row."""

ZONE_FIELDS: Final = 6
ZONE_KNOWN, ZONE_SIDE, ZONE_TIP, ZONE_BASE, ZONE_TIP_ROW, ZONE_BASE_ROW = range(ZONE_FIELDS)
"""Columns of ``EntryZones.known``: row, side, prices and rows of the leg's ends."""

_SIDE, _BROKEN, _ARMED_AT, _TIP, _BASE, _TIP_ROW, _BASE_ROW, _USED, _SUSPENDED = range(9)
_LEG_FIELDS: Final = 9


@kernel(nogil=True)
def _takes_tip_kernel(leg: Float1D, price: Float1D, anchor: Float1D, kind: Float1D) -> bool:
    # The same leg reaches farther, or another leg begins, which needs a break of its own.
    side = leg[_SIDE]
    if side == 0 or kind[0] != side or kind[1] == 0 or anchor[0] < leg[_BROKEN]:
        return False
    if anchor[0] == leg[_TIP_ROW]:
        return False
    if leg[_TIP_ROW] >= 0 and anchor[1] != leg[_BASE_ROW]:
        leg[_SIDE] = 0.0
        return False
    leg[_TIP], leg[_BASE] = side * price[0], side * price[1]
    leg[_TIP_ROW], leg[_BASE_ROW] = anchor[0], anchor[1]
    leg[_USED] = leg[_SUSPENDED] = 0.0
    return True


@kernel(nogil=True)
def _tell_kernel(changes: Float2D, count: int, zone: int, happened: int, row: int) -> int:
    if zone < 0:
        return count
    changes[count, 0], changes[count, 1], changes[count, 2] = zone, happened, row
    return count + 1


@kernel(nogil=True)
def _publish_kernel(known: Float2D, count: int, leg: Float1D, close: float, row: int) -> int:
    # The bar that confirms the tip may already close beyond the base; then there is no zone.
    side = leg[_SIDE]
    if side * close < leg[_BASE] or not leg[_TIP] > leg[_BASE]:
        leg[_SIDE] = 0.0
        return count
    known[count, ZONE_KNOWN], known[count, ZONE_SIDE] = row, side
    known[count, ZONE_TIP], known[count, ZONE_BASE] = side * leg[_TIP], side * leg[_BASE]
    known[count, ZONE_TIP_ROW], known[count, ZONE_BASE_ROW] = leg[_TIP_ROW], leg[_BASE_ROW]
    return count + 1


@kernel(nogil=True)
def _entry_kernel(
    prices: tuple[Float1D, Float1D, Float1D],
    swings: tuple[Float2D, Float2D, Float2D],
    event: Float1D,
    broke_at: Float1D,
    resets: Bool1D,
    expiry_bars: int,
) -> tuple[Float1D, Float1D, Float1D, Float2D, Float2D]:
    high, low, close = prices
    price, anchor, kind = swings
    rows = len(close)
    entry, inside, middle = np.zeros(rows), np.zeros(rows), np.full(rows, np.nan)
    # A row publishes at most one zone of its tip and one of its break.
    known = np.empty((rows + np.count_nonzero(event), ZONE_FIELDS))
    changes = np.empty((3 * len(known), CHANGE_FIELDS))
    leg, zone, count, told = np.zeros(_LEG_FIELDS), -1, 0, 0
    for t in range(rows):
        if resets[t]:
            leg[_SIDE], zone = 0.0, -1
            continue
        if leg[_SIDE] != 0 and t - leg[_ARMED_AT] > expiry_bars:
            leg[_SIDE] = 0.0
        moved = _takes_tip_kernel(leg, price[t], anchor[t], kind[t])
        if moved or leg[_SIDE] == 0:
            told, zone = _tell_kernel(changes, told, zone, ENDED, t), -1
        if moved:
            before = count
            count = _publish_kernel(known, count, leg, close[t], t)
            zone = count - 1 if count > before else -1
        elif zone >= 0:
            side, tip, base = leg[_SIDE], leg[_TIP], leg[_BASE]
            reach = low[t] if side > 0 else -high[t]
            near, far = tip - OTE_SHALLOW * (tip - base), tip - OTE_DEEP * (tip - base)
            if (high[t] if side > 0 else -low[t]) > tip and leg[_SUSPENDED] == 0:
                leg[_SUSPENDED] = 1.0
                told = _tell_kernel(changes, told, zone, SUSPENDED, t)
            if side * close[t] < base:
                told, zone = _tell_kernel(changes, told, zone, INVALID, t), -1
                leg[_SIDE] = 0.0
            elif leg[_SUSPENDED] == 0:
                middle[t] = side * 0.5 * (near + far)
                if far <= side * close[t] <= near:
                    inside[t] = side
                if reach <= near and leg[_USED] == 0:
                    entry[t], leg[_USED] = side, 1.0
                    told = _tell_kernel(changes, told, zone, ENTERED, t)
        if event[t] != 0:
            told, zone = _tell_kernel(changes, told, zone, ENDED, t), -1
            leg[_SIDE], leg[_BROKEN], leg[_ARMED_AT] = event[t], broke_at[t], t
            leg[_TIP_ROW] = -1.0
            if _takes_tip_kernel(leg, price[t], anchor[t], kind[t]):
                before = count
                count = _publish_kernel(known, count, leg, close[t], t)
                zone = count - 1 if count > before else -1
    return entry, inside, middle, known[:count].copy(), changes[:told].copy()


@dataclass(frozen=True, slots=True, eq=False)
class EntryZones:
    """Pull-back zones of displaced legs.

    ``entry``, ``inside`` and ``middle`` ``(T,)``: 1 or -1 on the first bar that reaches into a zone;
    the side while the close lies in it; its middle in price while it stands, NaN otherwise.
    ``known`` ``(N, ZONE_FIELDS)``: one row for each zone, in order of the rows on which they become
    known. ``changes`` ``(M, 3)``: position in ``known``, what happened, and its row.
    """

    entry: Float1D
    inside: Float1D
    middle: Float1D
    known: Float2D
    changes: Float2D


@shared
def found_entries(columns: Columns, parameters: Parameters) -> EntryZones:
    """Pull-backs into 62 to 79 % of a leg that broke structure with displacement (SPEC H5.7).

    The leg runs from the alternating swing before its tip to the tip, the first swing at or behind
    the break; the zone is known when the tip is confirmed and may be entered from the next bar on. A
    new extreme suspends the zone until the same leg's new tip is confirmed, which ends it and begins
    another. A close beyond the base makes it invalid; the tip of another leg, the next displaced
    break or ``expiry_bars`` bars behind its break end it.
    """
    close = columns["close"]
    swings = swings_of(columns, parameters)
    breaks = structure_breaks(columns, swings, at_wicks=bool(parameters["at_wicks"]))
    gap, _, _ = fair_value_gaps(columns, MIN_SIZE_ATR, MIN_DISPLACEMENT_ATR)
    shift = displaced_breaks(breaks.event, breaks.origin, gap)
    return EntryZones(
        *_entry_kernel(
            (columns["high"], columns["low"], close),
            swings.alternating(2, columns["is_gap"]),
            shift.event,
            shift.broke_at,
            long_gaps(columns["is_gap"], len(close)),
            int(parameters["expiry_bars"]),
        )
    )


def range_zone(position: Float1D) -> Float1D:
    """Code of a position in its range: discount under .45, premium over .55, unknown for NaN."""
    zone = np.where(position < EQUILIBRIUM_LOW, DISCOUNT, EQUILIBRIUM)
    zone = np.where(position > EQUILIBRIUM_HIGH, PREMIUM, zone)
    return np.where(np.isnan(position), UNKNOWN, zone).astype(np.float64)


def range_position(close: Float1D, bottom: Float1D, top: Float1D) -> Float1D:
    """``(close - bottom) / (top - bottom)``; 0.5, the middle, of a range without width; NaN if unknown."""
    width = top - bottom
    position = (close - bottom) / np.where(width > 0, width, 1.0)
    return np.where(width > 0, position, width * 0.0 + 0.5)


def _dealing_range(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    high, low, close = columns["high"], columns["low"], columns["close"]
    length = int(parameters["length"])
    pair, _, _ = swings_of(columns, parameters).alternating(2, columns["is_gap"])
    position = range_position(close, pair.min(axis=1), pair.max(axis=1))
    rolling = range_position(close, rolling_min(low, length), rolling_max(high, length))
    return held_level(position), range_zone(position), rolling, range_zone(rolling)


def _entry(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    found = found_entries(columns, parameters)
    return found.entry, found.inside, held_level(found.middle)


_ZONE_TEXT = "0 unknown, 1 discount (under .45), 2 equilibrium, 3 premium (over .55)"

DEALING_RANGE = Indicator(
    name="dealing_range",
    text="Where the close stands in the range of the newest pivot pair and of the last bars.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(*SWING_PARAMETERS, Parameter("length", 50, 5, 500)),
    outputs=(
        Output(
            "position",
            "level",
            "fraction",
            "in the range of the newest opposite pivots; beyond 0 and 1 outside it",
        ),
        Output("zone", "state", "code", _ZONE_TEXT, high=3.0),
        Output(
            "rolling_position",
            "value",
            "fraction",
            "in the range of the last length bars",
            low=0.0,
            high=1.0,
        ),
        Output("rolling_zone", "state", "code", _ZONE_TEXT, high=3.0),
    ),
    compute=_dealing_range,
    lookback=lambda parameters: int(parameters["length"]) - 1,
    stable=lambda parameters: max(swing_stable_rows(parameters), int(parameters["length"])),
)

OPTIMAL_TRADE_ENTRY = Indicator(
    name="optimal_trade_entry",
    text="Pull-backs into 62 to 79 % of a leg that broke structure with displacement.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(*SWING_PARAMETERS, AT_WICKS, Parameter("expiry_bars", 200, 10, 500)),
    outputs=(
        Output(
            "entry",
            "signal",
            "direction",
            "the first bar that reaches into the zone",
            firing_rate=(0.002, 0.04),
        ),
        Output(
            "inside",
            "signal",
            "direction",
            "the close lies in the zone",
            firing_rate=(0.002, 0.06),
        ),
        Output("middle", "level", "price", "middle of the newest zone", low=0.0),
    ),
    compute=_entry,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        3 * swing_stable_rows(parameters) + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDICATORS = (DEALING_RANGE, OPTIMAL_TRADE_ENTRY)
