"""Fine bars of a driftless market, and longer bars made of them.

Within an hour the log price is a Brownian motion with a constant variance, sampled at
``steps_per_hour`` points and with the exact distribution of the highest and the lowest point between
them, so a stop that is filled at its own price gains nothing (a walk sampled at points only would
overshoot it).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine import FLOW_COLUMNS, HOUR_NS, Bars, Bool1D, Float1D, grid_origin_ns, timeframe_ns

from .noise import persistent_noise

START_NS: Final = 1_609_459_200_000_000_000
"""2021-01-01 00:00 UTC, a Friday: the first weekly bar is incomplete."""
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
    log_volatility = persistent_noise(generator, hours, 0.95, 0.4)
    log_volatility += persistent_noise(generator, hours, 0.997, 0.4)
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
    busy = persistent_noise(generator, hours, 0.9, 0.4) + persistent_noise(
        generator, hours, 0.999, 0.5
    )
    busy += 0.6 * log_volatility
    busy += 0.35 * np.sin(2 * np.pi * (hour_of_day - 9) / 24)
    volume = np.repeat(np.exp(busy), steps_per_hour) * (0.5 + np.abs(shock))
    volume *= 2_000.0 / steps_per_hour * np.exp(0.4 * generator.standard_normal(steps))
    volume = (np.floor(volume * VOLUME_GRAIN) + 1.0) / VOLUME_GRAIN
    mood = persistent_noise(generator, hours, 0.3, 0.04) + persistent_noise(
        generator, hours, 0.98, 0.015
    )
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
