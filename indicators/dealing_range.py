"""Dealing range: premium and discount, and the optimal trade entry of a displaced leg."""

import numpy as np

from engine import Bool1D, Float1D, Float2D, kernel

from .fair_value_gap import ATR_LENGTH, fair_value_gaps
from .pivot import (
    alternating_pivots,
    confirmed_pivots,
    held_level,
    long_gaps,
    pivot_stable_rows,
)
from .rolling import rolling_max, rolling_min
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .structure import displaced_breaks, structure_breaks
from .volatility import wilder_stable_rows

UNKNOWN, DISCOUNT, EQUILIBRIUM, PREMIUM = range(4)
"""Codes of ``dealing_range.zone`` and ``dealing_range.rolling_zone``."""

EQUILIBRIUM_LOW, EQUILIBRIUM_HIGH = 0.45, 0.55
OTE_SHALLOW, OTE_DEEP = 0.62, 0.79


@kernel(nogil=True)
def _entry_kernel(
    prices: tuple[Float1D, Float1D, Float1D],
    price: Float2D,
    anchor: Float2D,
    kind: Float2D,
    event: Float1D,
    broke_at: Float1D,
    resets: Bool1D,
    shallow: float,
    deep: float,
    expiry_bars: int,
) -> tuple[Float1D, Float1D, Float1D]:
    high, low, close = prices
    rows = len(close)
    entry, inside, middle = np.zeros(rows), np.zeros(rows), np.full(rows, np.nan)
    side, broken, armed_at, used, suspended = 0.0, -1, -1, True, False
    tip, base, tip_row, base_row = np.nan, np.nan, -1.0, -1.0
    for t in range(rows):
        if resets[t] or (side != 0 and t - armed_at > expiry_bars):
            side = 0.0
        newest_is_tip = side != 0 and kind[t, 0] == side and anchor[t, 0] >= broken
        if newest_is_tip and kind[t, 1] != 0 and anchor[t, 0] != tip_row:
            # The same leg reaches farther, or another leg begins, which needs a break of its own.
            if tip_row < 0 or anchor[t, 1] == base_row:
                tip, base = side * price[t, 0], side * price[t, 1]
                tip_row, base_row = anchor[t, 0], anchor[t, 1]
                used, suspended = False, False
            else:
                side = 0.0
        if side != 0 and tip_row >= 0:
            reach = low[t] if side > 0 else -high[t]
            suspended = suspended or (high[t] if side > 0 else -low[t]) > tip
            near, far = tip - shallow * (tip - base), tip - deep * (tip - base)
            # The bar that confirms the tip publishes the zone; an order waits from the next one on.
            published = price[t - 1, 0] == price[t, 0] or kind[t, 0] != side
            if side * close[t] < base or not tip > base:
                side = 0.0
            elif published and not suspended:
                middle[t] = side * 0.5 * (near + far)
                if far <= side * close[t] <= near:
                    inside[t] = side
                if reach <= near and not used:
                    entry[t], used = side, True
        if event[t] != 0 and not resets[t]:
            side, broken, armed_at, tip_row = event[t], int(broke_at[t]), t, -1.0
    return entry, inside, middle


def optimal_trade_entry(
    columns: Columns, left: int, right: int, expiry_bars: int
) -> tuple[Float1D, Float1D, Float1D]:
    """Pull-backs into 62 to 79 % of a leg that broke structure with displacement (SPEC H5.7).

    The leg runs from the alternating pivot before its tip to the tip, the first pivot at or behind
    the break; the zone is known when the tip is confirmed and may be entered from the next bar on. A
    new extreme suspends the zone until the same leg's new tip is confirmed. A close beyond the base,
    the tip of another leg or ``expiry_bars`` bars end it; the next displaced break replaces it.
    Returns entry (1 or -1 on the first
    bar that reaches into the zone), inside (side while the close lies in it), middle of the zone in
    price (NaN without a zone), each ``(T,)``.
    """
    high, low, close = columns["high"], columns["low"], columns["close"]
    pivots = confirmed_pivots(high, low, left, right)
    breaks = structure_breaks(close, pivots, right, columns["is_gap"])
    gap, _, _ = fair_value_gaps(columns, 0.1, 1.0)
    shift = displaced_breaks(breaks.event, breaks.origin, gap)
    price, anchor, kind = alternating_pivots(*pivots, right, 2, columns["is_gap"])
    return _entry_kernel(
        (high, low, close),
        price,
        anchor,
        kind,
        shift.event,
        shift.broke_at,
        long_gaps(columns["is_gap"], len(close)),
        OTE_SHALLOW,
        OTE_DEEP,
        expiry_bars,
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
    left, right = int(parameters["left"]), int(parameters["right"])
    length = int(parameters["length"])
    pivots = confirmed_pivots(high, low, left, right)
    price, _, _ = alternating_pivots(*pivots, right, 2, columns["is_gap"])
    pair = price[:, :2]
    position = range_position(close, pair.min(axis=1), pair.max(axis=1))
    rolling = range_position(close, rolling_min(low, length), rolling_max(high, length))
    return held_level(position), range_zone(position), rolling, range_zone(rolling)


def _entry(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    entry, inside, middle = optimal_trade_entry(
        columns,
        int(parameters["left"]),
        int(parameters["right"]),
        int(parameters["expiry_bars"]),
    )
    return entry, inside, held_level(middle)


_SIDES = (Parameter("left", 5, 1, 100), Parameter("right", 5, 1, 100))
_ZONE_TEXT = "0 unknown, 1 discount (under .45), 2 equilibrium, 3 premium (over .55)"

DEALING_RANGE = Indicator(
    name="dealing_range",
    text="Where the close stands in the range of the newest pivot pair and of the last bars.",
    inputs=("high", "low", "close", "is_gap"),
    parameters=(*_SIDES, Parameter("length", 50, 5, 500)),
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
    stable=lambda parameters: max(
        pivot_stable_rows(int(parameters["left"]), int(parameters["right"])),
        int(parameters["length"]),
    ),
)

OPTIMAL_TRADE_ENTRY = Indicator(
    name="optimal_trade_entry",
    text="Pull-backs into 62 to 79 % of a leg that broke structure with displacement.",
    inputs=("open", "high", "low", "close", "is_gap"),
    parameters=(*_SIDES, Parameter("expiry_bars", 200, 10, 500)),
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
        3 * pivot_stable_rows(int(parameters["left"]), int(parameters["right"]))
        + 3 * wilder_stable_rows(ATR_LENGTH) // 2
    ),
)

INDICATORS = (DEALING_RANGE, OPTIMAL_TRADE_ENTRY)
