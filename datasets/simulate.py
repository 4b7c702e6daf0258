"""A simulated market: several symbols, spot and perpetual, with the slow series around them.

Everything is made from one seed, in one-minute steps, and shaped after the moments of real files
(``docs/simulated-market.md``). In mode ``null`` nothing predicts the price; in mode ``planted`` one
stated column announces a drift of a stated size. The perpetual is the reference price: its expected
next price is its price, exactly. Spot is the perpetual without its premium.

>>> spec = SimulationSpec(symbols=("BTCSIM",), days=2, seed=1)
>>> market = simulate(spec)
>>> len(market.markets["BTCSIM"].bars)
48
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from engine import (
    DAY_NS,
    HOUR_NS,
    Bars,
    Bool1D,
    ConfigError,
    Float1D,
    Int1D,
    Market,
    Series,
    timeframe_ns,
)

from .kinds import KINDS
from .simulation import daily, derivatives, flow, path
from .simulation.bars import Minutes, gathered_bars, minute_bars
from .simulation.parameters import (
    FUNDING_HOURS,
    HOURS_PER_DAY,
    MINUTES_PER_HOUR,
    PERP_VOLUME_RATIO,
    RETURN_BY_HOUR,
    RETURN_BY_WEEKDAY,
    VOLATILITY_INFLATION,
    VOLUME_BY_HOUR,
    VOLUME_BY_WEEKDAY,
    VOLUME_ON_VOLATILITY,
    SymbolParameters,
    symbol_parameters,
)
from .simulation.planted import PLANTED_COLUMNS, planted_drift
from .simulation.streams import streams

DEFAULT_SYMBOLS: Final = ("BTCSIM", "ETHSIM", "SOLSIM")
DEFAULT_START_NS: Final = 1_609_459_200_000_000_000
"""2021-01-01 00:00 UTC."""
MAX_DAYS: Final = 3660
SIMULATED_VENUE: Final = "simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSpec:
    """What to simulate.

    ``mode`` is ``null`` (nothing predicts the price) or ``planted``. ``symbols`` name themselves;
    BTCSIM, ETHSIM and SOLSIM have parameters of their own, other names share one set.
    ``start_ns`` is a midnight UTC. ``timeframe`` is the step of the bars (at most 1d, gathered from
    minutes); slow series keep their own steps. In mode ``planted``, ``planted_column`` is a key of
    :data:`PLANTED_COLUMNS` and ``planted_edge`` is the drift of log price in basis points per hour
    for each standard deviation of that column, in each of the ``planted_horizon_hours`` after the
    hour at whose end the column was known; a negative edge makes a high column announce a fall.
    ``outages_per_year`` is the expected count of outages of one to twelve hours.
    ``keep_minutes`` also returns the one-minute bars.

    Raises ConfigError for a value that breaks these rules.
    """

    mode: Literal["null", "planted"] = "null"
    symbols: tuple[str, ...] = DEFAULT_SYMBOLS
    start_ns: int = DEFAULT_START_NS
    days: int = 365
    seed: int = 1
    timeframe: str = "1h"
    planted_column: str | None = None
    planted_edge: float | None = None
    planted_horizon_hours: int = 1
    outages_per_year: float = 2.0
    keep_minutes: bool = False

    def __post_init__(self) -> None:
        self._check_market()
        self._check_plant()

    def _check_market(self) -> None:
        bad = [name for name in self.symbols if not re.fullmatch(r"[A-Z0-9]{2,30}", name)]
        if not self.symbols or bad or len(set(self.symbols)) != len(self.symbols):
            raise ConfigError(
                f"symbols={self.symbols!r}: give one or more different names of capital letters and "
                "digits, such as BTCSIM"
            )
        if self.start_ns % DAY_NS or self.start_ns < 0:
            raise ConfigError(f"start_ns={self.start_ns} must be a midnight UTC after 1970")
        if not 1 <= self.days <= MAX_DAYS:
            raise ConfigError(f"days={self.days} must lie in [1, {MAX_DAYS}]")
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed} must not be negative")
        if timeframe_ns(self.timeframe) > DAY_NS:
            raise ConfigError(f"timeframe={self.timeframe!r} must be at most 1d")
        if not 0.0 <= self.outages_per_year <= 100.0:
            raise ConfigError(f"outages_per_year={self.outages_per_year} must lie in [0, 100]")

    def _check_plant(self) -> None:
        if self.mode not in ("null", "planted"):
            raise ConfigError(f"mode={self.mode!r} must be null or planted")
        if self.mode == "null":
            if self.planted_column is not None or self.planted_edge is not None:
                raise ConfigError(
                    "mode='null' plants nothing: leave planted_column and planted_edge out, or set "
                    "mode='planted'"
                )
            return
        if self.planted_column not in PLANTED_COLUMNS:
            raise ConfigError(
                f"planted_column={self.planted_column!r} must be one of {sorted(PLANTED_COLUMNS)}"
            )
        if self.planted_edge is None or not abs(self.planted_edge) <= 100.0:
            raise ConfigError(
                f"planted_edge={self.planted_edge} must lie in [-100, 100] basis points per hour "
                "and standard deviation"
            )
        if not 1 <= self.planted_horizon_hours <= 168:
            raise ConfigError(
                f"planted_horizon_hours={self.planted_horizon_hours} must lie in [1, 168]"
            )

    @property
    def source(self) -> str:
        """Name of the data's source in the store: seed and mode, and what was planted."""
        if self.mode == "null":
            return f"seed{self.seed}-null"
        edge = f"{self.planted_edge:g}bps{self.planted_horizon_hours}h"
        return f"seed{self.seed}-planted-{self.planted_column}-{edge}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMarket:
    """What :func:`simulate` returns, each mapping by symbol.

    ``markets`` hold spot bars and every slow series; ``perp_bars`` are the bars of the perpetual on
    the same grid; ``funding_mark`` is the mark price at each row of the funding series.
    ``minute_bars`` and ``perp_minute_bars`` are empty unless the spec keeps them. ``regime`` is the
    true volatility regime of every hour (0 calm, 1 normal, 2 turbulent), ``drift_bps`` the planted
    drift of every hour in basis points: neither is known to anyone in the market.
    """

    spec: SimulationSpec
    markets: Mapping[str, Market]
    perp_bars: Mapping[str, Bars]
    funding_mark: Mapping[str, Float1D]
    regime: Int1D
    drift_bps: Mapping[str, Float1D]
    minute_bars: Mapping[str, Bars] = field(default_factory=dict)
    perp_minute_bars: Mapping[str, Bars] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Common:
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
class _Symbol:
    """One symbol before it is sorted into the mappings of the market."""

    spot_minutes: Bars
    perp_minutes: Bars
    series: Mapping[str, Series]
    funding_mark: Float1D
    drift: Float1D


