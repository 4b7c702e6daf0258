"""One raw column of a market disturbed, on the clock it comes from, so that the market stays valid."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from engine import FLOW_COLUMNS, HOUR_NS, Bars, Float1D, Market, MarketPanel, Series

from .panels import disturbed_panel, panel_columns

GAP_RUNS = (5, 6, 24, 130)
"""Lengths of the runs that are marked missing: state machines reset after more than three."""
TIME_SHIFT_NS = 5 * HOUR_NS
RawColumn = tuple[str, str]
"""A clock and the name of one of its columns."""
TimedRows = TypeVar("TimedRows", Series, MarketPanel)


def raw_columns(market: Market) -> tuple[RawColumn, ...]:
    """Every column that can be disturbed, clock by clock."""
    bars = [("bars", name) for name in market.bars.columns()]
    series = [
        (name, column)
        for name, entry in market.series.items()
        for column in ("event_time", *entry.columns)
    ]
    panels = [
        (name, column) for name, panel in market.panels.items() for column in panel_columns(panel)
    ]
    return (*bars, *series, *panels)


def disturbed_bars(bars: Bars, column: str, seed: int) -> Bars:
    """The same bars with one column noised; every price relation still holds."""
    generator = np.random.default_rng([seed, 3])
    rows = len(bars)
    values = bars.columns()[column]
    if column == "open_time":
        return replace(bars, open_time=bars.open_time + TIME_SHIFT_NS)
    if column == "is_gap":
        flags = bars.is_gap.copy()
        for length in GAP_RUNS:
            for _ in range(1 + rows // (20 * length)):
                begin = int(generator.integers(rows // 4, max(rows - length, rows // 4 + 1)))
                flags[begin : begin + length] = ~flags[begin : begin + length]
        return replace(bars, is_gap=flags)
    if column in ("open", "close"):
        noised = bars.low + generator.random(rows) * (bars.high - bars.low)
    elif column == "high":
        noised = values * (1.0 + 0.01 * generator.exponential(size=rows))
    elif column == "low":
        noised = values / (1.0 + 0.01 * generator.exponential(size=rows))
    else:
        noised = values * np.exp(generator.standard_normal(rows))
    changed: dict[str, Any] = {column: noised}
    return replace(bars, **changed)


def disturbed_series(series: Series, column: str, seed: int) -> Series:
    """The same series with one column noised: factors for positive columns, else added noise."""
    generator = np.random.default_rng([seed, 4])
    values = series.columns[column]
    noise = generator.standard_normal(len(values))
    if not len(values):
        return series
    if values.min() > 0:
        noised = values * np.exp(0.7 * noise)
    else:
        noised = values + 2.0 * (float(values.std()) + 1e-9) * noise
    return replace(series, columns={**series.columns, column: noised})


def disturbed_market(market: Market, raw: RawColumn, seed: int) -> Market:
    """The same market with one raw column disturbed; ``open_time`` moves every clock alike."""
    clock, column = raw
    if raw == ("bars", "open_time") and seed > 1:
        return _slowed(market)
    if clock in market.panels:
        panel = market.panels[clock]
        moved = column == "event_time"
        changed_panel = _torn(panel, seed) if moved else disturbed_panel(panel, column, seed)
        return replace(market, panels={**market.panels, clock: changed_panel})
    if clock != "bars":
        series = market.series[clock]
        torn = column == "event_time"
        changed = _torn(series, seed) if torn else disturbed_series(series, column, seed)
        return replace(market, series={**market.series, clock: changed})
    bars = disturbed_bars(market.bars, column, seed)
    if column != "open_time":
        return replace(market, bars=bars)
    return Market(
        bars=bars,
        series={name: _shifted(entry) for name, entry in market.series.items()},
        panels={name: _shifted(panel) for name, panel in market.panels.items()},
    )


def _shifted(rows: TimedRows) -> TimedRows:
    return replace(
        rows,
        event_time=rows.event_time + TIME_SHIFT_NS,
        available_at=rows.available_at + TIME_SHIFT_NS,
    )


def _slowed(market: Market) -> Market:
    """The same bars at twice their step: durations change, which a shift leaves alone."""
    bars = market.bars
    doubled = {"1m": "2m", "5m": "10m", "15m": "30m", "30m": "1h", "1h": "2h", "4h": "8h"}
    if bars.timeframe not in doubled:
        return market
    open_time = bars.open_time[0] + 2 * (bars.open_time - bars.open_time[0])
    if bars.open_time[0] % (2 * bars.step_ns):
        open_time = open_time + bars.step_ns
    slowed = replace(bars, timeframe=doubled[bars.timeframe], open_time=open_time)
    return replace(market, bars=slowed)


def _torn(rows: TimedRows, seed: int) -> TimedRows:
    """The same rows with holes of hours to a month torn between some of them."""
    moved = stretched_times(rows.event_time.astype(np.float64), 2 * seed + 1)
    moved_ns = moved.astype(np.int64) - rows.event_time
    return replace(
        rows, event_time=rows.event_time + moved_ns, available_at=rows.available_at + moved_ns
    )


def stretched_times(times: Float1D, seed: int) -> Float1D:
    """The same rows at twice their step (even seeds), or with holes of hours to a month between them."""
    if seed % 2 == 0:
        return times[:1] + 2.0 * (times - times[:1])
    generator = np.random.default_rng([seed, 5])
    holes = np.where(
        generator.random(len(times)) < 0.02, generator.integers(5, 720, size=len(times)), 0
    )
    return times + float(HOUR_NS) * np.cumsum(holes)


def without_flows(bars: Bars) -> Bars:
    """The same bars from a source that knows nothing but prices and volume."""
    absent: dict[str, Any] = dict.fromkeys(FLOW_COLUMNS)
    return replace(bars, **absent)
