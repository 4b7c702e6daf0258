"""Driftless markets built from fine steps, and coarse ones for rare shapes.

A null market is a martingale: nothing that is known at a close predicts the price after it. Within
an hour the log price is a Brownian motion with a constant variance, sampled at ``steps_per_hour``
points and with the exact distribution of the highest and the lowest point between them, so a stop
that is filled at its own price gains nothing (a walk sampled at points only would overshoot it).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.signal import lfilter

from engine import (
    DAY_NS,
    FLOW_COLUMNS,
    HOUR_NS,
    MINUTE_NS,
    Bars,
    Bool1D,
    ConfigError,
    Float1D,
    Int1D,
    Market,
    Series,
    grid_origin_ns,
    timeframe_ns,
)

from .panels import null_panels

START_NS: Final = 1_609_459_200_000_000_000
"""2021-01-01 00:00 UTC, a Friday: the first weekly bar is incomplete."""
HISTORY_ROWS: Final = 1_500
"""Rows of every slow series before the first bar, so that each has a series of its own to replay."""
VOLUME_GRAIN: Final = 1024.0
"""Volumes are multiples of 1/1024: sums of them are exact in any order of addition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FineBars:
    """Bars of a step at or below the decision step; every array ``(N,)``, float64 and ``is_gap`` bool.

    A missing bar is written as a store writes it: the last close in all four prices, no volume.
    """

    start_ns: int
    step_ns: int
    open: Float1D
    high: Float1D
    low: Float1D
    close: Float1D
    flows: Mapping[str, Float1D]
    is_gap: Bool1D

    def prefix(self, count: int) -> "FineBars":
        """The first ``count`` fine bars."""
        return replace(
            self,
            open=self.open[:count],
            high=self.high[:count],
            low=self.low[:count],
            close=self.close[:count],
            flows={name: column[:count] for name, column in self.flows.items()},
            is_gap=self.is_gap[:count],
        )

    def __len__(self) -> int:
        return len(self.close)


def _persistent(
    generator: np.random.Generator,
    rows: int,
    memory: float,
    spread: float,
    *,
    heavy_tails: bool = False,
) -> Float1D:
    """A stationary first-order autoregression with standard deviation ``spread``.

    With ``heavy_tails`` its innovations follow Student's t with 3 degrees of freedom.
    """
    if heavy_tails:
        noise = generator.standard_t(3.0, rows) / np.sqrt(3.0)
    else:
        noise = generator.standard_normal(rows)
    noise *= spread * np.sqrt(1.0 - memory * memory)
    noise[0] = generator.standard_normal() * spread
    result: Float1D = lfilter([1.0], [1.0, -memory], noise)
    return result


