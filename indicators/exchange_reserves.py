"""Coins held by exchanges, on their daily clock (SPEC H9.7).

Providers find and relabel wallets and rewrite their history: only vintages as they were, or rows that
became available days late, are free of look-ahead. A step of more than 20 % from one row to the next
is a relabelled wallet; flows are silent while it is in their window. ``stable`` counts daily rows.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, Bool1D, Float1D, kernel

from .growth import growth_percent, growth_side
from .rolling import quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .time_window import window_percent_rank, window_z_score

_RELABEL_SHARE: Final = 0.20
_ANOMALY_DAYS: Final = 90.0
_EDGES: Final = (30.0, 70.0, 90.0)
SECOND_CLOCK: Final = "exchange_reserves&exchange_reserves:venue"


@kernel(nogil=True)
def _recent_kernel(event_time: Float1D, happened: Float1D, span_ns: float) -> Float1D:
    """1 where ``happened`` is not 0 on a row less than ``span_ns`` old, row *t* included."""
    out = np.zeros(len(happened))
    last = -1
    for t in range(len(happened)):
        if happened[t] != 0:
            last = t
        if last >= 0 and event_time[t] - event_time[last] < span_ns:
            out[t] = 1.0
    return out


def _relabelled(reserve: Float1D) -> Float1D:
    step = np.zeros(len(reserve))
    base = np.where(reserve[:-1] > 0, reserve[:-1], 1.0)
    step[1:] = np.abs(reserve[1:] / base - 1.0) > _RELABEL_SHARE
    return step


def _sound(event_time: Float1D, step: Float1D, days: float) -> Bool1D:
    sound: Bool1D = _recent_kernel(event_time, step, days * DAY_NS) == 0
    return sound


def _anomaly(event_time: Float1D, reserve: Float1D, step: Float1D, limit: float) -> Float1D:
    """Side of a row's change beyond ``limit`` deviations of 90 days, coins in being 1."""
    change = np.zeros(len(reserve))
    change[1:] = np.where(step[1:] > 0, 0.0, reserve[1:] - reserve[:-1])
    z = window_z_score(event_time, change, _ANOMALY_DAYS, _ANOMALY_DAYS)
    return np.where(np.abs(np.where(np.isnan(z), 0.0, z)) > limit, np.sign(z), 0.0)


def _reserves(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time, reserve = columns["event_time"], columns["reserve"]
    day, week, month = (growth_percent(event_time, reserve, days) for days in (1.0, 7.0, 30.0))
    step = _relabelled(reserve)
    minimum_days = min(parameters["minimum_days"], parameters["rank_days"])
    rank = window_percent_rank(event_time, reserve, parameters["rank_days"], minimum_days)
    inflow = growth_side(event_time, day, 1.0, parameters["sharp_percent"])
    sharp = np.where(_sound(event_time, step, 1.0), 0.0 - inflow, 0.0)
    inflow = growth_side(event_time, week, 7.0, parameters["steady_percent"])
    steady = np.where(_sound(event_time, step, 7.0), 0.0 - inflow, 0.0)
    scarce = (rank < parameters["scarce_rank"]).astype(np.float64)
    band = 1.0 + (rank >= parameters["scarce_rank"]) + sum(rank >= edge for edge in _EDGES)
    shrinks = (month < 0) & _sound(event_time, step, 30.0)
    shock = np.where(shrinks, 1.0 - rank / 100.0, rank * 0.0)
    anomaly = _anomaly(event_time, reserve, step, parameters["anomaly"])
    return (
        day, week, month, rank, sharp, steady, scarce, np.where(np.isnan(rank), 0.0, band), shock,
        0.0 - anomaly,
    )  # fmt: skip


def _dominance(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    event_time = columns["event_time"]
    reserve, venue = columns["reserve"], columns["exchange_reserves:venue.reserve"]
    share = np.clip(quotient(venue, reserve, 0.0), 0.0, 1.0)
    sound = _sound(event_time, np.maximum(_relabelled(reserve), _relabelled(venue)), 7.0)
    change = growth_percent(event_time, share, 7.0)
    return share, np.where(sound, change, change * 0.0)


EXCHANGE_RESERVES = Indicator(
    name="exchange_reserves",
    text=(
        "Coins held by exchanges: changes, rank in their own past, and outflows as signals. The rank "
        "looks at all the past from `minimum_days` on, and at `rank_days` of it at most."
    ),
    inputs=("event_time", "reserve"),
    only_clock="exchange_reserves",
    parameters=(
        Parameter("sharp_percent", 5.0, 2.0, 10.0, integer=False),
        Parameter("steady_percent", 3.0, 1.0, 8.0, integer=False),
        Parameter("rank_days", 1825, 180, 1825),
        Parameter("minimum_days", 1095, 90, 1825),
        Parameter("scarce_rank", 10.0, 1.0, 30.0, integer=False),
        Parameter("anomaly", 3.0, 2.0, 6.0, integer=False),
    ),
    outputs=(
        Output("change_1d", "level", "percent", "change over one day"),
        Output("change_7d", "level", "percent", "change over seven days"),
        Output("change_30d", "level", "percent", "change over thirty days"),
        Output("rank", "level", "percent", "percent rank of the reserve", 0.0, 100.0),
        Output(
            "sharp",
            "signal",
            "",
            "1 where a day took out `sharp_percent`, -1 where it brought it in",
            firing_rate=(0.0, 0.03),
        ),
        Output(
            "steady",
            "signal",
            "",
            "1 where seven days took out `steady_percent`, -1 where they brought it in",
            firing_rate=(0.002, 0.25),
        ),
        Output(
            "scarce",
            "signal",
            "",
            "1 where the reserve ranks below `scarce_rank`",
            firing_rate=(0.0, 0.60),
        ),
        Output(
            "band", "state", "", "of the rank: 1 below `scarce_rank`, 2 to 30, 3 to 70, 4 to 90, 5"
        ),
        Output(
            "supply_shock", "level", "", "1 - rank / 100 while 30 days shrink, else 0", 0.0, 1.0
        ),
        Output(
            "anomaly",
            "signal",
            "",
            "1 where a row's outflow exceeds `anomaly` deviations of 90 days, -1 an inflow",
            firing_rate=(0.001, 0.04),
        ),
    ),
    compute=_reserves,
    lookback=lambda parameters: 0,
    stable=lambda parameters: (
        int(max(parameters["rank_days"], parameters["minimum_days"], _ANOMALY_DAYS)) + 2
    ),
)

RESERVE_DOMINANCE = Indicator(
    name="reserve_dominance",
    text="Share of one venue in the coins of all, and its change; relabelled wallets are masked.",
    inputs=("event_time", "reserve", "exchange_reserves:venue.reserve"),
    only_clock=SECOND_CLOCK,
    parameters=(),
    outputs=(
        Output("share", "value", "fraction", "reserve of the venue / of all", 0.0, 1.0),
        Output("change_7d", "level", "percent", "of the share over seven days"),
    ),
    compute=_dominance,
    lookback=lambda parameters: 0,
    stable=lambda parameters: 9,
)

INDICATORS = (EXCHANGE_RESERVES, RESERVE_DOMINANCE)
