"""One symbol: its minutes on spot and on the perpetual, and the series around it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from engine import HOUR_NS, Bars, Bool1D, Float1D, Int1D, Series

from . import derivatives, flow, path
from .bars import Minutes, gathered_bars, minute_bars
from .parameters import (
    FUNDING_HOURS,
    HOURS_PER_DAY,
    MARKET_JUMPS_PER_HOUR,
    MINUTES_PER_HOUR,
    PERP_TRADE_RATIO,
    PERP_VOLUME_RATIO,
    RETURN_BY_HOUR,
    RETURN_BY_WEEKDAY,
    SHARED_VOLUME_NOISE,
    VOLATILITY_INFLATION,
    VOLUME_BY_HOUR,
    VOLUME_BY_WEEKDAY,
    VOLUME_ON_VOLATILITY,
    SymbolParameters,
    symbol_parameters,
)
from .planted import PLANTED_COLUMNS, planted_drift
from .series import slow_series
from .spec import SimulationSpec
from .streams import market_streams, normal_rows, symbol_streams


@dataclass(frozen=True, slots=True)
class Common:
    """What all symbols share: calendar, market noise, outages."""

    hours: int
    regime: Int1D
    slow: Float1D
    middle: Float1D
    shock: Float1D
    jump: Float1D
    down: Bool1D
    return_profile: Float1D
    volume_profile: Float1D


@dataclass(frozen=True, slots=True)
class SymbolMarket:
    """One symbol: bars of both markets, series, mark prices at settlements, planted drift.

    Minutes are None unless the spec keeps them.
    """

    spot_bars: Bars
    perp_bars: Bars
    spot_minutes: Bars | None
    perp_minutes: Bars | None
    series: Mapping[str, Series]
    funding_mark: Float1D
    drift: Float1D


def common_market(spec: SimulationSpec) -> Common:
    """Calendar, regime, noise and outages that every symbol of ``spec`` shares."""
    generators = market_streams(spec.seed)
    hours = spec.days * HOURS_PER_DAY
    minutes = hours * MINUTES_PER_HOUR
    first_hour = spec.start_ns // HOUR_NS
    return_profile = path.profile_by_hour(RETURN_BY_HOUR, RETURN_BY_WEEKDAY, first_hour, hours)
    volume_profile = path.profile_by_hour(VOLUME_BY_HOUR, VOLUME_BY_WEEKDAY, first_hour, hours)
    return Common(
        hours=hours,
        regime=path.regimes(generators["regime"], hours),
        slow=generators["slow"].standard_normal(hours),
        middle=generators["middle"].standard_normal(hours),
        shock=generators["shock"].standard_normal(minutes),
        jump=path.jumps(generators["jump"], minutes, MARKET_JUMPS_PER_HOUR),
        down=path.outages(generators["outage"], spec.days, spec.outages_per_year),
        return_profile=return_profile,
        volume_profile=volume_profile - VOLUME_ON_VOLATILITY * return_profile,
    )


def symbol_market(spec: SimulationSpec, symbol: str, common: Common) -> SymbolMarket:
    """Everything of ``symbol``: path, flow, premium, planted drift, prices, series, in that order."""
    generators = symbol_streams(spec.seed, symbol)
    traits = symbol_parameters(symbol)
    base = traits.hourly_volatility / math.sqrt(MINUTES_PER_HOUR) / VOLATILITY_INFLATION
    log_return, volatility, standard = path.minute_returns(
        path.hourly_log_volatility(
            common.regime,
            (common.slow, common.middle),
            (
                generators["slow"].standard_normal(common.hours),
                generators["middle"].standard_normal(common.hours),
            ),
            common.return_profile,
            base,
        ),
        common.shock,
        common.jump,
        generators,
    )
    flows = _flows(traits, common, volatility, standard, base, generators)
    hour_return = log_return.reshape(-1, MINUTES_PER_HOUR).sum(axis=1)
    premium = derivatives.premium_of_hours(
        hour_return, traits.hourly_volatility, normal_rows(generators["premium"], common.hours, 2)
    )
    ratios = derivatives.long_short_ratios(
        hour_return, traits.hourly_volatility, normal_rows(generators["ratios"], common.hours, 3)
    )
    drift = _drift(spec, common, flows[0], premium, ratios)
    prices = path.minute_prices(log_return, drift, volatility, generators, traits.start_price)
    del log_return, volatility, standard
    perp = minute_bars(
        symbol,
        spec.start_ns,
        Minutes(*prices, *flows[1], PERP_TRADE_RATIO * traits.quote_per_trade),
        common.down,
    )
    hourly_perp = gathered_bars(perp, "1h")
    perp_bars = gathered_bars(perp, spec.timeframe)
    # six years of minutes take a gigabyte: what is not asked for is let go early
    kept_perp = perp if spec.keep_minutes else None
    del perp
    discount = 1.0 / np.repeat(1.0 + premium, MINUTES_PER_HOUR)
    opened, high, low, close = prices
    spot = minute_bars(
        symbol,
        spec.start_ns,
        Minutes(
            opened * discount,
            high * discount,
            low * discount,
            close * discount,
            *flows[0],
            traits.quote_per_trade,
        ),
        common.down,
    )
    hour_close = prices[3][MINUTES_PER_HOUR - 1 :: MINUTES_PER_HOUR].copy()
    series = slow_series(
        spec, traits, common.down, hour_return, hour_close, premium, ratios, hourly_perp, generators
    )
    return SymbolMarket(
        spot_bars=gathered_bars(spot, spec.timeframe),
        perp_bars=perp_bars,
        spot_minutes=spot if spec.keep_minutes else None,
        perp_minutes=kept_perp,
        series=MappingProxyType(series),
        funding_mark=hour_close[derivatives.hour_rows(common.hours, FUNDING_HOURS)],
        drift=drift,
    )


def _flows(
    traits: SymbolParameters,
    common: Common,
    volatility: Float1D,
    standard: Float1D,
    base: float,
    generators: dict[str, np.random.Generator],
) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
    """Volume and taker-buy share of every minute, on spot and on the perpetual."""
    noise = normal_rows(generators["volume"], common.hours, 2)
    slow: Float1D = noise[0]
    fast: Float1D = noise[1]
    lean = generators["taker"].standard_normal(common.hours)
    result = []
    for market, ratio in (("spot", 1.0), ("perp", PERP_VOLUME_RATIO)):
        own = generators[f"{market}_volume_hour"].standard_normal(common.hours)
        result.append(
            flow.minute_flow(
                flow.hour_log_volume(
                    ratio * traits.quote_per_hour / traits.start_price,
                    common.volume_profile,
                    slow,
                    math.sqrt(SHARED_VOLUME_NOISE) * fast
                    + math.sqrt(1.0 - SHARED_VOLUME_NOISE) * own,
                ),
                flow.hour_taker_lean(lean),
                volatility,
                standard,
                base,
                generators[f"{market}_volume"],
                generators[f"{market}_taker"],
            )
        )
    return result[0], result[1]


def _drift(
    spec: SimulationSpec,
    common: Common,
    spot_flow: tuple[Float1D, Float1D],
    premium: Float1D,
    ratios: Mapping[str, Float1D],
) -> Float1D:
    """Log drift of every hour, ``(H,)``; 0 unless something is planted."""
    if spec.planted_column is None or spec.planted_edge is None:
        return np.zeros(common.hours)
    column = PLANTED_COLUMNS[spec.planted_column]
    z = np.zeros(common.hours)
    if spec.planted_column == "taker_flow":
        volume, share = spot_flow
        up = np.where(common.down, 0.0, volume).reshape(-1, MINUTES_PER_HOUR)
        bought = (up * share.reshape(-1, MINUTES_PER_HOUR)).sum(axis=1)
        total = up.sum(axis=1)
        traded = total > 0.0
        z[traded] = column.standardised(bought[traded] / total[traded])
    elif spec.planted_column == "funding":
        settled = column.standardised(derivatives.settled_funding(premium))
        known = np.repeat(settled, FUNDING_HOURS)
        z[FUNDING_HOURS - 1 :] = known[: common.hours - FUNDING_HOURS + 1]
    else:
        # a snapshot is published five minutes after the hour: the end of the hour knows the last one
        z[1:] = column.standardised(ratios[column.column])[:-1]
    return planted_drift(z, spec.planted_edge, spec.planted_horizon_hours)
