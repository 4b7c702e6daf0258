"""Small random markets for tests: valid, seeded, without any file."""

import numpy as np

from engine import HOUR_NS, Bars, Float1D, Market, Series, timeframe_ns

START_NS = 1_609_459_200_000_000_000
"""2021-01-01 00:00 UTC, a Friday."""


def random_walk(rows: int, seed: int, volatility: float = 0.01) -> Float1D:
    """A driftless geometric walk with clustered volatility, ``(rows,)``, starting near 100."""
    generator = np.random.default_rng(seed)
    log_volatility = np.empty(rows)
    level = 0.0
    for t in range(rows):
        level = 0.98 * level + 0.15 * generator.standard_normal()
        log_volatility[t] = level
    steps = volatility * np.exp(log_volatility) * generator.standard_normal(rows)
    return 100.0 * np.exp(np.cumsum(steps - steps.mean()))


def random_bars(
    rows: int,
    seed: int,
    *,
    timeframe: str = "1h",
    gap_share: float = 0.0,
    with_flows: bool = True,
    symbol: str = "TESTUSDT",
) -> Bars:
    """Valid bars around a random walk; ``gap_share`` of them are marked missing."""
    generator = np.random.default_rng(seed + 10_000)
    close = random_walk(rows, seed)
    open_ = np.concatenate(([100.0], close[:-1]))
    reach = 0.004 * close * generator.exponential(size=(2, rows))
    high = np.maximum(open_, close) + reach[0]
    low = np.maximum(np.minimum(open_, close) - reach[1], 0.01)
    volume = 1000.0 * np.exp(0.6 * generator.standard_normal(rows))
    is_gap = generator.random(rows) < gap_share
    is_gap[0] = False
    for t in np.flatnonzero(is_gap):
        open_[t] = high[t] = low[t] = close[t] = close[t - 1]
        volume[t] = 0.0
        if t + 1 < rows and not is_gap[t + 1]:
            open_[t + 1] = close[t]
            high[t + 1] = max(high[t + 1], open_[t + 1])
            low[t + 1] = min(low[t + 1], open_[t + 1])
    taker_share = np.clip(0.5 + 0.08 * generator.standard_normal(rows), 0.05, 0.95)
    flows = (
        {
            "quote_volume": volume * close,
            "trades": np.floor(volume / 3.0),
            "taker_buy_volume": volume * taker_share,
            "taker_buy_quote": volume * taker_share * close,
        }
        if with_flows
        else {}
    )
    step = timeframe_ns(timeframe)
    return Bars(
        symbol=symbol,
        timeframe=timeframe,
        open_time=START_NS + step * np.arange(rows),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
        is_gap=is_gap,
        **flows,
    )


def random_series(
    name: str,
    columns: tuple[str, ...],
    *,
    rows: int,
    step_ns: int,
    lag_ns: int = 0,
    max_age_ns: int = 8 * 24 * HOUR_NS,
    seed: int = 0,
    centre: float = 1.0,
    spread: float = 0.1,
) -> Series:
    """A slow series with persistent noise in every column."""
    generator = np.random.default_rng(seed)
    event_time = START_NS + step_ns * np.arange(rows)
    values = {}
    for column in columns:
        noise = generator.standard_normal(rows)
        for t in range(1, rows):
            noise[t] = 0.9 * noise[t - 1] + 0.44 * noise[t]
        values[column] = centre + spread * noise
    return Series(
        name=name,
        max_age_ns=max_age_ns,
        event_time=event_time,
        available_at=event_time + lag_ns,
        columns=values,
    )


def random_market(rows: int, seed: int, *, timeframe: str = "1h", gap_share: float = 0.0) -> Market:
    """Bars with every slow series that a head may ask for."""
    bars = random_bars(rows, seed, timeframe=timeframe, gap_share=gap_share)
    hours = int((bars.close_time[-1] - bars.open_time[0]) // HOUR_NS)
    days = hours // 24 + 1
    funding = random_series(
        "funding", ("rate",), rows=hours // 8 + 1, step_ns=8 * HOUR_NS, seed=seed,
        centre=1e-4, spread=2e-4, max_age_ns=24 * HOUR_NS,
    )  # fmt: skip
    funding = Series(
        name="funding",
        max_age_ns=funding.max_age_ns,
        event_time=funding.event_time,
        available_at=funding.available_at,
        columns={**funding.columns, "interval_hours": np.full(len(funding.event_time), 8.0)},
    )
    metrics = random_series(
        "metrics",
        (
            "sum_open_interest",
            "sum_open_interest_value",
            "count_toptrader_long_short_ratio",
            "sum_toptrader_long_short_ratio",
            "count_long_short_ratio",
            "sum_taker_long_short_vol_ratio",
        ),
        rows=hours, step_ns=HOUR_NS, lag_ns=HOUR_NS // 12, seed=seed + 1, centre=2.0, spread=0.3,
        max_age_ns=6 * HOUR_NS,
    )  # fmt: skip
    metrics = Series(
        name="metrics",
        max_age_ns=metrics.max_age_ns,
        event_time=metrics.event_time,
        available_at=metrics.available_at,
        columns={name: np.abs(column) + 0.05 for name, column in metrics.columns.items()},
    )
    premium = random_series(
        "premium_index", ("close",), rows=hours, step_ns=HOUR_NS, lag_ns=HOUR_NS, seed=seed + 2,
        centre=0.0, spread=8e-4, max_age_ns=6 * HOUR_NS,
    )  # fmt: skip
    daily = {
        "fear_greed": ("value", 50.0, 22.0),
        "exchange_reserves": ("reserve", 2.5e6, 5e4),
        "tvl": ("tvl_usd", 5e10, 3e9),
        "implied_volatility": ("dvol_close", 60.0, 10.0),
    }
    series = {"funding": funding, "metrics": metrics, "premium_index": premium}
    for position, (name, (column, centre, spread)) in enumerate(daily.items()):
        series[name] = random_series(
            name, (column,), rows=days, step_ns=24 * HOUR_NS, lag_ns=36 * HOUR_NS,
            seed=seed + 3 + position, centre=centre, spread=spread,
        )  # fmt: skip
    return Market(bars=bars, series=series)
