"""The slow series of one symbol, with the time at which each row is known."""

from collections.abc import Mapping

import numpy as np

from engine import DAY_NS, HOUR_NS, Bars, Bool1D, Float1D, Int1D, Series

from ..kinds import KINDS
from . import daily, derivatives
from .parameters import (
    FUNDING_HOURS,
    HOURS_PER_DAY,
    MINUTES_PER_HOUR,
    PERP_VOLUME_RATIO,
    SymbolParameters,
)
from .spec import SimulationSpec
from .streams import normal_rows


def slow_series(
    spec: SimulationSpec,
    traits: SymbolParameters,
    down: Bool1D,
    hour_return: Float1D,
    hour_close: Float1D,
    premium: Float1D,
    ratios: Mapping[str, Float1D],
    hourly_perp: Bars,
    generators: dict[str, np.random.Generator],
) -> dict[str, Series]:
    """Every slow series by kind, from hourly returns, closes and derivatives, each ``(H,)``.

    Snapshots and premium bars of hours without any trading are absent.
    """
    hours = len(hour_return)
    hour_open_ns = spec.start_ns + HOUR_NS * np.arange(hours, dtype=np.int64)
    up = ~down.reshape(-1, MINUTES_PER_HOUR).all(axis=1)
    interest = derivatives.open_interest(
        hour_return,
        traits.hourly_volatility,
        generators["open_interest"].standard_normal(hours),
        PERP_VOLUME_RATIO * traits.quote_per_hour,
        traits.start_price,
    )
    bought = hourly_perp.columns()["taker_buy_volume"]
    metrics = {
        "sum_open_interest": interest,
        "sum_open_interest_value": interest * hour_close,
        **ratios,
        "sum_taker_long_short_vol_ratio": derivatives.taker_ratio(bought, hourly_perp.volume),
    }
    settled_ns = hour_open_ns[derivatives.hour_rows(hours, FUNDING_HOURS)] + HOUR_NS
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
        **_perpetual_prices(hour_open_ns[up], hour_close[up], premium[up]),
        **_daily_series(spec, traits, hour_return, hour_close, generators["daily"]),
    }


def _perpetual_prices(hour_open_ns: Int1D, mark: Float1D, premium: Float1D) -> dict[str, Series]:
    closes = {"mark_price": mark, "index_price": mark / (1.0 + premium), "premium_index": premium}
    return {
        kind: _series(kind, hour_open_ns, {"close": values}, HOUR_NS)
        for kind, values in closes.items()
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
    noise = normal_rows(generator, spec.days, 4)
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
    known_ns = event_time + kind.lag_steps * step_ns + kind.lag_ns
    return Series(
        name=kind_name,
        max_age_ns=kind.max_age_ns,
        event_time=event_time,
        available_at=known_ns,
        columns=columns,
    )