def null_fine_bars(
    hours: int,
    seed: int,
    *,
    steps_per_hour: int = 12,
    hourly_volatility: float = 0.005,
    gap_runs: tuple[int, ...] = (1, 6),
) -> FineBars:
    """A driftless martingale with clustered volatility, volume seasonality and taker flow.

    Log volatility is the sum of a fast and a slow autoregression and a daily cycle. Volume clusters
    and grows with the size of the move, taker flow persists and leans with the move it accompanies;
    neither says anything about later moves. Six hourly closes in ten miss the true price by a little,
    as a last trade does; the next open does not, so that the error cannot be traded. Scales are near
    those of BTCUSDT hours of 2019 to 2023. One run of missing hours of each length in ``gap_runs`` is
    placed at random.
    """
    generator = np.random.default_rng([seed, 0])
    steps = hours * steps_per_hour
    hour_of_day = np.arange(hours) % 24
    log_volatility = _persistent(generator, hours, 0.95, 0.4)
    log_volatility += _persistent(generator, hours, 0.997, 0.4)
    log_volatility += 0.25 * np.sin(2 * np.pi * (hour_of_day - 8) / 24)
    hourly = hourly_volatility * np.exp(log_volatility)
    step_volatility = np.repeat(hourly / np.sqrt(steps_per_hour), steps_per_hour)
    shock = generator.standard_normal(steps)
    move = step_volatility * shock - 0.5 * step_volatility**2
    path = np.log(20_000.0) + np.concatenate(([0.0], np.cumsum(move)))
    start, end = path[:-1], path[1:]
    reach = -2.0 * step_volatility**2 * np.log(generator.random((2, steps)))
    highest = 0.5 * (start + end + np.sqrt((end - start) ** 2 + reach[0]))
    lowest = 0.5 * (start + end - np.sqrt((end - start) ** 2 + reach[1]))
    price = np.exp(path)
    open_ = price[:-1]
    busy = _persistent(generator, hours, 0.9, 0.4) + _persistent(generator, hours, 0.999, 0.5)
    busy += 0.6 * log_volatility
    busy += 0.35 * np.sin(2 * np.pi * (hour_of_day - 9) / 24)
    volume = np.repeat(np.exp(busy), steps_per_hour) * (0.5 + np.abs(shock))
    volume *= 2_000.0 / steps_per_hour * np.exp(0.4 * generator.standard_normal(steps))
    volume = (np.floor(volume * VOLUME_GRAIN) + 1.0) / VOLUME_GRAIN
    mood = _persistent(generator, hours, 0.3, 0.04) + _persistent(generator, hours, 0.98, 0.015)
    lean = 0.5 + np.repeat(mood, steps_per_hour) + 0.05 * shock
    lean += 0.05 * generator.standard_normal(steps)
    taker = np.floor(volume * np.clip(lean, 0.02, 0.98) * VOLUME_GRAIN) / VOLUME_GRAIN
    missing = np.zeros(hours, dtype=np.bool_)
    for length in gap_runs:
        begin = int(generator.integers(hours // 4, hours - length - 1))
        missing[begin : begin + length] = True
    high = np.maximum(np.exp(highest), np.maximum(open_, price[1:]))
    low = np.minimum(np.exp(lowest), np.minimum(open_, price[1:]))
    bounce = np.zeros((hours, steps_per_hour))
    bounce[:, -1] = 0.05 * hourly * np.where(generator.random(hours) < 0.6, 1.0, 0.0)
    bounce[:, -1] *= generator.standard_normal(hours)
    fine = FineBars(
        start_ns=START_NS,
        step_ns=HOUR_NS // steps_per_hour,
        open=open_,
        high=high,
        low=low,
        close=np.clip(price[1:] * np.exp(bounce.ravel()), low, high),
        flows={
            "volume": volume,
            "quote_volume": np.floor(volume * open_ * 64.0) / 64.0,
            "trades": np.floor(volume * 3.0) + 1.0,
            "taker_buy_volume": taker,
            "taker_buy_quote": np.floor(taker * open_ * 64.0) / 64.0,
        },
        is_gap=np.repeat(missing, steps_per_hour),
    )
    return _flat_in_gaps(fine)


def aggregated_bars(fine: FineBars, timeframe: str) -> Bars | None:
    """Complete bars of ``timeframe`` over ``fine``, by reshaping: no code shared with ``resampled``.

    Incomplete bars at both ends are dropped; None when no bar is complete. A bar of which nothing
    was recorded is a gap.
    """
    step_ns = timeframe_ns(timeframe)
    per_bar = step_ns // fine.step_ns
    skip = -(fine.start_ns - grid_origin_ns(timeframe)) % step_ns // fine.step_ns
    count = (len(fine) - skip) // per_bar
    if count <= 0:
        return None
    part = slice(skip, skip + count * per_bar)

    def grouped(column: Float1D) -> np.ndarray:
        return column[part].reshape(count, per_bar)

    flows = {name: grouped(column).sum(axis=1) for name, column in fine.flows.items()}
    return Bars(
        symbol="NULLUSDT",
        timeframe=timeframe,
        open_time=fine.start_ns + skip * fine.step_ns + step_ns * np.arange(count),
        open=grouped(fine.open)[:, 0],
        high=grouped(fine.high).max(axis=1),
        low=grouped(fine.low).min(axis=1),
        close=grouped(fine.close)[:, -1],
        is_gap=np.asarray(fine.is_gap[part].reshape(count, per_bar).all(axis=1), dtype=np.bool_),
        **flows,
    )


def _flat_in_gaps(fine: FineBars) -> FineBars:
    missing = fine.is_gap
    if not missing.any():
        return fine
    last_seen = np.maximum.accumulate(np.where(missing, 0, np.arange(len(missing))))
    flat = fine.close[last_seen]
    return replace(
        fine,
        open=np.where(missing, flat, fine.open),
        high=np.where(missing, flat, fine.high),
        low=np.where(missing, flat, fine.low),
        close=np.where(missing, flat, fine.close),
        flows={name: np.where(missing, 0.0, column) for name, column in fine.flows.items()},
    )


def fine_bars_of(bars: Bars) -> FineBars:
    """Decision bars as the finest step there is, with volumes rounded so that sums are exact."""
    return FineBars(
        start_ns=int(bars.open_time[0]),
        step_ns=bars.step_ns,
        open=bars.open,
        high=bars.high,
        low=bars.low,
        close=bars.close,
        flows={
            name: np.round(column * VOLUME_GRAIN) / VOLUME_GRAIN
            for name in ("volume", *FLOW_COLUMNS)
            if (column := getattr(bars, name)) is not None
        },
        is_gap=bars.is_gap,
    )


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
        return _persistent(generator, len(times_ns), memory, spread, heavy_tails=True)

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


@lru_cache(maxsize=128)
def null_market(
    hours: int, seed: int, *, steps_per_hour: int = 12, history_rows: int = HISTORY_ROWS
) -> Market:
    """Hourly null bars with every slow series and panel; the last few are kept in memory."""
    fine = null_fine_bars(hours, seed, steps_per_hour=steps_per_hour)
    bars = aggregated_bars(fine, "1h")
    if bars is None:
        raise ConfigError(f"hours={hours} must be at least 1")
    series = {
        **null_series(START_NS, int(bars.close_time[-1]), seed, history_rows=history_rows),
        "trade_flow": null_trade_flow(bars, seed),
    }
    panels = null_panels(bars.open_time, bars.step_ns, seed, history_rows=history_rows)
    return Market(bars=bars, series=series, panels=panels)


_THREE_STARS: Final = ((0, 0, -40, -19), (-10, -10, -30, -20), (-22, -22, -24, -24))
"""Three stars in the south, as open, high, low, close: a shape too rare to wait for."""


@lru_cache(maxsize=128)
def coarse_market(hours: int, seed: int, *, history_rows: int = HISTORY_ROWS) -> Market:
    """Hourly bars on a coarse tick with opens away from the close before: not a null market.

    Equal prices, bars without shadows and gaps between bodies are common here, and never seen on a
    null market, where each bar opens at the last close. Rare shapes are looked for on these bars.
    """
    market = null_market(hours, seed, history_rows=history_rows)
    generator = np.random.default_rng([seed, 6])
    turns = generator.random(hours) < 0.3
    side = np.where(np.cumsum(turns) % 2, -1.0, 1.0)
    body = side * generator.choice([0.0, 0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0], size=hours)
    step_back = generator.choice([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 1.5], size=hours)
    step_back[1:] *= body[:-1]
    close = 4_000.0 + np.cumsum(body - step_back)
    open_ = close - body
    upper, lower = generator.choice([0.0, 0.0, 0.0, 0.25, 1.0, 6.0], size=(2, hours))
    high, low = np.maximum(open_, close) + upper, np.minimum(open_, close) - lower
    for row in range(40, hours - 3, 97):
        for offset, shape in enumerate(_THREE_STARS):
            bar = row + offset
            open_[bar], high[bar], low[bar], close[bar] = close[row - 1] + np.array(shape)
    bars = replace(market.bars, open=open_, high=high, low=low, close=close)
    return replace(market, bars=bars)
