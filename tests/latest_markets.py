"""Markets whose newest rows are harder to find than those of a null market."""

from dataclasses import replace

import numpy as np

from engine import DAY_NS, HOUR_NS, MINUTE_NS, Market, Series
from experiments.checks.markets import null_market

HARD_HOURS = 3_000


def hard_market(seed: int) -> Market:
    """Bars with runs of gaps; five-minute metrics with holes; series that come late, begin late, end.

    Column ``count_long_short_ratio`` of ``metrics`` stops a third of the way, so that the last row
    that states it lies far back.
    """
    market = null_market(HARD_HOURS, seed)
    generator = np.random.default_rng(seed)
    bars, series = market.bars, dict(market.series)
    begin, end = int(bars.open_time[0]), int(bars.close_time[-1])

    gap = bars.is_gap.copy()
    for length in (1, 2, 5, 30):
        first = int(generator.integers(200, HARD_HOURS - 50))
        gap[first : first + length] = True
    last = np.maximum.accumulate(np.where(gap, 0, np.arange(len(gap))))
    flat = bars.close[last]
    names = ("open", "high", "low", "close")
    flows = ("volume", "quote_volume", "trades", "taker_buy_volume", "taker_buy_quote")
    prices = {name: np.where(gap, flat, getattr(bars, name)) for name in names}
    volumes = {name: np.where(gap, 0.0, getattr(bars, name)) for name in flows}
    bars = replace(bars, is_gap=gap, **prices, **volumes)

    dense = np.arange(begin - 40 * DAY_NS, end, 5 * MINUTE_NS, dtype=np.int64)
    kept = np.sort(generator.choice(len(dense), int(0.97 * len(dense)), replace=False))
    dense = dense[kept]
    metrics = {
        name: np.interp(dense, series["metrics"].event_time, column)
        * np.exp(0.01 * generator.standard_normal(len(dense)))
        for name, column in series["metrics"].columns.items()
    }
    for column in metrics.values():
        column[generator.random(len(dense)) < 0.02] = np.nan
    stops = int(np.searchsorted(dense, begin + (end - begin) // 3))
    metrics["count_long_short_ratio"][stops:] = np.nan
    series["metrics"] = Series(
        name="metrics",
        max_age_ns=6 * HOUR_NS,
        event_time=dense,
        available_at=dense + 5 * MINUTE_NS,
        columns=metrics,
    )
    funding = series["funding"]
    late = generator.integers(0, 7, len(funding.event_time)) * HOUR_NS
    series["funding"] = replace(
        funding, available_at=np.maximum.accumulate(funding.event_time + late)
    )
    series["premium_index"] = _rows(series["premium_index"], begin + (end - begin) // 2, end)
    series["fear_greed"] = _rows(series["fear_greed"], 0, begin + (end - begin) // 2)
    del series["tvl"]
    return replace(market, bars=bars, series=series)


def _rows(series: Series, first_ns: int, last_ns: int) -> Series:
    kept = (series.event_time >= first_ns) & (series.event_time < last_ns)
    return replace(
        series,
        event_time=series.event_time[kept],
        available_at=series.available_at[kept],
        columns={name: column[kept] for name, column in series.columns.items()},
    )
