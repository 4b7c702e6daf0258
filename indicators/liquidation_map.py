"""Where leveraged positions would be liquidated, on the clock ``bars+metrics+funding`` (SPEC H9.5).

No venue publishes open interest by price, so it is presumed: interest that is opened on a bar is spread
over six leverages around its close, and what price meets later is gone. One step is a decision bar;
interest that opened and closed within a bar leaves no trace. Distances are in percent of the close,
masses in dollars of the quote currency. ``stable`` counts rows of hourly bars.
"""

from typing import Final

import numpy as np

from engine import DAY_NS, ConfigError, Float1D, Float2D, kernel

from ._liquidation_map import NOWHERE, liquidation_map_kernel
from .funding import funding_for
from .rolling import previous_mean_ratio, quotient
from .spec import Columns, Indicator, Output, Parameter, Parameters
from .taker_flow import log_returns, taker_share
from .time_window import window_moments, window_z_score
from .volatility import true_range

LEVERAGES: Final = (5, 10, 20, 25, 50, 100)
_WEIGHTS: Final = (0.15, 0.25, 0.25, 0.15, 0.13, 0.07)
_FUNDING_STEPS: Final = (5e-5, 1e-4, 2e-4)
"""Sizes of funding for eight hours above which traders are presumed at 10x, 20x and 50x, else 5x."""
_FUNDING_LEVERAGES: Final = (0, 1, 2, 4)
_MAINTENANCE: Final = 0.005
_IMPACT_DAYS: Final = 7.0
_MONTH: Final = 30.0
_WARM_DAYS: Final = 14.0
_HALF_LIVES: Final = 20
"""After so many an old level has a millionth of its mass."""
_TIERS: Final = (0.2, 0.4, 0.6, 0.8)
_INSIDE_PERCENT: Final = 1.0
_FADED: Final = 0.5
_FADE_BARS: Final = 12
_VOLUME_LENGTH: Final = 20
_ROWS_PER_DAY: Final = 24