def simulate(spec: SimulationSpec) -> SimulatedMarket:
    """The market that ``spec`` describes; the same spec gives the same bytes.

    More days leave the earlier ones as they were, and so does another symbol at the end.
    """
    market_streams, symbol_streams = streams(spec.seed, spec.symbols)
    common = _common(spec, market_streams)
    symbols = {
        symbol: _symbol(spec, symbol, common, generators)
        for symbol, generators in zip(spec.symbols, symbol_streams, strict=True)
    }
    return SimulatedMarket(
        spec=spec,
        markets=MappingProxyType(
            {
                name: Market(
                    bars=gathered_bars(one.spot_minutes, spec.timeframe), series=one.series
                )
                for name, one in symbols.items()
            }
        ),
        perp_bars=_bars_by_symbol(symbols, "perp_minutes", spec.timeframe),
        funding_mark=MappingProxyType({name: one.funding_mark for name, one in symbols.items()}),
        regime=common.regime,
        drift_bps=MappingProxyType({name: 1e4 * one.drift for name, one in symbols.items()}),
        minute_bars=_bars_by_symbol(symbols if spec.keep_minutes else {}, "spot_minutes", "1m"),
        perp_minute_bars=_bars_by_symbol(
            symbols if spec.keep_minutes else {}, "perp_minutes", "1m"
        ),
    )


