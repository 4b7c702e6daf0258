"""The same market, cut to a window or with another future."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine import FLOW_COLUMNS, Bars, Market, Series

from .panels import wild_panel


def window(market: Market, start: int, stop: int) -> Market:
    """Bars ``start`` to ``stop`` - 1 of a market, with every slow row known by then."""
    shown = market.prefix(stop)
    return replace(shown, bars=_selected(shown.bars, slice(start, None)))


def _selected(bars: Bars, part: slice) -> Bars:
    columns = {
        name: column[part]
        for name in ("open_time", "open", "high", "low", "close", "volume", "is_gap", *FLOW_COLUMNS)
        if (column := getattr(bars, name)) is not None
    }
    return Bars(symbol=bars.symbol, timeframe=bars.timeframe, **columns)


def wild_future(market: Market, known: int, seed: int) -> Market:
    """The same market up to bar ``known`` - 1, and a valid but absurd one after it.

    Later prices follow a walk a thousand times away, volumes are shuffled and scaled, gaps are
    strewn, and every slow row that becomes available later holds noise of a wild scale.
    """
    generator = np.random.default_rng(seed)
    bars = market.bars
    later = len(bars) - known
    scale = 10.0 ** generator.choice([-3.0, 3.0])
    walk = (
        bars.close[known - 1] * scale * np.exp(np.cumsum(0.05 * generator.standard_normal(later)))
    )
    open_ = np.concatenate((walk[:1], walk[:-1]))
    high = np.maximum(open_, walk) * np.exp(np.abs(0.05 * generator.standard_normal(later)))
    low = np.minimum(open_, walk) * np.exp(-np.abs(0.05 * generator.standard_normal(later)))
    changed: dict[str, Any] = {
        name: np.concatenate((getattr(bars, name)[:known], column))
        for name, column in (("open", open_), ("high", high), ("low", low), ("close", walk))
    }
    for name in ("volume", *FLOW_COLUMNS):
        column = getattr(bars, name)
        if column is not None:
            noise = generator.permutation(column[known:]) * 10.0 ** generator.uniform(-3, 3, later)
            changed[name] = np.concatenate((column[:known], noise))
    changed["is_gap"] = np.concatenate((bars.is_gap[:known], generator.random(later) < 0.1))
    now = int(bars.close_time[known - 1])
    series = {name: _wild_series(entry, now, generator) for name, entry in market.series.items()}
    panels = {name: wild_panel(panel, now, generator) for name, panel in market.panels.items()}
    return Market(bars=replace(bars, **changed), series=series, panels=panels)


def _wild_series(series: Series, now: int, generator: np.random.Generator) -> Series:
    known = int(np.searchsorted(series.available_at, now, side="right"))
    later = len(series.event_time) - known
    columns = {
        name: np.concatenate(
            (
                column[:known],
                column[known:] * 10.0 ** generator.uniform(-3, 3, later)
                + generator.standard_normal(later),
            )
        )
        for name, column in series.columns.items()
    }
    return replace(series, columns=columns)
