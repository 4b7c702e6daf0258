"""Announced changes of a coin's supply and of where it trades: unlocks and listings (SPEC H9.11).

``token_unlocks`` and ``unlock_pressure`` run on ``unlock_schedule``: a row for each day on which the
schedule as announced by then was read, with the fraction of the float that it releases in the days
after. ``listing`` runs on ``bars+listings``: each bar with the last announcement of a listing (``side``
1) or delisting (-1). Only what was announced by a row counts; neither looks at what a schedule became.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, HOUR_NS, Float1D, kernel

from .spec import Columns, Indicator, Output, Parameter, Parameters

_ROWS_PER_DAY: Final = 96
"""Rows of a day at the shortest decision step, 15 minutes."""


@kernel(nogil=True)
def _since_event_kernel(event_time: Float1D, close: Float1D) -> Float1D:
    """Log return since the first row that saw the newest event; 0 on that row."""
    out = np.zeros(len(close))
    base = 0.0
    for t in range(len(close)):
        if t == 0 or event_time[t] != event_time[t - 1]:
            base = close[t]
        if base > 0 and close[t] > 0:
            out[t] = np.log(close[t] / base)
    return out


def _unlocks(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    week, month = (np.maximum(100.0 * columns[f"fraction_{days}d"], 0.0) for days in (7, 30))
    return week, month


def _pressure(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    soon = np.maximum(100.0 * columns["fraction_14d"], 0.0)
    is_large = (soon >= parameters["large_percent"]).astype(np.float64)
    return soon, 1.0 + (soon > 0) + is_large, 0.0 - is_large


def _listing(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    announced = columns["listings.event_time"]
    age_ns = np.maximum(columns["known_at"] - announced, 0.0)
    fresh = age_ns <= parameters["momentum_days"] * DAY_NS
    gain = np.where(fresh, _since_event_kernel(announced, columns["close"]), 0.0)
    listed = columns["listings.side"] > 0
    momentum = np.where(listed, np.sign(gain), -1.0)
    band = np.where(fresh, np.where(listed, 2.0, 3.0), 1.0)
    return age_ns / HOUR_NS, gain, band, np.where(fresh, momentum, 0.0)


TOKEN_UNLOCKS = Indicator(
    name="token_unlocks",
    text="Share of the float that the schedule known so far releases within 7 and 30 days.",
    inputs=("fraction_7d", "fraction_30d"),
    only_clock="unlock_schedule",
    parameters=(),
    outputs=(
        Output("percent_7d", "value", "percent", "of the float within 7 days", low=0.0),
        Output("percent_30d", "value", "percent", "of the float within 30 days", low=0.0),
    ),
    compute=_unlocks,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

UNLOCK_PRESSURE = Indicator(
    name="unlock_pressure",
    text="A large unlock within 14 days, by the schedule known so far; price tends to fall before it.",
    inputs=("fraction_14d",),
    only_clock="unlock_schedule",
    parameters=(Parameter("large_percent", 1.0, 0.1, 10.0, integer=False),),
    outputs=(
        Output("percent", "value", "percent", "of the float within 14 days", low=0.0),
        Output("band", "state", "", "1 none, 2 some, 3 at least `large_percent`"),
        Output(
            "pressure",
            "signal",
            "",
            "-1 where `large_percent` is released within 14 days",
            firing_rate=(0.0, 1.0),
        ),
    ),
    compute=_pressure,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 0,
)

LISTING = Indicator(
    name="listing",
    text=(
        "Age of the newest announcement of a listing, the return since it was seen, and momentum in "
        "its first days: with the return after a listing, against the coin after a delisting."
    ),
    inputs=("known_at", "close", "listings.event_time", "listings.side"),
    only_clock="bars+listings",
    parameters=(Parameter("momentum_days", 3.0, 0.5, 10.0, integer=False),),
    outputs=(
        Output("age", "value", "hours", "since the announcement", low=0.0),
        Output(
            "gain", "value", "log return", "since the bar that first saw it, 0 once it is older"
        ),
        Output("band", "state", "", "1 older than `momentum_days`, 2 listed, 3 delisted"),
        Output(
            "momentum",
            "signal",
            "",
            "sign of the gain in the first days of a listing, -1 of a delisting",
            firing_rate=(0.0, 1.0),
        ),
    ),
    compute=_listing,
    lookback=lambda parameters: 0,
    # The bar that first saw the announcement is the base; one shown before the start is cut off.
    stable=lambda parameters: 10 * _ROWS_PER_DAY,
)

INDICATORS = (TOKEN_UNLOCKS, UNLOCK_PRESSURE, LISTING)