def _bars_by_symbol(
    symbols: Mapping[str, _Symbol], attribute: str, timeframe: str
) -> Mapping[str, Bars]:
    return MappingProxyType(
        {name: gathered_bars(getattr(one, attribute), timeframe) for name, one in symbols.items()}
    )


def _common(spec: SimulationSpec, generators: dict[str, np.random.Generator]) -> _Common:
    hours = spec.days * HOURS_PER_DAY
    minutes = hours * MINUTES_PER_HOUR
    first_hour = spec.start_ns // HOUR_NS
    return_profile = path.profile_by_hour(RETURN_BY_HOUR, RETURN_BY_WEEKDAY, first_hour, hours)
    volume_profile = path.profile_by_hour(VOLUME_BY_HOUR, VOLUME_BY_WEEKDAY, first_hour, hours)
    return _Common(
        hours=hours,
        regime=path.regimes(generators["regime"], hours),
        slow=generators["slow"].standard_normal(hours),
        middle=generators["middle"].standard_normal(hours),
        shock=generators["shock"].standard_normal(minutes),
        jump=path.jumps(generators["jump"], minutes),
        down=path.outages(generators["outage"], spec.days, spec.outages_per_year),
        return_profile=return_profile,
        volume_profile=volume_profile - VOLUME_ON_VOLATILITY * return_profile,
    )


def _symbol(
    spec: SimulationSpec,
    symbol: str,
    common: _Common,
    generators: dict[str, np.random.Generator],
) -> _Symbol:
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
        hour_return, traits.hourly_volatility, _normal_rows(generators["premium"], common.hours, 2)
    )
    ratios = derivatives.long_short_ratios(
        hour_return, traits.hourly_volatility, _normal_rows(generators["ratios"], common.hours, 3)
    )
    drift = _drift(spec, common, flows[0], premium, ratios)
    prices = path.minute_prices(log_return, drift, volatility, generators, traits.start_price)
    one_plus = np.repeat(1.0 + premium, MINUTES_PER_HOUR)
    spot, perp = (
        minute_bars(symbol, spec.start_ns, Minutes(*columns, *flow_of_market, size), common.down)
        for columns, flow_of_market, size in (
            ([column / one_plus for column in prices], flows[0], traits.quote_per_trade),
            (prices, flows[1], 1.5 * traits.quote_per_trade),
        )
    )
    hour_close = prices[3].reshape(-1, MINUTES_PER_HOUR)[:, -1]
    settled = derivatives.hour_rows(common.hours, FUNDING_HOURS)
    series = _slow_series(
        spec, traits, common, hour_return, hour_close, premium, ratios, perp, generators
    )
    return _Symbol(spot, perp, MappingProxyType(series), hour_close[settled], drift)


def _normal_rows(generator: np.random.Generator, rows: int, columns: int) -> Float1D:
    """Noise ``(columns, rows)`` drawn row by row, so that more rows continue the same numbers."""
    return np.ascontiguousarray(generator.standard_normal((rows, columns)).T)


