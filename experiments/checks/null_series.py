"""Slow series and trades beside a null market: persistent, and independent of any price after them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine import DAY_NS, HOUR_NS, MINUTE_NS, Bars, Float1D, Int1D, Series

from .noise import persistent_noise

HISTORY_ROWS: Final = 1_500
"""Rows of every slow series before the first bar, so that each has a series of its own to replay."""


def _series(
    name: str,
    columns: Mapping[str, Float1D],
    event_time: Int1D,
    lag_ns: int,
    max_age_ns: int,
) -> Series:
    return Series(
        name=name,
        max_age_ns=max_age_ns,
        event_time=event_time,
        available_at=event_time + lag_ns,
        columns=columns,
    )


def null_series(
    start_ns: int, end_ns: int, seed: int, *, history_rows: int = HISTORY_ROWS
) -> Mapping[str, Series]:
    """Every slow series, persistent noise independent of any price.

    Each begins ``history_rows`` of its own rows before ``start_ns``.
    """
    generator = np.random.default_rng([seed, 1])

    def times(step_ns: int) -> Int1D:
        first = start_ns // step_ns - history_rows
        return step_ns * np.arange(first, -(-end_ns // step_ns))

    def noise(times_ns: Int1D, memory: float, spread: float) -> Float1D:
        return persistent_noise(generator, len(times_ns), memory, spread, heavy_tails=True)

    hourly, eight, daily = times(HOUR_NS), times(8 * HOUR_NS), times(DAY_NS)
    interest = 50_000.0 * np.exp(noise(hourly, 0.999, 0.3))
    value = interest * 20_000.0 * np.exp(noise(hourly, 0.999, 0.2))
    index = 20_000.0 * np.exp(noise(hourly, 0.999, 0.2))
    premium = noise(hourly, 0.95, 6e-4)
    ratios = {
        name: centre * np.exp(noise(hourly, 0.98, spread))
        for name, centre, spread in (
            ("count_toptrader_long_short_ratio", 1.6, 0.25),
            ("sum_toptrader_long_short_ratio", 1.2, 0.15),
            ("count_long_short_ratio", 1.7, 0.3),
            ("sum_taker_long_short_vol_ratio", 1.0, 0.2),
        )
    }
    burst = np.exp(0.5 * np.abs(generator.standard_normal(len(eight))))
    metrics = {"sum_open_interest": interest, "sum_open_interest_value": value, **ratios}
    funding = {
        "rate": 1e-4 + noise(eight, 0.8, 1.2e-4) * burst,
        "interval_hours": np.full(len(eight), 8.0),
    }
    mood = np.clip(np.round(50.0 + noise(daily, 0.93, 22.0)), 1.0, 100.0)
    reserve = 2.4e6 * np.exp(noise(daily, 0.995, 0.08))
    tvl = 5e10 * np.exp(noise(daily, 0.99, 0.25))
    implied = 60.0 * np.exp(noise(daily, 0.97, 0.25))
    second = 1.4 * np.exp(noise(hourly, 0.98, 0.25))
    basis = noise(hourly, 0.99, 0.01)
    quarter_ns = 91 * DAY_NS
    expiry = ((hourly // quarter_ns + 1) * quarter_ns).astype(np.float64)
    venue = 0.25 * np.exp(noise(daily, 0.99, 0.1))
    eth = 2_000.0 * np.exp(noise(daily, 0.99, 0.2))
    krw_premium = 0.02 + noise(daily, 0.9, 0.02)
    fund = 50.0 * np.exp(noise(daily, 0.99, 0.2))
    fund_columns = {
        "price": fund * np.exp(noise(daily, 0.9, 0.01)),
        "nav": fund,
        "flow_usd": 1e8 * noise(daily, 0.5, 1.0),
    }
    schedule = {
        f"fraction_{days}d": 5e-4 * days * np.exp(noise(daily, 0.95, 0.7)) for days in (7, 14, 30)
    }
    announced = eight[::21]
    listed = np.where(generator.random(len(announced)) < 0.8, 1.0, -1.0)
    heard = np.random.default_rng([seed, 8]).standard_normal(len(eight))
    brought = np.clip(50.0 + 25.0 * heard, 0.0, 100.0)
    noon = 36 * HOUR_NS
    week = 8 * DAY_NS
    made = (
        _series("funding", funding, eight, 0, DAY_NS),
        _series("metrics", metrics, hourly, 5 * MINUTE_NS, 6 * HOUR_NS),
        _series("mark_price", {"close": index * (1.0 + premium)}, hourly, HOUR_NS, 6 * HOUR_NS),
        _series("index_price", {"close": index}, hourly, HOUR_NS, 6 * HOUR_NS),
        _series("premium_index", {"close": premium}, hourly, HOUR_NS, 6 * HOUR_NS),
        _series("fear_greed", {"value": mood}, daily, 30 * MINUTE_NS, week),
        _series("exchange_reserves", {"reserve": reserve}, daily, noon, week),
        _series("tvl", {"tvl_usd": tvl, "tvl_eth": tvl / eth}, daily, noon, week),
        _series("implied_volatility", {"dvol_close": implied}, daily, DAY_NS, week),
        _series(
            "metrics:second", {"count_long_short_ratio": second}, hourly, 5 * MINUTE_NS, 6 * HOUR_NS
        ),
        _series(
            "dated_futures",
            {"close": index * (1.0 + basis), "expiry": expiry},
            hourly,
            HOUR_NS,
            6 * HOUR_NS,
        ),
        _series("exchange_reserves:venue", {"reserve": reserve * venue}, daily, noon, week),
        _series("krw_premium", {"premium": krw_premium}, daily, DAY_NS, week),
        _series("etf", fund_columns, daily, noon, week),
        _series("unlock_schedule", schedule, daily, 0, week),
        _series("listings", {"side": listed}, announced, 0, 50 * week),
        _series("external_sentiment", {"score": brought}, eight, HOUR_NS, DAY_NS),
    )
    return {series.name: series for series in made}


def null_trade_flow(bars: Bars, seed: int) -> Series:
    """Trades under the bars of the last two thirds, but for a day: their volume, and other takers.

    What is made of trades can be told from what is made of the taker columns.
    """
    generator = np.random.default_rng([seed, 9])
    rows = np.arange(len(bars) // 3, len(bars))
    rows = rows[(rows < 3 * len(bars) // 4) | (rows >= 3 * len(bars) // 4 + 24)]
    volume = bars.volume[rows]
    taker = bars.volume if bars.taker_buy_volume is None else bars.taker_buy_volume
    bought = volume * np.clip(
        taker[rows] / np.where(volume > 0, volume, 1.0)
        + 0.02 * generator.standard_normal(len(rows)),
        0.0,
        1.0,
    )
    return Series(
        name="trade_flow",
        max_age_ns=bars.step_ns,
        event_time=bars.open_time[rows],
        available_at=bars.close_time[rows],
        columns={"volume": volume, "taker_buy_volume": bought},
    )