@kernel(nogil=True)
def _median_kernel(
    open_time: Float1D, values: Float1D, counted: Float1D, span_ns: float
) -> Float1D:
    """Median of the ``values`` of the last ``span_ns`` that are ``counted``; 0 where none is."""
    out = np.zeros(len(values))
    ordered = np.empty(len(values))
    count, first = 0, 0
    for t in range(len(values)):
        if counted[t] > 0:
            at = int(np.searchsorted(ordered[:count], values[t]))
            for i in range(count, at, -1):
                ordered[i] = ordered[i - 1]
            ordered[at] = values[t]
            count += 1
        while first < t and open_time[first] <= open_time[t] - span_ns:
            if counted[first] > 0 and count > 0:
                at = min(int(np.searchsorted(ordered[:count], values[first])), count - 1)
                for i in range(at, count - 1):
                    ordered[i] = ordered[i + 1]
                count -= 1
            first += 1
        if count > 0:
            out[t] = 0.5 * (ordered[(count - 1) // 2] + ordered[count // 2])
    return out


@kernel(nogil=True)
def _exhausted_kernel(longs: Float1D, shorts: Float1D, volume: Float1D) -> Float1D:
    out = np.zeros(len(longs))
    side, peak, age = 0.0, 0.0, 0
    for t in range(len(longs)):
        age += 1
        if max(longs[t], shorts[t]) >= 1.0:
            side = 1.0 if longs[t] >= shorts[t] else -1.0
            peak, age = volume[t], 0
        elif side != 0 and age <= _FADE_BARS and volume[t] <= _FADED * peak:
            out[t] = side
            side = 0.0
    return out


def leverage_weights(f8: Float1D, weights: Float1D, shift: float) -> Float2D:
    """Shares of new interest at each of ``LEVERAGES``, ``(T, 6)``, rows adding up to 1.

    ``shift`` of the mass moves to the leverage that the size of funding for eight hours points at.
    """
    size = np.abs(f8)
    bucket = np.zeros(len(f8), dtype=np.int64)
    for edge in _FUNDING_STEPS:
        bucket += size > edge
    pointed = np.zeros((len(f8), len(LEVERAGES)))
    pointed[np.arange(len(f8)), np.array(_FUNDING_LEVERAGES)[bucket]] = 1.0
    return (1.0 - shift) * weights + shift * pointed


def dollar_impact(open_time: Float1D, close: Float1D, quote_volume: Float1D) -> Float1D:
    """Log return of one dollar traded (Amihud): median |return| / quote volume of the last 7 days.

    Bars without volume do not count; 0 where no bar has any. ``(T,)``.
    """
    traded = quote_volume > 0
    illiquidity = np.abs(log_returns(close)) / np.where(traded, quote_volume, 1.0)
    return _median_kernel(open_time, illiquidity, traded.astype(np.float64), _IMPACT_DAYS * DAY_NS)


def _weights(parameters: Parameters) -> Float1D:
    given = np.array([parameters[f"weight_{leverage}x"] for leverage in LEVERAGES])
    if not given.sum() > 0:
        raise ConfigError("liquidation_map: one of weight_5x to weight_100x must be positive")
    normal: Float1D = given / given.sum()
    return normal


def _regressors(
    columns: Columns, mass: Float1D, distance: Float1D, f8: Float1D, impact: Float1D,
    rows_per_day: Float1D,
) -> tuple[Float1D, ...]:  # fmt: skip
    """What the odds are fitted on: ln(mass / depth), distance, |z| of funding, z of crowding.

    Depth is the dollars that move price by 1 % at the present impact; distance counts in daily ranges;
    crowding is open interest over a day's volume. Where there is no mass its ratio is 1e-6.
    """
    open_time, close = columns["open_time"], columns["close"]
    ratio = mass * impact / 0.01
    reach = true_range(columns["high"], columns["low"], close) / np.where(close > 0, close, 1.0)
    row_range, _ = window_moments(open_time, reach, _WARM_DAYS, _WARM_DAYS)
    volume, _ = window_moments(open_time, columns["volume"] * close, _MONTH, 0.0)
    interest = columns["metrics.sum_open_interest"] * close
    crowding = quotient(interest, volume * rows_per_day, 0.0)
    # Before its first mean the volume is unknown, and a NaN would stay in the window.
    crowding = np.where(np.isnan(crowding), 0.0, crowding)
    return (
        np.log(np.maximum(ratio, 1e-6)),
        quotient(distance, 100.0 * row_range * np.sqrt(rows_per_day), 0.0),
        np.abs(window_z_score(open_time, f8, _MONTH, _WARM_DAYS)),
        window_z_score(open_time, crowding, _MONTH, _WARM_DAYS),
    )


def _probability(
    parameters: Parameters, mass: Float1D, regressors: tuple[Float1D, ...], daily_volume: Float1D
) -> Float1D:
    """Fitted coefficients where there are any, else mass over a share of the daily volume."""
    if parameters["fitted"] < 1:
        return np.minimum(0.95, quotient(mass, parameters["full_mass_share"] * daily_volume, 0.0))
    relative_mass, distance, funding, crowding = regressors
    score = (
        parameters["intercept"]
        + parameters["mass_weight"] * relative_mass
        - parameters["distance_weight"] * distance
        + parameters["funding_weight"] * funding
        + parameters["crowding_weight"] * crowding
    )
    return np.where(mass > 0, 1.0 / (1.0 + np.exp(-np.clip(score, -50.0, 50.0))), 0.0)


def _liquidation_map(columns: Columns, parameters: Parameters) -> tuple[Float1D, ...]:
    open_time, known_at = columns["open_time"], columns["known_at"]
    close, volume = columns["close"], columns["volume"]
    f8 = funding_for(columns["funding.rate"], columns["funding.interval_hours"], 8.0)
    buys = taker_share(columns["taker_buy_volume"], volume, 1)
    quote_volume = volume * close
    impact = dollar_impact(open_time, close, quote_volume)
    table = liquidation_map_kernel(
        open_time, known_at, columns["high"], columns["low"], close, columns["is_gap"],
        columns["metrics.sum_open_interest"], 0.5 + 0.5 * (buys - 0.5),
        leverage_weights(f8, _weights(parameters), parameters["funding_shift"]),
        np.array(LEVERAGES, dtype=np.float64), impact, _MAINTENANCE,
        parameters["half_life_days"] * DAY_NS, int(parameters["rank_days"]),
        parameters["percentile"],
    )  # fmt: skip
    step = known_at - open_time
    rows_per_day = DAY_NS / np.where(step > 0, step, float(DAY_NS))
    mean_volume, _ = window_moments(open_time, quote_volume, _MONTH, _WARM_DAYS)
    # Two weeks and enough rows: as the mean volume, so that every level begins on one row.
    known = np.where(np.isnan(mean_volume), np.nan, 0.0)
    longs_nearer = table[:, 0] <= table[:, 3]
    distance = np.where(longs_nearer, table[:, 0], table[:, 3])
    mass = np.where(longs_nearer, table[:, 1], table[:, 4])
    is_zone = np.where(longs_nearer, table[:, 2], table[:, 5]) > 0
    regressors = _regressors(columns, mass, distance, f8, impact, rows_per_day)
    probability = _probability(parameters, mass, regressors, mean_volume * rows_per_day)
    warm = ~np.isnan(known)
    tier = 1.0 + sum((probability >= edge).astype(np.float64) for edge in _TIERS)
    risk = np.where(warm, tier, 0.0)
    near = warm & is_zone & (distance < parameters["alert_percent"])
    alert = np.where(near, np.where(longs_nearer, -1.0, 1.0), 0.0)
    inside = np.where(warm & is_zone & (distance < _INSIDE_PERCENT), risk, 0.0)
    relative_volume = previous_mean_ratio(volume, _VOLUME_LENGTH)
    exhausted = _exhausted_kernel(table[:, 8], table[:, 9], relative_volume)
    return (
        table[:, 0] + known, table[:, 1] + known, table[:, 3] + known, table[:, 4] + known,
        np.clip(table[:, 6], -100.0, 1e6) + known, table[:, 7] + known, probability + known,
        risk, alert, inside, np.where(risk == len(_TIERS) + 1, 0.5, 1.0) + known,
        np.where(warm, exhausted, 0.0), *(one + known for one in regressors),
    )  # fmt: skip


def _stable(parameters: Parameters) -> int:
    days = _HALF_LIVES * parameters["half_life_days"] + parameters["rank_days"] + _MONTH
    return int(days) * _ROWS_PER_DAY + _ROWS_PER_DAY


def _coefficient(name: str) -> Parameter:
    return Parameter(name, 0.0, -20.0, 20.0, integer=False)


LIQUIDATION_MAP = Indicator(
    name="liquidation_map",
    text=(
        "Presumed liquidation levels from new open interest: nearest clusters, cascade and its odds. "
        "Until coefficients are fitted the odds are mass over `full_mass_share` of a day's volume: "
        "what is traded in half an hour."
    ),
    inputs=(
        "open_time",
        "known_at",
        "high",
        "low",
        "close",
        "volume",
        "taker_buy_volume",
        "is_gap",
        "metrics.sum_open_interest",
        "funding.rate",
        "funding.interval_hours",
    ),
    only_clock="bars+metrics+funding",
    parameters=(
        Parameter("half_life_days", 14, 3, 60),
        Parameter("rank_days", 90, 30, 180),
        Parameter("percentile", 90.0, 50.0, 99.0, integer=False),
        Parameter("alert_percent", 5.0, 1.0, 10.0, integer=False),
        Parameter("funding_shift", 0.25, 0.0, 1.0, integer=False),
        *(
            Parameter(f"weight_{leverage}x", weight, 0.0, 1.0, integer=False)
            for leverage, weight in zip(LEVERAGES, _WEIGHTS, strict=True)
        ),
        Parameter("full_mass_share", 0.02, 1e-4, 1.0, integer=False),
        Parameter("fitted", 0, 0, 1),
        _coefficient("intercept"),
        _coefficient("mass_weight"),
        _coefficient("distance_weight"),
        _coefficient("funding_weight"),
        _coefficient("crowding_weight"),
    ),
    outputs=(
        Output("long_distance", "level", "percent", "down to the zone of longs", 0.0, NOWHERE),
        Output("long_mass", "level", "quote", "dollars of longs in it", low=0.0),
        Output("short_distance", "level", "percent", "up to the zone of shorts", low=0.0),
        Output("short_mass", "level", "quote", "dollars of shorts in it", low=0.0),
        Output("domino_size", "level", "percent", "move once the nearer zone is met", low=-100.0),
        Output("domino_mass", "level", "quote", "dollars liquidated by that move", low=0.0),
        Output("probability", "level", "", "odds of a cascade within a day", 0.0, 1.0),
        Output("risk", "state", "", "1 minimal, 2 low, 3 moderate, 4 high, 5 extreme"),
        Output(
            "alert",
            "signal",
            "",
            "-1 where a zone of longs is nearer than `alert_percent`, 1 of shorts",
            firing_rate=(0.10, 1.0),
        ),
        Output("inside", "state", "", "risk while a zone is nearer than 1 %, else 0"),
        Output("size_scale", "level", "factor", "0.5 at extreme risk, else 1", 0.5, 1.0),
        Output(
            "exhausted",
            "signal",
            "",
            "1 once volume has faded after a zone of longs was cleared, -1 of shorts",
            firing_rate=(0.0005, 0.10),
        ),
        Output("relative_mass", "level", "", "ln(mass / dollars that move price by 1 %)"),
        Output("relative_distance", "level", "daily ranges", "to the nearer zone", low=0.0),
        Output("funding_size", "level", "deviations", "|z| of funding over 30 days", low=0.0),
        Output("crowding", "level", "deviations", "z of open interest over a day's volume"),
    ),
    compute=_liquidation_map,
    lookback=lambda parameters: 0,
    stable=_stable,
)

INDICATORS = (LIQUIDATION_MAP,)