def _flows(
    traits: SymbolParameters,
    common: _Common,
    volatility: Float1D,
    standard: Float1D,
    base: float,
    generators: dict[str, np.random.Generator],
) -> tuple[tuple[Float1D, Float1D], tuple[Float1D, Float1D]]:
    """Turnover and taker-buy share of every minute, on spot and on the perpetual."""
    slow, fast = _normal_rows(generators["volume"], common.hours, 2)
    lean = generators["taker"].standard_normal(common.hours)
    result = []
    for market, ratio in (("spot", 1.0), ("perp", PERP_VOLUME_RATIO)):
        own = generators[f"{market}_volume_hour"].standard_normal(common.hours)
        result.append(
            flow.minute_flow(
                flow.hour_log_turnover(
                    ratio * traits.quote_per_hour,
                    common.volume_profile,
                    (slow, math.sqrt(0.5) * (fast + own)),
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
    common: _Common,
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
        turnover, share = spot_flow
        up = np.where(common.down, 0.0, turnover).reshape(-1, MINUTES_PER_HOUR)
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


def _slow_series(
    spec: SimulationSpec,
    traits: SymbolParameters,
    common: _Common,
    hour_return: Float1D,
    hour_close: Float1D,
    premium: Float1D,
    ratios: Mapping[str, Float1D],
    perp: Bars,
    generators: dict[str, np.random.Generator],
) -> dict[str, Series]:
    hour_open_ns = spec.start_ns + HOUR_NS * np.arange(common.hours, dtype=np.int64)
    up = ~common.down.reshape(-1, MINUTES_PER_HOUR).all(axis=1)
    hourly_perp = gathered_bars(perp, "1h")
    interest = derivatives.open_interest(
        hour_return,
        traits.hourly_volatility,
        generators["open_interest"].standard_normal(common.hours),
        PERP_VOLUME_RATIO * traits.quote_per_hour,
        traits.start_price,
    )
    bought = hourly_perp.taker_buy_volume
    assert bought is not None
    metrics = {
        "sum_open_interest": interest,
        "sum_open_interest_value": interest * hour_close,
        **ratios,
        "sum_taker_long_short_vol_ratio": derivatives.taker_ratio(bought, hourly_perp.volume),
    }
    settled_ns = hour_open_ns[derivatives.hour_rows(common.hours, FUNDING_HOURS)] + HOUR_NS
    rates = derivatives.settled_funding(premium)
    return {
        "funding": _series(
            "funding",
            settled_ns,
            {"rate": rates, "interval_hours": np.full(len(rates), float(FUNDING_HOURS))},
            FUNDING_HOURS * HOUR_NS,
        ),
        "metrics": _series(
            "metrics",
            hour_open_ns[up] + HOUR_NS,
            {name: column[up] for name, column in metrics.items()},
            HOUR_NS,
        ),
        "premium": _series(
            "premium",
            hour_open_ns[up],
            {
                "mark_close": hour_close[up],
                "index_close": (hour_close / (1.0 + premium))[up],
                "premium_close": premium[up],
            },
            HOUR_NS,
        ),
        **_daily_series(spec, traits, hour_return, hour_close, generators["daily"]),
    }


def _daily_series(
    spec: SimulationSpec,
    traits: SymbolParameters,
    hour_return: Float1D,
    hour_close: Float1D,
    generator: np.random.Generator,
) -> dict[str, Series]:
    by_day = hour_return.reshape(-1, HOURS_PER_DAY)
    day_return = by_day.sum(axis=1)
    day_volatility = np.sqrt((by_day * by_day).sum(axis=1))
    day_close = hour_close.reshape(-1, HOURS_PER_DAY)[:, -1]
    noise = _normal_rows(generator, spec.days, 4)
    columns = {
        "fear_greed": ("value", daily.fear_greed(day_return, day_volatility, noise[0])),
        "exchange_reserves": (
            "reserve",
            daily.exchange_reserves(day_return, traits.coins_on_exchanges, noise[1]),
        ),
        "tvl": ("tvl_usd", daily.value_locked(day_close, traits.coins_on_exchanges, noise[2])),
        "implied_volatility": (
            "dvol_close",
            daily.implied_volatility(hour_return, traits.hourly_volatility, noise[3]),
        ),
    }
    day_ns = spec.start_ns + DAY_NS * np.arange(spec.days, dtype=np.int64)
    return {
        name: _series(name, day_ns, {column: values}, DAY_NS)
        for name, (column, values) in columns.items()
    }


def _series(
    kind_name: str, event_time: Int1D, columns: Mapping[str, Float1D], step_ns: int
) -> Series:
    kind = KINDS[kind_name]
    return Series(
        name=kind_name,
        max_age_ns=kind.max_age_ns,
        event_time=event_time,
        available_at=event_time + kind.lag(step_ns),
        columns=columns,
    )
